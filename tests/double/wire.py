"""How the double sends a scripted turn: the `wire` table of a turn in a scenario file."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from devloop.models.scenario import ScriptedTurn


class Wire(BaseModel):
    """Everything is optional; what goes wrong does so `times` times (0: always), then the turn is sent whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cuts: tuple[int, ...] = Field(default=(16,), min_length=1)
    """Lengths in characters of the pieces of text, thinking and tool input, over and over."""
    split_bytes: int | None = Field(default=None, ge=1)
    """Size of each write to the socket; None: one write for each event."""
    pings: bool = False
    unknown_events: bool = False
    unknown_deltas: bool = False
    usage_in_delta: Literal["full", "output", "none"] = "full"
    usage: dict[str, Any] = {}
    """More keys of `usage`, such as `iterations`."""
    gzip: bool = False
    compaction: str | None = None
    """The server compacts in this turn: the summary with which its answer begins. Empty: the summary failed."""
    extra_blocks: tuple[dict[str, Any], ...] = ()
    """Blocks as they stand, sent after the text and before the calls."""
    headers: dict[str, str] = {}

    retry_after: Literal["seconds", "ms", "date"] = "seconds"
    """The form in which `retry_after_s` of a failure is sent."""
    error_type: str | None = None
    error_status: int | None = None
    """Where the failure's kind alone does not say it: a spend limit that comes as a 400."""
    fail_after_events: int | None = Field(default=None, ge=0)
    """The failure comes inside the stream, after so many events."""
    cut_after: int | None = Field(default=None, ge=0)
    """The connection is reset after so many bytes of the body."""
    end_after: int | None = Field(default=None, ge=0)
    """The body ends, in good order, after so many events."""
    stall_after: int | None = Field(default=None, ge=0)
    """Silence after so many events, for `stall_s` seconds or until the client goes."""
    stall_s: float = Field(default=60.0, ge=0)
    stall_ping_s: float | None = Field(default=None, gt=0)
    """A ping this often during the silence."""
    raw_body: str | None = None
    """A body that is no Messages answer at all, sent with `raw_status` and `raw_type`."""
    raw_status: int = 200
    raw_type: str = "text/html"
    times: int = Field(default=1, ge=0)

    @property
    def breaks(self) -> bool:
        marks = (self.cut_after, self.end_after, self.stall_after, self.raw_body)
        return any(mark is not None for mark in marks)


def wire_of(turn: ScriptedTurn) -> Wire:
    return Wire.model_validate(turn.wire)
