"""`devloop statusline`: the project in one line, for a terminal's prompt or an editor's status line.

It is called for every prompt, so nothing but the standard library is imported, and little of that. What it shows stands
in files: the daemon's glance (`daemon/glance.py`), else a `plan-state.json` that fits the plan. Only when neither knows
the plan as it is now is it read anew, and kept for the next call.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False  # `typing` itself would cost an import
if TYPE_CHECKING:
    from typing import Any

HELP = "usage: devloop statusline [--root DIR] [--width N] [--color auto|always|never]"
MAX_INPUT = 256 * 1024
MOST = 64 * 1024 * 1024
INPUT_S = 0.05
"""How long a program that pipes JSON to us may take to begin and between two pieces."""
DEFAULT_WIDTH = 120
CONTEXT_WARNING, CONTEXT_FULL = 60, 80
"""Percent of the context: "clear soon", "clear" (state-files §4)."""
PLAN_FILES = (
    ".devloop/plan.md",
    ".claude/devloop-plan.md",
    "docs/PLAN.md",
    "docs/plan.md",
    "PLAN.md",
    "plan.md",
)
"""As `plan.PLAN_FILES`, which would cost an import."""
_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

Segment = tuple[int, str, str]
"""(importance, colour, text); the least important goes first when there is no room."""


def options(arguments: list[str]) -> dict[str, str] | None:
    """The call's options; None for a call that only the full parser understands."""
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name not in ("--root", "--width", "--color") or not (equals or rest):
            return None
        given[name] = value if equals else rest.pop(0)
    if given.get("--color", "auto") not in ("auto", "always", "never"):
        return None
    width = given.get("--width", "1")
    return given if width.isascii() and width.isdigit() and len(width) < 7 and int(width) > 0 else None


def main(given: dict[str, str]) -> int:
    """Print the line. A project that can't be read gives a short line, never an error: a prompt goes on."""
    session = _session()
    root = _root(given.get("--root") or _folder(session) or os.getcwd())  # noqa: PTH109 - pathlib takes 4 ms
    try:
        found = look(root)
    except (OSError, ValueError, KeyError, TypeError):
        found = {}
    width = int(given["--width"]) if "--width" in given else _width()
    coloured = given.get("--color", "auto") == "always" or (
        given.get("--color", "auto") == "auto" and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    line = fitted(segments(found, session), width, coloured)
    sys.stdout.buffer.write(line.encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()
    return 0


# What the caller says


def _session() -> dict[str, Any]:
    """The JSON object that a program like Claude Code pipes in; empty when there is none. Never waits for long."""
    try:
        if sys.platform == "win32" or os.isatty(0):
            return {}
    except OSError:
        return {}
    import select

    data = b""
    try:
        while len(data) < MAX_INPUT and select.select([0], [], [], INPUT_S)[0]:
            piece = os.read(0, 65_536)
            if not piece:
                break
            data += piece
    except OSError:
        return {}
    if not data.strip():
        return {}
    return _object(data)


def _object(data: bytes) -> dict[str, Any]:
    import json

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _part(value: object, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _folder(session: dict[str, Any]) -> str:
    for names in (("workspace", "project_dir"), ("workspace", "current_dir"), ("cwd",)):
        folder = _part(session, *names)
        if isinstance(folder, str) and folder and "\0" not in folder and os.path.isdir(folder):  # noqa: PTH112
            return folder
    return ""


def _root(start: str) -> str:
    """As `paths.find_root`."""
    start = folder = os.path.realpath(start)
    while True:
        if os.path.isdir(f"{folder}/.devloop") or os.path.exists(f"{folder}/.git"):  # noqa: PTH110, PTH112
            return folder
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return start
        folder = above


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and 0 < len(columns) < 6 and int(columns) > 0:
        return int(columns)
    for number in (2, 1, 0):
        try:
            return os.get_terminal_size(number).columns or DEFAULT_WIDTH
        except OSError:
            continue
    return DEFAULT_WIDTH


# What the project says


def state_folder(root: str) -> str:
    """As `paths.StateDir.of(root).path`, without what that imports. Empty where the place has to be asked for."""
    top = os.environ.get("DEVLOOP_STATE_DIR", "")
    if not top:
        home = os.path.expanduser("~")  # noqa: PTH111
        if sys.platform == "darwin":
            top = f"{home}/Library/Application Support/devloop"
        elif sys.platform == "win32":
            return ""
        else:
            top = f"{os.environ.get('XDG_STATE_HOME', '').strip() or f'{home}/.local/state'}/devloop"
    import hashlib

    name = os.path.basename(root)  # noqa: PTH119
    plain, dash = "", False
    for letter in name:
        if letter.isascii() and (letter.isalnum() or letter in "._-"):
            plain, dash = plain + letter, False
        elif not dash:
            plain, dash = plain + "-", True
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    return f"{top}/workspaces/{plain.strip('-.')[:32] or 'root'}-{digest}"


def look(root: str) -> dict[str, Any]:
    """`{"plan": {...} or None, "runs": [...], "hand_off": bool}`; the plan's keys are those of `glance.plan_part`."""
    folder = state_folder(root)
    glance = _file(f"{folder}/glance.json") if folder else {}
    alive = _alive(glance.get("pid"))
    runs = glance.get("runs")
    found: dict[str, Any] = {
        "plan": None,
        "runs": [run for run in runs if isinstance(run, dict)] if alive and isinstance(runs, list) else [],
        "hand_off": os.path.isfile(f"{root}/.devloop/next-action.json"),  # noqa: PTH113
    }
    path = _plan_path(root)
    known = _part(glance, "plan")
    if alive and isinstance(known, dict) and known.get("open") and known.get("file") == path:
        found["plan"] = known  # an editor's buffer is the plan
    elif path:
        found["plan"] = _plan(root, folder, path, known)
    return found


def _plan(root: str, folder: str, path: str, known: Any) -> dict[str, Any] | None:
    import hashlib

    digest = hashlib.sha256(_bytes(path)).hexdigest()
    for entry in (known, _file(f"{folder}/glance-plan.json") if folder else {}):
        if isinstance(entry, dict) and entry.get("file") == path and entry.get("sha256") == digest:
            return entry
    state = _file(f"{root}/.devloop/plan-state.json")
    if state.get("plan_hash") == digest and state.get("plan_file") == os.path.relpath(path, root):
        stats, following = state["stats"], state.get("next_task")
        title = next((each["title"] for each in state["task_list"] if each["id"] == following), "")
        return {**stats, "next": {"id": following, "title": title} if following else None}
    from devloop.daemon import glance

    return glance.keep_plan(root, path)


def _plan_path(root: str) -> str:
    named = os.environ.get("DEVLOOP_PLAN_PATH", "")
    if named:
        path = os.path.join(root, named)  # noqa: PTH118
        return path if os.path.isfile(path) else ""  # noqa: PTH113
    return next((f"{root}/{name}" for name in PLAN_FILES if os.path.isfile(f"{root}/{name}")), "")  # noqa: PTH113


def _file(path: str) -> dict[str, Any]:
    try:
        return _object(_bytes(path))
    except OSError:
        return {}


def _bytes(path: str) -> bytes:
    """What a regular file holds. A FIFO that a repository brought is not waited for, nothing endless is read."""
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(fd, "rb") as stream:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_size > MOST:
            raise OSError(f"{path} is no file of a sensible size")
        return stream.read(MOST)


def _alive(pid: object) -> bool:
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (PermissionError, OverflowError):
        return True
    except OSError:
        return False
    return True


# The line


def segments(found: dict[str, Any], session: dict[str, Any]) -> list[Segment]:
    """What there is to say, from left to right."""
    out: list[Segment] = []
    plan, runs = found.get("plan"), found.get("runs") or []
    if plan is None:
        out.append((90, "dim", "devloop: no plan"))
    else:
        done, total = plan.get("done", 0), plan.get("total", 0)
        colour = "green" if total and done == total else "bold"
        percent = f" {plan.get('percentage', 0)}%" if total else ""
        out.append((100, colour, f"devloop {done}/{total}{percent}"))
    waiting = [run for run in runs if run.get("needs_person")]
    working = [run for run in runs if not run.get("needs_person")]
    if waiting:
        first = _text(waiting[0].get("task"), 20)
        more = f" +{len(waiting) - 1}" if len(waiting) > 1 else ""
        out.append((95, "yellow", f"⏸ {first}{more} waits for you"))
    if working:
        first = f"{_text(working[0].get('task'), 20)} {_text(working[0].get('doing'), 40)}".strip()
        out.append((80, "cyan", f"▶ {first}{f' +{len(working) - 1}' if len(working) > 1 else ''}"))
    following = plan.get("next") if plan else None
    if following and not runs:
        out.append((70, "cyan", f"→ {_text(following.get('id'), 20)} {_text(following.get('title'), 50)}".rstrip()))
    if plan and not following and not runs and plan.get("total") and plan.get("done") == plan.get("total"):
        out.append((70, "green", "✓ all done"))
    if found.get("hand_off"):
        out.append((60, "yellow", "↻ hand-off"))
    spent = sum(cost for run in runs if isinstance(cost := run.get("cost_usd"), int | float))
    if spent >= 0.005:
        out.append((50, "dim", f"${spent:.2f}"))
    return out + _of_session(session)


def _of_session(session: dict[str, Any]) -> list[Segment]:
    out: list[Segment] = []
    percent = _part(session, "context_window", "used_percentage")
    if isinstance(percent, int | float) and 0 <= percent <= 1000:
        full = "red" if percent >= CONTEXT_FULL else "yellow" if percent >= CONTEXT_WARNING else "dim"
        out.append((65 if percent >= CONTEXT_WARNING else 40, full, f"ctx {percent:.0f}%"))
    model = _part(session, "model", "display_name")
    if isinstance(model, str) and model:
        out.append((20, "dim", _text(model, 30)))
    cost = _part(session, "cost", "total_cost_usd")
    if isinstance(cost, int | float) and 0.005 <= cost < 1e6:
        out.append((30, "dim", f"session ${cost:.2f}"))
    return out


def _text(value: object, limit: int) -> str:
    """Foreign words for one line: nothing that steers a terminal, not too long."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value or "")).split())
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def cells(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def fitted(parts: list[Segment], width: int, coloured: bool) -> str:
    """The parts that fit into `width` columns; the most important alone is cut where even that does not."""
    kept = list(parts)
    while len(kept) > 1 and sum(cells(text) for _, _, text in kept) + 3 * (len(kept) - 1) > width:
        kept.remove(min(kept))
    if len(kept) == 1 and cells(kept[0][2]) > width:
        importance, colour, text = kept[0]
        while text and cells(text) > max(width - 1, 0):
            text = text[:-1]
        kept = [(importance, colour, f"{text}…" if width > 0 else "")]
    if not coloured:
        return " · ".join(text for _, _, text in kept)
    return " \x1b[2m·\x1b[0m ".join(f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" for _, colour, text in kept)
