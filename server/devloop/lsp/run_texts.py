"""What is said of a run: in a hover, behind a line, above a line."""

from __future__ import annotations

import time
from typing import Final

from devloop.daemon import evidence, wording
from devloop.daemon.run_view import RunView
from devloop.lists import some
from devloop.lsp.texts import Sheet, label

DECISIONS: Final = {
    "continue": "Continue",
    "commit": "Commit",
    "fresh": "Fresh start",
    "stop": "Stop",
    "revise": "Revise…",
    "discard": "Discard…",
    "answer": "Answer…",
    "recheck": "Check again",
    "block": "Mark blocked…",
}
"""Decisions as buttons. Those with dots ask for something more."""
_NOT_PASSED_FIRST: Final = {"fail": 0, "error": 1, "unknown": 2, "skipped": 3, "pass": 4}


def offered(view: RunView) -> list[str]:
    """The decisions that the open checkpoint offers, in its order."""
    found = (view.checkpoint or {}).get("decisions")
    return [each for each in found if each in DECISIONS] if isinstance(found, (list, tuple)) else []


def checkpoint_number(view: RunView) -> int | None:
    number = (view.checkpoint or {}).get("number")
    return number if isinstance(number, int) else None


def changed_files(view: RunView) -> int:
    """How many files the work at the checkpoint changes."""
    diff = (view.checkpoint or {}).get("diff")
    files = diff.get("files") if isinstance(diff, dict) else 0
    return files if isinstance(files, int) else 0


def hint(view: RunView) -> str:
    """State or outcome and cost, as short as can be."""
    state = "waits for you" if view.needs_person else view.state if view.open else view.outcome or "ended"
    parts = [state, wording.money(view.cost_usd)] + (["scripted"] if view.scripted else [])
    return label(" · ".join(parts), 60)


def add(sheet: Sheet, view: RunView) -> None:
    """The lines of a hover: how the newest run stands or ended, its verdicts, what it waits for."""
    if view.open:
        sheet.add(f"Run {sheet.code(view.id, 80)}:", sheet.text(view.line))
    else:
        parts = [view.outcome or "ended", moment(view.ended), wording.money(view.cost_usd)]
        parts.insert(2, f"{view.turn} turn{'' if view.turn == 1 else 's'}")
        parts += ["scripted"] if view.scripted else []
        sheet.add("Last run:", sheet.text(", ".join(filter(None, parts))))
        if view.reason and view.outcome not in ("accepted", "landed"):
            sheet.add("Reason:", sheet.text(view.reason))
    if view.evidence is not None:
        sheet.add(
            "Evidence:", sheet.text(evidence.summary(view.evidence)) + ";", sheet.code(f"devloop explain {view.task}")
        )
    elif view.gates:
        worst = sorted(view.gates.items(), key=lambda each: _NOT_PASSED_FIRST.get(each[1], 2))
        sheet.add("Gates:", some((sheet.text(f"{name} {verdict}", 60) for name, verdict in worst), 6))
    if view.needs_person:
        _checkpoint(sheet, view)


def _checkpoint(sheet: Sheet, view: RunView) -> None:
    checkpoint = view.checkpoint or {}
    question = checkpoint.get("question")
    if isinstance(question, dict):
        sheet.add("It asks:", sheet.text(str(question.get("text") or "")))
    if checkpoint.get("problem"):
        sheet.add("Problem:", sheet.text(str(checkpoint["problem"])))
    names = [DECISIONS[each].rstrip("…") for each in offered(view)]
    sheet.add("It waits for you:", sheet.text(", ".join(names) or "a decision"))


def moment(when: float | None) -> str:
    """Local time to the minute; "" for none and for what is no time."""
    if when is None:
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(when))
    except (OverflowError, OSError, ValueError):
        return ""
