"""Running hooks: in the sandbox, side by side, each within its own limits, on the bytes that were trusted.

A hook sees what the run's commands see, and its scripts as a person trusted them: they are mounted, read-only, over
whatever the worktree holds at their places. What an agent did to a script there is neither run nor lost. Where the
agent made a mount impossible (a link, a folder in the place of a file), the hook can't answer, and that refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import dataclasses
import json
import os
import secrets
import stat
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from devloop.errors import SandboxMissing
from devloop.hooks import payload
from devloop.hooks.answers import Answer, Ended, Verdict, answer, merged
from devloop.hooks.conditions import holds
from devloop.hooks.definitions import Hook, identical
from devloop.hooks.events import BLOCKING, TOOL_EVENTS, matches
from devloop.hooks.payload import Occasion
from devloop.redact import visible
from devloop.sandbox import MIB, Backend, Command, Limits, Mount

ORIGIN: Final = "DEVLOOP_HOOK_ORIGIN"
"""The variable by which a process knows that a hook started it: such a process runs no hooks."""
PARALLEL: Final = 4
FLOOD_BYTES: Final = 4 * MIB
OUTPUT_BYTES: Final = 256 * 1024
STDERR_BYTES: Final = 32 * 1024
PROCESSES: Final = 256

# The two outputs come through one pipe: stderr behind a mark that nobody can know.
_WRAPPED: Final = (
    'mark=$1; shift; said=$(mktemp) || exit 125; "$@" 2>"$said"; code=$?; '
    f'printf "\\n%s\\n" "$mark"; head -c {STDERR_BYTES} "$said"; exit $code'
)
_SHELLS: Final = (Path("/bin/bash"), Path("/usr/bin/bash"), Path("/bin/sh"))
_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("devloop_hook", default=False)


@dataclass(frozen=True)
class Ready:
    """A hook, and where the scripts of its file are kept: `(source on the host, path in the project)`."""

    hook: Hook
    scripts: tuple[tuple[Path, str], ...] = ()
    needs: frozenset[str] = frozenset()
    """Of these paths the ones that its own command names: without them it can't answer."""
    shown: tuple[Path, ...] = ()
    """Folders of the person that their own hooks see where they are."""
    key: str = ""
    """The item of trust; "" for the person's own."""


@dataclass(frozen=True)
class Place:
    """Where hooks run: as the run's commands do. `worktree` appears at `view`; `mounts` and `masks` as in a
    `sandbox.Command`."""

    worktree: Path
    view: Path
    backend: Backend
    mounts: tuple[Mount, ...]
    env: Mapping[str, str]
    redact: Callable[[str], str]
    masks: tuple[Path, ...] = ()
    limit_s: float | None = None
    """A limit that counts for every hook here, whatever it declares."""


@dataclass(frozen=True)
class Raw:
    """What one hook printed, for people who try it out."""

    hook: Hook
    ended: Ended
    input: dict[str, Any] = field(default_factory=dict)


def of_hook() -> bool:
    """Whether what happens now is a hook's own doing: in its process, or in what it started."""
    return _inside.get() or bool(os.environ.get(ORIGIN))


def fitting(found: Sequence[Ready], occasion: Occasion) -> list[Ready]:
    """The hooks that an event is for, in their order, each command once."""
    chosen = [ready for ready in found if _fits(ready.hook, occasion)]
    kept = {id(hook) for hook in identical([ready.hook for ready in chosen])}
    return [ready for ready in chosen if id(ready.hook) in kept]


def _fits(hook: Hook, occasion: Occasion) -> bool:
    if hook.event != occasion.event or (occasion.subject and not matches(hook.matcher, occasion.subject)):
        return False
    if occasion.event not in TOOL_EVENTS:
        return True
    told = payload.tool_input(occasion, hook)
    return holds(hook.condition, payload.tool_name(occasion.tool, hook), told)


async def fire(found: Sequence[Ready], occasion: Occasion, place: Place) -> Verdict:
    """Run every hook that the event is for, and say what their answers mean together. Only cancellation is raised."""
    if of_hook():
        return Verdict()
    chosen = fitting(found, occasion)
    if not chosen:
        return Verdict()
    turns = asyncio.Semaphore(PARALLEL)

    async def one(ready: Ready) -> Answer:
        async with turns:
            return await _answer(ready, occasion, place)

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(one(ready)) for ready in chosen]
    return merged(task.result() for task in running)


async def _answer(ready: Ready, occasion: Occasion, place: Place) -> Answer:
    hook = ready.hook
    lost = await asyncio.to_thread(_lost, ready, place)
    if changed := [why for path, why in lost.items() if path in ready.needs]:
        result: Any = "block" if hook.event in BLOCKING else "error"
        return Answer(hook, result, f"{changed[0]} in the worktree; put it back as it was")
    if lost:
        ready = dataclasses.replace(ready, scripts=tuple(each for each in ready.scripts if each[1] not in lost))
    return judge(await run(ready, occasion, place), place)


def judge(raw: Raw, place: Place) -> Answer:
    """What it means that a hook ended so, at its event."""
    hook = raw.hook
    found = answer(hook, _clean(raw.ended, place), limit_s=_limit(hook, place))
    if found.result == "block" and hook.event not in BLOCKING:
        return dataclasses.replace(found, result="pass", message=found.message or found.reason)
    return found


def _limit(hook: Hook, place: Place) -> float:
    return hook.timeout_s if place.limit_s is None else min(hook.timeout_s, place.limit_s)


def _clean(ended: Ended, place: Place) -> Ended:
    """Without secrets and invisible characters: it goes to the model and to people."""

    def clean(text: str) -> str:
        return place.redact(visible(place.redact(text)))

    return dataclasses.replace(ended, stdout=clean(ended.stdout), stderr=clean(ended.stderr))


async def run(ready: Ready, occasion: Occasion, place: Place) -> Raw:
    """One hook to its end, its limit or the cancellation of the caller; nothing of it is alive afterwards."""
    hook = ready.hook
    told = _redacted(payload.told(occasion, hook), place.redact)
    mark = f"devloop:stderr:{secrets.token_hex(16)}"
    data = json.dumps(told).encode()
    overlays = tuple(Mount(source, place.view / path, make=True) for source, path in ready.scripts)
    own = tuple(Mount(folder, folder) for folder in ready.shown)
    command = Command(
        argv=("/bin/sh", "-c", _WRAPPED, "sh", mark, _shell(), "-c", hook.command),
        cwd=place.view,
        mounts=(*place.mounts, *own, *overlays),
        masks=place.masks,
        env=_environment(ready, occasion, place),
        limits=Limits(
            wall_s=_limit(hook, place), processes=PROCESSES, output_bytes=OUTPUT_BYTES, scratch_bytes=256 * MIB
        ),
        stdin=data + b"\n",
        trusted=True,
    )
    token = _inside.set(True)
    try:
        return Raw(hook, await _supervised(command, place.backend, mark), told)
    finally:
        _inside.reset(token)


def _redacted(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {str(key): _redacted(each, redact) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each, redact) for each in value]
    return value


def _environment(ready: Ready, occasion: Occasion, place: Place) -> dict[str, str]:
    told = dataclasses.replace(occasion, tool_input=_redacted(occasion.tool_input, place.redact))
    found = {**place.env, **payload.variables(told, ready.hook)}
    if ready.shown:
        with contextlib.suppress(RuntimeError):
            found["HOME"] = str(Path.home())  # empty inside, but for what is shown: `~/…` in the person's own hooks
    return {**found, ORIGIN: f"{ready.hook.event}:{ready.hook.id}"}


async def _supervised(command: Command, backend: Backend, mark: str) -> Ended:
    if backend.name == "none":
        return Ended(None, problem="there is no sandbox, and hooks run nowhere else (`devloop doctor` says what to do)")
    printed = 0
    flooded = asyncio.Event()

    def count(data: bytes) -> None:
        nonlocal printed
        printed += len(data)
        if printed > FLOOD_BYTES:
            flooded.set()

    running = asyncio.create_task(backend.run(command, on_output=count))
    watching = asyncio.create_task(flooded.wait())
    try:
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            return Ended(None, killed="flood")
        outcome = running.result()
    except SandboxMissing as problem:
        return Ended(None, problem=f"{problem.message} {problem.hint}".strip())
    finally:
        watching.cancel()
        if not running.done():
            running.cancel()
        await asyncio.wait({running, watching})
        if not running.cancelled():
            running.exception()  # it was looked at, or a cancellation counts more
    stdout, _, stderr = outcome.output.partition(f"\n{mark}\n")
    killed: Any = {None: "", "timeout": "timeout"}.get(outcome.killed_reason, "other")
    return Ended(outcome.exit_code, stdout, stderr, outcome.duration_s, killed)


def _shell() -> str:
    """Scripts in use are written for bash; the system's shell where there is none."""
    return str(next(path for path in _SHELLS if path.exists()))


def _lost(ready: Ready, place: Place) -> dict[str, str]:
    """Scripts whose places in the worktree can't carry a mount any more, with what stands there."""
    found = {}
    for source, path in ready.scripts:
        why = _in_the_way(place.worktree, path.split("/"), folder=source.is_dir())
        if why is not None:
            found[path] = why
    return found


def _in_the_way(worktree: Path, parts: list[str], *, folder: bool) -> str | None:
    at = worktree
    for number, part in enumerate(parts, start=1):
        at = at / part
        try:
            kind = at.lstat().st_mode
        except FileNotFoundError:
            return None
        except OSError:
            return f"{'/'.join(parts)} can't be reached"
        wants_folder = number < len(parts) or folder
        if not (stat.S_ISDIR(kind) if wants_folder else stat.S_ISREG(kind)):
            return f"{'/'.join(parts[:number])} is no {'folder' if wants_folder else 'plain file'} any more"
    return None
