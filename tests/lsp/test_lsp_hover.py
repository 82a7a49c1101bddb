"""Hover: what is said, where, and that nothing of a plan or a model becomes more than text."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from devloop.lsp.run_texts import moment
from devloop.lsp.texts import Sheet, code, escaped
from devloop.redact import one_line
from support import runs
from support.turns import often

PLAN = """# Plan: Demo

**Status**: In Progress
**Current Phase**: Phase 1

## Phase 1: Begin

**Goal**: A start

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1] [model:opus] [turns:40]
  - **Acceptance**:
    - [x] it works
    - [ ] it is fast
  - **Files**: `src/a.py`, `src/new.py` (new), `src/gone.py`, `../../secret.txt`, `src`
- [ ] Task 1.3: Third thing [depends:1.2, 9.9] [agent:nobody]
- [ ] Task 1.4: Fourth thing [depends:1.1-1.3] [parallel:A] [agent:engineer:default]

## Phase 2: Go on

- [!] Task 2.1: A task [depends:Phase 1]

## Success Criteria

- [ ] everything is green

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
- 2026-01-02 03:05: went for a walk
"""
LINES = PLAN.split("\n")


def place(needle: str, inside: str | None = None, nth: int = 0) -> dict[str, int]:
    """The position of a text in the plan; `inside`: of this part of it."""
    line = [at for at, text in enumerate(LINES) if needle in text][nth]
    character = LINES[line].index(needle) + (needle.index(inside) if inside else 0)
    return {"line": line, "character": character}


async def hover(editor, uri, position):
    return await editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})


@pytest.fixture
async def said(editor):
    """`await said(needle, part)`: the lines of the hover at a text of the plan."""
    uri = editor.open(text=PLAN)

    async def ask(needle, inside=None, nth=0):
        found = await hover(editor, uri, place(needle, inside, nth))
        return found and found["contents"]["value"].split("  \n")

    ask.uri = uri
    return ask


async def test_a_task_says_how_it_stands_what_it_waits_for_and_who_would_do_it(said):
    assert await said("Second thing") == [
        "**Task 1.2** Second thing",
        "Not started, ready to run.",
        "Waiting for it: 1.3, 1.4, 2.1",
        "Agent: engineer, mode default (the default)",
        "Skills: python-patterns (src/a.py matches \\*.py)",
        "Limits: 40 turns",
        "Model: opus",
        "Acceptance: 1 of 2 met",
    ]
    assert await said("Third thing") == [
        "**Task 1.3** Third thing",
        "Not started.",
        "Waits for: 1.2 Second thing (not started), 9.9 (no such task)",
        "Waiting for it: 1.4, 2.1",
        "Agent: engineer, mode default (there is no agent 'nobody'; engineer does it instead)",
    ]
    assert await said("A task") == [
        "**Task 2.1** A task",
        "Blocked.",
        "Waits for: Phase 1",
        "Agent: engineer, mode default (the default)",
    ]


async def test_the_range_is_what_stands_there(editor, said):
    found = await hover(editor, said.uri, place("Second thing"))
    at = place("Second thing")
    assert found["range"] == {"start": at, "end": {**at, "character": at["character"] + 12}}
    assert found["contents"]["kind"] == "markdown"


async def test_the_run_of_a_task_is_told_while_it_works_waits_and_when_it_ended(service, said):
    runs.queued(service)
    runs.working(service)
    assert "Run `run-1`: turn 3 · asking the model · 0 tokens · $0.00 · scripted" in await said("Second thing")
    runs.tell(service, "gate.started", "run-1", commit="c", gate="lint", of=2)
    runs.tell(service, "gate.ended", "run-1", gate="lint", verdict="pass")
    runs.tell(service, "gate.ended", "run-1", gate="tests", verdict="fail")
    runs.waiting(service, question={"text": "Which one?", "choices": []}, decisions=["answer", "stop"])
    assert (await said("Second thing"))[1:7:5] == ["Not started.", "It waits for you: Answer, Stop"]
    assert (await said("Second thing"))[3:7] == [
        "Run `run-1`: turn 3 · waiting · 1.0k tokens · $0.25 · scripted",
        "Gates: tests fail, lint pass",
        "It asks: Which one?",
        "It waits for you: Answer, Stop",
    ]
    assert (await said("Second thing"))[7] == "Agent: engineer, mode default"
    runs.ended(service, outcome="failed", reason="the model went away")
    shown = await said("Second thing")
    assert shown[1] == "Not started, ready to run."
    assert shown[3:6] == [
        f"Last run: failed, {escaped(moment(1_000_060.0))}, 3 turns, $0.25, scripted",
        "Reason: the model went away",
        "Gates: tests fail, lint pass",
    ]
    assert len(shown) <= 12


async def test_phases_say_progress_and_what_is_open(said):
    assert await said("Begin") == [
        "**Phase 1** Begin",
        "1 of 4 done (25 %)",
        "Goal: A start",
        "Open: 1.2 Second thing (ready)",
        "Open: 1.3 Third thing (waits)",
        "Open: 1.4 Fourth thing (waits)",
    ]
    assert await said("[depends:Phase 1]", "Phase 1") == await said("Begin")
    assert await said("**Current Phase**: Phase 1", "Phase 1") == await said("Begin")


@pytest.mark.parametrize(
    ("needle", "inside", "expected"),
    [
        ("[ ] Task 1.2", "[ ]", "**\\[ \\]** Not started."),
        ("[!] Task 2.1", "[!]", "**\\[!\\]** Blocked: a note or the log says why. It is not picked."),
        ("[ ] it is fast", "[ ]", "**Criterion** open"),
        ("it works", None, "**Criterion** of task 1.2 – met"),
        ("[depends:1.1]", "depends", "**\\[depends\\]** Waits until these are done: ids, ranges such as 1.1-1.4, or a"),
        ("[turns:40]", "40", "**\\[turns\\]** The most turns that a run of this task may take."),
        ("[model:opus]", "opus", "**opus** – The model for this task's runs."),
        ("[agent:engineer:default]", "engineer", "**engineer** – Implements a task of the plan"),
        ("[agent:engineer:default]", "default", "Mode **default** of engineer"),
        ("[agent:nobody]", "nobody", "There is no agent nobody. There are: engineer, code-reviewer, complexity-"),
        ("[parallel:A]", "A]", "**Group A** of phase 1"),
        ("[depends:1.2, 9.9]", "9.9", "There is no task 9.9 in this plan."),
        ("[depends:1.1]", "1.1", "**Task 1.1** First thing"),
        ("[depends:1.1-1.3]", "1.1-", "1.1 First thing (done)"),
        ("**Status**", "Status", "**Status** – Planning, In Progress, Paused, Blocked, Review, Complete or Archived."),
        ("**Goal**", "Goal", "**Goal** – What the phase is for."),
        ("**Files**", "Files", "**files** – Files that the task is expected to touch."),
        ("Success Criteria", None, "Boxes in here are criteria: they are checked, never run."),
        ("Progress Log", None, "The log: devloop adds a line for what happens to a task."),
        ("Completed Task 1.1", "Completed", "The work was accepted."),
        ("Completed Task 1.1", "1.1", "**Task 1.1** First thing"),
        ("Plan: Demo", "Demo", "**Demo**"),
    ],
)
async def test_everything_else_says_what_it_means(said, needle, inside, expected):
    assert (await said(needle, inside))[0].startswith(expected)


async def test_the_plans_name_tells_how_far_it_is_and_what_is_next(service, said):
    runs.queued(service)
    assert await said("Demo") == [
        "**Demo**",
        "1 of 5 done (20 %), 1 blocked",
        "Criteria: 1 of 3 met",
        "Task 1.2: queued · 0 tokens · $0.00 · scripted",
        "Next: 1.2 Second thing",
    ]


async def test_a_line_of_the_log_tells_the_run(service, said):
    runs.queued(service, "run-7", "1.1", "First thing")
    runs.ended(service, "run-7")
    shown = await said("Completed Task 1.1", "Completed")
    assert shown[1] == "**Task 1.1** First thing (done)"
    assert shown[2].startswith("Last run: landed, ")


async def test_what_is_kept_of_accepted_work_is_told_with_where_to_read_it(service, said):
    runs.queued(service)
    runs.tell(service, "gate.started", "run-1", commit="c", gate="tests", of=1)
    runs.tell(service, "gate.ended", "run-1", gate="tests", verdict="pass")
    runs.ended(service)
    gate = {"gate": "tests", "verdict": "pass", "counts": {"passed": 41, "failed": 0}, "commit": "1a2b3c4d5e"}
    decision = {"number": 1, "kind": "decision", "decision": "commit", "by": "person", "at": 1.0}
    guards = [{"kind": "skip", "place": "test_a.py:3", "text": "skip"}]
    row = {"id": "run-1", "task": "1.2", "title": "Second thing", "state": "ended", "outcome": "landed"}
    decided = [{**decision, "guards": guards, "guards_more": 1}]
    runs.answering(service, show={"run": row, "gates": [gate], "decisions": decided})
    shown = await said("Second thing")
    assert (
        "Evidence: 1 of 1 gates passed on 1a2b3c4 (41 tests), 2 changes to the checks, accepted by a person;"
        " `devloop explain 1.2`" in [line.replace("\\", "") for line in shown]
    )


async def test_paths_say_what_is_there_but_nothing_of_other_places(said, project):
    (project / "src").mkdir()
    (project / "src" / "a.py").write_bytes(b"x" * 1234)
    (project / "src" / "gone.py").symlink_to("/etc/passwd")
    (project.parent / "secret.txt").write_text("s")
    assert await said("`src/a.py`", "src") == ["`src/a.py` – Exists, 1.2 kB."]
    assert await said("`src/new.py`", "src") == ["`src/new.py` – Does not exist yet; the task creates it."]
    assert await said("`src/gone.py`", "src") == ["`src/gone.py` – Leads out of the workspace."]
    assert await said("`../../secret.txt`", "secret") == ["`../../secret.txt` – Leads out of the workspace."]
    assert await said("`src`", "src") == ["`src` – A folder."]


async def test_an_editor_without_markdown_gets_plain_text(editors):
    editor = await editors()
    await editor.initialize({"general": {"positionEncodings": ["utf-8"]}})
    uri = editor.open(text="- [ ] Task 1.1: é 😀 `code` <b>[x](y)</b>\n")
    found = await hover(editor, uri, {"line": 0, "character": 18})
    assert found["contents"]["kind"] == "plaintext"
    assert found["contents"]["value"].startswith("Task 1.1 é 😀 `code` <b>[x](y)</b>\nNot started, ready to run.\n")
    assert found["range"] == {"start": {"line": 0, "character": 16}, "end": {"line": 0, "character": 23}}


async def test_places_without_anything_give_nothing(editor):
    uri = editor.open(text=PLAN)
    for line, character in ((1, 0), (0, 0), (len(LINES) - 1, 0), (9999, 3), (10, 99999)):
        found = await hover(editor, uri, {"line": line, "character": character})
        assert found is None or found["contents"]["value"]
    assert await hover(editor, uri, {"line": 1, "character": 0}) is None
    assert await hover(editor, uri, {"line": 9999, "character": 3}) is None
    assert await hover(editor, editor.uri("nowhere.md"), {"line": 0, "character": 0}) is None
    empty = editor.open("PLAN.md", text="")
    assert await hover(editor, empty, {"line": 0, "character": 0}) is None


HOSTILE = "[x](command:evil) <a href=x>h</a> ``run`` https://evil.example www.evil.example ![i](j) &#91;"


async def test_a_title_can_not_become_a_link_a_command_html_or_code(editor):
    uri = editor.open(text=f"- [ ] Task 1.1: plain {HOSTILE}\n- [ ] Task 1.2: b [depends:1.1]\n")
    found = await hover(editor, uri, {"line": 1, "character": 28})
    value = found["contents"]["value"]
    assert kinds(value) <= {"text", "text_special", "strong_open", "strong_close", "hardbreak", "softbreak"}
    assert HOSTILE in shown(value)
    assert not re.search(r"https?://|www\.", value)


async def test_what_a_model_says_can_not_either(service, editor):
    uri = editor.open(text=PLAN)
    runs.queued(service)
    runs.working(service)
    runs.waiting(service, question={"text": HOSTILE + "\n# big\x1b[31m", "choices": []}, decisions=["answer", "<b>"])
    runs.tell(service, "gate.ended", "run-1", gate="[g](command:x)", verdict="fail")
    value = (await hover(editor, uri, place("Second thing")))["contents"]["value"]
    assert kinds(value) <= {"text", "text_special", "strong_open", "strong_close", "hardbreak", "code_inline"}
    assert HOSTILE + " # big" in shown(value)
    assert "\x1b" not in value


def kinds(value: str) -> set[str]:
    blocks = parsed(value)
    assert [block.type for block in blocks if block.type not in ("inline", "paragraph_open", "paragraph_close")] == []
    return {token.type for block in blocks for token in block.children or ()}


def shown(value: str) -> str:
    tokens = [token for block in parsed(value) for token in block.children or ()]
    return "".join("\n" if token.type == "hardbreak" else token.content for token in tokens)


def parsed(value: str):
    return MarkdownIt("commonmark", {"html": True}).enable(["strikethrough", "table"]).parse(value)


@settings(max_examples=often(400), deadline=None)
@given(st.text(st.one_of(st.sampled_from("\\`*_{}[]()#+-.!|<>~&;:/@$=1a \n\t"), st.characters()), max_size=40))
@example("1. a")
@example("--- ")
@example("a_b_c _d_ __e__")
@example("***")
@example("\\")
def test_escaped_text_is_shown_as_it_is(text):
    flat = one_line(text, 160)
    if not flat:
        assert escaped(text) == ""
        return
    for value in (escaped(text), f"before {escaped(text)} after"):
        assert kinds(value) <= {"text", "text_special"}
    assert shown(escaped(text)) == flat
    tokens = [token for block in parsed(f"a {code(text)} b") for token in block.children or ()]
    assert [token.type for token in tokens] == ["text", "code_inline", "text"]
    assert tokens[1].content == flat


def test_a_plain_sheet_escapes_nothing():
    sheet = Sheet(markdown=False)
    sheet.add(sheet.strong("*a*"), sheet.code("`b`"), "", sheet.text("c_d"))
    sheet.add("")
    assert sheet.value == "*a* `b` c_d"
