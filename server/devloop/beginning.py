"""How a plan begins: one of the templates, and the names that git should ignore. Nothing is written twice or over."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from devloop import shipped
from devloop.errors import NotFound, StorageError
from devloop.own_files import own_file, read_bytes, write
from devloop.redact import one_line

PLAN = ".devloop/plan.md"
DEFAULT_TEMPLATE = "blank"
BEGIN, END = "# devloop: files of one person (begin)", "# devloop (end)"
IGNORED = (
    ".devloop/local.md",
    ".devloop/next-action.json",
    ".devloop/sessions.json",
    ".devloop/.current-session.json",
    ".devloop/spikes/",
    ".devloop/workflow.json",
    ".devloop/reports/",
    ".devloop/*audit*.md",
    ".devloop/*security*.md",
)
"""state-files §1: what is a person's own, or used once; reports of scanners name what is weak."""
TRACKED = (
    ".devloop/plan.md",
    ".devloop/plan-state.json",
    ".devloop/worklog.md",
    ".devloop/context.json",
    ".devloop/issues/",
    ".devloop/archive/",
    ".devloop/epic.json",
    ".devloop/epic.md",
    ".devloop/draft/",
    ".devloop/config.toml",
    ".devloop/hooks.json",
    ".devloop/agents/",
    ".devloop/skills/",
)
"""state-files §1: what a team shares, and what it declares for its agents."""


def templates() -> dict[str, Path]:
    """The plan templates by name."""
    found = sorted(shipped.folder("plans").glob("*.md"))
    return {path.stem: path for path in found if path.stem != "README"}


def plan_text(template: str, title: str, today: date) -> str:
    """A template filled in. Raises `NotFound` with the names that exist."""
    known = templates()
    if template not in known:
        names = ", ".join(known) or "none is installed"
        raise NotFound(f"There is no template {one_line(template, 60)!r}.", hint=f"There are: {names}.")
    text = known[template].read_text("utf-8")
    text = re.sub(
        r"^(# Plan: )Untitled[ \t]*$", lambda m: m[1] + one_line(title, 80), text, count=1, flags=re.MULTILINE
    )
    return re.sub(r"^(\*\*Created\*\*: )\S+", lambda m: m[1] + today.isoformat(), text, count=1, flags=re.MULTILINE)


def titles() -> dict[str, str]:
    """What each template says it is for, by name: the title of its plan."""
    found = {}
    for name, path in templates().items():
        match = re.search(r"^# Plan: [ \t]*+([^ \t\n](?:.*[^ \t\n])?)[ \t]*$", path.read_text("utf-8"), re.MULTILINE)
        found[name] = one_line(match[1], 80) if match and match[1] != "Untitled" else name.capitalize()
    return found


def write_plan(root: Path, text: str) -> bool:
    """Create the plan; False when there is one already, whatever it is. Raises `Refused` where a link leads outside."""
    path = own_file(root, PLAN)
    try:
        write(root, PLAN, text.encode("utf-8", "surrogateescape"), new=True)
    except FileExistsError:
        if path.is_file():
            return False
        raise StorageError(f"{path} is there already, but it is no file.", hint="Move it away first.") from None
    return True


def ignore(root: Path) -> bool:
    """Add one marked block to `.gitignore`, or the names that a block of an older devloop lacks. False when nothing was
    to be done; what a person wrote, inside the block or around it, stays."""
    old = read_bytes(root, ".gitignore") or b""
    newline = b"\r\n" if b"\r\n" in old else b"\n"
    if BEGIN.encode() in old:
        new = _completed(old, newline)
    else:
        block = newline.join(line.encode() for line in (BEGIN, *IGNORED, END)) + newline
        gap = b"" if not old else newline if old.endswith(b"\n") else newline * 2
        new = old + gap + block
    if new == old:
        return False
    write(root, ".gitignore", new)
    return True


def _completed(old: bytes, newline: bytes) -> bytes:
    """The file with every name in its block, the lacking ones at the block's end. A name that a person has in the file
    anywhere, or has commented out in the block, is theirs to decide."""
    lines = old.split(newline)
    said = {line.strip().lstrip(b"#").strip() for line in lines}
    missing = [name.encode() for name in IGNORED if name.encode() not in said]
    begin = next(at for at, line in enumerate(lines) if BEGIN.encode() in line)
    end = next((at for at in range(begin + 1, len(lines)) if lines[at].strip() == END.encode()), None)
    if end is None:  # somebody took the last line away: the block ends with the names that follow the first
        end = begin + 1
        while end < len(lines) and lines[end].strip().startswith(b".devloop/"):
            end += 1
    return newline.join([*lines[:end], *missing, *lines[end:]])
