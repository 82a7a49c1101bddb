"""Where paths, links and issues of a plan lead. No method of its own. Looks at the file system: call it in a thread.

Nothing outside the workspace is looked at or named, and only web addresses leave it.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from devloop import plan as plans
from devloop.lsp.buffers import Snapshot
from devloop.redact import conceals

_WEB: Final = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_FRAGMENT: Final = re.compile(r"L([0-9]{1,9})(?:-L?([0-9]{1,9}))?$")
_ISSUE: Final = re.compile(r"(https?://[^\s/()]+)/([\w.-]+/[\w.-]+)/(?:issues|pull)/[0-9]+\b")
_NUMBER: Final = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)?#(?P<number>[0-9]+)$")
LOCAL_ISSUE: Final = re.compile(r"(?<![\w/.-])(?:BUG|FEAT|TASK|CHORE|SPIKE)-[0-9]{3,9}(?![\w-])")
"""Names of the files in `.devloop/issues/` (state-files §8)."""
ISSUES: Final = ".devloop/issues"


class File(NamedTuple):
    """A file of the workspace that exists. `lines`: first and last, from 1."""

    path: Path
    relative: str
    lines: tuple[int, int] | None = None

    @property
    def uri(self) -> str:
        if self.lines is None:
            return self.path.as_uri()
        first, last = self.lines
        return f"{self.path.as_uri()}#L{first}" + (f"-L{last}" if last != first else "")


@dataclass
class Places:
    """Finds targets for one plan. What was looked up once is not looked up again."""

    root: Path
    folder: Path
    """Where the plan lies: Markdown's links count from here."""
    tracker: tuple[str, str] | None = None
    """(host with scheme, repository) of the issue or pull request that the plan's header gives an address of."""
    _found: dict[tuple[str, str], File | None] = field(default_factory=dict)
    _files: dict[str, File | None] = field(default_factory=dict)
    _folders: dict[str, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, root: Path, snapshot: Snapshot) -> Places:
        folder = snapshot.path.parent if snapshot.path is not None else root
        return cls(root, folder, _tracker(snapshot.plan))

    def file(self, span: plans.Span) -> File | None:
        """The file that a path or link leads to, if it exists in the workspace."""
        key = span.kind, span.target
        if key not in self._found:
            self._found[key] = self._find(span)
        return self._found[key]

    def _find(self, span: plans.Span) -> File | None:
        target, _, fragment = span.target.partition("#")
        if not target or _WEB.match(target) or _SCHEME.match(target):
            return None
        lines = _FRAGMENT.match(fragment)
        folders = (self.root, self.folder) if span.kind == "path" else (self.folder, self.root)
        names = (target,) if span.kind == "path" else (unquote(target), target)
        found = next((file for folder in folders for name in names if (file := self._file(folder, name))), None)
        if found is None or lines is None:
            return found
        first = max(int(lines[1]), 1)
        return found._replace(lines=(first, max(int(lines[2] or first), first)))

    def web(self, span: plans.Span) -> str:
        """The web address of a link, or of an issue when the plan says where its issues are; else empty."""
        if span.kind == "link":
            seen = not conceals(span.target)  # an address whose controls and hidden characters nobody sees lies
            return span.target if seen and _WEB.match(span.target) and _parses(span.target) else ""
        found = _NUMBER.match(span.target)
        if self.tracker is None or found is None:
            return ""
        host, repository = self.tracker
        return f"{host}/{found['repository'] or repository}/issues/{found['number']}"

    def issue(self, name: str) -> File | None:
        """The file of an issue such as `FEAT-001`."""
        return self._file(self.root, f"{ISSUES}/{name}.md")

    def _file(self, folder: Path, name: str) -> File | None:
        full = os.path.normpath(folder / name)
        if full not in self._files:
            self._files[full] = self._existing(full)
        return self._files[full]

    def _existing(self, full: str) -> File | None:
        """A regular file below the root that is there, links followed; None for everything else."""
        base = str(self.root)
        if "\0" in full or not full.startswith(base + os.sep):
            return None
        path = Path(full)
        try:
            kind = path.lstat().st_mode
            inside = self._inside(full) if stat.S_ISLNK(kind) else self._inside(str(path.parent))
            if not inside or not path.is_file():
                return None
        except (OSError, ValueError):
            return None
        return File(path, path.relative_to(self.root).as_posix())

    def _inside(self, full: str) -> bool:
        """Whether a path that exists leads into the workspace, links followed."""
        if full not in self._folders:
            base, real = os.path.realpath(self.root), os.path.realpath(full)
            self._folders[full] = real == base or real.startswith(base + os.sep)
        return self._folders[full]


def _parses(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname)
    except ValueError:
        return False


def _tracker(plan: plans.Plan) -> tuple[str, str] | None:
    values: Mapping[str, str] = {each.key.lower(): each.value for each in plan.fields}
    for key in ("issue", "pr", "epic", "source"):
        found = _ISSUE.search(values.get(key, ""))
        if found is not None:
            return found[1], found[2]
    return None
