"""Editors that never answer, and editors that can't be told which version an edit is meant for."""

from __future__ import annotations

import asyncio
import copy

import pytest

from devloop import plan as plans
from devloop.daemon import plan_events
from devloop.lsp import applying, client, configuration
from devloop.lsp import editor as editors_side
from devloop.lsp.live import outside, progress, shown
from support import runs
from support.editor import EVERYTHING, HOLD, PULLS, Failed, apply_edits

PLAIN = copy.deepcopy(EVERYTHING)
del PLAIN["workspace"]["workspaceEdit"]["documentChanges"]
MARKED = "- [~] Task 1.2: Second thing [depends:1.1]"


def waiting(editors):
    return [each for found in editors.server.connections for each in found.protocol._asked.values()]


@pytest.fixture
def impatient(monkeypatch):
    for module in (editors_side, progress):
        monkeypatch.setattr(module, "ANSWER_S", 0.1)
    monkeypatch.setattr(shown, "SHOW_S", 0.1)
    monkeypatch.setattr(configuration, "SAY_S", 0.1)
    assert (client.ANSWER_S, client.SHOW_S) == (5.0, 10.0)


QUESTIONS = (
    "workspace/configuration",
    "client/registerCapability",
    "workspace/diagnostic/refresh",
    "workspace/codeLens/refresh",
    "workspace/inlayHint/refresh",
    "window/workDoneProgress/create",
    "window/showDocument",
    "workspace/textDocumentContent/refresh",
)


async def test_nothing_is_kept_for_an_editor_that_never_answers(service, editors, impatient):
    runs.answering(service, diff={"run": "run-1", "patch": "x"})
    editor = await editors()
    for method in QUESTIONS:
        editor.answers[method] = HOLD
    await editor.initialize(PULLS)
    uri = editor.open()
    await editor.until(lambda: any(m == "workspace/diagnostic/refresh" for m, _ in editor.asked), "it has joined")
    for method in ("codeLens", "inlayHint"):
        place = {"range": {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}}
        await editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, **place})
    runs.queued(service)
    answer = await editor.request(
        "workspace/executeCommand", {"command": "devloop.showDiff", "arguments": [{"run": "run-1"}]}
    )
    assert answer["patch"] == "x"
    runs.working(service)
    asked = {method for method, _ in editor.asked}
    await editor.until(lambda: asked | {m for m, _ in editor.asked} >= set(QUESTIONS), "all questions")
    await editor.until(lambda: not waiting(editors), "none is waited for")
    await editor.until(lambda: len(editor.withdrawn) == len(editor.asked), "all are withdrawn")
    (found,) = editors.server.connections
    assert not found._tasks or all(not task.done() for task in found._tasks)


async def test_a_bar_that_nobody_answers_for_is_gone_with_its_run(service, editors, impatient):
    editor = await editors()
    editor.answers["window/workDoneProgress/create"] = HOLD
    await editor.initialize()
    runs.queued(service)
    await editor.until(lambda: editor.withdrawn, "the question is withdrawn")
    runs.ended(service)
    async with asyncio.timeout(10):
        while [each.tokens for each in editors.server.live.progress.values()] != [[]]:
            await asyncio.sleep(0.01)


async def test_problems_beyond_those_that_are_kept_are_counted(editor, monkeypatch):
    monkeypatch.setattr(outside, "MOST", 5)
    lines = "".join(f"- [ ] Task 1.{n}: T\n  - **Files**: `missing{n}.py`\n" for n in range(1, 13))
    uri = editor.open(text=f"# Plan: P\n\n{lines}")

    def told():
        pushed = editor.told("textDocument/publishDiagnostics")
        return pushed[-1]["diagnostics"] if pushed and pushed[-1]["uri"] == uri else []

    await editor.until(lambda: "missing-file" in {each["code"] for each in told()}, "the problems outside")
    found = told()
    assert [each["code"] for each in found].count("missing-file") == 5
    assert found[-1]["message"].startswith("7 more problems")


# Editors without versions in edits


class Plainly:
    """Does `workspace/applyEdit` on whatever the text is. `first` is typed before, without telling."""

    def __init__(self, editor, first=None):
        self.editor, self.first = editor, first

    def __call__(self, params):
        ((uri, edits),) = params["edit"]["changes"].items()
        if self.first is not None:
            first, self.first = self.first, None
            self.editor.type(uri, *first)
        self.editor.replace(uri, apply_edits(self.editor.texts[uri][1], edits))
        return {"applied": True}


@pytest.fixture
async def plain(editors):
    editor = await editors()
    await editor.initialize(PLAIN)
    editor.plan = editor.open()
    await editor.diagnostics(editor.plan, 1)
    return editor


@pytest.fixture
def start(service):
    async def make(task="1.2"):
        ref = plans.TaskRef.of(plans.find_task(service.documents.plan()[1], task))
        event = plan_events.event_of({"kind": "started", "task": ref.to_json(), "at": "2026-01-02T03:04:00+00:00"})
        return await service.documents.record(lambda plan: plans.change(plan, event), "devloop", "", event)

    return make


async def test_a_change_is_made_in_a_buffer_that_is_left_alone(plain, start, project):
    plain.answers["workspace/applyEdit"] = Plainly(plain)
    before = (project / ".devloop" / "plan.md").read_text()
    assert (await start())[1] is True
    assert MARKED in plain.texts[plain.plan][1] and (project / ".devloop" / "plan.md").read_text() == before


@pytest.mark.parametrize("typed", [(0, 0, "Above\n\n"), (7, 0, "- [ ] Task 1.0: Another one\n"), (8, 0, "x")])
async def test_a_change_that_hit_a_text_which_had_moved_is_taken_back_and_made_again(plain, start, service, typed):
    plain.answers["workspace/applyEdit"] = Plainly(plain, typed)
    wanted = plain.texts[plain.plan][1]
    at = sum(len(line) + 1 for line in wanted.split("\n")[: typed[0]]) + typed[1]
    wanted = wanted[:at] + typed[2] + wanted[at:]
    try:
        await start()
    except Exception as problem:  # the last one spoils the task's own line: then nothing is made at all
        assert typed == (8, 0, "x"), problem
    text = plain.texts[plain.plan][1]
    if typed[2] != "x":
        assert MARKED in text and text.count("[~]") == 1 and text.count("Started Task 1.2") == 1
    assert len([line for line in text.split("\n") if line not in wanted.split("\n")]) <= 2
    assert all(line in text for line in wanted.split("\n") if "Second thing" not in line)


async def test_what_is_typed_below_is_no_reason_to_do_it_again(plain, start):
    text = plain.texts[plain.plan][1] + "\n## Notes\n\nAll of it.\n"
    await plain.diagnostics(plain.plan, plain.replace(plain.plan, text))
    end = text.count("\n")
    plain.answers["workspace/applyEdit"] = Plainly(plain, (end, 0, "A last line\n"))
    await start()
    text = plain.texts[plain.plan][1]
    assert MARKED in text and text.count("A last line\n") == text.count("Started Task 1.2") == 1
    assert [method for method, _ in plain.asked].count("workspace/applyEdit") == 1


async def test_a_change_waits_for_a_pause_in_typing(plain, start, monkeypatch):
    plain.answers["workspace/applyEdit"] = Plainly(plain)
    monkeypatch.setattr(applying, "QUIET_AT_MOST_S", 0.0)
    version = plain.type(plain.plan, 2, 0, "x")
    await plain.diagnostics(plain.plan, version)
    assert (await start())[0].open is False  # it went to the file
    monkeypatch.setattr(applying, "QUIET_AT_MOST_S", 5.0)
    version = plain.type(plain.plan, 2, 0, "y")
    await plain.diagnostics(plain.plan, version)
    assert (await start("2.1"))[0].open is True
    assert "- [~] Task 2.1" in plain.texts[plain.plan][1]


async def test_an_edit_without_a_version_is_not_given_for_a_text_that_was_changed_since(plain, editors, monkeypatch):
    (connection,) = editors.server.connections
    make = editors_side.Editor.workspace_edit

    def typed_meanwhile(self, uri, version, edits):
        self.buffers[uri].version += 1
        return make(self, uri, version, edits)

    monkeypatch.setattr(editors_side.Editor, "workspace_edit", typed_meanwhile)
    at = {"textDocument": {"uri": plain.plan}, "position": {"line": 7, "character": 12}, "newName": "4.2"}
    with pytest.raises(Failed) as refused:
        await plain.request("textDocument/rename", at)
    assert refused.value.error["code"] == -32801
    assert connection.versions is False
