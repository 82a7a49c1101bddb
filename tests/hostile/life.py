"""A person in a hostile repository, with the program and a strict double of the model; and what came out of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.daemon.endpoint import announced
from devloop.paths import StateDir
from double import Double
from hostile.attacks import ATTACKS, files
from hostile.ground import Ground
from support.programs import on_terminal

_COLOUR = re.compile(r"\x1b\[[\d;]*m")
PROGRAM = (sys.executable, "-P", "-m", "devloop.cli.entry")  # as the installed script: not looking where it stands


@dataclass
class Life:
    """`long`: with a crash of the daemon and two more runs. `screens`: (place, text) of what people see."""

    ground: Ground
    double: Double
    long: bool = False
    screens: list[tuple[str, str]] = field(default_factory=list)
    markdown: list[tuple[str, str]] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)
    landed: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    @property
    def state(self) -> StateDir:
        with variables(self.environment()):
            return StateDir.of(self.ground.root)

    def environment(self) -> dict[str, str]:
        return {
            **self.ground.environment(),
            "ANTHROPIC_API_KEY": self.double.key,
            "ANTHROPIC_BASE_URL": self.double.url,
        }

    def __post_init__(self) -> None:
        self._forks: subprocess.Popen[bytes] | None = None

    def process(self, *arguments: str) -> dict[str, Any]:
        """A command as a process of its own, from the interpreter's start on."""
        done = subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.ground.root,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return self._took(
            arguments, done.returncode, *(each.decode("utf-8", "replace") for each in (done.stdout, done.stderr))
        )

    def __call__(self, *arguments: str) -> dict[str, Any]:
        """A command, in a process that had devloop loaded; with `--json` its answer."""
        if self._forks is None:
            forks = [sys.executable, "-P", str(Path(__file__).parent / "forks.py")]
            self._forks = subprocess.Popen(
                forks, cwd=self.ground.root, env=self.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._forks.stdin is not None and self._forks.stdout is not None
        self._forks.stdin.write(json.dumps(arguments).encode() + b"\n")
        self._forks.stdin.flush()
        return self._took(arguments, *json.loads(self._forks.stdout.readline()))

    def terminal(self, *arguments: str) -> None:
        """A command on a terminal: what it writes there."""
        data = on_terminal([*PROGRAM, *arguments], self.ground.root, self.environment(), 2000, 200)  # no pager
        text = _COLOUR.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
        self.screens.append((f"terminal {' '.join(arguments)}", text))

    def _took(self, arguments: tuple[str, ...], code: int, out: str, err: str) -> dict[str, Any]:
        name = " ".join(arguments)
        self.screens.append((f"devloop {name}", _COLOUR.sub("", out) + err if name == "statusline" else out + err))
        self.codes.setdefault(name, code)
        with contextlib.suppress(ValueError):
            answer = json.loads(out)
            return answer if isinstance(answer, dict) else {}
        return {}

    # Looking for what must not be

    def look(self) -> None:
        """Marks for whatever came out that shows an attack worked."""
        ground = self.ground
        every = [pair for attack in ATTACKS for pair in attack.words(ground)]
        shown = [(attack.name, words) for attack in ATTACKS for words in attack.shown(ground)]
        told = [(attack.name, words) for attack in ATTACKS for words in attack.told(ground)]
        shown = [pair for pair in shown if b"\n" not in pair[1]]
        lines = [(attack.name, words) for attack in ATTACKS for words in attack.shown(ground) if b"\n" in words]
        screens = [(place, text.encode("utf-8", "surrogatepass")) for place, text in self.screens]
        self.found += ground.sight(screens, [*every, *shown])
        self.found += ground.sight([each for each in screens if "transcript" not in each[0]], lines)  # blocks of text
        self.found += ground.sight(self._sent(), told)
        said = {(attack.name, words) for attack in ATTACKS if attack.own for words in attack.sees(ground)}
        self.found += ground.sight(self._sent(), every)
        for path, text in self._kept():
            printed = "/output/" in path  # what a command printed, which a model had told it: for its owner alone
            self.found += ground.sight([(path, text)], [pair for pair in every if not (printed and pair in said)])
        signed = [(attack.name, words) for attack in ATTACKS for words in attack.signed(ground)]
        self.found += ground.sight([("commit", self.landed.get("message", "").encode())], signed)
        files.into_folders(ground)

    def _sent(self) -> list[tuple[str, bytes]]:
        """What a model was sent, but its own words."""
        found = []
        for entry in self.double.journal:
            body = entry.body or {}
            others = [each for each in body.get("messages", []) if each.get("role") != "assistant"]
            text = "\n".join(strings([body.get("system"), body.get("tools"), others]))
            found.append((f"model request {entry.number}", text.encode("utf-8", "surrogatepass")))
        return found

    def _kept(self) -> list[tuple[str, bytes]]:
        """Every file in the state directory but worktrees and git's objects."""
        found = []
        for folder, below, names in os.walk(self.ground.tmp / "s"):
            below[:] = [each for each in below if each not in ("worktrees", "git", "checkouts")]
            for name in names:
                with contextlib.suppress(OSError):
                    path = Path(folder) / name
                    if path.is_file() and not path.is_symlink():
                        found.append((str(path), path.read_bytes()))
        return found

    def look_at_work(self, run: str) -> None:
        """Marks for files that an agent must not have made, in its worktree."""
        worktree = self.state.worktrees / run
        for attack in ATTACKS:
            for path in attack.left:
                if os.path.lexists(worktree / path):
                    self.ground.mark(attack.name)
                    self.found.append(f"{attack.name}: {path} in the worktree")

    # Ends

    def kill_daemon(self) -> None:
        with variables(self.environment()):
            found = announced(self.state)
        assert found is not None
        os.kill(found.pid, signal.SIGKILL)

    def end(self) -> None:
        with contextlib.suppress(Exception):
            self.process("stop", "--force")
        if self._forks is not None:
            self._forks.communicate(timeout=10)
        with variables(self.environment()):
            found = announced(self.state)
            if found is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(found.pid, signal.SIGKILL)


@contextlib.contextmanager
def variables(environment: dict[str, str]):
    """This process with the person's directories, for as long as it looks them up."""
    names = ("DEVLOOP_STATE_DIR", "DEVLOOP_CONFIG_DIR")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: environment[name] for name in names})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def strings(value: Any) -> list[str]:
    """Every string in an answer."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [found for each in value.values() for found in strings(each)]
    return [found for each in value for found in strings(each)] if isinstance(value, list) else []
