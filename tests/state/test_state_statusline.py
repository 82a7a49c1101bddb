"""`devloop statusline`: what it says, how it fits, what it may not import, and that it never keeps a prompt waiting."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop import paths
from devloop import plan as plans
from devloop.cli import statusline
from devloop.cli.entry import main
from devloop.daemon import glance
from devloop.state import plan_state
from support.turns import often

PLAN = "# Plan: P\n\n## Phase 1: A\n\n- [x] Task 1.1: one\n- [ ] Task 1.2: two \x1b[31m\u202e\n- [ ] Task 1.3: three\n"
HEAVY = (
    "typer",
    "rich",
    "pydantic",
    "devloop.plan",
    "devloop.daemon",
    "platformdirs",
    "asyncio",
    "pathlib",
    "subprocess",
)
PLAIN = {"NO_COLOR": "1", "COLUMNS": "200"}


@pytest.fixture
def line(project, tmp_path, monkeypatch, capfd):
    """`line("--width", "40", stdin=...)`: the program's entry with a real standard input → the line it printed."""

    def call(*arguments, stdin="", cwd=project, command=("statusline",), **environment):
        with monkeypatch.context() as patch, open(tmp_path / "stdin", "w+", encoding="utf-8", newline="") as given:
            for name, value in {**PLAIN, **environment}.items():
                patch.setenv(name, value)
            patch.chdir(cwd)
            given.write(stdin)
            given.seek(0)
            before = os.dup(0)
            try:
                os.dup2(given.fileno(), 0)
                code = main([*command, *arguments])
            finally:
                os.dup2(before, 0)
                os.close(before)
        found, err = capfd.readouterr()
        assert code == 0 and err == "" and found.count("\n") == 1 and found.endswith("\n"), (code, err, found)
        return found[:-1]

    return call


def write_glance(project, **changes):
    state = paths.StateDir.of(project).make()
    found = glance.keep_plan(str(project), f"{project}/.devloop/plan.md")
    (state.path / glance.PLAN_FILE).unlink()
    value = {"version": 1, "pid": os.getpid(), "plan": found, "runs": [], **changes}
    (state.path / glance.FILE).write_text(json.dumps(value))
    return found


def test_it_says_how_far_the_plan_is_and_what_is_next(line, put):
    put(".devloop/plan.md", PLAN)
    assert line() == "devloop 1/3 33% · → 1.2 two"
    assert line(command=("status", "--line")) == "devloop 1/3 33% · → 1.2 two"


def test_without_a_plan_it_says_so(line):
    assert line() == "devloop: no plan"


def test_what_was_read_once_is_not_read_again_until_the_plan_changes(project, line, put):
    put(".devloop/plan.md", PLAN)
    line()
    kept = paths.StateDir.of(project).path / glance.PLAN_FILE
    value = json.loads(kept.read_text())
    kept.write_text(json.dumps({**value, "done": 2, "percentage": 66}))
    assert line().startswith("devloop 2/3 66%"), "the kept file counts"
    put(".devloop/plan.md", PLAN.replace("[ ]", "[x]"))
    assert line() == "devloop 3/3 100% · ✓ all done"


def test_plan_state_is_used_when_it_fits_the_plan(project, line, put):
    put(".devloop/plan.md", PLAN)
    plan_state.write(project, plans.parse(PLAN.encode()), ".devloop/plan.md", datetime.now(UTC))
    assert line().startswith("devloop 1/3 33% · → 1.2 two")
    assert not (paths.StateDir.of(project).path / glance.PLAN_FILE).exists(), "nothing had to be read"


def test_runs_of_a_daemon_that_lives_are_shown_and_of_a_dead_one_not(project, line, put):
    put(".devloop/plan.md", PLAN)
    runs = [
        {"id": "r1", "task": "1.2", "doing": "edits a.py", "needs_person": False, "cost_usd": 0.1},
        {"id": "r2", "task": "1.3", "doing": "", "needs_person": True, "cost_usd": 0.32},
    ]
    write_glance(project, runs=runs)
    assert line() == "devloop 1/3 33% · ⏸ 1.3 waits for you · ▶ 1.2 edits a.py · $0.42"
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    ended.wait()
    write_glance(project, runs=runs, pid=ended.pid)
    assert line() == "devloop 1/3 33% · → 1.2 two"


def test_an_open_buffer_is_the_plan_while_the_daemon_lives(project, line, put):
    put(".devloop/plan.md", PLAN)
    found = write_glance(project)
    write_glance(project, plan={**found, "sha256": "0" * 64, "open": True, "done": 3, "percentage": 100, "next": None})
    assert line() == "devloop 3/3 100% · ✓ all done"


def test_a_hand_off_that_waits_is_shown(line, put):
    put(".devloop/plan.md", PLAN)
    put(".devloop/next-action.json", "{}")
    assert "↻ hand-off" in line()


def test_what_an_editor_pipes_in_is_shown_and_names_the_project(project, line, put, tmp_path):
    put(".devloop/plan.md", PLAN)
    session = {
        "model": {"id": "x", "display_name": "Model\x1b[31m X"},
        "workspace": {"current_dir": "/nowhere", "project_dir": str(project)},
        "cost": {"total_cost_usd": 1.234},
        "context_window": {"used_percentage": 81.4},
    }
    found = line(stdin=json.dumps(session), cwd=tmp_path)
    assert found == "devloop 1/3 33% · → 1.2 two · ctx 81% · Model [31m X · session $1.23"


@pytest.mark.parametrize(
    "stdin", ["", "nonsense", "[]", '{"workspace": 7, "model": [], "cwd": "\\u0000"}', "[" * 9_999]
)
def test_any_input_gives_a_line(line, put, stdin):
    put(".devloop/plan.md", PLAN)
    assert line(stdin=stdin) == "devloop 1/3 33% · → 1.2 two"


def test_a_pipe_that_stays_open_and_silent_does_not_stop_it(project, put):
    put(".devloop/plan.md", PLAN)
    reader, writer = os.pipe()
    try:
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "devloop.cli.entry", "statusline"],
            cwd=project,
            stdin=reader,
            capture_output=True,
            timeout=20,
            env={**os.environ, **PLAIN},
        )
        assert done.returncode == 0 and done.stdout.startswith(b"devloop 1/3")
        assert time.monotonic() - begin < 15
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize(
    "text", ["", "{", '{"plan": 7, "pid": "x", "runs": 7}', '{"pid": 99999999999999999999, "runs": [1]}']
)
def test_a_damaged_glance_disturbs_nothing(project, line, put, text):
    put(".devloop/plan.md", PLAN)
    state = paths.StateDir.of(project).make()
    (state.path / glance.FILE).write_text(text)
    (state.path / glance.PLAN_FILE).write_text(text)
    put(".devloop/plan-state.json", text)
    assert line() == "devloop 1/3 33% · → 1.2 two"


def test_a_plan_that_is_binary_rubbish_gives_a_line(line, put):
    put(".devloop/plan.md", bytes(range(256)) * 10)
    assert line().startswith("devloop 0/0")


def test_colours_are_for_who_wants_them(line, put):
    put(".devloop/plan.md", PLAN)
    assert "\x1b[" in line(NO_COLOR="", TERM="xterm") and "\x1b[" not in line(NO_COLOR="", TERM="dumb")
    assert "\x1b[" in line("--color", "always") and "\x1b[" not in line("--color=never", NO_COLOR="", TERM="xterm")


def test_another_plan_that_is_named_counts(line, put, tmp_path):
    other = put("notes/other.md", "- [x] Task 1.1: a\n")
    put(".devloop/plan.md", PLAN)
    assert line(DEVLOOP_PLAN_PATH=str(other)).startswith("devloop 1/1 100%")


WORDS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=30)
SEGMENTS = st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["bold", "dim"]), WORDS), min_size=1, max_size=6)


@settings(max_examples=often(150), deadline=None)
@given(SEGMENTS, st.integers(1, 120), st.booleans())
def test_a_line_is_never_wider_than_it_may_be(parts, width, coloured):
    text = re.sub(r"\x1b\[[0-9]+m", "", statusline.fitted(parts, width, coloured))
    assert statusline.cells(text) <= width
    if sum(statusline.cells(each) for _, _, each in parts) + 3 * (len(parts) - 1) <= width:
        assert text == " · ".join(each for _, _, each in parts), "nothing is left out that has room"
    elif len(parts) > 1 and " · " not in "".join(each for _, _, each in parts):
        best = max(part[0] for part in parts)
        kept = [part for part in parts if part[2] in text.split(" · ")]
        assert not kept or any(part[0] == best for part in kept), "the most important stays"


@pytest.mark.parametrize("name", ["p", "with space", "ünï", "a" * 60, "...", "x--y__z", "-.-", "日本"])
@pytest.mark.parametrize("how", ["own", "xdg", "home"])
def test_it_finds_the_same_state_directory_as_everybody_else(tmp_path, monkeypatch, name, how):
    monkeypatch.delenv("DEVLOOP_STATE_DIR", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if how != "home":
        monkeypatch.setenv("DEVLOOP_STATE_DIR" if how == "own" else "XDG_STATE_HOME", str(tmp_path / "s"))
    root = tmp_path / name / "in"
    root.mkdir(parents=True)
    for folder in (root, root.parent):
        assert statusline.state_folder(str(folder)) == str(paths.StateDir.of(folder).path)
        assert statusline._root(str(folder)) == str(paths.find_root(folder))


def test_the_places_of_a_plan_are_those_of_the_plan_package():
    assert statusline.PLAN_FILES == plans.PLAN_FILES


def test_nothing_heavy_is_imported(project, put):
    put(".devloop/plan.md", PLAN)
    write_glance(project)
    code = (
        "import sys; sys.argv = ['devloop', 'statusline']\n"
        "from devloop.cli.entry import main; main()\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )
    # -S -E: what the environment's own start-up files import is not ours
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", f"import sys; sys.path.insert(0, {str(project_source())!r})\n{code}"],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env={**os.environ, **PLAIN},
    )
    assert done.stdout == "devloop 1/3 33% · → 1.2 two\n" and done.stderr.strip() == "[]", done.stderr


def project_source():
    from pathlib import Path

    import devloop

    return Path(devloop.__file__).parents[1]


def test_help_and_wrong_options_go_to_the_full_parser():
    assert statusline.options(["--help"]) is None and statusline.options(["--width", "x"]) is None
    assert statusline.options(["--color", "pink"]) is None and statusline.options(["--width"]) is None
    assert statusline.options(["--root=.", "--width", "80"]) == {"--root": ".", "--width": "80"}
