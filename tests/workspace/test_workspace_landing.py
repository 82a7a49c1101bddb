"""Landing: nothing of the person's is ever lost, and every step can be repeated."""

from __future__ import annotations

import os
import random
import subprocess

import pytest

from devloop.errors import LandingRefused, RepositoryUnfit
from devloop.workspace import landing as landings
from support.fuzz import examples

PLAN = ".devloop/plan.md"
TICKED = b"- [x] first\n- [ ] second\n"


async def accepted(workspace, run, files, *, tick=None):
    """One accepted run that writes (or, None, deletes) these files."""
    worktree = await workspace.prepare(run)
    for name, text in files.items():
        place = worktree.path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink() if text is None else place.write_text(text)
    made = await workspace.commit(run, f"Do {run}", trailers={"Devloop-Task": "1"})
    extra = {PLAN: tick} if tick else None
    result = await workspace.accept(run, made.id, extra)
    return result.commit if not result.moved else (await workspace.accept(run, result.commit, extra)).commit


async def land(workspace, **options):
    return await workspace.finish_landing(await workspace.plan_landing(), **options)


async def test_nothing_accepted_lands_nothing(repo, workspace):
    await workspace.plan_head()
    planned = await workspace.plan_landing()
    assert planned.commits == () and planned.old == planned.new == repo.head
    assert (await workspace.finish_landing(planned)).commits == ()


async def test_dirty_files_that_the_landing_does_not_touch_stay_as_they_are(repo, workspace):
    await accepted(workspace, "r1", {"new.txt": "n"})
    repo.write({"src/b.py": "mine\n", "untracked.txt": "u", "staged.txt": "s"})
    repo.git("add", "staged.txt")
    await land(workspace)
    assert (repo.path / "new.txt").read_text() == "n"
    assert sorted(repo.status().splitlines()) == [" M src/b.py", "?? untracked.txt", "A  staged.txt"]
    assert (repo.path / "src/b.py").read_text() == "mine\n"


@pytest.mark.parametrize("how", ["changed", "staged", "staged-then-reverted", "deleted", "type"])
async def test_a_dirty_file_that_the_landing_touches_is_refused_and_named(repo, workspace, how):
    await accepted(workspace, "r1", {"src/a.py": "agent\n", "new.txt": "n"})
    place = repo.path / "src/a.py"
    if how == "deleted":
        place.unlink()
    elif how == "type":
        place.unlink()
        place.symlink_to("b.py")
    else:
        place.write_text("mine\n")
        if how.startswith("staged"):
            repo.git("add", "src/a.py")
        if how == "staged-then-reverted":
            place.write_text("one\ntwo\nthree\n")
    before, head, status = os.path.lexists(place) and place.read_bytes(), repo.head, repo.status()
    with pytest.raises(LandingRefused) as refused:
        await land(workspace)
    assert refused.value.files == ("src/a.py",)
    assert (os.path.lexists(place) and place.read_bytes(), repo.head, repo.status()) == (before, head, status)
    assert not (repo.path / "new.txt").exists()
    assert await workspace.pending() != ()


@pytest.mark.parametrize("name", ["new.txt", "build/new.txt", "src/new"])
async def test_an_untracked_or_ignored_file_in_the_way_is_refused_and_named(repo, workspace, name):
    if name == "build/new.txt":  # the agent's tree holds a file that the person's checkout ignores
        await accepted(workspace, "r1", {".gitignore": "*.log\n", name: "agent"})
    else:
        await accepted(workspace, "r1", {name: "agent"})
    repo.write({name: "mine"})
    with pytest.raises(LandingRefused) as refused:
        await land(workspace)
    assert refused.value.files == (name,)
    assert (repo.path / name).read_text() == "mine"


async def test_a_file_where_the_landing_needs_a_folder_is_refused(repo, workspace):
    await accepted(workspace, "r1", {"lib/x.py": "agent"})
    repo.write({"lib": "mine"})
    with pytest.raises(LandingRefused) as refused:
        await land(workspace)
    assert refused.value.files == ("lib/x.py",)
    assert (repo.path / "lib").read_text() == "mine"


async def test_a_link_where_the_landing_needs_a_folder_is_refused_and_not_followed(repo, workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    await accepted(workspace, "r1", {"lib/x.py": "agent"})
    (repo.path / "lib").symlink_to(outside)
    with pytest.raises(LandingRefused):
        await land(workspace)
    assert list(outside.iterdir()) == []


async def test_a_folder_with_own_files_where_the_landing_needs_a_file_is_refused(repo, workspace):
    await accepted(workspace, "r1", {"thing": "agent"})
    repo.write({"thing/mine.txt": "mine"})
    with pytest.raises(LandingRefused):
        await land(workspace)
    assert (repo.path / "thing/mine.txt").read_text() == "mine"


async def test_a_file_becomes_a_folder_and_back(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "README.md").unlink()
    repo.write({"README.md/index.txt": "i"}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    await workspace.accept("r1", made.id)
    await land(workspace)
    assert (repo.path / "README.md/index.txt").read_text() == "i" and repo.status() == ""
    worktree = await workspace.prepare("r2")
    (worktree.path / "README.md/index.txt").unlink()
    (worktree.path / "README.md").rmdir()
    (worktree.path / "README.md").write_text("file again\n")
    made = await workspace.commit("r2", "m", trailers={})
    await workspace.accept("r2", made.id)
    await land(workspace)
    assert (repo.path / "README.md").read_text() == "file again\n" and repo.status() == ""


async def test_when_the_persons_branch_moved_commits_are_replayed_and_need_gates(repo, workspace):
    await accepted(workspace, "r1", {"one.txt": "1"})
    await accepted(workspace, "r2", {"two.txt": "2"})
    mine = repo.commit({"mine.txt": "m"}, "mine")
    planned = await workspace.plan_landing()
    assert planned.needs_gates and len(planned.commits) == 2
    assert planned == await workspace.plan_landing(), "planning is repeatable"
    landed = await workspace.finish_landing(planned)
    assert repo.git("log", "--format=%s", f"{mine}..HEAD").split("\n") == ["Do r2", "Do r1"]
    assert repo.head == landed.new == repo.ref("devloop/plan") and repo.status() == ""
    assert await workspace.plan_head() == landed.new


async def test_a_commit_that_the_person_took_already_is_not_landed_twice(repo, workspace):
    one = await accepted(workspace, "r1", {"one.txt": "1"})
    await accepted(workspace, "r2", {"two.txt": "2"})
    repo.git("cherry-pick", one)
    repo.git("commit", "--amend", "-q", "-m", "took it")
    landed = await land(workspace)
    assert len(landed.commits) == 1
    assert repo.git("log", "--format=%s", "-2").split("\n") == ["Do r2", "took it"]


async def test_where_the_person_took_all_of_it_no_gate_is_asked_and_nothing_waits(repo, workspace):
    one = await accepted(workspace, "r1", {"one.txt": "1"})
    repo.commit({"mine.txt": "m"}, "mine")
    repo.git("cherry-pick", one)
    planned = await workspace.plan_landing()
    assert planned.commits == () and not planned.needs_gates
    assert (await workspace.finish_landing(planned)).commits == ()
    assert len(await workspace.pending()) == 0 and repo.ref("devloop/plan") == repo.head


async def test_a_conflict_with_the_persons_branch_is_refused_and_changes_nothing(repo, workspace):
    tip = await accepted(workspace, "r1", {"src/a.py": "one\nagent\nthree\n"})
    mine = repo.commit({"src/a.py": "one\nmine\nthree\n"})
    with pytest.raises(LandingRefused) as refused:
        await workspace.plan_landing()
    assert refused.value.files == ("src/a.py",)
    assert (repo.head, repo.ref("devloop/plan"), repo.status()) == (mine, tip, "")


async def test_the_plan_alone_never_conflicts_and_ends_with_the_callers_bytes(repo, workspace):
    await accepted(workspace, "r1", {"one.txt": "1"}, tick=TICKED)
    repo.commit({PLAN: "- [ ] first, better said\n- [ ] second\n"})
    final = b"- [x] first, better said\n- [ ] second\n"
    (repo.path / PLAN).write_bytes(final)
    landed = await land(workspace, plan_path=PLAN, plan_bytes=final)
    assert repo.show(landed.new, PLAN) == final.decode().rstrip("\n")
    assert repo.status() == ""
    assert await workspace.pending() == ()


async def test_the_working_copy_of_the_plan_is_never_written(repo, workspace):
    await accepted(workspace, "r1", {"one.txt": "1"}, tick=TICKED)
    working = TICKED + b"- [ ] a line the person just typed\n"
    (repo.path / PLAN).write_bytes(working)
    landed = await land(workspace, plan_path=PLAN, plan_bytes=TICKED)
    assert (repo.path / PLAN).read_bytes() == working
    assert repo.show(landed.new, PLAN).encode() + b"\n" == TICKED
    assert repo.status().strip() == f"M {PLAN}"


@pytest.mark.parametrize("ignored", [True, False])
async def test_an_untracked_plan_is_never_committed(make_repo, open_workspace, ignored):
    repo = make_repo()
    repo.commit({".gitignore": ".devloop/\n" if ignored else "x\n", "a": "a"})
    repo.write({PLAN: "- [ ] first\n"})
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    result = await workspace.accept("r1", made.id, {PLAN: b"- [x] first\n"})
    assert result.left_out == (PLAN,)
    landed = await land(workspace, plan_path=PLAN, plan_bytes=b"- [x] first\n")
    assert PLAN not in repo.files(landed.new)
    assert (repo.path / PLAN).read_text() == "- [ ] first\n"


async def test_a_detached_head_may_run_but_not_land(repo, workspace):
    repo.git("checkout", "-q", "--detach")
    await accepted(workspace, "r1", {"n": "n"})
    with pytest.raises(LandingRefused) as refused:
        await workspace.plan_landing()
    assert "git switch -c" in refused.value.hint


async def test_landing_names_the_branch_that_is_not_checked_out(repo, workspace):
    await accepted(workspace, "r1", {"n": "n"})
    with pytest.raises(LandingRefused, match="other is not checked out"):
        await workspace.plan_landing("other")
    assert (await workspace.plan_landing("main")).branch == "main"


async def test_the_plan_branch_checked_out_by_the_person_is_not_moved_under_them(repo, workspace):
    worktree = await workspace.prepare("r1")
    (worktree.path / "n").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    repo.git("switch", "-q", "devloop/plan")
    with pytest.raises(LandingRefused, match="checked out"):
        await workspace.accept("r1", made.id)
    with pytest.raises(LandingRefused, match="itself"):
        await workspace.plan_landing()
    assert repo.status() == ""


async def test_a_branch_that_moved_after_planning_is_refused(repo, workspace):
    await accepted(workspace, "r1", {"n": "n"})
    planned = await workspace.plan_landing()
    mine = repo.commit({"mine": "m"})
    with pytest.raises(LandingRefused, match="main moved"):
        await workspace.finish_landing(planned)
    assert repo.head == mine
    assert (await workspace.finish_landing(await workspace.plan_landing())).old == mine


async def test_more_accepted_after_planning_is_refused_and_kept(repo, workspace):
    await accepted(workspace, "r1", {"n": "n"})
    planned = await workspace.plan_landing()
    await accepted(workspace, "r2", {"m": "m"})
    with pytest.raises(LandingRefused, match="devloop/plan moved"):
        await workspace.finish_landing(planned)
    assert len((await land(workspace)).commits) == 2


async def test_an_unfinished_merge_is_refused(repo, workspace):
    await accepted(workspace, "r1", {"n": "n"})
    repo.git("switch", "-q", "-c", "side", "HEAD")
    repo.commit({"src/a.py": "side\n"})
    repo.git("switch", "-q", "main")
    repo.commit({"src/a.py": "main\n"})
    repo.git("merge", "side", check=False)
    status = repo.status()
    with pytest.raises(LandingRefused, match="merge stands unfinished"):
        await land(workspace)
    assert repo.status() == status


async def test_a_locked_index_is_named_and_left_alone(repo, workspace):
    await accepted(workspace, "r1", {"n": "n"})
    lock = repo.path / ".git/index.lock"
    lock.touch()
    with pytest.raises(RepositoryUnfit) as unfit:
        await land(workspace)
    assert str(lock) in unfit.value.hint and lock.exists()
    lock.unlink()
    await land(workspace)
    assert repo.status() == ""


@pytest.mark.slow
async def test_a_landing_that_dies_at_any_change_is_finished_by_repeating_it(repo, workspace, repeat_at_every_change):
    planned, plans = {}, {}

    async def before(number):
        files = {"src/a.py": f"v{number}\n", f"new{number}": "n"}
        files |= {f"new{number - 1}": None} if number > 1 else {}
        await accepted(workspace, f"r{number}", files, tick=f"- [x] {number}\n".encode())
        plans[number] = f"- [x] {number}, final\n".encode()
        (repo.path / PLAN).write_bytes(plans[number])
        planned[number] = await workspace.plan_landing()

    async def work(number):
        return await workspace.finish_landing(planned[number], plan_path=PLAN, plan_bytes=plans[number])

    async def check(number):
        landed = await work(number)
        assert landed.new == repo.head == repo.ref("devloop/plan")
        assert repo.status() == ""
        assert repo.show(landed.new, PLAN).encode() + b"\n" == plans[number]
        assert repo.ref(landings.names.LANDING) == ""

    assert await repeat_at_every_change(before, work, check, step=12) > 10


async def test_a_checkout_that_was_updated_halfway_is_finished(repo, workspace):
    """A machine that died inside `read-tree`: some files are new, the index is old."""
    await accepted(workspace, "r1", {"src/a.py": "agent\n", "new.txt": "n", "src/b.py": None})
    planned = await workspace.plan_landing()
    repo.write({"src/a.py": "agent\n", "new.txt": "n"})
    (repo.path / "src/b.py").unlink()
    landed = await workspace.finish_landing(planned)
    assert landed.new == repo.head and repo.status() == ""


def between(monkeypatch, moment, act):
    """Let `act` happen right before a step of the landing."""
    original = getattr(landings.Steps, moment)

    async def stepping(self):
        act()
        return await original(self)

    monkeypatch.setattr(landings.Steps, moment, stepping)


async def test_a_commit_made_between_looking_and_landing_is_kept(repo, workspace, monkeypatch):
    await accepted(workspace, "r1", {"src/a.py": "agent\n", "new.txt": "n"})
    planned = await workspace.plan_landing()
    mine = []
    between(monkeypatch, "send", lambda: mine.append(repo.commit({"mine": "m"})))
    with pytest.raises(LandingRefused) as refused:
        await workspace.finish_landing(planned)
    assert refused.value.details["stale"]
    assert repo.head == mine[0] and repo.status() == "", "nothing of the landing is in the checkout"
    assert not (repo.path / "new.txt").exists()
    monkeypatch.undo()
    await land(workspace)
    assert repo.git("log", "--format=%s", "-2").split("\n") == ["Do r1", "change"] and repo.status() == ""


async def test_a_branch_that_was_switched_between_looking_and_landing_is_left_alone(repo, workspace, monkeypatch):
    await accepted(workspace, "r1", {"new.txt": "n"})
    planned = await workspace.plan_landing()
    between(monkeypatch, "send", lambda: repo.git("switch", "-q", "-c", "other"))
    with pytest.raises(LandingRefused, match="not on main any more"):
        await workspace.finish_landing(planned)
    assert repo.ref("main") == planned.old and repo.status() == ""


async def test_nobody_commits_or_switches_while_a_landing_changes_files(repo, workspace, monkeypatch):
    """The person's own git waits its turn, as it does for any other git: what is there then is one thing."""
    await accepted(workspace, "r1", {"src/a.py": "agent\n", "new.txt": "n"})
    planned = await workspace.plan_landing()
    repo.write({"mine": "m"})
    repo.git("add", "mine")
    said = []

    def meanwhile():
        said.append(repo.git("commit", "-q", "-m", "mine", check=False))
        said.append(repo.git("switch", "-q", "-c", "other", check=False))
        assert repo.head == planned.old and repo.git("symbolic-ref", "--short", "HEAD") == "main"

    between(monkeypatch, "set_index_and_files", meanwhile)
    landed = await workspace.finish_landing(planned)
    assert len(said) == 2 and repo.head == landed.new
    assert repo.status().split() == ["A", "mine"], "what the person staged is still staged, and the same"
    repo.git("commit", "-q", "-m", "mine")
    assert repo.status() == "" and not list((repo.path / ".git").rglob("*.lock"))


async def test_a_landing_that_is_refused_or_killed_leaves_no_lock(repo, workspace, monkeypatch):
    await accepted(workspace, "r1", {"src/a.py": "agent\n"})
    planned = await workspace.plan_landing()

    async def failing(self):
        raise KeyError("here")

    monkeypatch.setattr(landings.Steps, "set_index_and_files", failing)
    with pytest.raises(KeyError):
        await workspace.finish_landing(planned)
    assert not list((repo.path / ".git").rglob("*.lock"))
    assert repo.head == planned.old


async def test_a_person_who_commits_all_the_time_loses_nothing(repo, workspace):
    """A real git beside it, as fast as it can; landings are planned anew until one fits in between."""
    script = "i=0; while [ ! -e ../stop ]; do i=$((i+1)); echo $i > mine; git add mine && git commit -qm mine-$i; done"
    environment = {"PATH": os.environ["PATH"], "HOME": str(repo.home), "GIT_CONFIG_NOSYSTEM": "1"}
    await accepted(workspace, "r1", {"src/a.py": "agent\n", "new.txt": "n"})
    stop = repo.path.parent / "stop"
    with subprocess.Popen(["sh", "-c", script], cwd=repo.path, env=environment, stderr=subprocess.DEVNULL) as person:
        landed = None
        try:
            for attempt in range(8):
                if attempt == 3:
                    stop.touch()
                    person.wait(30)
                try:
                    landed = await land(workspace)
                    break
                except LandingRefused as problem:
                    assert problem.details.get("stale"), problem
                except RepositoryUnfit as problem:
                    assert "lock" in problem.message or "exists" in problem.message, problem
        finally:
            stop.touch()
    assert landed is not None and repo.ref(f"{landed.new}^{{commit}}")
    made = [line for line in repo.git("reflog", "--format=%gs", "main").split("\n") if line.startswith("commit: mine-")]
    kept = repo.git("log", "--format=%s", "main").split("\n")
    assert len(made) == sum(subject.startswith("mine-") for subject in kept) > 0
    assert "Do r1" in kept and (repo.path / "src/a.py").read_text() == "agent\n"
    repo.git("commit", "-qam", "last", check=False)
    assert repo.status() == "" and repo.show("HEAD", "src/a.py") == "agent"


def situation(repo, dice: random.Random) -> None:
    """One thing that a person does in a checkout."""
    name = dice.choice(["src/a.py", "src/b.py", "README.md", "new.txt", "mine/x", "lib", "build/y", "gone/z"])
    place = repo.path / name
    action = dice.choice(["write", "write", "stage", "delete", "remove", "mode", "link", "move"])
    if any(parent.is_file() or parent.is_symlink() for parent in place.parents):
        return
    if action in ("write", "stage") and not place.is_dir():
        repo.write({name: dice.choice(["mine\n", "agent\n", "", "x\r\n"])})
    if action == "stage":
        repo.git("add", "-f", name, check=False)
    elif action == "delete" and place.is_file():
        place.unlink()
    elif action == "remove":
        repo.git("rm", "-q", "--cached", name, check=False)
    elif action == "mode" and place.is_file():
        place.chmod(0o755)
    elif action == "link" and not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to("README.md")
    elif action == "move" and place.is_file():
        place.rename(place.with_name("moved"))


def checkout_of(repo) -> dict[str, object]:
    found: dict[str, object] = {"index": repo.git("ls-files", "-s", "-z")}
    for path in sorted(repo.path.rglob("*")):
        name = path.relative_to(repo.path).as_posix()
        if not name.startswith(".git/") and (path.is_symlink() or path.is_file()):
            found[name] = os.readlink(path) if path.is_symlink() else (path.read_bytes(), path.stat().st_mode)
    return found


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_a_checkout_looks_like_a_landing_takes_nothing_of_it(repo, workspace, seed):
    """All or nothing: refused, and every byte and index entry is what it was; or done, and what it did not bring is."""
    dice = random.Random(seed)
    await accepted(
        workspace, "r1", {"src/a.py": "agent\n", "new.txt": "agent\n", "lib/x.py": "agent\n", "README.md": None}
    )
    planned = await workspace.plan_landing()
    for _ in range(examples(4, 500)):
        repo.git("reset", "-q", "--hard", planned.old)
        repo.git("clean", "-qfdx")
        repo.git("update-ref", "refs/heads/devloop/plan", planned.plan)
        for _ in range(dice.randrange(1, 4)):
            situation(repo, dice)
        before, head = checkout_of(repo), repo.head
        try:
            landed = await workspace.finish_landing(planned)
        except LandingRefused:
            after = checkout_of(repo)
            assert after == before and repo.head == head
        else:
            after = checkout_of(repo)
            assert repo.head == landed.new
            for name in (before.keys() | after.keys()) - {"index", *planned.files}:
                assert after.get(name) == before.get(name), name
            for name in planned.files:
                old = repo.git("show", f"{planned.old}:{name}", check=False)
                new = repo.git("show", f"{planned.new}:{name}", check=False)
                was = before.get(name)
                assert was is None or was[0].decode().removesuffix("\n") in (old, new), f"{name} was the person's"
