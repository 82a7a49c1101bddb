"""What the plan has changed so far, for agents that judge or word it as a whole: they see the tree, but no git."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

from devloop.lists import rows
from devloop.redact import file_name, printable
from devloop.runs import paths_told
from devloop.runs.services import Services
from devloop.runs.spec import PlanSpec, RunSpec

RESULTS: Final = frozenset({"review", "security", "readiness", "done-check", "git", "summary"})
"""Results that are about the change, not about the tree."""
PATCH: Final = 40_000
"""Characters of the patch that a conversation begins with: about 10,000 tokens."""
FILES: Final = 100
LOOKED_AT: Final = 1_000


async def told(services: Services, spec: RunSpec) -> str:
    """From where the plan's first accepted task began to where this run begins; "" where that is nothing, or where the
    agent's result is about something else."""
    shape = spec.profile.result if spec.profile is not None else None
    row = services.store.run(spec.id)
    judges = isinstance(shape, str) and shape in RESULTS  # a shape that a project describes is none of them
    if spec.task.errand is not None or not judges or row is None or row["base"] is None:
        return ""
    first = await asyncio.to_thread(_first, services, spec)
    if first is None or first == row["base"]:
        return ""
    found = await services.workspace.diff(first, row["base"], limit=PATCH)
    files = [file for file in found.files if file.path != spec.plan.path]  # its ticks are no work
    if not files:
        return ""
    told = paths_told.Names(services, spec.id)
    listed = rows(
        files, FILES, lambda file: f"{file_name(told(file.path))} (+{file.added} −{file.deleted}) {file.status}"
    )
    parts = re.split(r"^(?=diff --git )", found.patch, flags=re.MULTILINE)
    patch = "".join(part for part in parts if not part.startswith(f"diff --git a/{spec.plan.path} "))
    cut = "The patch is cut here; the files hold all of it." if found.truncated else ""
    head = f"What this plan has changed so far ({len(files)} files), as data:"
    text = "\n".join([head, *(f"- {each}" for each in listed), patch, cut])
    return printable(services.redactor.text(text)).strip()


def _first(services: Services, spec: RunSpec) -> str | None:
    """The commit that the plan's first accepted work began at."""
    base = None
    for row in services.store.find_runs(limit=LOOKED_AT):  # newest first
        if row["outcome"] in ("accepted", "landed") and row["base"] and row["commit_id"] and _same_plan(row, spec):
            base = str(row["base"])
    return base


def _same_plan(row: Mapping[str, Any], spec: RunSpec) -> bool:
    """Looked at in hundreds of records, so only what is asked for is read."""
    if row["spec"]["task"].get("errand") is not None:
        return False
    other = PlanSpec.model_validate(row["spec"].get("plan") or {})
    return (other.path, other.name) == (spec.plan.path, spec.plan.name)
