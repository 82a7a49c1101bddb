"""Which changes to the checks hold a loop that nobody attends, and which are only shown. Pure.

Everything that `guards.py` finds is shown at a checkpoint, kept on the run and told by `devloop explain`. A change
holds unless it *can't* take anything from what was checked before:

* **a new test that is skipped** (or a new file of tests): nothing that was checked is checked less. A skip that reaches
  further than its own test (`pytest.exit`, `collect_ignore`, `.only`, a whole module that was there before) holds;
* **a suppression of layout** (`noqa: E501`, `fmt: off`): no defect has such a rule; and one that names its rule in a
  file of tests, whose word is whether they pass;
* **an assertion that asks for all it asked for and more**, or for the same with another message;
* **a fixture that is new in a `conftest.py` that was there**, asked for by a line of a test that is new, too, while all
  that stood there still does. One that runs by itself, or has the name of one of pytest's own, holds. (A fixture of a
  plug-in that it takes the place of is the known residue.)

An assertion that was *changed* holds, however much work came with it: a number put right and a number made to fit look
the same, and tests that are added beside it cost a liar nothing. So does a test that went, for only a person or the
task can say that it may.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from typing import Final

from devloop.gates import guard_words
from devloop.gates.guard_syntax import Function, module_of

_LAYOUT: Final = re.compile(
    r"#\s*fmt:\s*(?:off|skip)\b|prettier-ignore|#\s*(?:ruff:\s*|flake8:\s*)?noqa:\s*(?P<codes>[A-Z]+\d+(?:[\s,]+[A-Z]+\d+)*)"
)
_LAYOUT_RULE: Final = re.compile(r"(?:E[1235]\d\d|W\d+|I\d+|COM\d+|Q\d+|D\d+)")
_NAMED: Final = re.compile(
    r"#\s*type:\s*ignore\[[\w, -]+\]|#\s*pyright:\s*ignore\[[\w, -]+\]|#\s*noqa:\s*[A-Z]+\d+"
    r"|#\s*pylint:\s*disable=[\w-]+"
    r"|eslint-disable(?:-next)?-line\s+[\w@/-]+|biome-ignore\s+lint/[\w/]+"
)
_PYTESTS_OWN: Final = re.compile(
    r"cache|cap(?:log|(?:fd|sys)(?:binary)?|teesys)|doctest_namespace|monkeypatch|pytestconfig|pytester|testdir|subtests"
    r"|record_\w+|recwarn|request|tmp_path(?:_factory)?|tmpdir(?:_factory)?|mocker|event_loop(?:_policy)?|benchmark|worker_id"
)


def skips_only_what_is_new(text: str, line: int, new_file: bool, now: str | None, known: Collection[str]) -> bool:
    """Whether the skip in `line` (0-based, of the new text `now`) concerns tests alone that were not there before.
    `known`: names of tests of the base."""
    if not guard_words.OWN_SKIP.search(text) or guard_words.FAR_SKIP.search(text):
        return False
    if new_file:
        return True
    for node in _functions(now or ""):
        first = min((each.lineno for each in node.decorator_list), default=node.lineno) - 1
        if first <= line < (node.end_lineno or node.lineno):
            return node.name.startswith("test") and node.name not in known
    return False


def hides_no_defect(text: str, in_tests: bool) -> bool:
    """Whether the suppressions in a line are of layout alone or, in tests, name what they suppress."""
    whole = len(guard_words.SUPPRESSION.findall(text))
    layout = [
        match
        for match in _LAYOUT.finditer(text)
        if match["codes"] is None or all(map(_LAYOUT_RULE.fullmatch, re.split(r"[\s,]+", match["codes"])))
    ]
    return whole > 0 and whole == max(len(layout), len(_NAMED.findall(text)) if in_tests else 0)


def asks_no_less(old: str, new: str) -> bool:
    """Whether a new assertion (Python, on one line) holds only where the old one did: it is the same but for its
    message, or the same `and` something."""
    was, now = _asserted(old), _asserted(new)
    return was is not None and now is not None and holds_both(was, now)


def holds_both(was: ast.expr, now: ast.expr) -> bool:
    """Whether `now` is `was`, or `was` and something."""
    parts = now.values if isinstance(now, ast.BoolOp) and isinstance(now.op, ast.And) else [now]
    before = was.values if isinstance(was, ast.BoolOp) and isinstance(was.op, ast.And) else [was]
    return {ast.dump(each) for each in before} <= {ast.dump(each) for each in parts}


def only_new_fixtures(was: str, now: str, asked: Iterable[str]) -> bool:
    """Whether a `conftest.py` got nothing but fixtures (and what they import) that new lines of tests ask for;
    `asked`: those lines."""
    old, new = module_of(was), module_of(now)
    if old is None or new is None:
        return False
    before = [ast.dump(node) for node in old.body]
    names = {node.name for node in ast.walk(old) if isinstance(node, Function)}
    words = {word for line in asked for word in re.findall(r"\w+", line)}
    at, fixtures = 0, 0
    for node in new.body:
        if at < len(before) and ast.dump(node) == before[at]:
            at += 1
        elif isinstance(node, Function) and _is_plain_fixture(node) and _is_new_name(node.name, names):
            if node.name not in words:
                return False
            fixtures += 1
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            return False
    return at == len(before) and fixtures > 0


def _is_new_name(name: str, names: Collection[str]) -> bool:
    return name not in names and not _PYTESTS_OWN.fullmatch(name)


def _is_plain_fixture(node: Function) -> bool:
    if len(node.decorator_list) != 1:
        return False
    marker = node.decorator_list[0]
    options = marker.keywords if isinstance(marker, ast.Call) else []
    called = marker.func if isinstance(marker, ast.Call) else marker
    name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
    plain = not (isinstance(marker, ast.Call) and marker.args) and {each.arg for each in options} <= {"scope"}
    return name == "fixture" and plain and not node.name.startswith("pytest_")


def _asserted(line: str) -> ast.expr | None:
    module = module_of(line.strip())
    if module is None or len(module.body) != 1 or not isinstance(module.body[0], ast.Assert):
        return None
    return module.body[0].test


def _functions(text: str) -> list[Function]:
    module = module_of(text)
    return [node for node in ast.walk(module) if isinstance(node, Function)] if module is not None else []
