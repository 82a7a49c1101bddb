"""What is wrong in the file of an agent, with ways out as changes of its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from devloop.agents import names
from devloop.agents.definitions import Problem
from devloop.agents.reading import EFFORTS, KEYS, MODE_KEYS, read_agent
from devloop.own_files import Fault, Fix, LineEdit, nearest, renamed

LIST_LINES: Final = 40
"""A word of a list stands at most so many lines below the key that has the problem."""
_TOOL: Final = re.compile(r"there is no tool (\S+)")
_KEY: Final = re.compile(r"'([^']+)' has no meaning in (?:an agent|a mode)")
_CHOICE: Final = re.compile(r"(\S+) has to be one of ")
_VALUES: Final = {"access": ("read", "write"), "effort": EFFORTS}


def check_text(text: str, path: str) -> tuple[Fault, ...]:
    """What is wrong with an agent's file; whether it is one of Claude Code's is said by `path`."""
    source = "claude" if path.startswith(".claude/") else "repository"
    _, problems = read_agent(text, path, source=source)
    plain = text.replace("\r\n", "\n")
    return tuple(
        Fault(
            path,
            each.line,
            each.text,
            "error" if each.fatal else "warning",
            "agent-broken" if each.fatal else "agent-file",
            _fixes(each, plain),
        )
        for each in sorted(problems, key=lambda each: each.line)
    )


def _fixes(problem: Problem, text: str) -> tuple[Fix, ...]:
    if problem.text.startswith("the agent has no name"):
        name = PurePosixPath(problem.path).stem
        return (Fix(f"Add “name: {name}”", (LineEdit(2, 0, 0, f"name: {name}\n"),)),)
    if found := _TOOL.match(problem.text):
        return _renamed(text, problem.line, found[1], names.KNOWN)
    if found := _KEY.match(problem.text):
        return _renamed(text, problem.line, found[1], {*KEYS, *MODE_KEYS})
    if found := _CHOICE.match(problem.text):
        line = text.split("\n")[problem.line - 1]
        value = line.partition(":")[2].strip().strip("\"'")
        return _renamed(text, problem.line, value, _VALUES.get(found[1], ())) if value else ()
    return ()


def _renamed(text: str, line: int, old: str, known: Iterable[str]) -> tuple[Fix, ...]:
    """On the line, or, of a list, on the first one after it that holds the word."""
    near = nearest(old, known)
    if near is None:
        return ()
    return renamed(text, line, old, near, within=LIST_LINES)
