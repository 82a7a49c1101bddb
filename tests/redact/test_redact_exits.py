"""A secret of this machine stands wherever an agent can meet it, in a real run: it comes out nowhere."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devloop import keys
from devloop.engine import EngineClient
from devloop.engine.ports import EventLog
from devloop.lsp import run_pages
from devloop.redact import Redactor
from devloop.runs.services import Services
from devloop.runs.transcript import Segment, Transcript
from devloop.store import Store
from support.engines import Engine, call, command, engine, finish, trust_everything, turn, work, write
from support.projects import at_home, commit_all, git, tiny_project

KEY = "sk-" + "ant-api03-" + "Qz7vB2" * 8
"""Known by value: the model's key."""
SHAPE = "gh" + "p_" + "f4Tr9w" * 6
"""Nobody knows it; it has a shape."""
HIDDEN = "\u200b\u2060\U000e0041"

PLAN = """# Plan

## Phase 1: All

- [ ] Task 1.1: Do it
    - as ever
- [ ] Task 1.2: Then that
- [ ] Task 1.3: And this
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return at_home(tmp_path, monkeypatch)


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    root = tiny_project(tmp_path / "project", PLAN)
    (root / ".env.sample").write_text(f"KEY={KEY}\nTOKEN={SHAPE}\nNOTE=one{HIDDEN}two\n")
    (root / f"name-{KEY}").write_text("x\n")
    (root / "check.sh").write_text(f"echo 'gate says {KEY} and {SHAPE}'\necho {HIDDEN}\ntest ! -e broken\n")
    commit_all(root)
    trust_everything(root)
    return root


def forms() -> dict[str, bytes]:
    """What must be found nowhere."""
    found = {"key": KEY.encode(), "shape": SHAPE.encode()}
    for before in range(3):
        encoded = base64.b64encode(b"q" * before + KEY.encode())
        found[f"base64+{before}"] = encoded[4:-4]
    return found | {"hex": KEY.encode().hex().encode()}


def leaking(data: bytes) -> list[str]:
    return [name for name, form in forms().items() if form in data]


def kept_files(held: Engine) -> Iterator[tuple[str, bytes]]:
    """Everything in the state directory, but what a command printed: its owner's own file, told nobody as it is; the
    worktree and git's objects, which are the repository's content; and where the key is kept."""
    for folder, below, names in os.walk(held.state.path.parents[1]):
        below[:] = [each for each in below if each not in ("output", "worktrees", "checkouts", "git")]
        for name in names:
            path = Path(folder) / name
            if path != keys.file() and path.is_file():
                yield str(path), path.read_bytes()


def nothing_leaks(held: Engine, **told: Any) -> None:
    for name, value in {"events": held.events, "hand-off": held.handed_off, "plan": held.plan, **told}.items():
        assert not leaking(json.dumps(value).encode()), name
    for name, data in kept_files(held):
        player = data.startswith(b'{"tasks": ')  # what it plays
        own_words = ["shape"] if name.endswith(".response.json") else []
        told = data.decode("utf-8", "replace")
        assert player or leaking(data) in ([], own_words), (name, told[max(0, told.find(KEY) - 300) :][:400])


async def test_no_exit_of_a_run_tells_a_secret_and_nothing_hidden_reaches_the_model(project: Path) -> None:
    coded = "printf %s '" + KEY + "' | base64 -w0; printf ' q%s' '" + KEY + "' | base64 -w0; cat .env.sample"
    tasks = {
        "1.1": [
            turn(
                call("read_file", path=".env.sample"), call("search", pattern="KEY="), call("list_files", pattern="**")
            ),
            turn(command("cat .env.sample; ls; sh check.sh; od -An -tx1 .env.sample | tr -d ' \\n'")),
            turn(command(coded), call("read_file", path=f"missing-{KEY}"), text=f"I saw {KEY} and {SHAPE}"),
            turn(write("a.txt", f"{KEY}\n"), write("b.txt"), call("no_such_tool", text=KEY)),
            turn(call("ask", question=f"Is {KEY} right, or {SHAPE}?", choices=[KEY, "no"])),
            turn(write("broken")),
            turn(finish(f"All with {KEY} and {SHAPE}.")),
            turn(command("rm broken"), finish(f"Now with {KEY} and {SHAPE}.")),
        ]
    }
    async with engine(project, {"ANTHROPIC_API_KEY": KEY}, tasks=tasks) as held:
        run = await held.run("1.1", title="Do it")
        await held.checkpoint(run)
        await held.decide(run, "answer", f"no, but {KEY} and {SHAPE}")
        shown = await held.checkpoint(run, 2, timeout=25)
        asked = {
            name: await held.ask(name, run=run) for name in ("show", "transcript", "diff", "conversation", "events")
        }
        requests = held.requests(run)
        assert shown["kind"] == "decision" and "redacted" in json.dumps(shown), shown["problem"]
        text = json.dumps(requests, ensure_ascii=False)
        assert "one\\\\u{200b}\\\\u{2060}\\\\u{e0041}two" in text
        assert not any(char in text for char in HIDDEN)
        assert leaking(text.encode()) == ["shape"]  # in its own words alone: a test may need such a one
        heard = [[each for each in messages if each["role"] == "user"] for messages in requests]
        assert not leaking(json.dumps(heard).encode())
        await held.decide(run, "commit")
        assert (await held.ended(run))["outcome"] == "landed"
        said = git(project, "log", "-1", "--format=%B")
        assert "redacted" in said and not leaking(said.encode())
        assert not (project / "a.txt").exists() or KEY not in (project / "a.txt").read_text()
        nothing_leaks(held, **asked)


async def test_a_secret_in_the_work_holds_its_commit_back_until_a_person_says_that_it_is_none(project: Path) -> None:
    line = f"token = '{SHAPE}'  # gitleaks:allow\n"
    again = [turn(finish("It stays."))] * 6
    tasks = {"1.2": [turn(write("ok.txt", "a\n"), write("conf.py", "# one\n" + line)), *again]}
    async with engine(project, tasks=tasks) as held:
        run = await held.run("1.2")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "problem" and "commit" not in shown["decisions"]
        assert "conf.py:2" in shown["problem"] and "github-pat" in shown["problem"] and SHAPE not in json.dumps(shown)
        feedback = json.dumps(held.requests(run)[-1])
        assert "conf.py" in feedback and "looks like a secret" in feedback
        found = shown["secrets"][0]["id"]
        assert shown["secrets"] == [{"id": found, "file": "conf.py", "line": 2, "kind": "github-pat"}]
        assert found not in shown["problem"] and "--not-secret" not in json.dumps(shown)  # how, each front-end says
        page = run_pages.run_page(await held.ask("show", run=run))
        assert f"devloop decide {run} recheck --not-secret ID" in page and f"`{found}` conf.py:2 github-pat" in page
        with pytest.raises(Exception, match="no finding"):
            await held.decide(run, "recheck", not_secret=["0" * 12])
        await held.decide(run, "recheck", not_secret=[found])
        cleared = await held.checkpoint(run, 2, timeout=25)
        assert cleared["kind"] == "decision", cleared["problem"]
        assert cleared["secrets"] == []
        assert {"secrets": "pass"}.items() <= {each["gate"]: each["verdict"] for each in cleared["gates"]}.items()
        assert SHAPE not in (held.state.path / "not-secret.json").read_text()
        await held.decide(run, "discard")
        unread = command(f"printf 'a\\0b\\n%s' '{SHAPE}' > data.bin; sed 's/./&\\x00/g' other.py > wide.txt")
        await held.play({"1.3": [turn(write("other.py", "x = 1\n" + line)), turn(unread), *again]})
        other = await held.run("1.3")
        shown = await held.checkpoint(other)
        assert shown["kind"] == "problem"  # the same value elsewhere was accepted by nobody
        assert all(place in shown["problem"] for place in ("other.py:2", "data.bin:2", "wide.txt:2"))  # in no diff


async def test_a_gate_that_need_not_pass_takes_the_question_from_nobody(project: Path) -> None:
    """As bandit, which takes such a line for a password."""
    declared = project / ".devloop/config.toml"
    optional = '\n[gates.other]\nkind = "lint"\ncommand = ["/bin/sh", "-c", "test ! -e conf.py"]\nrequired = false\n'
    declared.write_text(declared.read_text() + optional)
    commit_all(project)
    trust_everything(project)
    stays = [turn(finish("It stays."))] * 6
    tasks = {"1.2": [turn(write("conf.py", f"token = '{SHAPE}'\n")), *stays]}
    async with engine(project, tasks=tasks) as held:
        run = await held.run("1.2")
        shown = await held.checkpoint(run)
        assert {"other": "fail", "secrets": "fail"}.items() <= {e["gate"]: e["verdict"] for e in shown["gates"]}.items()
        assert [each["file"] for each in shown["secrets"]] == ["conf.py"]
        rounds = (await held.ask("conversation", run=run))["gates"]
        assert len(rounds) == 2 and all(
            {"gate": "secrets", "verdict": "fail"}.items() <= each["results"][-1].items() for each in rounds
        )


async def test_files_that_are_too_large_to_be_looked_at_are_not_landed(project: Path) -> None:
    """Of one file that is larger than 8 MiB a snapshot has nothing; of many the last are not read."""
    huge = command("for n in 1 2 3 4 5 6 7 8 9; do head -c 8000000 /dev/zero > $n.bin; done")
    async with engine(project, tasks={"1.2": [turn(huge), *[turn(finish("They are large."))] * 6]}) as held:
        run = await held.run("1.2", decide="commit")
        shown = await held.checkpoint(run)
        gate = next(each for each in shown["gates"] if each["gate"] == "secrets")
        assert gate["verdict"] == "unknown" and "9.bin" in gate["reason"], gate
        assert shown["kind"] == "problem" and "commit" not in shown["decisions"]


async def test_a_secret_in_a_name_holds_the_work_back_and_no_list_tells_it(project: Path) -> None:
    """A file's, a folder's of which the folder is told once, and one that shows only without a line's end in it."""
    split = f"{SHAPE[:9]}\\n\\033[1m{SHAPE[9:]}"
    made = command(
        f"mkdir -p keys/{SHAPE}; touch keys/{SHAPE}/a keys/{SHAPE}/b; touch \"$(printf '{split}')\";"
        f" mv name-* moved-$(echo name-*); mv .env.sample .env.{SHAPE}"
    )
    tasks = {"1.2": [turn(made, write("ok.txt", "a\n")), *[turn(finish("It stays."))] * 6]}
    async with engine(project, {"ANTHROPIC_API_KEY": KEY}, tasks=tasks) as held:
        run = await held.run("1.2")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "problem" and "commit" not in shown["decisions"]
        assert "the name " in shown["problem"] and not leaking(json.dumps(shown).encode())
        assert SHAPE[9:] not in json.dumps(shown), "nor in two parts"
        gate = next(each for each in (await held.ask("show", run=run))["gates"] if each["gate"] == "secrets")
        places = [each["file"] for each in gate["findings"] if "its name" in each["message"]]
        assert [place.partition("«")[0] for place in sorted(places)] == [".env.", "keys/", "moved-name-", ""], places
        diff = await held.ask("diff", run=run)
        assert not leaking(json.dumps([gate, diff]).encode())
        listed = [each["path"] for each in diff["files"]]
        first = next(path for path in listed if path.startswith("keys/"))
        found = await held.ask("content", run=run, path=first, side="work")
        assert found["exists"] is True and found["path"] == first, "it is found by the name that was shown"
        ids = [each["id"] for each in shown["secrets"]]
        assert [each["line"] for each in shown["secrets"] if each["file"].startswith("keys/")] == [0]
        await held.decide(run, "recheck", not_secret=ids)
        cleared = await held.checkpoint(run, 2, timeout=25)
        assert cleared["kind"] == "decision", cleared["problem"]
        shown_names = [each["path"] for each in cleared["diff"]["list"]]
        out = [path for path in shown_names if path.startswith(("moved-", ".env."))]
        await held.decide(run, "commit", leave_out=out)
        ended = await held.ended(run)
        assert ended["outcome"] == "landed"
        files = git(project, "ls-files")
        assert f"keys/{SHAPE}/a" in files and f"name-{KEY}" in files and "moved" not in files
        nothing_leaks(held, row=await held.ask("show", run=run))


async def test_the_engine_takes_the_stored_key_and_shows_it_to_nobody(project: Path) -> None:
    """Stored after the engine began, and read by it without a restart."""
    async with engine(project, tasks={"1.2": work("a.txt")}, begin=EngineClient) as held:
        assert (await held.ask("status"))["model"]["key"] is False
        keys.store(KEY)
        await held.environment()
        assert (await held.ask("status"))["model"]["key"] is True
        assert held.client is not None
        for what in ("environ", "cmdline"):
            assert not leaking(Path(f"/proc/{held.client.pid}/{what}").read_bytes())
        keys.file().chmod(0o644)
        await held.environment()
        assert (await held.ask("status"))["model"]["key"] is False
        nothing_leaks(held)


async def test_no_secret_of_the_daemons_environment_stands_in_the_engines(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is hidden all the same: the engine was told."""
    monkeypatch.setenv("A_DEPLOY_TOKEN", "t0p-" + "of-the-person")
    script = [turn(command("echo t0p-" + "of-the-person")), turn(finish("done"))]
    async with engine(project, tasks={"1.2": script}, begin=EngineClient) as held:
        assert held.client is not None
        assert b"of-the-person" not in Path(f"/proc/{held.client.pid}/environ").read_bytes()
        run = await held.run("1.2")
        await held.checkpoint(run)
        assert "«redacted:a-deploy-token:" in json.dumps(held.requests(run), ensure_ascii=False)


def test_what_a_task_says_reaches_the_model_without_secrets_and_with_nothing_hidden(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path, Redactor({"KEY": KEY}))
    transcript.begin_segment(Segment(0, 1, f"Task 1.1: with {KEY} and {SHAPE}, one{HIDDEN}two"))
    transcript.answer(0, f"more of {KEY}, one{HIDDEN}two")
    text = json.dumps(transcript.messages(1), ensure_ascii=False)
    assert not leaking(text.encode()) and text.count("one\\\\u{200b}\\\\u{2060}\\\\u{e0041}two") == 2


def test_an_event_is_stored_and_told_without_secrets_whoever_tells_it(tmp_path: Path) -> None:
    """The last layer: most of what is told was cleaned before."""
    told: list[Any] = []

    class Daemon:
        def notify(self, method: str, event: Any) -> None:
            told.append(event)

    store = Store.open(f"sqlite:///{tmp_path / 'records.db'}", "workspace")
    log = EventLog(store, Daemon(), Redactor({"KEY": KEY}))
    log.emit("notice", {"text": f"{KEY} and {SHAPE}", "deep": [{KEY: SHAPE}]})
    log.emit("turn.progress", {"text": f"{KEY} and {SHAPE}"}, store=False)
    assert len(told) == 2 and not leaking(json.dumps([told, store.events()]).encode())


def test_what_is_noticed_of_a_run_is_kept_without_secrets() -> None:
    """Names of files and of tests, what a tool said: all of it can hold one."""
    noticed: list[Any] = []
    kept: list[str] = []

    class Events:
        def emit(self, kind: str, data: dict[str, Any], run: str | None = None, *, store: bool = True) -> None:
            noticed.append(data)

    class Kept:
        def add_notices(self, run: str, notices: list[str]) -> list[str]:
            kept.extend(notices)
            return notices

    held: Any = SimpleNamespace(store=Kept(), events=Events(), redactor=Redactor({"KEY": KEY}))
    Services.notice(held, "run-1", f"left out: name-{KEY}, {SHAPE}")
    assert len(kept) == 1 and not leaking(json.dumps([kept, noticed]).encode())
