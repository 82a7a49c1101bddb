"""What a checkpoint shows: everything a person needs to decide, in one plain object."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from devloop.gates import Guard
from devloop.lists import some
from devloop.models import limits_of
from devloop.redact import one_line, printable
from devloop.runs import (
    allowing,
    chaining,
    guarding,
    leaks,
    money,
    paths_told,
    proposing,
    recommending,
    reporting,
    stopping,
)
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

ACCEPTABLE = ["continue", "commit", "fresh", "stop", "revise", "discard"]
_ERRAND = ["commit", "continue", "revise", "discard"]
"""What an errand changed: on the person's branch, or on the plan branch until something lands."""
_ERRAND_REPORT = ["continue", "revise", "discard"]
_GATHERED_REPORT = ["continue", "discard"]
"""Nobody is left who could revise it."""
UNACCEPTABLE = ["revise", "recheck", "stop", "block", "discard"]
PAUSED = ["revise", "stop", "discard"]
CONFLICTED = ["stop", "discard"]
"""The worktree is older than what was accepted meanwhile: revising there would not help, a new run would."""
REFUSED = ["recheck", "stop", "discard"]
"""The plan branch could not take the work; `recheck` tries again."""
UNPROPOSED = ["recheck", "revise", "stop", "discard"]
"""The plan could not be changed as the report asks."""
UNAPPLIED = ["recheck", "stop"]
"""What accepting an errand does could not be done."""
UNLANDED = ["commit", "continue", "stop"]
UNLANDED_REST = ["commit", "stop"]
"""No task is left to go on with."""
QUESTION = ["answer", "stop", "discard"]
GUARDS = 100
"""So many changes to the checks are listed; of more the number is told."""


def of_work(ready: Mapping[str, Any]) -> list[str]:
    """Decisions on work that passed; `ready`: what `prepare` answered."""
    return _ERRAND if ready.get("errand") else ACCEPTABLE


def of_report(ready: Mapping[str, Any]) -> list[str]:
    """Decisions on a report; an errand's has no next task that anything could go on with."""
    if ready.get("gathers"):
        return _GATHERED_REPORT
    return _ERRAND_REPORT if ready.get("errand") else ACCEPTABLE


def recommended(
    services: Services, spec: RunSpec, kind: str, decisions: Sequence[str], doubt: str = "", last: bool = False
) -> recommending.Recommendation:
    """The decision that every front-end puts first; none where a person is asked for words. `doubt`: what in the work
    needs a person's eye; `last`: no task is left after it."""
    row = services.store.run(spec.id)
    if kind != "decision" or row is None:
        return recommending.Recommendation(None, "")
    own = services.settings.checkpoints
    return recommending.recommended(
        decisions,
        share=row["context_tokens"] / limits_of(spec.model, services.listed).context,
        tasks=stopping.tasks_since_fresh(spec),
        context_threshold=own.context_threshold,
        fresh_threshold=own.fresh_threshold,
        doubt=doubt,
        last=last,
    )


def _doubt(services: Services, spec: RunSpec, guards: Sequence[Guard], gone: Sequence[str]) -> str:
    report = reporting.report(services, spec.id)
    if report is not None and not report["fits"]:
        return "the result is not what the mode promises"
    if report is not None and not reporting.clear(spec, report):
        return "the report wants your judgement"
    if any(each.holds for each in guards):
        return "the work changes what checks it"
    return "tests were removed or disabled" if gone else ""


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
    row, spec = services.store.run(run), services.spec(run)
    assert row is not None
    difference = None
    guards: Sequence[Guard] = ()
    named: Sequence[str] = ()
    files: Mapping[str, str] = {}
    if commit is not None and row["base"]:
        found = await services.workspace.diff(row["base"], commit, limit=guarding.PATCH)
        names = paths_told.Names(services, run)
        listed = [names.file(file) for file in found.files[:200]]
        difference = {"files": len(found.files), "added": found.added, "deleted": found.deleted, "list": listed}
        guards = await guarding.of(services, spec, found, row["base"], commit)
        named, files = allowing.names(services, spec), allowing.files_of(found)
    spent = money.spent_by(services, spec)
    clean = services.redactor.text
    report = reporting.report(services, run) if kind == "decision" else None
    results = services.store.gates(run, commit) if commit else []
    proposal = await proposing.preview(services, spec, report)
    left = allowing.not_allowed(named, [each for result in results for each in allowing.gone(result)], files)
    last = kind == "decision" and await stopping.is_last(services, spec)
    best = recommended(services, spec, kind, decisions, _doubt(services, spec, guards, left), last)
    return {
        "number": number,
        "kind": kind,
        "summary": "\n\n".join(filter(None, (printable(clean(summary)), _report_text(report, proposal)))),
        "report": report,
        "decisions": recommending.first(decisions, best.decision),
        "recommended": best.decision,
        "why": best.reason,
        "accepted": stopping.accepted(services, spec, difference),
        "chain": chaining.told(spec),
        "group": spec.loop.group.model_dump(include={"id", "size", "label"}) if spec.loop.group else None,
        "diff": difference,
        "gates": _gates(services, run, commit),
        "secrets": _secrets(results),
        "guards": [guarding.clean(services, each) for each in guards[:GUARDS]],
        "guards_more": max(0, len(guards) - GUARDS),
        "question": services.redactor.data(question) if question else None,
        "problem": printable(clean(problem)) if problem else None,
        "proposal": proposal,
        "leave_out": {**leave_out, "gates": _gates(services, run, leave_out["commit"])} if leave_out else None,
        "cost_usd": spent["usd"],
        "turns": spent["turns"],
        "tokens": {name: spent[name] for name in ("input", "output", "cache_read", "cache_write")},
        "scripted": row["scripted"],
        "notices": row["notices"],
        "opened": time.time(),
    }


def _report_text(report: dict[str, Any] | None, proposal: dict[str, Any] | None = None) -> str:
    """What the agent handed in, below its summary; first of all that it is not what its mode promises. A plan is read
    in the text that it would be."""
    if report is None:
        return ""
    unfit = "" if report["fits"] else f"This result is not what the mode promises: {'; '.join(report['mistakes'])}."
    is_plan = proposal is not None and "phases" in (report["data"] or {})
    return "\n\n".join(filter(None, (unfit, "" if is_plan and proposal and proposal["patch"] else report["text"])))


def _gates(services: Services, run: str, commit: str | None) -> list[dict[str, Any]]:
    return [_short(result) for result in (services.store.gates(run, commit) if commit else [])]


def _secrets(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What looks like a secret, `{"id", "file", "line", "kind"}`: `line` from 1, 0 for the name itself."""
    return [
        {
            "id": each["fingerprint"],
            "file": each["file"],
            "line": 0 if leaks.of_a_name(each["message"]) else each["line"] + 1,
            "kind": each["rule"],
        }
        for result in results
        if result["gate"] == leaks.NAME and result["verdict"] == "fail"
        for each in result["findings"]
    ]


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
    reason = one_line(result.get("reason") or "")
    return {**{key: result.get(key) for key in kept}, "reason": reason, "warnings": _warnings(result)}


def _warnings(result: Mapping[str, Any]) -> list[str]:
    """What a verdict does not say: tests that are gone or skipped now, fewer tests, less coverage."""
    changed = result.get("changes") or {}
    found = []
    for name, words in (("removed", "gone"), ("disabled", "skipped now")):
        names = changed.get(name) or []
        if names:
            found.append(f"{words}, ran before: {some(names, 3)}")
    return [one_line(each, 300) for each in (*found, *map(str, changed.get("warnings") or ()))]


HELD = "the others of its group"
"""What a run waits for at a checkpoint that nobody is told of yet (`engine/grouping.py`)."""


def waiting_text(kind: str) -> str:
    return "an answer" if kind == "question" else "a decision"
