"""Hooks in real runs, with the real sandbox: every event in its order, and what refusals change."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.engines import (
    Engine,
    call,
    command,
    engine,
    eventually,
    finish,
    first_text,
    trust_everything,
    turn,
    work,
    write,
)
from support.projects import at_home, commit_all, tiny_project

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = (
    *("SessionStart", "PreToolUse", "PostToolUse", "Stop", "SubagentStop", "PreCommit", "PostCommit"),
    *("CheckpointOpened", "TaskCompleted", "SessionEnd"),
)
PLAN = "# Plan: tiny\n\n## Phase 1: All of it\n\n" + "".join(f"- [ ] Task 1.{n}: Task\n" for n in range(1, 30))
READER = "---\nname: reader\ndescription: Reads\naccess: read\ntools: [search]\n---\nYou read.\n"
TRYER = "---\nname: tryer\ndescription: Tries\naccess: scratch\ntools: [search, write_file]\n---\nYou try.\n"
ALL = """
import json, os, sys

told = json.load(sys.stdin)
event, task = told["hook_event_name"], told["devloop"]["task"]
given = told.get("tool_input", {})


def say(**values):
    print(json.dumps(values))
    sys.exit(0)


def refuse(reason):
    print(reason, file=sys.stderr)
    sys.exit(2)


if task == "1.1":
    known = sorted(set(told) - {"devloop", "permission_mode", "transcript_path"})
    say(systemMessage=f"{event} knows {' '.join(known)}")
if task == "1.2" and event == "PreToolUse":
    try:
        open("by-hook", "w")
    except OSError:
        pass
    if given.get("path") == "forbidden.txt":
        refuse("not this file")
    say(decision="approve", hookSpecificOutput={"permissionDecision": "allow"})
if task == "1.3" and event == "PostToolUse" and given.get("path") == "code.txt":
    with open("code.txt", "a") as stream:
        stream.write("formatted\\n")
    refuse("it was not formatted") if told["tool_response"]["is_error"] else None
    say(decision="block", reason="I formatted it", hookSpecificOutput={"additionalContext": "keep to the style"})
if task == "1.4" and event == "Stop":
    refuse(f"not yet, active: {told['stop_hook_active']}, said: {told['last_assistant_message']}")
if task == "1.5" and event == "PreCommit":
    with open("added.txt", "w") as stream:
        stream.write("by the hook\\n")
    if not os.path.exists("notes.md"):
        refuse(f"notes.md is missing beside {told['files']}")
if task == "1.6" and event == "PreCommit":
    refuse("never")
if task == "1.7" and event == "PreCommit":
    say(**{"continue": False, "stopReason": "not without a person"})
if task == "1.7" and event == "PreToolUse" and given.get("command") == "echo two":
    say(**{"continue": False, "stopReason": "somebody should look"})
if task in ("1.8", "1.9", "1.20", "1.21") and event == "SessionStart":
    print(f"Begun by {told['source']} with {told['model'][:6]}.")
if task in ("1.9", "1.23") and event == "SubagentStop":
    say(systemMessage=f"{told['agent_type']} is done")
if task == "1.11" and event in ("PostCommit", "TaskCompleted", "CheckpointOpened", "SessionEnd", "SessionStart"):
    refuse("too late to refuse")
"""
GUARD = "grep -q 'echo secret' && { echo 'guarded' >&2; exit 2; }; exit 0\n"


def declare(root: Path, events: dict[str, Any], place: str = ".devloop/hooks.json") -> None:
    """Declare commands by event: (matcher, command, seconds)."""
    table = {
        event: [
            {"matcher": matcher, "hooks": [{"type": "command", "command": line, "timeout": seconds}]}
            for matcher, line, seconds in wanted
        ]
        for event, wanted in events.items()
    }
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).write_text(json.dumps({"hooks": table}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Engine]:
    """One engine; a hook for every event, which goes by the task. Each test takes a task of its own."""
    place = tmp_path_factory.mktemp("hooks")
    with pytest.MonkeyPatch.context() as patch:
        at_home(place, patch)
        root = tiny_project(place / "project", PLAN)
        everything = {event: [("", "python3 .devloop/hooks/all.py", 30)] for event in EVENTS}
        everything["PreToolUse"] += [("Bash", "sh scripts/guard.sh", 30), ("Glob", "sleep 50", 1)]
        declare(root, everything)
        for path, text in (
            (".devloop/hooks/all.py", ALL),
            ("scripts/guard.sh", GUARD),
            (".devloop/agents/reader.md", READER),
            (".devloop/agents/tryer.md", TRYER),
        ):
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        commit_all(root, "hooks")
        trust_everything(root)
        async with engine(root) as held:
            yield held


def told(held: Engine, run: str, *kinds: str) -> list[tuple[str, str]]:
    """Event and result of each answer of a hook, in order."""
    wanted = kinds or EVENTS
    return [(each["event"], each["result"]) for each in held.told("hook.ended", run) if each["event"] in wanted]


def results(held: Engine, run: str, number: int) -> list[tuple[str, bool]]:
    """Text and whether it is an error, of the tool results that turn `number` begins with."""
    blocks = held.requests(run)[number - 1][-1]["content"]
    return [(str(b["content"]), bool(b.get("is_error"))) for b in blocks if b["type"] == "tool_result"]


async def discarded(held: Engine, run: str) -> None:
    await held.decide(run, "discard")
    await held.ended(run)


async def test_every_event_comes_in_its_order_and_says_what_it_should(one: Engine) -> None:
    await one.play({"1.1": work("begun.txt")})
    run = await one.run("1.1", "Begin")
    await one.checkpoint(run)
    await one.decide(run, "commit")
    await one.ended(run)
    shown = await one.ask("show", run=run)
    order = ["SessionStart", "PreToolUse", "PostToolUse", "Stop", "PreCommit", "CheckpointOpened"]
    order += ["PostCommit", "TaskCompleted", "PostCommit", "SessionEnd"]
    assert told(one, run) == [(event, "pass") for event in order]
    always = {"cwd", "hook_event_name", "session_id"}
    fields = {
        "SessionStart": {"source", "model"},
        "PreToolUse": {"tool_name", "tool_input"},
        "PostToolUse": {"tool_name", "tool_input", "tool_response"},
        "Stop": {"stop_hook_active", "last_assistant_message"},
        "PreCommit": {"files", "message", "task"},
        "CheckpointOpened": {"checkpoint"},
        "PostCommit": {"stage", "commit", "branch", "task", "title"},
        "TaskCompleted": {"task", "commit", "summary"},
        "SessionEnd": {"reason", "outcome", "message"},
    }
    said = [notice.partition(": ")[2] for notice in shown["run"].get("notices") or shown["notices"]]
    known = {line.split()[0]: set(line.split()[2:]) for line in said if " knows " in line}
    assert known == {event: always | names for event, names in fields.items()}
    assert [(each["event"], each["result"]) for each in shown["hooks"]] == told(one, run)
    assert all(each["ms"] > 0 and each["path"] == ".devloop/hooks.json" for each in shown["hooks"])
    text = (await one.ask("transcript", run=run))["text"]
    assert "## Hooks" in text and "all.py at PreToolUse write_file, turn 1: pass" in text
    last = (await one.ask("hooks"))["results"]
    assert {each["run"] for each in last} == {run} and len(last) == len(fields)
    stored = [event["kind"] for event in (await one.ask("events", after=0, run=run))["events"]]
    assert stored.index("hook.ended") < stored.index("turn.started")


async def test_a_refused_call_is_not_made_and_the_agent_is_told_why(one: Engine) -> None:
    calls = [write("forbidden.txt"), write("fine.txt"), call("read_file", path="notes.txt")]
    await one.play({"1.2": [turn(*calls), turn(finish())]})
    run = await one.run("1.2")
    shown = await one.checkpoint(run)
    refused, fine, read = results(one, run, 2)
    assert refused[1] and refused[0].endswith("python3 .devloop/hooks/all.py: not this file")
    assert not fine[1] and not read[1]
    assert [file["path"] for file in shown["diff"]["list"]] == ["fine.txt"], "a hook before a call changes nothing"
    assert told(one, run, "PreToolUse") == [("PreToolUse", "block"), ("PreToolUse", "pass"), ("PreToolUse", "pass")]
    assert told(one, run, "PostToolUse") == [("PostToolUse", "pass")] * 2, "there was no call after which to ask"
    await discarded(one, run)


async def test_a_hook_after_a_call_may_change_the_work_and_speak_to_the_agent(one: Engine) -> None:
    await one.play({"1.3": work("code.txt", "code\n")})
    run = await one.run("1.3")
    await one.checkpoint(run)
    ((text, error),) = results(one, run, 2)
    assert not error and "A hook of this project objects" in text
    assert text.endswith("keep to the style") and "I formatted it" in text
    commit = (await one.row(run))["commit"]
    assert (await one.ask("content", run=run, path="code.txt"))["text"] == "code\nformatted\n", commit
    await discarded(one, run)


async def test_an_agent_is_held_back_three_times_and_then_may_stop(one: Engine) -> None:
    await one.play({"1.4": [turn(write("x.txt")), *(turn(finish(f"Done {n}.")) for n in range(1, 6))]})
    run = await one.run("1.4")
    shown = await one.checkpoint(run)
    assert told(one, run, "Stop") == [("Stop", "block")] * 3
    said = [text for number in (3, 4, 5) for text, _ in results(one, run, number)]
    assert [text.partition("not yet, ")[2] for text in said] == [
        "active: False, said: Done 1.",
        "active: True, said: Done 2.",
        "active: True, said: Done 3.",
    ]
    assert shown["summary"].startswith("Done 4.") and any("held the agent back 3 times" in n for n in shown["notices"])
    await discarded(one, run)


async def test_a_commit_that_is_held_back_goes_back_to_the_agent(one: Engine) -> None:
    await one.play({"1.5": [*work("a.txt"), turn(write("notes.md")), turn(finish("Now with notes."))]})
    run = await one.run("1.5")
    shown = await one.checkpoint(run)
    assert told(one, run, "PreCommit") == [("PreCommit", "block"), ("PreCommit", "pass")]
    ((text, _),) = results(one, run, 3)
    assert "held back by a hook" in text and text.endswith("notes.md is missing beside ['a.txt']")
    assert [file["path"] for file in shown["diff"]["list"]] == ["a.txt", "added.txt", "notes.md"]
    assert shown["gates"][0]["verdict"] == "pass", "gates run on what the hook made of it"
    await discarded(one, run)


async def test_a_commit_that_is_never_let_through_is_a_persons_to_decide(one: Engine) -> None:
    await one.play({"1.6": [turn(write("a.txt")), *(turn(finish()) for _ in range(9))]})
    run = await one.run("1.6", decide="continue")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "problem" and shown["problem"].endswith("all.py: never")
    assert shown["decisions"] == ["revise", "recheck", "stop", "block", "discard"]
    assert told(one, run, "PreCommit") == [("PreCommit", "block")] * 4, "as often as failing gates, then a person"
    await one.decide(run, "recheck")
    await one.checkpoint(run, 2)
    await discarded(one, run)


async def test_a_hook_may_stop_the_work_until_a_person_said_how_it_goes_on(one: Engine) -> None:
    calls = [command("echo one"), command("echo two"), command("echo three")]
    await one.play({"1.7": [turn(*calls), *work("a.txt")]})
    run = await one.run("1.7")
    shown = await one.checkpoint(run)
    assert shown["kind"] == "question" and "somebody should look" in shown["question"]["text"]
    await one.decide(run, "answer", "It is fine.")
    await one.checkpoint(run, 2)
    found = results(one, run, 2)
    assert [error for _, error in found] == [False, True, True] and "somebody should look" in found[2][0]
    assert "It is fine." in json.dumps(one.requests(run)[1])
    shown = await one.checkpoint(run, 2)
    assert shown["kind"] == "problem" and shown["problem"].endswith("all.py: not without a person")
    await discarded(one, run)


async def test_a_conversation_begins_with_what_hooks_say(one: Engine) -> None:
    """Also the one that goes on after a hand-off."""
    full = turn(write("half.txt"), usage={"input": 900_000, "output": 100, "cache_read": 0, "cache_write_5m": 0})
    script = {
        "turns": [full, turn(text="Half of it is done.")],
        "conversations": {"2": {"turns": work("a.txt")}},
    }
    await one.play({"1.8": script})
    run = await one.run("1.8")
    await one.checkpoint(run)
    opening = first_text(one.requests(run)[-1])
    begun, again = opening.split("Half of it is done.")
    assert "Begun by startup with claude." in begun and again.endswith("Begun by compact with claude.")
    await discarded(one, run)


async def test_a_conversation_that_goes_on_with_the_next_task_is_resumed(one: Engine) -> None:
    await one.play({"1.20": work("20.txt"), "1.21": work("21.txt")})
    one.following.append({"id": "1.21", "title": "Go on"})
    run = await one.run("1.20", "Begin", limit=2, decide="continue")
    await one.ended("run-1.21-1")
    said = json.dumps(one.requests("run-1.21-1")[0])
    assert "Begun by startup" in said and "Begun by resume" in said
    assert [event for event, _ in told(one, "run-1.21-1")].count("CheckpointOpened") == 0, run


@pytest.mark.parametrize(("task", "agent"), [("1.9", "reader"), ("1.23", "tryer")])
async def test_an_agent_that_ends_with_a_report_ends_as_a_subagent(one: Engine, task: str, agent: str) -> None:
    await one.play({task: [turn(call("search", pattern="start")), turn(finish("Read."))]})
    run = await one.run(task, task_fields={"agent": agent})
    shown = await one.checkpoint(run)
    await one.until("hook.ended", run, count=5)
    events = [event for event, _ in told(one, run)]
    assert events == ["SessionStart", "PreToolUse", "PostToolUse", "SubagentStop", "CheckpointOpened"]
    assert any(f"{agent} is done" in notice for notice in shown["notices"])
    await one.decide(run, "continue")
    await one.ended(run)
    assert [event for event, _ in told(one, run)][5:] == ["TaskCompleted", "SessionEnd"]


async def test_a_hook_that_hangs_is_told_and_the_work_goes_on(one: Engine) -> None:
    await one.play({"1.10": [turn(call("list_files", pattern="*.txt")), *work("a.txt")]})
    run = await one.run("1.10")
    shown = await one.checkpoint(run)
    assert told(one, run, "PreToolUse") == [("PreToolUse", "pass"), ("PreToolUse", "timeout"), ("PreToolUse", "pass")]
    assert not results(one, run, 2)[0][1]
    assert [file["path"] for file in shown["diff"]["list"]] == ["a.txt"]
    assert any("failed: it took longer than 1 s" in notice for notice in shown["notices"])
    await discarded(one, run)


async def test_a_refusal_that_comes_too_late_is_told_and_changes_nothing(one: Engine) -> None:
    await one.play({"1.11": work("late.txt")})
    run = await one.run("1.11")
    await one.checkpoint(run)
    await one.decide(run, "continue")
    assert (await one.ended(run))["outcome"] == "accepted"
    assert {result for _, result in told(one, run)} == {"pass"}
    assert "too late to refuse" in str((await one.ask("show", run=run))["notices"])


async def test_a_script_that_the_run_changed_is_not_what_runs(one: Engine) -> None:
    change = "echo 'exit 0' > scripts/guard.sh; cat scripts/guard.sh"
    calls = [command(change), command("echo secret"), write(".devloop/hooks/all.py", "")]
    await one.play(
        {
            "1.12": [
                turn(*calls),
                turn(command("rm -r scripts; ln -s /bin scripts")),
                turn(command("echo x")),
                *work("a.txt"),
            ]
        }
    )
    run = await one.run("1.12", "Change it", task_fields={"turns": 9})
    shown = await one.checkpoint(run)
    changed, guarded, protected = results(one, run, 2)
    assert changed[0].endswith("exit 0\n") and guarded[1] and guarded[0].endswith("sh scripts/guard.sh: guarded")
    ((linked, _),) = results(one, run, 4)
    assert linked.endswith("scripts is no folder any more in the worktree; put it back as it was")
    assert protected[1] and "scripts/guard.sh" in [file["path"] for file in shown["diff"]["list"]]
    await discarded(one, run)


async def test_hooks_of_claude_code_run_as_they_are_beside_the_persons_own(project: Path, home: Path) -> None:
    """Its settings and a plugin's list, with the scripts that people have: the project's folder by variable, values of
    `tool_input`, names of its tools. The person's own come first and need no trust."""
    (home / "hooks").mkdir()
    (home / "hooks" / "own.sh").write_text("grep -q careful.txt && { echo 'only with care' >&2; exit 2; }; exit 0\n")
    own = {"hooks": {"PreToolUse": [{"matcher": "write_file", "command": f"sh {home}/hooks/own.sh"}]}}
    (home / "hooks.json").write_text(json.dumps(own))
    script = (
        "#!/usr/bin/env python3\nimport json, sys\n"
        'data = json.load(sys.stdin)\nif data.get("tool_name") not in ("Edit", "Write"):\n    sys.exit(0)\n'
        'path = data["tool_input"]["file_path"]\nif path.endswith(".env") and path.startswith("/"):\n'
        '    print("Blocked: " + path.rsplit("/", 1)[1], file=sys.stderr)\n    sys.exit(2)\n'
    )
    settings = {
        "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
        "hooks": {
            "PreToolUse": [
                {
                    "matcher": "Edit|Write|MultiEdit",
                    "hooks": [
                        {"type": "command", "command": '"$CLAUDE_PROJECT_DIR"/.claude/hooks/protect.py', "timeout": 10}
                    ],
                }
            ],
            "Notification": [{"hooks": [{"type": "command", "command": "notify-send hello"}]}],
        },
    }
    listed = {
        "hooks": [
            {
                "name": "Commit check",
                "event": "PreToolUse",
                "matcher": "Bash",
                "condition": "git commit",
                "script": '${CLAUDE_PLUGIN_ROOT}/hooks/scripts/check.sh "$TOOL_INPUT"',
            }
        ]
    }
    check = '#!/bin/sh\ncase "$1" in *no-verify*) echo \'{"decision": "block", "message": "verify it"}\';; esac\n'
    for path, text in (
        (".claude/settings.json", json.dumps(settings)),
        (".claude/hooks/protect.py", script),
        ("hooks/hooks.json", json.dumps(listed)),
        ("hooks/scripts/check.sh", check),
    ):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    commit_all(project, "hooks")
    trust_everything(project)
    calls = [write("prod.env"), write("fine.txt"), command("git commit --no-verify -m x; true"), command("echo ok")]
    calls.append(write("careful.txt"))
    async with engine(project, tasks={"1.1": [turn(*calls), turn(finish())]}) as held:
        run = await held.run("1.1")
        await held.checkpoint(run)
        found = results(held, run, 2)
        assert [error for _, error in found] == [True, False, True, False, True]
        assert found[4][0].endswith(": only with care")
        assert found[0][0].endswith("Blocked: prod.env") and found[2][0].endswith("Commit check: verify it")
        paths = [each["path"].rpartition("/")[2] for each in held.told("hook.ended", run)]
        assert paths[:4] == ["hooks.json", "settings.json"] * 2, "matchers and conditions choose"
        assert (
            len(paths) == 7 and paths[4] == "hooks.json" and held.told("hook.ended", run)[4]["hook"] == "Commit check"
        )
        await discarded(held, run)


async def test_nothing_runs_before_it_is_trusted_and_after_trust_was_taken_back(project: Path) -> None:
    from devloop import trust
    from devloop.paths import StateDir

    trust_everything(project)
    declare(project, {"PreToolUse": [("", "exit 2", 9)], "SessionStart": [("", "echo hooked", 9)]})
    (project / ".claude").mkdir()
    (project / ".claude" / "settings.json").write_text(json.dumps({"hooks": {"Stop": [{"command": "exit 2"}]}}))
    commit_all(project, "hooks")
    tries = {"1.1": work("a.txt"), "1.2": [turn(write("a.txt")), turn(finish("?")), *work("b.txt")]}
    async with engine(project, tasks=tries) as held:
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        assert held.told("hook.ended", run) == [] and len(shown["diff"]["list"]) == 1
        waiting = [notice for notice in shown["notices"] if "do not run (not trusted yet)" in notice]
        assert [".devloop/hooks.json" in waiting[0], ".claude/settings.json" in waiting[1]] == [True, True]
        await discarded(held, run)

        trust_everything(project)
        run = await held.run("1.2")
        await held.until("turn.ended", run)
        trust.revoke(StateDir.of(project).trust_file, [".devloop/hooks.json", ".claude/settings.json"])
        await held.checkpoint(run)
        assert "hooked" in first_text(held.requests(run)[0])
        assert {each["event"] for each in held.told("hook.ended", run)} <= {"SessionStart", "PreToolUse", "Stop"}
        await discarded(held, run)


async def test_a_devloop_that_a_hook_started_runs_no_hooks(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(project, {"PreToolUse": [("", "exit 2", 9)]})
    commit_all(project, "hooks")
    trust_everything(project)
    monkeypatch.setenv("DEVLOOP_HOOK_ORIGIN", "Stop:0123456789ab")
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        assert held.told("hook.ended", run) == [] and len(shown["diff"]["list"]) == 1
        assert any("a hook started this devloop" in notice for notice in shown["notices"])
        await discarded(held, run)


async def test_a_kill_while_a_hook_runs_repeats_the_turn_and_nothing_twice(project: Path) -> None:
    """The hook after the call appends to the file; the repeated turn begins with the worktree as it was."""
    append = "echo more >> log.txt; while test -e hold; do sleep 0.02; done"
    declare(project, {"PostToolUse": [("Write", append, 30)], "SessionStart": [("", "echo begun", 9)]})
    commit_all(project, "hooks")
    trust_everything(project)
    async with engine(project, tasks={"1.1": work("log.txt", "first\n")}) as held:
        run = await held.run("1.1")
        await held.until("turn.started", run)
        worktree = held.state.worktrees / run
        (worktree / "hold").touch()
        await held.until("hook.started", run, count=2)
        await held.kill()
        await held.up()
        await held.checkpoint(run)
        assert (await held.ask("content", run=run, path="log.txt"))["text"] == "first\nmore\n"
        assert [event for event, _ in told(held, run)] == ["SessionStart", "PostToolUse"]
        await discarded(held, run)


async def test_cancelling_ends_a_run_whose_hook_hangs(project: Path) -> None:
    declare(project, {name: [("", "sleep 50", 60)] for name in ("PreToolUse", "SessionEnd")})
    commit_all(project, "hooks")
    trust_everything(project)
    async with engine(project, tasks={"1.1": work("a.txt")}) as held:
        run = await held.run("1.1")
        await held.until("hook.started", run)
        await held.ask("cancel", run=run)
        ended = await held.until("run.ended", run, timeout=20)
        assert ended["data"]["outcome"] == "cancelled"
        assert told(held, run) == [("SessionEnd", "timeout")], "the end waits for hooks, but not for long"


async def test_hooks_hear_of_a_groups_checkpoints_when_everybody_does(one: Engine) -> None:
    slow = [turn(command("while ! test -e go; do sleep 0.02; done; rm go")), *work("z2.txt")]
    await one.play({"1.24": work("z1.txt"), "1.25": slow, "1.26": slow})
    tasks = [{"id": name, "title": "Do it", "group": "A"} for name in ("1.24", "1.25", "1.26")]
    started = await one.ask("start", task=tasks[0], beside=tasks[1:], plan={}, loop={"limit": 3})
    first, second, third = started["runs"]

    async def held() -> bool:
        return bool((await one.row(first))["waiting_for"] == "the others of its group")

    await eventually(held, "the first one is held", timeout=30)
    (one.state.worktrees / second / "go").touch()
    await eventually(lambda: told(one, second, "PreCommit"), "the second one is finished", timeout=30)
    assert not told(one, first, "CheckpointOpened") and not one.told("checkpoint.opened", first)
    await one.ask("cancel", run=third)
    for run in (first, second):
        await one.checkpoint(run)
        await eventually(lambda run=run: told(one, run, "CheckpointOpened"), "its hook is told", timeout=30)
        await discarded(one, run)
    assert [len(told(one, run, "CheckpointOpened")) for run in (first, second, third)] == [1, 1, 0]
