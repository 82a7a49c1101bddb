"""A project with secrets in all its texts, and a model that says others: what one day of `secret_day` begins with."""

from __future__ import annotations

import json
from typing import Any

from support.programs import Place
from support.sown import Sown

SUBJECTS = 8
"""Commits of the person, each with a value in its words that this machine knows."""

PLAN = """# Plan: Demo

**Status**: In Progress

## Phase 1: Begin

- [ ] Task 1.1: First thing
{notes}
- [ ] Task 1.2: Second thing
- [ ] Task 1.3: Third thing

## Progress Log
"""
SPEAK = """import os, random, sys, time
text, at = open(sys.argv[1], 'rb').read(), 0
while at < len(text):
    size = random.choice((1, 2, 7, random.randint(1, 600)))
    at += os.write(1, text[at : at + size])
    if random.random() < 0.1:
        time.sleep(0.001)
"""
"""Prints a file in pieces of any length."""


def prepare(place: Place, sown: Sown) -> dict[str, Any]:
    """The project with secrets in its texts, and what the model says."""
    notes = "\n".join(f"    - {row}" for row in sown.rows("plan", 12) if "\n" not in row)
    place.project(PLAN.format(notes=notes), trusted=False)
    root = place.root
    (root / "speak").write_text(SPEAK)  # no .py: a gate would look at it each time
    (root / "file.txt").write_text(sown.text("file"))
    # Longer than what is kept of an output, and secrets are everywhere in it: where it is cut, one would be cut.
    flood = [f"{row} " * 3 + "\n" for _ in range(12) for row in sown.rows("flood") if "\n" not in row]
    long = " ".join(row for row in sown.rows("flood", 30) if "\n" not in row) * 3
    for name, text in (("command", sown.text("command")), ("flood", "".join(flood) + long)):
        (root / f"{name}.txt").write_text(text)
    (root / "gate.txt").write_text(sown.text("gate", 40))
    (root / "check.sh").write_text("test ! -e broken || { python3 speak gate.txt; exit 1; }\n")
    hooks = root / ".devloop" / "hooks"
    hooks.mkdir()
    (root / "hook.txt").write_text(sown.text("hook", 12))  # beside the scripts, which are shown as they are for trust
    (hooks / "no.sh").write_text("cat hook.txt >&2\nexit 2\n")
    told = [{"matcher": "Glob", "hooks": [{"type": "command", "command": "sh .devloop/hooks/no.sh"}]}]
    (root / ".devloop" / "hooks.json").write_text(json.dumps({"hooks": {"PreToolUse": told}}))
    (root / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "begin")
    place.git("tag", "v1.2.3")
    for number, row in enumerate(sown.rows("subject", SUBJECTS)):
        place.git("commit", "-q", "--allow-empty", "-m", f"fix: {row}", "-m", sown.text("subject", 3) + str(number))
    sown.known("person")
    return scenario(sown)


def scenario(sown: Sown) -> dict[str, Any]:
    def wire() -> dict[str, Any]:
        return {"cuts": [sown.random.randint(1, 30) for _ in range(40)]}

    def turn(*calls: tuple[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {"calls": [{"name": name, "input": given} for name, given in calls], "wire": wire(), **more}

    def command(line: str) -> tuple[str, dict[str, Any]]:
        return "run_command", {"command": line}

    def finish(source: str, rows: int = 25) -> tuple[str, dict[str, Any]]:
        return "finish", {"summary": f"It is done.\n{sown.text(source, rows)}"}

    # A name has no slash, and what has a shape only with one has none without.
    named = [row for row in sown.rows("name", 12) if "/" not in row or not row.startswith("shape")]
    names = [row.replace("/", "") for row in named[:6]]
    made = [("write_file", {"path": f"work/{n}-{name}"[:120], "content": "x\n"}) for n, name in enumerate(names)]
    first = [
        turn(
            ("read_file", {"path": "file.txt"}),
            ("search", {"pattern": "."}),
            text=sown.text("said"),
            thinking=sown.text("thought"),
            fail={"kind": "server", "message": sown.text("failure", 6)},
        ),
        turn(command("python3 speak command.txt"), command("python3 speak flood.txt"), text="On."),
        turn(
            ("list_files", {"pattern": "**"}),
            *(("read_file", {"path": f"no/{row}"}) for row in sown.rows("argument", 12)),
            command(f"true {sown.text('argument', 5)!r}"),
            ("no_such_tool", {"a": sown.text("argument", 4)}),
        ),
        turn(("ask", {"question": sown.text("question", 10), "choices": sown.rows("question", 3)})),
        turn(("write_file", {"path": "broken", "content": "x\n"}), finish("report")),
        turn(command("rm broken"), ("write_file", {"path": "new.txt", "content": "new\n"}), finish("report")),
        turn(("write_file", {"path": "new.txt", "content": "newer\n"}), finish("report")),
    ]
    second = [turn(("write_file", {"path": "work.txt", "content": sown.text("work")}), *made, finish("report", 5))]
    again = [turn(finish("report", 5))] * 6
    refused = {"kind": "auth", "message": sown.text("failure", 8) + sown.text("key", 8), "times": 0}
    words = {"summary": "Ready.", "verdict": "READY", "pr_title": "Release", "pr_text": sown.text("letter", 20)}
    good = {**words, "pr_text": "It has a thing."}
    return {
        "tasks": {
            "1.1": {"turns": first},
            "1.2": {"turns": [*second, *again]},
            "1.3": {"turns": [turn(finish("report", 3), fail=refused)]},
            "@ship": {"turns": [turn(("finish", words)), *[turn(("finish", good))] * 6]},
        }
    }
