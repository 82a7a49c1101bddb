"""Which files of a tree its configuration makes part of the checks: set-up files, plug-ins, modules that a
configuration imports, files that it takes for tests. Work that changes one of them changes what checks it, though the
configuration itself stays as it was (gates §5.6). Pure; nothing is run.

Told by the words behind keys that name files. What a program finds out for itself, or a file that a set-up file imports
in turn, can't be told: that is the work itself as often as not.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final

from devloop import globs
from devloop.gates import guard_files
from devloop.gates.guard_shadows import Around

LONGEST: Final = 2_000
"""Characters of a value that are looked at."""
MOST: Final = 10
"""Patterns of tests, and folders of the import path, of which more are not looked at."""
_JS: Final = re.compile(
    r"(?:^|/)(?:(?:jest|vitest|vite|karma|playwright|cypress|webdriver|wdio|ava|babel|eslint)\.(?:conf(?:ig)?|workspace|\w+\.config)"
    r"\.(?:[cm]?[jt]s|json)|\.mocharc(?:\.\w+)?|\.nycrc(?:\.json)?|\.babelrc(?:\.\w+)?|\.eslintrc(?:\.\w+)?|bunfig\.toml"
    r"|tsconfig(?:\.\w+)?\.json|package\.json)$"
)
_PYTHON: Final = re.compile(
    r"(?:^|/)(?:\.?pytest\.(?:ini|toml)|tox\.ini|setup\.cfg|pyproject\.toml|\.?mypy\.ini|\.?ruff\.toml|\.?pylintrc|\.coveragerc)$"
    r"|^(?:tests?/)?conftest\.py$"
)
_CONFIGURES: Final = re.compile(r"\.(?:ini|cfg|toml|ya?ml|jsonc?)$|(?:^|[./_-])conf(?:ig)?[^/]*$")
_ENDINGS_OF_JS: Final = (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts", ".json", ".jsonc", ".yml", ".yaml")
_SECTIONS: Final = ("jest", "vitest", "mocha", "ava", "nyc", "c8", "tap", "babel", "eslintConfig")
"""Of `package.json`, which names the work itself in its others."""
_KEY_OF_JS: Final = re.compile(
    r"(?<![\w.-])[\"']?(?P<key>setupFiles(?:AfterEnv|AfterEach)?|globalSetup|globalTeardown|testEnvironment|environment"
    r"|snapshot(?:Environment|Serializers|Resolver)|(?:test)?[rR]unner|testSequencer|reporters?|resolver|transform|preset"
    r"|preload|require|import|loader|file|supportFile|moduleNameMapper|extends|plugins?|testMatch|specPattern|spec)"
    r"[\"']?[ \t]*+[:=][ \t]*+"
)
_KEY_OF_PYTHON: Final = re.compile(
    r"(?<![\w.-])(?P<key>addopts|pytest_plugins|pythonpath|python_paths|python_files|(?:load-)?plugins|extend)"
    r"[ \t]*+[:=][ \t]*+"
)
_TESTS: Final = frozenset(("python_files", "testMatch", "specPattern", "spec"))
_ROOTS: Final = frozenset(("pythonpath", "python_paths"))
_IMPORTED: Final = re.compile(r"(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*+[\"'](?P<path>\.[^\"'\n]{1,200})[\"']")
_CALL: Final = re.compile(r"\b(?:resolve|join)\((?P<parts>[^()]{0,200}+)\)")
_QUOTED: Final = re.compile(r"[\"'`]([^\"'`\n]++)[\"'`]")
_WORD: Final = re.compile(r"[^\s\"'`,;()\[\]{}]++")
_CODE: Final = ("", ".ts", ".js", ".mjs", ".cjs", ".mts", ".cts", ".tsx", ".jsx", ".json", "/index.ts", "/index.js")
_OPTIONS: Final = ("-p", "-c", "--cov-config", "--config-file")
_CLOSE: Final = {"[": "]", "{": "}"}


def names_files(path: str, *, run: bool = False) -> bool:
    """Whether the text of a file is a configuration that may name files that are part of the checks. `run`: a check's
    command names it."""
    return bool(_JS.search(path) or _PYTHON.search(path) or (run and _CONFIGURES.search(path)))


def around(
    texts: Mapping[str, str], base: Iterable[str], changed: Collection[str], installed: frozenset[str] = frozenset()
) -> Around:
    """The surroundings of a change, as the base tree's configuration (`texts`, by path) makes them. `base`: all files
    of the base tree; `changed`: of the change; `installed`: modules of the environment."""
    before = frozenset(base)
    made = _Read(before.union(changed))
    for path, text in texts.items():
        made.configuration(path, text)
    taken = {
        path: f"{who} takes it for a test"
        for path in changed
        if path in before and not guard_files.is_test(path)
        if (who := next((who for pattern, who in made.patterns if _takes(pattern, path)), ""))
    }
    return Around(before, installed, frozenset(made.roots), made.named, taken)


def is_read(path: str, around: Around) -> bool:
    """Whether both texts of a file are compared whole."""
    python = guard_files.is_test(path) or path in around.named or path in around.tests
    return guard_files.is_sectioned(path) or (python and path.endswith(".py"))


class _Read:
    def __init__(self, paths: frozenset[str]) -> None:
        self._paths = paths
        self.named: dict[str, str] = {}
        self.roots: set[str] = set()
        self.patterns: list[tuple[str, str]] = []
        """Each with the configuration that says it."""

    def configuration(self, path: str, text: str) -> None:
        folder = posixpath.dirname(path)
        if guard_files.is_package_json(path):
            text = _sections(text)
        in_python = not (_JS.search(path) or path.endswith(_ENDINGS_OF_JS))
        if not in_python:
            text = _CALL.sub(lambda call: f"'{'/'.join(_QUOTED.findall(call['parts']))}'", text)
            for match in _IMPORTED.finditer(text):
                self._name(match["path"], folder, path)
        found = [*_values(text, in_python, indented=in_python or path.endswith((".yml", ".yaml")))]
        for key, value in sorted(found, key=lambda pair: pair[0] not in _ROOTS):
            words = [word.removeprefix("<rootDir>/").removeprefix("./") for word in _WORD.findall(value)]
            if key in _ROOTS:
                self.roots |= {_joined(folder, word) for word in words[: MOST - len(self.roots)]}
            elif key in _TESTS:
                below = [posixpath.join(folder, word) if "/" in word else word for word in words]
                self.patterns += [(word, path) for word in below[: MOST - len(self.patterns)] if "!" not in word]
            else:
                for word in _of_options(words) if key == "addopts" else words:
                    self._name(word, folder, path)
                    if in_python:
                        self._name_module(word.partition(":")[0], folder, path)

    def _name(self, word: str, folder: str, who: str) -> None:
        if "/" in word or "." in word:
            for ending in _CODE:
                self._tell(_joined(folder, f"{word}{ending}"), who)

    def _name_module(self, word: str, folder: str, who: str) -> None:
        module = word.replace(".", "/")
        for root in {"", "src", "lib", folder, *self.roots}:
            self._tell(_joined(root, f"{module}.py"), who)
            self._tell(_joined(root, f"{module}/__init__.py"), who)

    def _tell(self, path: str, who: str) -> None:
        if path in self._paths and not guard_files.is_package_json(path):
            self.named.setdefault(path, f"{who} names it")


def _values(text: str, in_python: bool, *, indented: bool) -> Iterator[tuple[str, str]]:
    """Keys and the text that stands behind them: to the end of a list or mapping, or of the line and, as `indented`, of
    what is further in."""
    key, at = _KEY_OF_PYTHON if in_python else _KEY_OF_JS, 0
    while (match := key.search(text, at)) is not None:
        rest = text[match.end() : match.end() + LONGEST]
        close = _CLOSE.get(rest[:1])
        if close is not None:
            value = rest[: _end(rest, rest[0], close)]
        else:
            first, *more = rest.split("\n")
            further = takewhile(lambda line: line[:1].isspace() or line.startswith("-"), more if indented else ())
            value = "\n".join((first, *further))
        yield match["key"], value
        at = match.end() + len(value)


def _end(text: str, opens: str, closes: str) -> int:
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == opens) - (sign == closes)
        if depth == 0:
            return at
    return len(text)


def _sections(text: str) -> str:
    try:
        found = json.loads(text)
        return "\n".join(json.dumps(found[name]) for name in _SECTIONS if name in found)
    except (ValueError, TypeError, RecursionError):
        return ""


def _of_options(words: list[str]) -> Iterator[str]:
    """What options of pytest name that load something."""
    for at, word in enumerate(words):
        name, _, value = word.partition("=")
        if word in _OPTIONS and at + 1 < len(words):
            yield words[at + 1]
        elif name in _OPTIONS and value:
            yield value
        elif word.startswith("-p") and len(word) > 2:
            yield word[2:]


def _takes(pattern: str, path: str) -> bool:
    """Whether a pattern of tests means a file. One that takes every module says nothing about this one."""
    *folders, last = pattern.split("/")
    if set(folders) <= {"**", "*", "."} and globs.matches(last, (f"a{posixpath.splitext(path)[1]}",)):
        return False
    return globs.matches(pattern if "/" in pattern else f"**/{pattern}", path.split("/"))


def _joined(folder: str, path: str) -> str:
    plain = posixpath.normpath(posixpath.join(folder, path))
    return "" if plain == "." or plain.startswith(("/", "../")) else plain
