"""Fixtures for the gates: the real sandbox, a sample project, and a place to run in."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.gates import Place
from devloop.gates.environment import Environment, find, own_environment
from devloop.sandbox import Backend, detect

SAMPLE = Path(__file__).parent / "sample"


@pytest.fixture
async def backend() -> Backend:
    """The real bubblewrap; without it these tests prove nothing and are skipped."""
    detection = await detect("auto")
    if detection.backend.name == "none":
        pytest.skip(detection.reason)
    return detection.backend


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A checkout with findings of every tool and tests of every outcome."""
    root = tmp_path / "checkout"
    (root / "tests").mkdir(parents=True)
    shutil.copyfile(SAMPLE / "mod.py.txt", root / "mod.py")
    shutil.copyfile(SAMPLE / "test_mod.py.txt", root / "tests" / "test_mod.py")
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Make the checkout from a mapping of paths to texts. A text that starts with `#!` becomes executable."""

    def make(files: dict[str, str], name: str = "checkout") -> Path:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8")
            if text.startswith("#!"):
                target.chmod(0o755)
        return root

    return make


@pytest.fixture
def place(tmp_path: Path, backend: Backend) -> Callable[..., Place]:
    """A place for a checkout. The person's own checkout is a folder of its own, with other content."""

    def make(checkout: Path, *, environment: Environment | None = None, **changes: object) -> Place:
        view = tmp_path / "person"
        view.mkdir(exist_ok=True)
        made = Place(
            checkout=checkout,
            view=view,
            environment=environment or own_environment(),
            backend=backend,
            reports_root=tmp_path / "state" / "reports",
            output_dir=tmp_path / "state" / "output",
            tree="t" * 40,
            redact=lambda text: text,
            # Only to be quick: our own environment holds a dozen plug-ins that these tests don't need.
            variables={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        return dataclasses.replace(made, **changes)  # type: ignore[arg-type]

    return make


@pytest.fixture
def venv(tmp_path: Path) -> Callable[..., Environment]:
    """A real virtual environment without pip; `pth` lines and other files go into its site-packages.

    `tools` names packages of this interpreter's environment that are linked in, so that pytest is at hand.
    """

    def make(checkout: Path, files: dict[str, str], *, with_tools: bool = True) -> Environment:
        folder = checkout / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=60)
        site = next(folder.glob("lib/python3*/site-packages"))
        if with_tools:
            own = own_environment()
            source = next(own.root.glob("lib/python3*/site-packages"))
            for name in ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments"):
                shutil.copytree(source / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
            shutil.copyfile(source / "py.py", site / "py.py")
            for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments"):
                for info in source.glob(f"{name}-[0-9]*.dist-info"):
                    shutil.copytree(info, site / info.name)
        for name, text in files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_text(text, "utf-8")
        return find(checkout)

    return make
