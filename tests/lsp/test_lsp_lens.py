"""Code lenses: on what can act and nothing else, made when they are shown, fetched again when runs go on."""

from __future__ import annotations

import asyncio
import copy
import gc
import time
import weakref

import pytest

from devloop import plan as plans
from devloop.lsp import lenses, refresh
from devloop.lsp.features import code_lens
from devloop.lsp.refresh import INTERVAL_S
from support import runs
from support.editor import EVERYTHING, HOLD, Failed

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
- [ ] Task 1.3: Third thing [depends:1.2]
- [!] Task 1.4: Fourth thing
- [~] Task 1.5: Fifth thing
  - [ ] a step

## Phase 2: Go on

- [ ] Task 2.1: A task [depends:Phase 1]

## Phase 3: Empty
"""


async def listed(editor, uri):
    return await editor.request("textDocument/codeLens", {"textDocument": {"uri": uri}})


async def resolved(editor, uri):
    """(line from 1, title, command, argument) of every lens, as a person sees them."""
    found = [await editor.request("codeLens/resolve", lens) for lens in await listed(editor, uri)]
    return [seen(lens) for lens in found]


def seen(lens):
    command = lens["command"]
    arguments = command.get("arguments") or [None]
    assert len(arguments) == 1
    return lens["range"]["start"]["line"] + 1, command["title"], command["command"], arguments[0]


async def titles(editor, uri, line):
    return [title for at, title, _, _ in await resolved(editor, uri) if at == line]


def task(name, title, line):
    return {"id": name, "key": plans.title_key(title), "title": title, "line": line}


async def test_only_what_can_act_has_lenses(editor):
    uri = editor.open(text=PLAN)
    second = task("1.2", "Second thing", 8)
    fifth = task("1.5", "Fifth thing", 11)
    assert await resolved(editor, uri) == [
        (1, "▶ Continue", "devloop.continue", {"uri": uri}),
        (1, "1/6 done", "", None),
        (5, "▶ Run phase (4 open)", "devloop.runPhase", {"uri": uri, "phase": "1"}),
        (5, "1/5 done", "", None),
        (8, "▶ Run", "devloop.run", {"uri": uri, "task": second}),
        (8, "Continue from here", "devloop.continue", {"uri": uri, "task": second}),
        (11, "▶ Run", "devloop.run", {"uri": uri, "task": fifth}),
        (11, "Continue from here", "devloop.continue", {"uri": uri, "task": fifth}),
        (14, "0/1 done", "", None),
    ]


async def test_the_list_holds_places_and_the_rest_comes_when_a_lens_is_shown(editor):
    uri = editor.open(text=PLAN)
    found = await listed(editor, uri)
    at = {"line": 7, "character": 0}
    data = {"kind": "run", "line": 8, "id": "1.2", "uri": uri}
    assert found[4] == {"range": {"start": at, "end": at}, "data": data}
    assert not any("command" in lens for lens in found)
    assert "jsonrpc" not in str(found)


async def test_a_task_in_hand_shows_its_run_and_can_be_cancelled(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.working(service)
    common = {"uri": uri, "task": task("1.2", "Second thing", 8), "run": "run-1"}
    assert [each for each in await resolved(editor, uri) if each[0] == 8] == [
        (8, "Show run · turn 3 · asking the model · 0 tokens · $0.00 · scripted", "devloop.showRun", common),
        (8, "Cancel", "devloop.cancel", common),
    ]


async def test_a_run_that_waits_offers_review_and_its_decisions(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.waiting(service, number=3)
    run = {"uri": uri, "task": task("1.2", "Second thing", 8), "run": "run-1"}
    asked = {**run, "checkpoint": 3}
    assert [each[1:] for each in await resolved(editor, uri) if each[0] == 8] == [
        ("Review (2 files)", "devloop.showDiff", run),
        ("Decide…", "devloop.decide", asked),
        ("Continue", "devloop.decide", {**asked, "decision": "continue"}),
        ("Commit", "devloop.decide", {**asked, "decision": "commit"}),
        ("Fresh start", "devloop.decide", {**asked, "decision": "fresh"}),
        ("Stop", "devloop.decide", {**asked, "decision": "stop"}),
        ("Revise…", "devloop.decide", {**asked, "decision": "revise"}),
    ]


async def test_a_question_is_answered_and_shows_no_diff(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    question = {"text": "Which?", "choices": []}
    runs.waiting(service, kind="question", diff=None, question=question, decisions=["answer", "stop", "discard", "odd"])
    shown = await titles(editor, uri, 8)
    assert shown[0].startswith("Show run · ")
    assert shown[1:] == ["Decide…", "Answer…", "Stop"]


async def test_after_a_run_ended_it_can_be_looked_at(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.ended(service, outcome="failed")
    runs.queued(service, "run-2", "1.1", "First thing")
    runs.ended(service, "run-2")
    assert await titles(editor, uri, 8) == ["▶ Run", "Continue from here", "Show run · failed"]
    assert await titles(editor, uri, 7) == ["Show run · landed"]


async def test_a_paused_plan_offers_single_runs_but_no_loop(editor):
    uri = editor.open(text=PLAN.replace("In Progress", "Paused"))
    assert [title for _, title, _, _ in await resolved(editor, uri)] == [
        *("1/6 done", "1/5 done", "▶ Run", "▶ Run", "0/1 done")
    ]


async def test_nothing_acts_in_restricted_mode(service, editors):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    uri = editor.open(text=PLAN)
    runs.queued(service, "run-0", "1.5", "Fifth thing")
    runs.queued(service)
    runs.waiting(service)
    commands = {command for _, _, command, _ in await resolved(editor, uri)}
    assert commands == {"", "devloop.showRun", "devloop.showDiff"}
    forged = {"range": {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 0}}}
    for kind in lenses.ACTING:
        data = {"uri": uri, "kind": kind, "line": 8, "id": "1.2", "run": "run-1", "checkpoint": 1}
        with pytest.raises(Failed):
            await editor.request("codeLens/resolve", {**forged, "data": data})


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        {},
        {"uri": "file:///nowhere"},
        {"kind": "run"},
        {"kind": "run", "line": "8", "id": 5},
        {"kind": "run", "line": 9, "id": "1.3"},
        {"kind": "show", "line": 8, "id": "1.2", "run": "run-9"},
        {"kind": "cancel", "line": 8, "id": "1.2", "run": "run-1"},
        {"kind": "decide", "line": 8, "id": "1.2", "run": "run-1", "checkpoint": 2},
        {"kind": "decide", "line": 8, "id": "1.2", "run": "run-1", "checkpoint": 1, "decision": "block"},
        {"kind": "decide", "line": 8, "id": "1.2", "run": "run-1", "checkpoint": 1, "decision": []},
        {"kind": "phase", "phase": "9", "line": 5},
        {"kind": "odd", "line": 8, "id": "1.2", "run": "run-1"},
    ],
)
async def test_a_lens_that_is_not_there_any_more_is_told_as_changed(service, editor, data):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.waiting(service)
    if isinstance(data, dict) and data.get("kind") == "cancel":
        runs.ended(service)
    place = {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 0}}
    given = {"uri": uri, **data} if isinstance(data, dict) else data
    with pytest.raises(Failed) as failed:
        await editor.request("codeLens/resolve", {"range": place, "data": given})
    assert failed.value.error["code"] == -32801


async def test_lines_may_move_between_list_and_lens(editor):
    uri = editor.open(text=PLAN)
    lens = (await listed(editor, uri))[4]
    editor.type(uri, 2, 0, "\n\n")
    assert seen(await editor.request("codeLens/resolve", lens))[3]["task"] == task("1.2", "Second thing", 10)
    editor.type(uri, 9, 3, "x", remove=1)
    with pytest.raises(Failed):
        await editor.request("codeLens/resolve", lens)


@pytest.mark.parametrize("support", [{"resolveSupport": {"properties": []}}, {}, None])
async def test_a_client_that_does_not_say_that_it_resolves_commands_gets_them_at_once(editors, support):
    editor = await editors()
    able = copy.deepcopy(EVERYTHING)
    able["textDocument"]["codeLens"] = support
    await editor.initialize(able)
    uri = editor.open(text=PLAN)
    given = await listed(editor, uri)
    found = [seen(lens) for lens in given]
    assert [title for _, title, _, _ in found][:3] == ["▶ Continue", "1/6 done", "▶ Run phase (4 open)"]
    assert len(found) == 9
    assert await editor.request("codeLens/resolve", given[0]) == given[0]


async def test_in_a_long_plan_only_a_client_that_resolves_nothing_gets_them_at_once(editors):
    able = copy.deepcopy(EVERYTHING)
    for support, whole in (({"resolveSupport": {"properties": []}}, True), ({}, False)):
        editor = await editors()
        able["textDocument"]["codeLens"] = support
        await editor.initialize(able)
        uri = editor.open(text="# P\n\n" + "".join(f"- [ ] T{at} thing\n" for at in range(300)))
        found = await listed(editor, uri)
        assert len(found) > code_lens.AT_ONCE
        assert all(("command" in lens) == whole for lens in found)


async def test_switched_off_unknown_empty_and_other_documents_have_none(editors, editor):
    assert await listed(editor, editor.uri("nowhere.md")) == []
    assert await listed(editor, editor.open(text="")) == []
    assert await listed(editor, editor.open(".devloop/archive/p1.md", text=PLAN)) == []
    off = await editors()
    await off.initialize(initializationOptions={"codeLens": False})
    assert await listed(off, off.open(text=PLAN)) == []


async def test_what_a_model_says_becomes_no_icon_and_no_second_line(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.working(service)
    runs.tell(service, "tool.started", "run-1", id="a", tool="read\x1b[31m", argument="$(alert)\n$(bug)")
    assert (await titles(editor, uri, 8))[0].startswith("Show run · turn 3 · read $ (alert) $ (bug) · ")


async def test_a_huge_plan_has_a_bounded_list(service, editor):
    uri = editor.open(text="# P\n\n" + "".join(f"- [ ] T{at} thing\n" for at in range(2000)))
    runs.queued(service, "run-1", "T1999", "thing")
    found = await listed(editor, uri)
    assert len([lens for lens in found if lens["data"]["kind"] == "run"]) == lenses.MOST
    assert [lens["data"]["kind"] for lens in found if lens["data"].get("id") == "T1999"] == ["show", "cancel"]


async def test_typing_in_a_title_does_not_make_the_list_anew(editor, editors, monkeypatch):
    uri = editor.open(text=PLAN)
    before = await listed(editor, uri)
    made = []
    monkeypatch.setattr(lenses, "places", lambda view: made.append(view) or iter(()))
    editor.type(uri, 7, 20, "very ")
    assert await listed(editor, uri) == before
    assert not made
    editor.type(uri, 7, 3, "x", remove=1)
    assert await listed(editor, uri) == []
    assert len(made) == 1


# Fetching again

REFRESH = ("workspace/codeLens/refresh", "workspace/inlayHint/refresh")


def asked(editor):
    return [method for method, _ in editor.asked if method in REFRESH]


async def fetched(editor, uri):
    await listed(editor, uri)
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
    await editor.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})


async def test_changed_runs_make_the_editor_fetch_again_but_not_too_often(service, editor):
    uri = editor.open(text=PLAN)
    await fetched(editor, uri)
    runs.queued(service)
    await editor.until(lambda: set(asked(editor)) == set(REFRESH), "both are refreshed")
    await fetched(editor, uri)
    editor.asked.clear()
    answered, began = 0, time.monotonic()
    while time.monotonic() - began < 3 * INTERVAL_S:
        runs.tell(service, "tool.started", "run-1", id="a", tool="read", argument=str(time.monotonic()))
        await asyncio.sleep(0.02)
        if len(asked(editor)) > answered:
            answered = len(asked(editor))
            await fetched(editor, uri)
    refreshed = asked(editor)
    assert 2 <= refreshed.count(REFRESH[0]) <= 4
    assert refreshed.count(REFRESH[1]) == 0  # state and cost are what they were
    runs.ended(service)
    await editor.until(lambda: REFRESH[1] in asked(editor), "the hint shows the outcome")


async def test_an_editor_that_has_not_fetched_yet_is_not_asked_again(service, editor, monkeypatch):
    """Each request would make it put the fetching off again."""
    monkeypatch.setattr(refresh, "INTERVAL_S", 0.01)
    uri = editor.open(text=PLAN)
    await fetched(editor, uri)
    runs.queued(service)
    await editor.until(lambda: set(asked(editor)) == set(REFRESH), "both are refreshed")
    await fetched(editor, uri)
    editor.asked.clear()
    runs.working(service)
    await editor.until(lambda: asked(editor).count(REFRESH[0]) == 1, "the lens says so")
    await fetched(editor, uri)
    editor.asked.clear()
    for number in range(20):
        runs.tell(service, "tool.started", "run-1", id="a", tool="read", argument=str(number))
        await asyncio.sleep(0.02)  # over which it would be asked again
    assert asked(editor) == [REFRESH[0]]
    await fetched(editor, uri)
    await editor.until(lambda: len(asked(editor)) == 2, "what came meanwhile is not lost")


async def test_what_the_plan_does_not_show_is_no_reason_to_fetch_again(service, editor):
    uri = editor.open(text=PLAN)
    await listed(editor, uri)
    runs.queued(service, "run-9", "9.9", "Not in this plan")
    runs.queued(service)
    await editor.until(lambda: set(asked(editor)) == set(REFRESH), "the run of a task")
    await fetched(editor, uri)
    await asyncio.sleep(1.5 * INTERVAL_S)  # over which nothing may happen
    editor.asked.clear()
    runs.working(service, "run-9")
    await asyncio.sleep(1.5 * INTERVAL_S)
    assert asked(editor) == []
    runs.ended(service)
    await editor.until(lambda: asked(editor), "it still listens")


async def test_an_editor_that_did_not_declare_it_is_not_asked_and_nobody_listens_for_it(service, editors):
    editor = await editors()
    await editor.initialize({"textDocument": {}})
    await listed(editor, editor.open(text=PLAN))
    assert not set(editors.server.connections) & set(refresh._fetched)


async def test_an_editor_that_never_answers_is_asked_once_and_delays_no_other(service, editors):
    silent, other = await editors(), await editors()
    silent.answers[REFRESH[0]] = HOLD
    for each in (silent, other):
        await each.initialize()
        uri = each.open(text=PLAN)
        await listed(each, uri)
    runs.queued(service)
    await silent.until(lambda: asked(silent), "the first question")
    await fetched(other, uri)
    runs.working(service)
    await other.until(lambda: asked(other).count(REFRESH[0]) >= 2, "the other one goes on")
    assert asked(silent).count(REFRESH[0]) == 1


async def test_nothing_is_left_of_an_editor_that_leaves(service, editors):
    gone, of_the_daemon = [], len(service.board._listeners)
    for leave in ("leave", "vanish"):
        editor = await editors()
        await editor.initialize()
        await listed(editor, editor.open(text=PLAN))
        (connection,) = editors.server.connections
        assert connection in refresh._fetched
        gone.append(weakref.ref(connection))
        del connection
        runs.queued(service, f"run-{leave}")
        await getattr(editor, leave)()
        while editors.server.connections:
            await asyncio.sleep(0.001)
        assert len(service.board._listeners) == of_the_daemon
    for _ in range(3):
        await asyncio.sleep(0)
        gc.collect()
    assert [each() for each in gone] == [None, None]


async def test_a_long_plan_is_answered_after_an_edit_sooner_than_it_is_read_anew(editor):
    text = "# P\n" + "".join(
        f"\n## Phase {phase}: part\n\n" + "".join(f"- [ ] Task {phase}.{at}: thing\n" for at in range(60))
        for phase in range(160)
    )
    uri = editor.open(text=text)
    await listed(editor, uri)
    took = []
    for _ in range(9):
        began = time.perf_counter()
        editor.type(uri, 5000, 20, "x")
        await listed(editor, uri)
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    _ = plans.parse(text).problems
    assert min(took) < (time.perf_counter() - began) / 2  # some twentieth of it on an idle machine
