"""The only place in devloop that starts git.

Every call has an environment built from nothing, an explicit git directory, and configuration that switches off what
could execute: hooks, fsmonitor, ssh, credential and signing programs, transports (see the design's invariants; a lint
test finds any other caller). Configuration goes in by GIT_CONFIG_COUNT, not `-c`: a hostile section name may contain
`=`, which `-c` can't express.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devloop import children
from devloop.errors import DevloopError, RepositoryUnfit, StorageError
from devloop.workspace.git_errors import explain, lock_in_the_way
from devloop.workspace.git_program import executable, search_path

TIMEOUT = 300.0
MINIMUM = (2, 38)
_NO_FILE = os.path.join(os.devnull, "none")  # noqa: PTH118
"""A name that no file can have: unlike an empty file it makes git say nothing."""
STALE_LOCK = 20.0
"""Seconds after which a lock file in devloop's own git directory belongs to nobody."""

HOOK_EVENTS = (
    *("reference-transaction", "post-index-change", "post-checkout", "post-merge", "post-rewrite", "pre-auto-gc"),
    *("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"),
)
"""Events that the commands of this package can raise. `core.hooksPath` holds for files only: hooks that stand in the
configuration (git 2.54) are off by event (git 2.55), and by name in `Repository.git`."""

SAFE: tuple[tuple[str, str], ...] = (
    # Programs that the configuration of a repository can name.
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.alternateRefsCommand", "true"),
    ("sequence.editor", "false"),  # the one editor that GIT_EDITOR does not stand before
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("diff.external", ""),
    *((f"hook.{event}.enabled", "false") for event in HOOK_EVENTS),
    # The second line behind GIT_ALLOW_PROTOCOL, which lets no transport begin.
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    ("core.sshCommand", "false"),
    ("core.askPass", "false"),
    ("credential.helper", ""),
    # What would touch more than was asked for: other repositories, packs, files that only some systems take for .git.
    ("submodule.recurse", "false"),
    ("maintenance.auto", "false"),
    ("core.protectHFS", "true"),
    ("core.protectNTFS", "true"),
    # No protection: what git says, how long it waits.
    ("core.quotePath", "false"),
    ("core.safecrlf", "false"),
    ("core.filesRefLockTimeout", "1000"),
)
"""Every entry of the first three groups has a test that fails without it (`tests/fixes/git.py`). Absent, since what is
there already stands before them in git: core.pager (GIT_PAGER), core.editor (GIT_EDITOR), gpg.program (no signing)."""


@dataclass(frozen=True)
class Output:
    code: int
    out: bytes
    err: str
    truncated: bool = False

    @property
    def text(self) -> str:
        return os.fsdecode(self.out).removesuffix("\n")


@dataclass(frozen=True)
class Git:
    """One git directory, optionally with a work tree and an index file of its own.

    `own` marks devloop's own git directory: a stale lock there is removed, since only devloop works in it.
    `config` are further overrides; `personal` keeps the person's HOME (only for reading configuration); `borrow` is a
    directory of objects that are readable too; `objects` is where new ones go instead of the git directory.
    """

    git_dir: Path | None
    work_tree: Path | None = None
    index: Path | None = None
    config: tuple[tuple[str, str], ...] = ()
    own: bool = False
    personal: bool = False
    cwd: Path | None = None
    borrow: Path | None = None
    objects: Path | None = None
    committer: tuple[str, str] = field(default=("devloop", "devloop@localhost"))

    async def run(
        self,
        *args: str | bytes | Path,
        data: bytes | None = None,
        ok: Sequence[int] = (0,),
        timeout: float = TIMEOUT,
        limit: int | None = None,
        stdin: int | None = None,
        stdout: int | None = None,
        literal: bool = True,
    ) -> Output:
        """Run `git ARGS`; raise the person's view of the failure unless the exit code is in `ok`.

        `limit` caps the output in bytes (the rest is not read); `stdin` and `stdout` are file descriptors for pipes.
        """
        for attempt in range(5):
            output = await self._once(args, data, timeout, limit, stdin, stdout, literal)
            if output.code in ok or output.truncated:
                return output
            if not (self.own and stdin is None and stdout is None and await _freed(output.err, attempt)):
                break
        raise explain(output.err, str(args[0]), output.code)

    async def line(self, *args: str | bytes | Path, ok: Sequence[int] = (0,)) -> str:
        """The output without its last line end."""
        return (await self.run(*args, ok=ok)).text

    @contextlib.asynccontextmanager
    async def prepared(self, commands: bytes, message: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """A transaction of `update-ref -z --stdin` with every ref of it locked and compared; what is given finishes it.

        Left without that, it is given up: also when this process dies, since git then reads the end of its input.
        HEAD is locked as well while it names one of the refs: nobody can commit, switch or move them meanwhile.
        Raises `StaleRef` when a ref is not what `commands` say.
        """
        pipe = asyncio.subprocess.PIPE
        process = await self._start(
            ("update-ref", "-m", message, "--no-deref", "-z", "--stdin"), True, stdin=pipe, stdout=pipe
        )
        try:
            await _say(process, b"start\0" + commands + b"prepare\0", 2)
            yield functools.partial(_say, process, b"commit\0", 1)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            await asyncio.shield(_end(process, process.stdout, process.stderr, ask=False))

    async def _start(
        self, args: tuple[str | bytes | Path, ...], literal: bool, *, stdin: int, stdout: int
    ) -> asyncio.subprocess.Process:
        cwd = self.cwd or self.work_tree or self.git_dir
        path = search_path()
        try:
            return await asyncio.create_subprocess_exec(
                *self._command(path, literal),
                *args,
                cwd=cwd if cwd is not None and cwd.is_dir() else None,
                env=self._environment(path),
                stdin=stdin,
                stdout=stdout,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as problem:
            raise StorageError(f"git could not be started: {problem.strerror}.") from problem

    async def _once(
        self,
        args: tuple[str | bytes | Path, ...],
        data: bytes | None,
        timeout: float,
        limit: int | None,
        stdin: int | None,
        stdout: int | None,
        literal: bool,
    ) -> Output:
        pipe = asyncio.subprocess.PIPE
        source = stdin if stdin is not None else pipe if data is not None else asyncio.subprocess.DEVNULL
        process = await self._start(args, literal, stdin=source, stdout=stdout if stdout is not None else pipe)
        try:
            async with asyncio.timeout(timeout):
                out, err, truncated = await _talk(process, data, limit)
        except TimeoutError:
            await _end(process, process.stdout, process.stderr)
            raise DevloopError(
                f"git {args[0]!s} did not finish within {timeout:.0f} s.",
                hint="A slow disk or a very large repository? Try again when the machine is less busy.",
            ) from None
        except BaseException:
            await asyncio.shield(_end(process, process.stdout, process.stderr))
            raise
        if truncated:
            await asyncio.shield(_end(process, process.stdout, process.stderr))
        return Output(process.returncode or 0, out, err.decode("utf-8", "replace"), truncated)

    def _command(self, path: str, literal: bool) -> list[str]:
        command = [executable(path), "--no-pager"]
        if literal:
            command.append("--literal-pathspecs")
        if self.git_dir is not None:
            command.append(f"--git-dir={self.git_dir}")
        if self.work_tree is not None:
            command.append(f"--work-tree={self.work_tree}")
        return command

    def _environment(self, path: str) -> dict[str, str]:
        keep = ("SYSTEMROOT", "TEMP", "TMP")
        environment = {name: os.environ[name] for name in keep if name in os.environ}
        environment |= {
            "PATH": path,
            "HOME": os.devnull,
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "false",
            "GIT_PAGER": "cat",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_PROXY_COMMAND": "false",  # of core.gitProxy the first value counts, which would be the repository's
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": _NO_FILE,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_COMMITTER_NAME": self.committer[0],
            "GIT_COMMITTER_EMAIL": self.committer[1],
            "GIT_AUTHOR_NAME": self.committer[0],
            "GIT_AUTHOR_EMAIL": self.committer[1],
        }
        if self.personal:
            for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM"):
                del environment[name]
            for name in ("HOME", "XDG_CONFIG_HOME", "SUDO_UID"):
                environment |= {name: os.environ[name]} if name in os.environ else {}
        if self.index is not None:
            environment["GIT_INDEX_FILE"] = str(self.index)
        if self.borrow is not None:
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = str(self.borrow)
        if self.objects is not None:
            environment["GIT_OBJECT_DIRECTORY"] = str(self.objects)
        pairs = (*SAFE, *self.config)
        environment["GIT_CONFIG_COUNT"] = str(len(pairs))
        for number, (key, value) in enumerate(pairs):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        return environment


async def _talk(
    process: asyncio.subprocess.Process, data: bytes | None, limit: int | None
) -> tuple[bytes, bytes, bool]:
    if limit is None or process.stdout is None:
        out, err = await process.communicate(data)
        return out or b"", err, False
    chunks: list[bytes] = []
    size = 0
    assert process.stderr is not None
    errors = asyncio.ensure_future(process.stderr.read())
    try:
        while size <= limit and (chunk := await process.stdout.read(1 << 16)):
            chunks.append(chunk)
            size += len(chunk)
        if size > limit:
            return b"".join(chunks)[:limit], b"", True
        err = await errors
    finally:  # whoever ends git reads its pipes: a pipe has one reader
        errors.cancel()
        await asyncio.wait({errors})
    await process.wait()
    return b"".join(chunks), err, False


async def _say(process: asyncio.subprocess.Process, words: bytes, answers: int) -> None:
    """Give `update-ref --stdin` commands and wait for so many lines, with which it says that they are done."""
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    with contextlib.suppress(ConnectionError):  # what it did not like it says at its end
        process.stdin.write(words)
        await process.stdin.drain()
    for _ in range(answers):
        async with asyncio.timeout(TIMEOUT):
            answer = await process.stdout.readline()
        if not answer.endswith(b": ok\n"):
            err = (await process.stderr.read()).decode("utf-8", "replace")
            raise explain(err, "update-ref", await process.wait())


async def _end(process: asyncio.subprocess.Process, *unread: asyncio.StreamReader | None, ask: bool = True) -> None:
    """Ask git to stop (it then removes its lock files), and insist after two seconds; `unread` pipes are drained."""
    if ask:
        children.terminate(process)
    ended = asyncio.gather(process.wait(), *(stream.read() for stream in unread if stream is not None))
    try:
        await asyncio.wait_for(asyncio.shield(ended), 2)
    except TimeoutError:
        children.kill(process)
        with contextlib.suppress(TimeoutError):  # a program that git started may hold the pipes open for ever
            await asyncio.wait_for(ended, 2)
        process._transport.close()  # type: ignore[attr-defined]


async def _freed(err: str, attempt: int) -> bool:
    """Whether trying again makes sense in our own git directory: wait for a young lock, remove a stale one."""
    lock = lock_in_the_way(err)
    if lock is None:
        return False
    if not _removed_stale(lock):
        await asyncio.sleep(0.1 * 2**attempt)
    return True


def _removed_stale(lock: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        if time.time() - lock.stat().st_mtime <= STALE_LOCK:
            return False
        lock.unlink()
    return True


_versions: dict[str, tuple[int, ...]] = {}


async def check_version() -> tuple[int, ...]:
    """git's version; raises `RepositoryUnfit` below 2.38 (`merge-tree --write-tree` is needed for landing)."""
    name = executable(search_path())
    if name not in _versions:
        text = await Git(None).line("version")
        found = re.search(r"(?<!\d)(\d++)\.(\d++)(?:\.(\d++))?", text)
        _versions[name] = tuple(int(part or 0) for part in found.groups()) if found else (0,)
    version = _versions[name]
    if version[:2] < MINIMUM:
        raise RepositoryUnfit(
            f"git {'.'.join(map(str, version))} is too old.", hint="Install git 2.38 or newer and try again."
        )
    return version
