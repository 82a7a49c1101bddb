"""Code actions: fixes, refactorings, decisions and runs at a place; edits when they are asked for, or at once."""

from __future__ import annotations

import random
import re

import pytest

from devloop import plan as plans
from devloop.lsp.failures import FAILED, INVALID_PARAMS, MODIFIED
from devloop.plan.fixes import fixes_of
from support import runs
from support.editor import EVERYTHING, Failed, apply_edits

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
  - **Acceptance**: it works
  - nobody has time
- [/] Task 1.3: Read and write [depends:1.2]
- [] Task 1.5: Last [depends:1.1, 9.9]

## Phase 2: Go on

- [ ] Task 2.1: A task

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""
AUTOMATIC, INVOKED = 2, 1


def without(*path):
    """A client that can all but one thing."""
    found = {**EVERYTHING, "textDocument": {**EVERYTHING["textDocument"]}}
    at = found
    for key in path[:-1]:
        at[key] = dict(at[key])
        at = at[key]
    del at[path[-1]]
    return found


class Desk:
    def __init__(self, editor):
        self.editor = editor

    def open(self, text=PLAN):
        self.uri = self.editor.open(text=text)
        return self

    @property
    def text(self):
        return self.editor.texts[self.uri][1]

    def place(self, needle, end=None):
        """The range of a text (empty at its beginning, or up to the end of `end`), in UTF-16 units."""
        at = self.text.index(needle)
        stop = at if end is None else self.text.index(end, at) + len(end)
        return {"start": self._position(at), "end": self._position(stop)}

    def _position(self, at):
        start = self.text[:at].rpartition("\n")[2]
        units = sum(1 + (char > "\uffff") for char in start)
        return {"line": self.text.count("\n", 0, at), "character": units}

    async def ask(self, place, *, only=None, trigger=INVOKED, diagnostics=None):
        place = self.place(place) if isinstance(place, str) else place
        if diagnostics is None:
            lines = range(place["start"]["line"], place["end"]["line"] + 1)
            pushed = await self.editor.diagnostics(self.uri, self.editor.texts[self.uri][0])
            diagnostics = [each for each in pushed if each["range"]["start"]["line"] in lines]
        context = {"diagnostics": diagnostics, "triggerKind": trigger} | ({"only": only} if only is not None else {})
        params = {"textDocument": {"uri": self.uri}, "range": place, "context": context}
        self.found = await self.editor.request("textDocument/codeAction", params)
        return [action["title"] for action in self.found]

    async def edit(self, title):
        """The edit of an action, resolved where it has to be."""
        return await self.edit_of(next(action for action in self.found if action["title"] == title))

    async def edit_of(self, action):
        if "edit" not in action:
            action = await self.editor.request("codeAction/resolve", action)
        (document,) = action["edit"]["documentChanges"]
        assert document["textDocument"] == {"uri": self.uri, "version": self.editor.texts[self.uri][0]}
        return document["edits"]

    async def done(self, title):
        """The text after an action, in which the stamps of now are `NOW`."""
        text = apply_edits(self.text, await self.edit(title))
        return re.sub(r"20[2-9]\d-\d\d-\d\d \d\d:\d\d(?=: (Block|Skip|Start|Task))", "NOW", text)


@pytest.fixture
def desk(editor):
    return Desk(editor).open()


# Fixes


async def test_each_problem_has_its_fixes_with_its_diagnostic(desk):
    assert await desk.ask("Task 1.3", only=["quickfix"]) == ["Write [~]"]
    (action,) = desk.found
    assert (action["kind"], action["isPreferred"]) == ("quickfix", True)
    assert [each["code"] for each in action["diagnostics"]] == ["marker-alias"]
    assert "edit" not in action and action["data"]["do"] == "fix"
    assert await desk.done("Write [~]") == PLAN.replace("[/]", "[~]")


async def test_a_fix_that_somebody_has_to_choose_is_not_preferred(desk):
    desk.editor.replace(desk.uri, PLAN.replace("A task", "A task [depends:1.4]"))
    titles = await desk.ask("Task 2.1", only=["quickfix"])
    assert len(titles) >= 1 and all(title.startswith(("Replace", "Remove")) for title in titles), titles
    assert not any("isPreferred" in action for action in desk.found)
    assert {each["code"] for action in desk.found for each in action["diagnostics"]} == {"unknown-dependency"}


async def test_fixes_are_found_by_the_place_where_an_editor_sends_no_diagnostics(desk):
    marker = {"start": {"line": 10, "character": 3}, "end": {"line": 10, "character": 3}}
    assert await desk.ask(marker, only=["quickfix"], diagnostics=[]) == ["Write [~]"]
    assert "diagnostics" not in desk.found[0]
    assert await desk.ask("Second thing", only=["quickfix"], diagnostics=[]) == []


async def test_what_a_task_waits_for_besides_itself_stays(desk):
    desk.editor.replace(desk.uri, "## Phase 1: A\n\n- [ ] Task 1.1: a [depends:1.9, 1.1]\n")
    assert await desk.ask("Task 1.1", only=["quickfix"]) == ["Remove the dependency on itself"]
    assert "- [ ] Task 1.1: a [depends:1.9]\n" in await desk.done("Remove the dependency on itself")


async def test_all_certain_fixes_at_once(desk):
    assert await desk.ask("# Plan", only=["source.fixAll"]) == ["Fix all 2 problems with one right answer"]
    assert desk.found[0]["kind"] == "source.fixAll.devloop"
    expected = PLAN.replace("[/]", "[~]").replace("- []", "- [ ]")
    assert await desk.done("Fix all 2 problems with one right answer") == expected
    assert await desk.ask("# Plan", only=["source.fixAll.other"]) == []
    assert "Fix all 2 problems with one right answer" in await desk.ask("Task 1.3")
    assert "Fix all 2 problems with one right answer" not in await desk.ask("Task 1.3", trigger=AUTOMATIC)
    desk.editor.replace(desk.uri, expected)
    assert await desk.ask("# Plan", only=["source.fixAll"]) == []


async def test_an_edit_of_another_version_is_refused(desk):
    await desk.ask("Task 1.3", only=["quickfix"])
    desk.editor.type(desk.uri, 0, 0, " ")
    with pytest.raises(Failed) as failed:
        await desk.editor.request("codeAction/resolve", desk.found[0])
    assert failed.value.error["code"] == MODIFIED
    assert failed.value.error["message"] == "The text was changed meanwhile. Ask for the actions again."
    desk.editor.close_document(desk.uri)
    with pytest.raises(Failed) as failed:
        await desk.editor.request("codeAction/resolve", desk.found[0])
    assert failed.value.error["code"] == MODIFIED


@pytest.mark.parametrize("change", [{"more": 1}, {"do": "x"}, {"version": "1"}, {"line": -1}, {"uri": None}])
async def test_data_that_is_not_ours_is_refused_in_a_sentence(desk, change):
    await desk.ask("Task 1.3", only=["quickfix"])
    action = {**desk.found[0], "data": {**desk.found[0]["data"], **change}}
    with pytest.raises(Failed) as failed:
        await desk.editor.request("codeAction/resolve", action)
    assert failed.value.error["code"] == INVALID_PARAMS
    assert failed.value.error["message"] == "This code action is none of devloop's."


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": "other"}, MODIFIED),
        ({"index": 9}, MODIFIED),
        ({"line": 3}, MODIFIED),
        ({"do": "refactor", "name": "start", "line": 3}, FAILED),
        ({"do": "refactor", "name": "nothing"}, FAILED),
        ({"do": "refactor", "name": "move", "answer": "99"}, FAILED),
        ({"do": "reason", "name": "start"}, MODIFIED),
        ({"do": "reply", "name": "continue"}, MODIFIED),
        ({"do": "renumber", "name": "9"}, FAILED),
    ],
)
async def test_what_names_nothing_gets_a_sentence(desk, change, code):
    await desk.ask("Task 1.3", only=["quickfix"])
    action = {**desk.found[0], "data": {**desk.found[0]["data"], **change}}
    with pytest.raises(Failed) as failed:
        await desk.editor.request("codeAction/resolve", action)
    assert failed.value.error["code"] == code
    assert failed.value.error["message"].endswith(".") and "Traceback" not in str(failed.value.error)


# Refactorings


async def test_a_person_who_opens_the_menu_sees_what_can_be_done_with_a_task(desk):
    assert await desk.ask("Second thing", only=["refactor"]) == [
        "Start Task 1.2",
        "Block Task 1.2 and note why",
        "Skip Task 1.2 and note why",
        "Split off a part of Task 1.2",
        "Move Task 1.2 to Phase 2: Go on",
        "Write the order as dependencies",
    ]
    assert desk.found[3]["disabled"] == {"reason": "Select the words of the task that become another task."}
    assert await desk.ask("Second thing", only=["refactor.move"]) == ["Move Task 1.2 to Phase 2: Go on"]
    assert await desk.ask("Read and", only=["refactor.rewrite"]) != []
    assert "Split into “Read” and “write”" in [action["title"] for action in desk.found]
    assert await desk.ask("Completed Task", only=["refactor"]) == []


async def test_a_cursor_that_comes_by_lights_no_line_without_problems(desk):
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == []
    assert await desk.ask("## Phase 2", trigger=AUTOMATIC) == []
    assert await desk.ask("Task 1.3", trigger=AUTOMATIC) == ["Write [~]"]


async def test_start(desk):
    await desk.ask("Second thing")
    expected = PLAN.replace("- [ ] Task 1.2", "- [~] Task 1.2") + "- NOW: Started Task 1.2\n"
    assert await desk.done("Start Task 1.2") == expected


async def test_blocking_without_a_reason_leaves_a_note_to_fill_in(desk):
    await desk.ask("Second thing")
    expected = PLAN.replace("- [ ] Task 1.2", "- [!] Task 1.2").replace(
        "has time\n", "has time\n  - Notes: blocked because …\n"
    )
    assert await desk.done("Block Task 1.2 and note why") == expected + "- NOW: Task 1.2 blocked\n"
    expected = expected.replace("[!]", "[-]").replace("blocked because", "skipped because")
    assert await desk.done("Skip Task 1.2 and note why") == expected + "- NOW: Skipped Task 1.2\n"


async def test_selected_words_are_the_reason(desk):
    titles = await desk.ask(desk.place("nobody has", "time"))
    assert "Block Task 1.2: “nobody has time”" in titles and "Skip Task 1.2: “nobody has time”" in titles
    text = await desk.done("Skip Task 1.2: “nobody has time”")
    assert text == PLAN.replace("- [ ] Task 1.2", "- [-] Task 1.2") + "- NOW: Skipped Task 1.2 - nobody has time\n"


async def test_a_line_below_the_task_is_the_reason_and_goes(desk):
    said = PLAN.replace("  - nobody has time\n", "  - nobody has time\n  > block: no key yet\n")
    desk.editor.replace(desk.uri, said)
    await desk.ask("Second thing")
    text = await desk.done("Block Task 1.2: “no key yet”")
    assert "> block" not in text
    assert "  - Notes: no key yet\n" in text and text.endswith("- NOW: Task 1.2 blocked - no key yet\n")


async def test_selected_words_of_a_task_become_another_task(desk):
    titles = await desk.ask(desk.place("Second", "thing"))
    assert "Split off a part of Task 1.2: “Second thing”" in titles
    text = await desk.done("Split off a part of Task 1.2: “Second thing”")
    assert "- [ ] Task 1.4: Second thing [depends:1.1]\n" in text


async def test_split_move_and_dependencies(desk):
    await desk.ask("Read and")
    text = await desk.done("Split into “Read” and “write”")
    assert "- [/] Task 1.3: Read [depends:1.2]\n- [ ] Task 1.4: write [depends:1.2]\n" in text
    await desk.ask("A task")
    moved = await desk.done("Move Task 2.1 to Phase 1: Begin")
    assert moved.index("A task") < moved.index("## Phase 2")
    assert "[depends:" in await desk.done("Write the order as dependencies")


async def test_headings_become_tasks(desk):
    desk.editor.replace(desk.uri, "# Plan\n\n## Phase 1: A\n\n### Task 1.1: one\n\n- text\n\n### Task 1.2: two\n")
    assert await desk.ask("### Task 1.1", only=["refactor"]) == ["Make it a task", "Make 2 headings tasks"]
    text = await desk.done("Make 2 headings tasks")
    assert len(plans.parse(text).tasks) == 2


async def test_numbers_are_closed_from_the_heading_the_title_or_by_kind(desk):
    assert "Number the tasks of phase 1 anew" not in await desk.ask("## Phase 1", only=["refactor"])
    desk.editor.replace(desk.uri, PLAN.replace("- []", "- [ ]"))
    await desk.ask("## Phase 1", only=["refactor"])
    assert "- [ ] Task 1.4: Last" in await desk.done("Number the tasks of phase 1 anew")
    assert await desk.ask("A task", only=["source.renumber.devloop"]) == ["Number all tasks anew"]
    assert "- [ ] Task 1.4: Last" in await desk.done("Number all tasks anew")
    assert "Number the tasks of phase 2 anew" not in await desk.ask("## Phase 2", only=["refactor"])
    desk.editor.replace(desk.uri, PLAN.replace("Task 2.1", "Task 1.1"))
    await desk.ask("# Plan", only=["source.renumber"])
    (action,) = desk.found
    assert action["title"] == "Number all tasks anew" and action["disabled"]["reason"].endswith(".")


async def test_a_finished_phase_is_archived_by_a_command(desk, editors):
    text = PLAN.replace("- [ ] Task 1.2", "- [x] Task 1.2").replace("[/]", "[x]").replace("- [] Task", "- [x] Task")
    desk.editor.replace(desk.uri, text)
    assert "Archive phase 1" in await desk.ask("## Phase 1", only=["refactor"])
    action = next(action for action in desk.found if action["title"] == "Archive phase 1")
    arguments = [{"uri": desk.uri, "phase": "1"}]
    assert action["command"] == {"title": "Archive phase 1", "command": "devloop.archive", "arguments": arguments}
    await desk.ask("# Plan", only=["refactor"])
    assert desk.found[0]["command"]["arguments"] == [{"uri": desk.uri}]
    careful = await editors()
    await careful.initialize(initializationOptions={"trusted": False})
    other = Desk(careful).open(text)
    assert "Archive phase 1" not in await other.ask("## Phase 1", only=["refactor"])


# Runs


def checkpoint(service, **more):
    runs.queued(service)
    runs.working(service)
    runs.waiting(service, **more)


async def test_a_run_that_waits_is_decided_at_its_task(service, desk):
    checkpoint(service, decisions=["continue", "stop"])
    pushed = desk.editor.told
    await desk.editor.until(lambda: "checkpoint" in str(pushed("textDocument/publishDiagnostics")[-1:]), "the mark")
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == [
        "Continue – Task 1.2",
        "Stop – Task 1.2",
        "Show changes – Task 1.2",
    ]
    first, _, last = desk.found
    arguments = {"uri": desk.uri, "run": "run-1", "checkpoint": 1}
    assert first["command"] == {
        "title": "Continue – Task 1.2",
        "command": "devloop.decide",
        "arguments": [{**arguments, "decision": "continue"}],
    }
    assert first["kind"] == "quickfix" and "isPreferred" not in first
    assert [each["code"] for each in first["diagnostics"]] == ["checkpoint"]
    assert last["command"]["command"] == "devloop.showDiff"
    assert await desk.ask("A task", trigger=AUTOMATIC) == []
    runs.ended(service)
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == []


async def test_a_decision_that_needs_words_makes_room_for_them_first(service, desk):
    checkpoint(service, decisions=["revise", "continue"], diff=None)
    title = "Revise… – Task 1.2: write `> revise: …` below the task"
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == [title, "Continue – Task 1.2"]
    text = await desk.done(title)
    assert text == PLAN.replace("nobody has time\n", "nobody has time\n  > revise: \n")
    desk.editor.replace(desk.uri, text.replace("> revise: ", "> revise: use the helper"))
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == ["Revise… – Task 1.2", "Continue – Task 1.2"]
    assert desk.found[0]["command"]["arguments"][0]["decision"] == "revise"


async def test_a_run_whose_task_is_gone_is_decided_at_the_top(service, desk):
    runs.queued(service, task="7.7", title="Gone")
    runs.waiting(service, decisions=["stop"], diff=None)
    assert await desk.ask("# Plan", trigger=AUTOMATIC) == ["Stop – run run-1"]


async def test_a_task_is_run_cancelled_and_shown_from_the_menu(service, desk):
    assert (await desk.ask("Second thing"))[0] == "▶ Run Task 1.2"
    assert desk.found[0]["command"]["command"] == "devloop.run"
    assert desk.found[0]["command"]["arguments"][0]["task"]["id"] == "1.2"
    assert "kind" not in desk.found[0]
    assert not [title for title in await desk.ask("Read and") if "Run" in title], "it waits for another task"
    runs.queued(service)
    runs.working(service)
    titles = await desk.ask("Second thing")
    assert titles[0] == "Cancel the run of Task 1.2" and titles[1].startswith("Show run · turn 3")
    assert (await desk.ask("## Phase 2"))[0].startswith("▶ Run phase")
    assert not [title for title in await desk.ask("Second thing", only=["refactor"]) if "run" in title]


async def test_an_editor_that_does_not_trust_the_folder_neither_runs_nor_decides(service, editors):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    desk = Desk(editor).open()
    assert "▶ Run Task 1.2" not in await desk.ask("Second thing")
    assert "Start Task 1.2" in [action["title"] for action in desk.found], "that changes text alone"
    checkpoint(service)
    assert await desk.ask("Second thing", trigger=AUTOMATIC) == ["Show changes – Task 1.2"]


# Editors that can less


async def test_edits_are_there_at_once_where_the_editor_can_not_ask_for_them(editors):
    for missing in (("resolveSupport",), ("dataSupport",)):
        editor = await editors()
        await editor.initialize(without("textDocument", "codeAction", *missing))
        desk = Desk(editor).open()
        titles = await desk.ask("Second thing")
        assert "Start Task 1.2" in titles and "Block Task 1.2 and note why" in titles
        assert all(("edit" in action) != ("command" in action or "disabled" in action) for action in desk.found)
        assert all("data" not in action for action in desk.found)
        assert "- [~] Task 1.2" in await desk.done("Start Task 1.2")


async def test_no_preference_and_nothing_disabled_where_that_is_not_declared(editors):
    editor = await editors()
    await editor.initialize(without("textDocument", "codeAction", "isPreferredSupport"))
    desk = Desk(editor).open()
    await desk.ask("Task 1.3", only=["quickfix"])
    assert "isPreferred" not in desk.found[0]
    editor = await editors()
    await editor.initialize(without("textDocument", "codeAction", "disabledSupport"))
    desk = Desk(editor).open()
    assert "Split off a part of Task 1.2" not in await desk.ask("Second thing", only=["refactor"])


async def test_an_editor_without_literals_gets_commands_only(service, editors):
    editor = await editors()
    await editor.initialize(without("textDocument", "codeAction", "codeActionLiteralSupport"))
    desk = Desk(editor).open()
    assert await desk.ask("Second thing") == ["▶ Run Task 1.2"]
    assert desk.found[0]["command"] == "devloop.run"
    checkpoint(service, decisions=["continue"])
    assert await desk.ask("Second thing") == ["Continue – Task 1.2", "Show changes – Task 1.2"] + [
        title for title in [each["title"] for each in desk.found] if title.startswith("Show run")
    ]
    assert all(isinstance(each["command"], str) for each in desk.found)


async def test_an_editor_without_versioned_changes_gets_plain_ones(editors):
    editor = await editors()
    await editor.initialize(without("workspace"))
    desk = Desk(editor).open()
    await desk.ask("Task 1.3", only=["quickfix"])
    action = await editor.request("codeAction/resolve", desk.found[0])
    assert list(action["edit"]) == ["changes"]
    assert apply_edits(PLAN, action["edit"]["changes"][desk.uri]) == PLAN.replace("[/]", "[~]")


async def test_a_document_that_is_no_plan_has_none(editor):
    uri = editor.open("README.md", "- [/] a")
    place = {"line": 0, "character": 0}
    params = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
    assert await editor.request("textDocument/codeAction", params) is None


# Every fix


PIECES = (
    *("- [/] Task {n}.1: 😀 alias", "- [] Task {n}.2: é box", "-[ ] Task {n}.3: x", "- [x ] Task {n}.4: x"),
    *("- [ ] Task {n}.5: a [depends:{n}.3-{n}.1]", "- [ ] Task {n}.6: a [depend:{n}.1]", "- [?] Task {n}.7: a"),
    *("- [ ] Task {n}.8: a [parallel:none]", "- [ ] Task {n}.9: a [depends:{n}.99, {n}.9]", "- [ ] Task {n}.1: again"),
    *(
        "- [x] Task {n}.10: done",
        "      - [ ] deep",
        "text\n2. [ ] no task",
        "## Phase {n}: 🚧 Part ✅",
        "**Status* : Done",
    ),
    *(
        "  - Files: `a.py`, `../x.py`",
        "- [ ] Task {n}.11: [parallel:A]\n  - Files: `a.py`",
        "**Current Phase**: Phase 9",
    ),
    *(
        "- [ ] Task {n}.12: z [parallel:A] [agent:enginer]\n  - Files: `a.py`",
        "- [ ] {n}.13 [depends:Phase {n}]",
        "",
        "```",
    ),
)


def generated(seed):
    """A plan full of problems, with any line ends."""
    chance = random.Random(seed)
    eol = chance.choice(["\n", "\n", "\r\n", "\r"])
    lines = [
        "# Plan 😀",
        "",
        "**Status**: " + chance.choice(["In Progress", "Complete", "Done?"]),
        "",
        "## Phase 1: A",
        "",
    ]
    lines += [chance.choice(PIECES).format(n=chance.choice((1, 1, 2))) for _ in range(chance.randrange(3, 14))]
    text = ("\ufeff" if chance.random() < 0.2 else "") + "\n".join(lines).replace("\n", eol)
    return text + (eol if chance.random() < 0.7 else "")


async def test_every_fix_does_through_the_editor_what_it_does_in_the_plan(desk):
    """Positions in UTF-16, line ends and a BOM as they come: the editor's text is that of the plan."""
    seen = set()
    for seed in range(60):
        text = generated(seed)
        version = desk.editor.replace(desk.uri, text)
        plan = plans.parse(text)
        place = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        await desk.ask(place, only=["quickfix"])
        expected, nth, line = {}, 0, 0
        for problem in plan.problems:
            nth, line = (nth + 1 if problem.line == line else 0), problem.line
            for index, fix in enumerate(fixes_of(plan, problem)):
                text_then = plans.apply(plan.data, fix.edits).decode()
                expected[problem.code, line, nth, index, fix.title] = text_then
        assert len(plan.problems) <= 30, "so many are looked at"
        for action in desk.found:
            data = action["data"]
            assert data["version"] == version
            key = (data["name"], data["line"], data["nth"], data["index"], data["title"])
            if key in expected:  # others come from outside of the text
                assert apply_edits(text, await desk.edit_of(action)) == expected.pop(key)
                seen.add(data["name"])
        assert not expected, "each fix of the plan is offered"
    assert len(seen) >= 12, seen
