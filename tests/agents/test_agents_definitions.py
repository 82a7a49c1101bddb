"""Agents as files: what ships, what a project may write, what others wrote, and what bad files get."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from devloop import tools, trust
from devloop.agents import Agent, Mode, discover, load_agents, read_agent
from devloop.agents.contracts import CONTRACTS, Result, model_of, schema_of
from devloop.agents.discovery import SHIPPED
from devloop.agents.names import TOOLS, WRITING
from devloop.models import TIERS
from devloop.runs.appointing import _profile
from devloop.settings import AgentSettings

MODES = {
    "engineer": ["default", "explorer", "architect", "spike", "refactorer", "analyst", "git", "release"],
    "qa-engineer": ["generator", "runner", "bug_tracker", "validator"],
    "task-planner": ["planner", "requirements", "issue_manager", "dod_validator"],
    "code-reviewer": ["default"],
    "security-scanner": ["default"],
    "workflow-detector": ["default"],
    "complexity-estimator": ["default"],
    "doc-generator": ["default"],
    "summary-generator": ["default"],
}
WRITERS = {
    *("engineer:default", "engineer:refactorer", "engineer:release", "qa-engineer:generator"),
    *("doc-generator:default", "summary-generator:default"),
}
PREFIX = 4_500
"""Bytes of system prompt and tools together: what every first request of a mode pays."""


def shipped() -> list[tuple[Agent, Mode]]:
    return [(agent, mode) for agent in load_agents().values() for mode in agent.modes]


def name(agent: Agent, mode: Mode) -> str:
    return f"{agent.name}:{mode.name}"


def size(mode: Mode) -> int:
    profile = _profile(mode, AgentSettings())
    listed = tools.definitions(profile.tools, profile.finish)
    return len(profile.prompt.encode()) + len(json.dumps(listed, separators=(",", ":")).encode())


# What ships


def test_nine_agents_ship_with_all_their_modes() -> None:
    assert {agent.name: [mode.name for mode in agent.modes] for agent in load_agents().values()} == MODES
    assert next(iter(load_agents())) == "engineer"


def test_no_first_request_of_a_mode_is_larger_than_it_may_be() -> None:
    sizes = {name(agent, mode): size(mode) for agent, mode in shipped()}
    print("\n".join(f"{each:32} {count:5}" for each, count in sizes.items()))
    assert max(sizes.values()) <= PREFIX, sizes


def test_who_may_write_is_as_agreed_and_readers_have_no_tool_that_writes() -> None:
    assert {name(agent, mode) for agent, mode in shipped() if mode.access == "write"} == WRITERS
    assert {name(agent, mode) for agent, mode in shipped() if mode.access == "scratch"} == {"engineer:spike"}
    for _, mode in shipped():
        assert mode.access != "read" or not WRITING & set(mode.tools)
        assert {"finish", "load_skill"} <= set(mode.tools)


def test_every_mode_has_triggers_a_tier_and_a_known_result() -> None:
    for agent, mode in shipped():
        assert mode.starts or name(agent, mode) == "engineer:release", "only `devloop ship` begins that"
        assert mode.tier in TIERS
        assert mode.result is None or mode.result in CONTRACTS
    used = {mode.result for _, mode in shipped()} - {None}
    assert used == set(CONTRACTS)


def test_shipped_texts_are_words_of_their_own_and_name_no_tool_that_the_mode_lacks() -> None:
    for agent, mode in shipped():
        for tool in re.findall(r"\b(?:read_file|list_files|search|write_file|edit_file|run_command)\b", mode.prompt):
            assert tool in mode.tools or tool == "search", name(agent, mode)
        assert "## Mode" not in mode.prompt and "finish" in mode.prompt


def test_tools_are_named_in_the_order_in_which_they_are_sent() -> None:
    assert [each["name"] for each in tools.definitions()] == list(TOOLS)


def test_shipped_files_are_in_the_package() -> None:
    assert len(list(SHIPPED.glob("*.md"))) == 9


# Results


def example(schema: dict[str, Any]) -> Any:
    """The smallest value that a schema as models see it asks for."""
    if "enum" in schema:
        return schema["enum"][0]
    match schema["type"]:
        case "object":
            return {key: example(schema["properties"][key]) for key in schema.get("required", ())}
        case "array":
            return [example(schema["items"])] * 2
        case "integer":
            return 90 if schema.get("description") is None else 3
        case other:
            return {"string": "words", "boolean": True, "number": 1.0}[other]


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_what_a_schema_asks_for_fits_its_contract(contract: type[Result]) -> None:
    schema = schema_of(contract)
    value = example(schema)
    if "factors" in value:
        value["factors"] = dict.fromkeys(value["factors"], 3)
    assert contract.model_validate(value)
    assert "$ref" not in json.dumps(schema) and contract.__doc__
    for key in schema["required"]:
        rest = {each: part for each, part in value.items() if each != key}
        with pytest.raises(ValueError, match=key):
            contract.model_validate(rest)


@pytest.mark.parametrize(
    ("contract", "good", "bad"),
    [
        ("readiness", {"verdict": "READY"}, {"verdict": "NOT READY"}),
        ("done-check", {"verdict": "PASS"}, {"verdict": "WARN"}),
        ("review", {"verdict": "APPROVE"}, {"verdict": "COMMENT"}),
        ("security", {"risk": "LOW"}, {"risk": "MEDIUM"}),
        ("test-run", {"failed": 0}, {"failed": 1}),
        ("requirements", {"questions": []}, {"questions": ["Who?"]}),
        ("triage", {"confidence": "High"}, {"confidence": "Low"}),
    ],
)
def test_a_bad_verdict_needs_a_person(contract: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    model = CONTRACTS[contract]
    value = example(schema_of(model))
    assert model.model_validate({**value, **good}).clear
    assert not model.model_validate({**value, **bad}).clear


@pytest.mark.parametrize("contract", ["architecture", "plan"])
def test_what_needs_approval_is_never_clear(contract: str) -> None:
    model = CONTRACTS[contract]
    assert not model.model_validate(example(schema_of(model))).clear


@pytest.mark.parametrize(
    ("scores", "size"), [([1] * 7, "XS"), ([2] * 7, "S"), ([3] * 7, "M"), ([4] * 7, "L"), ([5] * 7, "XL")]
)
def test_an_estimate_is_added_up(scores: list[int], size: str) -> None:
    names = ("files", "concepts", "integration", "data", "testing", "regression", "uncertainty")
    value = {"summary": "x", "factors": dict(zip(names, scores, strict=True)), "spike": False}
    found = CONTRACTS["estimate"].model_validate(value)
    assert (found.total, found.size) == (sum(scores), size)


def test_a_review_holds_only_what_is_sure() -> None:
    finding = {"path": "a", "line": 1, "severity": "Low", "kind": "style", "confidence": 79, "problem": "p"}
    with pytest.raises(ValueError, match="confidence"):
        CONTRACTS["review"].model_validate({"summary": "x", "verdict": "COMMENT", "findings": [finding]})


@pytest.mark.parametrize(
    "shape",
    [
        {"x": "words"},
        {"x": []},
        {"x": ["a"]},
        {"x": {}},
        {"X y": "text"},
        {"x": [1, 2]},
        {"x": None},
        "nothing",
        {"clear": "text"},
    ],
)
def test_a_result_that_is_none_is_refused_in_words(shape: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        model_of(shape)


# Files of a project

MODES_FILE = """---
name: gardener
description: Keeps the garden
tier: fast
tools: [read_file, edit_file, run_command]
mode: plant
modes:
  plant:
    starts: [plant, "sow * seeds"]
  look:
    access: read
    effort: high
    result: {healthy: yes/no, kinds: [text]}
    words: 100
---
You are the gardener.

## Mode: plant
Plant it.

## Mode: look
Look at it.
"""


def agent_of(text: str, **more: Any) -> Agent:
    agent, problems = read_agent(text, "a.md", **more)
    assert agent is not None, problems
    assert problems == []
    return agent


def test_a_project_writes_agents_with_modes() -> None:
    agent = agent_of(MODES_FILE)
    plant, look = agent.modes
    assert (agent.mode, plant.access, look.access) == ("plant", "write", "read")
    assert plant.prompt == "You are the gardener.\n\nPlant it."
    assert look.prompt == "You are the gardener.\n\nLook at it.\n\nKeep the result within 100 words."
    assert plant.tools == ("read_file", "load_skill", "edit_file", "run_command", "finish")
    assert look.tools == ("read_file", "load_skill", "run_command", "finish")
    assert (plant.tier, look.effort, plant.effort) == ("fast", "high", None)
    assert model_of(look.result or "").model_validate({"summary": "s", "healthy": True, "kinds": ["a"]})


CLAUDE = """---
name: api-helper
description: Use this agent when routes change. Examples: <example>user: "add a route"\\n</example>
tools: Read, Grep, Bash, TodoWrite, WebFetch, mcp__docs__search
model: sonnet
color: blue
---

You help with routes.
"""


@pytest.mark.parametrize(
    ("tools_line", "permission", "expected", "access"),
    [
        ("tools: Read, Grep, Glob", "", {"read_file", "search", "list_files"}, "read"),
        ("tools: Read, Bash", "", {"read_file", "run_command"}, "write"),
        ("tools: Read, Bash", "permissionMode: plan", {"read_file", "run_command"}, "read"),
        ("tools: Read, MultiEdit, Bash(git *)", "", {"read_file", "edit_file", "run_command"}, "write"),
        ("tools: Read, Write", "permissionMode: plan", {"read_file"}, "read"),
        ("", "", set(TOOLS) - {"load_skill", "finish"}, "write"),
        ("", "disallowedTools: Write, Edit, Bash", {"read_file", "list_files", "search", "ask"}, "read"),
    ],
)
def test_agents_of_claude_code_load_as_they_are(
    tools_line: str, permission: str, expected: set[str], access: str
) -> None:
    agent = agent_of(f"---\nname: a\ndescription: d\n{tools_line}\n{permission}\n---\nBody\n", source="claude")
    assert set(agent.tools) == {*expected, "load_skill", "finish"}
    assert agent.default.access == access


def test_a_description_that_is_no_yaml_is_read_where_others_wrote_it_and_refused_where_we_do() -> None:
    agent = agent_of(CLAUDE, source="claude")
    assert agent.description.startswith("Use this agent when routes change. Examples:")
    assert (agent.default.tier, agent.tools) == (
        "balanced",
        ("read_file", "search", "load_skill", "run_command", "finish"),
    )
    found, problems = read_agent(CLAUDE, "a.md", source="repository")
    assert found is None
    assert [(each.line, each.fatal) for each in problems] == [(3, True)]


def test_a_name_is_the_files_where_the_agent_has_none() -> None:
    agent, _ = read_agent("---\ndescription: d\n---\nBody\n", ".claude/agents/helper.md", source="claude")
    assert agent is not None and agent.name == "helper"


@pytest.mark.parametrize(
    ("model", "tier"), [("opus", "deep"), ("haiku", "fast"), ("inherit", "balanced"), ("x-1", "x-1")]
)
def test_models_are_tiers_or_ids(model: str, tier: str) -> None:
    assert agent_of(f"---\nname: a\ndescription: d\nmodel: {model}\n---\nBody\n").default.tier == tier


@pytest.mark.parametrize(
    ("head", "line", "text"),
    [
        ("name: a\ndescription: d\nacess: read", 4, "'acess' has no meaning"),
        ("name: a\ndescription: d\ntools: [Read, Fly]", 4, "there is no tool Fly"),
        ("name: a\ndescription: d\naccess: none", 4, "access has to be one of read, write"),
        ("name: a\ndescription: d\neffort: huge", 4, "effort has to be one of"),
        ("name: a\ndescription: d\nresult: nothing", 4, "there is no result 'nothing'"),
        ("name: a\ndescription: d\nturns: -3", 4, "turns has to be a number"),
        ("name: a\ndescription: d\ntier: [x]", 4, "tier has to be fast, balanced, deep"),
        ("name: a\ndescription: d\nstarts: {a: b}", 4, "starts has to be a list"),
        ("name: a\ndescription: d\nmode: other", 4, "there is no mode 'other'; default counts"),
        ("name: a\ndescription: d\nmodes: [x]", 4, "modes has to hold modes by name"),
        ("name: a\ndescription: d\nmodes:\n  one:\n    color: red", 6, "'color' has no meaning in a mode"),
        ("name: a\ndescription: d\nmodes:\n  one: {}\n  two: 3", 6, "'two' is no mode"),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_agent_is_there(head: str, line: int, text: str) -> None:
    agent, problems = read_agent(f"---\n{head}\n---\nBody\n", "x/a.md")
    assert agent is not None
    assert [(each.path, each.line, each.fatal) for each in problems] == [("x/a.md", line, False)]
    assert text in problems[0].text


def test_an_access_that_nobody_understands_is_reading() -> None:
    agent, _ = read_agent("---\nname: a\ndescription: d\naccess: wriet\n---\nBody\n", "a.md")
    assert agent is not None and agent.default.access == "read" and not WRITING & set(agent.tools)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("# Agent\n", 1),
        ("---\nname: a\n", 1),
        ("---\n---\nBody\n", 1),
        ("---\nname: a\n---\nBody\n", 1),
        ("---\nname: a b\ndescription: d\n---\nBody\n", 2),
        ("---\nname: [a]\ndescription: d\n---\nBody\n", 2),
        ("---\nname: a\ndescription: d\n---\n\n", 5),
        ("---\nname: a\ndescription: d\nx: [\n---\nBody\n", 5),
        ("---\nname: a\ndescription: d\nx: &a [1]\n---\nBody\n", 4),
        ("---\nname: a\ndescription: d\nx: !!python/object:os.system x\n---\nBody\n", 4),
        ("---\n- a\n- b\n---\nBody\n", 2),
        ("---\nname: a\ndescription: d\n---\n" + "x" * 70_000, 5),
        ("---\nname: a\ndescription: " + "x" * 20_000 + "\n---\nBody\n", 1),
    ],
)
def test_a_file_that_is_no_agent_is_a_problem_with_its_line(text: str, line: int) -> None:
    agent, problems = read_agent(text, "x/a.md")
    assert agent is None
    assert [(each.path, each.line, each.fatal) for each in problems] == [("x/a.md", line, True)]


# Discovery


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    root = tmp_path / "project"
    for folder in (".claude/agents", ".devloop/agents"):
        (root / folder).mkdir(parents=True)
    return root, tmp_path / "trust.json"


def put(root: Path, path: str, agent: str, body: str = "Body") -> None:
    (root / path).write_text(f"---\nname: {agent}\ndescription: d\n---\n{body}\n")


def accept(root: Path, store: Path) -> None:
    shown = [(each.item.key, each.item.sha256) for each in trust.state(root, store) if not each.item.refused]
    trust.accept(root, store, shown)


def test_agents_of_a_repository_are_inert_until_trusted_and_again_when_changed(place: tuple[Path, Path]) -> None:
    root, store = place
    put(root, ".devloop/agents/helper.md", "helper")
    found = discover(root, store)
    assert "helper" not in found.agents and found.inert == (("helper", ".devloop/agents/helper.md"),)
    accept(root, store)
    assert discover(root, store).agents["helper"].prompt == "Body"
    put(root, ".devloop/agents/helper.md", "helper", "Another body")
    assert "helper" not in discover(root, store).agents


def test_the_later_place_counts_and_says_so(place: tuple[Path, Path]) -> None:
    root, store = place
    put(root, ".claude/agents/engineer.md", "engineer", "Theirs")
    put(root, ".devloop/agents/engineer.md", "engineer", "Ours")
    put(root, ".claude/agents/one.md", "same", "One")
    put(root, ".claude/agents/two.md", "same", "Two")
    accept(root, store)
    found = discover(root, store)
    assert (found.agents["engineer"].prompt, found.agents["same"].prompt) == ("Ours", "Two")
    assert [(each.winner, each.loser) for each in found.clashes] == [
        (".claude/agents/engineer.md", "shipped/engineer.md"),
        (".claude/agents/two.md", ".claude/agents/one.md"),
        (".devloop/agents/engineer.md", ".claude/agents/engineer.md"),
    ]
    told = {each.path: each.text for each in found.problems}
    assert ".devloop/agents/engineer.md counts instead" in told[".claude/agents/engineer.md"]
    assert "later file name" in told[".claude/agents/one.md"]


def test_a_malformed_agent_is_a_problem_and_the_rest_goes_on(place: tuple[Path, Path]) -> None:
    root, store = place
    (root / ".devloop/agents/bad.md").write_text("no front matter\n")
    (root / ".devloop/agents/bytes.md").write_bytes(b"---\nname: \xff\n---\n")
    (root / ".devloop/agents/link.md").symlink_to("/etc/hostname")
    put(root, ".devloop/agents/good.md", "good")
    accept(root, store)
    found = discover(root, store)
    assert "good" in found.agents and len(found.agents) == 10
    assert {each.path: each.fatal for each in found.problems} == {
        ".devloop/agents/bad.md": True,
        ".devloop/agents/bytes.md": True,
        ".devloop/agents/link.md": True,
    }
