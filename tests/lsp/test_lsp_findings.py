"""What reviews found, as diagnostics in any file: open, closed, moved, dismissed; and what can be done about it."""

from __future__ import annotations

import pytest

from devloop.lsp.live import findings as live
from support import projects
from support.editor import EVERYTHING, PULLS, Failed

CODE = "import os\n\n\ndef total(prices):\n    return sum(prices)\n"
PUSHED = "textDocument/publishDiagnostics"
REGISTERING = {
    **EVERYTHING,
    "textDocument": {
        **EVERYTHING["textDocument"],
        "codeAction": {**EVERYTHING["textDocument"]["codeAction"], "dynamicRegistration": True},
    },
}


@pytest.fixture
def repo(project):
    (project / "src").mkdir()
    (project / "src" / "shop [1].py").write_text(CODE)
    (project / "other.py").write_text("x = 1\n")
    projects.git(project, "init", "-q")
    projects.git(project, "add", "-A")
    projects.git(project, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "start")
    return project


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(live, "LOOK_S", 0.05)


PATH = "src/shop [1].py"


def found(line=5, severity="High", problem="An empty list\nis a price of 0 € 😀", path=PATH, **more):
    return {
        "path": path,
        "line": line,
        "severity": severity,
        "kind": "correctness",
        "confidence": 90,
        "problem": problem,
        "fix": "Refuse it.",
        "by": ["correctness"],
        **more,
    }


async def reviewed(service, repo, *findings, run="run-review-1", accepted=True, paths=(PATH,)):
    change = {
        "what": "x",
        "scope": "files",
        "commit": projects.git(repo, "rev-parse", "HEAD").strip(),
        "files": len(paths),
        "paths": list(paths),
    }
    data = {"summary": "Looked.", "verdict": "COMMENT", "findings": list(findings)}
    await service.findings.findings.record(run, {"change": change}, data, accepted=accepted)


def told(editor, path=PATH):
    """What the editor shows of a file by now; None where it was never told."""
    uri = editor.uri(path)
    pushed = [
        params["diagnostics"] for method, params in editor.notifications if method == PUSHED and params["uri"] == uri
    ]
    return pushed[-1] if pushed else None


def places(editor, path=PATH):
    return [(row["range"]["start"]["line"], row["severity"]) for row in told(editor, path) or ()]


async def test_findings_are_in_files_that_nobody_opened_and_move_with_their_line(editor, service, repo):
    await reviewed(
        service, repo, found(), found(1, "Nitpick", "Nobody uses os"), found(0, "Low", "No words", path="other.py")
    )
    await editor.until(lambda: places(editor) == [(0, 4), (4, 1)])
    row = told(editor)[1]
    assert row["source"] == "devloop review" and row["code"] == "correctness"
    assert (
        row["message"].startswith("An empty list") and "Fix: Refuse it." in row["message"] and "90 %" in row["message"]
    )
    assert (row["range"]["start"]["character"], row["range"]["end"]["character"]) == (4, 22)
    assert row["data"] == {"finding": "review-1.1"}
    assert places(editor, "other.py") == [(0, 3)], "about the whole file"

    (repo / PATH).write_text("# é\n" + CODE.replace("    return", "\treturn"))
    await editor.until(lambda: places(editor) == [(1, 4), (5, 1)])
    (repo / PATH).write_text(CODE.replace("sum(prices)", "max(prices)"))
    await editor.until(lambda: places(editor) == [(0, 4)])
    (repo / PATH).write_text(CODE)
    await editor.until(lambda: places(editor) == [(0, 4), (4, 1)])
    (repo / PATH).unlink()
    await editor.until(lambda: told(editor) == [])


async def test_dismissing_and_a_new_review_withdraw_and_all_editors_see_it(editors, service, repo):
    one, two = await editors(), await editors()
    await one.initialize()
    await two.initialize(PULLS)
    await reviewed(service, repo, found(), found(1, "Low", "Nobody uses os"))
    for each in (one, two):
        await each.until(lambda each=each: len(places(each)) == 2)
    answer = await one.request(
        "workspace/executeCommand", {"command": "devloop.dismissFinding", "arguments": [{"finding": "review-1.1"}]}
    )
    assert answer == {"dismissed": ["review-1.1"]}
    for each in (one, two):
        await each.until(lambda each=each: places(each) == [(0, 3)])
    await reviewed(service, repo, found(4, "Medium", "No types"), run="run-review-2")
    for each in (one, two):
        await each.until(lambda each=each: places(each) == [(3, 2)])
    await one.request(
        "workspace/executeCommand", {"command": "devloop.dismissFinding", "arguments": [{"review": "review-2"}]}
    )
    for each in (one, two):
        await each.until(lambda each=each: told(each) == [])
    with pytest.raises(Failed, match="no finding"):
        await one.request(
            "workspace/executeCommand", {"command": "devloop.dismissFinding", "arguments": [{"finding": "nothing"}]}
        )
    with pytest.raises(Failed, match="Which finding"):
        await one.request("workspace/executeCommand", {"command": "devloop.dismissFinding", "arguments": [{}]})


async def test_an_editor_that_comes_later_is_told_what_stands(editors, service, repo):
    await reviewed(service, repo, found())
    late = await editors()
    await late.initialize()
    await late.until(lambda: places(late) == [(4, 1)])


async def test_what_waits_for_a_decision_says_so_and_goes_when_it_is_discarded(editor, service, repo):
    await reviewed(service, repo, found(), accepted=False)
    await editor.until(lambda: told(editor))
    assert told(editor)[0]["message"].endswith("its review waits for your decision")
    await service.findings.findings.withdraw("run-review-1")
    await editor.until(lambda: told(editor) == [])


async def test_actions_are_asked_for_in_just_the_files_with_findings(editors, service, repo):
    editor = await editors()
    await editor.initialize(REGISTERING)

    def registered(method="client/registerCapability"):
        return [params for asked, params in editor.asked if asked == method and "codeAction" in str(params)]

    await reviewed(service, repo, found())
    await editor.until(lambda: registered())
    (made,) = registered()[0]["registrations"]
    assert made["registerOptions"]["documentSelector"] == [{"scheme": "file", "pattern": "**/src/shop [[]1[]].py"}]
    at = {"start": {"line": 4, "character": 6}, "end": {"line": 4, "character": 6}}
    asked = {"textDocument": {"uri": editor.uri(PATH)}, "range": at, "context": {"diagnostics": []}}
    actions = await editor.request("textDocument/codeAction", asked)
    assert [action["command"]["command"] for action in actions] == [
        "devloop.dismissFinding",
        "devloop.fixFinding",
        "devloop.planFinding",
    ]
    assert actions[0]["diagnostics"][0]["data"] == {"finding": "review-1.1"}
    nothing = {**asked, "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}}
    assert not await editor.request("textDocument/codeAction", nothing)
    assert not await editor.request(
        "textDocument/codeAction", {**asked, "context": {"diagnostics": [], "only": ["refactor"]}}
    )
    assert not await editor.request(
        "textDocument/codeAction", {**asked, "textDocument": {"uri": editor.uri("other.py")}}
    )
    await service.findings.findings.clear()
    await editor.until(lambda: registered("client/unregisterCapability"))
    (gone,) = registered("client/unregisterCapability")[0]["unregisterations"]
    assert gone["id"] == made["id"]


async def test_an_editor_that_does_not_trust_the_folder_may_only_dismiss(editors, service, repo):
    editor = await editors()
    await editor.initialize(initializationOptions={"trusted": False})
    await reviewed(service, repo, found(), found(1, "Low", "Nobody uses os"))
    await editor.until(lambda: len(places(editor)) == 2)
    at = {"start": {"line": 4, "character": 0}, "end": {"line": 4, "character": 0}}
    asked = {"textDocument": {"uri": editor.uri(PATH)}, "range": at, "context": {"diagnostics": []}}
    titles = [action["title"] for action in await editor.request("textDocument/codeAction", asked)]
    assert titles == ["Dismiss: An empty list is a price of 0 € 😀", "Dismiss all 2 findings of this review"]
    for command in ("devloop.review", "devloop.fixFinding", "devloop.planFinding", "devloop.analyze"):
        with pytest.raises(Failed, match="does not trust"):
            await editor.request(
                "workspace/executeCommand", {"command": command, "arguments": [{"finding": "review-1.1"}]}
            )


@pytest.mark.parametrize("capabilities", [EVERYTHING, PULLS])
async def test_a_document_of_ours_has_them_among_its_own_diagnostics(editors, service, repo, capabilities):
    """A skill is checked by us while it is open: findings neither replace these problems nor are replaced by them."""
    path = "skills/x/SKILL.md"
    (repo / "skills/x").mkdir(parents=True)
    (repo / path).write_text("---\nname: X X\ndescription: Nothing\n---\nBody words\n")
    projects.git(repo, "add", "-A")
    projects.git(repo, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "skill")
    editor = await editors()
    await editor.initialize(capabilities)
    await reviewed(service, repo, found(5, "Low", "No words", path=path), paths=(path,))
    await editor.until(lambda: places(editor, path) == [(4, 3)])
    uri = editor.open(path)

    def refreshed():
        return sum(method == "workspace/diagnostic/refresh" for method, _ in editor.asked)

    async def sources():
        if capabilities is PULLS:
            answer = await editor.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
            return {row["source"] for row in answer["items"]}
        return {row["source"] for row in told(editor, path) or ()}

    if capabilities is PULLS:
        await editor.until(lambda: told(editor, path) == [])
        await editor.until(lambda: refreshed())
        assert await sources() == {"devloop", "devloop review"}
    else:
        await editor.until(lambda: {row["source"] for row in told(editor, path)} == {"devloop", "devloop review"})
    before = refreshed()
    await service.findings.findings.dismiss(["review-1"])
    if capabilities is PULLS:
        await editor.until(lambda: refreshed() > before)
        assert await sources() == {"devloop"}
    else:
        await editor.until(lambda: {row["source"] for row in told(editor, path)} == {"devloop"})


async def test_a_finding_becomes_a_task_of_the_plan_once(editor, service, repo):
    await reviewed(service, repo, found(), found(1, "Nitpick", "Nobody uses os"))
    for finding in ("review-1.1", "review-1.2", "review-1.1"):
        await editor.request(
            "workspace/executeCommand", {"command": "devloop.planFinding", "arguments": [{"finding": finding}]}
        )
    text = (repo / ".devloop/plan.md").read_text()
    assert text.count("Review findings") == 1
    assert text.count("An empty list is a price of 0 €") == 1 and text.count("Nobody uses os") == 1
    assert "**Files**: " in text and PATH in text and "Refuse it." in text


async def test_what_is_not_committed_is_not_given_to_an_agent_to_fix(editor, service, repo):
    await reviewed(service, repo, found())
    (repo / PATH).write_text(CODE + "# more\n")
    with pytest.raises(Failed, match="not committed"):
        await editor.request(
            "workspace/executeCommand", {"command": "devloop.fixFinding", "arguments": [{"finding": "review-1.1"}]}
        )
    (repo / PATH).write_text(CODE)
    service.engine.answers["engine/start"] = {"run": "run-quick-1", "state": "queued", "attached": False}
    answer = await editor.request(
        "workspace/executeCommand", {"command": "devloop.fixFinding", "arguments": [{"finding": "review-1.1"}]}
    )
    assert answer["run"] == "run-quick-1"
    task = next(params["task"] for method, params in service.engine.requests if method == "engine/start")
    assert "Refuse it." in task["notes"] and "return sum(prices)" in task["notes"]
