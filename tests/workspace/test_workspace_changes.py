"""What a person changed, as a commit: every kind of change is in it, and nothing of the person's moves."""

from __future__ import annotations

import hashlib
import os
import time

import pytest

from devloop.errors import NotFound, Refused
from devloop.workspace import changes


def everything(repo) -> dict[str, str]:
    """The person's index, HEAD, refs and files, byte for byte (objects and devloop's private refs are no person's)."""
    found = {
        "refs": "\n".join(line for line in repo.git("show-ref", "--head").splitlines() if "refs/devloop" not in line)
    }
    for path in sorted(repo.path.rglob("*")):
        relative = path.relative_to(repo.path).as_posix()
        if path.is_file() and not relative.startswith((".git/objects", ".git/refs", ".git/logs")):
            found[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def told(diff) -> dict[str, str]:
    return {file.path: file.status for file in diff.files}


@pytest.fixture
def dirty(repo):
    repo.commit(
        {
            "long.txt": "".join(f"line {n}\n" for n in range(50)),
            "gone.py": "gone\n",
            "image.bin": b"\0\1\2",
            "both.py": "one\n",
            ".gitignore": "*.log\n",
            "tool.sh": "#!/bin/sh\n",
            "space name.py": "x\n",
            "away.py": "a\n",
        }
    )
    repo.write(
        {"both.py": "two\n", "image.bin": b"\0\1\3", "new/deep.py": "new\n", "noise.log": "x", "staged.py": "s\n"}
    )
    repo.git("add", "both.py", "staged.py")
    repo.git("mv", "long.txt", "moved.txt")
    repo.git("rm", "-q", "gone.py")
    repo.write({"both.py": "three\n", "space name.py": "y\n", ".env": "SECRET=1\n", ".devloop/plan.md": "# Plan: P\n"})
    (repo.path / "away.py").unlink()
    (repo.path / "tool.sh").chmod(0o755)
    (repo.path / "link").symlink_to("both.py")
    return repo


UNSTAGED = {"image.bin": "M", "new/deep.py": "A", "space name.py": "M", "away.py": "D", "tool.sh": "M", "link": "A"}
STAGED = {"both.py": "M", "staged.py": "A", "moved.txt": "R", "gone.py": "D"}


async def test_the_working_tree_is_a_commit_and_nothing_of_the_person_moves(dirty, workspace):
    before = everything(dirty)
    found = await workspace.uncommitted()
    diff = await workspace.diff(found.base, found.commit)
    assert everything(dirty) == before
    assert found.base == dirty.head
    assert told(diff) == UNSTAGED | STAGED
    assert next(file for file in diff.files if file.path == "image.bin").binary
    assert next(file for file in diff.files if file.path == "moved.txt").old_path == "long.txt"
    assert "+three" in diff.patch and "two" not in diff.patch and "SECRET" not in diff.patch
    assert [skipped.path for skipped in found.skipped] == [".env"]
    assert not dirty.ref(found.commit + "^{commit}"), "the objects lie in devloop's own directory"
    again = await workspace.uncommitted()
    assert again.commit == found.commit, "the same files are the same commit"


async def test_the_index_is_a_commit_of_what_is_staged_alone(dirty, workspace):
    before = everything(dirty)
    found = await workspace.staged()
    diff = await workspace.diff(found.base, found.commit)
    assert everything(dirty) == before
    assert told(diff) == STAGED
    assert "+two" in diff.patch and "three" not in diff.patch


async def test_nothing_changed_is_head_itself(repo, workspace):
    for found in (await workspace.uncommitted(), await workspace.staged()):
        assert found.base == found.commit == repo.head
    os.utime(repo.path / "README.md" if (repo.path / "README.md").exists() else next(repo.path.glob("*.*")))
    assert (await workspace.uncommitted()).commit == repo.head, "a new time is no change"


async def test_private_files_stay_as_head_has_them_also_when_they_are_tracked_or_staged(repo, workspace):
    repo.commit({".env": "A=1\n", "k.pem": "old\n", ".env.example": "A=\n"})
    repo.write({".env": "A=hush\n", "k.pem": "hush\n", ".env.example": "A=\nB=\n", "id_rsa": "hush\n"})
    repo.git("add", "-f", ".env", "id_rsa")
    for found in (await workspace.uncommitted(), await workspace.staged()):
        diff = await workspace.diff(found.base, found.commit)
        assert "hush" not in diff.patch
        assert {each.path for each in found.skipped} >= {".env", "id_rsa"}
    assert told(await workspace.diff(*_pair(await workspace.uncommitted()))) == {".env.example": "M"}


async def test_large_files_and_repositories_inside_are_named_and_left_out(repo, workspace, monkeypatch):
    repo.write({"a.txt": "a" * 600, "b.txt": "b" * 600, "c.txt": "c"})
    monkeypatch.setattr(changes, "NEW_BYTES", 1000)
    repo.git("init", "-q", "inner", cwd=repo.path)
    repo.write({"inner/x": "1"})
    found = await workspace.uncommitted()
    names = {each.path: each.reason for each in found.skipped}
    assert names["b.txt"].startswith("more than") and "a.txt" not in names
    assert "inner/" in names
    assert told(await workspace.diff(found.base, found.commit)) == {"a.txt": "A"}


async def test_a_merge_with_conflicts_can_be_looked_at_but_not_its_index(repo, workspace):
    repo.commit({"c.txt": "base\n"})
    repo.git("checkout", "-q", "-b", "side")
    repo.commit({"c.txt": "side\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"c.txt": "main\n"})
    repo.git("merge", "side", check=False)
    before = everything(repo)
    found = await workspace.uncommitted()
    assert "<<<<<<<" in (await workspace.content(found.commit, "c.txt")).text
    with pytest.raises(Refused, match="Conflicts"):
        await workspace.staged()
    assert everything(repo) == before


async def test_line_ends_that_git_converts_are_no_change(repo, workspace):
    repo.commit({".gitattributes": "*.txt text eol=crlf\n", "w.txt": "one\r\ntwo\r\n"})
    (repo.path / "w.txt").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    found = await workspace.uncommitted()
    assert (await workspace.diff(found.base, found.commit)).added == 1


async def test_a_split_index_and_a_sparse_checkout_are_read(repo, workspace):
    repo.commit({"in/a.py": "a\n", "out/b.py": "b\n"})
    repo.git("update-index", "--split-index")
    repo.write({"in/a.py": "changed\n"})
    assert told(await workspace.diff(*_pair(await workspace.uncommitted()))) == {"in/a.py": "M"}
    repo.git("update-index", "--no-split-index")
    repo.git("sparse-checkout", "set", "in")
    assert not (repo.path / "out/b.py").exists()
    before = everything(repo)
    assert told(await workspace.diff(*_pair(await workspace.uncommitted()))) == {"in/a.py": "M"}
    assert everything(repo) == before


async def test_no_program_of_the_repository_runs(repo, workspace, tmp_path):
    mark = tmp_path / "ran"
    repo.commit({".gitattributes": "*.py filter=evil\n"})
    for key in ("clean", "smudge", "process"):
        repo.git("config", f"filter.evil.{key}", f"touch {mark}; cat")
    repo.git("config", "core.fsmonitor", f"touch {mark}")
    repo.write({"src/a.py": "evil = 1\n"})
    found = await workspace.uncommitted()
    assert told(await workspace.diff(found.base, found.commit)) == {"src/a.py": "M"}
    assert not mark.exists()


async def test_commits_are_named_by_number_range_or_hash(repo, workspace):
    first = repo.head
    second, third = repo.commit({"x.py": "1\n"}), repo.commit({"y.py": "2\n"})
    assert await workspace.between("1") == await workspace.between("HEAD") == await workspace.between(f"{second}..")
    assert (await workspace.between("2")).base == first
    ranged = await workspace.between(f"{first}..{second}")
    assert (ranged.base, ranged.commit) == (first, second)
    assert (await workspace.between("HEAD~1..HEAD")).commit == third
    root = repo.git("rev-list", "--max-parents=0", "HEAD")
    assert (await workspace.diff(*_pair(await workspace.between(root)))).files, "the first commit as a whole"
    for wrong in ("nowhere..HEAD", "--output=x", "", "0..1"):
        with pytest.raises(NotFound):
            await workspace.between(wrong)


async def test_a_branch_is_compared_with_where_it_goes_to(repo, workspace):
    start = repo.head
    repo.git("checkout", "-q", "-b", "feature")
    tip = repo.commit({"f.py": "f\n"})
    repo.git("checkout", "-q", "main")
    repo.commit({"m.py": "m\n"})
    with pytest.raises(NotFound, match="no branch to compare"):
        await workspace.branch()
    repo.git("checkout", "-q", "feature")
    assert await workspace.branch() == (changes.Change(start, tip), "main")
    repo.git("branch", "other", start)
    assert (await workspace.branch("other"))[1] == "other"
    repo.git("branch", "-q", "--set-upstream-to=other")
    assert (await workspace.branch())[1] == "other"


async def test_files_are_named_by_path_or_folder_and_private_ones_never(repo, workspace):
    head = repo.commit({"lib/a.py": "a\n", "lib/deep/b.py": "b\n", "lib/.env": "A=1\n"})
    assert await workspace.below(head, ["lib"]) == ("lib/a.py", "lib/deep/b.py")
    assert await workspace.below(head, ["lib/a.py"]) == ("lib/a.py",)
    assert "lib/.env" not in await workspace.below(head, ["."])
    for wrong in ("nowhere", "lib/.env", "a*.py"):
        with pytest.raises(NotFound):
            await workspace.below(head, [wrong])


async def test_a_run_begins_at_such_a_commit_and_leaves_nothing_behind(dirty, workspace):
    refs = dirty.git("for-each-ref")
    before = everything(dirty)
    found = await workspace.uncommitted()
    await workspace.keep_asked(found.commit)
    await workspace.hold("whole", found.commit)
    assert "asked" not in _own_refs(workspace) and "base/whole" in _own_refs(workspace)
    made = await workspace.prepare("part", found.commit)
    assert (made.path / "both.py").read_text() == "three\n" and (made.path / "new/deep.py").is_file()
    assert not (made.path / "gone.py").exists() and not (made.path / ".env").exists()
    assert dirty.ref("refs/devloop/base/part") == dirty.head, "what the commit needs of the repository stays there"
    assert await workspace.release("part") and await workspace.release("whole")
    assert dirty.git("for-each-ref") == refs and not _own_refs(workspace)
    assert everything(dirty) == before


async def test_a_change_that_nobody_began_with_goes_after_some_days(dirty, workspace, monkeypatch):
    from datetime import UTC, datetime

    commit = (await workspace.uncommitted()).commit
    await workspace.keep_asked(commit)
    await workspace.sweep(datetime.now(UTC))
    assert commit in _own_refs(workspace)
    later = time.time() + 3 * 86400
    monkeypatch.setattr(changes.time, "time", lambda: later)
    await workspace.sweep(datetime.now(UTC))
    assert commit not in _own_refs(workspace)


def _pair(change):
    return change.base, change.commit


def _own_refs(workspace) -> str:
    import subprocess

    done = subprocess.run(
        ["git", f"--git-dir={workspace.state.git}", "for-each-ref"], capture_output=True, text=True, check=True
    )
    return done.stdout
