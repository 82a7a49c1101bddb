"""What a run's work does to the checks: found for every checkpoint, and a gate of devloop's own (gates §5.6)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Any, Final

from devloop import gates
from devloop.gates import Finding, GateResult, Guard, guard_allowed, guard_commands, guard_files, guard_named
from devloop.gates.guard_shadows import NOTHING, Around
from devloop.lists import some
from devloop.redact import one_line
from devloop.runs import allowing
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.runs.tooling import environment
from devloop.workspace import Diff

NAME: Final = "checks"
"""devloop's own gate: it fails where work changes what checks it and `gates.guard` is "block"."""
PATCH: Final = 8 << 20
READ: Final = 400
"""Files of which both texts are read. Of more, lines alone are looked at, and that is told."""
CONFIGURED: Final = 40
"""Configurations of the base tree that are read: the ones above what changed first."""
ROUNDS: Final = 8
SCRIPT: Final = 256 << 10
"""How deep scripts that run scripts are followed, and bytes of one that is read."""
NAMED: Final = 5


async def changes(services: Services, spec: RunSpec, base: str, commit: str) -> tuple[Guard, ...]:
    """Everything that the work changes about its checks. What can't be looked at is one more entry, never nothing."""
    return await of(services, spec, await services.workspace.diff(base, commit, limit=PATCH), base, commit)


async def of(services: Services, spec: RunSpec, found: Diff, base: str, commit: str) -> tuple[Guard, ...]:
    """`changes` for a difference that is known; its patch is not cut at less than `PATCH`."""
    judges = await judging(services, base) if found.files else {}
    around = await surroundings(services, found, base, judges) if found.files else NOTHING
    wanted = [
        file
        for file in found.files
        if guard_named.is_read(file.path, around) or guard_named.is_read(file.old_path or "", around)
    ]
    now = await services.workspace.texts(commit, [file.path for file in wanted[:READ]])
    was = await services.workspace.texts(base, [file.old_path or file.path for file in wanted[:READ]])
    no_text = dict.fromkeys(path for texts in (now, was) for path, text in texts.items() if text is None)
    unread = [*no_text, *(file.path for file in wanted[READ:])]
    listed = await asyncio.to_thread(gates.changes_to_checks, found.patch, now.get, was.get, around)
    if unread:
        told = f"{len(unread)} of {len(wanted)} files that are compared whole: their lines alone were looked at"
        listed = (*listed, Guard("unread", unread[0], 0, told))
    known = {each.file for each in listed if each.kind == "configuration"}
    for file in found.files:
        gate = judges.get(file.path) or judges.get(file.old_path or "")
        if gate and file.path not in known:
            told = f"changed (+{file.added} −{file.deleted}): the check {gate} runs it"
            listed = (*listed, Guard("configuration", file.path, 0, told))
    if found.truncated:
        told = f"the change is larger than {PATCH >> 20} MiB: what follows here was not looked at"
        listed = (*listed, Guard("unread", found.files[-1].path if found.files else "", 0, told))
    named = allowing.names(services, spec)
    if not named:
        return listed
    files = allowing.files_of(found)
    return await asyncio.to_thread(guard_allowed.allow, listed, named, files, now.get, was.get)


async def surroundings(services: Services, found: Diff, base: str, judges: Collection[str]) -> Around:
    """What of the base tree decides what the change means: its files, what its configuration and the files that its
    checks run (`judges`) name, what is installed where they run."""
    paths = await services.workspace.below(base, (".",))
    changed = {path for file in found.files for path in (file.path, file.old_path) if path}
    above = {folder for path in changed for folder in guard_files.with_folders(path)}
    configurations = [path for path in paths if guard_named.names_files(path, run=path in judges)]
    configurations.sort(key=lambda path: (path.rpartition("/")[0] not in {"", *above}, path.count("/"), path))
    texts = await services.workspace.texts(base, configurations[:CONFIGURED], limit=SCRIPT)
    known = {path: text for path, text in texts.items() if text is not None}
    installed = (await environment(services)).modules
    return await asyncio.to_thread(guard_named.around, known, paths, changed, installed)


async def judging(services: Services, base: str) -> Mapping[str, str]:
    """Paths that a declared check runs, by their text on the base tree, each with its name: what is trusted is the
    command alone."""
    texts: dict[str, str | None] = {}
    for _ in range(ROUNDS):
        missing: set[str] = set()

        def read(path: str, missing: set[str] = missing) -> str | None:
            if path not in texts:
                missing.add(path)
            return texts.get(path)

        found = {
            path: name
            for name, gate in services.settings.gates.items()
            for path in guard_commands.run_by(gate.command, str(services.root), read)
        }
        if not missing:
            break
        asked = sorted(missing)[:READ]
        texts.update(dict.fromkeys(asked) | await services.workspace.texts(base, asked, limit=SCRIPT))
    return found


async def check(services: Services, run: str, commit: str) -> tuple[GateResult, tuple[Guard, ...]]:
    """The gate's result on the run's own change, and what it found. It fails only for what a person has to see, and
    only where `gates.guard` is "block"."""
    row = services.store.run(run)
    assert row is not None
    own = await services.workspace.own_commit(run, commit, since=row["base"])
    listed = await changes(services, services.spec(run), *(own or (row["base"], commit)))
    holds = any(each.holds for each in listed)
    blocks = holds and services.settings.guarding.guard == "block"
    told = [clean(services, each) for each in listed]
    result = GateResult(
        NAME,
        "other",
        "fail" if blocks else "pass",
        _said(listed) if listed else "the work changes nothing that checks it",
        started=time.time(),
        tree=commit,
        findings=tuple(Finding("devloop", g["kind"], "error", g["text"], g["file"], g["line"]) for g in told),
        required=blocks,
    )
    return result, listed


def clean(services: Services, found: Guard) -> dict[str, Any]:
    """As people are told of it: without secrets first, then cut."""
    told: dict[str, Any] = services.redactor.data(found.to_json())
    return told | {"text": one_line(told["text"])}


def _said(listed: tuple[Guard, ...]) -> str:
    return f"the work changes what checks it: {some(listed, NAMED, lambda each: f'{each.place} ({each.kind})')}"
