"""A run's conversation as data for a page that shows it: turns, tools, gate rounds, what people decided.

Read from the transcript's files; when things happened, and what gates and people said, from the stored events.
Everything is redacted, printable and bounded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from devloop import tools
from devloop.redact import cut, one_line, printable, tail
from devloop.runs.services import Services
from devloop.runs.transcript import Transcript

MAX_RESULT = 4_000
"""Characters that are shown of one result, or of other foreign words: the beginning and the end."""
MAX_TEXT = 40_000
"""Characters that are shown of what the model says in one turn."""
MAX_PAGE = 1_500_000
"""Characters of an answer's turns, about; what follows is asked for with `after`."""
_KINDS = (
    *("turn.started", "turn.ended", "tool.started", "tool.ended"),
    *("gate.started", "gate.ended", "checkpoint.closed"),
)

Row = Mapping[str, Any]
Answer = dict[str, Any]


def conversation(services: Services, row: Row, after: int = 0) -> Answer:
    """The run's turns after turn `after` and everything around them; ARCHITECTURE.md ("Conversation") has the shape.

    A turn whose answer has come while its tools still work has `ended: null`; ask again from the turn before it.
    """
    run = str(row["id"])
    transcript = Transcript(services.folder(run), services.redactor)
    heard = _heard(services.store.events_of(run, _KINDS))
    records = {turn["number"]: turn for turn in services.store.turns(run)}
    shown = _Shown(services)
    openings = [*_openings(shown, transcript)]
    turns: list[Answer] = []
    wanted = [number for number in transcript.answered() if number > after]
    size = 0
    for number in wanted:
        if (response := transcript.response(number)) is None or size > MAX_PAGE:
            break
        turns.append(_turn(shown, number, response, transcript, heard, records.get(number)))
        size += len(json.dumps(turns[-1]))
    if turns and turns[-1]["number"] == wanted[-1] and openings[-1]["turn"] <= wanted[-1]:
        turns[-1]["ended"] = turns[-1]["ended"] if transcript.reply(wanted[-1]) is not None else None
    return {
        "run": run,
        "turns": turns,
        "more": len(turns) < len(wanted),
        "openings": openings,
        "messages": list(heard.messages.values()),
        "gates": heard.rounds,
    }


class _Shown:
    """How foreign text is told: without secrets, without what a screen would act on, and not without end."""

    def __init__(self, services: Services) -> None:
        self.redact = services.redactor.text

    def text(self, text: str, limit: int = MAX_RESULT) -> str:
        return bounded(printable(self.redact(text)), limit)

    def argument(self, block: Row) -> str:
        given = block.get("input")
        call = tools.ToolCall(str(block.get("id")), str(block.get("name")), given if isinstance(given, Mapping) else {})
        return tools.argument(call, self.redact)


def bounded(text: str, limit: int) -> str:
    """At most about `limit` characters: three quarters from the beginning, the rest from the end, and what is missing
    said between them."""
    if len(text) <= limit:
        return text
    head = limit * 3 // 4
    left = f"… {len(text) - limit:,} characters are left out here …"
    return f"{cut(text, head, '')}\n{left}\n{tail(text, limit - head, '')}"


def _turn(
    shown: _Shown, number: int, response: Row, transcript: Transcript, heard: _Heard, record: Row | None
) -> Answer:
    reply = transcript.reply(number)
    words = transcript.words(number)
    content = [block for block in response.get("content", ()) if isinstance(block, Mapping)]
    answered = _results(reply, words)
    usage = ("input", "output", "cache_read", "cache_write")
    return {
        "number": number,
        "started": heard.began.get(number),
        "ended": heard.ended.get(number) or (record["at"] if record else None),
        "model": str(response.get("model") or ""),
        "text": shown.text("\n\n".join(_texts(content, "text")), MAX_TEXT),
        "thinking": shown.text("\n\n".join(_texts(content, "thinking")), MAX_TEXT),
        "tools": [_tool(shown, number, block, answered, heard) for block in content if block.get("type") == "tool_use"],
        "told": [] if reply is None or reply["pending"] else [shown.text(each) for each in words],
        "usage": {name: record[name] for name in usage} if record else None,
        "cost_usd": record["cost_usd"] if record else None,
        "stop_reason": response.get("stop_reason"),
        "outcome": None if reply is None else str(reply["outcome"]["outcome"]),
    }


def _results(reply: Row | None, words: Sequence[str]) -> dict[str, tuple[str | None, bool | None]]:
    """What came of each call, by its id: the text and whether it went well; None while that is open."""
    if reply is None:
        return {}
    found: dict[str, tuple[str | None, bool | None]] = {}
    for result in reply["results"]:
        content = result.get("content")
        text = content if isinstance(content, str) else "\n".join(_texts(content or (), "text"))
        found[str(result.get("tool_use_id"))] = (text, not result.get("is_error"))
    said = reply.get("allowed") or "\n\n".join(words)
    done = reply["outcome"]["outcome"] == "finished"
    for call in reply["pending"]:
        found[str(call)] = (said or None, True if said or done else None)
    return found


def _tool(
    shown: _Shown, turn: int, block: Row, answered: Mapping[str, tuple[str | None, bool | None]], heard: _Heard
) -> Answer:
    key = (turn, str(block.get("id")))
    text, went_well = answered.get(key[1], (None, heard.tool_ok.get(key)))
    return {
        "id": key[1],
        "name": one_line(str(block.get("name")), 60),
        "argument": shown.argument(block),
        "result": None if text is None else shown.text(text),
        "ok": went_well,
        "ms": heard.tool_ms.get(key),
    }


def _texts(blocks: Iterable[Any], kind: str) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Mapping) and block.get("type") == kind and str(block.get(kind) or "").strip():
            yield str(block[kind])


def _openings(shown: _Shown, transcript: Transcript) -> Iterator[Answer]:
    """How each conversation of the run began: the first one with the task, others with a hand-off."""
    number = 0
    while (segment := transcript.segment(number)) is not None:
        yield {"turn": segment.first_turn, "text": shown.text(segment.opening), "carried": segment.carried}
        number += 1


# What the events say


@dataclass
class _Heard:
    """Times are Unix seconds; tools by turn and id. A step that was begun again after a crash is told twice: what came
    last counts, but a turn began when it first did."""

    began: dict[int, float] = field(default_factory=dict)
    ended: dict[int, float] = field(default_factory=dict)
    tool_began: dict[tuple[int, str], float] = field(default_factory=dict)
    tool_ms: dict[tuple[int, str], int] = field(default_factory=dict)
    tool_ok: dict[tuple[int, str], bool] = field(default_factory=dict)
    rounds: list[Answer] = field(default_factory=list)
    messages: dict[int, Answer] = field(default_factory=dict)


def _heard(events: Iterable[Row]) -> _Heard:
    heard, turn = _Heard(), 0
    for event in events:
        data, at = event["data"], float(event["at"])
        key = (int(data.get("turn") or 0), str(data.get("id") or ""))
        match event["kind"]:
            case "turn.started":
                turn = key[0]
                heard.began.setdefault(turn, at)
            case "turn.ended":
                heard.ended[key[0]] = at
            case "tool.started":
                heard.tool_began[key] = at
            case "tool.ended":
                heard.tool_ok[key] = not data.get("is_error")
                if key in heard.tool_began:
                    heard.tool_ms[key] = round((at - heard.tool_began[key]) * 1000)
            case "gate.started":
                _gate(heard, turn, data)
            case "gate.ended":
                _verdict(heard, turn, data)
            case "checkpoint.closed" if data.get("decision") != "expire":
                number = int(data.get("number") or 0)
                heard.messages[number] = {
                    "turn": turn,
                    "at": at,
                    "checkpoint": number,
                    "decision": data.get("decision"),
                    "text": bounded(printable(str(data.get("message") or "")), MAX_RESULT),
                    "leave_out": data.get("leave_out") or [],
                }
    return heard


def _gate(heard: _Heard, turn: int, data: Row) -> None:
    """A gate on another commit, or one that has its verdict already, begins a new round."""
    name, commit = str(data.get("gate")), data.get("commit")
    last = heard.rounds[-1] if heard.rounds else None
    known = next((each for each in last["results"] if each["gate"] == name), None) if last else None
    if last is None or last["commit"] != commit or (known is not None and known["verdict"] is not None):
        number = len(heard.rounds) + 1
        last, known = {"number": number, "turn": turn, "commit": commit, "of": data.get("of"), "results": []}, None
        heard.rounds.append(last)
    if known is None:
        empty = {"verdict": None, "reason": "", "required": None, "counts": None, "duration_s": None}
        last["results"].append({"gate": name, **empty})


def _verdict(heard: _Heard, turn: int, data: Row) -> None:
    """What never began is a look of devloop's own, as for secrets: it belongs to the round of its commit."""
    begun = heard.rounds[-1]["results"] if heard.rounds else []
    if not any(each["gate"] == data.get("gate") and each["verdict"] is None for each in begun):
        _gate(heard, turn, data)
    for each in heard.rounds[-1]["results"]:
        if each["gate"] == data.get("gate"):
            each.update({name: data.get(name) for name in each if name != "gate"})
