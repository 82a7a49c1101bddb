"""Every place where a plan names a task to wait for, and how that text is changed (plan-format §7, §8, §10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from devloop.plan import tokens
from devloop.plan.extent import last_line
from devloop.plan.graph import Need
from devloop.plan.lines import body
from devloop.plan.model import Edit, Plan
from devloop.plan.spans import spans


@dataclass(frozen=True)
class Reference:
    """One reference: a task, a range or a phase. `neighbours`: (line, start, end) of the references of the same list,
    itself among them; `tag`: columns of the `[depends:…]` around it, if it stands in one."""

    line: int
    start: int
    end: int
    text: str
    named: tuple[tokens.Named, ...]
    needs: tuple[Need, ...]
    neighbours: tuple[tuple[int, int], ...]
    tag: tuple[int, int] | None = None

    @property
    def single(self) -> bool:
        """Whether it names one task that exists."""
        return len(self.named) == 1 and self.named[0].kind == "task" and len(self.needs) == 1 and not self.ranged

    @property
    def ranged(self) -> bool:
        return len(self.named) == 2 or any(need.text.lower() not in self.text.lower() for need in self.needs)

    def renamed(self, plan: Plan, names: Mapping[int, str]) -> Edit:
        """The edit that writes other ids; the key is the place of the id in `named`."""
        line = plan.document.line(self.line - 1)
        parts, at = [], self.start
        for place, old in enumerate(self.named):
            parts += [line[at : old.start], names.get(place, line[old.start : old.end])]
            at = old.end
        parts.append(line[at : self.end])
        return self.replaced(plan, "".join(parts))

    def replaced(self, plan: Plan, text: str) -> Edit:
        """The edit that writes something else in its place."""
        line = plan.document.line(self.line - 1)
        return Edit(self.line, self.start, self.line, self.end, text, line[self.start : self.end], body(line))

    def removed(self, plan: Plan) -> Edit | None:
        """The edit that takes it out of its list, with the whole tag when it stood there alone; None when a bullet
        would be left empty."""
        line = plan.document.line(self.line - 1)
        start, end = self.start, self.end
        at = self.neighbours.index((start, end))
        if at > 0:
            start = self.neighbours[at - 1][1]
        elif len(self.neighbours) > 1:
            end = self.neighbours[1][0]
        elif self.tag is not None:
            start, end = self.tag
            while start > 0 and line[start - 1] in " \t" and line[: start - 1].strip():
                start -= 1
        else:
            return None
        return Edit(self.line, start, self.line, end, "", line[start:end], body(line))


def of_line(plan: Plan, line: int) -> Iterator[Reference]:
    """The references in one line: of a task's tags, of a `Depends` bullet, of a phase's `Dependencies`."""
    found = [span for span in spans(plan, line) if span.kind == "dependency"]
    if not found:
        return
    index = plan.graph.by_line.get(line)
    box = plan.tree.tasks[index].box if index is not None else None
    around = [(box.body + tag.start, box.body + tag.end) for tag in box.tags if tag.known] if box else []
    resolver = plan.graph.resolver
    for span in found:
        tag = next((place for place in around if place[0] <= span.start and span.end <= place[1]), None)
        mates = tuple(
            (other.start, other.end)
            for other in found
            if tag is None or (tag[0] <= other.start and other.end <= tag[1])
        )
        token = tokens.Token(span.start, span.end, span.value)
        named = tokens.named(resolver, token)
        yield Reference(line, span.start, span.end, span.value, named, resolver.references(span.value), mates, tag)


def of_task(plan: Plan, index: int) -> Iterator[Reference]:
    """The references of one task: of its line, then of its `Depends` bullets."""
    node = plan.tree.tasks[index]
    yield from of_line(plan, node.line)
    for meta, value in node.metas:
        if meta.key == "depends":
            for line in _lines_of(plan, value.line):
                yield from of_line(plan, line)


def of_plan(plan: Plan) -> Iterator[Reference]:
    """All references, in order of their tasks; then those of the phases."""
    for index, needs in enumerate(plan.graph.needs):
        if needs:
            yield from of_task(plan, index)
    for phase, needs in zip(plan.phases, plan.graph.phase_needs, strict=True):
        if needs:
            end = min(phase.end_line, phase.line + 60)
            for line in range(phase.line + 1, end + 1):
                if plan.document.line(line - 1).lstrip().startswith("**"):
                    yield from of_line(plan, line)


def _lines_of(plan: Plan, line: int) -> Iterator[int]:
    """The line of a bullet and those that go on with its value."""
    yield from range(line, last_line(plan.document, line) + 1)
