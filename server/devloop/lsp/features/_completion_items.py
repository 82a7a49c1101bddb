"""What may be typed at a place as completion items. No method of its own.

An item says where its text goes by a range, so that no editor's idea of a word matters, and begins its filter text
with what that range holds already, so that no editor throws it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from devloop import agents
from devloop import plan as plans
from devloop.daemon import skill_list
from devloop.lsp import skill_texts
from devloop.lsp.features import _templates
from devloop.plan.lines import body
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.connection import Connection

MOST: Final = 200
"""Items of one answer; with more to choose from it is incomplete, and the editor asks again after the next key."""
LABEL: Final = 120
_ENUM_MEMBER, _CONSTANT, _VALUE = 20, 21, 12
_KIND: Final = {
    "dependency": 18,  # reference
    "agent": 7,  # class
    "skill": 9,  # module
    "tag-name": 14,  # keyword
    "header-key": 10,  # property
    "meta-key": 10,
    "path": 17,  # file
    "task-template": 15,  # snippet
    "phase-template": 15,
    "marker": _ENUM_MEMBER,
    "group": _ENUM_MEMBER,
    "mode": _ENUM_MEMBER,
    "model": _CONSTANT,
}
_LIMITS: Final = {
    "budget": ("1.00", "2.50", "5.00", "10.00"),
    "turns": ("20", "40", "80"),
    "timeout": ("15m", "30m", "1h", "2h"),
}
_LIMIT_OF: Final = {"budget": "dollars", "turns": "turns", "timeout": "of time"}
_CLOSES: Final = frozenset(("group", "mode", "model", "skill", "limit"))
_WHOLE: Final = frozenset(("marker", "task-template", "phase-template"))
"""Kinds that always replace what is there: half a marker or half a heading is none."""
_KEY_FOLLOWS: Final = re.compile(r"[ \t]*+(?:\*\*|__|_)?[ \t]*+:")

Item = dict[str, Any]


class Choice(NamedTuple):
    """One item before it is put into the protocol's words. `name`: what `completionItem/resolve` looks up."""

    label: str
    text: str
    detail: str = ""
    filter: str = ""
    snippet: str = ""
    name: str = ""


def choices(root: Path, snapshot: Snapshot, line: int, found: plans.Completion) -> Iterator[Choice]:
    """What the plan and this installation offer; paths and skills are added by who asked for them."""
    match found.kind:
        case "marker":
            yield from _markers(snapshot, line, found)
        case "agent":
            for name, known in agents.load_agents(root).items():
                yield Choice(name, name, known.description, name=name)
        case "mode":
            agent = agents.load_agents(root).get(found.subject)
            for mode in agent.modes if agent is not None else ():
                yield Choice(mode.name, mode.name, mode.description or f"mode of {found.subject}")
        case "model":
            yield from _models()
        case "limit":
            for value in _LIMITS.get(found.subject, ()):
                yield Choice(value, value, f"{value} {_LIMIT_OF[found.subject]}")
        case "tag-name":
            yield from _tags(found)
        case "meta-key" | "header-key":
            yield from _keys(snapshot, line, found)
        case "task-template" | "phase-template":
            yield from _new(snapshot, line, found)
        case _:
            for each in found.candidates:
                name = each.text if each.kind == "task" else ""
                yield Choice(each.text, each.text, _reason(found, each), _by_title(found, each), name=name)


def _by_title(found: plans.Completion, each: plans.Candidate) -> str:
    """Ids are also found by their titles: then the filter text says so, since editors compare it with what is typed."""
    if found.kind != "dependency":
        return each.text
    shown = f"{each.text} {one_line(each.detail)}".strip()
    return shown if shown.lower().startswith(found.prefix.lower()) else f"{found.prefix} {shown}"


def _reason(found: plans.Completion, each: plans.Candidate) -> str:
    said = one_line(each.detail, LABEL)
    if not each.worse:
        return said
    if found.kind != "dependency":
        why = "done"
    else:
        why = "waits for this one: a cycle" if each.kind == "task" else "comes later, or holds this one"
    return f"{said} ({why})" if said else why


def _markers(snapshot: Snapshot, line: int, found: plans.Completion) -> Iterator[Choice]:
    """Every marker, whatever stands in the brackets: a person who asks wants another one."""
    behind = "" if found.closed else "] "
    for each in found.candidates:
        shown = f"[{each.text}] {each.detail}"
        yield Choice(shown, each.text + behind, "", f"{found.prefix}{shown}", name=each.detail.replace(" ", "_"))


def skills(known: skill_list.Known, snapshot: Snapshot, line: int, found: plans.Completion) -> Iterator[Choice]:
    """Those that fit the task first, with the reason; last those of the repository that are not used yet."""
    task = skill_texts.task_at(snapshot.plan, line)
    why = skill_texts.fitting(known, task) if task is not None else {}
    active = known.library.active
    waiting = [each for each in known.library.found if each.state == "untrusted" and each.name not in active]
    others = (each for name, each in active.items() if name not in why)
    named = found.subject.split(",")
    for each in (*(active[name] for name in why), *others, *waiting):
        if each.name not in named:
            said = "not trusted yet" if each.state == "untrusted" else why.get(each.name, "")
            detail = " – ".join(filter(None, (said, each.skill.description)))
            yield Choice(each.name, each.name, one_line(detail, LABEL), name=each.name)


def _models() -> Iterator[Choice]:
    from devloop.models.prices import PRICES  # takes a moment to load, and few complete a model
    from devloop.models.tiers import TIERS

    yield from (Choice(tier, tier, f"the tier of {model}") for tier, model in TIERS.items())
    for name, price in PRICES.items():
        step = price.steps[-1]
        detail = f"${step.input:.2f} in, ${step.output:.2f} out per million tokens"
        yield Choice(name, name, detail)


def _tags(found: plans.Completion) -> Iterator[Choice]:
    """A tag that takes a value leaves the place behind its colon; one without closes its bracket."""
    close = "" if found.closed else "]"
    for each in found.candidates:
        takes_value = each.text.endswith(":")
        snippet = f"{each.text}$0{close}" if takes_value and close else ""
        text = each.text if takes_value else f"{each.text}{close}"
        yield Choice(each.text, text, each.detail, each.text, snippet, each.text.rstrip(":"))


def _keys(snapshot: Snapshot, line: int, found: plans.Completion) -> Iterator[Choice]:
    rest = body(snapshot.document.line(line - 1))[found.end :]
    lead = found.prefix[: len(found.prefix) - len(found.prefix.lstrip("*_"))]
    follows = _KEY_FOLLOWS.match(rest) is not None
    mark = lead or (_templates.mark_near(snapshot.plan, line) if found.kind == "meta-key" and not follows else "")
    for each in found.candidates:
        if follows:
            text = f"{lead}{each.text}"
        elif found.kind == "header-key":
            text = f"{each.text}**: "
        else:
            text = _templates.key_written(each.text, mark)
        yield Choice(each.text, text, each.detail, f"{lead}{each.text}", name=each.text)


def _new(snapshot: Snapshot, line: int, found: plans.Completion) -> Iterator[Choice]:
    for each in found.candidates:
        if each.kind == "phase":
            made = _templates.phases(snapshot.plan, each.text)
        else:
            made = _templates.tasks(snapshot.plan, line, each.text)
        for template in made:
            yield Choice(template.label, template.plain, each.detail, template.plain, template.snippet)


# In the protocol's words


class Writer:
    """Makes items for one place and one editor. `line` from 1; places count code points."""

    def __init__(
        self, connection: Connection, snapshot: Snapshot, line: int, column: int, at: plans.Completion
    ) -> None:
        can = connection.client.can
        self._at, self._uri = at, snapshot.uri
        item = "textDocument.completion.completionItem"
        self._snippets = can(f"{item}.snippetSupport")
        self._details = can(f"{item}.labelDetailsSupport")
        known = connection.client.get("textDocument.completion.completionItemKind.valueSet")
        kind = _KIND.get(at.kind, _VALUE)
        self._kind = kind if kind <= 18 or (isinstance(known, list) and kind in known) else _VALUE
        place = connection.positions.range
        whole = connection.protocol.plain(place(snapshot.document, line, at.start, at.end))
        self._range: Item = {"range": whole}
        if can(f"{item}.insertReplaceSupport") and at.kind not in _WHOLE and column < at.end:
            inner = connection.protocol.plain(place(snapshot.document, line, at.start, column))
            self._range = {"insert": inner, "replace": whole}
        before = body(snapshot.document.line(line - 1))[: at.start]
        self._close = "]" if at.kind in _CLOSES and not at.closed and before.rfind("[") > before.rfind("]") else ""

    def items(self, found: Iterable[Choice]) -> tuple[list[Item], bool]:
        """(at most `MOST` items in this order, whether there were more)."""
        made: list[Item] = []
        for number, choice in enumerate(found):
            if number >= MOST:
                return made, True
            made.append(self._item(number, choice))
        return made, False

    def _item(self, number: int, choice: Choice) -> Item:
        snippet = choice.snippet if self._snippets else ""
        item: Item = {
            "label": one_line(choice.label, LABEL),
            "kind": self._kind,
            "sortText": f"{number:04}",
            "filterText": choice.filter or choice.text,
            "textEdit": {**self._range, "newText": (snippet or choice.text) + self._close},
        }
        if snippet:
            item["insertTextFormat"] = 2
        if choice.detail:
            item["detail"] = choice.detail
            if self._details:
                item["labelDetails"] = {"description": choice.detail}
        if choice.name:
            item["data"] = {"uri": self._uri, "kind": self._at.kind, "name": choice.name}
        return item
