"""What a project gets that devloop comes to: its own files, and copies of what an earlier system kept elsewhere.

Nothing is overwritten and nothing is removed: a file that is there stays as it is (state-files §1, legacy places).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from devloop import beginning
from devloop.errors import Refused, StorageError
from devloop.own_files import own_file, read_text
from devloop.settings import personal
from devloop.state import context, detecting, issues, worklog
from devloop.state.storing import markdown_files, update

What = Literal["create", "copy", "detect", "keep", "leave"]

_COPIES: Final = (
    (".claude/devloop-plan.md", beginning.PLAN),
    (worklog.LEGACY_PATH, worklog.PATH),
    (personal.LEGACY_PATH, personal.PATH),
)


@dataclass(frozen=True)
class Step:
    """`what` is done to `path`: `keep` where it is there already, `leave` where its source can't be read (a link out of
    the project, no file, too large). `source`: what it is copied from."""

    what: What
    path: str
    source: str = ""

    def to_json(self) -> dict[str, str]:
        return asdict(self)


def steps(root: Path, *, template: str = "onboarding", minimal: bool = False) -> tuple[Step, ...]:
    """What would be done, in order. `minimal`: plan and `.gitignore` only. Blocks; changes nothing."""
    return tuple(_steps(root, template, minimal))


def _steps(root: Path, template: str, minimal: bool) -> Iterator[Step]:
    copies = [step for source, path in _COPIES if (step := _copy(root, source, path)) is not None]
    yield from copies
    if not any(step.path == beginning.PLAN and step.what != "leave" for step in copies):
        yield Step("keep" if _there(root, beginning.PLAN) else "create", beginning.PLAN, template)
    yield Step("create" if beginning.BEGIN not in (read_text(root, ".gitignore") or "") else "keep", ".gitignore")
    if minimal:
        return
    for folder in issues.LEGACY_FOLDERS:
        for source in markdown_files(root, folder):
            if issues.NAME.match(Path(source).stem):
                step = _copy(root, source, f"{issues.FOLDER}/{Path(source).name}")
                if step is not None:
                    yield step
    yield Step("detect", context.PATH)


def _copy(root: Path, source: str, path: str) -> Step | None:
    """None: there is nothing to copy. What an earlier system left is no reason not to begin."""
    try:
        if read_text(root, source) is None:
            return None
    except (Refused, StorageError):
        return Step("leave", path, source)
    return Step("keep" if _there(root, path) else "copy", path, source)


def _there(root: Path, path: str) -> bool:
    """Raises `Refused` where a link leads outside: nothing is to be written there."""
    return own_file(root, path).exists()


def take(root: Path, now: datetime, *, template: str = "onboarding", minimal: bool = False) -> tuple[Step, ...]:
    """Do it. Raises `StorageError`, and `NotFound` for a template that does not exist; what was done until then stays,
    and doing it again goes on from there."""
    done = []
    for step in steps(root, template=template, minimal=minimal):
        match step.what:
            case "copy":
                update(root, step.path, _unless_there(read_text(root, step.source)))
            case "create" if step.path == beginning.PLAN:
                beginning.write_plan(root, beginning.plan_text(template, root.name, now.date()))
            case "create":
                beginning.ignore(root)
            case "detect":
                step = step if context.write(root, detecting.detect(root, now)) else Step("keep", step.path)
            case "keep" if step.path == ".gitignore":
                beginning.ignore(root)  # names that an older devloop did not know
            case _:
                pass
        done.append(step)
    if not minimal and issues.scan(root)[0]:
        issues.write_views(root)
    return tuple(done)


def _unless_there(text: str | None) -> Callable[[str | None], str | None]:
    return lambda before: text if before is None else None


def shown(root: Path) -> dict[str, Any]:
    """What is known of the project without asking anybody: for the agent that describes it."""
    found = detecting.detect(root, datetime.now().astimezone())
    kept = ("name", "language", "languageVersion", "framework", "testFramework", "buildTool", "packageManager", "paths")
    return {name: found[name] for name in kept if found.get(name)}
