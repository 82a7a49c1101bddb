"""What a code action and an item of a completion carry to their resolving. Loaded when the first is made: pydantic.

No method of its own.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from devloop.errors import UsageError


class Payload(BaseModel):
    """Names an edit of one version of a document. `do` says how the rest is read (see the modules that write it)."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    uri: str = Field(max_length=10_000)
    version: int
    do: Literal["fix", "fix-all", "refactor", "reason", "renumber", "reply"]
    line: int = Field(default=0, ge=0)
    name: str = Field(default="", max_length=200)
    """A problem's code, a refactoring's kind, a phase's id, a decision."""
    nth: int = Field(default=0, ge=0)
    """Which of a line's problems: several may be alike in code and place."""
    index: int = Field(default=0, ge=0)
    """Which of a problem's fixes."""
    title: str = Field(default="", max_length=2_000)
    """The fix as it was offered."""
    answer: str = Field(default="", max_length=2_000)
    """What the person said: a reason, a title, the line of a phase."""


class Data(BaseModel):
    """What an item of ours carries."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    uri: str = Field(max_length=10_000)
    kind: str = Field(max_length=40)
    name: str = Field(max_length=1_000)


def action(plain: Any) -> Payload:
    """What an action carries. Raises `UsageError` for what is not ours."""
    try:
        return Payload.model_validate(plain)
    except ValidationError:
        raise UsageError("This code action is none of devloop's.") from None


def item(plain: Any) -> Data:
    """What an item of a completion carries. Raises `UsageError` for what is not ours."""
    try:
        return Data.model_validate(plain)
    except ValidationError:
        raise UsageError("This completion item is none of devloop's.") from None
