"""Skills in a plan: offered with the reason, explained, found in their files; what is not trusted says so."""

from __future__ import annotations

import pytest

from devloop.lsp.features._token_lines import TYPES
from devloop.skills import shipped_skills
from support.engines import trust_everything

PLAN = """# Plan: Demo

## Phase 1: Begin

- [ ] Task 1.1: Design the endpoint of the widget [skill:widgets] [agent:engineer:git]
  - **Files**: `src/a.py`
  - **Skills**: python-patterns, widgts
- [ ] Task 1.2: Another
"""
SKILL = """---
name: widgets
description: How widgets are made here. <b>Bold</b>
when: a widget is touched
when_not: a gadget is meant
triggers:
  keywords: [widget]
---
# Widgets

Make them round.
"""


@pytest.fixture
def repository(project):
    """With a skill and an agent of its own, neither of them trusted."""
    (project / ".devloop/plan.md").write_text(PLAN)
    (project / ".devloop/skills/widgets").mkdir(parents=True)
    (project / ".devloop/skills/widgets/SKILL.md").write_text(SKILL)
    (project / ".devloop/agents").mkdir()
    (project / ".devloop/agents/painter.md").write_text("---\nname: painter\ndescription: Paints.\n---\nPaint.\n")
    return project


def place(text, needle, shift=0):
    before = text[: text.index(needle)]
    return {"line": before.count("\n"), "character": len(before.rpartition("\n")[2]) + shift}


async def asked(editor, uri, method, position):
    return await editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position})


async def offered(editor, uri, text):
    """Items at `¦`, by label."""
    before, _, after = text.partition("¦")
    editor.replace(uri, before + after)
    found = await asked(editor, uri, "completion", place(text, "¦"))
    return {item["label"]: item for item in found["items"]} if found else {}


async def hover(editor, uri, text, needle):
    found = await asked(editor, uri, "hover", place(text, needle, 1))
    return found and found["contents"]["value"].split("  \n")


@pytest.mark.parametrize(
    "line",
    [
        "- [ ] Task 1.3: The widget [skill:¦",
        "- [ ] Task 1.3: The widget\n  - **Skills**: ¦",
        "- [ ] a widget [skills:x, ¦]",
    ],
)
async def test_skills_are_offered_those_that_fit_first_and_those_not_trusted_last(repository, editor, line):
    uri = editor.open()
    items = await offered(editor, uri, PLAN + line)
    assert set(items) == {*shipped_skills().active, "widgets"}
    assert list(items)[-1] == "widgets"
    assert items["widgets"]["detail"].startswith("not trusted yet – How widgets are made here.")
    trust_everything(repository)
    items = await offered(editor, uri, PLAN + line)
    assert next(iter(items)) == "widgets"
    assert items["widgets"]["detail"].startswith("the title says “widget” – How widgets are made here.")
    assert not any("trusted" in item["detail"] for item in items.values())
    closes = "[skill:" in line
    assert items["widgets"]["textEdit"]["newText"] == ("widgets]" if closes else "widgets")


async def test_what_the_list_names_already_is_not_offered_again(repository, editor):
    uri = editor.open()
    items = await offered(editor, uri, PLAN + "- [ ] a [skills:api-design, go¦-x, python-patterns]")
    assert "go-patterns" in items
    assert not {"api-design", "python-patterns"} & set(items)
    edit = items["go-patterns"]["textEdit"]
    assert edit["newText"] == "go-patterns"
    assert [edit[each]["end"]["character"] - edit[each]["start"]["character"] for each in ("insert", "replace")] == [
        2,
        4,
    ]


async def test_an_item_is_explained_when_it_is_shown(repository, editor):
    uri = editor.open()
    items = await offered(editor, uri, PLAN + "- [ ] a [skill:¦]")
    found = await editor.request("completionItem/resolve", items["widgets"])
    assert found["documentation"]["value"].split("  \n") == [
        "**widgets** – How widgets are made here. \\<b>Bold\\</b>",
        "When: a widget is touched",
        "When not: a gadget is meant",
        "**Not used:** not trusted yet; \\`devloop trust\\` shows it.",
        "From `.devloop/skills` of the repository.",
    ]


async def test_hover_says_what_it_is_for_where_it_is_from_and_why_it_fits(repository, editor):
    uri = editor.open()
    assert await hover(editor, uri, PLAN, "widgets]") == [
        "**widgets** – How widgets are made here. \\<b>Bold\\</b>",
        "When: a widget is touched",
        "When not: a gadget is meant",
        "**Not used:** not trusted yet; \\`devloop trust\\` shows it.",
        "From `.devloop/skills` of the repository.",
    ]
    trust_everything(repository)
    assert (await hover(editor, uri, PLAN, "widgets]"))[3:] == [
        "From `.devloop/skills` of the repository, trusted.",
        "The task names it: a run has its text from the start. It fits also because the title says “widget”.",
    ]
    shown = await hover(editor, uri, PLAN, "python-patterns")
    assert shown[0].startswith("**python-patterns** – ")
    assert shown[-2:] == [
        "It ships with devloop.",
        "The task names it: a run has its text from the start. It fits also because src/a.py matches \\*.py.",
    ]
    assert await hover(editor, uri, PLAN, "widgts") == ["There is no skill widgts. Nearest: widgets"]
    assert await hover(editor, uri, PLAN, "Skills") == [
        "**skills** – Skills whose text the agent has from the start, as \\[skill:\\] does."
    ]
    assert (await hover(editor, uri, PLAN, "skill:"))[0].startswith("**\\[skill\\]** Skills whose text")


async def test_problems_say_which_skills_are_not_there_or_not_used(repository, editor):
    uri = editor.open()
    found = await editor.until(lambda: skills_of(editor, uri), "the problems outside of the text")
    assert found == {
        "untrusted-skill": "The skill widgets is not used: not trusted yet; `devloop trust` shows it (.devloop/skills)",
        "unknown-skill": "There is no skill widgts",
    }
    trust_everything(repository)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    wanted = {"unknown-skill": "There is no skill widgts; nearest: widgets"}
    await editor.until(lambda: skills_of(editor, uri) == wanted, "looked at again")


def skills_of(editor, uri):
    told = [each for each in editor.told("textDocument/publishDiagnostics") if each["uri"] == uri]
    items = told[-1]["diagnostics"] if told else []
    return {each["code"]: each["message"] for each in items if each["code"].endswith("-skill")}


async def test_definition_leads_to_the_file_of_a_skill_or_an_agent(repository, editor):
    uri = editor.open(text=PLAN + "- [ ] Task 1.4: b [agent:painter]\n  - Agent: nobody\n")
    text = PLAN + "- [ ] Task 1.4: b [agent:painter]\n  - Agent: nobody\n"

    async def leads(needle):
        found = await asked(editor, uri, "definition", place(text, needle, 1))
        return found and [each["targetUri"] for each in found]

    own = (repository / ".devloop/skills/widgets/SKILL.md").as_uri()
    assert await leads("widgets]") == [own]  # a person reads it before it is trusted
    (shipped,) = await leads("python-patterns")
    assert shipped.endswith("/skills/python-patterns/SKILL.md")
    (agent,), (mode,) = await leads("engineer"), await leads("git]")
    assert agent == mode
    assert agent.endswith("/engineer.md")
    assert await leads("painter") is None
    trust_everything(repository)
    assert await leads("painter") == [(repository / ".devloop/agents/painter.md").as_uri()]
    assert await leads("nobody") is None
    assert await leads("widgts") is None


async def test_names_of_skills_are_told_apart_from_prose(repository, editor):
    uri = editor.open()
    answer = await editor.request("textDocument/semanticTokens/full", {"textDocument": {"uri": uri}})
    legend = TYPES
    line = column = 0
    found = []
    lines = PLAN.split("\n")
    for at in range(0, len(answer["data"]), 5):
        down, across, length, kind, _ = answer["data"][at : at + 5]
        line, column = line + down, across if down else column + across
        found.append((lines[line][column : column + length], legend[kind]))
    assert {("widgets", "class"), ("python-patterns", "class"), ("widgts", "class"), ("skill", "decorator")} <= set(
        found
    )
    assert ("Skills", "property") in found
