"""A result as words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def markdown(value: Mapping[str, Any]) -> str:
    """A result to read, whatever its shape; without `summary`, which stands above it."""
    return "\n".join(_lines({key: part for key, part in value.items() if key != "summary"}))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, part in value.items():
        title = str(key).replace("_", " ").capitalize()
        if part in ("", [], {}, None):
            continue
        if isinstance(part, list):
            yield f"{title}:"
            for each in part:
                yield f"- {_short(each)}"
        elif isinstance(part, Mapping):
            yield f"{title}: {_short(part)}"
        else:
            yield f"{title}: {_word(part)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        place = f"{value['path']}:{value['line']} " if {"path", "line"} <= set(value) else ""
        rest = {key: part for key, part in value.items() if not (place and key in ("path", "line"))}
        parts = [f"{str(key).replace('_', ' ')}: {_short(part)}" for key, part in rest.items() if part not in ("", [])]
        return place + "; ".join(parts)
    if isinstance(value, list):
        return ", ".join(_short(each) for each in value)
    return _word(value)


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
