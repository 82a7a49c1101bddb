"""What a tool call is, what comes back, and what a call may touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from devloop.sandbox import Backend, Limits, Mount

Kind = Literal["read", "write", "command", "control"]

PROTECTED = (
    *(".git", ".devloop", ".claude", ".cursor", ".vscode", ".idea", ".envrc", ".mcp.json"),
    *(".husky", ".githooks", ".venv", "venv", ".worktreeinclude"),
)
"""What later executes or decides outside the sandbox, or what later commands see of it: read, never written
(security §6.2). See "What an agent may not write" in ARCHITECTURE.md."""
ENVIRONMENTS = (".venv", "venv")
"""Of these what a person's own set-up command makes."""
KEPT = (
    *(".hg", ".jj", ".zed", ".helix", ".fleet", ".exrc", ".nvimrc", ".nvim.lua", ".vimrc", ".lvimrc", ".dir-locals.el"),
    *(".dir-locals-2.el", ".codex", ".gemini", ".windsurf", ".continue", ".opencode", "opencode.json", ".kiro", ".roo"),
    *(".aider.conf.yml", ".mise", "mise.toml", ".mise.toml", ".autoenv.zsh", ".gdbinit", ".lldbinit"),
)
"""What other programs execute when somebody opens or enters the folder that holds it. Each mask costs every command, so
these have none: no file tool writes them, and a commit holds them as its base does."""


class Problem(Exception):
    """A call can't be done; the text says why and is meant for the model."""


@dataclass(frozen=True)
class ToolContext:
    """What the calls of one run may touch.

    `worktree` is the host's folder, `view` the path under which the model and its commands see it. `mounts`, `masks`
    and `env` are those of a `sandbox.Command`. `output_dir` gets one file per command with its whole output.
    `readonly`: patterns of paths that may not be changed (`migrations/`, `*.lock`, `/docs/**/*.md`; as in .gitignore).
    `protected`: paths that are read-only with all below them; `kept`: for file tools alone.
    `allowed`: names of the tools of this agent, None = all.
    """

    worktree: Path
    view: Path
    backend: Backend
    mounts: tuple[Mount, ...]
    masks: tuple[Path, ...]
    env: Mapping[str, str]
    limits: Limits
    output_dir: Path
    redact: Callable[[str], str]
    readonly: tuple[str, ...] = ()
    protected: tuple[str, ...] = PROTECTED
    kept: tuple[str, ...] = KEPT
    allowed: frozenset[str] | None = None
    own_result: bool = False
    """`finish` takes this agent's own result: its input is handed on as it is, and the caller judges it."""
    load_skill: Callable[[str, str], str] | None = None
    """The text of a skill, by name and reference ("": the body). Raises `NotFound`; may block."""


@dataclass(frozen=True)
class ToolCall:
    id: str
    name: str
    input: Mapping[str, Any]


@dataclass(frozen=True)
class Ask:
    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finish:
    """`result`: the whole input, where the agent has a result of its own."""

    summary: str
    notes: str = ""
    result: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ToolResult:
    """`content` is for the model, `summary` one line for people. `control` is set for `ask` and `finish` only; their
    `content` is empty and the caller fills it in. `output_file` is the whole output of a command."""

    call_id: str
    content: str
    is_error: bool
    kind: Kind
    summary: str
    control: Ask | Finish | None = None
    output_file: Path | None = None


@dataclass(frozen=True)
class Answer:
    """What one tool gives back, before it is cleaned and becomes a `ToolResult`."""

    content: str
    summary: str
    is_error: bool = False
    control: Ask | Finish | None = None
    output_file: Path | None = field(default=None)
    excerpt: Callable[[str], str] | None = None
    """Makes the content shorter once it is clean: cut before, half a secret would stay unknown."""
