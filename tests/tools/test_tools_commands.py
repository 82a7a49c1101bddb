"""run_command, in the real sandbox."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from devloop.sandbox import MIB, Limits
from devloop.tools import ToolCall, run_batch


async def test_a_command_tells_how_it_ended_and_what_it_printed(boxed):
    result = await boxed.do("run_command", command="pwd; echo err >&2; exit 3")
    assert result.content == "exit code 3, under 1 s\n/home/somebody/project\nerr\n"
    assert (result.is_error, result.kind) == (False, "command")
    assert result.summary.startswith("$ pwd; echo err >&2; exit 3 → exit code 3, 0.")
    assert (await boxed.do("run_command", command="true")).content == "exit code 0, under 1 s\n(no output)"
    assert "exit code 139 (SIGSEGV)" in (await boxed.do("run_command", command="kill -SEGV $$")).content


async def test_commands_write_the_worktree_and_see_what_tools_wrote(boxed):
    written, read, back = await run_batch(
        [
            ToolCall("a", "write_file", {"path": "x.txt", "content": "from the tool\n"}),
            ToolCall("b", "run_command", {"command": "cat x.txt; echo from the command > y.txt"}),
            ToolCall("c", "read_file", {"path": "y.txt"}),
        ],
        boxed.context,
    )
    assert not written.is_error
    assert "from the tool" in read.content
    assert back.content == "1\tfrom the command"


async def test_protected_and_read_only_paths_hold_in_commands_too(boxed):
    boxed.put("app/migrations/0001.py", "original\n")
    boxed.put("uv.lock", "original\n")
    desk = dataclasses.replace(
        boxed, context=dataclasses.replace(boxed.context, readonly=("migrations/", "*.lock", "db/seed.sql"))
    )
    result = await desk.do(
        "run_command",
        command="echo x > app/migrations/0001.py; echo x > app/migrations/0002.py; mv app old; echo x > uv.lock;"
        " mkdir -p db; echo x > db/seed.sql; echo x > .vscode/x; echo x > .envrc; echo x > .git/config;"
        " echo fine > app/x.py",
    )
    assert not result.is_error
    assert (desk.worktree / "app/migrations/0001.py").read_text() == "original\n"
    assert (desk.worktree / "uv.lock").read_text() == "original\n"
    left = sorted(str(p.relative_to(desk.worktree)) for p in desk.worktree.rglob("*") if p.is_file())
    assert left == ["app/migrations/0001.py", "app/x.py", "uv.lock"]
    assert not list(desk.worktree.glob(".*"))


async def test_the_model_gets_head_and_tail_and_the_file_gets_all(boxed):
    result = await boxed.do("run_command", command="seq 1 30000")
    assert len(result.content) < 31 * 1024
    assert "\n1\n2\n" in result.content
    assert "bytes left out" in result.content
    assert result.content.endswith("30000\n")
    assert result.output_file is not None
    assert result.output_file.read_text() == "".join(f"{n}\n" for n in range(1, 30001))
    assert result.output_file.parent == boxed.context.output_dir


async def test_a_call_id_can_not_choose_where_the_output_goes(boxed):
    [result] = await run_batch([ToolCall("../../x y", "run_command", {"command": "echo hi"})], boxed.context)
    assert result.output_file == boxed.context.output_dir / "______x_y.log"


@pytest.mark.parametrize(
    ("limits", "values", "text"),
    [
        (Limits(wall_s=20), {"command": "sleep 20", "timeout": 1}, "killed: timeout, 1 s"),
        (Limits(wall_s=0.4), {"command": "sleep 20"}, "killed: timeout"),
        (Limits(wall_s=15, processes=10), {"command": "for i in $(seq 15); do sleep 20 & done; wait"}, None),
        (
            Limits(wall_s=15, disk_reserve_bytes=1 << 60),
            {"command": "for i in $(seq 200); do head -c 1000000 /dev/zero > f$i; sleep 0.01; done"},
            "killed: the disk is nearly full",
        ),
    ],
)
async def test_limits_are_named(boxed, limits, values, text):
    desk = dataclasses.replace(boxed, context=dataclasses.replace(boxed.context, limits=limits))
    result = await desk.do("run_command", **values)
    if text is None:
        assert "killed: more than 10 processes" in result.content or "fork" in result.content
    else:
        assert result.is_error
        assert text in result.content


async def test_secrets_in_output_are_hidden(boxed):
    secret = "not-a-real-" + "secret-value"
    boxed.put("env", secret)
    result = await boxed.do("run_command", command=f"cat env; printf '\\033[31mred\\033[0m\\r\\n'; echo {secret}")
    assert secret not in result.content + result.summary
    assert "red\n" in result.content


async def test_cancelling_a_batch_kills_its_command(boxed):
    (boxed.worktree / "up").unlink(missing_ok=True)
    running = asyncio.create_task(boxed.do("run_command", command="touch up; sleep 30; touch late"))
    while not (boxed.worktree / "up").exists():
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(p.name for p in boxed.worktree.iterdir()) == ["up"]


async def test_without_a_sandbox_commands_are_refused(desk):
    result = await desk.do("run_command", command="touch x")
    assert result.is_error
    assert "no sandbox" in result.content
    assert not (desk.worktree / "x").exists()


async def test_odd_commands_are_results(boxed):
    assert "NUL" in (await boxed.do("run_command", command="a\0b")).content
    assert "exit code 2" in (await boxed.do("run_command", command="if")).content
    long = await boxed.do("run_command", command="echo " + "x" * 90_000)
    assert "exit code 0" in long.content


async def test_too_many_read_only_places_are_refused_not_ignored(boxed):
    for number in range(70):
        boxed.put(f"d{number}/a.lock", "x")
    desk = dataclasses.replace(boxed, context=dataclasses.replace(boxed.context, readonly=("*.lock",)))
    result = await desk.do("run_command", command="true")
    assert result.is_error
    assert "name folders instead" in result.content


async def test_where_read_only_places_could_not_be_looked_for_to_the_end_no_command_runs(boxed, monkeypatch):
    """A pattern behind so many files that the walk ends before it: what it names would not be protected."""
    monkeypatch.setattr("devloop.tools.reading.WALK_CAP", 20)
    for number in range(30):
        boxed.put(f"d{number}/a", "x")
    boxed.put("z.lock", "kept")
    desk = dataclasses.replace(boxed, context=dataclasses.replace(boxed.context, readonly=("*.lock",)))
    result = await desk.do("run_command", command="for each in *.lock d*; do echo changed > $each; done")
    assert result.is_error and "No command can run" in result.content
    assert (desk.worktree / "z.lock").read_text() == "kept"
    named = dataclasses.replace(boxed, context=dataclasses.replace(boxed.context, readonly=("d1/a",)))
    result = await named.do("run_command", command="echo changed > d1/a; echo other > d2/a")
    assert "exit code 0" in result.content and (named.worktree / "d1/a").read_text() == "x"


async def test_memory_is_named(boxed):
    limits = Limits(wall_s=15, memory_bytes=100 * MIB)
    desk = dataclasses.replace(boxed, context=dataclasses.replace(boxed.context, limits=limits))
    fill = "for i in 1 2 3 4 5 6 7; do (x=$(head -c 25000000 /dev/zero | tr '\\0' x); sleep 20) & done; wait"
    result = await desk.do("run_command", command=fill)
    assert "killed: more than 100 MiB of memory" in result.content


def test_the_view_is_not_the_worktree(boxed):
    assert boxed.context.view == Path("/home/somebody/project")
