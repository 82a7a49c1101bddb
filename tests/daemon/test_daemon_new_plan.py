"""devloop/templates and devloop/init: what an editor needs for a new plan."""

from __future__ import annotations

import pytest

from devloop import plan as plans
from devloop.daemon import new_plan
from devloop.errors import NotFound, UsageError


async def test_templates_are_whole_plans_without_errors(tmp_path):
    found = (await new_plan.templates(tmp_path))["templates"]
    assert {"blank", "bugfix", "feature"} <= {each["name"] for each in found}
    assert {each["title"] for each in found} >= {"Blank", "Bug fix", "New feature"}
    for each in found:
        plan = plans.parse(each["text"].encode(), name="plan.md")
        assert plan.tasks and not [problem for problem in plan.problems if problem.severity == "error"]
        assert "2026-01-01" not in each["text"] and "Untitled" not in each["text"]


async def test_init_writes_what_the_template_showed_and_never_over_it(tmp_path):
    shown = {each["name"]: each["text"] for each in (await new_plan.templates(tmp_path))["templates"]}
    answer = await new_plan.init(tmp_path, {"template": "feature"})
    assert answer == {"plan": ".devloop/plan.md", "created": [".devloop/plan.md", ".gitignore"], "git": False}, (
        "git may come later"
    )
    assert (tmp_path / ".devloop/plan.md").read_text("utf-8") == shown["feature"]
    assert (await new_plan.init(tmp_path, {"template": "bugfix"}))["created"] == []
    assert (tmp_path / ".devloop/plan.md").read_text("utf-8") == shown["feature"]


async def test_init_refuses_templates_that_are_none(tmp_path):
    with pytest.raises(NotFound, match="no template"):
        await new_plan.init(tmp_path, {"template": "../../etc/passwd"})
    with pytest.raises(UsageError):
        await new_plan.init(tmp_path, {"template": ["blank"]})
    assert not (tmp_path / ".devloop").exists()
