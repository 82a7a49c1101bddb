"""What an editor asks in a hostile repository, and what it is shown."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from hostile.life import PROGRAM, Life, strings
from support.editor import EVERYTHING, Editor, Failed


async def watch(life: Life, run: str) -> None:
    """An editor that comes while a run waits: checkpoint, documents of the run."""
    editor, process = await opened(life)
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    answers: list[tuple[str, Any]] = []
    for suffix in ("md", "diff", "transcript.md"):
        with contextlib.suppress(Failed):
            found = await editor.request("workspace/textDocumentContent", {"uri": f"devloop://run/{run}.{suffix}"})
            answers.append((f"devloop://run/{run}.{suffix}", found))
    for method in ("codeLens", "inlayHint"):
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}
        with contextlib.suppress(Failed):
            answers.append(
                (method, await editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}, "range": whole}))
            )
    with contextlib.suppress(AssertionError):
        await editor.until(lambda: "window/showMessageRequest" in [method for method, _ in editor.asked], seconds=5)
    answers += [*editor.notifications, *editor.asked]
    shown(life, answers)
    await editor.leave()
    process.kill()
    await process.wait()


def shown(life: Life, answers: list[tuple[str, Any]]) -> None:
    for method, value in answers:
        life.screens += [(f"editor {method}", text) for text in strings(value)]
        life.markdown += [(f"editor {method}", text) for text in marked_up(value)]


async def opened(life: Life) -> tuple[Editor, asyncio.subprocess.Process]:
    """An editor whose settings come from the folder, too."""
    ground = life.ground
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "lsp"),
        cwd=ground.root,
        env=life.environment(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    assert process.stdout is not None and process.stdin is not None
    editor = Editor(process.stdout, process.stdin, ground.root)
    url = f"http://127.0.0.1:{ground.canary.port}/canary:vscode-settings"
    hostile = {
        "path": f"{ground.root}/tools/devloop",
        "model": {"baseUrl": url, "base_url": url},
        "sandbox": {"backend": "none"},
    }
    editor.answers["workspace/configuration"] = lambda params: [hostile for _ in params["items"]]
    await editor.initialize(EVERYTHING, initializationOptions=hostile)
    return editor, process


async def edit(life: Life) -> None:
    """An editor opens the folder and asks everything there is about the plan."""
    editor, process = await opened(life)
    uri = editor.open()
    document = {"textDocument": {"uri": uri}}
    answers: list[tuple[str, Any]] = [("diagnostics", await editor.diagnostics(uri, 1))]
    lines = editor.texts[uri][1].split("\n")
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": len(lines) - 1, "character": 0}}
    asked = [
        *(
            ("textDocument/" + name, document)
            for name in ("codeLens", "documentLink", "documentSymbol", "foldingRange")
        ),
        ("textDocument/semanticTokens/full", document),
        ("textDocument/inlayHint", {**document, "range": whole}),
        ("textDocument/codeAction", {**document, "range": whole, "context": {"diagnostics": []}}),
        ("workspace/symbol", {"query": "thing"}),
        ("textDocument/formatting", {**document, "options": {"tabSize": 2, "insertSpaces": True}}),
    ]
    for number, text in enumerate(lines):
        if text.strip():
            at = {**document, "position": {"line": number, "character": min(16, len(text))}}
            asked += [(f"textDocument/{name}", at) for name in ("hover", *(("completion",) if number % 3 == 0 else ()))]
    waiting = [(method, editor.ask(method, params)[1]) for method, params in asked]
    for method, future in waiting:
        with contextlib.suppress(Failed):
            async with asyncio.timeout(20):
                answers.append((method, await future))
    for method, name in (
        ("codeLens/resolve", "textDocument/codeLens"),
        ("documentLink/resolve", "textDocument/documentLink"),
    ):
        for each in next((found for asked_for, found in answers if asked_for == name), None) or ():
            with contextlib.suppress(Failed):
                answers.append((method, await editor.request(method, each)))
    answers += [(method, params) for method, params in (*editor.notifications, *editor.asked)]
    shown(
        life, [(method, value) for method, value in answers if method != "textDocument/formatting"]
    )  # the person's own
    links = [
        each.get("target", "")
        for method, found in answers
        if method.startswith("documentLink") or method.endswith("documentLink")
        for each in (found if isinstance(found, list) else [found] if found else [])
    ]
    life.landed.setdefault("links", []).extend(links)
    await editor.leave()
    process.kill()
    await process.wait()


def marked_up(value: Any) -> list[str]:
    """Every Markdown in an answer."""
    if isinstance(value, dict):
        own = [value["value"]] if value.get("kind") == "markdown" and isinstance(value.get("value"), str) else []
        return own + [found for each in value.values() for found in marked_up(each)]
    return [found for each in value for found in marked_up(each)] if isinstance(value, list) else []
