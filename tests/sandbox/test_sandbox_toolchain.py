"""The folders an interpreter needs, and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devloop.sandbox import Mount, toolchain_mounts


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


def installation(folder: Path) -> Path:
    """What looks like an installed Python."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "python3.12").mkdir(parents=True)
    (folder / "lib" / "python3.12" / "os.py").touch()
    (folder / "bin" / "python3.12").touch(mode=0o755)
    (folder / "bin" / "python3").symlink_to("python3.12")
    return folder / "bin" / "python3"


def venv(folder: Path, base: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text(f"home = {base.parent}\nversion = 3.12\n")
    (folder / "bin" / "python").symlink_to(base)
    return folder / "bin" / "python"


def targets(*executables: Path) -> set[Path]:
    mounts = toolchain_mounts(executables)
    assert not any(mount.write for mount in mounts)
    return {mount.target for mount in mounts}


def test_a_tool_of_the_system_needs_nothing():
    assert toolchain_mounts([Path("/usr/bin/env"), Path("/bin/sh")]) == ()


def test_an_environment_brings_itself_and_its_installation(home):
    base = installation(home / ".pyenv" / "versions" / "3.12.1")
    assert targets(venv(home / "project" / ".venv", base)) == {
        home / "project" / ".venv",
        home / ".pyenv/versions/3.12.1",
    }


@pytest.mark.parametrize("line", ["base-executable = {}", "home = {}"])
def test_an_environment_names_interpreters_and_nothing_else(home, line):
    """Whoever writes `pyvenv.cfg` must not choose what commands see."""
    base = installation(home / "python")
    (home / ".ssh").mkdir()
    for name in ("id_rsa", "python3"):
        (home / ".ssh" / name).touch(mode=0o755)  # not even when it is called like one and can be executed
    (home / "bin").mkdir()
    (home / "bin" / "python3").symlink_to(home / ".ssh" / "id_rsa")
    (home / "python" / "bin" / "secret").touch(mode=0o755)
    python = venv(home / "p" / ".venv", base)
    for named in (".ssh/id_rsa", ".ssh/python3", ".ssh", "bin/python3", "bin", "", "python/bin/secret"):
        (home / "p/.venv/pyvenv.cfg").write_text(line.format(home / named) + "\n")
        python.unlink()
        python.symlink_to("/usr/bin/env")
        assert targets(python) == {home / "p" / ".venv"}, named
    (home / "p/.venv/pyvenv.cfg").write_text(line.format(base.parent if line.startswith("home") else base) + "\n")
    assert targets(python) == {home / "p" / ".venv", home / "python"}


def test_links_and_first_lines_lead_to_nothing_that_cannot_be_executed(home):
    (home / "key").touch(mode=0o600)
    (home / "tool").symlink_to("key")
    (home / "script").write_text(f"#!{home / 'key'}\n")
    (home / "script").chmod(0o755)
    assert targets(home / "tool", home / "script") == {home / "script"}


def test_a_linked_installation_is_mounted_at_both_names(home):
    installation(home / "share" / "cpython-3.12.1")
    (home / "share" / "cpython-3.12").symlink_to("cpython-3.12.1")
    python = venv(home / "e", home / "share" / "cpython-3.12" / "bin" / "python3")
    mounts = toolchain_mounts([python])
    real = home / "share" / "cpython-3.12.1"
    assert Mount(real, home / "share" / "cpython-3.12") in mounts
    assert Mount(real, real) in mounts


def test_a_script_brings_its_interpreter(home):
    base = installation(home / "python")
    python = venv(home / "tools" / "ruff", base)
    script = python.with_name("ruff")
    script.write_text(f"#!{python}\n")
    script.chmod(0o755)
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "ruff").symlink_to(script)
    assert targets(home / ".local" / "bin" / "ruff") == {
        home / ".local/bin/ruff",
        home / "tools" / "ruff",
        home / "python",
    }


def test_a_single_program_is_mounted_alone(home):
    (home / ".cargo" / "bin").mkdir(parents=True)
    (home / ".cargo" / "credentials.toml").write_text("secret")
    (home / ".cargo" / "bin" / "cargo").touch(mode=0o755)
    assert targets(home / ".cargo" / "bin" / "cargo") == {home / ".cargo" / "bin" / "cargo"}


def test_a_home_folder_is_never_mounted_whole(home):
    assert targets(installation(home)) == {home / "bin" / "python3", home / "bin" / "python3.12"}
    assert targets(installation(home / ".local")) == {home / ".local/bin/python3", home / ".local/bin/python3.12"}


def test_circles_and_missing_files_end(home):
    (home / "a").symlink_to("b")
    (home / "b").symlink_to("a")
    assert toolchain_mounts([home / "a", home / "missing"]) == ()


async def test_the_environment_of_these_tests_starts_inside(place):
    """The real thing: this interpreter, by its own name, with its packages."""
    assert sys.prefix != sys.base_prefix or not (Path(sys.prefix) / "pyvenv.cfg").exists()
    result = await place.run(sys.executable, "-c", "import pydantic; print(pydantic.__name__)")
    assert result.output == "pydantic\n"


async def test_a_new_environment_starts_inside(place, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    command = place.command(str(python), "-c", "import sys; print(sys.prefix)")
    result = await place.run(*command.argv, mounts=(command.mounts[0], *toolchain_mounts([python])))
    assert result.output.strip() == str(tmp_path / "venv")
