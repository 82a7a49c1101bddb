"""The benchmark runs and says what it promises."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from devloop.plan import parse


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = Path(__file__).parents[1] / "bench" / "bench_plan.py"
    spec = importlib.util.spec_from_file_location("bench_plan", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_quick_run(bench: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--quick", "--json"]) in (0, 1)
    result = json.loads(capsys.readouterr().out)
    assert result["bars"]["scan_ms"]["lines"] == 10_000
    assert result["bars"]["scan_ms"]["met"]
    rows = result["cpu_ms"]
    assert rows["scan (bytes to document)"]["10000"]["min"] < rows["peer: markdown-it-py blocks"]["10000"]["min"] / 5


def test_document_of_the_benchmark_is_a_plan(bench: ModuleType) -> None:
    plan = parse(bench.plan_text(2_000))
    assert plan.document.count == 2_000
    assert len(plan.phases) > 10
    assert not [p for p in plan.problems if p.severity in ("error", "warning")]
