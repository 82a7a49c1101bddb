"""Where a loop asks, and what `devloop/continue` asks before it begins one: the parameters of it that are choices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from devloop.errors import UsageError
from devloop.redact import one_line

Answer = dict[str, Any]

WHEN = {"each": "each-task", "phase": "phase-end", "failure": "on-failure"}
"""The words of the command line for the settings'."""
MAX_EVERY = 1000


def stop_at(params: Mapping[str, Any]) -> Answer | None:
    """`{"when", "every"}` from `each`, `phase`, `failure` or a number of tasks; None: as the settings say. Raises
    `UsageError`."""
    given = params.get("stop_at")
    if given is None:
        return None
    if isinstance(given, str) and given.strip().lower() in {*WHEN, *WHEN.values()}:
        word = given.strip().lower()
        return {"when": WHEN.get(word, word)}
    number = int(given) if isinstance(given, str) and re.fullmatch(r"\s*[0-9]{1,6}\s*", given) else given
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_EVERY:
        raise UsageError(
            f"{one_line(str(given), 40)!r} is no place to stop at.",
            hint="Use each, phase, failure, or a number of tasks.",
        )
    return {"when": "every", "every": number}


def parallel(params: Mapping[str, Any], setting: Literal[True, False, "ask"], decide: str | None) -> bool | None:
    """Whether tasks of a group begin at once; None: the client has to ask a person first. Raises `UsageError`."""
    given = params.get("parallel")
    if given is not None and not isinstance(given, bool):
        raise UsageError("`parallel` must be true, false or null.")
    if given is not None:
        return given
    if setting == "ask":
        return True if decide else None if params.get("asks") else False
    return setting


def about_group(task: Mapping[str, Any], beside: Sequence[Mapping[str, Any]]) -> Answer:
    """What is answered instead of a run: a question about tasks that could begin at once."""
    tasks = [{"id": each["id"], "title": each.get("title", "")} for each in (task, *beside)]
    names = ", ".join(one_line(str(each["id"]), 40) for each in tasks)
    return {
        "state": "ask_parallel",
        "run": None,
        "loop": None,
        "group": task.get("group"),
        "tasks": tasks,
        "message": f"Tasks {names} of group {one_line(str(task.get('group')), 40)} can begin at once.",
    }


def group_of(run: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The open runs that are done at the same time as this one, it too; in the order in which they were begun."""
    group = (run.get("group") or {}).get("id")
    found = [each for each in runs if group and (each.get("group") or {}).get("id") == group]
    return [str(each["id"]) for each in sorted(found, key=lambda each: each.get("loop_done") or 0)] or [str(run["id"])]
