"""What a person can set in the editor: `initializationOptions`, and the `devloop` section of its settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

log = logging.getLogger(__name__)


MOST_DIAGNOSTICS: Final = 10_000


@dataclass(frozen=True)
class Options:
    """Names are in camel case outside. What can't be read keeps its default, and a warning says so."""

    code_lens: bool = True
    inlay_hints: bool = True
    agent_hints: bool = False
    """Hints also say agent and mode where the task doesn't; a hover always does."""
    checkpoint_messages: bool = True
    """Ask by a message when a run waits; the diagnostic on the task's line is always there."""
    progress: bool = True
    diagnostics_limit: int = 200
    """From 1 to `MOST_DIAGNOSTICS`."""
    trusted: bool = True
    """False in an editor's restricted mode: nothing may be run from there."""


def read(values: object, before: Options) -> tuple[Options, tuple[str, ...]]:
    """`before` with what `values` says, and the names that were not understood."""
    if not isinstance(values, Mapping):
        return before, ()
    found: dict[str, Any] = {}
    wrong = []
    for field in fields(Options):
        first, *more = field.name.split("_")
        key = first + "".join(word.capitalize() for word in more)
        value = values.get(key)
        if value is None:
            continue
        if _fits(value, field.default):
            found[field.name] = value
        else:
            wrong.append(key)
    return replace(before, **found), tuple(wrong)


def _fits(value: object, default: object) -> bool:
    if type(value) is not type(default):
        return False
    return not isinstance(value, int) or isinstance(value, bool) or 1 <= value <= MOST_DIAGNOSTICS


def section(values: Any) -> object:
    """The `devloop` part of what `didChangeConfiguration` carries."""
    return values.get("devloop", values) if isinstance(values, Mapping) else None
