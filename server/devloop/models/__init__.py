"""One turn with a model: Anthropic's API or any server that speaks it, and the scripted player; prices, limits, budget.

Importing this package loads neither `anthropic` nor its HTTP library nor pydantic's users: `AnthropicModel`,
`ScriptedModel` and the scenario functions are fetched on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devloop.later import later
from devloop.models.budget import Limits, Reservation, Spent, check, reservation
from devloop.models.capabilities import FULL, PLAIN, Capabilities, capabilities_of
from devloop.models.catalog import ModelLimits, limits_of, needs_fresh_conversation
from devloop.models.conversation import Turn, build_messages, invalid_input_result, reaction, tool_result
from devloop.models.failures import ModelFailure, wait_before_retry
from devloop.models.prices import cost, prices_from, prices_of
from devloop.models.tiers import TIERS, model_id
from devloop.models.turn import Model, Progress, Request, Response, Usage, invalid_tool_input

if TYPE_CHECKING:
    from devloop.models.anthropic_model import AnthropicModel, preload
    from devloop.models.scenario import load_scenario
    from devloop.models.scripted import ScriptedModel
else:
    __getattr__ = later(
        __name__,
        anthropic_model="AnthropicModel preload",
        scenario="load_scenario",
        scripted="ScriptedModel",
    )

__all__ = [
    "FULL",
    "PLAIN",
    "TIERS",
    "AnthropicModel",
    "Capabilities",
    "Limits",
    "Model",
    "ModelFailure",
    "ModelLimits",
    "Progress",
    "Request",
    "Reservation",
    "Response",
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
    "prices_from",
    "prices_of",
    "reaction",
    "reservation",
    "tool_result",
    "wait_before_retry",
]
