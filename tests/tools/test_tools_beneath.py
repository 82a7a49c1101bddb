"""What devloop itself reads and writes of a repository: nothing outside, nothing endless, and no pipe is waited for."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop import beginning, beneath, beneath_walk, own_files, trust
from devloop.cli import statusline
from devloop.daemon.archived import Archived
from devloop.daemon.errands import analyze
from devloop.errors import Refused, StorageError
from devloop.openat2 import has_openat2
from devloop.skills.languages import of_project
from devloop.state import context, detecting
from devloop.workspace import include

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("outside\n")
    (tmp_path / "project/.devloop/archive").mkdir(parents=True)
    return tmp_path / "project"


@pytest.fixture(params=["openat2", "by component", "by name"])
def way(request, monkeypatch):
    if request.param == "openat2" and not has_openat2():
        pytest.skip("this kernel has no openat2")
    monkeypatch.setattr(beneath, "has_openat2", lambda: request.param == "openat2")
    monkeypatch.setattr(beneath, "DESCRIPTORS", request.param != "by name")


def at_once(pipe: Path, act: Callable[[], Any]) -> Any:
    """What it answers; whoever waits for the pipe is let go and fails the test."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(act())
        except Exception as problem:
            found.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(5)
    waited = thread.is_alive()
    if waited:
        os.close(os.open(pipe, os.O_RDWR | os.O_NONBLOCK))
        thread.join()
    assert not waited, f"it waited for {pipe.name}"
    return found[0]


def detected(root: Path) -> Any:
    return detecting.detect(root, NOW)


def is_stale(root: Path) -> bool:
    each = SimpleNamespace(path="pipe.toml", sha256="0" * 64)
    return context.stale(root, SimpleNamespace(inputs=(each,)))  # type: ignore[arg-type]


PIPES: list[tuple[str, Callable[[Path], Any]]] = [
    ("package.json", of_project),
    ("package.json", detected),
    ("pyproject.toml", detected),
    ("pipe.toml", is_stale),
    (".devloop/archive/old.md", lambda root: Archived(root).ids()),
    (".gitignore", beginning.ignore),
    (".devloop/plan.md", lambda root: beginning.write_plan(root, "x")),
    (".devloop/plan-state.json", lambda root: statusline._file(f"{root}/.devloop/plan-state.json")),
    (".devloop/x.json", lambda root: own_files.read_text(root, ".devloop/x.json")),
    (".devloop/config.toml", trust.items),
    (".worktreeinclude", trust.items),
    (".devloop/hooks.json", trust.items),
]


@pytest.mark.parametrize(("name", "act"), PIPES, ids=[f"{number}-{name}" for number, (name, _) in enumerate(PIPES)])
def test_no_pipe_of_a_repository_is_waited_for(name: str, act: Callable[[Path], Any], root: Path) -> None:
    os.mkfifo(root / name)
    at_once(root / name, lambda: act(root))


@pytest.mark.usefixtures("way")
def test_links_are_followed_below_the_root_and_nowhere_else(root: Path) -> None:
    (root / "docs").mkdir()
    (root / "docs/real.md").write_text("real")
    links = {
        "near": "docs/real.md",
        "full": str(root / "docs/real.md"),
        "folder": "docs",
        "docs/up": "../docs/real.md",
        "two": "near",
    }
    for name, to in links.items():
        (root / name).symlink_to(to)
    for name in ("near", "full", "folder/real.md", "docs/up", "two"):
        assert beneath.read(root, name, 100) == b"real"
        with pytest.raises(OSError):
            beneath.read(root, name, 100, links=False)
    for name, to in {
        "out": "../outside/file",
        "abs": f"{root.parent}/outside/file",
        "proc": f"/proc/self/root{root.parent}/outside/file",
        "back": f"../outside/../{root.name}/../outside/file",
        "new": "../outside/new",
    }.items():
        (root / name).symlink_to(to)
        with pytest.raises(OSError):
            beneath.read(root, name, 100)
        with pytest.raises(OSError):
            beneath.write(root, name, b"x")
    (root / "self").symlink_to("self")
    with pytest.raises((OSError, RuntimeError)):
        beneath.read(root, "self", 100)
    beneath.write(root, "near", b"changed")
    assert (root / "docs/real.md").read_text() == "changed" and (root / "near").is_symlink()
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["file"]
    assert (root.parent / "outside/file").read_text() == "outside\n"


def test_what_becomes_a_link_just_after_it_was_looked_at_is_not_followed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "file").symlink_to(root.parent / "outside/file")
    (root / "folder").symlink_to(root.parent / "outside")
    monkeypatch.setattr(beneath, "has_openat2", lambda: False)
    monkeypatch.setattr(beneath_walk, "_link_target", lambda *_: None)  # it was none, then
    for name in ("file", "folder/file"):
        with pytest.raises(OSError):
            beneath.read(root, name, 100)
    with pytest.raises(OSError):
        beneath.write(root, "folder/new", b"x")
    with pytest.raises(OSError):
        beneath.entries(root, "folder")
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["file"]


@pytest.mark.usefixtures("way")
def test_what_is_too_large_is_not_read_and_what_is_there_is_not_overwritten_as_new(root: Path) -> None:
    (root / "big").write_bytes(b"x" * 101)
    with pytest.raises(beneath.TooLarge):
        beneath.read(root, "big", 100)
    assert beneath.head(root, "big", 10) == b"x" * 10
    with pytest.raises(FileExistsError):
        beneath.write(root, "big", b"", new=True)
    beneath.write(root, "deep/er/new", b"n", new=True)
    assert (root / "deep/er/new").read_bytes() == b"n"
    assert [each.name for each in (root / "deep/er").iterdir()] == ["new"]
    beneath.remove(root, "deep/er/new")
    assert not (root / "deep/er/new").exists()


ACTS: dict[str, Callable[[Path, str], Any]] = {
    "read": lambda root, path: beneath.read(root, path, 100),
    "entries": beneath.entries,
    "write": lambda root, path: beneath.write(root, path, b"x"),
    "write new": lambda root, path: beneath.write(root, path, b"x", new=True),
    "remove": beneath.remove,
}
NO_PATHS = {
    "a zero": "a\0b",
    "half a character": "a/\ud800",
    "thousands of folders": "a/" * 2000 + "file",
    "more than a path can have": "a/" * 2500 + "file",
    "a long name": "x" * 256,
    "the root": "",
    "above": "..",
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("path", NO_PATHS.values(), ids=NO_PATHS)
def test_what_can_be_no_path_of_a_file_is_an_error_of_the_system_and_leaves_nothing(
    path: str, act: Callable[[Path, str], Any], root: Path
) -> None:
    before = sorted(str(each) for each in root.parent.rglob("*"))
    with pytest.raises(OSError) if path or act is not beneath.entries else contextlib.nullcontext():
        act(root, path)
    assert sorted(str(each) for each in root.parent.rglob("*")) == before


def test_what_a_person_names_is_an_error_of_the_system_when_no_file_can_have_that_name(root: Path) -> None:
    for name in ("a\0b", "\ud800", "x" * 256):
        with pytest.raises(OSError):
            beneath.read_anywhere(root / name, 100)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_thousand_links_to_links_are_an_error_of_the_system(act: Callable[[Path, str], Any], root: Path) -> None:
    (root / "0").mkdir()
    for number in range(1, 1_200):
        (root / f"{number}").symlink_to(f"{number - 1}")
    with pytest.raises(OSError) as told:
        act(root, "1199/file")
    assert told.value.errno in (errno.ELOOP, errno.ENOENT)
    assert not list((root / "0").iterdir())


@pytest.mark.usefixtures("way")
def test_behind_a_link_to_itself_nothing_outside_is_reached(root: Path) -> None:
    """What a link to itself leads to is nowhere, so `..` after it is nowhere too, and not the folder it lies in."""
    (root / "loop").symlink_to("loop")
    (root / "out").symlink_to("../outside")
    (root / "way").symlink_to("loop/../out")
    (root / "file").symlink_to("loop/../out/file")
    for path in ("file", "way/file"):
        for name, act in ACTS.items():
            if name != "remove":
                with pytest.raises(OSError):
                    act(root, path)
    with pytest.raises(OSError):
        beneath.remove(root, "way/file")
    assert (root.parent / "outside/file").read_text() == "outside\n"


@pytest.mark.usefixtures("way")
def test_steps_back_are_taken_before_links_are_followed(root: Path) -> None:
    """`a/../b` is `b`, wherever `a` leads."""
    (root.parent / "outside/in").mkdir()
    (root / "a").symlink_to("../outside/in")
    (root / "file").write_text("own")
    assert beneath.read(root, "a/../file", 100) == b"own"
    beneath.remove(root, "a/../file")
    assert not (root / "file").exists() and (root.parent / "outside/file").exists()


@pytest.mark.usefixtures("way")
def test_a_link_that_leads_nowhere_yet_is_written_at_its_end_and_is_no_new_file(root: Path) -> None:
    (root / "link").symlink_to("there")
    with pytest.raises(FileExistsError):
        beneath.write(root, "link", b"x", new=True)
    assert not (root / "there").exists()
    beneath.write(root, "link", b"x")
    assert (root / "there").read_text() == "x" and (root / "link").is_symlink()


@pytest.mark.usefixtures("way")
def test_a_folder_is_listed_with_its_links(root: Path) -> None:
    (root / "folder").mkdir()
    (root / "folder/file").touch()
    (root / "folder/out").symlink_to("../../outside")
    (root / "again").symlink_to("folder")
    for name in ("folder", "again"):
        found = {each: stat.S_IFMT(mode) for each, mode in beneath.entries(root, name)}
        assert found == {"file": stat.S_IFREG, "out": stat.S_IFLNK}
    for name, links in (("again", False), ("folder/out", True), ("folder/file", True)):
        with pytest.raises(OSError):
            beneath.entries(root, name, links=links)


def test_the_mode_stays_without_setuid_and_the_owner_of_nothing_else_changes(root: Path) -> None:
    (root / "run.sh").write_text("x")
    (root / "run.sh").chmod(0o4750)
    beneath.write(root, "run.sh", b"y")
    assert stat.S_IMODE((root / "run.sh").stat().st_mode) == 0o750
    os.link(root.parent / "outside/file", root / "twin")
    beneath.write(root, "twin", b"y")
    assert (root.parent / "outside/file").read_text() == "outside\n", "the other name keeps its content"


def test_a_state_file_says_in_a_sentence_why_it_is_not_read(root: Path) -> None:
    (root / "out").symlink_to(root.parent / "outside/file")
    (root / "loop").symlink_to("loop")
    for name, kind, told in (
        ("out", Refused, "leads outside"),
        ("../outside/file", Refused, "leads outside"),
        ("/etc/passwd", Refused, "leads outside"),
        ("loop", StorageError, "leads to itself"),
        (".devloop", Refused, "is no file"),
    ):
        with pytest.raises(kind, match=told):
            own_files.read_text(root, name)
        with pytest.raises(kind, match=told):
            own_files.write(root, name, b"x")
    assert own_files.read_text(root, "absent") is None and own_files.read_text(root, "a/b") is None


def test_no_report_is_written_through_a_link(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / analyze.REPORTS).mkdir(parents=True)
    (root / analyze.REPORTS / "refactoring.md").symlink_to(root.parent / "outside/new")
    (root / analyze.REPORTS / "refactoring-a.md").symlink_to(root.parent / "outside/file")
    monkeypatch.setattr(analyze.analysis, "report", lambda *_: "report\n")
    monkeypatch.setattr(analyze, "_found", lambda _: None)
    for area in ("", "a"):
        accepted = SimpleNamespace(given={"area": area}, data={}, title="t")
        with pytest.raises(Refused, match="leads outside"):
            analyze.write_report(SimpleNamespace(root=root), accepted)  # type: ignore[arg-type]
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["file"]
    assert (root.parent / "outside/file").read_text() == "outside\n"


def test_what_is_done_is_not_told_by_files_outside(root: Path) -> None:
    (root.parent / "outside/plan.md").write_text("## Phase 1: X\n\n- [x] Task 1.1: Done\n")
    (root / ".devloop/archive/away.md").symlink_to(root.parent / "outside/plan.md")
    assert Archived(root).ids() == frozenset()
    (root / ".devloop/archive/here.md").write_text("## Phase 2: X\n\n- [x] Task 2.1: Done\n")
    assert "2.1" in Archived(root).ids() and "1.1" not in Archived(root).ids()


@pytest.mark.parametrize("path", ["/dev/zero", "../outside/file", "link"])
def test_a_list_of_inputs_names_nothing_outside(path: str, root: Path) -> None:
    """`context.json` is the repository's; what it names is compared, never read without an end."""
    import hashlib

    (root / "link").symlink_to(root.parent / "outside/file")
    each = SimpleNamespace(path=path, sha256=hashlib.sha256(b"outside\n").hexdigest())
    if path == "/dev/zero":
        with pytest.raises(beneath.Outside):
            beneath.read(root, path, 100)
    assert context.stale(root, SimpleNamespace(inputs=(each,)))  # type: ignore[arg-type]


def test_private_files_are_copied_from_no_link_and_through_none(root: Path, tmp_path: Path) -> None:
    worktree = tmp_path / "worktree"
    worktree.mkdir()
    (root / "secret.env").symlink_to(root.parent / "outside/file")
    (root / "dir").mkdir()
    (root / "dir/a.env").write_text("mine")
    (worktree / "dir").symlink_to(root.parent / "outside")
    for name in ("secret.env", "dir/a.env"):  # as if they had become links after they were looked at
        with pytest.raises(OSError):
            include._copy(root, worktree, name)
    (worktree / "dir").unlink()
    assert include._copy(root, worktree, "dir/a.env") == 4
    assert (worktree / "dir/a.env").read_text() == "mine"
    assert [each.name for each in (root.parent / "outside").iterdir()] == ["file"]
