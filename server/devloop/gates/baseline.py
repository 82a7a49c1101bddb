"""New against existing (gates §4): fingerprints and the comparison of a result with the base tree's. Pure.

A fingerprint is `line-context-ordinal`: a hash of tool, rule and the normalised line; the same with the neighbouring
lines; and a count among equal ones of one file. Neither the line number nor the path is in it: a finding is the same
when path (after mapping renames) and fingerprint are equal, or, as a second try, when the line is the same and only
its neighbours changed.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from devloop.gates.model import BLOCKING_LEVELS, Changes, Finding, Gate, GateResult, Verdict
from devloop.lists import some

_BAD = ("failed", "error")
POINT = 1.0
"""By so many points less of a file is covered, and it is named."""
LISTED = 10


def fingerprinted(findings: Iterable[Finding], lines: Callable[[str], Sequence[str]]) -> tuple[Finding, ...]:
    """The findings with fingerprints. `lines(file)` gives a file's lines, [] when unknown.

    A fingerprint that the tool gave itself (SARIF `partialFingerprints`, a test's id) stands for line and context.
    """
    seen: Counter[tuple[str, str]] = Counter()
    result = []
    for finding in findings:
        if finding.fingerprint:
            line = context = _hash(finding.tool, finding.rule, finding.fingerprint)
        else:
            own, around = _context(lines(finding.file), finding.line)
            # Without the source (a deleted or binary file) the message has to tell findings apart.
            line = _hash(finding.tool, finding.rule, own or finding.message)
            context = _hash(finding.tool, finding.rule, own or finding.message, around)
        ordinal = seen[finding.file, context]
        seen[finding.file, context] += 1
        result.append(dataclasses.replace(finding, fingerprint=f"{line}-{context}-{ordinal}"))
    return tuple(result)


def _context(lines: Sequence[str], number: int) -> tuple[str, str]:
    """The normalised line and its nearest non-blank neighbours: shifting and re-indenting change neither."""
    if not 0 <= number < len(lines):
        return "", ""
    before = next((_flat(text) for text in reversed(lines[max(0, number - 20) : number]) if text.strip()), "")
    after = next((_flat(text) for text in lines[number + 1 : number + 20] if text.strip()), "")
    return _flat(lines[number]), f"{before}\n{after}"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def cache_key(tree: str, gate: Gate, tool_version: str) -> str:
    """Equal keys mean that a stored baseline may be used again: tree id, what runs, and with which tool."""
    command = [gate.name, gate.kind, gate.report, gate.report_file or "", *gate.command]
    command += [f"coverage: {gate.coverage}"] if gate.coverage else []
    return _hash(tree, *command) + _hash(tool_version)


def compare(result: GateResult, baseline: GateResult | None, renames: Mapping[str, str] | None = None) -> GateResult:
    """The final verdict on `result`: only what is new blocks, unless the gate is strict.

    `baseline` is the same gate on the base tree with everything in it (`to_json(full=True)`); None, `error`,
    `unknown`, `skipped` or a cut one gives no permission, so the gate is strict. `renames` maps old paths to new ones.
    Coverage is compared whatever the verdict, and changes none.
    """
    return _covered(_compared(result, baseline, renames), baseline, renames)


def _covered(result: GateResult, baseline: GateResult | None, renames: Mapping[str, str] | None = None) -> GateResult:
    if result.coverage is None or baseline is None or baseline.coverage is None or not baseline.complete:
        return result
    before, now = baseline.coverage, result.coverage
    moved = renames or {}
    fell = [
        f"{moved.get(name, name)} from {percent:.0f} to {now.files[moved.get(name, name)]:.0f} %"
        for name, percent in before.files.items()
        if now.files.get(moved.get(name, name), percent) <= percent - POINT
    ]
    warnings = (*result.changes.warnings, f"coverage fell: {some(fell, LISTED)}") if fell else ()
    changes = dataclasses.replace(result.changes, warnings=warnings or result.changes.warnings)
    return dataclasses.replace(result, coverage=dataclasses.replace(now, before=before.percent), changes=changes)


def _compared(result: GateResult, baseline: GateResult | None, renames: Mapping[str, str] | None) -> GateResult:
    if result.verdict not in ("pass", "fail"):
        return result
    if baseline is None or baseline.verdict not in ("pass", "fail") or baseline.truncated:
        why = "there is none" if baseline is None else f"it is {baseline.verdict}: {baseline.reason}".rstrip(": ")
        why = "it was cut" if baseline is not None and baseline.truncated else why
        return dataclasses.replace(result, changes=Changes(warnings=(f"no baseline to compare with: {why}",)))
    moved = renames or {}
    findings, old_findings, gone_findings = _match(result.findings, baseline.findings, moved)
    before = {_renamed(node, moved): outcome for node, outcome in baseline.tests.items()}
    changes = _changes(result, findings, old_findings, gone_findings, before)
    if result.tests:
        bad_before = {node for node, outcome in before.items() if outcome in _BAD}
        findings = _tests_marked(result, findings, bad_before)
    verdict, reason = _verdict(result, baseline, findings, changes)
    return dataclasses.replace(result, verdict=verdict, reason=reason, findings=findings, changes=changes)


def _match(
    now: Sequence[Finding], before: Sequence[Finding], renames: Mapping[str, str]
) -> tuple[tuple[Finding, ...], list[Finding], list[Finding]]:
    """The findings with `new` set, those of now that existed, and those of before that are gone."""
    keys: tuple[Callable[[Finding], str], ...] = (lambda f: f.fingerprint, lambda f: f.fingerprint.split("-")[0])
    left_now, left_before = set(range(len(now))), set(range(len(before)))
    for key in keys:
        waiting: dict[tuple[str, str], list[int]] = {}
        for index in sorted(left_before, reverse=True):
            old = before[index]
            waiting.setdefault((renames.get(old.file, old.file), key(old)), []).append(index)
        for index in sorted(left_now):
            candidates = waiting.get((now[index].file, key(now[index])))
            if candidates:
                left_before.discard(candidates.pop())
                left_now.discard(index)
    marked = tuple(dataclasses.replace(finding, new=index in left_now) for index, finding in enumerate(now))
    return marked, [f for f in marked if not f.new], [before[index] for index in sorted(left_before)]


def _renamed(node: str, renames: Mapping[str, str]) -> str:
    path, separator, rest = node.partition("::")
    return renames.get(path, path) + separator + rest


def _changes(
    result: GateResult,
    findings: Sequence[Finding],
    existing: Sequence[Finding],
    gone: Sequence[Finding],
    before: Mapping[str, str],
) -> Changes:
    if not result.tests and not before:
        return Changes(
            compared=True,
            new=tuple(_named(f) for f in findings if f.new),
            existing=tuple(_named(f) for f in existing),
            fixed=tuple(_named(f) for f in gone) if result.complete else (),
        )
    now = result.tests
    bad = [node for node, outcome in now.items() if outcome in _BAD]
    ran_before = [node for node, outcome in before.items() if outcome != "skipped" and "::" in node]
    removed = [node for node in ran_before if node not in now] if result.complete else []
    fewer = len(before) - len(now)
    return Changes(
        compared=True,
        new=tuple(node for node in bad if before.get(node) not in _BAD),
        existing=tuple(node for node in bad if before.get(node) in _BAD),
        fixed=tuple(node for node, outcome in now.items() if outcome == "passed" and before.get(node) in _BAD),
        removed=tuple(removed),
        disabled=tuple(node for node in ran_before if now.get(node) == "skipped"),
        warnings=(f"{fewer} test{'s' * (fewer != 1)} fewer than before",) if fewer > 0 and result.complete else (),
    )


def _named(finding: Finding) -> str:
    return f"{finding.tool} {finding.rule} {finding.place}"


def _tests_marked(result: GateResult, findings: Sequence[Finding], bad_before: set[str]) -> tuple[Finding, ...]:
    """A failed test is old when the test failed before, whatever its message says now."""
    from devloop.gates.stream import junit_id

    old = {_hash("tests", rule, key(node)) for node in bad_before for rule in _BAD for key in (str, junit_id)}
    return tuple(dataclasses.replace(f, new=f.fingerprint.split("-")[0] not in old) for f in findings)


def _verdict(
    result: GateResult, baseline: GateResult, findings: Sequence[Finding], changes: Changes
) -> tuple[Verdict, str]:
    if result.verdict == "pass":
        return "pass", result.reason
    if result.strict:
        return "fail", result.reason
    if not result.tests and not findings:
        # Without a report old and new can't be told apart.
        same = baseline.verdict == "fail"
        return "fail", result.reason + (" (the base tree fails too; without a report nobody can tell why)" * same)
    blocking = changes.new if result.tests else [f for f in findings if f.new and f.level in BLOCKING_LEVELS]
    if blocking:
        return "fail", f"{len(blocking)} new, {len(changes.existing)} existed before"
    if not result.complete:
        return "unknown", f"nothing new was found, but {result.reason}"
    if result.counts is not None and not result.counts.passed:
        return "unknown", "nothing new failed, but no test passed either"
    return "pass", f"nothing new; {len(changes.existing)} existed before"
