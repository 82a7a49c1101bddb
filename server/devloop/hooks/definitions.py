"""What a hook is, and how the files that declare hooks are read: three shapes in use, as they are.

* `{"hooks": {Event: [{"matcher", "hooks": [{"type": "command", "command", "timeout"}]}]}}`: Claude Code's, and ours.
* `{"hooks": {Event: [{"type": "command", "command"}]}}`: the same without a matcher.
* `{"hooks": [{"name", "event", "script", "matcher", "condition", "timeout"}]}`: the list of older plugins.

What is wrong is a `Fault` with its line, and the rest counts. Reading is pure and total.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from devloop import hook_files
from devloop.hooks import json_lines
from devloop.hooks.conditions import readable
from devloop.hooks.events import EVENTS, UNUSED, event_named, matcher_problem
from devloop.hooks.json_lines import Node
from devloop.own_files import Fault, nearest, renamed
from devloop.redact import cut, one_line

DEFAULT_TIMEOUT_S: Final = 60.0
MAX_TIMEOUT_S: Final = 600.0
MAX_HOOKS: Final = 100
MAX_COMMAND: Final = 8_000
NOT_RUN: Final = ("prompt", "agent", "http", "mcp_tool")
"""Kinds of hooks that Claude Code has and devloop does not run."""
UNUSED_CODE: Final = "hook-unused"

Dialect = Literal["devloop", "claude"]


@dataclass(frozen=True)
class Hook:
    """One command of one file. `path` and `line`: where it stands; `dialect`: whose names of tools it is told.

    `timeout_s`: seconds that it may take. `condition`: what a call must say (see `conditions`), "" for any.
    """

    event: str
    command: str
    matcher: str = ""
    timeout_s: float = DEFAULT_TIMEOUT_S
    condition: str = ""
    name: str = ""
    path: str = hook_files.OWN
    line: int = 1
    dialect: Dialect = "devloop"

    @property
    def id(self) -> str:
        """The same for as long as file, event, matcher and command are."""
        told = "\0".join((self.path, self.event, self.matcher, self.condition, self.command))
        return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:12]

    @property
    def title(self) -> str:
        """What people call it: its name, else its command's first words."""
        return self.name or one_line(self.command, 60)


@dataclass(frozen=True)
class Declared:
    """What one file declares. `unsupported`: (event, kind, line) of hooks that devloop does not run."""

    hooks: tuple[Hook, ...] = ()
    faults: tuple[Fault, ...] = ()
    unsupported: tuple[tuple[str, str, int], ...] = ()


def read(data: bytes, path: str, dialect: Dialect = "devloop") -> Declared:
    """The hooks that the file `path` declares. Never raises on what it holds."""
    if len(data) > hook_files.MAX_BYTES:
        return _broken(path, 1, f"the file is larger than {hook_files.MAX_BYTES // 1024} KiB; its hooks are not read")
    try:
        text = data.decode("utf-8-sig")
        node, repeated = json_lines.read(text)
    except UnicodeDecodeError as problem:
        return _broken(path, data.count(b"\n", 0, problem.start) + 1, "the file is not UTF-8")
    except json_lines.Broken as problem:
        return _broken(path, problem.line, f"this is no JSON: {problem.message}")
    reader = _Reader(path, dialect, text)
    reader.file(node, repeated)
    return Declared(tuple(reader.hooks), tuple(reader.faults), tuple(reader.unsupported))


def _broken(path: str, line: int, message: str) -> Declared:
    return Declared(faults=(Fault(path, line, message, code="hook-file"),))


@dataclass
class _Reader:
    path: str
    dialect: Dialect
    text: str
    hooks: list[Hook] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unsupported: list[tuple[str, str, int]] = field(default_factory=list)

    def fault(
        self,
        line: int,
        message: str,
        *,
        code: str = "hook-file",
        certain: bool = True,
        better: tuple[str, str] = ("", ""),
    ) -> None:
        """`better`: what stands there, and what should."""
        fixes = renamed(self.text, line, *better) if better[1] else ()
        self.faults.append(Fault(self.path, line, message, "error" if certain else "warning", code, fixes))

    def file(self, node: Node, repeated: list[tuple[str, int]]) -> None:
        if not isinstance(node.value, dict):
            self.fault(node.line, "the file has to hold an object with `hooks`")
            return
        for key, line in repeated[:20]:
            self.fault(line, f"{_short(key)} stands more than once in one object; the last one counts", certain=False)
        if (off := node.get("disableAllHooks")) is not None and off.value is True:
            self.fault(off.line, "`disableAllHooks` is on: this file's hooks are not run", certain=False)
            return
        found = node.get("hooks")
        if found is None:
            if self.path not in hook_files.CLAUDE:  # settings may well have none
                self.fault(node.line, "the file declares no `hooks`", certain=False)
        elif isinstance(found.value, dict):
            for event, groups in found.value.items():
                self.event(event, groups, found.keys[event])
        elif isinstance(found.value, list):
            for each in found.value:
                self.listed(each)
        else:
            self.fault(found.line, "`hooks` has to be an object by event, or a list of hooks")

    def event(self, name: str, groups: Node, line: int) -> None:
        """`Event: [{matcher, hooks: […]}]`, and the same without that level."""
        known = self.known_event(name, line)
        if known is None:
            return
        if not isinstance(groups.value, list):
            self.fault(groups.line, f"{_short(name)} has to be a list")
            return
        for group in groups.value:
            if not isinstance(group.value, dict):
                self.fault(group.line, "an object with `hooks` should stand here")
            elif (inner := group.get("hooks")) is None:
                if group.get("command", "type", "script") is None:
                    self.fault(group.line, "`hooks` is missing: a list of commands")
                else:
                    self.hook(known, group, group)
            elif isinstance(inner.value, list):
                for each in inner.value:
                    self.hook(known, each, group)
            else:
                self.fault(inner.line, "`hooks` has to be a list of commands")

    def listed(self, node: Node) -> None:
        """`{"name", "event", "script"}`"""
        if not isinstance(node.value, dict):
            self.fault(node.line, "an object with `event` and `script` should stand here")
            return
        event = node.get("event")
        if event is None or not isinstance(event.value, str):
            self.fault(node.line, "`event` is missing: the name of an event")
        elif (known := self.known_event(event.value, event.line)) is not None:
            self.hook(known, node, node)

    def known_event(self, name: str, line: int) -> str | None:
        known = event_named(name)
        if known in UNUSED:
            self.fault(
                line,
                f"{known} is an event of Claude Code's that devloop does not have; its hooks never run here",
                code=UNUSED_CODE,
                certain=False,
            )
            return None
        if known is None:
            meant = nearest(name, EVENTS)
            hint = f"; did you mean {meant}?" if meant else f"; there are: {', '.join(EVENTS)}"
            told = f"there is no event {_short(name)}{hint}"
            self.fault(line, told, certain=False, better=(f'"{name}"', f'"{meant}"') if meant else ("", ""))
            return None
        if known != name:
            better = (f'"{name}"', f'"{known}"')
            self.fault(line, f"{_short(name)} is read as {known}", code=UNUSED_CODE, certain=False, better=better)
        return known

    def hook(self, event: str, node: Node, group: Node) -> None:
        """`group`: where the matcher stands."""
        if not isinstance(node.value, dict):
            self.fault(node.line, "an object with `type` and `command` should stand here")
            return
        kind = node.get("type")
        if kind is not None and kind.value != "command":
            self.other_kind(event, kind)
            return
        command = node.get("command", "script")
        if command is None or not isinstance(command.value, str) or not command.value.strip():
            self.fault(node.line, "`command` is missing: what is run, as a text")
            return
        if len(command.value) > MAX_COMMAND or "\0" in command.value:
            self.fault(command.line, f"the command is longer than {MAX_COMMAND} characters, or holds a NUL")
            return
        matcher = self.matcher(group)
        if matcher is None:
            return
        if len(self.hooks) >= MAX_HOOKS:
            if len(self.hooks) == MAX_HOOKS and not any(each.code == "hook-many" for each in self.faults):
                self.fault(node.line, f"there are more than {MAX_HOOKS} hooks; the rest is not run", code="hook-many")
            return
        name, condition = node.get("name"), self.condition(node)
        if condition is None:
            return
        self.hooks.append(
            Hook(
                event=event,
                command=command.value,
                matcher=matcher,
                timeout_s=self.timeout(node),
                condition=condition,
                name=_name(name),
                path=self.path,
                line=command.line,
                dialect=self.dialect,
            )
        )

    def other_kind(self, event: str, kind: Node) -> None:
        if kind.value in NOT_RUN:
            self.unsupported.append((event, str(kind.value), kind.line))
            self.fault(
                kind.line,
                f"hooks of the type `{kind.value}` are not run: devloop asks no model and no server at an event",
                code="hook-unsupported",
                certain=False,
            )
        else:
            self.fault(kind.line, "`type` has to be `command`")

    def matcher(self, group: Node) -> str | None:
        """None: the hooks below it can't be told apart, so none of them runs."""
        found = group.get("matcher")
        if found is None:
            return ""
        if not isinstance(found.value, str):
            self.fault(found.line, "`matcher` has to be a text: names with |, or a regular expression")
            return None
        if (problem := matcher_problem(found.value)) is not None:
            self.fault(found.line, f"the matcher {_short(found.value)} can't be used: {problem}")
            return None
        return found.value

    def condition(self, node: Node) -> str | None:
        """None: what it asks for can't be told, so the hook does not run."""
        found = node.get("condition", "if")
        if found is None:
            return ""
        if not isinstance(found.value, str) or not readable(found.value):
            self.fault(
                found.line,
                "`condition` has to be a text that the call holds, or `tool_input.NAME contains 'text'` (or ==)",
            )
            return None
        return found.value

    def timeout(self, node: Node) -> float:
        found = node.get("timeout")
        if found is None:
            return DEFAULT_TIMEOUT_S
        value: Any = found.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
            told = f"`timeout` has to be a number of seconds; {DEFAULT_TIMEOUT_S:g} count"
            self.fault(found.line, told, certain=False)
            return DEFAULT_TIMEOUT_S
        if value > MAX_TIMEOUT_S:
            self.fault(found.line, f"`timeout` is in seconds; {MAX_TIMEOUT_S:g} count at most", certain=False)
        return float(min(value, MAX_TIMEOUT_S))


def _name(node: Node | None) -> str:
    return cut(node.value, 100) if node is not None and isinstance(node.value, str) else ""


def _short(text: str) -> str:
    return repr(cut(text, 60))


def identical(found: list[Hook]) -> Iterator[Hook]:
    """Each command once for one event, however often it is declared: the first one counts."""
    seen: set[tuple[str, str]] = set()
    for hook in found:
        if (hook.dialect, hook.command) not in seen:
            seen.add((hook.dialect, hook.command))
            yield hook
