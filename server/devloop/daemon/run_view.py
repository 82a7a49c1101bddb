"""One run as everybody may see it now: what the engine has recorded of it, and what its events say goes on.

What a row of `engine/runs` holds comes in through `of_row`, what `engine/show` adds through `with_details`; what goes
on now (`Now`) is told by events alone (`run_fold.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from devloop.daemon import evidence, wording
from devloop.redact import one_line

Row = Mapping[str, Any]

LINE = 120
"""Characters of a line that says how a run stands."""
ZERO = {"input": 0, "output": 0, "cache_read": 0, "cache_write": 0}


@dataclass(frozen=True)
class Now:
    """What goes on at this moment and is recorded nowhere; over with the turn, the gate or the engine it belongs to."""

    doing: str = ""
    """In the terminal's words; "" where the state says it all."""
    tools: tuple[tuple[str, str, str], ...] = ()
    """Tools at work: id of the call, name, short argument. The newest stands last."""
    gate: str = ""
    gates_total: int = 0
    streamed: int = 0
    """Tokens of the answer that is coming in."""
    until: float | None = None
    """Unix time at which the model is asked again."""
    waiting_for: str = ""
    """A wait that the engine did not record, such as for room on the disk."""


@dataclass(frozen=True)
class RunView:
    """Times are Unix seconds, money US dollars. `key` names the task by its title (plan-format §6)."""

    id: str
    task: str = ""
    key: str = ""
    title: str = ""
    agent: str = ""
    mode: str | None = None
    attempt: int = 1
    state: str = "queued"
    outcome: str | None = None
    reason: str | None = None
    turn: int = 0
    turn_limit: int | None = None
    recorded_wait: str | None = None
    gates: Mapping[str, str] = field(default_factory=dict)
    """Verdicts so far on the commit that was checked last, by gate."""
    gates_commit: str = ""
    checkpoint: Row | None = None
    """The open checkpoint with all that it shows (ARCHITECTURE.md, "Run, event, checkpoint")."""
    cost_usd: float | None = 0.0
    tokens: Mapping[str, int] = field(default_factory=lambda: dict(ZERO))
    model: str = ""
    scripted: bool = False
    loop: str | None = None
    loop_limit: int | None = None
    """How many tasks the loop does at most; None: to the end of the plan."""
    loop_done: int = 0
    """How many it had done before this run."""
    group: Row | None = None
    """Of a task that is done beside others: `{"id", "size", "label"}`."""
    started: float | None = None
    ended: float | None = None
    branch: str | None = None
    commit: str | None = None
    evidence: Row | None = None
    """Of accepted work (`evidence.of`), once it was asked for."""
    now: Now = Now()
    known: bool = False
    """Its record was read or told; False for a run of which only some later event was heard."""
    detailed: bool = False
    """Gates and checkpoint are known: from its beginning, or because they were asked for."""

    @property
    def open(self) -> bool:
        return self.state != "ended"

    @property
    def unproven(self) -> bool:
        """Whether its work was accepted and what is kept of that was not asked for yet."""
        return self.outcome in evidence.ACCEPTED and self.evidence is None

    @property
    def errand(self) -> bool:
        """Whether its task stands in no plan (`runs.spec.Errand`): no task of a plan is called like that."""
        return self.task.startswith("@")

    @property
    def name(self) -> str:
        """What it is about, in a line for people."""
        return f"{self.task[1:]}: {self.title}" if self.errand else f"Task {self.task}: {self.title}"

    @property
    def tool(self) -> str:
        """Name and short argument of the tool that is running; "" when none is."""
        return f"{self.now.tools[-1][1]} {self.now.tools[-1][2]}".strip() if self.now.tools else ""

    @property
    def gate(self) -> str:
        """The gate that is running; "" when none is."""
        return self.now.gate

    @property
    def waiting_for(self) -> str | None:
        """What the run waits for in words: a person, the model, a slot, room on the disk. None when it works."""
        return (self.now.waiting_for or self.recorded_wait or None) if self.open else None

    @property
    def waiting_until(self) -> float | None:
        """The moment at which the model is asked again, when that is what the run waits for."""
        return self.now.until

    @property
    def needs_person(self) -> bool:
        return self.state == "waiting"

    @property
    def doing(self) -> str:
        if not self.open:
            return self.outcome or "ended"
        if self.now.waiting_for:
            return wording.waits_for(self.now.waiting_for)
        return self.tool or self.now.doing or wording.waits_for(self.recorded_wait) or self.state

    @property
    def counted(self) -> dict[str, int]:
        """Tokens used, those of the answer that is coming in included."""
        return {**self.tokens, "output": int(self.tokens.get("output") or 0) + self.now.streamed}

    @property
    def percentage(self) -> int:
        """How far it seems to be, from 0 to 100: an estimate of where the run stands, not of the time that is left.

        Preparing is 5; working goes from 10 to 70 by the turns that its budget allows; checking from 70 to 95 by gates;
        landing is 97; waiting for a person and ended are 100. It falls when failed gates send the agent back to work.
        """
        match self.state:
            case "preparing":
                return 5
            case "working":
                made = max(0, self.turn - 1) / self.turn_limit if self.turn_limit else 0.0
                return 10 + round(60 * min(1.0, made))
            case "checking":
                total = max(self.now.gates_total, len(self.gates))
                done = sum(name != self.now.gate for name in self.gates)
                return 70 + round(25 * done / total) if total else 70
            case "landing":
                return 97
            case "waiting" | "ended":
                return 100
            case _:
                return 0

    @property
    def line(self) -> str:
        """How it stands in one line for people: `turn 3 · edit_file src/a.py · 1.2k tokens · $0.0300`."""
        figures = [f"{wording.tokens(self.counted)} tokens", wording.money(self.cost_usd)]
        figures += ["scripted"] if self.scripted else []
        before = [f"turn {self.turn}"] if self.turn else []
        room = LINE - sum(len(part) + len(" · ") for part in (*before, *figures))
        return one_line(" · ".join([*before, one_line(self.doing, max(room, 20)), *figures]), LINE)

    def brief(self) -> dict[str, Any]:
        """What a list of runs shows of one."""
        names = ("id", "task", "title", "state", "waiting_for", "percentage", "line")
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "task": self.task,
            "key": self.key,
            "title": self.title,
            "agent": self.agent,
            "mode": self.mode,
            "attempt": self.attempt,
            "state": self.state,
            "outcome": self.outcome,
            "reason": self.reason,
            "turn": self.turn,
            "turn_limit": self.turn_limit,
            "tool": self.tool or None,
            "gate": self.gate or None,
            "waiting_for": self.waiting_for,
            "waiting_until": self.waiting_until,
            "gates": dict(self.gates),
            "checkpoint": dict(self.checkpoint) if self.checkpoint is not None else None,
            "cost_usd": self.cost_usd,
            "tokens": self.counted,
            "model": self.model,
            "scripted": self.scripted,
            "loop": self.loop,
            "loop_limit": self.loop_limit,
            "loop_done": self.loop_done,
            "group": self.group,
            "started": self.started,
            "ended": self.ended,
            "branch": self.branch,
            "commit": self.commit,
            "percentage": self.percentage,
            "line": self.line,
        }


def of_row(row: Row, before: RunView | None = None) -> RunView:
    """The view of a run as it is recorded. What a row does not hold stays as `before` had it."""
    view = before or RunView(str(row["id"]))
    state = str(row.get("state") or view.state)
    return replace(
        view,
        task=str(row.get("task") or ""),
        key=str(row.get("key") or ""),
        title=one_line(str(row.get("title") or "")),
        agent=str(row.get("agent") or ""),
        mode=text_of(row.get("mode")),
        attempt=whole_of(row.get("attempt")) or 1,
        state=state,
        outcome=text_of(row.get("outcome")),
        reason=text_of(row.get("reason")),
        turn=whole_of(row.get("turn")) or 0,
        turn_limit=whole_of(row.get("turn_limit")),
        recorded_wait=text_of(row.get("waiting_for")),
        checkpoint=view.checkpoint if state == "waiting" else None,
        cost_usd=number_of(row.get("cost_usd")),
        tokens=tokens_of(row.get("tokens")),
        model=str(row.get("model") or ""),
        scripted=bool(row.get("scripted")),
        loop=text_of(row.get("loop")),
        loop_limit=whole_of(row.get("loop_limit")),
        loop_done=whole_of(row.get("loop_done")) or 0,
        group=dict(row["group"]) if isinstance(row.get("group"), Mapping) else None,
        started=number_of(row.get("started")),
        ended=number_of(row.get("ended")),
        branch=text_of(row.get("branch")),
        commit=text_of(row.get("commit")),
        now=view.now if state != "ended" and (state == view.state or not view.known) else Now(),
        known=True,
    )


def with_details(shown: Row, before: RunView | None = None) -> RunView:
    """The view of a run from the answer to `engine/show`."""
    view = of_row(shown["run"], before)
    rows = [row for row in shown.get("gates") or () if isinstance(row, Mapping)]
    newest = str(rows[-1].get("commit") or "") if rows else view.gates_commit
    verdicts = {str(row.get("gate")): str(row.get("verdict")) for row in rows if str(row.get("commit") or "") == newest}
    checkpoint = shown.get("checkpoint")
    return replace(
        view,
        gates=verdicts if rows else view.gates,
        gates_commit=newest,
        checkpoint=dict(checkpoint) if isinstance(checkpoint, Mapping) and view.needs_person else None,
        evidence=evidence.of(shown),
        detailed=True,
    )


def text_of(value: Any) -> str | None:
    return str(value) if value not in (None, "") else None


def number_of(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def whole_of(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def tokens_of(value: Any) -> dict[str, int]:
    found = value if isinstance(value, Mapping) else {}
    return {name: whole_of(found.get(name)) or 0 for name in ZERO}
