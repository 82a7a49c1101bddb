"""Repositories of unusual kinds, each through a whole run: worked with, or refused with the reason and what to do."""

from __future__ import annotations

import shutil

import pytest

from devloop.daemon import doctor
from devloop.errors import DevloopError, LandingRefused, RepositoryUnfit
from devloop.workspace import releases
from devloop.workspace.git import check_version


async def whole_run(workspace, repo, name: str = "new.txt") -> None:
    """Prepare, snapshot, restore, commit, gates' checkout, accept, look at changes, replay and land, let go."""
    made = await workspace.prepare("r1")
    repo.write({name: "n\n"}, made.path)
    taken = await workspace.snapshot("r1", "s")
    await workspace.restore("r1", None)
    await workspace.restore("r1", taken.commit)
    commit = (await workspace.commit("r1", "Do r1", trailers={})).id
    async with workspace.checkout(commit) as place:
        assert (place / name).read_text() == "n\n"
    await workspace.accept("r1", commit)
    repo.write({"mine.txt": "m"})
    repo.git("add", "mine.txt")
    repo.git("commit", "-q", "-m", "mine")
    repo.write({"later.txt": "l"})
    found = await workspace.uncommitted()
    assert "later.txt" in {file.path for file in (await workspace.diff(found.base, found.commit)).files}
    planned = await workspace.plan_landing()
    landed = await workspace.finish_landing(planned)
    assert planned.needs_gates and repo.head == landed.new and len(landed.commits) == 1
    assert repo.status() == "?? later.txt"
    assert await workspace.release("r1")


@pytest.fixture
def clone(repo, tmp_path):
    """A clone with these options."""

    def cloning(*options: str):
        repo.git("config", "uploadpack.allowFilter", "true")
        repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
        source = str(repo.path) if "--shared" in options else f"file://{repo.path}"
        repo.git("clone", "-q", *options, source, str(tmp_path / "clone"))
        return type(repo)(tmp_path / "clone", repo.home)

    return cloning


def split_index(repo):
    repo.git("config", "core.splitIndex", "true")
    repo.git("update-index", "--split-index")
    assert list((repo.path / ".git").glob("sharedindex.*"))


def untracked_cache(repo):
    repo.git("config", "core.untrackedCache", "true")
    repo.git("update-index", "--force-untracked-cache")
    repo.git("status")


def sparse_index(repo):
    repo.commit({"in/a": "a\n", "out/deep/b": "b\n"})
    repo.git("sparse-checkout", "set", "--cone", "--sparse-index", "in")
    assert not (repo.path / "out").exists()


def packed(repo):
    repo.git("pack-refs", "--all")
    repo.git("gc", "-q")


def worktree_config(repo):
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "core.fsmonitor", "false")


def odd_branch(repo):
    repo.git("switch", "-q", "-c", "feature/ü-ß#1'x")


def replaced(repo):
    repo.git("replace", repo.git("rev-parse", "HEAD:src/b.py"), repo.git("rev-parse", "HEAD:README.md"))


def grafted(repo):
    repo.commit({"x": "x"})
    (repo.path / ".git/info").mkdir(exist_ok=True)
    (repo.path / ".git/info/grafts").write_text(f"{repo.head}\n")


@pytest.mark.parametrize(
    "kinds",
    [
        (split_index, untracked_cache, packed, worktree_config, odd_branch),
        (sparse_index,),
        (replaced, grafted),
    ],
    ids=lambda kinds: "-".join(kind.__name__ for kind in kinds),
)
async def test_a_whole_run_in_a_checkout_of_this_kind(repo, open_workspace, kinds):
    """What one checkout can be at once is one checkout: a whole run is a hundred calls of git."""
    for kind in kinds:
        kind(repo)
    await whole_run(await open_workspace(repo.path), repo)


@pytest.mark.parametrize("options", [("--depth=1", "--filter=blob:none"), ("--shared",)], ids=" ".join)
async def test_a_whole_run_in_a_clone_of_this_kind(repo, clone, open_workspace, options):
    repo.commit({"src/a.py": "newer\n"})
    made = clone(*options)
    asked = made.path / ".git/asked"
    made.git("config", "remote.origin.uploadpack", f"touch '{asked}'; git-upload-pack")
    await whole_run(await open_workspace(made.path), made)
    assert not asked.exists(), "nothing is fetched during a run"


async def test_what_a_partial_clone_has_not_is_not_fetched_but_said(repo, clone, open_workspace):
    """A sparse partial clone has no contents outside of what is checked out; a run needs them all."""
    repo.commit({"in/a": "a\n", "out/b": "only there\n"})
    made = clone("--filter=blob:none", "--sparse")
    made.git("sparse-checkout", "set", "in")
    asked = made.path.parent / "asked"
    made.git("config", "remote.origin.uploadpack", f"touch '{asked}'; git-upload-pack")
    workspace = await open_workspace(made.path)
    with pytest.raises(RepositoryUnfit, match="missing") as unfit:
        await workspace.prepare("r1")
    assert not asked.exists()
    command = unfit.value.hint.split("`")[1].split()
    assert command[0] == "git"
    made.git(*command[1:])
    await whole_run(workspace, made)


async def test_a_partial_clone_is_named_on_the_run(repo, clone, open_workspace):
    made = clone("--filter=blob:none")
    worktree = await (await open_workspace(made.path)).prepare("r1")
    assert [notice.kind for notice in worktree.notices] == ["partial"]
    assert "fetches nothing" in worktree.notices[0].message


async def test_replacements_and_grafts_are_named_and_not_followed(repo, open_workspace):
    start = repo.head
    replaced(repo)
    grafted(repo)
    workspace = await open_workspace(repo.path)
    worktree = await workspace.prepare("r1")
    assert {notice.kind for notice in worktree.notices} == {"replaced"}
    assert (worktree.path / "src/b.py").read_text() == "b\n"
    assert await releases.comes_after(workspace.repository, repo.head, start), "the graft cuts nothing off"


async def test_a_linked_worktree_of_a_bare_repository(repo, tmp_path, open_workspace):
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    repo.git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "linked"), cwd=tmp_path / "bare.git")
    linked = type(repo)(tmp_path / "linked", repo.home)
    await whole_run(await open_workspace(linked.path), linked)
    with pytest.raises(RepositoryUnfit, match="bare"):
        await open_workspace(tmp_path / "bare.git")


async def test_a_separate_git_directory(repo, tmp_path, open_workspace):
    repo.git("init", "-q", f"--separate-git-dir={tmp_path / 'elsewhere.git'}")
    assert (repo.path / ".git").is_file()
    await whole_run(await open_workspace(repo.path), repo)


async def test_a_detached_head_may_run_and_says_how_to_land(repo, open_workspace):
    repo.git("checkout", "-q", "--detach")
    with pytest.raises(LandingRefused) as refused:
        await whole_run(await open_workspace(repo.path), repo)
    assert "git switch -c" in refused.value.hint


@pytest.mark.parametrize("what", ["merge", "rebase", "cherry-pick", "revert"])
async def test_an_operation_that_stands_unfinished_is_named_and_not_landed_on(repo, open_workspace, what):
    repo.git("switch", "-q", "-c", "side")
    side = repo.commit({"src/a.py": "side\n"})
    repo.git("switch", "-q", "main")
    repo.commit({"src/a.py": "main\n"})
    workspace = await open_workspace(repo.path)
    made = await workspace.prepare("r1")
    repo.write({"new.txt": "n"}, made.path)
    await workspace.accept("r1", (await workspace.commit("r1", "m", trailers={})).id)
    if what == "revert":
        repo.commit({"src/a.py": "later\n"})
        repo.git("revert", "--no-edit", "HEAD~1", check=False)
    else:
        repo.git(what, side if what == "cherry-pick" else "side", check=False)
    status, head = repo.status(), repo.head
    assert workspace.repository.busy() == what
    with pytest.raises(LandingRefused) as refused:
        await workspace.finish_landing(await workspace.plan_landing())
    assert what in refused.value.message or "detached" in refused.value.message
    assert (repo.status(), repo.head) == (status, head)


@pytest.mark.parametrize("extension", ["refStorage", "compatObjectFormat", "relativeWorktrees", "somethingNew"])
async def test_an_extension_that_git_does_not_know_is_named(repo, open_workspace, extension):
    if await check_version() >= (2, 45) and extension != "somethingNew":
        pytest.skip("this git may know it")
    repo.git("config", "core.repositoryformatversion", "1")
    repo.git("config", f"extensions.{extension}", "reftable")
    with pytest.raises(RepositoryUnfit) as unfit:
        await open_workspace(repo.path)
    assert "newer git" in unfit.value.message and unfit.value.hint


async def test_a_whole_run_with_refs_in_tables(make_repo, open_workspace):
    if await check_version() < (2, 45):
        pytest.skip("tables of refs came with git 2.45")
    repo = make_repo("tables", "--ref-format=reftable")
    repo.commit({"src/a.py": "a\n"})
    workspace = await open_workspace(repo.path)
    await whole_run(workspace, repo)
    repo.git("switch", "-q", "-c", "side", "HEAD~1")
    side = repo.commit({"src/a.py": "side\n"})
    repo.git("switch", "-q", "main")
    repo.commit({"src/a.py": "main\n"})
    repo.git("cherry-pick", side, check=False)
    assert "cherry-pick" in (workspace.repository.busy() or "")


async def test_a_repository_that_vanishes_is_an_error_with_words(repo, workspace):
    shutil.rmtree(repo.path / ".git")
    with pytest.raises(DevloopError):
        await workspace.prepare("r1")


async def test_filters_are_named_and_not_run(repo, open_workspace):
    repo.commit(
        {
            ".gitattributes": "*.bin filter=lfs diff=lfs\n*.key filter=git-crypt\n",
            "sub/.gitattributes": "* filter=lfs\n",
        }
    )
    notices = {n.kind: n for n in (await (await open_workspace(repo.path)).prepare("r1")).notices}
    assert notices["lfs"].files == (".gitattributes", "sub/.gitattributes") and "git lfs pull" in str(notices["lfs"])
    assert notices["filters"].files == (".gitattributes",) and "git-crypt" in str(notices["filters"])
    told = [check.message for check in await doctor._repository(repo.path)]
    assert any("git-lfs" in each for each in told) and any("git-crypt" in each for each in told)
