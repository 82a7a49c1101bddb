"""The tool calls of one turn: reads side by side, everything else in order, results in the order of the calls."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from devloop.errors import DevloopError
from devloop.redact import one_line, visible
from devloop.tools.confine import Confined
from devloop.tools.inputs import (
    INPUTS,
    AskPerson,
    EditFile,
    FinishTask,
    Input,
    ListFiles,
    LoadSkill,
    ReadFile,
    RunCommand,
    Search,
    WriteFile,
    parse,
)
from devloop.tools.model import Answer, Ask, Finish, Kind, Problem, ToolCall, ToolContext, ToolResult
from devloop.tools.reading import list_files, read_file
from devloop.tools.running import run_command
from devloop.tools.searching import search
from devloop.tools.writing import edit_file, write_file

log = logging.getLogger(__name__)

T = TypeVar("T")
Told = Callable[[T], Awaitable[None] | None] | None

KINDS: Mapping[str, Kind] = {
    "read_file": "read",
    "list_files": "read",
    "search": "read",
    "load_skill": "read",
    "write_file": "write",
    "edit_file": "write",
    "run_command": "command",
    "ask": "control",
    "finish": "control",
}
_SHOW_FILES = frozenset(("read_file", "search", "edit_file"))
PARALLEL = 4


class Around(Protocol):
    """Who is asked before each call and heard after it."""

    async def before(self, call: ToolCall) -> str | None:
        """Why the call is not made; None: it is."""

    async def after(self, call: ToolCall, result: ToolResult) -> ToolResult: ...


async def run_batch(
    calls: Sequence[ToolCall],
    context: ToolContext,
    *,
    on_start: Told[ToolCall] = None,
    on_result: Told[ToolResult] = None,
    around: Around | None = None,
) -> list[ToolResult]:
    """Run `calls` and answer each, in their order. A call that can't be done gives an `is_error` result, never raises.

    Neighbouring reads run side by side; a write, a command, `ask` or `finish` waits for what came before it. Cancelling
    kills the running command. `on_start` and `on_result` are told as things happen and may be coroutine functions.
    `around` may refuse a call and add to a result.
    """
    turns = asyncio.Semaphore(PARALLEL)

    async def one(call: ToolCall) -> ToolResult:
        async with turns:
            await _tell(on_start, call)
            refused = await around.before(call) if around is not None else None
            result = await _run(call, context) if refused is None else not_run(call, refused)
            if around is not None and refused is None:
                result = await around.after(call, result)
            await _tell(on_result, result)
            return result

    results: list[ToolResult] = []
    for reads, group in itertools.groupby(calls, key=lambda call: KINDS.get(call.name) == "read"):
        if reads:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(one(call)) for call in group]
            results += [task.result() for task in running]
        else:
            for call in group:
                results.append(await one(call))
    return results


def is_command(call: ToolCall, context: ToolContext) -> bool:
    """Whether this call would run a command that an agent chose; one that is refused for its input would not."""
    if call.name != "run_command" or (context.allowed is not None and call.name not in context.allowed):
        return False
    try:
        return isinstance(parse(call.name, call.input), RunCommand)
    except Problem:
        return False


def not_run(call: ToolCall, reason: str) -> ToolResult:
    """The result of a call that stayed undone, and why."""
    return ToolResult(call.id, reason, True, KINDS.get(call.name, "control"), one_line(f"{call.name}: {reason}"))


async def _tell(receiver: Told[T], value: T) -> None:
    if receiver is not None:
        answer = receiver(value)
        if inspect.isawaitable(answer):
            await answer


async def _run(call: ToolCall, context: ToolContext) -> ToolResult:
    kind = KINDS.get(call.name, "control")
    try:
        answer = await _answer(call, context)
    except Problem as problem:
        answer = Answer(str(problem), f"{call.name}: {problem}", is_error=True)
    except DevloopError as problem:
        answer = Answer(f"{problem.message} {problem.hint}".strip(), f"{call.name}: {problem.message}", is_error=True)
    except OSError as problem:
        answer = Answer(f"{call.name} failed: {problem.strerror}.", f"{call.name}: {problem.strerror}", is_error=True)
    except Exception:
        log.exception("tool %s failed", call.name)
        answer = Answer(f"{call.name} failed inside devloop.", f"{call.name}: failed inside devloop", is_error=True)
    content = await asyncio.to_thread(clean, answer.content, context, code=call.name in _SHOW_FILES)
    return ToolResult(
        call_id=call.id,
        content=content if answer.excerpt is None else answer.excerpt(content),
        is_error=answer.is_error,
        kind=kind,
        summary=one_line(context.redact(answer.summary)),
        control=answer.control,
        output_file=answer.output_file,
    )


def clean(text: str, context: ToolContext, *, code: bool = False) -> str:
    """For the model: no secret, and no invisible character. Twice, because removing escapes may join a secret again.
    `code`: text of files, in which nothing goes away, so that it can be named in an edit."""
    return context.redact(visible(context.redact(text), code=code))


async def _answer(call: ToolCall, context: ToolContext) -> Answer:
    if call.name not in INPUTS or (context.allowed is not None and call.name not in context.allowed):
        names = [name for name in INPUTS if context.allowed is None or name in context.allowed]
        raise Problem(f"There is no tool {call.name!r}. There are: {', '.join(names)}.")
    if call.name == "finish" and context.own_result:
        summary = str(call.input.get("summary") or "")
        return Answer("", f"finish: {summary}", control=Finish(summary, result=dict(call.input)))
    wanted = parse(call.name, call.input)
    match wanted:
        case RunCommand():
            return await run_command(wanted, call.id, context)
        case Search():
            return await search(wanted, context)
        case LoadSkill():
            return await _load_skill(wanted, context)
        case AskPerson():
            return Answer("", f"ask: {wanted.question}", control=Ask(wanted.question, tuple(wanted.choices)))
        case FinishTask():
            return Answer("", f"finish: {wanted.summary}", control=Finish(wanted.summary, wanted.notes))
        case _:
            return await asyncio.to_thread(_on_files, wanted, context)


async def _load_skill(wanted: LoadSkill, context: ToolContext) -> Answer:
    if context.load_skill is None:
        raise Problem("There are no skills here.")
    text = await asyncio.to_thread(context.load_skill, wanted.name, wanted.reference)
    told = f"{wanted.name}/{wanted.reference}" if wanted.reference else wanted.name
    return Answer(text, f"skill {told} (about {len(text.encode()) // 4:,} tokens)")


def _on_files(wanted: Input, context: ToolContext) -> Answer:
    kept_out = (*context.protected, *context.kept)
    with Confined(context.worktree, context.view, protected=kept_out, readonly=context.readonly) as files:
        return _FILE_TOOLS[type(wanted)](wanted, files)


_FILE_TOOLS: Mapping[type[Input], Callable[[Any, Confined], Answer]] = {
    ReadFile: read_file,
    ListFiles: list_files,
    WriteFile: write_file,
    EditFile: edit_file,
}
