"""prd.json: user stories with criteria (plan-format §21, other-systems §1.2), in its shapes of all generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from devloop.plan.importing import shared_json, words
from devloop.plan.importing.json_reading import Object, as_text, facts, said
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told

STORIES: Final = ("userStories", "user_stories", "stories")


def read(value: Any, told: Told) -> DraftPlan:
    """The plan of a PRD. Stories come in the order of their priority, 1 first; those without one last."""
    if isinstance(value, list):
        value = {"userStories": value}
    if not isinstance(value, Mapping):
        told.problem("There is no object with user stories")
        value = {}
    root = Object(value, "", told)
    draft = DraftPlan(root.text("project", "title", "name") or "Imported PRD")
    draft.fields = [
        ("Branch", root.text("branchName", "branch_name", "branch")),
        ("Epic", _text_of(root, "epic")),
    ]
    overview = root.text("description", "overview", "summary")
    draft.overview = [overview] if overview.strip() else []
    rows = shared_json.limited(root.objects(*STORIES), told)
    if not rows:
        told.problem("There are no user stories")
    stories = [(_priority(row), _story(row)) for row in rows]
    order = sorted(range(len(stories)), key=lambda at: stories[at][0])
    if order != [*range(len(stories))]:
        told.note("changed", "The stories stand in the order of their priority")
    tasks = [stories[at][1] for at in order]
    known = shared_json.by_name([task for _, task in stories], told)
    for row, (_, task) in zip(rows, stories, strict=True):
        shared_json.wait_for(task, row.texts("dependencies", "dependsOn", "depends_on"), known, told)
    draft.phases = [DraftPhase("1", "User stories", tasks=tasks)]
    shared_json.tell_left(rows, told)
    for key in root.left():
        draft.facts += facts(root.values[key], key)
    if draft.facts:
        told.note("kept", "What a plan has no place for stands in “From the source”, as text")
    if "qualityGates" in root.values:
        told.note("lost", "qualityGates are text only: set the gates in devloop's settings", path="qualityGates")
    return draft


def _text_of(root: Object, name: str) -> str:
    _, value = root.raw(name)
    return (said(value) or "") if isinstance(value, Mapping) else as_text(value) or ""


def _priority(row: Object) -> float:
    """1 is first; words as some files have them stand for numbers."""
    _, value = row.raw("priority")
    named = {"critical": 0.0, "high": 1.0, "medium": 2.0, "low": 3.0}
    if isinstance(value, str) and value.strip().lower() in named:
        return named[value.strip().lower()]
    number = row.number("priority")
    return float("inf") if number is None or number != number else number


def _story(row: Object) -> DraftTask:
    task = DraftTask(row.text("title", "name"), row.text("id", "key").strip(), row.path)
    _, criteria = row.raw("acceptanceCriteria", "acceptance_criteria", "acceptance", "criteria")
    if criteria is not None:
        texts = row.texts("acceptanceCriteria", "acceptance_criteria", "acceptance", "criteria")
        task.acceptance = [("", " ".join(text.split())) for text in texts]
    task.marker = "x" if row.flag("passes", "passed") else shared_json.marker(row, task, "status")
    description = row.text("description", "story")
    if " ".join(description.split()) != " ".join(task.title.split()):
        task.notes += words.lines(description)[: words.MAX_LINES]
    shared_json.files(row, task, "fileScope", "file_scope", "files")
    shared_json.model(row, task, "suggestedModel", "suggested_model", "model")
    shared_json.fact(row, task, "Effort", "estimatedComplexity", "complexity", "effort")
    shared_json.fact(row, task, "Priority", "priority")
    shared_json.noted(row, task, "notes")
    return task
