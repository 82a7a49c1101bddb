"""A run's conversation as Markdown for people: what the model said and did, what it was told. Pure but for reading."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from devloop.redact import Redactor, cut, one_line, printable
from devloop.runs.transcript import Transcript

MAX_BLOCK = 4_000
"""Characters of one input or result that are shown; the files in the run's folder hold all."""
MAX_TEXT = 2_000_000

Row = Mapping[str, Any]


def markdown(run: Row, transcript: Transcript, redactor: Redactor, hooks: Sequence[Row] = ()) -> str:
    """The whole conversation, oldest first, redacted; cut at `MAX_TEXT` characters. `hooks`: what came of them."""
    text = "\n".join((*_lines(run, transcript), *_hooks(hooks)))
    text = printable(redactor.text(text))
    return cut(text, MAX_TEXT, "\n\n… cut here; the run's folder holds all of it.\n")


def _lines(run: Row, transcript: Transcript) -> Iterator[str]:
    yield f"# {one_line(run['id'])}: {one_line(run['task_id'], 60)} {one_line(run['title'])}\n"
    scripted = ", scripted" if run["scripted"] else ""
    yield f"Agent {one_line(run['agent'], 60)}, model {one_line(run['model'], 80)}{scripted}.\n"
    begins = {}
    number = 0
    while (segment := transcript.segment(number)) is not None:
        begins[segment.first_turn] = segment
        number += 1
    for turn in range(transcript.last_turn() + 1):
        if turn + 1 in begins:
            segment = begins[turn + 1]
            yield "## What the agent was told\n" if segment.number == 0 else "## A fresh conversation begins\n"
            if segment.carried:
                yield f"The conversation of {one_line(segment.carried, 80)} goes on.\n"
            yield _quoted(segment.opening)
        if turn:
            yield from _turn(turn, transcript)
        for said in transcript.words(turn):
            yield "### Then it was told\n"
            yield _quoted(said)


def _hooks(hooks: Sequence[Row]) -> Iterator[str]:
    """At the end, so that the conversation reads as it went."""
    if hooks:
        yield "## Hooks\n"
    for each in hooks:
        turn = f", turn {each['turn']}" if each.get("turn") else ""
        tool = f" {one_line(str(each['tool']), 40)}" if each.get("tool") else ""
        reason = f": {one_line(str(each['reason']), 400)}" if each.get("reason") else ""
        named = f"{one_line(str(each['hook']), 100)} at {one_line(str(each['event']), 30)}{tool}{turn}"
        yield f"- {named}: {one_line(str(each['result']), 20)}, {each['ms']} ms{reason}"


def _turn(number: int, transcript: Transcript) -> Iterator[str]:
    response, reply = transcript.response(number), transcript.reply(number)
    yield f"## Turn {number}\n"
    results = {str(each.get("tool_use_id")): each for each in (reply or {}).get("results", ())}
    for block in (response or {}).get("content", ()):
        if block.get("type") == "text" and str(block.get("text", "")).strip():
            yield f"{_unloaded(str(block['text']))}\n"
        elif block.get("type") == "tool_use":
            yield f"### {one_line(str(block.get('name')), 60)}\n"
            given = dict(block.get("input") or {})
            yield _fenced("\n".join(f"{key}: {_shown(value)}" for key, value in given.items()))
            result = results.get(str(block.get("id")))
            if result is not None:
                yield "Failed:\n" if result.get("is_error") else "Result:\n"
                yield _fenced(_shown(result.get("content")))


def _shown(value: Any) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(_texts(value))
    text = str(value)
    return cut(text, MAX_BLOCK, f"… ({len(text) - MAX_BLOCK} characters more)")


def _texts(blocks: Iterable[Any]) -> Iterator[str]:
    for block in blocks:
        yield _shown(block.get("text", "") if isinstance(block, Mapping) else block)


_LOADS = re.compile(
    r"!(?=\[)|<(?=(?:img|image|picture|source|video|audio|track|iframe|object|embed|link|script|style|svg|meta|base|form|input)\b)",
    re.IGNORECASE,
)


def _unloaded(text: str) -> str:
    """An agent's words without pictures and the like: a preview would fetch them, and an address can carry away what an
    agent without a network has read."""
    return _LOADS.sub(lambda found: f"\\{found[0]}", printable(text))


def _quoted(text: str) -> str:
    shown = _unloaded(_shown(text))
    return "".join(f"> {line}".rstrip() + "\n" for line in shown.splitlines())


def _fenced(text: str) -> str:
    """A code block that its content can't end: nor with hidden characters between its backticks, since
    these are dropped."""
    text, fence = printable(text), "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}\n"
