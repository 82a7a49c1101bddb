"""One turn with a model: Anthropic's API or any server that speaks it, and the scripted player; prices, limits, budget.

Importing this package loads neither `anthropic` nor its HTTP library nor pydantic's users: `AnthropicModel`,
`ScriptedModel` and the scenario functions are fetched on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.models.budget import Exceeded, Limits, Reservation, Spent, check, reservation
from devloop.models.capabilities import FULL, PLAIN, Capabilities, capabilities_of
from devloop.models.catalog import ModelLimits, limits_of, needs_fresh_conversation
from devloop.models.conversation import Reaction, Turn, build_messages, invalid_input_result, reaction, tool_result
from devloop.models.failures import ModelFailure, wait_before_retry
from devloop.models.listed_prices import prices_of
from devloop.models.prices import Price, cost, price_of, prices_from
from devloop.models.tiers import TIERS, model_id
from devloop.models.turn import Model, Progress, Request, Response, Usage, invalid_tool_input

if TYPE_CHECKING:
    from devloop.models.anthropic_model import AnthropicModel, preload
    from devloop.models.scenario import Scenario, load_scenario
    from devloop.models.scripted import ScriptedModel

_LAZY = {
    "AnthropicModel": "anthropic_model",
    "preload": "anthropic_model",
    "Scenario": "scenario",
    "load_scenario": "scenario",
    "ScriptedModel": "scripted",
}

__all__ = [
    "FULL",
    "PLAIN",
    "TIERS",
    "AnthropicModel",
    "Capabilities",
    "Exceeded",
    "Limits",
    "Model",
    "ModelFailure",
    "ModelLimits",
    "Price",
    "Progress",
    "Reaction",
    "Request",
    "Reservation",
    "Response",
    "Scenario",
    "ScriptedModel",
    "Spent",
    "Turn",
    "Usage",
    "build_messages",
    "capabilities_of",
    "check",
    "cost",
    "invalid_input_result",
    "invalid_tool_input",
    "limits_of",
    "load_scenario",
    "model_id",
    "needs_fresh_conversation",
    "preload",
    "price_of",
    "prices_from",
    "prices_of",
    "reaction",
    "reservation",
    "tool_result",
    "wait_before_retry",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
