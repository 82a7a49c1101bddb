"""spec-kit's tasks.md: converted by the refactoring, with what its sentences say of files, dependencies and order."""

from __future__ import annotations

import re
from typing import Final

from devloop.plan.extent import last_text_line
from devloop.plan.importing.conversion import after, tried
from devloop.plan.importing.model import Told
from devloop.plan.importing.writing import file_piece
from devloop.plan.lines import body
from devloop.plan.model import Plan
from devloop.plan.problems_tasks import leaves_repository
from devloop.plan.refactor.convert import is_spec_kit, spec_kit
from devloop.plan.refactor.draft import Draft
from devloop.plan.tags import code_spans

_PATH = re.compile(
    r"(?<![\w/.`~-])`?((?:[\w.@-]+/)+[\w.@-]*\w|[\w-]+\.(?:py|rs|ts|tsx|js|jsx|go|java|md|toml|json|ya?ml))`?(?![\w/])"
)
_ID = re.compile(r"T-?[0-9]{1,6}")
_DEPENDS_ON = re.compile(
    rf"\((?:depends on|needs|after|requires)[ \t]+({_ID.pattern}(?:[ \t]*(?:,|&|and)[ \t]*{_ID.pattern})*)\)",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"(?:\b(?:in|at|to|from|under|file|create|update|edit|into)[ \t]+)$", re.IGNORECASE)
_NAMES: Final = {
    "setup": re.compile(r"\bset-?up\b", re.IGNORECASE),
    "base": re.compile(r"\bfoundation(?:al)?\b", re.IGNORECASE),
    "story": re.compile(r"\b(?:user story|US)[ \t]*[0-9]+\b", re.IGNORECASE),
    "polish": re.compile(r"\bpolish\b", re.IGNORECASE),
}


def read(plan: Plan, told: Told) -> Plan:
    plan = _said_needs(plan, told)
    count = sum(is_spec_kit(task) for task in plan.tasks)
    plan = tried(plan, spec_kit, told)
    if count and not any(is_spec_kit(task) for task in plan.tasks):
        told.note("changed", f"{count} ids such as T001 follow their phases; each task says where it comes `from`")
    plan = _files(plan, told)
    return _phase_order(plan, told)


def _said_needs(plan: Plan, told: Told) -> Plan:
    """“(depends on T012, T013)” in a title as `[depends:T012, T013]`, so that the ids follow."""
    draft, count = Draft(plan), 0
    for task in plan.tasks:
        line = body(plan.document.line(task.line - 1))
        found = _DEPENDS_ON.search(line) if len(line) < 2000 else None
        names = _ID.findall(found[1]) if found else []
        if found and all(name.lower() in plan.graph.by_id for name in names):
            count += 1
            draft.replace(task.line, found.start(), found.end(), f"[depends:{', '.join(names)}]")
    changed = after(plan, draft.edits()) if count else plan
    if not count or _errors(changed) > _errors(plan):
        return plan
    told.note("changed", f"What {count} titles say of dependencies stands as [depends:…]")
    return changed


def _files(plan: Plan, told: Told) -> Plan:
    """Paths that a sentence names (“… in src/a.py”) as `Files`."""
    draft, count = Draft(plan), 0
    for task in plan.tasks:
        if task.files or task.parent_line is not None or len(task.title) > 2000:
            continue
        pieces = [piece for path in _paths(task.title) if (piece := file_piece(path))]
        if pieces:
            count += 1
            indent = " " * sum(plan.document.step(task.line - 1).state.stack)
            at = last_text_line(plan.document, task.line)
            draft.insert(at, [f"{indent}- **Files**: {', '.join(dict.fromkeys(pieces))}"])
    if not count:
        return plan
    told.note("changed", f"Paths in the titles of {count} tasks stand as their Files too")
    return after(plan, draft.edits())


def _paths(title: str) -> list[str]:
    code = code_spans(title)
    found = []
    for match in _PATH.finditer(title):
        path = match[1]
        ticked = any(first < match.start(1) < last for first, last in code)
        if not (ticked or "." in path.rsplit("/", 1)[-1] or _BEFORE.search(title, 0, match.start())):
            continue  # and/or
        if not leaves_repository(path) and not title.startswith("://", match.start() - 3):
            found.append(path)
    return found


def _phase_order(plan: Plan, told: Told) -> Plan:
    """spec-kit's phases have an order that its prose says: set-up, foundation, stories beside each other, polish."""
    kinds = {
        at: next((kind for kind, pattern in _NAMES.items() if pattern.search(phase.name)), "")
        for at, phase in enumerate(plan.phases)
        if phase.parent is None and phase.status != "empty"
    }
    before = {"base": ("setup",), "story": ("base", "setup"), "polish": ("story", "base", "setup")}
    draft, said = Draft(plan), []
    for at, kind in kinds.items():
        phase = plan.phases[at]
        wanted = [name for name in before.get(kind, ()) if name in kinds.values()][:1]
        earlier = [plan.phases[n].id for n, other in kinds.items() if other in wanted and n < at]
        unique = all(sum(other.id == name for other in plan.phases) == 1 for name in earlier)
        if phase.depends_on or not earlier or not unique:
            continue
        draft.insert(phase.line, ["", f"**Dependencies**: {', '.join(f'Phase {name}' for name in earlier)}"])
        said.append(phase.id)
    changed = after(plan, draft.edits())
    if not said or _errors(changed) > _errors(plan):
        return plan
    told.note("changed", f"Phases {', '.join(said)} wait for those before them, as spec-kit's order has it")
    return changed


def _errors(plan: Plan) -> int:
    return sum(problem.severity == "error" for problem in plan.problems)
