"""Files that ship with devloop beside its code: plan templates and skills."""

from __future__ import annotations

from pathlib import Path


def problems() -> Path:
    """What each code of a plan's problem means (`server/PROBLEMS.md`), with a heading per code."""
    package = Path(__file__).parent
    installed = package / "_shipped" / "PROBLEMS.md"
    return installed if installed.is_file() else package.parent / "PROBLEMS.md"


def folder(name: str) -> Path:
    """The directory `plans` or `skills`: inside the installed package, or at the top of a source checkout."""
    package = Path(__file__).parent
    installed = package / "_shipped" / name
    return installed if installed.is_dir() else package.parent.parent / name
