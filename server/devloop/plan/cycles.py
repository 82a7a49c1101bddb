"""Tasks that wait for each other (plan-format §7)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from devloop.plan.graph import Graph, Name, Need


def find_cycles(graph: Graph, names: Sequence[Name]) -> None:
    """Fill `cycles` (path for every member, `1.1 → 1.3 → 1.1`) and `selfish` (waits only for itself)."""
    size = len(names)
    backward = all(not need.members or need.members[-1] < at for at in range(size) for need in graph.needs[at])
    if backward and not graph.children and not any(graph.phase_needs):
        return  # everything waits for something above it
    edges: list[list[int]] = [[] for _ in range(size)]
    nodes: dict[int, int] = {}

    def node_of(need: Need) -> int:
        if len(need.members) == 1:
            return need.members[0]
        found = nodes.get(id(need))
        if found is None:
            found = nodes[id(need)] = len(edges)
            edges.append(list(need.members))
        return found

    gates: dict[int, int] = {}
    for phase, needs in enumerate(graph.phase_needs):
        if needs:
            gates[phase] = len(edges)
            edges.append([])
            edges[gates[phase]] = [node_of(need) for need in needs if need.members]
    selfish: set[int] = set()
    for index in range(size):
        for need in graph.needs[index]:
            if need.members and index in need:
                selfish.add(index)
            if need.members:
                edges[index].append(node_of(need))
        if names[index].parent is None:
            edges[index] += [gates[phase] for phase in graph.phase_chain(index) if phase in gates]
        edges[index] += graph.children.get(index, ())
    graph.selfish = frozenset(selfish)
    for component in _components(edges):
        members = sorted(at for at in component if at < size)
        if len(members) > 1:
            path = _path(edges, component, members[0], size, names)
            for member in members:
                graph.cycles[member] = path
        elif len(component) > 1 and members and members[0] not in selfish:
            graph.cycles[members[0]] = (names[members[0]].id, names[members[0]].id)


def _components(edges: Sequence[Sequence[int]]) -> Iterable[list[int]]:
    """Strongly connected components of more than one node (Tarjan, without recursion)."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in range(len(edges)):
        if root in order or not edges[root]:
            continue
        work = [(root, 0)]
        while work:
            node, at = work.pop()
            if at == 0:
                order[node] = low[node] = len(order)
                stack.append(node)
                on_stack.add(node)
            targets = edges[node]
            while at < len(targets):
                target = targets[at]
                at += 1
                if target not in order:
                    work.append((node, at))
                    work.append((target, 0))
                    break
                if target in on_stack:
                    low[node] = min(low[node], order[target])
            else:
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    component = []
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.append(member)
                        if member == node:
                            break
                    if len(component) > 1:
                        yield component


def _path(
    edges: Sequence[Sequence[int]], component: Sequence[int], start: int, size: int, names: Sequence[Name]
) -> tuple[str, ...]:
    """A shortest way from `start` back to it inside the component, as ids."""
    inside = set(component)
    came: dict[int, int] = {}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        for target in edges[node]:
            if target == start:
                way = [node]
                while way[-1] != start:
                    way.append(came[way[-1]])
                way.reverse()
                return (*(names[at].id for at in way if at < size), names[start].id)
            if target in inside and target not in came:
                came[target] = node
                queue.append(target)
    return (names[start].id,)
