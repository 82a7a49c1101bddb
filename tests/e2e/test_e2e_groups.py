"""A parallel group as a person at a terminal, and a program, have it: begun at once, asked about once."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import time

from support.programs import PROGRAM, until

PLAN = """# Plan: Groups

**Status**: In Progress

## Phase 1: At once

- [ ] Task 1.1: One [parallel:A]
- [ ] Task 1.2: Two [parallel:A]

## Phase 2: After

- [ ] Task 2.1: Three [depends:1.1, 1.2]

## Progress Log
"""


ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def work(name):
    return [
        {"calls": [{"name": "write_file", "input": {"path": f"{name}.txt", "content": "new\n"}}]},
        {"calls": [{"name": "finish", "input": {"summary": f"{name} is done."}}]},
    ]


class Terminal:
    def __init__(self, place, *arguments):
        self.master, slave = pty.openpty()
        environment = {**place.environment, "TERM": "xterm", "COLUMNS": "160"}
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments], cwd=place.root, stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        self.seen = ""

    def until(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline and self._read(), f"{text!r} did not come; there was:\n{self.seen}"
        before, _, self.seen = self.seen.partition(text)
        return before

    def _read(self):
        if not select.select([self.master], [], [], 0.2)[0]:
            return self.process.poll() is None
        try:
            self.seen = ANSI.sub("", self.seen + os.read(self.master, 65536).decode("utf-8", "replace"))
        except OSError:
            return False
        return True

    def type(self, text):
        os.write(self.master, f"{text}\n".encode())

    def close(self):
        while self._read():
            pass
        os.close(self.master)
        return self.process.wait(10)


def test_a_person_begins_a_group_answers_one_and_then_the_rest_and_the_loop_goes_on(place):
    others = {"1.2": [*work("two"), *work("two")[1:]], "1.3": work("four"), "2.1": work("three")}
    place.script({"1.1": [*work("one"), *work("five")], **others})
    place.project(PLAN.replace("\n## Phase 2", "- [ ] Task 1.3: Four [parallel:A]\n\n## Phase 2"))
    terminal = Terminal(place, "continue")
    terminal.until("Tasks 1.1, 1.2, 1.3 of group A can begin at once. Begin them together? [Y/n]:")
    terminal.type("")
    shown = terminal.until("3 tasks wait for you")
    assert "1.1 One" in shown and "1.2 Two" in shown
    shown = terminal.until("Decision for all, or NUMBER for one:")
    assert "one is done." in shown and "For all: continue (recommended), commit" in shown
    terminal.type("sometimes")
    terminal.until("Choose one of: continue, commit, fresh, stop, revise, discard; or a number.")
    terminal.until("Decision for all, or NUMBER for one:")
    terminal.type("1")
    terminal.until("Decision:")
    terminal.type("revise And five.")
    assert "1.1 One" not in terminal.until("Decision for all, or NUMBER for one:")
    terminal.type("commit")
    shown = terminal.until("Decision:")
    assert "five is done." in shown, "the one that was sent back comes once more, the others are answered"
    terminal.type("commit")
    shown = terminal.until("Ready for your decision")
    assert "2.1 Three" in shown and "landed" in shown
    terminal.until("Decision:")
    terminal.type("stop")
    assert terminal.close() == 0
    files = ("one", "two", "four", "five", "three")
    assert [(place.root / f"{name}.txt").exists() for name in files] == [True, True, True, True, False]
    assert place.plan.read_text().count("- [x] Task") == 4


def test_an_answer_on_the_way_leaves_the_loop_to_decide_by_itself(place):
    asks = [{"calls": [{"name": "ask", "input": {"question": "Which?"}}]}, *work("two")]
    place.script({"1.1": work("one"), "1.2": asks, "2.1": work("three")})
    place.project(PLAN)
    terminal = Terminal(place, "continue", "--decide", "continue", "--parallel")
    terminal.until("Answer:")
    terminal.type("This one.")
    assert terminal.close() == 0
    assert place.plan.read_text().count("- [x] Task") == 3, terminal.seen
    assert "2.1" in terminal.seen, "it was followed to the loop's end"


def test_one_that_was_discarded_is_what_a_group_ends_with(place):
    place.script({"1.1": work("one"), "1.2": work("two"), "2.1": work("three")})
    place.project(PLAN)
    terminal = Terminal(place, "continue", "--parallel")
    terminal.until("Decision for all, or NUMBER for one:")
    terminal.type("1")
    terminal.until("Decision:")
    terminal.type("discard Not so.")
    terminal.until("Decision:")
    terminal.type("continue")
    assert terminal.close() == 1
    assert place.plan.read_text().count("- [x] Task") == 1


def test_a_program_begins_a_group_and_answers_it_with_one_command(place):
    place.script({"1.1": work("one"), "1.2": work("two"), "2.1": work("three")})
    place.project(PLAN)
    began = place("continue", "--parallel", "-n", "2", "--json")
    assert began.code == 3, began
    assert [(run["task"], run["state"]) for run in began.json["runs"]] == [("1.1", "waiting"), ("1.2", "waiting")]
    assert len({run["group"]["id"] for run in began.json["runs"]}) == 1
    answer = place("decide", "--group", "commit", "--json").json
    assert [each["run"] for each in answer["runs"]] == ["run-1.1-1", "run-1.2-1"] and answer["skipped"] == []
    until(lambda: all(run["state"] == "ended" for run in place("runs", "--json").json["runs"]), "both have landed")
    done = place("continue", "--stop-at", "failure", "--json")
    assert done.code == 0, done
    assert [(run["task"], run["outcome"]) for run in done.json["runs"]] == [("2.1", "accepted")]
    (decision,) = place("show", "run-2.1-1", "--json").json["decisions"]
    assert (decision["by"], decision["decision"]) == ("rule", "continue")
    assert "by rule: a checkpoint only when something fails" in place.plan.read_text()
