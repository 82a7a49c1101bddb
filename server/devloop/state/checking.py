"""What is wrong in the state files of a project, with file and line. Looks; never writes, never raises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from devloop.errors import DevloopError
from devloop.own_files import Fault, read_text
from devloop.settings import personal
from devloop.state import archive, context, issues, next_action, plan_state, sessions, spikes, worklog
from devloop.state.storing import markdown_files

_FILES: dict[str, Callable[[str], tuple[Fault, ...]]] = {
    plan_state.PATH: plan_state.check,
    next_action.PATH: lambda text: next_action.read(text)[1],
    personal.PATH: lambda text: personal.read(text).faults,
    personal.LEGACY_PATH: lambda text: personal.read(text, personal.LEGACY_PATH).faults,
    context.PATH: lambda text: context.read(text)[1],
    sessions.PATH: lambda text: sessions.read(text)[1],
    sessions.CURRENT_PATH: lambda text: sessions.read(text, sessions.CURRENT_PATH)[1],
    worklog.PATH: worklog.check,
}


def checker(path: str) -> Callable[[str], tuple[Fault, ...]] | None:
    """What says what is wrong with a state file's text; None for a path that is none of them. Pure."""
    if path in _FILES:
        return _FILES[path]
    folder, _, name = path.rpartition("/")
    if not name.endswith(".md"):
        return None
    if folder in (issues.FOLDER, *issues.LEGACY_FOLDERS) and issues.NAME.match(name.removesuffix(".md")):
        return lambda text: issues.parse(text, path)[2]
    return (lambda text: spikes.parse(text, path)[1]) if folder == spikes.FOLDER else None


def faults(root: Path) -> tuple[Fault, ...]:
    """Everything that is wrong, by file and line. Blocks."""
    found: list[Fault] = []
    for path, check in _FILES.items():
        try:
            text = read_text(root, path)
            if text is not None:
                found += check(text)
        except DevloopError as problem:
            found.append(Fault(path, 1, problem.sentences))
    for look in (_issues, _archive, _spikes):
        try:
            found += look(root)
        except DevloopError as problem:
            found.append(Fault(".devloop", 1, problem.sentences))
    return tuple(sorted(found, key=lambda each: (each.path, each.line)))


def _issues(root: Path) -> tuple[Fault, ...]:
    return issues.scan(root)[1]


def _archive(root: Path) -> tuple[Fault, ...]:
    return archive.faults(root)


def _spikes(root: Path) -> tuple[Fault, ...]:
    return tuple(
        fault
        for path in markdown_files(root, spikes.FOLDER)
        for fault in spikes.parse(read_text(root, path) or "", path)[1]
    )


def stale_hand_off(root: Path, *, plan_exists: bool) -> str:
    """One sentence when `next-action.json` lies there and should not be used as it is; else nothing."""
    try:
        action, _, there = next_action.load(root)
    except DevloopError:
        return ""
    if not there:
        return ""
    return next_action.validity(action, datetime.now(UTC), plan_exists=plan_exists).message
