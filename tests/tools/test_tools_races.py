"""Whoever opens files of a worktree holds against a thread and a process that swap what lies there all the time."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devloop import beneath, trust_bytes
from devloop.openat2 import has_openat2
from devloop.tools.confine import Confined
from devloop.tools.inputs import EditFile, ListFiles, ReadFile, WriteFile
from devloop.tools.model import Problem
from devloop.tools.reading import list_files, read_file
from devloop.tools.writing import edit_file, write_file
from support.fuzz import examples

if sys.platform != "linux":
    pytest.skip("two names are swapped in one step on Linux alone", allow_module_level=True)

VIEW = Path("/home/somebody/project")
ROUNDS = examples(1_000, 10_000)
ENOUGH = 40
SWAPPER = """
import ctypes, os, sys
libc, pairs = ctypes.CDLL(None), [(os.fsencode(a), os.fsencode(b)) for a, b in zip(sys.argv[1::2], sys.argv[2::2])]
print("ready", flush=True)
while os.getppid() == int(os.environ["PARENT"]):
    for one, other in pairs * 50:
        libc.renameat2(-100, one, -100, other, 2)
"""
PAIRS = (("swap", "real"), ("deep/swap", "deep/real"), ("flip", "link"), ("pipe", "plain"))


@pytest.fixture(params=["openat2", "by component"])
def kernel(request, monkeypatch):
    if request.param == "openat2" and not has_openat2():
        pytest.skip("this kernel has no openat2")
    monkeypatch.setattr(beneath, "has_openat2", lambda: request.param == "openat2")
    return request.param == "openat2"


@pytest.fixture
def place() -> Iterator[Path]:
    """A worktree in which folders change places with links that lead out, a file with such a link and with a FIFO. In
    memory where that is possible: the test is about names, and ten thousand times `fsync` about nothing."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        worktree, outside = Path(name, "worktree"), Path(name, "outside")
        outside.mkdir()
        (outside / "file").write_text("outside\n")
        (outside / "secret").touch()
        for folder in (worktree, worktree / "deep"):
            (folder / "real").mkdir(parents=True)
            (folder / "real" / "file").write_text("inside\n")
            (folder / "swap").symlink_to(outside)
        (worktree / "flip").write_text("inside\n")
        (worktree / "link").symlink_to(outside / "file")
        (worktree / "plain").write_text("inside\n")
        os.mkfifo(worktree / "pipe")
        yield worktree


@contextlib.contextmanager
def swapping(worktree: Path) -> Iterator[None]:
    """Half of the pairs by a thread of this process, all of them by another process."""
    stop, libc = threading.Event(), ctypes.CDLL(None)
    mine = [(os.fsencode(worktree / one), os.fsencode(worktree / other)) for one, other in PAIRS[::2]]

    def swap() -> None:
        while not stop.is_set():
            for one, other in mine:
                libc.renameat2(-100, one, -100, other, 2)

    names = [str(worktree / name) for pair in PAIRS for name in pair]
    other = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", SWAPPER, *names],
        stdout=subprocess.PIPE,
        env={**os.environ, "PARENT": str(os.getpid())},
    )
    thread = threading.Thread(target=swap)
    try:
        assert other.stdout is not None and other.stdout.readline() == b"ready\n"
        thread.start()
        yield
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()
        other.kill()
        other.communicate()


def race(worktree: Path, acts: list[Callable[[], str]], refused: type[Exception] | tuple[type[Exception], ...]) -> None:
    """Each act again and again until it was done and was refused often enough; what it answers is never of outside."""
    done, no = [0] * len(acts), [0] * len(acts)
    with swapping(worktree):
        number = 0
        while number < ROUNDS or min(map(sum, zip(done, no, strict=True))) < ENOUGH or not (sum(done) and sum(no)):
            which = number % len(acts)
            number += 1
            try:
                answer = acts[which]()
            except refused:
                no[which] += 1
            else:
                done[which] += 1
                assert "outside" not in answer and "secret" not in answer
    outside = worktree.parent / "outside"
    assert sorted(each.name for each in outside.iterdir()) == ["file", "secret"]
    assert (outside / "file").read_text() == "outside\n"
    assert sorted(each.name for each in worktree.parent.iterdir()) == ["outside", "worktree"]


@pytest.mark.usefixtures("kernel")
def test_no_tool_goes_out_while_folders_and_files_are_swapped_for_links_and_pipes(place, kernel):
    with Confined(place, VIEW, kernel=kernel) as files:

        def listing(path: str) -> str:
            return list_files(ListFiles(pattern="**", path=path), files).content

        acts: list[Callable[[], str]] = []
        for name in ("swap", "deep/swap", "real"):
            target = f"{name}/new/file"
            acts += [
                lambda name=name: write_file(WriteFile(path=f"{name}/file", content="inside\n"), files).content,
                lambda target=target: write_file(WriteFile(path=target, content="inside\n"), files).content,
                lambda name=name: read_file(ReadFile(path=f"{name}/file"), files).content,
                lambda name=name: (
                    edit_file(EditFile(path=f"{name}/file", old_string="inside", new_string="inside "), files).content
                ),
                lambda name=name: listing(name),
            ]
        for name in ("flip", "pipe"):
            acts += [
                lambda name=name: read_file(ReadFile(path=name), files).content,
                lambda name=name: write_file(WriteFile(path=name, content="inside\n"), files).content,
            ]
        acts.append(lambda: listing("."))
        race(place, acts, Problem)


@pytest.mark.parametrize("links", [True, False], ids=["links are followed inside", "no links"])
@pytest.mark.usefixtures("kernel")
def test_nothing_of_the_daemon_goes_out_either(place, links):
    def writing(name: str) -> str:
        beneath.write(place, name, b"inside\n", links=links)
        return ""

    def gone(name: str) -> str:
        beneath.remove(place, name)
        return ""

    def listed(name: str) -> str:
        return " ".join(each for each, _ in beneath.entries(place, name, links=links))

    def trusted() -> str:
        return trust_bytes.read_file(place, "swap/file").decode()

    acts: list[Callable[[], str]] = [trusted]
    for name in ("swap", "deep/swap"):
        acts += [
            lambda name=name: beneath.read(place, f"{name}/file", 100, links=links).decode(),
            lambda name=name: writing(f"{name}/file"),
            lambda name=name: writing(f"{name}/new/file"),
            lambda name=name: gone(f"{name}/new/file"),
            lambda name=name: listed(name),
        ]
    for name in ("flip", "pipe"):
        acts += [
            lambda name=name: beneath.read(place, name, 100, links=links).decode(),
            lambda name=name: writing(name),
        ]
    race(place, acts, (OSError, ValueError))
