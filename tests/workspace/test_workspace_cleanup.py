"""Preparing after crashes, `.worktreeinclude`, discarded work, released worktrees, sweeping."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devloop.errors import NotFound, UsageError


async def nothing(number):
    """No preparation."""


async def test_preparing_again_after_a_crash_at_any_change(workspace, repeat_at_every_change):
    async def work(number):
        await workspace.prepare(f"r{number}")

    async def check(number):
        worktree = await workspace.prepare(f"r{number}")
        assert (worktree.path / "src/a.py").read_text() == "one\ntwo\nthree\n"
        assert (await workspace.snapshot(f"r{number}", "s")).commit == worktree.base

    assert await repeat_at_every_change(nothing, work, check) > 6


@pytest.mark.slow
async def test_committing_and_accepting_again_after_a_crash_at_any_change(repo, workspace, repeat_at_every_change):
    async def before(number):
        worktree = await workspace.prepare(f"r{number}")
        (worktree.path / f"r{number}.txt").write_text("n")

    async def work(number):
        made = await workspace.commit(f"r{number}", "m", trailers={})
        result = await workspace.accept(f"r{number}", made.id, {".devloop/plan.md": f"- [x] {number}\n".encode()})
        assert not result.moved

    async def check(number):
        pending = await workspace.pending()
        assert len(pending) == number
        assert repo.show(pending[-1], ".devloop/plan.md") == f"- [x] {number}"

    assert await repeat_at_every_change(before, work, check) > 12


async def test_a_worktree_that_vanished_comes_back_with_its_last_snapshot(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    taken = await workspace.snapshot("r1", "s")
    shutil.rmtree(worktree.path)
    again = await workspace.prepare("r1")
    assert (again.path / "n").read_text() == "n"
    assert await workspace.snapshot("r1", "s") == taken


async def test_the_agent_sees_a_plain_git_worktree(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    assert repo.git("status", "--porcelain", cwd=worktree.path) == "?? n"
    assert repo.git("branch", "--show-current", cwd=worktree.path) == "devloop/run/r1"
    made = await workspace.commit("r1", "m", trailers={})
    assert repo.git("status", "--porcelain", cwd=worktree.path) == ""
    assert repo.git("log", "-1", "--format=%H", cwd=worktree.path) == made.id


async def test_uncommitted_files_are_named(repo, workspace):
    repo.write({"src/a.py": "x", "fresh.txt": "f", ".devloop/plan.md": "edited"})
    notices = (await workspace.prepare("r1")).notices
    assert [n.files for n in notices if n.kind == "uncommitted"] == [("src/a.py", "fresh.txt")]


async def test_worktreeinclude_copies_what_it_lists_and_nothing_else(repo, workspace, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("outside")
    repo.commit(
        {
            ".gitignore": "*.env\nlocal/\n.devloop/state/\n",
            ".worktreeinclude": "*.env\nlocal/**\n!local/no*\n.devloop/**\nodd*\n",
        }
    )
    repo.write(
        {
            "a.env": "A",
            "deep/b.env": "B",
            "local/x": "x",
            "local/not": "n",
            "other": "o",
            ".devloop/state/x": "s",
            "odd [name]*": "odd",
            "src/a.py": "dirty",
        }
    )
    (repo.path / "link.env").symlink_to(secret)
    (repo.path / "local" / "big").write_bytes(b"\0" * ((8 << 20) + 1))
    worktree = await workspace.prepare("r1", include=(repo.path / ".worktreeinclude").read_bytes())
    there = {str(p.relative_to(worktree.path)) for p in worktree.path.rglob("*") if p.is_file()}
    assert there - set(repo.files("HEAD")) - {".git"} == {"a.env", "deep/b.env", "local/x", "odd [name]*"}
    named = [n for n in worktree.notices if n.kind == "included"]
    assert [f.split(" (")[0] for f in named[0].files] == ["link.env", "local/big"]
    # `odd…` is not ignored by any .gitignore: it must not become part of the agent's work.
    assert (await workspace.snapshot("r1", "s")).commit == worktree.base
    await workspace.restore("r1", None)
    assert (worktree.path / "odd [name]*").read_text() == "odd"


async def test_only_the_given_text_decides_what_is_brought_in(repo, workspace):
    """The file may have changed since it was trusted: without a text nothing is copied, and the file is not read."""
    repo.commit({".gitignore": "*.env\n", ".worktreeinclude": "*.env\n"})
    repo.write({"a.env": "A", "b.env": "B"})
    assert not list((await workspace.prepare("r1")).path.glob("*.env"))
    chosen = await workspace.prepare("r2", include=b"b.env\n")
    assert [path.name for path in chosen.path.glob("*.env")] == ["b.env"]


async def test_a_folder_counts_as_tracked_when_anything_of_it_is(repo, workspace):
    repo.commit({".Venv/lib/x.pth": "..", "src/[a]": "x"})
    repo.write({"venv/pyvenv.cfg": "", "src/b": "new"})
    tracked = {name: await workspace.is_tracked(Path(name)) for name in (".venv", "venv", "src/[a]", "src/[b]", "*")}
    assert tracked == {".venv": True, "venv": False, "src/[a]": True, "src/[b]": False, "*": False}
    assert await workspace.is_tracked(Path("venv"), Path("src"))


async def test_worktreeinclude_does_not_write_through_a_link_of_the_tree(repo, workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (repo.path / "conf").symlink_to(outside)
    repo.commit({".worktreeinclude": "conf/*\n"})
    (repo.path / "conf").unlink()
    repo.write({"conf/x": "mine"})
    worktree = await workspace.prepare("r1", include=b"conf/*\n")
    assert (worktree.path / "conf").is_symlink() and list(outside.iterdir()) == []


async def test_discarded_work_stays_reachable_for_its_time(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("committed")
    made = await workspace.commit("r1", "m", trailers={})
    (worktree.path / "n").write_text("later")
    kept = await workspace.discard("r1")
    assert kept == repo.ref("refs/devloop/discarded/r1")
    assert repo.show(kept, "n") == "later"
    assert repo.git("merge-base", "--is-ancestor", made.id, kept) == ""
    assert not worktree.path.exists() and repo.ref("refs/heads/devloop/run/r1") == ""
    assert await workspace.discard("r1") == kept, "again is the same"
    repo.git("gc", "-q", "--prune=now")
    now = datetime.now(UTC)
    assert (await workspace.sweep(now + timedelta(days=29))).discarded == ()
    assert repo.show(kept, "n") == "later"
    assert (await workspace.sweep(now + timedelta(days=31))).discarded == ("r1",)
    assert repo.ref("refs/devloop/discarded/r1") == ""


async def test_discarding_nothing_keeps_nothing(repo, workspace):
    await workspace.prepare("r1")
    assert await workspace.discard("r1") is None
    assert repo.git("for-each-ref", "refs/devloop/discarded") == ""


@pytest.mark.slow
async def test_discarding_again_after_a_crash_at_any_change(repo, workspace, repeat_at_every_change):
    async def before(number):
        worktree = await workspace.prepare(f"r{number}")
        (worktree.path / "n").write_text("n")
        await workspace.commit(f"r{number}", "m", trailers={})

    async def work(number):
        await workspace.discard(f"r{number}")

    async def check(number):
        assert repo.show(f"refs/devloop/discarded/r{number}", "n") == "n"
        assert not workspace.path(f"r{number}").exists()
        assert repo.ref(f"refs/devloop/base/r{number}") == repo.ref(f"refs/heads/devloop/run/r{number}") == ""

    assert await repeat_at_every_change(before, work, check) > 8


async def test_releasing_unmerged_work_keeps_its_branch_and_snapshots(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    (worktree.path / "n").write_text("not committed")
    assert await workspace.release("r1") is False
    assert not worktree.path.exists() and repo.ref("refs/heads/devloop/run/r1") == made.id
    again = await workspace.prepare("r1")
    assert (again.path / "n").read_text() == "not committed"


async def test_releasing_merged_or_empty_work_removes_everything(repo, workspace):
    await workspace.prepare("empty")
    assert await workspace.release("empty") is True
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    await workspace.accept("r1", made.id, {".devloop/plan.md": b"ticked\n"})
    assert await workspace.release("r1") is True
    assert await workspace.release("r1") is True
    assert repo.git("for-each-ref", "--format=%(refname)", "refs/heads/devloop/run", "refs/devloop/base") == ""


async def test_a_run_branch_that_the_person_built_on_is_left_alone(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    await workspace.commit("r1", "m", trailers={})
    repo.git("switch", "-q", "devloop/run/r1")
    mine = repo.commit({"mine": "m"})
    repo.git("switch", "-q", "main")
    (worktree.path / "n").write_text("changed")
    made = await workspace.commit("r1", "m", trailers={})
    assert [n.kind for n in made.notices] == ["branch"]
    assert repo.ref("devloop/run/r1") == mine
    await workspace.accept("r1", made.id)
    await workspace.release("r1")
    assert repo.ref("devloop/run/r1") == mine


async def test_a_checkout_with_shut_folders_is_removed(repo, workspace):
    async with workspace.checkout(repo.head) as place:
        (place / "shut/deep").mkdir(parents=True)
        (place / "shut/deep/x").write_text("x")
        (place / "shut").chmod(0)
    assert list(workspace.state.checkouts.iterdir()) == []


async def test_sweeping_removes_orphaned_checkouts_and_no_live_one(repo, workspace):
    orphan = workspace.state.checkouts / "dead-0123"
    (orphan / "x").mkdir(parents=True)
    async with workspace.checkout(repo.head) as live:
        swept = await workspace.sweep(datetime.now(UTC))
        assert swept.checkouts == ("dead-0123",)
        assert (live / "README.md").exists() and not orphan.exists()


async def test_the_plan_branch_follows_the_person_only_when_no_work_is_left_behind(repo, workspace):
    first = await workspace.plan_head()
    second = repo.commit({"x": "x"})
    assert first != second == await workspace.plan_head()
    repo.git("commit", "--amend", "-q", "-m", "amended")
    assert await workspace.plan_head() == repo.head
    repo.git("switch", "-q", "-c", "other", first)
    assert await workspace.plan_head() == first
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    await workspace.accept("r1", made.id)
    repo.git("switch", "-q", "main")
    assert await workspace.plan_head() == made.id
    landed = await workspace.finish_landing(await workspace.plan_landing())
    assert landed.commits and await workspace.plan_head() == repo.head


async def test_an_old_base_survives_the_persons_garbage_collection(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    repo.git("commit", "--amend", "-q", "-m", "amended")
    await workspace.plan_head()
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    made = await workspace.commit("r1", "m", trailers={})
    assert made is not None and repo.git("rev-parse", f"{made.id}^") == worktree.base


@pytest.mark.parametrize("run", ["", "..", "a/b", "a b", "-x", "a..b", "a.lock", "x" * 101, "ü", "a\n"])
async def test_a_run_id_that_could_leave_its_folder_is_refused(workspace, run):
    with pytest.raises(UsageError):
        await workspace.prepare(run)
    with pytest.raises(UsageError):
        workspace.path(run)


@pytest.mark.parametrize("commit", ["HEAD", "--output=x", "main", "abc", ""])
async def test_only_full_object_ids_reach_git(workspace, commit):
    await workspace.prepare("r1")
    for call in (workspace.forecast(commit, commit), workspace.diff(commit, commit), workspace.restore("r1", commit)):
        with pytest.raises(UsageError):
            await call


async def test_an_unknown_run_is_named(workspace):
    with pytest.raises(NotFound, match="nobody"):
        await workspace.snapshot("nobody", "s")


async def test_the_state_directory_is_private(workspace):
    assert workspace.state.path.stat().st_mode & 0o077 == 0
    assert not os.path.lexists(workspace.repository.root / ".devloop/state")
