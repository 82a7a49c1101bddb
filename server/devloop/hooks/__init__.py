"""Hooks: commands of the person and of the repository that run at events of a run and may narrow what happens."""

from devloop.hooks.answers import Answer, Verdict
from devloop.hooks.definitions import UNUSED_CODE, Hook, read
from devloop.hooks.events import EVENTS, TOOL_EVENTS, event_named, own_tool, tool_names
from devloop.hooks.library import Source, dialect_of, discover, to_json
from devloop.hooks.lint import check_path, check_text
from devloop.hooks.payload import Occasion
from devloop.hooks.pinned import pin, pinned
from devloop.hooks.running import ORIGIN, Place, Raw, Ready, fire, fitting, judge, of_hook, run

__all__ = [
    "EVENTS",
    "ORIGIN",
    "TOOL_EVENTS",
    "UNUSED_CODE",
    "Answer",
    "Hook",
    "Occasion",
    "Place",
    "Raw",
    "Ready",
    "Source",
    "Verdict",
    "check_path",
    "check_text",
    "dialect_of",
    "discover",
    "event_named",
    "fire",
    "fitting",
    "judge",
    "of_hook",
    "own_tool",
    "pin",
    "pinned",
    "read",
    "run",
    "to_json",
    "tool_names",
]
