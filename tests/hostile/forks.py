"""Commands without waiting for an interpreter each: one process loads devloop, a copy of it does what a line says.

In: a list of words per line. Out: a line `[exit code, output, errors]`. What a copy had to load is loaded for the next.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
import tempfile


def main() -> None:
    from devloop.cli.entry import main as entry

    for name in (
        "app",
        "look_commands",
        "run_commands",
        "decide_commands",
        "plan_commands",
        "care_commands",
        "checkpoint_view",
        "follow",
    ):
        importlib.import_module(f"devloop.cli.{name}")
    known = set(sys.modules)
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as new:
            pid = os.fork()
            if pid == 0:
                with open(os.devnull) as nothing:
                    os.dup2(nothing.fileno(), 0)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                code = 99
                try:
                    code = entry(json.loads(line))
                finally:
                    sys.stdout.flush()
                    sys.stderr.flush()
                    os.write(new.fileno(), "\n".join(each for each in sys.modules if each not in known).encode())
                    os._exit(code)
            _, status = os.waitpid(pid, 0)
            texts = []
            for file in (out, err, new):
                file.seek(0)
                texts.append(file.read().decode("utf-8", "replace"))
        for name in texts.pop().split():
            with contextlib.suppress(Exception):
                importlib.import_module(name)
            known.add(name)
        print(json.dumps([os.waitstatus_to_exitcode(status), *texts]), flush=True)


if __name__ == "__main__":
    main()
