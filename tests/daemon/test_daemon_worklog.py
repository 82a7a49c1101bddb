"""The worklog: newest row first, no hash twice, nothing else touched."""

from __future__ import annotations

from datetime import UTC, datetime

from devloop.state import worklog

WHEN = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
STAMP = WHEN.astimezone().strftime("%Y-%m-%d %H:%M")


def commit(text, hash_, message="Add it", task="1.1"):
    return worklog.with_commit(text, commit=hash_, when=WHEN, message=message, task=task)


def rows(text):
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ") and "Hash" not in line]


def test_a_new_worklog_takes_rows_newest_first():
    text = worklog.new("shop", "Login", WHEN)
    for hash_ in ("aaaa111", "bbbb222", "cccc333"):
        text = commit(text, hash_)
    assert rows(text) == ["cccc333", "bbbb222", "aaaa111"]
    assert "# Devloop Worklog" in text and "**Project**: shop" in text and "## Login" in text


def test_a_hash_is_never_added_twice_however_it_is_shortened():
    text = commit(worklog.new("p", "q", WHEN), "abcdef1")
    assert commit(text, "abcdef1") == text
    assert commit(text, "abcdef1234567890") == text
    assert rows(commit(text, "abcdef2")) == ["abcdef2", "abcdef1"]


def test_a_worklog_of_a_person_keeps_every_line_but_the_date():
    old = (
        "# Devloop Worklog\r\n\r\n**Project**: x\r\n**Last Updated**: 2020-01-01 00:00\r\n\r\n## Old\r\n\r\n"
        "### Commits\r\n\r\n| Hash | Date | Message | Tasks |\r\n|:-----|------|---------|------:|\r\n"
        "| `1234567` | d | m | 0.1 |\r\n\r\n### Notes\r\n\r\nmine  \r\n"
    )
    new = commit(old, "7654321")
    row = f"| 7654321 | {STAMP} | Add it | 1.1 |\r\n"
    assert new == old.replace("2020-01-01 00:00", STAMP).replace("| `1234567`", row + "| `1234567`")


def test_without_a_table_one_is_added_at_the_end():
    new = commit("# Devloop Worklog\n\nfree text", "7654321")
    assert new.startswith("# Devloop Worklog\n\nfree text\n\n### Commits\n\n| Hash ")
    assert rows(new) == ["7654321"]
    assert commit(new, "7654321") == new


def test_an_empty_file_gets_a_table():
    assert rows(commit("", "7654321")) == ["7654321"]


def test_a_message_can_not_break_the_table():
    new = commit(worklog.new("p", "q", WHEN), "7654321", message="a | b\n| c\x1b[31m \\|")
    line = next(line for line in new.splitlines() if "7654321" in line)
    assert line == f"| 7654321 | {STAMP} | a \\| b \\| c \\\\\\| | 1.1 |"
