"""Results of modes that look at code, change it or judge it (agents reference §1.1)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from devloop.agents.result_parts import MAX_LIST, Level, Part, Result, Said, Text, Texts


class Exploration(Result):
    """Hand in what you found."""

    entry_points: Texts = Field(description="path:line what")
    flow: Texts = Field(description="in order, each with path:line")
    files: Texts = Field(description="5-10 key files")
    questions: Texts = Field(default=[])


class Approach(Part):
    name: Said = Field(description="minimal, clean or pragmatic")
    idea: Said
    trade_offs: Said
    creates: Texts = Field(default=[])
    changes: Texts = Field(default=[])


class Architecture(Result):
    """Hand in the design. A person approves it."""

    approaches: list[Approach] = Field(min_length=2, max_length=3)
    recommendation: Said

    @property
    def clear(self) -> bool:
        return False


class Debt(Part):
    category: Said
    place: Said = Field(description="path:line")
    problem: Said
    impact: Level
    effort: Level
    done: bool = False


class Refactoring(Result):
    """Say that you are done. Checks run afterwards."""

    findings: list[Debt] = Field(default=[], max_length=MAX_LIST, description="best order first")
    left: Texts = Field(default=[])


class Improvement(Part):
    category: Literal["tests", "architecture", "code quality", "performance", "dependencies", "documentation"]
    path: Said
    line: int = Field(default=0, ge=0)
    problem: Said
    change: Said = Field(description="in the imperative")
    step: Literal["test", "extract", "modify", "remove"]
    impact: Level
    effort: Level


class Analysis(Result):
    """Hand in what you found. A person decides what becomes a task."""

    health: Literal["good", "fair", "poor"]
    findings: list[Improvement] = Field(default=[], max_length=MAX_LIST, description="best order first")
    good: Texts = Field(default=[])

    @property
    def clear(self) -> bool:
        return not self.findings


class GitText(Result):
    """Hand in the words. devloop commits."""

    subject: str = Field(min_length=1, max_length=100, description="type(scope): text")
    body: Text = ""
    branch: Text = ""
    pr_title: Text = ""
    pr_text: Text = Field(default="", description="Summary, Changes, Testing")


class Release(Result):
    """Hand in the release. devloop commits, checks and tags."""

    verdict: Literal["READY", "READY WITH WARNINGS", "NOT READY"]
    blockers: Texts = Field(default=[])
    warnings: Texts = Field(default=[])
    pr_title: Text = Field(default="", max_length=200)
    pr_text: Text = Field(default="", description="Summary, Changes, Testing")

    @property
    def clear(self) -> bool:
        return self.verdict == "READY"


class TestsWritten(Result):
    """Say that the tests are done. Checks run afterwards."""

    files: Texts
    covers: Texts = Field(description="behaviours")
    run: Text = Field(default="", description="command")


class FailedTest(Part):
    test: Said
    cause: Said
    fix: Text = ""


class TestRun(Result):
    """Hand in what the tests said."""

    command: Said
    passed: int = Field(ge=0)
    failed: int = Field(ge=0)
    skipped: int = Field(default=0, ge=0)
    failures: list[FailedTest] = Field(default=[], max_length=MAX_LIST)

    @property
    def clear(self) -> bool:
        return self.failed == 0


class Finding(Part):
    path: Said
    line: int = Field(ge=0)
    severity: Literal["Critical", "High", "Medium", "Low", "Nitpick"]
    kind: Said
    confidence: int = Field(ge=80, le=100)
    problem: Said
    fix: Text = ""


class Review(Result):
    """Hand in the review."""

    verdict: Literal["APPROVE", "REQUEST_CHANGES", "COMMENT"]
    reviewed: Text = ""
    findings: list[Finding] = Field(default=[], max_length=MAX_LIST)
    good: Texts = Field(default=[])
    plan_changes: Texts = Field(default=[])

    @property
    def clear(self) -> bool:
        return self.verdict == "APPROVE"


class Weakness(Part):
    category: Literal["secrets", "injection", "dangerous code", "authentication", "data exposure"]
    severity: Literal["Critical", "High", "Medium", "Low", "Info"]
    path: Said
    line: int = Field(ge=0)
    problem: Said
    fix: Said


class SecurityReport(Result):
    """Hand in the report."""

    risk: Literal["CLEAN", "LOW", "MEDIUM", "HIGH", "CRITICAL"]
    findings: list[Weakness] = Field(default=[], max_length=MAX_LIST)
    plan_changes: Texts = Field(default=[])

    @property
    def clear(self) -> bool:
        return self.risk in ("CLEAN", "LOW")


class Triage(Result):
    """Hand in the choice."""

    kind: Literal["Feature", "Bug", "Refactor", "QA", "Issue"]
    confidence: Literal["High", "Medium", "Low"]
    words: Texts = Field(description="that decided")
    workflow: Said
    skip: Texts = Field(default=[], description="phases to skip")

    @property
    def clear(self) -> bool:
        return self.confidence == "High"
