"""Taking an archived phase back into the plan: the other way of `archiving.py` (state-files §10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from devloop.errors import Refused, UsageError
from devloop.lists import some
from devloop.plan import edits
from devloop.plan.build import parse
from devloop.plan.headings import LOG
from devloop.plan.lines import body
from devloop.plan.model import Edit, Phase, Plan
from devloop.plan.refactor import check
from devloop.plan.refactor.archiving import FOLDER

_RULE: Final = re.compile(r"-{3,}[ \t]*\Z")
_NAMED: Final = 5


@dataclass(frozen=True)
class Restored:
    """`edits` put the phases back into the plan; `phases`: their ids."""

    edits: tuple[Edit, ...]
    phases: tuple[str, ...]


def restore(plan: Plan, archived: bytes, name: str, now: datetime) -> Restored:
    """Put what the archive file `name` holds back in the order of phases, with a line in the log.

    Raises `UsageError` for a file without a phase, `Refused` where the plan uses one of its names.
    """
    lines = _phase(parse(archived))
    back = parse("\n".join(lines).encode("utf-8", "surrogateescape"))
    _free(plan, back)
    # Two steps, each on a text that was read: the phase may come to stand where the log's line would go.
    first = _inserted(plan, lines, back.phases[0])
    between = check.after(plan, [first])
    names = tuple(phase.id for phase in back.phases if phase.parent is None)
    told = [f"Restored Phase {each} from {FOLDER}/{name}" for each in names]
    after = edits.apply_to(between.document, edits.append_log(between, told, now))
    whole = edits.difference(plan.document.lines(0, len(plan.document)), after.lines(0, len(after)))
    changed = check.after(plan, [whole])
    waits = check.without_waits  # of a task that stays, too: what it waits for was archived, and is a task again
    check.same([*map(waits, check.facts(plan)), *map(waits, check.facts(back))], changed, waits)
    check.no_new_cycle(plan, changed)
    return Restored((whole,), names)


def _phase(file: Plan) -> list[str]:
    """The lines of the phase as it stood in the plan: between the header's rule and the file's own log."""
    document = file.document
    lines = [body(line) for line in document.lines(0, len(document))]
    rule = next((at for at, line in enumerate(lines) if _RULE.match(line)), -1)
    first = next((phase.line for phase in file.phases if phase.line > rule + 1), None)
    if first is None:
        raise UsageError("There is no phase in this file")
    logs = [draft.line for draft in file.tree.sections if draft.heading.kind == LOG and draft.line > first]
    found = lines[first - 1 : logs[-1] - 1 if logs else len(lines)]
    while found and not found[-1].strip():
        found.pop()
    return found


def _free(plan: Plan, back: Plan) -> None:
    known = {task.id.lower() for task in plan.tasks if task.explicit}
    clash = [task.id for task in back.tasks if task.explicit and task.id.lower() in known]
    known = {phase.id.lower() for phase in plan.phases}
    clash += [f"phase {phase.id}" for phase in back.phases if phase.id.lower() in known]
    if clash:
        raise Refused(f"The plan uses these names already: {some(clash, _NAMED)}.", hint="Rename them there first.")


def _inserted(plan: Plan, lines: list[str], phase: Phase) -> Edit:
    """Before the first phase that comes after it by number, else behind the last one, else before the log."""
    top = [each for each in plan.phases if each.parent is None]
    following = next((each for each in top if _rank(each.id) > _rank(phase.id)), None)
    logs = [draft.line for draft in plan.tree.sections if draft.heading.kind == LOG]
    if following is not None:
        after = following.line - 1
    elif top:
        inside = [line for line in logs if top[-1].line < line <= top[-1].end_line]
        after = inside[0] - 1 if inside else top[-1].end_line
    else:
        after = logs[0] - 1 if logs else len(plan.document)
    document = plan.document
    blank = after == 0 or not body(document.line(after - 1)).strip()
    ends = after >= len(document) or not body(document.line(after)).strip()
    return edits.insert(document, after, [*([] if blank else [""]), *lines, *([] if ends else [""])])


def _rank(name: str) -> tuple[int, str]:
    match = re.match(r"[0-9]{1,9}", name)
    return (int(match[0]) if match else 10**9, name)
