"""What the finder of weakened checks says of a change, given as texts before and after."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from devloop.gates import guard_named
from devloop.gates.guard import Guard
from devloop.gates.guards import changes_to_checks

Texts = Mapping[str, tuple[str | None, str | None]]
"""Path → text before, None for a new file, and text after, None for one that goes."""
_HEADING = re.compile(r"[A-Za-z_$]")


def patch(files: Texts) -> str:
    """As git writes it, with the heading of each hunk."""
    parts = []
    for path, (before, after) in files.items():
        new = "new file mode 100644\n" if before is None else ""
        gone = "deleted file mode 100644\n" if after is None else ""
        old = (before or "").splitlines()
        lines = difflib.unified_diff(
            old,
            (after or "").splitlines(),
            "/dev/null" if before is None else f"a/{path}",
            "/dev/null" if after is None else f"b/{path}",
            lineterm="",
        )
        told = (_headed(line, old) if line.startswith("@@") else line for line in lines)
        parts.append(f"diff --git a/{path} b/{path}\n{new}{gone}" + "".join(f"{line}\n" for line in told))
    return "".join(parts)


def _headed(line: str, old: list[str]) -> str:
    start = int(line.split()[1].lstrip("-").partition(",")[0])
    above = (each for each in reversed(old[: max(0, start - 1)]) if _HEADING.match(each))
    return f"{line} {next(above, '')}".rstrip()


def told(
    files: Texts, base: Mapping[str, str] = MappingProxyType({}), installed: Iterable[str] = ()
) -> tuple[Guard, ...]:
    """What a checkpoint would list: texts are read of those files alone of which a run reads them. `base`: files of the
    tree that did not change; `installed`: modules of the environment."""
    before = {**base, **{path: was for path, (was, _) in files.items() if was is not None}}
    texts = {path: text for path, text in before.items() if guard_named.names_files(path)}
    around = guard_named.around(texts, before, files, frozenset(installed))
    seen = {path: texts for path, texts in files.items() if guard_named.is_read(path, around)}
    return changes_to_checks(
        patch(files), lambda path: seen.get(path, (None, None))[1], lambda path: seen.get(path, (None, None))[0], around
    )
