"""A repository whose configuration and attributes try to run programs: nothing runs, from prepare to landing."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devloop.errors import DevloopError, LandingRefused, UsageError
from devloop.workspace import diffs, history, releases, tracking
from devloop.workspace.git import Git
from devloop.workspace.own import OwnGit
from devloop.workspace.safe_remove import remove_tree
from support.git_poison import BEARING, KNOWN_HARMLESS, SETTINGS, marks_of, poison, poison_more


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    place = tmp_path / "marks"
    place.mkdir()
    return place


async def whole_life(workspace, repo) -> None:
    """Every operation of the workspace, with replays on the plan branch and on the person's."""
    for run, text in (("r1", "1"), ("r2", "2")):
        worktree = await workspace.prepare(run, include=b"build/\n")
        attributes = "* filter=f diff=f merge=f\n*.py filter=UPPER\n*.txt filter=a=b\n"
        repo.write({f"{run}.txt": text, "sub/.gitattributes": attributes, "src/a.py": "x\n"}, worktree.path)
        await workspace.snapshot(run, "one")
        repo.write({"src/a.py": f"{'first' * (run == 'r1')}\none\nagent\nthree\r\n"}, worktree.path)
        await workspace.restore(run, (await workspace.snapshot(run, "two")).commit)
    for run in ("r1", "r2"):
        made = await workspace.commit(run, f"m {run}", trailers={"Devloop-Task": "1"})
        base = repo.ref("devloop/plan")
        await workspace.diff(base, made.id)
        await workspace.content(made.id, "src/a.py")
        await workspace.leave_out(made.id, [f"{run}.txt"])
        await workspace.forecast(made.id, repo.head)
        async with workspace.checkout(made.id) as place:
            assert (place / f"{run}.txt").exists()
        tick = {".devloop/plan.md": f"- [x] {run}\n".encode()}
        if run == "r2":
            with contextlib.suppress(LandingRefused):  # both changed the same line
                await workspace.accept(run, made.id, tick)
            made = await workspace.leave_out(made.id, ["src/a.py", "sub/.gitattributes"])
            result = await workspace.accept(run, made.commit, tick)
        else:
            result = await workspace.accept(run, made.id, tick)
        if result.moved:
            result = await workspace.accept(run, result.commit, tick)
        await workspace.own_change(run, result.commit, since=base)
    os.utime(repo.path / "src/b.py")  # makes git look into the file again, through its filter
    await workspace.repository.dirty()
    landed = await workspace.finish_landing(await workspace.plan_landing())
    assert len(landed.commits) == 2
    await questions(workspace, repo)
    await workspace.release("r1")
    worktree = await workspace.prepare("r3")
    repo.write({"r3.txt": "3"}, worktree.path)
    await workspace.discard("r3")
    await workspace.sweep(datetime(2100, 1, 1, tzinfo=UTC))


async def questions(workspace, repo) -> None:
    """What reviews, releases, the work log and the doctor ask."""
    repository, head = workspace.repository, repo.head
    repo.write({"review.txt": "r\n", "src/b.py": "changed\n"})
    found = await workspace.uncommitted()
    await workspace.diff(found.base, found.commit)
    await workspace.keep_asked(found.commit)
    await workspace.hold("whole", found.commit)
    await workspace.staged()
    await workspace.between("2")
    with contextlib.suppress(DevloopError):
        await workspace.branch("HEAD~1")
    await workspace.work_of("r1")
    await workspace.below(head, ["src"])
    await workspace.is_tracked(Path("src/a.py"))
    await history.history(repository, limit=5)
    await history.patch_ids(repository, [head])
    await releases.make_tag(repository, "v1.0.0", head, "one")
    await releases.tags(repository, head)
    await releases.comes_after(repository, head, repo.git("rev-parse", "HEAD~1"))
    await releases.is_shallow(repository)
    await releases.since(repository, head, None)
    await releases.since(repository, head, "v1.0.0")
    await releases.between(repository, repo.git("rev-parse", "HEAD~1"), head)
    await releases.text_at(repository, head, "src/a.py")
    await tracking.tracking(repository, repo.path, ["README.md"], ["build/"])
    await repository.identity()
    repository.busy()
    (repo.path / "src/b.py").write_text("b\n")


async def test_no_program_of_the_repository_runs_in_a_whole_life(repo, open_workspace, marks):
    repo.commit({".gitattributes": "* filter=f diff=f merge=f\n"})
    poison_more(repo, marks)
    poison(repo, marks)
    marks_of(marks)
    workspace = await open_workspace(repo.path)
    await whole_life(workspace, repo)
    assert marks_of(marks) == []
    assert (repo.path / "src/a.py").read_text() == "first\none\nagent\nthree\n"
    assert (repo.path / "src/b.py").read_text() == "b\n", "no replacement stood in for it"


async def test_every_command_bearing_key_that_git_names_is_here(repo):
    """`git help --config` of the git that is installed, and what it had no name for when this was written."""
    listed = repo.git("help", "--config").splitlines()
    bearing = {key for key in listed if BEARING.search(key)}
    assert len(bearing) > 100, "git lists its keys"
    names = re.compile(r"\.(?:evil|lib|origin|run|other|log|ssh|https?://[a-z]+)\.")
    covered = {key.lower() for key in SETTINGS} | {names.sub(".*.", key).lower() for key in SETTINGS}
    covered |= {f"{key.rpartition('.')[0]}.*".lower() for key in SETTINGS}
    unknown = [
        key
        for key in bearing
        if re.sub(r"<[^>]*>|\*", "*", key).lower() not in covered and not KNOWN_HARMLESS.match(key)
    ]
    assert not unknown, "does it name a program? Then it belongs to SETTINGS, else to KNOWN_HARMLESS"


async def test_the_marks_would_appear_without_the_hardening(repo, open_workspace, marks, monkeypatch):
    """The proof that the test above can fail: the same life with git's configuration in force."""
    repo.commit({".gitattributes": "* filter=f diff=f merge=f\n"})
    poison(repo, marks)
    workspace = await open_workspace(repo.path)
    monkeypatch.setattr("devloop.workspace.git.SAFE", ())
    monkeypatch.setattr("devloop.workspace.repository._PROGRAMS", {})
    try:
        await whole_life(workspace, repo)
    except Exception as problem:
        assert problem
    found = {path.name.split("-")[0] for path in marks.iterdir()}
    assert {"hook", "core.fsmonitor", "filter"} <= found


async def test_the_environment_of_git_is_built_from_nothing(repo, open_workspace, marks, monkeypatch, tmp_path):
    other = tmp_path / "elsewhere"
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    evil = marks.parent / "evil"
    evil.write_text(f"#!/bin/sh\ntouch '{marks}/env'\n")
    evil.chmod(0o755)
    for name, value in {
        "GIT_DIR": str(other / ".git"),
        "GIT_WORK_TREE": str(other),
        "GIT_INDEX_FILE": str(other / "index"),
        "GIT_OBJECT_DIRECTORY": str(other / ".git/objects"),
        "GIT_EXTERNAL_DIFF": str(evil),
        "GIT_SSH_COMMAND": str(evil),
        "GIT_EXEC_PATH": str(other),
        "GIT_TRACE": str(marks / "trace"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(evil),
    }.items():
        monkeypatch.setenv(name, value)
    workspace = await open_workspace(repo.path)
    await whole_life(workspace, repo)
    assert list(marks.iterdir()) == []


async def test_a_git_in_a_relative_path_entry_is_not_taken(repo, open_workspace, marks, monkeypatch):
    fake = repo.path / "git"
    fake.write_text(f"#!/bin/sh\ntouch '{marks}/fake'\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    monkeypatch.chdir(repo.path)
    await (await open_workspace(repo.path)).prepare("r1")
    assert list(marks.iterdir()) == []


async def test_an_evil_git_pointer_in_the_worktree_is_not_followed(repo, workspace, marks, tmp_path):
    """It leads to a whole repository, with the objects that are asked for, a monitor and a filter for every file."""
    trap = tmp_path / "trap"
    repo.git("clone", "-q", "--shared", str(repo.path), str(trap))
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch '{marks}/ran'\ncat\n")
    evil.chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge"):
        repo.git("config", key, str(evil), cwd=trap)
    (trap / ".git/info").mkdir(exist_ok=True)
    (trap / ".git/info/attributes").write_text("* filter=evil\n")
    worktree = await workspace.prepare("r1")
    (worktree.path / ".git").write_text(f"gitdir: {trap}/.git\n")
    with contextlib.suppress(DevloopError):
        (worktree.path / "n").write_text("n")
        await workspace.snapshot("r1", "s")
        await workspace.restore("r1", None)
        (worktree.path / "n").write_text("n")
        assert await workspace.commit("r1", "m", trailers={}) is not None
    assert list(marks.iterdir()) == []
    await workspace.prepare("r1")
    assert str(trap) not in (worktree.path / ".git").read_text()


async def test_a_pointer_of_the_agent_is_put_right(workspace, tmp_path):
    """For what the person's own git, or an editor's, would follow."""
    pointer = (await workspace.prepare("r1")).path / ".git"
    wanted = pointer.read_bytes()
    for put in (
        lambda: pointer.write_text("gitdir: /elsewhere\n"),
        lambda: pointer.mkdir(),
        lambda: pointer.symlink_to(tmp_path),
    ):
        remove_tree(pointer)
        put()
        await workspace.prepare("r1")
        assert not pointer.is_symlink() and pointer.read_bytes() == wanted


async def test_a_commit_from_inside_is_not_taken_for_the_runs(repo, workspace):
    """Where nothing keeps an agent from committing: its author and its trailers are not what a person accepts."""
    worktree = await workspace.prepare("r1")
    repo.write({"n": "n"}, worktree.path)
    repo.git("add", "-A", cwd=worktree.path)
    repo.git("commit", "-q", "-m", "x\n\nDevloop-Run: r9", "--author=Evil <e@x.org>", cwd=worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    assert repo.git("log", "-1", "--format=%an%n%B", made.id).split() == ["Some", "Person", "m", "Devloop-Run:", "r1"]
    assert await workspace.commit("r1", "m", trailers={}) == made


async def test_an_option_in_the_place_of_a_commit_writes_no_file(repo, workspace, marks):
    mark = f"--output={marks}/written"
    for call in (
        lambda: workspace.diff(mark, repo.head),
        lambda: workspace.diff(repo.head, mark),
        lambda: releases.since(workspace.repository, mark, None),
        lambda: workspace.between(mark),
        lambda: workspace.branch(mark),
        lambda: workspace.content(mark, "README.md"),
    ):
        with pytest.raises(DevloopError):
            await call()
        assert not any(marks.iterdir())


async def test_an_option_in_the_place_of_a_commit_is_none_to_git_either(repo, workspace, marks, monkeypatch):
    """The line behind the check."""
    monkeypatch.setattr(diffs, "checked_oid", str)
    with pytest.raises(DevloopError):
        await workspace.diff(f"--output={marks}/written", repo.head)
    assert not any(marks.iterdir())


@pytest.mark.parametrize("name", ["--output=x", "-x", "a..b", "a b", "a/.lock", "@{1}", "\0", "a~1"])
async def test_a_plan_branch_that_is_no_branch_is_refused(repo, open_workspace, name):
    with pytest.raises((UsageError, ValueError)):
        await open_workspace(repo.path, plan_branch=name)


async def evil_in_own_directory(workspace, marks: Path) -> Git:
    """devloop's own git directory, as if the repository's drivers were configured there."""
    evil = marks.parent / "evil"
    evil.write_text(f"#!/bin/sh\ntouch '{marks}/ran'\ncat\n")
    evil.chmod(0o755)
    keys = ("filter.e.clean", "filter.e.smudge", "diff.e.textconv", "diff.e.command", "merge.e.driver")
    worktree = await workspace.prepare("r1")
    (worktree.path / ".gitattributes").write_text("* filter=e diff=e merge=e\n")
    git = workspace._own.worktree_git("r1", index=workspace._own.admin("r1") / "index")
    return replace(git, config=tuple((key, str(evil)) for key in keys))


async def test_attributes_of_the_agent_select_nothing_in_our_own_directory(workspace, marks):
    git = await evil_in_own_directory(workspace, marks)
    await git.run("add", "-A")
    (git.work_tree / "src/a.py").unlink()
    await git.run("read-tree", "--reset", "-u", "HEAD")
    (git.work_tree / "src/a.py").write_text("changed\n")
    await replace(git, config=(*git.config, ("diff.external", "cat"))).run("diff", "--no-ext-diff")
    assert not any(marks.iterdir())


async def test_comparing_for_a_release_runs_no_driver(repo, open_workspace, marks, monkeypatch):
    """Also where the drivers were not overridden by name."""
    evil = marks.parent / "evil"
    evil.write_text(f"#!/bin/sh\ntouch '{marks}/ran'\n")
    evil.chmod(0o755)
    repo.commit({".gitattributes": "* diff=e\n", "src/a.py": "changed\n"})
    for key in ("diff.e.command", "diff.e.textconv"):
        repo.git("config", key, str(evil))
    workspace = await open_workspace(repo.path)
    monkeypatch.setattr("devloop.workspace.repository._PROGRAMS", {})
    await releases.since(workspace.repository, repo.head, None)
    await history.patch_id(workspace.repository, repo.head)
    assert not any(marks.iterdir())


async def test_looking_for_changes_asks_no_submodule(repo, workspace, marks):
    poison_more(repo, marks)
    marks_of(marks)
    await workspace.repository.dirty()
    await workspace.uncommitted()
    assert marks_of(marks) == []


async def test_emptying_a_submodules_folder_follows_no_link(repo, open_workspace, make_repo, tmp_path):
    lib = make_repo("lib")
    lib.commit({"l": "l"})
    repo.git("submodule", "add", "-q", str(lib.path), "vendor/lib")
    repo.git("commit", "-q", "-m", "sub")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("p")
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    (worktree.path / "vendor/lib").rmdir()
    (worktree.path / "vendor/lib").symlink_to(outside)
    await workspace.restore("r1", None)
    assert (outside / "precious").exists()


async def test_the_worktrees_git_directory_holds_no_remote_or_token(repo, open_workspace, tmp_path):
    token = "ghp_" + "x" * 36
    repo.git("remote", "add", "origin", f"https://user:{token}@example.org/x.git")
    workspace = await open_workspace(repo.path)
    await workspace.prepare("r1")
    for folder, _, files in os.walk(tmp_path / "state"):
        for name in files:
            assert token.encode() not in (Path(folder) / name).read_bytes(), name


async def test_restore_replaces_a_link_and_does_not_write_through_it(repo, workspace, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.py").write_text("precious")
    worktree = await workspace.prepare("r1")
    (worktree.path / "src/a.py").unlink()
    (worktree.path / "src/b.py").unlink()
    (worktree.path / "src").rmdir()
    (worktree.path / "src").symlink_to(outside)
    taken = await workspace.snapshot("r1", "with a link")
    assert "src" in repo.git("--git-dir", str(tmp_path / "state/git"), "ls-tree", "--name-only", taken.commit)
    await workspace.restore("r1", None)
    assert (outside / "a.py").read_text() == "precious" and len(list(outside.iterdir())) == 1
    assert (worktree.path / "src/a.py").read_text() == "one\ntwo\nthree\n"
    await workspace.restore("r1", taken.commit)
    assert (worktree.path / "src").is_symlink()
    assert (outside / "a.py").read_text() == "precious"


async def test_a_file_behind_a_link_does_not_enter_a_snapshot(repo, workspace, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.py").write_text("the secret")
    worktree = await workspace.prepare("r1")
    for name in ("a.py", "b.py"):
        (worktree.path / "src" / name).unlink()
    (worktree.path / "src").rmdir()
    (worktree.path / "src").symlink_to(secret)
    taken = await workspace.snapshot("r1", "s")
    patch = (await workspace.diff(worktree.base, taken.commit)).patch
    assert "the secret" not in patch


async def test_a_stale_lock_in_our_own_directory_is_removed(repo, workspace):
    worktree = await workspace.prepare("r1")
    own: OwnGit = workspace._own
    lock = own.state.git / "refs/devloop/snapshots/r1.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    lock.touch()
    os.utime(lock, (1, 1))
    (worktree.path / "n").write_text("n")
    assert (await workspace.snapshot("r1", "s")).commit != worktree.base
    assert not lock.exists()


async def test_a_git_that_hangs_is_ended_and_reported(tmp_path, monkeypatch):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR)
    try:
        with pytest.raises(Exception, match="did not finish within"):
            await Git(None).run("hash-object", "--stdin", stdin=reader, timeout=0.2)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
