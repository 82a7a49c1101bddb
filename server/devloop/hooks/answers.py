"""What a hook answers by its exit code and its output, and what several answers mean together.

The contract is Claude Code's, so that existing scripts run: 0 goes on, and stdout may say more as JSON; 2 refuses, and
stderr is the reason; anything else is a failure that the person sees and that stops nothing. An answer can only narrow:
`allow` is heard and changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from devloop.hooks.definitions import Hook
from devloop.redact import cut

Result = Literal["pass", "block", "error", "timeout", "flood"]

REFUSED: Final = 2
MAX_REASON: Final = 4_000
MAX_CONTEXT: Final = 10_000
MAX_MESSAGE: Final = 1_000
PLAIN_CONTEXT: Final = ("SessionStart",)
"""Events at which output that is no JSON is context for the agent."""


@dataclass(frozen=True)
class Ended:
    """How a hook's process ended. `exit_code` is None when devloop ended it; `result` then says why."""

    exit_code: int | None
    stdout: str = ""
    stderr: str = ""
    duration_s: float = 0.0
    killed: Literal["", "timeout", "flood", "other"] = ""
    problem: str = ""
    """Why it could not be run at all."""


@dataclass(frozen=True)
class Answer:
    """One hook's answer. `reason`: why it refuses, or what went wrong. `context`: words for the agent; `message`: for
    the person. `halt`: nothing goes on without the person."""

    hook: Hook
    result: Result
    reason: str = ""
    context: str = ""
    message: str = ""
    halt: bool = False
    duration_s: float = 0.0
    exit_code: int | None = None


@dataclass(frozen=True)
class Verdict:
    """All answers at one event, in the order in which the hooks are declared, whoever was faster."""

    answers: tuple[Answer, ...] = ()

    @property
    def blocked(self) -> bool:
        return any(each.result == "block" for each in self.answers)

    @property
    def halted(self) -> str | None:
        """Why a person has to say how it goes on; None: nobody wants that."""
        found = [f"{each.hook.title}: {each.reason or 'no reason is given'}" for each in self.answers if each.halt]
        return "; ".join(found) if found else None

    @property
    def reason(self) -> str:
        """Why it is refused, for the agent."""
        return "\n".join(f"{each.hook.title}: {each.reason}" for each in self.answers if each.result == "block")

    @property
    def context(self) -> str:
        return "\n\n".join(f"{each.hook.title}:\n{each.context}" for each in self.answers if each.context)

    @property
    def told(self) -> tuple[str, ...]:
        """What the person is told: messages, and what went wrong."""
        found = []
        for each in self.answers:
            if each.result in ("error", "timeout", "flood"):
                found.append(f"The hook {each.hook.title} ({each.hook.event}) failed: {each.reason}")
            if each.message:
                found.append(f"{each.hook.title}: {each.message}")
        return tuple(found)


def answer(hook: Hook, ended: Ended, *, limit_s: float) -> Answer:
    """What it means that a hook ended so. Total: whatever it printed."""
    base = _Base(hook, ended)
    if ended.problem:
        return base.error(ended.problem)
    if ended.killed == "timeout":
        return Answer(hook, "timeout", f"it took longer than {limit_s:g} s", duration_s=ended.duration_s)
    if ended.killed == "flood":
        return Answer(hook, "flood", "it printed without end", duration_s=ended.duration_s)
    if ended.exit_code is None:
        return base.error("it was ended: too much memory, too many processes or a full disk")
    if ended.exit_code == REFUSED:
        reason = ended.stderr.strip() or ended.stdout.strip() or "no reason is given"
        return base.make("block", cut(reason, MAX_REASON))
    if ended.exit_code != 0:
        said = cut(ended.stderr.strip() or ended.stdout.strip(), MAX_MESSAGE)
        return base.error(f"exit code {ended.exit_code}{f': {said}' if said else ''}")
    return _spoken(base, ended.stdout.strip())


@dataclass(frozen=True)
class _Base:
    hook: Hook
    ended: Ended

    def make(self, result: Result, reason: str = "", **more: Any) -> Answer:
        return Answer(
            self.hook, result, reason, duration_s=self.ended.duration_s, exit_code=self.ended.exit_code, **more
        )

    def error(self, reason: str) -> Answer:
        return self.make("error", reason)


def _spoken(base: _Base, stdout: str) -> Answer:
    """Exit code 0: JSON on stdout may say more."""
    data = _object(stdout)
    if data is None:
        if stdout.startswith("{") and stdout.endswith("}"):
            return base.error("its output begins like JSON and is none")
        plain = base.hook.event in PLAIN_CONTEXT
        return base.make("pass", context=cut(stdout, MAX_CONTEXT) if plain else "")
    more = data.get("hookSpecificOutput")
    specific: Mapping[str, Any] = more if isinstance(more, Mapping) else {}
    permission = _text(specific, "permissionDecision") or _text(data, "permissionDecision")
    refused = _text(data, "decision") in ("block", "deny") or permission in ("deny", "ask")
    reason = _text(specific, "permissionDecisionReason") or _text(data, "reason") or _text(data, "message")
    if permission == "ask":
        reason = f"{reason or 'a person has to allow this'} (ask the person, or do it another way)"
    messages = [_text(data, "systemMessage"), "" if refused else _text(data, "message")]
    if "updatedInput" in specific:
        messages.append("it wants to change the call's input, which devloop does not let hooks do")
    halt = data.get("continue") is False
    if halt:
        reason = _text(data, "stopReason") or reason
    return base.make(
        "block" if refused else "pass",
        cut(reason or "no reason is given", MAX_REASON) if refused or halt else "",
        context=cut(_text(specific, "additionalContext") or _text(data, "additionalContext"), MAX_CONTEXT),
        message=cut(" ".join(filter(None, messages)), MAX_MESSAGE),
        halt=halt,
    )


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def merged(found: Iterable[Answer]) -> Verdict:
    """The answers as one verdict: a refusal of one is a refusal, whatever the others say."""
    return Verdict(tuple(found))
