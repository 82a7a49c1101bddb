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
from typing import Any

from devloop import keys, sandbox, settings
from devloop import plan as plans
from devloop.daemon import wording
from devloop.daemon.errands import ship_version
from devloop.daemon.errands.model import Accepted, Asked, Command, Project, errand_task
from devloop.daemon.errands.scopes import opened
from devloop.errors import DevloopError, NotFound, Refused
from devloop.files import write_atomic
from devloop.lists import rows, some
from devloop.redact import Redactor, one_line
from devloop.runs import scanning
from devloop.runs.spec import TaskSpec
from devloop.shipping import changelog, checks, versions
from devloop.shipping.commits import Change, change_of
from devloop.shipping.versions import Version
from devloop.workspace import Repository, releases

LISTED = 60
"""Commits that the agent is told of one by one."""


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
    head, notes = await _of(project, repository)
    tags = await releases.tags(repository, head)
    tag = versions.newest(tags)
    if tags and tag is None:
        notes.append(f"{len(tags)} tags name no version in the way of v1.2.3 and are passed over.")
    if await releases.is_shallow(repository):
        _shallow(tag, asked, notes)
    since = await releases.since(repository, head, tag.name if tag else None)
    # The history may hold a secret; the changelog is no second place for it.
    clean = (await asyncio.to_thread(keys.redactor)).text
    changes = tuple(change_of(each.commit, clean(each.subject), clean(each.body)) for each in since.commits)
    if not changes:
        raise Refused(f"There is nothing to ship: no commit since {tag.name if tag else 'the beginning'}.")
    declared = await ship_version.declared_in(repository, head)
    version = ship_version.version_of(asked, changes, tag, declared, notes)
    name = f"{tag.prefix if tag else 'v'}{version}"
    await ship_version.tag_is_free(repository, name, asked, notes)
    today = f"{datetime.now().astimezone():%Y-%m-%d}"
    before = await releases.text_at(repository, head, changelog.PATH)
    text = changelog.released(before, str(version), today, changelog.entries(changes), name)
    prepared = {} if text == before else {changelog.PATH: text}
    prepared |= await ship_version.with_version(repository, head, declared, str(version), notes)
    if not prepared:
        raise Refused(
            f"Changelog and manifests say {version} already, so there is nothing to prepare.",
            hint=f"Tag its commit, and devloop knows what came since: git tag {name} COMMIT. Or: --version X.Y.Z.",
        )
    dirty = await repository.dirty()
    if dirty:
        files = some(dirty, 5, lambda each: each.path)
        are = "is" if len(dirty) == 1 else "are"
        notes.append(f"{wording.many(len(dirty), 'file')} of yours {are} not committed and will not be in it: {files}")
    if since.cut:
        notes.append("The difference is too large to look at all of it for what should not go out.")
    if len(changes) >= releases.MAX_COMMITS:
        notes.append(f"Only the newest {releases.MAX_COMMITS} commits are looked at.")
    section = changelog.of_version(text.replace("\r\n", "\n"), str(version))
    found = await _found(project, since, notes)
    return Release(
        head,
        tag.name if tag else None,
        version,
        name,
        changes,
        found,
        await asyncio.to_thread(_open_tasks, project),
        prepared,
        section,
        tuple(notes),
    )


async def _found(project: Project, since: releases.Since, notes: list[str]) -> tuple[checks.Found, ...]:
    """What should not go out: in what is new of files, their names, and the words of commits, which the changelog
    repeats."""
    words = [(f"commit {each.commit[:7]}", f"{each.subject}\n{each.body}") for each in since.commits]
    redactor = await asyncio.to_thread(keys.redactor)
    own = await asyncio.to_thread(_by_own_patterns, since, words, redactor)
    lines = [*checks.added(since.patch), *((where, 0, line) for where, text in words for line in text.split("\n"))]
    lines += [("names of files", 0, path) for path in since.new]
    wanted = await asyncio.to_thread(settings.load, project.root)
    hits, looked = await scanning.hits(lines, lambda: sandbox.detected(wanted.sandbox))
    if not looked and scanning.installed() is not None:
        notes.append(f"{scanning.UNLOOKED}.")
    return (*own, *checks.scanned(hits, lines, own, redactor))


def _by_own_patterns(
    since: releases.Since, words: Sequence[tuple[str, str]], redactor: Redactor
) -> tuple[checks.Found, ...]:
    """Known values and shapes."""
    told = (found for where, text in words for found in checks.in_words(where, text, redactor))
    named = checks.in_names(since.new, redactor)
    return (*checks.in_patch(since.patch, redactor), *told, *named, *checks.large(since.files))


async def _of(project: Project, repository: Repository) -> tuple[str, list[str]]:
    """The commit that the version is made of. What was accepted and has not landed will land with it, so it belongs to
    it."""
    workspace = await opened(project)
    head, pending = (await repository.head()).commit, await workspace.pending()
    if not pending:
        return head, []
    tip = await workspace.plan_head()
    if await releases.comes_after(repository, tip, head):
        return tip, [f"{wording.many(len(pending), 'accepted commit')} not landed yet: part of it, to land with it."]
    raise Refused(
        f"{wording.many(len(pending), 'accepted commit')} not landed yet, and your branch went on meanwhile.",
        hint="All of it would land with the release: bring it together first, with devloop land.",
    )


def _shallow(tag: versions.Tag | None, asked: Asked, notes: list[str]) -> None:
    if tag is None and not asked.word("version"):
        raise Refused(
            "This clone is shallow, so it is not known what came since the last version.",
            hint="Get the history: git fetch --unshallow --tags. Or say which version it is: --version X.Y.Z.",
        )
    notes.append("This clone is shallow: older commits are not known here.")


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
    place = f"{found.path}:{found.line}" if found.line else found.path
    return f"{one_line(place, 200)} {found.kind}: {found.text}"


async def preview(project: Project, asked: Asked) -> dict[str, Any]:
    return (await look(project, asked)).to_json()


async def build(project: Project, asked: Asked) -> TaskSpec:
    release = await look(project, asked)
    override = asked.word("override")
    if release.blockers and not override:
        raise Refused(
            f"{len(release.blockers)} things should not go out: {some(release.blockers, 5, between='; ')}.",
            hint='Mend them, or say why they may: devloop ship --override "…". `devloop ship --dry-run` shows all.',
            found=[each.to_json() for each in release.found],
        )
    await _can_land(project)
    given = {
        "version": str(release.version),
        "tag": release.tag if asked.flag("tag") else "",
        "override": override,
        "head": release.head,
    }
    return errand_task(
        "ship",
        f"Release {release.version}",
        given=given,
        base=release.head,
        wishes={"wish": asked.text, "bump": asked.word("bump", "auto"), "version": asked.word("version")}
        | {"tag": asked.flag("tag"), "override": override},
        prepared=release.prepared,
        agent="engineer",
        mode="release",
        files=tuple(sorted(release.prepared)),
        notes=_notes(release, asked.text, override),
    )


async def _can_land(project: Project) -> None:
    """Where it could not land, no agent begins."""
    busy = (await Repository.discover(project.root)).busy()
    if busy is not None:
        raise Refused(
            f"A {busy} stands unfinished in your checkout, so nothing could land there.",
            hint=f"Finish or abort the {busy} first, then ship again.",
        )
    await (await opened(project)).plan_landing()


def _notes(release: Release, words: str, override: str) -> str:
    parts = [
        words,
        f"Version {release.version}, after {release.before or 'no version yet'}. Prepared: "
        f"{', '.join(sorted(release.prepared)) or 'nothing'}. Commits, newest first:",
        _lines(rows(release.changes, LISTED, _commit)),
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
    return f"{title}:\n{_lines(rows(items, most))}"


def _lines(listed: Sequence[str]) -> str:
    return "\n".join(f"- {each}" for each in listed)


async def take_effect(project: Project, accepted: Accepted) -> str:
    """The tag, where the release landed and one is wanted; the pull request's text as a file; the plan's end."""
    version, tag = str(accepted.given["version"]), str(accepted.given.get("tag") or "")
    said = [await asyncio.to_thread(_keep_words, project, accepted, version)]
    if accepted.ended == "landed" and accepted.commit is not None:
        repository = await Repository.discover(project.root)
        said.append(await _unannounced(repository, accepted.given.get("head"), accepted.commit))
        if tag:
            made = await releases.make_tag(repository, tag, accepted.commit, f"{tag}\n")
            said.append(f"Tagged {tag}." if made else f"The tag {tag} is there.")
        said.append(f"Push it when you want to: git push{f' --atomic origin HEAD {tag}' if tag else ''}.")
        await _finish_plan(project)
    elif tag:
        said.append(f"It has not landed, so there is no tag {tag} yet.")
    return " ".join(filter(None, said))


async def _unannounced(repository: Repository, head: Any, commit: str) -> str:
    """What was accepted or committed while the release was made: it is in it, and its changelog does not know."""
    found = await releases.between(repository, head, commit) if isinstance(head, str) else ()
    if not found:
        return ""
    clean = (await asyncio.to_thread(keys.redactor)).text
    named = some(found, 5, lambda each: one_line(clean(each), 80), "; ")
    came = wording.many(len(found), "commit")
    return f"{came} came in meanwhile, of which the changelog does not know: {named}."


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
