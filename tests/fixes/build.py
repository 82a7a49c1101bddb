"""An installation of devloop from which a protection was taken out.

The code is a copy with the cuts made. Around it is a virtual environment of its own, hard links of the one that runs
this: so every process that the tests start, daemon, engine and gates included, is one of that build.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from fixes.model import Cut, Fix

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "server" / "devloop"
LEFT_OUT = ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER")


def cut(text: str, cuts: Iterable[Cut]) -> str:
    """`text` of a file without a protection. Raises `ValueError` where a cut does not apply exactly once."""
    for each in cuts:
        if (found := text.count(each.old)) != 1:
            raise ValueError(f"{each.file}: what is to be cut stands there {found} times: {each.old!r}")
        text = text.replace(each.old, each.new)
    return text


def changed(fix: Fix) -> dict[str, str]:
    """The files that `fix` cuts, with their text without it."""
    names = dict.fromkeys(each.file for each in fix.cuts)
    return {
        name: cut((PACKAGE / name).read_text("utf-8"), (each for each in fix.cuts if each.file == name))
        for name in names
    }


class Build:
    """In `folder`, which is on the file system of the environment that runs this if links are to be made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._source = folder / "source"
        self._environment = folder / "environment"
        self.python = self._environment / "bin" / "python"
        self._stamp = int(PACKAGE.stat().st_mtime)
        self._cut: list[str] = []
        self._copy_source()
        self._make_environment()

    def take_out(self, fix: Fix) -> None:
        """Put back what was taken out before, and take out `fix`."""
        for name in self._cut:
            self._write(name, (PACKAGE / name).read_text("utf-8"))
        texts = changed(fix)
        for name, text in texts.items():
            self._write(name, text)
        self._cut = list(texts)

    def variables(self) -> dict[str, str]:
        """The environment of a process that uses it."""
        kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
        return {**kept, "PATH": os.pathsep.join([str(self.python.parent), os.environ.get("PATH", os.defpath)])}

    def _copy_source(self) -> None:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("server", "skills", "plans"):
            shutil.copytree(ROOT / name, self._source / name, ignore=ignored)

    def _write(self, name: str, text: str) -> None:
        # Bytecode is told from older one by whole seconds and sizes: each writing has a time of its own.
        self._stamp += 2
        path = self._source / "server" / "devloop" / name
        path.write_text(text, "utf-8")
        os.utime(path, (self._stamp, self._stamp))

    def _make_environment(self) -> None:
        base = getattr(sys, "_base_executable", None) or sys.executable
        subprocess.run([base, "-m", "venv", "--without-pip", str(self._environment)], check=True)
        here = Path(sysconfig.get_path("purelib"))
        there = self._environment / here.relative_to(sys.prefix)
        ignored = shutil.ignore_patterns("*devloop_server*.pth", "devloop")
        shutil.copytree(here, there, ignore=ignored, copy_function=_link, symlinks=True, dirs_exist_ok=True)
        (there / "devloop_server_without.pth").write_text(f"{self._source / 'server'}\n")
        for told in there.glob("devloop_server-*.dist-info/direct_url.json"):
            told.unlink()
            told.write_text(json.dumps({"url": self._source.as_uri(), "dir_info": {"editable": True}}))
        self._copy_programs()

    def _copy_programs(self) -> None:
        old = f"#!{Path(sys.prefix, 'bin')}/".encode()
        for program in Path(sys.prefix, "bin").iterdir():
            target = self.python.parent / program.name
            if target.exists() or target.is_symlink() or not program.is_file():
                continue
            data = program.read_bytes()
            if data.startswith(old):
                target.write_bytes(f"#!{self.python.parent}/".encode() + data.removeprefix(old))
                target.chmod(0o755)
            else:
                _link(str(program), str(target))


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
