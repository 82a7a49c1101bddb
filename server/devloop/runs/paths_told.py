"""Names of files as they are told: without secrets, which a name can hold as any text can.

A person names such a file as it was shown to them; here it is found again. Tags of placeholders differ from one engine
process to the next, so they don't count.

What the redactor knows is hidden always. What only a gate's scanner knew of a name is kept for the run beside its
transcript: by a keyed hash of the name, so that no file of devloop's holds the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from devloop.files import write_atomic
from devloop.lists import some
from devloop.redact import PLACEHOLDER, file_name
from devloop.redact.artefacts import name_without
from devloop.runs.services import Services
from devloop.workspace import FileStat, Skipped

_TAG: Final = re.compile(r":[0-9a-f]{4}»")
_FILE: Final = "hidden-names.json"
NAMED: Final = 5


class Names:
    """How names are told in lists of a run."""

    def __init__(self, services: Services, run: str) -> None:
        self._redactor = services.redactor
        try:
            data = json.loads((services.folder(run) / _FILE).read_bytes())
            self._key, self._hidden = bytes.fromhex(data["key"]), dict(data["names"])
        except (OSError, ValueError, KeyError, TypeError):
            self._key, self._hidden = b"", {}

    def __call__(self, path: str) -> str:
        folder, below = path, ""
        while self._hidden and folder:
            if (known := self._hidden.get(_digest(self._key, folder))) is not None:
                return f"{known}{name_without(self._redactor, below)}"
            folder, slash, last = folder.rpartition("/")
            below = f"{slash}{last}{below}"
        return name_without(self._redactor, path)

    def file(self, file: FileStat) -> dict[str, Any]:
        """A changed file for a list that people and clients see."""
        row = file.to_json()
        return row | {name: self(row[name]) for name in ("path", "old_path") if row[name] is not None}

    def patch(self, text: str, files: Iterable[FileStat]) -> str:
        """A patch of these files with their names as they are told; the redactor is another's work."""
        named = {path for file in files for path in (file.path, file.old_path) if path and self(path) != path}
        for path in sorted(named, key=len, reverse=True):
            text = text.replace(path, self(path))
        return text

    def meant(self, said: str, paths: Iterable[str | None]) -> str:
        """The one of `paths` that was shown as `said`; `said` itself where no secret was hidden in it, or where it
        could be more than one."""
        if PLACEHOLDER.search(said) is None:
            return said
        wanted = _TAG.sub("»", said)
        found = {path for path in paths if path is not None and _TAG.sub("»", self(path)) == wanted}
        return found.pop() if len(found) == 1 and said not in found else said


def shown(services: Services, run: str, paths: Iterable[str], limit: int = 200) -> list[str]:
    """Names for a sentence: without secrets first, then cut."""
    names = Names(services, run)
    return [file_name(names(path), limit) for path in paths]


def skipped(services: Services, run: str, files: Sequence[Skipped]) -> None:
    """Say what a snapshot leaves out."""
    if files:
        names = Names(services, run)
        told = some(files, NAMED, lambda each: f"{file_name(names(each.path), 100)} ({each.reason})")
        services.notice(run, f"left out of the snapshot: {told}")


def keep(services: Services, run: str, told: Mapping[str, str]) -> None:
    """What a gate found in names of the run's files: `told` has, by name of file or folder, how it is told."""
    place = services.folder(run) / _FILE
    if not told:
        place.unlink(missing_ok=True)
        return
    key = secrets.token_bytes(16)
    names = {_digest(key, path): said for path, said in told.items()}
    write_atomic(place, json.dumps({"key": key.hex(), "names": names}).encode("utf-8", "replace"), mode=0o600)


def _digest(key: bytes, path: str) -> str:
    return hmac.new(key, path.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
