"""Read-only documents about a run: its diff, its page, its transcript.

An editor with `workspace/textDocumentContent` (LSP 3.18) opens `devloop://run/<id>.diff` and asks for the text; any
other gets a file below the workspace's state directory that only this person can read and nobody should write.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types as t

from devloop.errors import DevloopError, NotFound, Unavailable
from devloop.files import write_atomic
from devloop.lsp.client import SHOW_S
from devloop.lsp.run_pages import run_page
from devloop.redact import one_line, printable, visible

if TYPE_CHECKING:
    from devloop.daemon.run_view import RunView
    from devloop.daemon.service import Service
    from devloop.lsp.editor import Editor

log = logging.getLogger(__name__)

SCHEME: Final = "devloop"
KINDS: Final = ("transcript.md", "diff", "md")
"""Longest first: `run-1.transcript.md` is no page of a run `run-1.transcript`."""
FOLDER: Final = "shown"
MAX_SHOWN: Final = 100
_SAFE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}$")

Name = tuple[str, str]
"""Run and kind."""


def plain(kind: str, text: str) -> str:
    """What an editor may show. What a diff hides is made visible: who reviews it has to see what a compiler reads."""
    return printable(visible(text, code=True) if kind == "diff" else text)


def uri_of(run: str, kind: str) -> str:
    return f"{SCHEME}://run/{quote(run, safe='')}.{kind}"


def name_of(uri: str) -> Name:
    """The run and kind of such a URI. Raises `NotFound` for any other."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets that are no address
        parts = urlsplit("")
    path = unquote(parts.path).lstrip("/")
    if parts.scheme == SCHEME and parts.netloc == "run":
        for kind in KINDS:
            run = path.removesuffix(f".{kind}")
            if run != path and run:
                return run, kind
    raise NotFound(f"devloop has no document {one_line(uri, 120)}.")


class Shown:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._folder = service.state.path / FOLDER
        self._virtual: dict[Editor, dict[Name, tuple[Any, ...]]] = {}
        """What each editor opened, with what its text depended on."""
        self._files: dict[Name, tuple[Any, ...]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        shutil.rmtree(self._folder, ignore_errors=True)  # of a daemon that was killed
        atexit.register(shutil.rmtree, self._folder, ignore_errors=True)

    async def text(self, run: str, kind: str) -> str:
        """Raises `NotFound` for a run that nobody knows."""
        if kind == "diff":
            patch = str((await self._service.call("devloop/diff", {"run": run}))["patch"])
            return self._proposed(run) or patch or "No change so far.\n"
        if kind == "transcript.md":
            return str((await self._service.call("devloop/transcript", {"run": run}))["text"])
        return run_page(await self._service.call("devloop/show", {"run": run}))

    def _proposed(self, run: str) -> str:
        """The change of the plan that a person is asked about; what was built on the way to it is not kept."""
        view = self._service.board.run(run)
        proposal = ((view.checkpoint if view is not None else None) or {}).get("proposal") or {}
        return f"{proposal['patch']}\n" if proposal.get("patch") else ""

    async def show(self, editor: Editor, run: str, kind: str) -> bool:
        """Open the document in the editor; False where the editor can't, and what it was to show is in the answer."""
        if not editor.client.takes(t.WINDOW_SHOW_DOCUMENT) or not _SAFE.match(run):
            return False
        name = (run, kind)
        if editor.client.can("workspace.textDocumentContent"):
            uri = uri_of(run, kind)
            opened = self._virtual.setdefault(editor, {})
            opened.pop(name, None)
            opened[name] = _stamp(self._service.board.run(run))
            while len(opened) > MAX_SHOWN:
                del opened[next(iter(opened))]
        else:
            uri = (await self._file(name)).as_uri()
        try:
            params = t.ShowDocumentParams(uri, external=False, take_focus=True)
            answer = await editor.ask(t.WINDOW_SHOW_DOCUMENT, params, seconds=SHOW_S)
        except Unavailable as problem:
            log.info("an editor did not show a document: %s", problem.message)
            return False
        return bool(answer.success) if answer is not None else False

    def leave(self, editor: Editor) -> None:
        self._virtual.pop(editor, None)

    def look(self, runs: frozenset[str]) -> None:
        """Bring what is shown up to date; files of runs that nobody knows any more go."""
        for editor, opened in list(self._virtual.items()):
            for name in [name for name in opened if name[0] in runs]:
                stamp = _stamp(self._service.board.run(name[0]))
                if stamp != opened[name]:
                    opened[name] = stamp
                    editor.spawn(_refresh(editor, name))
        for name in [name for name in self._files if name[0] in runs]:
            view = self._service.board.run(name[0])
            if view is None:
                del self._files[name]
                self._path(name).unlink(missing_ok=True)
            elif _stamp(view) != self._files[name]:
                self._files[name] = _stamp(view)
                self._spawn(self._rewrite(name))

    async def _file(self, name: Name) -> Path:
        text = await self.text(*name)
        self._files[name] = _stamp(self._service.board.run(name[0]))
        await asyncio.to_thread(self._write, name, text)
        return self._path(name)

    async def _rewrite(self, name: Name) -> None:
        with contextlib.suppress(DevloopError):
            text = await self.text(*name)
            if name in self._files:
                await asyncio.to_thread(self._write, name, text)

    def _write(self, name: Name, text: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        write_atomic(self._path(name), plain(name[1], text).encode("utf-8", "replace"), mode=0o400)

    def _path(self, name: Name) -> Path:
        return self._folder / f"{name[0]}.{name[1]}"

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _stamp(view: RunView | None) -> tuple[Any, ...]:
    """What the documents of a run depend on."""
    if view is None:
        return ()
    return (view.state, view.turn, view.outcome, view.commit, (view.checkpoint or {}).get("number"), dict(view.gates))


async def _refresh(editor: Editor, name: Name) -> None:
    params = t.TextDocumentContentRefreshParams(uri_of(*name))
    await editor.ask_briefly(t.WORKSPACE_TEXT_DOCUMENT_CONTENT_REFRESH, params)
