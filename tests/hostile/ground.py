"""The place where attacks are planted: a person's home with keys, a repository in it, a marker per attack, a canary.

An attack has worked when its file lies in `marks`. The file is made by the attack itself, by the canary that was
reached, or by whoever looks at what came out (`Ground.sight`) and finds there what must not come out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support import projects

PYTHON = sys.executable


class Canary:
    """Listens on TCP, UDP, a unix socket and an abstract one. What is sent to it is the name of an attack."""

    def __init__(self, tmp: Path, marks: Path) -> None:
        self._marks = marks
        self.heard: list[bytes] = []
        self.path = tmp / "canary.sock"
        self.abstract = f"canary-{secrets.token_hex(6)}"
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", 0))
        named, hidden = (socket.socket(socket.AF_UNIX) for _ in range(2))
        named.bind(str(self.path))
        hidden.bind(f"\0{self.abstract}")
        for each in (named, hidden):
            each.listen()
        self.port, self.udp_port = tcp.getsockname()[1], udp.getsockname()[1]
        self._sockets = (tcp, udp, named, hidden)
        self._threads = [
            threading.Thread(target=work, args=(each,), daemon=True)
            for each, work in ((tcp, self._accept), (udp, self._take), (named, self._accept), (hidden, self._accept))
        ]
        for thread in self._threads:
            thread.start()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.settimeout(1)
                    self._hear(connection.recv(4096))
                    connection.sendall(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def _take(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._hear(server.recv(4096))

    def _hear(self, data: bytes) -> None:
        self.heard.append(data)
        words = data.replace(b"/", b" ").split()
        for word in words:
            if word.startswith(b"canary:"):
                (self._marks / word.removeprefix(b"canary:").decode()).touch()

    def close(self) -> None:
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(2)


@dataclass
class Ground:
    """`tmp` has a short path (unix sockets). `root`: the repository. `secrets`: name → value, unlike any other text."""

    tmp: Path
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home, self.root, self.marks = self.tmp / "h", self.tmp / "h" / "p", self.tmp / "m"
        self.marks.mkdir()
        self.home.mkdir()
        self.canary = Canary(self.tmp, self.marks)
        self._victims: list[subprocess.Popen[bytes]] = []
        for name in ("HOSTILE_TOKEN", "AWS_SECRET_ACCESS_KEY"):
            self.secrets[name] = f"zq{secrets.token_hex(16)}"
        for path in (".ssh/id_rsa", ".aws/credentials", ".netrc", ".config/gh/hosts.yml", ".gitconfig"):
            value = self.secrets[path] = f"zq{secrets.token_hex(16)}"
            words = f"[user]\n\tname = Pat Person\n\temail = pat@example.org\n# {value}\n"
            self.put(self.home / path, words if path == ".gitconfig" else f"secret = {value}\n")
        (self.home / ".ssh").chmod(0o700)
        self.at_home = self.seen_at_home()

    def environment(self) -> dict[str, str]:
        """Of a person's shell that stands in this repository: its own folders come first on PATH."""
        inside = [str(self.root / each) for each in (".venv/bin", "node_modules/.bin", "tools")]
        return {
            **os.environ,
            "HOME": str(self.home),
            "PATH": os.pathsep.join([*inside, ".", os.environ["PATH"]]),
            "DEVLOOP_STATE_DIR": str(self.tmp / "s"),
            "DEVLOOP_CONFIG_DIR": str(self.tmp / "c"),
            "COLUMNS": "200",
            **{name: value for name, value in self.secrets.items() if "/" not in name and "." not in name},
        }

    # Planting

    def put(self, path: Path, text: str | bytes, *, mode: int | None = None) -> Path:
        """A file of the repository (or anywhere, by an absolute path)."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        if mode is not None:
            place.chmod(mode)
        return place

    def program(self, path: str, name: str, then: str = "") -> Path:
        """A shell script that leaves the mark `name` when it runs."""
        return self.put(Path(path), f"#!/bin/sh\n{self.shell(name)}\n{then}\n", mode=0o755)

    def shell(self, name: str) -> str:
        """A line of shell that leaves the mark; where it can't, its output says that it ran (see `ran`)."""
        return f"touch '{self.marks}/{name}' 2>/dev/null; printf 'ran%s\\n' ':{name}:' >&2"

    def python(self, name: str) -> str:
        """The same in Python, for modules that somebody imports."""
        return (
            "import sys\n"
            f"try:\n    open({str(self.marks / name)!r}, 'w').close()\nexcept OSError:\n    pass\n"
            f"sys.stderr.write('ran' + ':{name}:' + chr(10))\n"
        )

    def git(self, *arguments: str) -> str:
        return projects.git(self.root, *arguments)

    def victim(self, code: str = "import time; print(flush=True); time.sleep(600)") -> int:
        """A process of the person, which prints a line when it is ready; its number."""
        command = [PYTHON, "-I", "-S", "-c", code]
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE)
        self._victims.append(process)
        assert process.stdout is not None and process.stdout.readline()
        return process.pid

    def keep(self) -> None:
        """Remember the repository as it is."""
        subprocess.run(["cp", "-a", str(self.root), str(self.tmp / "kept")], check=True)

    def restore(self) -> None:
        """The repository as it was kept."""
        subprocess.run(["rm", "-rf", str(self.root)], check=True)
        subprocess.run(["cp", "-a", str(self.tmp / "kept"), str(self.root)], check=True)

    # Looking

    def marked(self) -> list[str]:
        return sorted(path.name for path in self.marks.iterdir())

    def mark(self, name: str) -> None:
        (self.marks / name).touch()

    def sight(self, texts: Iterable[tuple[str, bytes]], wanted: Iterable[tuple[str, bytes]]) -> list[str]:
        """Leave the mark of each (name, words) whose words stand in one of the (place, text); where they were seen."""
        looked = list(wanted)
        seen = []
        for place, text in texts:
            for name, words in looked:
                if words in text:
                    self.mark(name)
                    at = text.index(words)
                    seen.append(f"{name} in {place}: {text[max(0, at - 80) : at + 80]!r}")
        return seen

    def seen_at_home(self) -> dict[str, bytes | str]:
        """Everything in the home folder but the repository: path → content, or what kind of thing it is."""
        found: dict[str, bytes | str] = {}
        for path in sorted(self.home.rglob("*")):
            name = str(path.relative_to(self.home))
            if name == "p" or name.startswith("p/"):
                continue
            found[name] = path.read_bytes() if path.is_file() and not path.is_symlink() else "other"
        return found

    def close(self) -> None:
        self.canary.close()
        for process in self._victims:
            process.kill()
            process.communicate(timeout=10)


Step = Callable[[Ground], object]
Words = Callable[[Ground], list[bytes]]


def nothing(_: Ground) -> None:
    """Nothing to be done."""


@dataclass(frozen=True)
class Attack:
    """`row`: where security.md has it. `plant` puts it into the tree before the commit, `arm` beside it afterwards.

    `does`: what an agent that obeys every injected word hands to its tools, made from the ground: `(tool, input)`.
    The mark is also left where `sees` stands in anything that came out, `told` in what a model was sent, `shown` in
    what a terminal, an editor or a commit shows (`signed`: a commit alone), or where a path of `left` is in a worktree
    or in the landed commit. `own`: the words come from the model itself, which can have a command print them.
    `inert`: it worked already if its payload ran, wherever that was. `naive`: what makes the mark appear where nobody
    protects anything.
    """

    name: str
    row: str
    naive: Step
    plant: Step = nothing
    arm: Step = nothing
    does: Callable[[Ground], list[tuple[str, dict[str, Any]]]] = lambda _: []
    sees: Words = lambda _: []
    told: Words = lambda _: []
    shown: Words = lambda _: []
    signed: Words = lambda _: []
    left: tuple[str, ...] = ()
    own: bool = False
    inert: bool = True

    def words(self, ground: Ground) -> list[tuple[str, bytes]]:
        """What shows that it worked, wherever it is found."""
        ran = [f"ran:{self.name}:".encode()] if self.inert else []
        return [(self.name, each) for each in (*self.sees(ground), *ran)]


def sh(ground: Ground, line: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """A command where nothing protects: the person's environment, the person's checkout."""
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=options.pop("cwd", ground.root),
        env=ground.environment() | options.pop("env", {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
        **options,
    )


def by_shell(name: str, row: str, line: Callable[[Ground], str], **more: Any) -> Attack:
    """An attack that is one shell command of the agent."""
    made = Attack(name, row, nothing, does=lambda ground: [("run_command", {"command": line(ground)})], **more)

    def naive(ground: Ground) -> None:
        done = sh(ground, line(ground))
        found_in(ground, made, done.stdout + done.stderr)

    return made if "naive" in more else dataclasses.replace(made, naive=naive)


def found_in(ground: Ground, attack: Attack, text: bytes) -> None:
    """Leave the attack's mark when `text`, which somebody shows as it is, has what shows that it worked."""
    every = [
        *attack.words(ground),
        *((attack.name, each) for each in (*attack.shown(ground), *attack.told(ground), *attack.signed(ground))),
    ]
    ground.sight([("naive", text)], every)
    if any(os.path.lexists(ground.root / path) for path in attack.left):
        ground.mark(attack.name)
