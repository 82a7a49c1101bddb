"""Who starts processes, and who starts git: read from the sources, those of the extension included."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(sys.modules["devloop"].__file__).parent if "devloop" in sys.modules else Path()
ROOT = Path(__file__).parents[2]

STARTERS = {"workspace/git.py": "git", "engine/client.py": "the engine", "launch.py": "the daemon"}
"""The modules outside of `sandbox/` that may start a process, and which. A new one is a decision: name it here."""

_STARTS = re.compile(
    r"(?:asyncio\.(?:subprocess\.)?)?create_subprocess_(?:exec|shell)|subprocess(?:\.\w+)?\.(?:Popen|run|call|check_call|check_output|getoutput"
    r"|getstatusoutput)|os\.(?:exec\w+|spawn\w+|posix_spawnp?|system|popen|fork|forkpty|startfile)|pty\.(?:spawn|fork)"
    r"|\w*loop\w*\.subprocess_(?:exec|shell)|_posixsubprocess\.fork_exec|multiprocessing\.\w+|Popen"
)
_GIT = re.compile(r"(?:\S*/)?git(?:\.exe)?\Z")
_IN_SHELL = re.compile(r"(?:^|[;&|(`\n]|\$\()\s*(?:\w+=\S*\s+)*(?:exec |env |command |nice )*(?:\S*/)?git\s+-?[a-z]")


_WORTH_READING = re.compile(
    r"subprocess|Popen|multiprocessing|\bpty\b|\bos\b[^\n]*\b(?:exec|spawn|system|popen|fork|posix|start)"
    r"|[\[(]\s*[\"'][^\"'\n]*\bgit(?:\.exe)?\b"
)


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Calls that start a process, whatever the names were imported as."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {name.asname: name.name for name in node.names if name.asname}
        elif isinstance(node, ast.ImportFrom):
            known |= {name.asname or name.name: f"{node.module}.{name.name}" for name in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            words = ast.unparse(node.func)
            first, dot, rest = words.partition(".")
            full = known.get(first, first) + dot + rest
            if _STARTS.fullmatch(full):
                yield full, node


def _first(call: ast.Call) -> list[str]:
    """The constants that begin the command of a call, alone or as the head of a list."""
    found: list[ast.expr] = [*call.args[:2], *(each.value for each in call.keywords if each.arg in ("args", "program"))]
    heads = [each.elts[0] if isinstance(each, ast.List | ast.Tuple) and each.elts else each for each in found]
    return [each.value for each in heads if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def starters(text: str) -> tuple[list[str], bool]:
    """What a source calls to start processes, and whether git is among what it starts."""
    tree = ast.parse(text)
    calls = list(_calls(tree))
    heads = {word for _, call in calls for word in _first(call)}
    lists = (node for node in ast.walk(tree) if isinstance(node, ast.List | ast.Tuple) and len(node.elts) > 1)
    heads |= {
        node.elts[0].value
        for node in lists
        if isinstance(node.elts[0], ast.Constant) and isinstance(node.elts[0].value, str) and not _is_data(node)
    }
    return [name for name, _ in calls], any(_GIT.match(word) or _IN_SHELL.search(word) for word in heads)


def _is_data(node: ast.List | ast.Tuple) -> bool:
    """Words of a vocabulary, not a command: everything in it is a plain word."""
    words = [each.value for each in node.elts if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return len(words) == len(node.elts) and not any(word.startswith("-") or word in SUBCOMMANDS for word in words)


SUBCOMMANDS = {
    *("add", "status", "checkout", "reset", "clean", "stash", "rev-parse", "init", "config", "push", "fetch", "clone"),
    *("ls-files", "diff-tree", "cat-file", "pull", "switch", "restore", "worktree", "show", "blame", "apply"),
}


def test_only_named_modules_start_processes_and_only_one_starts_git():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text("utf-8")
        calls, git = starters(text) if _WORTH_READING.search(text) else ([], False)
        name = path.relative_to(PACKAGE).as_posix()
        if calls:
            found[name] = calls
        assert not git, f"{name} starts git: only workspace/git.py does"
    outside = {name for name in found if not name.startswith("sandbox/")}
    assert outside == set(STARTERS), "a new place that starts processes"
    assert "sandbox/process.py" in found
    assert len(found["workspace/git.py"]) == 1


def test_the_reader_finds_every_way_to_start_git():
    for line in (
        "import subprocess as s; s.run(['git', 'status'])",
        "from subprocess import Popen as P; P(('git', 'status'))",
        "import subprocess; subprocess.run('cd x; git status', shell=True)",
        "import os; os.system('git status')",
        "from os import execvp; execvp('git', ['git', 'x'])",
        "import os; os.posix_spawn('/usr/bin/git', ['git', 'x'], {})",
        "import asyncio; asyncio.create_subprocess_shell('A=1 git status')",
        "import asyncio as a; a.create_subprocess_exec('git', 'status')",
        "import asyncio.subprocess; asyncio.subprocess.create_subprocess_exec('git', 'status')",
        "import subprocess; subprocess.Popen(args=['/usr/bin/git', '-C', 'x'])",
        "command = ['git', '-C', 'x']",
        "command = ('git', 'status')",
    ):
        assert starters(line)[1], line
    assert not starters("words = ('git', 'release', 'plan'); kept = path / 'git'")[1]
    assert starters("import pty; pty.spawn('x')")[0] and starters("loop.subprocess_exec(p, 'x')")[0]


_READS = """
    rev-parse cat-file ls-tree ls-files rev-list diff-tree diff-files diff-index for-each-ref symbolic-ref merge-base
    check-attr check-ignore check-ref-format config grep log status version patch-id"""
_WRITES = """
    hash-object mktree read-tree write-tree update-index update-ref merge-tree pack-objects unpack-objects init add
    commit tag worktree"""
_ALLOWED = {*_READS.split(), *_WRITES.split()}
_ONLY_IN = {"init": "fresh.py own.py", "add": "fresh.py", "commit": "fresh.py", "worktree": "worktrees.py cleanup.py"}


def test_no_command_is_used_that_could_take_something_from_the_person():
    """Nothing of reset, clean, checkout, switch, restore, stash, merge, rebase, gc; nothing of push, fetch, pull."""
    used = set()
    for path in (PACKAGE / "workspace").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            if node.func.attr not in ("run", "line") or path.name == "git.py":
                continue
            first = node.args[0]
            if isinstance(first, ast.Starred):
                first = first.value.elts[0] if isinstance(first.value, ast.Tuple) else first
            if isinstance(first, ast.Starred) and ast.unparse(first) == "*_DIFF_FILES":
                continue
            assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}: which command is that?"
            assert first.value in _ALLOWED, f"{path.name}:{node.lineno}: {first.value}"
            assert path.name in _ONLY_IN.get(first.value, path.name), f"{path.name}: {first.value}"
            words = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
            assert not words & {"--hard", "-f", "--force"} or first.value == "worktree", f"{path.name}:{node.lineno}"
            used.add(first.value)
    assert used >= {"update-ref", "read-tree", "merge-tree", "pack-objects"}


def test_the_extension_starts_no_git():
    """It asks the server. What it starts are the server, an interpreter and the devloop command."""
    sources = ROOT / "client-vscode" / "src"
    may = {
        *("server/process.ts", "server/find.ts", "editing/demo.ts"),
        *("commands/in-terminal.ts", "commands/signing-in.ts"),
    }
    for path in sources.rglob("*.ts"):
        text, name = path.read_text("utf-8"), path.relative_to(sources).as_posix()
        starts = re.search(r"child_process|\bexeca\b|\bnode-pty\b|simple-git|vscode\.git|\.ShellExecution", text)
        assert starts is None or name in may, f"{name} starts processes: {starts}"
        command = r"(?:exec|execFile|spawn|fork|sendText|\w+Execution)(?:Sync)?\(\s*[\"'`](?:\S*/)?git\b"
        assert not re.search(command, text), name
        assert not re.search(r"[\[(]\s*[\"'`](?:\S*/)?git(?:\.exe)?[\"'`]\s*,", text), name
