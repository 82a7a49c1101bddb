"""The daemon's log file: rotating, redacted, readable by its owner only."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from devloop.redact import Redactor

MAX_BYTES = 1_000_000
KEPT = 3


class RedactingFormatter(logging.Formatter):
    """Hides secrets in the whole record, tracebacks included."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.text(super().format(record))


def log_to(path: Path, redactor: Redactor) -> logging.Handler:
    """Send the process's log to `path`. Call it once; the umask decides that only the owner may read it."""
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8", errors="backslashreplace"
    )
    handler.setFormatter(RedactingFormatter(redactor))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    return handler
