"""`devloop skills` in a terminal: list, show, check, stats, index."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devloop import trust
from devloop.cli.entry import main
from devloop.paths import StateDir
from devloop.skills import shipped_skills


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def devloop(root: Path, capfd, monkeypatch) -> Iterator[Callable[..., Result]]:
    monkeypatch.setenv("COLUMNS", "200")
    (root / ".devloop").mkdir()
    (root / ".devloop/plan.md").write_text(
        "## Phase 1: A\n\n- [ ] Task 1.1: Add an endpoint\n  - Skills: go-patterns\n- [ ] Task 1.2: Do it\n"
    )
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    used = False

    def call(*arguments: str) -> Result:
        nonlocal used
        used = True
        code = main(["--root", str(root), *arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    yield call
    if used:
        main(["--root", str(root), "stop", "--force"])
        capfd.readouterr()


def test_all_skills_are_listed_with_where_they_come_from_and_what_is_wrong(devloop, root, write):
    write(root / ".devloop/skills", "api-design")
    write(root / ".claude/skills", "own-way").write_text("nothing")
    found = devloop("skills", "--json").json
    rows = {(row["name"], row["source"]): row for row in found["skills"]}
    assert len(rows) == len(shipped_skills().active) + 1
    assert rows["api-design", "shipped"]["state"] == "active"
    assert rows["api-design", ".devloop/skills"]["state"] == "untrusted"
    assert "would override it once trusted" in rows["api-design", "shipped"]["note"]
    assert [(each["path"], each["line"]) for each in found["problems"]] == [(".claude/skills/own-way/SKILL.md", 1)]
    plain = devloop("skills")
    assert plain.code == 0 and "untrusted" in plain.out and "devloop trust" in plain.out
    assert ".claude/skills/own-way/SKILL.md:1: error" in plain.err


def test_a_task_shows_only_what_its_run_would_be_offered_and_why(devloop):
    found = devloop("skills", "--task", "1.1", "--json").json["skills"]
    assert {row["name"]: row["why"] for row in found} == {
        "api-design": "the title says “endpoint”",
        "go-patterns": "the task names it",
    }
    assert "the title says “endpoint”" in devloop("skills", "--task", "1.1").out
    assert "No skill fits this task." in devloop("skills", "--task", "1.2").out
    wrong = devloop("skills", "--task", "9.9")
    assert wrong.code == 2 and "9.9" in wrong.err


def test_show_prints_the_text_and_its_files_without_what_a_terminal_would_act_on(devloop, root, write):
    write(
        root / ".devloop/skills", "own-way", body="[bold]Text\x1b[31m\n\u202e", files={"references/deep.md": "Deep\n"}
    )
    shown = devloop("skills", "show", "own-way")
    assert shown.code == 0 and "[bold]Text" in shown.out and "not trusted yet" in shown.out
    assert "\x1b[31m" not in shown.out and "\u202e" not in shown.out
    assert devloop("skills", "show", "own-way", "references/deep.md").out.endswith("\nDeep\n\n")
    data = devloop("skills", "show", "own-way", "--json").json
    assert data["references"] == ["references/deep.md"] and "# Skill: own-way" in data["text"]
    for arguments in (("no-way",), ("own-way", "references/none.md")):
        wrong = devloop("skills", "show", *arguments)
        assert wrong.code == 2 and "There" in wrong.err


def test_check_tells_problems_with_file_and_line_and_fails_on_errors_alone(devloop, root, write):
    assert devloop("skills", "check").out == "Fine.\n"
    path = write(root / ".devloop/skills", "own-way", body="[a](references/none.md)")
    failed = devloop("skills", "check")
    assert failed.code == 1
    assert f"{path}:10: error there is no file references/none.md (dead-link)" in failed.out
    path.write_text(path.read_text().replace("[a](references/none.md)", "a").replace("when_not: anything else\n", ""))
    warned = devloop("skills", "check", str(path))
    assert warned.code == 0 and "warning" in warned.out and "no-when-not" in warned.out
    data = devloop("skills", "check", str(path.parent.parent), "--json").json["problems"]
    assert [(each["code"], each["line"]) for each in data] == [("no-when-not", 3)]
    missing = devloop("skills", "check", str(root / "nowhere"))
    assert missing.code == 2 and "There is no" in missing.err


def test_stats_say_what_was_never_loaded_before_any_run(devloop):
    found = devloop("skills", "stats", "--json").json
    assert found["skills"] == [] and "api-design" in found["unused"]
    assert "No run was offered a skill yet." in devloop("skills", "stats").out


def test_the_index_is_printed_or_written_once(devloop, tmp_path, write):
    write(tmp_path / "mine", "own-way", description="Own | way. Use when.")
    printed = devloop("skills", "index", str(tmp_path / "mine")).out
    assert "| [own-way](own-way/SKILL.md) | Own \\| way. Use when. | anything else | widget |" in printed
    assert "written" in devloop("skills", "index", str(tmp_path / "mine"), "--write").out
    assert (tmp_path / "mine/INDEX.md").read_text() == printed
    assert devloop("skills", "index", str(tmp_path / "mine"), "--write", "--json").json["changed"] is False
    assert devloop("skills", "index", str(tmp_path / "none")).code == 2


def test_trust_shows_a_skill_whole_and_makes_it_count(devloop, root, write):
    write(root / ".devloop/skills", "own-way", files={"scripts/run.sh": "echo \u202eevil\n"})
    (item,) = devloop("trust", "--json").json["items"]
    assert (item["key"], item["kind"]) == (".devloop/skills/own-way", "skill")
    assert "=== SKILL.md ===" in item["text"] and "=== scripts/run.sh ===\necho \\u{202e}evil" in item["text"]
    assert devloop("trust", "--yes").code == 0
    assert [each.status for each in trust.state(root, StateDir.of(root).trust_file)] == ["trusted"]
    rows = {row["name"]: row["state"] for row in devloop("skills", "--json").json["skills"]}
    assert rows["own-way"] == "active"
