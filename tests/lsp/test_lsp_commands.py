"""workspace/executeCommand: what may be asked, what is refused and how, and one whole way with the real engine."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from devloop.daemon import connect
from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.hello import hello
from devloop.paths import StateDir
from devloop.rpc import encode, read_message
from support import projects, runs
from support.editor import HOLD, Editor, Failed
from support.engines import trust_everything

NAMES = [
    *("run", "continue", "runPhase", "decide", "fresh", "cancel", "showRun", "showDiff", "openTranscript", "nextTask"),
    *("archive", "mark", "move", "depends", "start", "quick", "ship", "onboard", "bootstrap", "planNew", "planRevise"),
    *("spike", "review", "analyze", "dismissFinding", "planFinding", "fixFinding", "status", "doctor"),
]
STARTED = {"run": "run-1", "attempt": 1, "state": "queued", "attached": False}


async def call(editor, name, **arguments):
    params = {"command": f"devloop.{name}", "arguments": [arguments]}
    return await editor.request("workspace/executeCommand", params)


async def refused(editor, name, **arguments):
    with pytest.raises(Failed) as failed:
        await call(editor, name, **arguments)
    return failed.value.error


@pytest.fixture
def started(service):
    """What the engine was asked to start."""
    found = []
    runs.answering(
        service,
        start=lambda params: found.append(params) or STARTED,
        show={"run": {"id": "run-1", "loop": "loop-1"}},
    )
    return found


async def test_every_command_is_announced(editors):
    editor = await editors()
    announced = await editor.initialize()
    assert announced["capabilities"]["executeCommandProvider"]["commands"] == [f"devloop.{name}" for name in NAMES]


async def test_a_run_begins_with_the_text_of_the_buffer_not_of_the_file(editor, started):
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    editor.type(uri, 7, 16, "Quite another thing ")
    answer = await call(editor, "run", uri=uri, task={"id": "1.2"})
    assert answer["run"] == "run-1"
    assert answer["loop"] == "loop-1"
    assert started[0]["task"]["title"] == "Quite another thing Second thing"
    assert "Quite another" not in (editor.root / ".devloop/plan.md").read_text()


async def test_a_task_that_changed_since_the_editor_was_told_is_refused(editor, started):
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    error = await refused(editor, "run", uri=uri, task={"id": "1.2", "key": "abcdef012345", "title": "Old", "line": 8})
    assert error["data"]["kind"] == "stale_edit"
    assert error["code"] == -32801
    assert error["message"].startswith("Task 1.2 is no longer what it was")
    assert started == []


async def test_a_task_that_may_not_run_says_why(editor, started):
    error = await refused(editor, "run", task={"id": "1.3"})
    assert error["message"].startswith("Task 1.3 can't run: it waits for 1.2, not done yet.")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"command": "devloop.fly"}, "There is no command 'devloop.fly'."),
        ({"command": "devloop.run", "arguments": [{}]}, "Which task?"),
        ({"command": "devloop.run", "arguments": ["1.2"]}, "devloop.run takes one object"),
        ({"command": "devloop.run", "arguments": [{}, {}]}, "devloop.run takes one object"),
        (
            {"command": "devloop.run", "arguments": [{"tsk": 1}]},
            "devloop.run: there is no argument 'tsk'; there",
        ),
        ({"command": "devloop.run", "arguments": [{"task": "1.2"}]}, "devloop.run: 'task' is wrong"),
        ({"command": "devloop.run", "arguments": [{"task": {"id": 1}}]}, "devloop.run: 'task.id' is wrong"),
        ({"command": "devloop.continue", "arguments": [{"limit": True}]}, "devloop.continue: 'limit' is wrong"),
        ({"command": "devloop.continue", "arguments": [{"limit": 0}]}, "devloop.continue: 'limit' is wrong"),
        ({"command": "devloop.runPhase"}, "Which phase?"),
        ({"command": "devloop.runPhase", "arguments": [{"phase": "9"}]}, "There is no phase '9'. The plan has: 1, 2."),
        ({"command": "devloop.decide", "arguments": [{"run": "run-9"}]}, "Which decision?"),
        (
            {"command": "devloop.decide", "arguments": [{"run": "run-9", "decision": "stop"}]},
            "There is no run 'run-9'",
        ),
        ({"command": "devloop.decide", "arguments": [{"decision": "stop"}]}, "No run waits for a decision."),
        ({"command": "devloop.fresh"}, "No run waits whose work could be accepted."),
        ({"command": "devloop.cancel"}, "No run is open."),
        ({"command": "devloop.archive"}, "No phase is finished"),
        ({"command": "devloop.showRun", "arguments": [{"task": {"id": "2.1"}}]}, "Task 2.1 has no run."),
        ({"command": "devloop.showRun", "arguments": [{"task": {"id": "7.7"}}]}, "There is no task '7.7'. Nearest: "),
        ({"command": "devloop.run", "arguments": [{"task": {"id": "7.7"}}]}, "There is no task '7.7'. Nearest: "),
        ({"command": "devloop.continue", "arguments": [{"task": {"id": "7.7"}}]}, "There is no task '7.7'. Nearest: "),
        ({"command": "devloop.openTranscript"}, "There is no run yet."),
    ],
)
async def test_a_wrong_call_gets_a_sentence(editor, started, params, message):
    with pytest.raises(Failed) as failed:
        await editor.request("workspace/executeCommand", params)
    assert failed.value.error["message"].startswith(message)
    assert failed.value.error["code"] in (-32602, -32803)
    assert "Traceback" not in json.dumps(failed.value.error)
    assert started == []


async def test_a_decision_that_is_not_offered_or_comes_too_late_is_refused(service, editor, started):
    editor.answers["window/showMessageRequest"] = HOLD
    runs.queued(service)
    runs.waiting(service)
    error = await refused(editor, "decide", run="run-1", decision="recheck")
    assert error["message"].startswith("'recheck' is not possible here. Choose one of: continue")


@pytest.mark.parametrize("name", ["run", "continue", "runPhase", "decide", "fresh", "archive"])
async def test_an_untrusted_folder_runs_and_decides_nothing(editors, started, name):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    error = await refused(editor, name, task={"id": "1.2"}, phase="1", decision="stop")
    assert error["data"]["kind"] == "refused"
    assert started == []
    assert (await call(editor, "nextTask"))["task"]["id"] == "1.2"


async def test_only_the_plan_of_the_workspace_can_be_run(editor, started, project):
    (project / "docs").mkdir()
    (project / "docs/plan.md").write_text("# Plan: Other\n\n- [ ] Task 1.2: Second thing\n")
    uri = editor.open("docs/plan.md")
    error = await refused(editor, "run", uri=uri, task={"id": "1.2"})
    assert error["message"].startswith("docs/plan.md is not the plan of this workspace")


async def test_continue_and_a_phase_become_loops(editor, started):
    assert (await call(editor, "continue", limit=2))["run"] == "run-1"
    assert started[-1]["task"]["id"] == "1.2"
    assert (started[-1]["loop"]["limit"], started[-1]["loop"]["phase"]) == (2, None)
    await call(editor, "runPhase", phase="Phase 2")
    assert started[-1]["task"]["id"] == "2.1"
    assert (started[-1]["loop"]["limit"], started[-1]["loop"]["phase"]) == (1, "2")


async def test_the_next_task_is_selected_in_the_editor(editor):
    editor.answers["window/showDocument"] = {"success": True}
    uri = editor.open()
    found = await call(editor, "nextTask")
    assert (found["path"], found["task"]["id"]) == (".devloop/plan.md", "1.2")
    ((_, shown),) = [each for each in editor.asked if each[0] == "window/showDocument"]
    assert shown["uri"] == uri
    assert shown["selection"] == {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 42}}


async def test_without_a_name_the_open_run_is_shown_else_the_newest(service, editor):
    shown = []
    runs.answering(
        service,
        transcript=lambda params: shown.append(params["run"]) or {"run": params["run"], "text": ""},
        runs={"runs": [{"id": "run-8"}]},
    )
    await call(editor, "openTranscript")
    runs.queued(service)
    await call(editor, "openTranscript")
    runs.queued(service, "run-2", "1.3", "Third thing")
    error = await refused(editor, "openTranscript")
    assert error["message"] == "2 runs are open: run-1, run-2. Say which."
    assert shown == ["run-8", "run-1"]


async def test_fresh_accepts_the_run_that_waits(service, editor):
    editor.answers["window/showMessageRequest"] = HOLD
    decided = []
    runs.answering(service, decide=lambda params: decided.append(params) or {"run": "run-1"})
    runs.queued(service)
    runs.waiting(service)
    await call(editor, "fresh")
    assert [(each["run"], each["decision"], each["checkpoint"]) for each in decided] == [("run-1", "fresh", 1)]


async def test_archiving_writes_the_phase_and_changes_the_buffer(editor, project):
    text = (project / ".devloop/plan.md").read_text().replace("- [ ] Task 1.", "- [x] Task 1.")
    (project / ".devloop/plan.md").write_text(text)
    uri = editor.open()
    editor.answers["workspace/applyEdit"] = editor.apply
    await editor.diagnostics(uri, 1)
    editor.type(uri, 14, 0, "- [ ] Task 2.2: More [depends:1.2]\n")
    answer = await call(editor, "archive", uri=uri, phase="1")
    assert answer["phases"] == ["1"]
    (file,) = answer["files"]
    archived = (project / file).read_text()
    assert "- [x] Task 1.2: Second thing [depends:1.1]" in archived
    _, now = editor.texts[uri]
    assert "Phase 1" not in now.replace("Archived Phase 1", "")
    assert f"Archived Phase 1 to {file}" in now
    assert "Task 1.2: Second" in (project / ".devloop/plan.md").read_text(), "the file is the person's to save"
    await editor.until(
        lambda: editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"] == [], "archived tasks count as done"
    )


async def test_documents_of_unknown_runs_and_foreign_uris_are_refused(service, editor):
    for uri in ("devloop://run/run-9.diff", "devloop://other/x.diff", "file:///etc/passwd", "devloop://run/x"):
        with pytest.raises(Failed) as failed:
            await editor.request("workspace/textDocumentContent", {"uri": uri})
        assert failed.value.error["data"]["kind"] == "not_found"


async def test_the_page_of_a_run_shows_foreign_text_as_text(service, editor):
    run = {"id": "run-1", "task": "1.2", "title": "[x](http://a) <b>", "state": "ended", "outcome": "landed"}
    shown = {"run": run, "turns": [], "gates": [{"gate": "t\x1b[2J", "verdict": "pass"}], "checkpoint": None}
    runs.answering(service, show={**shown, "notices": []})
    runs.queued(service)
    text = (await editor.request("workspace/textDocumentContent", {"uri": "devloop://run/run-1.md"}))["text"]
    assert text.startswith("# 1.2 \\[x\\](http:\\//a) \\<b>\n")
    assert "\x1b" not in text


# One whole way

SCENARIO = [
    {"calls": [{"name": "write_file", "input": {"path": "new.txt", "content": "new\n"}}]},
    {"calls": [{"name": "finish", "input": {"summary": "It is done."}}]},
]
PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing

## Progress Log
"""


@pytest.fixture
async def real(short_tmp, monkeypatch):
    """An editor on a real daemon with the real engine; a scripted model answers."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(short_tmp / "s"))
    monkeypatch.setenv("DEVLOOP_CONFIG_DIR", str(short_tmp / "c"))
    (short_tmp / "scenario.json").write_text(json.dumps({"tasks": {"*": {"turns": SCENARIO}}}))
    monkeypatch.setenv("DEVLOOP_SCENARIO", str(short_tmp / "scenario.json"))
    root = projects.tiny_project(short_tmp / "p", PLAN)
    trust_everything(root)
    peer = await connect(root)
    state = StateDir.of(root)
    found = announced(state)
    assert found is not None
    reader, writer = await asyncio.open_unix_connection(found.socket)
    params = {**hello("editor"), "protocol": "lsp"}
    writer.write(encode({"jsonrpc": "2.0", "id": 0, "method": "devloop/hello", "params": params}))
    assert (await read_message(reader))["id"] == 0
    editor = Editor(reader, writer, root)
    yield editor
    await editor.vanish()
    await peer.close()
    os.kill(found.pid, signal.SIGTERM)
    async with asyncio.timeout(20):
        while True:
            with held_lock(state.daemon_lock) as lock:
                if lock is not None:
                    return
            await asyncio.sleep(0.02)


async def test_from_the_command_over_the_question_to_the_landed_commit(real):
    real.answers["workspace/applyEdit"] = real.apply
    real.answers["window/showDocument"] = {"success": True}
    chosen = iter(["Show changes", "Commit"])
    real.answers["window/showMessageRequest"] = lambda params: {"title": next(chosen)}
    await real.initialize()
    uri = real.open()
    await real.diagnostics(uri, 1)
    answer = await call(real, "run", uri=uri, task={"id": "1.1", "line": 7})
    assert (answer["run"], answer["attached"]) == ("run-1.1-1", False)

    def bars(kind):
        return [params["value"] for params in real.told("$/progress") if params["value"]["kind"] == kind]

    await real.until(lambda: bars("begin"), "progress begins", 60)
    await real.until(lambda: bars("end"), "progress ends", 60)
    assert bars("end") == [{"kind": "end", "message": "landed"}]
    assert [p["uri"] for m, p in real.asked if m == "window/showDocument"] == ["devloop://run/run-1.1-1.diff"]
    questions = [p for m, p in real.asked if m == "window/showMessageRequest"]
    assert len(questions) == 2
    assert "It is done. (✓ check · 1 file, +1 −0" in questions[0]["message"]
    await real.until(lambda: "- [x] Task 1.1: First thing" in real.texts[uri][1], "the tick is in the buffer")
    assert projects.git(real.root, "show", "HEAD:new.txt") == "new"
    assert "- [x] Task 1.1: First thing" in projects.git(real.root, "show", "HEAD:.devloop/plan.md")
    await real.until(lambda: "Committed Task 1.1" in real.texts[uri][1], "the commit is logged in the buffer")
    shown = await call(real, "openTranscript", run="run-1.1-1")
    assert "### write_file" in shown["text"]
    assert "It is done." in shown["text"]
    status = await call(real, "status")
    assert status["runs"] == []
    wanted = ["run.queued", "checkpoint.opened", "checkpoint.closed", "run.ended"]

    def kinds():
        told = [event["kind"] for params in real.told("devloop/event") for event in params["events"]]
        return [kind for kind in told if kind in wanted]

    await real.until(lambda: kinds() == wanted, "the events are told in order")


@pytest.fixture
def begun(service):
    """What the engine is asked to begin; it begins `run-quick-1`."""
    asked = []

    def begin(params):
        asked.append(params)
        return {"run": "run-quick-1", "attempt": 1, "state": "queued", "attached": False}

    service.engine.answers["engine/start"] = begin
    return asked


@pytest.mark.parametrize("name", ["quick", "onboard"])
async def test_an_errand_is_begun_with_the_persons_words(editor, begun, name):
    answer = await call(editor, name, message="Mend the greeting")
    assert (answer["run"], answer["task"]) == ("run-quick-1", f"@{name}")
    task = begun[0]["task"]
    assert task["errand"]["command"] == name and "Mend the greeting" in f"{task['title']} {task['notes']}"


async def test_a_bootstrap_reads_the_projects_own_files_and_no_others(editor, begun):
    (editor.root / "want.md").write_text("# Want\n")
    assert (await call(editor, "bootstrap", files=["want.md"]))["task"] == "@bootstrap"
    for files, kind in ((None, "usage"), (["none.md"], "not_found"), (["../outside.md"], "refused")):
        assert (await refused(editor, "bootstrap", files=files))["data"]["kind"] == kind
    assert len(begun) == 1


async def test_without_words_nothing_begins(editor, begun):
    for name in ("quick", "start"):
        error = await refused(editor, name)
        assert error["data"]["kind"] == "usage" and error["message"].startswith("What shall be done?")
    assert begun == []


async def test_a_workflow_does_not_replace_the_plan_in_hand(editor, begun):
    before = (editor.root / ".devloop/plan.md").read_bytes()
    error = await refused(editor, "start", message="Greet people")
    assert error["data"]["kind"] == "refused" and "plan in hand" in error["message"]
    assert (editor.root / ".devloop/plan.md").read_bytes() == before and begun == []
