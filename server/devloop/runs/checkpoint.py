"""What a checkpoint shows: everything a person needs to decide, in one plain object."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from devloop import gates
from devloop.models import limits_of
from devloop.redact import one_line, printable
from devloop.runs import reporting
from devloop.runs.services import Services

ACCEPTABLE = ["continue", "commit", "fresh", "stop", "revise", "discard"]
UNACCEPTABLE = ["revise", "recheck", "stop", "block", "discard"]
PAUSED = ["revise", "stop", "discard"]
CONFLICTED = ["stop", "discard"]
"""The worktree is older than what was accepted meanwhile: revising there would not help, a new run would."""
REFUSED = ["recheck", "stop", "discard"]
"""The plan branch could not take the work; `recheck` tries again."""
UNLANDED = ["commit", "continue", "stop"]
QUESTION = ["answer", "stop", "discard"]


def recommended(services: Services, row: Mapping[str, Any], kind: str, decisions: Sequence[str]) -> str | None:
    """The decision that every front-end puts first (agents-commands-skills §6); None where a person is asked for words.

    Work that passed: Continue while less than half of the model's context is used, from there on Fresh start.
    """
    if kind != "decision" or not decisions:
        return None
    full = row["context_tokens"] * 2 >= limits_of(row["model"], services.listed).context
    return "fresh" if full and "fresh" in decisions else decisions[0]


async def content(
    services: Services,
    run: str,
    number: int,
    *,
    kind: str,
    decisions: Sequence[str],
    summary: str = "",
    problem: str | None = None,
    question: dict[str, Any] | None = None,
    commit: str | None = None,
    leave_out: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The checkpoint as every front-end shows it; see "Run, event, checkpoint" in ARCHITECTURE.md.

    `leave_out`: `paths`, `decision` and `commit` of a decision that could not be followed.
    """
    row = services.store.run(run)
    assert row is not None
    difference = None
    changes: list[dict[str, Any]] = []
    if commit is not None and row["base"]:
        found = await services.workspace.diff(row["base"], commit)
        listed = [file.to_json() for file in found.files[:200]]
        difference = {"files": len(found.files), "added": found.added, "deleted": found.deleted, "list": listed}
        async with services.workspace.checkout(commit) as tree:
            changed = gates.changes_to_checks(found.patch, lambda path: _text_in(tree, path))
        changes = [asdict(change) for change in changed[:50]]
    spent = services.store.spent(run=run)
    clean = services.redactor.text
    report = reporting.report(services, run) if kind == "decision" else None
    return {
        "number": number,
        "kind": kind,
        "summary": "\n\n".join(filter(None, (printable(clean(summary)), _report_text(report)))),
        "report": report,
        "decisions": list(decisions),
        "recommended": recommended(services, row, kind, decisions),
        "diff": difference,
        "gates": _gates(services, run, commit),
        "guards": services.redactor.data(changes),
        "question": services.redactor.data(question) if question else None,
        "problem": printable(clean(problem)) if problem else None,
        "leave_out": {**leave_out, "gates": _gates(services, run, leave_out["commit"])} if leave_out else None,
        "cost_usd": spent["usd"],
        "turns": spent["turns"],
        "tokens": {name: spent[name] for name in ("input", "output", "cache_read", "cache_write")},
        "scripted": row["scripted"],
        "notices": row["notices"],
        "opened": time.time(),
    }


def _report_text(report: dict[str, Any] | None) -> str:
    """What the agent handed in, below its summary; first of all that it is not what its mode promises."""
    if report is None:
        return ""
    unfit = "" if report["fits"] else f"This result is not what the mode promises: {'; '.join(report['mistakes'])}."
    return "\n\n".join(filter(None, (unfit, report["text"])))


def _text_in(tree: Path, path: str) -> str | None:
    """A file's text as the commit has it; None for what is no plain file of that tree."""
    place = tree / path
    if place.is_symlink() or not place.resolve().is_relative_to(tree.resolve()) or not place.is_file():
        return None
    return place.read_text("utf-8", "replace")


def _gates(services: Services, run: str, commit: str | None) -> list[dict[str, Any]]:
    return [_short(result) for result in (services.store.gates(run, commit) if commit else [])]


def _short(result: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "gate",
        "kind",
        "verdict",
        "reason",
        "required",
        "exit_code",
        "counts",
        "coverage",
        "duration_s",
        "command",
        "tree",
    )
    return {**{key: result.get(key) for key in kept}, "reason": one_line(result.get("reason") or "")}


def waiting_text(kind: str) -> str:
    return "an answer" if kind == "question" else "a decision"
