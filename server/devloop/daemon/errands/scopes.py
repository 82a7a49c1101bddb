"""What a review is of: the person's words for it → a commit that holds the change, and the change as data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from devloop import keys
from devloop.daemon.errands.model import Asked, Project
from devloop.errors import Refused, UsageError
from devloop.redact import file_name, one_line, visible
from devloop.workspace import Change, Diff, FileStat, Repository, Workspace, is_private

Scope = Literal["auto", "uncommitted", "staged", "commits", "branch", "files", "run"]
SCOPES: Final = ("auto", "uncommitted", "staged", "commits", "branch", "files", "run")
DIFF: Final = 60_000
"""Characters of the diff that each reviewer begins with."""
ONE_FILE: Final = 12_000
"""Characters of one file's part of it while there are others."""
READ: Final = 4 << 20
LISTED: Final = 200
"""Files that are named in the first message."""
PATHS: Final = 2_000
GENERATED: Final = re.compile(
    r"(^|/)(package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum|composer\.lock"
    r"|Gemfile\.lock|[^/]*\.min\.(js|css)|[^/]*\.map|[^/]*\.svg|[^/]*\.snap)$"
)


@dataclass(frozen=True)
class Looked:
    """`what`: in words. `base` is None where whole files are looked at. `listed` and `patch` are for the first message:
    redacted and bounded; `cut` says what is missing in them."""

    scope: str
    what: str
    base: str | None
    commit: str
    files: tuple[FileStat, ...]
    added: int
    deleted: int
    listed: str
    patch: str
    cut: str
    skipped: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(file.path for file in self.files)

    def to_json(self) -> dict[str, Any]:
        return {
            "scope": self.scope,
            "what": self.what,
            "base": self.base,
            "commit": self.commit,
            "files": len(self.files),
            "added": self.added,
            "deleted": self.deleted,
            "paths": list(self.paths[:PATHS]),
            "skipped": list(self.skipped[:LISTED]),
        }


async def look(project: Project, asked: Asked) -> Looked:
    """Raises `Refused` where there is nothing to look at, `UsageError` and `NotFound` for what can't be meant."""
    scope = asked.word("scope", "auto")
    if scope not in SCOPES:
        raise UsageError(f"{one_line(scope, 40)!r} is nothing to look at.", hint=f"Choose: {', '.join(SCOPES)}.")
    workspace = await opened(project)
    if scope == "files":
        return await _files(workspace, project.root, asked)
    scope, what, change = await _change(workspace, scope, asked)
    if change.base == change.commit:
        raise _nothing(scope, what, change)
    if change.commit != (await workspace.repository.head()).commit:
        await workspace.keep_asked(change.commit)
    diff = await workspace.diff(change.base, change.commit, limit=READ)
    return await asyncio.to_thread(_looked, scope, what, change, diff)


async def opened(project: Project) -> Workspace:
    workspace = Workspace(await Repository.discover(project.root), project.state)
    await workspace.open()
    return workspace


async def _change(workspace: Workspace, scope: str, asked: Asked) -> tuple[str, str, Change]:
    match scope:
        case "uncommitted":
            return scope, "uncommitted changes", await workspace.uncommitted()
        case "staged":
            return scope, "staged changes", await workspace.staged()
        case "commits":
            text = asked.word("commits") or "1"
            named = f"the last {text} commits" if text.isdecimal() else f"commits {text}"
            return scope, "the last commit" if text == "1" else named, await workspace.between(text)
        case "run":
            run = asked.word("run")
            return scope, f"the work of {run}", await workspace.work_of(run)
        case "branch":
            change, other = await workspace.branch(asked.word("against") or None)
            return scope, f"the branch since {other}", change
    change = await workspace.uncommitted()
    if change.base != change.commit or change.skipped:
        return "uncommitted", "uncommitted changes", change
    try:
        change, other = await workspace.branch()
    except UsageError:
        return "auto", "", change
    return "branch", f"the branch since {other}", change


def _nothing(scope: str, what: str, change: Change) -> Refused:
    if change.skipped:
        named = ", ".join(f"{each.path} ({each.reason})" for each in change.skipped[:3])
        return Refused(f"There is nothing to look at but what is left out: {named}.", hint="Name files: --files PATH.")
    told = {
        "uncommitted": "Nothing is uncommitted.",
        "staged": "Nothing is staged.",
        "run": "The run has changed nothing yet.",
    }
    hint = "Look at the last commit with --commits 1, or at files with --files PATH."
    text = told.get(
        scope, f"There is nothing in {what}." if what else "Nothing is uncommitted or on a branch of its own."
    )
    return Refused(text, hint=hint)


async def _files(workspace: Workspace, root: Path, asked: Asked) -> Looked:
    """Whole files, as the working tree has them."""
    named = asked.options.get("files")
    if not isinstance(named, list) or not named or not all(isinstance(each, str) and each for each in named):
        raise UsageError("Which files?", hint="For example: devloop review --files src/app.py tests")
    named = [_relative(root, each) for each in named]
    change = await workspace.uncommitted()
    paths = await workspace.below(change.commit, named)
    if not paths:
        raise Refused("There is no file to look at.", hint="Name files of the project that hold no secrets.")
    if len(paths) > PATHS:
        raise UsageError(f"Those are {len(paths)} files, {PATHS} at most.", hint="Name fewer.")
    if change.base != change.commit:
        await workspace.keep_asked(change.commit)
    files = tuple(FileStat(path, "M", 0, 0) for path in paths)
    shown = [f"- {file_name(path)}" for path in paths[:LISTED]]
    cut = f"{len(paths) - LISTED} more files are not listed." if len(paths) > LISTED else ""
    what = paths[0] if len(paths) == 1 else ", ".join(one_line(each, 60) for each in named[:3])
    return Looked("files", what, None, change.commit, files, 0, 0, "\n".join(shown), "", cut, ())


def _relative(root: Path, path: str) -> str:
    found = Path(path)
    if found.is_absolute():
        if not found.is_relative_to(root):
            raise UsageError(f"{one_line(path, 100)} is not in this project.")
        return found.relative_to(root).as_posix()
    return found.as_posix()


def _looked(scope: str, what: str, change: Change, diff: Diff) -> Looked:
    files = tuple(file for file in diff.files if not file.path.startswith(".devloop/"))
    if not files:
        raise _nothing(scope, what, Change(change.base, change.base))
    patch, cut = bounded(diff)
    named = [
        f"- {file.status} {file_name(file.path)}"
        + (f" (was {file_name(file.old_path)})" if file.old_path else "")
        + (" binary" if file.binary else f" +{file.added} -{file.deleted}")
        for file in files[:LISTED]
    ]
    if len(files) > LISTED:
        cut = [*cut, f"{len(files) - LISTED} more files are not listed"]
    return Looked(
        scope,
        what,
        change.base,
        change.commit,
        files,
        sum(file.added for file in files),
        sum(file.deleted for file in files),
        "\n".join(named),
        patch,
        "; ".join(cut),
        tuple(f"{each.path}: {each.reason}" for each in change.skipped),
    )


def bounded(diff: Diff, *, limit: int = DIFF, one: int = ONE_FILE) -> tuple[str, list[str]]:
    """The patch as it may leave the process, and what is not in it: generated and private files are named alone, one
    long file leaves room for the others, secrets are redacted."""
    redactor = keys.redactor()
    left: list[str] = []
    parts: list[str] = []
    room = limit
    sections = _sections(diff.patch)
    alone = len(sections) == 1
    for text, file in zip(sections, diff.files, strict=False):
        if file.path.startswith(".devloop/"):
            continue
        if is_private(file.path):
            left.append(f"{file.path} is private")
            continue
        if GENERATED.search(file.path):
            left.append(f"{file.path} is generated")
            continue
        text = redactor.text(visible(redactor.text(text), code=True))  # a reviewer sees what a compiler reads
        most = min(room, limit if alone else one)
        if len(text) > most:
            text = text[: text.rfind("\n", 0, most) + 1]
            left.append(f"{file.path} is cut" if text else f"{file.path} is left out")
        room -= len(text)
        parts.append(text)
    if diff.truncated and len(sections) < len(diff.files):
        left.append(f"{len(diff.files) - len(sections)} files are left out")
    return "".join(parts), left


def _sections(patch: str) -> list[str]:
    starts = [found.start() for found in re.finditer(r"^diff --git ", patch, re.MULTILINE)]
    return [patch[start:end] for start, end in zip(starts, [*starts[1:], len(patch)], strict=True)]


_DANGEROUS_PATHS: Final = re.compile(
    r"auth|login|session|token|crypt|passw|secret|permission|acl\b|oauth|jwt|saml|csrf|cors|upload|sanitiz|escap|webhook"
    r"|dockerfile|\.github/workflows|(^|/)(requirements[^/]*\.txt|package\.json|pyproject\.toml|go\.mod|cargo\.toml)$",
    re.IGNORECASE,
)
_DANGEROUS_WORDS: Final = re.compile(
    r"\b(eval|exec|execute|pickle|marshal|subprocess|os\.system|popen|shell=True|innerHTML|dangerouslySetInnerHTML|password"
    r"|passwd|secret|api_?key|token|jwt|md5|sha1|verify=False|yaml\.load|random\.|chmod|sudo|setuid|cookie|Authorization"
    r"|deserialize|unserialize|SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|http://|redirect|render_template_string)",
    re.IGNORECASE,
)


def security_reason(looked: Looked) -> str:
    """Why somebody should look at it with security in mind; empty where nothing says so."""
    path = next((file.path for file in looked.files if _DANGEROUS_PATHS.search(file.path)), None)
    if path is not None:
        return f"it touches {path}"
    for line in looked.patch.splitlines():
        if line.startswith("+") and not line.startswith("+++") and (found := _DANGEROUS_WORDS.search(line)):
            return f"it adds “{one_line(found[0], 40)}”"
    return ""


def change_of(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an errand kept of what it looked at."""
    found = given.get("change")
    return found if isinstance(found, Mapping) else {}
