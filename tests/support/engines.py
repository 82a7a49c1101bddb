"""A real engine process, with the test in the daemon's place."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from devloop import trust
from devloop.engine import EngineClient
from devloop.errors import Refused, StaleEdit
from devloop.paths import StateDir, config_root
from devloop.redact import Redactor
from devloop.runs.transcript import Transcript
from support.forked import Forked

Event = dict[str, Any]
Port = Callable[[dict[str, Any]], Any]


MARKS = {"started": "~", "completed": "x", "committed": "x", "partial": "~", "blocked": "!"}


class Engine:
    """`events` collects what the engine told; `plan` collects the changes of the plan it asked for.

    The plan's file gets its markers changed; no more of the plan's rules than that. `begin` starts the process: a fork
    of one that has loaded everything, or a new one (`EngineClient`).
    """

    def __init__(self, root: Path, begin: type[EngineClient] = Forked) -> None:
        self.root = root
        self._begin = begin if hasattr(os, "pidfd_open") else EngineClient
        self.state = StateDir.of(root).make()
        self.events: list[Event] = []
        self.plan: list[dict[str, Any]] = []
        self.following: list[Any] = []
        """Tasks that `plan/next` hands out, in order."""
        self.handed_off: list[dict[str, Any]] = []
        self.accepted: list[dict[str, Any]] = []
        """Errands that were accepted."""
        self.errands: Any = None
        """The daemon's own answers to what results make of the plan; without it they make nothing."""
        self.refusing: list[str] = []
        """Why the next ones can't take effect, one by one."""
        self.lost: set[str] = set()
        """Tasks that a person has taken out of the plan."""
        self.held_back: dict[str, asyncio.Event] = {}
        """Changes of the plan, by kind, that are answered only once the event is set."""
        self.client: EngineClient | None = None
        self.config = config_root() / "config.toml"
        """The person's own configuration."""
        self._home = {name: value for name, value in os.environ.items() if name.startswith("DEVLOOP_")}
        """Where it is at home: one that several tests share starts again in a test, where nothing of this is set."""
        self._news = asyncio.Condition()
        self._variables: dict[str, str] = {}
        self._scenarios = itertools.count(1)

    async def up(self, variables: Mapping[str, str] | None = None, *, lock_wait_s: float | None = None) -> None:
        """Start the process; without variables, with those of the last time."""
        self._variables = self._variables if variables is None else dict(variables)
        handlers = {
            "plan/apply": self._apply,
            "plan/next": self._next,
            "handoff/write": self._hand_off,
            "errand/accepted": self._accepted,
            "plan/preview": self._preview,
            "plan/propose": self._propose,
            "engine/event": self._event,
        }
        with mock.patch.dict(os.environ, self._home):
            self.client = await self._begin.start(
                self.root, self.state, environment=self._variables, handlers=handlers, lock_wait_s=lock_wait_s
            )

    async def kill(self) -> None:
        """SIGKILL: nothing in the process gets a chance to tidy up."""
        assert self.client is not None
        await self.client.kill()

    async def again(self) -> None:
        """Killed and started anew, as after a crash."""
        await self.kill()
        await self.up()

    async def play(self, tasks: Mapping[str, Any]) -> None:
        """The scripted player answers from this from now on: task → turns, or → a whole script."""
        path = self.state.path.with_name(f"{self.state.path.name}-{next(self._scenarios)}.json")
        scripts = {task: script if isinstance(script, Mapping) else {"turns": script} for task, script in tasks.items()}
        path.write_text(json.dumps({"tasks": scripts}))
        await self.environment(DEVLOOP_SCENARIO=str(path))

    @property
    def variables(self) -> dict[str, str]:
        return dict(self._variables)

    async def environment(self, **variables: str) -> None:
        self._variables |= variables
        if self.client is not None and not self.client.exited.is_set():
            await self.ask("environment", variables=variables)

    async def ask(self, method: str, **params: Any) -> Any:
        assert self.client is not None
        return await self.client.request(f"engine/{method}", params)

    async def run(self, task: str = "1.1", title: str = "Do it", **loop: Any) -> str:
        """Start a run; `loop` may hold limit and decide; other task fields go through `task_fields`."""
        fields = loop.pop("task_fields", {})
        started = await self.ask("start", task={"id": task, "title": title, **fields}, plan={}, loop=loop)
        return str(started["run"])

    async def decide(self, run: str, decision: str, message: str = "", **more: Any) -> dict[str, Any]:
        return dict(await self.ask("decide", run=run, decision=decision, message=message, **more))

    async def row(self, run: str) -> dict[str, Any]:
        return dict((await self.ask("show", run=run))["run"])

    async def checkpoint(self, run: str, number: int = 1, *, timeout: float = 60) -> dict[str, Any]:
        """Wait for the checkpoint of that number; what it shows."""
        return dict((await self.until("checkpoint.opened", run, count=number, timeout=timeout))["data"])

    async def ended(self, run: str) -> dict[str, Any]:
        """Wait for the end: `outcome` and `reason`."""
        return dict((await self.until("run.ended", run))["data"])

    def told(self, kind: str, run: str) -> list[dict[str, Any]]:
        """The data of all events of a kind so far."""
        return [event["data"] for event in self.events if event["kind"] == kind and event["run"] == run]

    def marks(self, task: str) -> list[str]:
        """What was asked of the plan about a task, in order."""
        return [event["kind"] for event in self.plan if event["task"]["id"] == task]

    def requests(self, run: str) -> list[list[dict[str, Any]]]:
        """The messages of each request of a run, rebuilt from its transcript as the engine builds them."""
        transcript = Transcript(self.state.runs / run, Redactor({}))
        return [transcript.messages(turn) for turn in range(1, transcript.last_turn() + 1)]

    async def until(self, kind: str, run: str | None = None, *, count: int = 1, timeout: float = 60) -> Event:
        """Wait for the `count`-th event of a kind (of a run) and answer it."""

        def found() -> list[Event]:
            return [e for e in self.events if e["kind"] == kind and run in (None, e["run"])]

        try:
            async with asyncio.timeout(timeout), self._news:
                await self._news.wait_for(lambda: len(found()) >= count)
        except TimeoutError:
            told = [(e["kind"], e["data"]) for e in self.events[-12:]]
            raise AssertionError(f"no {kind} of {run} in {timeout} s; last: {told}; {self.log()}") from None
        return found()[count - 1]

    def log(self) -> str:
        return (self.state.logs / "engine.log").read_text()[-3000:]

    async def _event(self, event: Event) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    async def _apply(self, params: dict[str, Any]) -> dict[str, Any]:
        self.plan.append(params["event"])
        if params["event"]["kind"] in self.held_back:
            await self.held_back[params["event"]["kind"]].wait()
        if params["event"]["task"]["id"] in self.lost:
            raise StaleEdit("The task is no longer what it was", hint="Repeat the command.")
        path = self.root / ".devloop" / "plan.md"
        mark, task = MARKS.get(params["event"]["kind"], " "), re.escape(params["event"]["task"]["id"])
        text = re.sub(rf"- \[.\] Task {task}:", f"- [{mark}] Task {params['event']['task']['id']}:", path.read_text())
        path.write_text(text)
        return {"path": ".devloop/plan.md", "text": text, "changed": True}

    async def _next(self, params: dict[str, Any]) -> dict[str, Any]:
        """A task that is to begin with others stands in `following` together with them, as a list."""
        asked_only = bool(params.get("done_then"))
        found = (self.following[0] if asked_only else self.following.pop(0)) if self.following else None
        task, *beside = found if isinstance(found, list) else [found]
        return {"state": "found" if task else "all_complete", "task": task, "beside": beside}

    async def _hand_off(self, content: dict[str, Any]) -> dict[str, Any]:
        self.handed_off.append(content)
        return {"path": ".devloop/next-action.json"}

    async def _preview(self, content: dict[str, Any]) -> dict[str, Any]:
        return dict(await self.errands.preview(content)) if self.errands is not None else {"proposal": None}

    async def _propose(self, content: dict[str, Any]) -> dict[str, Any]:
        answer = dict(await self.errands.propose(content)) if self.errands is not None else {"said": ""}
        if "propose" in self.held_back:
            await self.held_back["propose"].wait()
        return answer

    async def _accepted(self, content: dict[str, Any]) -> dict[str, Any]:
        if self.refusing:
            raise Refused(self.refusing.pop(0))
        self.accepted.append(content)
        return {"said": ""}


async def eventually(condition: Callable[[], Any], what: str, *, timeout: float = 10) -> Any:
    """Wait until `condition` holds (it may be a coroutine function) and answer what it gave."""
    end = time.monotonic() + timeout
    while True:
        found = condition()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < end, f"not in {timeout} s: {what}"
        await asyncio.sleep(0.01)


def turn(*calls: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One scripted turn; `more`: text, delay_s, fail, usage, stop_reason."""
    return {"calls": list(calls), **more}


def call(tool: str, **values: Any) -> dict[str, Any]:
    return {"name": tool, "input": values}


def write(path: str, content: str = "new\n") -> dict[str, Any]:
    return call("write_file", path=path, content=content)


def command(line: str, **values: Any) -> dict[str, Any]:
    return call("run_command", command=line, **values)


def finish(summary: str = "It is done.") -> dict[str, Any]:
    return call("finish", summary=summary)


def work(path: str, content: str = "new\n") -> list[dict[str, Any]]:
    """The shortest honest work: one file, then finished."""
    return [turn(write(path, content)), turn(finish(f"{path} is written."))]


def several(*names: str) -> list[dict[str, Any]]:
    """Work on several files at once; each holds its name."""
    return [turn(*(write(name, f"{name}\n") for name in names)), turn(finish(f"{' '.join(names)} written."))]


async def at_checkpoint(held: Engine, task: str, *names: str) -> str:
    """A run of such work that waits for a decision."""
    await held.play({task: several(*names)})
    run = await held.run(task)
    await held.checkpoint(run)
    return run


def first_text(messages: Sequence[Mapping[str, Any]]) -> str:
    return str(messages[0]["content"][0]["text"])


def trust_everything(root: Path) -> None:
    store = StateDir.of(root).make().trust_file
    trust.accept(root, store, [(s.item.key, s.item.sha256) for s in trust.state(root, store)])


@contextlib.asynccontextmanager
async def engine(
    root: Path,
    variables: Mapping[str, str] | None = None,
    *,
    tasks: Mapping[str, Any] | None = None,
    begin: type[EngineClient] = Forked,
) -> AsyncIterator[Engine]:
    """An engine for `root` that is up; stopped at the end. `tasks`: what the scripted player answers from."""
    held = Engine(root, begin)
    if tasks is not None:
        await held.play(tasks)
    await held.up({**(variables or {}), **held.variables})
    try:
        yield held
    finally:
        if held.client is not None:
            await held.client.stop()
