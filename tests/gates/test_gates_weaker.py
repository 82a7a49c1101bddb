"""What makes a check weaker, in the languages that projects are written in: lines of diffs, pairs of texts."""

# ruff: noqa: E501 - texts before and after in one line

from __future__ import annotations

import difflib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.gates import guard_files, guard_python
from devloop.gates.guard import KINDS, Guard
from devloop.gates.guard_assertions import strength, weaker
from devloop.gates.guards import changes_to_checks


def diff(path: str, before: str, after: str) -> str:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), f"a/{path}", f"b/{path}", lineterm="")
    return f"diff --git a/{path} b/{path}\n" + "\n".join(lines)


def seen(path: str, before: str, after: str) -> set[str]:
    found = changes_to_checks(diff(path, before, after), lambda _: after, lambda _: before)
    return {each.kind for each in found}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assert x == 1", "assert x"),
        ("assert x == 1", "assert x is not None"),
        ("assert x == 1", "assert x in (1, 2)"),
        ("assert x == 1", "assert True"),
        ("self.assertEqual(a, b)", "self.assertTrue(a)"),
        ("self.assertEqual(a, b)", "self.assertIn(a, b)"),
        ("assert x == approx(1, abs=0.01)", "assert x == approx(1, abs=10)"),
        ("assert x == 1.5", "assert x == approx(1.5)"),
        ("self.assertAlmostEqual(a, b, 7)", "self.assertAlmostEqual(a, b, 1)"),
        ("assert took < 1", "assert took < 100"),
        ("with pytest.raises(ValueError):", "with pytest.raises(Exception):"),
        ("with pytest.raises(ValueError, match='x'):", "with pytest.raises(ValueError):"),
        ("expect(x).toBe(1)", "expect(x).toBeTruthy()"),
        ("expect(x).toBeCloseTo(1, 5)", "expect(x).toBeCloseTo(1, 0)"),
        ("assert_eq!(a, b);", "assert!(a);"),
        ("require.Equal(t, a, b)", "require.Contains(t, a, b)"),
    ],
)
def test_less_is_asked_for(old: str, new: str) -> None:
    assert weaker(old, new) and not weaker(new, old) and not weaker(old, old)


def test_strength_is_what_a_line_demands() -> None:
    assert [strength(line) for line in ("assert a == 1", "assert a in b", "assert a", "assert True")] == [3, 2, 1, 0]


BEFORE = (
    "import pytest\n\n\n@pytest.mark.parametrize('n', [1, 2, 3])\ndef test_a(n):\n    assert n == n\n    assert n > 0\n"
)


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (BEFORE.replace("[1, 2, 3]", "[1]"), "removed-case"),
        (BEFORE.replace("    assert n == n\n    assert n > 0", "    print(n)"), "emptied-test"),
        (BEFORE.replace("    assert n == n", "    return\n    assert n == n"), "emptied-test"),
        (BEFORE.replace("    assert n == n\n    assert n > 0", "    if False:\n        assert n == n"), "emptied-test"),
        (
            BEFORE.replace("    assert n == n\n", "    try:\n        assert n == n\n    except AssertionError:\n        pass\n"),
            "weakened-assertion",
        ),
        (BEFORE.replace("def test_a", "def notest_a"), "deleted-test"),
        (BEFORE + "\n\ndef test_b():\n    assert True\n", "weakened-assertion"),
        (BEFORE.replace("import pytest\n", "# -*- coding: utf-7 -*-\nimport pytest\n"), "unread"),
        (BEFORE.replace("import pytest", "import pytest\nfrom pytest import mark as m\n\n\n@m.skip"), "skip"),
    ],
)  # fmt: skip
def test_a_python_test_that_checks_less_is_named(after: str, kind: str) -> None:
    assert kind in seen("tests/test_a.py", BEFORE, after)


@pytest.mark.parametrize("last", ["assert b() == 1", "b()"])
@pytest.mark.parametrize(
    "place",
    [
        "def test_a():",
        "def test_a():\n    if one:",
        "class Later:",
        "class TestLater:\n    def __init__(self):\n        pass\n",
    ],
)
def test_a_test_that_moves_to_where_nobody_looks_for_tests_is_named(place: str, last: str) -> None:
    kept = place if place.startswith("def") else f"def test_a():\n    assert a() == 1\n\n\n{place}"
    inside = "        " if "if one" in place else "    "
    before = f"def test_a():\n    assert a() == 1\n\n\ndef test_b():\n    {last}\n"
    after = f"{kept}\n{inside}def test_b():\n{inside}    {last}\n\n    assert a() == 1\n"
    found = changes_to_checks(diff("test_a.py", before, after), lambda _: after, lambda _: before)
    assert [each.holds for each in found if "test_b stands in" in each.text] == [True]
    again = before.replace(f"def test_b():\n    {last}", f"class TestB:\n    def test_b(self):\n        {last}")
    assert not seen("test_a.py", before, again)


def test_a_test_that_only_got_another_name_or_more_is_not_named() -> None:
    assert seen("tests/test_a.py", BEFORE, BEFORE.replace("test_a(", "test_positive(")) == set()
    assert seen("tests/test_a.py", BEFORE, BEFORE + "\n\ndef test_b():\n    assert f() == 2\n") == set()
    assert guard_python.tests("no python ][") == {}


@pytest.mark.parametrize(
    ("path", "before", "after", "kind"),
    [
        ("pyproject.toml", "[tool.coverage.report]\nfail_under = 90\n", "[tool.coverage.report]\nfail_under = 9\n", "threshold"),
        ("setup.cfg", "[flake8]\nmax-line-length = 80\n", "[flake8]\nmax-line-length = 999\n", "threshold"),
        ("tsconfig.json", '{\n"strict": true\n}', '{\n"strict": false\n}', "threshold"),
        (".eslintrc.json", '{\n"eqeqeq": "error"\n}', '{\n"eqeqeq": "off"\n}', "threshold"),
        ("package.json", '{\n"test": "vitest"\n}', '{\n"test": "true"\n}', "configuration"),
        (".github/workflows/ci.yml", "run: pytest\n", "run: true\n", "configuration"),
        ("requirements-dev.txt", "pytest==9.0\n", "pytest==3.0\n", "dependency"),
        ("uv.lock", 'name = "pytest"\nversion = "9.0"\n', 'name = "pytest"\nversion = "3.0"\n', "dependency"),
        (".gitignore", "x\n", "x\ntest_money.py\n", "configuration"),
        ("web/a.test.ts", "it('a', f)\n", "xit('a', f)\n", "skip"),
        ("pkg/a_test.go", "func TestA(t *testing.T) {\n}\n", "func testA(t *testing.T) {\n}\n", "deleted-test"),
        ("src/lib.rs", "fn a() {}\n", "#[allow(dead_code)]\nfn a() {}\n", "suppression"),
        ("src/money.py", "x = 1\n", "import sys\nx = 'pytest' in sys.modules\n", "test-aware"),
        ("src/money.py", "x = 1\n", "class A:\n    def __eq__(self, o):\n        return True\n", "test-aware"),
        ("src/web.ts", "let x\n", "if (process.env.JEST_WORKER_ID) x()\n", "test-aware"),
    ],
)  # fmt: skip
def test_what_makes_a_check_easier_is_named(path: str, before: str, after: str, kind: str) -> None:
    assert kind in seen(path, before, after)


def test_a_snapshot_that_is_another_is_named_and_a_new_one_is_not() -> None:
    snapshot = diff("tests/__snapshots__/a.snap", "a\n", "b\n")
    found = changes_to_checks(snapshot)
    assert [(guard.kind, guard.file) for guard in found] == [("snapshot", "tests/__snapshots__/a.snap")]
    new = snapshot.replace("--- a/tests/__snapshots__/a.snap", "--- /dev/null")
    assert changes_to_checks(new) == ()


def test_new_modules_that_stand_before_a_tool_or_python_itself_are_named() -> None:
    assert [guard_files.shadows(path) for path in ("pytest.py", "src/decimal.py", "unittest/mock.py")] == [
        "pytest",
        "decimal",
        "unittest",
    ]
    assert not any(map(guard_files.shadows, ("money.py", "tests/test_a.py", "app/types.py", "test/a.py")))


@pytest.mark.parametrize(
    "line", ["total = sum(prices)", "# a comment", "def total(prices): return 0", "", "assert_that = 1 + 1"]
)
def test_ordinary_lines_of_sources_are_no_change_to_checks(line: str) -> None:
    assert seen("src/money.py", "a = 1\n", f"a = 1\n{line}\n") == set()


@settings(max_examples=60)
@given(
    st.text(max_size=120), st.text(max_size=120), st.sampled_from(["tests/test_a.py", "a.toml", "x.test.ts", "b.py"])
)
def test_any_two_texts_give_a_list_of_known_kinds(before: str, after: str, path: str) -> None:
    found = changes_to_checks(diff(path, before, after), lambda _: after, lambda _: before)
    assert all(isinstance(each, Guard) and each.kind in KINDS and each.line >= 0 for each in found)


FIXTURE = "import pytest\n\n\n@pytest.fixture\ndef shop():\n    return 1\n"


def held(files: dict[str, tuple[str | None, str]]) -> list[tuple[str, bool]]:
    """Kind of each change, and whether it holds; a file's text before is None where it is new."""
    texts = "\n".join(diff(path, old or "", new) for path, (old, new) in files.items())
    for path, (old, _) in files.items():
        if old is None:
            texts = texts.replace(f"--- a/{path}", "--- /dev/null").replace(
                f"a/{path} b/{path}\n", f"a/{path} b/{path}\nnew file mode 100644\n"
            )
    found = changes_to_checks(texts, lambda path: files[path][1], lambda path: files[path][0])
    return sorted((each.kind, each.holds) for each in found)


ORDINARY = {
    "a new test that is skipped": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n",
            "import pytest\n\n\ndef test_a():\n    assert f() == 1\n\n\n@pytest.mark.skip\ndef test_b():\n    assert g()\n",
        )
    },
    "a new file that skips": {
        "test_a.py": (None, "import pytest\n\npytest.importorskip('x')\n\n\ndef test_b():\n    assert g()\n")
    },
    "layout": {"a.py": ("x = 1\n", "x = 1  # noqa: E501\ny = (  # fmt: skip\n    1)\n")},
    "a suppression that has a name, in tests": {"test_a.py": ("x = 1\n", "x = 1  # type: ignore[arg-type]\n")},
    "more is asked for": {
        "test_a.py": ("def test_a():\n    assert f() == 1\n", "def test_a():\n    assert f() == 1 and g()\n")
    },
    "another message": {
        "test_a.py": ("def test_a():\n    assert f() == 1, 'so'\n", "def test_a():\n    assert f() == 1, 'or so'\n")
    },
    "a fixture for a new test": {
        "conftest.py": (FIXTURE, FIXTURE + "\n\n@pytest.fixture\ndef till():\n    return 2\n"),
        "test_b.py": (None, "def test_b(till):\n    assert till == 2\n"),
    },
}
SUSPICIOUS = {
    "an old test that is skipped": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n",
            "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n",
        )
    },
    "an old test in a new place, skipped": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n\n\ndef test_c():\n    assert 1 == h()\n",
            "def test_c():\n    assert 1 == h()\n",
        ),
        "test_b.py": (None, "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert f() == 1\n"),
    },
    "a whole old module": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n",
            "import pytest\n\npytestmark = pytest.mark.skip\n\n\ndef test_a():\n    assert f() == 1\n",
        )
    },
    "a fixture that skips": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n",
            "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef stop():\n    pytest.skip('x')\n\n\ndef test_a():\n    assert f() == 1\n",
        )
    },
    "only this one": {"a.test.ts": (None, "it.only('a', () => {})\n")},
    "a suppression without a name": {"test_a.py": ("x = 1\n", "x = f()  # type: ignore\n")},
    "a suppression in the code": {"a.py": ("x = 1\n", "x = f()  # type: ignore[arg-type]\n")},
    "layout and something else": {"a.py": ("x = 1\n", "import os  # noqa: E501, F401\n")},
    "another value, beside new tests": {
        "test_a.py": (
            "def test_a():\n    assert f() == 1\n",
            "def test_a():\n    assert f() == 2\n\n\ndef test_b():\n    assert f() == 2\n",
        )
    },
    "one or the other": {
        "test_a.py": ("def test_a():\n    assert f() == 1\n", "def test_a():\n    assert f() == 1 or g()\n")
    },
    "an assertion where nothing runs it": {
        "test_a.py": (
            "def test_a():\n    assert g() == 0\n    assert f() == 1\n",
            "def test_a():\n    assert g() == 0\n\n\ndef later():\n    assert f() == 1\n",
        )
    },
    "a fixture that runs by itself": {
        "conftest.py": (FIXTURE, FIXTURE + "\n\n@pytest.fixture(autouse=True)\ndef till():\n    return 2\n"),
        "test_b.py": (None, "def test_b(till):\n    assert till == 2\n"),
    },
    "a fixture in the place of pytest's": {
        "conftest.py": (FIXTURE, FIXTURE + "\n\n@pytest.fixture\ndef tmp_path():\n    return 2\n"),
        "test_b.py": (None, "def test_b(tmp_path):\n    assert tmp_path == 2\n"),
    },
    "a hook beside a fixture": {
        "conftest.py": (
            FIXTURE,
            FIXTURE + "\n\n@pytest.fixture\ndef till():\n    return 2\n\n\ndef pytest_configure():\n    pass\n",
        ),
        "test_b.py": (None, "def test_b(till):\n    assert till == 2\n"),
    },
}


@pytest.mark.parametrize("kind", ORDINARY)
def test_what_takes_nothing_from_the_checks_is_shown_and_holds_nobody(kind: str) -> None:
    found = held(ORDINARY[kind])
    assert found and not any(holds for _, holds in found), found


@pytest.mark.parametrize("kind", SUSPICIOUS)
def test_what_may_take_something_from_the_checks_holds(kind: str) -> None:
    assert any(holds for _, holds in held(SUSPICIOUS[kind])), held(SUSPICIOUS[kind])
