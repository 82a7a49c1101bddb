"""Where a run's commands see what: the view that the sandbox gives to tools, set-up and gates alike.

The worktree appears at the path of the person's checkout. Virtual environments and editable installs that point there
then see the worktree, and no command ever sees the checkout itself.
"""

from __future__ import annotations

from pathlib import Path

from devloop import gates, sandbox, tools
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec

PROTECTED = (
    ".git",
    ".devloop/plan.md",
    ".devloop/config.toml",
    ".devloop/local.md",
    ".devloop/hooks",
    ".devloop/skills",
    ".devloop/agents",
    ".claude",
    ".cursor",
    ".vscode",
    ".idea",
    ".envrc",
    ".mcp.json",
)
"""What later executes or decides outside the sandbox; an agent reads it and never writes it (security §6.2)."""


def environment(services: Services) -> gates.Environment:
    """The project's own environment, else devloop's; looked up anew, because a person may create one at any time."""
    return gates.find_environment(services.root, active=services.virtual_env)


async def tool_context(services: Services, spec: RunSpec) -> tools.ToolContext:
    worktree = services.state.worktrees / spec.id
    detected = await services.sandbox()
    found = environment(services)
    return tools.ToolContext(
        worktree=worktree,
        view=services.root,
        backend=detected.backend,
        mounts=(sandbox.Mount(worktree, services.root, write=True), *found.mounts(services.root), *_extra(services)),
        masks=tuple(services.root / name for name in PROTECTED),
        env=command_environment(services, found),
        limits=sandbox.Limits(),
        output_dir=output_folder(services, spec.id),
        redact=services.redactor.text,
        readonly=services.settings.paths.readonly,
        protected=PROTECTED,
    )


def command_environment(services: Services, found: gates.Environment) -> dict[str, str]:
    """Variables that a command sees: the environment's own, and those that the person listed by name."""
    import os

    chosen = {name: os.environ[name] for name in services.settings.sandbox.environment if name in os.environ}
    return {**found.variables(), **chosen}


def output_folder(services: Services, run: str) -> Path:
    folder = services.folder(run) / "output"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _extra(services: Services) -> tuple[sandbox.Mount, ...]:
    return tuple(sandbox.Mount(path, path) for path in services.settings.sandbox.read_only if path.exists())
