"""Settings, registrations, watched files, and problems that the text alone can't show."""

from __future__ import annotations

import asyncio

import pytest

from devloop.daemon.watch import PlanWatch
from support import runs
from support.editor import EVERYTHING, HOLD

CONFIGURATION = "workspace/configuration"
REGISTER = "client/registerCapability"


async def joined(editor, capabilities=None, **more):
    await editor.initialize(capabilities, **more)
    await editor.until(lambda: editor.told("devloop/status"), "it has joined")
    return editor


def registrations(editor):
    return [each for method, params in editor.asked if method == REGISTER for each in params["registrations"]]


async def test_the_settings_are_asked_for_and_count(editors):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{"progress": False, "diagnosticsLimit": 5}]
    await joined(editor, initializationOptions={"codeLens": False})
    assert (CONFIGURATION, {"items": [{"scopeUri": editor.root.as_uri(), "section": "devloop"}]}) in editor.asked
    (connection,) = editors.server.connections
    options = connection.options
    assert (options.code_lens, options.progress, options.diagnostics_limit) == (False, False, 5)


async def test_a_setting_that_is_taken_back_has_the_value_it_began_with(editors):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{"diagnosticsLimit": 5}]
    await joined(editor)
    (connection,) = editors.server.connections
    assert connection.options.diagnostics_limit == 5
    editor.answers[CONFIGURATION] = [{}]
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    await editor.until(lambda: [m for m, _ in editor.asked].count(CONFIGURATION) == 2, "it is asked again")
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    assert connection.options.diagnostics_limit == 200


async def test_a_change_of_settings_shows_at_once(editors, service):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{}]
    await joined(editor)
    uri = editor.open(text="# Plan\n\n" + "".join(f"- [ ] Task 1.{n}: T [depends:9.9]\n" for n in range(1, 9)))
    assert len(await editor.diagnostics(uri, 1)) == 8
    editor.asked.clear()
    editor.answers[CONFIGURATION] = [{"diagnosticsLimit": 3}]
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    found = await editor.until(
        lambda: [p for p in editor.told("textDocument/publishDiagnostics") if len(p["diagnostics"]) == 4], "fewer"
    )
    assert found[0]["diagnostics"][-1]["code"] == "more-problems"
    await editor.until(lambda: "workspace/codeLens/refresh" in [m for m, _ in editor.asked], "lenses are fetched again")


async def test_settings_of_the_folder_never_give_trust_that_the_editor_did_not_give(editors):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{"trusted": True}]
    await joined(editor, initializationOptions={"trusted": False})
    (connection,) = editors.server.connections
    assert connection.options.trusted is False


async def test_a_setting_that_makes_no_sense_is_told_and_the_others_count(editors):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{"diagnosticsLimit": "many", "progress": False}]
    await joined(editor)
    assert editor.told("window/showMessage") == [
        {"type": 2, "message": "devloop.diagnosticsLimit can't be understood; the default counts."}
    ]
    (connection,) = editors.server.connections
    assert (connection.options.diagnostics_limit, connection.options.progress) == (200, False)


async def test_an_editor_that_can_not_be_asked_sends_its_settings(editors):
    editor = await editors()
    workspace = {key: value for key, value in EVERYTHING["workspace"].items() if key != "configuration"}
    await joined(editor, {**EVERYTHING, "workspace": workspace})
    editor.notify("workspace/didChangeConfiguration", {"settings": {"devloop": {"diagnosticsLimit": 7}}})
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    (connection,) = editors.server.connections
    assert connection.options.diagnostics_limit == 7
    assert CONFIGURATION not in [method for method, _ in editor.asked]


async def test_progress_and_questions_end_when_they_are_turned_off(editors, service):
    editor = await editors()
    editor.answers[CONFIGURATION] = [{}]
    editor.answers["window/showMessageRequest"] = HOLD
    await joined(editor)
    runs.queued(service)
    runs.waiting(service)
    await editor.until(lambda: editor.told("$/progress"), "a bar")
    await editor.until(lambda: "window/showMessageRequest" in [m for m, _ in editor.asked], "a question")
    editor.answers[CONFIGURATION] = [{"progress": False, "checkpointMessages": False}]
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    await editor.until(lambda: editor.withdrawn, "it is withdrawn")
    await editor.until(lambda: editor.told("$/progress")[-1]["value"]["kind"] == "end", "the bar ends")
    assert [token for each in editors.server.live.progress.values() for token in each.tokens] == []


async def test_what_can_be_registered_is_with_ids_of_its_own(editors):
    first, second = await joined(await editors()), await joined(await editors())
    found = registrations(first)
    assert [each["method"] for each in found] == [
        *("workspace/didChangeConfiguration", "workspace/didChangeWatchedFiles"),
    ]
    assert found[0]["registerOptions"] == {"section": "devloop"}
    patterns = [each["globPattern"] for each in found[1]["registerOptions"]["watchers"]]
    assert "**/.devloop/**" in patterns
    assert "**/PLAN.md" in patterns
    ids = [each["id"] for each in (*found, *registrations(second))]
    assert len(set(ids)) == len(ids) == 4


async def test_patterns_are_relative_to_the_folder_where_the_editor_knows_that(editors):
    editor = await editors()
    files = {"dynamicRegistration": True, "relativePatternSupport": True}
    capabilities = {**EVERYTHING, "workspace": {**EVERYTHING["workspace"], "didChangeWatchedFiles": files}}
    await joined(editor, capabilities)
    watchers = registrations(editor)[1]["registerOptions"]["watchers"]
    assert {"globPattern": {"baseUri": editor.root.as_uri(), "pattern": ".devloop/**"}} in watchers


async def test_an_editor_that_offers_nothing_is_asked_for_nothing(editors):
    editor = await editors()
    await editor.initialize({"experimental": EVERYTHING["experimental"]})
    await editor.until(lambda: editor.told("devloop/status"), "it has joined")
    assert editor.asked == []


async def test_a_refused_registration_and_a_refused_question_change_nothing(editors):
    editor = await editors()
    editor.refuse = {CONFIGURATION, REGISTER}
    await joined(editor)
    assert await editor.diagnostics(editor.open(), 1) == []


async def test_a_watched_file_is_looked_at_at_once_and_the_same_content_counts_once(service, editor):
    told = []
    watch = PlanWatch(service.documents, told.append)
    service.news.look = watch.look_soon
    path = service.root / ".devloop/plan.md"
    for text in ("# Plan: A longer text than before\n" * 20, "# Plan: A longer text than before\n" * 20):
        path.write_text(text)
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": 2}]})
        await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.005)
    assert len(told) == 1


async def test_what_is_archived_meanwhile_counts_as_done(service, editor):
    uri = editor.open(text="# Plan\n\n- [ ] Task 2.1: T [depends:7.7]\n")
    assert [each["code"] for each in await editor.diagnostics(uri, 1)] == ["unknown-dependency"]
    path = service.root / ".devloop/archive/demo_phase_7.md"
    path.parent.mkdir()
    path.write_text("# Archived\n\n- [x] Task 7.7: Old\n")
    editor.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": path.as_uri(), "type": 1}]})
    await editor.until(lambda: editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"] == [], "it is known")


async def test_an_editor_that_removes_the_folder_is_told_nothing_until_it_comes_back(service, editors):
    editor, other = await joined(await editors()), await joined(await editors())
    folder = {"uri": editor.root.as_uri(), "name": "p"}
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    runs.queued(service)
    await other.until(lambda: other.told("$/progress"), "the other one is told")
    assert editor.told("$/progress") == []
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
    await editor.until(lambda: editor.told("$/progress"), "it is told again")


# Problems outside of the text

OUTSIDE = """# Plan: Demo

- [ ] Task 1.1: One
  - **Files**: `missing.py`
- [ ] Task 1.2: Two [agent:nobody]
"""


async def test_problems_outside_of_the_text_are_found_and_move_with_it(service, editor):
    (service.root / "PLAN.md").write_text("# Another\n")
    uri = editor.open(text=OUTSIDE)

    def codes(count):
        told = editor.told("textDocument/publishDiagnostics")
        found = [(each["code"], each["range"]["start"]["line"]) for each in told[-1]["diagnostics"]] if told else []
        return found if len(found) == count else None

    wanted = [("multiple-plans", 0), ("missing-file", 2), ("unknown-agent", 4)]
    assert await editor.until(lambda: codes(3), "all three") == wanted
    version = editor.type(uri, 1, 0, "\n\n")
    moved = [(each["code"], each["range"]["start"]["line"]) for each in await editor.diagnostics(uri, version)]
    assert moved == [("multiple-plans", 0), ("missing-file", 4), ("unknown-agent", 6)]
    (service.root / "missing.py").touch()
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert await editor.until(lambda: codes(2), "looked at again") == [("multiple-plans", 0), ("unknown-agent", 6)]


async def test_problems_outside_do_not_slow_a_keystroke(service, editor):
    """No more than the same number of problems that the text itself shows."""
    loop, many = asyncio.get_running_loop(), "textDocument/publishDiagnostics"

    uri = editor.open(text="# Plan\n")

    async def keystroke():
        began = loop.time()
        await editor.diagnostics(uri, editor.type(uri, 1, 0, "x"))
        return loop.time() - began

    def codes():
        told = editor.told(many)
        return {each["code"] for each in told[-1]["diagnostics"]} if told else set()

    async def typical(detail, code):
        lines = "".join(f"- [ ] Task 1.{n}: T\n  - {detail.format(n)}\n" for n in range(1, 700))
        editor.replace(uri, f"# Plan\n\n{lines}")
        editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
        await editor.until(lambda: {code, "more-problems"} <= codes(), "they are found")
        return sorted([await keystroke() for _ in range(20)])[10]

    inside = await typical("**Depends**: 9.{}", "unknown-dependency")
    assert await typical("**Files**: `missing{}.py`", "missing-file") < 5 * inside


@pytest.mark.parametrize("text", ["", "\r\n", "no plan"])
async def test_a_plan_without_anything_has_no_problems_outside(service, editor, text):
    uri = editor.open(text=text)
    await editor.diagnostics(uri, 1)
    await editor.request("workspace/executeCommand", {"command": "devloop.doctor"})
    assert [each["code"] for each in await editor.diagnostics(uri) if each["code"] == "missing-file"] == []
