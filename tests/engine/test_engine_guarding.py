"""Work that changes what checks it: shown, blocked, or held to the base's own tests (`gates.guard`, `gates.from`)."""

from __future__ import annotations

import pytest

from devloop.daemon import evidence
from devloop.runs import guarding
from support.engines import Engine, command, finish, turn, work, write
from support.projects import git

pytestmark = pytest.mark.asyncio(loop_scope="module")

LAX = "[mypy]\n"
SKIPPED = "import pytest\n\n\n@pytest.mark.skip\ndef test_a():\n    assert 1 == 1\n"


async def settings(one: Engine, text: str) -> None:
    one.config.write_text(f"[loop]\ngate_rounds = 1\n{text}")
    await one.environment()


async def test_work_that_changes_its_checks_is_shown_with_lines_and_waits_unattended(one: Engine) -> None:
    await settings(one, "")
    await one.play({"a": [turn(write("mypy.ini", LAX)), turn(finish())]})
    run = await one.run("a", decide="commit")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "decision" and shown["guards_more"] == 0
    assert [(guard["kind"], guard["place"]) for guard in shown["guards"]] == [("configuration", "mypy.ini:1")]
    assert [gate["gate"] for gate in shown["gates"]] == ["check"], "nothing failed"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_what_surrounds_work_decides_what_it_means_and_what_is_too_much_to_read_is_said(one: Engine) -> None:
    (one.root / "vitest.config.ts").write_text("export default { test: { setupFiles: ['./web/dom.ts'] } }\n")
    (one.root / "test_blob.py").write_bytes(b"x = 1\n\0")
    git(one.root, "add", "-A")
    git(one.root, "commit", "-qm", "a configuration that names a file, and a test that was no text")
    many = "echo 'x = 1' > test_blob.py; mkdir testing; "
    many += f"for n in $(seq {guarding.READ + 1}); do echo 'x = 1' > testing/helper_$n.py; done"
    lie = (write("web/dom.ts", "vi.mock('./money')\n"), write("anthropic.py", "x = 1\n"), command(many))
    await settings(one, "")
    await one.play({"h": [turn(*lie), turn(finish())]})
    run = await one.run("h", decide="commit")
    told = [(guard["file"], guard["text"]) for guard in (await one.checkpoint(run))["guards"]]
    assert ("anthropic.py", "added: stands before the module anthropic") in told
    assert ("web/dom.ts", "added (+1 −0): vitest.config.ts names it") in told
    assert told[-1][1] == f"3 of {guarding.READ + 2} files that are compared whole: their lines alone were looked at"
    await one.decide(run, "discard")
    await one.ended(run)
    git(one.root, "rm", "-q", "vitest.config.ts", "test_blob.py")
    git(one.root, "commit", "-qm", "without them")


async def test_blocked_it_goes_back_to_the_agent_and_then_to_the_person(one: Engine) -> None:
    await settings(one, '[gates]\nguard = "block"\n')
    again = [turn(write("mypy.ini", LAX)), turn(finish()), turn(write("b.txt", "b\n")), turn(finish())]
    await one.play({"b": again})
    run = await one.run("b")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "mypy.ini:1 (configuration)" in shown["problem"]
    assert "commit" not in shown["decisions"] and shown["turns"] == 4
    told = str(one.requests(run)[2][-1])
    assert "Gate checks: fail" in told and "mypy.ini:1: added (+1 −0) [devloop configuration]" in told
    await settings(one, "")
    await one.decide(run, "recheck")
    assert (await one.checkpoint(run, 2))["kind"] == "decision", "the person looked, and allows it"
    await one.decide(run, "discard")
    await one.ended(run)


async def test_where_the_person_accepts_it_nobody_waits_and_it_is_told(one: Engine) -> None:
    await settings(one, '[gates]\nguard = "accept"\n')
    await one.play({"g": [turn(write("mypy.ini", LAX)), turn(finish())]})
    run = await one.run("g", decide="commit")
    assert (await one.ended(run))["outcome"] == "landed"
    found = evidence.of(await one.ask("show", run=run))
    assert found is not None
    assert [each for each in found["notices"] if "mypy.ini:1 (configuration). Your settings accept that." in each]


async def test_blocked_or_not_ordinary_work_passes(one: Engine) -> None:
    await settings(one, '[gates]\nguard = "block"\nfrom = "base"\n')
    await one.play({"c": work("c.txt")})
    run = await one.run("c", decide="commit")
    assert (await one.ended(run))["outcome"] == "landed"
    found = evidence.of(await one.ask("show", run=run))
    assert found is not None and found["decided"]["by"] == "start" and found["decided"]["decision"] == "commit"
    [gate] = found["gates"]
    assert (gate["gate"], gate["verdict"], gate["exit_code"]) == ("check", "pass", 0)
    assert gate["command"] and gate["tool_version"] and gate["started"] and found["checked"] and found["commit"]
    assert git(one.root, "cat-file", "-t", found["checked"]) == "commit", "it can be looked at"
    assert evidence.summary(found).endswith("accepted as the run was started: unattended")


async def test_with_the_bases_tests_a_weaker_test_of_the_work_helps_nobody(one: Engine) -> None:
    (one.root / "tests").mkdir(exist_ok=True)
    (one.root / "tests" / "real.sh").write_text("test ! -e wrong\n")
    (one.root / "check.sh").write_text("sh tests/real.sh\n")
    git(one.root, "add", "-A")
    git(one.root, "commit", "-qm", "a test of its own")
    lie = [turn(write("wrong", "x\n"), write("tests/real.sh", "true\n")), turn(finish("All tests pass."))]
    await settings(one, "")
    await one.play({"d": lie, "e": [*lie, turn(finish("They do pass."))]})
    run = await one.run("d")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "decision", "the work's own test says nothing"
    told = [(guard["kind"], guard["place"]) for guard in shown["guards"]]
    assert told == [("changed-test", "tests/real.sh:1"), ("configuration", "tests/real.sh:1")], "beside tests, and run"
    assert "the check check runs it" in shown["guards"][1]["text"], "a script that the gate's script runs"
    await one.decide(run, "discard")
    await one.ended(run)
    await settings(one, '[gates]\nfrom = "base"\n')
    run = await one.run("e")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and "with the base's tests and configuration: exit code 1" in shown["problem"]
    await one.decide(run, "discard")
    await one.ended(run)


async def test_what_takes_nothing_from_the_checks_is_said_and_holds_nobody(one: Engine) -> None:
    await settings(one, '[gates]\nguard = "block"\n')
    await one.play({"f": [turn(write("test_a.py", SKIPPED)), turn(finish())]})
    run = await one.run("f", decide="commit")
    assert (await one.ended(run))["outcome"] == "landed"
    found = evidence.of(await one.ask("show", run=run))
    assert found is not None and [note for note in found["notices"] if "test_a.py:4 (skip)" in note]
