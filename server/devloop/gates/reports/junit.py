"""JUnit XML → tests and their outcomes.

The document is walked once by expat before anything builds a tree: no document type, no entities, a depth and a
count that no honest report reaches. Only then defusedxml and junitparser see it.
"""

from __future__ import annotations

import re
from xml.parsers import expat

import junitparser
from defusedxml import ElementTree, common  # type: ignore[import-untyped]

from devloop.gates.model import Finding
from devloop.gates.reports.base import MAX_FINDINGS, MAX_TESTS, Report, Unreadable, text
from devloop.gates.sources import Sources

MAX_DEPTH = 32
MAX_ELEMENTS = 4 * MAX_TESTS
_TRACE = re.compile(r"^(?P<file>[^\s:]{1,300}):(?P<line>\d{1,7}): ", re.MULTILINE)
_RANK = {"passed": 0, "skipped": 1, "failed": 2, "error": 3}


def read(data: bytes, sources: Sources) -> Report:
    """Tests are keyed `classname::name`; of two entries with one name the worse outcome counts.

    Totals that a suite states should be what its cases add up to, else `totals` says so.
    """
    _guard(data)
    try:
        root = ElementTree.fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, common.DefusedXmlException, LookupError) as problem:
        raise Unreadable(f"the report is no XML: {problem}") from problem
    if root.tag == "testsuites" and (loose := root.findall("testcase")):  # Node's own reporter: tests of no suite
        suite = root.makeelement("testsuite", {})
        suite.extend(loose)
        root.append(suite)
    try:
        document = junitparser.JUnitXml.fromroot(root)
    except junitparser.JUnitXmlError as problem:
        raise Unreadable("the report is no JUnit XML") from problem
    tests: dict[str, str] = {}
    findings: list[Finding] = []
    stated = actual = bad = 0
    for suite in document:
        numbers = [_stated(suite, "tests"), _stated(suite, "failures"), _stated(suite, "errors")]
        cases = list(_cases(suite))
        stated += numbers[0] if numbers[0] is not None else len(cases)
        actual += len(cases)
        seen_bad = 0
        for case in cases:
            outcome, message = _outcome(case)
            seen_bad += outcome in ("failed", "error")
            key = f"{case.classname or ''}::{case.name or ''}"
            if key not in tests or _RANK[outcome] > _RANK[tests[key]]:
                tests[key] = outcome
            if outcome in ("failed", "error") and len(findings) < MAX_FINDINGS:
                findings.append(_finding(case, outcome, message, sources))
        bad += (numbers[1] or 0) + (numbers[2] or 0) > 0 and not seen_bad
        bad += numbers[1] is not None and numbers[2] is not None and seen_bad > 0 and numbers[1] + numbers[2] == 0
    return Report(tuple(findings), tests, len(tests), totals=_totals(stated, actual, bad))


def _totals(stated: int, actual: int, bad: int) -> str:
    if stated != actual:
        return f"the report says {stated} tests and lists {actual}"
    return "the report's totals of failures are not what it lists" if bad else ""


def _guard(data: bytes) -> None:
    """Refuse what could hurt while it is being parsed. Raises `Unreadable`."""
    depth = elements = 0

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > MAX_DEPTH:
            raise Unreadable(f"the report is nested deeper than {MAX_DEPTH} elements")
        if elements > MAX_ELEMENTS:
            raise Unreadable(f"the report holds more than {MAX_ELEMENTS} elements")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise Unreadable("the report declares a document type or entities")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as problem:
        raise Unreadable(f"the report is no XML: {problem}") from problem


def _cases(suite: junitparser.TestSuite) -> list[junitparser.TestCase]:
    """The suite's own cases and those of suites inside it."""
    found = [item for item in suite if isinstance(item, junitparser.TestCase)]
    for inner in suite.testsuites():  # type: ignore[no-untyped-call]
        found += _cases(inner)
    return found


def _stated(suite: junitparser.TestSuite, name: str) -> int | None:
    value = suite._elem.get(name)  # the property of the same name would hide a missing attribute
    if value is None:
        return None
    if not value.strip().isdecimal():
        raise Unreadable(f"{name}={text(value, 40)!r} is no number")
    return int(value)


def _outcome(case: junitparser.TestCase) -> tuple[str, str]:
    outcome, message = "passed", ""
    for result in case.result:
        kind = {"skipped": "skipped", "failure": "failed", "error": "error"}.get(result._elem.tag)
        if kind is not None and _RANK[kind] >= _RANK[outcome]:
            outcome, message = kind, str(result.message or result.text or "")
    return outcome, message


def _finding(case: junitparser.TestCase, outcome: str, message: str, sources: Sources) -> Finding:
    """The fingerprint of a failed test is its id: tests are compared by id, not by text."""
    file, line = _place(case, sources)
    return Finding(
        "tests",
        "failed" if outcome == "failed" else "error",
        "error",
        text(f"{case.name or case.classname or 'test'}: {message}"),
        file,
        line,
        fingerprint=f"{case.classname or ''}::{case.name or ''}",
    )


def _place(case: junitparser.TestCase, sources: Sources) -> tuple[str, int]:
    """Where it failed: the last `file:line: ` of the traceback that lies in the tree, else where the test is."""
    for result in case.result:
        for match in reversed(list(_TRACE.finditer(text(result.text, 200_000)))):
            file, line = sources.relative(match["file"]), int(match["line"]) - 1
            if line < len(sources.lines(file)):
                return file, max(0, line)
    named = case._elem.get("file") or ""
    line_text = case._elem.get("line") or ""
    file = sources.relative(named) if named else _guess(case, sources)
    return file, int(line_text) if line_text.isdecimal() and len(line_text) < 8 else 0


def _guess(case: junitparser.TestCase, sources: Sources) -> str:
    """pytest's `classname` is the file's dotted path, then classes."""
    parts = str(case.classname or case.name or "").split(".")
    for end in range(len(parts), 0, -1):
        candidate = "/".join(parts[:end]) + ".py"
        if sources.lines(candidate):
            return candidate
    return ""
