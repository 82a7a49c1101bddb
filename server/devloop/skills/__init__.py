"""Knowledge that an agent loads when it needs it. The skills themselves lie in `skills/` beside the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devloop.later import later

if TYPE_CHECKING:
    from devloop.skills.definitions import Skill, Triggers, parse, tokens
    from devloop.skills.discovery import Found, Library, discover, read_folder, shipped_skills, to_json
    from devloop.skills.fixing import check_text
    from devloop.skills.index import INDEX_FILE, index_markdown
    from devloop.skills.languages import of_project
    from devloop.skills.lint import check_path, check_skill, clashes
    from devloop.skills.loading import Loaded, index_lines, index_text, load, references
    from devloop.skills.triggers import Match, Subject, match
else:
    __getattr__ = later(
        __name__,
        definitions="Skill Triggers parse tokens",
        discovery="Found Library discover read_folder shipped_skills to_json",
        fixing="check_text",
        index="INDEX_FILE index_markdown",
        languages="of_project",
        lint="check_path check_skill clashes",
        loading="Loaded index_lines index_text load references",
        triggers="Match Subject match",
    )

__all__ = [
    "INDEX_FILE",
    "Found",
    "Library",
    "Loaded",
    "Match",
    "Skill",
    "Subject",
    "Triggers",
    "check_path",
    "check_skill",
    "check_text",
    "clashes",
    "discover",
    "index_lines",
    "index_markdown",
    "index_text",
    "load",
    "match",
    "of_project",
    "parse",
    "read_folder",
    "references",
    "shipped_skills",
    "to_json",
    "tokens",
]
