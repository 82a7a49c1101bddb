"""A plan in the making as text in devloop's format (plan-format §4 to §11)."""

from __future__ import annotations

import re

from devloop.plan import headings, items
from devloop.plan.importing import words
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask

CRITERIA = "Success Criteria"


def written(draft: DraftPlan) -> str:
    """The text. Ids and dependencies are settled before (`linking.settle`)."""
    lines = [f"# Plan: {words.heading(draft.name)}", ""]
    fields = [(key, words.value(value)) for key, value in draft.fields]
    lines += [f"**{key}**: {value}" for key, value in fields if value]
    if draft.overview:
        lines += ["", "## Overview", ""]
        for text in draft.overview:
            for paragraph in re.split(r"\n[ \t\r]*\n", text)[: words.MAX_LINES]:
                lines += [*words.lines(paragraph)[: words.MAX_LINES], ""]
    for phase in draft.phases:
        lines += phase_lines(phase, draft)
    for section in dict.fromkeys(section for section, _, _ in draft.criteria):
        known = headings.heading(2, section).kind == headings.CRITERION
        title = words.heading(section) if known else CRITERIA
        lines += ["", f"## {title}", ""]
        lines += [
            f"- [{'x' if done else ' '}] {words.value(text)}" for of, done, text in draft.criteria if of == section
        ]
    if draft.facts:
        lines += ["", "## From the source", ""]
        lines += [f"- `{key}`: {words.value(value)}" for key, value in draft.facts]
    lines += ["", "## Progress Log", ""]
    lines += [f"- {f'{stamp}: ' if stamp else ''}{_log_text(stamp, text)}" for stamp, text in draft.log]
    return _joined(lines)


def _joined(lines: list[str]) -> str:
    """The lines with one empty line where there were several."""
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line.rstrip())
    return "\n".join(kept).rstrip("\n") + "\n"


def _log_text(stamp: str, text: str) -> str:
    return words.value(text) if stamp else words.line(text)


def _waits(phase: DraftPhase, draft: DraftPlan) -> list[str]:
    """Names of what a phase waits for: whole phases where they are flat, else tasks."""
    left = dict.fromkeys(phase.waits_for)
    found = []
    if len({other.level for other in draft.phases if other.id}) == 1:
        for other in draft.phases:
            if other is not phase and other.id and other.tasks and all(task in left for task in other.tasks):
                found.append(f"Phase {other.id}")
                left = {task: None for task in left if task not in other.tasks}
    return [*found, *(task.id for task in left)]


def phase_lines(phase: DraftPhase, draft: DraftPlan) -> list[str]:
    """A phase with its tasks; an empty line before the heading."""
    lines: list[str] = []
    if phase.id:
        tag = f" [parallel:{phase.tag}]" if phase.tag else ""
        lines = ["", f"{'#' * phase.level} Phase {phase.id}: {words.phase_name(phase.id, phase.name)}{tag}", ""]
        if phase.goal and (goal := words.value(phase.goal)):
            lines.append(f"**Goal**: {goal}")
        if phase.waits_for:
            lines.append(f"**Dependencies**: {', '.join(_waits(phase, draft))}")
    elif phase.name:
        lines = ["", f"{'#' * phase.level} {words.heading(phase.name)}"]
    lines.append("")
    waiting = [(task, 0) for task in reversed(phase.tasks)]
    while waiting:
        task, depth = waiting.pop()
        lines += [" " * (2 * depth) + line for line in task_lines(task)]
        waiting += ((child, depth + 1) for child in reversed(task.children))
    return lines


def task_lines(task: DraftTask, body: str = "") -> list[str]:
    """A task with what belongs to it, but for its steps. `body`: how its id and title are written, else as we do."""
    body = body or (words.lead(task.id, task.title) if task.explicit else words.without_id(task.title))
    needs = list(dict.fromkeys(need.id for need in (*task.needs, *task.inherited)))
    tags = [*task.tags, *([f"depends:{', '.join(needs)}"] if needs else [])]
    mark = f"[{task.marker}]{'*' if task.optional else ''}"
    return [
        " ".join([f"- {mark} {body}", *(f"[{tag}]" for tag in tags)]),
        *acceptance_lines(task.acceptance),
        *listed("Files", [", ".join(task.files)] if task.files else []),
        *listed("Verify", task.verify),
        *listed("Requirements", [", ".join(task.requirements)] if task.requirements else []),
        *(line for key, value in task.facts for line in listed(key, words.lines(value))),
        *(f"  - {words.detail(text)}" for text in task.details if text.strip()),
        *listed("Notes", task.notes[: words.MAX_LINES]),
    ]


def acceptance_lines(criteria: list[tuple[str, str]]) -> list[str]:
    marked = any(mark for mark, _ in criteria)
    texts = [(mark, words.line(text)) for mark, text in criteria]
    if not marked:
        return listed("Acceptance", [text for _, text in texts])
    boxes = [f"    - [{mark}] {words.value(text)}" if mark else f"    - {text}" for mark, text in texts]
    return ["  - **Acceptance**:", *boxes]


def listed(key: str, texts: list[str]) -> list[str]:
    """One value behind the key, several below it. Texts are lines already (`words.line`, `words.lines`)."""
    texts = [text for text in texts if text]
    if not texts:
        return []
    if len(texts) == 1:
        return [f"  - **{key}**: {texts[0]}"]
    return [f"  - **{key}**:", *(f"    - {text}" for text in texts)]


def file_piece(path: str, *, new: bool = False, span: tuple[int, int] | None = None) -> str:
    """A piece of a `Files` value; empty when a path can't be written as one."""
    lines = "" if span is None else f":{span[0]}-{span[1]}" if span[0] != span[1] else f":{span[0]}"
    piece = f"`{path}{lines}`{' (new)' if new else ''}"
    read = items.files(piece) if path.isprintable() and "`" not in path and path.strip() == path else ()
    return piece if [ref.path for ref in read] == [path] and len(items.pieces(piece)) == 1 else ""
