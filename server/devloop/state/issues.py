"""`.devloop/issues/*.md` (state-files §8): one file per issue, with views that are written again after each change.

Two forms are read (`issue_files`). Only the one with front matter is written; in a file that is there only the lines of
changed fields change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from devloop import front_matter
from devloop.errors import StaleEdit, UsageError
from devloop.own_files import read_text
from devloop.redact import one_line, printable
from devloop.state.issue_files import (
    CLOSED,
    FOLDER,
    LEGACY_FOLDERS,
    NAME,
    PREFIXES,
    PRIORITIES,
    Issue,
    Priority,
    Status,
    Type,
    detect_type,
    find,
    next_id,
    parse,
    scan,
)
from devloop.state.issue_views import GENERATED, views, write_views
from devloop.state.storing import update


def render(issue: Issue, body: str) -> str:
    """An issue as a file."""
    fields = issue.model_dump(by_alias=True, exclude_none=True)
    lines = [front_matter.FENCE]
    for key, value in fields.items():
        if isinstance(value, tuple | list):
            if value:
                lines.append(f"{key}: [{', '.join(_scalar(str(each)) for each in value)}]")
        elif value != "" or key in ("created", "updated"):
            lines.append(f"{key}: {_scalar(str(value))}")
    return "\n".join([*lines, front_matter.FENCE, "", body.strip("\n"), ""])


_PLAIN = re.compile(r"[A-Za-z_./][\w ./@()+-]*\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\Z", re.ASCII)
_RESERVED: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"})


def _scalar(text: str) -> str:
    """A YAML scalar: plain where that can't be misread, else in JSON's quotes, which YAML has too."""
    text = one_line(text, 2_000)
    if _PLAIN.match(text) and text == text.strip() and text.lower() not in _RESERVED:
        return text
    text = text.encode("utf-8", "replace").decode()
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)


def create(
    root: Path,
    title: str,
    now: datetime,
    *,
    kind: Type | None = None,
    priority: Priority = "medium",
    body: str = "",
    labels: Sequence[str] = (),
    reporter: str = "user",
) -> Issue:
    """Write a new issue and the views. The number is taken by making the file: two at a time never get the same.

    Raises `UsageError` for an empty title, `StorageError` where nothing can be written.
    """
    title = one_line(title, 200)
    if not title:
        raise UsageError("An issue needs a title.", hint='devloop new "what it is about"')
    kind = kind or detect_type(f"{title} {body}")
    when = now.strftime("%Y-%m-%dT%H:%M:%S")
    for _ in range(50):
        issue = Issue(
            id=next_id(root, kind),
            type=kind,
            title=title,
            priority=priority,
            created=when,
            updated=when,
            reporter=reporter,
            labels=tuple(labels),
        )
        text = render(issue, _body(issue, printable(body)))
        path = f"{FOLDER}/{issue.id}.md"
        if update(root, path, partial(_if_new, text)):
            write_views(root)
            return issue
    raise StaleEdit("Others are making issues at the same time.", hint="Try again.")


def _body(issue: Issue, text: str) -> str:
    parts = [f"# {issue.id}: {issue.title}", "", "## Description", "", text.strip() or issue.title, ""]
    if issue.type == "bug":
        for heading in ("Steps to Reproduce", "Expected Behavior", "Actual Behavior"):
            parts += [f"## {heading}", "", ""]
    else:
        parts += ["## Acceptance Criteria", "", ""]
    return "\n".join([*parts, "## Notes"])


def set_fields(text: str, path: str, changes: Mapping[str, str | None]) -> str:
    """The file with these front matter fields; all other lines stay. The old form gets front matter first."""
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    issue, body, faults = parse(text, path)
    if issue is None:
        first = faults[0]
        raise UsageError(f"{first.path}:{first.line}: {first.message}", hint="Put the file right first.")
    if not plain.startswith(front_matter.FENCE):
        plain = render(issue, body)
    head, body, _ = front_matter.split(plain)
    lines = head.split("\n") if head else []
    for key, value in changes.items():
        at = next((n for n, line in enumerate(lines) if re.match(rf"{re.escape(key)}[ \t]*:", line)), None)
        line = f"{key}: {'null' if value is None else _scalar(value)}"
        if at is None:
            lines.append(line)
        else:
            end = at + 1
            while end < len(lines) and re.match(r"[ \t]+\S|-[ \t]", lines[end]):  # the rest of a list
                end += 1
            lines[at:end] = [line]
    new = "\n".join([front_matter.FENCE, *lines, front_matter.FENCE, body])
    return new.replace("\n", newline)


def set_status(root: Path, name: str, status: Status, now: datetime, *, note: str = "", by: str = "user") -> Issue:
    """Change an issue's status, note it in its text, write the views. Raises `NotFound`, `UsageError`."""
    path, _ = find(root, name)
    target = f"{FOLDER}/{Path(path).name}"  # one in a legacy folder is copied, never changed there
    when = now.strftime("%Y-%m-%dT%H:%M:%S")
    changes: dict[str, str | None] = {"status": status, "updated": when}
    if status in CLOSED:
        changes["resolved"] = when

    def edit(before: str | None) -> str:
        text = before if before is not None else find(root, name)[1]
        if "resolved" not in changes and re.search(r"^resolved[ \t]*:", text, re.MULTILINE):
            changes["resolved"] = None
        new = set_fields(text, path, changes)
        if status in CLOSED:
            lines = [f"- **Resolved in**: {when}", f"- **Resolved by**: {by}"]
            lines += [f"- **Summary**: {one_line(printable(note), 500)}"] if note else []
            return _in_section(new, "Resolution", lines)
        return _in_section(new, "Notes", [f"- {when}: {one_line(printable(note), 500)}"]) if note else new

    update(root, target, edit)
    write_views(root)
    issue, _, _ = parse(read_text(root, target) or "", target)
    assert issue is not None
    return issue


def _in_section(text: str, heading: str, lines: Sequence[str]) -> str:
    """Lines at the end of a section of level 2, which is made at the end of the file where there is none."""
    newline = "\r\n" if "\r\n" in text else "\n"
    have = text.rstrip("\r\n").split(newline)
    at = next((n for n, line in enumerate(have) if line.strip().lower() == f"## {heading}".lower()), None)
    if at is None:
        return newline.join([*have, "", f"## {heading}", "", *lines, ""])
    end = next((n for n in range(at + 1, len(have)) if have[n].startswith(("# ", "## "))), len(have))
    last = end
    while last > at + 1 and not have[last - 1].strip():
        last -= 1
    gap = [""] if last == at + 1 else []
    return newline.join([*have[:last], *gap, *lines, *([""] if end < len(have) else []), *have[end:], ""])


def _if_new(text: str, before: str | None) -> str | None:
    return text if before is None else None


__all__ = [
    "CLOSED",
    "FOLDER",
    "GENERATED",
    "LEGACY_FOLDERS",
    "NAME",
    "PREFIXES",
    "PRIORITIES",
    "Issue",
    "Priority",
    "Status",
    "Type",
    "create",
    "detect_type",
    "find",
    "next_id",
    "parse",
    "render",
    "scan",
    "set_fields",
    "set_status",
    "views",
    "write_views",
]
