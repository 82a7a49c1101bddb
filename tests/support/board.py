"""Rows and events of runs, and a board that took them."""

from __future__ import annotations

from devloop import plan as plans
from devloop.daemon.board import Board
from devloop.errors import Unavailable

ZERO = {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0}
CHECKPOINT = {
    "number": 1,
    "kind": "decision",
    "summary": "Did it.",
    "decisions": ["continue", "discard"],
    "question": None,
    "problem": None,
    "notices": ["a note"],
    "turns": 1,
}


def row(run="run-1-1", **values):
    plain = {
        "id": run,
        "task": "1",
        "key": plans.title_key("Do it"),
        "title": "Do it",
        "agent": "engineer",
        "mode": None,
        "model": "m",
        "scripted": False,
        "state": "queued",
        "outcome": None,
        "reason": None,
        "turn": 0,
        "turn_limit": 60,
        "waiting_for": None,
        "cost_usd": 0.0,
        "tokens": dict(ZERO),
        "attempt": 1,
        "loop": "loop-1",
        "started": None,
        "ended": None,
        "branch": None,
        "commit": None,
        "checkpoint": None,
    }
    return {**plain, **values}


def event(kind, run="run-1-1", /, **data):
    return {"seq": None, "at": 1000.0, "run": run, "kind": kind, "data": data}


async def nobody(method, params):
    raise Unavailable("There is no engine.")


async def board_after(*events, ask=nobody):
    board = Board(ask)
    for each in events:
        board.take(each)
    return board


BEGUN = (event("run.queued", **row()), event("run.state", state="preparing", waiting_for=None, started=5.0))
