"""devloop.review, devloop.analyze, and what a person does about findings: devloop.dismissFinding, .planFinding,
.fixFinding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devloop.errors import UsageError

if TYPE_CHECKING:
    from devloop.lsp.commands.arguments import Arguments
    from devloop.lsp.connection import Connection

Answer = dict[str, Any]


async def review(connection: Connection, given: Arguments) -> Answer:
    """`scope` with `commits`, `files`, `run` or `against` where it needs them; `quick`, `security`."""
    options: Answer = {"scope": given.scope or _scope(given), "quick": given.quick, "security": given.security}
    more = {"commits": given.commits, "files": given.files, "run": given.run, "against": given.against}
    options |= {name: value for name, value in more.items() if value is not None}
    return await begun(connection, "review", given.message or "", options)


def _scope(given: Arguments) -> str:
    if given.files is not None:
        return "files"
    if given.commits is not None:
        return "commits"
    if given.run is not None:
        return "run"
    return "branch" if given.against is not None else "auto"


async def analyze(connection: Connection, given: Arguments) -> Answer:
    """`message`: the area; `to`: plan, report or both; `categories`."""
    options: Answer = {"to": given.to, "categories": given.categories}
    options = {name: value for name, value in options.items() if value is not None}
    return await begun(connection, "analyze", given.message or "", options)


async def dismiss(connection: Connection, given: Arguments) -> Answer:
    """A `finding`, or all of a `review`."""
    ids = [each for each in (given.finding, given.review) if each is not None]
    if len(ids) != 1:
        raise UsageError(
            "Which finding?", hint='Name it: {"finding": "review-1.2"}, or a whole {"review": "review-1"}.'
        )
    answer: Answer = await connection.service.call("devloop/findings/dismiss", {"ids": ids})
    return answer


async def plan(connection: Connection, given: Arguments) -> Answer:
    answer: Answer = await connection.service.call("devloop/findings/plan", {"ids": [_finding(given)]})
    return answer


async def fix(connection: Connection, given: Arguments) -> Answer:
    answer: Answer = await connection.service.call("devloop/findings/fix", {"finding": _finding(given)})
    return _began(connection, answer)


def _finding(given: Arguments) -> str:
    if given.finding is None:
        raise UsageError("Which finding?", hint='Name it: {"finding": "review-1.2"}.')
    return given.finding


async def begun(connection: Connection, command: str, text: str, options: Answer) -> Answer:
    """Begin an errand, whose progress this editor shows."""
    params = {"command": command, "text": text, "options": options, "decide": None}
    return _began(connection, await connection.service.call("devloop/errand", params))


def _began(connection: Connection, answer: Answer) -> Answer:
    if answer.get("run"):
        connection.live.began_by(connection, str(answer["run"]), answer.get("loop"))
    return answer
