"""`May change tests`: with a person's yes, work on the tests that a task names waits for nobody; all other work does.

Whole runs that nobody attends, with the real sandbox, git and pytest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio

from devloop import trust
from devloop.daemon import evidence
from support.engines import Engine, call, command, engine, finish, first_text, trust_everything, turn, write
from support.projects import at_home, commit_all, git, make_repository

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

PLAN = "# Plan: shop\n\n## Phase 1: Money\n\n"
MONEY = "def test_total() -> None:\n    assert 2 + 3 == 5\n\n\ndef test_none() -> None:\n    assert 0 == 0\n"
OTHER = "def test_other() -> None:\n    assert len('abc') == 3\n"
FILES = {
    "money.py": "PRICE = 1\n",
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "tests/test_money.py": MONEY,
    "tests/test_other.py": OTHER,
    "tests/test_price.py": "from money import PRICE\n\n\ndef test_it() -> None:\n    assert PRICE < 3\n",
    "tests/snapshots/a.json": "1\n",
    ".devloop/plan.md": PLAN,
}
CHANGED = MONEY.replace("2 + 3 == 5", "2 + 4 == 6")
NAMES = ["tests/test_money.py"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    place = tmp_path_factory.mktemp("allowing")
    with pytest.MonkeyPatch.context() as patch:
        config = at_home(place, patch)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # only to be quick
        seen = '[sandbox]\nenvironment = ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]\n'
        (config / "config.toml").write_text(f"{seen}[loop]\ngate_rounds = 0\n")
        root = make_repository(place / "shop")
        for name, text in FILES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        commit_all(root)
        trust_everything(root)
        async with engine(root) as held:
            yield held


def item(task: str, names: Sequence[str] = NAMES, acceptance: Sequence[str] = (), title: str = "Do it") -> trust.Item:
    return trust.tests_item(task, title, acceptance, names, ".devloop/plan.md")


def yes(held: Engine, *items: trust.Item) -> None:
    trust.accept(held.root, held.state.trust_file, [(each.key, each.sha256) for each in items], items)


async def begun(held: Engine, task: str, files: dict[str, str], names: Sequence[str] = NAMES, **more: Any) -> str:
    """A run that nobody attends, of a task whose agent writes `files`."""
    await held.play({task: [turn(*(write(name, text) for name, text in files.items())), turn(finish("Done."))]})
    fields = {"may_change_tests": list(names), **more}
    return await held.run(task, decide="commit", task_fields=fields)


async def waits(held: Engine, run: str) -> dict[str, Any]:
    """That it does, and what is shown; nothing is left of it."""
    shown = await held.checkpoint(run)
    assert held.told("run.ended", run) == []
    await held.decide(run, "discard")
    await held.ended(run)
    return shown


async def test_with_a_yes_work_on_a_named_test_is_accepted_and_told(shop: Engine) -> None:
    yes(shop, item("a", acceptance=["rounds up"]))
    run = await begun(shop, "a", {"tests/test_money.py": CHANGED, "money.py": "PRICE = 2\n"}, acceptance=["rounds up"])
    assert (await shop.ended(run))["outcome"] == "landed"
    found = evidence.of(await shop.ask("show", run=run))
    assert found is not None
    told = [each for each in found["notices"] if "changes what checks it: tests/test_money.py:2" in each]
    assert told and "The task says that these tests may change, and you said yes to it." in told[0]
    assert (
        "Existing tests that may change where the task asks for it, and no others: tests/test_money.py"
        in first_text(shop.requests(run)[0])
    )


async def test_work_on_another_test_waits_and_each_change_says_whose_word_it_is(shop: Engine) -> None:
    yes(shop, item("b"))
    files = {"tests/test_money.py": MONEY, "tests/test_other.py": OTHER.replace("== 3", "!= 4")}
    run = await begun(shop, "b", files)
    shown = await waits(shop, run)
    whose = {(guard["file"], guard["by_task"], guard["holds"]) for guard in shown["guards"]}
    assert whose == {("tests/test_money.py", True, False), ("tests/test_other.py", False, True)}
    assert shown["why"] == "the work changes what checks it"


async def test_the_line_alone_allows_nothing_and_that_is_said(shop: Engine) -> None:
    run = await begun(shop, "c", {"tests/test_money.py": MONEY.replace("0 == 0", "0 != 1")})
    shown = await waits(shop, run)
    assert all(guard["holds"] and not guard["by_task"] for guard in shown["guards"])
    told = [each for each in shown["notices"] if "does not count" in each]
    assert told == [
        "The task says that it may change tests (tests/test_money.py), which does not count: nobody said yes to that "
        "yet. Look at it and trust it with `devloop trust`."
    ]
    assert "may change" not in first_text(shop.requests(run)[0])


@pytest.mark.parametrize(
    "other",
    [
        item("d", title="Do something else"),
        item("d", ["tests/test_money.py", "tests/test_other.py"]),
        item("d", ["tests/test_other.py"]),
        item("d", acceptance=["rounds down"]),
        item("D"),
        dataclasses.replace(item("d"), sha256="0" * 64),
    ],
)
async def test_a_yes_to_other_words_is_none(shop: Engine, other: trust.Item) -> None:
    yes(shop, other)
    run = await begun(shop, "d", {"tests/test_money.py": MONEY.replace("0 == 0", "0 != 1")})
    assert not any(guard["by_task"] for guard in (await waits(shop, run))["guards"])
    trust.revoke(shop.state.trust_file, [other.key])


async def test_tests_that_went_are_the_tasks_word_too_and_those_beside_are_not(shop: Engine) -> None:
    one = ["tests/test_money.py::test_none"]
    yes(shop, item("e", one), item("f", one))
    now = (shop.root / "tests/test_money.py").read_text()
    kept, gone = now.split("\n\n\ndef test_none")
    shown = await waits(shop, await begun(shop, "f", {"tests/test_money.py": f"def test_none{gone}"}, one))
    assert shown["why"] == "the work changes what checks it"
    run = await begun(shop, "e", {"tests/test_money.py": f"{kept}\n"}, one)
    assert (await shop.ended(run))["outcome"] == "landed"
    found = evidence.of(await shop.ask("show", run=run))
    assert found is not None
    told = "No longer run: tests/test_money.py::test_none. The task says so, and you said yes to it."
    assert told in found["notices"]


async def test_with_block_the_task_has_no_say(shop: Engine) -> None:
    yes(shop, item("g"))
    before = shop.config.read_text()
    shop.config.write_text(f'{before}[gates]\nguard = "block"\n')
    await shop.environment()
    run = await begun(shop, "g", {"tests/test_money.py": "def test_total() -> None:\n    assert 1 == 1\n"})
    shown = await waits(shop, run)
    assert shown["kind"] == "problem" and "commit" not in shown["decisions"]
    assert [each for each in shown["notices"] if 'does not count: your settings say gates.guard = "block"' in each]
    shop.config.write_text(before)
    await shop.environment()


async def test_what_lies_in_no_test_is_never_the_tasks_to_allow(shop: Engine) -> None:
    names = ["**", "pytest.ini", "tests/**", "tests/conftest.py"]
    yes(shop, item("h", names))
    files = {"pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:cacheprovider\n"}
    shown = await waits(shop, await begun(shop, "h", files, names))
    assert [(guard["kind"], guard["by_task"]) for guard in shown["guards"]] == [("configuration", False)]


async def test_a_yes_that_is_taken_back_counts_no_more(shop: Engine) -> None:
    yes(shop, item("i"))
    changed = MONEY.replace("2 + 3 == 5", "1 + 2 == 3")
    again = [turn(write("money.py", "PRICE = 4\n")), turn(finish("Once more."))]
    await shop.play({"i": [turn(write("tests/test_money.py", changed)), turn(finish("Done.")), *again]})
    run = await shop.run("i", task_fields={"may_change_tests": NAMES})
    first = await shop.checkpoint(run)
    assert all(guard["by_task"] for guard in first["guards"]) and first["recommended"] == "commit"
    trust.revoke(shop.state.trust_file, [item("i").key])
    await shop.decide(run, "revise", "And the price")
    second = await shop.checkpoint(run, 2)
    assert not any(guard["by_task"] for guard in second["guards"]) and second["recommended"] is None
    await shop.decide(run, "discard")
    await shop.ended(run)


async def test_what_an_agent_writes_into_the_plan_allows_nothing(shop: Engine) -> None:
    """In its worktree, for its own task and for the next one; the plan of the run is the one that it began with."""
    line = "  - May change tests: `tests/**`\n"
    plan = f"{PLAN}- [ ] Task j: Do it\n{line}- [ ] Task k: Do it\n{line}"
    lie = [
        turn(write(".devloop/plan.md", plan), call("run_command", command=f"printf '%s' '{plan}' > .devloop/plan.md")),
        turn(write("tests/test_other.py", OTHER.replace("== 3", "!= 4")), write("PLAN.md", plan)),
        turn(finish("Done. May change tests: `tests/**`\n  - May change tests: `tests/**`")),
    ]
    await shop.play({"j": lie})
    run = await shop.run("j", decide="continue")
    shown = await waits(shop, run)
    assert all(guard["holds"] for guard in shown["guards"] if guard["file"].startswith("tests/"))
    assert "May change tests" not in (shop.root / ".devloop/plan.md").read_text()
    assert git(shop.root, "status", "--porcelain", "--", ".devloop") == ""


async def test_an_errand_may_change_no_tests_whatever_it_says(shop: Engine) -> None:
    yes(shop, item("@quick", ["tests/**"]))
    await shop.play(
        {"@quick": [turn(write("tests/test_other.py", OTHER.replace("== 3", "!= 5"))), turn(finish("Done."))]}
    )
    fields = {"may_change_tests": ["tests/**"], "errand": {"command": "quick"}, "notes": "May change tests: `tests/**`"}
    run = await shop.run("@quick", decide="continue", task_fields=fields)
    shown = await waits(shop, run)
    assert all(guard["holds"] and not guard["by_task"] for guard in shown["guards"])


async def test_a_rule_that_asks_only_where_something_fails_passes_it_too(shop: Engine) -> None:
    yes(shop, item("l"))
    now = (shop.root / "tests/test_money.py").read_text()
    await shop.play(
        {"l": [turn(write("tests/test_money.py", f"{now}\n\nFEW = 1\nassert FEW\n")), turn(finish("Done."))]}
    )
    loop = {"limit": 2, "stop_at": {"when": "on-failure"}}
    run = await shop.run("l", task_fields={"may_change_tests": NAMES}, **loop)
    assert (await shop.ended(run))["outcome"] == "accepted"


async def test_with_the_bases_tests_a_named_test_helps_nobody_where_the_work_changes_what_it_says(shop: Engine) -> None:
    """What a person set is stricter than a task that a person said yes to."""
    yes(shop, item("o", ["tests/test_price.py"]))
    config = shop.config.read_text()
    shop.config.write_text(config + '[gates]\nfrom = "base"\n')
    await shop.environment()
    try:
        files = {
            "money.py": "PRICE = 4\n",
            "tests/test_price.py": "from money import PRICE\n\n\ndef test_it() -> None:\n    assert PRICE < 5\n",
        }
        shown = await waits(shop, await begun(shop, "o", files, ["tests/test_price.py"]))
        assert "with the base's tests and configuration" in shown["problem"], shown
        assert all(guard["by_task"] for guard in shown["guards"])
    finally:
        shop.config.write_text(config)
        await shop.environment()


async def test_a_run_goes_on_with_its_names_after_a_kill_and_without_a_yes_that_went_meanwhile(shop: Engine) -> None:
    yes(shop, item("m"), item("n"))
    now = (shop.root / "tests/test_money.py").read_text()
    done = {"tests/test_money.py": f"{now}\n\nLESS = 1\nassert LESS\n"}
    slow = [turn(*(write(*each) for each in done.items()), command("while ! test -e go; do sleep 0.05; done; rm go"))]
    await shop.play({each: [*slow, turn(finish("Done."))] for each in ("m", "n")})
    for task, taken_back in (("m", False), ("n", True)):
        run = await shop.run(task, decide="commit", task_fields={"may_change_tests": NAMES})
        await shop.until("tool.started", run, count=2)
        await shop.kill()
        if taken_back:
            trust.revoke(shop.state.trust_file, [item(task).key])
        await shop.up()
        await shop.until("tool.started", run, count=4)
        (shop.state.worktrees / run / "go").touch()
        if taken_back:
            assert all(guard["holds"] for guard in (await waits(shop, run))["guards"])
        else:
            assert (await shop.ended(run))["outcome"] == "landed"
