"""`.devloop/archive/*.md` (state-files §10): finished phases, and old parts of the work log.

What is archived counts as done for tasks that depend on it: `daemon.archived`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from devloop import plan as plans
from devloop.own_files import Fault, read_text
from devloop.state.storing import markdown_files

FOLDER: Final = ".devloop/archive"
_WORKLOG = re.compile(r"worklog-[0-9]{4}-[0-9]{2}-[0-9]{2}(?:-[0-9]+)?\.md\Z")


def faults(root: Path) -> tuple[Fault, ...]:
    """The files that hold no phase."""
    found: list[Fault] = []
    for path in markdown_files(root, FOLDER):
        if not _WORKLOG.match(Path(path).name):
            plan = plans.parse((read_text(root, path) or "").encode("utf-8", "surrogateescape"), name=path)
            if not plan.phases:
                found.append(Fault(path, 1, "there is no phase in this file", "warning"))
    return tuple(found)
