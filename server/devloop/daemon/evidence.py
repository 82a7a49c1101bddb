"""What is kept of a task that was accepted: which gates ran on what, what they said, who decided (gates §5.8). Pure.

Made of the answer to `engine/show`, for the terminal (`devloop explain`) and the hover of a task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from devloop.daemon import wording

Row = Mapping[str, Any]

ACCEPTED: Final = ("accepted", "landed")
_OF_GATE: Final = (
    *("gate", "kind", "verdict", "reason", "required", "command", "exit_code", "signal", "counts", "report_sha256"),
    *("tool_version", "started", "duration_s", "notes"),
)
_CHECKED: Final = ("continue", "commit", "fresh", "stop")


def of(shown: Row) -> dict[str, Any] | None:
    """`{"run", "task", "title", "outcome", "commit", "checked", "gates", "decided", "changes", "changes_more",
    "notices", "ended"}`; None for a run whose work was not accepted.

    `commit`: as which the work is on the branch; `checked`: the commit that the gates ran on (its tree, without the
    tick and what others brought meanwhile). `gates`: name, verdict, command, exit code, counts, sha256 of the report,
    version of the tool, begin (Unix seconds), seconds. `decided`: `{"by", "decision", "message", "at"}`; by a person,
    by a rule, or at the start of a run that nobody attended. `changes`: what the work did to its checks, as shown.
    """
    row = shown["run"]
    if row.get("outcome") not in ACCEPTED:
        return None
    results = [each for each in shown.get("gates") or () if isinstance(each, Mapping)]
    checked = str(results[-1].get("commit") or "") if results else ""
    decided = _decided(row, shown.get("decisions") or (), shown.get("decide"))
    return {
        "run": row["id"],
        "task": row.get("task"),
        "title": row.get("title"),
        "outcome": row["outcome"],
        "commit": row.get("commit"),
        "checked": checked or None,
        "gates": [{key: each.get(key) for key in _OF_GATE} for each in results if each.get("commit") == checked],
        "decided": {key: decided.get(key) for key in ("by", "decision", "message", "at")},
        "changes": list(decided.get("guards") or ()),
        "changes_more": int(decided.get("guards_more") or 0),
        "notices": list(shown.get("notices") or ()),
        "ended": row.get("ended"),
    }


def _decided(row: Row, decisions: Sequence[Row], unattended: Any) -> Row:
    """The last decision that accepts; where nobody was asked, the one that the run was started with."""
    taken = [each for each in decisions if each.get("kind") == "decision" and each.get("decision") in _CHECKED]
    if taken:
        return taken[-1]
    return {"by": "start", "decision": unattended, "message": "", "at": row.get("ended")}


def summary(found: Row) -> str:
    """In a few words: `3 gates passed on 1a2b3c4 (41 passed, 0 failed), accepted by a person`."""
    gates = found["gates"]
    passed = sum(each["verdict"] == "pass" for each in gates)
    counted = [each["counts"] for each in gates if each.get("counts")]
    tests = f" ({wording.many(sum(each['passed'] for each in counted), 'test')})" if counted else ""
    on = f" on {str(found['checked'])[:7]}" if found["checked"] else ""
    told = f"{passed} of {len(gates)} gates passed{on}{tests}" if gates else "no gate ran"
    changes = len(found["changes"]) + found["changes_more"]
    told += f", {changes} change{'s' if changes != 1 else ''} to the checks" if changes else ""
    return f"{told}, {who(found['decided'])}"


def who(decided: Row) -> str:
    by = {"person": "accepted by a person", "rule": "accepted by rule"}.get(str(decided.get("by")))
    return by or "accepted as the run was started: unattended"
