"""A task's `Verify:` command: a gate once exactly that text is trusted, words for the agent in any case."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop import trust
from devloop.errors import Untrusted
from devloop.paths import StateDir
from devloop.runs.verifying import argv_of, command_of
from support.engines import Engine, first_text, turn, work
from support.engines import finish as finished

pytestmark = pytest.mark.asyncio(loop_scope="module")


def trusted(root: Path, command: str) -> None:
    item = trust.verify_item(command, ".devloop/plan.md", "Task a is verified by this command")
    store = StateDir.of(root).trust_file
    with pytest.raises(Untrusted, match="no longer there"):
        trust.accept(root, store, [(item.key, item.sha256)])  # no file of the repository declares it
    states = trust.accept(root, store, [(item.key, item.sha256)], [item])
    assert next(each.status for each in states if each.item.key == item.key) == "trusted"


async def test_an_untrusted_command_is_not_run_and_that_is_said(one: Engine) -> None:
    await one.play({"a": work("a.txt")})
    run = await one.run("a", task_fields={"verify": "run `test -e never` by hand"})
    shown = await one.checkpoint(run)
    assert [gate["gate"] for gate in shown["gates"]] == ["check"]
    assert [text for text in shown["notices"] if "(`test -e never`) is not run: not trusted" in text]
    assert "Verify: run `test -e never` by hand" in first_text(one.requests(run)[0])
    await one.decide(run, "discard")
    await one.ended(run)


async def test_a_trusted_command_is_a_required_gate_on_the_committed_work(one: Engine) -> None:
    trusted(one.root, "test -e b.txt && grep -q right b.txt")
    await one.play({"b": [*work("b.txt", "wrong\n"), *work("b.txt", "right\n")]})
    run = await one.run("b", task_fields={"verify": "`test -e b.txt && grep -q right b.txt`"})
    shown = await one.checkpoint(run)
    assert [(gate["gate"], gate["verdict"], gate["required"]) for gate in shown["gates"]] == [
        ("check", "pass", True),
        ("verify", "pass", True),
    ]
    said = [data["verdict"] for data in one.told("gate.ended", run) if data["gate"] == "verify"]
    assert said == ["fail", "pass"], "what fails goes back to the agent, also where it failed before"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_another_text_is_not_trusted_and_a_gate_that_is_there_is_not_run_twice(one: Engine) -> None:
    trusted(one.root, "test -e c.txt")
    await one.play({"c": work("c.txt"), "d": [turn(finished())]})
    run = await one.run("c", task_fields={"verify": "`test -e  c.txt`"})
    assert [gate["gate"] for gate in (await one.checkpoint(run))["gates"]] == ["check"]
    await one.decide(run, "discard")
    await one.ended(run)
    run = await one.run("d", task_fields={"verify": "`/bin/sh check.sh`"})
    shown = await one.checkpoint(run)
    assert not [text for text in shown["notices"] if "not trusted" in text]
    await one.decide(run, "discard")
    await one.ended(run)


@pytest.mark.parametrize(
    ("verify", "argv"),
    [
        ("`pytest -q 'a b'` passes", ("pytest", "-q", "a b")),
        ("`a | b`", ("/bin/sh", "-c", "a | b")),
        ("`it's`", ("/bin/sh", "-c", "it's")),
        ("`X=1 make`", ("/bin/sh", "-c", "X=1 make")),
    ],
)
async def test_a_command_is_its_words_or_a_shells(verify: str, argv: tuple[str, ...]) -> None:
    assert argv_of(command_of(verify)) == argv
    assert command_of("look at it") == "" == command_of("`")
