"""Reading files of hooks: the shapes in use, faults with their lines, and nothing that a file holds breaks it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop import hook_files, hooks
from devloop.hooks import conditions, events, json_lines
from devloop.hooks.definitions import MAX_HOOKS, Declared, identical

CLAUDE = """{
  "permissions": {"allow": ["Bash(ls:*)"]},
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Edit|Write",
        "hooks": [
          {"type": "command", "command": "\\"$CLAUDE_PROJECT_DIR\\"/.claude/hooks/guard.sh", "timeout": 10},
          {"type": "prompt", "prompt": "Is that safe?"}
        ]
      }
    ],
    "Stop": [{"hooks": [{"type": "command", "command": "make check"}]}],
    "PreCompact": [{"hooks": [{"type": "command", "command": "true"}]}]
  }
}
"""
PLUGIN = """{
  "hooks": [
    {"name": "Pre-commit check", "event": "PreToolUse", "matcher": "Bash", "condition": "git commit",
     "script": "${CLAUDE_PLUGIN_ROOT}/hooks/pre-commit.sh \\"$TOOL_INPUT\\""},
    {"name": "start", "event": "session-start", "script": "./hooks/start.sh", "timeout": 10}
  ]
}
"""


def read(text: str | bytes, path: str = hook_files.OWN) -> Declared:
    return hooks.read(text.encode() if isinstance(text, str) else text, path, hooks.dialect_of(path))


def declared(value: Any, path: str = hook_files.OWN) -> Declared:
    return read(json.dumps({"hooks": value}), path)


def said(found: Declared) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.severity, fault.message) for fault in found.faults]


def test_claude_codes_settings_are_read_as_they_are() -> None:
    found = read(CLAUDE, ".claude/settings.json")
    guard, stop = found.hooks
    assert (guard.event, guard.matcher, guard.timeout_s, guard.line) == ("PreToolUse", "Edit|Write", 10.0, 8)
    assert (stop.event, stop.matcher, stop.timeout_s, stop.line) == ("Stop", "", 60.0, 13)
    assert {hook.dialect for hook in found.hooks} == {"claude"}
    assert found.unsupported == (("PreToolUse", "prompt", 9),)
    assert [(line, severity) for line, severity, _ in said(found)] == [(9, "warning"), (14, "warning")]
    assert "PreCompact is an event of Claude Code's" in found.faults[1].message


def test_the_list_of_older_plugins_is_read_as_it_is() -> None:
    check, start = read(PLUGIN, "hooks/hooks.json").hooks
    assert (check.name, check.event, check.matcher, check.condition) == (
        "Pre-commit check",
        "PreToolUse",
        "Bash",
        "git commit",
    )
    assert check.command == '${CLAUDE_PLUGIN_ROOT}/hooks/pre-commit.sh "$TOOL_INPUT"'
    assert (start.event, start.command, start.timeout_s, start.dialect) == (
        "SessionStart",
        "./hooks/start.sh",
        10.0,
        "claude",
    )


def test_our_own_file_may_leave_the_inner_list_out() -> None:
    (hook,) = declared({"Stop": [{"command": "make check"}]}).hooks
    assert (hook.event, hook.command, hook.dialect) == ("Stop", "make check", "devloop")


@pytest.mark.parametrize(
    ("text", "line", "severity", "words"),
    [
        ("", 1, "error", "no JSON"),
        ("{\n\n  'a': 1}", 3, "error", "a key in quotes"),
        ('{"hooks": {\n"Stop": [}', 2, "error", "a value should stand"),
        ("[]", 1, "error", "has to hold an object"),
        ("{}", 1, "warning", "declares no `hooks`"),
        ('{"hooks":\n 3}', 2, "error", "has to be an object by event"),
        ('{"hooks": {\n"Stop": {}}}', 2, "error", "has to be a list"),
        ('{"hooks": {\n"Stopp": []}}', 2, "warning", "did you mean Stop?"),
        ('{"hooks": {\n"Elsewhere": []}}', 2, "warning", "there are: SessionStart"),
        ('{"hooks": {"Stop": [\n3]}}', 2, "error", "an object with `hooks`"),
        ('{"hooks": {"Stop": [\n{}]}}', 2, "error", "`hooks` is missing"),
        ('{"hooks": {"Stop": [{"hooks":\n{}}]}}', 2, "error", "has to be a list of commands"),
        ('{"hooks": {"Stop": [{"hooks": [\n{"type": "command"}]}]}}', 2, "error", "`command` is missing"),
        ('{"hooks": {"Stop": [{"hooks": [{"type":\n"shell", "command": "x"}]}]}}', 2, "error", "has to be `command`"),
        ('{"hooks": {"Stop": [{"matcher":\n"(", "command": "x"}]}}', 2, "error", "no regular expression"),
        ('{"hooks": {"Stop": [{"matcher":\n"(a+)+", "command": "x"}]}}', 2, "error", "repeats a group"),
        ('{"hooks": {"Stop": [{"matcher":\n3, "command": "x"}]}}', 2, "error", "has to be a text"),
        ('{"hooks": {"Stop": [{"timeout":\n"1m", "command": "x"}]}}', 2, "warning", "a number of seconds"),
        ('{"hooks": {"Stop": [{"timeout":\n5000, "command": "x"}]}}', 2, "warning", "600 count at most"),
        ('{"hooks": {"Stop": [{"condition":\n[], "command": "x"}]}}', 2, "error", "`condition` has to be"),
        ('{"hooks": [\n{"script": "x"}]}', 2, "error", "`event` is missing"),
        ('{"hooks": [\n3]}', 2, "error", "`event` and `script`"),
        ('{"hooks": {},\n"hooks": {}}', 2, "warning", "more than once"),
        ('{\n"disableAllHooks": true, "hooks": {"Stop": [{"command": "x"}]}}', 2, "warning", "are not run"),
        ('{"hooks": ' + "[" * 60, 1, "error", "too deeply"),
        (b"\n\xff", 2, "error", "not UTF-8"),
        (b" " * (hook_files.MAX_BYTES + 1), 1, "error", "larger than"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str | bytes, line: int, severity: str, words: str) -> None:
    found = read(text)
    assert any((at, how) == (line, severity) and words in told for at, how, told in said(found)), said(found)


def test_a_way_out_is_offered_where_there_is_one() -> None:
    text = '{"hooks": {\n  "Stopp": [],\n  "pre-commit": []}}'
    found = [
        [(edit.line, edit.start, edit.text) for fix in fault.fixes for edit in fix.edits] for fault in read(text).faults
    ]
    assert found == [[(2, 2, '"Stop"')], [(3, 2, '"PreCommit"')]]


def test_one_fault_does_not_lose_the_rest() -> None:
    found = declared({"Stop": [{"command": ""}, {"command": "a"}], "Nope": [], "PreCommit": [{"command": "b"}]})
    assert [hook.command for hook in found.hooks] == ["a", "b"] and len(found.faults) == 2


def test_there_is_an_end_to_how_many_hooks_a_file_has() -> None:
    found = declared({"Stop": [{"command": f"echo {n}"} for n in range(MAX_HOOKS + 20)]})
    assert len(found.hooks) == MAX_HOOKS and [fault.code for fault in found.faults] == ["hook-many"]


def test_settings_without_hooks_are_no_fault() -> None:
    assert read("{}", ".claude/settings.json") == Declared()


def test_a_hook_keeps_its_id_until_what_it_does_changes() -> None:
    (hook,) = declared({"Stop": [{"command": "a", "timeout": 5}]}).hooks
    (moved,) = read('\n\n{"hooks": {"Stop": [{"command": "a", "timeout": 6}]}}').hooks
    (other,) = declared({"Stop": [{"command": "b"}]}).hooks
    assert hook.id == moved.id != other.id and hook.line != moved.line


def test_the_same_command_runs_once_for_one_event() -> None:
    found = declared({"PreToolUse": [{"matcher": "Bash", "command": "a"}, {"command": "a"}, {"command": "b"}]})
    assert [hook.command for hook in identical(list(found.hooks))] == ["a", "b"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
KEYS = st.sampled_from(
    ["hooks", "type", "command", "script", "event", "matcher", "timeout", "condition", "name", *events.EVENTS]
)
SHAPED = st.recursive(
    JSON | st.sampled_from(["command", "prompt", "Bash", "PreToolUse", "Stop", "(", "x" * 300]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=25,
)


@given(JSON, st.sampled_from([None, 1, 4]))
def test_json_with_lines_says_what_json_says(value: Any, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert json_lines.read(text)[0].plain == json.loads(text)


@given(st.text(alphabet='{}[]",:0123456789.eE+-truefalsn\\u \n', max_size=60))
def test_what_is_no_json_is_none_here_either(text: str) -> None:
    try:
        expected = json.loads(text)
    except ValueError:
        expected = json_lines.Broken
    try:
        found = json_lines.read(text)[0].plain
    except json_lines.Broken as problem:
        assert 1 <= problem.line <= text.count("\n") + 1
        found = json_lines.Broken
    assert found == expected or found is expected


@given(SHAPED)
def test_any_value_is_read_without_an_error(value: Any) -> None:
    found = declared(value)
    assert all(fault.line >= 1 and fault.message for fault in found.faults)
    assert all(hook.event in hooks.EVENTS and hook.command.strip() for hook in found.hooks)
    assert {hook.command for hook in found.hooks} <= set(hook_files.commands(value)), "trust must see all that runs"


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    assert read(data).hooks == () or hook_files.declared(data), "what runs is what trust sees"


@pytest.mark.parametrize(
    ("matcher", "tool", "fits"),
    [
        ("", "ask", True),
        ("*", "read_file", True),
        (".*", "read_file", True),
        ("Bash", "run_command", True),
        ("run_command", "run_command", True),
        ("Edit|Write", "edit_file", True),
        ("Edit|Write", "write_file", True),
        ("Edit|Write", "read_file", False),
        ("Edit | Write", "write_file", True),
        ("MultiEdit", "edit_file", True),
        ("Notebook.*", "edit_file", True),
        ("bash", "run_command", False),
        ("Ba", "run_command", False),
        ("^(Bash|Read)$", "read_file", True),
        ("mcp__.*", "run_command", False),
        ("Grep|Glob", "list_files", True),
        ("AskUserQuestion", "ask", True),
        ("Task", "run_command", False),
        ("[", "run_command", False),
    ],
)
def test_matchers_know_both_names_of_a_tool(matcher: str, tool: str, fits: bool) -> None:
    assert events.matches(matcher, hooks.tool_names(tool)) is fits


@pytest.mark.parametrize(
    ("condition", "fits"),
    [
        ("", True),
        ("git commit", True),
        ("git push", False),
        ("tool_input.command contains 'commit -m'", True),
        ('tool_input.command contains "push"', False),
        ("tool_input.other contains 'git'", False),
        ("tool_input.command == 'git commit -m x'", True),
        ("tool_input contains 'git commit'", True),
        ("$TOOL_INPUT contains 'git commit'", True),
        ("tool_name == 'Bash'", True),
        ("tool_name == 'Edit'", False),
    ],
)
def test_conditions_look_at_the_call(condition: str, fits: bool) -> None:
    assert conditions.readable(condition) is bool(condition)
    assert conditions.holds(condition, "Bash", {"command": "git commit -m x", "timeout": 3}) is fits


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ('"$CLAUDE_PROJECT_DIR"/.claude/hooks/a.sh', [".claude/hooks/a.sh"]),
        ("$CLAUDE_PROJECT_DIR/.claude/hooks/a.sh --fast", [".claude/hooks/a.sh", "--fast"]),
        ("${CLAUDE_PLUGIN_ROOT}/scripts/a.sh", ["scripts/a.sh"]),
        ('bash "${CLAUDE_PROJECT_DIR:-.}/tools/my check.sh"', ["bash", "tools/my check.sh"]),
        ("sh ./hooks/../hooks/a.sh", ["sh", "hooks/a.sh"]),
        ("cd .claude/hooks && ./run.sh", ["cd", ".claude/hooks", "run.sh"]),
        ("/usr/bin/env python3 x.py", ["python3", "x.py"]),
        ("sh ../../outside.sh", ["sh"]),
        ("sh '/project/here.sh'", ["sh", "here.sh"]),
        ("sh 'broken.sh", ["sh", "broken.sh"]),
        ("test -f x;sh y.sh", ["test", "x", "y.sh"]),
    ],
)
def test_what_a_command_names_is_found(command: str, names: list[str]) -> None:
    found = hook_files.named(command, "/project")
    assert [name for name in found if name in names] == [name for name in names if name != "--fast"]
    assert not any(name.startswith(("/", "..")) for name in found)


def test_scripts_beside_each_other_count_as_one() -> None:
    assert hook_files.units([".claude/hooks/a.sh", ".claude/hooks/lib/b.sh", "tools/c.sh", "hooks/hooks/d.sh"]) == (
        ".claude/hooks",
        "hooks",
        "tools/c.sh",
    )
