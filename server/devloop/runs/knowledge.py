"""Skills in a run: what is offered at its start, what the agent loads, and what is there again after a hand-off.

Everything that enters a conversation is recorded with its reason and size (`Store.add_skill_use`). The system prompt
and the tools never change with it: skills are in user messages and tool results alone. These functions read files: they
are called in threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from devloop import skills, tools
from devloop.errors import NotFound
from devloop.redact import one_line, visible
from devloop.runs import appointing
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec, TaskSpec
from devloop.runs.transcript import Transcript

MAX_ATTACHED = 24_000
"""Characters of skills that a task names; what does not fit is named instead."""
MAX_AGAIN = 20_000
"""Characters of skills that are attached again after a hand-off or a summary."""
LAST = 6.0
"""The rank of a skill that only the agent speaks for; see `skills.Match`."""
_TEXTS = ("attached", "loaded", "reattached")

Use = tuple[str, str]
"""A skill and a reference ("": its body)."""


def library(services: Services) -> skills.Library:
    """What there is now."""
    return skills.discover(services.root, services.state.trust_file)


def subject(task: TaskSpec, languages: frozenset[str]) -> skills.Subject:
    return skills.Subject(task.title, task.notes, task.files, task.skills, languages)


def opening(services: Services, spec: RunSpec) -> tuple[str, list[str]]:
    """What the first message says of skills: the texts that the task names, one line for each other that fits. With it,
    what the person should know: skills that the task names and that are not there."""
    found = library(services)
    about = subject(spec.task, skills.of_project(services.root))
    profile = appointing.profile_of(services, spec)
    always = services.settings.auto_skills
    matches = _with_named(skills.match([each.skill for each in found.active.values()], about), found, profile.skills)
    matches = tuple(match for match in matches if match.explicit or match.name not in always)
    parts = []
    may_load = "load_skill" in profile.tools
    lines = skills.index_lines(matches, found.active) if may_load else []
    if lines:
        parts.append(skills.index_text(lines))
    for match, line in lines:
        source = found.active[match.name].where
        _record(services, spec, 0, "listed", (match.name, ""), source, match.why, skills.tokens(line))
    why = {name: "your settings name it" for name in always if name in found.active}
    why |= {match.name: "the task names it" for match in matches if match.explicit}
    own_first = sorted(why, key=lambda name: why[name] != "the task names it")
    told, attached = _texts(services, found, [(name, "") for name in own_first], MAX_ATTACHED)
    for loaded in attached:
        _record(services, spec, 0, "attached", (loaded.name, ""), loaded.source, why[loaded.name], loaded.tokens)
    missing = [name for name in spec.task.skills if name not in found.active]
    return "\n\n".join([*parts, *([told] if told else [])]), [_missing(found, name) for name in missing]


def _with_named(
    matches: Sequence[skills.Match], found: skills.Library, names: Sequence[str]
) -> tuple[skills.Match, ...]:
    """With those that the agent's definition names, behind what the task itself speaks for."""
    known = {match.name for match in matches}
    more = [skills.Match(name, "its agent names it", LAST) for name in names if name in found.active]
    return (*matches, *(match for match in more if match.name not in known))


def loader(services: Services) -> Callable[[str, str], str]:
    """What the tool `load_skill` calls. Raises `NotFound`."""

    def load(name: str, reference: str) -> str:
        return skills.load(library(services).active, name, reference).text

    return load


def record_loaded(
    services: Services,
    spec: RunSpec,
    turn: int,
    calls: Sequence[tools.ToolCall],
    results: Sequence[tools.ToolResult],
) -> None:
    """Keep what the calls of a turn loaded, with the reason for which it was offered."""
    taken = [(c, r) for c, r in zip(calls, results, strict=True) if c.name == "load_skill" and not r.is_error]
    if not taken:
        return
    offered = {use["skill"]: use for use in services.store.skill_uses(spec.id) if use["how"] == "listed"}
    active = library(services).active
    for call, result in taken:
        name, reference = str(call.input["name"]).strip(), str(call.input.get("reference") or "")
        why = offered[name]["why"] if name in offered else "the agent asked for it"
        source = active[name].where if name in active else ""
        _record(services, spec, turn, "loaded", (name, reference), source, why, skills.tokens(result.content))


def again(services: Services, spec: RunSpec, turn: int, transcript: Transcript, *, opening_lost: bool) -> str:
    """The skills that were loaded so far, for a conversation that no longer holds them; "" where there were none.

    `opening_lost`: those that the task names are gone as well.
    """
    uses = list(_loaded(services, spec.id, transcript, opening_lost=opening_lost))
    if not uses:
        return ""
    told, attached = _texts(services, library(services), uses[::-1], MAX_AGAIN)
    for loaded in attached:
        why = "it was loaded before"
        _record(services, spec, turn, "reattached", (loaded.name, loaded.reference), loaded.source, why, loaded.tokens)
    names = ", ".join(_called(use) for use in uses)
    return f"Skills that you had loaded before: {names}.\n\n{told}".strip()


def _loaded(services: Services, run: str, transcript: Transcript, *, opening_lost: bool) -> Iterable[Use]:
    """What this conversation loaded, oldest first, with the run whose conversation goes on in it."""
    segment = transcript.segment(0)
    found: dict[Use, None] = {}
    if segment is not None and segment.carried is not None:
        before = Transcript(services.folder(segment.carried), services.redactor)
        found.update(dict.fromkeys(_loaded(services, segment.carried, before, opening_lost=True)))
    wanted = _TEXTS if opening_lost else ("loaded", "reattached")
    for use in services.store.skill_uses(run):
        if use["how"] in wanted:
            found[(use["skill"], use["reference"])] = None
    return found


def _texts(
    services: Services, found: skills.Library, wanted: Sequence[Use], limit: int
) -> tuple[str, list[skills.Loaded]]:
    """The texts that fit into `limit` characters, in the order that is asked for, and the names of the others."""
    attached: list[skills.Loaded] = []
    parts, left_out, gone = [], [], []
    room = limit
    for use in wanted:
        try:
            loaded = skills.load(found.active, *use)
        except NotFound:
            gone.append(_called(use))
            continue
        text = services.redactor.text(visible(loaded.text))
        if len(text) > room:
            left_out.append(_called(use))
            continue
        room -= len(text)
        parts.append(text if not loaded.reference else f"# {_called(use)}\n\n{text}")
        attached.append(loaded)
    if left_out:
        parts.append(f"Too long to stand here; load_skill gives them: {', '.join(left_out)}.")
    if gone:
        parts.append(f"No longer there: {', '.join(gone)}.")
    return "\n\n".join(parts), attached


def _called(use: Use) -> str:
    return one_line(f"{use[0]}/{use[1]}" if use[1] else use[0], 100)


def _missing(found: skills.Library, name: str) -> str:
    waiting = next((each for each in found.found if each.name == name), None)
    why = f"it is in {waiting.where}, {waiting.note}" if waiting is not None else "there is none of this name"
    return f"The task names the skill {one_line(name, 60)}, which was not attached: {why}."


def _record(services: Services, spec: RunSpec, turn: int, how: str, use: Use, source: str, why: str, size: int) -> None:
    row: Mapping[str, Any] = {
        "run": spec.id,
        "turn": turn,
        "how": how,
        "skill": use[0],
        "reference": use[1],
        "source": source,
        "why": one_line(services.redactor.text(why), 200),
        "tokens": size,
    }
    services.store.add_skill_use(dict(row))
