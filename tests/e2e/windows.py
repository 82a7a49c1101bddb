"""Start devloop as Windows would see it: `python windows.py ARGUMENTS`.

Other people's packages take their Windows ways when they are imported on Windows, which can't work here; so they and
the standard library are imported first. From then on the platform is `win32` and what only Unix has is gone.
"""

import asyncio
import logging.handlers
import multiprocessing
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zoneinfo

import platformdirs
import pydantic.fields
import pydantic.main
import rich.console
import rich.live
import rich.markup
import rich.table
import typer
import typer.core
import typer.rich_utils

PRELOADED = (asyncio, logging.handlers, multiprocessing, shutil, subprocess, tempfile, zoneinfo, platformdirs)
PRELOADED += (pydantic.main, pydantic.fields, typer, typer.core, typer.rich_utils)
PRELOADED += (rich.console, rich.live, rich.markup, rich.table)
UNIX_ONLY = ("fcntl", "grp", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")


class Gone:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in UNIX_ONLY:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


if __name__ == "__main__":
    assert not [name for name in sys.modules if name.partition(".")[0] == "devloop"]
    sysconfig.get_config_vars()
    sys.meta_path.insert(0, Gone)
    for module in UNIX_ONLY:
        sys.modules.pop(module, None)
    sys.platform = "win32"
    from devloop.cli.entry import main

    sys.exit(main(sys.argv[1:]))
