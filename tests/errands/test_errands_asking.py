"""What every errand has in common: the words it is asked for with, and that it stands beside the plan."""

from __future__ import annotations

import os

from support.programs import Place

IDLE = [{"calls": [{"name": "finish", "input": {"summary": "Nothing to do."}}]}]


def test_words_that_are_no_text_are_taken_as_far_as_they_are(place: Place) -> None:
    place.play(IDLE)
    begun = place("quick", os.fsdecode(b"Mend \xff it\x1b[31m\x07"), "--agent", os.fsdecode(b"\xfe"), "--json")
    assert begun.code == 3, begun
    assert begun.json["run"]["title"] == "Mend \ufffd it"
    told = place("transcript", begun.json["run"]["id"]).out
    assert "Mend \ufffd it" in told and "\x1b" not in told
    place("decide", begun.json["run"]["id"], "discard", "--follow")


def test_an_open_errand_keeps_nobody_from_another_plan(place: Place) -> None:
    """It stands in none, so nothing is taken from it."""
    place.play(IDLE)
    begun = place("quick", "Wait here", "--json").json["run"]["id"]
    replaced = place("start", "Greet people", "--replace", "--no-run", "--json")
    assert replaced.code == 0 and replaced.json["archived"], replaced
    assert place("decide", begun, "discard", "--follow", "--json").json["run"]["outcome"] == "discarded"
    (place.root / "list.md").write_text("- [ ] Another thing\n")
    place.play(IDLE * 2)  # no result at first, and none again
    task = place("run", "0.1", "--json").json["run"]
    refused = place("plan", "import", "list.md", "--write", "--replace", "--json")
    assert refused.code == 4 and task["id"] in refused.error["hint"], "a run of the plan does"
    place("decide", task["id"], "discard", "--follow")
