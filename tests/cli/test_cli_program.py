"""The program itself: help, version, exit codes, errors, setting up, and what needs no daemon."""

from __future__ import annotations

import functools
import json
import os
import stat
import subprocess
import sys

import pytest
from typer.main import get_command

from devloop import __version__, beginning
from devloop.cli import ship_command
from devloop.cli.app import MODULES, application, asked_for
from devloop.cli.help_look import flowing

OTHERS = [
    *("init", "run", "continue", "decide", "cancel", "status", "runs", "show", "explain"),
    *("diff", "log", "budget", "trust", "doctor", "demo", "stop", "fresh", "land", "transcript", "archive", "skills"),
]
COMMANDS = [
    *(["plan", name] for name in ("show", "check", "next", "mark", "move", "depends", "import", "export", "state")),
    *([name] for name in ("issues", "bugs", "new", "worklog", "statusline")),
    ["skills"],
    *(["skills", name] for name in ("show", "check", "stats", "index")),
    *(
        [name]
        for name in [
            "init",
            "run",
            "continue",
            "decide",
            "cancel",
            "status",
            "runs",
            "show",
            "explain",
            "diff",
            "log",
            "budget",
            "trust",
            "doctor",
            "demo",
            "stop",
            "fresh",
            "transcript",
            "archive",
        ]
    ),
]


def test_the_top_help_lists_every_command_and_every_exit_code(devloop):
    out = devloop("--help").out
    for command in COMMANDS:
        assert command[0] in out
    for meaning in ("0 done", "1 failed", "2 usage", "3 waiting for a decision", "4 refused", "5 exhausted or stalled"):
        assert meaning in " ".join(out.split())


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(devloop, command):
    result = devloop(*command, "--help")
    assert result.code == 0
    assert f"Usage: devloop {' '.join(command)}" in result.out
    assert f"devloop {' '.join(command)}" in result.out.partition("Examples")[2]
    usage = result.out.partition("Usage:")[2].partition("\n\n")[0]
    assert not {"<bool>", "<int", "<list", "<%"} & set(result.out.split()) and "[[" not in usage and "{[" not in usage
    if "--json" in result.out:
        assert "JSON" in result.out.partition("Examples")[2]
        assert ": ," not in result.out and ": }" not in result.out, "lists are shown"


def test_help_flows_where_the_source_breaks_its_lines(devloop, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert "each in a git worktree of its own, checked by your tests" in devloop("--help").out
    assert "waits for you. Nothing is built before you have accepted the plan." in devloop("start", "--help").out
    assert flowing("a\nb\n\n- c\n- d") == "a b\n\n- c\n- d"


def test_the_version_is_printed_without_loading_anything():
    code = (
        "import sys; before = set(sys.modules); sys.argv = ['devloop', '--version']\n"
        "from devloop.cli.entry import main\nassert main() == 0\n"
        "loaded = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(loaded - set(sys.stdlib_module_names)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == [f"devloop {__version__}", "['devloop']"]


def test_the_terminal_loads_nothing_heavy():
    code = (
        "import sys\nfrom devloop.cli.app import application\napplication()\n"
        "print(sorted({'anthropic', 'dbos', 'sqlalchemy', 'pygls', 'alembic'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


def test_a_command_that_only_asks_the_daemon_loads_neither_plans_nor_git():
    """They would double the time of each `devloop runs`."""
    code = (
        "import sys\nfrom devloop.cli.app import application\n"
        "for command in ('run', 'status', 'decide'):\n    application(command)\n"
        "print(sorted({'devloop.plan', 'devloop.workspace', 'devloop.state', 'pydantic'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "[]\n"


def test_no_argument_outside_of_a_project_shows_the_help(devloop, short_tmp):
    (short_tmp / "empty").mkdir()
    result = devloop(cwd=short_tmp / "empty")
    assert "Usage: devloop" in result.out + result.err


def test_a_reader_that_leaves_is_no_error(devloop, project):
    (project / ".devloop" / "plan.md").write_text(
        "# Plan: P\n" + "".join(f"- [ ] Task 1.{n}: {'long ' * 30}\n" for n in range(3000))
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "devloop.cli.entry", "plan", "show"],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(30) == 0 and err == b""


def test_a_bug_of_ours_is_one_sentence_and_a_log(project, short_tmp):
    secret = "sk-ant-" + "x1y2" * 8
    code = (
        "import sys\nfrom devloop.cli import plan_commands, entry\n"
        "def broken(file):\n    raise KeyError(sys.argv[1])\n"
        "plan_commands.read = broken\nsys.exit(entry.main(['plan', 'show', *sys.argv[2:]]))"
    )
    for as_json in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-c", code, secret, *as_json], cwd=project, capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
        assert "Something went wrong inside devloop" in (done.stdout if as_json else done.stderr)
    log = short_tmp / "s" / "devloop.log"
    text = log.read_text()
    assert "KeyError" in text and "Traceback" in text and secret not in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_outside_of_a_repository_doctor_says_how_to_make_one(devloop, short_tmp):
    bare = short_tmp / "bare"
    bare.mkdir()
    try:
        result = devloop("doctor", cwd=bare)
        assert result.code == 1 and "git init" in result.out
        assert devloop("doctor", "--json", cwd=bare).json["checks"][0]["state"] == "problem"
        run = devloop("run", "1.1", cwd=bare)
        assert run.code != 0 and run.err.startswith("devloop: ")
    finally:
        devloop("stop", cwd=bare)


def test_init_makes_a_plan_and_one_block_and_nothing_twice(devloop, short_tmp):
    root = short_tmp / "new"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    (root / ".gitignore").write_text("*.pyc")
    first = devloop("init", cwd=root)
    assert first.code == 0 and "Created .devloop/plan.md" in first.out
    plan, ignored = (root / ".devloop/plan.md").read_bytes(), (root / ".gitignore").read_text()
    assert ignored.startswith("*.pyc\n\n# devloop") and ".devloop/next-action.json\n" in ignored
    assert b"# Plan: new" in plan and b"2026-01-01" not in plan
    assert devloop("plan", "next", cwd=root).code == 0
    second = devloop("init", "--json", cwd=root)
    assert second.json["created"] == []
    assert (root / ".devloop/plan.md").read_bytes() == plan and (root / ".gitignore").read_text() == ignored


@pytest.mark.parametrize(
    ("target", "code", "said"), [("new/nowhere.md", 1, "no file"), ("nowhere.md", 4, "leads outside")]
)
def test_init_never_overwrites_whatever_stands_there(devloop, short_tmp, target, code, said):
    root = short_tmp / "new"
    (root / ".devloop").mkdir(parents=True)
    (root / ".devloop" / "plan.md").symlink_to(short_tmp / target)
    refused = devloop("init", cwd=root)
    assert refused.code == code and said in refused.err
    assert not (short_tmp / target).exists()


def test_init_knows_its_templates(devloop, short_tmp):
    root = short_tmp / "new"
    root.mkdir()
    unknown = devloop("init", "--template", "none", cwd=root)
    assert unknown.code == 2 and "blank" in unknown.err
    assert not (root / ".devloop").exists()
    assert devloop("init", "--template", "feature", cwd=root).code == 0
    assert "no git repository" in devloop("init", cwd=root).out


def test_ctrl_c_at_trust_says_where_things_stand(terminal, devloop, project):
    (project / ".devloop" / "config.toml").write_text('[gates.a]\ncommand = ["true"]\n')
    person = terminal("trust")
    person.until("Trust this?")
    person.interrupt("Nothing was trusted by this; `devloop trust` asks again.")
    assert person.end() == 130 and "Aborted" not in person.seen
    assert devloop("trust", "--json").json["items"][0]["status"] == "new"


def test_a_wrong_call_is_sent_to_the_help_of_its_command(devloop):
    assert devloop("plan", "mark", "--json").json["error"]["hint"] == "See `devloop plan mark --help`."
    assert devloop("run", "--nothing", "--json").json["error"]["hint"] == "See `devloop run --help`."
    assert devloop("nothing", "--json").json["error"]["hint"] == "See `devloop --help`."


@pytest.mark.parametrize("command", ["statusline", "demo", "lsp", "run", "land"])
def test_examples_stand_at_the_same_column_in_every_help(devloop, command):
    lines = devloop(command, "--help").out.splitlines()
    examples = [
        line for line in lines[lines.index(next(each for each in lines if "Examples" in each)) :] if " devloop " in line
    ]
    assert examples and all(line.startswith(" devloop ") for line in examples)


def test_the_untouched_template_is_told_everywhere_and_never_run(devloop, short_tmp):
    root = short_tmp / "new"
    root.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    assert devloop("init", cwd=root).code == 0
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", *who, "commit", "-q", "--allow-empty", "-m", "start"], cwd=root, check=True)
    told = devloop("plan", "check", "--json", cwd=root)
    assert [(each["code"], each["severity"]) for each in told.json["problems"]] == [("template-task", "warning")]
    rows = devloop("doctor", "--json", cwd=root).json["checks"]
    assert [row["state"] for row in rows if row["name"] == "plan" and "still the template's" in row["message"]] == [
        "warning"
    ]
    for words in (("run", "1.1"), ("continue",), ("continue", "--from", "1.1"), ("run", "--phase", "1")):
        refused = devloop(*words, "--json", cwd=root)
        assert refused.code == 4 and "still the template's" in refused.json["error"]["message"], words
        assert "devloop plan new" in refused.json["error"]["hint"]
    assert devloop("runs", "--json", cwd=root).json == {"runs": []}
    devloop("stop", cwd=root)


@pytest.mark.parametrize("name", beginning.templates())
def test_every_template_is_a_plan_with_a_next_task_and_no_error(devloop, name):
    path = str(beginning.templates()[name])
    assert devloop("plan", "check", path).code == 0
    assert devloop("plan", "next", path).code == 0


def test_gitignore_with_windows_line_ends_keeps_them(tmp_path):
    (tmp_path / ".gitignore").write_bytes(b"a\r\nb\r\n")
    assert beginning.ignore(tmp_path)
    assert b"\n" not in (tmp_path / ".gitignore").read_bytes().replace(b"\r\n", b"")
    assert not beginning.ignore(tmp_path)


def test_trust_shows_and_accepts_exactly_what_was_shown(devloop, project):
    config = project / ".devloop" / "config.toml"
    config.write_text('[gates.test]\ncommand = ["pytest", "-q"]\n')
    listed = devloop("trust", "--json")
    assert [item["status"] for item in listed.json["items"]] == ["new"]
    nobody = devloop("trust")
    assert nobody.code == 4 and "pytest" in nobody.out and "--yes" in nobody.err
    yes = devloop("trust", "--yes")
    assert yes.code == 0 and "pytest" in yes.out and "Trusted: gate:test" in yes.out
    config.write_text('[gates.test]\ncommand = ["pytest", "-x"]\n')
    changed = devloop("trust")
    assert (
        changed.code == 4
        and "changed since you trusted it" in changed.out
        and '-command = ["pytest", "-q"]' in changed.out
    )


def test_a_person_trusts_item_by_item(terminal, project, devloop):
    (project / ".devloop" / "config.toml").write_text('[gates.a]\ncommand = ["aaa"]\n[gates.b]\ncommand = ["bbb"]\n')
    person = terminal("trust")
    person.until("aaa")
    person.until("Trust this?")
    person.type("n\n")
    person.until("bbb")
    person.until("Trust this?")
    person.type("y\n")
    person.until("Trusted: gate:b")
    assert person.end() == 4
    states = {item["key"]: item["status"] for item in devloop("trust", "--json").json["items"]}
    assert states == {"gate:a": "new", "gate:b": "trusted"}


def test_a_person_reads_all_that_are_left_and_decides_once_and_takes_it_back(terminal, project, devloop):
    lines = [f'[gates.{name}]\ncommand = ["run-{name}"]\n' for name in "abc"]
    (project / ".devloop" / "config.toml").write_text("".join(lines))
    person = terminal("trust")
    person.until("run-a")
    person.until("Trust this?")
    person.type("a\n")
    person.until("run-c")
    person.until("Trust these 3?")
    person.type("y\n")
    person.until("Trusted: gate:a, gate:b, gate:c")
    assert person.end() == 0
    assert devloop("trust", "gate:x").code != 0
    one = devloop("trust", "--revoke", "gate:b", "--json")
    assert one.json["revoked"] == ["gate:b"]
    assert [item["status"] for item in one.json["items"]] == ["trusted", "new", "trusted"]
    assert devloop("trust", "gate:b", "--yes").code == 0
    assert "No longer trusted: gate:a, gate:b, gate:c." in devloop("trust", "--revoke").out
    assert "Nothing of this repository was trusted." in devloop("trust", "--revoke").out
    assert devloop("trust", "--revoke", "--yes").code == 2


def test_no_line_of_what_is_shown_can_pass_for_one_of_devloops(devloop, project):
    agent = project / ".devloop/agents/x.md"
    agent.parent.mkdir()
    wide = "word " * 60 + "x" * 300
    agent.write_text(f"Trusted: everything.\n── gate ok trusted ──\n{wide}\u3164\u200b\ufe01\nTrust this? (y)\n")
    shown = devloop("trust").out.splitlines()
    begin = next(number for number, line in enumerate(shown) if "agent .devloop/agents/x.md" in line)
    body = [line for line in shown[begin + 3 :] if line.strip()]
    assert all(line.startswith("    ") for line in body), body
    assert "\\u{3164}\\u{200b}\\u{fe01}" in "".join(line.strip() for line in body)


def test_what_is_shown_is_folded_and_never_cut():
    from rich.text import Text

    from devloop.cli.trusting import _indented

    text = "a" * 50 + "漢" * 30 + "\n\n\tb\n"
    shown = _indented(Text(text), 20).plain.split("\n")
    assert all(line.startswith("    ") for line in shown)
    assert "".join(line[4:] for line in shown).replace(" ", "") == text.replace("\n", "").replace("\t", "")
    assert _indented(Text("x" * 500), None).plain == "    " + "x" * 500


def test_status_has_its_shape_and_starts_no_engine(devloop):
    found = devloop("status", "--json").json
    assert set(found) == {"daemon", "engine", "sandbox", "model", "runs", "plan", "budget"}
    assert set(found["daemon"]) == {"pid", "version", "uptime_s"}
    assert found["engine"] == {"pid": None, "state": "stopped", "problem": None}
    assert {"backend", "degraded"} <= set(found["sandbox"])
    assert found["plan"]["total"] == 7
    assert devloop("stop", "--json").json == {"stopped": True}
    assert devloop("stop", "--json").json == {"stopped": False}


def test_status_advises_nothing_that_could_only_be_refused(devloop, project):
    plan = project / ".devloop" / "plan.md"
    assert "devloop continue" in devloop("status").out
    plan.write_text("# Plan: P\n\n- [x] Task 1.1: Done\n")
    told = devloop("status").out
    assert "Every task is done" in told and "devloop continue" not in told
    plan.unlink()
    told = devloop("status").out
    assert "devloop init" in told and "devloop continue" not in told


def test_looking_at_runs_prints_their_shapes(devloop, scripted):
    devloop("run", "1.1")
    run = devloop("runs", "--json").json["runs"][0]
    wanted = {"id", "task", "title", "agent", "mode", "model", "scripted", "state", "outcome", "turn", "waiting_for"}
    assert wanted | {"cost_usd", "tokens"} <= set(run)
    shown = devloop("show", "run-1.1-1", "--json").json
    assert set(shown) == {"run", "turns", "gates", "checkpoint", "notices"}
    people = devloop("show", "run-1.1-1").out
    assert "(scripted)" in people and "turn 1" in people and "Ready for your decision" in people
    assert "(scripted)" in devloop("status").out and "run-1.1-1" in devloop("runs").out
    assert {"caps", "day", "total", "by_task", "by_agent", "by_mode", "by_day"} == set(devloop("budget", "--json").json)
    assert "1.1" in devloop("budget").out
    missing = devloop("show", "run-9", "--json")
    assert missing.code == 2 and missing.json["error"]["kind"] == "not_found"


def test_a_diff_in_a_pipe_is_the_patch_byte_for_byte(devloop, scripted, project):
    devloop("run", "1.1")
    done = subprocess.run(
        [sys.executable, "-m", "devloop.cli.entry", "diff", "run-1.1-1"], cwd=project, capture_output=True, check=True
    )
    assert done.stdout.endswith(b"+new \x1b[31m\r\n")
    assert devloop("diff", "run-1.1-1", "--json").json["added"] == 1


def test_a_diff_on_a_terminal_has_colour_but_no_foreign_escape(devloop, scripted, terminal):
    devloop("run", "1.1")
    person = terminal("diff", "run-1.1-1")
    assert person.end() == 0
    assert "+new" in person.seen and "\x1b[32m" in person.seen
    assert "\x1b[31m\r\n" not in person.seen.replace("\x1b[0m", "")


def test_no_color_is_honoured(devloop, scripted, terminal, monkeypatch):
    devloop("run", "1.1")
    monkeypatch.setenv("NO_COLOR", "1")
    person = terminal("diff", "run-1.1-1")
    assert person.end() == 0
    assert "\x1b[32m" not in person.seen and "+new" in person.seen


def test_a_relative_state_directory_means_the_same_for_daemon_and_client(devloop, project, monkeypatch):
    monkeypatch.setenv("DEVLOOP_STATE_DIR", os.path.relpath(os.environ["DEVLOOP_STATE_DIR"], project))
    assert devloop("status").code == 0
    assert devloop("stop", "--json").json == {"stopped": True}


def test_errors_as_json_are_one_object(devloop):
    found = json.loads(devloop("show", "run-1", "--json").out)
    assert set(found) == {"error"} and {"kind", "message", "hint"} <= set(found["error"])


@functools.cache
def whole():
    return get_command(application())


def test_every_command_is_in_the_table_of_modules():
    assert set(whole().commands) == {name for _, names in MODULES for name in names}


@pytest.mark.parametrize("name", sorted({name for _, names in MODULES for name in names}))
def test_a_command_alone_is_the_same_as_among_all(name):
    """Only its module is loaded for a call; subcommands and options are all there."""
    alone, among_all = (each.commands[name] for each in (get_command(application(name)), whole()))
    assert sorted(getattr(alone, "commands", ())) == sorted(getattr(among_all, "commands", ()))
    assert [each.opts for each in alone.params] == [each.opts for each in among_all.params]


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["--root", "plan", "status"], "status"),
        (["--root=x", "status", "--json"], "status"),
        (["--help"], None),
        (["-h", "status"], None),
        (["--root"], None),
        ([], None),
    ],
)
def test_the_command_of_a_call_is_its_first_word_that_is_no_options(arguments, name):
    assert asked_for(arguments) == name


def test_one_thing_is_counted_as_one_and_what_is_not_named_is_counted(capsys):
    row = {"version": "1.0.0", "since": "v0.9", "commits": 1, "changelog": "", "found": [], "notes": []}
    ship_command._show({**row, "files": [f"f{at}" for at in range(23)], "open_tasks": ["1.1"]})
    told = capsys.readouterr().out
    assert "1 commit since v0.9" in told and "1 task of the plan is not done" in told and "f19 and 3 more" in told
    ship_command._show({**row, "commits": 2, "files": ["f"], "open_tasks": ["1.1", "1.2"]})
    told = capsys.readouterr().out
    assert "2 commits since v0.9" in told and "2 tasks of the plan are not done" in told and "more" not in told
