"""What tokens cost, in US dollars per million: a dated table that the person's configuration may override.

Source: the published price list as of `AS_OF` (model-api §12). A model that is not listed has no price: `cost` is
None, and a cap in money then refuses to start. Writing to the cache costs 1.25 (five minutes) or 2 (one hour)
times the input price, reading from it a tenth.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from devloop.errors import UsageError
from devloop.models.catalog import ModelLimits
from devloop.models.turn import Usage

AS_OF = date(2026, 11, 21)

CACHE_WRITE_5M = 1.25
CACHE_WRITE_1H = 2.0
CACHE_READ = 0.1


@dataclass(frozen=True)
class Step:
    """Dollars per million tokens for prompts of up to `up_to` tokens (None: any size)."""

    input: float
    output: float
    up_to: int | None = None


@dataclass(frozen=True)
class Price:
    """Steps by prompt size, the smallest first; the last one has no upper end."""

    steps: tuple[Step, ...]

    def step(self, prompt_tokens: int) -> Step:
        for step in self.steps:
            if step.up_to is None or prompt_tokens <= step.up_to:
                return step
        return self.steps[-1]

    def highest(self, prompt_tokens: int) -> Step:
        """The dearest rates that a prompt of at most this many tokens can meet."""
        met = [s for i, s in enumerate(self.steps) if i == 0 or prompt_tokens > (self.steps[i - 1].up_to or 0)]
        return Step(max(s.input for s in met), max(s.output for s in met))


def _flat(input_: float, output: float) -> Price:
    return Price((Step(input_, output),))


PRICES: Mapping[str, Price] = {
    "claude-sonnet-5-5": _flat(2.0, 10.0),
    "claude-haiku-5-5": Price((Step(0.10, 0.50, up_to=100_000), Step(0.50, 2.50))),
    "claude-opus-5-5": _flat(4.0, 20.0),
    "claude-fable-5-1": _flat(10.0, 50.0),
    "claude-haiku-4-5": _flat(1.0, 5.0),
}

_DATED = re.compile(r"-\d{8}$")


def price_of(model: str, overrides: Mapping[str, Price] | None = None) -> Price | None:
    """The price of `model`; a dated name (`claude-haiku-4-5-20251001`) is looked up without its date too."""
    for table in (overrides or {}, PRICES):
        for name in (model, _DATED.sub("", model)):
            if name in table:
                return table[name]
    return None


def cost(model: str, usage: Usage, overrides: Mapping[str, Price] | None = None) -> float | None:
    """US dollars for the usage of *one* turn; None when the price is unknown.

    Add costs, not usages, over turns: the step depends on the size of each prompt.
    """
    price = price_of(model, overrides)
    if price is None:
        return None
    step = price.step(usage.prompt)
    reading = (
        usage.input
        + usage.cache_read * CACHE_READ
        + usage.cache_write_5m * CACHE_WRITE_5M
        + usage.cache_write_1h * CACHE_WRITE_1H
    )
    return (reading * step.input + usage.output * step.output) / 1_000_000


def prices_of(listed: Iterable[ModelLimits]) -> dict[str, Price]:
    """Prices by model, of those that have one in the server's list."""
    return {each.id: Price((Step(*each.price),)) for each in listed if each.price is not None}


def prices_from(data: Mapping[str, Any]) -> dict[str, Price]:
    """Overrides from configuration: `{"name": {"input": 1.0, "output": 5.0}}`, or a list of such steps with `up_to`.

    Raises `UsageError` naming the model whose price makes no sense.
    """
    return {name: _price(name, value) for name, value in data.items()}


def _price(name: str, value: Any) -> Price:
    entries = value if isinstance(value, list) else [value]
    steps = []
    for entry in entries:
        if not isinstance(entry, Mapping) or set(entry) - {"input", "output", "up_to"}:
            raise UsageError(f"The price of {name!r} must have input and output, and up_to for a step.")
        numbers = [entry.get("input"), entry.get("output")]
        if not all(isinstance(n, (int, float)) and not isinstance(n, bool) and n >= 0 for n in numbers):
            raise UsageError(f"The price of {name!r} needs input and output in dollars per million tokens.")
        up_to = entry.get("up_to")
        if up_to is not None and (not isinstance(up_to, int) or up_to <= 0):
            raise UsageError(f"The price of {name!r} has an up_to that is no number of tokens.")
        steps.append(Step(float(entry["input"]), float(entry["output"]), up_to))
    steps.sort(key=lambda step: float("inf") if step.up_to is None else step.up_to)
    if not steps or steps[-1].up_to is not None or sum(step.up_to is None for step in steps) != 1:
        raise UsageError(f"The price of {name!r} needs exactly one step without up_to, for the largest prompts.")
    return Price(tuple(steps))
