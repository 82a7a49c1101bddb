"""Lock files that name the project's own version beside those of others: what declares the version and they must not
say two things. As in `manifests.py`, text is changed, never rewritten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

OF: Final = {
    "package.json": ("package-lock.json", "npm-shrinkwrap.json"),
    "pyproject.toml": ("uv.lock",),
    "Cargo.toml": ("Cargo.lock",),
}
"""By the manifest whose version they repeat."""
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')
_NPM: Final = (("version",), ("packages", "", "version"))
_PACKAGE: Final = re.compile(r"^\[\[package\]\][ \t]*\r?\n(?:(?!\[).*\r?\n?)*", re.MULTILINE)
_VERSION: Final = re.compile(r'^version[ \t]*=[ \t]*"(?P<value>[^"\r\n]*)"', re.MULTILINE)
_ROOT: Final = re.compile(r'^source[ \t]*=[ \t]*\{[ \t]*(?:editable|virtual|directory)[ \t]*=[ \t]*"\."', re.MULTILINE)


def with_version(path: str, text: str, name: str, old: str, new: str) -> str | None:
    """A lock file that says `new` where it says `old` of the project itself, called `name`; None where it does not say
    that."""
    places = list(_npm(text) if path.endswith(".json") else _toml(text, _own(path, name)))
    for start, end in reversed(places):
        if text[start:end] == old:
            text = f"{text[:start]}{new}{text[end:]}"
        else:
            return None  # it is behind already: what else is in it, only its own tool knows
    return text if places else None


def _own(path: str, name: str) -> Callable[[str], bool]:
    """Whether a block is about the project itself, and not about what it needs."""
    if path == "uv.lock":
        return lambda block: _ROOT.search(block) is not None
    called = re.compile(rf'^name[ \t]*=[ \t]*"{re.escape(name)}"', re.MULTILINE)
    return lambda block: "\nsource" not in block and called.search(block) is not None


def _toml(text: str, own: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    for block in _PACKAGE.finditer(text):
        found = _VERSION.search(block[0]) if own(block[0]) else None
        if found is not None:
            yield block.start() + found.start("value"), block.start() + found.end("value")


def _npm(text: str) -> Iterator[tuple[int, int]]:
    """Where the values of `version` and `packages[""].version` stand."""
    try:
        json.loads(text)
    except ValueError:
        return
    keys: list[str] = []
    word: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        match token[0]:
            case "{" | "[":
                keys.append("")
                word = None
            case "}" | "]" | ",":
                if word is not None and tuple(keys) in _NPM:
                    yield word.start() + 1, word.end() - 1
                word = None
                if token[0] != ",":
                    keys.pop()
            case ":":
                keys[-1] = json.loads(word[0]) if word is not None else ""
                word = None
            case _:
                word = token
