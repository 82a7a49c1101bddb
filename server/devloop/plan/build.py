"""From the tree to the plan: ids, phases, dependencies, groups, metadata (plan-format §6 to §12)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from devloop.plan import header, items, tags
from devloop.plan.document import Document
from devloop.plan.graph import Graph, Name, Need, Resolver, find_cycles
from devloop.plan.model import DONE, MARKERS, Criterion, FileRef, Phase, Plan, Section, Status, Task
from devloop.plan.tree import DETAIL, Builder, Node, PhaseDraft, Tree

_GROUP = re.compile(
    r"(?:\*\*|__)?Group[ \t]+([\w-]+)(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*(.*)$", re.IGNORECASE | re.DOTALL
)
_INLINE_GROUP = re.compile(r"Group[ \t]+([\w-]+)[ \t]*:[ \t]*([^;]*)", re.IGNORECASE)
_REMARK = re.compile(r"\([^()]*\)")
_TASKS_WORD = re.compile(r"tasks?[ \t]+", re.IGNORECASE)


def parse(data: bytes | str | Document, *, name: str = "plan.md", archived_ids: frozenset[str] = frozenset()) -> Plan:
    """Read a plan. Total: any bytes are a plan, what is wrong with it is in `problems`.

    `name` is used when neither H1, front matter nor any heading gives one. `archived_ids`: ids of tasks in archived
    phases; they satisfy dependencies (§7).
    """
    document = data if isinstance(data, Document) else Document.of(data)
    return assemble(document, Builder(document).build(), name=name, archived_ids=archived_ids)


def assemble(document: Document, tree: Tree, *, name: str, archived_ids: frozenset[str]) -> Plan:
    """The plan of a tree."""
    names = _names(tree)
    graph = _graph(tree, names, archived_ids)
    groups = _groups(tree, names, graph)
    tasks = tuple(_task(index, node, tree, names, graph, groups) for index, node in enumerate(tree.tasks))
    phases = _phases(tree, tasks, graph, groups)
    status_field = next((field for field in tree.fields if field.key == "Status"), None)
    text = status_field.value if status_field else ""
    return Plan(
        document=document,
        name=_plan_name(tree, document, name),
        fields=tuple(tree.fields),
        status=header.status(text) or derived_status(tasks),
        status_text=text,
        phases=phases,
        tasks=tasks,
        criteria=_criteria(tree, names),
        log=tuple(tree.log),
        sections=_sections(tree, document),
        archived_ids=archived_ids,
        graph=graph,
        tree=tree,
    )


def derived_status(tasks: Sequence[Task]) -> str:
    """The plan's status when none is written that devloop knows (§12)."""
    top = [task for task in tasks if task.parent_line is None]
    if top and all(task.done for task in top):
        return "review"
    return "in_progress" if any(task.done or task.status == "in_progress" for task in top) else "planning"


def _plan_name(tree: Tree, document: Document, name: str) -> str:
    if tree.title is not None and header.name_of(tree.title):
        return header.name_of(tree.title)
    title = header.front_title(document.lines(0, document.front)) if document.front else ""
    return title or (tree.first_heading or "").strip() or name


# Ids


def _names(tree: Tree) -> list[Name]:
    """Ids in document order; tasks without one get `p<phase>.<n>`, `s<n>`, steps `<parent>/<n>` (§6)."""
    counts: dict[str, int] = {}
    names: list[Name] = []
    for node in tree.tasks:
        assert node.box is not None
        parent = node.parent.index if node.parent is not None else None
        name = node.box.id
        if not name:
            if parent is not None:
                prefix = f"{names[parent].id}/"
            else:
                prefix = f"p{tree.phases[node.phase].head.id}." if node.phase is not None else "s"
            counts[prefix] = counts.get(prefix, 0) + 1
            name = f"{prefix}{counts[prefix]}"
        names.append(Name(name, bool(node.box.id), node.phase, parent))
    return names


def _graph(tree: Tree, names: list[Name], archived: frozenset[str]) -> Graph:
    by_id: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        by_id.setdefault(name.id.lower(), []).append(index)
    phase_ids: dict[str, list[int]] = {}
    for index, draft in enumerate(tree.phases):
        phase_ids.setdefault(draft.head.id.lower(), []).append(index)
    parents = [draft.parent for draft in tree.phases]
    resolver = Resolver(names, by_id, phase_ids, parents, archived)
    graph = Graph(
        by_id=by_id,
        by_line={node.line: index for index, node in enumerate(tree.tasks)},
        needs=[_needs(node, resolver) for node in tree.tasks],
        phase_needs=[
            (resolver.prose(draft.fields["dependencies"]) or ()) if "dependencies" in draft.fields else ()
            for draft in tree.phases
        ],
        phase_of=[name.phase for name in names],
        phase_parent=parents,
    )
    for index, name in enumerate(names):
        if name.parent is not None and name.explicit:
            holder: int | None = name.parent
            while holder is not None and names[holder].parent is not None and not names[holder].explicit:
                holder = names[holder].parent
            if holder is not None:
                graph.children.setdefault(holder, []).append(index)
    find_cycles(graph, names)
    return graph


def _needs(node: Node, resolver: Resolver) -> tuple[Need, ...]:
    assert node.box is not None
    found: tuple[Need, ...] = ()
    for tag in node.box.tags:
        if tag.name == "depends" and tag.known:
            found += resolver.references(tag.value)
    for meta, value in node.metas:
        if meta.key == "depends":
            found += resolver.prose(", ".join([*value.texts, *value.nested])) or ()
    return tuple(dict.fromkeys(found)) if len(found) > 1 else found


# Groups


def _groups(tree: Tree, names: list[Name], graph: Graph) -> list[str | None]:
    """The parallel group of every task: own tag, list of the phase, `[parallel:full]`, neighbours (§7, §10)."""
    listed = _listed_groups(tree, graph)
    groups: list[str | None] = []
    runs: dict[int | None, int] = {}
    open_runs: dict[tuple[int | None, int | None], str] = {}
    for index, node in enumerate(tree.tasks):
        box, name = node.box, names[index]
        assert box is not None
        own = next((tag.value for tag in box.tags if tag.name == "parallel" and tag.known), "")
        if own.lower() in ("none", "full", "partial"):
            own = ""
        group: str | None = own or listed.get(index)
        if group is None and name.parent is None and node.phase is not None:
            group = _phase_group(tree.phases[node.phase])
        family = (node.phase, name.parent)
        if group is None and box.marked:
            if family not in open_runs:
                runs[node.phase] = runs.get(node.phase, 0) + 1
                open_runs[family] = f"P{runs[node.phase]}"
            group = open_runs[family]
        elif not box.marked:
            open_runs.pop(family, None)
        groups.append(group)
    return groups


def _phase_group(draft: PhaseDraft) -> str | None:
    tag = draft.head.tag.lower()
    if tag in ("full", "") and (tag == "full" or draft.fields.get("parallelizable", "").lower().startswith("full")):
        return "full"
    return draft.head.tag if tag not in ("", "none", "partial") else None


def phase_groups(draft: PhaseDraft) -> list[tuple[str, str]]:
    """(group, its list of tasks) as the phase names them."""
    found = [(match[1], match[2]) for _, text in draft.groups if (match := _GROUP.match(text))]
    inline = draft.fields.get("parallel groups", "")
    return found + [(match[1], match[2]) for match in _INLINE_GROUP.finditer(inline)]


def _listed_groups(tree: Tree, graph: Graph) -> dict[int, str]:
    listed: dict[int, str] = {}
    for phase, draft in enumerate(tree.phases):
        for group, text in phase_groups(draft):
            for index in group_members(text, graph):
                if graph.phase_of[index] == phase or phase in graph.phase_chain(index):
                    listed.setdefault(index, group)
    return listed


def group_members(text: str, graph: Graph) -> list[int]:
    """The tasks of `Tasks 2.1, 2.2 (why)`."""
    found: list[int] = []
    for token in re.split(r"[,;&]|\band\b", _REMARK.sub(" ", text[:4000])):
        name = _TASKS_WORD.sub("", token, count=1).strip(" \t.`*").lower()
        if name in graph.by_id:
            found += graph.by_id[name]
            continue
        left, mark, right = name.partition("-")
        if mark and left.strip() in graph.by_id and right.strip() in graph.by_id:
            found += range(graph.by_id[left.strip()][0], graph.by_id[right.strip()][-1] + 1)
    return found


# Tasks


def _task(index: int, node: Node, tree: Tree, names: list[Name], graph: Graph, groups: list[str | None]) -> Task:
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


def _apply_metas(node: Node, values: dict[str, Any]) -> None:
    """Metadata bullets and other children of a task (§8)."""
    details: list[str] = list(node.texts)
    extra: list[tuple[str, str]] = []
    lists: dict[str, list[str]] = {}
    files: tuple[FileRef, ...] = ()
    for meta, value in node.metas:
        parts = [*([value.text] if value.texts else []), *value.nested]
        if value.kind == DETAIL:
            details.append(value.text)
        elif meta.key == "files":
            for part in parts:
                files += items.files(part)
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
        elif meta.key != "depends":
            extra.append((meta.name, "\n".join(parts)))
    if files:
        values["files"] = files
    for key, found in lists.items():
        values[key] = tuple(found) if key in ("acceptance", "requirements") else "\n".join(found)
    if details:
        values["details"] = tuple(details)
    if extra:
        values["extra"] = tuple(extra)


# Phases, criteria, sections


def _phases(tree: Tree, tasks: tuple[Task, ...], graph: Graph, groups: list[str | None]) -> tuple[Phase, ...]:
    states: list[list[str]] = [[] for _ in tree.phases]
    for index, task in enumerate(tasks):
        if task.parent_line is None:
            for phase in graph.phase_chain(index):
                states[phase].append(task.status)
    found = []
    for index, draft in enumerate(tree.phases):
        fields = draft.fields
        found.append(
            Phase(
                id=draft.head.id,
                name=draft.head.name,
                line=draft.line,
                level=draft.level,
                end_line=draft.end_line,
                parent=draft.parent,
                goal=fields.get("goal", ""),
                complexity=fields.get("complexity", ""),
                tag=draft.head.tag,
                parallelizable=fields.get("parallelizable", ""),
                groups=tuple(
                    (group, tuple(dict.fromkeys(tasks[at].id for at in group_members(text, graph))))
                    for group, text in phase_groups(draft)
                ),
                depends_on=tuple(dict.fromkeys(name for need in graph.phase_needs[index] for name in need.ids)),
                depends_text=fields.get("dependencies", ""),
                written=draft.head.written,
                status=_phase_status(states[index]),
            )
        )
    return tuple(found)


def _phase_status(states: list[str]) -> str:
    if not states:
        return "empty"
    if all(state in DONE for state in states):
        return "complete"
    return "in_progress" if any(state in DONE or state == "in_progress" for state in states) else "pending"


def _criteria(tree: Tree, names: list[Name]) -> tuple[Criterion, ...]:
    """Criteria with the phase they stand in and the task they belong to."""
    found, section, open_phase = [], 0, None
    for criterion, parent in zip(tree.criteria, tree.criterion_parents, strict=True):
        while section < len(tree.sections) and tree.sections[section].line < criterion.line:
            open_phase = tree.sections[section].phase
            section += 1
        if parent is not None or open_phase is not None:
            criterion = replace(
                criterion,
                phase=tree.phases[open_phase].head.id if open_phase is not None else None,
                parent=names[parent.index].id if parent is not None else None,
            )
        found.append(criterion)
    return tuple(found)


def _sections(tree: Tree, document: Document) -> tuple[Section, ...]:
    """Sections with the last line they reach to: up to the next heading of the same or a higher level."""
    ends = [document.count] * len(tree.sections)
    waiting: list[int] = []
    for index, draft in enumerate(tree.sections):
        while waiting and tree.sections[waiting[-1]].heading.level >= draft.heading.level:
            ends[waiting.pop()] = draft.line - 1
        waiting.append(index)
    return tuple(
        Section(draft.line, draft.heading.level, draft.heading.text, draft.kind, draft.phase, end, draft.heading_lines)
        for draft, end in zip(tree.sections, ends, strict=True)
    )
