"""`devloop hooks check`: everything that is wrong with files of hooks, with file and line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from devloop import hook_files, trust
from devloop.hooks import definitions
from devloop.hooks.definitions import Hook
from devloop.hooks.library import OWN_FILE, bounded, dialect_of, discover
from devloop.own_files import Fault
from devloop.paths import config_root

_SCRIPTS = (".sh", ".bash", ".py", ".js", ".mjs", ".cjs", ".ts", ".rb", ".pl", ".ps1")


def check_path(path: Path) -> list[Fault]:
    """What is wrong in a file of hooks, or in all of a project's (with the person's own). Reads files."""
    if path.is_dir():
        return check_project(path)
    inside = next((name for name in hook_files.REPOSITORY if path.resolve().as_posix().endswith(f"/{name}")), None)
    declared = definitions.read(bounded(path), str(path), dialect_of(inside or str(path)))
    found = [*declared.faults]
    if inside is not None:
        root = path.resolve().parents[inside.count("/")]
        found += [_missing(hook, name, str(path)) for hook in declared.hooks for name in missing_scripts(root, hook)]
    return sorted(found, key=lambda fault: fault.line)


def check_text(root: Path, name: str, text: str) -> list[Fault]:
    """What is wrong in a repository's file of hooks while it has this text."""
    declared = definitions.read(text.encode("utf-8", "surrogateescape"), name, dialect_of(name))
    missing = [_missing(hook, each, name) for hook in declared.hooks for each in missing_scripts(root, hook)]
    return sorted((*declared.faults, *missing), key=lambda fault: fault.line)


def check_project(root: Path) -> list[Fault]:
    library = discover(root, None)
    found = [*library.faults]
    for source in library.sources:
        if source.origin == "repository":
            for hook in source.declared.hooks:
                found += [_missing(hook, name, hook.path) for name in missing_scripts(root, hook)]
    order = [str(config_root() / OWN_FILE), *hook_files.REPOSITORY]
    return sorted(found, key=lambda fault: (order.index(fault.path) if fault.path in order else 99, fault.line))


def missing_scripts(root: Path, hook: Hook) -> Iterator[str]:
    """Scripts that a command names and the project does not have, or not so that they may be read."""
    for name in hook_files.named(hook.command, str(root)):
        if name.endswith(_SCRIPTS) and "/" in name:
            try:
                trust.read_file(root, name)
            except (OSError, ValueError):
                yield name


def _missing(hook: Hook, name: str, path: str) -> Fault:
    return Fault(path, hook.line, f"there is no script {name} that can be read", "warning", "hook-script")
