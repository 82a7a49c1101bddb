"""Changes to the checks, found in diffs that git itself wrote."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.gates import guard_named
from devloop.gates.guard import Guard
from devloop.gates.guards import changes_to_checks
from devloop.gates.patch import parse

Differ = Callable[[dict[str, str | None], dict[str, str | None]], str]


@pytest.fixture
def differ(tmp_path: Path) -> Differ:
    """The diff between two trees, by git. None as a text means that the file is absent."""

    def git(*words: str) -> str:
        options = [
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "core.autocrlf=false",
            "-c",
            "init.defaultBranch=m",
        ]
        done = subprocess.run(["git", *options, *words], cwd=tmp_path, check=True, capture_output=True, timeout=30)
        return done.stdout.decode()

    def make(before: dict[str, str | None], after: dict[str, str | None]) -> str:
        git("init", "-q")
        for files in (before, after):
            for name, text in files.items():
                path = tmp_path / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if text is None:
                    path.unlink(missing_ok=True)
                else:
                    path.write_bytes(text.encode())
            git("add", "-A")
            git("commit", "-q", "--allow-empty", "-m", "x")
        return git("diff", "-M", "HEAD~1", "HEAD")

    return make


def seen(guards: tuple[Guard, ...]) -> list[tuple[str, str]]:
    return [(guard.kind, guard.place) for guard in guards]


TEST = "import pytest\n\n\ndef test_a():\n    assert 1 == 1\n    assert 2 == 2\n\n\ndef test_b():\n    assert 3 == 3\n"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("@pytest.mark.skip", "skip"),
        ("@pytest.mark.xfail(strict=False)", "skip"),
        ("@unittest.skipIf(True, '')", "skip"),
        ("    pytest.skip('later')", "skip"),
        ("collect_ignore = ['test_b.py']", "skip"),
        ("x = 1  # type: ignore[assignment]", "suppression"),
        ("import os  # noqa: F401", "suppression"),
        ("# ruff: noqa", "suppression"),
        ("call(c, shell=True)  # nosec", "suppression"),
        ("if x:  # pragma: no cover", "suppression"),
        ("if x:  # pragma: no branch", "suppression"),
        ("# pylint: skip-file", "suppression"),
    ],
)
def test_a_new_skip_or_suppression_is_listed_with_its_place(line: str, kind: str, differ: Differ) -> None:
    diff = differ({"src/a.py": "x = 0\ny = 0\n"}, {"src/a.py": f"x = 0\n{line}\ny = 0\n"})
    assert seen(changes_to_checks(diff)) == [(kind, "src/a.py:2")]


@pytest.mark.parametrize(
    "line", ["it.skip('x', () => {})", "/* eslint-disable */", "// @ts-ignore", "test.only('x', f)"]
)
def test_javascript_has_its_own_ways(line: str, differ: Differ) -> None:
    diff = differ({"src/a.ts": "let x\n"}, {"src/a.ts": f"let x\n{line}\n"})
    assert [guard.line for guard in changes_to_checks(diff)] == [1]


def test_one_that_was_there_before_or_only_moved_is_not_listed(differ: Differ) -> None:
    before = "import os  # noqa: F401\nx = 1\ny = 2\n"
    after = "x = 1\nimport os  # noqa: F401\ny = 3\n"
    assert changes_to_checks(differ({"a.py": before}, {"a.py": after})) == ()


def test_a_removed_test_and_a_deleted_test_file_are_listed(differ: Differ) -> None:
    gone = TEST[: TEST.index("def test_b")]
    diff = differ(
        {"tests/test_x.py": TEST, "tests/test_y.py": "def test_y(): pass\n"},
        {"tests/test_x.py": gone, "tests/test_y.py": None},
    )
    assert seen(changes_to_checks(diff)) == [
        ("deleted-test", "tests/test_x.py:9"),
        ("removed-assertion", "tests/test_x.py:10"),
        ("deleted-test", "tests/test_y.py:1"),
    ]


def test_a_test_that_moved_to_another_file_is_not_deleted(differ: Differ) -> None:
    rest, moved = TEST[: TEST.index("def test_b")], TEST[TEST.index("def test_b") :]
    diff = differ({"tests/test_x.py": TEST}, {"tests/test_x.py": rest, "tests/test_new.py": moved})
    assert not [guard for guard in changes_to_checks(diff) if guard.kind == "deleted-test"]


def test_a_test_file_renamed_out_of_sight_is_deleted(differ: Differ) -> None:
    diff = differ({"src/test_x.py": TEST, "src/a.py": "1\n"}, {"src/test_x.py": None, "src/old_x.py": TEST})
    assert ("deleted-test", "src/old_x.py:1") in seen(changes_to_checks(diff))


def test_removed_and_changed_assertions_are_told_apart(differ: Differ) -> None:
    removed = differ({"test_x.py": TEST}, {"test_x.py": TEST.replace("    assert 2 == 2\n", "")})
    assert seen(changes_to_checks(removed)) == [("removed-assertion", "test_x.py:6")]
    changed = differ({"test_x.py": TEST}, {"test_x.py": TEST.replace("2 == 2", "2")})
    assert seen(changes_to_checks(changed)) == [("weakened-assertion", "test_x.py:6")]
    other = differ({"test_x.py": TEST}, {"test_x.py": TEST.replace("2 == 2", "2 == 3")})
    assert seen(changes_to_checks(other)) == [("changed-assertion", "test_x.py:6")]


@pytest.mark.parametrize(
    "path",
    [
        "pytest.ini",
        "tox.ini",
        "ruff.toml",
        ".coveragerc",
        "tsconfig.json",
        ".devloop/config.toml",
        ".github/workflows/ci.yml",
        "sub/.flake8",
        "sitecustomize.py",
    ],
)
def test_configuration_of_a_check_is_listed(path: str, differ: Differ) -> None:
    diff = differ({path: "a = 1\n"}, {path: "a = 2\n"})
    assert seen(changes_to_checks(diff)) == [("configuration", f"{path}:1")]


def test_conftest_is_listed_when_added_changed_and_deleted(differ: Differ) -> None:
    diff = differ(
        {"conftest.py": "a = 1\n", "x/conftest.py": "b = 1\n"},
        {"conftest.py": "a = 2\n", "x/conftest.py": None, "y/conftest.py": "c\n"},
    )
    assert [(g.kind, g.file, g.text.split()[0]) for g in changes_to_checks(diff)] == [
        ("conftest", "conftest.py", "changed"),
        ("conftest", "x/conftest.py", "deleted"),
        ("conftest", "y/conftest.py", "added"),
    ]


PROJECT = (
    '[project]\nname = "x"\n'
    + "# pad\n" * 10
    + '[tool.ruff.lint]\nselect = ["E"]\n'
    + "# pad\n" * 10
    + "[tool.mypy]\nstrict = true\n"
)


def test_only_sections_that_configure_checks_are_listed(differ: Differ) -> None:
    after = PROJECT.replace('"x"', '"y"').replace('["E"]', "[]")
    diff = differ({"pyproject.toml": PROJECT}, {"pyproject.toml": after})
    (guard,) = changes_to_checks(diff, lambda _: after)
    assert guard.place == "pyproject.toml:14" and guard.text.startswith("[tool.ruff.lint]")


def test_a_section_outside_the_hunk_is_found_in_the_new_text_or_assumed_to_matter(differ: Differ) -> None:
    far = PROJECT.replace("strict = true\n", "# pad\n" * 8 + "strict = true\n")
    after = far.replace("strict = true", "strict = false")
    diff = differ({"pyproject.toml": far}, {"pyproject.toml": after})
    assert "[tool.mypy]" in changes_to_checks(diff, lambda _: after)[0].text
    assert len(changes_to_checks(diff)) == 1
    project = PROJECT.replace("# pad\n" * 10, "# pad\n" * 10 + "version = '1'\n", 1)
    bumped = project.replace("version = '1'", "version = '2'")
    harmless = changes_to_checks(parse_free(project, bumped), lambda _: bumped)
    assert harmless == ()


def parse_free(before: str, after: str) -> str:
    """A diff without any context, where only the whole text tells the section."""
    old, new = before.split("\n"), after.split("\n")
    (line,) = [number for number, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]]
    head = "diff --git a/pyproject.toml b/pyproject.toml\n--- a/pyproject.toml\n+++ b/pyproject.toml\n"
    return f"{head}@@ -{line} +{line} @@\n-{old[line - 1]}\n+{new[line - 1]}\n"


def test_names_with_spaces_quotes_and_umlauts_are_understood(differ: Differ) -> None:
    names = ["a dir/test_ü.py", 'test_"q".py', "b/test_tab\t.py"]
    diff = differ(dict.fromkeys(names, TEST), dict.fromkeys(names))
    assert sorted(guard.file for guard in changes_to_checks(diff)) == sorted(names)


def test_removed_lines_that_look_like_headers_confuse_nobody(differ: Differ) -> None:
    before = "-- a/x\n++ b/y\nassert 1\n"
    diff = differ({"test_x.py": before}, {"test_x.py": "diff --git a/z b/z\n"})
    assert seen(changes_to_checks(diff)) == [("removed-assertion", "test_x.py:3")]
    (file,) = parse(diff)
    assert [line.text for line in file.removed] == ["-- a/x", "++ b/y", "assert 1"]


def test_binary_files_and_mode_changes_are_no_trouble(differ: Differ, tmp_path: Path) -> None:
    diff = differ({"a.bin": "\0\1", "run.sh": "x\n"}, {"a.bin": "\0\2"})
    assert changes_to_checks(diff) == () and parse(diff)[0].binary


@given(st.text(alphabet='+-@ \\diffgita/b.py0123,\n"', max_size=300))
def test_any_text_gives_a_list(text: str) -> None:
    assert isinstance(changes_to_checks(f"diff --git a/test_x.py b/test_x.py\n{text}"), tuple)


def test_many_new_modules_take_no_time_for_each_pair_of_them() -> None:
    new = "diff --git a/{0} b/{0}\nnew file mode 100644\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n+x = 1\n"
    diff = "".join(new.format(f"src/m{at}/x{at}.py") for at in range(10_000))
    begin = time.process_time()
    assert changes_to_checks(diff) == ()
    assert time.process_time() - begin < 8
    (found,) = changes_to_checks(diff + new.format("tests/m9/x9.py"))
    assert found.text == "added: stands before the module src/m9/x9.py"


def test_a_configuration_that_opens_many_lists_is_read_once() -> None:
    begin = time.process_time()
    around = guard_named.around({"vitest.config.ts": "setupFiles: ['./a.ts', " * 10_000}, (), ("a.ts",))
    assert time.process_time() - begin < 3 and around.named == {"a.ts": "vitest.config.ts names it"}


def test_a_configuration_that_a_command_names_is_read_whatever_it_is_called() -> None:
    asked = ("ci/quick.ini", "ci/quick.config.mts", "tests/run.mjs", "check.sh")
    assert [guard_named.names_files(path, run=True) for path in asked] == [True, True, False, False]
    assert not any(map(guard_named.names_files, ("ci/quick.ini", "ci/conf.toml", "src/config.ts")))
    around = guard_named.around({"ci/quick.ini": "[pytest]\naddopts = -p plug\n"}, ("plug.py",), ("plug.py",))
    assert around.named == {"plug.py": "ci/quick.ini names it"}
