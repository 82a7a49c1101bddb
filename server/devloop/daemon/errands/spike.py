"""`devloop spike "…"`: find out, by reading and by trying; a report stays, what was built to try it does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from devloop import settings
from devloop.daemon.errands import planning
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, Proposal, errand_task
from devloop.daemon.errands.sources import as_data, source
from devloop.errors import UsageError
from devloop.plan.find import TaskRef
from devloop.plan.importing import words
from devloop.redact import one_line
from devloop.runs.spec import TaskSpec
from devloop.state import spikes

EXAMPLE: Final = 'devloop spike "Can the parser read a plan of 50,000 lines in 100 ms?"'
LEFT_OUT: Final = "plan"
_BOX: Final = re.compile(r"(?P<count>[0-9]{1,3})[ \t]*(?P<unit>m|min|minutes?|h|hours?)", re.IGNORECASE)
SHORTEST_S, LONGEST_S = 60, 8 * 3600
DEFAULT_BOX: Final = "1h"


async def build(project: Project, asked: Asked) -> TaskSpec:
    found = await source(project, asked)
    topic = asked.text.split("\n")[0] or (found.title or found.label if found is not None else asked.required(EXAMPLE))
    spikes.name_of(topic)  # a topic without words is refused now
    box = await asyncio.to_thread(_box, project, asked.word("time_box"))
    before = await asyncio.to_thread(planning.there, project)
    parts = [
        asked.text if asked.text != topic else "",
        f"Time box: {box // 60} minutes, after which the run ends. Hand in well before that what you know by then.",
    ]
    if found is not None:
        parts.append(as_data(f"What is to be found out, from {found.label}", found.text))
    if before is not None:
        parts.append(as_data("The plan, which your changes are for", planning.outline(before[1]), planning.MAX_OUTLINE))
    return errand_task(
        "spike",
        topic,
        given={"topic": topic, "agreed": asked.flag("yes"), "source": found.label if found is not None else ""},
        notes="\n\n".join(filter(None, parts)),
        agent="engineer",
        mode="spike",
        timeout_s=float(box),
    )


def _box(project: Project, wanted: str) -> int:
    """Seconds. A task may only narrow what the person's budget allows a run, so a longer box would be an empty word."""
    most = settings.load(project.root).budget.wall
    box = time_box(wanted or DEFAULT_BOX)
    if wanted and box > most:
        raise UsageError(
            f"A run ends after {most / 60:.0f} minutes by your budget, so a time box of {wanted} can't be kept.",
            hint=f'Raise it in your settings: [budget] wall = "{box // 60}m".',
        )
    return int(min(box, most))


def time_box(text: str) -> int:
    """Seconds. Raises `UsageError`."""
    found = _BOX.fullmatch(text.strip())
    seconds = int(found["count"]) * (60 if found["unit"].lower().startswith("m") else 3600) if found else 0
    if not SHORTEST_S <= seconds <= LONGEST_S:
        raise UsageError(f"{one_line(text, 40)!r} is no time box.", hint="For example 30m or 2h; 8h at most.")
    return seconds


async def preview(project: Project, accepted: Accepted) -> Proposal | None:
    """What its changes make of the plan; nothing where it asks for none, or there is none."""
    if not accepted.data.get("changes") or await asyncio.to_thread(planning.there, project) is None:
        return None
    return await planning.preview_change(project, accepted, beside=beside(accepted), optional=True)


async def take_effect(project: Project, accepted: Accepted) -> str:
    """The report, and unless the person leaves them out the changes of the plan."""
    before = await asyncio.to_thread(planning.there, project)
    path = before[0].relative if before is not None else ""
    written = await asyncio.to_thread(_write, project, accepted, path)
    if not accepted.data.get("changes"):
        return f"{written} is written."
    if LEFT_OUT in accepted.leave_out:
        return f"{written} is written; the plan stays as it is."
    if before is None:
        return f"{written} is written. There is no plan to change: `devloop plan new --from {written}` makes one."
    return f"{written} is written. {await planning.change(project, accepted, beside=beside(accepted))}"


def beside(accepted: Accepted) -> TaskRef | None:
    """The task of the plan that asked for it; None of an errand."""
    return TaskRef.from_json(accepted.task) if accepted.task and not accepted.command else None


def _write(project: Project, accepted: Accepted, plan: str) -> str:
    topic = str(accepted.given.get("topic") or accepted.title)
    return spikes.write(project.root, topic, report(topic, accepted.data, plan))


def report(topic: str, data: Mapping[str, Any], plan: str) -> str:
    """A `SpikeReport` as state-files §9 has it. Whatever was handed in makes one."""
    changes = [each for each in _list(data, "changes") if isinstance(each, Mapping)]
    findings = (
        ("Feasibility", _text(data, "feasible")),
        ("Recommended Approach", _text(data, "approach")),
        ("Size", _text(data, "size")),
        ("Risk", _text(data, "risk")),
        ("Confidence", _text(data, "confidence")),
    )
    asked = [each for each in _list(data, "questions") if isinstance(each, Mapping)]
    return spikes.render(
        topic,
        questions=[(_text(each, "question"), _text(each, "answer")) for each in asked],
        findings=[(name, value) for name, value in findings if value],
        discoveries=_texts(data, "discoveries"),
        risks=_texts(data, "risks"),
        recommendation="\n".join(words.lines(_text(data, "recommendation") or _text(data, "summary"))),
        steps=_texts(data, "next_steps"),
        plan=plan,
        relationship=_relationship(changes),
        changes=[sentence for each in changes for sentence in _sentence(each)],
    )


def _relationship(changes: list[Mapping[str, Any]]) -> str:
    replaced = [_text(each, "task") for each in changes if each.get("what") == "supersede" and _text(each, "task")]
    if replaced:
        return f"Replaces Task {replaced[0]}"
    named = [_text(each, "task") for each in changes if each.get("what") != "add" and _text(each, "task")]
    if named:
        return f"Informs Task {named[0]}"
    return "New work" if changes else "Independent"


def _sentence(change: Mapping[str, Any]) -> Iterator[str]:
    """As state-files §9 lists a change; `spikes.parse` reads it back."""
    task, title, after = _text(change, "task"), _text(change, "title"), _text(change, "after")
    why = f" ({_text(change, 'why')})" if _text(change, "why") else ""
    names = ", ".join(_texts(change, "depends"))
    match change.get("what"):
        case "add":
            where = f"after Task {after}" if after else f"to {_text(change, 'phase') or 'the plan'}"
            yield f"**Add {where}**: {title}{why}"
        case "reword":
            yield f"**Modify Task {task}**: {title or 'its acceptance and files'}{why}"
        case "supersede":
            by = ", ".join(_texts(change, "by"))
            yield f"**Remove Task {task}**: {f'superseded by {by}' if by else 'no longer needed'}{why}"
        case "move":
            yield f"**Reorder Task {task}**: {f'after Task {after}' if after else _text(change, 'phase')}{why}"
        case "depend":
            yield f"**Modify Task {task}**: waits for {names or 'nothing'}{why}"
        case "parallel":
            yield f"**Mark parallel Task {task}**: group {_text(change, 'group')}{why}"


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    return [each for each in _list(data, name) if isinstance(each, str) and each.strip()]


COMMAND: Final = Command("spike", build, take_effect, preview=preview)
