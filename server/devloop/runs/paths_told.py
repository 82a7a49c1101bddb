"""Names of files as they are told: without secrets, which a name can hold as any text can.

A person names such a file as it was shown to them; here it is found again. Tags of placeholders differ from one engine
process to the next, so they don't count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from devloop.redact import PLACEHOLDER, Redactor
from devloop.redact.artefacts import name_without
from devloop.workspace import FileStat

_TAG: Final = re.compile(r":[0-9a-f]{4}»")


def told(redactor: Redactor, file: FileStat) -> dict[str, Any]:
    """A changed file for a list that people and clients see."""
    row = file.to_json()
    for name in ("path", "old_path"):
        if row[name] is not None:
            row[name] = name_without(redactor, row[name])
    return row


def meant(redactor: Redactor, said: str, paths: Iterable[str | None]) -> str:
    """The one of `paths` that was shown as `said`; `said` itself where no secret was hidden in it, or where it could be
    more than one."""
    if PLACEHOLDER.search(said) is None:
        return said
    wanted = _TAG.sub("»", said)
    found = {path for path in paths if path is not None and _TAG.sub("»", name_without(redactor, path)) == wanted}
    return found.pop() if len(found) == 1 and said not in found else said
