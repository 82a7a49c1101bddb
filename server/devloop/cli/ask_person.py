"""Asking a person on the terminal, in a way that can be interrupted when somebody else answers first."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from rich.console import Console

from devloop.cli import checkpoint_view, group_view
from devloop.cli.output import safe
from devloop.daemon import wording
from devloop.errors import DevloopError

Row = dict[str, Any]
Ask = Callable[[str, Row], Awaitable[Row]]


class Person:
    """One person at the terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._leave_out: list[str] = []
        """What the decision that was chosen last leaves out."""

    async def decide(self, run: Row, checkpoint: Row, ask: Ask) -> None:
        """Show the checkpoint, ask until there is a decision that the engine takes, and send it.

        `ask` puts a question to the daemon. Raises `EOFError` when the terminal is closed.
        """
        checkpoint_view.show(self._console, run, checkpoint)
        forget_what_was_typed()
        while True:
            chosen = await self._choose(run, checkpoint, ask)
            message = chosen[1]
            if message is None and chosen[0] in wording.QUESTIONS:
                message = await self._line(wording.QUESTIONS[chosen[0]])
                if not message:
                    continue
            params = {"run": run["id"], "decision": chosen[0], "message": message, "checkpoint": checkpoint["number"]}
            if self._leave_out:
                params["leave_out"], self._leave_out = self._leave_out, []
            try:
                await ask("devloop/decide", params)
            except DevloopError as problem:
                self._console.print(f"[red]{safe(problem.message, 500)}[/] {safe(problem.hint, 300)}")
                if problem.kind == "refused":  # it is answered already
                    return
                continue
            return

    async def decide_together(self, waiting: list[tuple[Row, Row]], ask: Ask) -> None:
        """The same for tasks of a group that wait: one answer for all, or one at a time, until none is left."""
        left = list(waiting)
        while len(left) > 1:
            offered = group_view.show(self._console, left)
            forget_what_was_typed()
            typed = await self._line("Decision for all, or NUMBER for one:")
            word, _, rest = typed.partition(" ")
            if number := _number(word, len(left)):
                run, checkpoint = left.pop(number - 1)
                await self.decide(run, checkpoint, ask)
                continue
            found = match(word, offered) if word and not word.isdigit() else None
            if found is None:
                self._console.print(f"Choose one of: {', '.join(offered) or 'none fits all'}; or a number.")
                continue
            message = rest.strip() or (await self._line(wording.QUESTIONS[found]) if found in wording.QUESTIONS else "")
            if found in wording.QUESTIONS and not message:
                continue
            params = {"group": (left[0][1].get("group") or {}).get("id"), "decision": found, "message": message or None}
            params["checkpoints"] = {str(run["id"]): checkpoint["number"] for run, checkpoint in left}
            try:
                answer = await ask("devloop/decide", params)
            except DevloopError as problem:
                self._console.print(f"[red]{safe(problem.message, 500)}[/] {safe(problem.hint, 300)}")
                if problem.kind in ("refused", "not_found"):  # answered elsewhere
                    return
                continue
            answered = {str(each["run"]) for each in answer["runs"]}
            left = [each for each in left if str(each[0]["id"]) not in answered]
        for run, checkpoint in left:
            await self.decide(run, checkpoint, ask)

    async def yes(self, question: str) -> bool:
        """Raises `EOFError` when the terminal is closed."""
        forget_what_was_typed()
        return (await self._line(f"{safe(question, 400)} [Y/n]:")).lower() in ("", "y", "yes")

    def overtaken(self) -> None:
        self._console.print("\n[dim]It was decided elsewhere.[/]")

    async def _choose(self, run: Row, checkpoint: Row, ask: Ask) -> tuple[str, str | None]:
        """A decision, and the message when it was typed at once."""
        decisions = [str(each) for each in checkpoint["decisions"]]
        if checkpoint.get("kind") == "question":
            return await self._answer(checkpoint, decisions)
        for number, decision in enumerate(decisions, 1):
            self._console.print(
                f"  [bold]{number}[/] {decision:<9} [dim]{checkpoint_view.meaning(decision, checkpoint, run)}[/]"
                f"{checkpoint_view.recommended_then(decision, checkpoint)}"
            )
        if checkpoint.get("recommended") is None and checkpoint.get("why"):
            self._console.print(f"  [yellow]Look first:[/] {safe(checkpoint['why'], 120)}.")
        self._console.print("  [bold]v[/] view the diff")
        proposal = checkpoint.get("proposal") or {}
        if proposal.get("optional") and proposal.get("said"):
            self._console.print("  [bold]w[/] continue without changing the plan")
        while True:
            typed = await self._line("Decision:")
            word, _, rest = typed.partition(" ")
            if word.lower() in ("v", "view", "diff"):
                await self._show_diff(run, ask, str(proposal.get("patch") or ""))
                continue
            if word.lower() in ("w", "without") and proposal.get("optional"):
                self._leave_out = ["plan"]
                return "continue", rest.strip() or None
            found = match(word, decisions)
            if found is not None:
                return found, rest.strip() or None
            self._console.print(f"Choose one of: {', '.join(decisions)}; a number; or v for the diff.")

    async def _answer(self, checkpoint: Row, decisions: list[str]) -> tuple[str, str | None]:
        choices = [str(each) for each in (checkpoint.get("question") or {}).get("choices") or ()]
        others = " ".join(f":{each}" for each in decisions if each != "answer")
        self._console.print(f"[dim]Type your answer{' or a number' if choices else ''}; or {others}.[/]")
        while True:
            typed = await self._line("Answer:")
            if typed.startswith(":"):
                found = match(typed[1:], [each for each in decisions if each != "answer"])
                if found is not None:
                    return found, None
                self._console.print(f"Choose one of: {others}.")
            elif number := _number(typed, len(choices)):
                return "answer", choices[number - 1]
            elif typed.isdigit() and choices:  # a slip rather than an answer
                self._console.print(f"Choose 1 to {len(choices)}, or say it in words.")
            elif typed:
                return "answer", typed

    async def _show_diff(self, run: Row, ask: Ask, proposed: str = "") -> None:
        """What the run did; where that is a change of the plan which it proposes, that one."""
        from devloop.cli.diff_view import print_patch

        if proposed:
            print_patch(self._console, f"{proposed}\n")
            return
        try:
            found = await ask("devloop/diff", {"run": run["id"]})
        except DevloopError as problem:
            self._console.print(f"[red]{safe(problem.message, 500)}[/]")
            return
        print_patch(self._console, str(found["patch"]))

    async def _line(self, prompt: str) -> str:
        self._console.print(f"[bold]{prompt}[/] ", end="")
        sys.stdout.flush()
        return (await read_line()).strip()


def _number(typed: str, most: int) -> int:
    """What was typed, as a number from 1 to `most`; 0 for anything else."""
    number = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0
    return number if number <= most else 0


def match(typed: str, decisions: list[str]) -> str | None:
    """The decision that a number, a name or an unambiguous beginning of one means."""
    if typed.isdigit():
        number = _number(typed, len(decisions))
        return decisions[number - 1] if number else None
    word = typed.lower()
    if word in decisions:
        return word
    found = [each for each in decisions if word and each.startswith(word)]
    return found[0] if len(found) == 1 else None


def forget_what_was_typed() -> None:
    """Lines that were typed before a question stood there are no answer to it: a key pressed twice, or the rest of a
    pasted message, would decide on work that nobody has looked at."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        return
    import termios

    with contextlib.suppress(termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


async def read_line() -> str:
    """A line of the terminal, without blocking what else goes on; cancelling it leaves the terminal as it was.

    Raises `EOFError` at its end.
    """
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()
    ready: asyncio.Future[None] = loop.create_future()

    def has_come() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(descriptor, has_come)
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)
    data = os.read(descriptor, 65_536)  # the terminal hands over whole lines
    if not data:
        raise EOFError
    return data.decode("utf-8", "replace").splitlines()[0] if data.strip() else ""
