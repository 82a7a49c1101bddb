"""Whatever stands in a plan's file: reading it never fails, what is found lies inside of it, what is changed in it is
what was asked for, and reading it again after a change is reading it from scratch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from devloop import plan as plans
from devloop.errors import Refused, UsageError
from devloop.plan import Document, Edit, Plan
from support.fuzz import Part, parts
from support.plan_inputs import ENDS, LINES, WORDS, plan_input

NOW = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
SHARES = 16
EVENTS = ("started", "completed", "partial", "blocked", "skipped", "discarded", "reset", "approved", "finished")


@pytest.mark.parametrize("part", parts(SHARES))
def test_any_input_is_a_plan(part: Part, record_property: Any) -> None:
    part.inputs("plan inputs", 500, 1_000_000, record_property, check)


def check(random: Random) -> None:
    source = plan_input(random)
    plan = plans.parse(source)
    if isinstance(source, bytes):
        assert plan.data == source
    else:
        assert plan.text == source
    found = everything(plan)
    if random.random() < 0.2:
        assert everything(plans.parse(plan.data if plan.document.valid else plan.text)) == found
    inside(plan, random)
    chosen(plan)
    random.choice(ASKED)(plan, random)
    random.choice(ASKED)(plan, random)
    assert everything(plan) == found  # a plan never changes


def everything(plan: Plan) -> object:
    return plans.show(plan), plan.problems, plan.tasks, plan.phases, plan.sections, plan.criteria, plan.log, plan.fields


def inside(plan: Plan, random: Random) -> None:
    """What is found stands in the text, from left to right."""
    json.dumps(plans.show(plan))
    lines = list(plan.document)
    for problem in plan.problems:
        assert problem.message
        assert 1 <= problem.line <= max(1, len(lines))
        width = len(lines[problem.line - 1]) if lines else 0
        end = width if problem.end is None else problem.end
        assert 0 <= problem.start <= end <= width, problem
        assert all(1 <= line <= len(lines) for line, _ in problem.related)
    first = random.randint(1, max(1, len(lines) - 20))
    for number in range(first, min(len(lines), first + 20) + 1):
        at = 0
        for span in plans.spans(plan, number):
            assert span.line == number
            assert at <= span.start < span.end <= len(lines[number - 1]), span
            at = span.end


def chosen(plan: Plan) -> None:
    """What is next fits what may run."""
    state = plans.next_task(plan)["state"]
    ready = plans.ready(plan)
    assert (plans.select(plan).task is not None) == (state == "found") == bool(ready)
    for task in plan.tasks[:5]:
        assert not (task in ready and plans.may_run(plan, task)) or task.unwritten  # the next one, to be written first
        plans.blocking(plan, task)
    flat = [task.line for wave in plans.waves(plan) for task in wave]
    assert len(flat) == len(set(flat))


def edited(plan: Plan, random: Random) -> None:
    for _ in range(random.randint(1, 3)):
        document = plan.document
        if random.random() < 0.5:
            line = random.randint(0, document.count + 1)
            start = (line, random.randint(0, 40))
            end = (line + random.choice((0, 0, 0, 0, 1, 3)), random.randint(0, 40))
            document = document.replace(
                min(start, end), max(start, end), random.choice(("", "x", " ", random.choice(WORDS)))
            )
        else:
            line = random.randint(0, document.count)
            new = [random.choice(LINES).replace("\n", "") + "\n" for _ in range(random.randint(0, 2))]
            document = document.edit(line, min(document.count, line + random.choice((0, 0, 1, 2))), new)
        if random.random() < 0.5:
            plan.problems  # noqa: B018 - they are kept, and have to be carried on
        again = plans.reparse(plan, document)
        quick = plans.spliced(plan, document)
        fresh = plans.parse(document.text)
        assert again.text == fresh.text == document.text
        assert everything(again) == everything(fresh)
        assert quick is None or everything(quick) == everything(fresh)
        plan = again


def changed(plan: Plan, edits: Sequence[Edit]) -> Plan:
    """Each edit fits the text that it was made for."""
    return plans.parse(plans.apply_to(plan.document, edits))


def formatted(plan: Plan, random: Random) -> None:
    options = plans.FormatOptions()
    once = changed(plan, plans.format_plan(plan, options))
    assert plans.format_plan(once, options) == ()
    assert [(task.id, task.title, task.status) for task in once.tasks] == [
        (task.id, task.title, task.status) for task in plan.tasks
    ]
    assert once.stats == plan.stats
    first = random.randint(1, plan.document.count + 1)
    last = first + random.randint(0, 5)
    for edit in plans.format_lines(plan, first, last, options):
        assert first <= edit.start_line and edit.end_line <= last + 1


def typed(plan: Plan, random: Random) -> None:
    for _ in range(3):
        line, column = random.randint(-1, plan.document.count + 2), random.randint(-1, 60)
        offered = plans.completion(plan, line, column)
        if 1 <= line <= plan.document.count:
            assert 0 <= offered.start <= offered.end <= len(plan.document.line(line - 1))
        plans.span_at(plan, line, column)
        changed(plan, plans.on_type(plan, line, column, random.choice("\nx ]")).edits)
        plans.renamable(plan, line, column)


def mended(plan: Plan, random: Random) -> None:
    for problem in plan.problems[:6]:
        for fix in plans.fixes_of(plan, problem):
            changed(plan, fix.edits)
    changed(plan, plans.fix_all(plan))


def told(plan: Plan, random: Random) -> None:
    kind: Any = random.choice(EVENTS)
    text = random.choice(("", "why", "a\nb", random.choice(WORDS)))
    ref = plans.TaskRef.of(random.choice(plan.tasks)) if plan.tasks else None
    if ref is None and kind not in ("approved", "finished"):
        return
    after = changed(plan, plans.change(plan, plans.Event(kind, ref, text, NOW)))
    if ref is not None:
        assert [task.title for task in after.tasks][: len(plan.tasks)] == [task.title for task in plan.tasks]


def noted(plan: Plan, random: Random) -> None:
    text = random.choice(("n", "a\nb", random.choice(WORDS), random.choice(LINES)))
    logged = changed(plan, plans.append_log(plan, text, NOW))
    headed = changed(plan, plans.set_header(plan, random.choice(("Status", "Updated", "Current Phase", "x")), text))
    for after in (logged, headed):
        assert [each.title for each in after.tasks] == [each.title for each in plan.tasks]
        assert [each.id for each in after.phases] == [each.id for each in plan.phases]
    if plan.tasks:
        task = random.choice(plan.tasks)
        beside = changed(plan, plans.add_note(plan, task, "a note that is nowhere else"))
        assert [each.title for each in changed(plan, plans.add_note(plan, task, text)).tasks] == [
            each.title for each in plan.tasks
        ]
        assert [(each.id, each.title, each.status, each.parent) for each in beside.tasks] == [
            (each.id, each.title, each.status, each.parent) for each in plan.tasks
        ]
        again = next(each for each in beside.tasks if each.line == task.line)
        assert beside.text == plan.text or "a note that is nowhere else" in again.notes
        after = changed(plan, plans.set_marker(plan, task, random.choice("x~! -")))
        assert [each.title for each in after.tasks] == [each.title for each in plan.tasks]
        plans.reply(plan, task, "devloop")


def rebuilt(plan: Plan, random: Random) -> None:
    """What may be refused is refused in a sentence."""
    actions: list[Callable[[], Sequence[Edit]]] = [lambda: plans.renumber(plan)]
    if plan.tasks:
        task = random.choice(plan.tasks)
        new = random.choice(("9.9", "1.2", "T7", "x y", "", "P1-2", random.choice(WORDS)))
        actions.append(lambda: plans.rename(plan, task, new))
    line = random.randint(1, plan.document.count + 1)
    for offer in plans.refactorings(plan, line)[:3]:
        answer = {"reason": "why", "title": "new part"}.get(offer.needs, offer.choices[0][0] if offer.choices else "")
        actions.append(
            lambda offer=offer, answer=answer: plans.carry_out(plan, offer.kind, offer.line, NOW, answer).edits
        )
    for action in actions:
        try:
            changed(plan, action())
        except (UsageError, Refused) as problem:
            assert problem.message


ASKED: tuple[Callable[[Plan, Random], None], ...] = (
    edited,
    edited,
    formatted,
    formatted,
    typed,
    mended,
    told,
    noted,
    rebuilt,
)


@pytest.mark.parametrize("end", ENDS)
def test_the_end_of_a_line_is_kept(end: str) -> None:
    assert Document.of(f"- [ ] a{end}- [ ] b").text == f"- [ ] a{end}- [ ] b"


@pytest.mark.parametrize(
    "text",
    [
        "- [ ] a\n\n  -\ntext\n    - [x] b\n",  # a note directly in front of text would take it, and the task below
        "- [ ] a\n  -\n> q\n- [ ] b\n",
        "- [ ] a\n  - b\n\ntext\n",
    ],
)
def test_a_note_takes_nothing_that_stands_behind_its_task(text: str) -> None:
    plan = plans.parse(text)
    after = changed(plan, plans.add_note(plan, plan.tasks[0], "n"))
    assert after.tasks[0].notes == "n"
    assert [(task.title, task.parent) for task in after.tasks] == [(task.title, task.parent) for task in plan.tasks]


@pytest.mark.parametrize("more", ["", "---\n", "text\n", "    - Notes: m\n"])
def test_a_note_is_one_of_its_task_however_its_other_bullets_stand(more: str) -> None:
    """The first field is indented in a way of its own, and the note can't be indented as it is."""
    plan = plans.parse(f"- [ ] a\n    - Verify: x\n  - b\n{more}")
    after = changed(plan, plans.add_note(plan, plan.tasks[0], "n"))
    assert "n" in after.tasks[0].notes.split()
    assert after.text.replace("  - Notes: n\n", "", 1).replace("\n\n", "\n") == plan.text


def test_a_tag_within_an_id_overlaps_nothing() -> None:
    plan = plans.parse("- [ ] Ta[P]sk 1.4: b\n- [ ] Task 1[P].5: c [depends:1.4]\n")
    inside(plan, Random(1))
    assert [span.kind for span in plans.spans(plan, 1)] == ["marker", "task-keyword", "task-id", "title"]


def test_blanks_between_an_id_and_a_tag_are_written_once() -> None:
    text = "- [~] Task 1.2:     [agent:a:b]text\n- [ ] Task  1.3:  [P]   [depends:1.2]  x\n"
    formatted(plans.parse(text), Random(1))
