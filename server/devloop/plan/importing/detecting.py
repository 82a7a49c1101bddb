"""Which kind of file a text is (plan-format §21)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devloop.plan.build import parse
from devloop.plan.importing import prd, task_master
from devloop.plan.importing.bullets import plain_bullets
from devloop.plan.importing.model import MAX_CHARS
from devloop.plan.model import Plan
from devloop.plan.refactor.convert import is_kiro, is_spec_kit
from devloop.plan.refactor.headings import convertible


def detect(name: str, text: str) -> str:
    """One of `KINDS`; empty for a text that is no list of tasks at all. `name`: the file's path; its end counts."""
    if len(text) > MAX_CHARS:
        return ""
    if name.lower().endswith(".json") or text.lstrip("\ufeff \t\r\n")[:1] in ("{", "["):
        return of_json(name, text)
    return of_plan(parse(text))


def of_json(name: str, text: str) -> str:
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return "" if name.lower().endswith(".json") else of_plan(parse(text))
    return of_value(value)


def of_value(value: Any) -> str:
    if isinstance(value, Mapping):
        if any(key in value for key in prd.STORIES):
            return "prd"
        if isinstance(value.get("tasks"), list) and isinstance(value.get("phases"), list):
            return "devloop-json"
    return "task-master" if task_master.lists(value) and not _plain_list(value) else ""


def _plain_list(value: Any) -> bool:
    """A list of anything but tasks."""
    return isinstance(value, list) and not all(isinstance(each, Mapping) and "title" in each for each in value)


def of_plan(plan: Plan) -> str:
    spec = sum(is_spec_kit(task) for task in plan.tasks)
    numbered = sum(is_kiro(task) for task in plan.tasks)
    own = sum(task.explicit and task.phase is not None for task in plan.tasks) - spec
    headings = len(convertible(plan))
    if spec and spec >= own:
        return "spec-kit"
    if numbered and numbered > own:
        return "kiro"
    if headings and headings > own:
        return "headings"
    if plan.tasks:
        return "plan"
    return "bullets" if plain_bullets(plan) else ""
