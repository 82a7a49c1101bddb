"""From the tree to the plan: ids, phases, dependencies, groups, metadata (plan-format §6 to §12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from devloop.plan import header
from devloop.plan.cycles import find_cycles
from devloop.plan.document import Document
from devloop.plan.graph import Graph, Name, Need, Resolver
from devloop.plan.groups import group_members, parallel_groups, phase_groups
from devloop.plan.model import DONE, Criterion, Phase, Plan, Section, Task
from devloop.plan.tasks import build_task
from devloop.plan.tree import Builder, Node, Tree


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
    groups = parallel_groups(tree, names, graph)
    tasks = tuple(build_task(index, node, tree, names, graph, groups) for index, node in enumerate(tree.tasks))
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
        sections=sections_of(tree, document),
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
        resolver=resolver,
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


def sections_of(tree: Tree, document: Document) -> tuple[Section, ...]:
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
