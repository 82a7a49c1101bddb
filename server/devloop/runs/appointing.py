"""Who does a task in a run, with which model, prompt and tools: decided once, when the run is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devloop import agents
from devloop.agents import contracts, refining
from devloop.agents.routing import DEFAULT
from devloop.models import model_id
from devloop.runs import chaining
from devloop.runs.services import Services
from devloop.runs.spec import Chain, Profile, RunSpec, TaskSpec
from devloop.settings import AgentSettings, Settings


@dataclass(frozen=True)
class Appointment:
    choice: agents.Choice
    profile: Profile
    model: str
    chain: Chain | None = None
    suggestion: str = ""
    """What could be done before, in words (`agents.refining`)."""


def appoint(services: Services, task: TaskSpec, *, unattended: bool, chain: Chain | None = None) -> Appointment:
    """`unattended`: nobody is asked where two agents fit alike; the default does it. `chain`: where the task's chain of
    modes stands; None: it begins, or goes on where an earlier run of the task left off. May block."""
    known = agents.load_agents(services.root)
    chain = chain or _chain(services, known, task)
    if chain is not None:
        choice = _in_turn(known, task, chain)
    else:
        choice = agents.route(known, task, unattended=unattended, phase=task.phase_name)
        choice = _inert(services, task, choice)
    mode = known[choice.agent].find(choice.mode)
    assert mode is not None, f"routing chose {choice.agent}:{choice.mode}, which is not there"
    own = _own(services.settings, choice.agent, mode.name)
    profile = _profile(mode, own, known[choice.agent].skills)
    suggestion = refining.suggestion(known, task, choice) if chain is None and task.errand is None else ""
    return Appointment(choice, profile, model_of(services.settings, task, mode, own), chain, suggestion)


def _chain(services: Services, known: Mapping[str, agents.Agent], task: TaskSpec) -> Chain | None:
    """The chain that the task names in the place of a mode (`[agent:engineer:chain]`)."""
    agent = known.get(task.agent or DEFAULT)
    if agent is None or not task.mode or agent.find(task.mode) is not None:
        return None
    modes = agent.chain(task.mode)
    return chaining.taken_up(services, task, task.mode, modes) if modes else None


def _in_turn(known: Mapping[str, agents.Agent], task: TaskSpec, chain: Chain) -> agents.Choice:
    agent = known.get(task.agent or DEFAULT, known[DEFAULT])
    mode = agent.find(chain.modes[chain.at]) or agent.default
    way = " → ".join(chain.modes)
    place = f"{chain.at + 1} of {len(chain.modes)}"
    return agents.Choice(agent.name, mode.name, f"the task names the chain {way}; this is {place}")


def _inert(services: Services, task: TaskSpec, choice: agents.Choice) -> agents.Choice:
    """An agent of the repository that nobody trusted is not there; the reason says that, not that there is none."""
    inert = dict(agents.discover(services.root).inert)
    if not task.agent or task.agent not in inert or choice.agent == task.agent:
        return choice
    reason = f"{inert[task.agent]} is not trusted as it stands (`devloop trust`); {choice.agent} does it instead"
    return agents.Choice(choice.agent, choice.mode, reason, "low")


def _own(settings: Settings, agent: str, mode: str) -> AgentSettings:
    """What the person set for this mode, else for this agent, value by value."""
    found: dict[str, object] = {}
    for name in (agent, f"{agent}:{mode}"):
        if name in settings.agents:
            found |= settings.agents[name].model_dump(exclude_none=True)
    return AgentSettings.model_validate(found)


def model_of(settings: Settings, task: TaskSpec, mode: agents.Mode, own: AgentSettings) -> str:
    """The task's own word, then the person's for mode or agent, then the mode's tier."""
    named = task.model or own.model or mode.tier
    only = settings.model.name if "name" in settings.model.model_fields_set else None
    return model_id(named, settings.model.tiers.model_dump(exclude_none=True), only)


def _profile(mode: agents.Mode, own: AgentSettings, skills: tuple[str, ...] = ()) -> Profile:
    finish = None
    if mode.result is not None:
        model = contracts.model_of(mode.result)
        finish = {"description": model.__doc__ or "", "input_schema": contracts.schema_of(model)}
    return Profile(
        access=mode.access,
        prompt=mode.prompt,
        tools=mode.tools,
        finish=finish,
        result=mode.result if mode.result is None or isinstance(mode.result, str) else dict(mode.result),
        effort=own.effort or mode.effort,
        turns=own.turns or mode.turns,
        skills=skills,
    )


def profile_of(services: Services, spec: RunSpec) -> Profile:
    """The profile that the run was recorded with; one that an older devloop began has the agent as it is now."""
    if spec.profile is not None:
        return spec.profile
    known = agents.load_agents()
    return _profile(known.get(spec.agent, known["engineer"]).default, AgentSettings())
