"""betterleaks, where the extra `secrets` is installed: a second look for secrets in whatever is about to leave.

It runs in a process of its own in the sandbox, for a bounded time, because it is given what agents and repositories
wrote. What it can't look at is told as not looked at, and devloop's own patterns (`redact`) have looked all the same.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from devloop import sandbox
from devloop.redact import Redactor, artefacts, one_line, tail
from devloop.redact.artefacts import Hit, Lines

log = logging.getLogger(__name__)

Sandbox = Callable[[], Awaitable[sandbox.Detection]]

WALL_S: Final = 60.0
"""So long it may look at a commit."""
WORDS_WALL_S: Final = 20.0
"""So long at a few words for which somebody waits."""
UNLOOKED: Final = "betterleaks did not look: devloop's own patterns did"
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


def installed() -> Path | None:
    """The folder that holds the package `betterleaks`; it is not loaded here."""
    found = importlib.util.find_spec("betterleaks")
    return Path(found.origin).parent.parent if found is not None and found.origin else None


async def hits(lines: Lines, detect: Sandbox, *, wall_s: float = WALL_S) -> tuple[list[Hit], bool]:
    """What it found in these lines, and whether it looked. `detect` answers with the sandbox that it runs in."""
    packages = installed()
    if packages is None:
        return [], False
    each = await asyncio.to_thread(lambda: [found for found in artefacts.files(lines) if _worth_a_look(found[2])])
    if not each:
        return [], True
    clean = [_ALLOWED.sub(r"\1-\2", text.replace("\0", " ")) for _, _, text in each]
    job = {"packages": str(packages), "texts": [text.encode("utf-8", "replace").decode() for text in clean]}
    place = packages / "betterleaks"
    detected = await detect()
    done = await detected.backend.run(
        sandbox.Command(
            argv=(sys.executable, "-I", "-S", "-c", _PROGRAM),
            cwd=Path("/"),
            mounts=(sandbox.Mount(place, place), *sandbox.toolchain_mounts([Path(sys.executable)])),
            env=sandbox.environment(Path("/tmp/home")),  # noqa: S108 - inside the sandbox
            limits=sandbox.Limits(wall_s=wall_s, memory_bytes=4 * sandbox.GIB, output_bytes=4 << 20),
            stdin=json.dumps(job).encode(),
            trusted=True,
        )
    )
    try:
        if done.exit_code != 0:
            raise ValueError(one_line(tail(done.output, 300), 300))
        found = json.loads(done.output)
        return [Hit(each[n][0], each[n][1][line - 1], rule, value) for n, line, rule, value in found], True
    except (ValueError, IndexError, TypeError) as problem:
        log.warning("betterleaks did not look: %s", one_line(str(problem)))
        return [], False


def _worth_a_look(text: str) -> bool:
    """Without a word of some length that has a digit in it there is nothing that a scanner could find."""
    return any(_DIGIT.search(word[0]) for word in _WORD.finditer(text))


async def hidden(texts: Sequence[str], redactor: Redactor, detect: Sandbox) -> list[str]:
    """Single lines as they may be written down elsewhere: without what either look finds in them."""
    clean = [redactor.text(text) for text in texts]
    found, _ = await hits([(str(at), 1, text) for at, text in enumerate(clean)], detect, wall_s=WORDS_WALL_S)
    for hit in found:
        at = int(hit.path)
        clean[at] = clean[at].replace(hit.value, redactor.told(hit.rule, hit.value))
    return clean
