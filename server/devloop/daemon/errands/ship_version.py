"""Which version a release is: by what was asked, the commits, the tags, the manifests; and these with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from devloop.daemon.errands.model import Asked
from devloop.errors import Refused, UsageError
from devloop.redact import one_line
from devloop.shipping import locks, manifests, versions
from devloop.shipping.commits import Bump, Change, bump_of
from devloop.shipping.versions import Version
from devloop.workspace import Repository, releases

MAX_LOCK = 1 << 20
"""Characters of a lock file that a run carries along."""
BUMPS = ("auto", "major", "minor", "patch")


@dataclass(frozen=True)
class Declared:
    """A manifest; `place` is where it declares its version, None where it does not."""

    path: str
    text: str
    place: manifests.Place | None


async def tag_is_free(repository: Repository, name: str, asked: Asked, notes: list[str]) -> None:
    there = await repository.ref(f"refs/tags/{name}")
    if there is None:
        return
    said = f"There is a tag {name} already, on {there[:7]}, which is not part of this."
    if asked.flag("tag"):
        raise Refused(said, hint="Choose another one: --version X.Y.Z.")
    notes.append(said)


async def declared_in(repository: Repository, head: str) -> list[Declared]:
    """The manifests that are there, with where each says its version, if it does."""
    found = []
    for path in manifests.PATHS:
        text = await releases.text_at(repository, head, path)
        if text is not None:
            found.append(Declared(path, text, manifests.find(path, text)))
    return found


async def with_version(
    repository: Repository, head: str, declared: Sequence[Declared], version: str, notes: list[str]
) -> dict[str, str]:
    """The manifests and their lock files with the new version."""
    made: dict[str, str] = {}
    for each in declared:
        if manifests.computed(each.path, each.text):
            notes.append(f"{each.path} gets its version from elsewhere: look that it becomes {version}.")
        place = each.place
        if place is None or place.version == version:
            continue
        made[each.path] = manifests.with_version(each.text, place, version)
        for path in locks.OF.get(each.path, ()):
            text = await releases.text_at(repository, head, path)
            name = manifests.name_in(each.path, each.text)
            locked = locks.with_version(path, text, name, place.version, version) if text is not None else None
            if locked is not None and len(locked) <= MAX_LOCK:
                made[path] = locked
            elif text is not None:
                notes.append(f"{path} stays as it is; its own tool knows whether it should say {version}.")
    return made


def version_of(
    asked: Asked,
    changes: Sequence[Change],
    tag: versions.Tag | None,
    declared: Sequence[Declared],
    notes: list[str],
) -> Version:
    """The next version; what a person should know of how it came about is added to `notes`."""
    wanted, bump = asked.word("version"), asked.word("bump", "auto")
    version = _named(wanted, tag) if wanted else _following(bump, changes, tag, declared, notes)
    for each in declared:
        said = versions.release_of(each.place.version) if each.place is not None else None
        if said is not None and said > version:
            notes.append(f"{each.path} says {said}, which is higher.")
    return version


def _named(wanted: str, tag: versions.Tag | None) -> Version:
    version = versions.parse(wanted)
    if version is None:
        raise UsageError(f"{one_line(wanted, 40)!r} is no version.", hint="Write it like 1.4.0.")
    if tag is not None and version <= tag.version:
        raise UsageError(f"{version} does not come after {tag.name}, the newest tag.", hint="Choose a higher one.")
    return version


def _following(
    bump: str, changes: Sequence[Change], tag: versions.Tag | None, declared: Sequence[Declared], notes: list[str]
) -> Version:
    if bump not in BUMPS:
        raise UsageError(f"{one_line(bump, 40)!r} is no step.", hint=f"Choose one of: {', '.join(BUMPS)}.")
    said = _said_there(declared, tag)
    now = tag.version if tag else said
    if now is None:
        notes.append("No version is declared or tagged yet, so this is the first one.")
        return Version(0, 1, 0)
    step = bump_of(changes) if bump == "auto" else cast("Bump", bump)
    following = now.next(step or "patch")
    if bump == "auto" and said is not None and (tag is None or said >= following):
        notes.append(f"{said} is declared and not tagged yet, so that is what is shipped.")
        return said
    if step is None:
        notes.append("No commit asks for a version; --version or --bump says another one.")
    return following


def _said_there(declared: Sequence[Declared], tag: versions.Tag | None) -> Version | None:
    """The first version that a manifest declares; raises `UsageError` where that is the only clue and none of ours."""
    places = [each.place for each in declared if each.place is not None]
    said = next((version for place in places if (version := versions.release_of(place.version)) is not None), None)
    if said is None and places and tag is None:
        raise UsageError(
            f"{places[0].path} says {one_line(places[0].version, 40)!r}, and what follows that is not known here.",
            hint="Say the next one: --version X.Y.Z.",
        )
    return said
