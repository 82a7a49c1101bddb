"""What is shown in part is cleaned first and cut then: half a secret is known by nobody (security §9.3)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devloop.gates import changes_to_checks, coverage
from devloop.gates.guard import LONGEST
from devloop.redact import Redactor, cut, file_name, one_line, tail
from devloop.runs import transcript_text
from support.engines import command, engine, finish, trust_everything, turn, write
from support.projects import at_home, commit_all, tiny_project

INSIDE = "Qz7vB2"
KEY = "sk-" + "ant-api03-" + INSIDE * 8
"""Known by value; a few characters of it have no shape."""
SHOWN = len("sk-ant-api03-" + INSIDE)
"""So much of it would stand before the cut."""


def up_to(limit: int) -> str:
    """What comes before the key in a name, so that a cut at `limit` characters goes through it."""
    return "d" * (limit - SHOWN - 2)


LONG = f"    assert value('{'x' * (200 - SHOWN - 19)}', '{KEY}') == 1"
STATEMENT = f"token = use('{'y' * (58 - SHOWN - 15)}', '{KEY}')"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    at_home(tmp_path, monkeypatch)
    root = tiny_project(tmp_path / "project", "# Plan\n\n- [ ] Task 1.1: Do it\n")
    (root / "tests").mkdir()
    before = f"from main import use, value\n\n{STATEMENT}\n\n\ndef test_a():\n{LONG}\n    assert token\n"
    (root / "tests/test_a.py").write_text(before)
    commit_all(root)
    trust_everything(root)
    return root


async def test_neither_a_line_of_a_test_nor_a_name_of_a_file_is_told_with_half_a_secret(project: Path) -> None:
    after = "from main import use, value\n\n\ndef test_a():\n    assert token\n"
    parts = "k=sk-ant-api03-$(for n in 1 2 3 4 5 6 7 8; do printf Qz''7vB''2; done)"
    made = command(
        f"{parts}; mkdir -p {up_to(80)}/$k && touch {up_to(80)}/$k/.npmrc && truncate -s 9M {up_to(100)}-$k.bin"
    )
    begun = [turn(write("tests/test_a.py", after)), turn(made), *[turn(finish())] * 6]
    async with engine(project, {"ANTHROPIC_API_KEY": KEY}, tasks={"1.1": begun}) as held:
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        told = {(each["kind"], each["text"][:12]) for each in shown["guards"]}
        assert ("removed-assertion", "assert value") in told, shown["guards"]
        assert any(text.startswith("changed or g") for _, text in told), shown["guards"]
        said = "\n".join(shown["notices"])
        assert "left out of the snapshot" in said and "package managers" in said
        for what in (shown, held.events, await held.ask("show", run=run)):
            assert INSIDE not in json.dumps(what)
        await held.decide(run, "discard")
        await held.ended(run)


def test_a_line_that_is_too_long_to_be_kept_ends_between_words() -> None:
    """Half a secret would not be known for one."""
    line = f"+    assert f('{'x' * (LONGEST - 50)}') == 1 or '{KEY * 3}'  # noqa"
    head = (
        "diff --git a/tests/test_a.py b/tests/test_a.py\n--- a/tests/test_a.py\n+++ b/tests/test_a.py\n@@ -0,0 +1 @@\n"
    )
    found = [each.text for each in changes_to_checks(f"{head}{line}\n")]
    assert found and all(INSIDE not in each for each in found) and max(map(len, found)) > LONGEST - 80


@pytest.mark.parametrize("where", ["input", "result", "opening"])
def test_a_block_of_the_conversation_is_cut_once_it_is_clean(where: str) -> None:
    long = f"{'x' * (transcript_text.MAX_BLOCK - 50)} {KEY} {'y' * 400}"
    given = [{"type": "text", "text": long}] if where == "result" else long
    text = transcript_text._quoted(long) if where == "opening" else transcript_text._shown(given)
    assert "characters more)" in text and INSIDE not in text


@pytest.mark.parametrize("shorten", [cut, tail, one_line, file_name])
def test_whatever_shortens_a_text_cleans_it_first_of_all_that_this_process_knows(shorten) -> None:
    """Wherever the end comes: a value that is known, one of a shape, a key over lines; none of it by name."""
    value = "Jb4 wQ9 tN2 " * 3  # of no shape, and words to any cut that ends between them
    known = Redactor({"SOME_TOKEN": value.strip()})
    block = "-----BEGIN PRIVATE " + "KEY-----\n" + "kX3mP7" * 10 + "\n-----END PRIVATE " + "KEY-----"
    for secret, inside in ((KEY, INSIDE), (value, "wQ9"), (block, "kX3mP7")):
        text = f"it is {secret} and more"
        for limit in range(1, len(text) - 1):
            told = shorten(text, limit)
            assert inside not in told and len(told) <= limit, (limit, told)
    assert cut("short", 5) == tail("short", 5) == one_line("short", 5) == file_name("short", 5) == "short"
    assert (cut("a long text", 7), tail("a long text", 7)) == ("a long…", "…g text")
    del known


def test_no_redactor_that_nobody_uses_any_more_is_kept() -> None:
    before = len(Redactor.living())
    made = [Redactor({"A_TOKEN": "Zr8-Zr8-Zr8"}) for _ in range(3)]
    assert len(Redactor.living()) == before + 3
    made.clear()
    assert len(Redactor.living()) == before


def test_the_files_that_are_covered_least_are_named_without_half_a_secret() -> None:
    name = f"{up_to(100)}/{KEY}.py"
    summary = {"summary": {"percent_covered": 1.0}}
    with_key = Redactor({"ANTHROPIC_API_KEY": KEY})
    assert INSIDE not in with_key.text(coverage._least({"files": {name: summary}}))
