"""What a mode must return: pydantic models, the schema a model is shown, and a reading of what came back.

A mode names one of `CONTRACTS`, or its Markdown file describes a result of its own as data (`model_of`). Shapes:
agents reference §1.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from devloop.redact import one_line

MAX_TEXT = 8_000
MAX_LIST = 100

Text = Annotated[str, Field(max_length=MAX_TEXT)]
Said = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
Level = Literal["high", "medium", "low"]


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class Result(Part):
    """What a mode hands to `finish`. The class's docstring is what the model reads of the tool."""

    summary: Said = Field(description="1-3 sentences")

    @property
    def clear(self) -> bool:
        """Whether nobody has to look at it: unattended loops stop at a result that is not clear."""
        return True


Texts = Annotated[list[Text], Field(max_length=MAX_LIST)]


class Exploration(Result):
    """Hand in what you found."""

    entry_points: Texts = Field(description="path:line what")
    flow: Texts = Field(description="in order, each with path:line")
    files: Texts = Field(description="5-10 key files")
    questions: Texts = []


class Approach(Part):
    name: Said = Field(description="minimal, clean or pragmatic")
    idea: Said
    trade_offs: Said
    creates: Texts = []
    changes: Texts = []


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
    left: Texts = []


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
    good: Texts = []

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
    blockers: Texts = []
    warnings: Texts = []
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


class IssueDraft(Part):
    title: Said
    kind: Literal["bug", "feature", "task", "chore", "spike"]
    priority: Level = "medium"
    text: Said
    files: Texts = []


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
    blockers: Texts = []
    recommendations: Texts = []

    @property
    def clear(self) -> bool:
        return self.verdict == "READY"


class DoneCheck(Result):
    """Hand in the verdict."""

    verdict: Literal["PASS", "WARN", "FAIL"]
    criteria: list[Criterion] = Field(min_length=1, max_length=MAX_LIST)
    blockers: Texts = []
    recommendation: Text = ""

    @property
    def clear(self) -> bool:
        return self.verdict == "PASS"


class DraftTask(Part):
    title: Said
    acceptance: Texts = []
    files: Texts = []
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
    acceptance: Texts = []
    files: Texts = []
    depends: Texts = []
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
    risks: Texts = []
    recommendation: Said
    next_steps: Texts = []
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
    in_scope: Texts = []
    out_of_scope: Texts = []
    questions: Texts = []

    @property
    def clear(self) -> bool:
        return not self.questions


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
    good: Texts = []
    plan_changes: Texts = []

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
    plan_changes: Texts = []

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
    risks: Texts = []
    dependencies: Texts = []
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
    decisions: Texts = []
    next_steps: Texts
    plan_changes: Texts = []


CONTRACTS: Mapping[str, type[Result]] = {
    "exploration": Exploration,
    "architecture": Architecture,
    "refactoring": Refactoring,
    "analysis": Analysis,
    "git": GitText,
    "release": Release,
    "tests": TestsWritten,
    "test-run": TestRun,
    "issues": Issues,
    "readiness": Readiness,
    "done-check": DoneCheck,
    "plan": PlanDraft,
    "spike": SpikeReport,
    "requirements": Requirements,
    "review": Review,
    "security": SecurityReport,
    "triage": Triage,
    "estimate": Estimate,
    "summary": HandOffSummary,
}

Shape = str | Mapping[str, Any]
"""The name of a contract, or a result described as data."""


def model_of(shape: Shape) -> type[Result]:
    """Raises ValueError that names what is wrong.

    As data: `text`, `number`, `yes/no`, a list of two or more words (one of them), a list of one shape (many of it),
    or a mapping of these. `summary` is always there.
    """
    if isinstance(shape, str):
        if shape not in CONTRACTS:
            raise ValueError(f"there is no result {shape!r}; there are {', '.join(CONTRACTS)}")
        return CONTRACTS[shape]
    return _described(json.dumps(shape, sort_keys=False))


@cache
def _described(text: str) -> type[Result]:
    shape = json.loads(text)
    fields = {name: (_type(name, part), ...) for name, part in shape.items() if name != "summary"}
    return create_model("Described", __base__=Result, __doc__="Hand in the result.", **cast(Any, fields))


def _type(name: str, part: Any) -> Any:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name) or hasattr(Result, name):
        raise ValueError(f"{one_line(name, 40)!r} is no name for a part of a result")
    match part:
        case "text":
            return Text
        case "number":
            return float
        case "yes/no":
            return bool
        case [one]:
            return Annotated[list[_type(name, one)], Field(max_length=MAX_LIST)]  # type: ignore[misc]
        case [_, _, *_] if all(isinstance(each, str) for each in part):
            return Literal[tuple(part)]
        case dict() if part:
            fields = {key: (_type(str(key), value), ...) for key, value in part.items()}
            return create_model(f"Part_{name}", __base__=Part, **cast(Any, fields))
        case _:
            raise ValueError(f"{name}: {one_line(str(part), 40)!r} is no part of a result")


def schema_of(model: type[Result]) -> dict[str, Any]:
    """The JSON Schema that a model is shown: without references, titles and limits, since every byte is sent with each
    conversation and the limits are checked when the result comes."""
    whole = model.model_json_schema()
    return _plain(whole, whole.get("$defs", {}))


_KEPT = ("type", "enum", "description", "required")


def _plain(node: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        inner = _plain(known[node["$ref"].rpartition("/")[2]], known)
        return {**inner, **({"description": node["description"]} if "description" in node else {})}
    if "allOf" in node:
        return _plain({**node["allOf"][0], **{k: v for k, v in node.items() if k != "allOf"}}, known)
    kept = {key: node[key] for key in _KEPT if key in node}
    if "const" in node:
        kept["enum"] = [node["const"]]
    if "properties" in node:
        kept.pop("description", None)  # the class's own words: they are the tool's description
        kept["properties"] = {name: _plain(part, known) for name, part in node["properties"].items()}
    if "items" in node:
        kept["items"] = _plain(node["items"], known)
    if "enum" in kept:
        kept.pop("type", None)
    return kept


def mistakes(model: type[Result], value: Any) -> list[str]:
    """What does not fit, in words; [] when all does."""
    try:
        model.model_validate(value)
    except ValidationError as problem:
        return [_mistake(error) for error in problem.errors()[:8]]
    return []


def _mistake(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the result"
    return one_line(f"{place}: {error['msg']}", 200)


_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n```", re.S)


def in_text(text: str) -> dict[str, Any] | None:
    """The JSON object that an answer in words holds, whole or in a fence; None where there is none."""
    for part in (text, *_FENCED.findall(text)):
        try:
            found = json.loads(part)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


def markdown(value: Mapping[str, Any]) -> str:
    """A result to read, whatever its shape; without `summary`, which stands above it."""
    return "\n".join(_lines({key: part for key, part in value.items() if key != "summary"}))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for key, part in value.items():
        title = str(key).replace("_", " ").capitalize()
        if part in ("", [], {}, None):
            continue
        if isinstance(part, list):
            yield f"{title}:"
            for each in part:
                yield f"- {_short(each)}"
        elif isinstance(part, Mapping):
            yield f"{title}: {_short(part)}"
        else:
            yield f"{title}: {_word(part)}"


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        place = f"{value['path']}:{value['line']} " if {"path", "line"} <= set(value) else ""
        rest = {key: part for key, part in value.items() if not (place and key in ("path", "line"))}
        parts = [f"{str(key).replace('_', ' ')}: {_short(part)}" for key, part in rest.items() if part not in ("", [])]
        return place + "; ".join(parts)
    if isinstance(value, list):
        return ", ".join(_short(each) for each in value)
    return _word(value)


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
