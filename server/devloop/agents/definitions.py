"""What an agent is: its modes, each with tools, access, triggers, result and the whole system prompt.

Read from Markdown by `reading.py`, which has the form of such a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from devloop.agents import contracts

Access = Literal["read", "write", "scratch"]
"""`scratch`: it may write in its worktree, and nothing of that is kept; its run ends with a report, as a reader's."""

ACCESS: Final[tuple[str, ...]] = get_args(Access)
CHAIN: Final = "chain"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a definition; `line` counts from 1. `fatal`: the agent is not there for it."""

    path: str
    line: int
    text: str
    fatal: bool = False


@dataclass(frozen=True, eq=False)
class Mode:
    """`tools` are names of `devloop.tools`. `prompt`: the whole system prompt, byte-stable for a conversation.

    `starts` and `contains` are triggers. `result`: what it must return; None for a summary in words. `tier` may be a
    model's id. `after`: the mode that a chain comes from.
    """

    name: str
    description: str
    access: Access
    tools: tuple[str, ...]
    prompt: str
    tier: str = "balanced"
    effort: str | None = None
    turns: int | None = None
    starts: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()
    result: contracts.Shape | None = None
    words: int | None = None
    after: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Agent:
    """`mode` names the mode without another word. `source` says where it comes from, `path` is that file."""

    name: str
    description: str
    mode: str
    modes: tuple[Mode, ...]
    source: str = "shipped"
    path: str = ""
    line: int = 1
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skills: tuple[str, ...] = ()
    """Skills that fit whatever this agent does."""

    def chain(self, name: str) -> tuple[str, ...]:
        """The modes of a chain, in turn; () where there is none of this name."""
        for known, modes in self.chains.items():
            if flat(known) == flat(name):
                return modes
        return self._derived() if flat(name) == CHAIN else ()

    def _derived(self) -> tuple[str, ...]:
        """From the default mode back along `after`."""
        found = [self.default.name]
        while (mode := self.find(found[0])) is not None and mode.after and self.find(mode.after[0]) is not None:
            earlier = self.find(mode.after[0])
            if earlier is None or earlier.name in found:
                break
            found.insert(0, earlier.name)
        return tuple(found) if len(found) > 1 else ()

    def find(self, mode: str | None) -> Mode | None:
        """A mode by name; `bug-tracker` and `bug_tracker` are one. None and `default` find the default."""
        wanted = flat(mode or self.mode)
        found = next((each for each in self.modes if flat(each.name) == wanted), None)
        if found is None and wanted == "default":
            return self.find(self.mode)
        return found

    @property
    def default(self) -> Mode:
        found = self.find(self.mode)
        assert found is not None
        return found

    @property
    def tools(self) -> tuple[str, ...]:
        return self.default.tools

    @property
    def prompt(self) -> str:
        return self.default.prompt


def flat(name: str) -> str:
    return name.lower().replace("-", "_")
