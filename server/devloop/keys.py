"""Keys for models that a person stored with `devloop login`, each for one service.

In the system's keyring where one really works (the extra `keyring`), else in a file of mode 0600 in the state
directory: the configuration directory is what people share among machines. The file also says what is in the keyring,
so that nobody who has stored nothing waits for one. A key is stored with the base URL that it is for and is given to no
other, so that a URL from elsewhere never gets it. It is read when it is needed, after a process began, because the
environment that a process begins with can be read by others of the same user (security §9.1).
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import stat
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from devloop.errors import DevloopError, Refused, StorageError, UsageError
from devloop.files import write_atomic
from devloop.paths import state_root

if TYPE_CHECKING:
    from devloop.redact import Redactor

SERVICE: Final = "devloop"
DEFAULT_URL: Final = "https://api.anthropic.com"
NAME: Final = "keys.json"
MAX_LENGTH: Final = 4096
MIN_LENGTH: Final = 8
MAX_FILE: Final = 64 * 1024
PATIENCE_S: Final = 5.0
"""How long a keyring may think: one that is locked asks the person, who may not be there."""
_WELL_ENOUGH: Final = 1
"""keyring's own measure: "a priority of at least 1 is recommended". Plain text, `null` and `fail` lie below."""

T = TypeVar("T")
_told: set[tuple[str, str]] = set()


@dataclass(frozen=True)
class Stored:
    """`kind`: where it is kept; `place`: the keyring's name or the file's path."""

    kind: Literal["keyring", "file"]
    place: str
    key: str

    def __repr__(self) -> str:
        return f"Stored({self.kind!r}, {self.place!r})"


def url_of(base_url: str | None) -> str:
    """The service that a base URL names, in one spelling."""
    return (base_url or DEFAULT_URL).strip().rstrip("/") or DEFAULT_URL


def checked(key: str) -> str:
    """`key` as it is stored. Raises `UsageError` for what can be none; never says it."""
    found = key.strip()
    if not found:
        raise UsageError("There was no key to store.", hint="Type or paste it at the prompt, or pipe it in.")
    if len(found) < MIN_LENGTH or len(found) > MAX_LENGTH or not found.isascii() or not found.isprintable():
        raise UsageError("That is no key: it is too short, too long, or has characters in it that no key has.")
    if " " in found:
        raise UsageError("That is no key: there is a space in it.", hint="Pipe in the key alone, on one line.")
    return found


def find(base_url: str | None = None) -> Stored | None:
    """The key for a service. Raises `Refused` for a file that others can read, and for a keyring that is silent."""
    url = url_of(base_url)
    kept = _read()
    if url not in kept:
        return None
    if (key := kept[url]) is not None:
        return Stored("file", str(file()), key)
    backend = _backend()
    key = _patiently(lambda: backend.get_password(SERVICE, url)) if backend is not None else None
    if not isinstance(key, str) or not key:
        raise Refused("The keyring does not give the key that is stored in it.", hint="Unlock it, or `devloop login`.")
    return Stored("keyring", _name(backend), key)


def redactor() -> Redactor:
    """Knows every secret that this process may meet: its environment, what it was told (`tell`), and the keys that are
    stored, for whatever service. Not on a loop: a keyring may take long."""
    from devloop.redact import Redactor  # which takes its time to load

    made = Redactor.of_environment()
    for name, value in list(_told):
        made.add(name, value)
    with contextlib.suppress(DevloopError):
        for url in _read():
            with contextlib.suppress(DevloopError):
                if (kept := find(url)) is not None:
                    made.add("key", kept.key)
    return made


def tell(name: str, value: str) -> None:
    """Let each `redactor` that is made from now on know a secret that came to this process in another way."""
    _told.add((name, value))


def stored(base_url: str | None = None) -> bool:
    """Whether a key is kept for a service. Asks no keyring, which may take long: the file says what is in it. One that
    `find` would refuse keeps none."""
    with contextlib.suppress(Refused):
        return url_of(base_url) in _read()
    return False


def store(key: str, base_url: str | None = None) -> Stored:
    """Keep `key`, in one place only. Raises `UsageError`, `StorageError`, or `Refused` for a file that others can
    read."""
    key, url = checked(key), url_of(base_url)
    kept = _read()
    backend = _backend()
    if backend is not None and _works(backend) and _patiently(lambda: _put(backend, url, key)):
        _write({**kept, url: None})
        return Stored("keyring", _name(backend), key)
    _write({**kept, url: key})
    return Stored("file", str(file()), key)


def remove(base_url: str | None = None) -> Literal["keyring", "file"] | None:
    """Forget the key for a service; the answer says where there was one. Raises `Refused` for a keyring that keeps it
    all the same."""
    url = url_of(base_url)
    kept = _read()
    if url not in kept:
        return None
    in_keyring = kept.pop(url) is None
    if in_keyring:
        backend = _backend()
        if backend is None or not _patiently(lambda: _drop(backend, url)):
            raise Refused("The keyring did not remove the key.", hint="Unlock it and try again.")
    _write(kept)
    return "keyring" if in_keyring else "file"


# The file


def file() -> Path:
    return state_root() / NAME


def _read() -> dict[str, str | None]:
    """Keys by URL; None: it is in the keyring. The file is opened once and looked at by its descriptor: no link, nobody
    else's, nobody else's to read."""
    path = file()
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return {}
    except OSError as problem:
        raise Refused(f"{path} was not read: {problem.strerror}.", hint="Remove it, then `devloop login`.") from None
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Refused(f"{path} is no file.", hint="Remove it, then `devloop login`.")
        if sys.platform != "win32" and found.st_uid != os.geteuid():
            raise Refused(f"{path} belongs to somebody else.", hint="Remove it, then `devloop login`.")
        if sys.platform != "win32" and found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise Refused(
                f"Others can read {path} (mode {mode:o}), so its key is not used.",
                hint=f"chmod 600 {path}; if others could read it for long, get a new key.",
            )
        data = stream.read(MAX_FILE)
    with contextlib.suppress(ValueError):
        kept = json.loads(data)
        if isinstance(kept, dict):
            return {str(url): key for url, key in kept.items() if isinstance(key, str) or key is None}
    raise Refused(f"{path} can't be understood.", hint="Remove it, then `devloop login`.")


def _write(kept: dict[str, str | None]) -> None:
    path = file()
    try:
        if not kept:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageError(f"{path} could not be changed: {problem.strerror}.") from problem
    write_atomic(path, (json.dumps(kept, indent=1) + "\n").encode(), mode=0o600)


# The keyring


def _backend() -> Any:
    """The keyring that the system has, if it is one that keeps secrets; of several joined ones the first such."""
    try:
        import keyring  # an extra; it also loads whatever backends other packages bring
    except Exception:
        return None

    def choose() -> Any:
        chosen = keyring.get_keyring()
        for each in getattr(chosen, "backends", None) or [chosen]:
            if each.priority >= _WELL_ENOUGH and "plaintext" not in type(each).__name__.lower():
                return each
        return None

    return _patiently(choose)


def _name(backend: Any) -> str:
    return str(getattr(backend, "name", type(backend).__name__))


def _works(backend: Any) -> bool:
    """Whether it gives back what it got: some say that they keep it, and don't."""
    probe, name = secrets.token_hex(16), f"round trip {secrets.token_hex(4)}"

    def there_and_back() -> bool:
        backend.set_password(SERVICE, name, probe)
        try:
            return bool(backend.get_password(SERVICE, name) == probe)
        finally:
            backend.delete_password(SERVICE, name)

    return bool(_patiently(there_and_back))


def _put(backend: Any, url: str, key: str) -> bool:
    backend.set_password(SERVICE, url, key)
    return bool(backend.get_password(SERVICE, url) == key)


def _drop(backend: Any, url: str) -> bool:
    if backend.get_password(SERVICE, url):
        backend.delete_password(SERVICE, url)
    return not backend.get_password(SERVICE, url)


def _patiently(ask: Callable[[], T]) -> T | None:
    """What `ask` says; None when it breaks or takes too long. A keyring that hangs must not hold anybody up."""
    answer: list[T] = []

    def asking() -> None:
        with contextlib.suppress(Exception):
            answer.append(ask())

    thread = threading.Thread(target=asking, daemon=True, name="keyring")
    thread.start()
    thread.join(PATIENCE_S)
    return answer[0] if answer else None


# The process that holds a key


def close_to_others() -> bool:
    """No other process of the same user may look into this one: not `/proc/PID/environ`, not its memory, no debugger;
    and it leaves no core dump (Linux, `PR_SET_DUMPABLE`, prctl(2)). What it starts is not concerned: `execve` sets that
    back. `DEVLOOP_DEBUG=1` leaves the process open, for a debugger or a profiler. Answers whether it is closed."""
    if sys.platform != "linux" or os.environ.get("DEVLOOP_DEBUG") == "1":
        return False
    import ctypes

    set_dumpable = 4  # PR_SET_DUMPABLE, linux/prctl.h
    with contextlib.suppress(OSError, AttributeError):
        return bool(ctypes.CDLL(None, use_errno=True).prctl(set_dumpable, 0, 0, 0, 0) == 0)
    return False
