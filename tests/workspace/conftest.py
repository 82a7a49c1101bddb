"""Real repositories for the tests of `workspace/`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devloop.paths import StateDir
from devloop.workspace import Repository, Workspace
from devloop.workspace.git import Git

PERSON = (
    "[user]\n\tname = Some Person\n\temail = person@example.org\n[init]\n\tdefaultBranch = main\n"
    '[protocol "file"]\n\tallow = always\n'
)


class Repo:
    """The person's repository, driven by plain git as a person drives it."""

    def __init__(self, path: Path, home: Path) -> None:
        self.path = path
        self.home = home

    def git(self, *args: str | bytes, check: bool = True, cwd: Path | None = None) -> str:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(["git", *args], cwd=cwd or self.path, env=environment, capture_output=True, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"git {args}: {done.stderr.decode()}")
        return os.fsdecode(done.stdout).removesuffix("\n")

    def write(self, files: dict[str, str | bytes], root: Path | None = None) -> None:
        for name, content in files.items():
            place = (root or self.path) / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: dict[str, str | bytes], message: str = "change") -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def ref(self, name: str) -> str:
        return self.git("rev-parse", "-q", "--verify", name, check=False)

    def show(self, commit: str, path: str) -> str:
        return self.git("show", f"{commit}:{path}")

    def status(self) -> str:
        return self.git("status", "--porcelain")

    def files(self, commit: str) -> list[str]:
        return self.git("ls-tree", "-r", "-z", "--name-only", commit).rstrip("\0").split("\0")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory of its own, with the person's name in the global configuration."""
    place = tmp_path / "home"
    place.mkdir()
    (place / ".gitconfig").write_text(PERSON)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("SUDO_UID", raising=False)
    return place


@pytest.fixture
def make_repo(tmp_path: Path, home: Path) -> Callable[..., Repo]:
    def make(name: str = "project", *options: str) -> Repo:
        path = tmp_path / name
        path.mkdir()
        repo = Repo(path, home)
        repo.git("init", "-q", *options)
        return repo

    return make


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits, made once and copied: a `git init` costs more than most of these tests."""
    top = tmp_path_factory.mktemp("small")
    (top / "home").mkdir()
    (top / "home/.gitconfig").write_text(PERSON)
    path = top / "project"
    path.mkdir()
    made = Repo(path, top / "home")
    made.git("init", "-q")
    made.commit({"a.py": "zero\n"}, "first")
    made.commit({"a.py": "one\n"}, "second")
    return path


@pytest.fixture(scope="session")
def project_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("template")
    (top / "home").mkdir()
    (top / "home/.gitconfig").write_text(PERSON)
    path = top / "project"
    path.mkdir()
    made = Repo(path, top / "home")
    made.git("init", "-q")
    made.commit(
        {
            "README.md": "# Project\n",
            "src/a.py": "one\ntwo\nthree\n",
            "src/b.py": "b\n",
            ".devloop/plan.md": "- [ ] first\n- [ ] second\n",
            ".gitignore": "build/\n*.log\n",
        },
        "start",
    )
    return path


def copied(template: Path, path: Path, home: Path) -> Repo:
    shutil.copytree(template, path, symlinks=True)
    made = Repo(path, home)
    made.git("update-index", "-q", "--refresh", check=False)
    return made


@pytest.fixture
def small(small_template: Path, tmp_path: Path, home: Path) -> Repo:
    return copied(small_template, tmp_path / "small", home)


@pytest.fixture
def repo(project_template: Path, tmp_path: Path, home: Path) -> Repo:
    return copied(project_template, tmp_path / "project", home)


@pytest.fixture
def open_workspace(tmp_path: Path) -> Callable[..., object]:
    async def open_at(path: Path, **options: object) -> Workspace:
        repository = await Repository.discover(path)
        workspace = Workspace(repository, StateDir(tmp_path / "state"), **options)  # type: ignore[arg-type]
        await workspace.open()
        return workspace

    return open_at


@pytest.fixture
async def workspace(repo: Repo, open_workspace: Callable[..., object]) -> Workspace:
    return await open_workspace(repo.path)  # type: ignore[no-any-return, misc]


class Crash(BaseException):
    """The process dies here."""


READERS = (
    "rev-parse cat-file ls-tree ls-files rev-list diff-tree diff-files diff-index for-each-ref symbolic-ref "
    "merge-base check-attr grep status"
)


@pytest.fixture
def repeat_at_every_change(monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config) -> Callable[..., Any]:
    """Let `work(n)` die before its n-th git call that changes something, repeat it, `check(n)`; go on until one round
    needed no crash, and give that n. In the suite it is every `step`th n, with `--long` every one: a round is a hundred
    calls of git. (Dying before a call that only reads leaves the same state as
    dying before the next one that changes something.) `before` runs undisturbed; all three get the number of
    the round."""
    long = pytestconfig.getoption("long")
    original, prepared = Git.run, Git.prepared

    async def repeat(before: Any, work: Any, check: Any, *, step: int = 5) -> int:
        number, last, died = 0, 0, True
        while died:
            number += 1
            await before(number)
            last, calls = 1 + (number - 1) * (1 if long else step), 0

            async def dying(self: Git, *args: Any, at: int = last, **options: Any) -> Any:
                nonlocal calls
                changes = args[0] not in READERS.split() and args[:2] != ("config", "--list")
                calls += changes
                if changes and calls == at:
                    raise Crash
                return await original(self, *args, **options)

            @contextlib.asynccontextmanager
            async def dying_between(self: Git, *args: Any, at: int = last) -> Any:
                """Before the refs are locked, and before they move."""
                nonlocal calls
                if (calls := calls + 1) == at:
                    raise Crash
                async with prepared(self, *args) as settle:

                    async def settling() -> None:
                        nonlocal calls
                        if (calls := calls + 1) == at:
                            raise Crash
                        await settle()

                    yield settling

            died = False
            with monkeypatch.context() as patch:
                patch.setattr(Git, "run", dying)
                patch.setattr(Git, "prepared", dying_between)
                try:
                    await work(number)
                except BaseException as problem:
                    assert "Crash" in repr(problem), problem
                    died = True
            await work(number)
            await check(number)
        return last

    return repeat
