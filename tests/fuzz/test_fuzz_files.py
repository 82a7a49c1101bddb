"""Whatever stands in a file that devloop reads: its reader says what is wrong with it, and does nothing else."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from devloop import front_matter, settings
from devloop.agents.reading import read_agent
from devloop.errors import DevloopError
from devloop.gates import reports
from devloop.gates.sources import Sources
from devloop.hooks import definitions as hooks
from devloop.models.assembly import parse_input
from devloop.models.scenario import parse_scenario
from devloop.plan import importing, parse
from devloop.shipped import folder
from devloop.skills import definitions as skills
from devloop.state import context, issue_files, next_action, plan_state, sessions, spikes, worklog
from support.fuzz import Part, parts
from support.plan_inputs import ODD
from support.rpc_inputs import value

TESTS = Path(__file__).parent.parent
SETTINGS = """model = "claude-x"
[sandbox]
require = true
backend = "bwrap"
[gates.tests]
run = "pytest -q"
parser = "junit"
[budget]
day_usd = 25.0
"""
AGENT = "---\nname: x\ndescription: d\ntools: [read]\nmodel: y\nmodes:\n  git: {when: a, prompt: b}\n---\nText {{x}}\n"
HOOK = '{"type": "command", "command": "x", "timeout": 5}'
HOOKS = '{"hooks": {"PreToolUse": [{"matcher": "Bash|Edit", "hooks": [' + HOOK + "]}]}}"
TOOL = '{"name": "read", "input": {"path": "x"}}'
SCENARIO = '{"model": "m", "turns": [{"text": "a", "tools": [' + TOOL + '], "usage": {"input": 5}}]}'
TOKENS = (
    *(
        "[",
        "]",
        "{",
        "}",
        ":",
        ",",
        '"',
        "'",
        "- ",
        "---\n",
        "\n",
        "  ",
        "\t",
        "&a ",
        "*a",
        "!!python/object/apply:os.system [id]",
    ),
    *(
        "<<: *a",
        "null",
        "~",
        "true",
        "NaN",
        "1e999",
        "-0",
        "9" * 400,
        "0x",
        "2026-13-45",
        "\\u0000",
        "\\ud800",
        "|\n",
        ">-\n",
    ),
    *(
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>",
        "&b;",
        "<![CDATA[",
        "]]>",
        "<testsuite>",
        "tests='-1'",
        "= ",
    ),
    *(
        "[[a]]\n",
        "[a.b]\n",
        "a.b.c = 1\n",
        "'''",
        '"""',
        "#",
        "../../x",
        "/etc/passwd",
        "\x1b]0;x\x07",
        "${x}",
        "{{x}}",
        "$(id)",
    ),
)


def _report(kind: Any) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return reports.read(kind, text.encode("utf-8", "surrogatepass"), Sources(Path("/nowhere")))
        except reports.Unreadable as problem:
            return str(problem)

    return read


def _scenario(text: str) -> object:
    try:
        return parse_scenario(json.loads(text))
    except (ValueError, RecursionError, DevloopError) as problem:  # JSON is its caller's
        return str(problem)


def _front(text: str) -> object:
    try:
        return front_matter.read(text)
    except front_matter.Unreadable as problem:
        return problem.message


def _imported(text: str) -> object:
    for kind in ("", *importing.KINDS):
        found = importing.imported(kind, text, source="specs/001/tasks.md", now="2026-01-31 12:30")
        assert parse(found.text).text == found.text
    return importing.detect("specs/001/tasks.md", text)


def _worklog(text: str) -> object:
    return worklog.rows(text), worklog.check(text), worklog.pending(text)


def _data(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


READERS: dict[str, Callable[[str], object]] = {
    "settings": lambda text: settings.explained(Path("/nowhere"), {}, {settings.TEAM_FILE: text}),
    "front matter": _front,
    "agent": lambda text: read_agent(text, ".devloop/agents/x.md", source="repository"),
    "skill": lambda text: skills.parse(_data(text), "x"),
    "hooks": lambda text: hooks.read(_data(text), ".devloop/hooks.json"),
    "scenario": _scenario,
    "tool input": parse_input,
    "imported": _imported,
    "plan state": lambda text: (plan_state.read(text), plan_state.check(text)),
    "next action": next_action.read,
    "sessions": sessions.read,
    "context": context.read,
    "issue": lambda text: issue_files.parse(text, ".devloop/issues/FEAT-1.md"),
    "spike": lambda text: spikes.parse(text, ".devloop/spikes/x.md"),
    "work log": _worklog,
    **{kind: _report(kind) for kind in ("junit", "sarif", "ruff-json", "mypy-json", "pyright-json", "bandit-json")},
}


@functools.cache
def seeds() -> tuple[str, ...]:
    files = [*(TESTS / "gates" / "golden").rglob("*"), *(TESTS / "plan" / "importing_samples").rglob("*")]
    files += [*folder("skills").rglob("SKILL.md")][:4] + [*folder("plans").rglob("*.json")][:4]
    texts = [path.read_bytes().decode("utf-8", "replace")[:3000] for path in sorted(files) if path.is_file()]
    return (SETTINGS, AGENT, HOOKS, SCENARIO, *texts)


def text_input(random: Random) -> str:
    kind = random.random()
    if kind < 0.2:
        return json.dumps(value(random))
    if kind < 0.3:
        return "".join(random.choices(TOKENS, k=random.randint(0, 40)))
    if kind < 0.33:
        return random.choice("[{(<-") * random.choice((50, 2_000, 50_000))
    text = random.choice(seeds())
    if random.random() < 0.5:
        at = random.randrange(len(text) + 1)
        text = text[at : at + 1500]
    for _ in range(random.randint(0, 5)):
        at = random.randint(0, len(text))
        new = random.choice(
            ("", random.choice(TOKENS), random.choice(ODD), text[at : at + 30] * random.choice((1, 20)))
        )
        text = text[:at] + new + text[at + random.choice((0, 1, 2, 20)) :]
    return text


def check(random: Random) -> None:
    text = text_input(random)
    name = random.choice(list(READERS))
    try:
        READERS[name](text)
    except BaseException as problem:
        problem.add_note(f"{name}: {text[:500]!r}")
        raise


@pytest.mark.parametrize("part", parts(4))
def test_every_reader_takes_any_text(part: Part, record_property: Any) -> None:
    part.inputs("files of settings, state, hooks, agents, imports and reports", 300, 100_000, record_property, check)
