"""No secret in what a run commits: a gate of devloop's own on lines and names of files that are new, on the commit's
message, and on words that go out with it (a pull request's).

Known values and shapes are looked for always. Where the extra `secrets` is installed, betterleaks looks, too
(`scanning`). A person can accept exactly what was found.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from devloop.errors import UsageError
from devloop.files import write_atomic
from devloop.gates import Finding, GateResult
from devloop.lists import some
from devloop.redact import artefacts, file_name, one_line
from devloop.redact.artefacts import Hit, Leak
from devloop.runs import paths_told, reporting, scanning
from devloop.runs.services import Services
from devloop.shipping.checks import added
from devloop.workspace import Diff

NAME: Final = "secrets"
"""The gate's name."""
MESSAGE: Final = "the commit's message"
SENT: Final = {"pr_title": "the pull request's title", "pr_text": "the pull request's text"}
"""What of an agent's result goes out as it is, by its field."""
NAMES: Final = "\0names"
"""No path: the names are looked at as one text."""
NEW_NAMES: Final = ("A", "R", "C")
PATCH: Final = 16 << 20
BINARY: Final = 8 << 20
BINARIES: Final = 64 << 20
"""Bytes that are read of one file that is no text, and of all of them."""
NAMED: Final = 3


async def check(services: Services, run: str, commit: str) -> GateResult:
    """The gate's result. What can't be looked at is no pass."""
    row = services.store.run(run)
    assert row is not None
    begun = time.time()
    own = await services.workspace.own_commit(run, commit, since=row["base"])
    base, tip = own or (row["base"], commit)
    found = await services.workspace.diff(base, tip, limit=PATCH)
    message = await services.workspace.message(tip) if tip != row["base"] else ""
    lines = [*added(found.patch), *_lines(MESSAGE, message)]
    binaries, large = await _in_binaries(services, found, base, tip)
    lines += binaries
    sent = await asyncio.to_thread(_sent, services, run)
    lines += sent
    named = artefacts.names(each.path for each in found.files if each.status in NEW_NAMES)
    names = [(NAMES, n, text) for n, (_, text) in enumerate(named, 1)]
    key, accepted = await asyncio.to_thread(_kept, services)
    hits = await asyncio.to_thread(lambda: list(artefacts.hits([*lines, *names], services.redactor)))
    hits += artefacts.seams([*_lines(MESSAGE, message), *sent], services.redactor)
    told, scanned = await scanning.hits([*lines, *names], services.sandbox)
    hits = [*(each for each in hits if not _as_it_should_be(each)), *told]
    in_names = artefacts.in_names((each for each in hits if each.path == NAMES), named)
    new = [each for each in in_names if not await services.workspace.has(base, each.path)]
    leaks = artefacts.leaks([*(each for each in hits if each.path != NAMES), *new], key, accepted)
    leaks = _without_secrets(services, run, found, leaks, in_names)
    unlooked = None
    if large:
        told_of = some(paths_told.shown(services, run, large, 60), NAMED)
        unlooked = (
            f"not text, too large, and not looked at for secrets to the end: {told_of}. Commit such files yourself."
        )
    if found.truncated:
        unlooked = f"the change is larger than {PATCH >> 20} MiB, and was not looked at for secrets to its end"
    return GateResult(
        NAME,
        "security",
        "fail" if leaks else "unknown" if unlooked else "pass",
        _said(leaks) if leaks else unlooked or "no secret is in the change",
        started=begun,
        duration_s=time.time() - begun,
        tree=commit,
        findings=tuple(_finding(each) for each in leaks),
        notes=() if scanned else (scanning.UNLOOKED,),
    )


async def _in_binaries(
    services: Services, found: Diff, base: str, tip: str
) -> tuple[list[tuple[str, int, str]], list[str]]:
    """What is new in files that no diff shows, as lines, and those that are too large to be read to their end."""
    lines: list[tuple[str, int, str]] = []
    large: list[str] = []
    left = BINARIES
    for file in found.files:
        if not file.binary or file.status == "D":
            continue
        now = await services.workspace.blob(tip, file.path, limit=min(left, BINARY)) or b""
        was = await services.workspace.blob(base, file.old_path or file.path, limit=BINARY) or b""
        left -= len(now)
        if len(now) >= BINARY or left <= 0:
            large.append(file.path)
        old, new = (
            await asyncio.to_thread(_readable, file.path, was),
            await asyncio.to_thread(_readable, file.path, now),
        )
        known = {text for _, _, text in old}
        lines += [each for each in new if each[2] not in known]
    return lines, large


def _lines(where: str, text: str) -> list[tuple[str, int, str]]:
    return [(where, number, line) for number, line in enumerate(text.splitlines(), 1)]


def _sent(services: Services, run: str) -> list[tuple[str, int, str]]:
    data = (reporting.report(services, run) or {}).get("data")
    if not isinstance(data, Mapping):
        return []
    return [line for field, where in SENT.items() for line in _lines(where, str(data.get(field) or ""))]


def _as_it_should_be(hit: Hit) -> bool:
    """A secret in these words was hidden before: what stands for it does no harm there."""
    return hit.rule == artefacts.PLACEHOLDER_RULE and hit.path in (MESSAGE, *SENT.values())


def _without_secrets(
    services: Services, run: str, found: Diff, leaks: Sequence[Leak], in_names: Sequence[Hit]
) -> tuple[Leak, ...]:
    """With paths as they may be told; what hides a secret of them does so in every list of this run, too."""
    values = {each.value for each in in_names if each.rule != "known-value"}
    told = {each.path: artefacts.name_without(services.redactor, each.path, values) for each in leaks}
    named = {each.path for each in leaks if not each.line}
    open_ones = {
        each.value for each in in_names if each.path in named
    }  # a person said of the others that they are none
    changed = {path for file in found.files for path in (file.path, file.old_path) if path}
    hidden = {
        path: artefacts.name_without(services.redactor, path, open_ones)
        for path in (*named, *changed)
        if any(value in path for value in open_ones)
    }
    paths_told.keep(services, run, hidden)
    return tuple(replace(each, path=told[each.path]) for each in leaks)


def _readable(path: str, data: bytes) -> list[tuple[str, int, str]]:
    return list(artefacts.words(path, data))


def _said(leaks: Sequence[Leak]) -> str:
    return some(leaks, NAMED, lambda each: f"{_place(each)} {each.rule}", "; ")


def _place(leak: Leak) -> str:
    return f"{file_name(leak.path, 60)}:{leak.line}" if leak.line else f"the name {file_name(leak.path, 60)}"


def of_a_name(message: str) -> bool:
    """Whether a finding of this message is about a path and not about a line."""
    return message.startswith(artefacts.ITS_NAME)


def _finding(leak: Leak) -> Finding:
    return Finding(NAME, leak.rule, "error", leak.said, leak.path, max(0, leak.line - 1), fingerprint=leak.id)


# What a person accepted


def _file(services: Services) -> Path:
    return services.state.path / "not-secret.json"


def _kept(services: Services) -> tuple[bytes, dict[str, Any]]:
    """The key of ids in this workspace, and what was accepted by id. A file that is broken accepts nothing."""
    try:
        data = json.loads(_file(services).read_bytes())
        return bytes.fromhex(data["key"]), dict(data["accepted"])
    except (OSError, ValueError, KeyError, TypeError):
        key = secrets.token_bytes(16)
        _write(services, key, {})
        return key, {}


def _write(services: Services, key: bytes, accepted: dict[str, Any]) -> None:
    data = json.dumps({"key": key.hex(), "accepted": accepted}, indent=1)
    write_atomic(_file(services), data.encode("utf-8", "replace"), mode=0o600)


def accept(services: Services, row: dict[str, Any], ids: Any) -> tuple[str, ...]:
    """A person says that these findings of the run's commit are no secrets. Raises `UsageError` for what was not
    found there: nothing is accepted in advance."""
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise UsageError("not_secret is a list of ids.")
    commit = row["commit_id"]
    known = {
        each["fingerprint"]: each
        for result in (services.store.gates(row["id"], commit) if commit else [])
        if result["gate"] == NAME
        for each in result["findings"]
    }
    if unknown := [each for each in ids if each not in known]:
        hint = f"There are: {', '.join(known)}." if known else "No gate found a secret in its work."
        raise UsageError(f"{one_line(unknown[0], 40)!r} is no finding of {row['id']}.", hint=hint)
    key, accepted = _kept(services)
    for each in ids:
        accepted[each] = {"path": known[each]["file"], "rule": known[each]["rule"], "run": row["id"], "at": time.time()}
    _write(services, key, accepted)
    return tuple(ids)
