"""What is loaded when, and the double as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.models import FULL, AnthropicModel, ModelFailure, Request, build_messages

TESTS = Path(__file__).resolve().parents[1]
SCENARIO = """
[[tasks."1.1".turns]]
text = "Done."
thinking = "Hm."
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_importing_the_package_loads_neither_the_sdk_nor_pydantic() -> None:
    heavy = "('anthropic', 'httpx2', 'pydantic', 'sqlalchemy', 'dbos')"
    assert run(f"import sys, devloop.models as m; m.reaction; print([x for x in {heavy} if x in sys.modules])") == "[]"


def test_the_scripted_player_works_without_the_sdk() -> None:
    code = "import sys; from devloop.models import ScriptedModel, load_scenario; print('anthropic' in sys.modules)"
    assert run(code) == "False"


def test_preload_brings_in_what_a_first_request_needs() -> None:
    wanted = "'anthropic.resources.messages'"
    code = f"import sys; from devloop.models import preload; preload(); print({wanted} in sys.modules)"
    assert run(code) == "True"


def test_every_public_name_is_there() -> None:
    import devloop.models

    for name in devloop.models.__all__:
        assert getattr(devloop.models, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        devloop.models.nothing  # noqa: B018


async def test_the_double_runs_as_a_process_and_ends_with_its_standard_input(tmp_path: Path) -> None:
    scenario, journal = tmp_path / "scenario.toml", tmp_path / "journal.jsonl"
    scenario.write_text(SCENARIO)
    process = subprocess.Popen(
        [sys.executable, "-m", "double", "--port", "0", "--scenario", scenario, "--journal", journal],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        model = AnthropicModel(told["key"], told["url"], 5, capabilities=FULL)
        first = Request("claude-sonnet-5-5", "", [], build_messages("Task: 1.1 Add a test", []), 100)
        assert (await model.turn(first)).text == "Done."
        wrong = Request("claude-sonnet-5-5", "", [], build_messages("Task: 9 Nobody", []), 100)
        with pytest.raises(ModelFailure, match="no turn 1 for task 9"):
            await model.turn(wrong)
        await model.close()
    finally:
        process.stdin.close()
        assert process.wait(10) == 0
        process.stdout.close()
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [(line["task"], line["outcome"]) for line in lines] == [("1.1", "answered"), (None, "refused")]
    assert told["key"] not in journal.read_text()


def test_a_faulty_scenario_ends_the_process_with_its_fault(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text('[[tasks."1".turns]]\ntxt = "typing error"\n')
    done = subprocess.run(
        [sys.executable, "-m", "double", "--scenario", scenario],
        cwd=TESTS,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=30,
    )
    assert done.returncode != 0 and "tasks.1.turns.0.txt" in done.stderr
