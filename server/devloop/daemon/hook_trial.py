"""`devloop hooks run`: the hooks of an event, tried out on a sample in the sandbox, with the checkout read-only."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from devloop import gates, hooks, keys, sandbox
from devloop.errors import Refused, SandboxMissing, UsageError
from devloop.paths import StateDir
from devloop.redact import cut, printable
from devloop.settings import Settings

Answer = dict[str, Any]

SYSTEM_PATH: Final = ("/usr/local/bin", "/usr/bin", "/bin")
SHOWN: Final = 8_000
SAMPLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "run_command": {"command": "echo hello"},
    "read_file": {"path": "README.md"},
    "list_files": {"pattern": "**/*.py"},
    "search": {"pattern": "TODO"},
    "load_skill": {"name": "testing-strategies"},
    "write_file": {"path": "example.txt", "content": "hello\n"},
    "edit_file": {"path": "example.txt", "old_string": "hello", "new_string": "goodbye"},
    "ask": {"question": "Which one?", "choices": ["a", "b"]},
}
_SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "SessionStart": ("startup",),
    "SessionEnd": ("accepted",),
    "PostCommit": ("accepted",),
}
_FIELDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "SessionStart": {"source": "startup"},
    "SessionEnd": {"reason": "accepted", "message": ""},
    "Stop": {"stop_hook_active": False, "last_assistant_message": "It is done."},
    "SubagentStop": {"stop_hook_active": False, "agent_type": "reviewer", "agent_id": "run-1.1-1"},
    "PreCommit": {"files": ["example.txt"], "message": "It is done.", "task": "1.1"},
    "PostCommit": {"stage": "accepted", "commit": "0" * 40, "branch": "devloop/plan", "task": "1.1", "title": "Try"},
    "CheckpointOpened": {"checkpoint": {"number": 1, "kind": "decision", "summary": "It is done.", "gates": []}},
    "TaskCompleted": {
        "task": {"id": "1.1", "title": "Try", "phase": "1"},
        "commit": "0" * 40,
        "summary": "It is done.",
    },
}


async def trial(
    root: Path, state: StateDir, settings: Settings, variables: Mapping[str, str], params: Mapping[str, Any]
) -> Answer:
    """`{"event", "results": [{"id", "hook", "path", "line", "input", "exit_code", "result", "reason", "context",
    "message", "stdout", "stderr", "ms"}], "inert": [path]}`. Only hooks that would run are tried.

    Raises `UsageError` for what is no event or no tool, `Refused` inside of a hook, `SandboxMissing`.
    """
    occasion = sample(root, params)
    if hooks.of_hook():
        raise Refused("A hook can't try out hooks.")
    detected = await sandbox.detected(settings.sandbox)
    if detected.state != "on":
        raise SandboxMissing(f"Hooks run in the sandbox only, and it is {detected.state}.", hint=detected.fix)
    library = await asyncio.to_thread(hooks.discover, root, state.trust_file)
    scratch = state.path / "hook-trial"
    ready = await asyncio.to_thread(hooks.pin, library, _fresh(scratch))
    place = await asyncio.to_thread(_place, root, settings, variables, detected.backend)
    results = []
    for each in hooks.fitting(ready, occasion):
        raw = await hooks.run(each, occasion, place)
        results.append(_told(raw, hooks.judge(raw, place)))
    inert = [each.path for each in library.sources if each.state == "untrusted" and each.declared.hooks]
    return {"event": occasion.event, "results": results, "inert": inert}


def sample(root: Path, params: Mapping[str, Any]) -> hooks.Occasion:
    """The event as hooks would be told of it. Raises `UsageError`."""
    event = hooks.event_named(str(params.get("event") or "")) or ""
    if event not in hooks.EVENTS:
        raise UsageError(f"{params.get('event')!r} is no event.", hint=f"There are: {', '.join(hooks.EVENTS)}.")
    tool = hooks.own_tool(str(params.get("tool") or "run_command"))
    if event in hooks.TOOL_EVENTS and tool not in SAMPLES:
        raise UsageError(f"There is no tool {tool!r}.", hint=f"There are: {', '.join(SAMPLES)}.")
    found = hooks.Occasion(
        event=event,
        session="run-1.1-1",
        cwd=str(root),
        subject=_SUBJECTS.get(event, ()),
        fields=_FIELDS.get(event, {}),
        about={"run": "run-1.1-1", "attempt": 1, "task": "1.1", "title": "Try", "agent": "engineer", "mode": "default"},
    )
    if event not in hooks.TOOL_EVENTS:
        return found
    response = {"content": "(a sample)", "is_error": False} if event == "PostToolUse" else None
    subject = hooks.tool_names(tool)
    return replace(found, tool=tool, tool_input=SAMPLES[tool], subject=subject, response=response)


def _fresh(scratch: Path) -> Path:
    import shutil

    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700, parents=True)
    return scratch


def _place(root: Path, settings: Settings, variables: Mapping[str, str], backend: sandbox.Backend) -> hooks.Place:
    """The checkout as it is, read-only; the environment as a run's commands have it."""
    active = variables.get("VIRTUAL_ENV")
    found = gates.find(root, Path(active) if active else None)
    shown = tuple(sandbox.Mount(path, path) for path in settings.sandbox.read_only if path.exists())
    env = {"PATH": os.pathsep.join([str(found.bin), *SYSTEM_PATH]), "LANG": "C.UTF-8", "TERM": "dumb"}
    return hooks.Place(
        worktree=root,
        view=root,
        backend=backend,
        mounts=(sandbox.Mount(root, root), *gates.environment_mounts(found), *shown),
        env=env,
        redact=keys.redactor().text,
    )


def _told(raw: hooks.Raw, answer: hooks.Answer) -> Answer:
    hook, ended = raw.hook, raw.ended
    return {
        "id": hook.id,
        "hook": hook.title,
        "path": hook.path,
        "line": hook.line,
        "input": raw.input,
        "exit_code": ended.exit_code,
        "result": answer.result,
        "reason": printable(answer.reason),
        "context": printable(answer.context),
        "message": printable(answer.message),
        "stdout": cut(printable(ended.stdout), SHOWN),
        "stderr": cut(printable(ended.stderr), SHOWN),
        "ms": round(ended.duration_s * 1000),
    }
