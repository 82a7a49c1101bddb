"""`devloop config`: what counts, who said so, what is wrong, as people and programs read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LOCAL = "---\nfresh_threshold: 20\nbudget:\n  run_usd: 900\nloop:\n  max_paralel: 2\ntesting:\n  command: pytest\n---\n"


@pytest.fixture
def files(project):
    config = Path(os.environ["DEVLOOP_CONFIG_DIR"])
    config.mkdir()
    (config / "config.toml").write_text('database_url = "postgresql://u:secret@h/d"\n[budget]\nrun_usd = 3\n')
    (project / ".devloop" / "config.toml").write_text("[budget]\nrun_usd = 2\n")
    (project / ".devloop" / "local.md").write_text(LOCAL)
    return config


def test_what_was_set_is_shown_with_its_place_and_secrets_are_not(devloop, files):
    told = devloop("config", "show").out
    assert "checkpoints.fresh_threshold = 20  .devloop/local.md:2" in told
    assert "budget.run_usd = 2" in told and ".devloop/config.toml:2" in told and "budget.turns" not in told
    assert "testing.command = pytest" in told and "read, not used" in told
    assert "budget.turns = 60" in devloop("config", "show", "--all").out
    for arguments in (["show"], ["show", "--json"], ["explain", "database_url"]):
        got = devloop("config", *arguments)
        assert "secret" not in got.out and "(set)" in got.out


def test_explaining_names_the_winner_the_losers_and_why(devloop, files):
    got = devloop("config", "explain", "budget.run-usd", "--json").json
    (row,) = got["settings"]
    assert row["value"] == 2 and row["default"] == 5 and row["meaning"] and row["unused"] == ""
    assert row["source"] == {"kind": "team", "path": ".devloop/config.toml", "line": 2}
    assert [(each["kind"], each["line"], each["value"]) for each in row["others"]] == [
        ("personal", 4, 900),
        ("user", 3, 3),
    ]
    assert "wider than your own 3" in row["others"][0]["why"] and "counts before" in row["others"][1]["why"]
    assert row["who"] == "Files of the repository may only lower it."
    text = devloop("config", "explain", "budget.run_usd").out
    assert "from .devloop/config.toml:2" in text and "lost: 900 is wider" in text and "What counts first" in text


def test_how_honest_gates_are_kept_can_be_explained(devloop, files):
    """`guard` and `from` stand beside the gates of a file and are settings of their own."""
    files.joinpath("config.toml").write_text('[gates]\nguard = "block"\n\n[gates.unit]\ncommand = ["true"]\n')
    (row,) = devloop("config", "explain", "gates.guard", "--json").json["settings"]
    assert (row["key"], row["value"], row["default"], row["source"]["line"]) == ("gates.guard", "block", "show", 2)
    assert "block (it fails)" in row["meaning"] and row["unused"] == ""
    (row,) = devloop("config", "explain", "gates.from", "--json").json["settings"]
    assert (row["key"], row["value"], row["default"]) == ("gates.from", "work", "work") and "of its base" in row[
        "meaning"
    ]
    text = devloop("config", "explain", "gates.guard").out
    assert "block" in text and "config.toml:2" in text


def test_a_section_and_a_name_of_an_older_file_can_be_explained(devloop, files):
    assert {each["key"] for each in devloop("config", "explain", "budget", "--json").json["settings"]} >= {
        "budget.run_usd",
        "budget.wall",
    }
    (row,) = devloop("config", "explain", "workflow.branch_pattern", "--json").json["settings"]
    assert row["key"] == "git.branch_pattern"
    (row,) = devloop("config", "explain", "agents.code-reviewer.model", "--json").json["settings"]
    assert row["value"] is None and row["source"] is None


def test_a_name_that_nobody_knows_gets_the_near_one(devloop, files):
    got = devloop("config", "explain", "budget.run_us")
    assert got.code == 2 and "Did you mean budget.run" in got.err


def test_checking_lists_problems_with_file_and_line(devloop, files, project):
    got = devloop("config", "check", "--json")
    places = [(each["path"], each["line"], each["code"]) for each in got.json["problems"]]
    assert got.code == 1
    assert places == [(".devloop/local.md", 4, "setting-too-wide"), (".devloop/local.md", 6, "unknown-setting")]
    text = devloop("config", "check")
    assert text.code == 1 and ".devloop/local.md:6: warning" in text.out and "did you mean" in text.out
    (project / ".devloop" / "local.md").unlink()
    assert devloop("config", "check").code == 0


def test_the_files_are_named(devloop, files, project):
    rows = devloop("config", "path", "--json").json["files"]
    assert [(each["kind"], each["exists"]) for each in rows] == [("user", True), ("team", True), ("personal", True)]
    assert rows[0]["path"] == str(files / "config.toml") and rows[1]["path"] == str(project / ".devloop/config.toml")


@pytest.mark.parametrize("command", ["show", "explain", "check", "path"])
def test_help_has_examples(devloop, command):
    got = devloop("config", command, "--help")
    assert got.code == 0 and f"devloop config {command}" in got.out


def test_the_prompt_for_a_key_says_for_which_service_it_is(terminal, project):
    person = terminal("login", "--base-url", "https://models.example.org")
    shown = person.until("(nothing is shown while you type)")
    assert "Key for https://models.example.org" in shown
    person.interrupt("interrupted\r\n")
    assert person.end() == 130 and "Traceback" not in person.seen
