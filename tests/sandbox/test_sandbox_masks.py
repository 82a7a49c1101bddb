"""What an agent may not change stays as it is, whether it exists or not, and the host stays clean."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from devloop.errors import SandboxMissing
from devloop.sandbox import Mount, points
from devloop.sandbox.masks import on_host, prepare

NAMES = (
    ".vscode",
    ".idea",
    ".envrc",
    ".mcp.json",
    ".claude",
    ".cursor",
    ".devloop/config.toml",
    ".devloop/hooks",
    ".git",
)


def masks(place):
    return tuple(place.view / name for name in NAMES)


async def test_what_is_absent_can_not_be_created_and_leaves_nothing(place):
    attempts = "; ".join(
        f"echo x > {n}; mkdir -p {n}; echo x > {n}/x; rm -rf {n}; mv -T {n} /tmp/y; ln -sT /tmp {n}" for n in NAMES
    )
    result = await place.run(attempts + "; touch fine", masks=masks(place))
    assert result.ok
    assert place.residue() == ["fine"]


async def test_what_is_absent_can_be_created_without_masks(place):
    await place.run("mkdir .vscode && echo x > .vscode/tasks.json")
    assert ".vscode/tasks.json" in place.residue()


async def test_what_is_there_can_be_read_and_not_changed(place):
    for name in NAMES:
        path = place.worktree / name
        path.parent.mkdir(exist_ok=True)
        if "." in path.name[1:] or path.name in (".envrc", ".git"):
            path.write_text("original")
        else:
            path.mkdir()
            (path / "file").write_text("original")
    before = place.residue()
    attempts = "; ".join(
        f"cat {n} {n}/file; echo x > {n}; echo x > {n}/file; echo x > {n}/new; rm -rf {n}; mv -T {n} /tmp/y"
        for n in NAMES
    )
    result = await place.run(attempts, masks=masks(place))
    assert result.output.count("original") == len(NAMES)
    assert place.residue() == before
    assert all(p.read_text() == "original" for p in place.worktree.rglob("*") if p.is_file())


@pytest.mark.parametrize("present", [True, False])
async def test_the_folder_above_a_mask_can_not_be_swapped(place, present):
    """A mount moves with its parent: renaming the parent must fail, or the mask would be gone."""
    if present:
        (place.worktree / ".devloop").mkdir()
        (place.worktree / ".devloop" / "config.toml").write_text("original")
    result = await place.run(
        "mv .devloop old && mkdir .devloop && echo evil > .devloop/config.toml && echo swapped",
        masks=masks(place),
    )
    assert "swapped" not in result.output
    assert place.residue() == ([".devloop", ".devloop/config.toml"] if present else [])


async def test_other_files_beside_a_mask_stay_writable(place):
    await place.run("echo x > .devloop/notes.md", masks=masks(place))
    assert place.residue() == [".devloop", ".devloop/notes.md"]


async def test_a_masked_link_is_put_back_and_its_target_is_masked(place):
    (place.worktree / "shared").mkdir()
    (place.worktree / "shared" / "tasks.json").write_text("original")
    (place.worktree / ".vscode").symlink_to("shared")
    await place.run(
        "echo evil > .vscode/tasks.json; rm .vscode; mkdir .vscode; echo evil > .vscode/tasks.json",
        masks=masks(place),
    )
    assert (place.worktree / ".vscode").readlink().name == "shared"
    assert (place.worktree / "shared" / "tasks.json").read_text() == "original"


async def test_a_masked_link_that_leads_out_is_put_back(place, tmp_path):
    (place.worktree / ".claude").symlink_to(tmp_path / "elsewhere")
    await place.run("rm .claude; echo evil > .claude", masks=masks(place))
    assert (place.worktree / ".claude").is_symlink()


async def test_a_circle_of_links_is_refused(place):
    (place.worktree / ".claude").symlink_to(".cursor")
    (place.worktree / ".cursor").symlink_to(".claude")
    with pytest.raises(SandboxMissing, match="circle"):
        await place.run("true", masks=masks(place))
    assert place.residue() == [".claude", ".cursor"]


async def test_an_empty_folder_that_a_crash_left_over_is_removed(place):
    (place.worktree / ".vscode").mkdir()
    await place.run("true", masks=masks(place))
    assert place.residue() == []


@pytest.mark.parametrize("spare", [None, "spare"])
async def test_one_command_that_ends_does_not_unmask_another(place, tmp_path, spare):
    """Removing a mount point on the host would detach it inside every command that still runs; so would moving it."""
    mounts = (Mount(place.worktree, place.view, write=True, spare=spare and tmp_path / spare),)
    started = asyncio.Event()
    slow = asyncio.create_task(
        place.backend.run(
            place.command(
                "echo up; while [ ! -e go ]; do sleep 0.02; done; mkdir -p .vscode; echo x > .vscode/x && echo written",
                masks=masks(place),
                mounts=mounts,
            ),
            on_output=lambda _: started.set(),
        )
    )
    await asyncio.wait_for(started.wait(), 10)
    await place.run("true", masks=masks(place), mounts=mounts)
    (place.worktree / "go").touch()
    assert "written" not in (await slow).output
    assert place.residue() == ["go"]


async def test_what_a_command_puts_where_nothing_is_nobody_else_sees(place):
    """The folder that covers an absent path is the command's own: it can open it, and that changes nothing."""
    seen = []

    def look(_):
        seen.append((place.worktree / ".vscode" / "tasks.json").exists())

    await place.backend.run(
        place.command("chmod 777 .vscode; echo evil > .vscode/tasks.json; echo there; sleep 0.1", masks=masks(place)),
        on_output=look,
    )
    assert seen and not any(seen)
    assert "tasks.json" not in (await place.run("ls -A .vscode", masks=masks(place))).output
    assert place.residue() == []


async def test_a_closed_folder_stands_where_nothing_is_and_takes_no_more_than_a_page(place):
    result = await place.run(
        "cd .vscode && stat -c %a . && mkdir x; chmod 777 .; head -c 9000 /dev/zero > big; wc -c < big",
        masks=masks(place),
    )
    lines = result.output.splitlines()
    assert lines[0] == "555" and "Permission denied" in lines[1] and lines[-1] == "4096"


async def test_folders_for_mount_points_wait_for_the_next_command(place, tmp_path):
    spare = tmp_path / "spare"
    mounts = (Mount(place.worktree, place.view, write=True, spare=spare),)

    async def waiting() -> set[int]:
        assert (await place.run("test -d .git && test -d .vscode", masks=masks(place), mounts=mounts)).ok
        assert place.residue() == []
        return {path.stat().st_ino for path in spare.iterdir()}

    first = await waiting()
    assert len(first) == len([name for name in NAMES if "/" not in name])
    assert await waiting() == first
    points._spare.clear()  # as in the next process
    assert await waiting() == first
    for path in spare.iterdir():
        path.rmdir()
    assert len(await waiting()) == len(first)


async def test_what_waits_and_is_no_empty_folder_goes_into_no_worktree(place, tmp_path):
    """A crash may come between looking at what somebody filled and putting it back."""
    spare = tmp_path / "spare"
    (spare / "filled").mkdir(parents=True)
    (spare / "filled" / "mine").write_text("mine")
    (spare / "file").write_text("mine")
    (spare / "link").symlink_to(tmp_path)
    mounts = (Mount(place.worktree, place.view, write=True, spare=spare),)
    assert (await place.run("test -d .git && test -d .vscode", masks=masks(place), mounts=mounts)).ok
    assert place.residue() == []
    assert (spare / "filled" / "mine").read_text() == (spare / "file").read_text() == "mine"
    assert (spare / "link").is_symlink()


async def test_folders_wait_on_another_file_system_as_on_the_same(place, tmp_path):
    """There they can't be moved to, and are made and removed each time."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no other file system")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        mounts = (Mount(place.worktree, place.view, write=True, spare=Path(folder, "spare")),)
        for _ in range(2):
            assert (await place.run("test -d .git && test -d .vscode", masks=masks(place), mounts=mounts)).ok
            assert place.residue() == []
        assert list(Path(folder, "spare").iterdir()) == []


async def test_commands_that_begin_and_end_among_each_other_keep_their_masks(place, tmp_path):
    """In two worktrees with one spare folder. Each tries, all the time it lives, to get below its masks."""
    other = tmp_path / "state" / "other"
    other.mkdir()
    attack = """
        for n in .git .vscode .envrc .devloop/hooks .git .vscode .envrc .devloop/hooks; do
            test -d $n || echo gone $n
            mv -T $n $1 2>/dev/null && echo moved; rm -rf $1
            rmdir $n 2>/dev/null && echo removed
            chmod 700 $n && echo evil > $n/x || echo not its own: $n
        done
        sleep 0.0$2"""
    turns = asyncio.Semaphore(4)

    async def one(number: int) -> str:
        mounts = (Mount((place.worktree, other)[number % 2], place.view, write=True, spare=tmp_path / "spare"),)
        async with turns:
            words = ("/bin/sh", "-c", attack, "sh", f"away{number}", str(number % 7))
            return (await place.run(*words, masks=masks(place), mounts=mounts)).output

    assert set(await asyncio.gather(*map(one, range(20)))) == {""}
    assert place.residue() == [] and list(other.iterdir()) == []
    assert not [path for path in (tmp_path / "spare").iterdir() if not points.is_empty(path)]


@pytest.mark.parametrize("mode", ["000", "555"])
async def test_a_command_that_closes_the_folder_it_works_in_is_not_the_last_one_there(place, mode):
    (place.worktree / "docs").mkdir()
    (place.worktree / "docs" / "frozen").write_text("original")
    protected = (*masks(place), place.view / "docs" / "frozen")
    assert (await place.run(f"chmod {mode} docs .", masks=protected)).ok
    assert all(path.stat().st_mode & 0o700 == 0o700 for path in (place.worktree, place.worktree / "docs"))
    assert place.residue() == ["docs", "docs/frozen"]


async def test_what_the_host_does_not_let_be_made_is_no_result_of_the_command(place):
    with pytest.raises(SandboxMissing, match="could not be set up: File name too long"):
        await place.run("true", masks=(*masks(place), place.view / ("x" * 300)))
    assert place.residue() == []


@pytest.mark.parametrize("spare", [None, "spare"])
@pytest.mark.parametrize("what", ["folder", "file", "empty file", "link"])
async def test_what_somebody_puts_there_meanwhile_stays(place, tmp_path, spare, what):
    mounts = (Mount(place.worktree, place.view, write=True, spare=spare and tmp_path / spare),)
    point = place.worktree / ".idea"

    text = "" if what == "empty file" else "mine"

    def fill(_):
        if what == "folder":
            (point / "mine").write_text("mine")
        elif point.is_dir() and not point.is_symlink():
            point.rmdir()
            point.symlink_to(tmp_path / "empty") if what == "link" else point.write_text(text)

    (tmp_path / "empty").mkdir()
    await place.backend.run(place.command("echo up", masks=masks(place), mounts=mounts), on_output=fill)
    assert place.residue() == ([".idea", ".idea/mine"] if what == "folder" else [".idea"])
    if what == "link":
        assert point.readlink() == tmp_path / "empty"
    else:
        assert (point / "mine" if what == "folder" else point).read_text() == text


async def test_no_more_folders_wait_than_are_of_use(place, tmp_path, monkeypatch):
    monkeypatch.setattr(points, "KEPT", 2)
    mounts = (Mount(place.worktree, place.view, write=True, spare=tmp_path / "spare"),)
    await place.run("true", masks=masks(place), mounts=mounts)
    assert place.residue() == []
    assert len(list((tmp_path / "spare").iterdir())) == 2


async def test_where_none_can_wait_they_are_made_and_removed(place, tmp_path):
    (tmp_path / "spare").write_text("no folder")
    mounts = (Mount(place.worktree, place.view, write=True, spare=tmp_path / "spare"),)
    assert (await place.run("test -d .git", masks=masks(place), mounts=mounts)).ok
    assert place.residue() == []


async def test_a_mask_inside_a_masked_folder_changes_nothing(place):
    (place.worktree / ".claude").mkdir()
    (place.worktree / ".claude" / "a.md").write_text("original")
    for order in ((".claude", ".claude/skills/x"), (".claude/skills/x", ".claude")):
        result = await place.run(
            "echo x > .claude/a.md; echo x > .claude/skills/x; echo x > .claude/b",
            masks=tuple(place.view / name for name in order),
        )
        assert result.exit_code != 0
    assert (place.worktree / ".claude" / "a.md").read_text() == "original"
    assert place.residue() == [".claude", ".claude/a.md"]


async def test_a_mount_below_the_worktree_leaves_no_mount_point(place, tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "x").write_text("x")
    (tmp_path / "env").write_text("file")
    mounts = (
        Mount(tmp_path / "env", place.view / "deep" / "env"),
        Mount(tmp_path / "modules", place.view / "app" / "modules"),
        *place.command("true").mounts,
    )
    result = await place.run("cat app/modules/x deep/env; touch app/modules/y", mounts=mounts)
    assert result.output.startswith("xfile")
    assert "Read-only" in result.output
    assert place.residue() == []
    assert not (tmp_path / "modules" / "y").exists()


async def test_a_link_where_a_mount_belongs_is_refused(place, tmp_path):
    (place.worktree / ".venv").symlink_to(tmp_path)
    with pytest.raises(SandboxMissing, match="is not a folder"):
        await place.run("true", mounts=(*place.command("true").mounts, Mount(tmp_path, place.view / ".venv")))


async def test_a_source_that_does_not_exist_is_refused(place, tmp_path):
    with pytest.raises(SandboxMissing, match="nowhere"):
        await place.run("true", mounts=(Mount(tmp_path / "nowhere", place.view),))


async def test_a_set_up_that_fails_is_no_result_of_the_command(place):
    with pytest.raises(SandboxMissing, match="could not be set up"):
        await place.run("true", cwd=place.view / "missing")


def test_a_path_inside_belongs_to_the_deepest_mount(tmp_path):
    outer = Mount(tmp_path / "a", tmp_path / "v", write=True)
    inner = Mount(tmp_path / "b", tmp_path / "v" / "w")
    assert on_host((outer, inner), tmp_path / "v" / "w" / "x") == (inner, tmp_path / "b" / "x")
    assert on_host((outer, inner), tmp_path / "v" / "y") == (outer, tmp_path / "a" / "y")
    assert on_host((outer, inner), tmp_path / "z") is None


def test_a_failed_preparation_leaves_nothing(tmp_path):
    worktree = tmp_path / "w"
    worktree.mkdir()
    (worktree / "x").symlink_to("x")
    with pytest.raises(SandboxMissing):
        prepare([Mount(worktree, tmp_path / "v", write=True)], [tmp_path / "v" / "a", tmp_path / "v" / "x"])
    assert [path.name for path in worktree.iterdir()] == ["x"]
