"""The list of protections fits the code: each can be taken out, and the tests that prove it are there.

That these tests fail without it is shown by `pytest --without-fix all`, which takes some minutes; here for one of them.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from fixes import all_fixes
from fixes.build import ROOT, changed
from fixes.model import Fix
from fixes.running import prove, table

FIXES = all_fixes()
TESTS = (ast.FunctionDef, ast.AsyncFunctionDef)


@pytest.mark.parametrize("fix", FIXES.values(), ids=FIXES)
def test_it_can_be_taken_out_and_has_tests(fix: Fix) -> None:
    assert fix.cuts and fix.tests and fix.says and fix.threat
    for name, text in changed(fix).items():
        compile(text, name, "exec")
        assert text != (ROOT / "server" / "devloop" / name).read_text("utf-8")
    for test in fix.tests:
        file, *names = test.split("[")[0].split("::")
        assert tuple(names) in named_in(ROOT / file), f"there is no {test}"


def test_one_that_is_taken_out_is_missed() -> None:
    fix = FIXES["no-package-of-the-repository"]
    [proof] = prove([fix])
    assert proof.holds, proof.output


def test_the_security_document_has_every_one_with_its_tests() -> None:
    told = (ROOT / "server" / "SECURITY.md").read_text("utf-8")
    assert "\n".join(table()) in told, "pytest --without-fix table prints the tables as they should be"


@cache
def named_in(path: Path) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, TESTS):
            found.add((node.name,))
        elif isinstance(node, ast.ClassDef):
            found |= {(node.name, each.name) for each in node.body if isinstance(each, TESTS)}
    return found
