"""`.devloop/plan-state.json` (state-files §2): the plan as data for other programs. Derived, never trusted over it.

`of` gives version 2.0.0, `of_v1` what readers of 1.0.0 know. Keys of version 1 mean in version 2 what they meant there.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from devloop import plan as plans
from devloop.lists import some
from devloop.own_files import Fault, read_text
from devloop.state.plan_state_content import VERSION, of, of_v1
from devloop.state.plan_state_shapes import PhaseState, PlanState, PlanStateV1
from devloop.state.storing import json_lines, major, parse_json, validated, write_json

PATH: Final = ".devloop/plan-state.json"


def text_of(state: dict[str, Any]) -> str:
    """The file's text: a line for each key, and for each entry of a list or map of objects. That is what makes a
    change of one task a change of few lines, and it takes a fifth of the time that full indentation takes."""
    lines = [f"  {_json(key)}: {_lines(value)}" for key, value in state.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    return text.encode("utf-8", "replace").decode()


def _lines(value: Any) -> str:
    if isinstance(value, dict) and value and all(isinstance(each, dict | list) for each in value.values()):
        return "{\n" + ",\n".join(f"    {_json(key)}: {_json(each)}" for key, each in value.items()) + "\n  }"
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return "[\n" + ",\n".join(f"    {_json(each)}" for each in value) + "\n  ]"
    return _json(value)


def _json(value: Any) -> str:
    return _ENCODER.encode(value)


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


def read(text: str) -> tuple[PlanState | PlanStateV1 | None, tuple[Fault, ...]]:
    """A file of either version; None and why when it is neither. A newer major version is read as far as it goes."""
    value, faults = parse_json(text, PATH)
    if value is None:
        return None, faults
    if major(value.get("schema_version")) == 1:
        return validated(PlanStateV1, value, text, PATH)
    newer = (major(value.get("schema_version")) or 0) > 2
    state, faults = validated(PlanState, {**value, "schema_version": VERSION} if newer else value, text, PATH)
    if newer:
        line = json_lines(text).get(("schema_version",), 1)
        note = Fault(PATH, line, "a newer devloop wrote this; it is read, not written", "warning")
        return state, (note, *((faults) if state is None else ()))
    return state, faults


def check(text: str, plan: plans.Plan | None = None) -> tuple[Fault, ...]:
    """What the file contradicts: itself (sums, names of phases and tasks), and the plan, where one is given."""
    state, faults = read(text)
    if state is None:
        return faults
    lines = json_lines(text)
    found = [*faults, *_sums(state, lines), *_names(state, lines)]
    if plan is not None and isinstance(state, PlanState) and state.plan_hash != hashlib.sha256(plan.data).hexdigest():
        line = lines.get(("plan_hash",), 1)
        found.append(
            Fault(PATH, line, "the plan is another one by now; the file is written again on demand", "warning")
        )
    return tuple(found)


def _sums(state: PlanState | PlanStateV1, lines: dict[tuple[str | int, ...], int]) -> list[Fault]:
    stats = state.stats.model_dump()
    parts = ("completed", "pending", "in_progress", "blocked", "skipped", "deferred", "unknown")
    total = sum(int(stats.get(part) or 0) for part in parts)
    if total == stats["total"]:
        return []
    text = f"stats: the parts add up to {total}, not to the total of {stats['total']}"
    return [Fault(PATH, lines.get(("stats",), 1), text)]


def _names(state: PlanState | PlanStateV1, lines: dict[tuple[str | int, ...], int]) -> list[Fault]:
    known = set(state.tasks)
    found = []
    phases = [phase.model_dump() if isinstance(phase, PhaseState) else phase for phase in state.phases]
    for at, phase in enumerate(phases):
        ids = phase.get("task_ids") or ()
        missing = [str(each) for each in ids if each not in known] if isinstance(ids, list | tuple) else []
        if missing:
            line = lines.get(("phases", at), 1)
            found.append(Fault(PATH, line, f"phases.{at}: there is no task {some(missing, 5)}"))
    if state.next_task is not None and not _exists(state, state.next_task):
        found.append(Fault(PATH, lines.get(("next_task",), 1), f"next_task: there is no task {state.next_task}"))
    return found


def _exists(state: PlanState | PlanStateV1, name: str) -> bool:
    return name in state.tasks or (isinstance(state, PlanState) and any(each.id == name for each in state.task_list))


def write(root: Path, plan: plans.Plan, plan_file: str, now: datetime) -> bool:
    """Bring the file in step with the plan. False when it was: an equal hash changes nothing, not even the time.

    Raises `Refused` when a newer devloop wrote it.
    """
    before = read_text(root, PATH)
    old = parse_json(before, PATH)[0] if before else None
    digest = hashlib.sha256(plan.data).hexdigest()
    if old is not None and old.get("plan_hash") == digest and old.get("plan_file") == plan_file:
        state, _ = read(before or "")
        if isinstance(state, PlanState):
            return False
    archived = old.get("archived_phases") if old is not None else None
    kept = tuple(str(each) for each in archived) if isinstance(archived, list) else ()
    return write_json(
        root,
        PATH,
        of(plan, plan_file, now, archived_phases=kept),
        version_key="schema_version",
        version=2,
        render=text_of,
    )


__all__ = ["PATH", "VERSION", "PlanState", "PlanStateV1", "check", "of", "of_v1", "read", "text_of", "write"]
