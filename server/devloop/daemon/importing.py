"""`devloop/import`: a foreign task list as the plan: shown first, written when that is wanted, never over another plan
unasked (plan-format §21)."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from devloop import beginning
from devloop import plan as plans
from devloop.daemon.documents import Documents, PlanText
from devloop.daemon.open_plans import EditsOf
from devloop.errors import NotFound, Refused, StaleEdit, UsageError
from devloop.lists import some
from devloop.own_files import write
from devloop.plan import importing, lines
from devloop.plan.proposing import patch
from devloop.plan.refactor import FOLDER
from devloop.redact import one_line

Params = Mapping[str, Any]
Answer = dict[str, Any]

REPLACED: Final = f"{FOLDER}/replaced"
"""Plans that another one took the place of. Apart from archived phases: their tasks satisfy no dependency."""


def proposal(documents: Documents, params: Params) -> tuple[Answer, PlanText | None]:
    """What an import would write, and the plan that is there now. Writes nothing; blocks.

    `{"kind", "source", "text", "tasks", "notes", "problems", "path", "exists", "patch"}`: `path` is where the plan is
    or would be, `patch` what would change there (empty where there is none). Raises `UsageError` for a wrong call.
    """
    text, source = _text(params, "text"), _text(params, "source", default="")
    kind, tag = _text(params, "as", default=""), _text(params, "tag", default="")
    if kind and kind not in importing.KINDS:
        raise UsageError(f"Import it as what? {one_line(kind, 40)!r} is none of them.", hint=", ".join(importing.KINDS))
    now = datetime.now().astimezone()
    before, plan = plan_there(documents)
    found = importing.imported(kind, text, source=source, now=f"{now:%Y-%m-%d %H:%M}", tag=tag, before=plan)
    path = before.relative if before else beginning.PLAN
    answer = {
        "kind": found.kind,
        "source": source,
        "text": found.text,
        "tasks": found.tasks,
        "notes": [asdict(note) for note in found.notes],
        "problems": [asdict(problem) for problem in found.problems],
        "path": path,
        "exists": before is not None,
        "patch": patch(before.text, found.text, path) if before else "",
    }
    return answer, before


def plan_there(documents: Documents) -> tuple[PlanText, plans.Plan] | tuple[None, None]:
    """The plan that is there. Raises `NotFound` where one is named and is none."""
    try:
        return documents.plan()
    except NotFound:
        if documents.explicit is not None:
            raise
        return None, None


def _text(params: Params, name: str, *, default: str | None = None) -> str:
    value = params.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise UsageError(f"`{name}` must be text.")
    return value


async def import_plan(
    documents: Documents, params: Params, open_runs: Collection[str]
) -> tuple[Answer, PlanText | None]:
    """The proposal, and with `write` also `"written"` and `"archived"` (the old plan's file, or null).

    Raises `Refused` where there is nothing to write, where a plan is there and `replace` is not said, and while a run
    is open; `StaleEdit` when the plan is changed at the same time: then nothing was replaced.
    """
    answer, before = await asyncio.to_thread(proposal, documents, params)
    answer |= {"written": False, "archived": None}
    if params.get("write") is not True:
        return answer, None
    if not answer["tasks"]:
        raise Refused("There is no task in it; nothing was written.", hint=one_line("; ".join(_told(answer)), 300))
    written, archived, after = await write_plan(
        documents, before, answer["text"], replace=params.get("replace") is True, open_runs=open_runs
    )
    return answer | {"written": written, "archived": archived}, after


async def write_plan(
    documents: Documents, before: PlanText | None, text: str, *, replace: bool, open_runs: Collection[str]
) -> tuple[bool, str | None, PlanText | None]:
    """Make a text the plan: whether it was written, where the old one is now, and the plan then, if there was one.

    `before`: the plan that is there. Raises `Refused` where it is not to be replaced, or has open runs; `StaleEdit`
    when it is changed at the same time: then nothing was replaced.
    """
    data = lines.encode(text)
    if before is None:
        await asyncio.to_thread(_create, documents.root, data)
        return True, None, None
    if before.data == data:
        return False, None, None
    if not replace:
        raise Refused(
            f"There is a plan already: {before.relative}. Nothing was written.",
            hint=f"With --replace it goes to {REPLACED}/ and this one takes its place.",
        )
    if open_runs:
        runs = some(sorted(open_runs), 5)
        raise Refused("Runs of this plan are open; it is not replaced now.", hint=f"End them first: {runs}.")
    archived = await asyncio.to_thread(_archive, documents.root, before)
    try:
        after, _ = await documents.record(_replacing(before, text), "devloop: replace the plan")
    except BaseException:
        with contextlib.suppress(OSError):
            archived.unlink()
        raise
    return True, archived.relative_to(documents.root).as_posix(), after


def _told(answer: Answer) -> list[str]:
    return [problem["message"] for problem in answer["problems"]]


def _replacing(before: PlanText, text: str) -> EditsOf:
    wanted = lines.split(text.removeprefix(lines.BOM))

    def edits_of(plan: plans.Plan) -> Sequence[plans.Edit]:
        """Of the text that was archived, and of no other."""
        current = plan.document.lines()
        if current == wanted:
            return ()
        if plan.data != before.data:
            raise StaleEdit("The plan was changed meanwhile.", hint="Look at it and import again.")
        return (plans.difference(current, wanted),)

    return edits_of


def _create(root: Path, data: bytes) -> None:
    """The plan where none is: all of it or nothing, and never over a file that came in between."""
    try:
        write(root, beginning.PLAN, data, new=True)
    except FileExistsError:
        raise Refused(f"There is a plan already: {beginning.PLAN}. Nothing was written.") from None
    if (root / ".git").exists():
        beginning.ignore(root)


def _archive(root: Path, before: PlanText) -> Path:
    """The old plan as it stood, in a file of its own."""
    slug = re.sub(r"[^\w.]+", "-", plans.parse(before.data).name.lower()).strip("-.")[:60].strip("-.") or "plan"
    stamp = f"{datetime.now().astimezone():%Y%m%d_%H%M%S}"
    for count in range(1, 100):
        path = f"{REPLACED}/{slug}_{stamp}{f'_{count}' if count > 1 else ''}.md"
        try:
            write(root, path, before.data, new=True)
        except FileExistsError:
            continue
        return root / path
    raise Refused(f"There are too many files of this second in {REPLACED}.", hint="Try again in a second.")
