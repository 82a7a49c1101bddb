"""A run that waits: the diagnostic on its line, the question in the editors, and what an answer does."""

from __future__ import annotations

import asyncio

import pytest

from support import runs
from support.editor import EVERYTHING, HOLD

ASK = "window/showMessageRequest"
GATES = [{"gate": "tests", "verdict": "pass"}, {"gate": "lint", "verdict": "fail"}]


@pytest.fixture
def decided(service):
    """The decisions that reached the engine; each closes its checkpoint, as the engine does."""
    found = []

    def decide(params):
        found.append(dict(params))
        closed = {"number": params["checkpoint"], "decision": params["decision"]}
        runs.tell(service, "checkpoint.closed", params["run"], **closed)
        runs.tell(service, "run.state", params["run"], state="working")
        return {name: params[name] for name in ("run", "checkpoint", "decision")}

    runs.answering(service, decide=decide)
    return found


def choose(title):
    """Answer a question by the action with this title."""
    return lambda params: next(action for action in params["actions"] if action["title"] == title)


def begin(service, run="run-1", **checkpoint):
    runs.queued(service, run)
    runs.waiting(service, run, **checkpoint)


async def marked(editor, uri, count=1):
    def found():
        told = [params for params in editor.told("textDocument/publishDiagnostics") if params["uri"] == uri]
        marks = [each for each in told[-1]["diagnostics"] if each["code"] == "checkpoint"] if told else []
        return (marks,) if told and len(marks) == count else None

    return (await editor.until(found, f"{count} checkpoints marked"))[0]


async def test_the_line_of_the_task_says_what_waits_until_it_is_decided(service, editor, decided):
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    begin(service, gates=GATES)
    (mark,) = await marked(editor, uri)
    assert mark == {
        "range": {"start": {"line": 7, "character": 0}, "end": {"line": 7, "character": 42}},
        "severity": 3,
        "code": "checkpoint",
        "source": "devloop",
        "message": "Ready for your decision: Did it. (✓ tests, ✗ lint · 2 files, +3 −1 · 3 turns, $0.25 scripted)",
        "data": {"run": "run-1", "checkpoint": 1},
    }
    editor.type(uri, 0, 0, "\n")
    (moved,) = [each for each in await editor.diagnostics(uri, 2) if each["code"] == "checkpoint"]
    assert moved["range"]["start"]["line"] == 8
    runs.tell(service, "checkpoint.closed", "run-1", number=1, decision="continue")
    runs.tell(service, "run.state", "run-1", state="landing")
    assert await marked(editor, uri, 0) == []


async def test_a_problem_and_a_question_are_warnings(service, editor):
    uri = editor.open()
    begin(service, kind="question", question={"text": "Which one?", "choices": []}, decisions=["answer", "stop"])
    (mark,) = await marked(editor, uri)
    assert mark["severity"] == 2
    assert mark["message"].startswith("The agent asks: Which one?")


async def test_the_message_offers_the_decisions_and_passes_the_answer_on(service, editor, decided):
    editor.answers[ASK] = choose("Commit")
    begin(service, gates=GATES)
    await editor.until(lambda: decided, "a decision")
    ((_, asked),) = [each for each in editor.asked if each[0] == ASK]
    assert asked["type"] == 3
    assert asked["message"].startswith("Task 1.2: Second thing\nReady for your decision: Did it.")
    assert [action["title"] for action in asked["actions"]] == [
        *("Continue", "Commit", "Fresh start", "Stop", "Revise…", "Discard…", "Show changes"),
    ]
    assert decided == [{"run": "run-1", "decision": "commit", "message": None, "checkpoint": 1}]


@pytest.mark.parametrize("command", ["devloop.decide", "devloop.fresh"])
async def test_what_a_decision_leaves_out_is_passed_on(service, editor, decided, command):
    begin(service)
    arguments = {"run": "run-1", "decision": "fresh", "leave_out": ["src/a.py", "b c.py"]}
    await editor.request("workspace/executeCommand", {"command": command, "arguments": [arguments]})
    assert decided[0]["decision"] == "fresh" and decided[0]["leave_out"] == ["src/a.py", "b c.py"]


async def test_what_is_said_to_be_no_secret_is_passed_on_as_it_was_shown(service, editor, decided):
    begin(service)
    asked = {"run": "run-1", "checkpoint": 1, "decision": "recheck", "not_secret": ["0123456789ab"]}
    await editor.request("devloop/decide", asked)
    assert decided == [asked]


async def test_an_answer_elsewhere_withdraws_the_question_everywhere_and_late_answers_are_dropped(
    service, editors, decided
):
    first, second = await editors(), await editors()
    for each in (first, second):
        each.answers[ASK] = HOLD
        await each.initialize()
        await each.until(lambda each=each: each.told("devloop/status"), "it has joined")
    begin(service)
    for each in (first, second):
        await each.until(lambda each=each: [m for m, _ in each.asked if m == ASK], "the question")
    await first.request(
        "workspace/executeCommand", {"command": "devloop.decide", "arguments": [{"run": "run-1", "decision": "stop"}]}
    )
    for each in (first, second):
        await each.until(lambda each=each: each.withdrawn, "the question is withdrawn")
        each.send({"id": each.withdrawn[0], "result": {"title": "Commit"}})
    await first.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    await second.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    assert [each["decision"] for each in decided] == ["stop"]


async def test_the_editor_that_began_the_run_is_the_one_that_is_asked(service, editors, decided):
    first, second = await editors(), await editors()
    for each in (first, second):
        each.answers[ASK] = HOLD
        await each.initialize()
        await each.until(lambda each=each: each.told("devloop/status"), "it has joined")
    started = {"run": "run-1", "attempt": 1, "state": "queued", "attached": False}
    runs.answering(service, start=started, show={"run": {"loop": "loop-1"}})
    await second.request(
        "workspace/executeCommand", {"command": "devloop.run", "arguments": [{"task": {"id": "1.2", "line": 8}}]}
    )
    begin(service)
    await second.until(lambda: [m for m, _ in second.asked if m == ASK], "the question")
    await first.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    assert ASK not in [method for method, _ in first.asked]
    await second.vanish()
    await first.until(lambda: ASK in [method for method, _ in first.asked], "now the other one is asked")


async def test_a_dismissed_question_is_not_asked_again_after_a_reconnect(service, editors, decided):
    first = await editors()
    first.answers[ASK] = None
    await first.initialize()
    begin(service)
    await first.until(lambda: ASK in [method for method, _ in first.asked], "the question")
    await first.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    await first.leave()
    second = await editors()
    second.answers[ASK] = HOLD
    await second.initialize()
    uri = second.open()
    await marked(second, uri)
    await second.until(lambda: second.told("devloop/status"), "it has joined")
    await second.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    assert ASK not in [method for method, _ in second.asked]
    begin(service, "run-2")
    await second.until(lambda: ASK in [method for method, _ in second.asked], "another checkpoint is asked")


async def test_revise_takes_the_line_below_the_task_and_removes_it(service, editor, decided):
    uri = editor.open()
    editor.answers["workspace/applyEdit"] = editor.apply
    await editor.diagnostics(uri, 1)
    editor.type(uri, 9, 0, "  > revise: use the helper\n  > and test it\n")
    editor.answers[ASK] = choose("Revise…")
    begin(service)
    await editor.until(lambda: decided, "a decision")
    assert decided[0]["decision"] == "revise"
    assert decided[0]["message"] == "use the helper\nand test it"
    await editor.until(lambda: "> revise" not in editor.texts[uri][1], "the lines are gone")
    assert editor.texts[uri][1] == (editor.root / ".devloop/plan.md").read_text()


async def test_revise_without_words_says_how_to_give_them(service, editor, decided):
    editor.open()
    editor.answers[ASK] = choose("Revise…")
    begin(service)
    told = await editor.until(lambda: editor.told("window/showMessage"), "what to do")
    assert told[0]["message"] == (
        "Say what should change: write a line `> revise: …` below task 1.2 and decide again, or use "
        '`devloop decide run-1 revise --message "…"`.'
    )
    assert decided == []


async def test_choices_of_a_question_are_its_answers(service, editor, decided):
    editor.answers[ASK] = choose("b")
    question = {"text": "Which one?", "choices": ["a", "b", "Stop"]}
    begin(service, kind="question", question=question, decisions=["answer", "stop", "discard"], diff=None)
    await editor.until(lambda: decided, "an answer")
    ((_, asked),) = [each for each in editor.asked if each[0] == ASK]
    titles = [action["title"] for action in asked["actions"]]
    assert titles == ["a", "b", "Answer: Stop", "Stop", "Discard…"]
    assert (decided[0]["decision"], decided[0]["message"]) == ("answer", "b")


async def test_looking_at_the_changes_is_no_answer_and_the_question_comes_again(service, editor, decided):
    titles = iter(["Show changes", "Continue"])
    editor.answers[ASK] = lambda params: {"title": next(titles)}
    editor.answers["window/showDocument"] = {"success": True}
    service.engine.answers["engine/diff"] = {"run": "run-1", "patch": "+new\n"}
    begin(service)
    await editor.until(lambda: decided, "a decision")
    shown = [params for method, params in editor.asked if method == "window/showDocument"]
    assert shown == [{"uri": "devloop://run/run-1.diff", "external": False, "takeFocus": True}]
    text = await editor.request("workspace/textDocumentContent", {"uri": "devloop://run/run-1.diff"})
    assert text == {"text": "+new\n"}
    assert [each["decision"] for each in decided] == ["continue"]


async def test_what_is_shown_is_fetched_again_when_the_run_goes_on(service, editor, decided):
    editor.answers[ASK] = HOLD
    editor.answers["window/showDocument"] = {"success": True}
    service.engine.answers["engine/diff"] = {"run": "run-1", "patch": "+new\n"}
    begin(service)
    call = {"command": "devloop.showDiff", "arguments": [{"run": "run-1"}]}
    assert (await editor.request("workspace/executeCommand", call))["patch"] == "+new\n"
    runs.tell(service, "run.state", "run-1", state="working", turn=4)
    refresh = "workspace/textDocumentContent/refresh"
    await editor.until(lambda: [params for method, params in editor.asked if method == refresh], "it is fetched again")


async def test_an_editor_without_such_documents_gets_a_file_of_its_own(service, editors, decided):
    editor = await editors()
    editor.answers[ASK] = HOLD
    editor.answers["window/showDocument"] = {"success": True}
    workspace = {key: value for key, value in EVERYTHING["workspace"].items() if key != "textDocumentContent"}
    await editor.initialize({**EVERYTHING, "workspace": workspace})
    service.engine.answers["engine/diff"] = {"run": "run-1", "patch": "+new\x1b[31m\n"}
    begin(service)
    await editor.request("workspace/executeCommand", {"command": "devloop.showDiff", "arguments": [{"run": "run-1"}]})
    (shown,) = [params for method, params in editor.asked if method == "window/showDocument"]
    path = service.state.path / "shown" / "run-1.diff"
    assert shown["uri"] == path.as_uri()
    assert path.read_text() == "+new\\u{1b}[31m\n"
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("settings", [{"checkpointMessages": False}, {"trusted": False}])
async def test_no_message_where_the_person_wants_none_or_the_folder_is_not_trusted(service, editors, settings):
    editor = await editors()
    await editor.initialize(initializationOptions=settings)
    uri = editor.open()
    begin(service)
    await marked(editor, uri)
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor", "arguments": []})
    assert ASK not in [method for method, _ in editor.asked]


async def test_a_refused_answer_is_told(service, editor):
    from devloop.errors import Refused

    def refuse(params):
        raise Refused("The disk is full.", hint="Free some space.")

    runs.answering(service, decide=refuse)
    editor.answers[ASK] = choose("Commit")
    begin(service)
    told = await editor.until(lambda: editor.told("window/showMessage"), "why it did not work")
    assert told == [{"type": 2, "message": "The disk is full. Free some space."}]


async def test_the_closed_plan_has_its_diagnostics_until_it_is_opened(service, editor, monkeypatch):
    path = service.root / ".devloop/plan.md"
    uri = path.as_uri()
    begin(service)
    assert [each["code"] for each in await editor.diagnostics(uri)] == ["checkpoint"]
    assert "version" not in editor.told("textDocument/publishDiagnostics")[-1]
    editor.open()
    assert [each["code"] for each in await editor.diagnostics(uri, 1)] == ["checkpoint"]
    editor.close_document(uri)
    await editor.until(lambda: editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"] == [], "cleared")
    (mark,) = await marked(editor, uri)
    assert mark["code"] == "checkpoint"


async def test_nothing_is_kept_of_checkpoints_that_are_over(service, editors, editor, decided):
    editor.answers[ASK] = HOLD
    live = editors.server.live
    for number in range(3):
        begin(service, f"run-{number}")
    await editor.until(lambda: [m for m, _ in editor.asked].count(ASK) == 3, "three questions")
    assert len(live.checkpoints) == 3
    for number in range(3):
        runs.ended(service, f"run-{number}", "discarded")
    await editor.until(lambda: len(editor.withdrawn) == 3, "all are withdrawn")
    assert len(live.checkpoints) == 0
    await asyncio.sleep(0)


PRESENTS = {**EVERYTHING, "experimental": {"devloop": {"status": True, "event": True, "checkpoints": True}}}


async def test_an_editor_that_presents_checkpoints_itself_is_told_but_not_asked(service, editors, decided):
    own = await editors()
    await own.initialize(PRESENTS)
    await own.until(lambda: own.told("devloop/status"), "it takes part")
    uri = own.open()
    await own.diagnostics(uri, 1)
    begin(service)
    await marked(own, uri)
    told = await own.until(
        lambda: [
            event
            for params in own.told("devloop/event")
            for event in params["events"]
            if event["kind"] == "checkpoint.opened"
        ]
    )
    assert told[0]["data"]["summary"] == "Did it."
    answer = await own.request("devloop/decide", {"run": "run-1", "decision": "commit", "checkpoint": 1})
    assert answer == {"run": "run-1", "decision": "commit", "checkpoint": 1}
    await marked(own, uri, 0)
    assert not [method for method, _ in own.asked if method == ASK]


async def test_a_run_begun_by_such_an_editor_is_asked_about_nowhere_else(service, editors):
    own, other = await editors(), await editors()
    await own.initialize(PRESENTS)
    await other.initialize()
    other.answers[ASK] = HOLD
    started = {"run": "run-1", "attempt": 1, "state": "queued", "attached": False}
    runs.answering(service, start=started, show={"run": {"id": "run-1", "loop": None}})
    await own.request("devloop/run", {"task": "1.2"})
    uri = other.open()
    await other.diagnostics(uri, 1)
    begin(service)
    await marked(other, uri)
    assert not [method for method, _ in (*own.asked, *other.asked) if method == ASK]
    begin(service, "run-2")  # nobody here began this one
    await other.until(lambda: [method for method, _ in other.asked if method == ASK])
    assert not [method for method, _ in own.asked if method == ASK]
