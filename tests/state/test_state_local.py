"""local.md: three generations of settings as one shape, what is wrong with its line."""

from __future__ import annotations

import jsonschema
import pytest
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from devloop import settings
from devloop.settings import personal
from devloop.settings.personal_shape import Local, to_json
from devloop.state import schema

SCHEMA = jsonschema.Draft202012Validator(schema.load("local"))
V2 = """---
enforcement: strict
auto_commit: true
auto_version: false
changelog: true
auto_tag: true
definition_of_done:
  code:
    - builds
    - typed
  testing: [unit]
model_preferences:
  exploration: haiku
  implementation: balanced
workflow:
  skip_phases: [spike]
  auto_approve: []
  branch_pattern: "feature/{ticket}-{description}"
  commit_format: "{type}: {text}"
auto_skills: [testing]
testing:
  command: pytest -q
  coverage_threshold: 80
  patterns: ["tests/**"]
security:
  block_threshold: critical
  ignore_patterns: [vendor/]
git:
  base_branch: trunk
  pr_sections: [Summary]
  auto_labels: [bot]
---

My notes.
"""
DOCUMENTED = """---
dod:
  require_tests: true
  require_docs: false
  min_coverage: 70
commitStyle: simple
defaultBranch: develop
---
"""
V3 = """---
git:
  auto-branch: true
  branch-pattern: feat/{date}-{slug}
  main-branch: main
  pr-on-complete: never
  worktree_isolation: true
commits:
  style: simple
  scope-from-plan: false
  sign: true
review:
  before-commit: always
  use-plugin: null
github:
  link-issues: true
  auto-close: never
  comment-on-complete: false
fresh_threshold: 20
context_threshold: 80
tokens:
  token_budget: 8000
  cache_friendly_context: false
loop:
  max_parallel: 2
budget:
  run_usd: 1.5
notify:
  desktop: true
---
"""


def test_the_second_generation_is_read_as_the_target_shape():
    found = personal.read(V2)
    assert found.faults == () and found.notes.strip() == "My notes."
    values = to_json(found.values)
    SCHEMA.validate(values)
    assert values["enforcement"] == "strict" and values["ship"] == {
        "auto-version": False,
        "changelog": True,
        "auto-tag": True,
    }
    assert values["git"]["main-branch"] == "trunk" and values["git"]["branch-pattern"].startswith("feature/")
    assert values["git"]["pr-sections"] == ["Summary"] and values["commits"]["format"] == "{type}: {text}"
    assert values["definition-of-done"]["code"] == ["builds", "typed"] and values["models"]["exploration"] == "haiku"
    assert values["testing"]["coverage-threshold"] == 80 and values["auto-skills"] == ["testing"]
    assert {"git.main-branch", "ship.auto-tag", "workflow.skip-phases"} <= found.given


def test_the_documented_variant_is_read():
    found = personal.read(DOCUMENTED)
    assert found.faults == ()
    assert found.values.definition_of_done.require_tests is True and found.values.definition_of_done.min_coverage == 70
    assert found.values.commits.style == "simple" and found.values.git.main_branch == "develop"


def test_the_third_generation_is_read():
    found = personal.read(V3)
    assert found.faults == ()
    values = to_json(found.values)
    SCHEMA.validate(values)
    assert values["git"]["pr-on-complete"] == "never" and values["git"]["worktree-isolation"] is True
    assert values["tokens"] == {"token-budget": 8000, "cache-friendly-context": False}
    assert (
        values["fresh-threshold"] == 20 and values["budget"]["run-usd"] == 1.5 and values["notify"]["desktop"] is True
    )


@pytest.mark.parametrize("swap", [("-", "_"), ("_", "-")])
def test_kebab_and_snake_case_count_alike(swap):
    lines = [
        line.split(":")[0].replace(*swap) + ":" + line.split(":", 1)[1]
        if ":" in line and line.strip() != "---"
        else line
        for line in V3.split("\n")
    ]
    found = personal.read("\n".join(lines))
    assert found.faults == () and found.values == personal.read(V3).values


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("---\nenforcement: strict\nnonsense: 1\n---\n", 3, "nonsense"),
        ("---\ngit:\n  main-branch: x\n  odd: 1\n---\n", 4, "git.odd"),
        ("---\n\nfresh_threshold: 3\n---\n", 3, "fresh-threshold"),
        ("---\ngit:\n  pr-on-complete: sometimes\n---\n", 3, "git.pr-on-complete"),
        ("---\ncommits:\n  sign: maybe\n---\n", 3, "true or false"),
        ("---\ngit:\n  base_branch: a\n  main-branch: b\n---\n", 4, "says again"),
        ("---\nenforcement: [\n---\n", 3, "YAML"),
        ("---\nenforcement: strict\n", 1, "no end"),
        ("---\na: &x 1\nb: *x\n---\n", 2, "anchors"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text, line, word):
    found = personal.read(text)
    assert any(each.line == line and word in each.message for each in found.faults), found.faults


def test_one_wrong_value_loses_only_itself():
    found = personal.read("---\nfresh_threshold: 900\ncontext_threshold: 60\nunknown: 1\n---\n")
    assert found.values.fresh_threshold == 10 and found.values.context_threshold == 60 and len(found.faults) == 2
    assert found.given == {"context-threshold"}


def test_notes_alone_are_no_fault():
    found = personal.read("Just words.\n")
    assert found.values == Local() and found.faults == () and found.notes == "Just words.\n"


@tries(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_without_raising(text):
    personal.read(text)
    personal.read(f"---\n{text}\n---\n")


def test_the_legacy_place_is_read_when_ours_is_not_there(project, put):
    assert settings.explained(project, {}).faults == ()
    put(personal.LEGACY_PATH, "---\nenforcement: strict\nodd: 1\n---\n")
    found = settings.explained(project, {})
    assert found.settings.checkpoints.enforcement == "strict" and found.faults[0].path == personal.LEGACY_PATH
    put(personal.PATH, "---\nenforcement: advisory\n---\n")
    found = settings.explained(project, {})
    assert found.settings.checkpoints.enforcement == "advisory" and found.faults == ()
