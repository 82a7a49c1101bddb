"""A plan's problems as diagnostics.

A keystroke costs no more than the problems that are shown: conversions are kept as long as problem and line stay what
they were.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from devloop import plan as plans
from devloop import shipped
from devloop.lsp import checkpoint_texts
from devloop.lsp.buffers import Snapshot
from devloop.lsp.chosen import Chosen

if TYPE_CHECKING:
    from devloop.lsp.editor import Editor

SOURCE: Final = "devloop"
EXPLAINED: Final = shipped.problems().as_uri()
"""Where the codes are explained, with a heading for each."""
_SEVERITY: Final = {"error": 1, "warning": 2, "info": 3, "hint": 4}

Item = dict[str, Any]


def listed(
    editor: Editor,
    snapshot: Snapshot,
    outside: Sequence[plans.Problem],
    chosen: Chosen,
    *,
    most: int = 10_000,
    beyond: int = 0,
) -> list[Item]:
    """`outside`: problems that the text alone does not show, `beyond`: how many more of them there are. `chosen`
    remembers what was found for the last version."""
    problems = snapshot.plan.problems
    limit = min(editor.options.diagnostics_limit, most)
    found = checkpoint_texts.marks(editor, snapshot)
    kept = {}
    for problem in heapq.merge(chosen.of(problems, limit), outside[:limit], key=_place):
        line = snapshot.document.line(problem.line - 1)
        entry = chosen.items.get(id(problem))
        if entry is None or entry[1] != line:
            entry = (problem, line, _item(editor, snapshot, problem))
        kept[id(problem)] = entry
        found.append(entry[2])
    chosen.items = kept
    others = len(problems) + len(outside) + beyond - len(kept)
    if others:
        found.append(_others(others))
    return found


def _place(problem: plans.Problem) -> tuple[int, int]:
    return problem.line, problem.start


def _item(editor: Editor, snapshot: Snapshot, problem: plans.Problem) -> Item:
    positions, document = editor.positions, snapshot.document
    found: Item = {
        "range": editor.protocol.plain(positions.range(document, problem.line, problem.start, problem.end)),
        "severity": _SEVERITY[problem.severity],
        "code": problem.code,
        "source": SOURCE,
        "message": problem.message,
    }
    if editor.client.can("textDocument.publishDiagnostics.codeDescriptionSupport"):
        found["codeDescription"] = {"href": f"{EXPLAINED}#{problem.code}"}
    if problem.related and editor.client.can("textDocument.publishDiagnostics.relatedInformation"):
        found["relatedInformation"] = [
            {
                "location": {
                    "uri": snapshot.uri,
                    "range": editor.protocol.plain(positions.range(document, line)),
                },
                "message": message,
            }
            for line, message in problem.related
        ]
    if editor.client.can("textDocument.publishDiagnostics.dataSupport"):
        found["data"] = {"version": snapshot.version}
    return found


def _others(count: int) -> Item:
    """What stands for the problems that are not shown."""
    return {
        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
        "severity": 3,
        "code": "more-problems",
        "source": SOURCE,
        "message": f"{count} more problems are not shown; `devloop plan check` lists them all.",
    }
