"""A sandbox is believed only after it held."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import Command, bubblewrap, detect

# What each fake does with bwrap's options: it skips them and runs, or does not run, the command behind `--`.
SKIP = 'while [ "$1" != "--" ]; do shift; done; shift\n'
ENVIRONMENT = "export PATH=/usr/bin:/bin\n"


def fake(folder: Path, body: str) -> Path:
    program = folder / "bwrap"
    program.write_text(f"#!/bin/sh\n{body}")
    program.chmod(0o755)
    return program


async def off(program: Path) -> str:
    found = await detect("bubblewrap", candidates=[program])
    assert found.state == "off"
    assert found.backend.name == "none"
    assert found.fix
    return found.reason


async def test_the_machines_own_bubblewrap_holds(backend):
    found = await detect()
    assert (found.state, found.backend, found.fix) == ("on", backend, "")
    assert str(backend.program) in found.reason


async def test_the_answer_is_kept():
    assert await detect() is await detect()


@pytest.mark.parametrize("body", ["exit 0", "exec sleep 0", "echo '{}'"])
async def test_one_that_does_nothing_is_detected(tmp_path, body):
    assert "could not be set up" in await off(fake(tmp_path, body))


async def test_one_that_runs_the_command_plainly_is_detected(tmp_path):
    reason = await off(fake(tmp_path, SKIP + ENVIRONMENT + 'exec "$@"'))
    assert "does not hold" in reason
    assert "connect" in reason
    assert "write outside" in reason


async def test_one_that_drops_single_protections_is_detected(tmp_path, backend):
    """The real bwrap, with one option left out or one mount added each."""
    real = str(backend.program)
    cases = {
        "connect": [("--unshare-all", "--unshare-pid --unshare-ipc --unshare-uts")],
        "write outside": [("--chdir", f"--bind {tempfile.gettempdir()} {tempfile.gettempdir()} --chdir")],
        "see the host's processes": [("--unshare-all", "--unshare-net --unshare-ipc --unshare-uts")],
        "leaks environment": [],
    }
    for expected, edits in cases.items():
        folder = tmp_path / expected.replace(" ", "-").replace("'", "")
        folder.mkdir()
        options = "".join(f'    {old}) set -- "$@" {new} ;;\n' for old, new in edits)
        environment = "MARKER=visible " if expected.startswith("leaks") else ""
        body = f"""
n=$#; past=
while [ $n -gt 0 ]; do
  word=$1; shift; n=$((n-1))
  if [ -n "$past" ]; then set -- "$@" "$word"; continue; fi
  case $word in
    --) past=1; set -- "$@" "$word" ;;
{options}    *) set -- "$@" "$word" ;;
  esac
done
{environment}exec {real} "$@"
"""
        reason = await off(fake(folder, body))
        assert expected in reason


async def test_one_without_die_with_parent_is_detected(tmp_path, backend):
    body = f"""
n=$#; past=
while [ $n -gt 0 ]; do
  word=$1; shift; n=$((n-1))
  if [ -z "$past" ] && [ "$word" = --die-with-parent ]; then continue; fi
  if [ "$word" = -- ]; then past=1; fi
  set -- "$@" "$(printf %s "$word" | sed 's/sleep 30/sleep 4/g')"
done
exec {backend.program} "$@"
"""
    assert "leaves processes behind" in await off(fake(tmp_path, body))


async def test_an_old_one_is_named_as_such(tmp_path):
    program = fake(tmp_path, "echo 'bwrap: Unknown option --disable-userns' >&2; exit 1")
    found = await detect("bubblewrap", candidates=[program])
    assert "Unknown option" in found.reason
    assert "0.8" in found.fix


async def test_one_that_can_not_be_executed_is_no_crash(tmp_path):
    (tmp_path / "bwrap").write_bytes(b"\x7fELF nonsense")
    (tmp_path / "bwrap").chmod(0o755)
    assert "could not be started" in await off(tmp_path / "bwrap")


async def test_none_installed_is_told(tmp_path):
    assert "not installed" in await off(tmp_path / "missing")


async def test_the_next_candidate_is_tried(tmp_path, backend):
    found = await detect(candidates=[fake(tmp_path, "exit 0"), backend.program])
    assert found.state == "on"


async def test_one_early_in_path_is_never_taken(tmp_path, monkeypatch, backend):
    fake(tmp_path, f"touch {tmp_path}/taken")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    found = await detect("bubblewrap")
    assert found.backend.program == backend.program
    assert not (tmp_path / "taken").exists()
    assert all(path.is_absolute() for path in bubblewrap.CANDIDATES)


async def test_without_a_sandbox_only_trusted_commands_run(tmp_path):
    found = await detect("bubblewrap", candidates=[tmp_path / "missing"])
    command = Command(argv=("/bin/sh", "-c", "echo hi"), cwd=tmp_path)
    with pytest.raises(SandboxMissing) as problem:
        await found.backend.run(command)
    assert "sandbox.require" in problem.value.hint
    assert (await found.backend.run(Command(argv=command.argv, cwd=tmp_path, trusted=True))).output == "hi\n"
    accepted = await detect("bubblewrap", candidates=[tmp_path / "missing"], accept_none=True)
    assert (await accepted.backend.run(command)).output == "hi\n"
    chosen = await detect("none", accept_none=True)
    assert (chosen.state, (await chosen.backend.run(command)).output) == ("off", "hi\n")
    with pytest.raises(SandboxMissing):
        await (await detect("none")).backend.run(command)
