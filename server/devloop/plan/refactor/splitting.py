"""Splitting a task into two that can run one after the other (plan-format §6, §7).

The second part becomes a sibling directly below the first, because steps (boxes below a task without an id) never run
on their own. Everything below the task, its budget and its other limits stay with the first part; the second has the
next free id of the same kind, waits for the same things, and has the same group, agent and model. What waited for the
task waits for both parts.
"""

from __future__ import annotations

import re
from dataclasses import replace

from devloop.errors import UsageError
from devloop.plan import dependencies, ids, tags
from devloop.plan.extent import last_line
from devloop.plan.find import TaskRef, locate
from devloop.plan.items import MAX_LINE, Box
from devloop.plan.lines import body, clean
from devloop.plan.model import Edit, Plan, Task
from devloop.plan.refactor import check
from devloop.plan.refactor.draft import Draft
from devloop.plan.refactor.follow import NEW, follow
from devloop.plan.spans import spans

_SEPARATOR = re.compile(
    r"(?<![ \t])[ \t]*(?:;|,[ \t]+(?:and|then)\b|[ \t](?:and[ \t]+then|and|then|&|\+)(?=[ \t]))[ \t]+"
)
_HIDDEN = re.compile(r"`[^`]*`|\([^()]*\)|\[[^\[\]]*\]|\"[^\"]*\"|“[^”]*”|\{[^{}]*\}")
_NUMBER = re.compile(r"(?<![0-9])[0-9]++$")
_KEPT = ("budget", "turns", "timeout")  # limits of one run: the second part gets none


def split(plan: Plan, task: Task, second: str = "") -> tuple[Edit, ...]:
    """The edits that split a task. `second`: title of the second part; without it the title is cut at its first
    `and`, `then`, `;`, `+` or `&` outside of code and brackets.

    Raises `UsageError` when the task is done, a step, or its title can't be cut.
    """
    task = locate(plan, TaskRef.of(task))
    index = plan.graph.by_line[task.line]
    box = plan.tree.tasks[index].box
    text = body(plan.document.line(task.line - 1))
    if task.done:
        raise UsageError(f"{task.label} is done already", hint="Reopen it first")
    if not task.pickable:
        raise UsageError(f"{task.label} is a step of task {task.parent}: write another step below it")
    if box is None or len(text) > MAX_LINE:
        raise UsageError("The line is too long")
    draft = Draft(plan)
    title = clean(second)
    first_title = task.title
    if not title:
        cut = parts(plan, task)
        if cut is None:
            raise UsageError(f"The title of {task.label} names one thing", hint="Say what the second task is called")
        first_title, title, start = cut
        kept = "".join(f" {text[left:right]}" for left, right in _fixed(box, text) if left >= start)
        draft.rewrite(task.line, (text[:start] + kept).rstrip() + text[len(text.rstrip()) :])
    name = _fresh(plan, task) if task.explicit else ""
    draft.insert(last_line(plan.document, task.line), [_line(plan, task, box, text, name, title)])
    order = list(range(len(plan.tasks)))
    below = max((at for at in order if plan.tasks[at].line <= last_line(plan.document, task.line)), default=index)
    order.insert(below + 1, NEW)
    names = {NEW: name} if name else {}
    if name:
        follow(plan, draft, order, names, lambda members: members | {NEW} if index in members else members)
    edits = draft.edits()
    _check(plan, edits, index, first_title, name, title)
    return edits


def parts(plan: Plan, task: Task) -> tuple[str, str, int] | None:
    """The titles of both parts and the column where the first ends; None when the title is one."""
    box = plan.tree.tasks[plan.graph.by_line[task.line]].box
    text = body(plan.document.line(task.line - 1))
    if box is None or len(text) > MAX_LINE or text.count("**", box.body) % 2:
        return None
    masked = list(text)
    for match in [*_HIDDEN.finditer(text, box.body)]:
        masked[match.start() : match.end()] = "\0" * (match.end() - match.start())
    for left, right in _fixed(box, text):
        masked[left:right] = "\0" * (right - left)
    lead = next((span.end for span in spans(plan, task.line) if span.kind == "task-id"), box.body)
    lead = box.body if box.form == "anchor" else lead
    for found in _SEPARATOR.finditer("".join(masked), lead):
        head, tail = text[: found.start()], text[found.end() :]
        first = _title(box, text, found.start(), 0, box.body)
        rest = _title(box, text, len(text), found.end(), found.end())
        whole = head.count("**", box.body) % 2 == 0 and head.count("`") % 2 == 0 and tail.count("`") % 2 == 0
        if whole and any(map(str.isalnum, first)) and any(map(str.isalnum, rest)):
            return first, rest, found.start()
    return None


def _fixed(box: Box, text: str) -> list[tuple[int, int]]:
    """Columns of the tags and of an anchor or `(P)` at the end: these stay with the first part."""
    found = [(box.body + tag.start, box.body + tag.end) for tag in box.tags if tag.known]
    if box.form == "anchor":
        found += [match.span() for match in re.finditer(r"\{#[\w.:-]+\}", text)]
    if box.marked:
        found += [match.span() for match in re.finditer(r"(?<=[ \t])\([Pp]\)", text)]
    return sorted(set(found))


def _title(box: Box, text: str, end: int, start: int, begin: int) -> str:
    """The title in `text[begin:end]`, as it is read; the id in front is left out of the first part."""
    piece = text[begin:end]
    for left, right in reversed(_fixed(box, text)):
        if begin <= left and right <= end:
            piece = text[begin:left].rstrip(" \t") + piece[right - begin :]
    return ids.lead(piece).title.strip() if not start else piece.strip()


def _fresh(plan: Plan, task: Task) -> str:
    """The id after the last one of the same kind: 1.4 for 1.2 when there is 1.3; T009 for T003 when there is T008."""
    number = _NUMBER.search(task.id)
    head = task.id[: number.start()] if number else f"{task.id}-"
    width = len(number[0]) if number and task.form in ("spec", "key", "request") else 1
    used = [1]
    for name in plan.graph.by_id:
        if name.startswith(head.lower()) and name[len(head) :].isdecimal() and len(name) < len(head) + 10:
            used.append(int(name[len(head) :]))
    count = max(used) + 1
    while f"{head}{count}".lower() in {name.lower() for name in plan.archived_ids}:
        count += 1
    return head + str(count).rjust(width, "0")


def _line(plan: Plan, task: Task, box: Box, text: str, name: str, title: str) -> str:
    """The line of the second part: bullet, box and form of the id as the first has them."""
    lead = text[: box.column - 1]
    number = re.search(r"([0-9]{1,9})([.)][ \t]+)$", lead)
    if number:
        lead = lead[: number.start(1)] + str(int(number[1]) + 1) + number[2]
    line = f"{lead}[ ]{'*' if box.optional else ''} {_written(plan, task, text, name, title)}"
    for tag in box.tags:
        if tag.known and tag.name not in _KEPT:
            line += f" {text[box.body + tag.start : box.body + tag.end]}"
    if box.marked and not any(tag.known and tag.name == "p" for tag in box.tags):
        line += " [P]"
    depends = _named_below(plan, task)
    if depends:
        line += f" [depends:{depends}]"
    return line


def _written(plan: Plan, task: Task, text: str, name: str, title: str) -> str:
    """Id and title in the form of the first part."""
    if not name:
        return title
    if task.form == "anchor":
        return f"{title} {{#{name}}}"
    if task.form == "step":
        return f"**Step {name.removeprefix('step-')}: {title}**"
    if task.form == "request":
        return f"[{name}] {title}"
    span = next((span for span in spans(plan, task.line) if span.kind == "task-id"), None)
    bold = span is not None and "**" in text[max(0, span.start - 8) : span.start]
    word = "Task " if task.form == "task" else ""
    mark = ":" if task.form in ("task", "key") else "." if task.form == "number" and "." not in name else ""
    return f"**{word}{name}**{mark} {title}" if bold else f"{word}{name}{mark} {title}"


def _named_below(plan: Plan, task: Task) -> str:
    """What `Depends` bullets name, for a tag."""
    index = plan.graph.by_line[task.line]
    return ", ".join(other.text for other in dependencies.of_task(plan, index) if other.line != task.line)


def _check(plan: Plan, edits: tuple[Edit, ...], index: int, first: str, name: str, title: str) -> None:
    changed = check.after(plan, edits)
    expected = check.facts(plan)
    old = expected[index]
    known = (old.id or f"“{old.title}”").lower()
    second = tags.cut(title, tags.find(title))
    if name:
        extra = frozenset((name.lower(),))
        expected = [replace(fact, waits=fact.waits | extra) if known in fact.waits else fact for fact in expected]
    expected[index] = replace(expected[index], title=first)
    expected.append(check.Fact(name, second, "pending", expected[index].waits))
    if not name and known in {wait for fact in expected for wait in fact.waits}:
        raise UsageError(
            f"Other tasks name {plan.tasks[index].label} by its place", hint="Give the task an id of its own first"
        )
    check.same(expected, changed)
