"""What a person sees of a bug of ours: one sentence and where the rest is."""

from __future__ import annotations

import datetime
import os
import sys
import traceback
from pathlib import Path

from devloop import keys
from devloop.errors import DevloopError
from devloop.paths import state_root
from devloop.redact import Redactor, one_line


def tell_crash(problem: Exception, arguments: list[str], *, as_json: bool) -> None:
    """Log the traceback (redacted) and say where it is."""
    from devloop.cli.output import tell_error

    redactor = keys.redactor()
    place = _log(problem, arguments, redactor)
    where = f"The details are in {place}." if place else one_line(redactor.text(repr(problem)))
    tell_error(DevloopError("Something went wrong inside devloop.", hint=where), as_json=as_json)


def _log(problem: Exception, arguments: list[str], redactor: Redactor) -> Path | None:
    path = state_root() / "devloop.log"
    text = "".join(traceback.format_exception(problem))
    when = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # What a person typed may be private: the command's name is enough to find the place.
    command = next((word for word in arguments if not word.startswith("-")), "")
    entry = f"{when} {sys.platform} python {sys.version.split()[0]} command {one_line(command, 40)}\n{text}\n"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as stream:
            stream.write(redactor.text(entry))
    except OSError:
        return None
    return path
