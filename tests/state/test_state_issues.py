"""Issues: front matter and the old form, counters, changes that touch only their lines, views."""

from __future__ import annotations

import threading
from datetime import datetime

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.errors import NotFound, UsageError
from devloop.state import issues, schema

NOW = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - issues have local times
SCHEMA = jsonschema.Draft202012Validator(schema.load("issue"))
FEATURE = """---
id: FEAT-001
type: feature
title: "Sign in: with a link"
status: open
priority: high
created: 2025-12-18T10:30:00
updated: 2025-12-18T10:30:00
reporter: agent:engineer
assignee: null
labels: [auth, mvp]
related-files:
  - src/auth.py
  - src/b.py
related-plan-task: Task 2.3
estimate: M
# a comment of the person
custom: 7
github: owner/repo#12
---

# FEAT-001: Sign in

## Notes

- first

## Later

text
"""
LEGACY = """# FEAT-005: Better views

**Status**: In Progress
**Priority**: High
**Created**: 2025-12-20
**Labels**: a, b

Some words.
"""


def test_front_matter_is_read_with_yaml_types():
    issue, body, faults = issues.parse(FEATURE, ".devloop/issues/FEAT-001.md")
    assert faults == () and issue.title == "Sign in: with a link" and issue.created == "2025-12-18T10:30:00"
    assert issue.labels == ("auth", "mvp") and issue.related_files == ("src/auth.py", "src/b.py")
    assert issue.assignee is None and issue.estimate == "M" and issue.github == "owner/repo#12"
    assert body.lstrip().startswith("# FEAT-001") and issue.model_extra == {"custom": 7}


def test_the_old_form_with_fields_is_read():
    issue, _, faults = issues.parse(LEGACY, ".devloop/issues/FEAT-005.md")
    assert faults == () and issue.title == "Better views" and issue.status == "in-progress" and issue.type == "feature"
    assert issue.priority == "high" and issue.created == "2025-12-20" and issue.labels == ("a", "b")


@pytest.mark.parametrize(
    ("written", "status"),
    [("Completed", "done"), ("Won't Fix", "wont-do"), ("open", "open"), ("Proposed", "open"), ("blocked", "blocked")],
)
def test_words_of_old_files_for_a_status(written, status):
    text = LEGACY.replace("In Progress", written)
    assert issues.parse(text, "FEAT-005.md")[0].status == status


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ("priority: high", "priority: urgent", 6, "priority"),
        ("status: open", "status: maybe", 5, "status"),
        ("type: feature", "type: dream", 3, "type"),
        ("id: FEAT-001", "id: X-1", 2, "id"),
        ("type: feature", "type: bug", 3, "does not fit"),
        ("id: FEAT-001", "id: FEAT-002", 2, "name of the file"),
        ("labels: [auth, mvp]", "labels: {a: b}", 11, "labels"),
        ("labels: [auth, mvp]", "labels: [auth", 12, "YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(old, new, line, word):
    _, _, faults = issues.parse(FEATURE.replace(old, new), ".devloop/issues/FEAT-001.md")
    assert any(each.line == line and word in each.message for each in faults), faults


def test_a_wrong_optional_field_loses_only_itself():
    issue, _, faults = issues.parse(FEATURE.replace("estimate: M", "estimate: huge"), "FEAT-001.md")
    assert issue is not None and issue.estimate is None and len(faults) == 1


@given(st.text(max_size=300))
def test_any_text_is_read_without_raising(text):
    issues.parse(text, "BUG-001.md")
    issues.parse(f"---\n{text}\n---\nx", "BUG-001.md")


@settings(max_examples=80, deadline=None)
@given(
    st.text(min_size=1, max_size=80).filter(lambda text: issues.one_line(text, 200)),
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10), max_size=3),
)
def test_any_title_and_labels_make_the_round_trip(title, labels):
    issue = issues.Issue(id="BUG-001", type="bug", title=issues.one_line(title, 200), labels=tuple(labels))
    text = issues.render(issue, "# x")
    again, body, faults = issues.parse(text, ".devloop/issues/BUG-001.md")
    assert faults == () and again.title == issue.title and body.strip() == "# x"
    assert again.labels == tuple(issues.one_line(label, 2000) for label in labels)
    yaml.safe_load(text.split("---\n")[1])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The app crashes on start", "bug"),
        ("Add a dark theme", "feature"),
        ("Fix: add button", "bug"),
        ("Add and document", "feature"),
        ("Investigate caching", "spike"),
        ("Bump dependencies", "chore"),
        ("Refactor the parser", "task"),
        ("Something", "task"),
    ],
)
def test_the_type_is_found_by_keywords(text, kind):
    assert issues.detect_type(text) == kind


def test_each_prefix_has_its_own_counter_and_numbers_are_never_used_twice(project, put):
    first = issues.create(project, "It crashes", NOW)
    second = issues.create(project, "It fails", NOW)
    other = issues.create(project, "Add a view", NOW)
    assert (first.id, second.id, other.id) == ("BUG-001", "BUG-002", "FEAT-001")
    put(".devloop/issues/BUG-999.md", FEATURE)
    put(".claude/bugs/BUG-1000.md", FEATURE)
    assert issues.create(project, "broken", NOW).id == "BUG-1001"


def test_an_issue_is_written_as_the_schema_says(project):
    issue = issues.create(project, "It crashes: 100 % \x1b[31m", NOW, body="when\x07 started", labels=["a b"])
    text = (project / f".devloop/issues/{issue.id}.md").read_text()
    assert "\x1b" not in text and "\x07" not in text and "## Steps to Reproduce" in text
    again, _, faults = issues.parse(text, f".devloop/issues/{issue.id}.md")
    assert faults == () and again == issue
    SCHEMA.validate(again.model_dump(mode="json", by_alias=True, exclude_none=True))


def test_two_at_a_time_never_get_the_same_number(project):
    found = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(issues.create(project, f"crash {n}", NOW).id))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"BUG-00{n}" for n in range(1, 7)]
    known, faults = issues.scan(project)
    assert len(known) == 6 and faults == ()


def test_closing_changes_only_the_lines_it_owns(project, put):
    path = put(".devloop/issues/FEAT-001.md", FEATURE.replace("\n", "\r\n"))
    issue = issues.set_status(project, "feat-001", "done", NOW, note="it works")
    assert issue.status == "done" and issue.resolved == "2026-01-02T03:04:05"
    text = path.read_bytes().decode()
    assert text.count("\n") == text.count("\r\n")
    kept = [line for line in FEATURE.split("\n") if not line.startswith(("status:", "updated:"))]
    assert [line for line in text.split("\r\n") if line in kept][: len(kept) - 1] == kept[:-1]
    assert "## Resolution" in text and "it works" in text
    again = issues.set_status(project, "FEAT-001", "open", NOW, note="not yet")
    assert again.status == "open" and not again.resolved
    text = path.read_bytes().decode()
    assert text.index("- first") < text.index("not yet") < text.index("## Later")


def test_an_old_form_gets_front_matter_when_it_is_changed(project, put):
    path = put(".devloop/issues/FEAT-005.md", LEGACY)
    issues.set_status(project, "FEAT-005", "done", NOW)
    issue, body, faults = issues.parse(path.read_text(), ".devloop/issues/FEAT-005.md")
    assert faults == () and issue.status == "done" and "Some words." in body and issue.title == "Better views"


def test_an_issue_of_a_legacy_folder_is_copied_not_changed(project, put):
    old = put(".claude/bugs/BUG-003.md", FEATURE.replace("FEAT-001", "BUG-003").replace("feature", "bug"))
    before = old.read_bytes()
    assert issues.set_status(project, "BUG-003", "done", NOW).status == "done"
    assert old.read_bytes() == before and (project / ".devloop/issues/BUG-003.md").is_file()
    assert [each.status for each in issues.scan(project)[0]] == ["done"], "the copy counts, once"


def test_views_are_written_only_when_their_text_changes(project, put):
    put(".devloop/issues/FEAT-001.md", FEATURE)
    put(".devloop/issues/FEAT-005.md", LEGACY)
    put(".devloop/issues/BUG-001.md", "no front matter\n")
    assert len(issues.write_views(project)) == 4
    assert issues.write_views(project) == ()
    index = (project / ".devloop/issues/index.md").read_text()
    assert issues.GENERATED in index and "**2 open** of 2: 2 features" in index
    assert "[FEAT-005](FEAT-005.md): Better views (high, in-progress)" in index and "Untitled" not in index
    issues.set_status(project, "FEAT-005", "wont-do", NOW)
    assert "Recently resolved" in (project / ".devloop/issues/index.md").read_text()
    assert "FEAT-005" not in (project / ".devloop/issues/backlog.md").read_text()


def test_markup_in_a_title_can_not_break_a_view():
    issue = issues.Issue(id="BUG-001", type="bug", title="[x](javascript:1) <b>|`*_")
    line = next(x for x in issues.views([issue])["bugs.md"].split("\n") if x.startswith("- "))
    assert r"\[x\](javascript:1) \<b\>\|\`\*\_" in line


def test_a_name_that_is_none_finds_nothing(project):
    for name in ("BUG-404", "../../etc", "", "BUG-1"):
        with pytest.raises(NotFound):
            issues.find(project, name)
    with pytest.raises(UsageError):
        issues.create(project, " \x1b ", NOW)
