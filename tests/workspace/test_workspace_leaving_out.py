"""A run's commit without some of its files."""

from __future__ import annotations

import pytest

from devloop.errors import UsageError

LONG = "".join(f"line {n}\n" for n in range(50))


async def made_by(workspace, change, run="r1"):
    """The commit of a run whose worktree `change` has changed."""
    worktree = await workspace.prepare(run)
    change(worktree.path)
    made = await workspace.commit(run, "Do it\n\nAll of it.", trailers={"Devloop-Task": "1.1"})
    assert made is not None
    return worktree, made


@pytest.fixture
async def several(repo, workspace):
    """Changed: src/a.py; removed: src/b.py; added: new.py, deep/er.py; moved: long.txt to moved.txt."""
    repo.commit({"long.txt": LONG, "tool.sh": "#!/bin/sh\n"})

    def change(root):
        (root / "src/a.py").write_text("changed\n")
        (root / "src/b.py").unlink()
        (root / "new.py").write_text("new\n")
        (root / "deep").mkdir()
        (root / "deep/er.py").write_text("deeper\n")
        (root / "long.txt").rename(root / "moved.txt")
        (root / "tool.sh").chmod(0o755)

    return await made_by(workspace, change)


@pytest.mark.parametrize(
    ("left", "gone", "rest"),
    [
        (["src/a.py"], {"src/a.py"}, {"src/b.py", "new.py", "deep/er.py", "long.txt", "moved.txt", "tool.sh"}),
        (
            ["src/b.py", "new.py"],
            {"src/b.py", "new.py"},
            {"src/a.py", "deep/er.py", "long.txt", "moved.txt", "tool.sh"},
        ),
        (
            ["moved.txt", "tool.sh"],
            {"long.txt", "moved.txt", "tool.sh"},
            {"src/a.py", "src/b.py", "new.py", "deep/er.py"},
        ),
        (["long.txt"], {"long.txt", "moved.txt"}, {"src/a.py", "src/b.py", "new.py", "deep/er.py", "tool.sh"}),
    ],
)
async def test_left_out_files_stand_as_in_the_base_and_the_rest_as_the_agent_left_it(
    repo, workspace, several, left, gone, rest
):
    worktree, made = several
    reduced = await workspace.leave_out(made.id, left)
    assert set(reduced.left_out) == gone
    changed = repo.git(
        "--git-dir", str(workspace.state.git), "diff", "--no-renames", "--name-only", worktree.base, reduced.commit
    )
    assert set(changed.splitlines()) == rest
    both = await workspace.diff(made.id, reduced.commit)
    assert {path for file in both.files for path in (file.path, file.old_path) if path} == gone
    assert await workspace.leave_out(made.id, left) == reduced, "the same call gives the same commit"
    assert repo.ref("refs/heads/devloop/run/r1") == made.id and (worktree.path / "new.py").exists()


async def test_the_rest_is_one_commit_that_is_accepted_like_any_other(repo, workspace, several):
    _, made = several
    reduced = await workspace.leave_out(made.id, ["src/a.py"])
    accepted = await workspace.accept("r1", reduced.commit, {".devloop/plan.md": b"- [x] first\n"})
    assert not accepted.moved
    assert repo.git("log", "--format=%s%n%b", "-1", accepted.commit).startswith("Do it\nAll of it.\n")
    assert repo.git("log", "--format=%(trailers:only)", "-1", accepted.commit).strip().endswith("Devloop-Run: r1")
    assert repo.show(accepted.commit, "src/a.py") == "one\ntwo\nthree"
    kept = await workspace.keep("r1")
    assert kept == await workspace.keep("r1") == repo.ref("refs/devloop/discarded/r1")
    assert await workspace.release("r1") is True
    assert repo.show("refs/devloop/discarded/r1", "src/a.py") == "changed"
    assert repo.ref("refs/heads/devloop/run/r1") == ""


@pytest.mark.parametrize(
    ("left", "message"),
    [
        (["README.md"], "The run does not change README.md"),
        (["src"], "does not change src"),
        (["src/"], "does not change src/"),
        (["../x", "src/a.py"], "does not change ../x"),
        (["*.py"], "does not change"),
        (["nowhere\x1b[31m"], "does not change nowhere"),
        ([".devloop/plan.md"], "is the plan: it can't be left out"),
        (["src/a.py", "src/b.py", "new.py", "deep/er.py", "long.txt", "tool.sh"], "leave out everything"),
    ],
)
async def test_what_can_not_be_left_out_is_refused(workspace, several, left, message):
    with pytest.raises(UsageError, match=message):
        await workspace.leave_out(several[1].id, left)


async def test_a_file_in_a_folders_place_is_not_left_out_without_it(repo, workspace):
    repo.commit({"thing": "a file\n"})

    def change(root):
        (root / "thing").unlink()
        (root / "thing").mkdir()
        (root / "thing/one.py").write_text("one\n")
        (root / "other.py").write_text("other\n")

    _, made = await made_by(workspace, change)
    with pytest.raises(UsageError, match="a file takes the place of a folder"):
        await workspace.leave_out(made.id, ["thing"])
    reduced = await workspace.leave_out(made.id, ["thing", "thing/one.py"])
    assert repo.git("--git-dir", str(workspace.state.git), "show", f"{reduced.commit}:thing") == "a file"
    with pytest.raises(UsageError, match="leave out everything"):
        await workspace.leave_out(made.id, ["thing", "thing/one.py", "other.py"])


async def test_a_name_that_is_no_utf_8_is_left_out_as_the_diff_spells_it(repo, workspace):
    def change(root):
        import os

        (root / os.fsdecode(b"caf\xe9.txt")).write_text("x\n")
        (root / "other.py").write_text("other\n")

    worktree, made = await made_by(workspace, change)
    reduced = await workspace.leave_out(made.id, ["caf\\xe9.txt"])
    assert [file.path for file in (await workspace.diff(worktree.base, reduced.commit)).files] == ["other.py"]
