"""A repository whose configuration and attributes try to run programs: nothing runs, from prepare to landing."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devloop.workspace.git import Git
from devloop.workspace.own import OwnGit

HOOKS = (
    "applypatch-msg commit-msg fsmonitor-watchman p4-changelist post-applypatch post-checkout post-commit "
    "post-index-change post-merge post-receive post-rewrite post-update pre-applypatch pre-auto-gc pre-commit "
    "pre-merge-commit pre-push pre-rebase pre-receive prepare-commit-msg push-to-checkout reference-transaction "
    "sendemail-validate update"
)


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    place = tmp_path / "marks"
    place.mkdir()
    return place


def poison(repo, marks: Path) -> None:
    """Every command-bearing key known, each leaving a mark of its own when it runs."""
    evil = marks.parent / "evil"

    def program(name: str, then: str = "cat") -> str:
        place = marks.parent / f"evil-{name.replace('/', '_')}"
        place.write_text(f"#!/bin/sh\ntouch '{marks}/{name}'\n{then}\n")
        place.chmod(0o755)
        return str(place)

    git_dir = Path(repo.git("rev-parse", "--absolute-git-dir"))
    (git_dir / "hooks").mkdir(exist_ok=True)
    evil.mkdir()
    for hook in HOOKS.split():
        for folder in (git_dir / "hooks", evil):
            place = folder / hook
            place.write_text(f"#!/bin/sh\ntouch '{marks}/hook-{hook}'\n")
            place.chmod(0o755)
    settings = {
        "core.hooksPath": str(evil),
        "core.fsmonitor": program("fsmonitor", "printf 'x\\0/\\0'"),
        "core.sshCommand": program("ssh"),
        "core.gitProxy": program("proxy"),
        "core.askPass": program("askpass"),
        "core.editor": program("editor"),
        "core.pager": program("pager"),
        "core.alternateRefsCommand": program("alternaterefs"),
        "credential.helper": program("credential"),
        "gpg.program": program("gpg"),
        "commit.gpgSign": "true",
        "log.showSignature": "true",
        "diff.external": program("diff-external"),
        "sequence.editor": program("sequence"),
        "alias.status": "!" + program("alias-status"),
        "alias.update-index": "!" + program("alias-update-index"),
        "alias.read-tree": "!" + program("alias-read-tree"),
        "url.ext::/bin/false.insteadOf": "/",
        "protocol.ext.allow": "always",
        "uploadpack.packObjectsHook": program("packobjects"),
        "hook.evil.command": program("config-hook"),
        "hook.evil.event": "reference-transaction",
        "submodule.recurse": "true",
        "remote.origin.url": "ext::" + program("remote"),
        "remote.origin.promisor": "true",
        "remote.origin.uploadpack": program("uploadpack"),
    }
    for name in ("f", "a=b", 'we ird"', "UPPER", "lfs.x"):
        for key in ("clean", "smudge", "process"):
            settings[f"filter.{name}.{key}"] = program(f"filter-{key}-{abs(hash(name))}")
        settings[f"filter.{name}.required"] = "true"
        settings[f"diff.{name}.textconv"] = program("textconv")
        settings[f"diff.{name}.command"] = program("diff-command")
        settings[f"merge.{name}.driver"] = program("merge-driver")
    for key, value in settings.items():
        repo.git("config", key, value)
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info/attributes").write_text("* filter=f diff=f merge=f\n")


async def whole_life(workspace, repo) -> None:
    """Every operation of the workspace, with replays on the plan branch and on the person's."""
    for run, text in (("r1", "1"), ("r2", "2")):
        worktree = await workspace.prepare(run)
        attributes = "* filter=f diff=f merge=f\n*.py filter=UPPER\n*.txt filter=a=b\n"
        repo.write({f"{run}.txt": text, "sub/.gitattributes": attributes, "src/a.py": "x\n"}, worktree.path)
        await workspace.snapshot(run, "one")
        repo.write({"src/a.py": "one\nagent\nthree\n"}, worktree.path)
        await workspace.restore(run, (await workspace.snapshot(run, "two")).commit)
    for run in ("r1", "r2"):
        made = await workspace.commit(run, f"m {run}", trailers={"Devloop-Task": "1"})
        await workspace.diff(repo.ref("devloop/plan"), made.id)
        async with workspace.checkout(made.id) as place:
            assert (place / f"{run}.txt").exists()
        tick = {".devloop/plan.md": f"- [x] {run}\n".encode()}
        result = await workspace.accept(run, made.id, tick)
        if result.moved:
            result = await workspace.accept(run, result.commit, tick)
    os.utime(repo.path / "src/b.py")  # makes git look into the file again, through its filter
    await workspace.repository.dirty()
    landed = await workspace.finish_landing(await workspace.plan_landing())
    assert len(landed.commits) == 2
    await workspace.release("r1")
    worktree = await workspace.prepare("r3")
    repo.write({"r3.txt": "3"}, worktree.path)
    await workspace.discard("r3")
    await workspace.sweep(datetime(2100, 1, 1, tzinfo=UTC))


async def test_no_program_of_the_repository_runs_in_a_whole_life(repo, open_workspace, marks):
    repo.commit({".gitattributes": "* filter=f diff=f merge=f\n"})
    poison(repo, marks)
    workspace = await open_workspace(repo.path)
    await whole_life(workspace, repo)
    assert sorted(path.name for path in marks.iterdir()) == []
    assert (repo.path / "src/a.py").read_text() == "one\nagent\nthree\n"


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
    assert {"hook", "fsmonitor", "filter"} <= found


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
    trap = tmp_path / "trap"
    subprocess.run(["git", "init", "-q", str(trap)], check=True)
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch '{marks}/fsmonitor'\n")
    evil.chmod(0o755)
    subprocess.run(["git", "-C", str(trap), "config", "core.fsmonitor", str(evil)], check=True)
    worktree = await workspace.prepare("r1")
    (worktree.path / ".git").write_text(f"gitdir: {trap}/.git\n")
    (worktree.path / "n").write_text("n")
    await workspace.snapshot("r1", "s")
    await workspace.restore("r1", None)
    (worktree.path / "n").write_text("n")
    assert await workspace.commit("r1", "m", trailers={}) is not None
    assert list(marks.iterdir()) == []
    await workspace.prepare("r1")
    assert str(trap) not in (worktree.path / ".git").read_text()


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


async def test_only_the_git_module_starts_processes(request):
    """Design §4, invariant 1: only `workspace/` runs git, and there only `git.py`."""
    package = Path(sys.modules["devloop"].__file__).parent
    for path in (package / "workspace").glob("*.py"):
        if path.name != "git.py":
            text = path.read_text()
            assert "create_subprocess" not in text and "import subprocess" not in text, path.name
    for path in package.rglob("*.py"):
        if path.parent.name != "workspace":
            text = path.read_text()
            assert not re.search(r"""[\[(]\s*["']git["'],""", text), path  # a command begins with it


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
