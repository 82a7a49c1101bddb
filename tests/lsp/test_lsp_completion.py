"""Completion: what is offered where, that the text lands exactly there, and that editors with less get less."""

from __future__ import annotations

import asyncio
import subprocess
import time

import pytest

from devloop import plan as plans
from devloop.agents import load_agents
from devloop.lsp.features import _files, _templates
from devloop.lsp.features._completion_items import MOST
from support.editor import EVERYTHING, Failed, apply_edits

HEAD = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [x] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
  - **Acceptance**: it works
"""
BARE = {"general": {"positionEncodings": ["utf-16"]}, "textDocument": {"completion": {}}}


class Desk:
    """An editor with one document: `¦` marks the cursor."""

    def __init__(self, editor):
        self.editor, self.uri = editor, None

    async def ask(self, text, **context):
        before, _, after = text.partition("¦")
        self.text = before + after
        if self.uri is None:
            self.uri = self.editor.open(text=self.text)
        else:
            self.editor.replace(self.uri, self.text)
        start = before.rpartition("\n")[2]
        position = {"line": before.count("\n"), "character": sum(1 + (char > "\uffff") for char in start)}
        params = {"textDocument": {"uri": self.uri}, "position": position, **context}
        found = await self.editor.request("textDocument/completion", params)
        self.items = found["items"] if found else []
        return found

    async def labels(self, text, **context):
        await self.ask(text, **context)
        return [item["label"] for item in self.items]

    def taken(self, label, *, replace=True):
        """The line at the item's place after it was taken; `$1` and the like stay."""
        item = next(item for item in self.items if item["label"] == label)
        edit = dict(item["textEdit"])
        edit.setdefault("range", edit.get("replace" if replace else "insert"))
        line = edit["range"]["start"]["line"]
        count = edit["newText"].count("\n") + 1
        return "\n".join(apply_edits(self.text, [edit]).split("\n")[line : line + count])


@pytest.fixture
def desk(editor):
    return Desk(editor)


@pytest.fixture
async def bare(editors):
    """An editor that declares nothing."""
    found = await editors()
    await found.initialize(BARE)
    return Desk(found)


async def test_markers_are_offered_between_brackets_whatever_stands_there(desk):
    expected = ["[ ] pending", "[x] complete", "[~] in progress", "[!] blocked", "[-] skipped"]
    assert await desk.labels(HEAD + "- [¦] Task 1.3: a") == expected
    assert desk.taken("[!] blocked") == "- [!] Task 1.3: a"
    assert await desk.labels(HEAD + "- [x¦] Task 1.3: a") == expected
    assert all(item["filterText"].startswith("x") for item in desk.items)
    assert desk.taken("[~] in progress") == "- [~] Task 1.3: a"
    assert await desk.labels(HEAD + "- [¦") == expected
    assert desk.taken("[ ] pending") == "- [ ] "


async def test_dependencies_come_with_titles_and_those_that_make_a_cycle_come_last(desk):
    text = HEAD.replace("First thing", "First thing [depends:¦]") + "- [ ] Task 1.3: Third thing\n\n## Phase 2: On\n"
    assert await desk.labels(text) == ["1.3", "1.2", "Phase 2"]
    assert [item["detail"] for item in desk.items] == [
        "Third thing",
        "Second thing (waits for this one: a cycle)",
        "On (comes later, or holds this one)",
    ]
    assert [item["sortText"] for item in desk.items] == ["0000", "0001", "0002"]
    assert [item["filterText"] for item in desk.items] == ["1.3 Third thing", "1.2 Second thing", "Phase 2 On"]
    assert desk.items[0]["labelDetails"] == {"description": "Third thing"}
    assert desk.taken("1.3") == "- [x] Task 1.1: First thing [depends:1.3]"


async def test_a_task_is_found_by_its_title_and_editors_keep_it(desk):
    found = await desk.ask(HEAD + "- [ ] Task 1.3: a [depends:1.1, seco¦]")
    assert [(item["label"], item["filterText"]) for item in desk.items] == [("1.2", "seco 1.2 Second thing")]
    assert found["isIncomplete"] is True
    assert desk.taken("1.2") == "- [ ] Task 1.3: a [depends:1.1, 1.2]"


async def test_the_range_is_exact_behind_characters_of_two_units(desk, editors):
    line = "- [ ] Task 1.3: 😀é [depends:1.1, 1.¦]"
    await desk.ask(HEAD + line)
    start = {"line": 9, "character": 34}
    assert desk.items[0]["textEdit"]["range"] == {"start": start, "end": {**start, "character": 36}}
    other = await editors()
    await other.initialize({**EVERYTHING, "general": {"positionEncodings": ["utf-8"]}})
    uri = other.open(text=HEAD + line.replace("¦", ""))
    position = {"line": 9, "character": 39}
    found = await other.request("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    start = {"line": 9, "character": 37}
    assert found["items"][0]["textEdit"]["range"] == {"start": start, "end": {**start, "character": 39}}


async def test_insert_and_replace_are_told_apart_where_the_editor_can(desk, bare):
    text = HEAD + "- [ ] Task 1.3: a [depends:1¦.1]"
    await desk.ask(text)
    inner, whole = desk.items[0]["textEdit"]["insert"], desk.items[0]["textEdit"]["replace"]
    assert inner == {"start": {"line": 9, "character": 27}, "end": {"line": 9, "character": 28}}
    assert whole == {"start": {"line": 9, "character": 27}, "end": {"line": 9, "character": 30}}
    await bare.ask(text)
    assert bare.items[0]["textEdit"]["range"] == whole


async def test_tags_groups_agents_modes_models_and_limits(desk):
    line = HEAD + "- [ ] Task 1.3: a [parallel:B]\n- [ ] Task 1.4: a "
    assert await desk.labels(line + "[d¦") == [
        *("depends:", "parallel:", "agent:", "model:", "skill:", "sequential", "background", "P", "budget:"),
        *("turns:", "timeout:"),
    ]
    assert desk.taken("depends:").endswith("[depends:$0]")
    assert desk.taken("sequential").endswith("[sequential]")
    await desk.ask(line + "[d¦]")
    assert desk.taken("depends:").endswith("[depends:]")
    assert await desk.labels(line + "[parallel:¦") == ["B", "A"]
    assert desk.taken("A").endswith("[parallel:A]")
    names = list(load_agents())
    assert len(names) == 9
    assert await desk.labels(line + "[agent:¦]") == names
    modes = [mode.name for mode in load_agents()["engineer"].modes]
    assert {"default", "explorer", "architect", "git"} <= set(modes)
    assert await desk.labels(line + "[agent:engineer:¦]") == modes
    assert await desk.labels(line + "[agent:code-reviewer:¦]") == ["default"]
    assert await desk.labels(line + "[agent:nobody:¦]") == []
    assert {"claude-sonnet-5-5", "fast", "balanced", "deep"} <= set(await desk.labels(line + "[model:¦]"))
    assert await desk.labels(line + "[turns:¦]") == ["20", "40", "80"]
    assert await desk.labels(line + "\n  - Agent: ¦") == names
    assert desk.taken("engineer") == "  - Agent: engineer"


async def test_header_fields_and_values(desk):
    assert (await desk.labels("# Plan\n\n**Sta¦\n"))[:3] == ["Created", "Updated", "Status"]
    assert desk.taken("Status") == "**Status**: "
    await desk.ask("# Plan\n\n**Sta¦**: Planning\n")
    assert desk.taken("Status") == "**Status**: Planning" or "Status" not in [item["label"] for item in desk.items]
    await desk.ask("# Plan\n\n**Cre¦**: today\n")
    assert desk.taken("Updated") == "**Updated**: today"
    assert "In Progress" in await desk.labels("# Plan\n\n**Status**: Pl¦\n")
    assert desk.taken("In Progress") == "**Status**: In Progress"
    assert await desk.labels(HEAD.replace("In Progress", "In Progress\n**Current Phase**: ¦")) == [
        "Phase 1",
        "Complete",
    ]


async def test_metadata_is_written_as_the_plan_writes_it(desk):
    text = HEAD + "- [ ] Task 1.3: a\n  - ¦"
    assert (await desk.labels(text))[:3] == ["Acceptance", "Files", "Depends"]
    assert desk.taken("Files") == "  - **Files**: "
    await desk.ask(text.replace("**Acceptance**", "Acceptance"))
    assert desk.taken("Files") == "  - Files: "
    await desk.ask(HEAD + "- [ ] Task 1.3: a\n  - **Fi¦")
    assert desk.items[1]["filterText"] == "**Files"
    assert desk.taken("Files") == "  - **Files**: "
    await desk.ask(HEAD + "- [ ] Task 1.3: a\n  - **No¦tes**: x")
    assert desk.taken("Verify") == "  - **Verify**: x"
    assert await desk.labels(HEAD + "- [ ] Task 1.3: a\n  - Effort: ¦") == ["XS", "S", "M", "L", "XL"]


async def test_new_tasks_and_phases_are_snippets(desk):
    assert await desk.labels(HEAD + "- ¦") == ["- [ ] Task 1.3 …", "- [ ] Task 1.3 … with acceptance and files"]
    assert desk.taken("- [ ] Task 1.3 …") == "- [ ] Task 1.3: ${1:title}"
    assert desk.taken("- [ ] Task 1.3 … with acceptance and files") == (
        "- [ ] Task 1.3: ${1:title}\n"
        "  - **Acceptance**: ${2:what has to be true when it is done}\n"
        "  - **Files**: ${3:files}"
    )
    assert {item["insertTextFormat"] for item in desk.items} == {2}
    assert await desk.labels(HEAD + "- [ ] ¦") == ["Task 1.3 …", "Task 1.3 … with acceptance and files"]
    assert desk.taken("Task 1.3 …") == "- [ ] Task 1.3: ${1:title}"
    await desk.ask(HEAD + "\n## ¦")
    assert desk.taken("## Phase 2: … with a goal and a task") == (
        "## Phase 2: ${1:name}\n\n**Goal**: ${2:what it is for}\n\n- [ ] Task 2.1: ${3:title}"
    )
    assert all(item["filterText"].startswith("## ") for item in desk.items)


async def test_editors_without_snippets_get_plain_text(bare):
    assert await bare.labels(HEAD + "- ¦") == ["- [ ] Task 1.3 …", "- [ ] Task 1.3 … with acceptance and files"]
    assert bare.taken("- [ ] Task 1.3 …") == "- [ ] Task 1.3: "
    assert bare.taken("- [ ] Task 1.3 … with acceptance and files") == (
        "- [ ] Task 1.3: \n  - **Acceptance**: \n  - **Files**: "
    )
    await bare.ask(HEAD + "- [ ] Task 1.3: a [d¦")
    assert bare.taken("depends:").endswith("a [depends:")
    assert all("insertTextFormat" not in item and "labelDetails" not in item for item in bare.items)
    await bare.ask(HEAD + "- [¦]")
    assert {item["kind"] for item in bare.items} == {12}, "kinds above 18 only where they are declared"


async def test_prose_code_and_the_log_offer_nothing(desk):
    for text in ("words ¦", "```\n- [¦", "> - [ ] Task 1.3: a [depends:¦", "\n## Progress Log\n\n- ¦", "text, ¦"):
        assert await desk.ask(HEAD + "\n" + text) is None
    assert await desk.ask(HEAD + "¦", context={"triggerKind": 1}) is not None


async def test_a_typed_blank_brings_up_nothing_on_an_empty_line(desk):
    typed = {"context": {"triggerKind": 2, "triggerCharacter": " "}}
    assert await desk.ask(HEAD + "\n ¦", **typed) is None
    assert await desk.ask(HEAD + "- ¦", **typed) is not None
    assert await desk.ask(HEAD + "- [ ] Task 1.3: a [depends:1.1, ¦]", **typed) is not None


async def test_a_document_that_is_no_plan_has_none(editor):
    uri = editor.open("README.md", "- [")
    position = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 3}}
    assert await editor.request("textDocument/completion", position) is None


async def test_places_beyond_the_text_are_clamped(desk):
    await desk.ask(HEAD + "¦")
    for position in ({"line": 999, "character": 0}, {"line": 7, "character": 9999}):
        params = {"textDocument": {"uri": desk.uri}, "position": position}
        found = await desk.editor.request("textDocument/completion", params)
        assert found is None or found["items"]


# Resolving


async def resolved(desk, label):
    item = next(item for item in desk.items if item["label"] == label)
    return (await desk.editor.request("completionItem/resolve", item)).get("documentation")


async def test_documentation_comes_with_resolve(desk):
    await desk.ask(HEAD + "- [ ] Task 1.3: a [depends:¦]")
    said = await resolved(desk, "1.2")
    assert said["kind"] == "markdown"
    assert said["value"].split("  \n")[:2] == ["**Task 1.2** Second thing", "Not started, ready to run."]
    await desk.ask(HEAD + "- [ ] Task 1.3: a [agent:¦]")
    modes = ", ".join([mode.name for mode in load_agents()["engineer"].modes][:8])
    assert f"Modes: {modes}" in (await resolved(desk, "engineer"))["value"]
    await desk.ask(HEAD + "- [ ] Task 1.3: a [¦]")
    assert (await resolved(desk, "depends:"))["value"].startswith("Waits until these are done")
    await desk.ask(HEAD + "- [¦]")
    assert (await resolved(desk, "[-] skipped"))["value"].startswith("Skipped: left out on purpose")


async def test_documentation_is_plain_where_markdown_is_not_declared(bare):
    await bare.ask(HEAD + "- [ ] Task 1.3: a [depends:¦]")
    said = await resolved(bare, "1.2")
    assert said["kind"] == "plaintext"
    assert said["value"].split("\n")[0] == "Task 1.2 Second thing"


async def test_a_task_that_is_gone_is_left_as_it_came(desk):
    await desk.ask(HEAD + "- [ ] Task 1.3: a [depends:¦]")
    items = desk.items
    await desk.ask("# Plan\n\n¦")
    desk.items = items
    assert await resolved(desk, "1.2") is None


@pytest.mark.parametrize("data", [{"uri": 3}, "x", {"uri": "u", "kind": "agent", "name": "a", "more": 1}, []])
async def test_data_that_is_not_ours_is_refused_in_a_sentence(desk, data):
    with pytest.raises(Failed, match="none of devloop's"):
        await desk.editor.request("completionItem/resolve", {"label": "x", "data": data})
    assert await desk.editor.request("completionItem/resolve", {"label": "x"}) == {"label": "x"}


# Files


def git(root, *args):
    subprocess.run(["git", "-C", root, *args], check=True, capture_output=True)


@pytest.fixture
def repository(project):
    git(project, "init", "-q")
    (project / ".gitignore").write_text("ignored/\n*.log\n")
    for name in ("src/a.py", "src/new thing.py", "src/deep/b.py", "ignored/c.py", "x.log", "docs/a.md"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    git(project, "add", "src/a.py", "docs/a.md")
    return project


FILES = HEAD + "- [ ] Task 1.3: a\n  - Files: "


async def test_files_are_those_that_git_knows_or_would_take(repository, desk):
    (repository / "docs" / "a.md").unlink()  # still in the index
    labels = await desk.labels(FILES + "¦")
    assert labels == [".devloop/plan.md", ".gitignore", "src/a.py", "src/deep/b.py", "src/new thing.py"]
    assert desk.taken("src/new thing.py") == "  - Files: `src/new thing.py`"
    assert await desk.labels(FILES + "`a.py`, `src/¦") == ["src/a.py", "src/deep/b.py", "src/new thing.py"]
    assert desk.taken("src/new thing.py") == "  - Files: `a.py`, `src/new thing.py"
    assert await desk.labels(FILES + "b.p¦") == ["src/deep/b.py"]
    assert desk.items[0]["filterText"] == "b.p src/deep/b.py"
    assert desk.taken("src/deep/b.py") == "  - Files: src/deep/b.py"


async def test_a_folder_inside_of_a_repository_sees_only_what_is_in_it(repository, editors, service):
    folder = repository / "src"
    assert await _files._of_git(folder) == (("a.py", "deep/b.py", "new thing.py"), True)


async def test_without_git_the_folder_is_walked_and_links_lead_nowhere(project, desk, short_tmp):
    (short_tmp / "outside").mkdir()
    (short_tmp / "outside" / "secret.txt").write_text("x")
    (project / "link").symlink_to(short_tmp / "outside")
    for name in ("src/a.py", "node_modules/x.js", ".hidden/y.py", "src/__pycache__/z.pyc", "src/odd`name.py"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("x")
    assert await desk.labels(FILES + "¦") == ["src/a.py"]


async def test_many_files_are_cut_and_the_answer_says_so(project, desk):
    (project / "many").mkdir()
    for number in range(MOST + 5):
        (project / "many" / f"{number:03}.py").touch()
    found = await desk.ask(FILES + "¦")
    assert (len(found["items"]), found["isIncomplete"]) == (MOST, True)
    assert await desk.labels(FILES + "many/20¦") == [f"many/{number}.py" for number in range(200, 205)]


async def test_one_listing_serves_all_who_ask_meanwhile(project, service, monkeypatch):
    made = []

    async def slow(root):
        made.append(root)
        await asyncio.sleep(0)
        return ("a.py",), True

    monkeypatch.setattr(_files, "_of_git", slow)
    assert await asyncio.gather(*(_files.listed(service) for _ in range(5))) == [(("a.py",), True)] * 5
    assert await _files.listed(service) == (("a.py",), True)
    assert len(made) == 1


def test_names_that_would_break_a_line_are_left_out():
    good = ["a.py", "ein ä.md", "日本.txt", "a.git/b"]
    bad = ["../x", "/etc/x", "a`b", "a\nb", "a\x1b[0m", "x/.git/config", "a\udcffb", "a\u202eb"]
    assert [name for name in good + bad if _files.writable(name)] == good


# Long plans


def long_plan(lines):
    found = ["# Plan: Long", "", "**Status**: In Progress", ""]
    phase = 0
    while len(found) < lines:
        phase += 1
        found += ["", f"## Phase {phase}: Part", ""]
        for number in range(1, 31):
            found += [f"- [ ] Task {phase}.{number}: Thing {number} [depends:{phase}.{number - 1}]", "  - Notes: n"]
    return "\n".join(found) + "\n"


async def test_a_long_plan_answers_with_a_bounded_list_before_it_is_read_anew(editor):
    text = long_plan(10_000)
    uri = editor.open(text=text)
    await editor.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 8, "character": 9}})
    line = text.split("\n").index("- [ ] Task 80.5: Thing 5 [depends:80.4]")
    end = len("- [ ] Task 80.5: Thing 5 [depends:80.4")
    times = []
    for number in range(5):
        editor.type(uri, line, end + number, ",")
        params = {"textDocument": {"uri": uri}, "position": {"line": line, "character": end + number + 1}}
        begin = time.perf_counter()
        found = await editor.request("textDocument/completion", params)
        times.append(time.perf_counter() - begin)
        assert (len(found["items"]), found["isIncomplete"]) == (MOST, True)
        assert [item["label"] for item in found["items"][:3]] == ["80.3", "80.2", "80.1"]
    begin = time.perf_counter()
    _ = plans.parse(text).problems
    assert min(times) < time.perf_counter() - begin, "reading the plan anew takes longer than that"
    version = editor.texts[uri][0]
    assert await editor.diagnostics(uri, version)


def test_the_first_task_of_a_phase_follows_the_style_of_the_plan():
    def lead(text):
        return _templates.first_lead(plans.parse(text))

    assert lead("# P\n") == "Task 1.1: "
    assert lead("## Phase 1: A\n- [ ] Task 1.1: a\n- [ ] Task 1.2: a\n") == "Task 2.1: "
    assert lead("## Phase 1: A\n- [ ] **Task 1.1**: a\n") == "**Task 2.1**: "
    assert lead("## Phase 1: A\n- [ ] 1.1 a\n## Phase 2: B\n- [ ] 2.1 b\n") == "3.1 "
    assert lead("## Phase 1: A\n- [ ] T001 a\n") == "T002 "
    assert lead("## Phase 1: A\n- [ ] a\n") == ""


@pytest.mark.parametrize("text", ["$1", "a}b", "\\n", "${x}"])
def test_text_of_a_plan_stays_text_in_a_snippet(text):
    shown = _templates.escaped(text)
    assert shown.replace("\\\\", "\0").replace("\\$", "$").replace("\\}", "}").replace("\0", "\\") == text
    assert "$" not in shown.replace("\\$", "")
