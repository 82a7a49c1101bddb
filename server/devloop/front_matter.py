"""The YAML between the first two `---` of a Markdown file, read so that no file can hurt: bounded, and without anchors,
aliases and tags, by which a few lines can stand for gigabytes or for foreign objects.

`yaml` is imported when the first file is read: nothing that starts needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_BYTES = 16 * 1024
MAX_EVENTS = 2_000
MAX_DEPTH = 8
FENCE = "---"


class Unreadable(Exception):
    """Why the front matter can't be read. `line` counts from 1 in the file."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


@dataclass(frozen=True)
class FrontMatter:
    """`lines`: where each key stands, inner ones by dotted path (`modes.git.access`).
    `lenient`: it is no YAML; why, and what the lines say all the same."""

    values: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    lenient: Unreadable | None = None


def split(text: str) -> tuple[str, str, int]:
    """(front matter, body, line at which the body begins). Raises `Unreadable` when there is none."""
    lines = text.split("\n")
    if lines[0].rstrip() != FENCE:
        raise Unreadable("the file has to begin with `---` and front matter", 1)
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == FENCE:
            return "\n".join(lines[1 : number - 1]), "\n".join(lines[number:]), number + 1
    raise Unreadable("the front matter has no end: a second line `---`", 1)


def read(text: str) -> FrontMatter:
    """The front matter's values. Raises `Unreadable` for what is no mapping, or more than anybody would write.

    Descriptions in the wild often hold a `: ` that YAML forbids; of such a file the plain `key: value` lines count.
    """
    import yaml

    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise Unreadable(f"the front matter is longer than {MAX_BYTES // 1024} KiB", 1)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check(yaml, text, loader)
        node = yaml.compose(text, Loader=loader)
        values = yaml.load(text, Loader=loader)  # noqa: S506 - a safe loader in either form
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        what = getattr(problem, "problem", None) or "it can't be read"
        found = Unreadable(f"the front matter is no YAML: {what}", (mark.line if mark else 0) + 2)
        return _lenient(text, found)
    except (ValueError, OverflowError, RecursionError) as problem:  # a date or number that can't be
        raise Unreadable(f"the front matter can't be read: {problem}", 2) from None
    if values is None:
        return FrontMatter()
    if not isinstance(values, dict) or not isinstance(node, yaml.MappingNode):
        raise Unreadable("the front matter has to be `key: value` lines", 2)
    lines = dict(_places(yaml, node, ""))
    return FrontMatter({str(key): value for key, value in values.items()}, lines)


def _places(yaml: Any, node: Any, above: str) -> Iterator[tuple[str, int]]:
    for key, value in node.value:
        place = f"{above}{key.value}"
        yield place, key.start_mark.line + 2
        if isinstance(value, yaml.MappingNode):
            yield from _places(yaml, value, f"{place}.")


def _check(yaml: Any, text: str, loader: Any) -> None:
    """Events come one by one, before anything is built of them."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=loader)):
        line = event.start_mark.line + 2
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable("anchors and aliases are not allowed in front matter", line)
        if getattr(event, "tag", None):
            raise Unreadable("tags are not allowed in front matter", line)
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            depth += 1
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            depth -= 1
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            raise Unreadable("the front matter holds too much", line)


def _lenient(text: str, why: Unreadable) -> FrontMatter:
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=2):
        key, colon, value = line.partition(":")
        if colon and key and key == key.strip() and not key.startswith(("#", "-")) and key not in values:
            values[key], lines[key] = value.strip().strip("\"'"), number
    if not values:
        raise why
    return FrontMatter(values, lines, why)
