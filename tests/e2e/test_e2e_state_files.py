"""A long session from `init` to `archive`: after each command every state file validates against its shipped schema.

One daemon for all of it; the steps follow each other, as a person's would.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time

import jsonschema
import pytest

from devloop import front_matter
from devloop.cli.entry import main
from devloop.daemon.endpoint import announced
from devloop.files import held_lock
from devloop.own_files import read_text
from devloop.paths import StateDir
from devloop.settings import personal
from devloop.settings.personal_shape import to_json
from devloop.state import archive, checking, context, issues, next_action, plan_state, schema, sessions, spikes, worklog
from support.engines import trust_everything
from support.projects import at_home, commit_all, git, make_repository

PLAN = """# Plan: Session

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]

## Phase 2: Go on

- [ ] Task 2.1: Third thing
- [ ] Task 2.2: Fourth thing [depends:2.1]

## Progress Log
"""
SPIKE = {
    "summary": "It is fast enough.",
    "questions": [{"question": "Is it fast?", "answer": "Yes."}],
    "feasible": "yes",
    "approach": "Keep it",
    "size": "S",
    "risk": "low",
    "confidence": "high",
    "discoveries": ["check.sh:1 does nothing"],
    "risks": [],
    "recommendation": "Do it.",
    "next_steps": ["Measure"],
}
LOCAL = "---\nfresh_threshold: 12\ngit:\n  main-branch: main\n---\n\nMine.\n"


def work(name):
    return {
        "turns": [
            {"calls": [{"name": "write_file", "input": {"path": f"{name}.txt", "content": f"{name}\n"}}]},
            {"calls": [{"name": "finish", "input": {"summary": f"{name} is there."}}]},
        ]
    }


class Desk:
    """The program in this process, at one project, with a check after each command."""

    def __init__(self, root):
        self.root = root
        self.schemas = {name: jsonschema.Draft202012Validator(schema.load(name)) for name in schema.MODELS}
        self.seen: dict[str, int] = {}

    def __call__(self, *arguments, code=0):
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            got = main(["--root", str(self.root), *arguments])
        assert got in ((code,) if isinstance(code, int) else code), f"{arguments}: exit {got}\n{out.getvalue()}"
        self.check(arguments)
        return json.loads(out.getvalue()) if "--json" in arguments else out.getvalue()

    def until_ended(self, run):
        deadline = time.monotonic() + 20
        while next(row for row in self("runs", "--json")["runs"] if row["id"] == run)["state"] != "ended":
            assert time.monotonic() < deadline, f"{run} does not end"
            time.sleep(0.05)

    def check(self, after):
        for path in sorted((self.root / ".devloop").rglob("*")):
            if path.is_file() and not path.name.startswith("."):  # just being written: it is renamed when it is whole
                self._file(path.relative_to(self.root).as_posix(), after)
        assert checking.faults(self.root) == (), after

    def _file(self, name, after):
        text = read_text(self.root, name)
        kind, value = self._read(name, text)
        if kind is None:
            assert name in (".devloop/plan.md", ".devloop/config.toml") or kind in self.seen, f"{name} after {after}"
            return
        self.seen[kind] = self.seen.get(kind, 0) + 1
        if value is not None:
            errors = [
                f"{'.'.join(map(str, each.path))}: {each.message}" for each in self.schemas[kind].iter_errors(value)
            ]
            assert errors == [], f"{name} after {after}: {errors}"

    def _read(self, name, text):
        """(its schema or kind, what has to fit it); of files without a schema what is wrong is asserted here."""
        kinds = {
            plan_state.PATH: "plan-state",
            next_action.PATH: "next-action",
            sessions.PATH: "sessions",
            context.PATH: "context",
        }
        if name in kinds:
            assert text.endswith("}\n") and "\r" not in text
            return kinds[name], json.loads(text)
        if name == personal.PATH:
            found = personal.read(text)
            assert found.faults == ()
            return "local", to_json(found.values)
        if name.startswith(f"{issues.FOLDER}/"):
            if not issues.NAME.match(name.rpartition("/")[2].removesuffix(".md")):
                assert "generated" in text.split("\n", 3)[0] + text.split("\n", 3)[1] or "<!--" in text
                return "issue-view", None
            issue, _, faults = issues.parse(text, name)
            assert faults == ()
            front_matter.split(text)
            return "issue", issue.model_dump(mode="json", by_alias=True, exclude_none=True)
        if name.startswith(f"{spikes.FOLDER}/"):
            spike, faults = spikes.parse(text, name)
            assert faults == ()
            return "spike", spike.model_dump(mode="json", by_alias=True)
        if name.startswith(f"{archive.FOLDER}/"):
            assert archive.faults(self.root) == ()
            return "archive", None
        if name == worklog.PATH:
            assert worklog.check(text) == ()
            return "worklog", None
        return None, None


@pytest.fixture
def desk(short_tmp, monkeypatch):
    at_home(short_tmp, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")
    scenario = short_tmp / "scenario.json"
    tasks = {task: work(f"t{task.replace('.', '-')}") for task in ("1.1", "1.2", "2.1", "2.2")}
    finding = {"calls": [{"name": "finish", "input": SPIKE}]}
    scenario.write_text(json.dumps({"tasks": {**tasks, "@spike": {"turns": [finding]}}}))
    monkeypatch.setenv("DEVLOOP_SCENARIO", str(scenario))
    root = make_repository(short_tmp / "p")
    (root / "check.sh").write_text("true\n")
    (root / "pyproject.toml").write_text('[project]\nname = "p"\nversion = "1"\n')
    yield Desk(root)
    state = StateDir.of(root)
    found = announced(state)
    if found is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with held_lock(state.daemon_lock) as lock:
            if lock is not None:
                break
        time.sleep(0.02)


def test_every_state_file_fits_its_schema_after_each_command_of_a_long_session(desk):
    root = desk.root
    desk("init")
    (root / ".devloop" / "plan.md").write_text(PLAN)
    (root / ".devloop" / "config.toml").write_text('[gates.check]\nkind = "tests"\ncommand = ["/bin/sh", "check.sh"]\n')
    (root / ".devloop" / "local.md").write_text(LOCAL)
    commit_all(root)
    trust_everything(root)
    desk("config", "check")
    desk("plan", "check")
    desk("plan", "state", "--write")
    desk("onboard", "--no-agent")
    desk("spike", "Is caching fast?", "--yes")
    desk("new", "It crashes when the list is empty", "--label", "mvp", "--priority", "high")
    desk("new", "Dark colours", "--type", "feature")
    desk("bugs", "BUG-001", "--status", "in-progress")
    desk("run", "1.1", "--decide", "commit")
    desk("worklog", "sync")
    desk("run", "1.2", code=3)
    (run,) = desk("runs", "--json")["runs"][:1]
    desk("fresh", run["id"], code=(0, 3))
    desk.until_ended(run["id"])
    desk("status")
    assert (root / ".devloop" / "next-action.json").is_file(), "a fresh start leaves its hand-off"
    line = [sys.executable, "-m", "devloop.cli.entry", "statusline", "--root", str(root)]
    shown = subprocess.run(line, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    assert "2/4" in shown and "hand-off" in shown
    desk.check("statusline")
    desk("continue", "--limit", "1", "--decide", "commit")
    assert not (root / ".devloop" / "next-action.json").exists(), "and it is used once"
    desk("issues", "BUG-001", "--close", "--note", "mended")
    desk("issues")
    desk("archive", "1")
    desk("archive", "--restore", "1")
    desk("archive", "1")
    desk("worklog", "reconstruct")
    (root / ".devloop" / "sessions.json").write_text(json.dumps(_sessions(desk)) + "\n")
    desk("import", "sessions")
    desk("stats", "--by", "day")
    desk("plan", "state", "--write")
    desk("config", "show")
    desk("stop")
    assert list((root / ".devloop").rglob(".*")) == [], "nothing is left half written"
    kinds = {"plan-state", "next-action", "local", "issue", "issue-view", "spike", "archive", "worklog", "context"}
    assert set(desk.seen) >= {*kinds, "sessions"}, "each kind of file was there"
    ignored = git(root, "status", "--short", "--ignored", ".devloop").splitlines()
    assert {line.split()[-1] for line in ignored if line.startswith("!!")} == {
        *(".devloop/local.md", ".devloop/sessions.json", ".devloop/spikes/")
    }


def _sessions(desk):
    """What `stats --json` exports is a `sessions.json`: it is put in the place of upstream's."""
    found = desk("stats", "--json")
    assert found["total"]["accepted"] == 4 and found["total"]["success"] == 1 and found["total"]["rounds"] >= 1
    assert [row["label"] for row in found["agent"]] and len(found["sessions"]) == 4
    return {name: found[name] for name in ("sessions", "created", "last_updated")}
