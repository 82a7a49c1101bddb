"""Repositories of every kind: what fits, what does not and why."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from devloop.errors import RepositoryUnfit
from devloop.workspace import Repository, repository
from devloop.workspace.git import Git


async def test_discovers_from_a_subfolder(repo):
    found = await Repository.discover(repo.path / "src")
    assert found.root == repo.path and found.git_dir == found.common_dir == repo.path / ".git"
    head = await found.head()
    assert (head.commit, head.branch) == (repo.head, "main")


async def test_says_what_to_do_without_a_repository(tmp_path, home):
    with pytest.raises(RepositoryUnfit, match="not inside a git repository") as unfit:
        await Repository.discover(tmp_path)
    assert "git init" in unfit.value.hint


async def test_says_what_to_do_without_git(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryUnfit, match="git is not installed"):
        await Repository.discover(repo.path)


async def test_says_what_to_do_with_an_old_git(repo, monkeypatch, tmp_path):
    old = tmp_path / "bin/git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.34.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}:{os.environ['PATH']}")
    with pytest.raises(RepositoryUnfit, match=r"git 2\.34\.1 is too old"):
        await Repository.discover(repo.path)


async def test_says_what_to_do_before_the_first_commit(make_repo):
    with pytest.raises(RepositoryUnfit, match="no commit yet") as unfit:
        await Repository.discover(make_repo().path)
    assert "git commit" in unfit.value.hint


async def test_a_bare_repository_and_a_git_directory_are_unfit(make_repo, repo):
    with pytest.raises(RepositoryUnfit, match="bare"):
        await Repository.discover(make_repo("bare", "--bare").path)
    with pytest.raises(RepositoryUnfit, match="bare"):
        await Repository.discover(repo.path / ".git")


async def test_a_work_tree_that_is_somewhere_else_is_unfit(repo, tmp_path):
    repo.git("config", "core.worktree", str(tmp_path))
    with pytest.raises(RepositoryUnfit, match="does not lead back"):
        await Repository.discover(repo.path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away")
async def test_a_foreign_repository_is_unfit_unless_the_person_trusts_it(repo):
    for place in (repo.path, repo.path / ".git"):
        os.chown(place, 65534, 65534)
    with pytest.raises(RepositoryUnfit, match="belongs to another user") as unfit:
        await Repository.discover(repo.path)
    assert "safe.directory" in unfit.value.hint
    repo.git("config", "--global", "--add", "safe.directory", str(repo.path))
    assert (await Repository.discover(repo.path)).root == repo.path


async def test_the_configuration_is_read_again_once_one_of_its_files_changed(repo, monkeypatch):
    found = await Repository.discover(repo.path)
    run, asked = Git.run, []

    async def counting(self, *args, **options):
        asked.append(args[0])
        return await run(self, *args, **options)

    monkeypatch.setattr(Git, "run", counting)
    await found.git()
    await found.git()
    assert asked == ["config", "config"], "a file that changed just now may change again and look the same"

    monkeypatch.setattr(repository, "SETTLED_S", -1.0)
    asked.clear()
    known = await found.git()
    assert (await found.git()).config == known.config and asked == ["config"]
    with (repo.path / ".git/config").open("a") as config:
        config.write('[filter "evil"]\n\tsmudge = touch /tmp/evil\n')
    assert ("filter.evil.smudge", "") in (await found.git()).config

    (repo.home / "more").write_text("")
    with (repo.path / ".git/config").open("a") as config:
        config.write(f"[include]\n\tpath = {repo.home / 'more'}\n")
    await found.git()
    (repo.home / "more").write_text('[merge "evil"]\n\tdriver = touch /tmp/evil\n')
    assert ("merge.evil.driver", "false") in (await found.git()).config, "a file that another one includes"


@pytest.mark.parametrize("state", ["a branch", "detached", "a branch called HEAD"])
async def test_the_head_is_told_with_its_branch(repo, state):
    if state == "detached":
        repo.git("checkout", "-q", "--detach")
    if state == "a branch called HEAD":
        repo.git("update-ref", "refs/heads/HEAD", "HEAD")
    head = await (await Repository.discover(repo.path)).head()
    assert (head.commit, head.branch) == (repo.head, None if state == "detached" else "main")


async def test_a_broken_configuration_is_named(repo):
    (repo.path / ".git/config").write_text("[core\n")
    with pytest.raises(RepositoryUnfit, match="broken"):
        await Repository.discover(repo.path)


async def test_what_points_nowhere_is_told_apart_whatever_it_is_called(repo):
    found = await Repository.discover(repo.path)
    odd = "refs/heads/a\u2028b"
    assert await found.commits("HEAD", odd, "refs/heads/main") == (repo.head, None, repo.head)
    repo.git("update-ref", odd, "HEAD")
    assert await found.commits(odd) == (repo.head,)
    repo.git("symbolic-ref", "HEAD", "refs/heads/unborn")
    with pytest.raises(RepositoryUnfit, match="unborn has no commit yet"):
        await found.head()


async def test_dirty_names_every_state(repo):
    repo.write({"src/a.py": "x", "new file.txt": "n", "added": "a", "build/ignored": "i"})
    repo.git("add", "added")
    (repo.path / "src/b.py").unlink()
    os.symlink("nowhere", repo.path / "link")
    (repo.path / os.fsdecode(b"caf\xe9")).write_text("x")
    found = {f.path: f.state for f in await (await Repository.discover(repo.path)).dirty()}
    assert found == {
        "src/a.py": "modified",
        "src/b.py": "deleted",
        "added": "added",
        "new file.txt": "untracked",
        "link": "untracked",
        "caf\\xe9": "untracked",
    }


async def test_the_persons_global_ignore_file_counts(repo, home):
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/ignore").write_text("*.swp\n")
    repo.write({"x.swp": "s"})
    assert await (await Repository.discover(repo.path)).dirty() == ()


async def test_the_identity_falls_back_with_a_notice(repo, home):
    repository = await Repository.discover(repo.path)
    assert (await repository.identity()).email == "person@example.org"
    repo.git("config", "user.name", "Local <Evil>\tName")
    assert (await repository.identity()).name == "Local Evil Name"
    repo.git("config", "--unset", "user.name")
    (home / ".gitconfig").unlink()
    found = await repository.identity()
    assert found.name == "devloop" and found.notice is not None and found.notice.kind == "identity"


async def one_life(workspace, repo) -> None:
    worktree = await workspace.prepare("r1")
    (worktree.path / "new.txt").write_text("n")
    made = await workspace.commit("r1", "m", trailers={})
    await workspace.accept("r1", made.id)
    landed = await workspace.finish_landing(await workspace.plan_landing())
    assert repo.head == landed.new and (repo.path / "new.txt").read_text() == "n"


async def test_a_linked_worktree_is_a_repository_of_its_own_branch(repo, open_workspace, tmp_path, make_repo):
    repo.git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"))
    main = repo.head
    linked = type(repo)(tmp_path / "linked", repo.home)
    workspace = await open_workspace(linked.path)
    await one_life(workspace, linked)
    assert linked.status() == "" and linked.ref("feature") == linked.head
    assert repo.head == main and repo.status() == ""


async def test_a_submodule_is_a_repository_of_its_own(repo, make_repo, open_workspace):
    outer = make_repo("outer")
    outer.commit({"x": "x"})
    outer.git("submodule", "add", "-q", str(repo.path), "inner")
    outer.git("commit", "-q", "-m", "sub")
    inner = type(repo)(outer.path / "inner", repo.home)
    workspace = await open_workspace(inner.path)
    await one_life(workspace, inner)
    assert inner.status() == ""


async def test_submodules_are_named_and_survive_what_the_agent_does_to_their_folder(repo, make_repo, open_workspace):
    lib = make_repo("lib")
    lib.commit({"l": "l"})
    repo.git("submodule", "add", "-q", str(lib.path), "vendor/lib")
    repo.git("commit", "-q", "-m", "sub")
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    assert [n.files for n in worktree.notices if n.kind == "submodules"] == [("vendor/lib",)]
    (worktree.path / "vendor/lib").rmdir()
    assert (await workspace.snapshot("r1", "gone")).commit == worktree.base
    repo.write({"vendor/lib": "a file in its place"}, worktree.path)
    replaced = await workspace.snapshot("r1", "replaced")
    assert replaced.commit == worktree.base and [s.path for s in replaced.skipped] == ["vendor/lib"]
    (worktree.path / "vendor/lib").unlink()
    repo.write({"vendor/lib/x.py": "lost", "new.txt": "n"}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    assert [s.path for s in made.skipped] == ["vendor/lib"]
    assert repo.git("diff", "--name-only", worktree.base, made.id) == "new.txt"
    await workspace.restore("r1", None)
    assert not (worktree.path / "vendor/lib/x.py").exists()
    await workspace.accept("r1", made.id)
    await workspace.finish_landing(await workspace.plan_landing())
    assert repo.status() == "" and (repo.path / "vendor/lib/l").exists()


async def test_git_lfs_files_are_named(repo, open_workspace):
    repo.commit({"assets/.gitattributes": "*.png filter=lfs diff=lfs merge=lfs -text\n"})
    worktree = await (await open_workspace(repo.path)).prepare("r1")
    assert [n.files for n in worktree.notices if n.kind == "lfs"] == [("assets/.gitattributes",)]


async def test_a_sha256_repository(make_repo, open_workspace):
    repo = make_repo("long", "--object-format=sha256")
    repo.commit({"a": "a", "b": "b"})
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r0")
    (worktree.path / "a").unlink()
    await workspace.snapshot("r0", "s")
    await workspace.restore("r0", None)
    assert (worktree.path / "a").exists()
    await one_life(workspace, repo)
    assert len(repo.head) == 64 and repo.status() == ""


async def test_a_shallow_clone(repo, tmp_path, open_workspace):
    repo.commit({"x": "x"})
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    clone = type(repo)(tmp_path / "shallow", repo.home)
    workspace = await open_workspace(clone.path)
    await one_life(workspace, clone)
    mine = clone.commit({"mine": "m"})
    worktree = await workspace.prepare("r2")
    assert worktree.base == mine


async def test_a_clone_that_borrows_objects(repo, tmp_path, open_workspace):
    repo.git("clone", "-q", "--shared", str(repo.path), str(tmp_path / "shared clone"))
    clone = type(repo)(tmp_path / "shared clone", repo.home)
    await one_life(await open_workspace(clone.path), clone)
    assert clone.status() == ""


async def test_a_sparse_checkout_stays_sparse(repo, open_workspace):
    repo.commit({"big/x": "x", "small/y": "y"})
    repo.git("sparse-checkout", "set", "small")
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    assert (worktree.path / "big/x").exists()
    repo.write({"big/x": "agent", "small/y": "agent"}, worktree.path)
    made = await workspace.commit("r1", "m", trailers={})
    await workspace.accept("r1", made.id)
    await workspace.finish_landing(await workspace.plan_landing())
    assert repo.status() == "" and not (repo.path / "big").exists()
    assert (repo.path / "small/y").read_text() == "agent"


async def test_a_branch_in_the_way_of_the_plan_branch_is_named(repo, workspace):
    repo.git("branch", "devloop")
    with pytest.raises(RepositoryUnfit, match="devloop stands in the way") as unfit:
        await workspace.plan_head()
    assert "git branch -m devloop" in unfit.value.hint


async def test_the_repository_at_the_same_place_may_be_another_one(repo, workspace, make_repo, open_workspace):
    await workspace.prepare("r1")
    repo.path.rename(repo.path.with_name("old"))
    other = make_repo("project", "--object-format=sha256")
    other.commit({"a": "a"})
    await one_life(await open_workspace(other.path), other)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root to become another user")
def test_a_git_directory_that_cannot_be_written_is_a_storage_error(repo, tmp_path):
    """Root ignores permissions, so this drops to another user in a process of its own."""
    code = textwrap.dedent(
        f"""
        import asyncio, concurrent.futures.thread, fcntl, os, pwd
        from pathlib import Path
        from devloop.errors import StorageError
        from devloop.paths import StateDir
        from devloop.workspace import Repository, Workspace

        async def main():
            repository = await Repository.discover(Path({str(repo.path)!r}))
            workspace = Workspace(repository, StateDir(Path({str(tmp_path / "nobody")!r}) / "state"))
            await workspace.open()
            try:
                await workspace.prepare("r1")
            except StorageError as problem:
                print(problem.message, problem.hint)

        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        asyncio.run(main())
        """
    )
    (tmp_path / "nobody").mkdir()
    os.chown(tmp_path / "nobody", 65534, 65534)
    (repo.home / ".gitconfig").write_text("[safe]\n\tdirectory = *\n")
    for place in (tmp_path, *tmp_path.parents):
        if not place.stat().st_mode & 0o001:
            place.chmod(place.stat().st_mode | 0o055)
        if place.name.startswith("pytest-of"):
            break
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": str(repo.home), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        cwd="/",
        timeout=60,
    )
    assert "could not write" in done.stdout, done.stderr
