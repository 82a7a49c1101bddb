"""What reviews found, as diagnostics in the files it is about, open or closed.

These files are nobody's documents here: their text is on disk, and `textDocument/publishDiagnostics` may name any file
(LSP 3.18), pulling editors included, since they ask only about documents of ours. In those (a plan, a skill) findings
are among the document's own diagnostics, however the editor gets them. A look at the files' times, every few seconds
while there are findings and an editor, sees what was saved; an editor itself moves what it shows while somebody types.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from typing import TYPE_CHECKING, Any, Final

from lsprotocol import types as t

from devloop import plan as plans
from devloop.errors import DevloopError, Unavailable
from devloop.lsp import texts
from devloop.lsp.client import ANSWER_S
from devloop.lsp.editor import place_of
from devloop.lsp.positions import width
from devloop.lsp.protocol import Plain
from devloop.redact import cut, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Set

    from devloop.daemon.findings.findings import Placed
    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

SOURCE: Final = "devloop review"
SEVERITY: Final = {"Critical": 1, "High": 1, "Medium": 2, "Low": 3, "Nitpick": 4}
LOOK_S: Final = 2.0
MOST_FILES: Final = 500
MOST: Final = 200
"""Findings of one file that are shown."""
_WORDS: Final = 2_000
_SPECIAL: Final = re.compile(r"[*?{}\[\]!]")

Row = dict[str, Any]


class Findings:
    def __init__(self, service: Service, joined: Set[Editor], changed: Callable[[Editor], None]) -> None:
        """`changed` is told which editor's own documents have other findings now."""
        self._service, self._joined, self._changed = service, joined, changed
        self._placed: dict[str, tuple[Placed, ...]] = {}
        """By path, below the root."""
        self._seen: dict[str, tuple[int, int] | None] = {}
        self._told: dict[Editor, dict[str, list[Row]]] = {}
        self._offered: dict[Editor, tuple[str, tuple[str, ...]]] = {}
        """The registration of code actions, and for which files."""
        self._task: asyncio.Task[None] | None = None
        self._end: Callable[[], None] | None = None
        self._news = asyncio.Event()
        self._anew = False

    # An editor comes, opens, leaves

    def join(self, editor: Editor) -> None:
        if self._end is None:
            self._end = self._service.findings.findings.listen(lambda reviews: self.look())
        self._told[editor] = {}
        self.look()

    def leave(self, editor: Editor) -> None:
        self._told.pop(editor, None)
        self._offered.pop(editor, None)

    def close(self) -> None:
        """No editor is left."""
        if self._end is not None:
            self._end()
            self._end = None
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def look(self) -> None:
        """Soon: something was found, dismissed or forgotten, or an editor came or opened a file."""
        self._anew = True
        self._news.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._watch())

    def documents_changed(self) -> None:
        """An editor opened or closed a document, which may have findings."""
        if self._placed:
            self.look()

    async def _watch(self) -> None:
        while self._joined:
            self._news.clear()
            try:
                await self._look()
            except DevloopError as problem:
                log.warning("findings could not be looked at: %s", problem.message)
            except Exception:
                log.exception("findings could not be looked at")
            try:
                async with asyncio.timeout(LOOK_S if self._placed or self._seen else None):
                    await self._news.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        kept = self._service.findings.findings
        anew, self._anew = self._anew, False
        before = dict(self._placed)
        if anew:
            paths = sorted(await kept.paths())[:MOST_FILES]
            for gone in self._seen.keys() - set(paths):
                del self._seen[gone]
                self._placed.pop(gone, None)
        else:
            paths = list(self._seen)
        signatures = await asyncio.to_thread(lambda: {path: kept.signature(path) for path in paths})
        changed = anew
        for path, signature in signatures.items():
            if anew or self._seen.get(path) != signature:
                changed = True
                self._placed[path] = (await kept.placed(path))[:MOST]
                self._seen[path] = signature
        if changed:
            moved = {path for path in before | self._placed if before.get(path) != self._placed.get(path)}
            for editor in list(self._joined):
                self._tell(editor, moved)

    # Telling

    def _tell(self, editor: Editor, moved: Set[str]) -> None:
        """`moved`: files of which something else is to be said than before."""
        told = self._told.get(editor)
        if told is None:
            return
        own = any(_is_open(editor, self.uri(path)) for path in moved)
        now: dict[str, list[Row]] = {}
        for path, placed in self._placed.items():
            uri = self.uri(path)
            # A plan's own problems are told while it is closed, too.
            if placed and path not in plans.PLAN_FILES and not _is_open(editor, uri):
                now[uri] = [_row(editor, each) for each in placed]
        for uri in told.keys() - now.keys():
            opened = _is_open(editor, uri)
            own = own or opened
            if not opened or editor.pulls:  # else the document's own diagnostics replace them
                _publish(editor, uri, [])
        for uri, rows in now.items():
            if told.get(uri) != rows:
                _publish(editor, uri, rows)
        self._told[editor] = now
        if own:
            self._documents_changed(editor)
        self._offer(editor)

    def _documents_changed(self, editor: Editor) -> None:
        for file in editor.own_files.values():
            file.advance()
        self._changed(editor)

    def rows(self, editor: Editor, uri: str, document: plans.Document) -> list[Row]:
        """Those of a document of ours, where its text still has them."""
        found = self.at(editor, uri)
        return [
            _row(editor, each)
            for each in found
            if each.line == 0
            or (each.line <= document.count and document.line(each.line - 1).strip() == each.text.strip())
        ]

    def at(self, editor: Editor, uri: str) -> Sequence[Placed]:
        """The findings of a file, by any spelling of its URI."""
        if not self._placed:
            return ()
        path = _path_of(editor, uri)
        return self._placed.get(path, ()) if path is not None else ()

    def uri(self, path: str) -> str:
        return (self._service.root / path).as_uri()

    # Ways out, also in files that are none of ours

    def _offer(self, editor: Editor) -> None:
        """Let the editor ask for code actions in just the files that have findings, where it can be told so."""
        if not editor.client.registers("textDocument.codeAction"):
            return
        from devloop.daemon import checkers

        wanted = tuple(sorted(path for path, placed in self._placed.items() if placed and not checkers.knows(path)))
        before = self._offered.get(editor)
        if (before[1] if before else ()) == wanted:
            return
        registration = (str(uuid.uuid4()), wanted) if wanted else None
        if registration is not None:
            self._offered[editor] = registration
        else:
            self._offered.pop(editor, None)
        editor.spawn(_register(editor, before[0] if before else None, registration))

    def actions(self, editor: Editor, params: t.CodeActionParams) -> list[Row]:
        """For each finding in the range: dismiss it, dismiss its review, take it into the plan, have it fixed."""
        only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
        if only and not any(not kind or kind == "quickfix" for kind in only):
            return []
        first, last = params.range.start.line + 1, params.range.end.line + 1
        here = [
            each
            for each in self.at(editor, params.text_document.uri)
            if first <= max(each.line, 1) <= last
            or any(_names(diagnostic, each.finding.id) for diagnostic in params.context.diagnostics)
        ]
        literal = editor.client.can("textDocument.codeAction.codeActionLiteralSupport")
        uri = params.text_document.uri
        found = [row for each in here[:20] for row in _actions(editor, each, uri)]
        return found if literal else [row["command"] for row in found]


def _actions(editor: Editor, placed: Placed, uri: str) -> Iterator[Row]:
    """`uri` tells an editor with several folders which one a command is of."""
    finding = placed.finding
    name = texts.label(finding.problem, 60)
    about = {"uri": uri, "finding": finding.id}
    offered: list[tuple[str, str, Row]] = [(f"Dismiss: {name}", "devloop.dismissFinding", about)]
    if len(placed.review.open) > 1:
        title = f"Dismiss all {len(placed.review.open)} findings of this review"
        offered.append((title, "devloop.dismissFinding", {"uri": uri, "review": placed.review.id}))
    if editor.options.trusted:
        offered.append((f"Fix with devloop: {name}", "devloop.fixFinding", about))
        offered.append((f"Add as task to the plan: {name}", "devloop.planFinding", about))
    for title, command, arguments in offered:
        yield {
            "title": title,
            "kind": "quickfix",
            "diagnostics": [_row(editor, placed)],
            "command": {"title": title, "command": command, "arguments": [arguments]},
        }


def _row(editor: Editor, placed: Placed) -> Row:
    finding, text = placed.finding, placed.text
    start = len(text) - len(text.lstrip())
    line, encoding = max(placed.line, 1) - 1, editor.positions.encoding
    found: Row = {
        "range": {
            "start": {"line": line, "character": width(text[:start], encoding)},
            "end": {"line": line, "character": width(text.rstrip(), encoding)},
        },
        "severity": SEVERITY[finding.severity],
        "code": finding.kind or finding.severity.lower(),
        "source": SOURCE,
        "message": _message(placed),
    }
    if editor.client.can("textDocument.publishDiagnostics.dataSupport"):
        found["data"] = {"finding": finding.id}
    return found


def _message(placed: Placed) -> str:
    finding = placed.finding
    who = f"{', '.join(finding.by)}, {finding.confidence} %" if finding.by else f"{finding.confidence} %"
    fix = f"\nFix: {cut(printable(finding.fix), _WORDS)}" if finding.fix else ""
    waits = "" if placed.review.accepted else "; its review waits for your decision"
    return f"{cut(printable(finding.problem), _WORDS)}{fix}\n{finding.severity} ({who}){waits}"


def _names(diagnostic: t.Diagnostic, finding: str) -> bool:
    data = diagnostic.data
    return diagnostic.source == SOURCE and isinstance(data, dict) and data.get("finding") == finding


def _is_open(editor: Editor, uri: str) -> bool:
    """Whether it is a document of ours in that editor, which then has diagnostics of its own."""
    path = _path_of(editor, uri)
    opened = (*editor.buffers, *editor.own_files)
    return any(each == uri or _path_of(editor, each) == path for each in opened)


def _path_of(editor: Editor, uri: str) -> str | None:
    place = place_of(uri)
    if place is None or not place.is_relative_to(editor.root):
        return None
    return place.relative_to(editor.root).as_posix()


async def _register(editor: Editor, before: str | None, now: tuple[str, tuple[str, ...]] | None) -> None:
    method = t.TEXT_DOCUMENT_CODE_ACTION
    try:
        if now is not None:
            selector = [{"scheme": "file", "pattern": f"**/{_pattern(path)}"} for path in now[1]]
            options = {"documentSelector": selector, "codeActionKinds": ["quickfix"]}
            made = {"id": now[0], "method": method, "registerOptions": options}
            await editor.ask(t.CLIENT_REGISTER_CAPABILITY, {"registrations": [made]}, seconds=ANSWER_S)
        if before is not None:  # the protocol spells it so
            gone = {"unregisterations": [{"id": before, "method": method}]}
            await editor.ask(t.CLIENT_UNREGISTER_CAPABILITY, gone, seconds=ANSWER_S)
    except Unavailable as problem:
        log.info("an editor did not take code actions for findings: %s", problem.message)


def _pattern(path: str) -> str:
    """A path as a glob that means just this path (LSP 3.17, Pattern)."""
    return _SPECIAL.sub(lambda found: f"[{found[0]}]", path)


def _publish(editor: Editor, uri: str, rows: list[Row]) -> None:
    editor.notify(t.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, Plain({"uri": uri, "diagnostics": rows}))
