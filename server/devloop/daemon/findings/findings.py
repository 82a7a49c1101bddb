"""All findings of a workspace: from reviews that were accepted or wait, to where they are now.

One object for the whole daemon. What it keeps is on disk before anybody is told; files of the checkout are only read.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from devloop import beneath
from devloop.agents import merging
from devloop.daemon.findings import records
from devloop.daemon.findings.anchors import Anchor, anchor_of, find_again, lines_of
from devloop.daemon.findings.records import Finding, Review
from devloop.daemon.listeners import Listener, Listeners
from devloop.errors import DevloopError, NotFound
from devloop.paths import StateDir
from devloop.redact import cut, one_line, printable

log = logging.getLogger(__name__)

MAX_TEXT: Final = 4 << 20
"""Bytes of a file in which findings are looked for."""
WORDS: Final = 4_000
_ID: Final = re.compile(r"[^A-Za-z0-9._-]+")

Params = Mapping[str, Any]
Answer = dict[str, Any]
Content = Callable[[str, str], Any]


@dataclass(frozen=True)
class Placed:
    """A finding where it is now: `line` from 1; 0 for the whole file. `text`: of that line, as it stands."""

    finding: Finding
    review: Review
    line: int
    text: str


_shared: Final[WeakValueDictionary[Path, Findings]] = WeakValueDictionary()


def findings_of(state: StateDir, root: Path) -> Findings:
    """Of a workspace: the same object for all who ask in this process."""
    found = _shared.get(state.path)
    if found is None:
        found = _shared[state.path] = Findings(state, root)
    return found


class Findings:
    def __init__(self, state: StateDir, root: Path) -> None:
        self._state, self._root = state, root
        self._reviews: dict[str, Review] | None = None
        self._listeners = Listeners()
        self._writing = asyncio.Lock()

    def listen(self, callback: Listener) -> Callable[[], None]:
        """Told with ids of reviews that came, changed or went."""
        return self._listeners.listen(callback)

    # Looking

    async def reviews(self) -> tuple[Review, ...]:
        """Oldest first."""
        return tuple((await self._known()).values())

    async def _known(self) -> dict[str, Review]:
        if self._reviews is None:
            found = await asyncio.to_thread(records.read_all, self._state)
            if self._reviews is None:
                self._reviews = found
        return self._reviews

    async def find(self, finding: str) -> tuple[Review, Finding]:
        for review in (await self._known()).values():
            for each in review.findings:
                if each.id == finding:
                    return review, each
        raise NotFound(f"There is no finding {one_line(finding, 80)!r}.", hint="List them: devloop review --list")

    async def paths(self) -> frozenset[str]:
        """Files with findings that stand."""
        return frozenset(
            finding.path for review in (await self._known()).values() for finding in review.open if finding.found
        )

    async def placed(self, path: str, text: str | None = None) -> tuple[Placed, ...]:
        """The findings of a file where they are now, in `text` or on disk; withdrawn ones are left out. In the order of
        lines, the most severe first."""
        here = [
            (review, finding)
            for review in await self._speaking_of(path)
            for finding in review.open
            if finding.path == path and finding.found
        ]
        if not here:
            return ()
        return await asyncio.to_thread(self._placed, path, text, here)

    async def _speaking_of(self, path: str) -> list[Review]:
        """A review that waits hides what earlier ones said of its files, until it is decided."""
        known = list((await self._known()).values())
        latest = max((at for at, review in enumerate(known) if path in review.files and not review.accepted), default=0)
        return known[latest:]

    def _placed(self, path: str, text: str | None, here: Sequence[tuple[Review, Finding]]) -> tuple[Placed, ...]:
        now = self._read(path) if text is None else text
        if now is None:
            return ()
        lines, digest = lines_of(now), _sha(now)
        found = []
        for review, finding in here:
            same = review.files.get(path) == digest
            line = finding.anchor.line if same else find_again(finding.anchor, lines)
            if line is not None and line <= len(lines):
                found.append(Placed(finding, review, line, lines[line - 1] if line else lines[0]))
        return tuple(sorted(found, key=lambda each: (each.line, merging.SEVERITIES.index(each.finding.severity))))

    def signature(self, path: str) -> tuple[int, int] | None:
        """Changes when the file does."""
        place = self._place(path)
        try:
            found = place.stat() if place is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size) if found is not None else None

    def _read(self, path: str) -> str | None:
        place = self._place(path)
        try:
            if place is None:
                return None
            return beneath.read(self._root, path, MAX_TEXT).decode("utf-8", "replace")
        except OSError:
            return None

    def _place(self, path: str) -> Path | None:
        """The file below the root, with its links followed; None where that leads elsewhere."""
        try:
            place = (self._root / path).resolve()
        except (OSError, ValueError, RuntimeError):
            return None
        return place if place.is_relative_to(self._root.resolve()) and place.is_file() else None

    # Changing

    async def record(self, run: str, given: Params, data: Params, *, accepted: bool) -> int:
        """Keep the findings of a review; how many. Doing it again changes nothing but `accepted`. Of the files that it
        looked at, what earlier reviews found there is replaced once it is accepted."""
        async with self._writing:
            known = await self._known()
            identity = name_of(run)
            before = known.get(identity)
            if before is not None and (before.accepted or not accepted):
                return len(before.open)
            if before is not None:
                made = before.model_copy(update={"accepted": True})
            else:
                made = await self._made(identity, run, given, data, accepted)
            await self._keep(made)
            if accepted:
                await self._replace(made)
            for old in list(known)[: -records.MAX_REVIEWS]:
                await self._drop(old)
            return len(made.open)

    async def withdraw(self, run: str) -> None:
        """A review that waited was discarded or came to nothing."""
        async with self._writing:
            known = await self._known()
            review = known.get(name_of(run))
            if review is not None and not review.accepted:
                await self._drop(review.id)

    async def dismiss(self, ids: Collection[str]) -> tuple[str, ...]:
        """Findings, or all of a review; what was dismissed by this. Raises `NotFound` before anything is."""
        async with self._writing:
            known = await self._known()
            wanted = set(ids)
            there = {*known, *(finding.id for review in known.values() for finding in review.findings)}
            missing = sorted(wanted - there)
            if missing:
                raise NotFound(
                    f"There is no finding {one_line(missing[0], 80)!r}.", hint="List them: devloop review --list"
                )
            done: list[str] = []
            for review in list(known.values()):
                meant = {each.id for each in review.open if each.id in wanted or review.id in wanted}
                if meant:
                    done += sorted(meant)
                    await self._keep(_without(review, meant))
            return tuple(done)

    async def clear(self) -> int:
        """Forget every review; how many findings stood."""
        async with self._writing:
            known = await self._known()
            count = sum(len(review.open) for review in known.values())
            for review in list(known):
                await self._drop(review)
            return count

    async def _keep(self, review: Review) -> None:
        await asyncio.to_thread(records.write, self._state, review)
        (await self._known())[review.id] = review
        self._listeners.tell(review.id)

    async def _drop(self, review: str) -> None:
        await asyncio.to_thread(records.remove, self._state, review)
        (await self._known()).pop(review, None)
        self._listeners.tell(review)

    async def _replace(self, made: Review) -> None:
        """What earlier reviews said of the same files was said of an older state of them."""
        for review in list((await self._known()).values()):
            if review.id == made.id or review.at > made.at:
                continue
            left = tuple(each for each in review.findings if each.path not in made.files)
            if len(left) == len(review.findings):
                continue
            if left:
                await self._keep(review.model_copy(update={"findings": left}))
            else:
                await self._drop(review.id)

    async def _made(self, identity: str, run: str, given: Params, data: Params, accepted: bool) -> Review:
        change = given.get("change")
        change = change if isinstance(change, Mapping) else {}
        commit = str(change.get("commit") or "")
        report = merging.reviews([("", data)])
        found = [{**each, "path": self._own_path(each["path"])} for each in report["findings"]]
        wanted = {*(str(path) for path in change.get("paths") or ()), *(each["path"] for each in found)}
        texts = await self._texts(commit, wanted)
        findings = tuple(self._finding(f"{identity}.{n}", each, texts) for n, each in enumerate(found, 1))
        return Review(
            id=identity,
            run=run,
            what=printable(str(change.get("what") or "")),
            scope=str(change.get("scope") or ""),
            commit=commit,
            at=time.time(),
            accepted=accepted,
            verdict=str(data.get("verdict") or report["verdict"]),
            summary=_said(data.get("summary")),
            good=tuple(_said(each) for each in report["good"][:20]),
            added=int(change.get("added") or 0),
            deleted=int(change.get("deleted") or 0),
            count=int(change.get("files") or 0),
            files={path: _sha(text) for path, text in texts.items() if text is not None},
            findings=findings,
        )

    def _own_path(self, path: str) -> str:
        """Reviewers see the worktree at the checkout's own path."""
        found = Path(path)
        return found.relative_to(self._root).as_posix() if found.is_relative_to(self._root) else path

    def _finding(self, identity: str, each: Params, texts: Mapping[str, str | None]) -> Finding:
        text = texts.get(each["path"])
        return Finding(
            id=identity,
            path=each["path"],
            line=each["line"],
            severity=each["severity"],
            kind=one_line(each["kind"], 80),
            confidence=each["confidence"],
            problem=_said(each["problem"]),
            fix=_said(each["fix"]),
            by=tuple(one_line(name, 80) for name in each["by"] if name),
            anchor=anchor_of(lines_of(text), each["line"]) if text is not None else Anchor(),
            found=text is not None,
        )

    async def _texts(self, commit: str, paths: Collection[str]) -> dict[str, str | None]:
        """The files as the reviewers saw them; None where there is no text."""
        from devloop.workspace import Repository, Workspace  # only when something is kept

        if not commit:
            return {}
        try:
            workspace = Workspace(await Repository.discover(self._root), self._state)
            await workspace.open()
            found: dict[str, str | None] = {}
            for path in sorted(paths):
                try:
                    content = await workspace.content(commit, path)
                except DevloopError:  # no path that a file can have
                    content = None
                found[path] = content.text if content is not None else None
        except (DevloopError, OSError) as problem:
            log.warning("what was reviewed can't be read: %s", problem)
            return {}
        return found


def name_of(run: str) -> str:
    """A review's id: its run's, without what all runs begin with."""
    return _ID.sub("-", os.path.basename(run.removeprefix("run-")))[:100] or "review"  # noqa: PTH119


def _without(review: Review, meant: Collection[str]) -> Review:
    now = time.time()
    findings = tuple(
        each.model_copy(update={"dismissed": now}) if each.id in meant else each for each in review.findings
    )
    return review.model_copy(update={"findings": findings})


def _said(text: object) -> str:
    return cut(printable(str(text or "")), WORDS)


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
