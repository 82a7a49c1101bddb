"""The extension's own checks, and what is shipped."""

from __future__ import annotations

import re
import zipfile

import pytest

LIMIT = 200_000


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_types_lint_and_units_of_the_extension_pass(tools):
    done = tools.npm("run", "check")
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    assert re.search(r"Tests +\d+ passed", re.sub(r"\x1b\[[\d;]*m", "", done.stdout)), done.stdout


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_page_of_a_run_is_accessible_and_quick_in_four_themes(script):
    done = script("e2e/page/check.mjs")
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_packed_extension_is_small_and_holds_only_what_runs(vsix, record_property):
    size = vsix.stat().st_size
    record_property("figure", f"the packed extension: {size / 1000:.1f} kB of {LIMIT / 1000:.0f} kB")
    assert size < LIMIT
    with zipfile.ZipFile(vsix) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist() if name.startswith("extension/")}
    assert {"package.json", "dist/extension.js", "dist/run-page.js", "readme.md", "changelog.md"} <= {
        name.lower() for name in names
    }
    folders = {name.split("/")[0] for name in names if "/" in name}
    assert folders <= {"dist", "media", "snippets"}
