"""What ARCHITECTURE.md says of files is true: what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "server" / "ARCHITECTURE.md").read_text("utf-8")
TABLE = TEXT.partition("## What the plugin before devloop promised")[2].partition("\n## ")[0]
ROWS = [row.strip("|").split("|") for row in TABLE.splitlines() if row.startswith("| ") and "`tests/" in row]


def test_the_table_of_promises_is_long_enough_to_be_all_of_them():
    assert len(ROWS) >= 30


@pytest.mark.parametrize("row", ROWS, ids=lambda row: re.sub(r"\W+", "-", row[0])[:40].strip("-"))
def test_each_promise_names_code_and_a_test_that_are_there(row):
    tests = re.findall(r"`(tests/[\w/.]+)`", row[2])
    assert tests and all("def test_" in (ROOT / name).read_text("utf-8") for name in tests)
    code = re.findall(r"`([\w/]+(?:\.py|/))`", row[1])
    places = (ROOT, ROOT / "server" / "devloop")
    assert code and all(any((place / name).exists() for place in places) for name in code)


def test_every_module_that_is_named_in_code_style_is_there():
    """`daemon/board.py` and the like, wherever they stand."""
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.py)`", TEXT))
    places = (ROOT, *(ROOT / "server" / "devloop" / part for part in ("", "lsp", "daemon")))
    assert sorted(name for name in named if not any((place / name).exists() for place in places)) == []
