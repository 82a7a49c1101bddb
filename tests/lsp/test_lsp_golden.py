"""Whole answers of every feature to a fixed plan, kept in `golden/` as they go over the wire.

`pytest tests/lsp/test_lsp_golden.py --update-golden` writes them anew; read the difference before you commit it.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from devloop.lsp.features import MODULES
from support import runs
from support.editor import HOLD, PULLS

GOLDEN = Path(__file__).parent / "golden"
PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
  - **Acceptance**: it works, see [notes](notes.md)
- [ ] Task 1.3: Third thing [depends:1.2, 9.9] [agent:engineer]
- [✓] Task 1.4: Fourth thing

## Phase 2: Go on

- [ ] Task 2.1: A task [depends:1.3] [paralel:A]

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""
TODAY = datetime.now(UTC).date().isoformat()
DOCUMENT = {"uri": "PLAN"}
FORMAT = {"tabSize": 2, "insertSpaces": True}


def at(line, character):
    return {"textDocument": DOCUMENT, "position": {"line": line, "character": character}}


def lines(first, last):
    return {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 0}}


def first(results, where=lambda each: True):
    """The first entry of the last answer that fits."""
    found = results[-1]
    items = found["items"] if isinstance(found, dict) else found
    return next(each for each in items if where(each))


def whole(line):
    return {"textDocument": DOCUMENT, "range": lines(line, line + 1)}


def on_the_tag(results):
    """Code actions on a problem that has a certain fix."""
    problem = first(results, lambda each: each["code"] == "unknown-tag")
    context = {"diagnostics": [problem], "triggerKind": 1}
    return {"textDocument": DOCUMENT, "range": problem["range"], "context": context}


TOLD = ("textDocument/diagnostic", {"textDocument": DOCUMENT})
COMMENT = {"start": {"line": 13, "character": 0}, "end": {"line": 13, "character": 0}}
TYPED = (
    "textDocument/didChange",
    {
        "textDocument": {"uri": "PLAN", "version": 2},
        "contentChanges": [{"range": COMMENT, "text": "- [ ] Task 2.0: New [depends:1.2]\n"}],
    },
)
NAMES_A_SKILL = (
    "textDocument/didChange",
    {
        "textDocument": {"uri": "PLAN", "version": 2},
        "contentChanges": [{"range": COMMENT, "text": "- [ ] Task 2.0: Design an endpoint [skill:api-design]\n"}],
    },
)
UNTIDY = (
    "textDocument/didChange",
    {
        "textDocument": {"uri": "PLAN", "version": 2},
        "contentChanges": [
            {"range": COMMENT, "text": "-   [ ]  Task 2.5:  New   [depends: 1.2 ,1.3]\n*  [X] Task 2.6: Old\n"}
        ],
    },
)
EXCHANGES = {
    "code-action": [TOLD, ("textDocument/codeAction", on_the_tag)],
    "code-action-resolve": [
        TOLD,
        ("textDocument/codeAction", on_the_tag),
        ("codeAction/resolve", lambda results: first(results, lambda each: "data" in each)),
    ],
    "code-lens": [("textDocument/codeLens", {"textDocument": DOCUMENT})],
    "code-lens-resolve": [
        ("textDocument/codeLens", {"textDocument": DOCUMENT}),
        ("codeLens/resolve", lambda results: first(results, lambda each: each["data"]["kind"] == "run")),
    ],
    "completion-dependency": [("textDocument/completion", at(9, 40))],
    "completion-marker": [("textDocument/completion", at(7, 3))],
    "completion-resolve": [
        ("textDocument/completion", at(9, 40)),
        ("completionItem/resolve", lambda results: first(results)),
    ],
    "definition": [("textDocument/definition", at(7, 39))],
    "diagnostic": [TOLD],
    "document-highlight": [("textDocument/documentHighlight", at(7, 12))],
    "document-link": [("textDocument/documentLink", {"textDocument": DOCUMENT})],
    "document-link-resolve": [
        ("textDocument/documentLink", {"textDocument": DOCUMENT}),
        ("documentLink/resolve", lambda results: first(results)),
    ],
    "document-symbol": [("textDocument/documentSymbol", {"textDocument": DOCUMENT})],
    "execute-command": [
        ("workspace/executeCommand", {"command": "devloop.nextTask", "arguments": []}),
    ],
    "folding-range": [("textDocument/foldingRange", {"textDocument": DOCUMENT})],
    "formatting": [UNTIDY, ("textDocument/formatting", {"textDocument": DOCUMENT, "options": FORMAT})],
    "hover-task": [("textDocument/hover", at(9, 12))],
    "hover-phase": [("textDocument/hover", at(4, 5))],
    "hover-agent": [("textDocument/hover", at(9, 58))],
    "hover-skill": [NAMES_A_SKILL, ("textDocument/hover", at(13, 44))],
    "completion-skill": [NAMES_A_SKILL, ("textDocument/completion", at(13, 48))],
    "definition-skill": [NAMES_A_SKILL, ("textDocument/definition", at(13, 44))],
    "inlay-hint": [("textDocument/inlayHint", {"textDocument": DOCUMENT, "range": lines(0, 18)})],
    "inlay-hint-resolve": [
        ("textDocument/inlayHint", {"textDocument": DOCUMENT, "range": lines(0, 18)}),
        ("inlayHint/resolve", lambda results: first(results)),
    ],
    "on-type-formatting": [
        (
            "textDocument/didChange",
            {
                "textDocument": {"uri": "PLAN", "version": 2},
                "contentChanges": [{"range": COMMENT, "text": "- [ ] Task 2.0: New\n\n"}],
            },
        ),
        ("textDocument/onTypeFormatting", {**at(14, 0), "ch": "\n", "options": FORMAT}),
    ],
    "prepare-rename": [("textDocument/prepareRename", at(7, 12))],
    "range-formatting": [UNTIDY, ("textDocument/rangeFormatting", {**whole(13), "options": FORMAT})],
    "references": [("textDocument/references", {**at(7, 12), "context": {"includeDeclaration": True}})],
    "rename": [("textDocument/rename", {**at(7, 12), "newName": "1.9"})],
    "selection-range": [
        ("textDocument/selectionRange", {"textDocument": DOCUMENT, "positions": [{"line": 8, "character": 20}]})
    ],
    "semantic-tokens-full": [("textDocument/semanticTokens/full", {"textDocument": DOCUMENT})],
    "semantic-tokens-delta": [
        ("textDocument/semanticTokens/full", {"textDocument": DOCUMENT}),
        TYPED,
        (
            "textDocument/semanticTokens/full/delta",
            lambda results: {"textDocument": DOCUMENT, "previousResultId": results[-1]["resultId"]},
        ),
    ],
    "semantic-tokens-range": [("textDocument/semanticTokens/range", {"textDocument": DOCUMENT, "range": lines(7, 10)})],
    "text-document-content": [("workspace/textDocumentContent", {"uri": "devloop://run/run-1.diff"})],
}
"""Name → (method, params), one after the other; params may be made of the results before."""
NOTIFICATIONS = ("did", "initialized", "window/workDoneProgress/cancel")


@pytest.mark.parametrize("name", EXCHANGES)
async def test_the_answer_is_the_one_that_is_kept(editors, service, project, name, request):
    (project / "notes.md").write_text("notes\n")
    (project / ".devloop" / "plan.md").write_text(PLAN)
    if name == "text-document-content":
        diff = {"run": "run-1", "patch": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"}
        runs.answering(service, diff=diff)
        runs.queued(service)
    editor = await editors()
    await editor.initialize(PULLS)
    uri = editor.open()
    results, exchange = [], []
    for method, given in EXCHANGES[name]:
        params = given(results) if callable(given) else json.loads(json.dumps(given).replace('"PLAN"', json.dumps(uri)))
        params = json.loads(json.dumps(params).replace('"PLAN"', json.dumps(uri)))
        if method.rpartition("/")[2].startswith("did"):
            editor.notify(method, params)
            exchange.append({"method": method, "params": params})
            continue
        results.append(await editor.request(method, params))
        exchange.append({"method": method, "params": params, "result": results[-1]})
    compare(name, plain(exchange, project), request)


async def test_what_an_editor_is_told_of_a_run_that_waits_is_what_is_kept(editors, service, project, request):
    (project / ".devloop" / "plan.md").write_text(PLAN)
    editor = await editors()
    editor.answers["window/showMessageRequest"] = HOLD
    await editor.initialize()
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    runs.queued(service)
    runs.working(service)
    await editor.until(lambda: editor.told("$/progress"), "the progress")
    runs.waiting(service)
    await editor.until(lambda: "window/showMessageRequest" in dict(editor.asked), "the question")
    await editor.until(lambda: "checkpoint" in codes(editor), "the diagnostic")
    runs.ended(service)
    await editor.until(lambda: editor.withdrawn, "the question is withdrawn")
    await editor.until(lambda: "checkpoint" not in codes(editor), "the diagnostic is gone")
    await editor.until(lambda: editor.told("$/progress")[-1]["value"]["kind"] == "end", "the end of the progress")
    question = dict(editor.asked)["window/showMessageRequest"]
    pushed = editor.told("textDocument/publishDiagnostics")
    kept = {
        "window/showMessageRequest": question,
        "textDocument/publishDiagnostics": [next(each for each in pushed if "checkpoint" in str(each)), pushed[-1]],
        "$/progress": [editor.told("$/progress")[0], editor.told("$/progress")[-1]],
    }
    compare("checkpoint", plain(kept, project), request)


def codes(editor):
    return [each["code"] for each in editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"]]


def plain(exchange, root):
    """Without what differs from run to run: places, tokens, numbers of results, today's date."""
    text = json.dumps(exchange, ensure_ascii=False)
    text = re.sub(r"file://[^\"]*/(PROBLEMS.md|skills/)", r"file:///devloop/\1", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d: Started", "NOW: Started", text)
    text = text.replace(root.as_uri(), "file:///project").replace(str(root), "/project").replace(TODAY, "TODAY")
    for number, result in enumerate(dict.fromkeys(re.findall(r'"resultId": ("[^"]*")', text)), 1):
        text = text.replace(f'esultId": {result}', f'esultId": "result {number}"')
    return json.loads(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID", text))


def compare(name, found, request):
    path = GOLDEN / f"{name}.json"
    if request.config.getoption("--update-golden"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        pytest.skip("written anew")
    assert found == json.loads(path.read_text())


def test_every_request_has_a_kept_answer_and_no_file_is_left_over():
    kept = {method for exchange in EXCHANGES.values() for method, _ in exchange}
    requests = {
        module.METHOD
        for module in MODULES
        if not module.METHOD.rpartition("/")[2].startswith(NOTIFICATIONS) and module.METHOD not in NOTIFICATIONS
    }
    assert requests <= kept
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*EXCHANGES, "checkpoint"}
