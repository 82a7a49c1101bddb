"""What is said of a checkpoint, on a line, in a message, as buttons; and where in the plan it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from devloop.daemon import wording
from devloop.errors import StaleEdit
from devloop.lsp import decisions
from devloop.lsp.run_texts import DECISIONS, checkpoint_number, offered
from devloop.redact import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from devloop.daemon.run_view import RunView
    from devloop.lsp.buffers import Snapshot
    from devloop.lsp.editor import Editor

CODE: Final = "checkpoint"
SHOW_CHANGES: Final = "Show changes"
MAX_CHOICES: Final = 6
WHOLE: Final = 400
QUESTION: Final = 4_200
"""Characters of a question: as many as an agent may ask with."""
_INFORMATION, _WARNING = 3, 2
_SYMBOLS: Final = {"pass": "✓", "fail": "✗", "error": "!", "skipped": "–"}

Row = dict[str, Any]


def kind(view: RunView) -> str:
    return str((view.checkpoint or {}).get("kind") or "decision")


def summary(view: RunView, limit: int = WHOLE) -> str:
    """Everything that fits on a line: what is asked or was done, verdicts, size, spending."""
    checkpoint: Mapping[str, Any] = view.checkpoint or {}
    question = checkpoint.get("question")
    asked = question.get("text") if isinstance(question, dict) else None
    said = one_line(str(asked or checkpoint.get("problem") or checkpoint.get("summary") or ""), 240)
    if asked and limit >= WHOLE:  # a yes to a command is a yes to all of it
        said = one_line(str(asked), QUESTION)
        limit += len(said)
    parts = [_since(checkpoint), _gates(checkpoint), _changes(checkpoint), _spent(view, checkpoint), _best(checkpoint)]
    figures = " · ".join(part for part in parts if part)
    told = f"{said} ({figures})" if said else figures
    return one_line(f"{wording.CHECKPOINTS.get(kind(view), 'It waits for you')}: {told}", limit)


def _gates(checkpoint: Mapping[str, Any]) -> str:
    gates = [gate for gate in checkpoint.get("gates") or () if isinstance(gate, dict)]
    return ", ".join(
        f"{_SYMBOLS.get(str(gate.get('verdict')), '?')} {one_line(str(gate.get('gate')), 40)}" for gate in gates[:6]
    )


def _since(checkpoint: Mapping[str, Any]) -> str:
    accepted = checkpoint.get("accepted")
    if not isinstance(accepted, dict):
        return ""
    figures = (
        f"{wording.many(int(accepted.get('files') or 0), 'file')}, +{accepted.get('added')} −{accepted.get('deleted')}"
    )
    return f"{wording.many(len(accepted.get('tasks') or ()), 'task')} since the last checkpoint: {figures}"


def _best(checkpoint: Mapping[str, Any]) -> str:
    """What is recommended; Continue needs no word, as it stands first."""
    best, why = checkpoint.get("recommended"), checkpoint.get("why")
    if best in (None, "continue") or best not in DECISIONS:
        return one_line(f"look first: {why}", 80) if best is None and why else ""
    return one_line(f"{DECISIONS[best].rstrip('…')} is recommended{f': {why}' if why else ''}", 120)


def _changes(checkpoint: Mapping[str, Any]) -> str:
    diff = checkpoint.get("diff")
    if not isinstance(diff, dict) and (said := proposed(checkpoint)):
        return said
    if not isinstance(diff, dict):
        return "no file was changed" if checkpoint.get("kind") == "decision" else ""
    many = "" if diff.get("files") == 1 else "s"
    return f"{diff.get('files')} file{many}, +{diff.get('added')} −{diff.get('deleted')}"


def proposed(checkpoint: Mapping[str, Any]) -> str:
    """What accepting would make of the plan, in words; empty for nothing."""
    proposal = checkpoint.get("proposal")
    said = proposal.get("said") if isinstance(proposal, dict) and proposal.get("patch") else None
    return f"plan: {one_line(str(said), 120)}" if said else ""


def _spent(view: RunView, checkpoint: Mapping[str, Any]) -> str:
    turns = checkpoint.get("turns") or view.turn
    scripted = " scripted" if view.scripted else ""
    cost = checkpoint.get("cost_usd", view.cost_usd)
    return f"{turns} turn{'' if turns == 1 else 's'}, {wording.money(cost)}{scripted}"


def group_commands(views: Sequence[RunView]) -> list[Row]:
    """What can be answered to all tasks of a group at once: decisions that every checkpoint offers and that need no
    words, in the first one's order."""
    possible = [each for each in offered(views[0]) if each not in wording.QUESTIONS]
    for view in views[1:]:
        possible = [each for each in possible if each in offered(view)]
    about: Row = {"group": (views[0].group or {}).get("id")}
    about["checkpoints"] = {view.id: checkpoint_number(view) for view in views}
    return [
        {"title": f"{DECISIONS[each]} (all)", "command": "devloop.decide", "arguments": [{**about, "decision": each}]}
        for each in possible
    ]


def decision_commands(view: RunView, uri: str | None) -> list[Row]:
    """What can be done at the open checkpoint: `{"title", "command", "arguments"}` each, in the checkpoint's order.

    Choices of a question stand for its answers. The last entry shows the changes, when there are any.
    """
    checkpoint: Mapping[str, Any] = view.checkpoint or {}
    about: Row = {"uri": uri} if uri else {}
    about |= {"run": view.id, "checkpoint": checkpoint_number(view)}
    found: list[Row] = []
    possible = offered(view)
    question = checkpoint.get("question")
    choices = list((question if isinstance(question, dict) else {}).get("choices") or ())[:MAX_CHOICES]
    for decision in possible:
        if decision == "answer" and choices:
            taken = {DECISIONS[each] for each in possible} | {SHOW_CHANGES}
            for choice in dict.fromkeys(str(each) for each in choices):
                title = one_line(choice, 60)
                title = f"Answer: {title}" if title in taken or not title else title
                taken.add(title)
                arguments = {**about, "decision": "answer", "message": choice}
                found.append({"title": title, "command": "devloop.decide", "arguments": [arguments]})
            continue
        arguments = {**about, "decision": decision}
        found.append({"title": DECISIONS[decision], "command": "devloop.decide", "arguments": [arguments]})
    if checkpoint.get("diff") or proposed(checkpoint):
        found.append({"title": SHOW_CHANGES, "command": "devloop.showDiff", "arguments": [about]})
    return found


def marks(editor: Editor, snapshot: Snapshot) -> list[Row]:
    """The diagnostics of the runs that wait, each on its task's line. Costs nothing where none waits."""
    if not snapshot.main:
        return []
    found = []
    for view in editor.board.open:
        if not (view.needs_person and view.checkpoint):
            continue
        try:
            line = decisions.task_of(snapshot.plan, view).line
        except StaleEdit:
            line = 1  # its task is not in the plan any more, yet somebody has to decide
        text = snapshot.document.line(line - 1)
        start = len(text) - len(text.lstrip())
        place = editor.positions.range(snapshot.document, line, start, len(text.rstrip()))
        item: Row = {
            "range": editor.protocol.plain(place),
            "severity": _INFORMATION if kind(view) == "decision" else _WARNING,
            "code": CODE,
            "source": "devloop",
            "message": summary(view),
        }
        if editor.client.can("textDocument.publishDiagnostics.dataSupport"):
            item["data"] = {"run": view.id, "checkpoint": checkpoint_number(view)}
        found.append(item)
    return found
