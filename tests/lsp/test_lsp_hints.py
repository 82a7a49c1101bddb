"""Inlay hints: what a task waits for, how its run stands; only in the range that was asked for."""

from __future__ import annotations

import copy
import time

from support import runs
from support.editor import EVERYTHING

PLAN = """# Plan: Demo

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
- [ ] Task 1.3: Third 😀 [depends:1.2, 9.9]
- [!] Task 1.4: Fourth thing [depends:1.2] [agent:engineer]

## Phase 2: Go on

- [ ] Task 2.1: A task [depends:Phase 1]
- [x] Task 2.2: Done all the same [depends:1.2]
- [ ] Task 2.3: Many [depends:1.2, 1.3, 1.4, 2.1, 9.9]
"""
RESOLVING = copy.deepcopy(EVERYTHING)
RESOLVING["textDocument"]["inlayHint"] = {"resolveSupport": {"properties": ["tooltip"]}}


async def hints(editor, uri, first=0, last=10_000):
    asked = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}
    return await editor.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": asked})


async def labels(editor, uri, first=0, last=10_000):
    """(line from 1, label) of each."""
    return [(hint["position"]["line"] + 1, hint["label"]) for hint in await hints(editor, uri, first, last)]


async def test_open_tasks_say_what_they_wait_for(editor):
    uri = editor.open(text=PLAN)
    assert await labels(editor, uri) == [
        (7, "blocked by 1.2, 9.9"),
        (8, "blocked by 1.2"),
        (12, "blocked by Phase 1"),
        (14, "blocked by 1.2, 1.3, 1.4 and 2 more"),
    ]


async def test_they_stand_behind_the_line_in_the_editors_units(editor, editors):
    utf8 = await editors()
    await utf8.initialize({"general": {"positionEncodings": ["utf-8"]}})
    for each, units in ((editor, 2), (utf8, 4)):
        found = (await hints(each, each.open(text=PLAN)))[0]
        assert found["position"] == {"line": 6, "character": len("- [ ] Task 1.3: Third  [depends:1.2, 9.9]") + units}
        assert found["paddingLeft"] is True


async def test_only_the_range_is_answered(editor):
    uri = editor.open(text=PLAN)
    assert await labels(editor, uri, 7, 8) == [(8, "blocked by 1.2")]
    assert await labels(editor, uri, 0, 3) == []
    assert await labels(editor, uri, 500, 900) == []


async def test_a_run_says_state_and_cost_in_place_of_what_it_waited_for(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service, task="1.3", title="Third 😀")
    assert await labels(editor, uri, 6, 6) == [(7, "queued · $0.00 · scripted")]
    runs.working(service)
    assert await labels(editor, uri, 6, 6) == [(7, "working · $0.00 · scripted")]
    runs.waiting(service)
    assert await labels(editor, uri, 6, 6) == [(7, "waits for you · $0.25 · scripted")]
    runs.ended(service, outcome="stalled")
    assert await labels(editor, uri, 6, 6) == [(7, "blocked by 1.2, 9.9"), (7, "stalled · $0.25 · scripted")]
    runs.queued(service, "run-2", "1.1", "First thing", scripted=False)
    runs.ended(service, "run-2")
    assert await labels(editor, uri, 4, 4) == [(5, "landed · $0.00")]


async def test_more_is_told_at_once_or_when_it_is_looked_at(service, editor, editors):
    resolving = await editors()
    await resolving.initialize(RESOLVING)
    runs.queued(service, task="1.2", title="Second thing")
    wanted = [
        "Run run-1: queued · 0 tokens · $0.00 · scripted",
        "1.2 Second thing (not started)\nNot in this plan: 9.9",
        "1.2 Second thing (not started)",
        "1.2 Second thing (not started)\n1.3 Third 😀 (not started)\n1.4 Fourth thing (blocked)",
    ]
    assert [hint["tooltip"] for hint in await hints(editor, editor.open(text=PLAN))][:4] == wanted
    uri = resolving.open(text=PLAN)
    found = await hints(resolving, uri)
    assert not any("tooltip" in hint for hint in found)
    assert found[1]["data"] == {"uri": uri, "kind": "blocked", "line": 7, "id": "1.3"}
    assert [(await resolving.request("inlayHint/resolve", hint))["tooltip"] for hint in found][:4] == wanted


async def test_a_hint_of_an_older_text_gets_nothing_more(editors):
    editor = await editors()
    await editor.initialize(RESOLVING)
    uri = editor.open(text=PLAN)
    found = (await hints(editor, uri))[0]
    editor.type(uri, 6, 13, "7", remove=1)
    assert await editor.request("inlayHint/resolve", found) == found
    for data in (None, {}, {"uri": uri}, {"uri": 5}, {"uri": uri, "line": "x", "id": [], "kind": 3}):
        forged = {"position": {"line": 0, "character": 0}, "label": "x", **({} if data is None else {"data": data})}
        assert await editor.request("inlayHint/resolve", forged) == forged


async def test_agent_and_mode_stand_there_only_when_they_are_wanted(editors):
    editor = await editors()
    await editor.initialize(initializationOptions={"agentHints": True})
    uri = editor.open(text=PLAN)
    assert await labels(editor, uri, 4, 7) == [
        (6, "engineer · default"),
        (7, "blocked by 1.2, 9.9"),
        (7, "engineer · default"),
        (8, "blocked by 1.2"),
    ]


async def test_switched_off_unknown_and_empty_documents_have_none(editors, editor):
    assert await hints(editor, editor.uri("nowhere.md")) == []
    assert await hints(editor, editor.open(text="")) == []
    off = await editors()
    await off.initialize(initializationOptions={"inlayHints": False})
    assert await hints(off, off.open(text=PLAN)) == []


async def test_a_screenful_of_a_long_plan_costs_no_more_than_of_a_short_one(editor):
    text = "# P\n\n## Phase 1: A\n\n- [ ] 1.1 a\n\n## Phase 2: B\n\n"
    text += "".join(f"- [ ] 2.{at} b [depends:Phase 1]\n" for at in range(10_000))
    short = "\n".join(text.split("\n")[:70])
    uri, other = editor.open(text=text), editor.open(".devloop/archive/short.md", text=short)
    for each in (uri, other):
        await editor.diagnostics(each, 1)
    assert len(await hints(editor, uri, 0, 20_000)) == 2_000

    async def took(uri, first):
        began = time.perf_counter()
        assert len(await hints(editor, uri, first, first + 49)) == 50
        return time.perf_counter() - began

    # The shortest of many, in turns: whatever else the machine does can only add to it.
    pairs = [(await took(uri, 5000 + at), await took(other, 8 + at % 9)) for at in range(20)]
    assert min(long for long, _ in pairs) < 5 * min(short for _, short in pairs)
