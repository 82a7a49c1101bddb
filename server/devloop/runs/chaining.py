"""One task in several modes, one after the other: explore, design, build. Each is a run and a conversation of its own.

The task is ticked by the last one. A change of mode always passes a checkpoint; what an earlier mode handed in, and
what the person said to it, is in the first message of the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from devloop.runs.services import Services
from devloop.runs.spec import Chain, RunSpec, TaskSpec

TAKEN = ("accepted", "landed")


def following(spec: RunSpec) -> str | None:
    """The mode that goes on with the task when this run is accepted; None where the task is done then."""
    chain = spec.chain
    return chain.modes[chain.at + 1] if chain is not None and chain.at + 1 < len(chain.modes) else None


def next_link(spec: RunSpec) -> Chain:
    """Where the chain stands in the run after this one."""
    assert spec.chain is not None
    return spec.chain.model_copy(update={"at": spec.chain.at + 1, "before": (*spec.chain.before, spec.id)})


def taken_up(services: Services, task: TaskSpec, name: str, modes: Iterable[str]) -> Chain:
    """Where a chain begins: with its first mode, or where an earlier run of the task left off. One whose design was
    thrown away designs again; what it found out before that counts still."""
    listed = tuple(modes)
    rows = services.store.find_runs(task=task.id, limit=1)
    last = RunSpec.model_validate(rows[0]["spec"]) if rows else None
    if last is not None and last.chain is not None and last.chain.modes == listed and last.task.key == task.key:
        if rows[0]["outcome"] not in TAKEN:
            return last.chain
        if following(last) is not None:
            return next_link(last)
    return Chain(name=name, modes=listed)


def told(spec: RunSpec) -> Mapping[str, Any] | None:
    """What a checkpoint says of it: `{"name", "modes", "at", "next"}`; None where there is no chain."""
    chain = spec.chain
    if chain is None:
        return None
    return {"name": chain.name, "modes": list(chain.modes), "at": chain.at, "next": following(spec)}
