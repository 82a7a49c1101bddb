"""Where a repository declares hooks, and which of its files their commands name. Pure: whoever asks reads the files.

Trust needs this (what a person is shown and what is hashed) and so does whoever runs hooks: both must find the same.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

OWN: Final = ".devloop/hooks.json"
"""devloop's own place. One file, in the shape that Claude Code has made known: a second syntax in `config.toml` would
say the same things in other words."""
CLAUDE: Final = (".claude/settings.json", ".claude/settings.local.json")
PLUGIN: Final = "hooks/hooks.json"
REPOSITORY: Final = (OWN, *CLAUDE, PLUGIN)
"""Files of a repository that may declare hooks, in the order in which their hooks count."""

MAX_BYTES: Final = 256 * 1024
MAX_NAMED: Final = 200
ROOTS: Final = ("CLAUDE_PROJECT_DIR", "CLAUDE_PLUGIN_ROOT", "DEVLOOP_PROJECT_DIR", "PWD")
"""Variables that stand for the project's folder in a hook's command."""

_NAMES = "|".join(ROOTS)
_ROOT = re.compile(rf"\$(?:\{{(?:{_NAMES})(?::?-[^}}]*)?\}}|(?:{_NAMES})(?![A-Za-z0-9_]))")
_WORD = re.compile(r"[\w./@+~-]+")
_COMMAND_KEYS = ("command", "script")


def declared(data: bytes) -> Any:
    """The value of `hooks` in such a file; None when it declares none, or can't be read (then it declares nothing)."""
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("disableAllHooks") is True:
        return None
    return found.get("hooks") or None


def rendered(value: Any) -> str:
    """What is declared, as text: two texts are equal only when they say the same."""
    return json.dumps({"hooks": value}, indent=2, ensure_ascii=True, sort_keys=True) + "\n"


def commands(value: Any) -> Iterator[str]:
    """Every command in a file's `hooks`, in whatever shape and however deep."""
    waiting = [value]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, dict):
            for key, inner in each.items():
                if key in _COMMAND_KEYS and isinstance(inner, str):
                    yield inner
                else:
                    waiting.append(inner)
        elif isinstance(each, list):
            waiting += each


def named(command: str, root: str) -> tuple[str, ...]:
    """What may be paths of the repository in a command, relative to its root; whether they exist is not known here.

    Told from the words of the command alone: what a program runs in turn (`make check`) can't be told.
    """
    marked = _ROOT.sub("\0", command)
    told = [*words(marked), *_WORD.findall(re.sub(r"[\"']", "", marked.replace("\0", f"{root}")))]
    found: dict[str, None] = {}
    for word in told:
        path = word.replace("\0", root)
        if path.startswith(f"{root}/"):
            path = path[len(root) + 1 :]
        elif path.startswith(("/", "~", "-")):
            continue
        path = posixpath.normpath(path) if path else "."
        if path != "." and not path.startswith("../") and path != ".." and len(path) < 1024:
            found.setdefault(path)
    return tuple(found)[:MAX_NAMED]


def words(text: str) -> list[str]:
    """Of a shell's command, operators by themselves; none where a quote has no end."""
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        lexer.commenters = ""
        return list(lexer)
    except ValueError:  # a quote without an end
        return []


def unit(path: str) -> str:
    """What counts as a whole together with a script: the outermost folder called `hooks` that it lies in, because
    scripts there call each other; else the script alone."""
    parts = path.split("/")
    return "/".join(parts[: parts.index("hooks") + 1]) if "hooks" in parts[:-1] else path


def units(paths: Iterable[str]) -> tuple[str, ...]:
    """The units of these files, each once and none inside of another."""
    found = sorted({unit(path) for path in paths})
    return tuple(each for each in found if not any(each != other and each.startswith(f"{other}/") for other in found))
