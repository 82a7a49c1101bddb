"""betterleaks beside devloop's own patterns: what it finds, and what happens where it can't look."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from devloop import sandbox
from devloop.redact import Redactor, artefacts
from devloop.runs import scanning
from devloop.settings import Settings
from devloop.shipping import checks

OTHER = "shippo" + "_live_" + "f5da2cec25" * 4
"""betterleaks knows it, devloop's own patterns don't."""
SHAPE = "gh" + "p_" + "f4Tr9w" * 6
VALUE = "hunter-of-" + "the-2nd-kind"
LINES = [("a.py", 4, "x = 1"), ("a.py", 9, f"token = '{OTHER}'"), ("words", 1, "nothing in here")]


async def detect() -> sandbox.Detection:
    return await sandbox.detected(Settings().sandbox)


async def test_it_finds_what_own_patterns_do_not_know_and_says_where() -> None:
    pytest.importorskip("betterleaks")
    assert Redactor({}).text(OTHER) == OTHER
    found, looked = await scanning.hits(LINES, detect)
    assert looked and [(each.path, each.line, each.value) for each in found] == [("a.py", 9, OTHER)]
    assert OTHER not in repr(found)


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import time; time.sleep(60)", id="hangs"),
        pytest.param("raise SystemExit(3)", id="ends badly"),
        pytest.param("import os; os.abort()", id="is killed"),
        pytest.param("print('[[99, 99, 1, 2]]')", id="answers nonsense"),
        pytest.param("print('x' * 9_000_000)", id="floods"),
    ],
)
async def test_one_that_breaks_is_told_as_not_looked_in_time(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    pytest.importorskip("betterleaks")
    monkeypatch.setattr(scanning, "_PROGRAM", program)
    await detect()
    begun = time.monotonic()
    assert await scanning.hits(LINES, detect, wall_s=2) == ([], False)
    assert time.monotonic() - begun < 30


async def test_without_it_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> sandbox.Detection:
        raise AssertionError("nobody needs a sandbox")

    monkeypatch.setattr(scanning, "installed", lambda: None)
    assert await scanning.hits(LINES, never) == ([], False)
    assert await scanning.hidden([SHAPE, "fine"], Redactor({}), never) != [SHAPE, "fine"]


async def test_lines_that_are_written_down_elsewhere_lose_what_either_finds() -> None:
    pytest.importorskip("betterleaks")
    told = await scanning.hidden([f"fix: {SHAPE}", "fix: all", f"use {OTHER}"], Redactor({}), detect)
    assert told[1] == "fix: all"
    assert told[0].startswith("fix: «redacted:github-pat:") and told[2].startswith("use «redacted:shippo-api-token:")


def in_names(paths: Sequence[str], redactor: Redactor) -> list[tuple[str, str]]:
    looked = artefacts.names(paths)
    found = artefacts.hits([("", number, text) for number, (_, text) in enumerate(looked, 1)], redactor)
    return sorted((each.path, each.rule) for each in artefacts.in_names(found, looked))


def test_names_are_read_by_part_as_a_whole_and_with_what_hides_in_them() -> None:
    redactor = Redactor({"K": VALUE, "WITH_SLASH": "aaa/bbb-" + "ccc-ddd"})
    split = f"{SHAPE[:9]}\n\x1b[1m{SHAPE[9:]}"
    paths = [f"a/{SHAPE}/x", f"a/{SHAPE}/y", f"b/\x07{VALUE}\x1b[0m", split, "c/aaa/bbb-ccc-ddd", "plain/x.py"]
    found = in_names(paths, redactor)
    assert found == sorted(
        [
            (f"a/{SHAPE}", "github-pat"),
            (f"b/\x07{VALUE}\x1b[0m", "known-value"),
            (split, "github-pat"),
            ("c/aaa/bbb-ccc-ddd", "known-value"),
        ]
    )
    for path, _ in found:
        told = artefacts.name_without(redactor, path)
        assert "«redacted:" in told and not any(each in told for each in (SHAPE[9:], VALUE, "bbb-ccc"))


def test_a_secret_over_two_lines_of_words_is_one() -> None:
    redactor = Redactor({"K": VALUE})
    lines = [("m", 3, f"try {SHAPE[:12]}"), ("m", 4, f"  {SHAPE[12:]} now"), ("m", 5, f"or {VALUE[:9]}")]
    found = artefacts.seams([*lines, ("m", 6, VALUE[9:])], redactor)
    assert [(each.line, each.rule) for each in found] == [(3, "github-pat"), (5, "known-value")]
    assert not list(artefacts.seams([("m", 1, f"all of {SHAPE}"), ("m", 2, "and more words")], redactor))


def test_what_a_scanner_found_in_a_release_is_told_once_and_without_its_value() -> None:
    lines = [("a.py", 9, f"token = '{OTHER}'  # {SHAPE}"), ("b.py", 2, "known")]
    hits = [artefacts.Hit("a.py", 9, "shippo", OTHER), artefacts.Hit("b.py", 2, "x", "known")]
    known = checks.Found("blocker", "secret", "b.py", 2, "…")
    (found,) = checks.scanned([*hits, *hits], lines, [known], Redactor())
    assert (found.severity, found.kind, found.path, found.line) == ("blocker", "secret", "a.py", 9)
    assert found.text.startswith("token = '«redacted:shippo:") and OTHER not in found.text and SHAPE not in found.text
