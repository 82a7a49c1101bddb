"""`devloop/findings…` of every front-end; the findings of reviews that wait are there before anybody accepts them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from devloop.daemon.board import Board
from devloop.errors import DevloopError, NotFound, UsageError
from devloop.paths import StateDir
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.daemon.errands import Errands
    from devloop.daemon.findings.findings import Findings
    from devloop.daemon.findings.records import Finding, Review

log = logging.getLogger(__name__)

Params = Mapping[str, Any]
Answer = dict[str, Any]
Ask = Callable[[str, Params], Awaitable[Any]]
COMMAND = "review"


class FindingsService:
    """`ask("show", {"run": …})` asks the engine. What reads and keeps findings is loaded when it is needed."""

    def __init__(self, state: StateDir, root: Path, board: Board, ask: Ask, errands: Callable[[], Errands]) -> None:
        self._errands = errands
        self._state, self._root = state, root
        self._board, self._ask = board, ask
        self._seen: dict[str, tuple[str, Any]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        board.listen(self._runs_changed)

    @cached_property
    def findings(self) -> Findings:
        from devloop.daemon.findings.findings import findings_of

        return findings_of(self._state, self._root)

    async def list(self, params: Params) -> Answer:
        """`{"reviews": [review…]}`, newest first; `review`: that one alone, or the newest with `newest`."""
        named = params.get("review")
        if not isinstance(named, str | None):
            raise UsageError("`review` must be the id of a review.")
        known = (await self.findings.reviews())[::-1]
        if named is not None:
            known = tuple(each for each in known if named in (each.id, each.run))
            if not known:
                raise NotFound(f"There is no review {one_line(named, 80)!r}.", hint="List them: devloop review --list")
        return {"reviews": [await self._told(review) for review in known]}

    async def dismiss(self, params: Params) -> Answer:
        """`ids`: of findings or of reviews → `{"dismissed": [id…]}`."""
        ids = params.get("ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
            raise UsageError("`ids` must be a list of findings or reviews.")
        return {"dismissed": list(await self.findings.dismiss(ids))}

    async def plan(self, params: Params) -> Answer:
        """`ids`: of findings, which become tasks of the plan → `{"said"}`."""
        from devloop.daemon.errands import mending

        ids = params.get("ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
            raise UsageError("`ids` must be a list of findings.")
        return {"said": await mending.add_to_plan(self._errands().project, ids)}

    async def fix(self, params: Params) -> Answer:
        """`finding`: an agent mends it, as `devloop quick` would; the answer is that of `devloop/errand`."""
        from devloop.daemon.errands import mending

        errands = self._errands()
        text = await mending.to_fix(errands.project, str(params.get("finding") or ""))
        return await errands.start({"command": "quick", "text": text, "options": {}, "decide": params.get("decide")})

    async def clear(self, params: Params) -> Answer:
        return {"cleared": await self.findings.clear()}

    async def _told(self, review: Review) -> Answer:
        places: dict[str, int] = {}
        for path in {finding.path for finding in review.open if finding.found}:
            places |= {each.finding.id: each.line for each in await self.findings.placed(path)}
        kept = review.model_dump(mode="json", exclude={"files", "findings"})
        return {**kept, "findings": [_finding(each, places) for each in review.findings]}

    # Reviews that wait

    def _runs_changed(self, runs: frozenset[str]) -> None:
        for run in runs:
            view = self._board.run(run)
            if view is None or view.task != f"@{COMMAND}":
                continue
            now = (view.state, (view.checkpoint or {}).get("number"))
            if self._seen.get(run) != now:
                self._seen[run] = now
                task = asyncio.get_running_loop().create_task(self._look(run))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _look(self, run: str) -> None:
        async with self._one_at_a_time:
            view = self._board.run(run)
            try:
                if view is not None and not view.open and view.outcome not in ("accepted", "landed"):
                    await self.findings.withdraw(run)
                elif view is not None and view.needs_person and (view.checkpoint or {}).get("report"):
                    shown = await self._ask("show", {"run": run})
                    data = (shown.get("report") or {}).get("data")
                    if data:
                        await self.findings.record(run, shown.get("given") or {}, data, accepted=False)
            except DevloopError as problem:
                log.warning("the findings of %s could not be kept: %s", run, problem.message)
            except Exception:
                log.exception("the findings of %s could not be kept", run)


def _finding(finding: Finding, places: Mapping[str, int]) -> Answer:
    """`now`: the line where it is; null: its line is gone, or it was dismissed."""
    kept = finding.model_dump(mode="json", exclude={"anchor", "found"})
    return {**kept, "now": places.get(finding.id)}
