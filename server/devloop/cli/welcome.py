"""`devloop` without a command: where things stand, and what to do next. Needs no daemon; starts none."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from devloop.cli import output, statusline
from devloop.cli.output import safe
from devloop.daemon import situating
from devloop.paths import find_root


def main(given: dict[str, str]) -> int | None:
    """Print the view: 0; None where there is no project, so that help is shown. `given`: `--root`, `--json`."""
    named = given.get("--root")
    root = Path(named).resolve() if named else find_root(Path.cwd())
    if not (root / ".devloop").is_dir() and not (root / ".git").exists():
        return None
    plan = os.environ.get("DEVLOOP_PLAN_PATH")
    found, facts = asyncio.run(situating.look(root, plan=Path(plan) if plan else None))
    runs = _runs(root)
    if "--json" in given:
        waiting = [run for run in runs if run["needs_person"]]
        output.print_json({"root": str(root), "situation": found.to_json(), "runs": runs, "waiting": len(waiting)})
        return 0
    out = output.console()
    out.print(f"[bold]devloop[/] in {safe(root.name, 80)}")
    for run in runs:
        answer = f"devloop decide {safe(run['id'], 60)}"
        told = f"[yellow]waits for you[/]: {answer}" if run["needs_person"] else safe(run["doing"] or "works", 60)
        out.print(f"  {safe(run['id'], 60)} {told}")
    known = facts.plan
    told = f"{known.name or known.path}: {known.done} of {known.total} tasks done." if runs and known else found.text
    out.print(safe(told, 400))
    options = _about(runs) + [(each.command, each.text) for each in found.options if not runs]
    width = max(len(command) for command, _ in options)
    for command, text in options:
        out.print(f"  [cyan]{safe(command):<{width}}[/]  {safe(text)}")
    out.print("[dim]devloop --help lists every command.[/]")
    return 0


def _about(runs: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What to do while runs are open: they come first, and nothing else is begun over them unasked."""
    if not runs:
        return []
    if waiting := [run for run in runs if run["needs_person"]]:
        one = len(waiting) == 1
        first = (
            "devloop decide" if one else "devloop status",
            "decide" if one else "see which runs wait, and for what",
        )
        return [first, ("devloop diff", "look at the work that waits"), ("devloop show", "how it came about")]
    planned = any(not str(run["task"]).startswith("@") for run in runs)
    follow = ("devloop continue", "follow it") if planned else ("devloop log -f", "follow it")
    return [follow, ("devloop status", "what it does and costs"), ("devloop cancel RUN", "end it at once")]


def _runs(root: Path) -> list[dict[str, Any]]:
    """What the daemon's glance says of open runs; nothing without a daemon."""
    try:
        found = statusline.look(os.path.realpath(root))["runs"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    kept = ("id", "task", "doing", "needs_person")
    return [{name: run.get(name) for name in kept} for run in found[:20] if isinstance(run.get("id"), str)]
