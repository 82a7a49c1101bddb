"""The shape of `.devloop/local.md`: what a person's own settings of a project may say (state-files §7)."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _strict_bool(value: object) -> object:
    """`yes` is a word here, as it is for the readers of the old files; only the two YAML words are truth values."""
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")
    return value


def _words(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Bool = Annotated[bool, BeforeValidator(_strict_bool)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Ask = Literal["ask", "always", "never"]
Tier = Literal["fast", "balanced", "deep", "haiku", "sonnet", "opus"]
Positive = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, alias_generator=lambda name: name.replace("_", "-")
    )


class GitSettings(Section):
    auto_branch: Bool = False
    branch_pattern: str = "feat/{slug}"
    main_branch: str = "main"
    pr_on_complete: Ask = "ask"
    worktree_isolation: Bool = False
    """Read and ignored: runs always have a worktree of their own."""
    pr_sections: Words = ()
    auto_labels: Words = ()


class CommitSettings(Section):
    style: Literal["conventional", "simple"] = "conventional"
    scope_from_plan: Bool = True
    sign: Bool = False
    format: str | None = None
    auto_commit: Bool = True
    """It prompts; nothing happens silently."""


class ReviewSettings(Section):
    before_commit: Ask = "ask"
    use_plugin: Literal["code-review", "pr-review-toolkit"] | None = None


class GithubSettings(Section):
    link_issues: Bool = False
    auto_close: Ask = "ask"
    comment_on_complete: Bool = True


class TokenSettings(Section):
    token_budget: int = Field(default=4_000, ge=1_000, le=20_000)
    cache_friendly_context: Bool = True


class LoopLocal(Section):
    max_parallel: int = Field(default=3, ge=1, le=16)
    max_tasks: int | None = Field(default=None, ge=1)


class BudgetLocal(Section):
    run_usd: Positive | None = None
    plan_usd: Positive | None = None
    day_usd: Positive | None = None
    turns: int | None = Field(default=None, ge=1)


class NotifySettings(Section):
    desktop: Bool = False


class ShipSettings(Section):
    """What the second generation said of versions, change logs and tags: offered, never done silently."""

    auto_version: Bool = True
    changelog: Bool = True
    auto_tag: Bool = False


class WorkflowSettings(Section):
    skip_phases: Words = ()
    auto_approve: Words = ()


class DoneSettings(Section):
    """The definition of done, as lists, and as the numbers of the documented variant."""

    code: Words = ()
    testing: Words = ()
    quality: Words = ()
    documentation: Words = ()
    integration: Words = ()
    require_tests: Bool | None = None
    require_docs: Bool | None = None
    min_coverage: int | None = Field(default=None, ge=0, le=100)


class ModelsLocal(Section):
    exploration: Tier | None = None
    architecture: Tier | None = None
    implementation: Tier | None = None
    review: Tier | None = None
    testing: Tier | None = None


class TestingSettings(Section):
    command: str | None = None
    coverage_threshold: int | None = Field(default=None, ge=0, le=100)
    patterns: Words = ()


class SecuritySettings(Section):
    block_threshold: Literal["low", "medium", "high", "critical"] = "high"
    ignore_patterns: Words = ()


class Local(Section):
    """The target shape: names of the third generation, in kebab case, and what only older ones had beside them."""

    enforcement: Literal["advisory", "strict"] = "advisory"
    fresh_threshold: int = Field(default=10, ge=5, le=50)
    context_threshold: int = Field(default=70, ge=50, le=95)
    git: GitSettings = GitSettings()
    commits: CommitSettings = CommitSettings()
    review: ReviewSettings = ReviewSettings()
    github: GithubSettings = GithubSettings()
    tokens: TokenSettings = TokenSettings()
    loop: LoopLocal = LoopLocal()
    budget: BudgetLocal = BudgetLocal()
    notify: NotifySettings = NotifySettings()
    ship: ShipSettings = ShipSettings()
    workflow: WorkflowSettings = WorkflowSettings()
    definition_of_done: DoneSettings = DoneSettings()
    models: ModelsLocal = ModelsLocal()
    testing: TestingSettings = TestingSettings()
    security: SecuritySettings = SecuritySettings()
    auto_skills: Words = ()


@cache
def known_keys() -> frozenset[str]:
    """Every key of the target shape, dotted, in kebab case."""
    found = set()
    for name, field in Local.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            found |= {f"{name}.{inner}".replace("_", "-") for inner in kind.model_fields}
        else:
            found.add(name.replace("_", "-"))
    return frozenset(found)


def to_json(values: Local) -> dict[str, Any]:
    """The target shape with its kebab-case names."""
    return values.model_dump(mode="json", by_alias=True)
