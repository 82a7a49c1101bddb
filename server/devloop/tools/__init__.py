"""What an agent may do: read, list, search, write and edit files of its worktree, run commands, ask, finish."""

from devloop.tools.batch import is_command, not_run, run_batch
from devloop.tools.confine import Confined
from devloop.tools.inputs import argument, definitions
from devloop.tools.model import ENVIRONMENTS, KEPT, PROTECTED, Ask, Finish, Problem, ToolCall, ToolContext, ToolResult

__all__ = [
    "ENVIRONMENTS",
    "KEPT",
    "PROTECTED",
    "Ask",
    "Confined",
    "Finish",
    "Problem",
    "ToolCall",
    "ToolContext",
    "ToolResult",
    "argument",
    "definitions",
    "is_command",
    "not_run",
    "run_batch",
]
