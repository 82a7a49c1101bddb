"""`devloop`: the program's start. Only the standard library is imported until it is clear what is asked for."""

from __future__ import annotations

import codecs
import contextlib
import gc
import io
import os
import sys
from errno import EACCES, EDQUOT, EIO, ENOSPC, EROFS

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_VERSION = ("--version", "-V")
_SAYABLE = "devloop-sayable"
_LETTERS = {"✓": "+", "✗": "x", "●": "x", "○": "o", "◐": "~", "»": ">", "→": ">", "…": "..."}
_LETTERS |= dict.fromkeys("·–−", "-")
"""A question mark means `unknown`, so nothing that is known may become one."""
RARELY = (50_000, 20, 20)
"""What a command loads stays to its end: Python's collector, with its usual thresholds, looks through it again and
again, and together with its last look that takes a quarter of a short command's time."""


def main(argv: list[str] | None = None) -> int:
    """Run one command and answer with the exit code. Without `argv` the process is ours, and ends after it."""
    if argv is None:
        gc.set_threshold(*RARELY)
    try:
        return _run_to_the_end(sys.argv[1:] if argv is None else argv)
    finally:
        if argv is None:
            gc.freeze()  # the interpreter's end looks at every object once more: for nothing, the kernel takes them all


def _run_to_the_end(arguments: list[str]) -> int:
    _open_what_is_closed()
    try:
        return _answer(arguments)
    except BrokenPipeError:
        _write_nothing_more()
        return 0  # the reader of our output (`| head`) is gone: nothing to say
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as problem:
        if not _of_the_output(problem):
            raise
        _write_nothing_more()
        with contextlib.suppress(OSError):
            print(f"devloop: the output could not be written: {problem.strerror}.", file=sys.stderr)
        return FAILED


def _open_what_is_closed() -> None:
    """Standard streams that the caller closed lead nowhere, before a file of ours gets their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.fstat(number)
                continue
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, os.fdopen(number, "r" if name == "stdin" else "w", closefd=False))


def _of_the_output(problem: OSError) -> bool:
    return problem.filename is None and problem.errno in (ENOSPC, EDQUOT, EIO)


def _write_nothing_more() -> None:
    """What is still buffered goes nowhere, so that nothing fails at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _answer(arguments: list[str]) -> int:
    if arguments and arguments[0] in _VERSION:
        from devloop import __version__

        print(f"devloop {__version__}", flush=True)
        return 0
    if arguments and arguments[0] == "lsp" and (given := _editor_arguments(arguments[1:])) is not None:
        import importlib  # by name: front-ends don't import each other

        code: int = importlib.import_module("devloop.lsp.pipe.stdio").main(given.get("--root"))
        return code
    line = arguments[1:] if arguments[:1] == ["statusline"] else arguments[2:] if _asks_for_line(arguments) else None
    if line is not None:
        from devloop.cli import statusline

        if (given := statusline.options(line)) is not None:
            return statusline.main(given)
        arguments = ["statusline", *line]
    return _run(arguments)


def _asks_for_line(arguments: list[str]) -> bool:
    """`status --line`: the same as `statusline`."""
    return arguments[:2] == ["status", "--line"]


def _alone(arguments: list[str]) -> dict[str, str] | None:
    """`--root` and `--json` of a call that names no command; None for any other."""
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name == "--json" and not equals:
            given[name] = "yes"
        elif name == "--root" and (equals or rest):
            given[name] = value if equals else rest.pop(0)
            if not os.path.isdir(given[name]):  # noqa: PTH112 - pathlib takes 4 ms
                return None
        else:
            return None
    return given


def _editor_arguments(arguments: list[str]) -> dict[str, str] | None:
    """What an editor's usual call says; None for any other, which the full parser takes (`editor_command`)."""
    given: dict[str, str] = {}
    rest = [argument for argument in arguments if argument != "--stdio"]
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name != "--root" or not (equals or rest):
            return None
        given[name] = value if equals else rest.pop(0)
        if not os.path.isdir(given[name]):  # noqa: PTH112 - pathlib takes 4 ms
            return None
    return given


def _sayable(problem: UnicodeError) -> tuple[str | bytes, int]:
    """Our signs in letters that every terminal has; anything else that it can't show is a question mark."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    text = problem.object[problem.start : problem.end]
    return "".join(_LETTERS.get(each, "?") for each in text), problem.end


def _run(arguments: list[str]) -> int:
    from devloop import children
    from devloop.errors import DevloopError

    children.collectable()
    as_json = "--json" in arguments
    codecs.register_error(_SAYABLE, _sayable)
    for stream in (sys.stdout, sys.stderr):  # bytes that are no UTF-8 must not break, or reach, a terminal
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SAYABLE)
    try:
        if (alone := _alone(arguments)) is not None:
            from devloop.cli import welcome

            if (shown := welcome.main(alone)) is not None:
                return shown
        from devloop.cli.app import application, asked_for

        result = application(asked_for(arguments))(args=arguments, prog_name="devloop", standalone_mode=False)
        if result == INTERRUPTED:  # typer's answer to Ctrl-C, without a word; a command that said so has left by now
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # click makes a failure of it
            raise end.__context__ from None
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
        if isinstance(problem, OSError) and _of_the_output(problem):
            raise
        if isinstance(problem, OSError) and problem.filename and problem.errno in (ENOSPC, EDQUOT, EROFS, EACCES):
            from devloop.cli.output import tell_error
            from devloop.files import storage_error

            known = storage_error(problem, f"{os.fsdecode(problem.filename)} can't be used")
            tell_error(known, as_json=as_json)
            return known.exit_code
        if type(problem).__name__ == "Abort":  # by name, as below: the library is loaded where it is needed
            raise KeyboardInterrupt from None
        if type(problem).__name__ == "NoArgsIsHelpError":  # shown already
            return USAGE
        if hasattr(problem, "format_message"):  # the call is wrong
            from devloop.cli.output import tell_error
            from devloop.errors import UsageError

            called = getattr(getattr(problem, "ctx", None), "command_path", "devloop")
            said = problem.format_message().replace(": Value error, ", ": ")
            tell_error(UsageError(said, hint=f"See `{called} --help`."), as_json=as_json)
            return USAGE
        from devloop.cli.crash import tell_crash

        tell_crash(problem, arguments, as_json=as_json)
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
