"""`devloop spike`: a report that stays, prototypes that don't, and changes of the plan that a person sees first."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.daemon.errands import spike as spikes_errand
from devloop.errors import UsageError
from devloop.state import schema, spikes
from support.programs import Place

FOUND = {
    "questions": [{"question": "Can we?", "answer": "Yes: proto.py"}],
    "feasible": "yes",
    "approach": "Stream it",
    "size": "S",
    "risk": "low",
    "confidence": "high",
    "discoveries": ["src/a.py:3 reads all at once"],
    "risks": ["Memory"],
    "recommendation": "Do it.",
    "next_steps": ["Measure"],
}
CHANGES = [
    {"what": "add", "title": "Stream the import", "after": "1.1"},
    {"what": "reword", "task": "1.2", "title": "Second, streamed", "why": "it is possible"},
]


def found(**more):
    proto = {"calls": [{"name": "write_file", "input": {"path": "proto.py", "content": "x = 1\n"}}]}
    return [proto, {"calls": [{"name": "finish", "input": {"summary": "It can be done.", **FOUND, **more}}]}]


@pytest.fixture
def desk(place: Place):
    before = place.plan.read_text()
    yield place
    for run in place("runs", "--json").json["runs"]:
        if run["state"] != "ended":
            place("cancel", run["id"])
    place.plan.write_text(before)


def decide(place: Place, run: str, *words: str) -> dict:
    """Decide, and follow the run to its end or its next checkpoint."""
    return place("decide", run, *words, "--follow", "--json").json


def test_a_spike_writes_its_report_and_changes_the_plan_on_a_yes_and_keeps_no_prototype(desk: Place) -> None:
    desk.script({"@spike": found(changes=CHANGES)})
    head = desk.git("rev-parse", "HEAD")
    asked = desk("spike", "Can we stream the import?", "--time-box", "30m", "--json")
    assert asked.code == 3 and asked.json["run"]["mode"] == "spike"
    shown = asked.json["checkpoint"]
    assert shown["proposal"]["optional"] and shown["proposal"]["said"] == "1 task added, 1 task reworded"
    assert "Can we?" in shown["summary"] and any("proto.py" in each for each in shown["notices"])
    run = asked.json["run"]["id"]
    assert "Time box: 30 minutes" in desk("transcript", run).out
    assert decide(desk, run, "continue")["run"]["outcome"] == "accepted"
    path = ".devloop/spikes/can-we-stream-the-import.md"
    text = (desk.root / path).read_text()
    report, faults = spikes.parse(text, path)
    jsonschema.validate(report.model_dump(mode="json"), schema.load("spike"))
    assert faults == () and report.topic == "Can we stream the import?" and report.findings["Feasibility"] == "yes"
    assert [each.kind for each in report.changes] == ["add", "modify"] and report.changes[0].after == "1.1"
    assert (report.relationship, report.relates_to) == ("informs", "1.2")
    plan = desk.plan.read_text()
    assert "Task 1.3: Stream the import" in plan and "Task 1.2: Second, streamed" in plan and f"({run})" in plan
    assert desk.git("rev-parse", "HEAD") == head and not (desk.root / "proto.py").exists()
    listed = desk("spike", "--list", "--json").json["spikes"]
    assert [each["path"] for each in listed] == [path] and listed[0]["relates_to"] == "1.2"
    assert desk("spike", "--show", "stream").out.startswith("# Spike: Can we stream the import?")
    assert desk("spike", "--show", "nothing").code == 2


def test_a_time_box_that_is_overrun_ends_with_what_was_done_until_then(desk: Place) -> None:
    """In the form of every report, and never as one that fits."""
    proto, late = found()
    desk.script({"@spike": [{"text": "I try a prototype first.", **proto}, {**late, "delay_s": 60}]})
    config = Path(desk.environment["DEVLOOP_CONFIG_DIR"]) / "config.toml"
    config.parent.mkdir(exist_ok=True)
    config.write_text("[budget]\nwall = 4\n")
    ended = desk("spike", "Is it fast?")
    config.unlink()
    assert ended.code == 5, ended
    told = ("Ended: the run's wall time is used up", "Done:", "- write proto.py", "- I try a prototype first.")
    assert [each for each in told if each not in ended.out] == [], ended.out
    run = desk("runs", "--json").json["runs"][0]
    assert run["outcome"] == "exhausted"
    report = desk("show", run["id"], "--json").json["report"]
    assert set(report) == {"text", "data", "fits", "mistakes"} and not report["fits"]
    assert report["mistakes"] == ["there is no result: the run ended before"]
    assert report["text"] in ended.out and report["text"] in desk("show", run["id"]).out


def test_the_report_alone_leaves_the_plan_as_it_is(desk: Place) -> None:
    desk.script({"@spike": found(changes=CHANGES)})
    before = desk.plan.read_text()
    run = desk("spike", "The report alone", "--json").json["run"]["id"]
    assert decide(desk, run, "continue", "--leave-out", "plan")["run"]["outcome"] == "accepted"
    assert desk.plan.read_text() == before and (desk.root / ".devloop/spikes/the-report-alone.md").exists()
    assert any("the plan stays as it is" in each for each in desk("show", run, "--json").json["notices"])


def test_a_spike_of_the_plan_does_the_same_and_is_ticked(desk: Place) -> None:
    desk.plan.write_text(desk.plan.read_text().replace("Task 1.1: First thing", "Task 1.1: Spike: is it fast?"))
    desk.script({"1.1": found(changes=[{"what": "add", "title": "Make it fast"}])})
    asked = desk("run", "1.1", "--json")
    assert asked.json["run"]["mode"] == "spike" and asked.json["checkpoint"]["proposal"]["optional"]
    run = asked.json["run"]["id"]
    assert decide(desk, run, "stop")["run"]["outcome"] == "accepted"
    text = desk.plan.read_text()
    assert "[x] Task 1.1" in text and "Make it fast" in text
    assert (desk.root / ".devloop/spikes/spike-is-it-fast.md").exists() and not (desk.root / "proto.py").exists()


def test_without_changes_or_without_a_plan_only_the_report_is_written(desk: Place) -> None:
    desk.script({"@spike": found()})
    asked = desk("spike", "Nothing to change", "--yes", "--json").json
    assert asked["run"]["outcome"] == "accepted"
    text = desk.plan.read_text()
    desk.plan.unlink()
    desk.script({"@spike": found(changes=CHANGES)})
    run = desk("spike", "No plan yet", "--yes", "--json").json["run"]
    assert run["outcome"] == "accepted" and not desk.plan.exists()
    notices = " ".join(desk("show", run["id"], "--json").json["notices"])
    assert "devloop plan new --from .devloop/spikes/no-plan-yet.md" in notices
    desk.plan.write_text(text)


def test_a_wrong_call_begins_nothing(desk: Place) -> None:
    assert desk("spike", "x", "--list").code == 2 and desk("spike", "!!!", "--json").code == 2
    longer = desk("spike", "x", "--time-box", "2h")
    assert longer.code == 2 and "ends after 60 minutes by your budget" in longer.err and "wall" in longer.err


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("2h", 7200), ("1 hour", 3600), ("90 min", 5400)])
def test_time_boxes(text: str, seconds: int) -> None:
    assert spikes_errand.time_box(text) == seconds


@pytest.mark.parametrize("text", ["", "0m", "9h", "-1h", "30", "m", "1e3h", "30s"])
def test_what_is_no_time_box(text: str) -> None:
    with pytest.raises(UsageError):
        spikes_errand.time_box(text)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["## x", "```", "1. a", "**K**: v"])
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FOUND, "changes", "what"]), inner),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([*FOUND, "changes", "summary"]), json_values))
def test_whatever_is_handed_in_makes_a_report_that_reads_back(data: dict) -> None:
    text = spikes_errand.report("A topic", data, "")
    report, _ = spikes.parse(text, ".devloop/spikes/a-topic.md")
    assert report.topic == "A topic" and "Plan Updates Required" in dict(report.sections)
    jsonschema.validate(report.model_dump(mode="json"), schema.load("spike"))
