"""Code lenses: what can be done at a line of the plan.

A list holds only places, and the same text is sent again until a task or a run changes: titles and commands are made
when the editor shows a lens. Only tasks that can act have any, at most `MOST` of them besides those with a run.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from devloop import plan as plans
from devloop.daemon.run_view import RunView
from devloop.errors import StaleEdit
from devloop.lsp import run_texts
from devloop.lsp.buffers import Buffer, Snapshot
from devloop.lsp.texts import label
from devloop.redact import one_line

NAME: Final = "lenses"
MOST: Final = 500
"""So many idle tasks have lenses, from the top."""
ACTING: Final = frozenset(("run", "from", "cancel", "decide", "phase", "continue"))
"""Kinds that make something happen: not for an editor in restricted mode."""
_BEHIND_DECIDE: Final = "discard"
"""Not offered with one click."""

Data = dict[str, Any]
Runs = Mapping[int, RunView]
Text = tuple[plans.Outlook, tuple[object, ...], str]


@dataclass(frozen=True)
class View:
    """What lenses are made of. `runs`: the newest run of a task by its line."""

    snapshot: Snapshot
    outlook: plans.Outlook
    runs: Runs
    trusted: bool

    @property
    def plan(self) -> plans.Plan:
        return self.snapshot.plan


def listed(buffer: Buffer, view: View) -> str:
    """All lenses of a plan as JSON, without commands."""
    signature = (view.trusted, buffer.uri, *((line, visible(run)[:-1]) for line, run in view.runs.items()))
    known: Text | None = buffer.of_structure.get(NAME)
    if known is not None and known[0] is view.outlook and known[1] == signature:
        return known[2]
    uri = json.dumps(buffer.uri)
    text = f"[{','.join(_json(line, data, uri) for line, data in places(view))}]"
    buffer.keep(NAME, view.plan, (view.outlook, signature, text))
    return text


def _json(line: int, data: Data, uri: str) -> str:
    at = f'{{"line":{line - 1},"character":0}}'
    return f'{{"range":{{"start":{at},"end":{at}}},"data":{json.dumps(data)[:-1]},"uri":{uri}}}}}'


def visible(run: RunView) -> tuple[object, ...]:
    """What lenses show of a run; the last one changes with each step."""
    decisions = tuple(run_texts.offered(run)) if run.needs_person else ()
    stands = (run.id, run.open, run.outcome, run.needs_person, run_texts.checkpoint_number(run), decisions)
    return (*stands, run_texts.changed_files(run), run.line if run.open else "")


def places(view: View) -> Iterator[tuple[int, Data]]:
    """(line, data) of each lens, from the top; data says all that its command is made of."""
    for line, data in _all(view):
        if view.trusted or data["kind"] not in ACTING:
            yield line, data


def _all(view: View) -> Iterator[tuple[int, Data]]:
    plan, outlook = view.plan, view.outlook
    startable = outlook.startable[:MOST]
    lines = {plan.tasks[at].line: at for at in startable}
    lines.update((line, plan.graph.by_line[line]) for line in view.runs)
    phases = {phase.line: at for at, phase in enumerate(plan.phases) if plan.stats.phases[at].total}
    head = _head(plan)
    can_start = frozenset(startable)
    for line in sorted({*lines, *phases, head} if plan.stats.total else ()):
        if line == head:
            if outlook.ready and outlook.loops:
                yield line, {"kind": "continue"}
            yield line, {"kind": "total"}
        if line in phases:
            phase = plan.phases[phases[line]]
            if phases[line] in outlook.ready_phases and outlook.loops:
                yield line, {"kind": "phase", "line": line, "phase": phase.id}
            yield line, {"kind": "progress", "line": line, "phase": phase.id}
        if line in lines:
            yield from ((line, data) for data in _of_task(view, lines[line], lines[line] in can_start))


def _head(plan: plans.Plan) -> int:
    """The line that stands for the whole plan: its title, or the first one."""
    first = plan.sections[0] if plan.sections else None
    return first.line if first is not None and first.level == 1 and first.phase is None else 1


def _of_task(view: View, at: int, startable: bool) -> Iterator[Data]:
    task = view.plan.tasks[at]
    run = view.runs.get(task.line)
    place = {"line": task.line, "id": task.id}
    if run is None or not run.open:
        if startable:
            yield {"kind": "run", **place}
            if view.outlook.loops:
                yield {"kind": "from", **place}
        if run is not None:
            yield {"kind": "show", **place, "run": run.id}
        return
    place = {**place, "run": run.id}
    if not run.needs_person:
        yield {"kind": "show", **place}
        yield {"kind": "cancel", **place}
        return
    yield {"kind": "review" if run_texts.changed_files(run) else "show", **place}
    place["checkpoint"] = run_texts.checkpoint_number(run)
    yield {"kind": "decide", **place}
    for decision in run_texts.offered(run):
        if decision != _BEHIND_DECIDE:
            yield {"kind": "decide", **place, "decision": decision}


# Commands


def command(view: View, data: Mapping[str, Any]) -> dict[str, Any]:
    """Title and command of a lens. Raises `StaleEdit` when there is no such lens any more."""
    kind, plan = data.get("kind"), view.plan
    if kind in ACTING and not view.trusted:
        raise _stale()
    if kind == "total":
        return _only(f"{plan.stats.done}/{plan.stats.total} done")
    if kind == "continue":
        return _command("▶ Continue", "devloop.continue", uri=view.snapshot.uri)
    if kind in ("phase", "progress"):
        return _of_phase(view, str(kind), data)
    return _task_command(view, str(kind), data)


def _of_phase(view: View, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    found = [at for at, phase in enumerate(view.plan.phases) if phase.id == data.get("phase")]
    at = next((at for at in found if view.plan.phases[at].line == data.get("line")), found[0] if found else None)
    if at is None:
        raise _stale()
    counts = view.plan.stats.phases[at]
    if kind == "progress":
        return _only(f"{counts.done}/{counts.total} done")
    title = f"▶ Run phase ({counts.total - counts.done} open)"
    return _command(title, "devloop.runPhase", uri=view.snapshot.uri, phase=view.plan.phases[at].id)


def _task_command(view: View, kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    plan, line = view.plan, data.get("line")
    reference = plans.TaskRef(id=str(data.get("id") or ""), line=line if isinstance(line, int) else 0)
    task = plans.locate(plan, reference)
    run = view.runs.get(task.line)
    common: dict[str, Any] = {"uri": view.snapshot.uri, "task": _reference(task)}
    if kind in ("run", "from"):
        if not _has(view.outlook.startable, plan.graph.by_line[task.line]) or (run is not None and run.open):
            raise _stale()
        if kind == "run":
            return _command("▶ Run", "devloop.run", **common)
        return _command("Continue from here", "devloop.continue", **common)
    if run is None or run.id != data.get("run"):
        raise _stale()
    common["run"] = run.id
    if kind == "show":
        stands = run.line if run.open else run.outcome or "ended"
        return _command(f"Show run · {stands}", "devloop.showRun", **common)
    if kind == "cancel" and run.open:
        return _command("Cancel", "devloop.cancel", **common)
    if not run.needs_person:
        raise _stale()
    if kind == "review":
        files = run_texts.changed_files(run)
        return _command(f"Review ({files} file{'' if files == 1 else 's'})", "devloop.showDiff", **common)
    return _decision(run, data, common)


def _reference(task: plans.Task) -> dict[str, Any]:
    """The task as commands take it: id and key find it again, title and line are for people."""
    return {"id": task.id, "key": task.key, "title": one_line(task.title), "line": task.line}


def _decision(run: RunView, data: Mapping[str, Any], common: dict[str, Any]) -> dict[str, Any]:
    number, decision = run_texts.checkpoint_number(run), data.get("decision")
    if data.get("kind") != "decide" or number != data.get("checkpoint"):
        raise _stale()
    common["checkpoint"] = number
    if decision is None:
        return _command("Decide…", "devloop.decide", **common)
    if decision not in run_texts.offered(run):
        raise _stale()
    return _command(run_texts.DECISIONS[decision], "devloop.decide", **common, decision=decision)


def _command(title: str, command: str, **arguments: Any) -> dict[str, Any]:
    return {"title": label(title), "command": command, "arguments": [arguments]}


def _only(title: str) -> dict[str, Any]:
    """A lens that says something and does nothing: editors show a command without a name as text."""
    return {"title": title, "command": ""}


def _has(indexes: tuple[int, ...], at: int) -> bool:
    found = bisect_left(indexes, at)
    return found < len(indexes) and indexes[found] == at


def _stale() -> StaleEdit:
    return StaleEdit("The plan or the run has changed meanwhile.")
