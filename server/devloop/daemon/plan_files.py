"""The methods that make a whole plan, or put one away: init, import, a workflow's beginning, the archive and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from devloop.daemon.board import Board
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.plan_news import PlanNews

Params = Mapping[str, Any]
Answer = dict[str, Any]
Ask = Callable[[str, Params], Awaitable[Answer]]
"""A method of the engine and what it is asked."""

PATIENCE_S = 2.0
"""How long an engine that has to start first may take to say whether runs of a plan are open."""


class PlanFiles:
    """What each method needs is imported by it: most daemons are never asked for any of them."""

    def __init__(self, root: Path, documents: Documents, board: Board, news: PlanNews, engine: Ask) -> None:
        self._root, self._documents, self._board, self._news = root, documents, board, news
        self._engine = engine

    async def archive(self, params: Params) -> Answer:
        from devloop.daemon import archiving

        answer, after = await archiving.archive(self._documents, params)
        if after.open:  # otherwise the watch sees it
            self._news.changed(after)
        return answer

    async def restore(self, params: Params) -> Answer:
        from devloop.daemon import restoring

        answer, after = await restoring.restore(self._documents, params)
        if after.open:
            self._news.changed(after)
        return answer

    async def templates(self, params: Params) -> Answer:
        from devloop.daemon import new_plan

        return await new_plan.templates(self._root)

    async def init(self, params: Params) -> Answer:
        from devloop.daemon import new_plan

        answer = await new_plan.init(self._root, params)
        if answer["created"]:
            self._news.look()
        return answer

    async def import_plan(self, params: Params) -> Answer:
        from devloop.daemon import importing

        if params.get("write") is True:
            await self._board.known(PATIENCE_S)
        answer, after = await importing.import_plan(self._documents, params, self._runs())
        self._written(answer, after)
        return answer

    async def begin_workflow(self, params: Params) -> Answer:
        from devloop.daemon import full_workflow

        async def admit(task: Answer) -> None:
            await self._engine("engine/admit", {"task": task, "decide": params.get("decide")})

        await self._board.known(PATIENCE_S)
        answer, after = await full_workflow.begin(self._documents, params, self._runs(), admit)
        self._written(answer, after)
        return answer

    def _runs(self) -> list[str]:
        """Open ones; those of errands stand in no plan, so another plan takes nothing from them."""
        return [view.id for view in self._board.open if not view.errand]

    def _written(self, answer: Answer, after: PlanText | None) -> None:
        """`after` where another plan was replaced."""
        if after is not None and after.open:
            self._news.changed(after)
        elif answer["written"]:
            self._news.look()
