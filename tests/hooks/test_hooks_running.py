"""Hooks as real processes in the real sandbox: what they see, how they are stopped, and whose bytes run."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devloop import hooks, sandbox, trust
from devloop.errors import StorageError
from devloop.hooks import Hook, Occasion, Place, Ready, Verdict
from devloop.paths import StateDir
from devloop.redact import Redactor
from devloop.sandbox import Mount
from support.engines import eventually, trust_everything

Make = Callable[..., Place]
ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
async def place(tmp_path: Path) -> Make:
    """`place(write=…)`: where hooks run; the worktree is seen at the path of the project."""
    detected = await sandbox.detect()
    if detected.state != "on":
        pytest.skip(detected.reason)
    view, worktree = tmp_path / "view", tmp_path / "worktree"
    for folder in (view, worktree):
        folder.mkdir()

    def make(*, write: bool = False, **more: Any) -> Place:
        mounts = (Mount(worktree, view, write=write),)
        return Place(worktree, view, detected.backend, mounts, ENV, Redactor().text, **more)

    return make


def ready(command: str, event: str = "Stop", *, scripts: Any = (), timeout_s: float = 20.0, **more: Any) -> Ready:
    return Ready(Hook(event, command, timeout_s=timeout_s, **more), tuple(scripts))


def occasion(place: Place, event: str = "Stop", **more: Any) -> Occasion:
    return Occasion(event, "run-1", str(place.view), about={"run": "run-1", "task": "1.1"}, **more)


async def fire(place: Place, *found: Ready, event: str = "Stop", **more: Any) -> Verdict:
    return await hooks.fire(found, occasion(place, event, **more), place)


async def test_a_hook_reads_one_object_and_may_refuse(place: Make) -> None:
    """The reason is stderr alone; stdout is something else."""
    at = place()
    script = 'read -r line; echo "$line"; printf \'%s\' "$line" | grep -c run-1 >&2; exit 2'
    raw = await hooks.run(ready(script), occasion(at, fields={"stop_hook_active": True}), at)
    told = json.loads(raw.ended.stdout)
    assert raw.ended.stderr == "1\n" and raw.ended.exit_code == 2 and raw.input == told
    assert told == {
        "session_id": "run-1",
        "transcript_path": None,
        "cwd": str(at.view),
        "hook_event_name": "Stop",
        "permission_mode": "default",
        "stop_hook_active": True,
        "devloop": {"run": "run-1", "task": "1.1", "tool": None},
    }
    verdict = await fire(at, ready("echo because >&2; exit 2"))
    assert verdict.blocked and verdict.reason == "echo because >&2; exit 2: because"


async def test_tools_are_told_under_the_names_that_a_file_speaks(place: Make) -> None:
    at = place()
    call = {"tool": "write_file", "tool_input": {"path": "src/a.py", "content": "x\n"}}
    seen = {}
    for dialect in ("claude", "devloop"):
        one = ready("cat", "PostToolUse", dialect=dialect)
        response = {"content": "written", "is_error": False}
        raw = await hooks.run(one, occasion(at, "PostToolUse", response=response, **call), at)
        seen[dialect] = json.loads(raw.ended.stdout)
    assert (seen["claude"]["tool_name"], seen["devloop"]["tool_name"]) == ("Write", "write_file")
    assert seen["claude"]["tool_input"] == {
        "path": "src/a.py",
        "content": "x\n",
        "file_path": str(at.view / "src/a.py"),
    }
    assert seen["devloop"]["tool_input"] == call["tool_input"]
    assert seen["claude"]["tool_response"]["success"] is True
    assert seen["claude"]["devloop"]["tool"] == "write_file"


async def test_older_plugins_find_the_input_in_a_variable(place: Make) -> None:
    at = place()
    call = {"tool": "run_command", "tool_input": {"command": "git commit -m 'x y'"}, "subject": ("run_command", "Bash")}
    script = "printf '%s' \"$TOOL_INPUT\" | grep -q 'x y' && echo found >&2; exit 2"
    fits = ready(script, "PreToolUse", matcher="Bash", condition="git commit", dialect="claude")
    other = ready("exit 2", "PreToolUse", matcher="Bash", condition="git push")
    verdict = await fire(at, fits, other, event="PreToolUse", **call)
    assert [each.reason for each in verdict.answers] == ["found"]
    huge = {**call, "tool_input": {"command": f"git commit -m {'x' * 300_000} 'x y'"}}
    verdict = await fire(
        at, replace(fits, hook=replace(fits.hook, command='test -n "$TOOL_INPUT"')), event="PreToolUse", **huge
    )
    assert [each.result for each in verdict.answers] == ["pass"]


async def test_a_hook_that_hangs_is_ended_at_its_limit_with_all_that_it_started(place: Make) -> None:
    at = place(write=True)
    began = time.monotonic()
    mark = f"{os.getpid()}.{time.monotonic_ns() % 10**6}"
    verdict = await fire(at, ready(f"trap '' TERM; sleep 100{mark} & sleep 200{mark}; echo late", timeout_s=0.6))
    (answer,) = verdict.answers
    assert answer.result == "timeout" and "longer than 0.6 s" in answer.reason and not verdict.blocked
    assert time.monotonic() - began < 10

    def left() -> list[str]:
        lines = []
        for each in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                lines.append(each.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue
        return [line for line in lines if mark in line and "sleep" in line]

    await eventually(lambda: not left(), "nothing of the hook is alive")


async def test_a_hook_that_ends_leaves_nothing_running(place: Make) -> None:
    at = place(write=True)
    verdict = await fire(at, ready("(sleep 0.4; touch late) & exit 0", "PreCommit"), event="PreCommit")
    assert [each.result for each in verdict.answers] == ["pass"]
    await asyncio.sleep(0.8)  # what would have made the file is gone: nothing to wait for
    assert not (at.worktree / "late").exists()


@pytest.mark.parametrize("stream", ["1", "2"])
async def test_a_flood_is_ended_or_cut(place: Make, stream: str) -> None:
    at = place()
    began = time.monotonic()
    verdict = await fire(at, ready(f"yes no-end-of-it >&{stream}", timeout_s=4))
    (answer,) = verdict.answers
    assert answer.result in ("flood", "timeout", "error") and not verdict.blocked
    assert time.monotonic() - began < 15
    if stream == "1":
        assert answer.result == "flood"


async def test_much_of_stderr_is_cut_and_still_the_reason(place: Make) -> None:
    verdict = await fire(place(), ready("head -c 400000 /dev/zero | tr '\\0' x >&2; exit 2"))
    assert verdict.blocked and len(verdict.answers[0].reason) == 4_000


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kill -9 $$", "exit code 137"),
        ("exit 1", "exit code 1"),
        ("no-such-program-here", "exit code 127"),
        ("echo '{\"decision\": '; exit 0", None),
    ],
)
async def test_a_hook_that_fails_is_told_and_stops_nothing(place: Make, command: str, words: str | None) -> None:
    verdict = await fire(place(), ready(command))
    assert not verdict.blocked and verdict.halted is None
    if words is not None:
        assert verdict.told and words in verdict.told[0]


async def test_hooks_run_side_by_side_and_answer_in_their_order(place: Make) -> None:
    at = place(write=True)
    # Each waits for the other's file: one after the other, they would end at their limits.
    first = ready("touch a; while ! test -e b; do sleep 0.02; done; sleep 0.3; echo one >&2; exit 2", "PreCommit")
    second = ready("touch b; while ! test -e a; do sleep 0.02; done; echo two >&2; exit 2", "PreCommit")
    verdict = await fire(at, first, second, event="PreCommit")
    assert [each.reason for each in verdict.answers] == ["one", "two"]


async def test_a_hook_sees_no_secret_no_network_and_nothing_of_the_person(
    place: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-" + "abcdefghijklmnop")
    (tmp_path / "private").write_text("private")
    at = place(write=False)
    script = (
        f"env; cat {tmp_path}/private; touch {at.view}/x; cat /proc/*/environ | tr '\\0' '\\n';"
        " exec 3<>/dev/tcp/127.0.0.1/9; ls ~"
    )
    raw = await hooks.run(ready(script), occasion(at), at)
    everything = raw.ended.stdout + raw.ended.stderr
    assert "sk-ant" not in everything and "\nprivate" not in everything and "Read-only file system" in everything
    assert raw.ended.stderr.count("No such file") == 1
    assert f"{hooks.ORIGIN}=Stop:" in everything and not (at.worktree / "x").exists()


async def test_secrets_in_what_a_hook_prints_go_to_nobody(place: Make) -> None:
    secret = "ghp_" + "a1B2" * 9
    at = replace(place(), redact=Redactor().text)
    verdict = await fire(at, ready(f"echo 'it is {secret[:20]}''{secret[20:]}\u202e' >&2; exit 2"))
    assert (
        verdict.blocked
        and secret not in verdict.reason.partition(": ")[2]
        and "\u202e" not in verdict.answers[0].reason
    )


async def test_a_hook_is_told_no_secret_of_a_call(place: Make) -> None:
    """Neither on its standard input nor in the variable that older plugins read."""
    value = "hush-" + "hush-value"
    at = replace(place(), redact=Redactor({"A_TOKEN": value}).text)
    told = "*redacted:a-token*redacted:a-token*"
    script = f'case "$(cat) $TOOL_INPUT" in *hush-h*) exit 2;; {told}) exit 0;; esac; exit 3'
    call = {"tool": "run_command", "tool_input": {"command": f"echo {value}"}, "subject": ("run_command", "Bash")}
    verdict = await fire(at, ready(script, "PreToolUse", matcher="Bash"), event="PreToolUse", **call)
    assert [each.exit_code for each in verdict.answers] == [0]


async def test_what_a_hook_does_triggers_no_hook(place: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in this process while a hook runs, nor in a process that a hook started."""
    at = place()
    found: list[Verdict] = []

    class Nested:
        name, state = at.backend.name, at.backend.state

        async def run(self, command: Any, **more: Any) -> Any:
            found.append(await fire(at, ready("exit 2")))
            return await at.backend.run(command, **more)

    verdict = await fire(replace(at, backend=Nested()), ready("exit 2"))
    assert verdict.blocked and found == [Verdict()]
    monkeypatch.setenv(hooks.ORIGIN, "Stop:0123456789ab")
    assert await fire(at, ready("exit 2")) == Verdict()


async def test_cancelling_ends_a_hook_at_once(place: Make) -> None:
    at = place(write=True)
    running = asyncio.create_task(fire(at, ready("touch begun; sleep 100", "PreCommit"), event="PreCommit"))
    await eventually((at.worktree / "begun").exists, "the hook works")
    began = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - began < 5


async def test_without_a_sandbox_no_hook_runs(place: Make) -> None:
    off = await sandbox.detect("none")
    at = replace(place(write=True), backend=off.backend)
    verdict = await fire(at, ready("touch /tmp/should-not-be; exit 2"))
    assert not verdict.blocked and "there is no sandbox" in verdict.told[0]


# Whose bytes run


@pytest.fixture
def project(home: Path, tmp_path: Path) -> Path:
    """Hooks in a repository: one that calls a script, which calls another beside it."""
    root = tmp_path / "view"
    (root / "hooks" / "lib").mkdir(parents=True)
    (root / "tools").mkdir()
    (root / "hooks" / "guard.sh").write_text('. "$(dirname "$0")/lib/words.sh"\necho "$WORDS" >&2\nexit 2\n')
    (root / "hooks" / "lib" / "words.sh").write_text("WORDS=trusted\n")
    (root / "tools" / "other.sh").write_text("echo other-trusted >&2; exit 2\n")
    table = [{"command": "sh hooks/guard.sh"}, {"command": "sh $CLAUDE_PROJECT_DIR/tools/other.sh"}]
    (root / ".devloop").mkdir()
    (root / ".devloop" / "hooks.json").write_text(json.dumps({"hooks": {"Stop": table}}))
    trust_everything(root)
    return root


@pytest.fixture
async def of_project(project: Path, tmp_path: Path) -> Callable[..., Any]:
    """`of_project(change, write=…)`: what the project's hooks answer after `change` was done to the worktree."""
    detected = await sandbox.detect()
    if detected.state != "on":
        pytest.skip(detected.reason)
    folder = tmp_path / "run"
    folder.mkdir()
    found = hooks.pin(hooks.discover(project, StateDir.of(project).trust_file), folder)

    async def answers(change: Callable[[Path], None], *, write: bool = True) -> Verdict:
        worktree = tmp_path / "worktree"
        worktree.mkdir()
        for path in project.rglob("*"):
            inside = worktree / path.relative_to(project)
            inside.mkdir() if path.is_dir() else inside.write_bytes(path.read_bytes())
        change(worktree)
        before = listing(worktree)
        at = Place(worktree, project, detected.backend, (Mount(worktree, project, write=write),), ENV, str)
        verdict = await fire(at, *found)
        assert listing(worktree) == before, "what the run did stays as it was"
        return verdict

    return answers


def listing(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def evil(worktree: Path) -> None:
    (worktree / "hooks" / "guard.sh").write_text("exit 0\n")
    (worktree / "hooks" / "lib" / "words.sh").write_text("exit 0\n")
    (worktree / "tools" / "other.sh").write_text("exit 0\n")


def gone(worktree: Path) -> None:
    for name in ("hooks/guard.sh", "hooks/lib/words.sh", "tools/other.sh"):
        (worktree / name).unlink()
    for name in ("hooks/lib", "hooks", "tools"):
        (worktree / name).rmdir()


def added(worktree: Path) -> None:
    (worktree / "hooks" / "sitecustomize.py").write_text("raise SystemExit(0)\n")


@pytest.mark.parametrize("change", [lambda worktree: None, evil, gone, added], ids=["same", "evil", "gone", "added"])
@pytest.mark.parametrize("write", [True, False], ids=["writes", "reads"])
async def test_the_trusted_bytes_run_whatever_the_run_did_to_them(
    of_project: Any, change: Callable[[Path], None], write: bool
) -> None:
    verdict = await of_project(change, write=write)
    assert [each.reason for each in verdict.answers] == ["trusted", "other-trusted"]


def linked(worktree: Path) -> None:
    (worktree / "elsewhere").mkdir()
    (worktree / "elsewhere" / "guard.sh").write_text("exit 0\n")
    (worktree / "hooks").rename(worktree / "moved")
    (worktree / "hooks").symlink_to("elsewhere")
    (worktree / "tools" / "other.sh").unlink()
    (worktree / "tools" / "other.sh").symlink_to("/bin/true")


def folded(worktree: Path) -> None:
    (worktree / "hooks").rename(worktree / "moved")
    (worktree / "hooks").write_text("")
    (worktree / "tools" / "other.sh").unlink()
    (worktree / "tools" / "other.sh").mkdir()


@pytest.mark.parametrize("change", [linked, folded])
async def test_what_keeps_a_script_from_its_place_refuses(of_project: Any, change: Callable[[Path], None]) -> None:
    verdict = await of_project(change)
    assert verdict.blocked and all("put it back as it was" in each.reason for each in verdict.answers)


async def test_what_the_checkout_says_later_changes_nothing(project: Path, of_project: Any) -> None:
    (project / "hooks" / "guard.sh").write_text("exit 0\n")
    (project / ".devloop" / "hooks.json").write_text("{}")
    verdict = await of_project(lambda worktree: None)
    assert [each.reason for each in verdict.answers] == ["trusted", "other-trusted"]


def test_a_run_whose_hooks_can_not_be_read_does_not_go_on_without_them(project: Path, tmp_path: Path) -> None:
    assert hooks.pinned(tmp_path) == ()
    assert len(hooks.pin(hooks.discover(project, StateDir.of(project).trust_file), tmp_path)) == 2
    for damaged in ("", "[]", '{"sources": [{}]}'):
        (tmp_path / "hooks" / "pinned.json").write_text(damaged)
        with pytest.raises(StorageError, match="hooks this run has can't be read"):
            hooks.pinned(tmp_path)


def test_a_hook_is_inert_until_it_is_trusted_as_it_stands(project: Path) -> None:
    store = StateDir.of(project).trust_file

    def states() -> list[tuple[str, str]]:
        return [(each.path, each.state) for each in hooks.discover(project, store).sources]

    own = ".devloop/hooks.json"
    assert states() == [(own, "active")]
    for path in ("hooks/lib/words.sh", "hooks/guard.sh", "tools/other.sh", own):
        text = (project / path).read_text()
        (project / path).write_text(
            text.replace("trusted", "changed").replace("exit 2", "exit 0").replace("sh hooks", "bash hooks")
        )
        assert states() == [(own, "untrusted")], path
        assert hooks.pin(hooks.discover(project, store), project.parent) == ()
        (project / path).write_text(text)
    (project / "hooks" / "new.sh").write_text("")
    assert states() == [(own, "untrusted")], "a script beside the others may be called by them"
    (project / "hooks" / "new.sh").unlink()
    assert states() == [(own, "active")]
    (project / "README").write_text("unrelated\n")
    assert states() == [(own, "active")]
    trust.revoke(store)
    assert states() == [(own, "untrusted")]


def test_what_a_person_sees_is_all_that_runs(project: Path) -> None:
    (item,) = trust.hooks_in(project)
    for part in ("sh hooks/guard.sh", "=== hooks/guard.sh ===", "WORDS=trusted", "=== tools/other.sh ===", "exit 2"):
        assert part in item.text
    assert sorted(item.files) == ["hooks/guard.sh", "hooks/lib/words.sh", "tools/other.sh"]


def test_a_link_among_the_scripts_refuses_them_all(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.sh").write_text("exit 0\n")
    (project / "hooks" / "link.sh").symlink_to(tmp_path / "outside.sh")
    (source,) = hooks.discover(project, StateDir.of(project).trust_file).sources
    assert source.state == "refused" and "symbolic link" in source.note and source.declared.hooks == ()


async def test_the_persons_own_hooks_need_no_trust_and_find_their_scripts(
    place: Make, home: Path, tmp_path: Path
) -> None:
    at = place()
    (home / "hooks").mkdir()
    (home / "hooks" / "own.sh").write_text("echo mine >&2; exit 2\n")
    (home / "hooks.json").write_text(json.dumps({"hooks": {"Stop": [{"command": f"sh {home}/hooks/own.sh"}]}}))
    (tmp_path / "run").mkdir()
    found = hooks.pin(hooks.discover(at.worktree, None), tmp_path / "run")
    verdict = await fire(at, *found)
    assert [each.reason for each in verdict.answers] == ["mine"]
