"""One task: its line, its tags, its metadata (plan-format §6 to §8)."""

from __future__ import annotations

from typing import Any, Final

from devloop.plan import items, tags
from devloop.plan.graph import Graph, Name
from devloop.plan.model import MARKERS, FileRef, Status, Task
from devloop.plan.tree import DETAIL, Node, Tree

MAX_SKILLS: Final = 16  # of one task; whoever names more names none in particular


def build_task(index: int, node: Node, tree: Tree, names: list[Name], graph: Graph, groups: list[str | None]) -> Task:
    """One task. Only what differs from the class's defaults is set: plans have many tasks, and most say little."""
    box, name = node.box, names[index]
    assert box is not None
    status: Status = MARKERS.get(box.mark, "unknown")
    task = object.__new__(Task)
    values: dict[str, Any] = task.__dict__
    values["id"], values["title"], values["line"] = name.id, box.title, node.line
    values["marker"], values["status"] = box.mark, status
    if node.phase is not None:
        values["phase"], values["phase_index"] = tree.phases[node.phase].head.id, node.phase
    if name.parent is not None:
        values["parent"], values["parent_line"] = names[name.parent].id, tree.tasks[name.parent].line
    if name.explicit:
        values["form"] = box.form
    else:
        values["explicit"] = False
    if box.optional:
        values["optional"] = True
    if box.ordered:
        values["ordered"] = True
    if groups[index] is not None:
        values["group"] = groups[index]
    needs = graph.needs[index]
    if needs:
        values["depends_on"] = (
            needs[0].ids if len(needs) == 1 else tuple(dict.fromkeys(name for need in needs for name in need.ids))
        )
        unknown = tuple(name for need in needs if need.unknown for name in need.ids)
        if unknown:
            values["unknown"] = unknown
    if index in graph.cycles:
        values["cycle"] = graph.cycles[index]
    elif index in graph.selfish:
        values["cycle"] = (name.id, name.id)
    if box.tags or box.marked:
        _apply_tags(box, values)
    if node.metas or node.texts:
        _apply_metas(node, values)
    return task


def with_details(task: Task, node: Node) -> Task:
    """The same task with what its tags and metadata say now; what others depend on stays."""
    found = object.__new__(Task)
    values: dict[str, Any] = found.__dict__
    values.update((name, value) for name, value in task.__dict__.items() if name not in _OF_DETAILS)
    if node.box is not None and (node.box.tags or node.box.marked):
        _apply_tags(node.box, values)
    _apply_metas(node, values)
    return found


_OF_DETAILS: Final = frozenset(
    (
        *("tags", "story", "agent", "mode", "model", "skills", "budget_usd", "turns", "timeout_s", "background"),
        *("sequential", "acceptance", "files", "notes", "verify", "effort", "owner", "requirements", "details"),
        *("may_change_tests", "extra"),
    )
)


def _apply_tags(box: items.Box, values: dict[str, Any]) -> None:
    known = [tag for tag in box.tags if tag.known]
    written = [tag.text for tag in known]
    if box.marked and not any(tag.name == "p" for tag in known):
        written.append("P")
    values["tags"] = tuple(written)
    for tag in known:
        if tag.name == "agent":
            values["agent"], values["mode"] = _agent(tag.value)
        elif tag.name == "model":
            values["model"] = tag.value
        elif tag.name in tags.SKILL:
            values["skills"] = _skills(values.get("skills", ()), tag.value)
        elif tag.name == "budget":
            values["budget_usd"] = tags.usd(tag.value)
        elif tag.name == "turns":
            values["turns"] = int(tag.value)
        elif tag.name == "timeout":
            values["timeout_s"] = tags.seconds(tag.value)
        elif tag.name == "background":
            values["background"] = True
        elif tag.name == "sequential" or (tag.name == "parallel" and tag.value.lower() == "none"):
            values["sequential"] = True
        elif tag.name == "us":
            values["story"] = tag.text.upper()


def _agent(value: str) -> tuple[str, str | None]:
    agent, _, mode = value.partition(":")
    return agent.strip(), mode.strip() or None


def _skills(known: tuple[str, ...], *lists: str) -> tuple[str, ...]:
    found = [name for listed in lists for name in tags.skills(listed)]
    return tuple(dict.fromkeys((*known, *found)))[:MAX_SKILLS]


def _apply_metas(node: Node, values: dict[str, Any]) -> None:
    """Metadata bullets and other children of a task (§8)."""
    details: list[str] = list(node.texts)
    extra: list[tuple[str, str]] = []
    lists: dict[str, list[str]] = {}
    files: tuple[FileRef, ...] = ()
    tests: dict[str, None] = {}
    for meta, value in node.metas:
        parts = [*([value.text] if value.texts else []), *value.nested]
        if value.kind == DETAIL:
            details.append(value.text)
        elif meta.key == "files":
            for part in parts:
                files += items.files(part)
        elif meta.key == "may change tests":
            tests.update(dict.fromkeys(name for part in parts for name in items.tests(part)))
        elif meta.key == "requirements":
            lists.setdefault("requirements", []).extend(name for part in parts for name in items.listed(part))
        elif meta.key in ("acceptance", "notes", "verify"):
            lists.setdefault(meta.key, []).extend(parts)
        elif meta.key in ("effort", "owner") and parts:
            values[meta.key] = parts[0]
        elif meta.key == "agent" and parts and "agent" not in values:
            values["agent"], values["mode"] = _agent(parts[0].strip("`"))
        elif meta.key == "model" and parts and "model" not in values:
            values["model"] = parts[0].strip("`")
        elif meta.key == "skills":
            values["skills"] = _skills(values.get("skills", ()), *parts)
        elif meta.key != "depends":
            extra.append((meta.name, "\n".join(parts)))
    if files:
        values["files"] = files
    if tests:
        values["may_change_tests"] = tuple(tests)
    for key, found in lists.items():
        values[key] = tuple(found) if key in ("acceptance", "requirements") else "\n".join(found)
    if details:
        values["details"] = tuple(details)
    if extra:
        values["extra"] = tuple(extra)
