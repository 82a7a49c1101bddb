"""No secret in what a run commits: a gate of devloop's own on the lines that are new, and on the commit's message.

Known values and shapes are looked for always. Where the extra `secrets` is installed, betterleaks looks, too: in a
process of its own in the sandbox, because it is given what an agent wrote. A person can accept exactly what was found.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from devloop import sandbox
from devloop.errors import UsageError
from devloop.files import write_atomic
from devloop.gates import Finding, GateResult
from devloop.redact import artefacts, file_name, one_line
from devloop.redact.artefacts import Hit, Leak, Lines
from devloop.runs.services import Services
from devloop.shipping.checks import added
from devloop.workspace import Diff

log = logging.getLogger(__name__)

NAME: Final = "secrets"
"""The gate's name."""
MESSAGE: Final = "the commit's message"
PATCH: Final = 16 << 20
BINARY: Final = 8 << 20
BINARIES: Final = 64 << 20
"""Bytes that are read of one file that is no text, and of all of them."""
WALL_S: Final = 60.0
NAMED: Final = 3
_ALLOWED: Final = re.compile(r"(gitleaks|betterleaks)(\s*:\s*allow)", re.IGNORECASE)
"""A scanner's own word for "overlook this line": whoever wrote the line must not be the one who excuses it."""
_WORD: Final = re.compile(r"[A-Za-z0-9_+/=.~-]{10,}")
_DIGIT: Final = re.compile(r"[0-9]")
_PROGRAM: Final = """
import json, sys
job = json.load(sys.stdin)
sys.path.insert(0, job["packages"])
import betterleaks
found = []
for number, text in enumerate(job["texts"]):
    for each in betterleaks.scan_string(text)[:100]:
        found.append([number, each.location.start_line, each.rule_id, each.secret])
json.dump(found[:1000], sys.stdout)
"""


async def check(services: Services, run: str, commit: str) -> GateResult:
    """The gate's result. What can't be looked at is no pass."""
    row = services.store.run(run)
    assert row is not None
    begun = time.time()
    own = await services.workspace.own_commit(run, commit, since=row["base"])
    base, tip = own or (row["base"], commit)
    found = await services.workspace.diff(base, tip, limit=PATCH)
    message = await services.workspace.message(tip) if tip != row["base"] else ""
    lines = [*added(found.patch), *((MESSAGE, n, text) for n, text in enumerate(message.splitlines(), 1))]
    binaries, large = await _in_binaries(services, found, base, tip)
    lines += binaries
    key, accepted = await asyncio.to_thread(_kept, services)
    hits = await asyncio.to_thread(lambda: list(artefacts.hits(lines, services.redactor)))
    told, scanned = await _betterleaks(services, lines)
    hits = [each for each in hits if (each.path, each.rule) != (MESSAGE, artefacts.PLACEHOLDER_RULE)]  # as it should be
    leaks = artefacts.leaks([*hits, *told], key, accepted)
    note = () if scanned else ("betterleaks did not look: devloop's own patterns did",)
    if large:
        named = ", ".join(one_line(path, 60) for path in large[:NAMED])
        note = (*note, f"not text, and not looked at behind {BINARY >> 20} MiB: {named}")
    if found.truncated:
        reason = f"the change is larger than {PATCH >> 20} MiB and was not looked at for secrets to its end"
        return GateResult(NAME, "security", "unknown", reason, started=begun, tree=commit, notes=note)
    return GateResult(
        NAME,
        "security",
        "fail" if leaks else "pass",
        _said(leaks) if leaks else "no secret is in the change",
        started=begun,
        duration_s=time.time() - begun,
        tree=commit,
        findings=tuple(_finding(each) for each in leaks),
        notes=note,
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


def _readable(path: str, data: bytes) -> list[tuple[str, int, str]]:
    return list(artefacts.words(path, data))


def _said(leaks: Sequence[Leak]) -> str:
    named = "; ".join(f"{file_name(each.path, 60)}:{each.line} {each.rule} [{each.id}]" for each in leaks[:NAMED])
    more = f" and {len(leaks) - NAMED} more" if len(leaks) > NAMED else ""
    return f"{named}{more}; what is no secret: decide recheck --not-secret ID"


def _finding(leak: Leak) -> Finding:
    return Finding(NAME, leak.rule, "error", leak.said, leak.path, leak.line - 1, fingerprint=leak.id)


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


# betterleaks


def installed() -> Path | None:
    """The folder that holds the package `betterleaks`; it is not loaded here."""
    found = importlib.util.find_spec("betterleaks")
    return Path(found.origin).parent.parent if found is not None and found.origin else None


def _worth_a_look(text: str) -> bool:
    """Without a word of some length that has a digit in it there is nothing that a scanner could find."""
    return any(_DIGIT.search(word[0]) for word in _WORD.finditer(text))


async def _betterleaks(services: Services, lines: Lines) -> tuple[list[Hit], bool]:
    """What it found, and whether it looked."""
    packages = installed()
    if packages is None:
        return [], False
    each = await asyncio.to_thread(lambda: [found for found in artefacts.files(lines) if _worth_a_look(found[2])])
    if not each:
        return [], True
    clean = [_ALLOWED.sub(r"\1-\2", text.replace("\0", " ")) for _, _, text in each]
    job = {"packages": str(packages), "texts": [text.encode("utf-8", "replace").decode() for text in clean]}
    place = packages / "betterleaks"
    detected = await services.sandbox()
    done = await detected.backend.run(
        sandbox.Command(
            argv=(sys.executable, "-I", "-S", "-c", _PROGRAM),
            cwd=Path("/"),
            mounts=(sandbox.Mount(place, place), *sandbox.toolchain_mounts([Path(sys.executable)])),
            env=sandbox.environment(Path("/tmp/home")),  # noqa: S108 - inside the sandbox
            limits=sandbox.Limits(wall_s=WALL_S, memory_bytes=4 * sandbox.GIB, output_bytes=4 << 20),
            stdin=json.dumps(job).encode(),
            trusted=True,
        )
    )
    try:
        if done.exit_code != 0:
            raise ValueError(one_line(done.output[-300:]))
        found = json.loads(done.output)
        return [Hit(each[n][0], each[n][1][line - 1], rule, value) for n, line, rule, value in found], True
    except (ValueError, IndexError, TypeError) as problem:
        log.warning("betterleaks did not look: %s", one_line(str(problem)))
        return [], False
