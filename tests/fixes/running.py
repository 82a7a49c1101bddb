"""`pytest --without-fix NAME`: the tests of a protection, on a build without it, where each of them has to fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from fixes import all_fixes, parts
from fixes.build import ROOT, Build
from fixes.model import Fix

RECORD = "DEVLOOP_WITHOUT_FIX_RECORD"
"""Where a session on such a build writes what came of its tests (a line of JSON each)."""
LIMIT_S = 900
_NUMBERS = re.compile(r"^§[^:]*: | \((?:security|gates)[^)]*\)$")
"""Sections of the specification, which a reader of the tables does not have."""


@dataclass(frozen=True)
class Proof:
    """What came of `fix.tests` without `fix`: those that failed, those that did not, and pytest's last words."""

    fix: Fix
    red: tuple[str, ...]
    green: tuple[str, ...]
    skipped: tuple[str, ...]
    output: str
    seconds: float

    @property
    def holds(self) -> bool:
        return bool(self.red) and not self.green and not self.skipped


def command(names: list[str], say: Callable[[str], None] = print) -> int:
    """The option's work; an exit code."""
    known = all_fixes()
    if names == ["list"]:
        for fix in known.values():
            say(f"{fix.name}: {fix.says} ({fix.threat})")
        return 0
    if names == ["table"]:
        say("\n".join(table()))
        return 0
    if unknown := [name for name in names if name != "all" and not _chosen(known, name)]:
        say(f"There is no protection called {', '.join(unknown)}; `pytest --without-fix list` names them all.")
        return 4
    chosen = [fix for fix in known.values() if any(name == "all" or fix in _chosen(known, name) for name in names)]
    held = 0
    for proof in prove(chosen):
        held += proof.holds
        say(_told(proof))
    say(f"{held} of {len(chosen)} protections: every test of theirs fails without them")
    return 0 if held == len(chosen) else 1


def table() -> list[str]:
    """The tables of `server/SECURITY.md`, one for each part."""
    lines: list[str] = []
    for title, fixes in parts():
        lines += ["", f"### {_NUMBERS.sub('', title)}", "", "| threat | fix | test |", "|---|---|---|"]
        for fix in fixes:
            first, *more = (f"`{test.removeprefix('tests/')}`" for test in fix.tests)
            others = f" and {len(more)} more" if more else ""
            lines.append(f"| {_NUMBERS.sub('', fix.threat)} | **{fix.name}**: {fix.says} | {first}{others} |")
    return lines[1:]


def _chosen(known: dict[str, Fix], name: str) -> list[Fix]:
    """One by its name, or several by a pattern with `*`."""
    pattern = re.compile(".*".join(map(re.escape, name.split("*"))))
    return [fix for fix in known.values() if pattern.fullmatch(fix.name)]


def prove(fixes: list[Fix]) -> Iterable[Proof]:
    """One after the other on as many builds as there are processors, in order."""
    builds: SimpleQueue[Build] = SimpleQueue()
    # In the installation, where links can be made; where it can't be written, among temporary files.
    near = Path(sys.prefix)
    with tempfile.TemporaryDirectory(prefix="dl-without-", dir=near if os.access(near, os.W_OK) else None) as name:
        count = min(os.cpu_count() or 1, len(fixes))
        for number in range(count):
            builds.put(Build(Path(name, str(number))))

        def one(fix: Fix) -> Proof:
            build = builds.get()
            try:
                return _prove(fix, build)
            finally:
                builds.put(build)

        with ThreadPoolExecutor(count or 1) as pool:
            yield from pool.map(one, fixes)


def _prove(fix: Fix, build: Build) -> Proof:
    begin = time.monotonic()
    build.take_out(fix)
    outcomes: dict[str, set[str]] = {test: set() for test in fix.tests}
    output = ""
    for _ in range(fix.tries):
        if left := [test for test, found in outcomes.items() if "failed" not in found]:
            output += _tested(left, build, outcomes)
    red = tuple(test for test, found in outcomes.items() if "failed" in found)
    skipped = tuple(test for test, found in outcomes.items() if "failed" not in found and "skipped" in found)
    green = tuple(test for test in fix.tests if test not in red and test not in skipped)
    return Proof(fix, red, green, skipped, output, time.monotonic() - begin)


def _tested(tests: list[str], build: Build, outcomes: dict[str, set[str]]) -> str:
    """Run `tests` on `build` and add what came of each to `outcomes`; what pytest said."""
    record = build.folder / "record"
    record.write_text("")
    argv = [str(build.python), "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", "--tb=line", *tests]
    variables = {**build.variables(), RECORD: str(record)}
    try:
        done = subprocess.run(argv, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=LIMIT_S)
        output = done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        output = f"not finished in {LIMIT_S} s"
    for line in record.read_text().splitlines():
        said = json.loads(line)
        for test in tests:
            if said["test"] == test or said["test"].startswith((f"{test}[", f"{test}::")):
                outcomes[test].add(said["outcome"])
    return output


def _told(proof: Proof) -> str:
    if proof.holds:
        return f"red   {proof.fix.name}: {len(proof.red)} of {len(proof.fix.tests)}, {proof.seconds:.0f} s"
    lines = [f"GREEN {proof.fix.name}: not every test of it fails without it"]
    lines += [f"      passed: {test}" for test in proof.green]
    lines += [f"      skipped: {test}" for test in proof.skipped]
    return "\n".join([*lines, *(f"      | {line}" for line in proof.output.strip().splitlines()[-15:])])


class Recorder:
    """A plugin of sessions on such builds."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def pytest_runtest_logreport(self, report: object) -> None:
        outcome, when = getattr(report, "outcome", ""), getattr(report, "when", "")
        if when == "call" or outcome != "passed":
            with self._path.open("a") as file:
                file.write(json.dumps({"test": getattr(report, "nodeid", ""), "outcome": outcome}) + "\n")
