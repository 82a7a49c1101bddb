"""Hooks in real runs, with the real sandbox: every event in order, and what refusals change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.engines import engine, trust_everything, work
from support.projects import commit_all

RECORD = """import json, sys, os
told = json.load(sys.stdin)
place = os.path.join(os.environ["CLAUDE_PROJECT_DIR"], "seen.jsonl")
"""
NAMES = (
    *("SessionStart", "PreToolUse", "PostToolUse", "Stop", "SubagentStop", "PreCommit", "PostCommit"),
    *("CheckpointOpened", "TaskCompleted", "SessionEnd"),
)


def declare(root: Path, place: str = ".devloop/hooks.json", /, **events: Any) -> None:
    """Declare commands by event: a command, or (matcher, command)."""
    table: dict[str, Any] = {}
    for event, wanted in events.items():
        matcher, line = wanted if isinstance(wanted, tuple) else ("", wanted)
        table[event] = [{"matcher": matcher, "hooks": [{"type": "command", "command": line}]}]
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).write_text(json.dumps({"hooks": table}))


async def test_every_event_comes_in_its_order(project: Path) -> None:
    declare(project, **dict.fromkeys(NAMES, "cat >/dev/null"))
    commit_all(project, "hooks")
    trust_everything(project)
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        await held.decide(run, "commit")
        await held.ended(run)
        told = [(each["event"], each["result"]) for each in held.told("hook.ended", run)]
    order = ["SessionStart", "PreToolUse", "PostToolUse", "Stop", "PreCommit", "CheckpointOpened"]
    order += ["PostCommit", "TaskCompleted", "PostCommit", "SessionEnd"]
    assert told == [(name, "pass") for name in order]
