"""Without a sandbox every command of an agent asks the person first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from devloop.runs.asking import allows, denial, in_full
from support.engines import Engine, call, command, engine, eventually, finish, turn, work, write

UNBOXED = '[sandbox]\nbackend = "none"\nrequire = false\n'

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def unboxed(one: Engine) -> Iterator[Engine]:
    """The module's engine, for a person who works without a sandbox."""
    one.config.write_text(UNBOXED)
    yield one
    one.config.unlink()


def results(held: Engine, run: str, request: int) -> list[str]:
    """What the newest message of a request answers to the calls before it."""
    return [block["content"] for block in held.requests(run)[request][-1]["content"] if block["type"] == "tool_result"]


async def drop(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


async def test_a_command_that_was_not_allowed_never_runs(unboxed: Engine) -> None:
    mark = unboxed.root.parent / "ran-a"
    await unboxed.play({"a": [turn(command(f"touch {mark}; echo ran > a.txt")), *work("b.txt")]})
    run = await unboxed.run("a")
    asked = await unboxed.checkpoint(run)
    assert asked["kind"] == "question" and asked["decisions"] == ["answer", "stop", "discard"]
    assert asked["question"] == {
        "text": f"Run this command without a sandbox?\n$ touch {mark}; echo ran > a.txt",
        "choices": ["allow", "deny"],
    }
    assert not mark.exists() and unboxed.told("tool.started", run) == []
    await unboxed.decide(run, "answer", "deny")
    shown = await unboxed.checkpoint(run, 2)
    assert results(unboxed, run, 1) == ["The person did not allow this command."]
    assert not mark.exists() and [file["path"] for file in shown["diff"]["list"]] == ["b.txt"]
    await drop(unboxed, run)


async def test_an_allowed_command_runs_once_and_its_output_answers_the_call(unboxed: Engine) -> None:
    count = unboxed.root.parent / "count"
    line = f"echo x >> {count}; echo made > made.txt; echo seen-by-the-model"
    await unboxed.play({"b": [turn(command(line)), *work("c.txt")]})
    run = await unboxed.run("b")
    await unboxed.checkpoint(run)
    await unboxed.decide(run, "answer", "Allow")
    shown = await unboxed.checkpoint(run, 2)
    assert count.read_text() == "x\n"
    (said,) = results(unboxed, run, 1)
    assert said.startswith("exit code 0") and "seen-by-the-model" in said
    assert sorted(file["path"] for file in shown["diff"]["list"]) == ["c.txt", "made.txt"]
    assert unboxed.told("tool.started", run)[0]["tool"] == "run_command"
    turns = (await unboxed.ask("show", run=run))["turns"]
    assert [each["name"] for each in turns[0]["tools"]] == ["run_command"]
    await drop(unboxed, run)


async def test_one_command_of_a_batch_asks_and_what_follows_it_waits_for_the_answer(unboxed: Engine) -> None:
    batch = turn(write("first.txt"), command("cat first.txt"), write("later.txt"), command("echo two"), finish())
    await unboxed.play({"c": [batch, *work("d.txt")]})
    run = await unboxed.run("c")
    asked = await unboxed.checkpoint(run)
    assert asked["question"]["text"].endswith("$ cat first.txt")
    await unboxed.decide(run, "answer", "yes")
    shown = await unboxed.checkpoint(run, 2)
    said = results(unboxed, run, 1)
    assert len(said) == 5 and sum("new" in text and "exit code 0" in text for text in said) == 1
    assert sum(text.startswith("not run: without a sandbox commands are asked for one at a time") for text in said) == 3
    assert sorted(file["path"] for file in shown["diff"]["list"]) == ["d.txt", "first.txt"]
    await drop(unboxed, run)


async def test_the_agents_own_question_comes_first_and_runs_nothing(unboxed: Engine) -> None:
    mark = unboxed.root.parent / "ran-e"
    await unboxed.play({"e": [turn(call("ask", question="May I?"), command(f"touch {mark}")), *work("e.txt")]})
    run = await unboxed.run("e")
    asked = await unboxed.checkpoint(run)
    assert asked["question"] == {"text": "May I?", "choices": []}
    await unboxed.decide(run, "answer", "allow")
    await unboxed.checkpoint(run, 2)
    said = results(unboxed, run, 1)
    assert "allow" in said and any(text.startswith("not run:") for text in said) and not mark.exists()
    await drop(unboxed, run)


async def test_a_command_that_could_not_run_anyway_is_no_question(unboxed: Engine) -> None:
    await unboxed.play({"f": [turn(call("run_command", command="")), *work("f.txt")]})
    run = await unboxed.run("f")
    shown = await unboxed.checkpoint(run)
    assert shown["kind"] == "decision" and "Invalid input for run_command" in results(unboxed, run, 1)[0]
    await drop(unboxed, run)


@pytest.mark.parametrize(
    "line",
    [
        "echo '-----BEGIN RSA PRIVATE {0}-----'; touch {1}; echo '-----END RSA PRIVATE {0}-----'",
        "echo {2}; touch {1}",
    ],
    ids=["between the lines of a key", "behind much"],
)
async def test_a_command_that_the_person_would_not_see_whole_is_neither_asked_for_nor_run(
    unboxed: Engine, line: str
) -> None:
    mark = unboxed.root.parent / "ran-i"
    await unboxed.play({"i": [turn(command(line.format("KEY", mark, "x" * 5000))), *work("i.txt")]})
    run = await unboxed.run("i")
    shown = await unboxed.checkpoint(run)
    assert shown["kind"] == "decision" and not mark.exists()
    (said,) = results(unboxed, run, 1)
    assert said.startswith("not run: without a sandbox the person sees all of a command before it runs")
    await drop(unboxed, run)


async def test_unattended_an_agent_runs_no_command(unboxed: Engine) -> None:
    """There is nobody to say yes to it. What it writes still passes the gates and lands."""
    mark = unboxed.root.parent / "ran-g"
    await unboxed.play({"g": [turn(command(f"touch {mark}")), *work("g.txt")]})
    run = await unboxed.run("g", decide="commit")
    assert (await unboxed.ended(run))["outcome"] == "landed"
    assert not mark.exists() and (unboxed.root / "g.txt").exists()
    assert "There is no tool 'run_command'" in results(unboxed, run, 1)[0]
    notices = [each["text"] for each in unboxed.told("notice", run)]
    assert any("The agent runs no commands of its own" in text for text in notices)


async def test_in_a_sandbox_no_command_asks(one: Engine) -> None:
    await one.play({"h": [turn(command("echo inside > h.txt")), turn(finish())]})
    run = await one.run("h")
    assert (await one.checkpoint(run))["kind"] == "decision"
    await drop(one, run)


async def test_a_command_that_was_killed_midway_begins_again_from_the_worktree_before_it(
    home: Path, project: Path
) -> None:
    """The engine dies while the allowed command runs: what it had done to the worktree is undone before the repeat."""
    (home / "config.toml").write_text(UNBOXED)
    begun, go_on = project.parent / "begun", project.parent / "go-on"
    line = f"echo x >> tally.txt; echo x >> {begun}; until test -e {go_on}; do sleep 0.05; done; cat tally.txt"
    async with engine(project, tasks={"1.1": [turn(command(line)), *work("a.txt")]}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        await held.decide(run, "answer", "allow")
        await eventually(begun.exists, "the command's begin")
        await held.kill()
        go_on.touch()
        await held.up()
        await held.checkpoint(run, 2)
        assert begun.read_text() == "x\nx\n"
        assert (held.state.worktrees / run / "tally.txt").read_text() == "x\n"
        assert results(held, run, 1)[0].splitlines()[1:] == ["x"]
        await held.decide(run, "discard")
        await held.ended(run)


async def test_a_yes_is_a_yes_and_everything_else_is_not() -> None:
    assert all(map(allows, ("allow", " ALLOW ", "1", "Yes")))
    assert not any(map(allows, ("deny", "allow it?", "2", "", "no, don't allow")))
    assert denial("No") == "The person did not allow this command."
    assert denial("Use make.") == "The person did not allow this command. They say: Use make."


async def test_the_question_shows_what_a_terminal_would_hide() -> None:
    hidden = "echo \x1b]0;rm -rf ~\x07 \u202egnp.exe\r\ntrue\t\N{NO-BREAK SPACE}ü"
    assert in_full(hidden) == "echo \\u{1b}]0;rm -rf ~\\u{7} \\u{202e}gnp.exe\\u{d}\ntrue\t\\u{a0}ü"
