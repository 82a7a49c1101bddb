"""Events of runs, as an engine would tell them, for tests that show runs without having any."""

from __future__ import annotations

from devloop import plan as plans
from devloop.errors import Unavailable

RUN = {
    "agent": "engineer",
    "mode": "default",
    "model": "m",
    "attempt": 1,
    "loop": None,
    "turn_limit": 60,
    "cost_usd": 0.0,
    "tokens": {},
    "scripted": True,
}


def tell(service, kind, run, /, **data):
    """One event. The daemon does with it what it does with an engine's."""
    service.publish({"seq": None, "at": 1_000_000.0, "run": run, "kind": kind, "data": data})


def queued(service, run="run-1", task="1.2", title="Second thing", **data):
    key = plans.title_key(title)
    tell(service, "run.queued", run, task=task, key=key, title=title, **{**RUN, **data})


def working(service, run="run-1", turn=3):
    tell(service, "run.state", run, state="working", started=1_000_000.0)
    tell(service, "turn.started", run, turn=turn)


def waiting(service, run="run-1", **checkpoint):
    content = {
        "number": 1,
        "kind": "decision",
        "summary": "Did it.",
        "decisions": ["continue", "commit", "fresh", "stop", "revise", "discard"],
        "diff": {"files": 2, "added": 3, "deleted": 1, "list": []},
        "gates": [],
        "question": None,
        "problem": None,
        "cost_usd": 0.25,
        "tokens": {"input": 900, "output": 100, "cache_read": 0, "cache_write": 0},
        "turns": 3,
        "notices": [],
    }
    tell(service, "checkpoint.opened", run, **{**content, **checkpoint})


def ended(service, run="run-1", outcome="landed", **data):
    tell(service, "run.ended", run, outcome=outcome, ended=1_000_060.0, **data)


def answering(service, **answers):
    """Let the service's engine (see `NoEngine`) be one that runs and answers: `start={…}` for `engine/start`."""

    def silent(params):
        raise Unavailable("This engine says nothing of that.")

    service.engine.state = "running"
    names = ("status", "show", "diff", "transcript", "events", "budget", "decide", "cancel", "start")
    service.engine.answers.update({f"engine/{name}": silent for name in names})
    service.engine.answers["engine/runs"] = {"runs": []}
    service.engine.answers.update({f"engine/{name}": answer for name, answer in answers.items()})
