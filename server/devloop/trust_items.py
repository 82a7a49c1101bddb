"""What needs trust, as items with their bytes: of a tree gates and set-up, agents, skills, hooks, `.worktreeinclude`,
of its plan commands that verify tasks, and tests that tasks may change.

Nothing here raises on what a tree holds: what nobody may trust is an item that says why.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from devloop import beneath, hook_files
from devloop.redact import one_line
from devloop.trust_bytes import LINK, MAX_ITEM, framed, in_full, read_file, reason_of, walk

Kind = Literal["gate", "setup", "agent", "hook", "skill", "include", "verify", "tests"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
CONFIG = ".devloop/config.toml"
INCLUDE = ".worktreeinclude"
MAX_ITEMS = 2_000
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


def items(root: Path) -> tuple[Item, ...]:
    """Everything executable that the tree at `root` declares, sorted by key. Never raises on what a tree holds."""
    found = {
        item.key: item for item in (*_configured(root), *_included(root), *_files(root), *_hooks(root), *_skills(root))
    }
    return tuple(found[key] for key in sorted(found))


def hooks_in(root: Path) -> tuple[Item, ...]:
    """The items of hooks, without a look at the others."""
    return tuple(_hooks(root))


def verify_item(command: str, path: str, about: str = "") -> Item:
    """The command by which the plan `path` has a task verified. What is trusted is its text, whatever task names it."""
    data = command.encode("utf-8", "surrogatepass")
    digest = hashlib.sha256(data).hexdigest()
    title = f"# {one_line(about, 200)}\n" if about else ""
    text = title + render_command("verify", {"command": command})
    return Item(f"verify:{digest[:16]}", "verify", path, text, digest, data)


def tests_key(task: str) -> str:
    """The key of the item that is what the task of this id may change of the tests."""
    return f"tests:{task}"


def tests_item(
    task: str, title: str, acceptance: Sequence[str], names: Sequence[str], path: str, *, refused: str = ""
) -> Item:
    """The tests that a task of the plan `path` may change. What is trusted is these names for this very task: its id,
    its title and what has to be true when it is done."""
    lines = [f"Task {task}: {title}", *(f"Acceptance: {each}" for each in acceptance)]
    lines += ["may change these tests, and nobody is asked:", *names]
    data = json.dumps([task, title, list(acceptance), list(names)]).encode()
    shown = "" if refused else in_full("\n".join(lines).encode("utf-8", "surrogatepass"))
    return Item(tests_key(task), "tests", path, shown, hashlib.sha256(data).hexdigest(), data, refused)


def gate_key(name: str) -> str:
    """The key of the item that is the gate of this name in `.devloop/config.toml`."""
    return f"gate:{_plain_name(name)}"


def _plain_name(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name)


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


def _configured(root: Path) -> Iterator[Item]:
    """One item per gate, one for the set-up command. A file that can't be read declares nothing, as in settings."""
    try:
        data = tomllib.loads(read_file(root, CONFIG).decode("utf-8"))
    except FileNotFoundError:
        return
    except (OSError, ValueError) as problem:
        if not isinstance(problem, (UnicodeDecodeError, tomllib.TOMLDecodeError)):
            yield _refused("setup", CONFIG, CONFIG, reason_of(problem))
        return
    gates = data.get("gates", {})
    for name, table in gates.items() if isinstance(gates, dict) else ():
        if isinstance(table, dict):
            yield _rendered("gate", gate_key(name), f"gates.{_plain_name(name)}", table, name)
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
        for path, problem in walk(root, folder):
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
                found = _hook_file(root, path, read_file(root, path))
            except (OSError, ValueError) as problem:
                found = _refused("hook", path, path, reason_of(problem))
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
            files[script] = read_file(root, script)
        except (OSError, ValueError) as problem:
            raise ValueError(f"{script}: {reason_of(problem)}") from problem
        if len(files) > MAX_HOOK_FILES:
            raise ValueError(f"its commands name more than {MAX_HOOK_FILES} files")
        if sum(map(len, files.values())) > MAX_ITEM:
            raise ValueError(f"the scripts together are larger than {MAX_ITEM // 1024} KiB")
    table = hook_files.rendered(declared)
    ordered = {key: files[key] for key in sorted(files)}
    hashed = b"".join(framed(key, each) for key, each in {path: table.encode(), **ordered}.items())
    shown = [in_full(table.encode())]
    shown += [f"=== {in_full(os.fsencode(key))} ===\n{in_full(each)}" for key, each in ordered.items() if key != path]
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
            for path, problem in walk(root, unit):
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
            yield _refused("skill", parent, parent, LINK)
            return
    try:
        found = beneath.entries(root, place, links=False)
    except OSError:
        return
    names = [(name, stat.S_ISLNK(mode)) for name, mode in found if stat.S_ISLNK(mode) or stat.S_ISDIR(mode)]
    names = [(name, linked) for name, linked in names if not linked or (root / place / name).is_dir()]
    if len(names) > MAX_ITEMS:
        yield _refused("skill", f"{place}/…", place, f"there are more than {MAX_ITEMS} folders")
        return
    for name, linked in names:
        path = f"{place}/{name}" if place != "." else name
        if linked:
            yield _refused("skill", path, path, LINK)
        elif os.path.lexists(root / path / SKILL_FILE):
            yield _skill(root, path, name)


def _skill(root: Path, path: str, name: str) -> Item:
    """All files of a skill as one item. A link anywhere in it, or too much of anything, and nobody may trust it."""
    files: dict[str, bytes] = {}
    size = 0
    for found, problem in walk(root, path):
        inside = found.removeprefix(f"{path}/")
        try:
            if problem:
                raise ValueError(problem)
            files[inside] = read_file(root, found)
            size += len(files[inside])
            if len(files) > MAX_SKILL_FILES:
                return _refused("skill", path, path, f"it has more than {MAX_SKILL_FILES} files")
            if size > MAX_ITEM:
                raise ValueError(f"its files together are larger than {MAX_ITEM // 1024} KiB")
        except (OSError, ValueError) as why:
            return _refused("skill", path, path, f"{inside}: {reason_of(why)}")
    ordered = {key: files[key] for key in sorted(files, key=lambda key: (key != SKILL_FILE, key))}
    data = b"".join(framed(key, each) for key, each in ordered.items())
    text = "\n".join(f"=== {in_full(os.fsencode(key))} ===\n{in_full(each)}" for key, each in ordered.items())
    return Item(path, "skill", path, text, hashlib.sha256(data).hexdigest(), data, name=name, files=ordered)


def _item(root: Path, kind: Kind, path: str) -> Item:
    try:
        data = read_file(root, path)
    except (OSError, ValueError) as problem:
        return _refused(kind, path, path, reason_of(problem))
    return Item(path, kind, path, in_full(data), hashlib.sha256(data).hexdigest(), data)


def _refused(kind: Kind, key: str, path: str, why: str) -> Item:
    return Item(key, kind, path, "", hashlib.sha256(why.encode()).hexdigest(), refused=why)
