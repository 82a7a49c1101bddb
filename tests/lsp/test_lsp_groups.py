"""What an editor is asked beside one run's checkpoint: tasks of a group at once, a group to begin, a hand-off."""

from __future__ import annotations

import json

import pytest

from support import runs
from support.editor import HOLD

ASK = "window/showMessageRequest"
GROUP = {"id": "loop-1-1", "size": 2, "label": "A"}


def choose(title):
    return lambda params: next(action for action in params["actions"] if action["title"] == title)


def asked(editor):
    return [params for method, params in editor.asked if method == ASK]


async def test_tasks_of_a_group_are_one_question_and_a_mark_on_each_line(service, editor):
    given = []

    def decide(params):
        given.append(dict(params))
        for run in ("run-1", "run-2"):
            runs.tell(service, "checkpoint.closed", run, number=1, decision=params["decision"])
            runs.tell(service, "run.state", run, state="working")
        return {"group": GROUP["id"], "decision": params["decision"], "runs": [], "skipped": []}

    runs.answering(service, decide=decide)
    editor.answers[ASK] = HOLD
    uri = editor.open()
    runs.queued(service, "run-1", group=GROUP)
    runs.queued(service, "run-2", task="1.3", title="Third thing", group=GROUP)
    runs.waiting(service, "run-1")
    runs.waiting(service, "run-2", decisions=["commit", "stop", "revise", "discard"])
    await editor.until(lambda: [each for each in asked(editor) if "of one group" in each["message"]], "one question")
    question = asked(editor)[-1]
    assert question["message"].startswith("Tasks 1.2, 1.3 of one group wait for you.\n1.2: Ready for your decision")
    assert [each["title"] for each in question["actions"]] == ["Commit (all)", "Stop (all)", "Discard… (all)"]

    def marks():
        told = [each for each in editor.told("textDocument/publishDiagnostics") if each["uri"] == uri]
        return len([each for each in told[-1]["diagnostics"] if each["code"] == "checkpoint"]) == 2 if told else False

    await editor.until(marks, "a mark on each line")
    seen = {"run-1": 1, "run-2": 1}
    arguments = [{"group": GROUP["id"], "decision": "commit", "checkpoints": seen}]
    await editor.request("workspace/executeCommand", {"command": "devloop.decide", "arguments": arguments})
    assert given == [{"group": GROUP["id"], "decision": "commit", "message": None, "checkpoints": seen}]


async def test_an_answer_to_the_question_for_all_is_one_to_what_it_showed(service, editor):
    given = []
    runs.answering(service, decide=lambda params: given.append(dict(params)) or {"runs": [], "skipped": []})
    editor.answers[ASK] = choose("Commit (all)")
    editor.open()
    for run, number in (("run-1", 3), ("run-2", 1)):
        runs.queued(service, run, group=GROUP)
        runs.waiting(service, run, number=number)
    await editor.until(lambda: given, "the answer")
    assert given[0]["checkpoints"] == {"run-1": 3, "run-2": 1}


@pytest.mark.parametrize(("title", "beside"), [("Begin together", ["2.2"]), ("One by one", [])])
async def test_a_group_that_could_begin_at_once_is_asked_about(service, editor, project, title, beside):
    plan = "# Plan: P\n\n## Phase 2: Go\n\n- [ ] Task 2.1: A [parallel:A]\n- [ ] Task 2.2: B [parallel:A]\n"
    (project / ".devloop" / "plan.md").write_text(plan)
    started = []

    def start(params):
        started.append(params)
        return {"run": "run-2.1-1", "runs": ["run-2.1-1"], "attempt": 1, "state": "queued", "attached": False}

    runs.answering(service, start=start, runs={"runs": []}, show={"run": {"loop": "loop-1"}})
    editor.answers[ASK] = choose(title)
    await editor.request("workspace/executeCommand", {"command": "devloop.continue", "arguments": [{"stop_at": 2}]})
    assert [each["id"] for each in started[0]["beside"]] == beside
    assert started[0]["loop"]["stop_at"] == {"when": "every", "every": 2}
    assert started[0]["loop"]["parallel"] is bool(beside)
    assert asked(editor)[0]["message"] == "Tasks 2.1, 2.2 of group A can begin at once."


@pytest.mark.parametrize(
    ("setting", "saved", "task", "wanted"),
    [
        ("ask", "2999-01-01T00:00:00Z", "2.1", "Resume with task 2.1? Going on from the hand-off"),
        ("ask", "2020-01-01T00:00:00Z", "2.1", "Resume with the next task? .devloop/next-action.json is"),
        ("auto", "2999-01-01T00:00:00Z", "2.1", None),
        ("never", "2999-01-01T00:00:00Z", None, None),
    ],
)
async def test_an_editor_offers_to_go_on_from_a_hand_off_once(service, editors, project, setting, saved, task, wanted):
    from devloop.paths import config_root

    config_root().mkdir(parents=True, exist_ok=True)
    (config_root() / "config.toml").write_text(f'[loop]\nresume = "{setting}"\n')
    left = {"version": "2", "savedAt": saved, "plan": {"name": "x"}, "handoff": "Mind the cache."}
    left["nextTask"] = {"id": "2.1", "description": "A task"}
    (project / ".devloop" / "next-action.json").write_text(json.dumps(left))
    started = []

    def start(params):
        started.append(params)
        return {"run": "run-2.1-1", "runs": ["run-2.1-1"], "attempt": 1, "state": "queued", "attached": False}

    runs.answering(service, start=start, runs={"runs": []}, show={"run": {"loop": "loop-1"}})
    first, second = await editors(), await editors()
    for each in (first, second):
        each.answers[ASK] = choose("Resume")
        await each.initialize()
        await each.until(lambda each=each: each.told("devloop/status"), "it has joined")
    if task is not None:
        await first.until(lambda: started, "the task is begun")
        assert started[0]["task"]["id"] == task and "Mind the cache." in started[0]["task"]["notes"]
        assert not (project / ".devloop" / "next-action.json").exists()
    told = [*asked(first), *asked(second)]
    assert [each["message"].startswith(wanted) for each in told] == ([True] if wanted else [])
    assert len(started) == (task is not None)
