"""Plans from words and spikes in an editor: begun with checked arguments, and their change of the plan to look at."""

from __future__ import annotations

import pytest

from support import runs
from support.editor import HOLD, Failed

PATCH = "--- a/.devloop/plan.md\n+++ b/.devloop/plan.md\n@@ -1 +1 @@\n-- [ ] old\n+- [ ] new"
PROPOSAL = {
    "path": ".devloop/plan.md",
    "exists": True,
    "patch": PATCH,
    "text": None,
    "said": "1 task reworded",
    "notes": ["a note"],
    "left_out": ["reword task 9.9: gone"],
    "optional": True,
}


def execute(editor, name, **arguments):
    return editor.request("workspace/executeCommand", {"command": f"devloop.{name}", "arguments": [arguments]})


def started(service):
    return [params["task"] for method, params in service.engine.requests if method == "engine/start"]


@pytest.mark.parametrize(
    ("name", "given", "task", "told"),
    [
        ("planNew", {"message": "Log in", "add": True}, "@plan-new", {"add": True, "replace": False}),
        ("planRevise", {"message": "Drop it", "source": "wish.md"}, "@plan-revise", {"agreed": False}),
        ("spike", {"message": "Is it fast?", "time_box": "30m"}, "@spike", {"topic": "Is it fast?"}),
    ],
)
async def test_a_command_begins_the_errand_that_the_terminal_begins(editor, service, project, name, given, task, told):
    (project / "wish.md").write_text("The wish.\n")
    runs.answering(service, start={"run": "run-9", "state": "queued", "attempt": 1, "attached": False})
    answer = await execute(editor, name, **given)
    assert (answer["run"], answer["task"]) == ("run-9", task)
    asked = started(service)[0]
    assert told.items() <= asked["errand"]["given"].items() and "First thing" in asked["notes"]
    assert ("The wish." in asked["notes"]) == ("source" in given)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("planNew", {"message": "Log in"}),
        ("planNew", {"message": "Log in", "add": "yes"}),
        ("planRevise", {}),
        ("planRevise", {"source": "../outside.md"}),
        ("spike", {"message": "x", "time_box": "soon"}),
        ("spike", {"message": "x", "sources": []}),
    ],
)
async def test_a_wrong_call_begins_nothing(editor, service, name, given):
    runs.answering(service, start={"run": "run-9"})
    with pytest.raises(Failed):
        await execute(editor, name, **given)
    assert started(service) == []


async def test_an_editor_that_does_not_trust_the_folder_begins_none(editors, service):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    for name in ("planNew", "planRevise", "spike"):
        with pytest.raises(Failed, match="does not trust"):
            await execute(editor, name, message="x", add=True)


async def test_the_change_of_the_plan_is_what_show_changes_shows(editor, service):
    runs.answering(service, diff={"run": "run-1", "patch": ""})
    editor.answers["window/showMessageRequest"] = HOLD
    runs.queued(service)
    runs.waiting(service, diff=None, proposal=PROPOSAL)
    editor.open()
    await editor.until(lambda: "plan: 1 task reworded" in str(editor.notifications), "what would change")
    text = await editor.request("workspace/textDocumentContent", {"uri": "devloop://run/run-1.diff"})
    assert text["text"] == f"{PATCH}\n"
