"""What an agent hands in: judged by its mode's contract, and shown to the person who decides."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from devloop.agents import contracts
from devloop.errors import DevloopError
from devloop.models import Response
from devloop.redact import cut, printable
from devloop.runs import paths_told, stopping
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Transcript

Outcome = dict[str, Any]

GATHERED = "report.json"
"""In the folder of a run that gathered the reports of others: theirs, as one."""
CUT_SHORT = ("exhausted", "stalled")
DONE = 30
"""Calls that are named of a run that was cut short, the newest."""
LAST_WORDS = 3
SUMMARY = 2_000
REPORT = 20_000
HANDED = 6_000
HANDED_ON = 5
_AGAIN = "This result does not fit: {mistakes}. Call finish once more with all of it, mended."
_NONE = "The task ends with your result: call finish with it."


def judge(spec: RunSpec, transcript: Transcript, number: int, value: Mapping[str, Any] | None, text: str) -> Outcome:
    """The outcome of turn `number`, which handed in `value` or, in words, `text`.

    `unfit` with words for the agent the first time that a result does not fit; the second time it is taken as it is:
    `finished` with `summary`, `result` (None: there is none) and `mistakes`.
    """
    shape = spec.profile.result if spec.profile is not None else None
    if shape is None:
        return {"outcome": "finished", "summary": cut(text, SUMMARY)}
    value = contracts.in_text(text) if value is None else value
    wrong = ["there is no result"] if value is None else contracts.mistakes(contracts.model_of(shape), value)
    if wrong and not _asked_again(transcript, number):
        told = _NONE if value is None else _AGAIN.format(mistakes="; ".join(wrong))
        return {"outcome": "unfit", "text": told}
    summary = str((value or {}).get("summary") or "") or text
    result = _whole(shape, value) if value is not None and not wrong else value
    return {"outcome": "finished", "summary": cut(summary, SUMMARY), "result": result, "mistakes": wrong}


def _asked_again(transcript: Transcript, number: int) -> bool:
    """Whether the result before this one did not fit, too."""
    for turn in range(number - 1, 0, -1):
        known = (transcript.reply(turn) or {}).get("outcome", {})
        outcome = None if known.get("hook") else known.get("outcome")  # a hook held it back: that says nothing of it
        if outcome in ("unfit", "finished"):
            return bool(outcome == "unfit")
    return False


def _whole(shape: contracts.Shape, value: Mapping[str, Any]) -> dict[str, Any]:
    found = contracts.model_of(shape).model_validate(value)
    more = {"total": found.total, "size": found.size} if isinstance(found, contracts.Estimate) else {}
    return {**found.model_dump(mode="json"), **more}


def report(services: Services, run: str) -> dict[str, Any] | None:
    """What the run's agent handed in last, redacted: `{"text", "data", "fits", "mistakes"}`; None where its mode has no
    result of its own, or there is none yet. Of a run whose time or budget was over before: what was done until then."""
    gathered = services.folder(run) / GATHERED
    if gathered.exists():
        return _shown(services, {"result": json.loads(gathered.read_bytes()), "mistakes": []})
    transcript = Transcript(services.folder(run), services.redactor)
    for turn in range(transcript.last_turn(), 0, -1):
        outcome = (transcript.reply(turn) or {}).get("outcome", {})
        if outcome.get("outcome") == "finished":
            return _shown(services, outcome) if "result" in outcome else None
    row = services.store.run(run)
    if row is not None and row["outcome"] in CUT_SHORT and services.spec(run).reports:
        return _shown(services, _until_then(transcript, str(row["reason"] or row["outcome"])))
    return None


def _until_then(transcript: Transcript, why: str) -> Outcome:
    """What devloop knows itself of a run that never came to its result: what it did and what it said last."""
    calls = [call for turn in range(1, transcript.last_turn() + 1) for call in _calls(transcript, turn)]
    answers = [Response.from_json(found) for turn in transcript.answered() if (found := transcript.response(turn))]
    said = [cut(text, SUMMARY) for answer in answers if (text := answer.text.strip())][-LAST_WORDS:]
    done = [f"{call['summary']}{' (failed)' if call['is_error'] else ''}" for call in calls]
    left = len(done) - DONE
    return {
        "result": {
            "summary": f"It ended before its result was handed in: {why}",
            "ended": why,
            "done": [*([f"{left} more before these"] if left > 0 else []), *done[-DONE:]],
            "said_last": said,
        },
        "mistakes": ["there is no result: the run ended before"],
    }


def _calls(transcript: Transcript, turn: int) -> list[Mapping[str, Any]]:
    return list((transcript.reply(turn) or {}).get("calls", []))


def _shown(services: Services, outcome: Outcome) -> dict[str, Any]:
    data = services.redactor.data(outcome["result"])
    text = cut(printable(services.redactor.text(contracts.markdown(data or {}))), REPORT)
    return {"text": text, "data": data, "fits": not outcome["mistakes"], "mistakes": outcome["mistakes"]}


def clear(spec: RunSpec, shown: Mapping[str, Any] | None) -> bool:
    """Whether nobody has to look at it, so that an unattended loop may go on."""
    shape = spec.profile.result if spec.profile is not None else None
    if shape is None:
        return True
    if shown is None or not shown["fits"]:
        return False
    try:
        return contracts.model_of(shape).model_validate(shown["data"]).clear
    except ValidationError:  # redacting made it something else
        return False


def agreed(services: Services, spec: RunSpec, shown: Mapping[str, Any] | None) -> bool:
    """Whether the person said yes in advance to whatever the errand, or this phase of the workflow, hands in, as long
    as it fits."""
    errand = spec.task.errand
    given = errand.given.get("agreed") is True if errand is not None else stopping.approved(services, spec)
    return given and shown is not None and bool(shown["fits"])


def handed_on(services: Services, spec: RunSpec) -> str:
    """What a run begins with of the tasks that its task waits for: the reports of agents that only read, and what the
    person said when they accepted them. No commit carries these."""
    parts = []
    for task in spec.task.depends_on[:HANDED_ON]:
        done = (
            row for row in services.store.find_runs(task=task, limit=10) if row["outcome"] in ("accepted", "landed")
        )
        row = next(done, None)
        if row is not None and RunSpec.model_validate(row["spec"]).reports:
            parts.append(_handed(services, row))
    for run in spec.chain.before if spec.chain is not None else ():
        earlier = services.store.run(run)
        if earlier is not None:
            parts.append(_handed(services, earlier))
    return "\n\n".join(filter(None, parts))


def _handed(services: Services, row: Mapping[str, Any]) -> str:
    transcript = Transcript(services.folder(row["id"]), services.redactor)
    outcome = (transcript.reply(transcript.last_turn()) or {}).get("outcome", {})
    found = report(services, row["id"])
    summary = printable(services.redactor.text(str(outcome.get("summary") or "")))
    said = services.redactor.text(_said(services, row["id"]))
    title = f"Handed on by task {row['task_id']} ({row['agent']}:{row['mode']}), as data:"
    parts = (
        f"{title}\n{summary}",
        cut((found or {}).get("text", ""), HANDED),
        f"The person said: {said}" if said else "",
    )
    return "\n".join(filter(None, parts)) if summary else ""


def _said(services: Services, run: str) -> str:
    """The message of the run's last decision."""
    last, number = "", 1
    while (checkpoint := services.store.checkpoint(run, number)) is not None:
        last, number = checkpoint["message"] or "", number + 1
    return last


async def take_effect(services: Services, run: str, message: str, ended: str, leave_out: Sequence[str] = ()) -> Outcome:
    """What accepting the errand's report does in the workspace, as the daemon does it; `message` came with the yes, and
    what of it is left out."""
    spec = services.spec(run)
    errand = spec.task.errand
    assert errand is not None
    found = report(services, run)
    row = services.store.run(run)
    content = {
        "command": errand.command,
        "given": errand.given,
        "run": run,
        "title": spec.task.title,
        "commit": row["commit_id"] if row is not None else None,
        "report": {"data": found["data"], "fits": found["fits"], "text": found["text"]} if found else None,
        "message": services.redactor.text(message),
        "ended": ended,
        "leave_out": list(leave_out),
    }
    try:
        told = await services.plan.take_effect(content)
    except DevloopError as problem:
        return {"outcome": "refused", "reason": problem.message, "hint": problem.hint}
    services.notice(run, *filter(None, [told]))
    return {"outcome": "done"}


async def findings(services: Services, run: str) -> Outcome:
    """The end of an agent that reports: `{"outcome": "findings", "clear"}`. What it changed (on scratch, or because
    there was no sandbox to stop it) is named and becomes no commit."""
    spec = services.spec(run)
    services.set_state(run, "checking")
    transcript = Transcript(services.folder(run), services.redactor)
    last = transcript.snapshot(transcript.last_turn() + 1)
    row = services.store.run(run)
    before = transcript.snapshot(1) or (row["base"] if row is not None else None)
    if last is not None and before is not None:
        changed = await services.workspace.diff(before, last, limit=0)
        if changed.files:
            names = ", ".join(paths_told.shown(services, run, [file.path for file in changed.files[:5]]))
            why = f"{spec.agent} only reads, so its changes are" if spec.reads_only else "What was built to try it is"
            services.notice(run, f"{why} left out: {names}")
    found = report(services, run)
    return {"outcome": "findings", "clear": clear(spec, found) or agreed(services, spec, found)}
