"""The files that commands are given: a plan, or a text that a plan is to be made of."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from devloop import plan as plans
from devloop.cli.session import project_root
from devloop.daemon.documents import Documents, PlanText
from devloop.errors import StorageError, UsageError
from devloop.files import storage_error
from devloop.paths import find_root

MAX_BYTES = 32 * 1024 * 1024
File = Annotated[Path | None, typer.Argument(metavar="FILE", help="Any Markdown file; else the project's plan.")]


def read(file: Path | None) -> tuple[PlanText, plans.Plan, Path]:
    """The plan and the root of its project. Raises `UsageError` (exit code 2) when it can't be read."""
    named = file or (Path(os.environ["DEVLOOP_PLAN_PATH"]) if os.environ.get("DEVLOOP_PLAN_PATH") else None)
    if named is not None:
        named = named.expanduser().absolute()
        if not named.is_file():
            raise UsageError(
                f"{named} is no file." if named.exists() else f"There is no file {named}.",
                hint="Make a plan with `devloop init`." if file is None else "",
            )
    root = project_root() if file is None else find_root(file.expanduser().absolute().parent)
    documents = Documents(root, named)
    try:
        found, plan = documents.plan()
    except StorageError as problem:
        raise UsageError(problem.message, hint=problem.hint) from problem
    return found, plan, root


def source_of(file: Path) -> str:
    """How the plan names where it comes from: never by a place of this machine."""
    if str(file) == "-":
        return ""
    path = file.expanduser().absolute()
    root = project_root()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def read_text(file: Path) -> str:
    if str(file) == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1).decode("utf-8", "surrogateescape")
    file = file.expanduser()
    if not file.is_file():
        raise UsageError(f"{file} is no file." if file.exists() else f"There is no file {file}.")
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(f"{file} has {size / 2**20:.0f} MiB: that is no list of tasks.")
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as problem:
        raise storage_error(problem, f"{file} could not be read") from problem
