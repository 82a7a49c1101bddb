"""A run's conversation as data, and what is told of it while it goes on."""

from __future__ import annotations

from typing import Any

import pytest

from devloop.errors import NotFound, UsageError
from support.engines import Engine, call, command, finish, turn, work, write

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sk-ant-" + "s3cr3t" * 5


async def asked(held: Engine, run: str, after: int = 0) -> dict[str, Any]:
    return dict(await held.ask("conversation", run=run, after=after))


async def test_turns_hold_words_tools_usage_and_what_gates_and_people_said(one: Engine) -> None:
    turns = [
        turn(call("read_file", path="notes.txt"), write("broken", "x"), text=f"I look.\x1b[31m The key is {SECRET}."),
        turn(call("read_file", path="nowhere"), finish("First try.")),
        turn(command("rm broken && touch a.txt")),
        turn(finish("Mended.")),
        turn(finish("Really.")),
    ]
    await one.play({"a": turns})
    run = await one.run("a")
    await one.checkpoint(run)
    await one.decide(run, "revise", f"Look again, {SECRET}.")
    await one.checkpoint(run, 2)
    told = await asked(one, run)
    assert (told["run"], told["more"]) == (run, False)
    first, second, third, fourth, fifth = told["turns"]
    assert [each["number"] for each in told["turns"]] == [1, 2, 3, 4, 5]
    assert first["text"].startswith("I look. The key is «redacted:anthropic-key:") and SECRET not in str(told)
    assert [(t["name"], t["argument"], t["ok"]) for t in first["tools"]] == [
        ("read_file", "notes.txt", True),
        ("write_file", "broken", True),
    ]
    assert "start" in first["tools"][0]["result"] and all(0 <= t["ms"] < 60_000 for t in first["tools"])
    assert first["started"] <= first["ended"] <= second["started"]
    assert first["usage"]["input"] + first["usage"]["cache_write"] > 0 and (first["stop_reason"], first["outcome"]) == (
        "tool_use",
        "go_on",
    )
    assert first["cost_usd"] == (await one.ask("show", run=run))["turns"][0]["cost_usd"]
    assert [t["ok"] for t in second["tools"]] == [False, True]
    assert "check" in second["tools"][1]["result"], "what the gates said answered the call"
    assert third["tools"][0]["argument"] == "rm broken && touch a.txt"
    assert fourth["tools"][0]["result"].startswith("Look again, «redacted:")
    assert (fifth["tools"][0]["result"], fifth["tools"][0]["ok"], fifth["outcome"]) == (None, True, "finished")
    assert [
        (r["number"], r["turn"], r["of"], [(g["gate"], g["verdict"]) for g in r["results"]]) for r in told["gates"]
    ] == [
        (1, 2, 1, [("check", "fail")]),
        (2, 4, 1, [("check", "pass")]),
        (3, 5, 1, [("check", "pass")]),
    ]
    (message,) = told["messages"]
    assert (message["turn"], message["checkpoint"], message["decision"]) == (4, 1, "revise")
    assert message["text"].startswith("Look again, «redacted:") and message["leave_out"] == []
    (opening,) = told["openings"]
    assert opening["turn"] == 1 and opening["text"].startswith("Task: a Do it") and opening["carried"] is None

    later = await asked(one, run, after=3)
    assert later["turns"] == [fourth, fifth] and later["gates"] == told["gates"]
    assert (await asked(one, run, after=5))["turns"] == []
    await one.decide(run, "discard", "No.")
    await one.ended(run)
    ended = await asked(one, run)
    assert ended["turns"] == told["turns"], "the conversation stays when the run is over"
    assert [m["decision"] for m in ended["messages"]] == ["revise", "discard"]


async def test_long_results_show_beginning_and_end_and_say_what_is_missing(one: Engine) -> None:
    await one.play({"b": [turn(command("seq 1 4000 | sed 's/^/line /'"), text="w" * 50_000), turn(finish())]})
    run = await one.run("b")
    await one.checkpoint(run)
    first = (await asked(one, run))["turns"][0]
    result = first["tools"][0]["result"]
    assert len(result) < 4_100 and "line 1\n" in result and "line 4000" in result
    assert "characters are left out here" in result
    assert len(first["text"]) < 40_100 and "10,000 characters are left out here" in first["text"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_long_conversation_comes_in_pages(one: Engine) -> None:
    await one.play({"c": [*[turn(write(f"{n}.txt"), text="w" * 39_000) for n in range(41)], turn(finish())]})
    one.config.write_text("[budget]\nrun_usd = 1000\nday_usd = 1000\n")
    run = await one.run("c")
    await one.checkpoint(run)
    pages, after = [], 0
    while True:
        page = await asked(one, run, after)
        pages.append([each["number"] for each in page["turns"]])
        after = pages[-1][-1]
        if not page["more"]:
            break
    assert len(pages) == 2 and [n for page in pages for n in page] == list(range(1, 43))
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_turn_that_works_is_told_with_what_is_known_so_far(one: Engine) -> None:
    slow = command("while ! test -e go; do sleep 0.02; done; rm go")
    await one.play(
        {"d": [turn(write("d.txt"), slow, text="Both."), turn(call("ask", question="Red?")), *work("e.txt")]}
    )
    run = await one.run("d")
    await one.until("tool.started", run, count=2)
    (now,) = (await asked(one, run))["turns"]
    assert (now["text"], now["ended"], now["outcome"]) == ("Both.", None, None)
    assert [(t["ok"], t["result"]) for t in now["tools"]] == [(True, None), (None, None)]
    (one.state.worktrees / run / "go").touch()
    await one.checkpoint(run)
    asking = (await asked(one, run))["turns"][1]
    assert asking["tools"][0]["ok"] is None and asking["ended"] is not None
    await one.decide(run, "answer", "Blue.")
    await one.checkpoint(run, 2)
    assert (await asked(one, run))["turns"][1]["tools"][0]["result"] == "Blue."
    await one.decide(run, "discard")
    await one.ended(run)
    assert all("ms" in ended for ended in one.told("tool.ended", run))


async def test_progress_tells_the_words_so_far_without_the_beginning_of_a_secret(one: Engine) -> None:
    words = f"It is written. Now {SECRET} and more {SECRET[:20]}"
    await one.play({"e": [turn(write("e.txt"), text=words), turn(finish())]})
    run = await one.run("e")
    await one.checkpoint(run)
    told = [data for data in one.told("turn.progress", run) if data["turn"] == 1]
    assert told[-1]["text"].startswith("It is written. Now «redacted:anthropic-key:")
    assert told[-1]["text"].endswith("» and more ") and not told[-1]["cut"]
    assert "s3cr3t" not in str(told)
    assert (told[0]["doing"], told[-1]["doing"], told[-1]["tool"]) == ("text", "tool_input", "write_file")
    await one.decide(run, "discard")
    await one.ended(run)


async def test_wrong_questions_are_refused(one: Engine) -> None:
    with pytest.raises(NotFound):
        await asked(one, "nobody")
    await one.play({"f": work("f.txt")})
    run = await one.run("f")
    await one.checkpoint(run)
    for after in (-1, "x", True):
        with pytest.raises(UsageError, match="`after` must be the number of a turn"):
            await one.ask("conversation", run=run, after=after)
    await one.decide(run, "discard")
    await one.ended(run)
