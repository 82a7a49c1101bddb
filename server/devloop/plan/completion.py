"""What may be typed at a place of a plan, also in half-typed text (plan-format §4 to §11). Never raises.

Only the line and the blocks around it are looked at; candidates are made of the whole plan. Names of agents, modes,
models, skills and files are not known here: for those kinds the caller has the prefix and the range and adds its own.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from devloop.plan import candidates, items, tags
from devloop.plan.blocks import CODE, COMMENT, FENCE, FENCED, FRONT, HTML, ITEM, UNDERLINE, State
from devloop.plan.candidates import Candidate
from devloop.plan.headings import CRITERION, LOG
from devloop.plan.lines import body
from devloop.plan.model import Plan
from devloop.plan.spans import section_at
from devloop.plan.tree import META, TASK, Node

CompletionKind = Literal[
    "none",
    "marker",
    "dependency",
    "group",
    "agent",
    "mode",
    "model",
    "skill",
    "limit",
    "tag-name",
    "header-key",
    "header-value",
    "meta-key",
    "path",
    "task-template",
    "phase-template",
]

_SILENT: Final = frozenset((CODE, FENCE, FENCED, COMMENT, HTML, FRONT))
_MARKER: Final = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])[ \t]+\[([^\]]?)\Z")
_NEW_ITEM: Final = re.compile(r"[ \t]*(?:(?:[-+*]|[0-9]{1,9}[.)])[ \t]*)?\Z")
_ITEM: Final = re.compile(r"[ \t]*(?:[-+*]|[0-9]{1,9}[.)])[ \t]+")
_EMPTY_BULLET: Final = re.compile(r"[ \t]+[-+*][ \t]+\Z")
_META_KEY: Final = re.compile(r"(?:\*\*|__|_)?([A-Za-z][A-Za-z /-]{0,38})?\Z")
_META: Final = re.compile(r"(?:\*\*|__|\*|_)?([A-Za-z][A-Za-z /-]{0,38}?)(?:\*\*|__)?:(?:\*\*|__)?[ \t]*")
_FIELD_KEY: Final = re.compile(r"(?:.*[ \t]\|)?[ \t]*\*\*([^*:|]{0,40})\Z", re.DOTALL)
_FIELD: Final = re.compile(r"(?:.*[ \t]\|)?[ \t]*\*\*([^*:|]{1,40}?)[ \t]*(?:\*\*[ \t]*:|:[ \t]*\*\*)[ \t]*", re.DOTALL)
_HEADING: Final = re.compile(r"[ ]{0,3}(#{1,4})[ \t]*([^\[]*)\Z")
_WORD_BEHIND: Final = re.compile(r"[\w.#/-]*")
_LIST_BEHIND: Final = re.compile(r"[^\[\]|]*")
_LINE_BEHIND: Final = re.compile(r"[^\[\]|]*")
_RANGE_START: Final = re.compile(r"(.*?)(?:(?<![ \t])[ \t]+)?(?:\.\.|[-–—])[ \t]*", re.DOTALL)
_TASK_WORD: Final = re.compile(r"tasks?[ \t]+", re.IGNORECASE)


class Completion(NamedTuple):
    """`start`, `end`: columns of what a candidate replaces; `prefix`: the part of it in front of the place.

    `subject`: what it is about: the agent of a mode, the key of a header value,
    the skills that stand in the list already. `closed`: a `]` follows.
    """

    kind: CompletionKind
    start: int
    end: int
    prefix: str
    candidates: tuple[Candidate, ...] = ()
    subject: str = ""
    closed: bool = False


def completion(plan: Plan, line: int, column: int) -> Completion:
    """What may be typed at a place (`line` 1-based, one behind the last line included; columns are clamped)."""
    text = body(plan.document.line(line - 1)) if line > 0 else ""
    column = min(max(column, 0), len(text))
    nothing = Completion("none", column, column, "")
    if line < 1 or line > plan.document.count + 1 or len(text) > items.MAX_LINE or _silent(plan, line):
        return nothing
    before = text[:column]
    return (
        _marker(text, before)
        or _heading(plan, text, before)
        or _tag(plan, line, text, before)
        or _below_task(plan, line, text, before)
        or _field(plan, line, text, before)
        or _new_line(plan, line, text, before)
        or nothing
    )


def _silent(plan: Plan, line: int) -> bool:
    """Whether the line lies in code, a comment, a quote."""
    document = plan.document
    if line > document.count:
        return _takes_all(document.open_at_end)
    step = document.step(line - 1)
    return step.kind in _SILENT or step.quoted


def _takes_all(state: State) -> bool:
    return state.leaf not in (None, "p") or state.quoted


def _at(
    kind: CompletionKind,
    text: str,
    column: int,
    start: int,
    found: tuple[Candidate, ...] = (),
    behind: re.Pattern[str] = _WORD_BEHIND,
    subject: str = "",
) -> Completion:
    """From `start` to the end of the word the place is in."""
    rest = behind.match(text, column)
    end = rest.end() if rest else column
    while end > column and text[end - 1] in " \t`":
        end -= 1
    return Completion(kind, start, end, text[start:column], found, subject, text[end:].lstrip().startswith("]"))


def _marker(text: str, before: str) -> Completion | None:
    """Between the brackets of a box, also of an open one."""
    found = _MARKER.match(before)
    if found is None:
        return None
    start, column = found.start(1), len(before)
    close = text.find("]", column)
    if close < 0 or close - start > 1:
        if close >= 0 or text[column:].strip():
            return None  # a link, text
        return Completion("marker", start, column, found[1], candidates.markers())
    return Completion("marker", start, close, found[1], candidates.markers(), closed=True)


def _heading(plan: Plan, text: str, before: str) -> Completion | None:
    """`#`, `## Ph`: the next phase."""
    found = _HEADING.match(before)
    if found is None or (len(text) > len(before) and text[len(before) :].strip()):
        return None
    if not "phase".startswith(found[2].strip().lower()[:5]) or ":" in found[2]:
        return None
    start = found.start(1)
    level = len(found[1]) if len(found[1]) > 1 else 0
    return Completion("phase-template", start, len(text), before[start:], candidates.phases_to_come(plan, level))


# Tags


def _tag(plan: Plan, line: int, text: str, before: str) -> Completion | None:
    """Behind `[` in the first line of a task or in a phase heading."""
    begin = before.rfind("[")
    if begin < 0 or "]" in before[begin:] or line > plan.document.count:
        return None
    index = plan.graph.by_line.get(line)
    section = section_at(plan, line)
    heading = section is not None and section.line == line and section.heading.phase is not None
    if (index is None and not heading) or before[begin - 1 : begin] in ("\\", "!"):
        return None
    if index is not None and begin < items.box(text).body:
        return None
    if any(first <= begin < last for first, last in tags.code_spans(text)):
        return None
    inner = before[begin + 1 :]
    name, colon, value = inner.partition(":")
    column, key = len(before), name.strip().lower()
    if not colon:
        if name and not re.fullmatch(r"[A-Za-z][\w-]*", name):
            return None
        names = candidates.phase_tags() if heading else candidates.tag_names(text)
        return _at("tag-name", text, column, begin + 1, names)
    start = column - len(value.lstrip())
    phase = section.phase if section is not None else None
    if heading:
        return _at("group", text, column, start, candidates.phase_groups(plan, phase)) if key == "parallel" else None
    assert index is not None
    if key == "depends":
        return _dependency(plan, text, column, start, index, None)
    if key == "parallel":
        return _at("group", text, column, start, candidates.groups(plan, index))
    if key == "agent":
        return _agent(text, column, start)
    if key == "model":
        return _at("model", text, column, start)
    if key in tags.SKILL:
        return _skill(text, column, start)
    return _at("limit", text, column, start, subject=key) if key in ("budget", "turns", "timeout") else None


def _agent(text: str, column: int, start: int) -> Completion:
    while start < column and text[start] == "`":
        start += 1
    colon = text.find(":", start, column)
    if colon < 0:
        return _at("agent", text, column, start)
    first = colon + 1
    while first < column and text[first] in " \t":
        first += 1
    return _at("mode", text, column, first, subject=text[start:colon].strip())


def _skill(text: str, column: int, start: int) -> Completion:
    """One of a list of names; `subject`: the others."""
    names = list(tags.skill_names(text, start, text.find("]", column) if "]" in text[column:] else len(text)))
    here = next((name for name in names if name.start() <= column <= name.end()), None)
    others = ",".join(name[0].lower() for name in names if name is not here)
    first, last = here.span() if here is not None else (column, column)
    return Completion("skill", first, last, text[first:column], (), others, "]" in text[column:])


def _dependency(plan: Plan, text: str, column: int, start: int, index: int | None, phase: int | None) -> Completion:
    """One of a list of references, or the second half of a range."""
    part = text[start:column]
    split = max(part.rfind(","), part.rfind(";"), part.rfind("&"), part.rfind(" and ") + 4 if " and " in part else -1)
    first = start + split + 1
    while first < column and text[first] in " \t`":
        first += 1
    word = _TASK_WORD.match(text, first, column)
    first = word.end() if word else first
    half = _RANGE_START.match(text, first, column)
    if half is not None and half[1].lower() in plan.graph.by_id and text[first:column].lower() not in plan.graph.by_id:
        first = half.end()
    place = _at("dependency", text, column, first)
    behind = _LIST_BEHIND.match(text, place.end)
    listed = f"{text[start : start + max(split, 0)]},{behind[0] if behind else ''}"
    return place._replace(candidates=candidates.dependencies(plan, index, phase, listed, place.prefix))


# Metadata of a task


def _below_task(plan: Plan, line: int, text: str, before: str) -> Completion | None:
    node = plan.tree.nodes.get(line)
    if before == text and _EMPTY_BULLET.match(text) and (task := _title_above(plan, line, node)) is not None:
        return Completion("meta-key", len(text), len(text), "", candidates.meta_keys(task))
    if node is None or node.kind == TASK or node.box is not None:
        return None
    lead = _ITEM.match(text)
    own = node.line == line and lead is not None
    start = lead.end() if own and lead is not None else len(text) - len(text.lstrip())
    column = len(before)
    task = _task_of(node)
    if node.kind == META and (node.line != line or (node.parent is not None and node.parent.kind == META)):
        return _value(plan, text, column, start, node.key, task) if column >= start else None
    if node.kind == LOG or task is None or not own or column < start:
        return None
    found = _META.match(text, start, column)
    if found is not None:
        key = items.META_KEYS.get(" ".join(found[1].lower().split()), "")
        return _value(plan, text, column, found.end(), key, task)
    if node.parent is not task or not _META_KEY.match(text, start, column):
        return None
    rest = text[column:]
    if ":" not in rest and len(rest.split()) > 1:
        return None  # a sentence
    return _at("meta-key", text, column, start, candidates.meta_keys(task))


def _title_above(plan: Plan, line: int, node: Node | None) -> Node | None:
    """The task whose title an empty bullet goes on with, or underlines: it can't interrupt a paragraph as long as it
    is empty, but is about to become a bullet that does."""
    if node is None and line > 1 and line <= plan.document.count and plan.document.step(line - 1).kind == UNDERLINE:
        node = plan.tree.nodes.get(line - 1)
        return node if node is not None and node.kind == TASK else None
    return node if node is not None and node.kind == TASK and node.line != line else None


def _task_of(node: Node | None) -> Node | None:
    while node is not None and node.kind != TASK:
        node = node.parent
    return node


def _value(plan: Plan, text: str, column: int, start: int, key: str, task: Node | None) -> Completion | None:
    if key == "depends":
        return _dependency(plan, text, column, start, task.index if task is not None else None, None)
    if key in ("files", "may change tests"):
        return _path(text, column, start)
    if key == "agent":
        return _agent(text, column, start)
    if key == "model":
        while start < column and text[start] == "`":
            start += 1
        return _at("model", text, column, start)
    if key == "skills":
        return _skill(text, column, start)
    if key == "effort":
        return _at("header-value", text, column, start, candidates.sizes(), subject="Effort")
    return None


_PATH_BEHIND: Final = re.compile(r"[^\s`,;()]*")
_TICKED_BEHIND: Final = re.compile(r"[^`]*")


def _path(text: str, column: int, start: int) -> Completion | None:
    """A piece of a `Files` value, or of one like it, between commas: without back-ticks, note and line range."""
    pieces = items.pieces(text[start:column])
    first = column - len(pieces[-1])
    while first < column and text[first] in " \t":
        first += 1
    ticked = text.startswith("`", first, column)
    if ticked:
        first += 1
        if "`" in text[first:column]:
            return None  # behind the path
    elif re.search(r"[()\s]", text[first:column]):
        return None
    close = text.find("`", column) >= 0
    found = _at("path", text, column, first, behind=_TICKED_BEHIND if ticked and close else _PATH_BEHIND)
    return found._replace(closed=ticked and text.startswith("`", found.end))


# Header, phases, empty lines


def _field(plan: Plan, line: int, text: str, before: str) -> Completion | None:
    """`**Status**: …` in the header or in a phase."""
    if "**" not in before or line > plan.document.count:
        return None
    step = plan.document.step(line - 1)
    section = section_at(plan, line)
    phase = section.phase if section is not None else None
    if step.state.stack or step.kind == ITEM or not before.lstrip().startswith("**"):
        return None
    if phase is None and 0 < plan.tree.header_end <= line:
        return None
    column = len(before)
    found = _FIELD_KEY.match(before)
    if found is not None:
        names = candidates.header_keys(plan) if phase is None else candidates.phase_keys(plan, phase)
        rest = re.compile(r"[^*:|]*").match(text, column)
        end = rest.end() if rest and text.startswith(("**", ":"), rest.end()) else column
        return Completion("header-key", found.start(1), end, found[1], names, closed=end > column)
    value = _FIELD.match(before)
    if value is None:
        return None
    key = " ".join(value[1].lower().split())
    if phase is not None and key == "dependencies":
        return _dependency(plan, text, column, value.end(), None, phase)
    found_values = candidates.header_values(plan, key, phase)
    return _at("header-value", text, column, value.end(), found_values, _LINE_BEHIND, key)


def _new_line(plan: Plan, line: int, text: str, before: str) -> Completion | None:
    """An empty line, a lone bullet or an empty box: a new task, or a new phase."""
    index = plan.graph.by_line.get(line)
    section = section_at(plan, min(line, plan.document.count))
    phase = section.phase if section is not None else None
    if index is not None:
        box = plan.tree.tasks[index].box
        if box is None or not box.empty or len(before) <= box.column + 1:
            return None
        return Completion(
            "task-template", len(before), len(text), "", candidates.tasks_to_come(plan, phase, text, lead=True)
        )
    if not _NEW_ITEM.match(text) or (section is not None and section.kind in (LOG, CRITERION)):
        return None
    indent = len(text) - len(text.lstrip())
    node = plan.tree.nodes.get(line)
    if indent > 3 or (node is not None and node.line != line):
        return None
    bare = not text.strip()
    if phase is None and plan.phases:
        return None  # the header, or a section that holds no tasks
    with_tasks = phase is not None or bool(plan.tasks) or not bare
    found = candidates.tasks_to_come(plan, phase, text) if with_tasks else ()
    if bare and not indent:
        found += candidates.phases_to_come(plan, 0)
    if not found:
        return None
    kind: CompletionKind = "task-template" if with_tasks else "phase-template"
    return Completion(kind, indent, len(text), text[indent : len(before)], found)
