"""The `condition` of a hook: what the tool call must say for the hook to run.

git commit                              this text stands somewhere in the call's input
tool_input.command contains 'git push'  the same of one value
tool_name == 'Bash'                     it is exactly this
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

MAX_CONDITION: Final = 500
SEARCHED: Final = 20_000
"""Characters of a value that are looked at."""
_FORM = re.compile(
    r"\s*(?P<place>tool_name|tool_input(?:\.\w+)?|\$TOOL_INPUT)\s+(?P<how>contains|==)\s+"
    r"(?P<quote>['\"])(?P<text>.*)(?P=quote)\s*",
    re.DOTALL,
)


def readable(condition: str) -> bool:
    """Whether it can be told what a condition asks for. Regular expressions are none: what an agent writes would decide
    how long they take."""
    if not condition.strip() or len(condition) > MAX_CONDITION:
        return False
    words = condition.split()
    return "matches" not in words[1:2]


def holds(condition: str, tool: str, tool_input: Mapping[str, Any]) -> bool:
    """Whether a call fits; "" fits every call. Never raises."""
    if not condition:
        return True
    found = _FORM.fullmatch(condition)
    if found is None:
        return any(condition in value for value in _texts(tool_input))
    if found["place"] == "tool_name":
        values = [tool]
    elif "." in found["place"]:
        values = list(_texts(tool_input.get(found["place"].partition(".")[2])))
    else:
        values = list(_texts(tool_input))
    return any(_fits(found["how"], found["text"], value) for value in values)


def _fits(how: str, text: str, value: str) -> bool:
    return text in value if how == "contains" else text == value


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each[:SEARCHED]
        elif isinstance(each, Mapping):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
        elif each is not None:
            yield str(each)[:SEARCHED]
