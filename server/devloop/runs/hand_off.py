"""Hand-offs: to a fresh conversation of the same run when the context is full, and to a later start when the person
asks for a fresh one."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from devloop.models import ModelFailure, Response
from devloop.redact import cut, file_name, one_line, printable
from devloop.runs import chaining, hooked_work, knowledge, money, paths_told, prompt
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.transcript import Segment, Transcript
from devloop.runs.turn import build_request, record_turn
from devloop.workspace import PLAN_BRANCH


async def fresh_conversation(services: Services, run: str, number: int) -> dict[str, Any]:
    """Begin a new segment after turn `number`. The summary is turn `number + 1`; without one the diff speaks."""
    spec = services.spec(run)
    transcript = Transcript(services.folder(run), services.redactor)
    segment, first = transcript.segment(), transcript.segment(0)
    assert segment is not None and first is not None
    if segment.first_turn == number + 2:
        return {"outcome": "handed_off", "turn": number + 1}
    summary = await _summary(services, spec, transcript, number + 1)
    known = await asyncio.to_thread(knowledge.again, services, spec, number + 1, transcript, opening_lost=False)
    opening = prompt.after_hand_off(first.opening, segment.number + 2, summary, known)
    added = await hooked_work.session_start(services, spec, "compact")
    if added and added not in opening:
        opening = f"{opening}\n\n{added}"
    transcript.begin_segment(Segment(segment.number + 1, number + 2, opening))
    services.notice(run, "The conversation was full; a fresh one goes on with a hand-off summary.")
    return {"outcome": "handed_off", "turn": number + 1}


async def _summary(services: Services, spec: RunSpec, transcript: Transcript, number: int) -> str:
    stored, started = transcript.response(number), time.time()
    if stored is not None:
        record_turn(services, spec, number, Response.from_json(stored), started=started)
        return Response.from_json(stored).text or await _what_changed(services, spec, transcript, number)
    messages = transcript.messages(number, closing=prompt.HAND_OFF_REQUEST)
    request = replace(await build_request(services, spec, transcript, number), messages=messages, max_tokens=2_000)
    if money.reserve(services, spec, number, request) is None:
        model = services.model_for(spec)
        try:
            answer = await model.turn(request)
        except ModelFailure:
            services.store.release(spec.id, number)
        except BaseException:
            services.store.release(spec.id, number)
            raise
        else:
            transcript.set_response(number, answer.to_json())
            record_turn(services, spec, number, answer, started=started)
            if answer.text.strip():
                return answer.text
    return await _what_changed(services, spec, transcript, number)


async def _what_changed(services: Services, spec: RunSpec, transcript: Transcript, number: int) -> str:
    row = services.store.run(spec.id)
    snapshot = transcript.snapshot(number)
    if row is None or not row["base"] or snapshot is None:
        return "Nothing has been changed yet."
    found = await services.workspace.diff(row["base"], snapshot)
    told = paths_told.Names(services, spec.id)
    names = "\n".join(f"- {file_name(told(file.path))} (+{file.added} −{file.deleted})" for file in found.files[:50])
    return f"Files changed so far:\n{names or '- none'}"


async def hand_off_file(services: Services, run: str) -> dict[str, Any]:
    """The object for `.devloop/next-action.json` (state-files §3): no secrets, no paths of this machine."""
    spec = services.spec(run)
    row = services.store.run(run)
    assert row is not None
    transcript = Transcript(services.folder(run), services.redactor)
    reply = transcript.reply(transcript.last_turn()) or {}
    summary = printable(services.redactor.text(reply.get("outcome", {}).get("summary", "")))
    if chaining.following(spec) is not None:  # another mode goes on with this task
        task: dict[str, Any] | None = {"id": spec.task.id, "title": spec.task.title}
    else:
        task = (await services.plan.next([])).get("task")
    return {
        "version": "2",
        "savedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": "fresh_start",
        "plan": {"name": spec.plan.name, "file": spec.plan.path},
        "planBranch": PLAN_BRANCH,
        "lastCompletedTask": {"id": spec.task.id, "description": one_line(spec.task.title)},
        "nextTask": {"id": task["id"], "description": one_line(task["title"])} if task else None,
        "openRuns": [r["id"] for r in services.store.find_runs(open_only=True) if r["id"] != run],
        "handoff": cut(summary, 2000),
    }
