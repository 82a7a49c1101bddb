"""run_command: a shell command in the sandbox."""

from __future__ import annotations

import asyncio
import dataclasses
import re
import signal
from pathlib import Path

from devloop import globs
from devloop.redact import one_line
from devloop.sandbox import Command, Outcome
from devloop.tools.confine import Confined
from devloop.tools.inputs import RunCommand
from devloop.tools.model import Answer, Problem, ToolContext
from devloop.tools.reading import Walk
from devloop.tools.text import without_placeholders

OUTPUT_CAP = 30 * 1024
READONLY_CAP = 64
SHELLS = (Path("/bin/bash"), Path("/usr/bin/bash"), Path("/bin/sh"))

_NO_SOCKET = re.compile(r"operation not permitted", re.IGNORECASE), re.compile(r"socket|listen EPERM", re.IGNORECASE)
SOCKETS = "(Commands can't make Unix sockets here, and what needs one fails. In devloop's own checks they can.)"


async def run_command(call: RunCommand, call_id: str, context: ToolContext) -> Answer:
    if "\0" in call.command:
        raise Problem("The command contains a NUL character.")
    without_placeholders(call.command, "", "a file")
    limits = dataclasses.replace(
        context.limits,
        wall_s=float(call.timeout or context.limits.wall_s),
        output_bytes=OUTPUT_CAP,
    )
    protected = (context.view / name for name in context.protected)
    readonly = await asyncio.to_thread(readonly_paths, context) if context.readonly else ()
    output_file = context.output_dir / f"{re.sub(r'[^A-Za-z0-9_-]', '_', call_id)[:100] or 'command'}.log"
    result = await context.backend.run(
        Command(
            argv=(_shell(), "-c", call.command),
            cwd=context.view,
            mounts=context.mounts,
            masks=tuple(dict.fromkeys((*context.masks, *protected, *readonly))),
            env=context.env,
            limits=limits,
        ),
        output_file=output_file,
    )
    ending = _ending(result, context)
    about = f"\n{SOCKETS}" if _lacked_a_socket(result.output, context) else ""
    return Answer(
        f"{ending}, {_duration(result.duration_s)}\n{result.output or '(no output)'}{about}",
        f"$ {one_line(call.command, 80)} → {ending}, {result.duration_s:.1f} s",
        is_error=result.killed_reason is not None,
        output_file=output_file,
    )


def readonly_paths(context: ToolContext) -> tuple[Path, ...]:
    """What `context.readonly` names, as seen inside: the outermost paths that exist, and absent ones named exactly."""
    exact = [p for p in context.readonly if "/" in p.rstrip("/") and not re.search(r"[*?\[{]", p)]
    patterns = [p for p in context.readonly if p not in exact]
    with Confined(context.worktree, context.view) as files:
        found = [files.split(name.strip("/")) for name in exact]
        walk = Walk(files, ())
        for parts, _ in walk if patterns else ():
            if any(parts[: len(above)] == above for above in found):
                continue
            if any(globs.covers(pattern, parts) for pattern in patterns):
                found.append(parts)
                if len(found) > READONLY_CAP:
                    raise Problem(f"paths.readonly matches more than {READONLY_CAP} places; name folders instead.")
        if walk.stopped:  # what was not looked at would not be protected
            raise Problem(
                "No command can run: paths.readonly has patterns, and the project was too large to look for what they"
                f" match (stopped after {walk.stopped}). The person can name whole paths there instead."
            )
    return tuple(context.view.joinpath(*parts) for parts in found)


def _lacked_a_socket(output: str, context: ToolContext) -> bool:
    """Whether the filter of system calls is what a command seems to have failed at: a test that fails for an agent and
    for no gate would cost it turns."""
    return context.backend.name == "bubblewrap" and all(each.search(output) for each in _NO_SOCKET)


def _shell() -> str:
    return str(next(path for path in SHELLS if path.exists()))


def _duration(seconds: float) -> str:
    """Coarse on purpose: the same call with the same result should read the same."""
    return f"{seconds:.0f} s" if seconds >= 1 else "under 1 s"


def _ending(result: Outcome, context: ToolContext) -> str:
    match result.killed_reason:
        case None:
            break_ = result.signal
            name = f" ({signal.Signals(break_).name})" if break_ else ""
            return f"exit code {result.exit_code}{name}"
        case "timeout":
            return "killed: timeout"
        case "memory":
            return f"killed: more than {(context.limits.memory_bytes or 0) // 1024 // 1024} MiB of memory"
        case "processes":
            return f"killed: more than {context.limits.processes} processes"
        case "disk":
            return "killed: the disk is nearly full"
        case "output":
            return f"killed: more than {(context.limits.flood_bytes or 0) // 1024 // 1024} MiB of output"
        case other:
            return f"killed: {other}"
