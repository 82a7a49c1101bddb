"""Secrets come in wherever text comes in, in one day of real processes: they come out nowhere (security §13.5).

The program, daemon, engine and sandbox are real; the model is the strict double, which cuts what it says into pieces
of any length. Each exit is a row of `EXITS`: what came out there, and which sources must have got that far, so that a
row can't be true because nothing passed by.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from double import Double
from support import turns
from support.engines import trust_everything
from support.programs import Place
from support.secret_day import Day, whole
from support.secret_texts import SUBJECTS, prepare
from support.sown import Sown, told_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SEED = int(os.environ.get("DEVLOOP_TEST_SECRETS", "0")) or turns.number()


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    """The whole day, once; the tests look at what came out."""
    place_ = Path(tempfile.mkdtemp(prefix="dl-"))
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("ANTHROPIC_", "DEVLOOP_", "GIT_")) and name != "DEVLOOP_REQUIRE_SANDBOX":
                patch.delenv(name)
        patch.setenv("DEVLOOP_STATE_DIR", f"{place_}/s")
        patch.setenv("DEVLOOP_CONFIG_DIR", f"{place_}/c")
        place, sown = Place(place_.resolve()), Sown(SEED)
        del place.environment["DEVLOOP_SCENARIO"]
        said = prepare(place, sown)
        trust_everything(place.root)
        key = sown.environment[sown.known("key")[0]]
        with Double(scenario=said, key=key) as double:
            place.environment |= sown.environment | {"ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": double.url}
            made = Day(place, sown, double)
            try:
                asyncio.run(whole(made))
            finally:
                place.end()
            yield made
    shutil.rmtree(place_, ignore_errors=True)


EVERYWHERE = {"argument", "gate", "hook", "person", "question", "report", "work"}
CONVERSATION = {"command", "file", "flood", "plan", "said"}
EXITS: dict[str, set[str]] = {
    "output of commands": {"argument", "gate", "hook", "person", "question", "report"},
    "terminal": {"argument", "gate", "hook", "person", "question", "report"} | CONVERSATION,
    "socket of the daemon": EVERYWHERE | CONVERSATION | {"failure", "letter", "name", "thought"},
    "editor": EVERYWHERE | CONVERSATION | {"failure", "name", "thought"},
    "records": EVERYWHERE | {"command", "failure", "file", "flood", "letter", "name", "plan"},
    "model": {"argument", "command", "file", "flood", "gate", "hook", "person", "plan", "work"},
    "answers": {"argument", "question", "report", "said"},
    "commits": {"report"},
    "notes in the plan": {"report"},
    "worklog": set(),
    "logs": set(),
}
"""What comes out: by whose texts. "answers" are what the model said itself, as it said it."""


@pytest.mark.parametrize("name", EXITS)
def test_no_secret_comes_out(day: Day, name: str) -> None:
    data = day.out[name]
    every = [each for one in data for each in told_in(one)]
    found = day.sown.leaks(every, own=name == "answers")
    if name == "answers":  # a model's thinking is signed: changed, it would be refused
        found = [each for each in found if not each.startswith("thought:")]
    assert not found, (SEED, len(found), found[:5])
    missing = EXITS[name] - day.sown.reached(data)
    assert not missing, f"nothing of {missing} came here, so this says nothing of it"


def test_an_editors_notifications_and_questions_tell_none(day: Day) -> None:
    """Those that come by themselves, which a trace of the protocol or a desktop's history keeps."""
    assert {"window/showMessageRequest", "devloop/status", "devloop/event"} <= day.pushed.keys()
    for method, data in day.pushed.items():
        assert not day.sown.leaks(data), (SEED, method)
    assert "question" in day.sown.reached(day.pushed["window/showMessageRequest"])
    # What is said is passed over for an editor that is behind; a report never.
    assert "report" in day.sown.reached(day.pushed["devloop/event"])


def test_words_of_commits_with_a_known_value_hold_a_release_back(day: Day) -> None:
    told = {each for each in day.held if each.startswith("commit ")}
    assert len(told) == SUBJECTS, day.held
