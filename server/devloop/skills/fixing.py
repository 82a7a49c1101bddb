"""Ways out of what is wrong in a SKILL.md, as changes of its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from devloop.own_files import Fault, Fix, LineEdit, nearest, renamed
from devloop.skills.definitions import FOREIGN, MAX_DESCRIPTION, OURS, STANDARD, TASK_TYPES, Problem, Triggers
from devloop.skills.lint import check_skill
from devloop.trust import SKILL_FILE

LIST_LINES: Final = 60
"""A word of a list stands at most so many lines below the key that has the problem."""
_QUOTED: Final = re.compile(r"'([^']+)'")
_DESCRIPTION: Final = re.compile(r"(description:\s*)(\S.*)")
_SENTENCE: Final = re.compile(r"[.!?](?=\s)")


def check_text(text: str, path: str, beside: Iterable[str] | None = None) -> tuple[Fault, ...]:
    """What is wrong with a SKILL.md, with ways out; `path` says its folder. `beside`: the other files of the skill,
    relative to its folder, so that links can be looked up."""
    folder = path.rsplit("/", 2)[-2] if "/" in path else ""
    data = text.encode("utf-8", "surrogateescape")
    files = None if beside is None else {**dict.fromkeys(beside, b""), SKILL_FILE: data}
    plain = text.replace("\r\n", "\n")
    return tuple(
        Fault(path, each.line, each.message, each.severity, each.code, _fixes(each, plain, folder))
        for each in check_skill(folder, files, data=data)
    )


def _fixes(problem: Problem, text: str, folder: str) -> tuple[Fix, ...]:
    line = text.split("\n")[problem.line - 1] if problem.line <= text.count("\n") + 1 else ""
    match problem.code:
        case "no-name":
            return (Fix(f"Add “name: {folder}”", (LineEdit(2, 0, 0, f"name: {folder}\n"),)),)
        case "name-folder" | "bad-name" if line.startswith("name:"):
            return (Fix(f"Take the folder's name, {folder}", (LineEdit(problem.line, 0, None, f"name: {folder}"),)),)
        case "unknown-key":
            return _renamed(problem, text, (*STANDARD, *OURS, *FOREIGN))
        case "triggers" if "no trigger" in problem.message:
            return _renamed(problem, text, Triggers.__dataclass_fields__)
        case "triggers" if "no task type" in problem.message:
            return _renamed(problem, text, TASK_TYPES)
        case "long-description":
            return _shortened(problem.line, line)
        case _:
            return ()


def _renamed(problem: Problem, text: str, known: Iterable[str]) -> tuple[Fix, ...]:
    """The first quoted word of the message becomes the known one that is near, on the first line that holds it."""
    quoted = _QUOTED.search(problem.message)
    near = nearest(quoted[1], known) if quoted else None
    if quoted is None or near is None:
        return ()
    return renamed(text, problem.line, quoted[1], near, within=LIST_LINES)


def _shortened(number: int, line: str) -> tuple[Fix, ...]:
    """Cut after the last whole sentence that fits. Somebody else has to say whether that is what they mean."""
    found = _DESCRIPTION.fullmatch(line)
    if found is None:
        return ()
    quote = found[2][0] if found[2][0] in "\"'" and found[2].endswith(found[2][0]) else ""
    words = found[2].strip(quote) if quote else found[2]
    ends = [match.end() for match in _SENTENCE.finditer(words[:MAX_DESCRIPTION])]
    if not ends:
        return ()
    edit = LineEdit(number, 0, None, f"{found[1]}{quote}{words[: ends[-1]]}{quote}")
    return (Fix("Cut the description after its last sentence that fits", (edit,), certain=False),)
