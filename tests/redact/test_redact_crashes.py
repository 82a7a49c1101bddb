"""A crash tells no secret, in whatever process it is: not in logs, not where the process prints (security §13.5)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop import keys
from devloop.cli import crash
from support import turns
from support.sown import Sown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
SEED = int(os.environ.get("DEVLOOP_TEST_SECRETS", "0")) or turns.number()

CRASH = """import logging, sys, threading
import {module} as module
text = open(sys.argv.pop(1)).read()
def breaks(*_, **__):
    logging.getLogger("some.library").error("it said %s", text)
    for at in range(0, len(text), 7):
        print(text[at : at + 7], end="", file=sys.stderr)
    print(file=sys.stderr)
    thread = threading.Thread(target=lambda: 1 / len([]) if not text else [][text.count("x") + 9 ** 9])
    thread.start(); thread.join()
    raise RuntimeError(text)
module.{name} = breaks
sys.exit(module.main(sys.argv[1:]))
"""
"""A process of devloop in which one function breaks, with everything in its words."""


def crashed(tmp: Path, sown: Sown, module: str, name: str, *arguments: str, told: bool) -> tuple[bytes, bytes]:
    """What such a process printed, and all files that it left. `told`: secrets come by standard input."""
    text, root = tmp / "text", tmp / "p"
    text.write_text(sown.text("crash"))
    root.mkdir(exist_ok=True)
    environment = {**os.environ, "DEVLOOP_STATE_DIR": str(tmp / "s"), "DEVLOOP_CONFIG_DIR": str(tmp / "c")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CRASH.format(module=module, name=name), str(text), *arguments],
        cwd=root,
        env=environment if told else {**environment, **sown.environment},
        input=json.dumps(sown.environment).encode() if told else b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0, done
    left = [path.read_bytes() for path in (tmp / "s").rglob("*.log")] if (tmp / "s").is_dir() else []
    return done.stdout + done.stderr, b"\n".join(left)


PROCESSES = {
    "terminal": ("devloop.cli.entry", "_alone", ("status",), False),
    "daemon": ("devloop.daemon.process", "Daemon", ("--root", ".", "--secrets"), True),
    "engine": ("devloop.engine.process", "held_lock", ("--root", ".", "--state", "../s", "--fd", "0"), True),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_no_crash_tells_a_secret(tmp_path: Path, process: str) -> None:
    """The traceback, what libraries log and print, a thread's own end: in logs and where the process prints."""
    module, name, arguments, told = PROCESSES[process]
    sown = Sown(SEED)
    (tmp_path / "s").mkdir(mode=0o700)
    printed, left = crashed(tmp_path, sown, module, name, *arguments, told=told)
    kept = left if process == "terminal" else left + printed  # its standard error is the log
    assert b"RuntimeError" in kept and "crash" in sown.reached([kept]), (printed[-2000:], left[-2000:])
    assert not sown.leaks([kept]), (SEED, sown.leaks([kept])[:3])
    if process == "terminal":
        assert b"something went wrong inside devloop" in printed.lower()


def test_a_crash_that_can_not_be_logged_tells_the_terminal_no_secret(tmp_path: Path) -> None:
    sown = Sown(SEED)
    (tmp_path / "s").write_text("no folder")
    text, root = tmp_path / "text", tmp_path / "p"
    value = sown.environment[sown.known("crash")[0]]
    text.write_text(value)
    root.mkdir()
    code = f"import devloop.cli.entry as e\ndef breaks(*_): raise RuntimeError({value!r})\ne._alone = breaks\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}raise SystemExit(e.main(['status']))"],
        cwd=root,
        env={**os.environ, **sown.environment, "DEVLOOP_STATE_DIR": str(tmp_path / "s")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert b"RuntimeError" in said and value.encode() not in said and "crash" in sown.reached([said]), said


def test_a_crash_of_a_command_tells_no_stored_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a shape that nobody knows, and in no variable."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "s"))
    key = Sown(SEED)._word(40)
    keys.store(key)
    crash.tell_crash(RuntimeError(f"it was {key}"), ["login"], as_json=False)
    logged = (tmp_path / "s" / "devloop.log").read_text()
    assert "RuntimeError" in logged and key not in logged
