"""Worktree → tree → worktree: odd names, modes, line ends, limits, and a property test over random file operations."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import socket
from pathlib import Path

import pytest

from devloop.workspace import Caps

ODD = [
    "with space",
    "line\nend",
    "tab\there",
    "-leading-dash",
    "--output=x",
    os.fsdecode(b"latin-caf\xe9"),
    "quote\"'",
    "back\\slash",
    "*",
    ":(glob)x",
    "ümlaut/ß",
    "trailing ",
    "#hash",
    "!bang",
]


async def test_odd_names_go_there_and_back(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({name: f"content of {name!r}" for name in ODD}, worktree.path)
    taken = await workspace.snapshot("r1", "odd")
    assert len((await workspace.diff(worktree.base, taken.commit)).files) == len(ODD)
    await workspace.restore("r1", None)
    assert not any(os.path.lexists(worktree.path / name) for name in ODD)
    await workspace.restore("r1", taken.commit)
    for name in ODD:
        assert (worktree.path / name).read_text() == f"content of {name!r}"
    made = await workspace.commit("r1", "m", trailers={})
    async with workspace.checkout(made.id) as place:
        assert all((place / name).exists() for name in ODD)
    await workspace.accept("r1", made.id)
    repo.write({"-leading-dash": "mine", os.fsdecode(b"latin-caf\xe9"): "mine"})
    with pytest.raises(Exception) as refused:
        await workspace.finish_landing(await workspace.plan_landing())
    assert refused.value.files == ("-leading-dash", "latin-caf\\xe9")
    for name in refused.value.files:
        (repo.path / os.fsdecode(name.encode().replace(b"\\xe9", b"\xe9"))).unlink()
    await workspace.finish_landing(await workspace.plan_landing())
    assert repo.status() == "" and all((repo.path / name).exists() for name in ODD)


async def test_modes_and_links_are_kept(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({"run.sh": "#!/bin/sh\n"}, worktree.path)
    (worktree.path / "run.sh").chmod(0o755)
    (worktree.path / "dangling").symlink_to("/does/not/exist")
    (worktree.path / "folder-link").symlink_to("src")
    (worktree.path / "README.md").unlink()
    (worktree.path / "README.md").symlink_to("src/a.py")
    made = await workspace.commit("r1", "m", trailers={})
    listed = repo.git("ls-tree", "-r", made.id).splitlines()
    assert {line.split("\t")[1]: line.split()[0] for line in listed if not line.startswith("100644")} == {
        "run.sh": "100755",
        "dangling": "120000",
        "folder-link": "120000",
        "README.md": "120000",
    }
    await workspace.restore("r1", None)
    assert not (worktree.path / "README.md").is_symlink() and not os.path.lexists(worktree.path / "dangling")
    async with workspace.checkout(made.id) as place:
        assert os.access(place / "run.sh", os.X_OK) and os.readlink(place / "folder-link") == "src"
    await workspace.accept("r1", made.id)
    await workspace.finish_landing(await workspace.plan_landing())
    assert repo.status() == "" and (repo.path / "README.md").is_symlink()


async def test_line_ends_are_bytes_in_worktrees_snapshots_and_checkouts(repo, open_workspace):
    """`eol=crlf` and core.autocrlf concern the person's checkout only; devloop's own files equal the blobs."""
    repo.git("config", "core.autocrlf", "true")
    repo.write({".gitattributes": "*.txt text eol=crlf\n*.ps1 text eol=crlf\n*.id ident\n"})
    repo.commit({"dos.txt": b"a\r\nb\r\n", "x.ps1": b"a\n", "mixed": b"a\r\nb\n", "v.id": b"$Id$\n"})
    blob = repo.git("cat-file", "-p", "HEAD:dos.txt")
    assert "\r" not in blob
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    assert (worktree.path / "dos.txt").read_bytes() == b"a\nb\n"
    assert (worktree.path / "v.id").read_bytes() == b"$Id$\n"
    assert (await workspace.snapshot("r1", "s")).commit == worktree.base
    (worktree.path / "new.txt").write_bytes(b"n\n")
    (worktree.path / "dos.txt").write_bytes(b"a\nchanged\n")
    made = await workspace.commit("r1", "m", trailers={})
    async with workspace.checkout(made.id) as place:
        assert (place / "new.txt").read_bytes() == b"n\n"
    await workspace.accept("r1", made.id)
    await workspace.finish_landing(await workspace.plan_landing())
    assert repo.status() == ""
    assert (repo.path / "new.txt").read_bytes() == b"n\r\n", "the person's checkout follows the person's settings"
    assert (repo.path / "dos.txt").read_bytes() == b"a\r\nchanged\r\n"


@pytest.mark.parametrize("autocrlf", ["", "input"])
async def test_a_commit_stores_line_ends_as_the_repository_asks(repo, open_workspace, autocrlf):
    """What git itself would store; checked against `git add` with the same files and settings."""
    if autocrlf:
        repo.git("config", "core.autocrlf", autocrlf)
    repo.write({".gitattributes": "*.txt text\n*.bat eol=crlf\n*.auto text=auto\n*.raw -text eol=crlf\n"})
    repo.git("add", "-A")
    repo.git("-c", "core.autocrlf=false", "commit", "-q", "-m", "attributes")
    (repo.path / ".git/info/attributes").write_text("*.auto -text\nold.auto !text\n")
    repo.write({"old.auto": "a\r\n", "dos.plain": "a\r\n", "dos.txt": "a\n"})
    repo.git("-c", "core.autocrlf=false", "add", "-A")
    (repo.path / ".git/info/attributes").unlink()
    repo.git("commit", "-q", "-m", "files")
    files: dict[str, str | bytes] = {"old.auto": "b\r\n", "dos.plain": "b\r\n", "dos.txt": "b\r\n"}
    files |= {f"new{kind}": "x\r\ny\n" for kind in (".txt", ".bat", ".auto", ".raw", ".plain")}
    files |= {"bin.auto": b"\0\r\n", "lone.txt": "a\rb\r\n"}
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    repo.write(files, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    assert await workspace.commit("r1", "m", trailers={}) == made
    repo.write(files)
    repo.git("add", "-A")
    assert repo.git("write-tree") == made.tree


async def test_files_beyond_the_limits_are_left_out_and_named(repo, open_workspace):
    repo.commit({"tracked.bin": b"small"})
    workspace = await open_workspace(repo.path, caps=Caps(file=1000, new_files=3))
    worktree = await workspace.prepare("r1")
    repo.write({"huge": b"x" * 1001, "tracked.bin": b"y" * 1001, "fits": b"z" * 1000}, worktree.path)
    taken = await workspace.snapshot("r1", "s")
    assert [(s.path, s.reason) for s in taken.skipped] == [
        ("huge", "larger than 1000 bytes"),
        ("tracked.bin", "larger than 1000 bytes"),
    ]
    assert [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files] == ["fits"]
    repo.write({f"n{i}": "n" for i in range(4)}, worktree.path)
    (worktree.path / "tracked.bin").write_bytes(b"tiny")
    taken = await workspace.snapshot("r1", "s")
    assert [s.path for s in taken.skipped] == ["huge", "n2", "n3"]
    assert [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files] == [
        "fits",
        "n0",
        "n1",
        "tracked.bin",
    ]


async def test_a_file_that_grows_or_becomes_ignored_leaves_the_next_snapshot(repo, open_workspace):
    """The tree depends on base and worktree only, not on what an earlier snapshot held."""
    workspace = await open_workspace(repo.path, caps=Caps(file=1000))
    worktree = await workspace.prepare("r1")
    repo.write({"grows": "small", "secret.env": "x", "src/a.py": "changed\n"}, worktree.path)
    await workspace.snapshot("r1", "s")
    repo.write({"grows": "g" * 2000, ".gitignore": "build/\n*.log\n*.env\nsrc/\n"}, worktree.path)
    taken = await workspace.snapshot("r1", "s")
    files = [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files]
    assert files == [".gitignore", "src/a.py"], "a tracked file stays, ignored or not"
    made = await workspace.commit("r1", "m", trailers={})
    assert made.tree == taken.tree


async def test_a_repository_inside_the_worktree_is_named_and_not_followed(repo, workspace):
    worktree = await workspace.prepare("r1")
    for name in ("empty", "filled"):
        (worktree.path / name).mkdir()
        repo.git("init", "-q", cwd=worktree.path / name)
    repo.write({"filled/x": "x", "beside": "b"}, worktree.path)
    repo.git("add", "-A", cwd=worktree.path / "filled")
    repo.git("commit", "-q", "-m", "x", cwd=worktree.path / "filled")
    taken = await workspace.snapshot("r1", "s")
    assert [(s.path, "repository" in s.reason) for s in taken.skipped] == [("empty/", True), ("filled/", True)]
    assert [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files] == ["beside"]
    await workspace.restore("r1", None)
    assert not (worktree.path / "filled").exists()


async def test_a_repository_made_in_a_tracked_folder_hides_nothing(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.git("init", "-q", cwd=worktree.path / "src")
    repo.write({"src/a.py": "changed\n"}, worktree.path)
    taken = await workspace.snapshot("r1", "s")
    assert "src/a.py" in [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files]


async def test_pipes_and_sockets_do_not_break_a_snapshot(repo, workspace, monkeypatch):
    worktree = await workspace.prepare("r1")
    os.mkfifo(worktree.path / "pipe")
    (worktree.path / "README.md").unlink()
    os.mkfifo(worktree.path / "README.md")
    monkeypatch.chdir(worktree.path)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind("sock")
    listening.close()
    taken = await workspace.snapshot("r1", "s")
    assert [s.path for s in taken.skipped] == ["README.md"]
    assert taken.commit == worktree.base
    await workspace.restore("r1", None)
    assert (worktree.path / "README.md").read_text() == "# Project\n"


async def test_reserved_names_are_left_out(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({"a/.GIT/config": "x", "git~1": "x", ".git ": "x", "fine": "f"}, worktree.path)
    taken = await workspace.snapshot("r1", "s")
    assert [f.path for f in (await workspace.diff(worktree.base, taken.commit)).files] == ["fine"]
    assert {s.path for s in taken.skipped} >= {"git~1", ".git "}


async def test_a_scratch_index_keeps_the_time_stamp_of_its_original(workspace, monkeypatch):
    """git tells by it which files may have changed in the same instant ("racy git"); a newer one would hide changes."""
    await workspace.prepare("r1")
    index = workspace._own.admin("r1") / "snapshot.index"
    os.utime(index, ns=(1_000_000_001, 1_000_000_001))
    with workspace._own.scratch_index(index) as scratch:
        assert scratch.stat().st_mtime_ns == 1_000_000_001
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError))
    with workspace._own.scratch_index(index) as scratch:
        assert scratch.stat().st_mtime_ns == 1_000_000_001
    assert index.exists() and not scratch.exists()


async def test_changes_of_equal_size_without_a_pause_are_seen(repo, workspace):
    worktree = await workspace.prepare("r1")
    place = worktree.path / "src/a.py"
    trees = set()
    for round_ in range(10):
        place.write_text(f"round {round_}\n")
        trees.add((await workspace.snapshot("r1", "s")).tree)
    assert len(trees) == 10


async def test_runs_are_snapshotted_side_by_side(repo, workspace):
    runs = [f"r{i}" for i in range(4)]
    for made in await asyncio.gather(*(workspace.prepare(run) for run in runs)):
        repo.write({"n": made.path.name}, made.path)
    taken = await asyncio.gather(*(workspace.snapshot(run, "s") for run in runs))
    assert len({snapshot.tree for snapshot in taken}) == 4


def listing(root: Path) -> dict[str, tuple[str, object]]:
    """What is in a worktree, without folders and without what is ignored."""
    found: dict[str, tuple[str, object]] = {}
    for place in root.rglob("*"):
        name = str(place.relative_to(root))
        if name == ".git" or name.startswith("build"):
            continue
        if place.is_symlink():
            found[name] = ("link", os.readlink(place))
        elif place.is_file():
            found[name] = (
                "x" if os.access(place, os.X_OK) and place.stat().st_mode & 0o100 else "f",
                place.read_bytes(),
            )
    return found


def disturb(root: Path, dice: random.Random) -> None:
    """One random thing that an agent's command might do."""
    names = ["a", "b", "d", "d/e", "d/f", "d/g/h", "src/a.py", "src/b.py", "src", "README.md", "build/x", "ü ß"]
    place = root / dice.choice(names)
    action = dice.choice(["write", "write", "write", "delete", "link", "folder", "mode", "move"])
    if action == "delete" or (action in ("write", "link", "folder") and place.is_symlink()):
        clear(place)
    if any(parent.is_symlink() or parent.is_file() for parent in list(place.parents)[: -len(root.parents) - 1]):
        return
    if action == "write":
        if place.is_dir() and not place.is_symlink():
            clear(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(dice.choice([b"", b"x\n", b"x\r\n", bytes(dice.randrange(256) for _ in range(9))]))
    elif action == "link":
        clear(place)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(dice.choice(["a", "/etc", "../..", "src", "nowhere"]))
    elif action == "folder" and not os.path.lexists(place):
        place.mkdir(parents=True)
    elif action == "mode" and place.is_file() and not place.is_symlink():
        place.chmod(dice.choice([0o755, 0o644]))
    elif action == "move" and os.path.lexists(place):
        target = root / dice.choice(["moved", "d/moved"])
        free = not os.path.lexists(target) and place not in target.parents
        if free and target.parent.is_dir() and not target.parent.is_symlink():
            place.rename(target)


def clear(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif os.path.lexists(place):
        place.unlink()


@pytest.mark.parametrize("seed", range(6))
async def test_restore_gives_back_every_snapshot_after_random_operations(workspace, seed):
    dice = random.Random(seed)
    worktree = await workspace.prepare("r1")
    taken = [(await workspace.snapshot("r1", "base"), listing(worktree.path))]
    for _ in range(7):
        for _ in range(dice.randrange(1, 6)):
            disturb(worktree.path, dice)
        taken.append((await workspace.snapshot("r1", "s"), listing(worktree.path)))
        if dice.random() < 0.6:
            snapshot, files = dice.choice(taken)
            await workspace.restore("r1", snapshot.commit)
            assert listing(worktree.path) == files
            assert (await workspace.snapshot("r1", "again")).tree == snapshot.tree
    for snapshot, files in taken:
        await workspace.restore("r1", snapshot.commit)
        assert listing(worktree.path) == files
