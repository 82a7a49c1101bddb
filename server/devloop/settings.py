"""Settings and where each comes from.

Two sources with different rights. The *person's*: environment and `config.toml` in the user's configuration directory;
may say anything. The *team's*: `.devloop/config.toml` in the repository; may declare gates, a set-up command, read-only
paths and *narrower* limits. What the team's file says beyond that is ignored with a warning: keys, base URLs,
databases, sandbox switches and wider budgets never come from a repository.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from devloop import paths

TEAM_FILE = ".devloop/config.toml"
DEFAULT_MODEL = "claude-sonnet-5-5"


def _seconds(value: Any) -> Any:
    """`90`, `"90s"`, `"10m"`, `"1h30m"` → seconds."""
    if isinstance(value, str):
        parts = re.findall(r"(\d+(?:\.\d+)?)(h|m|s)", value)
        if not parts or "".join(n + u for n, u in parts) != value.replace(" ", ""):
            raise ValueError(f"{value!r} is no duration; write 90s, 10m or 1h30m")
        return sum(float(n) * {"h": 3600, "m": 60, "s": 1}[u] for n, u in parts)
    return value


Seconds = Annotated[float, BeforeValidator(_seconds), Field(gt=0)]


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
    backend: Literal["auto", "bubblewrap", "none"] = "auto"
    require: bool = True
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
    own_gates: tuple[str, ...] = ()
    """Names in `gates` that the person declared; the others are the team's and count only once they are trusted."""
    setup: SetupSettings | None = None
    paths: PathSettings = PathSettings()
    prices: dict[str, Any] = {}
    """Prices of models that devloop's own table lacks or has wrong: `{"name": {"input": 1.0, "output": 5.0}}`."""
    database_url: str | None = Field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    """What was ignored or could not be read, one sentence each, with the file."""


_TEAM_SECTIONS = {"gates", "setup", "paths", "loop", "budget", "checkpoints"}
_TEAM_LOOP = {"max_parallel", "max_tasks", "gate_rounds"}
_TEAM_CHECKPOINTS = (("enforcement", "strict"), ("when", "each-task"))


def load(root: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings for the workspace at `root`. Never raises on what a file holds: the bad part becomes a warning."""
    env = os.environ if environment is None else environment
    warnings: list[str] = []
    person = _read(paths.config_root() / "config.toml", warnings)
    team = _team(_read(root / TEAM_FILE, warnings), warnings)
    merged = _merge(person, team, warnings)
    declared = person.get("gates")
    merged["own_gates"] = sorted(declared) if isinstance(declared, dict) else []
    _apply_environment(merged, env)
    return _validated(merged, warnings)


def _read(path: Path, warnings: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        warnings.append(f"{path} was ignored: {problem}")
        return {}


def _team(data: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    allowed: dict[str, Any] = {}
    for name, value in data.items():
        if name not in _TEAM_SECTIONS or not isinstance(value, dict):
            warnings.append(f"{TEAM_FILE}: [{name}] was ignored: it may only be set in your own configuration.")
        elif name == "loop":
            for key in sorted(set(value) - _TEAM_LOOP):
                warnings.append(f"{TEAM_FILE}: loop.{key} was ignored: it may only be set in your own configuration.")
            allowed[name] = {key: value[key] for key in value if key in _TEAM_LOOP}
        elif name == "checkpoints":
            allowed[name] = {key: value[key] for key in value if (key, value[key]) in _TEAM_CHECKPOINTS}
            for key in sorted(set(value) - set(allowed[name])):
                warnings.append(f"{TEAM_FILE}: checkpoints.{key} was ignored: a team may only ask for more care.")
        else:
            allowed[name] = value
    return allowed


def _merge(person: dict[str, Any], team: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    merged: dict[str, Any] = {name: dict(v) if isinstance(v, dict) else v for name, v in person.items()}
    for name, value in team.items():
        if name == "budget":
            merged[name] = _narrower(merged.get(name, {}), value, warnings)
        elif name in ("gates", "loop", "paths"):
            merged[name] = {**value, **merged.get(name, {})}
        elif name == "checkpoints":
            merged[name] = {**merged.get(name, {}), **value}
        else:
            merged.setdefault(name, value)
    return merged


def _narrower(person: dict[str, Any], team: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """The team may lower a cap, never raise it."""
    defaults = BudgetSettings()
    result = dict(person)
    for key, value in team.items():
        own = person.get(key, getattr(defaults, key, None))
        try:
            wider = own is not None and float(_seconds(value)) > float(_seconds(own))
        except (TypeError, ValueError):
            warnings.append(f"{TEAM_FILE}: budget.{key} was ignored: {value!r} is no limit.")
            continue
        if wider:
            warnings.append(f"{TEAM_FILE}: budget.{key} = {value} was ignored: it is wider than your own {own}.")
        else:
            result[key] = value
    return result


def _apply_environment(merged: dict[str, Any], env: Mapping[str, str]) -> None:
    model = merged.setdefault("model", {})
    for variable, key in (
        ("ANTHROPIC_API_KEY", "api_key"),
        ("ANTHROPIC_BASE_URL", "base_url"),
        ("DEVLOOP_MODEL", "name"),
        ("DEVLOOP_SCENARIO", "scenario"),
    ):
        if env.get(variable):
            model[key] = env[variable]
    if env.get("DEVLOOP_DATABASE_URL"):
        merged["database_url"] = env["DEVLOOP_DATABASE_URL"]


def _validated(merged: dict[str, Any], warnings: list[str]) -> Settings:
    """Validate; each bad value is dropped with a warning, so that one typing error does not lose the rest."""
    for _ in range(100):
        try:
            return Settings.model_validate({**merged, "warnings": tuple(warnings)})
        except ValidationError as problem:
            for error in problem.errors():
                place = ".".join(str(part) for part in error["loc"])
                warnings.append(f"setting {place} was ignored: {error['msg']}.")
                _drop(merged, error["loc"])
    return Settings(warnings=tuple(warnings))


def _drop(merged: dict[str, Any], location: tuple[int | str, ...]) -> None:
    """Remove the deepest dictionary entry that `location` names; a gate is dropped as a whole."""
    depth = 2 if location and location[0] in ("gates",) else len(location)
    holder: Any = merged
    for part in location[: depth - 1]:
        if not isinstance(holder, dict) or not isinstance(holder.get(str(part)), dict):
            break
        holder = holder[str(part)]
        location = location[1:]
        depth -= 1
    if isinstance(holder, dict) and location:
        holder.pop(str(location[0]), None)
