"""Where a person is when they begin: the first of ten situations that holds, and what can be done in it.

Pure: whoever asks gathers the facts (`daemon.situating`). `devloop` without arguments shows it.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal

from devloop.lists import more

Kind = Literal[
    "fresh_start_resume",
    "stale_fresh_start",
    "active_plan",
    "complete_plan",
    "blocked_plan",
    "uncommitted_work",
    "high_priority_issues",
    "open_issues",
    "recent_spike",
    "clean_slate",
]
PlanState = Literal["found", "partial", "all_complete", "all_blocked", "empty"]

RECENT_H: Final = 24.0
"""A spike that is older says nothing about now."""
HIGH: Final = ("critical", "high")


@dataclass(frozen=True)
class PlanFacts:
    """`state`: as the selection of the next task says. `next_id`, `next_title`: that task, "" without one.
    `unwritten`: it is still the template's. `blocked_by`: what everything waits for."""

    path: str
    name: str
    state: PlanState
    done: int = 0
    total: int = 0
    next_id: str = ""
    next_title: str = ""
    unwritten: bool = False
    blocked_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class IssueFacts:
    """An open issue."""

    id: str
    title: str
    type: str
    priority: str


@dataclass(frozen=True)
class Facts:
    """`hand_off`: its validity, "" without one (`stale` without the days), its task's id and age in days.
    `uncommitted`: files, None where nobody looked. `unlanded`: accepted commits that are not on the person's branch.
    `spike`: the newest one's path, "" without one, and its age in hours."""

    hand_off: str = ""
    hand_off_task: str = ""
    hand_off_days: int = 0
    plan: PlanFacts | None = None
    uncommitted: int | None = None
    unlanded: int = 0
    issues: tuple[IssueFacts, ...] = ()
    spike: str = ""
    spike_age_h: float = 0.0


@dataclass(frozen=True)
class Option:
    """Something to do: a command of the terminal, and what it does."""

    command: str
    text: str


@dataclass(frozen=True)
class Situation:
    """`text`: one sentence. `options`: the recommended one first. `acts`: it is the one that goes on by itself, where
    settings say so (`loop.resume`)."""

    kind: Kind
    text: str
    options: tuple[Option, ...] = field(default=())
    acts: bool = False

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "options": [asdict(each) for each in self.options]}


_GO_ON: Final = Option("devloop continue", "do the next task, then the following ones")
_FRESH: Final = Option("devloop continue --no-hand-off", "leave the hand-off where it is")
_SHOW: Final = Option("devloop plan show", "look at the plan")
_CHECK: Final = Option("devloop plan check", "see what is wrong with it")
_PLAN: Final = Option('devloop plan new "…" --replace', "have it planned from your words")
_QUICK: Final = Option('devloop quick "…"', "make one small change without a plan")
_START: Final = Option('devloop start "…"', "begin something new")
_NOTE: Final = Option('devloop new "…"', "note a bug, a feature or a task")
_ISSUES: Final = Option("devloop issues", "list what is open")
_BUGS: Final = Option("devloop bugs", "list the bugs")
_DIFF: Final = Option("git diff", "look at it")
_REVIEW: Final = Option("devloop review", "have it reviewed")
_LAND: Final = Option("devloop land", "bring them to your branch")
_SHIP: Final = Option("devloop ship", "make the next version")
_ARCHIVE: Final = Option("devloop archive", "move finished phases out of the plan")
_ONBOARD: Final = Option("devloop onboard", "set devloop up here, with a guide for agents")
_INIT: Final = Option("devloop init", "make a plan, .devloop/plan.md")


def situation(facts: Facts) -> Situation:
    """The first that holds, in the order of `Kind`."""
    for look in _LOOKS:
        found = look(facts)
        if found is not None:
            return found
    return _clean_slate(facts)


def needs_git(facts: Facts) -> bool:
    """Whether the answer depends on what is not committed: git is asked only then."""
    return facts.uncommitted is None and _LOOKS.index(_uncommitted) <= next(
        (at for at, look in enumerate(_LOOKS) if look(facts) is not None), len(_LOOKS)
    )


def _hand_off(facts: Facts) -> Situation | None:
    if facts.hand_off not in ("valid", "superseded") or facts.plan is None or facts.plan.state == "all_complete":
        return None
    task = facts.hand_off_task if facts.hand_off == "valid" else ""
    begin = f"A fresh start left a hand-off: it goes on with task {task}." if task else "A fresh start left a hand-off."
    goes_on = Option("devloop continue", "go on from it")
    return Situation("fresh_start_resume", begin, (goes_on, _SHOW, _FRESH), acts=facts.hand_off == "valid")


def _stale(facts: Facts) -> Situation | None:
    if facts.hand_off == "stale":
        text = f"A fresh start left a hand-off {facts.hand_off_days} days ago."
        use = Option("devloop continue --hand-off", "go on from it all the same")
        return Situation("stale_fresh_start", text, (use, _FRESH, _SHOW))
    if facts.hand_off == "invalid":
        return Situation(
            "stale_fresh_start",
            ".devloop/next-action.json can't be read.",
            (Option("devloop doctor", "see what is wrong with it"), _FRESH),
        )
    if facts.hand_off == "no_plan":
        text = "A fresh start left a hand-off, and its plan is gone."
        return Situation("stale_fresh_start", text, (_START, _INIT))
    return None


def _progress(plan: PlanFacts) -> str:
    return f"{plan.name or plan.path}: {plan.done} of {plan.total} tasks done"


def _active(facts: Facts) -> Situation | None:
    plan = facts.plan
    if plan is None or plan.state not in ("found", "partial"):
        return None
    if plan.state == "partial" or not plan.next_id:
        text = f"{_progress(plan)}; what is left was begun and not finished."
        return Situation("active_plan", text, (_SHOW, Option("devloop run TASK", "take one up again"), _SHIP))
    if plan.unwritten:
        return Situation(
            "active_plan", f"Write your first task into {plan.path}: what is to be done.", (_PLAN, _SHOW, _QUICK)
        )
    following = f"{plan.next_id} {plan.next_title}".rstrip(" .")
    text = f"{_progress(plan)}. Next: {following}."
    one = Option(f"devloop run {plan.next_id}", "do only this task")
    return Situation("active_plan", text, (_GO_ON, one, _SHOW, _QUICK))


def _complete(facts: Facts) -> Situation | None:
    plan = facts.plan
    if plan is None or plan.state != "all_complete":
        return None
    if facts.unlanded:
        many = "1 accepted commit is" if facts.unlanded == 1 else f"{facts.unlanded} accepted commits are"
        text = f"{_progress(plan)}: everything, but {many} not on your branch yet."
        return Situation("complete_plan", text, (_LAND, _REVIEW, _SHIP, _START))
    return Situation("complete_plan", f"{_progress(plan)}: everything.", (_SHIP, _ARCHIVE, _REVIEW, _START))


def _blocked(facts: Facts) -> Situation | None:
    plan = facts.plan
    if plan is None or plan.state != "all_blocked":
        return None
    by = f", which waits for {', '.join(plan.blocked_by[:5])}" if plan.blocked_by else ""
    return Situation("blocked_plan", f"{_progress(plan)}; nothing can start{by}.", (_SHOW, _CHECK, _QUICK))


def _uncommitted(facts: Facts) -> Situation | None:
    if not facts.uncommitted:
        return None
    many = f"{facts.uncommitted} files are" if facts.uncommitted > 1 else "One file is"
    return Situation("uncommitted_work", f"{many} not committed.", (_REVIEW, _DIFF, _START))


def _high(facts: Facts) -> Situation | None:
    urgent = [each for each in facts.issues if each.priority in HIGH]
    if not urgent:
        return None
    first = min(urgent, key=lambda each: (HIGH.index(each.priority), each.type != "bug"))
    others = f", {left} like it" if (left := more(len(urgent) - 1)) else ""
    text = f"{first.id} is open with priority {first.priority}: {first.title}{others}."
    show = Option(f"devloop issues {first.id}", "read it")
    plan = Option(f"devloop plan new --from {first.id}", "make a plan of it")
    return Situation("high_priority_issues", text, (show, plan, _BUGS if first.type == "bug" else _ISSUES))


def _open(facts: Facts) -> Situation | None:
    if not facts.issues:
        return None
    many = f"{len(facts.issues)} issues are open" if len(facts.issues) > 1 else f"{facts.issues[0].id} is open"
    return Situation("open_issues", f"{many}.", (_ISSUES, _START, _NOTE))


def _spike(facts: Facts) -> Situation | None:
    if not facts.spike or not 0 <= facts.spike_age_h < RECENT_H:
        return None
    topic = facts.spike.rpartition("/")[2].removesuffix(".md")
    read = Option(f"devloop spike --show {shlex.quote(topic)}", "read it")
    plan = Option(f"devloop plan new --from {shlex.quote(facts.spike)}", "make a plan of it")
    return Situation("recent_spike", f"There is a spike of today: {facts.spike}.", (read, plan, _START))


def _clean_slate(facts: Facts) -> Situation:
    if facts.plan is not None:
        return Situation("clean_slate", f"{facts.plan.path} has no tasks yet.", (_START, _SHOW, _QUICK))
    return Situation("clean_slate", "There is no plan yet.", (_START, _ONBOARD, _INIT, _QUICK))


_LOOKS: Final[tuple[Callable[[Facts], Situation | None], ...]] = (
    _hand_off,
    _stale,
    _active,
    _complete,
    _blocked,
    _uncommitted,
    _high,
    _open,
    _spike,
)
