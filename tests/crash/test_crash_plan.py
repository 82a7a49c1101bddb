"""kill -9 anywhere: every finished step ran once, no commit is doubled, no work is lost, the plan ends ticked."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

import pytest

from double import Double
from support.crashes import Crash, check, run_plan, scenario
from support.turns import some

PARTS = 2
"""The kills are shared out among this many tests, so that they can run side by side. Each begins with a run of its own
without a kill."""
KILLS = 4
"""So many in each test without `--long`, in turns (see `support.turns`)."""
SHORT_BOUNDARIES, SHORT_ENGINE, SHORT_DAEMON = 12, 4, 4
LONG_ENGINE, LONG_DAEMON = 120, 40

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp(prefix="dlk-"))
    before = dict(os.environ)
    yield folder
    os.environ.clear()
    os.environ.update(before)
    shutil.rmtree(folder, ignore_errors=True)


def crashes(boundaries: int, seconds: float, *, every: bool) -> list[Crash]:
    """The same ones whenever it is asked: moments are parts of `seconds`, the time of a run without a kill."""
    dice = random.Random(20261121)
    chosen = range(1, boundaries + 1) if every else sorted(dice.sample(range(1, boundaries + 1), SHORT_BOUNDARIES))
    engine, daemon = (LONG_ENGINE, LONG_DAEMON) if every else (SHORT_ENGINE, SHORT_DAEMON)
    later = [Crash(victim="engine", after_s=dice.uniform(0.05, 0.8) * seconds) for _ in range(engine)]
    later += [Crash(victim="daemon", after_s=dice.uniform(0.05, 0.8) * seconds) for _ in range(daemon)]
    return [Crash(boundary=number) for number in chosen] + later


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_plan_ends_the_same_whenever_engine_or_daemon_are_killed(place, pytestconfig, part):
    """A reference run names all step boundaries; then one run per kill. `--long`: every boundary, more moments."""
    async with Double(scenario=scenario()) as double:
        reference = await run_plan(place / "0", double, None)
        expected = check(reference)
        boundaries = len(reference.ledger)
        every = crashes(boundaries, reference.seconds, every=pytestconfig.getoption("--long"))
        planned = some(every[part::PARTS], KILLS)
        hit = 0
        for number, crash in enumerate(planned, 1):
            folder = place / str(number)
            result = await run_plan(folder, double, crash)
            try:
                assert check(result) == expected
            except AssertionError as problem:
                at = result.ledger[crash.boundary - 1] if crash.boundary else ""
                raise AssertionError(f"{crash} {at}: {problem}") from problem
            hit += result.engines > 1
            shutil.rmtree(folder)
    at_boundaries = sum(crash.boundary is not None for crash in planned)
    assert hit >= at_boundaries, "every kill at a boundary hits a working engine; one at a moment may come too late"
    print(f"\n{len(planned)} kills, {hit} of a working engine, {boundaries} boundaries: all as without a kill")
