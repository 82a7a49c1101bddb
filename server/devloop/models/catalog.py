"""How much a model can read and write: a dated table, replaced by what the server's own list says once it was read.

Source: model-api §12, as of `AS_OF`. A model that nobody knows gets careful values and `known=False`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from devloop.models.listed_prices import price_in
from devloop.models.turn import Usage

AS_OF = date(2026, 11, 21)


@dataclass(frozen=True)
class ModelLimits:
    """`context` and `max_output` in tokens; `effort` is None when it is not known which values the model takes;
    `compacts`: the model is known to take the `compact_20260112` edit."""

    id: str
    context: int
    max_output: int
    known: bool = True
    effort: tuple[str, ...] | None = None
    compacts: bool = False
    price: tuple[float, float] | None = None
    """What the server's list says it costs: input and output, in US dollars per million tokens."""


_LARGE = (1_000_000, 128_000)
_TABLE: Mapping[str, ModelLimits] = {
    limits.id: limits
    for limits in (
        ModelLimits("claude-sonnet-5-5", *_LARGE, compacts=True),
        ModelLimits("claude-haiku-5-5", *_LARGE, compacts=True),
        ModelLimits("claude-opus-5-5", *_LARGE, compacts=True),
        ModelLimits("claude-fable-5-1", *_LARGE, compacts=True),
        ModelLimits("claude-fable-5-2", *_LARGE),
        ModelLimits("claude-haiku-4-5", 200_000, 64_000),
    )
}
EFFORTS = ("low", "medium", "high", "xhigh", "max")
UNKNOWN_CONTEXT = 200_000
UNKNOWN_OUTPUT = 32_000

_DATED = re.compile(r"-\d{8}$")


def limits_of(model: str, listed: Mapping[str, ModelLimits] | None = None) -> ModelLimits:
    """Limits of `model`: from the server's list, else from the table, else careful values."""
    for table in (listed or {}, _TABLE):
        for name in (model, _DATED.sub("", model)):
            if name in table:
                return table[name]
    return ModelLimits(model, UNKNOWN_CONTEXT, UNKNOWN_OUTPUT, known=False)


def from_listing(entries: Iterable[Mapping[str, Any]]) -> dict[str, ModelLimits]:
    """Limits from the `data` of `GET /v1/models`; an entry without size or price is left to the table."""
    found: dict[str, ModelLimits] = {}
    for entry in entries:
        name, context, output = entry.get("id"), entry.get("max_input_tokens"), entry.get("max_tokens")
        price = price_in(entry)
        if not isinstance(name, str):
            continue
        if not isinstance(context, int) or not isinstance(output, int):
            if price is not None:
                found[name] = replace(limits_of(name), id=name, price=price)
            continue
        found[name] = ModelLimits(
            name,
            context,
            output,
            effort=_effort(entry.get("capabilities")),
            compacts=_compacts(entry.get("capabilities")),
            price=price,
        )
    return found


def _compacts(capabilities: Any) -> bool:
    """`capabilities.context_management` holds one object per edit."""
    edits = capabilities.get("context_management") if isinstance(capabilities, Mapping) else None
    said = edits.get("compact_20260112") if isinstance(edits, Mapping) else None
    return isinstance(said, Mapping) and said.get("supported") is True


def _effort(capabilities: Any) -> tuple[str, ...] | None:
    """`capabilities.effort` holds `supported` and one object per level."""
    effort = capabilities.get("effort") if isinstance(capabilities, Mapping) else None
    if not isinstance(effort, Mapping):
        return None
    if not effort.get("supported"):
        return ()
    taken = {level for level, said in effort.items() if isinstance(said, Mapping) and said.get("supported")}
    return tuple(sorted(taken, key=lambda level: EFFORTS.index(level) if level in EFFORTS else len(EFFORTS)))


def needs_fresh_conversation(
    usage: Usage, model: str, *, fraction: float = 0.5, listed: Mapping[str, ModelLimits] | None = None
) -> bool:
    """Whether the last turn (its prompt and its answer: `Response.context`) fills `fraction` of the context or more."""
    return usage.total >= fraction * limits_of(model, listed).context
