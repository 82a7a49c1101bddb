"""Conversations that the server holds (model-api §5, rule 25). Off unless a test switches them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from double.refusal import Refusal

_FIXED = ("model", "system", "tools")


@dataclass
class Held:
    body: dict[str, Any]
    continued: bool = False
    in_flight: bool = False


class Threads:
    def __init__(self) -> None:
        self._held: dict[str, Held] = {}

    def expand(self, body: dict[str, Any]) -> dict[str, Any]:
        """The whole request that a threaded one stands for."""
        thread = body["thread"]
        rest = {key: value for key, value in body.items() if key != "thread"}
        if not isinstance(thread, dict) or thread.get("type") not in ("create", "continue"):
            raise Refusal("thread.type: Input should be 'continue', 'create'", rule=25)
        if "compaction" in body:
            raise Refusal("thread: can't be combined with compaction", rule=25, error_code="thread_unsupported_request")
        if thread["type"] == "create":
            return rest
        held = self._held.get(str(thread.get("previous_message_id")))
        if held is None:
            raise Refusal("No usable thread was found.", "not_found_error", rule=25, error_code="thread_not_found")
        if held.in_flight:
            raise Refusal("Another request continues it.", rule=25, error_code="thread_continue_in_flight")
        if held.continued:
            raise Refusal("It was continued already.", rule=25, error_code="thread_already_continued")
        differing = [key for key in _FIXED if key in rest and rest[key] != held.body.get(key)]
        if differing:
            raise Refusal(
                f"These fields differ: {', '.join(differing)}.", rule=25, error_code="thread_fingerprint_mismatch"
            )
        messages = [*held.body["messages"], *(rest.get("messages") or [])]
        return {**held.body, **rest, "messages": messages}

    def begin(self, thread: dict[str, Any]) -> None:
        held = self._held.get(str(thread.get("previous_message_id")))
        if held is not None:
            held.in_flight = True

    def end(self, thread: dict[str, Any], body: dict[str, Any], message: dict[str, Any] | None) -> None:
        """`message` None: the answer did not get through, so the thread may be continued again."""
        held = self._held.get(str(thread.get("previous_message_id")))
        if held is not None:
            held.in_flight = False
            held.continued = message is not None
        if message is not None:
            answer = {"role": "assistant", "content": message["content"]}
            self._held[message["id"]] = Held({**body, "messages": [*body["messages"], answer]})
