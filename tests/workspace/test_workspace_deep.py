"""Folders that lie deeper than the kernel's longest path: an agent can make them, so devloop can remove them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.workspace.safe_remove import remove_tree

TOO_DEEP = 1100
"""More than the kernel's 4096 bytes, and than Python calls itself."""
DIG = """
import os, sys
for _ in range(int(sys.argv[1])):
    os.mkdir("deep")
    os.symlink("/etc", "link")
    os.chdir("deep")
open("bottom", "w").close()
"""


def dig(place: Path, depth: int) -> None:
    """Folders in folders, in a process whose own working directory may be that deep."""
    subprocess.run([sys.executable, "-I", "-S", "-c", DIG, str(depth)], cwd=place, check=True)


@pytest.fixture
def place(tmp_path):
    """Removed by a program that can: pytest could not."""
    place = tmp_path / "place"
    place.mkdir()
    yield place
    subprocess.run(["rm", "-rf", str(place)], check=True)


def test_it_is_removed_and_no_link_is_followed(place):
    dig(place, TOO_DEEP)
    remove_tree(place)
    assert not os.path.lexists(place)
    assert Path("/etc/passwd").exists()


async def test_it_is_no_part_of_the_work_and_leaves_with_the_worktree(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "fine").write_text("fine")
    dig(worktree.path, 250)
    made = await workspace.commit("r1", "m", trailers={})
    left_out = {each.path: each.reason for each in made.skipped}
    assert min(map(len, left_out)) > 1024  # whole: what people read is cut once it is clean (`runs/paths_told.py`)
    assert set(left_out.values()) == {"a path of more than 1024 bytes"}
    assert "fine" in repo.git("ls-tree", "-r", "--name-only", made.id)
    await workspace.release("r1")
    assert not worktree.path.exists()
