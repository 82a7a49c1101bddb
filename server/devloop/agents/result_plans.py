"""Results of modes that plan, decide and estimate (agents reference §1.1)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from devloop.agents.result_parts import MAX_LIST, Level, Part, Result, Said, Text, Texts


class IssueDraft(Part):
    title: Said
    kind: Literal["bug", "feature", "task", "chore", "spike"]
    priority: Level = "medium"
    text: Said
    files: Texts = Field(default=[])


class Issues(Result):
    """Hand in the issues. devloop writes their files."""

    issues: list[IssueDraft] = Field(min_length=1, max_length=MAX_LIST)


class Criterion(Part):
    name: Said
    verdict: Literal["PASS", "WARN", "FAIL"]
    evidence: Said


class Readiness(Result):
    """Hand in the verdict."""

    verdict: Literal["READY", "READY WITH WARNINGS", "NOT READY"]
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LIST)
    blockers: Texts = Field(default=[])
    recommendations: Texts = Field(default=[])

    @property
    def clear(self) -> bool:
        return self.verdict == "READY"


class DoneCheck(Result):
    """Hand in the verdict."""

    verdict: Literal["PASS", "WARN", "FAIL"]
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LIST)
    blockers: Texts = Field(default=[])
    recommendation: Text = ""

    @property
    def clear(self) -> bool:
        return self.verdict == "PASS"


class DraftTask(Part):
    title: Said
    acceptance: Texts = Field(default=[])
    files: Texts = Field(default=[])
    depends: Texts = Field(default=[], description="titles")
    group: Text = ""


class DraftPhase(Part):
    name: Said
    goal: Text = ""
    tasks: list[DraftTask] = Field(min_length=1, max_length=MAX_LIST)


class PlanChange(Part):
    """One change of a plan that is there. `task` and `after` are ids, `depends` and `by` titles or ids."""

    what: Literal["add", "reword", "supersede", "move", "depend", "parallel"]
    task: Text = Field(default="", description="id; none for add")
    title: Text = ""
    phase: Text = ""
    after: Text = ""
    acceptance: Texts = Field(default=[])
    files: Texts = Field(default=[])
    depends: Texts = Field(default=[])
    group: Text = ""
    by: Texts = Field(default=[], description="what takes its place")
    why: Text = ""


Changes = Annotated[list[PlanChange], Field(max_length=MAX_LIST)]


class PlanDraft(Result):
    """Hand in the plan. A person reviews it, devloop writes it."""

    title: Said
    goal: Text = ""
    phases: list[DraftPhase] = Field(max_length=MAX_LIST, description="new ones")
    changes: Changes = Field(default=[], description="of the plan that is there")

    @model_validator(mode="after")
    def _says_something(self) -> PlanDraft:
        if not self.phases and not self.changes:
            raise ValueError("a plan needs phases, or changes of the one that is there")
        return self

    @property
    def clear(self) -> bool:
        return False


class Answered(Part):
    question: Said
    answer: Said


class SpikeReport(Result):
    """Hand in the report. A person reviews it, devloop writes it and changes the plan."""

    questions: list[Answered] = Field(min_length=1, max_length=MAX_LIST)
    feasible: Literal["yes", "partly", "no"]
    approach: Said
    size: Literal["XS", "S", "M", "L", "XL"]
    risk: Level
    confidence: Level
    discoveries: Texts = Field(description="with path:line")
    risks: Texts = Field(default=[])
    recommendation: Said
    next_steps: Texts = Field(default=[])
    changes: Changes = Field(default=[], description="of the plan")

    @property
    def clear(self) -> bool:
        return not self.changes and self.confidence != "low"


class Story(Part):
    story: Said
    acceptance: Texts = Field(min_length=1)


class Requirements(Result):
    """Hand in the requirements."""

    stories: list[Story] = Field(min_length=1, max_length=MAX_LIST)
    in_scope: Texts = Field(default=[])
    out_of_scope: Texts = Field(default=[])
    questions: Texts = Field(default=[])

    @property
    def clear(self) -> bool:
        return not self.questions


Score = Annotated[int, Field(ge=1, le=5)]
SIZES = ((10, "XS"), (15, "S"), (22, "M"), (28, "L"), (35, "XL"))


class Factors(Part):
    files: Score
    concepts: Score
    integration: Score
    data: Score
    testing: Score
    regression: Score
    uncertainty: Score


class Estimate(Result):
    """Hand in the estimate. devloop adds up."""

    factors: Factors = Field(description="1-5 each")
    risks: Texts = Field(default=[])
    dependencies: Texts = Field(default=[])
    spike: bool = Field(description="look into it first?")

    @property
    def total(self) -> int:
        """7 to 35."""
        return sum(self.factors.model_dump().values())

    @property
    def size(self) -> str:
        return next(size for top, size in SIZES if self.total <= top)


class HandOffSummary(Result):
    """Hand in the summary."""

    done: Texts
    decisions: Texts = Field(default=[])
    next_steps: Texts
    plan_changes: Texts = Field(default=[])
