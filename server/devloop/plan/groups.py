"""Parallel groups: which tasks of a phase may run together (plan-format §7, §10)."""

from __future__ import annotations

import re

from devloop.plan.graph import Graph, Name
from devloop.plan.tree import PhaseDraft, Tree

GROUP = re.compile(
    r"(?:\*\*|__)?Group[ \t]+([\w-]+)(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*(.*)$", re.IGNORECASE | re.DOTALL
)
INLINE_GROUP = re.compile(r"Group[ \t]+([\w-]+)[ \t]*:[ \t]*([^;]*)", re.IGNORECASE)
_REMARK = re.compile(r"\([^()]*\)")
_TASKS_WORD = re.compile(r"tasks?[ \t]+", re.IGNORECASE)


def parallel_groups(tree: Tree, names: list[Name], graph: Graph) -> list[str | None]:
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
    found = [(match[1], match[2]) for _, text in draft.groups if (match := GROUP.match(text))]
    inline = draft.fields.get("parallel groups", "")
    return found + [(match[1], match[2]) for match in INLINE_GROUP.finditer(inline)]


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
