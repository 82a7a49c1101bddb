"""Where a run's commands see what: the view that the sandbox gives to tools, set-up and gates alike.

The worktree appears at the path of the person's checkout. Virtual environments and editable installs that point there
then see the worktree, and no command ever sees the checkout itself.
"""

from __future__ import annotations

import os
from pathlib import Path

from devloop import gates, sandbox, tools
from devloop.errors import SandboxMissing
from devloop.runs import appointing, knowledge
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")


async def refusal(services: Services, spec: RunSpec) -> SandboxMissing | None:
    """Why nothing of this run may work now; None: it may. Asked before each turn and gate and not only when the run
    begins: a run goes on after restarts, on a machine that may have lost its sandbox meanwhile."""
    detected = await services.sandbox()
    unattended = spec.loop.decide is not None
    if sandbox.refused(detected.state, require=services.settings.sandbox.require, unattended=unattended):
        return no_sandbox(detected, unattended=unattended)
    return None


def no_sandbox(detected: sandbox.Detection, *, unattended: bool) -> SandboxMissing:
    what = "Unattended runs need a sandbox" if unattended else "Commands need a sandbox"
    allow = "To allow it in this one" if detected.state == "degraded" else "To run without one at your own risk"
    own = f" {allow}: sandbox.require = false in your own config.toml."
    return SandboxMissing(f"{what}, and it is {detected.state}: {detected.reason}", hint=f"{detected.fix}{own}".strip())


async def environment(services: Services) -> gates.Environment:
    """The project's own environment, else devloop's; looked up anew, because a person may create one at any time.

    One that the repository brought is not the person's: it could name any folder as its interpreter's.
    """
    active = services.virtual_env
    tracked = [
        folder
        for folder, paths in gates.in_checkout(services.root, active).items()
        if await services.workspace.is_tracked(*paths)
    ]
    return gates.find(services.root, active, tracked=tracked)


def worktree_mounts(
    services: Services, run: str, found: gates.Environment, *, write: bool = True
) -> tuple[sandbox.Mount, ...]:
    worktree = services.workspace.path(run)
    return (
        sandbox.Mount(worktree, services.root, write=write, spare=services.state.spare if write else None),
        *gates.environment_mounts(found),
        *person_mounts(services),
    )


def person_mounts(services: Services) -> tuple[sandbox.Mount, ...]:
    """Toolchains that the person's own configuration shows to commands."""
    return tuple(sandbox.Mount(path, path) for path in services.settings.sandbox.read_only if path.exists())


def person_variables(services: Services) -> dict[str, str]:
    """Variables that the person listed by name."""
    return {name: os.environ[name] for name in services.settings.sandbox.environment if name in os.environ}


def command_environment(services: Services, found: gates.Environment) -> dict[str, str]:
    variables = {
        "PATH": os.pathsep.join([str(found.bin), *SYSTEM_PATH]),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if found.origin != "devloop":
        variables["VIRTUAL_ENV"] = str(found.root)
    return {**variables, **person_variables(services)}


async def tool_context(services: Services, spec: RunSpec) -> tools.ToolContext:
    """What the calls of this run may touch. An agent that only reads gets a worktree that can't be written."""
    detected = await services.sandbox()
    found = await environment(services)
    profile, write = appointing.profile_of(services, spec), not spec.reads_only
    return tools.ToolContext(
        worktree=services.workspace.path(spec.id),
        view=services.root,
        backend=detected.backend,
        mounts=worktree_mounts(services, spec.id, found, write=write),
        masks=tuple(services.root / name for name in tools.PROTECTED) if write else (),
        env=command_environment(services, found),
        limits=sandbox.Limits(),
        output_dir=output_folder(services, spec.id),
        redact=services.redactor.text,
        readonly=services.settings.paths.readonly if write else (),
        protected=tools.PROTECTED if write else (),
        kept=tools.KEPT if write else (),
        allowed=frozenset(await offered(services, spec)),
        own_result=profile.result is not None,
        load_skill=knowledge.loader(services),
    )


async def offered(services: Services, spec: RunSpec) -> list[str]:
    """The names of the tools that this run has. Without a sandbox a command waits for a yes to it: unattended there is
    nobody to give it, and an agent that only reads could not be held to that."""
    names = list(appointing.profile_of(services, spec).tools)
    if (await services.sandbox()).state == "off" and (spec.reads_only or spec.loop.decide is not None):
        names = [name for name in names if name != "run_command"]
    return names


def output_folder(services: Services, run: str) -> Path:
    folder = services.folder(run) / "output"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
