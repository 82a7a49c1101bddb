"""The tests that a task may change (`May change tests`), where that is a person's word (gates §4).

The plan is the repository's word: a line of it may have come with a pull, with a proposal, or with text that somebody
else wrote. So a line alone allows nothing. It is an item of trust: a person said yes to exactly these names for exactly
this task, by id, title and acceptance, and that yes lies in their state directory, where no agent writes. Which names
the task had is kept with the run: what becomes of the plan meanwhile, there or in the worktree, changes nothing.

An errand stands in no plan and may change no tests. With `gates.guard = "block"` no task may: a project's text does not
loosen what a person set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devloop import trust
from devloop.gates import guard_allowed
from devloop.lists import some
from devloop.redact import one_line
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.workspace import Diff

SHOWN = 5


def names(services: Services, spec: RunSpec) -> tuple[str, ...]:
    """What the task may change of the tests, as far as that counts now. A yes that was taken back is none."""
    return () if why_not(services, spec) else spec.task.may_change_tests


def why_not(services: Services, spec: RunSpec) -> str:
    """Why nothing is allowed; "" where something is."""
    task = spec.task
    if not task.may_change_tests or task.errand is not None:
        return "the task names no tests"
    if services.settings.guarding.guard == "block":
        return 'your settings say gates.guard = "block"'
    item = trust.tests_item(task.id, task.title, task.acceptance, task.may_change_tests, spec.plan.path)
    if trust.trusted_hashes(services.state.trust_file).get(item.key) != item.sha256:
        return f"nobody said yes to that yet. {trust.HINT.removesuffix('.')}"
    return ""


def notice(services: Services, spec: RunSpec) -> str:
    """What a person should know when the run begins: that what the plan says does not count."""
    if not spec.task.may_change_tests or spec.task.errand is not None:
        return ""
    why = why_not(services, spec)
    named = listed(services, spec.task.may_change_tests)
    return f"The task says that it may change tests ({named}), which does not count: {why}." if why else ""


def listed(services: Services, named: Sequence[str]) -> str:
    """Names of tests in a sentence: without secrets first, then cut."""
    return some(named, SHOWN, lambda each: one_line(services.redactor.text(each), 80))


def files_of(found: Diff) -> dict[str, str]:
    """Path to path before, of every changed file."""
    return {file.path: file.old_path or file.path for file in found.files}


def not_allowed(named: Sequence[str], tests: Sequence[str], files: Mapping[str, str]) -> list[str]:
    """Those of `tests`, which ran before and do no more, whose going the task does not allow."""
    return [each for each in tests if not guard_allowed.allows_test(each, named, files)]


def gone(result: Mapping[str, Any]) -> list[str]:
    """Tests that ran before and are gone or skipped now, of a gate's result as it is stored."""
    changed = result.get("changes") or {}
    return [*map(str, changed.get("removed") or ()), *map(str, changed.get("disabled") or ())]
