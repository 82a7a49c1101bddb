"""Gates run for real: fake tools for each row of the verdict table, a whole project, and the ways to start one."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from devloop.gates import (
    Gate,
    GateResult,
    Place,
    compare,
    discover,
    feedback,
    overall,
    run_gate,
    run_gates,
    tool_version,
)
from devloop.gates.environment import Environment
from devloop.gates.run import run_at
from devloop.sandbox import Mount, detect

Tree = Callable[[dict[str, str]], Path]
Places = Callable[..., Place]

PASSED = '<testsuite tests="1" failures="0" errors="0"><testcase classname="c" name="a"/></testsuite>'
FAILED = '<testsuite failures="1"><testcase classname="c" name="a"><failure message="no"/></testcase></testsuite>'
SKIPPED = '<testsuite tests="1"><testcase classname="c" name="a"><skipped/></testcase></testsuite>'
WRONG = '<testsuite tests="41"><testcase classname="c" name="a"/></testsuite>'


def tool(body: str, report: str | None = None) -> str:
    written = f"cat > \"$1\" <<'END'\n{report}\nEND\n" if report is not None else ""
    return f"#!/bin/sh\n{written}{body}\n"


def declared(**changes: object) -> Gate:
    gate = Gate("fake", "tests", ("./tool.sh", "{out}/junit.xml"), "junit", origin="declared", timeout_s=20)
    return dataclasses.replace(gate, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("script", "verdict", "words"),
    [
        (tool("exit 0", PASSED), "pass", "1 passed"),
        (tool("exit 1", FAILED), "fail", "1 failed"),
        (tool("exit 1", PASSED), "error", "no test of the report failed"),
        (tool("exit 0", FAILED), "error", "lists 1 failure"),
        (tool("exit 0"), "unknown", "missing"),
        (tool("exit 3"), "error", "no report"),
        (tool("exit 0", SKIPPED), "unknown", "skipped"),
        (tool("exit 0", "<testsuite/>"), "unknown", "no test ran"),
        (tool("exit 0", WRONG), "unknown", "counts don't add up"),
        (tool("exit 0", ""), "error", "empty"),
        (tool("exit 0", "<testsuite"), "error", "no XML"),
        (tool("kill -SEGV $$", PASSED), "error", "signal 11"),
        (tool("exit 137", PASSED), "error", "signal 9"),
        (tool("exit 127", PASSED), "error", "could not be executed"),
        ("#!/no/such/interpreter\n", "error", ""),
    ],
)
async def test_a_fake_tool_gets_the_verdict_of_its_row(
    script: str, verdict: str, words: str, tree: Tree, place: Places
) -> None:
    result = await run_at(declared(), place(tree({"tool.sh": script})))
    assert result.verdict == verdict, result.reason
    assert words in result.reason


async def test_a_timeout_is_an_error_and_comes_in_time(tree: Tree, place: Places) -> None:
    gate = declared(timeout_s=0.5)
    result = await run_at(gate, place(tree({"tool.sh": tool("sleep 60 & sleep 60", PASSED)})))
    assert (result.verdict, result.exit_code) == ("error", None)
    assert "longer than 0.5 s" in result.reason and result.duration_s < 10


@pytest.mark.parametrize("program", ["no-such-program", "./absent.sh"])
async def test_a_missing_program_is_an_error_that_names_it(program: str, tree: Tree, place: Places) -> None:
    result = await run_at(declared(command=(program,)), place(tree({"x": ""})))
    assert result.verdict == "error" and (program in result.reason or "executed" in result.reason)


async def test_a_tool_that_prints_its_report_needs_no_file(tree: Tree, place: Places) -> None:
    line = json.dumps({"file": "a.py", "line": 1, "column": 4, "message": "bad", "code": "x", "severity": "error"})
    script = f"#!/bin/sh\necho progress >&2\necho '{line}'\nexit 1\n"
    gate = declared(command=("./tool.sh",), report="mypy-json", kind="types")
    result = await run_at(gate, place(tree({"tool.sh": script, "a.py": "abcdef\n"})))
    assert (result.verdict, result.findings[0].message, result.findings[0].column) == ("fail", "bad", 4)
    assert result.output_tail.strip() == "progress"


async def test_output_is_kept_redacted_private_and_without_control_characters(tree: Tree, place: Places) -> None:
    script = tool(
        "printf 'secret-value \\033[31mred\\033[0m\\n'; exit 0", PASSED.replace('name="a"', 'name="secret-value"')
    )
    where = place(tree({"tool.sh": script}), redact=lambda text: text.replace("secret-value", "«hidden»"))
    result = await run_at(declared(name="../odd name"), where)
    kept = Path(result.output_path or "")
    assert kept.parent == where.output_dir and kept.read_text() == "«hidden» red\n" == result.output_tail
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


async def test_the_gate_sees_no_secret_no_network_and_cannot_write_outside(
    tree: Tree, place: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "marker-in-the-environment")
    outside = tmp_path / "outside"
    outside.mkdir()
    body = f"env; cat /proc/1/environ; ls /sys/class/net; touch {outside}/x; touch /etc/x; exit 0"
    result = await run_at(declared(), place(tree({"tool.sh": tool(body, PASSED)})))
    assert result.verdict == "pass"
    assert "marker-in-the-environment" not in result.output_tail and "PATH=" in result.output_tail
    assert not list(outside.iterdir())


async def test_nothing_is_left_of_the_report_directory_even_when_the_tool_resists(tree: Tree, place: Places) -> None:
    body = 'mkdir -p "$(dirname "$1")/deep/er"; chmod 0 "$(dirname "$1")/deep"; ln -s / "$(dirname "$1")/root"; exit 0'
    where = place(tree({"tool.sh": tool(body, PASSED)}))
    assert (await run_at(declared(), where)).verdict == "pass"
    assert list(where.reports_root.iterdir()) == []


async def test_cancelling_stops_the_gate_and_cleans_up(tree: Tree, place: Places, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    where = place(
        tree({"tool.sh": f"#!/bin/sh\ntouch {shared}/started\nsleep 60\n"}), mounts=(Mount(shared, shared, write=True),)
    )
    running = asyncio.create_task(run_at(declared(), where))
    async with asyncio.timeout(20):
        while not (shared / "started").exists():
            await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert list(where.reports_root.iterdir()) == []


PROJECT = {
    "pyproject.toml": "[tool.ruff]\n[tool.ruff.format]\n[tool.mypy]\nstrict = true\n[tool.pytest.ini_options]\n",
    "calc.py": "def twice(x: int) -> int:\n    return x * 2\n",
    "tests/test_calc.py": "from calc import twice\n\n\ndef test_twice() -> None:\n    assert twice(2) == 4\n",
}


async def test_discovered_gates_of_a_small_project_pass_in_the_real_sandbox(tree: Tree, place: Places) -> None:
    where = place(tree(PROJECT))
    found = discover(where.checkout)
    started: list[str] = []
    ended: list[str] = []
    results = await run_gates(
        found.gates, where, on_start=lambda g: started.append(g.name), on_end=lambda r: ended.append(r.gate)
    )
    assert [(r.gate, r.verdict) for r in results] == [
        ("ruff-format", "pass"),
        ("ruff", "pass"),
        ("mypy", "pass"),
        ("pytest", "pass"),
    ], feedback(results)
    assert started == ended == [r.gate for r in results] and overall(results) == "pass"
    tests = results[-1]
    assert tests.tests == {"tests/test_calc.py::test_twice": "passed"}
    assert tests.report_sha256 and tests.tree == "t" * 40 and tests.exit_code == 0
    assert tests.tool_version == tool_version(found.gates[-1], where.environment, where.checkout)
    assert tests.tool_version.startswith("pytest ")
    assert GateResult.from_json(json.loads(json.dumps(tests.to_json()))) == dataclasses.replace(
        tests, tests={}, more_tests=1
    )


async def test_a_new_failure_blocks_and_the_feedback_says_where(tree: Tree, place: Places) -> None:
    files = {**PROJECT, "tests/test_old.py": "def test_old():\n    assert 0\n"}
    where = place(tree(files))
    gates = [gate for gate in discover(where.checkout).gates if gate.name == "pytest"]
    (before,) = await run_gates(gates, where)
    assert before.verdict == "fail"
    (unchanged,) = [compare(result, before) for result in await run_gates(gates, where)]
    assert unchanged.verdict == "pass" and unchanged.changes.existing == ("tests/test_old.py::test_old",)
    (where.checkout / "calc.py").write_text("def twice(x: int) -> int:\n    return x * 3\n")
    (result,) = [compare(result, before) for result in await run_gates(gates, where)]
    assert result.verdict == "fail" and result.changes.new == ("tests/test_calc.py::test_twice",)
    text = feedback([result])
    assert "Gate pytest: fail (1 new, 1 existed before)" in text
    assert "tests/test_calc.py:5: test_twice: assert 6 == 4" in text
    assert "test_old: assert" not in text.split("Output (end)")[0]


async def test_a_test_file_that_breaks_on_import_goes_back_to_the_agent(tree: Tree, place: Places) -> None:
    where = place(tree({**PROJECT, "calc.py": "def twice(:\n"}))
    (result,) = await run_gates([g for g in discover(where.checkout).gates if g.name == "pytest"], where)
    assert (result.verdict, result.complete, result.exit_code) == ("fail", False, 2)
    assert "could not be collected" in result.reason


async def test_no_test_at_all_is_unknown(tree: Tree, place: Places) -> None:
    where = place(tree({"pytest.ini": "[pytest]\n", "test_a.py": "x = 1\n"}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert (result.verdict, result.exit_code, overall([result])) == ("unknown", 5, "unknown")


async def test_ruff_that_is_told_to_look_at_nothing_is_unknown(tree: Tree, place: Places) -> None:
    where = place(tree({"ruff.toml": 'exclude = ["*"]\n', "a.py": "import os\n"}))
    (result,) = await run_gates(discover(where.checkout).gates, where)
    assert result.verdict == "unknown" and "nothing was checked" in result.reason


async def test_pytest_that_is_not_installed_is_an_error_that_says_where(
    tree: Tree, place: Places, venv: Callable[..., Environment]
) -> None:
    checkout = tree({"test_a.py": "def test(): pass\n", "requirements.txt": "requests\n"})
    person = tree({}, "person")  # type: ignore[call-arg]
    environment = venv(person, {}, with_tools=False)
    (result,) = await run_gates(discover(checkout).gates, place(checkout, environment=environment))
    assert result.verdict == "error" and result.reason == f"pytest is not installed in {environment.root}"


async def test_a_failed_build_skips_the_rest(tree: Tree, place: Places) -> None:
    gates = [
        Gate("unit", "tests", ("true",), origin="declared"),
        Gate("compile", "build", ("false",), origin="declared"),
        Gate("style", "lint", ("true",), origin="declared"),
    ]
    results = await run_gates(gates, place(tree({"x": ""})))
    assert [(r.gate, r.verdict, r.reason) for r in results] == [
        ("style", "pass", ""),
        ("compile", "fail", "exit code 1"),
        ("unit", "skipped", "build failed"),
    ]
    assert overall(results) == "fail" and overall([results[0], results[2]]) == "skipped"


async def test_without_a_sandbox_only_declared_gates_run(tree: Tree, place: Places) -> None:
    plain = (await detect("none")).backend
    assert plain.name == "none"
    where = place(
        tree({"tool.sh": tool('pwd; echo "$HOME"; exit 0', PASSED), "test_a.py": "def test(): pass\n"}), backend=plain
    )
    result = await run_at(declared(), where)
    assert result.verdict == "pass", result.reason
    folder, home = result.output_tail.split()
    assert folder == str(where.checkout) and home.startswith(str(where.reports_root))
    (refused,) = await run_gates(discover(where.checkout).gates, where)
    assert refused.verdict == "error" and "no sandbox" in refused.reason


async def test_run_gate_takes_the_place_as_keywords(tree: Tree, place: Places) -> None:
    where = place(tree({"tool.sh": tool("echo $DEVLOOP_X; exit 0", PASSED)}))
    result = await run_gate(
        declared(),
        checkout=where.checkout,
        view=where.view,
        environment=where.environment,
        backend=where.backend,
        reports_root=where.reports_root,
        output_dir=where.output_dir,
        tree="abc",
        redact=str,
        variables={"DEVLOOP_X": "seen"},
    )
    assert (result.verdict, result.tree, result.output_tail) == ("pass", "abc", "seen\n")


async def test_declared_pytest_with_a_junit_report_gets_the_second_witness(tree: Tree, place: Places) -> None:
    where = place(tree({"test_a.py": "def test_one(): pass\n"}))
    gate = declared(command=(sys.executable, "-m", "pytest", "-q"))
    result = await run_at(gate, where)
    assert result.verdict == "pass" and result.tests == {"test_a.py::test_one": "passed"}
