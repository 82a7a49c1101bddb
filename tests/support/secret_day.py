"""One day of real processes with secrets in every text: what came out of them, by exit."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devloop.daemon.endpoint import announced
from devloop.hello import hello
from double import Double
from support.editor import EVERYTHING, Editor, Failed
from support.programs import PROGRAM, Place, on_terminal
from support.sown import Sown, strings, told_in


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
        command, place = [*PROGRAM, *arguments], self.place
        self.came("terminal", await asyncio.to_thread(on_terminal, command, place.root, place.environment, 3000, 80))


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


async def look(day: Day, editor: Editor, client: Editor, run: str, *commands: str) -> None:
    """At everything that is told of a run, by every way, and by these `commands` of the terminal."""
    await ask(client, run)
    for suffix in ("md", "diff", "transcript.md"):
        with contextlib.suppress(Failed):
            await editor.request("workspace/textDocumentContent", {"uri": f"devloop://run/{run}.{suffix}"})
    for method in ("show", "diff", "transcript", "conversation"):
        with contextlib.suppress(Failed):
            await editor.request(f"devloop/{method}", {"run": run})
    for command in commands:
        if command in ("show", "transcript"):
            await day.terminal(command, run)
        if command in ("show", "diff"):
            await day.devloop(command, run, *(("--json",) if command == "show" else ()))


async def whole(day: Day) -> None:
    place, sown = day.place, day.sown
    client, wire, editor, tee, process = await connected(day)
    place.environment["COLUMNS"] = "200"
    begun = place.git("rev-parse", "HEAD")
    try:
        run = str((await day.devloop("run", "1.1", "--json"))["run"]["id"])
        await look(day, editor, client, run, "show")
        await editor.until(lambda: "window/showMessageRequest" in [method for method, _ in editor.asked], seconds=10)
        await day.devloop("decide", run, "answer", "--message", sown.text("person", 8), "--follow")
        await look(day, editor, client, run, "show", "transcript", "diff")
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
