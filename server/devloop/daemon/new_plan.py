"""A plan where there is none yet: the templates, and what `devloop init` does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from devloop import beginning
from devloop.errors import UsageError

Answer = dict[str, Any]


async def templates(root: Path) -> Answer:
    """`{"templates": [{"name", "title", "text"}]}`; `text` is the plan as it would be written today."""
    return {"templates": await asyncio.to_thread(_templates, root)}


def _templates(root: Path) -> list[Answer]:
    return [
        {"name": name, "title": title, "text": beginning.plan_text(name, root.name, _today())}
        for name, title in beginning.titles().items()
    ]


async def init(root: Path, params: Mapping[str, Any]) -> Answer:
    """Write the plan from a template, and the block in `.gitignore`: `{"plan", "created", "git"}`. Overwrites nothing.

    Raises `NotFound` for a template that does not exist, `StorageError` for a place that can't be written.
    """
    template = params.get("template") or beginning.DEFAULT_TEMPLATE
    if not isinstance(template, str):
        raise UsageError("`template` must be the name of a template.")
    return await asyncio.to_thread(_init, root, template)


def _init(root: Path, template: str) -> Answer:
    text = beginning.plan_text(template, root.name, _today())
    created = [beginning.PLAN] if beginning.write_plan(root, text) else []
    git = (root / ".git").exists()
    if beginning.ignore(root):
        created.append(".gitignore")
    return {"plan": beginning.PLAN, "created": created, "git": git}


def _today() -> date:
    return date.today()  # noqa: DTZ011 - the person's own date
