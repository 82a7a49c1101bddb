"""The way of one task through git: prepare, snapshot, restore, commit, checkout, diff, accept, land."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import pytest

from devloop.errors import LandingRefused, UsageError
from devloop.workspace import Workspace

PLAN = ".devloop/plan.md"


async def run_task(workspace: Workspace, run: str, files: dict[str, str], task: str = "1.1") -> str:
    """One run that writes these files; gives its commit."""
    worktree = await workspace.prepare(run)
    for name, text in files.items():
        (worktree.path / name).parent.mkdir(parents=True, exist_ok=True)
        (worktree.path / name).write_text(text)
    made = await workspace.commit(run, f"Do task {task}", trailers={"Devloop-Task": task})
    assert made is not None
    return made.id


async def test_a_task_goes_from_worktree_to_the_persons_branch(repo, workspace):
    start = repo.head
    worktree = await workspace.prepare("r1")
    assert worktree.base == start
    assert (worktree.path / "src/a.py").read_text() == "one\ntwo\nthree\n"
    (worktree.path / "src/new.py").write_text("new\n")
    (worktree.path / "src/b.py").unlink()
    made = await workspace.commit("r1", "Add new\n\nBecause.", trailers={"Devloop-Task": "1.1"})
    assert made is not None
    assert repo.git("rev-parse", f"{made.id}^") == start
    assert repo.ref("refs/heads/devloop/run/r1") == made.id
    body = repo.git("log", "-1", "--format=%an <%ae>%n%B", made.id)
    assert body.startswith("Some Person <person@example.org>\nAdd new\n\nBecause.\n\n")
    assert repo.git("log", "-1", "--format=%(trailers:only)", made.id).strip() == "Devloop-Task: 1.1\nDevloop-Run: r1"

    async with workspace.checkout(made.id) as place:
        names = sorted(str(p.relative_to(place)) for p in place.rglob("*") if p.is_file())
        assert names == sorted(repo.files(made.id))
    assert not place.exists()

    ticked = b"- [x] first\n- [ ] second\n"
    accepted = await workspace.accept("r1", made.id, {PLAN: ticked})
    assert not accepted.moved
    assert repo.ref("devloop/plan") == accepted.commit
    assert await workspace.pending() == (accepted.commit,)
    assert repo.head == start

    landing = await workspace.plan_landing()
    assert (landing.old, landing.new, landing.needs_gates) == (start, accepted.commit, False)
    (repo.path / PLAN).write_bytes(ticked)
    landed = await workspace.finish_landing(landing, plan_path=PLAN, plan_bytes=ticked)
    assert landed.new == accepted.commit == repo.head == repo.ref("devloop/plan")
    assert repo.status() == ""
    assert (repo.path / "src/new.py").read_text() == "new\n"
    assert not (repo.path / "src/b.py").exists()
    assert await workspace.pending() == ()
    assert await workspace.release("r1") is True
    assert not worktree.path.exists()
    assert repo.ref("refs/heads/devloop/run/r1") == ""


async def test_preparing_twice_keeps_the_worktree_and_its_changes(repo, workspace):
    first = await workspace.prepare("r1")
    (first.path / "src/a.py").write_text("changed\n")
    repo.commit({"later.txt": "x"})
    second = await workspace.prepare("r1")
    assert (second.path, second.base) == (first.path, first.base)
    assert (second.path / "src/a.py").read_text() == "changed\n"


async def test_a_snapshot_holds_untracked_files_but_no_ignored_ones(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({"new.txt": "n", "build/out.bin": "o", "x.log": "l"}, worktree.path)
    taken = await workspace.snapshot("r1", "turn 1")
    diff = await workspace.diff(worktree.base, taken.commit)
    assert [(f.path, f.status) for f in diff.files] == [("new.txt", "A")]


async def test_an_unchanged_worktree_gives_the_same_snapshot(workspace):
    worktree = await workspace.prepare("r1")
    assert (await workspace.snapshot("r1", "nothing")).commit == worktree.base
    (worktree.path / "n").write_text("n")
    first = await workspace.snapshot("r1", "turn 1")
    assert await workspace.snapshot("r1", "turn 2") == first
    (worktree.path / "n").write_text("m")
    assert (await workspace.snapshot("r1", "turn 3")).commit != first.commit


async def test_restore_brings_back_changed_and_deleted_files_and_removes_extra_ones(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({"kept.txt": "k", "src/a.py": "snapshot\n"}, worktree.path)
    taken = await workspace.snapshot("r1", "turn 1")
    repo.write({"extra/deep/x.txt": "x", "src/a.py": "later\n", "build/cache": "c"}, worktree.path)
    (worktree.path / "kept.txt").unlink()
    (worktree.path / "README.md").unlink()
    await workspace.restore("r1", taken.commit)
    assert (worktree.path / "kept.txt").read_text() == "k"
    assert (worktree.path / "src/a.py").read_text() == "snapshot\n"
    assert (worktree.path / "README.md").exists()
    assert not (worktree.path / "extra").exists()
    assert (worktree.path / "build/cache").exists(), "ignored files are not devloop's to remove"
    assert (await workspace.snapshot("r1", "again")).tree == taken.tree
    await workspace.restore("r1", None)
    assert not (worktree.path / "kept.txt").exists()
    assert (worktree.path / "src/a.py").read_text() == "one\ntwo\nthree\n"


async def test_restore_takes_only_snapshots_of_the_same_run(repo, workspace):
    await workspace.prepare("r1")
    other = await workspace.prepare("r2")
    (other.path / "n").write_text("n")
    foreign = await workspace.snapshot("r2", "x")
    with pytest.raises(UsageError):
        await workspace.restore("r1", foreign.commit)


async def test_committing_again_is_the_same_commit_and_a_change_replaces_it(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("1")
    first = await workspace.commit("r1", "m", trailers={})
    assert await workspace.commit("r1", "other words", trailers={}) == first
    (worktree.path / "n").write_text("2")
    second = await workspace.commit("r1", "m", trailers={})
    assert second is not None and first is not None and second.id != first.id
    assert repo.git("rev-list", "--count", f"{worktree.base}..{second.id}") == "1"
    assert repo.ref("refs/heads/devloop/run/r1") == second.id
    (worktree.path / "n").unlink()
    assert await workspace.commit("r1", "m", trailers={}) is None
    assert repo.ref("refs/heads/devloop/run/r1") == ""


async def test_the_plan_and_protected_paths_never_enter_an_agents_commit(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write({PLAN: "- [x] first\n", ".github/w.yml": "evil", "ok.txt": "ok"}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={}, protected=(".github/",))
    assert made is not None
    assert set(made.refused) == {PLAN, ".github/w.yml"}
    assert repo.git("diff", "--name-only", worktree.base, made.id) == "ok.txt"
    (worktree.path / "ok.txt").unlink()
    assert await workspace.commit("r1", "m", trailers={}, protected=(".github/",)) is None


async def test_an_agent_cannot_forge_the_trailers_of_another_run(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("1")
    made = await workspace.commit("r1", "m\n\nDevloop-Run: r9\nCo-authored-by: A <a@b.c>", trailers={})
    assert made is not None
    trailers = repo.git("log", "-1", "--format=%(trailers:only)", made.id).strip().splitlines()
    assert trailers == ["Co-authored-by: A <a@b.c>", "Devloop-Run: r1"]


async def test_two_runs_are_accepted_one_after_the_other_with_a_replay(repo, workspace):
    one = await run_task(workspace, "r1", {"one.txt": "1"})
    worktree = await workspace.prepare("r2")
    (worktree.path / "two.txt").write_text("2")
    two = await workspace.commit("r2", "two", trailers={})
    first = await workspace.accept("r1", one)
    moved = await workspace.accept("r2", two.id)
    assert moved.moved
    assert repo.ref("devloop/plan") == first.commit, "nothing is on the branch before the gates ran again"
    second = await workspace.accept("r2", moved.commit)
    assert not second.moved and second.commit == moved.commit
    assert repo.files(second.commit).count("one.txt") == repo.files(second.commit).count("two.txt") == 1
    assert await workspace.accept("r1", one) == first
    assert (await workspace.accept("r2", two.id)).commit == second.commit
    assert await workspace.pending() == (first.commit, second.commit)


async def test_a_conflicting_run_is_refused_with_its_files_and_changes_nothing(repo, workspace):
    one = await run_task(workspace, "r1", {"src/a.py": "one\nONE\nthree\n"})
    two = await run_task(workspace, "r2", {"src/a.py": "one\nTWO\nthree\n"})
    accepted = await workspace.accept("r1", one)
    with pytest.raises(LandingRefused) as refused:
        await workspace.accept("r2", two)
    assert refused.value.files == ("src/a.py",)
    assert repo.ref("devloop/plan") == accepted.commit


async def test_forecast_says_what_a_replay_would_give(repo, workspace):
    one = await run_task(workspace, "r1", {"src/a.py": "one\nONE\nthree\n"})
    onto = repo.commit({"src/a.py": "one\nother\nthree\n"})
    assert (await workspace.forecast(one, onto)).conflicts == ("src/a.py",)
    onto = repo.commit({"src/a.py": "one\ntwo\nthree\n", "other": "o"})
    clean = await workspace.forecast(one, onto)
    assert clean.commit is not None and clean == await workspace.forecast(one, onto)


async def test_diff_gives_figures_patch_and_its_cut(repo, workspace):
    worktree = await workspace.prepare("r1")
    repo.write(
        {"src/a.py": "one\n2\n3\n4\n", "blob.bin": bytes(range(256)), "long.txt": "line\n" * 5000}, worktree.path
    )
    (worktree.path / "src/b.py").rename(worktree.path / "src/c.py")
    made = await workspace.commit("r1", "m", trailers={})
    diff = await workspace.diff(worktree.base, made.id)
    assert {(f.path, f.status, f.added, f.deleted, f.binary, f.old_path) for f in diff.files} == {
        ("src/a.py", "M", 3, 2, False, None),
        ("blob.bin", "A", 0, 0, True, None),
        ("long.txt", "A", 5000, 0, False, None),
        ("src/c.py", "R", 0, 0, False, "src/b.py"),
    }
    assert (diff.added, diff.deleted, diff.truncated) == (5003, 2, False)
    cut = await workspace.diff(worktree.base, made.id, limit=300)
    assert cut.truncated and len(cut.patch) <= 300 and cut.files == diff.files
    assert cut.patch.endswith("\n") and diff.patch.startswith(cut.patch)


@pytest.mark.parametrize("limit", [None, 0, 300])
async def test_git_may_be_cancelled_at_any_moment(repo, workspace, limit):
    """As a person's *cancel* does: also while the rest of a cut output is on its way, since a pipe has one reader."""
    worktree = await workspace.prepare("r1")
    repo.write({f"many/{number}.txt": "line\n" * 2000 for number in range(40)}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    git, loop = workspace._own.git(), asyncio.get_running_loop()
    ask = functools.partial(git.run, "diff-tree", "-p", "-r", worktree.base, made.id, limit=limit)
    begun = loop.time()
    whole = await ask()
    took = loop.time() - begun
    for part in range(40):
        asked = asyncio.ensure_future(ask())
        await asyncio.sleep(took * part / 40)
        asked.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asked
    assert await ask() == whole


async def test_a_change_is_cut_alike_whether_it_was_read_before_or_not(repo, workspace, open_workspace):
    """What never changes is asked of git once, and each limit counts for itself."""
    worktree = await workspace.prepare("r1")
    repo.write({"many.txt": "line\n" * 200, "src/app.py": "new\n"}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    limits = (0, 300, 1 << 20, 300, 0)
    told = [await workspace.diff(worktree.base, made.id, limit=limit) for limit in limits]
    anew = [await (await open_workspace(repo.path)).diff(worktree.base, made.id, limit=limit) for limit in limits]
    assert told == anew and [each.truncated for each in told] == [True, True, False, True, True]
    assert 0 < len(told[3].patch) <= 300 < len(told[2].patch) and len({each.files for each in told}) == 1
