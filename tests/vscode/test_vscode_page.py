"""The page of a run in a real browser: axe-core over all its states in four themes, and a run of 500 turns."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "client-vscode"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_page_of_a_run_has_no_serious_accessibility_problem_in_any_theme(tools, tmp_path, record_property):
    if not any(shutil.which(name, path=tools.environment["PATH"]) for name in ("chromium", "chromium-browser")):
        reason = "no browser is installed: apt-get install chromium fonts-dejavu-core"
        pytest.fail(reason) if tools.environment.get("DEVLOOP_REQUIRE_E2E") == "1" else pytest.skip(reason)
    environment = {
        **tools.environment,
        "DEVLOOP_E2E_TOOLS": str(tools.folder),
        "DEVLOOP_E2E_PROGRAM": json.dumps([sys.executable]),
        "DEVLOOP_E2E_OUT": tools.environment.get("DEVLOOP_E2E_OUT", str(tmp_path)),
    }
    node = tools.folder / "node" / "bin" / "node"
    done = subprocess.run(
        [node, "e2e/page/check.mjs"], cwd=CLIENT, env=environment, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    for line in done.stdout.splitlines():
        record_property("figure", f"the page of a run: {line}")
    assert "36 pages seen" in done.stdout
