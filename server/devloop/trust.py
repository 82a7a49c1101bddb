"""Trust by content: nothing that a repository declares runs before a person has seen exactly that text.

Everything executable is one *item*: each gate and the set-up command of `.devloop/config.toml` (rendered as what will
run), agents. So is each file that declares hooks, with the scripts that it names. So is each skill, as its whole
folder: what an agent is told to do counts as much as a script beside it. So is `.worktreeinclude`, which decides which
private files agents see. What a person accepts is an item's sha256, never a path, a pattern or the future: one changed
byte asks again, the other items stay. The trusted text is kept in the person's state directory, so that the next
question can show a difference. Rules: security §8.

Commands that were only *discovered* (pytest, ruff, mypy in the sandbox) are devloop's own text and need no trust.

What counts as an item is in `trust_items.py`, how its bytes are read and shown in `trust_bytes.py`.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from devloop.errors import Untrusted
from devloop.files import held_lock, write_atomic
from devloop.lists import some
from devloop.trust_bytes import MAX_ITEM, read_file
from devloop.trust_items import (
    CONFIG,
    MAX_SKILL_FILES,
    SKILL_FILE,
    SKILL_FOLDERS,
    Item,
    Kind,
    gate_key,
    hooks_in,
    items,
    render_command,
    skills_in,
    tests_item,
    tests_key,
    verify_item,
)

__all__ = [
    "ABOUT",
    "CONFIG",
    "HINT",
    "MAX_ITEM",
    "MAX_SKILL_FILES",
    "SKILL_FILE",
    "SKILL_FOLDERS",
    "Item",
    "ItemState",
    "Kind",
    "Status",
    "accept",
    "bundle_hash",
    "gate_key",
    "hooks_in",
    "items",
    "read_file",
    "render_command",
    "require",
    "revoke",
    "skills_in",
    "state",
    "states_of",
    "tests_item",
    "tests_key",
    "trusted_hashes",
    "verify_item",
]

Status = Literal["trusted", "new", "changed", "refused"]

HINT = "Look at it and trust it with `devloop trust`."

ABOUT: Mapping[Kind, str] = {
    "gate": "A check. Its command runs on the work of every task, in the sandbox, without a network.",
    "setup": "Its command runs before an agent begins, in the sandbox, with a network.",
    "agent": "Instructions that an agent of this name follows.",
    "hook": "Commands that run at events of a run, in the sandbox, with exactly the scripts that are shown.",
    "skill": "What agents are told about a subject, and files that they may use.",
    "include": "Which private files of your checkout are copied to where agents see them.",
    "verify": "A command of the plan. It runs to verify a task, in the sandbox, without a network.",
    "tests": "Existing tests that a task of the plan may change. It runs nothing; work on them waits for nobody.",
}
"""What trusting an item of a kind means, for whoever is asked."""


@dataclass(frozen=True)
class ItemState:
    """An item and whether a person trusts this content. `trusted_text` is what was trusted before, if anything."""

    item: Item
    status: Status
    trusted_text: str | None = None

    def diff(self) -> str:
        """From the trusted text to the present one, unified; "" when nothing was trusted or nothing differs."""
        if self.trusted_text is None or self.status != "changed":
            return ""
        lines = difflib.unified_diff(
            self.trusted_text.splitlines(), self.item.text.splitlines(), "trusted", "now", lineterm=""
        )
        return "\n".join(lines) or "(only bytes that can't be shown differ)"

    def to_json(self) -> dict[str, Any]:
        item = self.item
        data = {"key": item.key, "kind": item.kind, "path": item.path, "sha256": item.sha256, "status": self.status}
        shown = {"text": item.text, "diff": self.diff(), "reason": item.refused}
        return {**data, "about": ABOUT[item.kind], **shown}


def bundle_hash(listed: Iterable[Item]) -> str:
    """One hash over all items: the sorted (key, sha256) pairs."""
    pairs = "".join(f"{key}\0{digest}\n" for key, digest in sorted((item.key, item.sha256) for item in listed))
    return hashlib.sha256(pairs.encode("utf-8", "surrogatepass")).hexdigest()


def state(root: Path, store: Path, more: Iterable[Item] = ()) -> tuple[ItemState, ...]:
    """What is trusted, new or changed at `root`, given the person's `store` (`StateDir.trust_file`). `more`: items that
    stand elsewhere than in files of their own."""
    return states_of((*items(root), *more), store)


def states_of(listed: Iterable[Item], store: Path) -> tuple[ItemState, ...]:
    """The same of items that are known."""
    known = _load(store)
    return tuple(_state(item, known.get(item.key)) for item in listed)


def trusted_hashes(store: Path) -> dict[str, str]:
    """What a person trusted, by key: the sha256 of its content."""
    return {key: entry["sha256"] for key, entry in _load(store).items()}


def accept(
    root: Path, store: Path, shown: Iterable[tuple[str, str]], more: Iterable[Item] = ()
) -> tuple[ItemState, ...]:
    """Trust exactly what was shown: (key, sha256) pairs. All or nothing.

    Raises `Untrusted` when an item is gone, may not be trusted, or its content is no longer what was shown.
    """
    more = tuple(more)
    present = {item.key: item for item in (*items(root), *more)}
    chosen: list[Item] = []
    for key, digest in shown:
        item = present.get(key)
        if item is None:
            raise Untrusted(f"{key} is no longer there.", hint="Look at the list again.", items=[key])
        if item.refused:
            raise Untrusted(f"{key} can't be trusted: {item.refused}.", items=[key])
        if item.sha256 != digest:
            raise Untrusted(f"{key} has changed since it was shown.", hint="Look at it again.", items=[key])
        chosen.append(item)
    with _changing(store) as known:
        for item in chosen:
            known[item.key] = {"sha256": item.sha256, "text": item.text}
    return state(root, store, more)


def revoke(store: Path, keys: Collection[str] | None = None) -> tuple[str, ...]:
    """Forget the trust in `keys`; None forgets all of this workspace. Which of them were trusted."""
    with _changing(store) as known:
        gone = tuple(sorted(known)) if keys is None else tuple(key for key in dict.fromkeys(keys) if key in known)
        for key in gone:
            del known[key]
    return gone


def require(root: Path, store: Path, kinds: Collection[Kind], keys: Collection[str] | None = None) -> tuple[Item, ...]:
    """The trusted items of `kinds` (and of `keys`, when given), with the bytes that were hashed.

    Raises `Untrusted`, naming the items, when one of them is not trusted as it stands. A key that nothing declares
    is no error: then there is nothing to run.
    """
    asked = [s for s in state(root, store) if s.item.kind in kinds and (keys is None or s.item.key in keys)]
    missing = [s for s in asked if s.status != "trusted"]
    if missing:
        names = [s.item.key for s in missing]
        words = {"new": "not trusted yet", "changed": "changed since it was trusted"}
        told = some(missing, 5, lambda s: f"{s.item.key}: {s.item.refused or words[s.status]}", "; ")
        raise Untrusted(f"This repository declares what nobody has trusted: {told}.", hint=HINT, items=names)
    return tuple(s.item for s in asked)


def _state(item: Item, known: Mapping[str, str] | None) -> ItemState:
    text = known["text"] if known is not None else None
    if item.refused:
        return ItemState(item, "refused", text)
    if known is None:
        return ItemState(item, "new")
    return ItemState(item, "trusted" if known["sha256"] == item.sha256 else "changed", text)


def _load(store: Path) -> dict[str, dict[str, str]]:
    """Trusted items by key. A store that is damaged trusts nothing: the person is asked again."""
    try:
        data = json.loads(store.read_text("utf-8"))
        known = data["items"]
        return {str(key): {"sha256": str(entry["sha256"]), "text": str(entry["text"])} for key, entry in known.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@contextlib.contextmanager
def _changing(store: Path) -> Iterator[dict[str, dict[str, str]]]:
    """The stored items, to be changed in the block; written 0600 and whole, one writer at a time."""
    store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with held_lock(store.with_name(store.name + ".lock"), wait=True):
        known = _load(store)
        yield known
        body = json.dumps({"version": 1, "items": known}, indent=1, sort_keys=True)
        write_atomic(store, body.encode("utf-8", "backslashreplace"), mode=0o600)
