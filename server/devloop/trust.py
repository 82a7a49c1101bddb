"""Trust by content: nothing that a repository declares runs before a person has seen exactly that text.

Everything executable is one *item*: each gate and the set-up command of `.devloop/config.toml` (rendered as what will
run), agents. So is each file that declares hooks, with the scripts that it names. So is each skill, as its whole
folder: what an agent is told to do counts as much as a script beside it. So is `.worktreeinclude`, which decides which
private files agents see. What a person accepts is an item's sha256, never a path, a pattern or the future: one changed
byte asks again, the other items stay. The trusted text is kept in the person's state directory, so that the next
question can show a difference. Rules: security §8.

Commands that were only *discovered* (pytest, ruff, mypy in the sandbox) are devloop's own text and need no trust.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import hashlib
import json
import os
import re
import stat
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from devloop import hook_files
from devloop.errors import Untrusted
from devloop.files import held_lock, write_atomic
from devloop.redact import one_line

Kind = Literal["gate", "setup", "agent", "hook", "skill", "include", "verify"]
Status = Literal["trusted", "new", "changed", "refused"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
CONFIG = ".devloop/config.toml"
INCLUDE = ".worktreeinclude"
MAX_ITEM = 512 * 1024
MAX_ITEMS = 2_000
HINT = "Look at it and trust it with `devloop trust`."

# What is searched, how deep, and what counts there.
_FOLDERS: tuple[tuple[Kind, str], ...] = (
    ("agent", ".devloop/agents"),
    ("agent", ".claude/agents"),
)

SKILL_FOLDERS = (".agents/skills", ".claude/skills", ".devloop/skills")
"""Where a repository may have skills; of two with the same name the one in the later folder counts."""
SKILL_FILE = "SKILL.md"
MAX_SKILL_FILES = 200
MAX_HOOK_FILES = 200


@dataclass(frozen=True)
class Item:
    """One executable thing. `text` is what a person is shown, hidden characters made visible; `sha256` is of the bytes.

    `data` is what was hashed, `value` the table that was rendered (gates, set-up): use these, not the path again.
    `refused` says why nobody may trust it.
    """

    key: str
    kind: Kind
    path: str
    text: str
    sha256: str
    data: bytes = b""
    refused: str = ""
    value: Mapping[str, Any] | None = field(default=None, compare=False)
    name: str = ""
    """A gate's name as its file writes it; a skill's folder."""
    files: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    """The bytes that were hashed: a skill's files by their paths in its folder; the scripts that a file of hooks names,
    by their paths in the repository."""


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
        return {**data, "text": item.text, "diff": self.diff(), "reason": item.refused}


def items(root: Path) -> tuple[Item, ...]:
    """Everything executable that the tree at `root` declares, sorted by key. Never raises on what a tree holds."""
    found = {
        item.key: item for item in (*_configured(root), *_included(root), *_files(root), *_hooks(root), *_skills(root))
    }
    return tuple(found[key] for key in sorted(found))


def hooks_in(root: Path) -> tuple[Item, ...]:
    """The items of hooks, without a look at the others."""
    return tuple(_hooks(root))


def read_file(root: Path, path: str) -> bytes:
    """The bytes of a file below `root` as items are read: no link, no special file, bounded. Raises `OSError` and
    `ValueError`."""
    return _read(root, path)


def bundle_hash(listed: Iterable[Item]) -> str:
    """One hash over all items: the sorted (key, sha256) pairs."""
    pairs = "".join(f"{key}\0{digest}\n" for key, digest in sorted((item.key, item.sha256) for item in listed))
    return hashlib.sha256(pairs.encode("utf-8", "surrogatepass")).hexdigest()


def verify_item(command: str, path: str, about: str = "") -> Item:
    """The command by which the plan `path` has a task verified. What is trusted is its text, whatever task names it."""
    data = command.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(data).hexdigest()
    title = f"# {one_line(about, 200)}\n" if about else ""
    text = title + render_command("verify", {"command": command})
    return Item(f"verify:{digest[:16]}", "verify", path, text, digest, data)


def state(root: Path, store: Path, more: Iterable[Item] = ()) -> tuple[ItemState, ...]:
    """What is trusted, new or changed at `root`, given the person's `store` (`StateDir.trust_file`). `more`: items that
    stand elsewhere than in files of their own."""
    known = _load(store)
    return tuple(_state(item, known.get(item.key)) for item in (*items(root), *more))


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


def revoke(store: Path, keys: Collection[str] | None = None) -> None:
    """Forget the trust in `keys`; None forgets all of this workspace."""
    with _changing(store) as known:
        for key in list(known) if keys is None else [key for key in keys if key in known]:
            del known[key]


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
        told = "; ".join(f"{s.item.key}: {s.item.refused or words[s.status]}" for s in missing[:5])
        more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise Untrusted(f"This repository declares what nobody has trusted: {told}{more}.", hint=HINT, items=names)
    return tuple(s.item for s in asked)


def render_command(name: str, table: Mapping[str, Any]) -> str:
    """The text of a gate or set-up item: the command first, then every other value, sorted; one value per line.

    Injective: two tables give one text only when they say the same. Everything outside printable ASCII is escaped.
    """
    lines = [f"[{name}]"]
    for key in sorted(table, key=lambda k: (k != "command", k)):
        lines.append(f"{key if _BARE.fullmatch(key) else json.dumps(key)} = {_plain(table[key])}")
    return "\n".join(lines) + "\n"


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=lambda other: {type(other).__name__: str(other)})


def _state(item: Item, known: Mapping[str, str] | None) -> ItemState:
    text = known["text"] if known is not None else None
    if item.refused:
        return ItemState(item, "refused", text)
    if known is None:
        return ItemState(item, "new")
    return ItemState(item, "trusted" if known["sha256"] == item.sha256 else "changed", text)


def _configured(root: Path) -> Iterator[Item]:
    """One item per gate, one for the set-up command. A file that can't be read declares nothing, as in settings."""
    try:
        data = tomllib.loads(_read(root, CONFIG).decode("utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as problem:
        if not isinstance(problem, (UnicodeDecodeError, tomllib.TOMLDecodeError)):
            yield _refused("setup", CONFIG, CONFIG, _why(problem))
        return
    gates = data.get("gates", {})
    for name, table in gates.items() if isinstance(gates, dict) else ():
        if isinstance(table, dict):
            plain = name if _BARE.fullmatch(name) else json.dumps(name)
            yield _rendered("gate", f"gate:{plain}", f"gates.{plain}", table, name)
    setup = data.get("setup")
    if isinstance(setup, dict):
        yield _rendered("setup", "setup", "setup", setup)


def _included(root: Path) -> Iterator[Item]:
    if os.path.lexists(root / INCLUDE):
        yield _item(root, "include", INCLUDE)


def _rendered(kind: Kind, key: str, title: str, table: Mapping[str, Any], name: str = "") -> Item:
    text = render_command(title, table)
    data = text.encode()
    return Item(key, kind, CONFIG, text, hashlib.sha256(data).hexdigest(), data, value=table, name=name)


def _files(root: Path) -> Iterator[Item]:
    count = 0
    for kind, folder in _FOLDERS:
        for path, problem in _walk(root, folder):
            linked_folder = bool(problem) and (root / path).is_dir()
            if not linked_folder and not _counts(kind, path.removeprefix(f"{folder}/")):
                continue
            count += 1
            if count > MAX_ITEMS:
                yield _refused(kind, f"{folder}/…", folder, f"there are more than {MAX_ITEMS} files")
                return
            yield _refused(kind, path, path, problem) if problem else _item(root, kind, path)


def _counts(kind: Kind, inside: str) -> bool:
    """`inside` is relative to the kind's folder."""
    return kind != "agent" or (inside.endswith(".md") and "/" not in inside)


def _hooks(root: Path) -> Iterator[Item]:
    """One item per file that declares hooks: what it declares, and the bytes of the scripts that its commands name.

    A file that can't be understood declares nothing; `devloop hooks check` says what is wrong with it.
    """
    for path in hook_files.REPOSITORY:
        if os.path.lexists(root / path):
            try:
                found = _hook_file(root, path, _read(root, path))
            except (OSError, ValueError) as problem:
                found = _refused("hook", path, path, _why(problem))
            if found is not None:
                yield found


def _hook_file(root: Path, path: str, data: bytes) -> Item | None:
    """Raises `OSError` and `ValueError` for a script that can't be a part of it."""
    declared = hook_files.declared(data) if len(data) <= hook_files.MAX_BYTES else None
    if declared is None:
        return None
    files: dict[str, bytes] = {}
    for script in _scripts(root, declared):
        try:
            files[script] = _read(root, script)
        except (OSError, ValueError) as problem:
            raise ValueError(f"{script}: {_why(problem)}") from problem
        if len(files) > MAX_HOOK_FILES:
            raise ValueError(f"its commands name more than {MAX_HOOK_FILES} files")
        if sum(map(len, files.values())) > MAX_ITEM:
            raise ValueError(f"the scripts together are larger than {MAX_ITEM // 1024} KiB")
    table = hook_files.rendered(declared)
    ordered = {key: files[key] for key in sorted(files)}
    hashed = b"".join(_framed(key, each) for key, each in {path: table.encode(), **ordered}.items())
    shown = [_shown(table.encode())]
    shown += [f"=== {_shown(os.fsencode(key))} ===\n{_shown(each)}" for key, each in ordered.items() if key != path]
    digest = hashlib.sha256(hashed).hexdigest()
    return Item(path, "hook", path, "\n".join(shown), digest, hashed, value={"hooks": declared}, files=ordered)


def _scripts(root: Path, declared: Any) -> Iterator[str]:
    """The files below `root` that the commands name, with all beside them where their folder is one of hooks."""
    named = [
        path
        for command in hook_files.commands(declared)
        for path in hook_files.named(command, str(root))
        if (root / path).is_file() or (path.split("/")[-1] == "hooks" and (root / path).is_dir())
    ]
    for unit in hook_files.units(named):
        if (root / unit).is_dir() and not (root / unit).is_symlink():
            for path, problem in _walk(root, unit):
                if problem:
                    raise ValueError(f"{path}: {problem}")
                yield path
        else:
            yield unit


def _skills(root: Path) -> Iterator[Item]:
    for place in SKILL_FOLDERS:
        yield from skills_in(root, place)


def skills_in(root: Path, place: str) -> Iterator[Item]:
    """One item per skill in the folder `place` below `root`, by name. Never raises on what a tree holds."""
    for parent in (place.partition("/")[0], place):
        if (root / parent).is_symlink():
            yield _refused("skill", parent, parent, _LINK)
            return
    try:
        with os.scandir(root / place) as entries:
            names = sorted((entry.name, entry.is_symlink()) for entry in entries if entry.is_dir())
    except OSError:
        return
    if len(names) > MAX_ITEMS:
        yield _refused("skill", f"{place}/…", place, f"there are more than {MAX_ITEMS} folders")
        return
    for name, linked in names:
        path = f"{place}/{name}" if place != "." else name
        if linked:
            yield _refused("skill", path, path, _LINK)
        elif os.path.lexists(root / path / SKILL_FILE):
            yield _skill(root, path, name)


def _skill(root: Path, path: str, name: str) -> Item:
    """All files of a skill as one item. A link anywhere in it, or too much of anything, and nobody may trust it."""
    files: dict[str, bytes] = {}
    size = 0
    for found, problem in _walk(root, path):
        inside = found.removeprefix(f"{path}/")
        try:
            if problem:
                raise ValueError(problem)
            files[inside] = _read(root, found)
            size += len(files[inside])
            if len(files) > MAX_SKILL_FILES:
                return _refused("skill", path, path, f"it has more than {MAX_SKILL_FILES} files")
            if size > MAX_ITEM:
                raise ValueError(f"its files together are larger than {MAX_ITEM // 1024} KiB")
        except (OSError, ValueError) as why:
            return _refused("skill", path, path, f"{inside}: {_why(why)}")
    ordered = {key: files[key] for key in sorted(files, key=lambda key: (key != SKILL_FILE, key))}
    data = b"".join(_framed(key, each) for key, each in ordered.items())
    text = "\n".join(f"=== {_shown(os.fsencode(key))} ===\n{_shown(each)}" for key, each in ordered.items())
    return Item(path, "skill", path, text, hashlib.sha256(data).hexdigest(), data, name=name, files=ordered)


def _framed(name: str, data: bytes) -> bytes:
    """One file so that no other set of files gives the same bytes."""
    return b"%s\0%d\0%s" % (os.fsencode(name), len(data), data)


def _item(root: Path, kind: Kind, path: str) -> Item:
    try:
        data = _read(root, path)
    except (OSError, ValueError) as problem:
        return _refused(kind, path, path, _why(problem))
    return Item(path, kind, path, _shown(data), hashlib.sha256(data).hexdigest(), data)


def _refused(kind: Kind, key: str, path: str, why: str) -> Item:
    return Item(key, kind, path, "", hashlib.sha256(why.encode()).hexdigest(), refused=why)


def _walk(root: Path, folder: str) -> Iterator[tuple[str, str]]:
    """(path, "") of every file below `folder`, and (path, why) of links and special files. No link is followed."""
    for parent in (folder.partition("/")[0], folder):
        if (root / parent).is_symlink():
            yield parent, _LINK
            return
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        with contextlib.suppress(OSError), os.scandir(root / current) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = f"{current}/{entry.name}"
                if entry.is_symlink():
                    yield path, _LINK
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(path)
                elif entry.is_file(follow_symlinks=False):
                    yield path, ""
                else:
                    yield path, "it is no regular file"


_LINK = "it is a symbolic link; put the file itself there"


def _read(root: Path, relative: str) -> bytes:
    """The bytes of a regular file below `root`, opened once; no component below `root` may be a link."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    parts = relative.split("/")
    for depth in range(1, len(parts)):
        if root.joinpath(*parts[:depth]).is_symlink():
            raise OSError(errno.ELOOP, _LINK)
    with os.fdopen(os.open(root / relative, flags), "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is no regular file")
        if found.st_size > MAX_ITEM:
            raise ValueError(f"it is larger than {MAX_ITEM // 1024} KiB")
        return stream.read(MAX_ITEM + 1)


def _why(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return _LINK if problem.errno == errno.ELOOP else f"it can't be read ({problem.strerror})"
    return str(problem)


def _shown(data: bytes) -> str:
    """The bytes as text in which nothing hides: control, format and undecodable characters are spelled out."""
    text = data.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in "\n\t" or not _hides(c) else f"\\u{{{ord(c):x}}}" for c in text)


def _hides(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


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
