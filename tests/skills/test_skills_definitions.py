"""SKILL.md as it is read: the open format, our triggers, and files that mean harm or were written in a hurry."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.front_matter import MAX_BYTES, Unreadable, read
from devloop.skills import Triggers, parse

FULL = """---
name: sql-style
description: >
  How this team writes SQL.
  Use when a task adds queries.
license: MIT
metadata:
  team: data
  version: 1.0
allowed-tools: Read Grep
when: a task touches queries
when_not: [schema design, "tuning: plans"]
triggers:
  paths: ["*.sql", "db/**"]
  keywords: [sql, query]
  task_types: [migration]
  languages: [sql]
  not_keywords: query string
---

# SQL

Text.
"""


def codes(text: str, folder: str = "sql-style") -> list[tuple[str, int]]:
    return [(problem.code, problem.line) for problem in parse(text.encode(), folder)[1]]


def test_everything_that_a_skill_says_is_read():
    skill, problems = parse(FULL.encode(), "sql-style")
    assert problems == [] and skill is not None
    assert (skill.name, skill.description) == (
        "sql-style",
        "How this team writes SQL. Use when a task adds queries.",
    )
    assert skill.when == "a task touches queries"
    assert skill.when_not == "schema design; tuning: plans"
    assert skill.triggers == Triggers(("*.sql", "db/**"), ("sql", "query"), ("migration",), ("sql",), ("query string",))
    assert skill.body == "# SQL\n\nText."
    assert FULL.splitlines()[skill.body_line - 1] == "# SQL"
    assert skill.lines["triggers"] == FULL.splitlines().index("triggers:") + 1


@pytest.mark.parametrize("key", ["when_not", "whenNotToUse", "when_not_to_use"])
def test_other_spellings_of_when_not_mean_the_same(key):
    skill, problems = parse(f"---\nname: a\ndescription: A. Use when.\n{key}: never\n---\nx\n".encode(), "a")
    assert skill is not None and skill.when_not == "never" and problems == []


def test_byte_order_mark_and_windows_line_ends_do_not_matter():
    plain, _ = parse(FULL.encode(), "sql-style")
    foreign, problems = parse(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode(), "sql-style")
    assert foreign == plain and problems == []


def test_a_description_that_yaml_forbids_is_read_all_the_same_and_said():
    text = "---\nname: pdf\ndescription: Reads PDF: forms, tables. Use when: a PDF is given\n---\nText\n"
    skill, problems = parse(text.encode(), "pdf")
    assert skill is not None and skill.description == "Reads PDF: forms, tables. Use when: a PDF is given"
    assert [(each.code, each.severity, each.line) for each in problems] == [("no-yaml", "warning", 3)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# No front matter\n", [("front-matter", 1)]),
        ("---\nname: sql-style\n", [("front-matter", 1)]),
        ("---\n- a\n- b\n---\nx\n", [("front-matter", 2)]),
        ("---\nname: sql-style\n---\nx\n", [("no-description", 2)]),
        ("---\ndescription: Use when.\n---\nx\n", [("no-name", 2)]),
        ("---\nname: other\ndescription: d\n---\nx\n", [("name-folder", 2)]),
        ("---\nname: Sql_Style\ndescription: d\n---\nx\n", [("bad-name", 2)]),
        ("---\nname: sql--style\ndescription: d\n---\nx\n", [("bad-name", 2)]),
        ("---\nname: sql-style\ndescription: d\n---\n\n \n", [("no-body", 5)]),
        ("---\nname: sql-style\ndescription: d\ncolour: red\n---\nx\n", [("unknown-key", 4)]),
        ("---\nname: sql-style\ndescription: d\nmetadata: x\n---\nx\n", [("metadata", 4)]),
        ("---\nname: sql-style\ndescription: d\ntriggers: 3\n---\nx\n", [("triggers", 4)]),
        ("---\nname: sql-style\ndescription: d\ntriggers:\n  words: [a]\n---\nx\n", [("triggers", 4)]),
        ("---\nname: sql-style\ndescription: d\ntriggers:\n  keywords: [1]\n---\nx\n", [("triggers", 4)]),
        ("---\nname: sql-style\ndescription: d\ntriggers:\n  task_types: [sports]\n---\nx\n", [("triggers", 4)]),
    ],
)
def test_what_is_wrong_has_its_line(text, expected):
    assert codes(text) == expected


def test_a_long_description_is_an_error_and_names_its_length():
    (problem,) = parse(f"---\nname: a\ndescription: {'x' * 1025}\n---\nb\n".encode(), "a")[1]
    assert (problem.code, problem.line) == ("long-description", 3) and "1025" in problem.message
    assert parse(f"---\nname: a\ndescription: {'x' * 1024}\n---\nb\n".encode(), "a")[1] == []


def test_bytes_that_are_no_text_are_a_problem_with_their_line():
    skill, (problem,) = parse(b"---\nname: a\ndescription: \xff\n---\nx\n", "a")
    assert skill is None and (problem.code, problem.line) == ("not-utf8", 3)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(8)
)


@pytest.mark.parametrize(
    ("text", "why", "line"),
    [
        (BOMB, "anchors and aliases", 2),
        ("name: a\nother: *nowhere\n", "anchors and aliases", 3),
        ("name: !!python/object/apply:os.system [echo]\n", "tags", 2),
        ("name: !!binary aGVsbG8=\n", "tags", 2),
        (f"a: {'[' * 50}{']' * 50}\n", "too much", 2),
        ("\n".join(f"k{n}: v" for n in range(3000)), "longer|too much", None),
        ("a: " + "x" * MAX_BYTES, "longer than", 1),
        ("when: 2026-99-99T00:00:00Z\n", "can't be read", 2),
    ],
)
def test_a_file_that_means_harm_is_refused_at_once(text, why, line):
    begin = time.perf_counter()
    with pytest.raises(Unreadable, match=why) as found:
        read(text)
    assert time.perf_counter() - begin < 1
    assert line is None or found.value.line == line


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: f"---\n{text}\n---\nx".encode())))
def test_no_bytes_make_it_fail(data):
    skill, problems = parse(data, "folder")
    assert skill is not None or problems
    assert all(problem.line >= 1 and problem.message for problem in problems)


def test_nothing_that_starts_loads_yaml():
    import subprocess
    import sys

    code = (
        "import sys\nimport devloop.skills, devloop.daemon.service, devloop.cli.app\n"
        "devloop.cli.app.application()\nprint('yaml' in sys.modules)\n"
        "devloop.skills.parse(b'---\\nname: a\\n---\\nx', 'a')\nprint('yaml' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "True"]
