"""Agent definitions: Markdown with YAML front matter. The body is what all modes of an agent are told; a section
`## Mode: NAME` is what one mode is told beside it. Both together are the system prompt of that mode.

```
name: engineer                      # required, as is description
tier: balanced                      # fast, balanced, deep, or a model's id
access: write                       # read: no tool that writes, and the sandbox shows the worktree read-only
tools: [read_file, search, finish]  # Claude Code's names are understood, too
mode: default                       # the one without another word
modes:
  explorer:
    access: read
    starts: [explore, how does]     # the task begins with it; * stands for up to three words
    contains: [call graph]          # it stands anywhere in the task
    result: exploration             # a contract, or a result described as data (`contracts.model_of`)
    words: 400                      # the longest result
```
What a mode does not say is as the agent says it. An agent without modes has one, `default`.

`chains: {build: [explorer, architect, default]}` names modes that do one task in turn; a task asks for one in the place
of a mode, `[agent:engineer:build]`. Without it, `chain` is what the modes' `after` lead to the default mode by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from devloop import front_matter
from devloop.agents import contracts, names
from devloop.agents.definitions import ACCESS, Access, Agent, Mode, Problem, flat
from devloop.redact import one_line

MAX_PROMPT: Final = 64 * 1024
MAX_CHAIN: Final = 8
EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SECTION = re.compile(r"^## Mode: *(\S+) *$", re.M)
_FOR_ALL = ("tier", "model", "access", "permissionMode", "tools", "disallowedTools", "effort", "turns", "maxTurns")
_FOR_ONE = ("description", "starts", "contains", "result", "words", "after")
_HEAD = {"name", "mode", "modes", "chains", "skills", *_FOR_ALL, *_FOR_ONE}
_FOREIGN = {"color", "memory", "hooks", "mcpServers", "background", "isolation", "version", "author"}
"""Claude Code's, without a meaning here."""
KEYS: Final = frozenset(_HEAD | _FOREIGN)
MODE_KEYS: Final = (*_FOR_ALL, *_FOR_ONE)


@dataclass
class Reading:
    """One file on its way to an agent."""

    path: str
    values: Mapping[str, Any]
    lines: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)

    def problem(self, place: str, text: str) -> None:
        line = self.lines.get(place) or self.lines.get(place.partition(".")[0], 1)
        self.problems.append(Problem(self.path, line, one_line(text, 300)))


class Malformed(ValueError):
    """The agent can't be loaded. `line` counts from 1."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


def read_agent(text: str, path: str, *, source: str = "shipped") -> tuple[Agent | None, list[Problem]]:
    """The agent that a file defines, and all that is wrong with it. Never raises on what a file holds."""
    text = text.replace("\r\n", "\n")
    try:
        head, body, body_line = front_matter.split(text)
        found = front_matter.read(head)
        reading = Reading(path, found.values, found.lines)
        if found.lenient is not None and source != "claude":
            raise Malformed(found.lenient.message, found.lenient.line)
        return _agent(reading, body, body_line, source), reading.problems
    except front_matter.Unreadable as problem:
        return None, [Problem(path, problem.line, problem.message, fatal=True)]
    except Malformed as problem:
        return None, [Problem(path, problem.line, one_line(str(problem), 300), fatal=True)]


def _agent(reading: Reading, body: str, body_line: int, source: str) -> Agent:
    values = reading.values
    name, description = values.get("name"), values.get("description")
    if name is None and source == "claude":
        name = Path(reading.path).stem
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        said = "has no name" if name is None else f"has a name that is none: {one_line(str(name), 60)!r}"
        raise Malformed(f"the agent {said}; letters, digits, dots and dashes make one", reading.lines.get("name", 1))
    if not isinstance(description, str) or not description.strip():
        raise Malformed("an agent needs a description", reading.lines.get("description", 1))
    for key in values:
        if key not in KEYS:
            reading.problem(key, f"{one_line(key, 60)!r} has no meaning in an agent")
    shared, sections = _sections(body)
    if not shared.strip() and not sections:
        raise Malformed("an agent needs a body: what it is told", body_line)
    if len(body.encode("utf-8", "replace")) > MAX_PROMPT:
        raise Malformed(f"the body is longer than {MAX_PROMPT // 1024} KiB", body_line)
    declared = values.get("modes")
    if declared is not None and (not isinstance(declared, dict) or not declared):
        reading.problem("modes", "modes has to hold modes by name")
        declared = None
    modes = tuple(_modes(reading, declared or {"default": {}}, shared, sections))
    if not modes:
        raise Malformed("no mode of the agent can be used", reading.lines.get("modes", 1))
    for section in set(sections) - {mode.name for mode in modes}:
        reading.problem("modes", f"there is no mode {one_line(section, 40)} for the section “Mode: {section}”")
    first = modes[0].name
    mode = values.get("mode", first)
    if mode not in {each.name for each in modes}:
        reading.problem("mode", f"there is no mode {one_line(str(mode), 40)!r}; {first} counts")
        mode = first
    words = one_line(description.replace("\\n", " "), 1024)
    return Agent(
        name,
        words,
        str(mode),
        modes,
        source,
        reading.path,
        reading.lines.get("name", 1),
        dict(_chains(reading, modes)),
        _skills(reading),
    )


def _chains(reading: Reading, modes: tuple[Mode, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    declared = reading.values.get("chains")
    if declared is None:
        return
    if not isinstance(declared, dict):
        reading.problem("chains", "chains has to hold lists of modes by name")
        return
    known = {flat(mode.name): mode.name for mode in modes}
    for name, listed in declared.items():
        place = f"chains.{name}"
        if not isinstance(name, str) or not _NAME.fullmatch(name) or flat(name) in known:
            reading.problem(place, f"{one_line(str(name), 60)!r} can't be a chain's name")
        elif not isinstance(listed, list) or not 2 <= len(listed) <= MAX_CHAIN:
            reading.problem(place, f"a chain is a list of 2 to {MAX_CHAIN} modes")
        elif missing := [one_line(str(each), 40) for each in listed if flat(str(each)) not in known]:
            reading.problem(place, f"there is no mode {', '.join(missing)}")
        else:
            yield name, tuple(known[flat(str(each))] for each in listed)


def _skills(reading: Reading) -> tuple[str, ...]:
    found = reading.values.get("skills") or ()
    listed = found.split(",") if isinstance(found, str) else found
    if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) for each in listed):
        reading.problem("skills", "skills has to be a list of names")
        return ()
    return tuple(each.strip() for each in listed if each.strip())


def _sections(body: str) -> tuple[str, dict[str, str]]:
    parts = _SECTION.split(body)
    return parts[0].strip(), {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _modes(reading: Reading, declared: Mapping[Any, Any], shared: str, sections: Mapping[str, str]) -> Iterator[Mode]:
    inherited = {
        key: value for key, value in reading.values.items() if key in _FOR_ALL or "modes" not in reading.values
    }
    for name, said in declared.items():
        place = f"modes.{name}"
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(said, (dict, type(None))):
            reading.problem(place, f"{one_line(str(name), 60)!r} is no mode")
            continue
        for key in said or {}:
            if key not in MODE_KEYS:
                reading.problem(f"{place}.{key}", f"{one_line(str(key), 60)!r} has no meaning in a mode")
        own = dict(said or {})
        yield _mode(reading, name, {**inherited, **own}, own, shared, sections.get(name, ""))


@dataclass(frozen=True)
class _Values:
    """What counts in one mode. `own` is what the mode says itself: a mistake is told where it stands."""

    reading: Reading
    name: str
    values: Mapping[str, Any]
    own: Mapping[str, Any]

    def place(self, key: str) -> str:
        return f"modes.{self.name}.{key}" if key in self.own else key

    def problem(self, key: str, text: str) -> None:
        self.reading.problem(self.place(key), text)

    def words(self, key: str) -> tuple[str, ...]:
        found = self.values.get(key) or ()
        listed = found.split(",") if isinstance(found, str) else found
        if not isinstance(listed, (list, tuple)) or not all(isinstance(each, (str, int, float)) for each in listed):
            self.problem(key, f"{key} has to be a list of words")
            return ()
        return tuple(str(each).strip() for each in listed if str(each).strip())

    def number(self, key: str) -> int | None:
        found = self.values.get(key)
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < 1:
            self.problem(key, f"{key} has to be a number above 0")
            return None
        return found

    def one_of(self, key: str, choices: tuple[str, ...]) -> str | None:
        found = self.values.get(key)
        if found is not None and found not in choices:
            self.problem(key, f"{key} has to be one of {', '.join(choices)}")
            return None
        return found


def _mode(
    reading: Reading, name: str, values: Mapping[str, Any], own: Mapping[str, Any], shared: str, section: str
) -> Mode:
    said = _Values(reading, name, values, own)
    tools, access = _tools(said)
    result, limit = _result(reading, said.place("result"), values.get("result")), said.number("words")
    parts = [shared, section, f"Keep the result within {limit} words." if limit else ""]
    description = values.get("description")
    return Mode(
        name,
        one_line(description, 400) if isinstance(description, str) and "description" in own else "",
        access,
        tools,
        "\n\n".join(part for part in parts if part),
        _tier(reading, values, said.place),
        said.one_of("effort", EFFORTS),
        said.number("turns") or said.number("maxTurns"),
        said.words("starts"),
        said.words("contains"),
        result,
        limit,
        said.words("after"),
    )


def _tools(said: _Values) -> tuple[tuple[str, ...], Access]:
    """The tools of a mode in their usual order, and whether it may write."""
    tools, unknown = names.tools_of(said.words("tools") or names.TOOLS)
    for each in unknown:
        said.problem("tools", f"there is no tool {one_line(each, 60)}")
    denied, _ = names.tools_of(said.words("disallowedTools"))
    tools = tuple(tool for tool in tools if tool not in denied)
    access = _access(said.values, said.one_of("access", ACCESS), tools)
    if "access" in said.values and said.values["access"] not in ACCESS:
        access = "read"  # what can't be understood is given no more than it needs
    if access == "read":
        tools = tuple(tool for tool in tools if tool not in names.WRITING)
    return tuple(tool for tool in names.TOOLS if tool in {*tools, *names.ALWAYS}), access


def _access(values: Mapping[str, Any], said: str | None, tools: tuple[str, ...]) -> Access:
    """A command may write, so whoever may run commands may write unless the file says otherwise."""
    if said is not None:
        return cast(Access, said)
    if values.get("permissionMode") == "plan":
        return "read"
    return "write" if {*names.WRITING, "run_command"} & set(tools) else "read"


def _result(reading: Reading, place: str, shape: Any) -> contracts.Shape | None:
    if shape is None:
        return None
    try:
        if not isinstance(shape, (str, dict)):
            raise ValueError("result has to be the name of a result or a mapping")
        contracts.model_of(shape)
    except (ValueError, TypeError) as problem:
        reading.problem(place, str(problem))
        return None
    return shape


def _tier(reading: Reading, values: Mapping[str, Any], place: Any) -> str:
    key = "tier" if "tier" in values else "model"
    found = values.get(key, "balanced")
    if not isinstance(found, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}", found):
        reading.problem(place(key), f"{key} has to be fast, balanced, deep or a model's id")
        return "balanced"
    return names.tier_of(found) or "balanced"
