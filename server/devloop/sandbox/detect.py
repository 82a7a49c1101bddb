"""Which sandbox this machine has, found by trying.

Order: bubblewrap, then (places kept for later backends) landlock as `degraded` and macOS' sandbox-exec, then none.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from devloop.sandbox import bubblewrap, orphans
from devloop.sandbox.canary import try_out
from devloop.sandbox.command import Detection
from devloop.sandbox.plain import Plain

Preferred = Literal["auto", "bubblewrap", "none"]

_found: dict[tuple[object, ...], Detection] = {}
_trials: dict[tuple[object, ...], asyncio.Task[Detection]] = {}
_APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
_NAMESPACES = Path("/proc/sys/user/max_user_namespaces")


async def detect(
    preferred: Preferred = "auto", *, accept_none: bool = False, candidates: Sequence[Path] = bubblewrap.CANDIDATES
) -> Detection:
    """The backend to use, after its canary held. The answer is kept for the life of the process; whoever gives up
    waiting for it leaves no half-done trial behind.

    `accept_none`: the person's own configuration says that commands may run without a sandbox. Without it (and unless
    `preferred` is `none`) the backend of a detection that is `off` runs trusted commands only and refuses others.
    """
    key = (preferred, accept_none, tuple(candidates))
    if key not in _found:
        trial = _trials.get(key)
        if trial is None or trial.get_loop() is not asyncio.get_running_loop():
            trial = _trials[key] = asyncio.create_task(_detect(preferred, accept_none, candidates))
        try:
            _found[key] = await asyncio.shield(trial)
        finally:
            if trial.done():
                _trials.pop(key, None)
    return _found[key]


async def _detect(preferred: Preferred, accept_none: bool, candidates: Sequence[Path]) -> Detection:
    if preferred == "none":
        reason = "The sandbox is switched off in your configuration (sandbox.backend = none)."
        return Detection(Plain(accepted=True), "off", reason, "Remove sandbox.backend from your config.toml.")
    off = Plain(accepted=accept_none)
    if sys.platform != "linux":
        return Detection(off, "off", f"There is no sandbox for {sys.platform} yet.", _OTHER.get(sys.platform, ""))
    present = [path for path in candidates if await asyncio.to_thread(path.is_file)]
    if not present:
        return Detection(off, "off", "bubblewrap is not installed.", _INSTALL)
    problems = []
    for program in present:
        backend = bubblewrap.Bubblewrap(program)
        await asyncio.to_thread(orphans.sweep, program)
        problem = await try_out(backend)
        if problem is None:
            return Detection(backend, "on", f"Commands run in bubblewrap ({program}).", "")
        problems.append(problem)
    return Detection(off, "off", problems[0], await asyncio.to_thread(_fix, problems[0]))


_INSTALL = "Install bubblewrap 0.8 or newer, e.g. `sudo apt install bubblewrap` or `sudo dnf install bubblewrap`."
_OTHER = {
    "darwin": "Seatbelt is not supported yet: work in a Linux virtual machine or container.",
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
