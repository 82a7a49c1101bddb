"""Hostile plans and texts: problems with lines, never a crash, never a changed byte, nothing executed."""

from __future__ import annotations

import os

import pytest

from support.projects import commit_all, make_repository

HOSTILE = {
    "empty": (b"", 0),
    "latin-1": (b"# Plan: caf\xe9\n\n- [ ] Task 1.1: caf\xe9 \xff\xfe\n", 0),
    "utf-16": ("# Plan: x\n\n- [ ] Task 1.1: one\n".encode("utf-16"), 0),
    "nul": (b"- [ ] Task 1.1: a\0b\r- [ ] Task 1.2: c\r\n", 0),
    "50,000 lines": (b"".join(b"- [ ] Task %d.%d: t\n" % (n // 100, n % 100) for n in range(50_000)), 0),
    "duplicates": (b"- [ ] Task 1.1: again\n" * 500, 0),
    "cycle": (b"".join(b"- [ ] Task 1.%d: t [depends:1.%d]\n" % (n, (n + 1) % 300) for n in range(300)), 1),
}

CODES = {"latin-1": "invalid-utf8", "duplicates": "duplicate-id", "cycle": "dependency-cycle", "empty": "no-tasks"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_plan_gives_problems_with_lines_and_keeps_every_byte(place, name):
    data, code = HOSTILE[name]
    make_repository(place.root)
    place.plan.parent.mkdir()
    place.plan.write_bytes(data)
    checked = place("plan", "check", "--json")
    assert checked.code == code
    lines = data.count(b"\n") + 1
    assert all(1 <= problem["line"] <= lines for problem in checked.json["problems"])
    if name in CODES:
        assert CODES[name] in {problem["code"] for problem in checked.json["problems"]}
    shown = place("plan", "show", "--json")
    assert shown.code == 0 and len(shown.json["tasks"]) == {"empty": 0, "utf-16": 0}.get(name, data.count(b"[ ]"))
    assert place.plan.read_bytes() == data


def test_a_task_whose_title_is_not_utf8_is_done_and_only_its_mark_changes(place):
    place.project()
    place.plan.write_bytes(b"# Plan: caf\xe9\n\n- [ ] Task 1.1: caf\xe9 \xff\n  - **Acceptance**: \xe9\n")
    commit_all(place.root)
    assert place("run", "1.1", "--decide", "commit").code == 0
    assert place.plan.read_bytes().startswith(
        b"# Plan: caf\xe9\n\n- [x] Task 1.1: caf\xe9 \xff\n  - **Acceptance**: \xe9\n"
    )


def test_an_id_that_several_tasks_have_is_asked_for_by_line(place):
    place.project("- [ ] Task 1.1: one\n- [ ] Task 1.1: two\n")
    told = place("plan", "next")
    assert told.code == 0 and "devloop run line:1" in told.out
    refused = place("run", "1.1", "--json")
    assert refused.code == 2 and "names 2 tasks" in refused.error["message"] and "line:" in refused.error["hint"]


@pytest.mark.parametrize("kind", ["folder", "circle", "pipe", "nowhere"])
def test_what_is_no_file_is_no_plan(place, kind):
    place.project()
    place.plan.unlink()
    make = {
        "folder": lambda: place.plan.mkdir(),
        "circle": lambda: place.plan.symlink_to("plan.md"),
        "pipe": lambda: os.mkfifo(place.plan),
        "nowhere": lambda: place.plan.symlink_to("gone.md"),
    }
    make[kind]()
    refused = place("plan", "show", "--json")
    assert refused.code == 2 and "is no file" in refused.error["message"] and "Move it away" in refused.error["hint"]
    init = place("init", "--json")
    assert init.code == 1 and "Move it away" in init.error["hint"]
    if kind in ("folder", "pipe"):
        refused = place("run", "1.1")
        assert refused.code == 2 and "Move it away" in refused.err


def test_a_plan_outside_the_repository_is_shown_but_never_written(place):
    place.project()
    outside = place.tmp / "outside.md"
    outside.write_text("- [ ] Task 1.1: one\n")
    place.plan.unlink()
    place.plan.symlink_to(outside)
    assert place("plan", "show").code == 0
    ended = place("run", "1.1", "--decide", "commit")
    assert ended.code in (1, 3, 4) and "outside the repository" in ended.text
    assert outside.read_text() == "- [ ] Task 1.1: one\n"


ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202e"


def test_no_text_of_a_plan_or_model_drives_the_terminal_or_a_shell(place):
    trap = place.tmp / "trap"
    title = f"{ESCAPES} [red]x[/red] $(touch {trap}) `touch {trap}`; touch {trap}"
    place.project(f"# Plan: {ESCAPES}\n\n- [ ] Task 1.1: {title}\n")
    awkward = "touch 'two\nlines' 'esc\x1b[31m'; ln -s /etc/passwd link; printf '\\033[31mloud'"
    call = {"name": "run_command", "input": {"command": awkward}}
    place.play(
        [{"calls": [call]}, {"calls": [{"name": "finish", "input": {"summary": f"Done {ESCAPES} [bold]x[/bold]"}}]}]
    )
    seen = [place("run", "1.1"), place("status"), place("show", "run-1.1-1"), place("decide", "commit", "-f")]
    seen += [place("log"), place("plan", "show")]
    assert [each.code for each in seen] == [3, 0, 0, 0, 0, 0]
    for each in seen:
        assert "\x1b" not in each.text and "\x07" not in each.text and "\u202e" not in each.text
    assert "[red]x[/red]" in seen[0].out and "[bold]x[/bold]" in seen[0].out
    assert "\x1b" not in place.git("log", "-1", "--format=%B")
    assert not trap.exists()


def test_a_huge_file_stays_out_of_the_commit_and_is_named_once(place):
    place.project()
    command = {"name": "run_command", "input": {"command": "head -c 20000000 /dev/zero > big; echo > ok"}}
    place.play([{"calls": [command]}, {"calls": [{"name": "finish", "input": {"summary": "Done."}}]}])
    waits = place("run", "1.1", "--json")
    assert waits.code == 3
    left_out = [notice for notice in waits.json["checkpoint"]["notices"] if "big" in notice]
    assert left_out == ["left out of the snapshot: big (larger than 8 MiB)"]
    assert [file["path"] for file in waits.json["checkpoint"]["diff"]["list"]] == ["ok"]


@pytest.mark.parametrize("text", ["broken = [", "[gates.a]\nkind = 5\n[budget]\nrun_usd = -1\n", "\udcff"])
def test_a_broken_team_file_is_told_by_the_doctor(place, text):
    place.project()
    (place.root / ".devloop" / "config.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    checks = place("doctor", "--json").json["checks"]
    told = [check for check in checks if check["name"] == "settings"]
    assert told and all(check["state"] == "warning" and "ignored" in check["message"] for check in told)
