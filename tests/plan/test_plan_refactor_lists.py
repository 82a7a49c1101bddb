"""Refactorings of whole lists: archiving phases, converting headings, spec-kit, kiro; what is offered where."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devloop.errors import UsageError
from devloop.plan import apply, parse
from devloop.plan.refactor import archivable, archive, carry_out, from_headings, kiro, refactorings, spec_kit

NOW = datetime(2026, 1, 31, 12, 30, 5, tzinfo=UTC)
PLAN = """# Plan: My Größe / x

**Status**: In Progress

## Phase 1: A ✅
**Goal**: g

- [x] Task 1.1: one
  - Notes: n
- [-] Task 1.2: two

## Phase 2: B

- [ ] Task 2.1: three [depends:1.1-1.2, Phase 1]
- [x] Task 2.2: four

## Progress Log

- 2025-01-01 10:00: Plan created
- 2025-01-01 10:01: Started Task 1.1
  with more
- 2025-01-01 10:02: Completed Task 2.2
- 2025-01-01 10:03: Completed Task 1.1 - d
""" + "".join(f"- 2025-01-02 10:{n:02}: note {n}\n" for n in range(10))


def test_archive() -> None:
    plan = parse(PLAN)
    done = archive(plan, None, NOW)
    assert done.phases == ("1",)
    name = "my-größe-x_phase_1_20260131_123005.md"
    assert done.files == (
        (
            name,
            """# Archived Plan: My Größe / x - Phase 1

**Archived**: 2026-01-31 12:30
**Original Plan**: My Größe / x
**Phase Status**: Complete
**Tasks**: 2/2 complete

---

## Phase 1: A ✅
**Goal**: g

- [x] Task 1.1: one
  - Notes: n
- [-] Task 1.2: two

## Progress Log (Phase 1)

- 2025-01-01 10:01: Started Task 1.1
  with more
- 2025-01-01 10:03: Completed Task 1.1 - d
""",
        ),
    )
    assert done.worklog == ("- 2025-01-01 10:00: Plan created",)
    assert (
        apply(PLAN.encode(), done.edits).decode()
        == """# Plan: My Größe / x

**Status**: In Progress

## Phase 2: B

- [ ] Task 2.1: three [depends:1.1-1.2, Phase 1]
- [x] Task 2.2: four

## Progress Log

- 2025-01-01 10:02: Completed Task 2.2
"""
        + "".join(f"- 2025-01-02 10:{n:02}: note {n}\n" for n in range(10))
        + f"- 2026-01-31 12:30: Archived Phase 1 to .devloop/archive/{name}\n"
    )
    kept = parse(done.files[0][1])
    assert [(task.id, task.done) for task in kept.tasks] == [("1.1", True), ("1.2", True)]


def test_archive_at_the_end_without_newline_and_with_a_log_inside() -> None:
    text = "# P\r\n## Phase 2: B\r\n- [ ] b\r\n\r\n## Phase 1: A\r\n- [x] a\r\n\r\n### History\r\n- 2025-01-01: x"
    after = apply(text.encode(), archive(parse(text), None, NOW).edits).decode()
    assert after == (
        "# P\r\n## Phase 2: B\r\n- [ ] b\r\n\r\n### History\r\n- 2025-01-01: x\r\n"
        "- 2026-01-31 12:30: Archived Phase 1 to .devloop/archive/p_phase_1_20260131_123005.md"
    )
    text = "# P\n## Phase 2: B\n- [ ] b\n\n## Phase 1: A\n- [x] a"
    done = archive(parse(text), None, NOW)
    after = apply(text.encode(), done.edits).decode()
    assert after.startswith("# P\n## Phase 2: B\n- [ ] b\n")
    assert "Phase 1: A" not in after
    assert not after.endswith("\n")
    assert parse(after).log[-1].event == "archived"


def test_archive_of_several_phases_and_newest_first() -> None:
    text = (
        "## Phase 1\n- [x] T1 a\n## Phase 2\n- [x] T2 b\n## Phase 3\n- [ ] T3 c\n\n## Work Log\n"
        + "".join(f"- 2025-01-{n:02}: note\n" for n in range(29, 17, -1))
        + "- 2025-01-02: Completed Task T2\n- 2025-01-01: Completed Task T1\n"
    )
    done = archive(parse(text, name="x"), None, NOW)
    assert [name[:9] for name, _ in done.files] == ["phase-1_p"] * 2 or len(done.files) == 2
    after = parse(apply(text.encode(), done.edits))
    assert [task.id for task in after.tasks] == ["T3"]
    assert [line.event for line in after.log] == ["archived"] * 2 + [""] * 10
    assert done.worklog == ("- 2025-01-18: note", "- 2025-01-19: note")


def test_archive_refuses() -> None:
    plan = parse(PLAN)
    with pytest.raises(UsageError, match="not finished"):
        archive(plan, [plan.phases[1]], NOW)
    finished = parse("## Phase 1\n- [x] a\n")
    assert archivable(finished) == ()
    with pytest.raises(UsageError, match="complete the plan"):
        archive(finished, None, NOW)
    with pytest.raises(UsageError, match="No phase"):
        archive(parse("## Phase 1\n- [ ] a\n"), None, NOW)
    nested = parse("## Phase 1\n### Phase 2\n- [x] a\n## Phase 3\n- [ ] b\n")
    with pytest.raises(UsageError, match="part of"):
        archive(nested, [nested.phases[1]], NOW)
    ranged = parse("## Phase 1\n- [x] T1 a\n- [x] T2 b\n## Phase 2\n- [ ] T3 c [depends:T1-T2]\n")
    with pytest.raises(UsageError, match="no longer be found"):
        archive(ranged, None, NOW)
    placed = parse("## Phase 1\n- [x] a\n- [ ] b\n## Phase 2\n- [x] c\n")
    assert archive(placed, None, NOW).phases == ("2",)


# Headings


def test_headings_become_tasks() -> None:
    text = """# P

## Phase 0 — A

### Task 0.1 — Set `up` ✅

- **Purpose**: p
- **Dependencies**: Task 0.2
1. one

**Files**: `a.py`
**Acceptance Criteria**:
- [ ] works
- fast

Prose
goes on.

```sh
\tx
```

#### Acceptance
- [x] more

---

### **Step 3: do** it

Milestone 4: go 🚧
---

## Notes
"""
    plan = parse(text)
    after = apply(text.encode(), from_headings(plan)).decode()
    assert (
        after
        == """# P

## Phase 0 — A

- [x] Task 0.1: Set `up`

  - **Purpose**: p
  - **Dependencies**: Task 0.2
  1. one

  - **Files**: `a.py`
  - **Acceptance Criteria**:
    - [ ] works
    - fast

  Prose
  goes on.

  ```sh
      x
  ```

  - Acceptance:
    - [x] more

---

- [ ] **Step 3: do it**

- [~] Milestone 4: go

## Notes
"""
    )
    found = parse(after)
    assert [(task.id, task.title, task.marker) for task in found.tasks][:1] == [("0.1", "Set `up`", "x")]
    assert found.tasks[0].files[0].path == "a.py"
    assert "works" in found.tasks[0].acceptance


HEADINGS = {
    "### Task 1.1: a\n": "- [ ] Task 1.1: a\n",
    "## Phase 1\n### Task 1.1 a DONE ###\ntext\n": "## Phase 1\n- [x] Task 1.1: a\n  text\n",
    "### Step 2: a\r\n\r\ntext": "- [ ] **Step 2: a**\r\n\r\n  text",
    "### Step 2.1: a\n": "- [ ] Step 2.1: a\n",
    "# T\n\nTask 1: a\n---\ntext\n": "# T\n\n- [ ] Task 1: a\ntext\n".replace("\ntext", "\n  text"),
    "### Milestone 2\n- x\n": "- [ ] Milestone 2\n  - x\n",
    "## Milestone 2\n### Task 2.1: a\n": "## Milestone 2\n- [ ] Task 2.1: a\n",
    "### Task 1: a\n\n#### Verification\n\n1. b\n\n#### Other\n\nc\n": (
        "- [ ] Task 1: a\n\n  - Acceptance:\n\n    1. b\n\n  #### Other\n\n  c\n"
    ),
    "### Task 1: a [parallel:A]\n**Verify**: `t`\nmore\n": (
        "- [ ] Task 1: a [parallel:A]\n  - **Verify**: `t`\n    more\n"
    ),
}


@pytest.mark.parametrize("text", HEADINGS)
def test_headings(text: str) -> None:
    plan = parse(text)
    assert apply(text.encode(), from_headings(plan)).decode() == HEADINGS[text]


def test_headings_of_logs_and_criteria_stay() -> None:
    for text in ("## Checklist\n### Task 1: a\n", "## Progress Log\n### Step 1\n", "## Notes\n- [ ] a\n"):
        with pytest.raises(UsageError):
            from_headings(parse(text))


def test_a_heading_that_ends_a_checklist_is_not_lost_in_it() -> None:
    text = "### Checklist\n- [ ] a\n### Task 2: b\n"
    with pytest.raises(UsageError, match="more than the headings"):
        from_headings(parse(text))


# spec-kit, kiro


def test_spec_kit() -> None:
    text = """## Phase 1: Setup

- [X] T001 Create it
- [ ] T002 [P] [US1] x in src/a.rs
- [ ] T003 [P] y [depends:T001]
  - Notes: n
- [ ] T004: **z**
- [ ] **T005** v [P] [depends:T002-T004]

## Other
- [ ] T006 stays [depends:T005]
"""
    after = apply(text.encode(), spec_kit(parse(text))).decode()
    assert (
        after
        == """## Phase 1: Setup

- [X] Task 1.1: Create it
  - _from: T001_
- [ ] Task 1.2: [parallel:A] [US1] x in src/a.rs
  - _from: T002_
- [ ] Task 1.3: [parallel:A] y [depends:1.1]
  - _from: T003_
  - Notes: n
- [ ] Task 1.4: **z**
  - _from: T004_
- [ ] **Task 1.5** v [P] [depends:1.2-1.4]
  - _from: T005_

## Other
- [ ] T006 stays [depends:1.5]
"""
    )
    assert parse(after).tasks[1].extra == (("from", "T002"),)
    with pytest.raises(UsageError):
        spec_kit(parse("- [ ] T001 a\n"))


def test_kiro_with_parts_behind_and_below() -> None:
    text = """# Implementation Plan

- [ ] 1. Set up
- [x] 1.1 Init (P)
  - detail
  - _Requirements: 1.2_

- [ ] 1.2. Next
- [ ] 2. Core
  - about it
  - [ ] 2.1 One
    - detail

    ```
      code
    ```
  - [ ]* 2.2 Test
    - _Depends: 1, 2.1_
- [ ] 3. Alone
  - _Depends: 2.2_
"""
    after = apply(text.encode(), kiro(parse(text))).decode()
    assert (
        after
        == """# Implementation Plan

## Phase 1: Set up

- [x] Task 1.1: Init (P)
  - detail
  - _Requirements: 1.2_

- [ ] Task 1.2: Next

## Phase 2: Core

- about it
- [ ] Task 2.1: One
  - detail

  ```
    code
  ```
- [ ]* Task 2.2: Test
  - _Depends: Phase 1, 2.1_

## Phase 3: Alone

- [ ] Task 3: Alone
  - _Depends: 2.2_
"""
    )


def test_kiro_with_headings() -> None:
    text = "# Implementation Plan\n\n## 1. Base\n\n- [ ] 1.1 (P) a\n- [ ] 1.2 b\n\n## 2. Next\n- [ ] 2.1 c"
    after = apply(text.encode(), kiro(parse(text))).decode()
    assert after == (
        "# Implementation Plan\n\n## Phase 1: Base\n\n- [ ] Task 1.1: (P) a\n- [ ] Task 1.2: b\n\n"
        "## Phase 2: Next\n- [ ] Task 2.1: c"
    )
    assert parse(after).tasks[0].tags == ("P",)


def test_kiro_refuses_what_a_phase_could_not_say() -> None:
    with pytest.raises(UsageError, match="not its parts"):
        kiro(parse("- [x] 1. a\n- [ ] 1.1 b\n"))
    with pytest.raises(UsageError, match="of its own"):
        kiro(parse("- [ ] 1. a [depends:2]\n- [ ] 1.1 b\n- [ ] 2. c\n"))
    with pytest.raises(UsageError, match="no list"):
        kiro(parse("- [ ] a\n"))


# Offers


def kinds(text: str, line: int) -> list[str]:
    return [offer.kind for offer in refactorings(parse(text), line)]


def test_offers() -> None:
    assert kinds(PLAN, 1) == ["archive"]
    assert kinds(PLAN, 3) == []
    assert kinds(PLAN, 5) == ["archive-phase"]
    assert kinds(PLAN, 8) == kinds(PLAN, 9) == ["reopen", "move"]
    assert kinds(PLAN, 12) == ["explicit-order"]
    assert kinds(PLAN, 14) == ["start", "block", "skip", "split-off", "move", "explicit-order"]
    assert kinds("- [ ] a and b\n  - [ ] step\n", 1) == [
        "start",
        "block",
        "skip",
        "split",
        "split-off",
        "explicit-order",
    ]
    assert kinds("- [ ] a and b\n  - [ ] step\n", 2) == []
    assert kinds("# P\n### Task 1: a\n### Task 2: b\n", 2) == ["convert-heading", "convert-headings"]
    assert kinds("# P\n### Task 1: a\n### Task 2: b\n", 1) == ["convert-headings"]
    assert "convert-spec-kit" in kinds("## Phase 1\n- [ ] T001 a\n", 2)
    assert "convert-kiro" in kinds("# P\n- [ ] 1. a\n", 2)
    assert kinds("# P\n- [ ] 1. a\n", 1) == ["convert-kiro"]
    assert kinds("", 1) == kinds("x\n", 7) == []


def test_the_phases_to_move_to_are_named() -> None:
    offer = next(offer for offer in refactorings(parse(PLAN), 14) if offer.kind == "move")
    assert (offer.needs, offer.choices) == ("phase", (("5", "Phase 1: A"),))


def test_every_offer_can_be_carried_out() -> None:
    text = PLAN + "\n## 1. K\n- [ ] 1.7 k\n### Task 9: z\n### Task 8: z\n"
    plan = parse(text)
    seen = set()
    for line in range(1, plan.document.count + 1):
        for offer in refactorings(plan, line):
            answer = {"": "", "reason": "why", "title": "more", "phase": "12"}[offer.needs]
            answer = offer.choices[0][0] if offer.choices else answer
            try:
                done = carry_out(plan, offer.kind, offer.line, NOW, answer)
            except UsageError as error:
                assert error.message
                continue
            assert done.edits
            seen.add(offer.kind)
            assert (done.archive is not None) == offer.kind.startswith("archive")
            apply(text.encode(), done.edits)
    assert seen >= {"start", "block", "skip", "split-off", "move", "reopen", "archive", "archive-phase", "convert-kiro"}
    for kind, line, answer in (("start", 3, ""), ("move", 14, "x"), ("split-off", 14, " "), ("tick", 14, "")):
        with pytest.raises(UsageError):
            carry_out(plan, kind, line, NOW, answer)
