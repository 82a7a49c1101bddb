"""Real plans of many hands, where they are at hand: every checkbox is something, and every byte comes back."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from devloop.plan import Event, Task, TaskRef, next_task, parse, show
from support.events import apply_event

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "plans"
FILES = sorted(CORPUS.glob("*.md")) if CORPUS.is_dir() else []
BOX = re.compile(r"\[[^\]\r\n]\]\*?(?=[ \t]|$)")
pytestmark = pytest.mark.skipif(not FILES, reason="no corpus of plans here")


def boxes(text: str) -> set[int]:
    """1-based lines of list items that begin with a box, outside quotes and front matter, by markdown-it-py."""
    found, quotes = set[int](), 0
    lines = text.split("\n")
    skipped = 0
    if lines[0] == "---" and "---" in lines[1:]:
        skipped = lines.index("---", 1) + 1
    tokens = MarkdownIt("commonmark", {"maxNesting": 200}).parse("\n".join(lines[skipped:]))
    for at, token in enumerate(tokens):
        if token.type in ("blockquote_open", "blockquote_close"):
            quotes += 1 if token.type.endswith("open") else -1
        elif token.type == "list_item_open" and not quotes and tokens[at + 1].type == "paragraph_open":
            assert token.map is not None
            inner = tokens[at + 1].map
            if inner is not None and inner[0] == token.map[0] and BOX.match(tokens[at + 2].content.split("\n")[0]):
                found.add(token.map[0] + 1 + skipped)
    return found


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_real_plan(path: Path) -> None:
    data = path.read_bytes()
    plan = parse(data, name=path.stem)
    assert plan.data == data
    known = [task.line for task in plan.tasks]
    known += [criterion.line for criterion in plan.criteria]
    known += [line.line for line in plan.log if plan.document.step(line.line - 1).box]
    assert len(known) == len(set(known)), "a box is one thing"
    assert set(known) == boxes(data.decode("utf-8", "surrogateescape"))
    assert show(plan)["stats"]["total"] == len(plan.top_level)
    assert next_task(plan)["state"] in ("found", "all_complete", "all_blocked", "partial", "empty")


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_completing_every_task_of_a_real_plan(path: Path) -> None:
    data = path.read_bytes()
    now = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
    todo: list[Task] = [task for task in parse(data).tasks if task.pickable and not task.done][:8]
    for task in todo:
        data = apply_event(data, Event("completed", TaskRef.of(task), "done", now))
    after = parse(data)
    lines = {task.title for task in after.tasks if task.done}
    assert {task.title for task in todo} <= lines
    assert sum("done" in line.text for line in after.log) >= len(todo)


def test_upstream_plans_keep_their_phases() -> None:
    for path in FILES:
        plan = parse(path.read_bytes())
        if path.name.startswith("Zate") and "Archived Plan" not in plan.name and plan.tasks:
            assert plan.phases
            assert all(task.form == "task" for task in plan.top_level)
