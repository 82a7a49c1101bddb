"""The linter: each problem with file and line, nothing where nothing is wrong."""

from __future__ import annotations

import pytest

from devloop.skills import check_path, check_skill
from devloop.skills.lint import bad_glob

HEAD = """---
name: own-way
description: How it is done. Use when it is to be done.
when_not: anything else
triggers:
  keywords: [widget]
---
"""


def found(text: str, **files: str) -> list[tuple[str, int]]:
    every = {"SKILL.md": text.encode(), **{name: body.encode() for name, body in files.items()}}
    return [(problem.code, problem.line) for problem in check_skill("own-way", every)]


def test_a_good_skill_has_no_problem():
    assert found(f"{HEAD}# Text\n\nSee [more](references/more.md#part).\n", **{"references/more.md": "x"}) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("How it is done. Use when it is to be done.", "How it is done."), [("no-when", 3)]),
        (("when_not: anything else\n", ""), [("no-when-not", 3)]),
        (("  keywords: [widget]", "  paths: ['src/**.py']"), [("bad-glob", 5)]),
        (("  keywords: [widget]", "  languages: [klingon]"), [("unknown-language", 5)]),
        (("triggers:\n  keywords: [widget]\n", ""), [("no-triggers", 3)]),
        (("name: own-way", "name: other-way"), [("name-folder", 2)]),
        (("when_not", "whenever"), [("no-when-not", 3), ("unknown-key", 4)]),
    ],
)
def test_front_matter_that_says_too_little_is_told(change, expected):
    assert found(f"{HEAD}# Text\n".replace(*change)) == expected


def test_not_for_in_the_text_is_enough():
    assert found(f"{HEAD}# Text\n\nNot for other things.\n".replace("when_not: anything else\n", "")) == []


def test_a_long_text_is_an_error_by_lines_and_by_tokens():
    assert found(HEAD + "line\n" * 500) == []
    assert found(HEAD + "line\n" * 501) == [("long-body", 508)]
    assert found(HEAD + "x" * 20_004) == [("long-body", 8)]


def test_dead_links_and_links_outside_have_their_lines_and_examples_none():
    text = (
        f"{HEAD}[a](references/none.md) and `scripts/none.py`\n"
        "[b](../other/SKILL.md) [c](https://example.org/x) [d](#here) [e](references/there.md)\n"
        "```\n[f](references/example.md)\n```\n[g](references/last.md)\n"
    )
    assert found(text, **{"references/there.md": "x"}) == [
        ("dead-link", 8),
        ("dead-link", 8),
        ("link-outside", 9),
        ("dead-link", 13),
    ]


@pytest.mark.parametrize("pattern", ["**", "*", "a/**b/c", "[abc", "{a,b", "../x/*.py", "~/x", "a\\b"])
def test_patterns_that_can_not_be_meant_are_errors(pattern):
    assert bad_glob(pattern)


@pytest.mark.parametrize("pattern", ["*.py", "src/**/*.ts", "{a,b}/*.sql", "Dockerfile", "**/api/**", "[ab].c"])
def test_good_patterns_are_fine(pattern):
    assert bad_glob(pattern) == ""


def test_a_path_is_a_file_a_skill_a_folder_of_skills_or_a_project(tmp_path, write):
    path = write(tmp_path / ".devloop/skills", "own-way", body="[x](references/none.md)")
    for start in (path, path.parent, path.parent.parent, tmp_path):
        (problem,) = check_path(start)
        assert (problem.code, problem.line, problem.severity) == ("dead-link", 10, "error")
        assert problem.path == str(path)


def test_two_skills_of_one_name_side_by_side_are_an_error(tmp_path, write):
    write(tmp_path, "one")
    second = write(tmp_path, "two")
    second.write_text(second.read_text().replace("name: two", "name: one"))
    told = [(problem.code, problem.path) for problem in check_path(tmp_path)]
    assert told == [("name-folder", str(second)), ("duplicate-name", str(second))]


def test_a_refused_skill_is_an_error_of_its_file(tmp_path, write):
    path = write(tmp_path, "one")
    (path.parent / "out").symlink_to("/etc/hosts")
    (problem,) = check_path(tmp_path)
    assert problem.code == "unreadable" and "symbolic link" in problem.message
