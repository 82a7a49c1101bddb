"""May the next turn be made? Caps on money, tokens, turns and wall time, for a run, a plan and a day. Pure.

No model call is made without a reservation: a worst case that is checked against every cap before the request, so
that a cap is never passed, not even by the last turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from devloop.models.prices import CACHE_WRITE_5M, Price, price_of
from devloop.models.turn import Request, Usage

Scope = Literal["run", "plan", "day"]
Cap = Literal["usd", "tokens", "turns", "wall"]
SCOPES: tuple[Scope, ...] = ("run", "plan", "day")

BYTES_PER_TOKEN = 3
"""Fewer than the usual four: a reservation must not be too small."""
_FRAME_TOKENS = 500
"""What the server adds around tools and messages."""


@dataclass(frozen=True)
class Limits:
    """Caps of one scope; None means no cap."""

    usd: float | None = None
    tokens: int | None = None
    turns: int | None = None
    wall_s: float | None = None


@dataclass(frozen=True)
class Spent:
    """What one scope has used so far. `unpriced` says that some turns had no known price."""

    usd: float = 0.0
    tokens: int = 0
    turns: int = 0
    wall_s: float = 0.0
    unpriced: bool = False

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.usd + other.usd,
            self.tokens + other.tokens,
            self.turns + other.turns,
            self.wall_s + other.wall_s,
            self.unpriced or other.unpriced,
        )

    def after(self, usage: Usage, usd: float | None, wall_s: float = 0.0) -> Spent:
        """With one more turn that cost `usd` (None: unknown)."""
        return self + Spent(usd or 0.0, usage.total, 1, wall_s, usd is None)


@dataclass(frozen=True)
class Reservation:
    """The worst case of one turn; `usd` is None when the model has no known price."""

    tokens: int
    usd: float | None
    model: str = ""


@dataclass(frozen=True)
class Exceeded:
    """Which cap stands in the way. `message` is one sentence with the scope, what is used and the cap."""

    scope: Scope
    cap: Cap
    used: float
    limit: float
    message: str
    hint: str


def reservation(
    request: Request, model: str | None = None, *, overrides: Mapping[str, Price] | None = None
) -> Reservation:
    """Worst case of `request`: one token for three bytes, all of it written to the cache, and the whole output."""
    name = model or request.model
    prompt = -(-request.size // BYTES_PER_TOKEN) + _FRAME_TOKENS
    price = price_of(name, overrides)
    usd = None
    if price is not None:
        step = price.highest(prompt)
        usd = (prompt * CACHE_WRITE_5M * step.input + request.max_tokens * step.output) / 1_000_000
    return Reservation(prompt + request.max_tokens, usd, name)


def check(
    limits_by_scope: Mapping[Scope, Limits], spent_by_scope: Mapping[Scope, Spent], needed: Reservation
) -> Exceeded | None:
    """The first cap that the next turn could pass, narrowest scope first; None when the turn may be made."""
    for scope in SCOPES:
        limits = limits_by_scope.get(scope)
        if limits is not None:
            found = _check_scope(scope, limits, spent_by_scope.get(scope, Spent()), needed)
            if found is not None:
                return found
    return None


def _check_scope(scope: Scope, limits: Limits, spent: Spent, needed: Reservation) -> Exceeded | None:
    if limits.turns is not None and spent.turns + 1 > limits.turns:
        text = f"The {scope}'s cap of {limits.turns} turns is used up ({spent.turns} made)."
        return Exceeded(scope, "turns", spent.turns, limits.turns, text, _raise(scope, "turns"))
    if limits.wall_s is not None and spent.wall_s >= limits.wall_s:
        text = f"The {scope}'s cap of {_time(limits.wall_s)} is used up ({_time(spent.wall_s)} have passed)."
        return Exceeded(scope, "wall", spent.wall_s, limits.wall_s, text, _raise(scope, "wall time"))
    if limits.tokens is not None and spent.tokens + needed.tokens > limits.tokens:
        text = (
            f"The {scope}'s cap of {limits.tokens:,} tokens would be passed: {spent.tokens:,} are used and the next "
            f"turn may need {needed.tokens:,}."
        )
        return Exceeded(scope, "tokens", spent.tokens, limits.tokens, text, _raise(scope, "tokens"))
    if limits.usd is not None:
        return _check_money(scope, limits.usd, spent, needed)
    return None


def _check_money(scope: Scope, cap: float, spent: Spent, needed: Reservation) -> Exceeded | None:
    if needed.usd is None or spent.unpriced:
        which = f"the model {needed.model}" if needed.usd is None else "a model used before"
        text = (
            f"The {scope}'s cap of {_usd(cap)} can't be kept: the price of {which} is unknown "
            f"({_usd(spent.usd)} used with known prices)."
        )
        hint = "Set the model's price in your configuration, or remove the cap in dollars and set one in tokens."
        return Exceeded(scope, "usd", spent.usd, cap, text, hint)
    if spent.usd + needed.usd > cap:
        text = (
            f"The {scope}'s cap of {_usd(cap)} would be passed: {_usd(spent.usd)} is used and the next turn "
            f"may cost {_usd(needed.usd)}."
        )
        return Exceeded(scope, "usd", spent.usd, cap, text, _raise(scope, "dollars"))
    return None


def _raise(scope: Scope, what: str) -> str:
    wait = " or go on tomorrow" if scope == "day" else ""
    return f"Raise the {scope}'s cap on {what} under [budget] in your configuration{wait}."


def _usd(value: float) -> str:
    return f"${value:.2f}" if value >= 0.005 or value == 0 else f"${value:.4f}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
