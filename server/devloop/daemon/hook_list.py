"""The hooks there are for this workspace, and what came of each when it ran last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from devloop import hooks
from devloop.paths import StateDir
from devloop.redact import one_line, printable

Answer = dict[str, Any]
Level = Literal["ok", "warning", "problem"]


def listed(root: Path, state: StateDir, results: Sequence[Mapping[str, Any]]) -> Answer:
    """`{"hooks", "unsupported", "problems", "events"}`; see "devloop/hooks" in ARCHITECTURE.md. Blocks."""
    library = hooks.discover(root, state.trust_file)
    last = {str(each.get("id")): each for each in results}
    return {
        "hooks": [_hook(source, hook, last) for source in library.sources for hook in source.declared.hooks],
        "unsupported": [
            {"event": event, "type": kind, "path": source.path, "line": line}
            for source in library.sources
            for event, kind, line in source.declared.unsupported
        ],
        "problems": [_problem(fault) for fault in hooks.check_path(root)],
        "events": dict(hooks.EVENTS),
    }


def _hook(source: hooks.Source, hook: hooks.Hook, last: Mapping[str, Mapping[str, Any]]) -> Answer:
    told = hooks.to_json(source, hook)
    plain = {key: printable(value) if isinstance(value, str) else value for key, value in told.items()}
    found = last.get(hook.id)
    return {**plain, "last": {key: found[key] for key in found if key != "id"} if found is not None else None}


def _problem(fault: Any) -> Answer:
    return {
        "path": fault.path,
        "line": fault.line,
        "severity": fault.severity,
        "code": fault.code,
        "message": printable(fault.message),
    }


def checks(root: Path, state: StateDir) -> list[tuple[Level, str, str]]:
    """What `devloop doctor` says of hooks: (state, message, what to do). Events that only others have are no fault."""
    library = hooks.discover(root, state.trust_file)
    found: list[tuple[Level, str, str]] = [
        (
            "problem" if fault.severity == "error" else "warning",
            f"{one_line(fault.path, 200)}:{fault.line}: {one_line(fault.message, 300)}",
            "`devloop hooks check` shows everything that is wrong with hooks.",
        )
        for fault in hooks.check_path(root)
        if fault.code != hooks.UNUSED_CODE
    ]
    waiting = [source.path for source in library.sources if source.state == "untrusted" and source.declared.hooks]
    if waiting:
        told = f"The hooks of {', '.join(waiting)} do not run: nobody has trusted them as they are."
        found.append(("warning", told, "Look at them with `devloop trust`."))
    active = [hook for source in library.active for hook in source.declared.hooks]
    if found:
        return found
    places = ", ".join(source.path for source in library.active)
    return [("ok", f"{len(active)} hook{'s' if len(active) != 1 else ''}{f' ({places})' if active else ''}.", "")]
