"""From "run this task" to what the engine is asked: the plan decides what may run, here nothing is decided twice."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from devloop import plan as plans
from devloop.daemon import asking, plan_events
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.engine_link import EngineLink
from devloop.errors import Refused, UsageError
from devloop.paths import StateDir
from devloop.redact import one_line

if TYPE_CHECKING:  # an idle daemon holds neither settings nor state files
    from devloop.daemon import resuming

Params = Mapping[str, Any]
Answer = dict[str, Any]

DECIDE = (None, "continue", "commit")


class Tasks:
    def __init__(self, documents: Documents, engine: EngineLink, state: StateDir) -> None:
        self._documents, self._engine, self._state = documents, engine, state
        self._starting = asyncio.Lock()

    async def run(self, params: Params) -> Answer:
        """One task. A task that is in hand already gives its run, with `attached` true. `warnings`: what should have
        been in order first; a task that a person names begins all the same.

        `task` is what a person calls it, or `{id, key, title, line}` as a front-end remembers it: then it has to be
        that task still, else `StaleEdit`.
        """
        reference = params.get("task")
        if not isinstance(reference, Mapping) and not (isinstance(reference, str) and reference.strip()):
            raise UsageError("Which task?", hint="Name it by its id: devloop run 1.2.")
        from devloop.daemon import enforcing

        decide = _decide(params)
        async with self._starting:
            found, plan = await self._plan()
            task = _task(plan, reference)
            for run in await self.open_runs():
                if _holds(run, task.id):
                    return _attached(run)
            _may_run(plan, task, again=bool(params.get("again")))
            loop = {"limit": 1, "decide": decide, "stop_at": asking.stop_at(params)}
            warnings = await enforcing.before_loop(self._documents.root, found, plan, task.phase, strict=False)
            warnings += await self._tests(found, plan, [task.id])
            started = await self._start(
                found, plan, plan_events.task_of(plan, task), loop, again=bool(params.get("again"))
            )
            return {**started, "warnings": list(warnings)}

    async def proceed(self, params: Params) -> Answer:
        """The next task of the plan, and after it the following ones, `limit` at most. `phase`: only those of a phase,
        named by its id or name; without a limit all that are left of it. `task`: begin with this one (as in `run`).

        A task in hand comes first: its run is answered instead, so that two terminals never start two loops. Where
        neither is named, a hand-off that a fresh start left is taken up: its task first, its words for the agent.
        `hand_off`: true for one that is too old as well, false to leave it where it is. `stop_at`: where the loop asks.

        `parallel`: whether all ready tasks of a group begin at once; null as the setting says. Where that is to ask and
        the client can (`asks`), nothing is started: `state` is `ask_parallel`, and `tasks` are those it is about.
        """
        from devloop import settings

        decide, limit, wanted = _decide(params), _limit(params), params.get("phase")
        everything = await asyncio.to_thread(settings.load, self._documents.root, dict(os.environ))
        own = everything.loop
        if limit is None and wanted is None:
            limit = own.max_tasks
        async with self._starting:
            found, plan = await self._plan()
            runs = await self.open_runs()
            phase = None if wanted is None else plans.find_phase(plan, str(wanted))
            asked = plan.tasks if phase is None else [plan.tasks[at] for at in plans.in_phase(plan, phase.id)]
            in_hand = _in_hand(asked, runs)
            if in_hand is not None:
                return {**_attached(in_hand), "runs": asking.group_of(in_hand, runs)}
            within = phase.id if phase else None
            hand_off = await self._hand_off(params, plan) if own.resume != "never" or params.get("hand_off") else None
            following = _first(plan, params, runs, hand_off, within)
            task = following["task"]
            if following["state"] != "found" or task is None:
                return {**following, "loop": None, "run": None, "message": _sentence(following, phase)}
            if limit is None and phase is not None:
                limit = sum(each.pickable and not each.done for each in asked)
            held = [str(run["task"]) for run in runs]
            room = own.max_parallel if limit is None else min(own.max_parallel, limit)
            beside = plan_events.beside(plan, task, held, room)
            parallel = asking.parallel(params, own.parallel_groups, decide)
            if parallel is None and beside:
                return asking.about_group(task, beside)
            loop = {"limit": limit, "decide": decide, "phase": within, "stop_at": asking.stop_at(params)}
            loop["parallel"] = bool(parallel)
            coming = [each.id for each in asked if not each.done] if limit is None or limit > 1 else []
            strict = everything.checkpoints.enforcement == "strict"
            return await self._begin(
                found, plan, task, loop, beside if parallel else [], coming, hand_off, strict=strict
            )

    async def _begin(
        self,
        found: PlanText,
        plan: plans.Plan,
        task: Answer,
        loop: Answer,
        beside: list[Answer],
        coming: list[str],
        hand_off: resuming.HandOff | None,
        *,
        strict: bool,
    ) -> Answer:
        """The first task of a loop and those `beside` it. A hand-off that still counts is used up by it: its words are
        for the agent. `coming`: what the loop may come to later."""
        from devloop.daemon import enforcing, resuming

        root = self._documents.root
        warnings = await enforcing.before_loop(root, found, plan, task.get("phase"), strict=strict)
        if hand_off is not None and hand_off.usable:
            task = resuming.with_words(task, hand_off)
        warnings += await self._tests(found, plan, [task["id"], *(each["id"] for each in beside), *coming])
        started = await self._start(found, plan, task, loop, again=False, beside=beside)
        if hand_off is not None and hand_off.usable:
            await asyncio.to_thread(resuming.used, root, self._state)
        return {
            **started,
            "state": "found",
            "run_state": started["state"],
            "hand_off": hand_off.to_json() if hand_off is not None else None,
            "warnings": list(warnings),
        }

    async def _hand_off(self, params: Params, plan: plans.Plan) -> resuming.HandOff | None:
        wanted = params.get("hand_off")
        if wanted is False or params.get("task") is not None or params.get("phase") is not None:
            return None
        from devloop.daemon import resuming

        return await asyncio.to_thread(resuming.look, self._documents.root, plan, old_too=wanted is True)

    async def open_runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self._engine.request("engine/runs", {"limit": 200, "open": True}))["runs"]
        return found

    async def _tests(self, found: PlanText, plan: plans.Plan, tasks: Sequence[str]) -> tuple[str, ...]:
        """What the person should know of tests that these may change."""
        if not any(task.may_change_tests for task in plan.tasks):
            return ()
        from devloop.daemon import allowed_tests

        return tuple(await asyncio.to_thread(allowed_tests.told, found, plan, self._state.trust_file, tasks))

    async def _plan(self) -> tuple[PlanText, plans.Plan]:
        found, plan = await asyncio.to_thread(self._documents.plan)
        if PurePath(found.relative).is_absolute():
            raise Refused(
                f"The plan {found.relative} lies outside the repository, so no run can keep it up to date.",
                hint="Put it into the repository: .devloop/plan.md.",
            )
        return found, plan

    async def _start(
        self,
        found: PlanText,
        plan: plans.Plan,
        task: Answer,
        loop: Answer,
        *,
        again: bool,
        beside: Sequence[Answer] = (),
    ) -> Answer:
        answer = await self._engine.request(
            "engine/start",
            {
                "task": task,
                "beside": list(beside),
                "plan": plan_events.plan_of(found, plan),
                "loop": {"done": 0, "carry": None, "phase": None, **loop},
                "again": again,
            },
        )
        shown = await self._engine.request("engine/show", {"run": answer["run"]})
        return {**answer, "loop": shown["run"].get("loop"), "task": task["id"], "title": task.get("title", "")}


def _task(plan: plans.Plan, reference: Any) -> plans.Task:
    if isinstance(reference, Mapping):
        return plans.locate(plan, plans.TaskRef.from_json(reference))
    return plans.find_task(plan, str(reference))


def _decide(params: Params) -> str | None:
    decide = params.get("decide")
    if decide not in DECIDE:
        raise UsageError(f"{one_line(str(decide))!r} is nothing to decide unattended.", hint="Use continue or commit.")
    return decide


def _limit(params: Params) -> int | None:
    limit = params.get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise UsageError("The number of tasks must be 1 or more.")
    return limit


def _first(
    plan: plans.Plan,
    params: Params,
    runs: Sequence[Mapping[str, Any]],
    hand_off: resuming.HandOff | None,
    phase: str | None,
) -> Answer:
    """The task to begin with, as the engine takes it: of a hand-off, the one that is named, else the next one. Without
    one `task` is None, and `state` says why."""
    resumed = hand_off.task if hand_off is not None and hand_off.usable else None
    if resumed is not None and not any(_holds(run, resumed.id) for run in runs):
        return {"state": "found", "task": plan_events.task_of(plan, resumed)}
    if params.get("task") is not None:
        first = _task(plan, params["task"])
        _may_run(plan, first, again=False)
        return {"state": "found", "task": plan_events.task_of(plan, first)}
    following = plan_events.next_for_engine(plan, [str(run["task"]) for run in runs], phase)
    asked = plan.tasks if phase is None else [plan.tasks[at] for at in plans.in_phase(plan, phase)]
    if following["task"] is None and (unwritten := next((task for task in asked if task.unwritten), None)):
        _may_run(plan, unwritten, again=False)
    return following


def _holds(run: Mapping[str, Any], task: str) -> bool:
    return str(run["task"]).lower() == task.lower()


def _attached(run: Mapping[str, Any]) -> Answer:
    return {
        "run": run["id"],
        "loop": run.get("loop"),
        "attempt": run.get("attempt"),
        "state": run["state"],
        "attached": True,
        "task": run["task"],
        "title": run.get("title", ""),
        "message": _where(run),
    }


def _where(run: Mapping[str, Any]) -> str:
    title = one_line(f"{run['task']} {run.get('title') or ''}", 100)
    if run["state"] == "waiting":
        return f"Task {title} waits for {run.get('waiting_for') or 'a decision'} ({run['id']})."
    return f"Task {title} is in hand: {run['id']} is {run['state']}."


def _in_hand(tasks: Iterable[plans.Task], runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The open run of a task that the plan shows as begun; one that waits for a person first."""
    begun = {task.id.lower() for task in tasks if task.status == "in_progress"}
    mine = [run for run in runs if str(run["task"]).lower() in begun]
    return min(mine, key=lambda run: run["state"] != "waiting", default=None)


def _may_run(plan: plans.Plan, task: plans.Task, *, again: bool) -> None:
    """Raises `Refused` with every reason. `again` accepts a task that is done already."""
    reasons = [each for each in plans.may_run(plan, task) if not (again and each.code in ("complete", "skipped"))]
    if reasons:
        hint = "Choose another one with `devloop plan next`."
        if task.unwritten:
            hint = 'Write it in the plan, or let devloop plan it: devloop plan new "WHAT" --replace.'
        if task.done:
            hint = f"To do it once more, beside the finished one: devloop run {one_line(task.id, 60)} --again."
        raise Refused(
            f"Task {one_line(task.id, 60)} can't run: {'; '.join(reasons)}.", hint=hint, reasons=list(reasons)
        )


def _waits(blocked: Mapping[str, Any]) -> str:
    by = ", ".join(one_line(name, 40) for name in blocked["by"][:5])
    return (
        f"{one_line(blocked['id'], 40)} waits for {by}" if by else f"{one_line(blocked['id'], 40)} is {blocked['why']}"
    )


def _sentence(following: Mapping[str, Any], phase: plans.Phase | None = None) -> str:
    """What a state other than `found` means, and what to do."""
    where = f"phase {one_line(phase.id, 40)}" if phase else "the plan"
    begun = ", ".join(one_line(name, 40) for name in following["resumable"][:5])
    blocked = "; ".join(_waits(each) for each in following["blocked"][:5]) or "all that is left is blocked"
    partial = f"Only tasks that were left partial remain: {begun}. Take one up with `devloop run ID`."
    return {
        "all_complete": f"Every task of {where} is done.",
        "all_blocked": f"No task can run now: {blocked}. Look at `devloop plan next`.",
        "partial": partial if begun else "All that could run is in hand already; look at `devloop status`.",
        "empty": f"{where[0].upper()}{where[1:]} has no task yet. Write one like `- [ ] Task 1.1: what to do`.",
    }.get(str(following["state"]), "There is nothing to run.")
