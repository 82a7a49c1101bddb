"""Files beside the plan in an editor: the terminal's problems where they stand, and ways out of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from devloop import settings, skills
from devloop.daemon import checkers
from devloop.state import checking
from support.editor import EVERYTHING, PULLS, apply_edits

SKILL = ".devloop/skills/odd-skill/SKILL.md"
AGENT = ".devloop/agents/helper.md"
FILES = {
    SKILL: "---\nname: other\ndescription: It helps. Use when needed. Not for more.\ndescripton: x\ntriggers:\n"
    "  keyword: [a]\n  paths: ['*.x']\n---\n\nSee [more](references/none.md).\n",
    AGENT: "---\nname: helper\ndescription: Helps.\ntools:\n  - read_file\n  - serach\n  - Grpe\nacess: read\n---\n"
    "Do it.\n",
    ".claude/agents/foreign.md": "---\ndescription: Helps.\ntools: Read, Gerp\n---\nDo it.\n",
    ".devloop/local.md": "---\nfresh_treshold: 12\nbudget:\n  run_usd: 900\n---\n",
    ".devloop/config.toml": "[loop]\nmax_paralel = 2\n\n[budget]\nturns = 'x'\n",
    ".devloop/hooks.json": '{"hooks": {"PreToolUs": []}}',
    ".devloop/issues/BUG-001.md": "---\nid: BUG-001\ntype: bug\ntitle: x\nstatus: opne\npriority: low\n---\n",
    ".devloop/plan-state.json": '{\n  "schema_version": "2.0.0",\n  "stats": {"total": "x"}\n}\n',
    ".devloop/next-action.json": "{\n nonsense\n}\n",
    ".devloop/context.json": '{\n  "version": 2,\n  "languages": 3\n}\n',
}


@pytest.fixture
def written(project):
    for path, text in FILES.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(text)
    return project


async def fixes(editor, uri, line=None, only=None):
    text = editor.texts[uri][1]
    last = text.count("\n")
    place = {
        "start": {"line": 0 if line is None else line, "character": 0},
        "end": {"line": last if line is None else line, "character": 0},
    }
    context = {"diagnostics": [], "triggerKind": 1, **({"only": only} if only else {})}
    params = {"textDocument": {"uri": uri}, "range": place, "context": context}
    return await editor.request("textDocument/codeAction", params)


def done(editor, uri, action):
    (change,) = action["edit"]["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": editor.texts[uri][0]}
    return apply_edits(editor.texts[uri][1], change["edits"])


@pytest.mark.parametrize("path", FILES)
async def test_a_file_shows_in_its_place_what_the_terminal_says(editor, written, path):
    found = await editor.diagnostics(editor.open(path))
    assert found and all(each["source"] == "devloop" and each["code"] for each in found)
    told = {(fault.line, fault.message) for fault in checking.faults(written) if fault.path == path}
    told |= {(fault.line, fault.message) for fault in settings.explained(written, {}).faults if fault.path == path}
    told |= {(each.line, each.message) for each in skills.check_path(written) if each.path == str(written / path)}
    shown = {(each["range"]["start"]["line"] + 1, each["message"]) for each in found}
    lines = FILES[path].count("\n") + 1
    assert all(1 <= line <= lines for line, _ in shown)
    if told:
        assert {message for _, message in told} <= {message for _, message in shown}
    else:
        assert path in (AGENT, ".claude/agents/foreign.md", ".devloop/hooks.json")


async def test_typing_checks_again_with_the_version_and_closing_clears(editor, written):
    path = ".devloop/config.toml"
    uri = editor.open(path)
    assert len(await editor.diagnostics(uri, 1)) == 2
    version = editor.type(uri, 4, 8, "1", remove=3)
    assert [each["code"] for each in await editor.diagnostics(uri, version)] == ["unknown-setting"]
    version = editor.type(uri, 1, 8, "l")
    assert await editor.diagnostics(uri, version) == []
    editor.type(uri, 1, 0, "[", remove=0)
    await editor.until(lambda: editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"])
    editor.close_document(uri)
    await editor.until(lambda: editor.told("textDocument/publishDiagnostics")[-1] == {"uri": uri, "diagnostics": []})


@pytest.mark.parametrize(
    ("path", "line", "before", "after"),
    [
        (SKILL, 1, "name: other\n", "name: odd-skill\n"),
        (SKILL, 3, "descripton: x", "description: x"),
        (SKILL, 5, "keyword: [a]", "keywords: [a]"),
        (AGENT, 5, "  - serach", "  - search"),
        (AGENT, 6, "  - Grpe", "  - Grep"),
        (AGENT, 7, "acess: read", "access: read"),
        (".claude/agents/foreign.md", 2, "Gerp", "Grep"),
        (".devloop/local.md", 1, "fresh_treshold", "fresh_threshold"),
        (".devloop/config.toml", 1, "max_paralel", "max_parallel"),
    ],
)
async def test_what_has_one_right_answer_is_offered(editor, written, path, line, before, after):
    uri = editor.open(path)
    await editor.diagnostics(uri, 1)
    found = [each for each in await fixes(editor, uri, line) if each.get("isPreferred")]
    assert before in FILES[path]
    results = [done(editor, uri, each) for each in found]
    assert FILES[path].replace(before, after, 1) in results, [each["title"] for each in found]
    assert all(each["kind"] == "quickfix" and each["diagnostics"] for each in found)


async def test_a_name_that_is_missing_is_taken_from_the_folder(editor, written):
    text = "---\ndescription: It helps. Use when needed. Not for more.\n---\n\nWords.\n"
    uri = editor.open(SKILL, text)
    (action,) = [each for each in await fixes(editor, uri) if "name: odd-skill" in each["title"]]
    assert done(editor, uri, action) == text.replace("---\n", "---\nname: odd-skill\n", 1)


async def test_a_description_that_is_too_long_is_cut_only_on_demand(editor, written):
    long = "It helps with this. " * 60
    uri = editor.open(SKILL, f"---\nname: odd-skill\ndescription: {long.strip()}\n---\n\nWords. Not for all.\n")
    (action,) = [each for each in await fixes(editor, uri) if each["title"].startswith("Cut")]
    assert not action.get("isPreferred")
    version = editor.replace(uri, done(editor, uri, action))
    assert "long-description" not in {each["code"] for each in await editor.diagnostics(uri, version)}


async def test_everything_certain_at_once(editor, written):
    uri = editor.open(SKILL)
    await editor.diagnostics(uri, 1)
    (action,) = await fixes(editor, uri, only=["source.fixAll"])
    assert action["kind"] == "source.fixAll.devloop"
    text = done(editor, uri, action)
    assert "name: odd-skill" in text and "keywords: [a]" in text and "\ndescription: x" in text
    assert await fixes(editor, uri, only=["refactor"]) == []


async def test_an_editor_that_asks_gets_the_same(editors, written):
    editor = await editors()
    await editor.initialize(PULLS)
    uri = editor.open(SKILL)
    answer = await editor.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    assert answer["kind"] == "full" and "name-folder" in {each["code"] for each in answer["items"]}
    assert not editor.told("textDocument/publishDiagnostics")


async def test_columns_are_in_the_editors_units(editors, written):
    editor = await editors()
    await editor.initialize({**EVERYTHING, "general": {"positionEncodings": ["utf-16"]}})
    uri = editor.open(".devloop/config.toml", 'loop = { "🧊" = 1, max_paralel = 2 }\n')
    found = [each for each in await editor.diagnostics(uri) if "max_parallel" in each["message"]]
    assert [each["range"]["start"] for each in found] == [{"line": 0, "character": 19}]


async def test_a_skill_is_checked_again_when_it_is_saved(editor, written):
    uri = editor.open(SKILL)
    assert "dead-link" in {each["code"] for each in await editor.diagnostics(uri, 1)}
    (written / SKILL).parent.joinpath("references").mkdir()
    (written / SKILL).parent.joinpath("references", "none.md").write_text("x")
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": editor.texts[uri][1]})
    await editor.until(
        lambda: (
            "dead-link"
            not in {each["code"] for each in editor.told("textDocument/publishDiagnostics")[-1]["diagnostics"]}
        )
    )


async def test_other_files_stay_none_of_ours(editor, project):
    for path in ("README.md", ".devloop/notes.md", ".devloop/issues/README.md", "src/config.toml", ".devloop/x.json"):
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        uri = editor.open(path, "---\nname: 1\n---\n{")
        assert await fixes(editor, uri) is None
    uri = editor.open()
    await editor.diagnostics(uri)
    assert {each["uri"] for each in editor.told("textDocument/publishDiagnostics")} == {uri}


@pytest.mark.parametrize(
    "text", ["", "\ufeff", "---", "---\n---\n", "{", "[", "\x00\ud7ff", "a" * 100_000, "---\n- a\n---\n"]
)
def test_any_text_is_checked_without_raising(project, text):
    for path in (*FILES, ".devloop/spikes/x.md", ".devloop/worklog.md", ".devloop/sessions.json", "SKILL.md"):
        assert checkers.knows(path), path
        checkers.check(project, path, text)


def test_the_extension_opens_the_files_that_there_are_checkers_for():
    client = Path(__file__).parents[2] / "client-vscode" / "src" / "server" / "plan-files.ts"
    listed = re.search(r"OWN_FILES = \[(.*?)\]", client.read_text(), re.DOTALL)
    assert tuple(re.findall(r'"([^"]+)"', listed[1])) == checkers.PATTERNS
    for pattern in checkers.PATTERNS:
        assert checkers.knows(
            pattern.replace("**/", "skills/x/").replace("issues/*", "issues/BUG-001").replace("*", "x")
        )


def test_the_shipped_skills_have_nothing_to_say(project):
    from devloop import shipped

    folder = shipped.folder("skills")
    for path in sorted(folder.glob("*/SKILL.md")):
        name = f"skills/{path.parent.name}/SKILL.md"
        assert checkers.check(folder.parent, name, path.read_text()) == ()


def test_codes_are_explained(written):
    """Every code of a fault of these files has a heading in PROBLEMS.md."""
    from devloop import shipped

    headings = {line[3:] for line in shipped.problems().read_text().splitlines() if line.startswith("## ")}
    codes = {fault.code for path, text in FILES.items() for fault in checkers.check(written, path, text)}
    assert codes <= headings, codes - headings
    assert json.loads(FILES[".devloop/context.json"])
