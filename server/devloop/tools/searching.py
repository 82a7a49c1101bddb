"""search: the files are listed here, their content is read by `searcher.py` inside the sandbox."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import re
import stat
import sys
from pathlib import Path

from devloop import globs
from devloop.redact import part, tail
from devloop.sandbox import GIB, Command, Limits, Mount, environment, toolchain_mounts
from devloop.tools.confine import Confined
from devloop.tools.inputs import Search
from devloop.tools.model import Answer, Problem, ToolContext
from devloop.tools.reading import Walk

SEARCH_CAP = 100 * 1024
PRINTED_CAP = 8 * 1024 * 1024
"""More than the program prints for what is shown: six characters for one, and what stands around it."""
WALL_S = 15.0
STOPPED_AT_CAP = 3


async def search(call: Search, context: ToolContext) -> Answer:
    try:
        re.compile(call.pattern)
    except (re.error, OverflowError, RecursionError) as problem:
        raise Problem(f"The pattern is no regular expression: {problem}.") from None
    names, stopped = await asyncio.to_thread(_candidates, call, context)
    job = {"pattern": call.pattern, "files": names, "cap": SEARCH_CAP}
    result = await context.backend.run(
        Command(
            argv=(sys.executable, "-I", "-S", "-c", _program()),
            cwd=context.view,
            mounts=(Mount(context.worktree, context.view), *_interpreter()),
            env=environment(Path("/tmp/home")),  # noqa: S108 - inside the sandbox
            limits=Limits(wall_s=WALL_S, memory_bytes=GIB, output_bytes=PRINTED_CAP),
            stdin=json.dumps(job).encode(),
            trusted=True,
        )
    )
    if result.exit_code not in (0, STOPPED_AT_CAP) and not result.timed_out:
        said = tail(context.redact(result.output), 500).strip()
        raise Problem(f"The search failed: {said or result.killed_reason}.")
    found = await asyncio.to_thread(_told, result.output, context)
    text, count = "\n".join(found), len(found)
    if result.timed_out:
        text += f"\n… stopped after {WALL_S:.0f} s; use a simpler pattern or a narrower path"
    elif result.exit_code == STOPPED_AT_CAP:
        text += f"\n… stopped at {SEARCH_CAP // 1024} KiB; use a narrower pattern or path"
    elif not count:
        text = "(no matches)"
    if stopped:
        text += f"\n… only {len(names)} files were searched: stopped after {stopped}; name a folder that is deeper"
    return Answer(text.lstrip("\n"), f"search {call.pattern!r} ({count})", is_error=result.timed_out)


def _told(output: str, context: ToolContext) -> list[str]:
    """`path:line: text` for each row of the program."""
    lines = []
    for row in output.splitlines():
        try:
            name, number, text, start, end = json.loads(row)
        except ValueError:  # it was ended within a row, or more was printed than is kept
            continue
        if start > 0 or end < len(text):  # others stay as they are: a private key goes over lines
            text = part(text, start, end, context.redact)
        lines.append(f"{name}:{number}: {text.rstrip()}")
    return lines


def _candidates(call: Search, context: ToolContext) -> tuple[list[str], str]:
    """The files to search, relative to the worktree, sorted; and why these are not all."""
    with Confined(context.worktree, context.view) as files:
        start = files.split(call.path)
        fd = files.open_any(start)
        try:
            single = stat.S_ISREG(os.fstat(fd).st_mode)
        finally:
            os.close(fd)
        if single:
            return ["/".join(start)], ""
        pattern = call.glob.lstrip("/")
        if pattern and "/" not in pattern:
            pattern = f"**/{pattern}"
        walk = Walk(files, start)
        found = sorted(
            "/".join(parts)
            for parts, mode in walk
            if stat.S_ISREG(mode)
            and (not pattern or globs.matches(pattern, parts[len(start) :]) or globs.matches(pattern, parts))
        )
        return found, walk.stopped


@functools.cache
def _program() -> str:
    return Path(__file__).with_name("searcher.py").read_text("utf-8")


@functools.cache
def _interpreter() -> tuple[Mount, ...]:
    return toolchain_mounts([Path(sys.executable)])
