"""Prices in a server's list of models, in the shapes that are documented; US dollars per million tokens.

Anthropic's list has none (model-api §12). Servers that pass requests on to several models say theirs: per token as text
(`pricing: {"prompt": "0.000003", "completion": …}` or `{"input": "0.000003", "output": …}`), per token as numbers
(`input_cost_per_token`), or per million as numbers (`pricing: {"input": 3.0, "output": 15.0}`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MILLION: Final = 1_000_000
HIGHEST: Final = 10_000.0
"""No million tokens cost more; a larger figure is of another unit."""


def price_in(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """Input and output of one entry; None where it says nothing, or nothing that can be a price."""
    pricing = entry.get("pricing")
    told = pricing if isinstance(pricing, Mapping) else {}
    for names in (("prompt", "completion"), ("input", "output")):
        found = [_dollars(told.get(name)) for name in names]
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
    per_token = [_number(entry.get(f"{name}_cost_per_token"), MILLION) for name in ("input", "output")]
    if per_token[0] is not None and per_token[1] is not None:
        return per_token[0], per_token[1]
    return None


def _dollars(value: Any) -> float | None:
    """Text is per token, a number per million."""
    if isinstance(value, str):
        try:
            return _number(float(value), MILLION)
        except ValueError:
            return None
    return _number(value, 1)


def _number(value: Any, times: int) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    found = round(value * times, 9)
    return found if 0 <= found <= HIGHEST else None
