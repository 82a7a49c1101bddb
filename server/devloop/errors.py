"""Every error a person can meet, as one small tree.

    DevloopError                what went wrong, and in `hint` what to do about it
    ├── UsageError              the call itself is wrong: unknown task, bad argument            (exit 2)
    │   └── NotFound            the thing that was named does not exist                         (exit 2)
    ├── Refused                 devloop will not do this in the present state                   (exit 4)
    │   ├── RepositoryUnfit     no git, bare, no commit yet, locked index, ...                  (exit 4)
    │   ├── Untrusted           the repository declares something nobody has trusted yet        (exit 4)
    │   ├── SandboxMissing      unattended work without a sandbox                               (exit 4)
    │   ├── NoModel             no key, no scenario: nothing could answer                       (exit 4)
    │   └── LandingRefused      the commits can't reach the branch cleanly; `files` says where  (exit 4)
    ├── StaleEdit               the text is no longer what the edit was computed for            (exit 1)
    ├── StorageError            disk full, read-only directory, broken record                   (exit 1)
    └── Unavailable             daemon or engine can't be reached or started                    (exit 1)

Only these reach a person. Everything else is a bug: it is logged with its traceback, and the person sees one
sentence with the place of the log. `kind` is the stable name used in JSON and in JSON-RPC errors.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DevloopError(Exception):
    """`message` is one sentence for people; `hint` says what to do next; `details` is plain JSON."""

    kind: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    @property
    def sentences(self) -> str:
        """Message and hint as running text: each ends as a sentence does."""
        return " ".join(map(as_sentence, filter(None, (self.message, self.hint))))

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "message": self.message, "hint": self.hint, **self.details}


def as_sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…", ":")) else f"{text}."


class UsageError(DevloopError):
    kind = "usage"
    exit_code = 2


class NotFound(UsageError):
    kind = "not_found"


class Refused(DevloopError):
    kind = "refused"
    exit_code = 4


class RepositoryUnfit(Refused):
    kind = "repository_unfit"


class Untrusted(Refused):
    kind = "untrusted"


class SandboxMissing(Refused):
    kind = "sandbox_missing"


class NoModel(Refused):
    kind = "no_model"


class LandingRefused(Refused):
    kind = "landing_refused"

    def __init__(self, message: str, *, hint: str = "", files: tuple[str, ...] = (), **details: Any) -> None:
        super().__init__(message, hint=hint, files=list(files), **details)
        self.files = files


class StaleEdit(DevloopError):
    kind = "stale_edit"


class StorageError(DevloopError):
    kind = "storage"


class Unavailable(DevloopError):
    kind = "unavailable"


def _tree(root: type[DevloopError]) -> dict[str, type[DevloopError]]:
    found = {root.kind: root}
    for child in root.__subclasses__():
        found.update(_tree(child))
    return found


def from_json(data: dict[str, Any]) -> DevloopError:
    """The error that `to_json` came from; an unknown `kind` becomes a plain `DevloopError`."""
    values = dict(data)
    cls = _tree(DevloopError).get(str(values.pop("kind", "error")), DevloopError)
    message = str(values.pop("message", "unknown error"))
    hint = str(values.pop("hint", ""))
    if issubclass(cls, LandingRefused):
        values["files"] = tuple(values.get("files", ()))
    return cls(message, hint=hint, **values)
