"""Which files of a tree a check's command runs, told from its words: work that changes one of them changes what checks
it (gates §5.6). Pure.

A program that lies in the tree, what an interpreter is given, a module after `-m`, the file that an option names;
through shell scripts, scripts of `package.json` and rules of a `Makefile`. What other programs run in turn can't be
told. A file that a tool only looks at (`mypy app.py`) is the work itself and does not count.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from devloop import hook_files

Reader = Callable[[str], str | None]

DEPTH: Final = 6
MOST: Final = 2_000
"""Commands that are looked at, one that another runs included."""
_OPERATORS: Final = frozenset(("&&", "||", ";", "|", "&", "(", ")", "!", "then", "do", "else", "if", "while", "{", "}"))
_AROUND: Final = frozenset(
    (
        *(
            "env",
            "exec",
            "time",
            "nice",
            "command",
            "timeout",
            "nohup",
            "stdbuf",
            "xvfb-run",
            "npx",
            "bunx",
            "uvx",
            "uv",
        ),
        *("poetry", "pdm", "pipenv", "hatch", "rye", "run", "coverage", "dotenv", "cross-env", "sudo", "doppler"),
    )
)
_INTERPRETER: Final = re.compile(
    r"(?:(?:ba|da|z|k|fi)?sh|source|\.|python[\d.]*|pypy[\d.]*|node|deno|bun|tsx|ts-node|ruby|perl|php|lua|Rscript|pwsh)\Z"
)
_RUNS_SCRIPTS: Final = frozenset(("npm", "pnpm", "yarn", "bun"))
_NAMES_A_FILE: Final = frozenset(
    (
        *("-c", "-f", "-r", "--config", "--config-file", "--rcfile", "--require", "--import", "--loader", "--makefile"),
        *("--justfile", "--project", "--settings", "--conf", "--rootdir", "--test-reporter", "--reporter"),
    )
)
_RULE: Final = re.compile(r"([\w./-]++(?:[ \t]++[\w./-]++)*+)[ \t]*+::?(?!=)([^=#]*)")


def run_by(command: Sequence[str], root: str, read: Reader) -> frozenset[str]:
    """Paths below the tree's root that `command` runs or is configured by; whether they exist is not known. `root`: how
    the command calls that folder. `read`: a file's text as it was before the work."""
    return frozenset(_Reading(root, read).paths(list(command)))


class _Reading:
    """One command and what it runs in turn."""

    def __init__(self, root: str, read: Reader, depth: int = DEPTH) -> None:
        self._root, self._read, self._depth = root, read, depth
        self._left = MOST
        self._seen: set[str] = set()
        self._makefile: tuple[dict[str, list[str]], dict[str, list[str]]] | None = None

    def paths(self, words: list[str]) -> Iterator[str]:
        folder = "."
        for part in _parts(words) if self._depth else ():
            self._left -= 1
            if self._left < 0:
                return
            if part[0] == "cd" and len(part) > 1:
                folder = posixpath.join(folder, part[1])
                continue
            for path in self._named(part):
                plain = self._plain(posixpath.join(folder, self._plain(path) or path))
                if plain:
                    yield plain

    def _plain(self, path: str) -> str:
        """From the tree's root; "" outside of it."""
        plain = posixpath.normpath(path.removeprefix(f"{self._root}/"))
        return "" if plain == "." or plain.startswith(("/", "../")) else plain

    def _deeper(self, text: str) -> Iterator[str]:
        if self._left <= 0:
            return
        self._depth -= 1
        yield from self.paths(_words(text))
        self._depth += 1

    def _named(self, part: list[str]) -> Iterator[str]:
        program, rest = part[0], part[1:]
        name = posixpath.basename(program)
        if "/" in program or "." in program:
            yield program
            yield from self._within(program, any_text=False)
        if _INTERPRETER.match(name):
            yield from self._interpreted(name, rest)
        if name in _RUNS_SCRIPTS:
            yield from self._scripts(rest)
        if name in ("make", "gmake"):
            yield from self._rules(rest)
        for before, word in zip(part, rest, strict=False):
            if before in _NAMES_A_FILE and not word.startswith("-"):
                yield word
            elif word.startswith("--") and "=" in word:
                yield word.partition("=")[2]

    def _interpreted(self, name: str, rest: list[str]) -> Iterator[str]:
        is_shell = name in ("source", ".") or name.endswith("sh")
        for at, word in enumerate(rest):
            following = rest[at + 1] if at + 1 < len(rest) else ""
            if word == "-m":
                module = following.replace(".", "/")
                yield from (f"{module}.py", f"{module}/__main__.py")
                return
            if re.fullmatch(r"-[a-z]*c", word):
                if is_shell:
                    yield from self._deeper(following)
                return
            if not word.startswith("-") and word not in ("run", "test"):
                yield word
                yield from self._within(word, any_text=is_shell)
                return

    def _within(self, path: str, *, any_text: bool) -> Iterator[str]:
        """What a shell script runs, line by line. `any_text`: it is one, whatever its first line says."""
        plain = self._plain(path)
        text = self._read(plain) if plain and plain not in self._seen else None
        self._seen.add(plain)
        if text is not None and (any_text or re.match(r"#!.*sh\b", text)):
            for line in text.replace("\\\n", " ").split("\n"):
                if not line.lstrip().startswith("#"):
                    yield from self._deeper(line)

    def _scripts(self, rest: list[str]) -> Iterator[str]:
        """What `npm test`, `npm run NAME`, `yarn NAME` run."""
        called = next((word for word in rest if not word.startswith("-") and word not in ("run", "run-script")), "")
        called = "test" if called == "t" else called
        if f"npm {called}" in self._seen:
            return
        self._seen.add(f"npm {called}")
        try:
            found = json.loads(self._read("package.json") or "{}")
            scripts = found.get("scripts", {})
            texts = [scripts.get(f"{when}{called}") for when in ("pre", "", "post")]
        except (ValueError, AttributeError):
            return
        for text in texts:
            if isinstance(text, str):
                yield from self._deeper(text)

    def _rules(self, rest: list[str]) -> Iterator[str]:
        """What the recipes of the goals run, and those of what they need."""
        if self._makefile is None:
            text = next(filter(None, map(self._read, ("GNUmakefile", "makefile", "Makefile"))), "")
            self._makefile = _makefile(text)
        needs, recipes = self._makefile
        first = next((goal for goal in needs if not goal.startswith(".")), "")
        waiting = [word for word in rest if word in needs] or [first]
        while waiting and self._left > 0:
            goal = waiting.pop()
            if f"make {goal}" not in self._seen:
                self._seen.add(f"make {goal}")
                waiting += needs.get(goal, [])
                for recipe in recipes.get(goal, []):
                    yield from self._deeper(recipe)


def _makefile(text: str) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What each goal needs, and its recipe's lines."""
    needs: dict[str, list[str]] = {}
    recipes: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.replace("\\\n", " ").split("\n"):
        if line.startswith("\t"):
            for goal in current:
                recipes.setdefault(goal, []).append(line.strip().lstrip("@-+"))
        elif (rule := _RULE.match(line)) is not None:
            current = rule[1].split()
            for goal in current:
                needs.setdefault(goal, []).extend(rule[2].split())
    return needs, recipes


def _parts(words: list[str]) -> Iterator[list[str]]:
    """Single commands, without what stands around the program."""
    part: list[str] = []
    for word in (*words, ";"):
        if word not in _OPERATORS:
            around = word in _AROUND or re.fullmatch(r"[A-Za-z_]\w*=.*|-.*|[\d.]+[smhd]?", word, re.DOTALL) is not None
            if part or not around:
                part.append(word)
        elif part:
            yield part
            part = []


def _words(text: str) -> list[str]:
    return hook_files.words(text) or text.split()
