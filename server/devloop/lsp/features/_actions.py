"""Code actions as values, before they are put into the protocol's words; what an action carries to its resolving.

No method of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import StaleEdit
from devloop.lsp.texts import label
from devloop.plan.tree import TASK

if TYPE_CHECKING:
    from devloop.lsp.buffers import Buffer, Snapshot
    from devloop.lsp.connection import Connection
    from devloop.lsp.features._payload import Payload

QUICK_FIX: Final = "quickfix"
REWRITE: Final = "refactor.rewrite"
MOVE: Final = "refactor.move"
FIX_ALL: Final = "source.fixAll.devloop"
RENUMBER: Final = "source.renumber.devloop"
KINDS: Final = (QUICK_FIX, REWRITE, MOVE, FIX_ALL, RENUMBER)


@dataclass(frozen=True)
class Action:
    """What is offered. One of `payload` (an edit), `command` or `disabled` (why not) is set. `kind` is empty for what
    is neither a fix nor a refactoring; `diagnostics` are those it answers to."""

    title: str
    kind: str = ""
    payload: Payload | None = None
    command: dict[str, Any] | None = None
    diagnostics: tuple[t.Diagnostic, ...] = ()
    preferred: bool = False
    disabled: str = ""


@dataclass(frozen=True)
class Asked:
    """A request for code actions. Lines are counted from 1, both included; `only`: kinds the editor wants, None: what
    fits. `invoked`: a person opened the menu, the cursor did not only come by."""

    snapshot: Snapshot
    buffer: Buffer
    range: t.Range
    first: int
    last: int
    diagnostics: Sequence[t.Diagnostic]
    only: tuple[str, ...] | None
    invoked: bool

    @property
    def plan(self) -> plans.Plan:
        return self.snapshot.plan

    def wants(self, kind: str) -> bool:
        """Whether actions of a kind may be shown: kinds are hierarchical (LSP 3.18, CodeActionKind)."""
        return self.only is None or any(
            not each or kind == each or kind.startswith(f"{each}.") or each.startswith(f"{kind}.") for each in self.only
        )

    def takes(self, kind: str) -> bool:
        """Whether just this kind may be shown."""
        return self.only is None or any(not each or kind == each or kind.startswith(f"{each}.") for each in self.only)

    def named(self, kind: str) -> bool:
        """Whether it was asked for by its kind."""
        return self.only is not None and self.takes(kind)

    def payload(self, do: Any, **values: Any) -> Payload:
        from devloop.lsp.features._payload import Payload

        return Payload(uri=self.snapshot.uri, version=self.snapshot.version, do=do, **values)


def read(connection: Connection, data: object) -> Payload:
    """What an action carries. Raises `UsageError` for what is not ours."""
    from devloop.lsp.features import _payload

    return _payload.action(connection.protocol.plain(data))


def stale() -> StaleEdit:
    return StaleEdit("The text was changed meanwhile.", hint="Ask for the actions again.")


def task_at(plan: plans.Plan, line: int) -> plans.Task | None:
    """The task that a line begins, or belongs to."""
    node = plan.tree.nodes.get(line)
    while node is not None and node.kind != TASK:
        node = node.parent
    return plan.tasks[node.index] if node is not None else None


def quoted(text: str) -> str:
    """A person's words as a part of a title."""
    return f"“{label(text, 60)}”"
