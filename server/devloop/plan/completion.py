"""What may be typed at a place of a plan, also in half-typed text (plan-format §4 to §11). Never raises.

Only the line and the blocks around it are looked at; candidates are made of the whole plan. Names of agents, modes,
models, skills and files are not known here: for those kinds the caller has the prefix and the range and adds its own.
"""

from __future__ import annotations

import re
from typing import Final

from devloop.plan import candidates, items, tags
from devloop.plan import completion_values as values
from devloop.plan.blocks import CODE, COMMENT, FENCE, FENCED, FRONT, HTML, ITEM, UNDERLINE, State
from devloop.plan.completion_values import Completion, CompletionKind
from devloop.plan.headings import CRITERION, LOG
from devloop.plan.lines import body
from devloop.plan.model import Plan
from devloop.plan.spans import section_at
from devloop.plan.tree import META, TASK, Node

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
        return values.at("tag-name", text, column, begin + 1, names)
    start = column - len(value.lstrip())
    if index is not None and not heading:
        return _tag_value(plan, text, column, start, key, index)
    if key != "parallel" or section is None:
        return None
    return values.at("group", text, column, start, candidates.phase_groups(plan, section.phase))


def _tag_value(plan: Plan, text: str, column: int, start: int, key: str, index: int) -> Completion | None:
    if key == "depends":
        return values.dependency(plan, text, column, start, index, None)
    if key == "parallel":
        return values.at("group", text, column, start, candidates.groups(plan, index))
    if key == "agent":
        return values.agent(text, column, start)
    if key == "model":
        return values.at("model", text, column, start)
    if key in tags.SKILL:
        return values.skill(text, column, start)
    return values.at("limit", text, column, start, subject=key) if key in ("budget", "turns", "timeout") else None


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
    return values.at("meta-key", text, column, start, candidates.meta_keys(task))


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
        return values.dependency(plan, text, column, start, task.index if task is not None else None, None)
    if key in ("files", "may change tests"):
        return values.path(text, column, start)
    if key == "agent":
        return values.agent(text, column, start)
    if key == "model":
        while start < column and text[start] == "`":
            start += 1
        return values.at("model", text, column, start)
    if key == "skills":
        return values.skill(text, column, start)
    if key == "effort":
        return values.at("header-value", text, column, start, candidates.sizes(), subject="Effort")
    return None


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
        return values.dependency(plan, text, column, value.end(), None, phase)
    found_values = candidates.header_values(plan, key, phase)
    return values.at("header-value", text, column, value.end(), found_values, values.LIST_BEHIND, key)


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
