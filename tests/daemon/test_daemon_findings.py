"""Findings are found again in texts that were changed, and what is kept of them survives whatever is done to it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.daemon.findings import records
from devloop.daemon.findings.anchors import anchor_of, find_again, lines_of
from devloop.daemon.findings.findings import Findings, findings_of
from devloop.errors import NotFound
from devloop.paths import StateDir
from support.turns import often

LINE = st.sampled_from(["", "}", "    return x", "def a():", "def b():", "x = 1", "\tx = 1", "y = load(x)"])


@settings(max_examples=often(200), deadline=None)
@given(st.lists(LINE, min_size=1, max_size=20), st.data())
def test_in_the_same_text_a_finding_is_where_it_was_or_beside_an_equal_line(lines, data):
    line = data.draw(st.integers(1, len(lines)))
    found = find_again(anchor_of(lines, line), lines)
    if found is None:
        assert sum(char.isalnum() for char in lines[line - 1]) < 3
    else:
        assert lines[found - 1].strip() == lines[line - 1].strip()


@settings(max_examples=often(100), deadline=None)
@given(st.lists(LINE, max_size=8), st.lists(LINE, max_size=8), st.lists(LINE, max_size=8))
def test_a_line_that_is_alone_is_found_wherever_it_moved(above, below, between):
    before = [*above, "the one line", *below]
    after = [*between, *above, "        the one line", *below]
    assert find_again(anchor_of(before, len(above) + 1), after) == len(between) + len(above) + 1
    assert find_again(anchor_of(before, len(above) + 1), [*above, *below]) is None


def test_of_equal_lines_the_neighbours_decide_then_the_distance():
    text = ["def a():", "    return x", "", "def b():", "    return x", ""]
    second = anchor_of(text, 5)
    assert find_again(second, ["new = 1", *text]) == 6
    assert find_again(second, ["def b():", "    return x", "def a():", "    return x"]) == 2
    assert find_again(second, text[:3]) == 2, "of what is left the nearest"
    bracket = anchor_of(["f(", ")", "g(", ")"], 4)
    assert find_again(bracket, ["h(", ")"]) is None, "a bracket alone says nothing"
    assert find_again(anchor_of(["a = 1"], 9), ["whatever"]) == 0, "a line that was never there is about the file"


def test_lines_end_as_in_an_editor():
    assert lines_of("a\r\nb\rc\nd\x0be") == ["a", "b", "c", "d\x0be"]


DATA = {
    "verdict": "COMMENT",
    "summary": "S",
    "findings": [
        {
            "path": "a.py",
            "line": 1,
            "severity": "High",
            "kind": "quality",
            "problem": "P\x1b[31m",
            "fix": "F",
            "by": ["one"],
        },
        {"path": "../../etc/passwd", "line": 1, "severity": "Low", "problem": "outside"},
        {"path": "link.py", "line": 1, "severity": "Low", "problem": "through a link"},
    ],
}


@pytest.fixture
def state(project):
    return StateDir.of(project).make()


async def test_without_the_commit_findings_are_kept_and_shown_nowhere(project, state):
    findings = Findings(state, project)
    assert await findings.record("run-review-1", {}, DATA, accepted=True) == 2, "what is outside is none"
    (review,) = await findings.reviews()
    assert "\x1b" not in review.findings[0].problem
    assert await findings.paths() == frozenset() and await findings.placed("a.py") == ()
    assert (records.folder(state) / "review-1.json").stat().st_mode & 0o777 == 0o600


async def test_recording_again_changes_nothing_and_accepting_keeps_what_was_dismissed(project, state):
    findings = Findings(state, project)
    await findings.record("run-review-1", {}, DATA, accepted=False)
    assert await findings.dismiss(["review-1.1"]) == ("review-1.1",)
    assert await findings.dismiss(["review-1.1"]) == ()
    await findings.record("run-review-1", {}, DATA, accepted=True)
    await findings.withdraw("run-review-1")
    again = Findings(state, project)
    (review,) = await again.reviews()
    assert review.accepted and [each.id for each in review.open] == ["review-1.2"]
    with pytest.raises(NotFound):
        await again.dismiss(["review-1.2", "review-9"])
    assert len((await again.reviews())[0].open) == 1, "nothing is dismissed where one of them is not there"
    assert await again.clear() == 1 and list(records.folder(state).iterdir()) == []


async def test_a_kept_file_that_is_broken_is_passed_over_and_the_oldest_go(project, state, monkeypatch):
    records.folder(state).mkdir()
    (records.folder(state) / "broken.json").write_text("{")
    monkeypatch.setattr(records, "MAX_REVIEWS", 3)
    findings = Findings(state, project)
    for number in range(5):
        await findings.record(f"run-review-{number}", {}, DATA, accepted=True)
    assert [review.id for review in await findings.reviews()] == ["review-2", "review-3", "review-4"]
    assert len(list(records.folder(state).glob("review-*.json"))) == 3


async def test_one_object_serves_all_and_tells_what_changed(project, state):
    findings = findings_of(state, project)
    assert findings_of(state, project) is findings
    told = []
    end = findings.listen(told.append)
    await findings.record("run-review-1", {}, DATA, accepted=False)
    await findings.withdraw("run-review-1")
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.01)
    assert told[0] == {"review-1"}
    end()


async def test_a_file_behind_a_link_out_of_the_project_is_not_read(project, state, tmp_path):
    findings = Findings(state, project)
    (tmp_path / "secret").write_text("hush\n")
    (project / "link.py").symlink_to(tmp_path / "secret")
    assert findings.signature("link.py") is None and findings.signature("../p") is None
    (project / "a.py").write_text("a\n")
    before = findings.signature("a.py")
    (project / "a.py").write_text("ab\n")
    assert before is not None and findings.signature("a.py") != before
