"""Secrets come in wherever text comes in, in one day of real processes: they come out nowhere (security §13.5).

The program, daemon, engine and sandbox are real; the model is the strict double, which cuts what it says into pieces
of any length. Each exit is a row of `EXITS`: what came out there, and which sources must have got that far, so that a
row can't be true because nothing passed by.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from devloop import keys
from devloop.cli import crash
from devloop.daemon.endpoint import announced
from devloop.hello import hello
from double import Double
from support import turns
from support.editor import EVERYTHING, Editor, Failed
from support.engines import trust_everything
from support.programs import PROGRAM, Place
from support.sown import Sown, strings, told_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
SEED = int(os.environ.get("DEVLOOP_TEST_SECRETS", "0")) or turns.number()

SUBJECTS = 8
"""Commits of the person, each with a value in its words that this machine knows."""

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
{notes}
- [ ] Task 1.2: Second thing
- [ ] Task 1.3: Third thing

## Progress Log
"""
SPEAK = """import os, random, sys, time
text, at = open(sys.argv[1], 'rb').read(), 0
while at < len(text):
    size = random.choice((1, 2, 7, random.randint(1, 600)))
    at += os.write(1, text[at : at + size])
    if random.random() < 0.1:
        time.sleep(0.001)
"""
"""Prints a file in pieces of any length."""


class Tee:
    """What a process or a socket says: kept as bytes, and passed on to whoever reads it as messages."""

    def __init__(self, source: asyncio.StreamReader) -> None:
        self.heard = bytearray()
        self.reader = asyncio.StreamReader(limit=1 << 26)
        self._task = asyncio.create_task(self._pass(source))

    async def _pass(self, source: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(1 << 16):
                self.heard += piece
                self.reader.feed_data(piece)
        self.reader.feed_eof()


@dataclass
class Day:
    """`out`: by exit, the bytes that came out there."""

    place: Place
    sown: Sown
    double: Double
    out: dict[str, list[bytes]] = field(default_factory=dict)
    pushed: dict[str, list[bytes]] = field(default_factory=dict)
    """What an editor was told and asked without asking: by method."""
    held: set[str] = field(default_factory=set)
    """What would hold a release back."""

    def came(self, exit_: str, *data: bytes) -> None:
        self.out.setdefault(exit_, []).extend(data)

    async def devloop(self, *arguments: str) -> dict[str, Any]:
        """A command whose output goes to a program; with `--json` its answer."""
        process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            cwd=self.place.root,
            env=self.place.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        out, err = await process.communicate()
        self.came("output of commands", out, err)
        answer = json.loads(out) if "--json" in arguments else {}
        assert "error" not in answer or arguments[0] == "ship", answer
        return dict(answer)

    async def terminal(self, *arguments: str) -> None:
        """A command on a terminal of 80 columns: what it writes there."""
        await asyncio.to_thread(self._terminal, arguments)

    def _terminal(self, arguments: tuple[str, ...]) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 3000, 80, 0, 0))
        environment = {**self.place.environment, "TERM": "xterm", "LINES": "3000", "COLUMNS": "80"}
        process = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=self.place.root,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        late = threading.Timer(30, process.kill)  # it asks somebody, which no command here has to
        late.start()
        data = b""
        with contextlib.suppress(OSError):  # EIO: everybody at the other end is gone
            while piece := os.read(ours, 1 << 16):
                data += piece
        os.close(ours)
        code = process.wait(60)
        late.cancel()
        assert code >= 0, (arguments, data[-2000:])
        self.came("terminal", data)


# What is sown


def prepare(place: Place, sown: Sown) -> dict[str, Any]:
    """The project with secrets in its texts, and what the model says."""
    notes = "\n".join(f"    - {row}" for row in sown.rows("plan", 12) if "\n" not in row)
    place.project(PLAN.format(notes=notes), trusted=False)
    root = place.root
    (root / "speak.py").write_text(SPEAK)
    (root / "file.txt").write_text(sown.text("file"))
    # Longer than what is kept of an output, and secrets are everywhere in it: where it is cut, one would be cut.
    flood = [f"{row} " * 3 + "\n" for _ in range(12) for row in sown.rows("flood") if "\n" not in row]
    long = " ".join(row for row in sown.rows("flood", 30) if "\n" not in row) * 3
    for name, text in (("command", sown.text("command")), ("flood", "".join(flood) + long)):
        (root / f"{name}.txt").write_text(text)
    (root / "gate.txt").write_text(sown.text("gate", 40))
    (root / "check.sh").write_text("test ! -e broken || { python3 speak.py gate.txt; exit 1; }\n")
    hooks = root / ".devloop" / "hooks"
    hooks.mkdir()
    (root / "hook.txt").write_text(sown.text("hook", 12))  # beside the scripts, which are shown as they are for trust
    (hooks / "no.sh").write_text("cat hook.txt >&2\nexit 2\n")
    told = [{"matcher": "Glob", "hooks": [{"type": "command", "command": "sh .devloop/hooks/no.sh"}]}]
    (root / ".devloop" / "hooks.json").write_text(json.dumps({"hooks": {"PreToolUse": told}}))
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "begin")
    place.git("tag", "v1.2.3")
    for number, row in enumerate(sown.rows("subject", SUBJECTS)):
        place.git("commit", "-q", "--allow-empty", "-m", f"fix: {row}", "-m", sown.text("subject", 3) + str(number))
    sown.known("person")
    return scenario(sown)


def scenario(sown: Sown) -> dict[str, Any]:
    def wire() -> dict[str, Any]:
        return {"cuts": [sown.random.randint(1, 30) for _ in range(40)]}

    def turn(*calls: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"calls": [{"name": name, "input": given} for name, given in calls], "wire": wire(), **more}

    def command(line: str) -> tuple[str, dict[str, Any]]:
        return "run_command", {"command": line}

    def finish(source: str, rows: int = 25) -> tuple[str, dict[str, Any]]:
        return "finish", {"summary": f"It is done.\n{sown.text(source, rows)}"}

    # A name has no slash, and what has a shape only with one has none without.
    named = [row for row in sown.rows("name", 12) if "/" not in row or not row.startswith("shape")]
    names = [row.replace("/", "") for row in named[:6]]
    made = [("write_file", {"path": f"work/{n}-{name}"[:120], "content": "x\n"}) for n, name in enumerate(names)]
    first = [
        turn(
            ("read_file", {"path": "file.txt"}),
            ("search", {"pattern": "."}),
            text=sown.text("said"),
            thinking=sown.text("thought"),
            fail={"kind": "server", "message": sown.text("failure", 6)},
        ),
        turn(command("python3 speak.py command.txt"), command("python3 speak.py flood.txt"), text="On."),
        turn(
            ("list_files", {"pattern": "**"}),
            *(("read_file", {"path": f"no/{row}"}) for row in sown.rows("argument", 12)),
            command(f"true {sown.text('argument', 5)!r}"),
            ("no_such_tool", {"a": sown.text("argument", 4)}),
        ),
        turn(("ask", {"question": sown.text("question", 10), "choices": sown.rows("question", 3)})),
        turn(("write_file", {"path": "broken", "content": "x\n"}), finish("report")),
        turn(command("rm broken"), ("write_file", {"path": "new.txt", "content": "new\n"}), finish("report")),
        turn(("write_file", {"path": "new.txt", "content": "newer\n"}), finish("report")),
    ]
    second = [turn(("write_file", {"path": "work.txt", "content": sown.text("work")}), *made, finish("report", 5))]
    again = [turn(finish("report", 5))] * 6
    refused = {"kind": "auth", "message": sown.text("failure", 8) + sown.text("key", 8), "times": 0}
    words = {"summary": "Ready.", "verdict": "READY", "pr_title": "Release", "pr_text": sown.text("letter", 20)}
    good = {**words, "pr_text": "It has a thing."}
    return {
        "tasks": {
            "1.1": {"turns": first},
            "1.2": {"turns": [*second, *again]},
            "1.3": {"turns": [turn(finish("report", 3), fail=refused)]},
            "@ship": {"turns": [turn(("finish", words)), *[turn(("finish", good))] * 6]},
        }
    }


# The day


async def connected(day: Day) -> tuple[Editor, Tee, Editor, Tee, asyncio.subprocess.Process]:
    """A client at the daemon's socket that hears every event, and an editor."""
    await day.devloop("status", "--json")  # starts the daemon
    place = day.place
    found = announced(place.state)
    assert found is not None
    reader, writer = await asyncio.open_unix_connection(str(found.socket), limit=1 << 26)
    wire = Tee(reader)
    client = Editor(wire.reader, writer, place.root)
    await client.request("devloop/hello", hello("terminal"))
    await client.request("devloop/subscribe", {})
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "lsp"),
        cwd=place.root,
        env=place.environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 26,
    )
    assert process.stdout is not None and process.stdin is not None
    tee = Tee(process.stdout)
    editor = Editor(tee.reader, process.stdin, place.root)
    await editor.initialize(EVERYTHING)
    editor.open("README.md", "# Nothing\n")
    return client, wire, editor, tee, process


async def ask(client: Editor, run: str) -> None:
    """Everything that a client of the daemon can ask about a run."""
    for method in ("show", "diff", "transcript", "conversation", "events"):
        await client.request(f"devloop/{method}", {"run": run})
    for method in ("status", "runs", "library", "hooks", "findings", "budget", "stats", "doctor", "trust"):
        with contextlib.suppress(Failed):
            await client.request(f"devloop/{method}", {})


async def look(day: Day, editor: Editor, client: Editor, run: str) -> None:
    """At everything that is told of a run, by every way."""
    await ask(client, run)
    for suffix in ("md", "diff", "transcript.md"):
        with contextlib.suppress(Failed):
            await editor.request("workspace/textDocumentContent", {"uri": f"devloop://run/{run}.{suffix}"})
    for method in ("show", "diff", "transcript", "conversation"):
        with contextlib.suppress(Failed):
            await editor.request(f"devloop/{method}", {"run": run})
    if run.startswith("run-1.1"):
        await day.terminal("show", run)
        await day.terminal("transcript", run)
        await day.devloop("show", run, "--json")
        await day.devloop("diff", run)


async def whole(day: Day) -> None:
    place, sown = day.place, day.sown
    client, wire, editor, tee, process = await connected(day)
    place.environment["COLUMNS"] = "200"
    begun = place.git("rev-parse", "HEAD")
    try:
        run = str((await day.devloop("run", "1.1", "--json"))["run"]["id"])
        await look(day, editor, client, run)
        await editor.until(lambda: "window/showMessageRequest" in [method for method, _ in editor.asked], seconds=10)
        await day.devloop("decide", run, "answer", "--message", sown.text("person", 8), "--follow")
        await look(day, editor, client, run)
        await day.devloop("decide", run, "revise", "--message", sown.text("person", 8), "--follow", "--json")
        await day.terminal("decide", run, "commit", "--follow")
        other = str((await day.devloop("run", "1.2", "--json"))["run"]["id"])
        await look(day, editor, client, other)
        await day.devloop("decide", other, "discard", "--follow")
        third = str((await day.devloop("run", "1.3", "--json"))["run"]["id"])
        await look(day, editor, client, third)
        await day.devloop("fresh")
        await day.devloop("decide", third, "discard", "--follow")
        await day.devloop("worklog", "reconstruct")
        await day.terminal("worklog")
        await day.terminal("log")
        await day.devloop("explain", "1.1")
        await day.devloop("ship", "--dry-run")
        found = (await day.devloop("ship", "--dry-run", "--json"))["found"]
        day.held = {each["path"] for each in found if each["kind"] == "secret"}
        made = await day.devloop("ship", "--override", "A test.", "--json")
        await ask(client, str(made["run"]["id"]))
        await editor.leave()
        await client.vanish()
    finally:
        for method, params in (*editor.notifications, *editor.asked):
            told = json.dumps(params, ensure_ascii=False).encode("utf-8", "surrogatepass")
            day.pushed.setdefault(method, []).extend(told_in(told))
        day.came("socket of the daemon", bytes(wire.heard))
        day.came("editor", bytes(tee.heard))
        kept(day, begun)
        process.kill()
        await process.wait()


def kept(day: Day, begun: str) -> None:
    """What stays behind: in the state directory, the repository, and at the model's end."""
    place = day.place
    files = ("worktrees", "checkouts", "git", "output")  # the repository's, and what a command printed
    for folder, below, names in os.walk(place.environment["DEVLOOP_STATE_DIR"]):
        below[:] = [each for each in below if each not in files]
        for name in names:
            path = Path(folder, name)
            if path.is_file():
                kind = "logs" if path.suffix == ".log" else "answers" if name.endswith(".response.json") else "records"
                day.came(kind, path.read_bytes())
    day.came("commits", place.git("log", "--format=%B", f"{begun}..HEAD").encode())
    day.came("commits", place.git("for-each-ref", "--format=%(refname) %(contents)").encode())
    own = place.root / ".devloop"
    plan = place.plan.read_text()
    day.came("notes in the plan", plan[plan.index("- [ ] Task 1.2") :].encode())
    for name in ("worklog.md", "next-action.json", "context.json"):
        if (own / name).exists():
            day.came("worklog" if name == "worklog.md" else "state files", (own / name).read_bytes())
    if (place.root / "CHANGELOG.md").exists():
        day.came("changelog", (place.root / "CHANGELOG.md").read_bytes())
    for entry in day.double.messages:
        body = entry.body or {}
        heard = [each for each in body.get("messages", []) if each.get("role") != "assistant"]
        own_words = [each for each in body.get("messages", []) if each.get("role") == "assistant"]
        day.came("model", "\n".join(strings([body.get("system"), body.get("tools"), heard])).encode())
        day.came("answers", "\n".join(strings(own_words)).encode())


@pytest.fixture(scope="module")
def day() -> Iterator[Day]:
    """The whole day, once; the tests look at what came out."""
    place_ = Path(tempfile.mkdtemp(prefix="dl-"))
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("ANTHROPIC_", "DEVLOOP_", "GIT_")) and name != "DEVLOOP_REQUIRE_SANDBOX":
                patch.delenv(name)
        patch.setenv("DEVLOOP_STATE_DIR", f"{place_}/s")
        patch.setenv("DEVLOOP_CONFIG_DIR", f"{place_}/c")
        place, sown = Place(place_.resolve()), Sown(SEED)
        del place.environment["DEVLOOP_SCENARIO"]
        said = prepare(place, sown)
        trust_everything(place.root)
        key = sown.environment[sown.known("key")[0]]
        with Double(scenario=said, key=key) as double:
            place.environment |= sown.environment | {"ANTHROPIC_API_KEY": key, "ANTHROPIC_BASE_URL": double.url}
            made = Day(place, sown, double)
            try:
                asyncio.run(whole(made))
            finally:
                place.end()
            yield made
    shutil.rmtree(place_, ignore_errors=True)


EVERYWHERE = {"argument", "gate", "hook", "person", "question", "report", "work"}
CONVERSATION = {"command", "file", "flood", "plan", "said"}
EXITS: dict[str, set[str]] = {
    "output of commands": {"argument", "gate", "hook", "person", "question", "report"},
    "terminal": {"argument", "gate", "hook", "person", "question", "report"} | CONVERSATION,
    "socket of the daemon": EVERYWHERE | CONVERSATION | {"failure", "letter", "name", "thought"},
    "editor": EVERYWHERE | CONVERSATION | {"failure", "name", "thought"},
    "records": EVERYWHERE | {"command", "failure", "file", "flood", "letter", "name", "plan"},
    "model": {"argument", "command", "file", "flood", "gate", "hook", "person", "plan", "work"},
    "answers": {"argument", "question", "report", "said"},
    "commits": {"report"},
    "notes in the plan": {"report"},
    "worklog": set(),
    "logs": set(),
}
"""What comes out: by whose texts. "answers" are what the model said itself, as it said it."""


@pytest.mark.parametrize("name", EXITS)
def test_no_secret_comes_out(day: Day, name: str) -> None:
    data = day.out[name]
    every = [each for one in data for each in told_in(one)]
    found = day.sown.leaks(every, own=name == "answers")
    if name == "answers":  # a model's thinking is signed: changed, it would be refused
        found = [each for each in found if not each.startswith("thought:")]
    assert not found, (SEED, len(found), found[:5])
    missing = EXITS[name] - day.sown.reached(data)
    assert not missing, f"nothing of {missing} came here, so this says nothing of it"


def test_an_editors_notifications_and_questions_tell_none(day: Day) -> None:
    """Those that come by themselves, which a trace of the protocol or a desktop's history keeps."""
    assert {"window/showMessageRequest", "devloop/status", "devloop/event"} <= day.pushed.keys()
    for method, data in day.pushed.items():
        assert not day.sown.leaks(data), (SEED, method)
    assert "question" in day.sown.reached(day.pushed["window/showMessageRequest"])
    # What is said is passed over for an editor that is behind; a report never.
    assert "report" in day.sown.reached(day.pushed["devloop/event"])


def test_words_of_commits_with_a_known_value_hold_a_release_back(day: Day) -> None:
    told = {each for each in day.held if each.startswith("commit ")}
    assert len(told) == SUBJECTS, day.held


# What is told of a crash

CRASH = """import logging, sys, threading
import {module} as module
text = open(sys.argv.pop(1)).read()
def breaks(*_, **__):
    logging.getLogger("some.library").error("it said %s", text)
    for at in range(0, len(text), 7):
        print(text[at : at + 7], end="", file=sys.stderr)
    print(file=sys.stderr)
    thread = threading.Thread(target=lambda: 1 / len([]) if not text else [][text.count("x") + 9 ** 9])
    thread.start(); thread.join()
    raise RuntimeError(text)
module.{name} = breaks
sys.exit(module.main(sys.argv[1:]))
"""
"""A process of devloop in which one function breaks, with everything in its words."""


def crashed(tmp: Path, sown: Sown, module: str, name: str, *arguments: str, told: bool) -> tuple[bytes, bytes]:
    """What such a process printed, and all files that it left. `told`: secrets come by standard input."""
    text, root = tmp / "text", tmp / "p"
    text.write_text(sown.text("crash"))
    root.mkdir(exist_ok=True)
    environment = {**os.environ, "DEVLOOP_STATE_DIR": str(tmp / "s"), "DEVLOOP_CONFIG_DIR": str(tmp / "c")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CRASH.format(module=module, name=name), str(text), *arguments],
        cwd=root,
        env=environment if told else {**environment, **sown.environment},
        input=json.dumps(sown.environment).encode() if told else b"",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0, done
    left = [path.read_bytes() for path in (tmp / "s").rglob("*.log")] if (tmp / "s").is_dir() else []
    return done.stdout + done.stderr, b"\n".join(left)


PROCESSES = {
    "terminal": ("devloop.cli.entry", "_alone", ("status",), False),
    "daemon": ("devloop.daemon.process", "Daemon", ("--root", ".", "--secrets"), True),
    "engine": ("devloop.engine.process", "held_lock", ("--root", ".", "--state", "../s", "--fd", "0"), True),
}


@pytest.mark.parametrize("process", PROCESSES)
def test_no_crash_tells_a_secret(tmp_path: Path, process: str) -> None:
    """The traceback, what libraries log and print, a thread's own end: in logs and where the process prints."""
    module, name, arguments, told = PROCESSES[process]
    sown = Sown(SEED)
    (tmp_path / "s").mkdir(mode=0o700)
    printed, left = crashed(tmp_path, sown, module, name, *arguments, told=told)
    kept = left if process == "terminal" else left + printed  # its standard error is the log
    assert b"RuntimeError" in kept and "crash" in sown.reached([kept]), (printed[-2000:], left[-2000:])
    assert not sown.leaks([kept]), (SEED, sown.leaks([kept])[:3])
    if process == "terminal":
        assert b"something went wrong inside devloop" in printed.lower()


def test_a_crash_that_can_not_be_logged_tells_the_terminal_no_secret(tmp_path: Path) -> None:
    sown = Sown(SEED)
    (tmp_path / "s").write_text("no folder")
    text, root = tmp_path / "text", tmp_path / "p"
    value = sown.environment[sown.known("crash")[0]]
    text.write_text(value)
    root.mkdir()
    code = f"import devloop.cli.entry as e\ndef breaks(*_): raise RuntimeError({value!r})\ne._alone = breaks\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{code}raise SystemExit(e.main(['status']))"],
        cwd=root,
        env={**os.environ, **sown.environment, "DEVLOOP_STATE_DIR": str(tmp_path / "s")},
        capture_output=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert b"RuntimeError" in said and value.encode() not in said and "crash" in sown.reached([said]), said


def test_a_crash_of_a_command_tells_no_stored_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a shape that nobody knows, and in no variable."""
    monkeypatch.setenv("DEVLOOP_STATE_DIR", str(tmp_path / "s"))
    key = Sown(SEED)._word(40)
    keys.store(key)
    crash.tell_crash(RuntimeError(f"it was {key}"), ["login"], as_json=False)
    logged = (tmp_path / "s" / "devloop.log").read_text()
    assert "RuntimeError" in logged and key not in logged
