"""What the agent reads after its gates did not pass: facts, in the order in which they help."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from devloop.gates.model import GateResult
from devloop.lists import more, some
from devloop.redact import tail

FINDINGS_SHOWN = 20
TAIL_SHOWN = 3_000


def feedback(results: Iterable[GateResult], *, findings: int = FINDINGS_SHOWN, tail: int = TAIL_SHOWN) -> str:
    """Gate, command, exit code, the first new findings as `file:line: message`, the end of the output.

    Gates that passed are one line. Not redacted: whoever sends it does that. "" when there is no result.
    """
    results = list(results)
    passed = [result.gate for result in results if result.verdict == "pass"]
    parts = [_one(result, findings, tail) for result in results if result.verdict != "pass"]
    if passed:
        parts.append(f"Passed: {', '.join(passed)}.")
    return "\n\n".join(parts)


def _one(result: GateResult, limit: int, room: int) -> str:
    lines = [f"Gate {result.gate}: {result.verdict}" + (f" ({result.reason})" if result.reason else "")]
    if result.command:
        code = f"exit code {result.exit_code}" if result.exit_code is not None else f"signal {result.signal}"
        lines.append(f"Command: {shlex.join(result.command)} → {code}")
    shown = [finding for finding in result.findings if finding.new]
    for finding in shown[:limit]:
        first, _, rest = finding.message.partition("\n")
        rule = f" [{finding.tool} {finding.rule}]" if finding.tool != "tests" else ""
        lines.append(f"{finding.place}: {first}{' …' if rest else ''}{rule}")
    if left := more(len(shown) - limit + result.more_findings) if len(shown) >= limit else "":
        lines.append(left)
    if result.changes.existing:
        lines.append(f"{len(result.changes.existing)} more existed before your work and don't count.")
    for title, names in (("Gone", result.changes.removed), ("Skipped now", result.changes.disabled)):
        if names:
            lines.append(f"{title}, ran before: {some(names, 10)}")
    if result.output_tail.strip() and result.verdict != "skipped":
        end = result.output_tail.strip()
        lines.append(f"Output (end):\n{tail(end, room)}")
    return "\n".join(lines)
