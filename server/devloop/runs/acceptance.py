"""From a checked commit to the plan branch, and from there to the person's branch.

Each function is one durable step: repeated after a crash it finds what it did and does not do it twice.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any

from devloop.errors import DevloopError, LandingRefused, StaleEdit
from devloop.redact import one_line, printable
from devloop.runs import outside, paths_told
from devloop.runs.marking import mark
from devloop.runs.services import Services
from devloop.runs.spec import RunSpec
from devloop.tools import KEPT, PROTECTED

Outcome = dict[str, Any]

PROTECTED_FOLDERS = tuple(path for name in (*PROTECTED, *KEPT) if name != ".git" for path in (name, f"{name}/"))
"""The same paths as the tools protect, as files and as folders: what got into the worktree all the same stays out."""


_LOST = "Put it back into the plan and try once more, or end the run: its work stays on its branch."


async def commit(services: Services, run: str, summary: str) -> Outcome:
    """The worktree as one commit on the run's branch. `commit` is None when the agent changed nothing."""
    spec = services.spec(run)
    services.set_state(run, "checking")
    made = await services.workspace.commit(
        run,
        commit_message(services, spec, summary),
        trailers={"Devloop-Task": spec.task.id},
        protected=PROTECTED_FOLDERS,
    )
    if made is None:
        return {"outcome": "committed", "commit": None}
    services.store.update_run(run, commit_id=made.id)
    if made.refused:
        names = ", ".join(paths_told.shown(services, run, made.refused[:5]))
        services.notice(run, f"The agent changed files that are not its to change; they were left out: {names}")
    await _notice_outside(services, run, made.id)
    return {"outcome": "committed", "commit": made.id}


async def _notice_outside(services: Services, run: str, commit_id: str) -> None:
    """Say which of the run's files execute outside the sandbox later."""
    row = services.store.run(run)
    assert row is not None
    found = await services.workspace.diff(row["base"], commit_id, limit=0)
    paths = [path for file in found.files for path in (file.path, file.old_path) if path]
    services.notice(run, *filter(None, [outside.told(paths, paths_told.Names(services, run))]))


_SIGNED = re.compile(r"^[ \t]*[a-z]+(?:-[a-z]+)*-by[ \t]*:.*(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)


def unsigned(text: str) -> str:
    """An agent's words without lines that speak for people (`Signed-off-by`, `Reviewed-by`, `Co-authored-by`, …): such
    a line is a person's statement, and servers show and count it as one."""
    return _SIGNED.sub("", text)


def commit_message(services: Services, spec: RunSpec, summary: str) -> str:
    """Subject: the task's title, as its author worded it. Body: the agent's summary, cleaned."""
    subject = one_line(services.redactor.text(spec.task.title), 72)
    body = unsigned(printable(services.redactor.text(summary))).strip()
    return f"{subject}\n\n{body}" if body else subject


async def forecast(services: Services, run: str, commit_id: str) -> Outcome:
    """What the commit would be on top of the plan branch as it is now."""
    onto = await services.workspace.plan_head()
    replayed = await services.workspace.forecast(commit_id, onto)
    if replayed.conflicts:
        files = ", ".join(paths_told.shown(services, run, replayed.conflicts[:5]))
        return {"outcome": "conflict", "reason": f"it conflicts with work accepted meanwhile: {files}"}
    moved = replayed.commit != commit_id
    return {"outcome": "replayed", "commit": replayed.commit, "onto": onto, "moved": moved, "empty": replayed.empty}


async def accept(services: Services, run: str, commit_id: str | None, summary: str) -> Outcome:
    """Tick the task, and put the commit with the ticked plan on the plan branch."""
    spec = services.spec(run)
    services.set_state(run, "landing")
    note = one_line(printable(services.redactor.text(summary)), 160)
    async with services.accepting:  # the tick and the commit that holds it belong together
        if commit_id is not None and await _moved(services, run, commit_id):
            return {"outcome": "moved"}
        try:
            text = await mark(services, spec, "completed", note)
            if commit_id is None:
                return {"outcome": "accepted", "commit": None}
            extra = {} if text is None else {spec.plan.path: text.encode("utf-8", "surrogateescape")}
            accepted = await services.workspace.accept(run, commit_id, extra)
        except DevloopError as problem:  # checked work is never lost to a full disk, a lock or an edited plan
            with contextlib.suppress(DevloopError):
                await mark(services, spec, "started")
            refused = _refused(problem)
            return {**refused, "hint": _LOST} if isinstance(problem, StaleEdit) else refused
    if accepted.moved:
        return {"outcome": "moved"}
    services.store.update_run(run, commit_id=accepted.commit)
    return {"outcome": "accepted", "commit": accepted.commit}


async def _moved(services: Services, run: str, commit_id: str) -> bool:
    """Whether the plan branch went on since the commit was checked. A commit that is on it already leaves nothing."""
    now = await forecast(services, run, commit_id)
    return now["outcome"] == "conflict" or (now["moved"] and not now["empty"])


async def plan_landing(services: Services, run: str) -> Outcome:
    """How the accepted commits would reach the person's branch; `needs_gates` when that branch moved."""
    try:
        landing = await services.workspace.plan_landing()
    except LandingRefused as problem:
        return _refused(problem)
    if services.spec(run).lands:  # what is new, in its diff and its gates, is what the branch as it is now has not
        services.store.update_run(run, base=landing.old)
    return {
        "outcome": "planned",
        "new": landing.new,
        "needs_gates": landing.needs_gates,
        "nothing": not landing.commits,
    }


async def land(services: Services, run: str, new: str) -> Outcome:
    """Move the accepted commits onto the person's branch; `new` is the commit that was checked, no other lands."""
    spec = services.spec(run)
    services.set_state(run, "landing")
    try:
        planned = await services.workspace.plan_landing()
        if planned.commits and planned.new != new:
            return {"outcome": "moved", "reason": "The branch moved again while the checks ran."}
        landed = await services.workspace.finish_landing(planned, plan_path=spec.plan.path)
    except LandingRefused as problem:
        return _refused(problem)
    services.notice(run, *map(str, landed.notices))
    own = await _record(services, planned.branch, landed.old, landed.new, run)
    return {"outcome": "landed", "commit": own, "branch": planned.branch}


async def land_rest(services: Services) -> Outcome:
    """What was accepted and has not landed, where no run is left that could land it: `{"commits": how many, "branch",
    "old", "new"}`. No hook is told: hooks belong to a run, and none goes on here.

    Repeated after a crash it finds what it did: also where the commits were on the branch already, and only their runs
    did not say so yet. Raises `LandingRefused` as a run's landing does, and where the person's branch went on: no gate
    ran on what would come of both.
    """
    planned = await services.workspace.plan_landing()
    if planned.needs_gates:
        raise LandingRefused(
            f"{planned.branch} went on meanwhile, and no gate has run on the two together.",
            hint="Start the landing again.",
            stale=True,
        )
    accepted = not_landed(services)
    path = services.spec(accepted[0]["id"]).plan.path if accepted else None
    landed = await services.workspace.finish_landing(planned, plan_path=path)
    if accepted or landed.commits:
        await _record(services, planned.branch, landed.old, landed.new)
    return {"commits": len(landed.commits), "branch": planned.branch, "old": landed.old, "new": landed.new}


def not_landed(services: Services) -> list[dict[str, Any]]:
    """Runs whose work was accepted and has not landed, newest first."""
    return [row for row in services.store.find_runs(limit=200) if row["outcome"] == "accepted"]


async def _record(services: Services, branch: str, old: str, new: str, run: str | None = None) -> str | None:
    """Every run whose work is on the person's branch now. The commit of `run`."""
    own = None
    for row in services.store.find_runs(limit=200):
        if row["id"] == run or row["outcome"] == "accepted":
            commit = await _landed_as(services, row, new, branch)
            own = commit if row["id"] == run else own
    services.events.emit("landing.done", {"branch": branch, "old": old, "new": new}, run)
    return own


async def _landed_as(services: Services, row: dict[str, Any], tip: str, branch: str) -> str | None:
    """Record under which commit a run's work is on the person's branch; a rebase gave it a new one. None: it is not."""
    if row["commit_id"] is None or row["base"] is None:
        return None
    commit = await services.workspace.commit_of(row["id"], tip, since=row["base"])
    if commit is None:
        return None
    services.store.update_run(row["id"], commit_id=commit, branch=branch)
    if row["outcome"] == "accepted":
        services.store.update_run(row["id"], outcome="landed")
    await mark(services, services.spec(row["id"]), "committed", commit[:7])
    return commit


def _refused(problem: DevloopError) -> Outcome:
    files = list(problem.details.get("files") or ())
    return {"outcome": "refused", "reason": problem.message, "hint": problem.hint, "files": files}


async def give_back(services: Services, run: str, kind: str, reason: str) -> Outcome:
    """The task's marker after a run that was not accepted; `kind` is discarded, partial, blocked or reset."""
    spec = services.spec(run)
    try:
        await mark(services, spec, kind, one_line(printable(services.redactor.text(reason)), 200))
    except DevloopError as problem:
        services.notice(run, f"The plan could not be changed: {problem.message}")
    return {"outcome": "given_back"}


async def keep_or_drop(services: Services, run: str, *, discarded: bool) -> None:
    """Remove the worktree. Work that is on no branch stays reachable from a private ref for 30 days."""
    if discarded:
        await services.workspace.discard(run)
    else:
        await services.workspace.release(run)
