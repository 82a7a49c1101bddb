"""Whatever a path says: the worktree, or an error."""

from __future__ import annotations

import ctypes
import itertools
import os
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from devloop.tools import PROTECTED
from devloop.tools.confine import Confined, has_openat2, split
from devloop.tools.model import Problem
from support.turns import often

VIEW = Path("/home/somebody/project")
BOTH = pytest.mark.parametrize("kernel", [True, False], ids=["openat2", "by component"])
PIECES = st.sampled_from(
    [
        "..",
        ".",
        "",
        "/",
        "a",
        "dir",
        "link",
        "out",
        "file",
        ".git",
        ".GIT",
        "etc",
        "passwd",
        "home",
        "somebody",
        "project",
        "~",
    ]
)
PATHS = st.one_of(
    st.text(max_size=40),
    st.lists(PIECES, max_size=8).map("/".join),
    st.lists(PIECES).map(lambda p: f"{VIEW}/{'/'.join(p)}"),
)


@pytest.fixture(autouse=True)
def needs_kernel(request):
    if "kernel" in request.fixturenames and request.node.callspec.params.get("kernel") and not has_openat2():
        pytest.skip("this kernel has no openat2")


@pytest.fixture
def tree(tmp_path):
    """A worktree with ways out of it, and the `outside` they lead to."""
    worktree, outside = tmp_path / "worktree", tmp_path / "outside"
    (worktree / "dir").mkdir(parents=True)
    (worktree / "dir" / "file").write_text("inside")
    outside.mkdir()
    (outside / "file").write_text("untouched")
    (worktree / "out").symlink_to(outside)
    (worktree / "link").symlink_to(outside / "file")
    (worktree / "near").symlink_to("dir")
    return worktree


def confined(worktree, kernel, **options):
    return Confined(worktree, VIEW, kernel=kernel, **options)


def read(files, path):
    with os.fdopen(files.open_file(files.split(path)), "rb") as stream:
        return stream.read().decode()


@given(PATHS)
@example("\0")
@example("\ud800")
@example("//etc/passwd")
@example(f"{VIEW}/../../../etc/passwd")
@example(f"{VIEW}x/file")
@example("a/" * 3000)
def test_a_path_string_stays_inside_or_is_an_error(path):
    try:
        parts = split(path, VIEW)
    except Problem:
        return
    assert all(part not in ("", ".", "..") and "/" not in part and "\0" not in part for part in parts)
    assert not any(part.casefold().rstrip(". ") == ".git" for part in parts)


@BOTH
@settings(max_examples=often(150), deadline=None)
@given(path=PATHS, writing=st.booleans())
def test_no_path_reads_or_writes_outside(kernel, path, writing):
    with tempfile.TemporaryDirectory() as name:
        worktree, outside = Path(name, "worktree"), Path(name, "outside")
        worktree.mkdir()
        outside.mkdir()
        (outside / "file").write_text("untouched")
        (worktree / "link").symlink_to(outside / "file")
        (worktree / "out").symlink_to(outside)
        (worktree / "dir").mkdir()
        (worktree / "dir" / "link").symlink_to("..")
        (worktree / "file").write_text("inside")
        with confined(worktree, kernel) as files:
            try:
                if writing:
                    files.replace(files.split(path), b"new")
                else:
                    assert read(files, path) == "inside"
            except Problem:
                pass
        assert [p.name for p in outside.iterdir()] == ["file"]
        assert (outside / "file").read_text() == "untouched"
        assert sorted(p.name for p in Path(name).iterdir()) == ["outside", "worktree"]


@BOTH
def test_links_are_refused_with_their_target_named(tree, kernel):
    with confined(tree, kernel) as files:
        for path in ("link", "out/file", "near/file"):
            with pytest.raises(Problem, match=r"symbolic link to .*target's own path"):
                read(files, path)
            with pytest.raises(Problem, match="symbolic link"):
                files.replace(files.split(path), b"x")
        assert read(files, "dir/file") == "inside"
        assert read(files, f"{VIEW}/dir/../dir/./file") == "inside"
    assert (tree.parent / "outside" / "file").read_text() == "untouched"


@BOTH
@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../outside/file", "dir/../../outside/file", "/proc/self/cwd/dir/file", "/"]
)
def test_paths_outside_are_refused(tree, kernel, path):
    with confined(tree, kernel) as files, pytest.raises(Problem, match="outside of the project"):
        read(files, path)


@pytest.mark.parametrize(
    "path",
    [
        *(".git", ".GIT/config", "a/.Git/hooks/x", ".git /config", ".git./config", ".git...", "GIT~1/config"),
        *(".git::$INDEX_ALLOCATION", ".g\u200cit/config", ".git\\config", f"{VIEW}/.git/config"),
    ],
)
def test_git_is_refused_in_every_spelling(path):
    with pytest.raises(Problem, match="belongs to git"):
        split(path, VIEW)


@pytest.mark.parametrize(
    "path", [".gitignore", ".gitattributes", ".github/workflows/x.yml", "git", "src/git.py", "digit~1"]
)
def test_names_that_only_resemble_git_are_fine(path):
    assert split(path, VIEW) == tuple(path.split("/"))


@BOTH
@pytest.mark.parametrize(
    "path",
    [
        ".vscode/tasks.json",
        ".VSCode/tasks.json",
        ".devloop/config.toml",
        ".envrc",
        ".ENVRC",
        "x/../.claude/a",
        ".mcp.json",
        ".vscode./x",
        ".vscode:x/y",
        ".venv/pyvenv.cfg",
        "venv/lib/x.pth",
        ".worktreeinclude",
        ".husky/pre-commit",
        ".githooks/pre-commit",
    ],
)
def test_protected_paths_are_read_but_never_written(tree, kernel, path):
    with confined(tree, kernel, protected=PROTECTED) as files:
        with pytest.raises(Problem, match="is protected"):
            files.replace(files.split(path), b"x")
        assert not any(p.name.lower().startswith((".vscode", ".devloop", ".envrc")) for p in tree.iterdir())
        (tree / ".envrc").write_text("shown")
        assert read(files, ".envrc") == "shown"


@BOTH
def test_a_protected_path_inside_a_folder_leaves_the_rest_writable(tree, kernel):
    with confined(tree, kernel, protected=(".devloop/config.toml", ".devloop/hooks")) as files:
        files.replace((".devloop", "spikes", "a.md"), b"x")
        with pytest.raises(Problem, match="protected"):
            files.replace((".devloop", "hooks", "deep", "x"), b"x")


@BOTH
@pytest.mark.parametrize(
    ("pattern", "path", "refused"),
    [
        ("migrations/", "app/migrations/0001.py", True),
        ("migrations/", "migrations/deep/x.py", True),
        ("migrations/", "app/migrations.py", False),
        ("/docs", "docs/x.md", True),
        ("/docs", "src/docs/x.md", False),
        ("*.lock", "a/b/uv.lock", True),
        ("*.lock", "a/lock", False),
        ("src/**/gen_*.py", "src/a/b/gen_x.py", True),
        ("src/**/gen_*.py", "src/gen_x.py", True),
        ("src/**/gen_*.py", "lib/gen_x.py", False),
        ("Migrations/", "MIGRATIONS/x", True),
        ("{a,b}/c", "b/c/d", True),
    ],
)
def test_read_only_patterns_work_as_in_gitignore(tree, kernel, pattern, path, refused):
    with confined(tree, kernel, readonly=(pattern,)) as files:
        if refused:
            with pytest.raises(Problem, match="read-only in this project"):
                files.replace(files.split(path), b"x")
        else:
            files.replace(files.split(path), b"x")


@BOTH
def test_special_files_are_refused_without_waiting(tree, kernel):
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as listener, confined(tree, kernel) as files:
        folder = os.open(tree, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{folder}/socket")
        finally:
            os.close(folder)
        for name in ("fifo", "socket"):
            with pytest.raises(Problem, match="neither a file nor a folder"):
                read(files, name)
            with pytest.raises(Problem, match="no ordinary file"):
                files.replace((name,), b"x")
        with pytest.raises(Problem, match="is a folder"):
            read(files, "dir")
        with pytest.raises(Problem, match="is a folder"):
            files.replace(("dir",), b"x")
        with pytest.raises(Problem, match="project's folder"):
            files.replace((), b"x")


@BOTH
def test_devices_are_refused(tree, kernel):
    try:
        os.mknod(tree / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only the superuser makes devices")
    with confined(tree, kernel) as files, pytest.raises(Problem, match="neither a file"):
        read(files, "null")


@BOTH
def test_a_file_with_two_names_is_not_written(tree, kernel):
    os.link(tree.parent / "outside" / "file", tree / "twin")
    with confined(tree, kernel) as files, pytest.raises(Problem, match="several hard links"):
        files.replace(("twin",), b"x")
    assert (tree / "twin").read_text() == "untouched"


@BOTH
def test_the_mode_is_kept_without_setuid(tree, kernel):
    path = tree / "dir" / "file"
    path.chmod(0o4751)
    with confined(tree, kernel) as files:
        assert files.replace(("dir", "file"), b"new") is False
        assert files.replace(("new", "folder", "file"), b"x") is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert path.read_bytes() == b"new"
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tree / "new/folder/file").stat().st_mode) == 0o666 & ~umask


@BOTH
def test_a_write_that_fails_leaves_the_file_and_no_temporary(tree, kernel, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with confined(tree, kernel) as files, pytest.raises(Problem, match="No space left"):
        files.replace(("dir", "file"), b"new")
    assert [p.name for p in (tree / "dir").iterdir()] == ["file"]
    assert (tree / "dir" / "file").read_text() == "inside"


@BOTH
def test_odd_names_are_errors_not_crashes(tree, kernel):
    with confined(tree, kernel) as files:
        for path in ("x" * 300, "a/" * 2500, "dir/file/x", "\udcff\udcfe", "missing/x"):
            with pytest.raises(Problem):
                read(files, path)
        with pytest.raises(Problem, match="too long"):
            files.replace(("x" * 300,), b"x")
        with pytest.raises(Problem, match="no folder"):
            files.replace(("dir", "file", "x"), b"x")
        with pytest.raises(Problem, match="Similar: dir/file"):
            read(files, "dir/fil")


@BOTH
def test_no_descriptor_stays_open(tree, kernel):
    before = len(os.listdir("/proc/self/fd"))
    with confined(tree, kernel) as files:
        for path in ("link", "missing/a/b", "dir/file/x", "dir"):
            for action in (lambda p: read(files, p), lambda p: files.replace(files.split(p), b"x")):
                with pytest.raises(Problem):
                    action(path) if path != "missing/a/b" else read(files, path)
        read(files, "dir/file")
        files.replace(("dir", "new"), b"x")
    assert len(os.listdir("/proc/self/fd")) == before


@BOTH
def test_a_folder_that_is_swapped_for_a_link_all_the_time_never_lets_a_write_out(tree, kernel):
    """A thread swaps `swap` between a folder and a link that leads out; no write and no read goes through it."""
    outside = tree.parent / "outside"
    (tree / "real").mkdir()
    (tree / "real" / "file").write_text("inside")
    (tree / "swap").symlink_to(outside)
    stop = threading.Event()
    libc = ctypes.CDLL(None, use_errno=True)
    at_cwd, exchange = -100, 2
    names = os.fsencode(tree / "swap"), os.fsencode(tree / "real")

    def swap() -> None:
        while not stop.is_set():
            libc.renameat2(at_cwd, names[0], at_cwd, names[1], exchange)

    thread = threading.Thread(target=swap)
    thread.start()
    done = refused = 0
    try:
        with confined(tree, kernel) as files:
            for number in itertools.count():  # both happen soon, but on one busy core not within a fixed number
                if number >= 2000 and done and refused:
                    break
                try:
                    if number % 2:
                        files.replace(("swap", "written"), b"x")
                    else:
                        assert read(files, "swap/file") == "inside"
                    done += 1
                except Problem:
                    refused += 1
    finally:
        stop.set()
        thread.join()
    assert [p.name for p in outside.iterdir()] == ["file"]
    assert (outside / "file").read_text() == "untouched"
