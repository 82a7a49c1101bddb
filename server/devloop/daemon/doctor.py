"""What could keep devloop from working here, each with what to do about it. Looks only; changes nothing."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import shutil
import stat
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from devloop import agents, keys, sandbox, skills, trust
from devloop.daemon import doctor_files, hook_list
from devloop.daemon.documents import Documents
from devloop.errors import DevloopError, RepositoryUnfit
from devloop.lists import more, some
from devloop.own_files import read_bytes
from devloop.paths import StateDir, config_root
from devloop.redact import one_line
from devloop.settings import TEAM_FILE, Settings
from devloop.workspace import Repository, peculiarities
from devloop.workspace.git import check_version

log = logging.getLogger(__name__)

LOW_DISK = 1024**3
VERY_LOW_DISK = 100 * 1024**2
_KEPT: Final = {"keyring": "the system's keyring", "file": "a file that only you can read"}
_KEYS_OF_OTHERS = ("ANTHROPIC_", "api_key", "base_url", "database_url")


@dataclass(frozen=True)
class Check:
    """`message` is one sentence; `fix` says what to do and is empty when nothing is to be done."""

    name: str
    state: Literal["ok", "warning", "problem"]
    message: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


async def checks(root: Path, state: StateDir, settings: Settings, documents: Documents) -> list[Check]:
    """All checks, in the order in which they are shown. A check that breaks says so and stops no other."""
    looks: list[tuple[str, Callable[[], Awaitable[list[Check]]]]] = [
        ("repository", lambda: _repository(root)),
        ("sandbox", lambda: _sandbox(settings)),
        ("model", lambda: _plain(_model, settings)),
        ("secrets", lambda: _plain(_secrets)),
        ("gates", lambda: _plain(_gates, root, settings)),
        ("trust", lambda: _plain(_trust, root, state)),
        ("agents", lambda: _plain(_agents, root, state, settings)),
        ("skills", lambda: _plain(_skills, root, state)),
        ("hooks", lambda: _plain(_hooks, root, state)),
        ("settings", lambda: _plain(_settings, root, settings)),
        ("plan", lambda: _plain(_plan, documents)),
        ("files", lambda: _plain(_files, root, documents)),
        ("tracking", lambda: _tracking(root)),
        ("state", lambda: _plain(_state_directory, state)),
        ("disk", lambda: _plain(_disk, state)),
    ]
    found: list[Check] = []
    for name, look in looks:
        try:
            found += await look()
        except DevloopError as problem:
            found.append(Check(name, "problem", problem.message, problem.hint))
        except Exception as problem:
            log.exception("the check %s failed", name)
            said = f"This could not be checked: {one_line(str(problem)) or type(problem).__name__}"
            found.append(Check(name, "problem", said, f"The log says more: {state.logs / 'daemon.log'}"))
    return found


async def _plain(check: Callable[..., list[Check]], *arguments: Any) -> list[Check]:
    return await asyncio.to_thread(check, *arguments)


async def sandbox_state(settings: Settings) -> dict[str, Any]:
    """The sandbox as `devloop status --json` shows it."""
    return sandbox.report(await sandbox.detected(settings.sandbox), require=settings.sandbox.require)


async def _repository(root: Path) -> list[Check]:
    repository = await Repository.discover(root)
    version = ".".join(map(str, await check_version()))
    busy = repository.busy()
    if busy:
        return [
            Check(
                "repository",
                "warning",
                f"A {busy} is unfinished in your checkout.",
                f"Finish it, or git {busy} --abort.",
            )
        ]
    shut = [place for place in repository.places if not os.access(place, os.W_OK)]
    if shut:
        return [
            Check(
                "repository",
                "problem",
                f"{shut[0]} can't be written, so nothing could be kept there.",
                "Check that it is yours and that its file system is writable.",
            )
        ]
    dirty = len(await repository.dirty())
    note = (
        f" {dirty} file{'s are' if dirty != 1 else ' is'} not committed; runs start from the last commit."
        if dirty
        else ""
    )
    head = await repository.head()
    peculiar = await peculiarities(repository, repository.plain(), head.commit)
    works = Check("repository", "ok", f"git {version} works here.{note}")
    if head.branch is None:
        said = f"git {version} works here, but HEAD is detached: there is no branch for finished work to land on.{note}"
        works = Check("repository", "warning", said, "Make one at this place: git switch -c NAME")
    return [
        works,
        *(Check("repository", "warning", str(each)) for each in peculiar),
    ]


_LEVELS: Final[dict[str, Literal["ok", "warning", "problem"]]] = {"on": "ok", "degraded": "warning"}


async def _sandbox(settings: Settings) -> list[Check]:
    found = await sandbox_state(settings)
    level = "warning" if found["state"] == "on" and found["fix"] else _LEVELS.get(found["state"], "problem")
    means = f" {found['meaning']}" if found["state"] != "on" else ""
    return [Check("sandbox", level, f"{found['state']}: {found['reason']}{means}", found["fix"])]


def _model(settings: Settings) -> list[Check]:
    model = settings.model
    if model.scenario is not None:
        state: Literal["ok", "problem"] = "ok" if model.scenario.is_file() else "problem"
        found = "answers" if state == "ok" else "is set, but the file does not exist, so nothing can answer"
        return [Check("model", state, f"A scripted scenario ({model.scenario.name}) {found}; no model is asked.")]
    stored = keys.find(model.base_url)  # what it refuses is said as this check's problem
    if not model.api_key and stored is None and model.base_url:
        return [Check("model", "ok", f"{one_line(model.name, 80)} answers at your own base URL; no key is set.")]
    if not model.api_key and stored is None:
        return [
            Check(
                "model",
                "problem",
                "There is no key for the model.",
                "Store one with `devloop login`, or set ANTHROPIC_API_KEY. `devloop demo` works without one.",
            )
        ]
    kept = "" if model.api_key or stored is None else f", kept in {_KEPT[stored.kind]}"
    where = " at your own base URL" if model.base_url else ""
    return [Check("model", "ok", f"A key is set{kept}; {one_line(model.name, 80)} answers{where}.")]


def _secrets() -> list[Check]:
    """What looks for secrets in what is committed."""
    if importlib.util.find_spec("betterleaks") is not None:
        return [Check("secrets", "ok", "betterleaks and devloop's own patterns look at every commit and release.")]
    told = "devloop's own patterns look at every commit and release. With the extra devloop-server[secrets]"
    return [Check("secrets", "ok", f"{told} betterleaks looks, too: it knows some hundred more kinds of keys.")]


def _gates(root: Path, settings: Settings) -> list[Check]:
    return [Check(**found) for found in doctor_files.gates(root, settings)]


def _trust(root: Path, state: StateDir) -> list[Check]:
    states = trust.state(root, state.trust_file)
    waiting = [each.item.key for each in states if each.status in ("new", "changed")]
    refused = [each.item for each in states if each.status == "refused"]
    found = [Check("trust", "problem", f"{one_line(item.key)}: {one_line(item.refused)}.") for item in refused]
    if waiting:
        names = some(waiting, 5, lambda key: one_line(key, 60))
        found.append(Check("trust", "warning", f"Not trusted yet: {names}.", "Look at it with `devloop trust`."))
    return found or [
        Check("trust", "ok", f"{len(states)} item{'s' if len(states) != 1 else ''} trusted, nothing waits.")
    ]


def _agents(root: Path, state: StateDir, settings: Settings) -> list[Check]:
    """Faults in the files of agents, and settings for agents that are not there."""
    library = agents.discover(root, state.trust_file)
    found = [
        Check(
            "agents",
            "problem" if each.fatal else "warning",
            f"{one_line(each.path, 120)}:{each.line}: {each.text}",
            "This agent is not there until that is mended." if each.fatal else "",
        )
        for each in library.problems
    ]
    for name in settings.agents:
        agent, _, mode = name.partition(":")
        if agent not in library.agents or (mode and library.agents[agent].find(mode) is None):
            told = f"Your settings speak of the agent {one_line(name, 80)}, and there is none."
            found.append(Check("agents", "warning", told, f"There are: {', '.join(library.agents)}."))
    own = sum(agent.source != "shipped" for agent in library.agents.values())
    return found or [Check("agents", "ok", f"{len(library.agents)} agents, {own} of them this repository's.")]


def _skills(root: Path, state: StateDir) -> list[Check]:
    """Faults in the files of skills; names that clash are no fault, `devloop skills` tells which one counts."""
    library = skills.discover(root, state.trust_file)
    found = [
        Check(
            "skills",
            "problem" if each.severity == "error" else "warning",
            f"{one_line(each.path, 200)}:{each.line}: {one_line(each.message, 300)}",
            "`devloop skills check` shows everything that is wrong with skills.",
        )
        for each in library.problems
    ]
    own = sum(each.source != "shipped" for each in library.active.values())
    waiting = sum(each.state == "untrusted" for each in library.found)
    told = f"{len(library.active)} skills, {own} of them your own or this repository's"
    return found or [Check("skills", "ok", f"{told}; {waiting} not trusted yet." if waiting else f"{told}.")]


def _hooks(root: Path, state: StateDir) -> list[Check]:
    return [Check("hooks", level, message, fix) for level, message, fix in hook_list.checks(root, state)]


def _settings(root: Path, settings: Settings) -> list[Check]:
    more = "`devloop config check` lists what is wrong, `devloop config explain KEY` says what counts."
    found = [Check("settings", "warning", one_line(warning, 300), more) for warning in settings.warnings]
    found += [
        Check(
            "settings",
            "warning",
            f"{TEAM_FILE} names {name}; it is ignored: keys, base URLs and databases never come from a repository.",
            "Remove it there. Yours belong in your environment or your own config.toml.",
        )
        for name in _foreign_names(root)
    ]
    own = config_root() / "config.toml"
    there = "was read" if own.is_file() else "does not exist"
    return found or [Check("settings", "ok", f"All settings were understood; yours, {own}, {there}.")]


def _foreign_names(root: Path) -> list[str]:
    """Keys in the team's file that only a person may set, however deep they are hidden."""
    try:
        data = tomllib.loads((read_bytes(root, TEAM_FILE) or b"").decode("utf-8"))
    except (DevloopError, ValueError):
        return []
    found: list[str] = []
    waiting: list[tuple[str, Any]] = [("", data)]
    while waiting:
        place, value = waiting.pop()
        for key, inner in value.items():
            name = f"{place}{key}"
            if key.startswith(_KEYS_OF_OTHERS[0]) or key in _KEYS_OF_OTHERS[1:]:
                found.append(one_line(name, 80))
            if isinstance(inner, dict):
                waiting.append((f"{name}.", inner))
    return sorted(found)


def _plan(documents: Documents) -> list[Check]:
    found, plan = documents.plan()
    problems = list(plan.problems)
    errors = [problem for problem in problems if problem.severity == "error"]
    others = f" Other files could be plans too: {some(found.others, 3)}." if found.others else ""
    if errors:
        first = errors[0]
        return [
            Check(
                "plan",
                "problem",
                f"{found.relative}:{first.line}: {one_line(first.message)}"
                + (f" ({left} errors)" if (left := more(len(errors) - 1)) else "")
                + others,
                "See all with `devloop plan check`.",
            )
        ]
    unwritten = next((problem for problem in problems if problem.code == "template-task"), None)
    if unwritten is not None:
        told = f"{found.relative}:{unwritten.line}: {one_line(unwritten.message)}.{others}"
        return [Check("plan", "warning", told, 'Edit the plan, or: devloop plan new "WHAT" --replace')]
    return [
        Check(
            "plan",
            "ok",
            f"{found.relative}: {len(plan.tasks)} task{'s' if len(plan.tasks) != 1 else ''}, no errors.{others}",
        )
    ]


def _files(root: Path, documents: Documents) -> list[Check]:
    own = root / ".devloop"
    if own.is_dir() and not os.access(own, os.W_OK):
        said = f"{own} can't be written, so no task could be ticked and no run begun."
        return [Check("files", "problem", said, "Check that it is yours and that its file system is writable.")]
    try:
        documents.find()
    except DevloopError:
        return [Check(**each) for each in doctor_files.malformed(root, plan_exists=False)]
    return [Check(**each) for each in doctor_files.malformed(root, plan_exists=True)]


async def _tracking(root: Path) -> list[Check]:
    try:
        return [Check(**each) for each in await doctor_files.shared(root)]
    except RepositoryUnfit:
        return []  # the first check says it


def _state_directory(state: StateDir) -> list[Check]:
    mode = stat.S_IMODE(state.path.stat().st_mode)
    if mode & 0o077:
        return [Check("state", "problem", f"Others can read {state.path} (mode {mode:o}).", f"chmod 700 {state.path}")]
    return [Check("state", "ok", f"{state.path} is yours alone.")]


def _disk(state: StateDir) -> list[Check]:
    free = shutil.disk_usage(state.path).free
    told = f"{free / 1024**3:.1f} GiB are free where runs are kept."
    if free < VERY_LOW_DISK:
        return [Check("disk", "problem", told, "Free some space before the next run.")]
    if free < LOW_DISK:
        return [Check("disk", "warning", told, "Worktrees and clean checkouts need room; free some space.")]
    return [Check("disk", "ok", told)]
