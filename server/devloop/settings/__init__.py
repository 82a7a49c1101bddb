"""Settings: `shape` says what there is, `sources` reads what is said of it, `layers` says what of that counts,
`meanings` what each means; `personal` reads `.devloop/local.md`.

Two kinds of sources with different rights. The *person's*: environment and `config.toml` in the user's configuration
directory; may say anything. *Files of the repository*: the team's `.devloop/config.toml` and a person's
`.devloop/local.md`; may declare gates, a set-up command, read-only paths, habits and *narrower* limits. What they say
beyond that is ignored with a warning: keys, base URLs, databases, sandbox switches, approvals and wider budgets never
come from a repository.
"""

from __future__ import annotations

from devloop.settings.layers import Known, default, explained, load
from devloop.settings.shape import (
    DEFAULT_MODEL,
    TEAM_FILE,
    AgentSettings,
    GateSettings,
    Settings,
    SetupSettings,
    value_of,
)

__all__ = [
    "DEFAULT_MODEL",
    "TEAM_FILE",
    "AgentSettings",
    "GateSettings",
    "Known",
    "Settings",
    "SetupSettings",
    "default",
    "explained",
    "load",
    "value_of",
]
