"""How events change the view of a run. Pure: a view and the next event give the next view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from devloop.daemon import wording
from devloop.daemon.run_view import LINE, Now, Row, RunView, number_of, of_row, text_of, tokens_of, whole_of
from devloop.redact import one_line


def folded(view: RunView | None, event: Row) -> RunView | None:
    """The view after an event; None for an event that says nothing about a run."""
    run, kind, data = event.get("run"), str(event.get("kind")), event.get("data")
    if not isinstance(run, str) or not run or not isinstance(data, Mapping) or kind not in _FOLDS:
        return view
    return _FOLDS[kind](view or RunView(run), data, event)


def _queued(view: RunView, data: Row, event: Row) -> RunView:
    row = {"id": view.id, "state": "queued", **data}
    return replace(of_row(row, view), known="agent" in data, detailed=True)


def _state(view: RunView, data: Row, event: Row) -> RunView:
    state = str(data.get("state") or view.state)
    view = replace(
        view,
        state=state,
        recorded_wait=text_of(data.get("waiting_for")),
        checkpoint=view.checkpoint if state == "waiting" else None,
        now=Now(),
    )
    if "turn" in data:
        view = replace(view, turn=whole_of(data["turn"]) or view.turn)
    if "started" in data:
        view = replace(view, started=number_of(data["started"]))
    return _over(view, data, event) if state == "ended" else view


def _over(view: RunView, data: Row, event: Row) -> RunView:
    return replace(
        view,
        state="ended",
        outcome=text_of(data.get("outcome")) or view.outcome,
        reason=text_of(data["reason"]) if "reason" in data else view.reason,
        ended=number_of(data.get("ended")) or view.ended or number_of(event.get("at")),
        recorded_wait=None,
        checkpoint=None,
        now=Now(),
    )


def _turn_started(view: RunView, data: Row, event: Row) -> RunView:
    doing = wording.doing_of("turn.started", data) or ""
    return replace(view, turn=whole_of(data.get("turn")) or view.turn, now=Now(doing=doing))


def _turn_progress(view: RunView, data: Row, event: Row) -> RunView:
    doing = wording.doing_of("turn.progress", data) or ""
    now = replace(view.now, doing=one_line(doing, LINE), streamed=whole_of(data.get("tokens")) or 0)
    return replace(view, turn=whole_of(data.get("turn")) or view.turn, now=now)


def _turn_ended(view: RunView, data: Row, event: Row) -> RunView:
    """Events of a turn that ended carry what the run has used; those that don't leave it to the record."""
    return replace(_used(view, data), now=Now())


def _tool_started(view: RunView, data: Row, event: Row) -> RunView:
    name = one_line(wording.doing_of("tool.started", data) or "", 60)
    tool = (str(data.get("id") or ""), name, one_line(str(data.get("argument") or ""), 80))
    return replace(view, now=replace(view.now, doing=name, tools=(*_without(view, data), tool)))


def _tool_ended(view: RunView, data: Row, event: Row) -> RunView:
    return replace(view, now=replace(view.now, tools=_without(view, data)))


def _without(view: RunView, data: Row) -> tuple[tuple[str, str, str], ...]:
    """The tools at work without the one an event is about; an event without an id ends all."""
    wanted = str(data.get("id") or "")
    return tuple(tool for tool in view.now.tools if wanted and tool[0] != wanted)


def _hook_started(view: RunView, data: Row, event: Row) -> RunView:
    return replace(view, now=replace(view.now, doing=one_line(wording.doing_of("hook.started", data) or "", LINE)))


def _model_waiting(view: RunView, data: Row, event: Row) -> RunView:
    until = number_of(data.get("until"))
    wait = view.recorded_wait
    if not wait and until is not None:
        wait = f"the model, again at {datetime.fromtimestamp(until).astimezone():%H:%M:%S}"
    return replace(view, recorded_wait=wait, now=replace(view.now, until=until))


def _gate_started(view: RunView, data: Row, event: Row) -> RunView:
    """A gate on another commit begins a new round: earlier verdicts say nothing about it."""
    commit, name = str(data.get("commit") or ""), str(data.get("gate"))
    doing = one_line(wording.doing_of("gate.started", data) or "", LINE)
    return replace(
        view,
        gates=view.gates if commit == view.gates_commit else {},
        gates_commit=commit,
        now=Now(doing=doing, gate=name, gates_total=whole_of(data.get("of")) or 0),
    )


def _gate_ended(view: RunView, data: Row, event: Row) -> RunView:
    name = str(data.get("gate"))
    others = {gate: verdict for gate, verdict in view.gates.items() if gate != name}
    return replace(view, gates={**others, name: str(data.get("verdict"))}, now=replace(view.now, gate=""))


def _checkpoint_opened(view: RunView, data: Row, event: Row) -> RunView:
    return replace(_used(view, data), state="waiting", checkpoint=dict(data), now=Now())


def _checkpoint_closed(view: RunView, data: Row, event: Row) -> RunView:
    return replace(view, checkpoint=None)


def _notice(view: RunView, data: Row, event: Row) -> RunView:
    waiting = text_of(data.get("waiting_for"))
    return replace(view, now=replace(view.now, waiting_for=one_line(waiting, LINE))) if waiting else view


_FOLDS = {
    "run.queued": _queued,
    "run.state": _state,
    "run.ended": _over,
    "turn.started": _turn_started,
    "turn.progress": _turn_progress,
    "turn.ended": _turn_ended,
    "tool.started": _tool_started,
    "tool.ended": _tool_ended,
    "hook.started": _hook_started,
    "model.waiting": _model_waiting,
    "gate.started": _gate_started,
    "gate.ended": _gate_ended,
    "checkpoint.opened": _checkpoint_opened,
    "checkpoint.closed": _checkpoint_closed,
    "notice": _notice,
}


def _used(view: RunView, data: Row) -> RunView:
    if "cost_usd" not in data or "tokens" not in data:
        return view
    cost = number_of(data["cost_usd"])
    return replace(view, cost_usd=None if cost is None else round(cost, 6), tokens=tokens_of(data["tokens"]))
