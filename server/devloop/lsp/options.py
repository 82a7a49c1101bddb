"""What a person can set in the editor: `initializationOptions`, and the `devloop` section of its settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

log = logging.getLogger(__name__)


class Options(BaseModel):
    """Names are in camel case outside. What can't be read keeps its default, and a warning says so."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True)

    code_lens: bool = True
    inlay_hints: bool = True
    agent_hints: bool = False
    """Hints also say agent and mode where the task doesn't; a hover always does."""
    checkpoint_messages: bool = True
    """Ask by a message when a run waits; the diagnostic on the task's line is always there."""
    progress: bool = True
    diagnostics_limit: int = Field(default=200, ge=1, le=10_000)
    trusted: bool = True
    """False in an editor's restricted mode: nothing may be run from there."""


def read(values: object, before: Options) -> tuple[Options, tuple[str, ...]]:
    """`before` with what `values` says, and the names that were not understood."""
    if not isinstance(values, Mapping):
        return before, ()
    found, wrong = before.model_dump(), []
    for name, field in Options.model_fields.items():
        key = field.alias or name
        if values.get(key) is None:
            continue
        try:
            checked = Options.model_validate({key: values[key]}, strict=True)
        except ValidationError:
            wrong.append(key)
        else:
            found[name] = getattr(checked, name)
    return Options.model_validate(found), tuple(wrong)


def section(values: Any) -> object:
    """The `devloop` part of what `didChangeConfiguration` carries."""
    return values.get("devloop", values) if isinstance(values, Mapping) else None
