"""`.devloop/archive/*.md` (state-files §10): what the names say, what a file holds, and the way back into the plan."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from devloop import plan as plans
from devloop.errors import NotFound, Refused, UsageError
from devloop.own_files import Fault, read_text
from devloop.redact import one_line
from devloop.state.storing import markdown_files

FOLDER: Final = ".devloop/archive"
_NAME = re.compile(
    r"(?P<plan>.+?)_phases?_(?P<phase>[\w.-]+?)(?:_(?P<day>[0-9]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2})(?:_(?P<time>[0-9]{6}))?)?\.md\Z"
)
_WORKLOG = re.compile(r"worklog-(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:-[0-9]+)?\.md\Z")
_RULE = re.compile(r"-{3,}[ \t]*\Z")
_LOG = re.compile(r"## Progress Log\b")


@dataclass(frozen=True)
class Name:
    """`phase`: an id, or a range (`1-3`) in old files; `when`: local time, None where the name has none."""

    plan: str
    phase: str
    when: datetime | None


@dataclass(frozen=True)
class Entry:
    """A file of the archive. `phases`: ids of the phases it holds; `tasks`: ids of its tasks."""

    path: str
    plan: str
    phases: tuple[str, ...]
    tasks: tuple[str, ...]
    done: int
    when: datetime | None


def parse_name(name: str) -> Name | None:
    """What the name of an archived phase says, in all its forms; None for a name of another kind."""
    found = _NAME.match(name)
    if found is None or _WORKLOG.match(name):
        return None
    day, time = (found["day"] or "").replace("-", ""), found["time"]
    when = None
    if day:
        try:
            when = datetime.strptime(f"{day}{time or '000000'}", "%Y%m%d%H%M%S")  # noqa: DTZ007 - the person's own time
        except ValueError:
            when = None
    return Name(found["plan"], found["phase"], when)


def entries(root: Path) -> tuple[tuple[Entry, ...], tuple[Fault, ...]]:
    """The archived phases, oldest first, and files that hold none."""
    found: list[Entry] = []
    faults: list[Fault] = []
    for path in markdown_files(root, FOLDER):
        name = Path(path).name
        if _WORKLOG.match(name):
            continue
        plan = plans.parse((read_text(root, path) or "").encode("utf-8", "surrogateescape"), name=path)
        if not plan.phases:
            faults.append(Fault(path, 1, "there is no phase in this file", "warning"))
            continue
        named = parse_name(name)
        top = plan.top_level
        original = plan.field("Original Plan")
        found.append(
            Entry(
                path,
                original.value if original else named.plan if named else plan.name,
                tuple(phase.id for phase in plan.phases if phase.parent is None),
                tuple(task.id for task in top),
                sum(task.done for task in top),
                named.when if named else None,
            )
        )
    return tuple(sorted(found, key=lambda each: (str(each.when or ""), each.path))), tuple(faults)


def phase_text(text: str) -> str:
    """The phase of an archive file as it stood in the plan: what is between the header's rule and the log."""
    lines = text.replace("\r\n", "\n").split("\n")
    first = next((n for n, line in enumerate(lines) if _RULE.match(line)), -1)
    start = next((n for n in range(first + 1, len(lines)) if lines[n].lstrip().startswith("#")), None)
    if start is None:
        raise UsageError("There is no phase in this file.")
    ends = [n for n in range(start, len(lines)) if _LOG.match(lines[n])]
    end = ends[-1] if ends else len(lines)
    return "\n".join(lines[start:end]).strip("\n") + "\n"


def restored(plan: plans.Plan, text: str) -> plans.Edit:
    """The edit that puts an archived phase back, in the order of ids.

    Raises `Refused` when the plan has a phase or task of one of its ids, `UsageError` for a file without a phase.
    """
    body = phase_text(text)
    back = plans.parse(body.encode("utf-8", "surrogateescape"))
    if not back.phases:
        raise UsageError("There is no phase in this file.")
    known = {task.id.lower() for task in plan.tasks if task.explicit}
    clash = [task.id for task in back.tasks if task.explicit and task.id.lower() in known]
    clash += [f"phase {p.id}" for p in back.phases if p.id.lower() in {other.id.lower() for other in plan.phases}]
    if clash:
        names = ", ".join(one_line(name, 40) for name in clash[:5])
        raise Refused(f"The plan uses these names already: {names}.", hint="Rename them there first.")
    wanted = _rank(back.phases[0].id)
    following = next((p for p in plan.phases if p.parent is None and _rank(p.id) > wanted), None)
    document = plan.document
    if following is not None:
        row = following.line
    else:
        top = [phase for phase in plan.phases if phase.parent is None]
        after = top[-1].end_line if top else _before_log(plan)
        while after > 0 and not document.line(after - 1).strip():
            after -= 1
        row = after + 1
    eol = document.eol
    block = body.replace("\n", eol)
    if row > len(document):
        last = len(document)
        column = len(document.line(last - 1)) if last else 0
        gap = "" if not column else eol * 2 if not document.line(last - 1).endswith("\n") else eol
        return plans.Edit(max(last, 1), column, max(last, 1), column, f"{gap}{block}")
    before = "" if row == 1 or not document.line(row - 2).strip() else eol
    behind = eol if document.line(row - 1).strip() else ""
    return plans.Edit(row, 0, row, 0, f"{before}{block}{behind}")


def _before_log(plan: plans.Plan) -> int:
    log = next((section for section in plan.sections if section.kind == "log"), None)
    return log.line - 1 if log else len(plan.document)


def _rank(name: str) -> tuple[int, str]:
    match = re.match(r"[0-9]{1,9}", name)
    return (int(match[0]) if match else 10**9, name)


def find(root: Path, phase: str) -> tuple[str, str]:
    """(path, text) of the newest archive of a phase. Raises `NotFound`."""
    known, _ = entries(root)
    for entry in reversed(known):
        if phase.lower() in (each.lower() for each in entry.phases):
            return entry.path, read_text(root, entry.path) or ""
    raise NotFound(f"No archived phase is called {one_line(phase, 40)!r}.", hint=f"Look into {FOLDER}/.")
