"""A run as it happens: permanent lines for what is finished, one calm updating line for what is not."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from devloop.cli import output
from devloop.cli.output import safe
from devloop.daemon import wording

Row = dict[str, Any]

LOOP_ENDS = {
    "limit": "the number of tasks is reached",
    "all_complete": "every task is done",
    "all_blocked": "all that is left is blocked",
    "partial": "only tasks that were left partial remain",
    "empty": "the plan has no task",
    "stopped": "one of its tasks was not accepted",
    "uncommitted": "a phase is over and your own changes are not committed",
}


class View(Protocol):
    def began(self, run: Row) -> None: ...
    def refreshed(self, run: Row) -> None: ...
    def event(self, kind: str, data: Row, task: str = "") -> None: ...
    def beside(self, run: Row) -> None: ...
    def pause(self) -> None: ...
    def close(self) -> None: ...


class Silent:
    """For `--json`: only the end is printed, by the command itself."""

    def began(self, run: Row) -> None: ...
    def refreshed(self, run: Row) -> None: ...
    def event(self, kind: str, data: Row, task: str = "") -> None: ...
    def beside(self, run: Row) -> None: ...
    def pause(self) -> None: ...
    def close(self) -> None: ...


class Lines:
    """Where nobody watches a terminal: one line for each thing that happened."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def began(self, run: Row) -> None:
        agent = run["agent"] + (f":{run['mode']}" if run.get("mode") else "")
        self.console.print(
            f"\n[bold]{safe(run['task'], 40)} {safe(run.get('title'), 90)}[/]\n"
            f"  [dim]{safe(run['id'], 80)} · {safe(agent, 60)} ·[/] {output.model_name(run)}"
        )

    def beside(self, run: Row) -> None:
        """One of several runs that are followed at the same time."""
        Lines.began(self, run)

    def refreshed(self, run: Row) -> None:
        """The run's figures changed; a line view has nothing to update."""

    def event(self, kind: str, data: Row, task: str = "") -> None:
        """`task`: whose line it is, where several runs are followed."""
        line = line_of(kind, data)
        if line:
            self.console.print(f"[dim]{safe(task, 20):>6}[/]{line}" if task else line)

    def pause(self) -> None:
        """Before a question is asked."""

    def close(self) -> None:
        """After the last event."""


class LiveView(Lines):
    """On a terminal: the same lines, and below them what goes on now."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._live: Live | None = None
        self._run: Row = {}
        self._doing, self._turn, self._turn_tokens = "", 0, 0
        self._since = time.monotonic()
        self._spinner = Spinner("dots")

    def began(self, run: Row) -> None:
        super().began(run)
        self._run, self._turn, self._turn_tokens = run, int(run.get("turn") or 0), 0
        self._since = time.monotonic()
        self._doing = str(run["state"])
        self._show()

    def refreshed(self, run: Row) -> None:
        self._run = run
        self._turn_tokens = 0
        self._show()

    def event(self, kind: str, data: Row, task: str = "") -> None:
        super().event(kind, data, task)
        if task:
            return
        doing = wording.doing_of(kind, data)
        if doing is not None:
            self._doing = doing
        if "turn" in data:
            self._turn = int(data["turn"])
        if kind == "turn.progress":
            self._turn_tokens = int(data.get("tokens") or 0)
        self._show()

    def pause(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        self.pause()

    def _show(self) -> None:
        if self._live is None:
            self._live = Live(console=self.console, refresh_per_second=8, transient=True, get_renderable=self._now)
            self._live.start()

    def _now(self) -> Spinner:
        """The line as it is at this moment: its seconds count on where nothing happens."""
        self._spinner.update(text=self._text())
        return self._spinner

    def _text(self) -> Text:
        run = self._run
        counted = dict(run.get("tokens") or {})
        counted["output"] = int(counted.get("output") or 0) + self._turn_tokens
        parts = [
            f"[bold]{safe(run.get('task'), 40)}[/]",
            f"turn {self._turn}" if self._turn else "",
            safe(self._doing, 70),
            f"{wording.tokens(counted)} tokens",
            wording.money(run.get("cost_usd")),
            wording.duration(time.monotonic() - self._since),
            "[yellow]scripted[/]" if run.get("scripted") else "",
        ]
        return Text.from_markup(" · ".join(part for part in parts if part), overflow="ellipsis")


def hook_line(data: Row) -> str:
    """What came of a hook, as markup."""
    result = str(data.get("result"))
    symbol = {"pass": "[green]✓[/]", "block": "[yellow]✋[/]"}.get(result, "[red]![/]")
    about = f" {safe(data['tool'], 40)}" if data.get("tool") else ""
    reason = f": {safe(data['reason'], 160)}" if data.get("reason") else ""
    said = {"pass": "passed", "block": "refused"}.get(result, result)
    where = f"{safe(data.get('event'), 30)}{about}, {safe(data.get('ms'), 12)} ms"
    return f"{symbol} hook {safe(data.get('hook'), 80)} {safe(said, 20)} [dim]({where})[/]{reason}"


def line_of(kind: str, data: Row) -> str:
    """The permanent line of an event, as markup; "" for one that leaves none."""
    match kind:
        case "tool.ended":
            return f"  {'[red]✗[/]' if data.get('is_error') else '[dim]·[/]'} {safe(data.get('summary'), 120)}"
        case "gate.ended":
            reason = f" [dim]{safe(data['reason'], 120)}[/]" if data.get("reason") else ""
            optional = "" if data.get("required", True) else " [dim](optional)[/]"
            verdict = str(data.get("verdict"))
            symbol = output.SYMBOLS.get(verdict, "?")
            return f"  {symbol} gate {safe(data.get('gate'), 60)}: {safe(verdict, 20)}{reason}{optional}"
        case "model.waiting":
            until = data.get("until")
            when = (
                f" until {datetime.fromtimestamp(until).astimezone():%H:%M:%S}"
                if isinstance(until, (int, float))
                else ""
            )
            return f"  [yellow]waiting{when}[/]: {safe(data.get('reason'), 160)}"
        case "hook.ended":
            return "" if data.get("result") == "pass" else f"  {hook_line(data)}"
        case "notice":
            return f"  [cyan]note[/] {safe(data.get('text'), 300)}"
        case "loop.ended":
            return f"  [dim]the loop ends: {LOOP_ENDS.get(str(data.get('state')), safe(data.get('state'), 40))}[/]"
        case "landing.done":
            moved = f"{str(data.get('old'))[:7]}..{str(data.get('new'))[:7]}"
            return f"  [green]landed[/] on {safe(data.get('branch'), 80)} ({safe(moved, 20)})"
        case "checkpoint.closed":
            without = f" without {safe(', '.join(map(str, data['leave_out'])), 120)}" if data.get("leave_out") else ""
            said = f"[bold]{safe(data.get('decision'), 40)}[/]{without} {safe(data.get('message'), 120)}"
            return f"  decided: {said}".rstrip()
        case _:
            return ""
