"""Task Master's tasks.json: tasks with steps, in one list or in several with a tag each (plan-format §21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from devloop.plan.importing import shared_json, words
from devloop.plan.importing.json_reading import Object, facts
from devloop.plan.importing.model import DraftPhase, DraftPlan, DraftTask, Told
from devloop.plan.lines import clean

MAX_NESTING: Final = 4  # `Task 1.2.3.4.5:` is the longest id


def lists(value: Any) -> dict[str, Mapping[str, Any]]:
    """The lists of tasks by tag; one without a tag is `master`."""
    if isinstance(value, list):
        return {"master": {"tasks": value}}
    if not isinstance(value, Mapping):
        return {}
    if isinstance(value.get("tasks"), list):
        return {"master": value}
    return {
        str(tag): below
        for tag, below in value.items()
        if isinstance(below, Mapping) and isinstance(below.get("tasks"), list)
    }


def read(value: Any, told: Told, tag: str = "") -> DraftPlan:
    """The plan of one tag: the one asked for, else `master`, else the first that has tasks."""
    found = lists(value)
    name = _chosen(found, told, tag)
    row = Object(found.get(name, {}), "" if row_is_root(value, found, name) else name, told)
    about = row.raw("metadata", "meta")[1]
    meta = Object(about if isinstance(about, Mapping) else {}, row.at("metadata"), told)
    title = meta.text("projectName", "project", "name") or ("Tasks" if name in ("", "master") else name)
    draft = DraftPlan(title)
    overview = meta.text("description")
    draft.overview = [overview] if overview.strip() else []
    rows: list[Object] = []
    phase = DraftPhase("1", name if name not in ("", "master") else "Tasks")
    for each in shared_json.limited(row.objects("tasks"), told):
        phase.tasks.append(_task(each, rows, "", 0))
    if not phase.tasks:
        told.problem("There are no tasks")
    draft.phases = [phase]
    _link(phase.tasks, rows, draft, told)
    shared_json.tell_left(rows, told)
    for key in row.left():
        draft.facts += facts(row.values[key], key)
    for key in meta.left():
        draft.facts += facts(meta.values[key], f"metadata.{key}")
    return draft


def row_is_root(value: Any, found: Mapping[str, Any], name: str) -> bool:
    return found.get(name) is value or isinstance(value, list)


def _chosen(found: dict[str, Mapping[str, Any]], told: Told, tag: str) -> str:
    if tag and tag not in found:
        told.problem(f"There is no tag {clean(tag, 60)!r}; there are: {', '.join(clean(each, 40) for each in found)}")
    full = [each for each, below in found.items() if below["tasks"]]
    name = tag if tag in found else "master" if "master" in full else next(iter(full or found), "")
    for other in found:
        if other != name:
            count = len(found[other]["tasks"])
            told.note("lost", f"The tag {clean(other, 60)!r} with {count} tasks: import it by itself (--tag)")
    return name


def _task(row: Object, rows: list[Object], parent: str, depth: int) -> DraftTask:
    number = row.text("id").strip()
    name = f"{parent}.{number}" if parent and number and not number.startswith(f"{parent}.") else number
    task = DraftTask(row.text("title", "name"), name, row.path)
    task.marker = shared_json.marker(row, task, "status")
    shared_json.noted(row, task, "description")
    shared_json.noted(row, task, "details")
    task.verify = words.lines(row.text("testStrategy", "test_strategy"))[: words.MAX_LINES]
    shared_json.fact(row, task, "Priority", "priority")
    shared_json.fact(row, task, "Effort", "complexity", "complexityScore")
    task.acceptance = [("", text) for text in row.texts("acceptanceCriteria")]
    shared_json.files(row, task, "files", "relevantFiles")
    rows.append(row)
    below = row.objects("subtasks")
    if below and depth >= MAX_NESTING:
        row.told.problem(f"Steps that are nested more than {MAX_NESTING} times were left out", path=row.path)
        below = []
    task.children = [_task(each, rows, name, depth + 1) for each in below]
    return task


def _link(tasks: list[DraftTask], rows: list[Object], draft: DraftPlan, told: Told) -> None:
    """Dependencies of a step name its siblings first (`1`), then whole ids (`2`, `"2.1"`). A step waits for what its
    task waits for too, unless it waits for another step anyway: devloop may start a step on its own."""
    everything = draft.all_tasks()
    by_path = {row.path: row for row in rows}
    known = shared_json.by_name(everything, told)
    inherited = False
    waiting: list[tuple[DraftTask, DraftTask | None]] = [(task, None) for task in tasks]
    while waiting:
        task, parent = waiting.pop()
        siblings = {child.name.rpartition(".")[2]: child for child in parent.children} if parent else {}
        for name in by_path[task.path].texts("dependencies"):
            near = siblings.get(name.strip())
            if near is not None:
                task.needs.append(near)
            else:
                shared_json.wait_for(task, [name], known, told)
        if parent is not None and not any(need in parent.children for need in task.needs):
            task.inherited = [need for need in (*parent.needs, *parent.inherited) if need not in task.needs]
            inherited = inherited or bool(task.inherited)
        waiting += ((child, task) for child in task.children)
    if inherited:
        told.note("changed", "Steps wait for what their task waits for: devloop may start a step on its own")
