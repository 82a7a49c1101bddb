"""How fast plans are read and edited: CPU milliseconds, beside floors and a peer measured in the same run.

    python tests/bench/bench_plan.py [--rounds 7] [--quick] [--json]

floor: one regular expression tried on every line, nothing else. peer: markdown-it-py's block parser.
Bars: scan of 50,000 lines at most 60 ms; an edit costs at 50,000 lines at most twice what it costs at 1,000.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from devloop.plan import Document, Plan, parse, reparse, show

SCAN_BAR_MS = 60.0
FLAT_BAR = 2.0
SIZES = (1_000, 10_000, 50_000)
_FLOOR = re.compile(r"^\s*[-*+] \[(.)\]")


def plan_text(lines: int) -> str:
    """A plan of so many lines: phases, tasks with metadata and steps, prose, fences with look-alike tasks, quotes."""
    out = ["# Devloop Plan: bench", "", "**Status**: In Progress", "**Updated**: 2026-01-31 12:30", "", "## Tasks", ""]
    number = phase = 0
    while len(out) < lines:
        if number % 40 == 0:
            phase += 1
            out += [
                "",
                f"### Phase {phase}: part {phase} [parallel:partial]",
                "",
                f"**Goal**: make part {phase} work",
                "",
            ]
        number += 1
        mark = "x ~ "[number % 4]
        depends = f" [depends:{phase}.{number - 1}]" if number % 40 > 1 else ""
        out.append(f"- [{mark}] Task {phase}.{number}: Implement widget number {number} with its tests{depends}")
        if number % 3 == 0:
            out.append(f"  - Acceptance: `pytest -k widget_{number}` passes on every platform")
            out.append(f"  - Files: `src/widget_{number}.py` (new), `tests/test_widget_{number}.py`")
        if number % 5 == 0:
            out.append(f"  - [ ] write the documentation of `widget_{number}`")
        if number % 10 == 0:
            out += [
                "",
                "Some prose about the next ten widgets, long enough to be a line of a paragraph",
                "of two lines.",
                "",
            ]
        if number % 60 == 0:
            out += ["", "```python", "- [ ] not a task", f"x = {number}", "```", "", "> - [ ] quoted", ""]
    return "\n".join(out[:lines]) + "\n"


def cpu(action: Callable[[], object], rounds: int) -> dict[str, float]:
    """Minimum and median CPU milliseconds of an action."""
    times = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        action()
        times.append((time.process_time_ns() - begin) / 1e6)
    return {"min": min(times), "median": statistics.median(times)}


def edit_cost(document: Document, rounds: int) -> dict[str, float]:
    """CPU of inserting one character in the middle line; many at a time, because one is too short to measure."""
    row = len(document) // 2
    column = len(document.line(row).rstrip())
    times = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        for _ in range(200):
            document.replace((row, column), (row, column), "z")
        times.append((time.process_time_ns() - begin) / 200e6)
    return {"min": min(times), "median": statistics.median(times)}


def typing_cost(plan: Plan, rounds: int) -> dict[str, float]:
    """CPU from a character typed into a task's title to the new plan with its problems."""
    assert plan.problems is not None
    task = plan.tasks[len(plan.tasks) // 2]
    task = next(other for other in plan.tasks if other.line >= task.line and other.explicit)
    row = task.line - 1
    column = plan.document.line(row).index(task.title) + 3
    times = []
    for _ in range(max(rounds, 7)):
        begin = time.process_time_ns()
        after = reparse(plan, plan.document.replace((row, column), (row, column), "z"))
        assert after.problems is not None
        times.append((time.process_time_ns() - begin) / 1e6)
    return {"min": min(times), "median": statistics.median(times)}


def markdown_it(text: str) -> Callable[[], object]:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").disable("inline")
    return lambda: parser.parse(text)


def measure(sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """All figures, keyed by measure and size."""
    rows: dict[str, dict[str, dict[str, float]]] = {}
    for size in sizes:
        text = plan_text(size)
        data = text.encode()
        document = Document.of(data)
        lines = document.lines()

        def floor(lines: list[str] = lines) -> int:
            match = _FLOOR.match
            return sum(match(line) is not None for line in lines)

        actions: dict[str, Callable[[], object]] = {
            "floor: one regex per line": floor,
            "scan (bytes to document)": lambda data=data: Document.of(data),  # type: ignore[misc]
            "scan and semantics (parse)": lambda data=data: parse(data),  # type: ignore[misc]
            "everything (parse, problems, show)": lambda data=data: show(parse(data)),  # type: ignore[misc]
        }
        if size <= 10_000:
            actions["peer: markdown-it-py blocks"] = markdown_it(text)
        for name, action in actions.items():
            few = rounds if size < 50_000 or name.startswith(("scan (", "floor")) else max(2, rounds // 2)
            rows.setdefault(name, {})[str(size)] = cpu(action, few)
        typed = typing_cost(parse(data), rounds)
        rows.setdefault("typing in a title (plan, problems)", {})[str(size)] = typed
        rows.setdefault("edit of one character (scanner)", {})[str(size)] = edit_cost(document, rounds)
    edits = rows["edit of one character (scanner)"]
    small, large = str(sizes[0]), str(sizes[-1])
    scan = rows["scan (bytes to document)"][large]["min"]
    return {
        "sizes": list(sizes),
        "cpu_ms": rows,
        "bars": {
            "scan_ms": {"value": scan, "bar": SCAN_BAR_MS, "lines": sizes[-1], "met": scan <= SCAN_BAR_MS},
            "flatness": {
                "value": edits[large]["min"] / edits[small]["min"],
                "bar": FLAT_BAR,
                "met": edits[large]["min"] <= FLAT_BAR * edits[small]["min"],
            },
        },
    }


def table(result: dict[str, Any]) -> str:
    """The figures for people."""
    sizes = [str(size) for size in result["sizes"]]
    lines = [f"{'CPU ms, min / median':38}" + "".join(f"{size:>24}" for size in sizes)]
    for name, row in result["cpu_ms"].items():
        cells = [f"{row[s]['min']:.4g} / {row[s]['median']:.4g}" if s in row else "-" for s in sizes]
        lines.append(f"{name:38}" + "".join(f"{cell:>24}" for cell in cells))
    scan, flat = result["bars"]["scan_ms"], result["bars"]["flatness"]
    verdict = {True: "met", False: "MISSED"}
    lines += [
        "",
        f"scan of {scan['lines']} lines: {scan['value']:.1f} ms, bar {scan['bar']:.0f} ms: {verdict[scan['met']]}",
        f"edit at {sizes[-1]} / {sizes[0]} lines: {flat['value']:.2f}, bar {flat['bar']:.1f}: {verdict[flat['met']]}",
    ]
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """0 when both bars are met, 1 otherwise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="only 1,000 and 10,000 lines, three rounds")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    result = measure(SIZES[:2] if args.quick else SIZES, 3 if args.quick else max(2, args.rounds))
    print(json.dumps(result, indent=2) if args.json else table(result))
    return 0 if all(bar["met"] for bar in result["bars"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
