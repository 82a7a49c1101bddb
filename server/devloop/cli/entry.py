"""`devloop`: the program's start. Only the standard library is imported until it is clear what is asked for."""

from __future__ import annotations

import io
import os
import sys
from errno import EACCES, EDQUOT, ENOSPC, EROFS

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_VERSION = ("--version", "-V")


def main(argv: list[str] | None = None) -> int:
    """Run one command and answer with the exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    if arguments and arguments[0] in _VERSION:
        from devloop import __version__

        print(f"devloop {__version__}")
        return 0
    try:
        return _run(arguments)
    except BrokenPipeError:
        return _reader_left()
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: list[str]) -> int:
    from devloop.errors import DevloopError

    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):  # bytes that are no UTF-8 must not break, or reach, a terminal
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from devloop.cli.app import app

        app(args=arguments, prog_name="devloop")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else FAILED
        sys.stdout.flush()
        return 0 if end.code is None else code
    except DevloopError as problem:
        from devloop.cli.output import tell_error

        tell_error(problem, as_json=as_json)
        return problem.exit_code
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as problem:
        if isinstance(problem, OSError) and problem.filename and problem.errno in (ENOSPC, EDQUOT, EROFS, EACCES):
            from devloop.cli.output import tell_error
            from devloop.files import storage_error

            known = storage_error(problem, f"{os.fsdecode(problem.filename)} can't be used")
            tell_error(known, as_json=as_json)
            return known.exit_code
        from devloop.cli.crash import tell_crash

        tell_crash(problem, arguments, as_json=as_json)
        return FAILED
    return 0


def _reader_left() -> int:
    """The reader of our output (`| head`) is gone: nothing to say, and nothing more to write at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
