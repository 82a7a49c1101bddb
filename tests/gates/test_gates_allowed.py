"""`May change tests`: what a task allows of the changes to the checks, and what it never does."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

import pytest

from devloop.gates import Guard, changes_to_checks
from devloop.gates.guard_allowed import allow, allows_test

MONEY = """import pytest


class TestTax:
    def test_rate(self):
        assert tax(1) == 2

    def test_none(self):
        assert tax(0) == 0


@pytest.mark.parametrize("a", [1, 2, 3])
def test_total(a):
    assert total(a) == 3
    assert total(a) != 4


def test_other():
    assert other() == 1
"""
PATH = "tests/test_money.py"


def judged(before: Mapping[str, str], after: Mapping[str, str], *names: str) -> tuple[Guard, ...]:
    """The changes from one tree to another, as a task judges them that names `names`."""
    patch = []
    for path in sorted({*before, *after}):
        was, now = before.get(path), after.get(path)
        if was == now:
            continue
        patch.append(f"diff --git a/{path} b/{path}")
        patch += ["new file mode 100644"] if was is None else ["deleted file mode 100644"] if now is None else []
        old, new = ("/dev/null" if was is None else f"a/{path}"), ("/dev/null" if now is None else f"b/{path}")
        patch += difflib.unified_diff((was or "").split("\n"), (now or "").split("\n"), old, new, lineterm="")
    listed = changes_to_checks("\n".join(patch), after.get, before.get)
    assert any(each.holds for each in listed), "without the task's word it would wait"
    return allow(listed, names, {path: path for path in {*before, *after}}, after.get, before.get)


def holds(before: Mapping[str, str], after: Mapping[str, str], *names: str) -> bool:
    return any(each.holds for each in judged(before, after, *names))


def money(old: str, new: str) -> dict[str, str]:
    assert MONEY.count(old) == 1
    return {PATH: MONEY.replace(old, new)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assert total(a) == 3", "assert total(a) == 4"),
        ("    assert total(a) == 3\n", ""),
        ("assert total(a) == 3", "assert total(a) >= 3"),
        ("assert total(a) == 3", "assert True"),
        ("    assert total(a) == 3\n    assert total(a) != 4\n", "    pass\n"),
        ("[1, 2, 3]", "[1]"),
        ("def test_total(a):", "@pytest.mark.skip\ndef test_total(a):"),
        ("    assert total(a) == 3\n", "    return\n    assert total(a) == 3\n"),
        (MONEY[MONEY.index("@pytest") : MONEY.index("def test_other")], ""),
    ],
)
@pytest.mark.parametrize("name", [PATH, "tests/*.py", "tests/**", "**/test_{money,cart}.py", f"{PATH}::test_total"])
def test_what_lies_in_a_named_test_is_told_and_holds_nothing(old: str, new: str, name: str) -> None:
    found = judged({PATH: MONEY}, money(old, new), name)
    assert found and all(each.by_task and not each.holds for each in found)
    assert all(each.to_json()["by_task"] for each in found)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "tests/test_cart.py",
            "tests",
            "tests/",
            "test_money.py",
            "tests/test_money",
            "TESTS/TEST_MONEY.PY",
            "",
            "::",
        ),
        *(f"{PATH}::test_other", f"{PATH}::test_tota", f"{PATH}::test_total[1]", f"{PATH}::", f"{PATH}:13-14"),
        *(f"{PATH}::TestTax", f"{PATH}::TestTax::test_total", f"{PATH}::*", "tests/../tests/test_money.py"),
        "/tests/**/../test_money.py",
    ],
)
def test_a_name_of_something_else_allows_nothing(name: str) -> None:
    found = judged({PATH: MONEY}, money("assert total(a) == 3", "assert total(a) == 4"), name)
    assert any(each.holds for each in found) and not any(each.by_task for each in found)


def test_a_class_and_its_methods_are_named_as_pytest_names_them() -> None:
    after = money("assert tax(1) == 2", "assert tax(1) == 3")
    for name in ("TestTax", "TestTax::test_rate"):
        assert not holds({PATH: MONEY}, after, f"{PATH}::{name}")
    for name in ("TestTax::test_none", "test_rate", "TestTax.test_rate"):
        assert holds({PATH: MONEY}, after, f"{PATH}::{name}")


def test_beside_a_named_test_everything_holds() -> None:
    both = MONEY.replace("total(a) == 3", "total(a) == 4").replace("other() == 1", "other() == 2")
    found = judged({PATH: MONEY}, {PATH: both}, f"{PATH}::test_total")
    assert [each.by_task for each in found] == [each.line < 15 for each in found], "each by where it lies"
    assert any(each.by_task for each in found) and any(each.holds for each in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import pytest\n", "import pytest\n\ntotal = lambda a: 3\n"),
        ("import pytest\n", "import pytest\n\n\n@pytest.fixture(autouse=True)\ndef quiet():\n    pass\n"),
        ("import pytest\n", "import pytest\n\npytestmark = pytest.mark.skip\n"),
        ("import pytest\n", "import pytest\n\npytest.exit('done', 0)\n"),
        ("def test_other():\n    assert other() == 1\n", "def test_total(a):\n    pass\n"),
        (
            "    assert total(a) != 4\n\n\ndef test_other():\n    assert other() == 1\n",
            "    def test_other():\n        pass\n",
        ),
        ("def test_total(a):", "def test_total(a, out=pytest.exit('', 0)):"),
        ("assert total(a) == 3", "pytest.exit('done', 0)"),
        ("assert total(a) == 3", "assert 'pytest' in sys.modules"),
        ("assert total(a) == 3\n", "pass  # noqa\n"),
    ],
    ids=["shadow", "autouse", "mark", "exit above", "twice", "nested", "default", "exit", "aware", "suppression"],
)
def test_what_reaches_further_than_the_named_test_holds(old: str, new: str) -> None:
    assert holds({PATH: MONEY}, money(old, new), f"{PATH}::test_total")


def test_a_test_that_hides_in_the_named_one_holds() -> None:
    """Its name is there still, and nothing that looks like an assertion went: only without the named test it is seen
    that it is gone."""
    before = MONEY.replace("assert other() == 1", "other()")
    after = before.replace("\n\n\ndef test_other():\n    other()", "\n\n    def test_other():\n        other()")
    assert after != before
    after = after.replace("assert total(a) == 3", "assert total(a) == 4")
    assert holds({PATH: before}, {PATH: after}, f"{PATH}::test_total")


LINKS = {
    "file": (PATH, PATH, "120000"),
    "repository": (PATH, PATH, "160000"),
    "folder": (PATH, "tests", "120000"),
    "snapshot": ("tests/snapshots/a.json", "tests/snapshots/a.json", "120000"),
}


@pytest.mark.parametrize("case", LINKS)
def test_what_stands_in_the_place_of_tests_and_lies_elsewhere_holds(case: str) -> None:
    """A link in the place of a test that is named, of its folder, of what it compares with; another repository."""
    was, now, mode = LINKS[case]
    patch = (
        f"diff --git a/{was} b/{was}\ndeleted file mode 100644\n--- a/{was}\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
        f"diff --git a/{now} b/{now}\nnew file mode {mode}\n--- /dev/null\n+++ b/{now}\n@@ -0,0 +1 @@\n+../src\n"
    )
    for text, waits in ((patch, True), (patch.replace(mode, "100644"), False)):
        listed = changes_to_checks(text)
        found = allow(listed, ("tests/**", "tests"), {was: was, now: now}, lambda path: None, lambda path: None)
        assert any(each.holds for each in found) is waits


SHARED = MONEY.replace("import pytest\n", "import pytest\nfrom shop import other\n\nCASES = [1, 2]\n")


@pytest.mark.parametrize(
    "statement",
    [
        "globals()['test_other'] = lambda: None",
        "globals().update(other=lambda: 1)",
        "vars().update(other=lambda: 1)",
        "test_other.__code__ = (lambda: None).__code__",
        "setattr(test_other, '__code__', (lambda: None).__code__)",
        "one = test_other; one.__code__ = (lambda: None).__code__",
        "TestTax.test_none = lambda self: None",
        "CASES.clear()",
        "CASES[:] = []",
        "global other; other = lambda: 1",
        "global test_other; test_other = None",
    ],
)
def test_what_a_test_changes_of_its_module_is_no_tasks_to_allow(statement: str) -> None:
    """Other tests stand there, and what they compare with; in a test that is new or one that was there, named or
    not."""
    line = f"    {statement}\n"
    changed = SHARED.replace("    assert total(a) == 3\n", f"    assert total(a) == 4\n{line}")
    assert holds({PATH: SHARED}, {PATH: changed}, PATH, f"{PATH}::test_total")
    assert holds({PATH: SHARED}, {PATH: f"{SHARED}\n\ndef test_new():\n{line}"}, f"{PATH}::test_new")
    in_class = SHARED.replace("class TestTax:\n", f"class TestTax:\n{line}")
    assert holds({PATH: SHARED}, {PATH: in_class}, PATH, f"{PATH}::TestTax")


def test_what_a_test_changes_of_its_own_is_its_own() -> None:
    mine = "    CASES, made = [], Cart()\n    CASES.append(1)\n    made.total = 3\n    made.lines['a'] = 1\n"
    changed = SHARED.replace("    assert total(a) == 3\n", f"{mine}    assert total(a) == 4\n")
    assert not holds({PATH: SHARED}, {PATH: changed}, f"{PATH}::test_total")
    assert not changes(SHARED, f"{SHARED}\n\ndef test_new(test_other):\n{mine}    test_other.total = 3\n")


def changes(before: str, after: str) -> tuple[Guard, ...]:
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), f"a/{PATH}", f"b/{PATH}", lineterm="")
    patch = "\n".join((f"diff --git a/{PATH} b/{PATH}", *lines))
    return changes_to_checks(patch, {PATH: after}.get, {PATH: before}.get)


@pytest.mark.parametrize(
    "decorator",
    [
        *("@CASES.append", "@helper", "@shop.mark", "@pytest.fixture(autouse=True)", "@pytest.hookimpl"),
        *("@(lambda f: globals().update(other=1) or f)", '@pytest.mark.parametrize("b", [(other := 3)])'),
    ],
)
def test_a_decorator_that_may_do_more_than_mark_its_test_holds(decorator: str) -> None:
    old = "@pytest.mark.parametrize"
    assert holds({PATH: SHARED}, {PATH: SHARED.replace(old, f"{decorator}\n{old}")}, f"{PATH}::test_total")
    for mark in ('pytest.mark.usefixtures("cart")', 'mock.patch("shop.total")', "pytest.mark.slow"):
        assert not holds({PATH: SHARED}, {PATH: SHARED.replace(old, f"@{mark}\n{old}")}, f"{PATH}::test_total")


USED = {
    "fixture": "@pytest.fixture\ndef test_cart():\n    return 1\n\n\ndef test_it(test_cart):\n    assert test_cart\n",
    "only": "@pytest.fixture\ndef test_cart():\n    return 1\n",
    "helper": "def test_cart():\n    return 1\n\n\ndef test_it():\n    assert test_cart()\n",
    "base": (
        "class test_cart:\n    def test_a(self):\n        return 1\n\n\n"
        "class TestB(test_cart):\n    def test_b(self):\n        assert b()\n"
    ),
}


@pytest.mark.parametrize("case", USED)
def test_what_other_tests_of_the_file_use_is_no_single_test(case: str) -> None:
    before = f"import pytest\n\n\n{USED[case]}"
    after = before.replace("return 1", "return 2")
    assert holds({PATH: before}, {PATH: after}, f"{PATH}::test_cart")
    assert not holds({PATH: before}, {PATH: after}, PATH), "the file is named: all of it"


def test_lines_that_only_python_sees_move_nothing_into_a_named_test() -> None:
    shifted = MONEY.replace("import pytest\n", "import pytest  # \r# \r# \r# \n").replace(
        "other() == 1", "other() == 2"
    )
    assert holds({PATH: MONEY}, {PATH: shifted}, f"{PATH}::test_total")


def test_a_test_that_moves_into_a_named_file_takes_nothing_along() -> None:
    before = {PATH: MONEY, "tests/test_cart.py": "def test_cart():\n    assert cart() == 1\n"}
    after = {PATH: f"{MONEY}\n\ndef test_cart():\n    pass\n", "tests/test_cart.py": "\n"}
    assert holds(before, after, PATH)


GO = "func TestTotal(t *testing.T) {\n\tif total(1) != 3 {\n\t\tt.Fatal(1)\n\t}\n}\n"


def test_in_other_languages_files_are_allowed_and_no_single_tests() -> None:
    path = "total_test.go"
    after = {path: GO.replace("t.Fatal(1)", "return")}
    assert not holds({path: GO}, after, path)
    assert holds({path: GO}, after, f"{path}::TestTotal")


def test_what_is_no_python_any_more_is_in_no_named_test() -> None:
    assert holds({PATH: MONEY}, {PATH: f"{MONEY.replace('total(a) == 3', 'True')}\n)"}, f"{PATH}::test_total")


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("tests/pytest.ini", "[pytest]\naddopts = -x\n", "[pytest]\naddopts = -x --deselect tests\n"),
        ("tests/tox.ini", "[tox]\nenvlist = a\n", "[tox]\nenvlist = b\n"),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-x"\n', '[tool.pytest.ini_options]\naddopts = ""\n'),
        ("mypy.ini", "[mypy]\nstrict = true\n", "[mypy]\n"),
        ("tests/requirements.txt", "pytest==8\n", "pytest==7\n"),
        (".github/workflows/tests.yml", "run: pytest\n", "run: true\n"),
        (PATH, MONEY, MONEY.replace("total(a) == 3", "os.environ['PYTEST_CURRENT_TEST']")),
        (PATH, MONEY, f"# -*- coding: rot13 -*-\n{MONEY}"),
        ("src/money.py", "def total(a):\n    return 3\n", "def total(a):\n    return 3  # pragma: no cover\n"),
    ],
    ids=["ini", "tox", "pyproject", "mypy", "requirements", "ci", "aware", "coding", "coverage"],
)
def test_what_is_no_test_is_never_the_tasks_to_allow(path: str, before: str, after: str) -> None:
    assert holds({path: before}, {path: after}, path, "**", "**/*", f"{path}::test_total")


CONFTEST = "import pytest\n\n\n@pytest.fixture\ndef cart():\n    return 1\n"


def test_a_conftest_has_to_be_named_by_its_own_name() -> None:
    path = "tests/conftest.py"
    after = {path: CONFTEST.replace("return 1", "return 2")}
    for name in ("tests/**", "tests/*.py", "**", "tests/{conftest,x}.py", f"{path}::cart"):
        assert holds({path: CONFTEST}, after, name)
    for name in (path, "**/conftest.py"):
        assert not holds({path: CONFTEST}, after, name)
    assert holds({path: CONFTEST}, {path: f"{CONFTEST}\n\ncollect_ignore = ['test_a.py']\n"}, path)
    assert holds({path: CONFTEST}, {path: f"{CONFTEST}\n\ndef pytest_runtest_call(item):\n    pass\n"}, path)


def test_snapshots_are_named_as_files_are() -> None:
    before = {"tests/snapshots/a.json": "1\n", "src/a.py": "A = 1\n"}
    after = {"tests/snapshots/a.json": "2\n", "src/a.py": "A = 2\n"}
    assert holds(before, after, "tests/test_a.py", "tests/snapshots")
    assert not holds(before, after, "tests/snapshots/**")


def test_a_file_that_moved_has_to_be_named_by_both_names() -> None:
    patch = (
        "diff --git a/tests/test_b.py b/tests/test_a.py\nrename from tests/test_b.py\nrename to tests/test_a.py\n"
        "--- a/tests/test_b.py\n+++ b/tests/test_a.py\n@@ -1,2 +1,2 @@\n def test_b():\n"
        "-    assert b() == 1\n+    assert b() == 2\n"
    )
    listed = changes_to_checks(patch)
    for names, waits in ((("tests/test_a.py",), True), (("tests/test_a.py", "tests/test_b.py"), False)):
        found = allow(listed, names, {"tests/test_a.py": "tests/test_b.py"}, lambda path: None, lambda path: None)
        assert any(each.holds for each in found) is waits
    assert any(e.holds for e in allow(listed, ("**",), {}, lambda path: None, lambda path: None)), (
        "a file left out of it"
    )


@pytest.mark.parametrize(
    ("node", "names", "allowed"),
    [
        (f"{PATH}::test_total", (PATH,), True),
        (f"{PATH}::test_total[1]", (f"{PATH}::test_total",), True),
        (f"{PATH}::TestTax::test_rate", (f"{PATH}::TestTax",), True),
        (f"{PATH}::test_totals", (f"{PATH}::test_total",), False),
        (f"{PATH}::test_total", ("tests/test_cart.py",), False),
        ("tests/test_cart.py::test_cart", ("tests/**",), False),
        ("tests.test_money.test_total", ("**",), False),
        ("src/money.py::test_total", ("**",), False),
        ("tests/test_moved.py::test_a", ("tests/test_moved.py",), False),
        ("tests/test_moved.py::test_a", ("tests/test_moved.py", "tests/test_was.py"), True),
    ],
    ids=["file", "case", "class", "longer", "other", "unchanged", "no node", "no test", "moved", "moved, both"],
)
def test_tests_that_run_no_more(node: str, names: tuple[str, ...], allowed: bool) -> None:
    files = {PATH: PATH, "src/money.py": "src/money.py", "tests/test_moved.py": "tests/test_was.py"}
    assert allows_test(node, names, files) is allowed, "only in files that the work changes"
