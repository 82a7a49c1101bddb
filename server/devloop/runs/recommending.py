"""Which decision is recommended at a checkpoint, and why: one rule for every front-end (agents-commands-skills §6, §7).

Over work that passed, in this order:

1. something in it needs a person's eye: nothing is recommended, and that is why;
2. no task of the plan is left after it: Commit. What is accepted would wait on the plan branch for nothing;
3. `context_threshold` (70 %) of the model's context is used: Fresh start. A longer conversation would be handed off;
4. `fresh_threshold` tasks (10) are done since the loop began, which is with an empty context: Fresh start;
5. half of the context is used: Fresh start, because the next task begins a conversation of its own anyway;
6. else what stands first, which is Continue in a loop and Commit for what an errand changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HALF: Final = 0.5
WORTH_SAYING: Final = 0.1
"""Below this part of the context nobody needs a reason for what stands first."""
CONTEXT_THRESHOLD: Final = 70
FRESH_THRESHOLD: Final = 10


@dataclass(frozen=True)
class Recommendation:
    """`decision`: None where none is better than another. `reason`: a few words without a full stop; may be ""."""

    decision: str | None
    reason: str


def recommended(
    decisions: Sequence[str],
    *,
    share: float,
    tasks: int = 1,
    context_threshold: int = CONTEXT_THRESHOLD,
    fresh_threshold: int = FRESH_THRESHOLD,
    doubt: str = "",
    last: bool = False,
) -> Recommendation:
    """`share`: the used part of the model's context, from 0 to 1; `tasks`: how many the loop has done, this one too;
    `doubt`: what a person has to look at first; `last`: nothing is left to do after it."""
    if doubt:
        return Recommendation(None, doubt)
    if last and "commit" in decisions:
        return Recommendation("commit", "it is the plan's last task")
    used = f"{round(share * 100)} % of the context is used"
    if "fresh" in decisions:
        if share * 100 >= context_threshold:
            return Recommendation("fresh", f"{used}; from {context_threshold} % on a conversation is full")
        if tasks >= fresh_threshold:
            return Recommendation("fresh", f"{tasks} tasks are done since the last fresh start")
        if share >= HALF:
            return Recommendation("fresh", f"{used}")
    return Recommendation(decisions[0] if decisions else None, used if share >= WORTH_SAYING else "")


def first(decisions: Sequence[str], best: str | None) -> list[str]:
    """The decisions as they are shown: the recommended one first, the others in their order."""
    return [best, *(each for each in decisions if each != best)] if best in decisions and best else list(decisions)
