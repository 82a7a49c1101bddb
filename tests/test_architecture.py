"""The map in ARCHITECTURE.md is true: what it names is there, all has a place in it, and imports point up its table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = ROOT / "server/devloop"
DOCUMENT = (ROOT / "server/ARCHITECTURE.md").read_text()
TABLE = DOCUMENT.partition("## Packages, bottom up")[2].partition("A package may import what stands above")[0]
ROWS = {
    name.rstrip("/").removesuffix(".py"): row
    for row, line in enumerate(TABLE.split("\n"))
    if line.startswith("| `")
    for name in re.findall(r"`([\w/.]+)`", line.split("|")[1])
}
FILES = {path.relative_to(CODE).as_posix(): path for path in CODE.rglob("*.py")}
TOP = {name: name.partition("/")[0].removesuffix(".py") for name in FILES}


def imported(path: Path) -> set[str]:
    """The packages and modules directly below devloop that a file imports from, wherever in it."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    found = {f"{node.module}.{name.name}" for node in nodes for name in node.names}
    return {each.split(".")[1] for each in found if each.startswith("devloop.")}


def test_every_module_that_is_named_is_there():
    names = set(re.findall(r"`((?:\w+/)*\w+\.py)`", DOCUMENT))
    there = [f"/{path.relative_to(ROOT)}" for part in ("server", "tests") for path in (ROOT / part).rglob("*.py")]
    assert len(names) > 100
    assert [name for name in sorted(names) if not any(path.endswith(f"/{name}") for path in there)] == []


def test_everything_has_a_place():
    assert {top for top in TOP.values() if top not in ROWS} == {"__init__", "__main__"}
    packages = {name.removesuffix("/__init__.py") for name in FILES if name.endswith("/__init__.py")}
    named = {each for each in packages if f"`{each}/`" in DOCUMENT or f"`{each.rpartition('/')[2]}/`" in DOCUMENT}
    assert sorted(each for each in packages - named if not each.startswith("store/migrations")) == []


def test_imports_point_up_the_table():
    wrong = {
        (name, other)
        for name, path in FILES.items()
        for other in imported(path)
        if ROWS.get(other, 0) > ROWS.get(TOP[name], len(TABLE))
    }
    assert wrong == set()
