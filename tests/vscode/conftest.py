"""The VS Code extension as people have it: packed, in a real VS Code, shown by a real browser.

What that needs beside npm and a browser is put into a cache once (`client-vscode/e2e/setup.sh`). A machine without them
skips these tests and says why, unless DEVLOOP_REQUIRE_E2E=1 says that they have to run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REQUIRED = os.environ.get("DEVLOOP_REQUIRE_E2E") == "1"
ENVIRONMENT = dict(os.environ)  # read before tests take such variables away
CLIENT = Path(__file__).parents[2] / "client-vscode"
PROGRAM = [sys.executable, "-m", "devloop.cli.entry"]
BUILT_FROM = ("src", "media", "snippets", "*.json", "*.mjs", "*.md", ".vscodeignore", ".npmrc", "LICENSE")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`scenario`: each file in the module's GROUP of scenarios is a test."""
    if "scenario" in metafunc.fixturenames:
        group = CLIENT / "e2e" / "scenarios" / metafunc.module.GROUP
        metafunc.parametrize("scenario", sorted(path.stem for path in group.glob("*.mjs")))


def unavailable(why: str) -> None:
    if REQUIRED:
        pytest.fail(f"{why}, and DEVLOOP_REQUIRE_E2E=1 asks for it")
    pytest.skip(why)


def said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stdout + done.stderr)[-6000:]


class Tools:
    """What is installed: a Node new enough for everything, and the extension's own packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.node = str(folder / "node" / "bin" / "node")
        path = os.pathsep.join([str(Path(self.node).parent), ENVIRONMENT["PATH"]])
        self.environment = {**ENVIRONMENT, "PATH": path, "CI": "1"}

    def npm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["npm", *arguments], cwd=CLIENT, env=self.environment, capture_output=True, text=True, timeout=500
        )

    def scripts(self, out: Path) -> dict[str, str]:
        """The environment of a script of `client-vscode/e2e`; `out`: where it puts its pictures."""
        return {
            **self.environment,
            "DEVLOOP_E2E_TOOLS": str(self.folder),
            "DEVLOOP_E2E_PROGRAM": json.dumps(PROGRAM),
            "DEVLOOP_E2E_OUT": str(out),
        }

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """No other worker installs or builds meanwhile."""
        with (self.folder / ".client.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@pytest.fixture(scope="session")
def tools() -> Tools:
    if sys.platform != "linux":
        unavailable("the real VS Code of these tests is set up on Linux only")
    if shutil.which("npm", path=ENVIRONMENT["PATH"]) is None:
        unavailable("npm is not installed: apt-get install nodejs npm")
    done = subprocess.run([CLIENT / "e2e" / "setup.sh"], env=ENVIRONMENT, capture_output=True, text=True, timeout=800)
    if done.returncode:
        unavailable(f"the tools of the end-to-end tests could not be installed: {said(done)}")
    found = Tools(Path(done.stdout.splitlines()[-1]))
    with found.alone():
        # `npm ci` would not take a lock without the packages of other platforms, which not every registry has.
        if found.npm("ls", "--all").returncode and (done := found.npm("install", "--no-save")).returncode:
            unavailable(f"the extension's packages could not be installed: {said(done)}")
    return found


@pytest.fixture(scope="session")
def vsix(tools: Tools) -> Path:
    """The packed extension; packed again when anything has changed that it is made of."""
    digest = hashlib.sha256()
    for pattern in BUILT_FROM:
        for top in sorted(CLIENT.glob(pattern)):
            for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
                if path.is_file():
                    digest.update(f"{path.relative_to(CLIENT)}\0".encode() + path.read_bytes() + b"\0")
    packed = tools.folder / "packed" / f"devloop-{digest.hexdigest()[:16]}.vsix"
    with tools.alone():
        if not packed.is_file():
            done = tools.npm("run", "package")
            assert done.returncode == 0, said(done)
            packed.parent.mkdir(exist_ok=True)
            for old in packed.parent.glob("*.vsix"):
                old.unlink()
            shutil.copy(CLIENT / "devloop.vsix", packed)
    return packed


class Player:
    """`client-vscode/e2e/run.mjs`, one process for all scenarios of a module."""

    def __init__(self, tools: Tools, vsix: Path, out: Path) -> None:
        self.log = out / f"player-{os.getpid()}.log"
        self._command = [tools.node, "e2e/run.mjs", "--serve"]
        self._environment = {**tools.scripts(out), "DEVLOOP_E2E_VSIX": str(vsix)}
        self._process: subprocess.Popen[str] | None = None

    def play(self, scenario: str) -> dict[str, object]:
        """What came of a scenario: `ok`, `seconds`, `notes`, and when it failed `error`, `logs` and `pictures`."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            self._process.stdin.write(f"{scenario}\n")
            self._process.stdin.flush()
            result = json.loads(self._process.stdout.readline())
        except BaseException as problem:  # a time limit of pytest too: it may be in the middle of something
            self.end()
            if isinstance(problem, Exception):
                raise AssertionError(self.log.read_text()[-4000:]) from problem
            raise
        assert result["scenario"] == scenario
        return result

    def _start(self) -> None:
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=CLIENT,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.stdin.close()  # it ends what it started
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
        process.stdout.close()


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go. A browser is there."""
    if not any(shutil.which(name, path=ENVIRONMENT["PATH"]) for name in ("chromium", "chromium-browser")):
        unavailable("no browser is installed: apt-get install chromium fonts-dejavu-core")
    given = ENVIRONMENT.get("DEVLOOP_E2E_OUT")
    found = Path(given) if given else tmp_path_factory.mktemp("vscode")
    found.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture(scope="module")
def player(out: Path, tools: Tools, vsix: Path) -> Iterator[Player]:
    found = Player(tools, vsix, out)
    yield found
    found.end()


@pytest.fixture
def script(out: Path, tools: Tools):
    """`script("e2e/page/check.mjs")`: run a script of the extension."""

    def act(name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tools.node, name], cwd=CLIENT, env=tools.scripts(out), capture_output=True, text=True, timeout=300
        )

    return act


@pytest.fixture
def play(player: Player, record_property):
    """`play("group/name")`: fails with what the scenario said; its figures are printed at the end."""

    def act(scenario: str) -> None:
        result = player.play(scenario)
        for name, value in result["notes"].items():
            record_property("figure", f"{scenario}: {name}: {value}")
        if not result["ok"]:
            pytest.fail(f"{result['error']}\n{result['pictures']}\n{result['logs']}", pytrace=False)

    return act
