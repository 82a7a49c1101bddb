"""`devloop ship`: the next version.

devloop works out what it can by itself (number, changelog, manifests, what should not go out unseen); an agent words
it and judges it; landing makes the commit and, where wanted, the tag. Nothing pushes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from devloop import plan as plans
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, errand_task
from devloop.errors import DevloopError, NotFound, Refused, UsageError
from devloop.files import write_atomic
from devloop.redact import one_line
from devloop.runs.spec import TaskSpec
from devloop.shipping import changelog, checks, manifests, versions
from devloop.shipping.commits import Bump, Change, bump_of, change_of
from devloop.shipping.versions import Version
from devloop.workspace import Repository, releases

LISTED = 60
"""Commits that the agent is told of one by one."""
BUMPS = ("auto", "major", "minor", "patch")


@dataclass(frozen=True)
class Release:
    """Everything that is known of a version before an agent sees it."""

    head: str
    before: str | None
    version: Version
    tag: str
    changes: tuple[Change, ...]
    found: tuple[checks.Found, ...]
    open_tasks: tuple[str, ...]
    prepared: dict[str, str]
    section: str
    notes: tuple[str, ...]

    @property
    def blockers(self) -> list[str]:
        return [_said(each) for each in self.found if each.severity == "blocker"]

    def to_json(self) -> dict[str, Any]:
        return {
            "head": self.head,
            "since": self.before,
            "version": str(self.version),
            "tag": self.tag,
            "commits": len(self.changes),
            "changelog": self.section,
            "files": sorted(self.prepared),
            "found": [each.to_json() for each in self.found],
            "open_tasks": list(self.open_tasks),
            "notes": list(self.notes),
        }


async def look(project: Project, asked: Asked) -> Release:
    """Work out the release; writes nothing. Raises `Refused` where there is nothing to ship."""
    repository = await Repository.discover(project.root)
    tag = versions.newest(await releases.tags(repository))
    since = await releases.since(repository, tag.name if tag else None)
    changes = tuple(change_of(each.commit, each.subject, each.body) for each in since.commits)
    if not changes:
        raise Refused(f"There is nothing to ship: no commit since {tag.name if tag else 'the beginning'}.")
    declared = await _declared(repository, since.head)
    version, notes = _version(asked, changes, tag, declared)
    name = f"{tag.prefix if tag else 'v'}{version}"
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    before = await releases.text_at(repository, since.head, changelog.PATH)
    text = changelog.released(before, str(version), today, changelog.entries(changes), name)
    prepared = {} if text == before else {changelog.PATH: text}
    for place, whole in declared:
        if place.version != str(version):
            prepared[place.path] = manifests.with_version(whole, place, str(version))
    dirty = await repository.dirty()
    if dirty:
        files = ", ".join(each.path for each in dirty[:5])
        notes.append(f"{len(dirty)} files of yours are not committed and will not be in it: {files}")
    if since.cut:
        notes.append("The difference is too large to look at all of it for what should not go out.")
    return Release(
        since.head,
        tag.name if tag else None,
        version,
        name,
        changes,
        (*checks.in_patch(since.patch), *checks.large(since.files)),
        await asyncio.to_thread(_open_tasks, project),
        prepared,
        changelog.of_version(text.replace("\r\n", "\n"), str(version)),
        tuple(notes),
    )


async def _declared(repository: Repository, head: str) -> list[tuple[manifests.Place, str]]:
    found = []
    for path in manifests.PATHS:
        text = await releases.text_at(repository, head, path)
        place = manifests.find(path, text) if text is not None else None
        if place is not None and text is not None:
            found.append((place, text))
    return found


def _version(
    asked: Asked, changes: Sequence[Change], tag: versions.Tag | None, declared: Sequence[tuple[manifests.Place, str]]
) -> tuple[Version, list[str]]:
    """The next version, and what a person should know of how it came about."""
    now = tag.version if tag else next((v for each, _ in declared if (v := versions.parse(each.version))), None)
    wanted, bump = asked.word("version"), asked.word("bump", "auto")
    if wanted:
        version = versions.parse(wanted)
        if version is None:
            raise UsageError(f"{one_line(wanted, 40)!r} is no version.", hint="Write it like 1.4.0.")
        if tag is not None and version <= tag.version:
            raise UsageError(f"{version} does not come after {tag.name}, the newest tag.", hint="Choose a higher one.")
        return version, []
    if bump not in BUMPS:
        raise UsageError(f"{one_line(bump, 40)!r} is no step.", hint=f"Choose one of: {', '.join(BUMPS)}.")
    if now is None:
        return Version(0, 1, 0), ["No version is declared or tagged yet, so this is the first one."]
    if tag is None and bump == "auto":
        return now, [f"{now} is declared and not tagged yet, so that is what is shipped."]
    step = bump_of(changes) if bump == "auto" else cast("Bump", bump)
    if step is None:
        return now.next("patch"), ["No commit asks for a version; --version or --bump says another one."]
    return now.next(step), []


def _open_tasks(project: Project) -> tuple[str, ...]:
    try:
        _, plan = project.documents.plan()
    except NotFound:
        return ()
    return _left(plan)


def _left(plan: plans.Plan) -> tuple[str, ...]:
    left = [task for task in plan.tasks if task.pickable and not task.done and not task.optional]
    return tuple(one_line(f"{task.id} {task.title}", 100) for task in left)


def _said(found: checks.Found) -> str:
    return f"{found.path}:{found.line} {found.kind}: {found.text}"


async def preview(project: Project, asked: Asked) -> dict[str, Any]:
    return (await look(project, asked)).to_json()


async def build(project: Project, asked: Asked) -> TaskSpec:
    release = await look(project, asked)
    override = asked.word("override")
    if release.blockers and not override:
        raise Refused(
            f"{len(release.blockers)} things should not go out: {'; '.join(release.blockers[:5])}.",
            hint='Mend them, or say why they may: devloop ship --override "…". `devloop ship --dry-run` shows all.',
            found=[each.to_json() for each in release.found],
        )
    given = {"version": str(release.version), "tag": release.tag if asked.flag("tag") else "", "override": override}
    return errand_task(
        "ship",
        f"Release {release.version}",
        given=given,
        base=release.head,
        prepared=release.prepared,
        agent="engineer",
        mode="release",
        files=tuple(sorted(release.prepared)),
        notes=_notes(release, asked.text, override),
    )


def _notes(release: Release, words: str, override: str) -> str:
    listed = [f"- {_commit(change)}" for change in release.changes[:LISTED]]
    more = len(release.changes) - LISTED
    parts = [
        words,
        f"Version {release.version}, after {release.before or 'no version yet'}. Prepared: "
        f"{', '.join(sorted(release.prepared)) or 'nothing'}. Commits, newest first:",
        "\n".join(listed) + (f"\n- and {more} more" if more > 0 else ""),
        _list("Look at these lines, which devloop found", [_said(each) for each in release.found]),
        f"The person lets that go out: {override}" if override else "",
        _list("Tasks of the plan that are not done", release.open_tasks),
        "\n".join(release.notes),
    ]
    return "\n".join(filter(None, parts))


def _commit(change: Change) -> str:
    kind = f"{change.type}{'!' if change.breaking else ''}: " if change.type else ""
    return f"{change.commit[:7]} {one_line(f'{kind}{change.text}', 160)}"


def _list(title: str, items: Sequence[str], most: int = 30) -> str:
    if not items:
        return ""
    more = f"\n- and {len(items) - most} more" if len(items) > most else ""
    return f"{title}:\n" + "\n".join(f"- {each}" for each in items[:most]) + more


async def take_effect(project: Project, accepted: Accepted) -> str:
    """The tag, where the release landed and one is wanted; the pull request's text as a file; the plan's end."""
    version, tag = str(accepted.given["version"]), str(accepted.given.get("tag") or "")
    said = [await asyncio.to_thread(_keep_words, project, accepted, version)]
    if accepted.ended == "landed" and accepted.commit is not None:
        if tag:
            repository = await Repository.discover(project.root)
            made = await releases.make_tag(repository, tag, accepted.commit, f"{tag}\n")
            said.append(f"Tagged {tag}." if made else f"The tag {tag} is there.")
        said.append(f"Push it when you want to: git push{f' --atomic origin HEAD {tag}' if tag else ''}.")
        await _finish_plan(project)
    elif tag:
        said.append(f"It has not landed, so there is no tag {tag} yet.")
    return " ".join(filter(None, said))


async def _finish_plan(project: Project) -> None:
    """A plan of which everything is done and now shipped says so."""
    with contextlib.suppress(NotFound):
        _, plan = await asyncio.to_thread(project.documents.plan)
        if plan.status == "complete" or not plan.tasks or _left(plan):
            return
        event = plans.Event("finished", now=datetime.now().astimezone())
        await project.documents.record(lambda now: plans.change(now, event), "devloop: the plan is complete", "", event)


def _keep_words(project: Project, accepted: Accepted, version: str) -> str:
    data = (accepted.report or {}).get("data") or {}
    title, text = str(data.get("pr_title") or ""), str(data.get("pr_text") or "")
    if not text:
        return ""
    folder = project.state.path / "releases"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(folder / f"{version}.md", f"# {title or f'Release {version}'}\n\n{text}\n".encode(), mode=0o600)
    except OSError as problem:
        raise DevloopError(f"The pull request's text could not be kept: {problem}.") from problem
    return f"The pull request's text: `devloop ship --words {version}`."


async def words(project: Project, asked: Asked) -> dict[str, Any]:
    """`{"version", "text"}`: the pull request's words that were kept of a release. Raises `NotFound`."""
    wanted = asked.word("version")
    known = versions.parse(wanted)
    path = project.state.path / "releases" / f"{known}.md"
    if known is None or not path.is_file():
        raise NotFound(f"No words are kept for {one_line(wanted, 40)!r}.", hint="Ship it first: devloop ship.")
    return {"version": str(known), "text": path.read_text("utf-8")}


COMMAND = Command("ship", build, take_effect, {"preview": preview, "words": words})
