"""From stored turns to the messages of the next request, and from a stop reason to what must happen next. Pure.

The rules are those of model-api §6, §10 and §14: what the model said goes back as it was received; every tool call that
goes back is answered in the very next user message, results first; a call of a cut turn neither runs nor goes back;
no text block is blank. `build_messages` is total: whatever is stored, the request that comes out is a valid one.
Old turns never change: each request begins with the blocks of the one before, until the server summarises the
conversation (`compaction` block): from then on requests begin with that block, which stands for all before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from devloop.models.turn import invalid_tool_input

Block = dict[str, Any]

NOTE_CUT = (
    "Your last answer was cut off at the output limit. Its tool calls were not run. "
    "Go on in smaller steps: fewer and shorter tool calls per answer."
)
NOTE_CUT_DROPPED = (
    "Your last answer was cut off at the output limit before anything of it was complete, so nothing of it was kept. "
    "Go on in smaller steps: fewer and shorter tool calls per answer."
)
NOTE_EMPTY = "Your last answer was empty. Go on with the task; say so when it is finished."
NOTE_REFUSED = "Your last answer was withheld by the server and is not part of this conversation."
NOTE_GO_ON = "Go on."
DROPPED_NOTES = frozenset({NOTE_CUT_DROPPED, NOTE_EMPTY, NOTE_REFUSED})
"""Each of these stands for one answer that left no assistant message behind."""

NOT_RUN = "This call was not run: devloop was interrupted before it. Repeat it if it is still needed."
NO_OUTPUT = "(no output)"

MAX_RESENDS = 5
MAX_NUDGES = 1
MAX_CUTS = 3

ReactionKind = Literal[
    "run_tools",
    "finished",
    "continue_cut",
    "resend",
    "nudge",
    "refused",
    "fresh_conversation",
    "compacted",
    "stalled",
    "unknown",
]

STOP_REASONS: Mapping[str, ReactionKind] = {
    "end_turn": "finished",
    "stop_sequence": "finished",
    "tool_use": "run_tools",
    "max_tokens": "continue_cut",
    "pause_turn": "resend",
    "refusal": "refused",
    "model_context_window_exceeded": "fresh_conversation",
    "compaction": "compacted",
}

_CUT = frozenset({"max_tokens", "model_context_window_exceeded"})
_THINKING = frozenset({"thinking", "redacted_thinking"})
_SILENT = _THINKING | {"compaction"}


@dataclass(frozen=True)
class Reaction:
    """What the loop does after a turn. `calls` are the tool calls to run; `reason` is a sentence for people."""

    kind: ReactionKind
    calls: tuple[Block, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Turn:
    """One stored turn: the answer as received, the results of its calls, and what was said after them.

    `results` are blocks made by `tool_result`; `texts` are user texts that follow: a failed gate, a person's
    words, news.
    """

    content: Sequence[Mapping[str, Any]]
    stop_reason: str
    results: Sequence[Mapping[str, Any]] = ()
    texts: Sequence[str] = ()


def reaction(
    stop_reason: str,
    content: Sequence[Mapping[str, Any]],
    *,
    resent: int = 0,
    nudged: int = 0,
    cut: int = 0,
    stop_details: Mapping[str, Any] | None = None,
) -> Reaction:
    """What must happen after a turn that ended with `stop_reason` (model-api §10).

    `resent`, `nudged` and `cut` count how many turns in a row before this one led to `resend`, `nudge` and
    `continue_cut`; past their caps the reaction is `stalled` (or `finished` after a second empty answer).
    """
    kind = STOP_REASONS.get(stop_reason, "unknown")
    calls = tuple(dict(block) for block in content if block.get("type") == "tool_use")
    if kind == "unknown":
        return Reaction("unknown", reason=f"The model stopped for a reason devloop does not know: {stop_reason!r}.")
    if kind == "refused":
        return Reaction("refused", reason=_refusal(stop_details))
    if kind == "fresh_conversation":
        return Reaction(kind, reason="The conversation no longer fits into the model's context.")
    if kind == "compacted":
        return Reaction(kind, reason="The server has summarised the conversation.")
    if kind == "continue_cut":
        if cut >= MAX_CUTS:
            return Reaction("stalled", reason=f"The model's answer was cut off {cut + 1} times in a row.")
        return Reaction(kind, reason="The answer was cut off at the output limit; its tool calls were not run.")
    if calls:
        return Reaction("run_tools", calls)
    if kind == "run_tools":
        return Reaction("unknown", reason="The model stopped to use a tool but named none.")
    if kind == "resend":
        if resent >= MAX_RESENDS:
            return Reaction("stalled", reason=f"The model paused {resent + 1} times in a row.")
        return Reaction(kind, reason="The model paused; the conversation is sent again.")
    if not any(_says_something(block) for block in content) and nudged < MAX_NUDGES:
        return Reaction("nudge", reason="The model's answer was empty.")
    return Reaction("finished")


def _refusal(details: Mapping[str, Any] | None) -> str:
    category = details.get("category") if details else None
    explanation = details.get("explanation") if details else None
    text = "The model refused to go on" + (f" ({category})" if category else "")
    return f"{text}: {explanation}" if explanation else f"{text}."


def _says_something(block: Mapping[str, Any]) -> bool:
    return block.get("type") not in _SILENT and not _is_blank(block)


def _is_blank(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and not str(block.get("text") or "").strip()


def tool_result(call_id: str, content: str | Sequence[Mapping[str, Any]], *, is_error: bool = False) -> Block:
    """A result block that the API accepts: never blank, and encodable."""
    body: str | list[Block]
    if isinstance(content, str):
        body = encodable(content) if content.strip() else NO_OUTPUT
    else:
        body = [dict(block) for block in content if not _is_blank(block)] or NO_OUTPUT
    block: Block = {"type": "tool_result", "tool_use_id": call_id, "content": body}
    if is_error:
        block["is_error"] = True
    return block


def invalid_input_result(call: Mapping[str, Any]) -> Block | None:
    """The error result for a call whose input was no JSON object; None when the call is a proper one."""
    if invalid_tool_input(call) is None:
        return None
    text = "The input was not a valid JSON object, so the call was not run. Call the tool again with valid JSON."
    return tool_result(str(call.get("id")), text, is_error=True)


def encodable(text: str) -> str:
    """`text` with surrogate pairs joined and lone surrogates replaced, so that it can be sent as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def build_messages(opening: str | Sequence[str], turns: Iterable[Turn]) -> list[dict[str, Any]]:
    """Messages of the next request: the opening user message, then each turn's answer, results and texts."""
    texts = [opening] if isinstance(opening, str) else list(opening)
    messages: list[dict[str, Any]] = []
    _say(messages, [], texts)
    if not messages:
        _say(messages, [], [NOTE_GO_ON])
    used: set[str] = set()
    for turn in turns:
        _never_two_answers(messages)
        kept = sendable(turn.content, turn.stop_reason, used)
        if kept and _is_summary(kept[0]):
            messages = []
        if kept:
            messages.append({"role": "assistant", "content": kept})
        _say(messages, _results(kept, turn.results), [*_notes(turn, bool(kept)), *turn.texts])
        if turn.stop_reason == "pause_turn" and messages[-1]["role"] == "assistant":
            messages[-1] = _Paused(messages[-1])
    _never_two_answers(messages)
    return [dict(message) for message in messages]


class _Paused(dict[str, Any]):
    """An assistant message that ends a request: the server goes on where it paused."""


def _never_two_answers(messages: list[dict[str, Any]]) -> None:
    """A request must not end with an answer (that would be prefill), unless the server paused in it."""
    if messages[-1]["role"] == "assistant" and not isinstance(messages[-1], _Paused):
        _say(messages, [], [NOTE_GO_ON])


def sendable(content: Sequence[Mapping[str, Any]], stop_reason: str, used: set[str] | None = None) -> list[Block]:
    """The part of an answer that goes back with the next request; empty when nothing does.

    Whole, in order and unchanged, except: a refused answer is dropped; of a cut one the tool calls are dropped; blank
    text blocks are (the API would refuse them); an answer of nothing but thinking is. A call whose id was met before
    (`used`, which grows) is dropped too: ids must be unique in a conversation. What stands before the last summary is
    left out, because the server ignores it; so is a summary that failed, which means nothing.
    """
    used = set() if used is None else used
    if stop_reason == "refusal":
        return []
    cut = stop_reason in _CUT
    answered = {b.get("tool_use_id") for b in content}
    kept: list[Block] = []
    for block in content:
        kind = block.get("type")
        if _is_blank(block) or (cut and kind == "tool_use"):
            continue
        if kind == "compaction":
            if _is_summary(block):
                kept = [_without_nulls(block)]
            continue
        if cut and kind == "server_tool_use" and block.get("id") not in answered:
            continue
        if kind == "tool_use":
            if str(block.get("id")) in used:
                continue
            used.add(str(block.get("id")))
        kept.append(dict(block))
    while cut and kept and kept[-1].get("type") in _THINKING:
        kept.pop()
    return kept if any(_says_something(block) or _is_summary(block) for block in kept) else []


def _is_summary(block: Mapping[str, Any]) -> bool:
    """A compaction block that worked. One that failed has no content, and sent back empty it would be refused."""
    return block.get("type") == "compaction" and bool(str(block.get("content") or "").strip())


def _without_nulls(block: Mapping[str, Any]) -> Block:
    """The API sends optional keys of a summary as null and refuses them in a request (anthropic-sdk-python#1828)."""
    return {key: value for key, value in block.items() if value is not None}


def _notes(turn: Turn, kept: bool) -> list[str]:
    if turn.stop_reason in _CUT:
        return [NOTE_CUT if kept else NOTE_CUT_DROPPED]
    if turn.stop_reason == "refusal":
        return [NOTE_REFUSED]
    return [] if kept or turn.stop_reason == "compaction" else [NOTE_EMPTY]


def _results(kept: Sequence[Block], results: Sequence[Mapping[str, Any]]) -> list[Block]:
    """One result per call that goes back, in the order of the calls; a missing one says that the call was not run."""
    by_id = {str(result.get("tool_use_id")): dict(result) for result in results}
    return [
        by_id.get(str(call["id"])) or tool_result(str(call["id"]), NOT_RUN, is_error=True)
        for call in kept
        if call.get("type") == "tool_use"
    ]


def _say(messages: list[dict[str, Any]], results: Sequence[Block], texts: Sequence[str]) -> None:
    """Append user content; two user messages in a row become one, as the API itself would make of them."""
    blocks = [*results, *({"type": "text", "text": encodable(text)} for text in texts if text.strip())]
    if not blocks:
        return
    if messages and messages[-1]["role"] == "user":
        messages[-1]["content"].extend(blocks)
    else:
        messages.append({"role": "user", "content": blocks})
