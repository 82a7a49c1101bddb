"""What an editor shows of a run's work: the list of changed files, and each file before and after."""

from __future__ import annotations

import pytest

from devloop.errors import NotFound, UsageError
from support.engines import Engine, command, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sk-ant-" + "s3cr3t" * 5


async def texts(held: Engine, run: str, path: str) -> tuple[str | None, str | None]:
    before, after = [await held.ask("content", run=run, path=path, side=side) for side in ("base", "work")]
    return before["text"], after["text"]


async def test_each_file_of_the_diff_can_be_read_before_and_after(one: Engine) -> None:
    many = "".join(f"{n}\n" for n in range(40))
    (one.root / "old.txt").write_text(many)
    (one.root / "gone.txt").write_text("gone\n")
    git(one.root, "add", "-A")
    git(one.root, "commit", "-q", "-m", "more files")
    change = command("mv old.txt moved.txt && rm gone.txt && printf 'a\\0b' > x.bin && echo 40 >> moved.txt")
    await one.play({"a": [turn(change, write("notes.txt", f"key {SECRET}\r\n\x07")), turn(finish()), turn(finish())]})
    run = await one.run("a")
    shown = await one.checkpoint(run)
    answer = await one.ask("diff", run=run)
    assert answer["files"] == shown["diff"]["list"]
    assert {
        (f["path"], f["old_path"], f["status"], f["added"], f["deleted"], f["binary"]) for f in answer["files"]
    } == {
        ("gone.txt", None, "D", 0, 1, False),
        ("moved.txt", "old.txt", "R", 1, 0, False),
        ("notes.txt", None, "M", 2, 1, False),
        ("x.bin", None, "A", 0, 0, True),
    }
    assert answer["truncated"] is False and SECRET not in answer["patch"]
    assert await texts(one, run, "gone.txt") == ("gone\n", None)
    assert await texts(one, run, "moved.txt") == (None, f"{many}40\n")
    assert await texts(one, run, "notes.txt") == ("start\n", f"key {SECRET}\r\n\x07"), "the person's own bytes"
    binary = await one.ask("content", run=run, path="x.bin", side="work")
    assert (binary["text"], binary["binary"], binary["size"]) == (None, True, 3)
    assert (binary["exists"], binary["problem"]) == (True, "It is a binary file.")
    await one.decide(run, "discard")
    await one.ended(run)
    assert (await texts(one, run, "notes.txt"))[1] == f"key {SECRET}\r\n\x07", "kept with the discarded work"


async def test_while_it_works_the_newest_snapshot_is_shown_also_after_a_revision(one: Engine) -> None:
    turns = [*work("b.txt", "first\n"), turn(write("b.txt", "second\n")), turn(text="…", delay_s=60)]
    await one.play({"b": turns})
    run = await one.run("b")
    shown = await one.checkpoint(run)
    assert shown["recommended"] == "commit", "nothing is left to do after it"
    assert await texts(one, run, "b.txt") == (None, "first\n")
    looked_at = (await one.ask("diff", run=run))["commit"]
    await one.decide(run, "revise", "Once more.")
    await one.until("turn.started", run, count=4)
    assert await texts(one, run, "b.txt") == (None, "second\n")
    pinned = await one.ask("content", run=run, path="b.txt", side="work", commit=looked_at)
    assert (pinned["text"], pinned["commit"]) == ("first\n", looked_at), "what is being looked at stays what it was"
    patch = (await one.ask("diff", run=run))["patch"]
    assert "+second" in patch and "first" not in patch
    assert await texts(one, run, "notes.txt") == ("start\n", "start\n")
    await one.ask("cancel", run=run)
    await one.ended(run)


async def test_a_file_that_is_too_large_is_said_to_be(one: Engine) -> None:
    await one.play({"c": [turn(command("head -c 5000000 /dev/zero | tr '\\0' x > c.txt")), turn(finish())]})
    run = await one.run("c")
    await one.checkpoint(run)
    answer = await one.ask("content", run=run, path="c.txt", side="work")
    assert (answer["text"], answer["size"], answer["exists"]) == (None, 5_000_000, True)
    assert answer["problem"] == "It has 4.8 MiB; up to 4 MiB are shown."
    await one.decide(run, "discard")
    await one.ended(run)


async def test_wrong_questions_are_answered_with_what_is_wrong(one: Engine) -> None:
    await one.play({"d": work("d.txt")})
    run = await one.run("d")
    await one.checkpoint(run)
    for path in ("../config.toml", "/etc/passwd", ".git/config", ""):
        with pytest.raises(UsageError, match="can't be the path of a file"):
            await one.ask("content", run=run, path=path, side="work")
    with pytest.raises(UsageError, match="'left' is no side"):
        await one.ask("content", run=run, path="d.txt", side="left")
    for commit in ("HEAD", "--help", "abc", 7):
        with pytest.raises(UsageError, match="full"):
            await one.ask("content", run=run, path="d.txt", side="work", commit=commit)
    with pytest.raises(NotFound):
        await one.ask("content", run="nobody", path="d.txt", side="work")
    await one.decide(run, "discard")
    await one.ended(run)
