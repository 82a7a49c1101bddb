"""Accepting by rule: work that passed and that no checkpoint is due for (`stopping.py`). One durable step."""

from __future__ import annotations

from typing import Any

from devloop.redact import one_line
from devloop.runs import checkpoint, reporting, stopping
from devloop.runs.services import Services

Outcome = dict[str, Any]


async def by_rule(services: Services, run: str, number: int, content: dict[str, Any], word: str) -> Outcome:
    """`{"outcome": "passed", "said"}` with the decision `word` recorded as checkpoint `number`, closed by the rule; or
    `due`: a person, or the loop that decides, is asked.

    Begun again after a kill, it finds what it recorded and decides nothing anew.
    """
    if services.store.checkpoint(run, number) is None:
        spec = services.spec(run)
        if word == "continue" and await stopping.stops(services, spec) is not None:
            return {"outcome": "due"}
        shown = await checkpoint.content(services, run, number, **content)
        agreed = reporting.agreed(services, spec, shown["report"])
        if shown["recommended"] is None and not agreed:  # something needs a person's eye
            return {"outcome": "due"}
        if stopping.approved(services, spec):
            why = f"{one_line(spec.task.phase_name, 40)} is approved in advance"
        else:
            why = stopping.settled(spec.loop) if word == "continue" else shown["why"]
        said = f"by rule: {why}"
        rule = {"when": spec.loop.when, "every": spec.loop.every, "said": said}
        services.store.open_checkpoint(run, number, {**shown, "rule": rule})
    known = services.store.checkpoint(run, number)
    assert known is not None
    said = str(known["content"]["rule"]["said"])
    services.store.close_checkpoint(run, number, word, said)
    services.events.emit(
        "checkpoint.closed", {"number": number, "decision": word, "message": said, "leave_out": [], "by": "rule"}, run
    )
    ahead = "" if word == "continue" else " The hand-off is written; `devloop continue` begins afresh."
    services.notice(run, f"Accepted without asking, {said}; the work is on the plan branch.{ahead}")
    return {"outcome": "passed", "said": said}
