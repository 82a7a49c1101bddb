"""kill -9 while a version is shipped: one commit, one tag, nothing left open."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from support.programs import Place, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

TURNS = [
    {"calls": [{"name": "edit_file", "input": {"path": "CHANGELOG.md", "old_string": "- a", "new_string": "- A"}}]},
    {"calls": [{"name": "finish", "input": {"summary": "ready", "verdict": "READY", "pr_title": "R", "pr_text": "t"}}]},
]
BOUNDARIES = 24


@pytest.mark.parametrize("boundary", range(1, BOUNDARIES + 1))
def test_a_version_is_shipped_once_wherever_the_engine_is_killed(
    boundary: int, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `--long` only around acceptance, landing and tag."""
    if not pytestconfig.getoption("--long") and boundary not in (2, 16, 20, 21, 22):
        pytest.skip("with --long")
    with tempfile.TemporaryDirectory(prefix="dlk-") as folder:
        monkeypatch.setenv("DEVLOOP_STATE_DIR", f"{folder}/s")
        place = Place(Path(folder).resolve())
        ledger = place.tmp / "ledger"
        place.environment |= {"DEVLOOP_FAULT": str(boundary), "DEVLOOP_FAULT_LEDGER": str(ledger)}
        place.project()
        place.git("tag", "v1.2.3")
        (place.root / "a.py").write_text("a = 1\n")
        place.git("add", "a.py")
        place.git("commit", "-q", "-m", "feat: a")
        place.script({"@ship": TURNS})
        try:
            place("ship", "--tag", "--decide", "commit", "--json")
            until(lambda: place("runs", "--json").json["runs"][0]["state"] == "ended", "it has ended", 60)
            (run,) = place("runs", "--json").json["runs"]
            assert run["outcome"] == "landed", run
            assert place.git("log", "--format=%s", "-3").split("\n") == ["Release 1.3.0", "feat: a", "start"]
            assert place.git("rev-parse", "v1.3.0^{commit}") == place.git("rev-parse", "HEAD")
            assert place.git("status", "--porcelain") == ""
            assert len({line.split()[1] for line in ledger.read_text().splitlines()}) == 2, "an engine was killed"
        finally:
            place.end()
