"""What can be done with the runs of a plan at a place: decide where one waits, start, stop, look. No method of its own.

Decisions are offered wherever the cursor comes by, since somebody has to take them; the rest only when asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.daemon import wording
from devloop.errors import StaleEdit
from devloop.lsp import checkpoint_texts, decisions, lenses, run_texts
from devloop.lsp.features._actions import QUICK_FIX, Action, Asked, stale, task_at
from devloop.lsp.outlooks import outlook
from devloop.lsp.texts import label
from devloop.plan.edits import apply_to, insert
from devloop.plan.extent import last_line

if TYPE_CHECKING:
    from devloop.daemon.run_view import RunView
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Payload

_SHOWS: Final = "devloop.showDiff"


def deciding(connection: Connection, asked: Asked) -> Iterator[Action]:
    """The decisions of each run whose task is at the place, in the checkpoint's order."""
    if not asked.snapshot.main or not asked.takes(QUICK_FIX):
        return
    for view in connection.board.open:
        if not (view.needs_person and view.checkpoint):
            continue
        task = _task_of(asked.plan, view)
        line = task.line if task is not None else 1
        last = last_line(asked.plan.document, line) if task is not None else 1
        if asked.first <= last and line <= asked.last:
            yield from _decisions(connection, asked, view, task, line)


def _decisions(
    connection: Connection, asked: Asked, view: RunView, task: plans.Task | None, line: int
) -> Iterator[Action]:
    diagnostics = tuple(
        each
        for each in asked.diagnostics
        if each.code == checkpoint_texts.CODE and each.range.start.line == line - 1 and _of_run(each, view)
    )
    name = task.label if task is not None else f"run {view.id}"
    for command in checkpoint_texts.decision_commands(view, asked.snapshot.uri):
        if not connection.options.trusted and command["command"] != _SHOWS:
            continue
        title = f"{command['title']} – {label(name, 60)}"
        arguments = command["arguments"][0]
        if task is not None and _needs_words(asked.plan, task, arguments):
            decision = arguments["decision"]
            payload = asked.payload("reply", line=task.line, name=decision)
            if edits(asked.snapshot, payload):
                title = f"{title}: write `> {decision}: …` below the task"
                yield Action(title, QUICK_FIX, payload, diagnostics=diagnostics)
                continue
        yield Action(title, QUICK_FIX, command={**command, "title": title}, diagnostics=diagnostics)


def _of_run(diagnostic: t.Diagnostic, view: RunView) -> bool:
    """Two runs may wait in the same line when their tasks are gone; data tells them apart where it is kept."""
    data = diagnostic.data
    return not isinstance(data, dict) or data.get("run", view.id) == view.id


def _task_of(plan: plans.Plan, view: RunView) -> plans.Task | None:
    try:
        return decisions.task_of(plan, view)
    except StaleEdit:
        return None


def _needs_words(plan: plans.Plan, task: plans.Task, arguments: dict[str, Any]) -> bool:
    """Whether a decision asks for words that nobody has written yet."""
    decision = arguments.get("decision")
    if decision not in wording.QUESTIONS or arguments.get("message"):
        return False
    return plans.reply(plan, task, decision) is None


def edits(snapshot: Snapshot, wanted: Payload) -> tuple[plans.Edit, ...]:
    """A line `> revise: ` below the task, for the person to go on with; none where it would become something else."""
    document, task = snapshot.document, task_at(snapshot.plan, wanted.line)
    if task is None or task.line != wanted.line or wanted.name not in wording.QUESTIONS:
        raise stale()
    after = last_line(document, task.line)
    edit = insert(document, after, [f"{' ' * sum(document.step(task.line - 1).state.stack)}> {wanted.name}: "])
    step = apply_to(document, [edit]).step(after)
    return (edit,) if step.quoted else ()


def running(connection: Connection, asked: Asked) -> Iterator[Action]:
    """Run, cancel, show: what the lenses of a task or phase do, for editors that have none."""
    if not asked.snapshot.main or not asked.invoked or asked.only is not None:
        return
    plan = asked.plan
    runs = connection.board.of_plan(plan)
    view = lenses.View(asked.snapshot, outlook(asked.buffer, plan), runs, connection.options.trusted)
    task = task_at(plan, asked.first)
    if task is not None:
        yield from _of_task(view, task)
        return
    at = next((at for at, phase in enumerate(plan.phases) if phase.line == asked.first), None)
    if at is not None and at in view.outlook.ready_phases and view.outlook.loops:
        phase = plan.phases[at]
        yield from _lens(view, {"kind": "phase", "line": phase.line, "phase": phase.id}, "")


def _of_task(view: lenses.View, task: plans.Task) -> Iterator[Action]:
    place: dict[str, Any] = {"line": task.line, "id": task.id}
    run = view.runs.get(task.line)
    if run is None or not run.open:
        yield from _lens(view, {"kind": "run", **place}, task.label)
    if run is None:
        return
    place["run"] = run.id
    if run.open and not run.needs_person:
        yield from _lens(view, {"kind": "cancel", **place}, f"the run of {task.label}")
    if run.open or run_texts.changed_files(run):
        yield from _lens(view, {"kind": "show", **place}, "")


def _lens(view: lenses.View, data: dict[str, Any], name: str) -> Iterator[Action]:
    if data["kind"] in lenses.ACTING and not view.trusted:
        return
    try:
        command = lenses.command(view, data)
    except StaleEdit:  # it can't be started, or is over
        return
    title = f"{command['title']} {label(name, 60)}".strip()
    yield Action(title, command={**command, "title": title})
