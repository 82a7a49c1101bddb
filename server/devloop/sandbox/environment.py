"""The variables that a sandboxed command sees: an allowlist, never the process's own environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

FALLBACK_PATH = "/usr/local/bin:/usr/bin:/bin"


def environment(
    home: Path,
    *,
    names: Iterable[str] = (),
    extra: Mapping[str, str] | None = None,
    path: Iterable[Path] = (),
    source: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """PATH, HOME, LANG, TERM, what the person listed by `names`, and `extra` (security §6.2).

    `path`: folders before the person's own absolute PATH entries, e.g. the `bin` of a virtual environment.
    `source` is the environment that values are taken from, by default this process's.
    """
    own = os.environ if source is None else source
    given = [entry for entry in own.get("PATH", FALLBACK_PATH).split(os.pathsep) if Path(entry).is_absolute()]
    chosen = {name: own[name] for name in names if name in own}
    return {
        "PATH": os.pathsep.join([*map(str, path), *given]),
        "HOME": str(home),
        "LANG": own.get("LANG", "C.UTF-8"),
        "TERM": "dumb",
        **chosen,
        **(extra or {}),
    }
