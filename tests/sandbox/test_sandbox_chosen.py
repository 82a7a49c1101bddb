"""Backends that are not Linux's own: Seatbelt's profile as text, and srt, run for real where it is installed.

`SRT_FOR_TESTS` names an installed `srt` (npm `@anthropic-ai/sandbox-runtime`); without it those tests skip.
"""

from __future__ import annotations

import dataclasses
import os
import re
import socket
import sys
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import Command, Limits, Mount, detect, seatbelt, srt


@pytest.fixture
def command(tmp_path):
    worktree, tools = tmp_path / "work tree", tmp_path / "tools"
    worktree.mkdir()
    tools.mkdir()
    view = Path("/view")
    return Command(
        argv=("/bin/sh", "-c", "true"),
        cwd=view,
        mounts=(Mount(worktree, view, write=True), Mount(tools, tools)),
        masks=(view / ".git", view / ".devloop/config", Path("/elsewhere")),
        hidden=(view / "key.pem",),
        env={"PATH": "/usr/bin:/bin"},
    )


def rules(text: str) -> list[tuple[str, str, list[str]]]:
    """Verdict, operation and paths of each rule of a profile, in order."""
    found = []
    for rule in re.findall(r"^\((allow|deny) ([^\n(]+?)\)?((?:\n  \(.*\))*)\)?$", text, re.M):
        found.append((rule[0], rule[1].strip(), re.findall(r'\((?:subpath|literal) "(.*)"\)', rule[2])))
    return found


def test_a_profile_denies_all_and_then_allows_what_is_mounted(command, tmp_path):
    text = seatbelt.profile(command, tmp_path / "scratch")
    assert text.splitlines()[:2] == ["(version 1)", "(deny default)"]
    assert text.count("(") == text.count(")")
    found = rules(text)
    worktree, tools = str(tmp_path / "work tree"), str(tmp_path / "tools")
    read = next(paths for verdict, what, paths in found if (verdict, what) == ("allow", "file-read*"))
    write = next(paths for verdict, what, paths in found if (verdict, what) == ("allow", "file-write*"))
    assert {worktree, tools, str(tmp_path / "scratch"), "/usr"} <= set(read)
    assert write == [worktree, str(tmp_path / "scratch")]
    assert not any(str(Path.home()).startswith(path) for path in read if path != "/")
    assert "network" not in text and "mach-lookup)" not in text


def test_what_is_masked_comes_last_because_the_last_rule_counts(command, tmp_path):
    text = seatbelt.profile(command, tmp_path / "scratch")
    allowed = text.index("(allow file-write*")
    for path in (".git", ".devloop/config"):
        assert text.index(f'(subpath "{tmp_path}/work tree/{path}")') > allowed
    # the folder above a masked path can't be renamed away
    unlink = [paths for verdict, what, paths in rules(text) if (verdict, what) == ("deny", "file-write-unlink")]
    assert [f"{tmp_path}/work tree/.devloop", f"{tmp_path}/work tree"] in unlink
    assert f'(deny file-read* file-write*\n  (subpath "{tmp_path}/work tree/key.pem"))' in text
    assert "elsewhere" not in text


def test_network_is_there_only_when_it_is_given(command, tmp_path):
    assert "(allow network*)" in seatbelt.profile(dataclasses.replace(command, network=True), tmp_path)


@pytest.mark.parametrize("name", ['a"b', "a\\", 'x")(allow default)("', "with space", "ümläut"])
def test_no_name_ends_its_string(command, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    text = seatbelt.profile(dataclasses.replace(command, mounts=(Mount(folder, folder, write=True),)), tmp_path)
    quoted = '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert text.count(f"(subpath {quoted})") == 2
    assert "(allow default)" not in re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)


def test_a_name_of_two_lines_is_refused():
    with pytest.raises(SandboxMissing):
        seatbelt.quoted("a\nb")


def test_seatbelt_is_called_by_its_own_path_with_the_limits_of_a_shell(command, tmp_path):
    words = seatbelt.words(seatbelt.PROGRAM, command, tmp_path)
    assert words[:2] == ["/usr/bin/sandbox-exec", "-p"] and words[-3:] == ["/bin/sh", "-c", "true"]
    assert seatbelt.Seatbelt().state == "degraded"


async def test_on_a_mac_without_seatbelt_there_is_no_sandbox(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "darwin")
    found = await detect("auto", candidates=[tmp_path / "mac"])
    assert (found.state, found.backend.name) == ("off", "none") and "sandbox-exec" in found.reason


def test_srt_is_found_where_the_person_says_or_where_programs_lie_and_never_by_path(tmp_path, monkeypatch):
    package = tmp_path / "lib/node_modules/@anthropic-ai/sandbox-runtime"
    (package / "dist").mkdir(parents=True)
    (package / "dist/cli.js").write_text("")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "srt").symlink_to(package / "dist/cli.js")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setattr(srt, "PLACES", (str(tmp_path / "nowhere"),))
    assert srt.find() == "srt is not installed."
    assert "no srt at" in str(srt.find(tmp_path / "none"))
    node = folder / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    found = srt.find(folder / "srt")
    assert found == srt.Program(node, package / "dist/cli.js", package)


async def test_srt_is_taken_only_when_it_is_chosen(tmp_path):
    found = await detect("srt", srt_at=tmp_path / "none")
    assert found.state == "off" and "npm install -g @anthropic-ai/sandbox-runtime" in found.fix


def test_srt_s_settings_show_nothing_but_the_mounts(command, tmp_path):
    backend = srt.Srt(srt.Program(Path("/n"), Path("/p/dist/cli.js"), Path("/p")), ["example.org"])
    found = srt.configuration(backend, command, tmp_path / "scratch")
    worktree, tools = str(tmp_path / "work tree"), str(tmp_path / "tools")
    files = found["filesystem"]
    assert files["denyRead"][0] == "/" and f"{worktree}/key.pem" in files["denyRead"]
    assert {worktree, tools, "/usr", "/p"} <= set(files["allowRead"])
    assert files["allowWrite"] == [str(tmp_path / "scratch"), worktree]
    assert files["denyWrite"] == [f"{worktree}/.git", f"{worktree}/.devloop/config"]
    assert found["network"] == {"allowedDomains": ["example.org"], "deniedDomains": [], "allowAllUnixSockets": False}
    assert backend.reach() == "They reach example.org and no other host."


@pytest.fixture
async def real():
    place = os.environ.get("SRT_FOR_TESTS")
    if not place:
        pytest.skip("SRT_FOR_TESTS names no srt")
    found = await detect("srt", srt_at=Path(place))
    assert found.state == "on", found.reason
    return found.backend


async def test_srt_holds(real, command, tmp_path, monkeypatch):
    """A whole command through the real srt: what it may, what it may not, and nothing left."""
    monkeypatch.setenv("DEVLOOP_TEST_MARKER", "visible")
    (tmp_path / "outside").write_text("untouched")
    worktree = command.mounts[0].source
    (worktree / ".git").write_text("gitdir: /somewhere\n")
    (worktree / "key.pem").write_text("secret text")
    script = (
        f"echo made > made; echo x > .git; mkdir -p .devloop/config; cat key.pem {tmp_path}/outside;"
        f" echo x > {tmp_path}/outside; cat /proc/*/environ; ls {Path.home()}; echo $HOME; setsid sleep 77 & exit 7"
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        probe = f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 2)"
        got = await real.run(
            dataclasses.replace(
                command,
                argv=("/bin/sh", "-c", f'/usr/bin/python3 -c "{probe}" && echo connected; {script}'),
                limits=Limits(wall_s=60),
            )
        )
    assert got.exit_code == 7, got.output
    assert (worktree / "made").read_text() == "made\n"
    assert (worktree / ".git").read_text() == "gitdir: /somewhere\n" and not (worktree / ".devloop").exists()
    assert (tmp_path / "outside").read_text() == "untouched"
    for word in ("secret text", "untouched", "DEVLOOP_TEST_MARKER", "connected"):
        assert word not in got.output
    home = re.findall(r"/\S*devloop-scratch-\w+", got.output)
    assert home and not Path(home[0]).exists()
    for folder in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert b"sleep\x0077" not in folder.read_bytes()
        except OSError:
            continue
