"""A run as a Markdown page: what `devloop show` says, to read in an editor."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from devloop.daemon import wording
from devloop.lsp.texts import code, escaped
from devloop.redact import file_name, printable, visible

Row = Mapping[str, Any]


def run_page(shown: Row) -> str:
    """From the answer to `devloop/show`."""
    return "\n".join(_lines(shown)) + "\n"


def _lines(shown: Row) -> Iterator[str]:
    run = shown["run"]
    name = f"{run['task']} {run.get('title') or ''}"
    yield f"# {escaped(name)}\n"
    state = str(run.get("outcome") or run["state"])
    model = f"{run.get('model') or ''}{' (scripted)' if run.get('scripted') else ''}"
    yield f"- Run {code(str(run['id']))}, attempt {run.get('attempt')}: **{escaped(state)}**"
    if run.get("reason"):
        yield f"- Reason: {escaped(str(run['reason']), 600)}"
    if run.get("waiting_for"):
        yield f"- It waits for {escaped(str(run['waiting_for']))}"
    yield f"- Agent {escaped(str(run.get('agent') or ''))}, model {escaped(model)}"
    yield f"- {wording.tokens(run.get('tokens'))} tokens, {escaped(wording.money(run.get('cost_usd')))}"
    yield from _checkpoint(shown.get("checkpoint"), str(run["id"]))
    yield from _report(shown.get("report") if run["state"] == "ended" else None)
    yield from _gates(shown.get("gates") or ())
    yield from _turns(shown.get("turns") or ())
    if shown.get("notices"):
        yield "\n## Notices\n"
        for notice in shown["notices"]:
            yield f"- {escaped(str(notice), 400)}"


def _checkpoint(checkpoint: Row | None, run: str) -> Iterator[str]:
    if not checkpoint:
        return
    yield "\n## It waits for you\n"
    question = checkpoint.get("question")
    asked = question.get("text") if isinstance(question, dict) else None
    for text in (asked, checkpoint.get("problem"), checkpoint.get("summary")):
        if text:
            yield "".join(f"> {escaped(line, 2000)}\n" for line in printable(str(text)).splitlines())
    yield f"Decisions: {', '.join(escaped(str(each)) for each in checkpoint.get('decisions') or ())}"
    if secrets := [each for each in checkpoint.get("secrets") or () if "recheck" in checkpoint.get("decisions", ())]:
        yield f"\nWhat is no secret: {code(f'devloop decide {run} recheck --not-secret ID')}\n"
        yield from (f"- {code(str(each.get('id')))} {escaped(wording.secret(each))}" for each in secrets)
    diff = checkpoint.get("diff")
    if isinstance(diff, dict):
        yield f"\n{wording.many(int(diff.get('files') or 0), 'file')}, +{diff.get('added')} −{diff.get('deleted')}\n"
        for file in diff.get("list") or ():
            yield f"- {code(file_name(str(file.get('path'))))} +{file.get('added') or 0} −{file.get('deleted') or 0}"
    yield from _proposal(checkpoint.get("proposal"))


def _report(report: Row | None) -> Iterator[str]:
    if report and report.get("text"):
        yield "\n## Report\n"
        yield "".join(f"> {escaped(line, 2000)}\n" for line in printable(str(report["text"])).splitlines())


def _proposal(proposal: Any) -> Iterator[str]:
    """What accepting would make of the plan."""
    if not isinstance(proposal, dict):
        return
    yield f"\n{code(str(proposal.get('path')))}: {escaped(str(proposal.get('said') or 'nothing changes'), 400)}\n"
    for text in (*(proposal.get("left_out") or ()), *(proposal.get("notes") or ())):
        yield f"- {escaped(str(text), 400)}"
    patch = printable(visible(str(proposal.get("patch") or ""), code=True)).rstrip()
    if patch:
        edge = "~" * (max((len(found) for found in re.findall("~+", patch)), default=0) + 3)
        yield f"\n{edge}diff\n{patch}\n{edge}"


def _gates(gates: Any) -> Iterator[str]:
    if gates:
        yield "\n## Gates\n"
    for gate in gates:
        reason = escaped(str(gate.get("reason") or ""), 400)
        told = f"{escaped(str(gate.get('gate')))}: **{escaped(str(gate.get('verdict')))}**"
        yield f"- {told}{f' – {reason}' if reason else ''}"


def _turns(turns: Any) -> Iterator[str]:
    if turns:
        yield "\n## Turns\n"
    for turn in turns:
        tools = [
            str(each.get("summary") or each.get("name") or "") if isinstance(each, dict) else str(each)
            for each in turn.get("tools") or ()
        ]
        told = "; ".join(escaped(each, 120) for each in tools[:20]) or escaped(str(turn.get("stop_reason") or ""))
        cost = f"{wording.tokens(turn.get('tokens'))} tokens, {escaped(wording.money(turn.get('cost_usd')))}"
        yield f"{turn.get('number')}. {told} ({cost})"
