"""What a gate is and what it said: plain frozen data that crosses processes as JSON.

Positions are 0-based lines and UTF-16 columns (LSP 3.17). `file` is relative to the tree, with `/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["tests", "types", "lint", "security", "build", "format", "other"]
ReportKind = Literal["none", "junit", "ruff-json", "mypy-json", "pyright-json", "bandit-json", "sarif"]
Verdict = Literal["pass", "fail", "error", "unknown", "skipped"]
Level = Literal["error", "warning", "note"]
TestOutcome = Literal["passed", "failed", "error", "skipped"]
Origin = Literal["discovered", "declared"]

KINDS: tuple[str, ...] = get_args(Kind)
VERDICTS: tuple[str, ...] = get_args(Verdict)
BLOCKING_LEVELS = frozenset({"error", "warning"})
FINDINGS_KEPT = 50
TESTS_KEPT = 200

_DEFAULT_FILES: dict[str, str] = {
    "junit": "junit.xml",
    "ruff-json": "ruff.json",
    "mypy-json": "mypy.jsonl",
    "pyright-json": "pyright.json",
    "bandit-json": "bandit.json",
    "sarif": "report.sarif",
}


@dataclass(frozen=True)
class Gate:
    """A check that devloop runs itself.

    `command` is an argument list; `{out}` in an argument becomes the report directory. `report_file` is relative to
    that directory. When neither an argument nor `report_file` names a place, the report is what the command prints.
    """

    name: str
    kind: Kind
    command: tuple[str, ...]
    report: ReportKind = "none"
    report_file: str | None = None
    required: bool = True
    timeout_s: float = 600.0
    strict: bool = False
    origin: Origin = "discovered"
    coverage: Literal["", "config", "addopts"] = ""
    """Where the base tree asks for coverage: by coverage's configuration, or by `--cov` in pytest's `addopts`."""

    @property
    def file(self) -> str:
        """The report's path below the report directory; "" when the gate writes none."""
        chosen = self.report_file or _DEFAULT_FILES.get(self.report, "")
        return chosen.removeprefix("{out}").lstrip("/") if chosen.startswith("{out}") else chosen

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self) | {"command": list(self.command)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gate:
        return cls(**{**data, "command": tuple(data["command"])})


@dataclass(frozen=True)
class Finding:
    """One complaint of a tool. `fingerprint` survives shifted lines and renamed files (`baseline.py`)."""

    tool: str
    rule: str
    level: Level
    message: str
    file: str
    line: int = 0
    column: int = 0
    fingerprint: str = ""
    new: bool = True

    @property
    def place(self) -> str:
        """`file:line` as people count, from 1."""
        return f"{self.file}:{self.line + 1}"

    def to_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        return cls(**data)


@dataclass(frozen=True)
class Counts:
    """Tests by their worst outcome."""

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.errors + self.skipped

    @classmethod
    def of(cls, outcomes: Iterable[str]) -> Counts:
        counted = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
        for outcome in outcomes:
            counted[outcome] += 1
        return cls(counted["passed"], counted["failed"], counted["error"], counted["skipped"])

    def to_json(self) -> dict[str, int]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Counts:
        return cls(**data)

    def __str__(self) -> str:
        parts = [f"{self.passed} passed", f"{self.failed} failed"]
        parts += [f"{self.errors} error{'s' * (self.errors != 1)}"] if self.errors else []
        parts += [f"{self.skipped} skipped"] if self.skipped else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Changes:
    """What the comparison with the baseline found. Names are test ids, or `tool rule file:line` of findings."""

    compared: bool = False
    new: tuple[str, ...] = ()
    existing: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Tests that ran on the base tree, whatever came of it, and are gone now."""
    disabled: tuple[str, ...] = ()
    """Tests that ran on the base tree and are skipped now."""
    warnings: tuple[str, ...] = ()

    def to_json(self, limit: int | None = None) -> dict[str, Any]:
        """Lists longer than `limit` are cut; `more` counts what was left out of each."""
        data: dict[str, Any] = {"compared": self.compared}
        more: dict[str, int] = {}
        for name in ("new", "existing", "fixed", "removed", "disabled", "warnings"):
            values = list(getattr(self, name))
            if limit is not None and len(values) > limit:
                more[name] = len(values) - limit
                values = values[:limit]
            data[name] = values
        if more:
            data["more"] = more
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Changes:
        lists = {k: tuple(v) for k, v in data.items() if k not in ("compared", "more")}
        return cls(compared=bool(data.get("compared")), **lists)


@dataclass(frozen=True)
class Coverage:
    """Per cent of lines (and branches, where the project measures them), now and on the base tree. Information."""

    percent: float
    before: float | None = None
    files: Mapping[str, float] = field(default_factory=dict)

    def to_json(self, *, full: bool = False) -> dict[str, Any]:
        """`{"percent"}`, and `before` where the base tree has it, too; `full`: each file's."""
        data: dict[str, Any] = {"percent": self.percent}
        if self.before is not None:
            data["before"] = self.before
        if full and self.files:
            data["files"] = dict(self.files)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Coverage:
        return cls(**data)


@dataclass(frozen=True)
class GateResult:
    """What one gate said about one tree, with the evidence.

    `started` is seconds since the epoch, `duration_s` wall seconds. `tests` maps a node id to passed, failed, error
    or skipped. `output_path` is the kept output (redacted), `output_tail` its end. `more_findings` and `more_tests`
    count what a small JSON left out.
    """

    gate: str
    kind: Kind
    verdict: Verdict
    reason: str = ""
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    signal: int | None = None
    started: float = 0.0
    duration_s: float = 0.0
    tree: str = ""
    counts: Counts | None = None
    findings: tuple[Finding, ...] = ()
    tests: Mapping[str, str] = field(default_factory=dict)
    output_path: str | None = None
    output_tail: str = ""
    report_sha256: str | None = None
    tool_version: str = ""
    required: bool = True
    strict: bool = False
    complete: bool = True
    """False when the tool stopped early (a file that can't be parsed), so that absence proves nothing."""
    changes: Changes = Changes()
    notes: tuple[str, ...] = ()
    coverage: Coverage | None = None
    more_findings: int = 0
    more_tests: int = 0

    @property
    def truncated(self) -> bool:
        return bool(self.more_findings or self.more_tests)

    def to_json(self, *, full: bool = False) -> dict[str, Any]:
        """Small by default: new findings first, at most `FINDINGS_KEPT`; only tests that did not pass, at most
        `TESTS_KEPT`; the counts say the rest. `full=True` keeps everything: a baseline needs it."""
        findings = sorted(self.findings, key=lambda f: not f.new) if not full else list(self.findings)
        tests = dict(self.tests)
        if not full:
            tests = dict([item for item in tests.items() if item[1] != "passed"][:TESTS_KEPT])
        kept = findings if full else findings[:FINDINGS_KEPT]
        data = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        data.update(
            command=list(self.command),
            counts=self.counts.to_json() if self.counts else None,
            findings=[finding.to_json() for finding in kept],
            tests=tests,
            changes=self.changes.to_json(None if full else FINDINGS_KEPT),
            notes=list(self.notes),
            coverage=self.coverage.to_json(full=full) if self.coverage else None,
            more_findings=self.more_findings + len(findings) - len(kept),
            more_tests=self.more_tests + len(self.tests) - len(tests),
        )
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GateResult:
        values = dict(data)
        values["command"] = tuple(values["command"])
        values["counts"] = Counts.from_json(values["counts"]) if values.get("counts") else None
        values["findings"] = tuple(Finding.from_json(item) for item in values["findings"])
        values["changes"] = Changes.from_json(values["changes"])
        values["notes"] = tuple(values["notes"])
        values["coverage"] = Coverage.from_json(values["coverage"]) if values.get("coverage") else None
        return cls(**values)
