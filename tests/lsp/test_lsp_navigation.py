"""From name to thing and back, renaming, links, growing selections: through the wire."""

from __future__ import annotations

import copy
import itertools

import pytest

from support.editor import EVERYTHING, Failed, apply_edits

PLAN = """# Plan: Demo

**Status**: In Progress
**Current Phase**: Phase 1
**Issue**: #7 (https://example.org/team/thing/issues/7)

## Phase 1: Begin

- [x] Task 1.1: 😀 First [agent:engineer] see #12
  - **Files**: `src/a.py:3-9`, `src/new.py` (new), `../outside.py`, `src/b c.py`
  - [ ] a step
- [ ] Task 1.2: Second [depends:1.1]
- [ ] Task 1.3: Third 😀 [depends:1.1-1.2, Phase 1]
- [ ] no id

Read https://example.org/x?a=1, [the spike](spikes/one.md) and FEAT-001, `FEAT-001`, FEAT-002.

## Progress Log

- 2026-01-02 03:04: Completed Task 1.1
"""


@pytest.fixture
def files(project):
    """What the plan names, and what it must not reach."""
    for path in ("src/a.py", "src/b c.py", ".devloop/spikes/one.md", "../outside.py"):
        (project / path).parent.mkdir(exist_ok=True)
        (project / path).write_text("x\n" * 20)
    (project / ".devloop/issues").mkdir()
    (project / ".devloop/issues/FEAT-001.md").write_text("---\nid: FEAT-001\n---\n# FEAT-001: A \x1b[1mfine title\n")
    return project


def like(change) -> dict:
    """The capabilities of a client that can do everything, after `change`."""
    found = copy.deepcopy(EVERYTHING)
    change(found)
    return found


def place(text: str, wanted: str, *, nth: int = 0, shift: int = 0) -> dict:
    """The position (UTF-16) of the `nth` occurrence of a text, `shift` characters into it."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(wanted, at + 1)
    before = text[: at + shift]
    line = before.rpartition("\n")[2]
    return {"line": before.count("\n"), "character": len(line.encode("utf-16-le")) // 2}


def cut(text: str, found: dict) -> str:
    """The text of a range of one line."""
    line = text.split("\n")[found["start"]["line"]].encode("utf-16-le")
    assert found["start"]["line"] == found["end"]["line"]
    return line[2 * found["start"]["character"] : 2 * found["end"]["character"]].decode("utf-16-le")


async def ask(editor, method: str, uri: str, position: dict, **more):
    return await editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position, **more})


# Definition, references, highlight


async def test_a_dependency_leads_to_the_task_with_everything_that_belongs_to_it(editor):
    uri = editor.open(text=PLAN)
    (found,) = await ask(editor, "definition", uri, place(PLAN, "[depends:1.1]", shift=10))
    assert found["targetUri"] == uri
    assert cut(PLAN, found["targetSelectionRange"]) == "1.1"
    assert found["targetSelectionRange"]["start"] == {"line": 8, "character": 11}
    assert (found["targetRange"]["start"]["line"], found["targetRange"]["end"]["line"]) == (8, 10)
    assert cut(PLAN, found["originSelectionRange"]) == "1.1"


async def test_an_end_of_a_range_leads_to_its_own_task_and_is_found_behind_an_astral_character(editor):
    uri = editor.open(text=PLAN)
    (found,) = await ask(editor, "definition", uri, place(PLAN, "1.1-1.2", shift=5))
    assert cut(PLAN, found["targetSelectionRange"]) == "1.2"
    assert cut(PLAN, found["originSelectionRange"]) == "1.2"
    (phase,) = await ask(editor, "definition", uri, place(PLAN, ", Phase 1", shift=8))
    assert phase["targetSelectionRange"]["start"]["line"] == 6
    assert phase["targetRange"]["end"]["line"] == 15


async def test_a_client_without_links_gets_plain_locations(editors):
    editor = await editors()
    await editor.initialize(like(lambda it: it["textDocument"]["definition"].pop("linkSupport")))
    uri = editor.open(text=PLAN)
    (found,) = await ask(editor, "definition", uri, place(PLAN, "Completed Task 1.1", shift=16))
    assert set(found) == {"uri", "range"}
    assert cut(PLAN, found["range"]) == "1.1"


async def test_the_name_of_a_file_leads_to_its_lines_inside_the_workspace_only(editor, files):
    uri = editor.open(text=PLAN)
    (found,) = await ask(editor, "definition", uri, place(PLAN, "src/a.py", shift=2))
    assert found["targetUri"] == (files / "src/a.py").as_uri()
    assert found["targetRange"] == {"start": {"line": 2, "character": 0}, "end": {"line": 9, "character": 0}}
    assert await ask(editor, "definition", uri, place(PLAN, "../outside.py", shift=4)) is None
    assert await ask(editor, "definition", uri, place(PLAN, "src/new.py", shift=4)) is None


async def test_references_are_all_places_that_name_a_task(editor):
    uri = editor.open(text=PLAN)
    for at in (place(PLAN, "Task 1.1", shift=6), place(PLAN, "[depends:1.1]", shift=9)):
        found = await ask(editor, "references", uri, at, context={"includeDeclaration": False})
        assert [each["range"]["start"]["line"] for each in found] == [11, 12, 19]
        assert {cut(PLAN, each["range"]) for each in found} == {"1.1"}
        found = await ask(editor, "references", uri, at, context={"includeDeclaration": True})
        assert [each["range"]["start"]["line"] for each in found] == [8, 11, 12, 19]


async def test_highlights_write_where_a_thing_stands_and_read_where_it_is_named(editor):
    uri = editor.open(text=PLAN)
    found = await ask(editor, "documentHighlight", uri, place(PLAN, "## Phase 1", shift=9))
    assert [(each["range"]["start"]["line"], each["kind"]) for each in found] == [(3, 2), (6, 3), (12, 2)]
    assert await ask(editor, "documentHighlight", uri, place(PLAN, "Begin", shift=-12)) is None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
async def test_columns_count_in_the_units_that_were_agreed_on(editors, encoding):
    editor = await editors()
    await editor.initialize(like(lambda it: it["general"].update(positionEncodings=[encoding])))
    text = "- [ ] Task 1.1: a\n- [ ] 😀é Task [depends:1.1] x\n"
    uri = editor.open(text=text)
    line = "- [ ] 😀é Task [depends:"
    column = len(line.encode("utf-8")) if encoding == "utf-8" else len(line.encode("utf-16-le")) // 2
    for character in (column, column + 3):
        (found,) = await ask(editor, "definition", uri, {"line": 1, "character": character})
        assert found["originSelectionRange"] == {
            "start": {"line": 1, "character": column},
            "end": {"line": 1, "character": column + 3},
        }


# Rename


async def rename(editor, uri, at, name):
    return await ask(editor, "rename", uri, at, newName=name)


async def test_a_rename_changes_the_task_and_what_waits_for_it_but_not_the_log(editor):
    uri = editor.open(text=PLAN)
    editor.type(uri, 2, 0, "")
    at = place(PLAN, "[depends:1.1]", shift=9)
    assert await ask(editor, "prepareRename", uri, at) == {
        "range": {"start": at, "end": {"line": 11, "character": at["character"] + 3}},
        "placeholder": "1.1",
    }
    found = await rename(editor, uri, at, "1.0")
    (change,) = found["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 2}
    after = apply_edits(PLAN, change["edits"])
    assert after == (PLAN.replace("Task 1.1: 😀", "Task 1.0: 😀").replace("[depends:1.1", "[depends:1.0")), (
        "the log keeps the old id"
    )


async def test_a_client_without_versioned_changes_gets_plain_ones(editors):
    editor = await editors()
    await editor.initialize(like(lambda it: it["workspace"]["workspaceEdit"].pop("documentChanges")))
    uri = editor.open(text=PLAN)
    found = await rename(editor, uri, place(PLAN, "Task 1.2", shift=5), "4.2")
    assert set(found) == {"changes"}
    assert apply_edits(PLAN, found["changes"][uri]).count("4.2") >= 1


@pytest.mark.parametrize(
    ("at", "name", "words"),
    [
        (place(PLAN, "Task 1.2", shift=5), "1.1", "There is a task 1.1 in line 9 already"),
        (place(PLAN, "Task 1.2", shift=5), "a b", "is no id"),
        (place(PLAN, "Read"), "5.5", "There is no task's id at this place"),
        (place(PLAN, "Completed Task 1.1", shift=16), "5.5", "The log is history"),
        ({"line": 999, "character": 5}, "5.5", "There is no task's id at this place"),
    ],
)
async def test_what_can_not_be_renamed_is_refused_in_a_sentence(editor, at, name, words):
    uri = editor.open(text=PLAN)
    with pytest.raises(Failed) as refused:
        await rename(editor, uri, at, name)
    assert words in refused.value.error["message"]
    assert "Traceback" not in str(refused.value.error)


async def test_preparing_says_why_or_nothing(editor):
    text = PLAN + "- [ ] Task 1.1: again\n"
    uri = editor.open(text=text)
    assert await ask(editor, "prepareRename", uri, place(PLAN, "Read")) is None
    with pytest.raises(Failed, match="history"):
        await ask(editor, "prepareRename", uri, place(PLAN, "Completed Task 1.1", shift=16))
    double = text.replace("## Progress Log", "## Phase 2: B\n- [ ] Task 1.1: again\n## Progress Log")
    editor.replace(uri, double)
    with pytest.raises(Failed, match=r"Several tasks have this id \(lines 9, 19\)"):
        await ask(editor, "prepareRename", uri, place(double, "[depends:1.1]", shift=9))


# Links


async def links(editor, uri, text):
    found = await editor.request("textDocument/documentLink", {"textDocument": {"uri": uri}})
    return [(cut(text, each["range"]), each.get("target"), each.get("tooltip")) for each in found]


async def test_links_lead_to_files_that_exist_to_the_web_and_to_issues(editor, files):
    uri = editor.open(text=PLAN)
    base = files.as_uri()
    assert await links(editor, uri, PLAN) == [
        ("#7", "https://example.org/team/thing/issues/7", None),
        ("https://example.org/team/thing/issues/7", "https://example.org/team/thing/issues/7", None),
        ("#12", "https://example.org/team/thing/issues/12", None),
        ("src/a.py:3-9", f"{base}/src/a.py#L3-L9", "Open src/a.py, lines 3 to 9"),
        ("src/b c.py", f"{base}/src/b%20c.py", "Open src/b c.py"),
        ("https://example.org/x?a=1", "https://example.org/x?a=1", None),
        ("[the spike](spikes/one.md)", f"{base}/.devloop/spikes/one.md", "Open .devloop/spikes/one.md"),
        ("FEAT-001", None, None),
    ]


async def test_an_issue_of_the_workspace_is_resolved_with_its_title(editor, files):
    uri = editor.open(text=PLAN)
    found = await editor.request("textDocument/documentLink", {"textDocument": {"uri": uri}})
    resolved = await editor.request("documentLink/resolve", found[-1])
    assert resolved["target"] == (files / ".devloop/issues/FEAT-001.md").as_uri()
    assert resolved["tooltip"] == "FEAT-001: A fine title"
    for data in ({"issue": "../../../outside"}, {"issue": "FEAT-999"}, {"issue": 5}, "x", None):
        odd = {"range": found[-1]["range"], "data": data}
        assert "target" not in await editor.request("documentLink/resolve", odd)


async def test_a_client_without_tooltips_gets_none(editors, files):
    editor = await editors()
    await editor.initialize(like(lambda it: it["textDocument"]["documentLink"].pop("tooltipSupport")))
    uri = editor.open(text=PLAN)
    assert {tooltip for _, _, tooltip in await links(editor, uri, PLAN)} == {None}
    found = await editor.request("textDocument/documentLink", {"textDocument": {"uri": uri}})
    assert "tooltip" not in await editor.request("documentLink/resolve", found[-1])


@pytest.mark.parametrize(
    "text",
    [
        "#12 and other/thing#3 without an address to count from",
        "[x](javascript:alert(1)) [y](command:run) [z](file:///etc/passwd) [w](../../../../etc/passwd)",
        "[x](/etc/passwd) [y](#heading) [z]() https:// http://[::1",
        "- [ ] Task 1: a\n  - Files: `/etc/passwd`, `src`, `src/*.py`, `link.py`, `../p2/x.py`",
        "```\nhttps://example.org FEAT-001\n```\n<!-- FEAT-001 -->",
    ],
)
async def test_nothing_else_is_linked(editor, files, text):
    (files / "link.py").symlink_to(files.parent / "outside.py")
    (files.parent / "p2").mkdir()
    (files.parent / "p2/x.py").write_text("x")
    assert await links(editor, editor.open(text=text), text) == []


async def test_links_follow_edits_and_files_that_come_and_go(editor, files):
    uri = editor.open(text=PLAN)
    before = await links(editor, uri, PLAN)
    (files / "src/new.py").write_text("x")
    (files / "src/a.py").unlink()
    found = [each[0] for each in await links(editor, uri, PLAN)]
    assert found == ["src/new.py" if name == "src/a.py:3-9" else name for name, *_ in before], (
        "what exists is looked up each time"
    )
    editor.type(uri, 15, 0, "😀 https://example.org/y ")
    editor.type(uri, 8, 16, "FEAT-001 ")
    text = editor.texts[uri][1]
    named = [each[0] for each in await links(editor, uri, text)]
    assert named == [*found[:2], "FEAT-001", *found[2:5], "https://example.org/y", *found[5:]]
    assert text.split("\n")[15].startswith("😀 https")


# Selections


async def selections(editor, uri, *positions):
    params = {"textDocument": {"uri": uri}, "positions": list(positions)}
    return await editor.request("textDocument/selectionRange", params)


def chain(found: dict | None) -> list[tuple[int, int, int, int]]:
    ranges = []
    while found is not None:
        start, end = found["range"]["start"], found["range"]["end"]
        ranges.append((start["line"], start["character"], end["line"], end["character"]))
        found = found.get("parent")
    return ranges


def text_of(text: str, found: tuple[int, int, int, int]) -> str:
    start, end = {"line": found[0], "character": found[1]}, {"line": found[2], "character": found[3]}
    marked = apply_edits(text, [{"range": {"start": end, "end": end}, "newText": "\0"}])
    marked = apply_edits(marked, [{"range": {"start": start, "end": start}, "newText": "\0"}])
    return marked.split("\0")[1]


async def test_a_selection_grows_from_the_word_to_the_document(editor):
    uri = editor.open(text=PLAN)
    (found,) = await selections(editor, uri, place(PLAN, "engineer", shift=2))
    ranges = chain(found)
    line = "- [x] Task 1.1: 😀 First [agent:engineer] see #12"
    assert [text_of(PLAN, each) for each in ranges[:3]] == ["engineer", "[agent:engineer]", line]
    assert [(each[0], each[2]) for each in ranges[3:]] == [(8, 10), (6, 15), (0, 19), (0, 20)]


async def test_a_selection_in_a_step_goes_over_its_task(editor):
    uri = editor.open(text=PLAN)
    (found,) = await selections(editor, uri, place(PLAN, "a step", shift=3))
    assert [(each[0], each[2]) for each in chain(found)] == [
        (10, 10), (10, 10), (10, 10), (10, 10), (8, 10), (6, 15), (0, 19), (0, 20)
    ]  # fmt: skip
    assert text_of(PLAN, chain(found)[1]) == "a step"
    assert text_of(PLAN, chain(found)[3]) == "  - [ ] a step"


@pytest.mark.parametrize(
    "text", ["", "\n", "a", "\r\n", "```\nx\n\ny\n```", "- a\n\n  b\n", PLAN, "\ufeff# a\n- [ ] b"]
)
async def test_selections_always_grow_and_hold_their_place(editor, text):
    uri = editor.open(text=text)
    lines = text.split("\n")
    places = [{"line": line, "character": column} for line, each in enumerate(lines) for column in range(len(each) + 1)]
    places += [{"line": len(lines), "character": 0}, {"line": 10_000, "character": 10_000}]
    found = await selections(editor, uri, *places)
    assert len(found) == len(places)
    for position, each in zip(places, found, strict=True):
        ranges = chain(each)
        for inner, outer in itertools.pairwise(ranges):
            assert outer[:2] <= inner[:2] <= inner[2:] <= outer[2:]
            assert inner != outer
        if position["line"] < len(lines) and not text.endswith("\r\n"):
            at = position["line"], position["character"]
            units = len(lines[at[0]].encode("utf-16-le")) // 2
            assert ranges[0][:2] <= (at[0], min(at[1], units))
            assert (at[0], at[1] - 1) <= ranges[0][2:], "a place within a surrogate pair is the character's start"


# Nothing there


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("definition", {}),
        ("references", {"context": {"includeDeclaration": True}}),
        ("documentHighlight", {}),
        ("prepareRename", {}),
        ("rename", {"newName": "x"}),
    ],
)
async def test_what_is_not_open_or_empty_is_answered_with_nothing(editor, method, more):
    here = {"line": 0, "character": 0}
    assert await ask(editor, method, editor.uri(), here, **more) is None
    uri = editor.open(text="")
    for at in (here, {"line": 50, "character": 50}):
        if method == "rename":
            with pytest.raises(Failed, match="There is no task's id"):
                await ask(editor, method, uri, at, **more)
        else:
            assert not await ask(editor, method, uri, at, **more)


async def test_links_and_selections_of_what_is_not_open_are_null(editor):
    params = {"textDocument": {"uri": editor.uri()}}
    assert await editor.request("textDocument/documentLink", params) is None
    assert await selections(editor, editor.uri(), {"line": 0, "character": 0}) is None
