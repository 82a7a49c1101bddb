"""The skills there are for this workspace, and which of them a task would be offered."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop import plan as plans
from devloop import skills
from devloop.paths import StateDir
from devloop.redact import one_line, printable

Answer = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """Skills and languages of a workspace, as they were when it was looked at."""

    library: skills.Library = field(default_factory=lambda: skills.Library())  # noqa: PLW0108 - loads it
    languages: frozenset[str] = frozenset()

    def matches(self, task: plans.Task) -> tuple[skills.Match, ...]:
        """Those that a run of the task would begin with, the most certain first; pure."""
        subject = skills.Subject(
            task.title,
            task.notes,
            tuple(file.path for file in task.files),
            task.skills,
            self.languages,
        )
        return skills.match([found.skill for found in self.library.active.values()], subject)


def look(root: Path) -> Known:
    """Reads files: not for the daemon's loop."""
    return Known(skills.discover(root, StateDir.of(root).trust_file), skills.of_project(root))


def listed(root: Path, task: plans.Task | None) -> Answer:
    """`{"skills", "problems"}`: every skill, also those that are overridden or not trusted yet, and what is wrong in
    their files. `why` is null for what a run of the task would not be offered. Blocks."""
    known = look(root)
    why = {each.name: each.why for each in known.matches(task)} if task is not None else {}
    return {"skills": [_told(found, why) for found in known.library.found], "problems": _problems(known.library)}


def _told(found: skills.Found, why: dict[str, str]) -> Answer:
    told = skills.to_json(found)
    plain = {key: one_line(value, 1024) if isinstance(value, str) else value for key, value in told.items()}
    plain["path"] = str(found.path)
    plain["triggers"] = [one_line(each, 80) for each in told["triggers"]]
    plain["references"] = [one_line(each, 120) for each in told["references"]]
    reason = why.get(found.name) if found.state == "active" else None
    return {**plain, "why": one_line(reason, 200) if reason else None}


def _problems(library: skills.Library) -> list[Answer]:
    found = (*library.problems, *skills.clashes(library.found))
    return [{**each.to_json(), "message": printable(each.message)} for each in found]
