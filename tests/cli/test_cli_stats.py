"""`devloop stats` before anything was run, and sessions that another program recorded."""

from __future__ import annotations

import json

import jsonschema
import pytest

from devloop.state import schema

RECORDED = {
    "sessions": [
        {
            "session_id": "s-1",
            "project": "p",
            "model": "m",
            "start_time": "2025-12-29T05:00:00Z",
            "end_time": "2025-12-29T06:00:00Z",
            "start_tokens": 0,
            "end_tokens": 1200,
            "tokens_used": 1200,
        },
        {"id": "s-2", "startedAt": "2025-12-30T05:00:00Z", "tasksCompleted": 3},
        {"id": "s-3"},
    ],
    "created": "2025-12-29T05:00:00Z",
}


@pytest.fixture
def recorded(project):
    (project / ".devloop" / "sessions.json").write_text(json.dumps(RECORDED, indent=2))


def test_nothing_was_run(devloop, scripted):
    assert "Nothing was run yet." in devloop("stats").out
    assert "Nothing was run in that time." in devloop("stats", "--since", "7d", "--by", "model").out
    found = devloop("stats", "--json").json
    assert found["total"]["runs"] == 0 and found["sessions"] == [] and found["day"] == []
    jsonschema.Draft202012Validator(schema.load("sessions")).validate(found)


def test_sessions_are_imported_once_and_exported(devloop, scripted, recorded):
    first = devloop("import", "sessions", "--json")
    assert first.json["imported"] == 2 and first.json["found"] == 2
    (problem,) = first.json["problems"]
    assert problem["path"] == ".devloop/sessions.json" and "start_time" in problem["message"] and problem["line"] == 18
    again = devloop("import", "sessions")
    assert "Imported 0 sessions. 2 were known already." in again.out and ":18:" in again.out
    found = devloop("stats", "--json").json
    jsonschema.Draft202012Validator(schema.load("sessions")).validate(found)
    assert [each["session_id"] for each in found["sessions"]] == ["s-1", "s-2"]
    assert found["imported"] == {"sessions": 2, "tokens": 1200} and found["created"] == "2025-12-29T05:00:00Z"
    assert devloop("stats", "--json", "--since", "2025-12-30").json["imported"]["sessions"] == 1
    assert "Imported: 2 sessions, 1,200 tokens." in devloop("stats").out


def test_nothing_to_import(devloop):
    got = devloop("import", "sessions")
    assert got.code == 2 and "There is no .devloop/sessions.json" in got.err


@pytest.mark.parametrize("when", ["yesterday", "7x", "2025-13-01"])
def test_a_time_that_is_none(devloop, scripted, when):
    got = devloop("stats", f"--since={when}")
    assert got.code == 2 and "12h, 7d, 4w" in got.err
