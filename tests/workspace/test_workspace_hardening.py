"""Each setting and each variable that git is started with, one by one: what it keeps away comes without it.

A row relaxes what stands before the one that it is about, so that nothing else can be the reason; `tests/fixes/git.py`
takes each out and shows the mark.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from devloop.workspace import repository as repositories
from devloop.workspace.git import Git, check_version
from devloop.workspace.git_program import search_path

ANY_PROTOCOL = (("protocol.allow", "always"),)
PROMPT = b"\nUsername for"
ASKED = b"protocol=https\nhost=localhost\n\n"


class Place:
    """A copy of a small repository, with programs that leave a mark."""

    def __init__(self, repo, marks: Path) -> None:
        self.repo = repo
        self.path = repo.path
        self.marks = marks

    def program(self, then: str = "cat") -> str:
        place = self.marks.parent / "evil"
        place.write_text(f"#!/bin/sh\ntouch '{self.marks}/ran'\n{then}\n")
        place.chmod(0o755)
        return str(place)

    def set(self, **settings: str) -> None:
        for key, value in settings.items():
            self.repo.git("config", key.replace("__", "."), value)

    @property
    def ran(self) -> bool:
        return any(self.marks.iterdir())

    async def git(self, *args: str, without=(), env=None, config=(), data=None) -> str:
        """A command with devloop's own environment, less `without`."""
        git = Relaxed(self.path / ".git", self.path, config=config)
        git.without.update(without)
        git.more.update(env or {})
        return (await git.run(*args, data=data, ok=range(-64, 256), timeout=20)).text


class Relaxed(Git):
    @property
    def without(self) -> set[str]:
        return self.__dict__.setdefault("_without", set())

    @property
    def more(self) -> dict[str, str]:
        return self.__dict__.setdefault("_more", {})

    def _environment(self, path: str) -> dict[str, str]:
        found = super()._environment(path) | self.more
        return {name: value for name, value in found.items() if name not in self.without}


@pytest.fixture
def place(small, tmp_path: Path) -> Place:
    marks = tmp_path / "marks"
    marks.mkdir()
    return Place(small, marks)


def hook(at: Place) -> None:
    path = at.path / ".git/hooks/reference-transaction"
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(at.program(""))


def another(at: Place) -> None:
    """Objects borrowed from another repository, whose branches git would ask a program for."""
    at.repo.git("clone", "-q", "--bare", ".", "../other.git")
    (at.path / ".git/objects/info/alternates").write_text(f"{at.path.parent}/other.git/objects\n")
    at.set(core__alternateRefsCommand=at.program())


def signed(at: Place) -> None:
    raw = at.repo.git("cat-file", "commit", "HEAD").replace("\n\n", "\ngpgsig -----BEGIN PGP SIGNATURE-----\n x\n\n", 1)
    (at.path / ".git/signed").write_text(raw + "\n")
    commit = at.repo.git("hash-object", "-t", "commit", "-w", ".git/signed")
    at.repo.git("update-ref", "refs/heads/signed", commit)
    at.set(gpg__program=at.program(), log__showSignature="true")


def helper(at: Place) -> None:
    (at.marks.parent / "git-remote-evil").symlink_to(at.program())


def evil_tree(at: Place, name: str, setting: str) -> None:
    """A tree with a folder that some file systems take for `.git`."""
    at.repo.git("config", setting, "false")
    blob = at.repo.git("rev-parse", "HEAD:a.py")
    inner = at.pipe("mktree", f"100644 blob {blob}\tconfig\n")
    at.repo.git("update-ref", "refs/evil", at.pipe("mktree", f"040000 tree {inner}\t{name}\n"))


def _pipe(self: Place, command: str, text: str) -> str:
    done = subprocess.run(["git", command], cwd=self.path, input=text.encode(), capture_output=True, check=True)
    return done.stdout.decode().strip()


Place.pipe = _pipe  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Row:
    prepare: Callable[[Place], object]
    command: tuple[str, ...]
    without: tuple[str, ...] = ()
    config: tuple[tuple[str, str], ...] = ()
    data: bytes | None = None


def setting(**settings: str) -> Callable[[Place], None]:
    """`EVIL` stands for a program that leaves a mark."""
    return lambda at: at.set(**{key: value.replace("EVIL", at.program()) for key, value in settings.items()})


REMOTE = ("GIT_ALLOW_PROTOCOL",)
ROWS = {
    "core.hooksPath": Row(hook, ("update-ref", "refs/x", "HEAD")),
    "core.fsmonitor": Row(setting(core__fsmonitor="EVIL"), ("status",)),
    "core.alternateRefsCommand": Row(another, ("rev-list", "--alternate-refs")),
    "sequence.editor": Row(setting(sequence__editor="EVIL"), ("rebase", "-i", "--autostash", "HEAD~1")),
    "commit.gpgSign": Row(
        setting(commit__gpgSign="true", gpg__program="EVIL"), ("commit", "-q", "--allow-empty", "-m", "x")
    ),
    "tag.gpgSign": Row(setting(tag__gpgSign="true", gpg__program="EVIL"), ("tag", "-a", "-m", "x", "t")),
    "log.showSignature": Row(signed, ("log", "-1", "signed")),
    "diff.external": Row(setting(diff__external="EVIL"), ("diff",)),
    "protocol.allow": Row(helper, ("ls-remote", "evil::x"), REMOTE),
    "protocol.ext.allow": Row(
        setting(remote__o__url="ext::EVIL", protocol__ext__allow="always"), ("ls-remote", "o"), REMOTE
    ),
    "core.sshCommand": Row(setting(core__sshCommand="EVIL"), ("ls-remote", "ssh://localhost/x"), REMOTE, ANY_PROTOCOL),
    "GIT_PROXY_COMMAND": Row(setting(core__gitProxy="EVIL"), ("ls-remote", "git://localhost/x"), REMOTE, ANY_PROTOCOL),
    "core.askPass": Row(setting(core__askPass="EVIL"), ("credential", "fill"), data=ASKED),
    "credential.helper": Row(setting(credential__helper="!EVIL"), ("credential", "fill"), data=ASKED),
}


@pytest.mark.parametrize("key", ROWS)
async def test_a_setting_keeps_a_program_of_the_repository_from_running(place, monkeypatch, key):
    row = ROWS[key]
    row.prepare(place)
    place.repo.write({"a.py": "changed\n"})
    monkeypatch.setenv("PATH", f"{place.marks.parent}:{os.environ['PATH']}")
    await place.git(*row.command, without=row.without, config=row.config, data=row.data)
    assert not place.ran


@pytest.mark.parametrize(("name", "key"), [(".g\u200cit", "core.protectHFS"), ("git~1", "core.protectNTFS")])
async def test_a_folder_that_some_systems_take_for_git_is_not_written(place, name, key):
    evil_tree(place, name, key)
    await place.git("read-tree", "--reset", "-u", "refs/evil")
    assert not (place.path / name).exists()


async def test_the_persons_submodules_stay_where_they_are(place):
    at, repo = place.path, place.repo
    repo.git("clone", "-q", ".", "../lib")
    repo.git("submodule", "add", "-q", "../lib", "sub")
    repo.git("commit", "-q", "-m", "one")
    repo.git("commit", "-q", "--allow-empty", "-m", "more", cwd=at / "sub")
    repo.git("commit", "-qam", "two")
    repo.git("config", "submodule.recurse", "true")
    there = repo.git("rev-parse", "HEAD", cwd=at / "sub")
    await place.git("read-tree", "--reset", "-u", "HEAD~1")
    assert repo.git("rev-parse", "HEAD", cwd=at / "sub") == there


async def test_nothing_is_tidied_up_in_the_persons_repository(place):
    place.repo.git("config", "maintenance.commit-graph.enabled", "true")
    place.repo.git("config", "maintenance.commit-graph.auto", "-1")
    place.repo.git("config", "maintenance.autoDetach", "false")
    await place.git("commit", "-q", "--allow-empty", "-m", "x")
    assert not (place.path / ".git/objects/info/commit-graphs").exists()
    assert not (place.path / ".git/objects/info/commit-graph").exists()


async def test_hooks_in_the_configuration_are_off(place, monkeypatch):
    if await check_version() < (2, 55):
        pytest.skip("hooks in the configuration came with git 2.54, switching off an event with 2.55")
    place.set(hook__evil__command=place.program())
    for event in ("reference-transaction", "post-index-change", "pre-commit", "post-commit"):
        place.repo.git("config", "--add", "hook.evil.event", event)
    for command in (("update-ref", "refs/x", "HEAD"), ("read-tree", "HEAD"), ("commit", "-q", "-a", "-m", "x")):
        place.repo.write({"a.py": f"{command}\n"})
        await place.git(*command)
    assert not place.ran


# What is in the environment.


def evil_configuration(at: Place) -> str:
    """A driver that no setting of devloop's names."""
    (at.path / ".gitattributes").write_text("* diff=evil\n")
    at.repo.write({"a.py": "changed\n"})
    return f'[diff "evil"]\n\ttextconv = {at.program()}\n'


async def test_the_persons_home_is_not_read(place, monkeypatch, home):
    (home / ".gitconfig").write_text(evil_configuration(place))
    await place.git("diff", "--no-ext-diff", without=["GIT_CONFIG_GLOBAL"])
    assert not place.ran


async def test_the_global_configuration_is_not_read(place, home):
    (home / ".gitconfig").write_text(evil_configuration(place))
    await place.git("diff", "--no-ext-diff", env={"HOME": str(home)})
    assert not place.ran


async def test_the_systems_configuration_is_not_read(place, tmp_path):
    (tmp_path / "system").write_text(evil_configuration(place))
    await place.git("diff", "--no-ext-diff", env={"GIT_CONFIG_SYSTEM": str(tmp_path / "system")})
    assert not place.ran


async def test_no_editor_is_started(place):
    place.set(core__editor=place.program())
    await place.git("commit", "--allow-empty")
    assert not place.ran


async def test_no_transport_begins(place):
    place.set(remote__o__url=f"ext::{place.program('exit 1')}", protocol__ext__allow="always")
    await place.git("ls-remote", "o", config=(*ANY_PROTOCOL, ("protocol.ext.allow", "always")))
    assert not place.ran


LAZY = {"extensions__partialClone": "o", "core__repositoryformatversion": "1", "remote__o__promisor": "true"}
MISSING = ("cat-file", "-p", "1" * 40)


async def test_a_missing_object_of_a_partial_clone_is_not_fetched(place):
    place.set(**LAZY, remote__o__url=f"ext::{place.program('exit 1')}")
    anything = (*ANY_PROTOCOL, ("protocol.ext.allow", "always"))
    await place.git(*MISSING, without=["GIT_ALLOW_PROTOCOL"], config=anything)
    assert not place.ran, "nothing is asked for"
    await place.git(*MISSING, without=["GIT_NO_LAZY_FETCH"], config=anything)
    assert not place.ran, "and if it were, no transport would begin"


async def test_a_replacement_does_not_stand_in_for_an_object(place):
    blob, commit = place.repo.git("rev-parse", "HEAD:a.py"), place.repo.head
    (place.path / "other").write_text("evil\n")
    place.repo.git("replace", blob, place.repo.git("hash-object", "-w", "other"))
    assert await place.git("cat-file", "blob", f"{commit}:a.py") == "one"


async def test_a_graft_does_not_change_history(place):
    (place.path / ".git/info").mkdir(exist_ok=True)
    (place.path / ".git/info/grafts").write_text(f"{place.repo.head}\n")
    assert len((await place.git("rev-list", "HEAD")).split()) == 2


async def test_reading_writes_no_index(place):
    os.utime(place.path / "a.py")
    index = place.path / ".git/index"
    before = index.stat().st_ino, index.read_bytes()
    await place.git("status")
    assert (index.stat().st_ino, index.read_bytes()) == before


def at_a_terminal(git: Relaxed, *args: str, drop: str = "", data: bytes = b"") -> bytes:
    """What git shows at a terminal of its own, until it ends or asks for something."""
    ours, theirs = pty.openpty()
    path = search_path()
    command = ["setsid", "--ctty", *(word for word in git._command(path, True) if word != drop), *args]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=git._environment(path)) as process:
        os.close(theirs)
        os.write(ours, data)
        said = b""
        with contextlib.suppress(OSError):
            while select.select([ours], [], [], 20)[0] and PROMPT not in said:
                said += os.read(ours, 4096)
        process.terminate()
    os.close(ours)
    return said


@pytest.mark.parametrize("left", ["--no-pager", "GIT_PAGER"])
async def test_no_pager_is_started_at_a_terminal(place, left):
    """Two ways, each enough alone."""
    place.set(core__pager=place.program(), pager__log=place.program())
    git = Relaxed(place.path / ".git", place.path)
    if left == "--no-pager":
        git.without.add("GIT_PAGER")
    at_a_terminal(git, "log", drop="" if left == "--no-pager" else "--no-pager")
    assert not place.ran


async def test_nothing_is_asked_at_a_terminal(place):
    git = Relaxed(place.path / ".git", place.path)
    assert PROMPT not in at_a_terminal(git, "credential", "fill", data=ASKED)


async def test_a_git_in_the_repository_is_not_taken(small, tmp_path, monkeypatch):
    """Also not from a whole path in PATH, as tools that set up a shell for a project put there."""
    mark, tools = tmp_path / "ran", small.path / "tools"
    small.write({"tools/git": f"#!/bin/sh\ntouch '{mark}'\nexec /usr/bin/git \"$@\"\n", "src/x": "x"})
    (tools / "git").chmod(0o755)
    (tmp_path / "link").symlink_to(tools)
    monkeypatch.setenv("PATH", f"{tools}:{tmp_path}/link:{os.environ['PATH']}")
    found = await repositories.Repository.discover(small.path / "src")
    await found.dirty()
    assert not mark.exists()


# What `Repository.git` overrides by name, in the person's checkout.


def driver(kind: str, key: str, value: str = "EVIL") -> Callable[[Place], None]:
    def prepare(at: Place) -> None:
        at.repo.commit({".gitattributes": f"* {kind}=e.v=i\n"}, "attributes")
        at.repo.git("config", f"{kind}.e.v=i.{key}", value.replace("EVIL", at.program()))

    return prepare


def both_sides(at: Place) -> None:
    at.repo.git("checkout", "-q", "-b", "side")
    at.repo.commit({"a.py": "side\n"})
    at.repo.git("checkout", "-q", "main")
    at.repo.commit({"a.py": "main\n"})
    driver("merge", "driver")(at)


NAMED = {
    ("filter", "clean"): (driver("filter", "clean"), ("status",)),
    ("filter", "smudge"): (driver("filter", "smudge"), ("read-tree", "--reset", "-u", "HEAD")),
    ("filter", "process"): (driver("filter", "process"), ("status",)),
    ("diff", "textconv"): (driver("diff", "textconv"), ("diff", "--no-ext-diff")),
    ("diff", "command"): (driver("diff", "command"), ("diff",)),
    ("merge", "driver"): (both_sides, ("merge", "-q", "side")),
}


@pytest.mark.parametrize("which", NAMED, ids=".".join)
async def test_a_driver_of_any_name_does_not_run(place, which):
    prepare, command = NAMED[which]
    prepare(place)
    git = await (await repositories.Repository.discover(place.path)).git()
    place.repo.write({"a.py": "two\n"} if which[0] != "merge" else {})
    await git.run(*command, ok=range(256))
    assert not place.ran


async def test_a_filter_that_is_required_does_not_stop_what_is_done_without_it(place):
    driver("filter", "required", "true")(place)
    git = await (await repositories.Repository.discover(place.path)).git()
    (place.path / "a.py").unlink()
    await git.run("read-tree", "--reset", "-u", "HEAD")
    assert (place.path / "a.py").read_text() == "one\n"


async def test_a_hook_of_the_configuration_does_not_run_by_its_name_either(place):
    if await check_version() < (2, 54):
        pytest.skip("hooks in the configuration came with git 2.54")
    place.set(hook__evil__command=place.program(), hook__evil__event="reference-transaction")
    git = await (await repositories.Repository.discover(place.path)).git()
    named = Git(git.git_dir, git.work_tree, config=(*git.config, ("hook.reference-transaction.enabled", "true")))
    await named.run("update-ref", "refs/x", "HEAD")
    assert not place.ran
