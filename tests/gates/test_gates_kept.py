"""What stood in tests stands there still, or it is told: by syntax for Python, by lines for other languages."""

from __future__ import annotations

import ast
import difflib
from pathlib import Path

import pytest

from devloop.gates import guard_kept
from devloop.gates.guard import Guard
from devloop.gates.guards import changes_to_checks

TEST = """\
import pytest
from app import add

EXPECTED = 5
CASES = [(1, 2, 3), (2, 2, 4)]


@pytest.fixture
def data():
    return [1, 2, 3]


def test_add():
    result = add(1, 2)
    assert result == 3
    assert add(0, EXPECTED) == 5


@pytest.mark.parametrize("a, b, c", CASES)
def test_cases(a, b, c):
    assert add(a, b) == c


def test_data(data):
    assert sum(data) == 6


class TestMore:
    def test_one(self):
        assert add(1, 1) == 2
"""
BODY = "    result = add(1, 2)\n    assert result == 3\n    assert add(0, EXPECTED) == 5\n"
FIRST = "    result = add(1, 2)\n"


def indented(head: str) -> str:
    return head + "".join(f"    {line}\n" for line in BODY.splitlines())


EMPTIED = {
    "it returns where that is always so": (FIRST, f"    if EXPECTED:\n        return\n{FIRST}"),
    "it returns in one line": (FIRST, f"    if True: return\n{FIRST}"),
    "a loop over nothing": (BODY, indented("    for _ in []:\n")),
    "a loop that is never begun": (BODY, indented("    while not EXPECTED:\n")),
    "suppressed": (BODY, indented("    with contextlib.suppress(AssertionError):\n")),
    "expected to fail": (BODY, indented("    with pytest.raises(AssertionError):\n")),
    "left in the end": (BODY, indented("    try:\n") + "    finally:\n        return\n"),
    "a generator": (FIRST, f"    yield\n{FIRST}"),
    "a generator at its end": (BODY, f"{BODY}    yield\n"),
    "a coroutine that nobody awaits": ("def test_add", "async def test_add"),
    "a function in it": (BODY, indented("    def inner():\n")),
    "a decorator": ("def test_add", "@quiet\ndef test_add"),
    "the name stands for another": ("\n\nclass TestMore", "\n\ntest_add = len\n\n\nclass TestMore"),
    "the name is gone": ("\n\nclass TestMore", "\n\ndel test_add\n\n\nclass TestMore"),
    "the name is taken away by a call": ("\n\nclass TestMore", "\n\nX = globals().pop('test_add')\n\n\nclass TestMore"),
    "defined once more, before": ("def test_add", "def test_data():\n    assert add\n\n\ndef test_add"),
    "a skip by another name": (FIRST, f"    leave('later')\n{FIRST}"),
    "a skip that no word tells": (FIRST, f"    getattr(pytest, 'sk' + 'ip')('later')\n{FIRST}"),
    "what is tested is imported from elsewhere": ("from app import add", "from fake import add"),
    "what is tested is defined here": ("\n\n@pytest.fixture", "\n\ndef add(a, b):\n    return 3\n\n\n@pytest.fixture"),
    "a function of Python is defined here": (
        "\n\n@pytest.fixture",
        "\n\ndef sum(_):\n    return 6\n\n\n@pytest.fixture",
    ),
    "what is expected": ("EXPECTED = 5", "EXPECTED = 4"),
    "what is expected, once more": ("EXPECTED = 5\n", "EXPECTED = 5\nEXPECTED = 4\n"),
    "fewer cases": ("CASES = [(1, 2, 3), (2, 2, 4)]", "CASES = [(1, 2, 3)]"),
    "fewer cases, later": ("(2, 2, 4)]\n", "(2, 2, 4)]\nCASES.pop()\n"),
    "a part of the cases": ('"a, b, c", CASES', '"a, b, c", CASES[:1]'),
    "other data": ("return [1, 2, 3]", "return [6]"),
    "a result is put right": ("    assert result == 3\n", "    result = 3\n    assert result == 3\n"),
    "a fixture that runs by itself": (
        "\n\n@pytest.fixture",
        "\n\n@pytest.fixture(autouse=True)\ndef still(monkeypatch):\n    monkeypatch.setattr(app, 'add', max)\n"
        "\n\n@pytest.fixture",
    ),
    "what pytest calls by itself": ("\n\n@pytest.fixture", "\n\ndef setup_module():\n    pass\n\n\n@pytest.fixture"),
    "a method that a runner calls": ("class TestMore:\n", "class TestMore:\n    def run(self):\n        pass\n\n"),
    "a base": ("class TestMore:", "class TestMore(Quiet):"),
}
KEPT = {
    "a comment": (FIRST, f"    # so\n{FIRST}"),
    "documentation": (FIRST, f'    """So."""\n{FIRST}'),
    "layout": ("(1, 2, 3), (2, 2, 4)", "\n    (1, 2, 3),\n    (2, 2, 4),\n"),
    "annotations": ("def test_data(data):", "def test_data(data: list[int]) -> None:"),
    "a new test": ("def test_data", "def test_other(data):\n    assert add(*data[:2]) == 3\n\n\ndef test_data"),
    "a new test of a class": (
        "    def test_one",
        "    def test_two(self):\n        assert add(1, 2)\n\n    def test_one",
    ),
    "a new helper": ("def test_data", "def pair(n):\n    return n, n\n\n\ndef test_data"),
    "a new constant": ("EXPECTED = 5\n", "EXPECTED = 5\nMORE = {'a': [1, 2]}\n"),
    "a new import": ("import pytest\n", "import json\n\nimport pytest\nfrom app import take\n"),
    "more at its end": (BODY, f"{BODY}    other = add(2, 2)\n    assert other == 4\n"),
    "more is asked for": ("assert result == 3", "assert result == 3 and result < 4, 'so'"),
    "more cases": ("(2, 2, 4)]", "(2, 2, 4), (3, 3, 6)]"),
    "another order": (BODY + "\n\n", "PLACE\n\n"),
}


def changed(part: tuple[str, str]) -> str:
    old, new = part
    assert TEST.count(old) >= 1
    if new.startswith("PLACE"):
        return TEST.replace(f"def test_add():\n{old}", "") + f"\n\ndef test_add():\n{BODY}"
    return TEST.replace(old, new, 1)


def told(path: str, before: str, after: str) -> tuple[Guard, ...]:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), f"a/{path}", f"b/{path}", lineterm="")
    patch = f"diff --git a/{path} b/{path}\n" + "\n".join(lines)
    return changes_to_checks(patch, lambda _: after, lambda _: before)


@pytest.mark.parametrize("how", EMPTIED)
def test_a_test_that_became_another_is_told_and_holds(how: str) -> None:
    found = told("tests/test_app.py", TEST, changed(EMPTIED[how]))
    assert any(each.kind == "changed-test" and each.holds for each in found), found


@pytest.mark.parametrize("how", KEPT)
def test_what_takes_nothing_from_a_test_is_no_such_change(how: str) -> None:
    after = changed(KEPT[how])
    assert after != TEST
    assert not any(each.holds for each in told("tests/test_app.py", TEST, after)), told(
        "tests/test_app.py", TEST, after
    )


def test_a_stronger_assertion_hides_nothing_that_is_done_beside_it() -> None:
    after = TEST.replace("assert result == 3", "assert result == 3 and result").replace(
        FIRST, f"    if 1: return\n{FIRST}"
    )
    assert any(each.kind == "changed-test" and each.holds for each in told("tests/test_app.py", TEST, after))


def test_the_place_is_the_definition_that_changed() -> None:
    (found,) = told("tests/test_app.py", TEST, changed(EMPTIED["a loop over nothing"]))
    assert (found.place, found.text) == ("tests/test_app.py:13", "test_add does something else")


def test_a_module_that_is_written_anew_is_the_same() -> None:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        text = path.read_text("utf-8")
        assert guard_kept.lost(text, text) == []
        assert guard_kept.lost(text, ast.unparse(ast.parse(text))) == [], path.name


SCRIPT = "test('adds', () => {\n  const n = add(1, 2);\n  expect(n).toBe(3);\n});\n"


@pytest.mark.parametrize(
    "after",
    [
        SCRIPT.replace("add(1, 2)", "3"),
        SCRIPT.replace("{\n", "{\n  return;\n", 1),
        SCRIPT.replace("{\n", "{\n  process.exit(0);\n", 1),
    ],
)
def test_in_other_languages_lines_that_went_or_end_a_test_are_told(after: str) -> None:
    assert any(each.kind == "changed-test" for each in told("src/add.test.ts", SCRIPT, after))


def test_in_other_languages_more_tests_and_layout_are_nothing() -> None:
    more = (
        SCRIPT.replace("  const", "    const") + "\n// more\ntest('takes', () => {\n  expect(take(1)).toBe(0);\n});\n"
    )
    assert told("src/add.test.ts", SCRIPT, more) == ()


def test_what_tests_compare_with_is_told_when_it_changes_with_the_code() -> None:
    patch = "".join(
        f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-3\n+4\n"
        for path in ("app.py", "tests/data/sums.json", "tests/README.md")
    )
    assert [(each.kind, each.file) for each in changes_to_checks(patch)] == [("snapshot", "tests/data/sums.json")]


@pytest.mark.parametrize(
    "line",
    [
        "app.add = lambda a, b: a + b",
        "app.core.add, other = max, 1",
        "sys.modules['app'] = fake",
        "setattr(app, 'add', max)",
        "mock.patch('app.add', max).start()",
        "def test_first():\n    app.add = max",
        "del app.check",
    ],
)
def test_what_a_new_test_puts_in_place_of_the_work_for_all_tests_is_told(line: str) -> None:
    text = f"import sys\nfrom unittest import mock\n\nimport app\nimport fake\n\n{line}\n\n\ndef test_a():\n    pass\n"
    assert [(each.kind, each.holds) for each in told_new(text)] == [("test-aware", True)]


@pytest.mark.parametrize(
    "line",
    [
        "def test_b(monkeypatch):\n    monkeypatch.setattr(app, 'add', max)",
        "def test_b():\n    with mock.patch('app.add', max):\n        assert app.add(1, 2)",
        "def test_b():\n    one = app.One()\n    one.size = 2\n    assert one.double == 4",
        "os.environ['APP_MODE'] = 'test'",
        "SIZES = {}\nSIZES['one'] = 1",
    ],
)
def test_what_ends_with_its_test_or_is_its_own_is_not(line: str) -> None:
    assert told_new(f"import os\nfrom unittest import mock\n\nimport app\n\n\n{line}\n") == ()


def told_new(text: str) -> tuple[Guard, ...]:
    added = "".join(f"+{line}\n" for line in text.splitlines())
    head = (
        "diff --git a/tests/test_0.py b/tests/test_0.py\nnew file mode 100644\n--- /dev/null\n+++ b/tests/test_0.py\n"
    )
    return changes_to_checks(f"{head}@@ -0,0 +1,{len(text.splitlines())} @@\n{added}", lambda _: text, lambda _: None)
