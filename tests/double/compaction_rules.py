"""Compaction by the `compact_20260112` edit: the request's field (rule 27) and the summaries that come back.

The real API ignores everything before the last summary with content; a client may leave it out or not. The double's
summaries are signed, so that one that comes back changed is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from devloop.models.scenario import Place, place_of
from double import shapes
from double.catalogue import KnownModel
from double.conversation_rules import is_summary
from double.flat import as_blocks
from double.refusal import Refusal
from double.shapes import a_list, an_object, no_extras, one_of, require
from double.signing import verify_summary


def check_context_management(body: dict[str, Any], model: KnownModel, betas: frozenset[str]) -> None:
    """Rule 27 once more: each edit needs the beta of its own."""
    config = body.get("context_management")
    if config is None:
        return
    no_extras(an_object(config, "context_management"), ("edits",), "context_management")
    for i, edit in enumerate(a_list(config.get("edits", []), "context_management.edits")):
        place = f"context_management.edits.{i}"
        require(an_object(edit, place), ("type",), place)
        one_of(edit["type"], shapes.EDITS, f"{place}.type", rule=7)
        beta, keys = shapes.EDITS[edit["type"]]
        if beta not in betas:
            raise Refusal(f"{place}: '{edit['type']}' needs the anthropic-beta header {beta}", rule=27)
        no_extras(edit, keys, place)
        if edit["type"] == "compact_20260112":
            _compact_edit(edit, model, place)


def _compact_edit(edit: dict[str, Any], model: KnownModel, place: str) -> None:
    if not model.compacts:
        raise Refusal(f"{place}: 'compact_20260112' is not supported by {model.id}", rule=27)
    if not isinstance(edit.get("pause_after_compaction", False), bool):
        raise Refusal(f"{place}.pause_after_compaction: Input should be a valid boolean", rule=4)
    if not isinstance(edit.get("instructions", ""), str | None):
        raise Refusal(f"{place}.instructions: Input should be a valid string", rule=4)
    trigger = edit.get("trigger")
    if trigger is None:
        return
    place = f"{place}.trigger"
    require(an_object(trigger, place), ("type", "value"), place)
    no_extras(trigger, ("type", "value"), place)
    one_of(trigger["type"], ("input_tokens",), f"{place}.type", rule=7)
    value = trigger["value"]
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(f"{place}.value: Input should be a valid integer", rule=4)
    if value < shapes.LEAST_TRIGGER:
        raise Refusal(f"{place}.value: Input should be greater than or equal to {shapes.LEAST_TRIGGER}", rule=6)


def compact_edit(body: dict[str, Any]) -> dict[str, Any] | None:
    """The edit by which a request allows the server to compact."""
    edits = (body.get("context_management") or {}).get("edits", [])
    return next((edit for edit in edits if edit["type"] == "compact_20260112"), None)


def check_summaries(body: dict[str, Any]) -> None:
    for m, message in enumerate(body["messages"]):
        for i, block in enumerate(as_blocks(message["content"])):
            if is_summary(block):
                verify_summary(block, f"messages.{m}.content.{i}")


def sent_back(block: dict[str, Any]) -> dict[str, Any]:
    """A block of an answer as it has to come back: a summary without its null keys."""
    if block["type"] != "compaction":
        return block
    return {key: value for key, value in block.items() if value is not None}


def place_after(messages: list[dict[str, Any]]) -> Place:
    """`place_of`, also for a conversation of which only the last summary and what follows it is left."""
    summaries = [
        (m, block) for m, message in enumerate(messages) for block in as_blocks(message["content"]) if is_summary(block)
    ]
    if not summaries:
        return place_of(messages)
    begin, block = summaries[-1]
    then = verify_summary(block, "")
    lines = [f"Task: {then.task}"] if then.task else []
    opening = "\n".join([*lines, f"Attempt: {then.attempt}", f"Conversation: {then.conversation}"])
    now = place_of([{"role": "user", "content": opening}, *messages[begin:]])
    if (now.task, now.attempt) != (then.task, then.attempt):
        return now
    return replace(now, index=then.index + now.index)
