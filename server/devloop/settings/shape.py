"""The shape of all settings: sections, names, what each takes, and defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from devloop.settings.personal_shape import (
    CommitSettings,
    DoneSettings,
    GithubSettings,
    GitSettings,
    NotifySettings,
    ReviewSettings,
    SecuritySettings,
    ShipSettings,
    TestingSettings,
    TokenSettings,
    WorkflowSettings,
)

TEAM_FILE = ".devloop/config.toml"
DEFAULT_MODEL = "claude-sonnet-5-5"


def seconds(value: Any) -> Any:
    """`90`, `"90s"`, `"10m"`, `"1h30m"` → seconds."""
    if isinstance(value, str):
        parts = re.findall(r"(?<!\d)(\d++(?:\.\d++)?)(h|m|s)", value)
        if not parts or "".join(n + u for n, u in parts) != value.replace(" ", ""):
            raise ValueError(f"{value!r} is no duration; write 90s, 10m or 1h30m")
        return sum(float(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in parts)
    return value


Seconds = Annotated[float, BeforeValidator(seconds), Field(gt=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TierSettings(_Section):
    """Ids of models by tier (`models.tiers`); None: as devloop's table has it."""

    fast: str | None = None
    balanced: str | None = None
    deep: str | None = None


class ModelSettings(_Section):
    """A `name` that is set is the model for every tier that `tiers` does not name."""

    name: str = DEFAULT_MODEL
    tiers: TierSettings = TierSettings()
    base_url: str | None = None
    api_key: str | None = Field(default=None, repr=False)
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    max_tokens: int = Field(default=16_000, ge=1)
    scenario: Path | None = None
    """A scenario file: the scripted player answers instead of a model."""


class BudgetSettings(_Section):
    """Caps; None means no cap. Money is US dollars."""

    run_usd: float | None = Field(default=5.0, gt=0)
    plan_usd: float | None = Field(default=None, gt=0)
    day_usd: float | None = Field(default=25.0, gt=0)
    run_tokens: int | None = Field(default=None, gt=0)
    turns: int = Field(default=60, gt=0)
    wall: Seconds = 3600.0


class SandboxSettings(_Section):
    backend: Literal["auto", "bubblewrap", "landlock", "srt", "none"] = "auto"
    require: bool = True
    srt: Path | None = None
    """The program `srt`, where it lies in no common folder."""
    network_hosts: tuple[str, ...] = ()
    """What commands may reach in `srt`; no other backend gives them any network."""
    read_only: tuple[Path, ...] = ()
    """More directories (toolchains) that commands may read."""
    environment: tuple[str, ...] = ()
    """Names of variables that commands may see."""


class AgentSettings(_Section):
    """What an agent, or one mode of it (`"engineer:explorer"`), goes by instead of its own definition."""

    model: str | None = Field(default=None, min_length=1, max_length=100)
    """A tier, or a model's id."""
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    turns: int | None = Field(default=None, gt=0)


class LoopSettings(_Section):
    max_parallel: int = Field(default=3, ge=1, le=16)
    max_tasks: int | None = Field(default=None, ge=1)
    gate_rounds: int = Field(default=3, ge=0)
    """How often a failing gate goes back to the agent before a person is asked."""
    decision_days: float = Field(default=30, gt=0)
    """How long a checkpoint waits for a person."""
    parallel_groups: Literal[True, False, "ask"] = "ask"
    """Whether a loop starts all ready tasks of a parallel group at once. Unattended, `ask` means yes."""
    resume: Literal["ask", "auto", "never"] = "ask"
    """What happens with a hand-off that a fresh start left: an editor asks, goes on by itself, or says nothing."""


class CheckpointSettings(_Section):
    """When a loop stops for a person, and what it insists on."""

    when: Literal["each-task", "every", "phase-end", "on-failure"] = "each-task"
    every: int = Field(default=3, ge=1, le=1000)
    """With `when = "every"`: so many tasks."""
    enforcement: Literal["advisory", "strict"] = "advisory"
    """Whether what should be in order first is only said, or has to be."""
    context_threshold: int = Field(default=70, ge=50, le=95)
    """Per cent of the context window at which a fresh conversation takes over."""
    fresh_threshold: int = Field(default=10, ge=1, le=1000)
    """So many tasks in one loop, and a fresh start is offered."""


class GateSettings(_Section):
    """A gate that a file declares. `{out}` in an argument is the fresh report directory."""

    command: tuple[str, ...] = Field(min_length=1)
    report: Literal["none", "junit", "ruff-json", "mypy-json", "pyright-json", "bandit-json", "sarif"] = "none"
    report_file: str | None = None
    kind: Literal["tests", "types", "lint", "security", "build", "format", "other"] = "other"
    required: bool = True
    timeout: Seconds = 600.0
    strict: bool = False
    """Block on every finding, not only on new ones."""


class GuardingSettings(_Section):
    """What stands in `[gates]` beside the gates: how honest they are kept (gates §5.6 and residue)."""

    guard: Literal["show", "block", "accept"] = "show"
    """Work that changes what checks it: shown to a person, or a failure; with "accept" told, and waiting for nobody."""
    files: Literal["work", "base"] = "work"
    """`gates.from`: with "base", work that changes tests or configuration has to pass with those of its base, too."""


GUARDING: Mapping[str, str] = {"guard": "guard", "from": "files"}
"""Names that no gate can have: what they are called in `[gates]`, and in `GuardingSettings`."""


class SetupSettings(_Section):
    command: tuple[str, ...] = Field(min_length=1)
    timeout: Seconds = 600.0


class PathSettings(_Section):
    readonly: tuple[str, ...] = ()


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: ModelSettings = ModelSettings()
    budget: BudgetSettings = BudgetSettings()
    sandbox: SandboxSettings = SandboxSettings()
    loop: LoopSettings = LoopSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    agents: dict[str, AgentSettings] = {}
    gates: dict[str, GateSettings] = {}
    guarding: GuardingSettings = GuardingSettings()
    """`gates.guard` and `gates.from`."""
    own_gates: tuple[str, ...] = ()
    """Names in `gates` that the person declared; the others are the team's and count only once they are trusted."""
    setup: SetupSettings | None = None
    own_setup: bool = False
    """Whether `setup` is the person's; the team's is run from the text that was trusted, never from here."""
    paths: PathSettings = PathSettings()
    workflow: WorkflowSettings = WorkflowSettings()
    git: GitSettings = GitSettings()
    commits: CommitSettings = CommitSettings()
    review: ReviewSettings = ReviewSettings()
    github: GithubSettings = GithubSettings()
    tokens: TokenSettings = TokenSettings()
    notify: NotifySettings = NotifySettings()
    ship: ShipSettings = ShipSettings()
    definition_of_done: DoneSettings = DoneSettings()
    testing: TestingSettings = TestingSettings()
    security: SecuritySettings = SecuritySettings()
    auto_skills: tuple[str, ...] = ()
    prices: dict[str, Any] = {}
    """Prices of models that devloop's own table lacks or has wrong: `{"name": {"input": 1.0, "output": 5.0}}`."""
    database_url: str | None = Field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    """What was ignored or could not be read, one sentence each, with the file."""

    @model_validator(mode="before")
    @classmethod
    def _beside_the_gates(cls, data: Any) -> Any:
        gates = data.get("gates") if isinstance(data, dict) else None
        if not isinstance(gates, dict) or not GUARDING.keys() & gates.keys():
            return data
        said = {GUARDING[name]: gates[name] for name in gates if name in GUARDING}
        rest = {name: value for name, value in gates.items() if name not in GUARDING}
        return {**data, "gates": rest, "guarding": {**said, **dict(data.get("guarding") or {})}}


def value_of(settings: Settings, key: Sequence[str]) -> Any:
    """What a setting is, by its key as files say it; None where there is none."""
    if len(key) == 2 and key[0] == "gates" and key[1] in GUARDING:
        key = ("guarding", GUARDING[key[1]])
    value: Any = settings
    for part in key:
        value = value.get(part) if isinstance(value, dict) else getattr(value, part, None)
    return value
