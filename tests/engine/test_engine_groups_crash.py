"""The engine killed while tasks of a group wait for each other, are answered and go on: as without a kill."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from devloop.errors import DevloopError
from support.engines import Engine, engine, eventually, trust_everything, work
from support.projects import git, tiny_project
from support.turns import some

pytestmark = pytest.mark.slow

PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n- [ ] Task 1: a\n"
SHORT = ("open_checkpoint:end", "take_place:end", "finish:end", "next_run:end")
"""Where it is killed without `--long`: at two of them in one run, in turns (see `support.turns`)."""


async def group(held: Engine, place: str) -> list[str]:
    """Two tasks at once, and one after them."""
    names = [f"{place}-{n}" for n in (1, 2, 3)]
    await held.play({name: work(f"{name}.txt") for name in names})
    held.following = [{"id": names[2], "title": "After"}]
    tasks = [{"id": name, "title": f"Do {name}", "group": "A"} for name in names[:2]]
    with contextlib.suppress(DevloopError, ConnectionError):  # killed on the way; the records say what was begun
        await held.ask("start", task=tasks[0], beside=tasks[1:], plan={}, loop={"limit": 3, "parallel": True})
    return [f"run-{name}-1" for name in names]


async def answer(held: Engine, runs: list[str]) -> bool:
    """Answer with commit what waits; whether the three have ended. An engine that is gone, or an answer that somebody
    gave already, is no failure here."""
    await asyncio.sleep(0.1)  # so often is asked, not more
    with contextlib.suppress(DevloopError, ConnectionError):
        rows = {row["id"]: row for row in (await held.ask("runs"))["runs"]}
        mine = [rows[run] for run in runs if run in rows]
        for row in mine:
            if row["state"] == "waiting" and row["checkpoint"]:
                whose = {"group": row["group"]["id"]} if row["group"] else {"run": row["id"]}
                await held.ask("decide", **whose, decision="commit")
        return len(mine) == 3 and all(row["state"] == "ended" for row in mine)
    return False


async def test_killed_at_the_boundaries_of_a_group_each_task_lands_once_and_the_loop_goes_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    root = tiny_project(tmp_path / "project", PLAN)
    trust_everything(root)
    ledger = tmp_path / "ledger"
    monkeypatch.setenv("DEVLOOP_FAULT_LEDGER", str(ledger))

    def passed() -> list[str]:
        return [line.split()[0] for line in ledger.read_text().splitlines()] if ledger.exists() else []

    async with engine(root) as held:
        first = await group(held, "ref")
        await eventually(lambda: answer(held, first), "the group ends", timeout=60)
        names = passed()
        wanted: dict[str, int] = {}
        for at, name in enumerate(names, 1):
            if name in SHORT:
                wanted.setdefault(name, at)
        offsets = range(1, len(names) + 1) if pytestconfig.getoption("--long") else some(sorted(wanted.values()), 2)
        assert len(wanted) == len(SHORT)
        for offset in offsets:
            monkeypatch.setenv("DEVLOOP_FAULT", str(len(passed()) + offset))
            await held.again()
            runs = await group(held, str(offset))

            async def killed(runs: list[str] = runs) -> bool:
                await answer(held, runs)
                return held.client is not None and held.client.exited.is_set()

            await eventually(killed, "the engine is killed", timeout=60)
            monkeypatch.setenv("DEVLOOP_FAULT", "")
            await held.up()
            where = f"{offset} {names[offset - 1]}"
            await eventually(lambda runs=runs: answer(held, runs), where, timeout=60)
            for run in runs:
                assert (await held.row(run))["outcome"] == "landed", where
                landed = git(root, "log", "--format=%H", "--fixed-strings", f"--grep=Devloop-Run: {run}").split()
                assert len(landed) == 1, where
