"""The traps of a language server on pygls, one by one through the wire (language-server reference, §4)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import threading
import weakref

import pytest

import devloop
from devloop.errors import Unavailable
from devloop.lsp.features import document_symbol, hover
from support import runs
from support.editor import EVERYTHING, HOLD, Failed

WORDS = "entirely-private-words"


def symbols(editor, uri):
    return editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})


def folds(editor, uri):
    return editor.ask("textDocument/foldingRange", {"textDocument": {"uri": uri}})


async def settle(condition):
    """Until what happens on the server's side of this loop has happened."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.002)


# 4.1 and 4.2: lines end where the protocol says, and positions are clamped

PLACES = [
    ("a\u2028b\nsecond\n", "utf-16", (1, 0), "a\u2028b\nXsecond\n"),
    ("a\x0cb\nsecond\n", "utf-16", (1, 0), "a\x0cb\nXsecond\n"),
    ("a\x85b\nsecond\n", "utf-8", (1, 0), "a\x85b\nXsecond\n"),
    ("abc", "utf-16", (0, 10), "abcX"),
    ("abc\r\nd\r\n", "utf-8", (0, 99), "abcX\r\nd\r\n"),
    ("a\n", "utf-16", (1, 0), "a\nX"),
    ("a\n", "utf-16", (9, 9), "a\nX"),
    ("abc\rd\r", "utf-16", (1, 0), "abc\rXd\r"),
    ("a😀b", "utf-16", (0, 3), "a😀Xb"),
    ("a😀b", "utf-8", (0, 5), "a😀Xb"),
]


@pytest.mark.parametrize(("text", "encoding", "at", "wanted"), PLACES)
async def test_an_edit_lands_where_the_protocol_says(editors, text, encoding, at, wanted):
    editor = await editors()
    answer = await editor.initialize({**EVERYTHING, "general": {"positionEncodings": [encoding]}})
    assert answer["capabilities"]["positionEncoding"] == encoding
    uri = editor.open(text=text)
    place = {"line": at[0], "character": at[1]}
    change = {"range": {"start": place, "end": place}, "text": "X"}
    document = {"uri": uri, "version": 2}
    editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    await editor.diagnostics(uri, 2)
    (connection,) = editors.server.connections
    assert connection.buffers[uri].document.text == wanted


# 4.3: whatever blocks, somebody reads


async def test_a_ping_is_answered_while_eight_jobs_block_all_threads(editors, monkeypatch):
    """More of them than an ordinary pool has workers on two cores (six); `bench_ping.py` has the figures."""
    blocked, free = threading.Semaphore(0), threading.Event()

    def block():
        blocked.release()
        free.wait(20)

    async def slow(connection, params):
        await asyncio.to_thread(block)

    monkeypatch.setattr(hover, "handle", slow)
    editor = await editors()
    await editor.initialize()
    uri = editor.open()
    place = {"textDocument": {"uri": uri}, "position": {"line": 7, "character": 8}}
    jobs = [editor.ask("textDocument/hover", place)[1] for _ in range(8)]
    try:
        await settle(lambda: blocked._value >= min(8, (os.cpu_count() or 1) + 4))
        found = await editor.request("textDocument/foldingRange", {"textDocument": {"uri": uri}}, seconds=5)
        assert found
        assert not any(job.done() for job in jobs)
    finally:
        free.set()
    assert await asyncio.gather(*jobs) == [None] * 8


# 4.4: cancelling


async def test_a_cancelled_request_ends_its_coroutine_and_is_answered_with_the_protocols_error(editors, monkeypatch):
    begun, seen = asyncio.Event(), []

    async def endless(connection, params):
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    monkeypatch.setattr(document_symbol, "handle", endless)
    editor = await editors()
    await editor.initialize()
    number, answer = symbols(editor, editor.open())
    await begun.wait()
    editor.notify("$/cancelRequest", {"id": number})
    with pytest.raises(Failed) as failed:
        await asyncio.wait_for(answer, 5)
    assert failed.value.error == {"code": -32800, "message": "cancelled"}
    assert seen == ["cancelled"]


async def test_a_request_that_is_cancelled_before_its_turn_is_never_begun(editors, monkeypatch):
    begun = []

    async def handle(connection, params):
        begun.append(params)

    monkeypatch.setattr(document_symbol, "handle", handle)
    editor = await editors()
    await editor.initialize()
    uri = editor.open()
    (connection,) = editors.server.connections
    await settle(lambda: uri in connection.buffers)
    # Both messages are there before the server's loop gets a turn: the request is still queued.
    message = {"jsonrpc": "2.0", "id": "q", "method": "textDocument/documentSymbol"}
    connection.protocol.receive({**message, "params": {"textDocument": {"uri": uri}}})
    connection.protocol.receive({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "q"}})
    await editor.until(lambda: [each for each in editor.told("") if each["id"] == "q"], "the answer")
    assert editor.told("")[-1]["error"]["code"] == -32800
    assert begun == []


@pytest.mark.parametrize("params", [{"id": 999}, {"id": None}, {"id": [1]}, {"id": {"a": 1}}, {}, None, [], "x"])
async def test_cancelling_what_is_not_there_is_no_error(editor, params):
    editor.notify("$/cancelRequest", params)
    uri = editor.open()
    assert await symbols(editor, uri)[1]
    assert editor.told("") == []


# 4.5: several clients


async def test_every_answer_goes_to_the_editor_that_asked(editors):
    made = [await editors() for _ in range(8)]
    for number, each in enumerate(made):
        await each.initialize()
        each.open(text=f"# Plan: P{number}\n\n## Phase 1: Of {number}\n\n- [ ] Task 1.{number}: Mine\n")
    uri = made[0].uri()
    asked = [(number, folds(each, uri)[1], symbols(each, uri)[1]) for number, each in enumerate(made) for _ in range(5)]
    for number, _, answer in asked:
        assert f"Of {number}" in json.dumps(await answer)
    for each in made:
        assert each.told("") == []


async def test_what_one_editor_types_is_its_own_until_it_is_saved(editors):
    first, second = await editors(), await editors()
    for each in (first, second):
        await each.initialize()
    uri = first.open()
    second.open()
    assert await first.diagnostics(uri, first.type(uri, 7, 38, "9.9,"))
    assert await second.diagnostics(uri, 1) == []
    assert all(pushed["version"] == 1 for pushed in second.told("textDocument/publishDiagnostics"))


# 4.6: what goes wrong inside stays inside

LEAKS = [
    ValueError(f"{WORDS} in {devloop.__file__}"),
    KeyError(WORDS),
    RecursionError(WORDS),
    OSError(2, WORDS, "/etc/shadow"),
    asyncio.InvalidStateError(WORDS),
    UnicodeDecodeError("utf-8", WORDS.encode(), 0, 1, WORDS),
]


@pytest.mark.parametrize("problem", LEAKS, ids=lambda problem: type(problem).__name__)
async def test_a_handlers_exception_becomes_one_sentence(editors, monkeypatch, problem, caplog):
    async def boom(connection, params):
        raise problem

    monkeypatch.setattr(document_symbol, "handle", boom)
    editor = await editors()
    await editor.initialize()
    with pytest.raises(Failed) as failed:
        await symbols(editor, editor.open())[1]
    assert failed.value.error == {
        "code": -32603,
        "message": "textDocument/documentSymbol failed inside devloop; its log says more.",
    }
    assert any(record.exc_info and record.exc_info[1] is problem for record in caplog.records)
    await editor.leave()
    told = json.dumps([editor.notifications, editor.asked])
    assert WORDS not in told and "Traceback" not in told and "/" + "site-packages" not in told
    assert editor.told("window/showMessage") == []


async def test_an_exception_in_a_notification_is_told_to_nobody(editors, monkeypatch, caplog):
    from devloop.lsp.features import did_save

    def boom(connection, params):
        raise ValueError(WORDS)

    monkeypatch.setattr(did_save, "handle", boom)
    editor = await editors()
    await editor.initialize()
    uri = editor.open()
    await editor.diagnostics(uri, 1)
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}})
    assert await symbols(editor, uri)[1]
    assert WORDS in caplog.text
    assert WORDS not in json.dumps([editor.notifications, editor.asked])


async def test_an_error_that_is_meant_for_people_arrives_as_its_sentence(editors, monkeypatch):
    async def refuse(connection, params):
        raise Unavailable("There is no such thing.", hint="Look elsewhere.")

    monkeypatch.setattr(document_symbol, "handle", refuse)
    editor = await editors()
    await editor.initialize()
    with pytest.raises(Failed) as failed:
        await symbols(editor, editor.open())[1]
    assert failed.value.error["message"] == "There is no such thing. Look elsewhere."
    assert failed.value.error["code"] == -32803
    assert "traceback" not in json.dumps(failed.value.error).lower()


# 4.7: progress


@pytest.mark.parametrize("outcome", ["landed", "failed", "cancelled"])
async def test_no_progress_token_is_left_after_a_run_however_it_ends(editor, editors, service, outcome):
    (connection,) = editors.server.connections
    await settle(lambda: connection in editors.server.live.joined)
    progress = editors.server.live.progress[connection]
    for number in range(5):
        run = f"run-{number}"
        runs.queued(service, run)
        runs.working(service, run)
        await settle(lambda n=number: progress.tokens and len(begun(editor)) > n)
        runs.ended(service, run, outcome)
        await editor.until(lambda n=number: len(kinds(editor, "end")) > n, "the end of the bar")
        assert progress.tokens == []
    created = [params["token"] for method, params in editor.asked if method == "window/workDoneProgress/create"]
    assert len(set(created)) == 5
    assert {params["token"] for params in editor.told("$/progress")} == set(created)
    assert connection.protocol._asked == {}


async def test_a_run_that_ends_before_its_bar_was_created_leaves_no_token(editors, service):
    editor = await editors()
    editor.answers["window/workDoneProgress/create"] = HOLD
    await editor.initialize()
    (connection,) = editors.server.connections
    runs.queued(service)
    await editor.until(lambda: [m for m, _ in editor.asked if m == "window/workDoneProgress/create"], "the question")
    runs.ended(service)
    number = next(iter(connection.protocol._asked))
    editor.send({"id": number, "result": None})
    await editor.until(lambda: kinds(editor, "end"), "the end")
    assert [params["value"]["kind"] for params in editor.told("$/progress")] == ["begin", "end"]
    assert editors.server.live.progress[connection].tokens == []


async def test_an_editor_that_refuses_bars_gets_none_and_leaves_no_token(editors, service):
    editor = await editors()
    await editor.initialize({**EVERYTHING, "window": {**EVERYTHING["window"], "workDoneProgress": False}})
    (connection,) = editors.server.connections
    await settle(lambda: connection in editors.server.live.joined)
    runs.queued(service)
    runs.working(service)
    await symbols(editor, editor.open())[1]
    assert editor.told("$/progress") == []
    assert editors.server.live.progress[connection].tokens == []


def kinds(editor, kind):
    return [params for params in editor.told("$/progress") if params["value"]["kind"] == kind]


def begun(editor):
    return kinds(editor, "begin")


# 4.8: late answers


async def test_a_late_answer_to_a_withdrawn_question_means_nothing(editors, service, caplog):
    editor = await editors()
    editor.answers["window/showMessageRequest"] = HOLD
    await editor.initialize()
    (connection,) = editors.server.connections
    uri = editor.open()
    runs.queued(service)
    runs.working(service)
    runs.waiting(service)
    await editor.until(lambda: "window/showMessageRequest" in dict(editor.asked), "the question")
    questions = [n for n, (m, _) in connection.protocol._asked.items() if m == "window/showMessageRequest"]
    runs.ended(service)
    await editor.until(lambda: editor.withdrawn == questions, "the question is withdrawn")
    assert not set(questions) & set(connection.protocol._asked)
    for answer in ({"result": {"title": "Commit"}}, {"result": 7}, {"error": {"code": 1, "message": "late"}}, {}):
        editor.send({"id": questions[0], **answer})
    editor.send({"id": "never-asked", "result": None})
    assert await symbols(editor, uri)[1]
    assert service.engine.requests == []
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


# 4.10: leaving


async def test_exit_ends_one_connection_and_nothing_else(editors):
    first, second = await editors(), await editors()
    for each in (first, second):
        await each.initialize()
    uri = second.open()
    assert await first.request("shutdown") is None
    first.notify("exit")
    await first.until(lambda: first.closed, "the connection is closed")
    third = await editors()
    first.notify("exit")  # without `initialize`, `shutdown`, anything
    await third.initialize()
    third.notify("exit")
    await third.until(lambda: third.closed, "the connection is closed")
    assert await symbols(second, uri)[1]
    await settle(lambda: len(editors.server.connections) == 1)


async def test_nothing_of_a_connection_is_left_after_its_end(editors, service):
    """Neither the polite nor the others: listeners, tokens, buffers, caches, pygls' own tables."""
    staying = await editors()
    staying.answers["window/showMessageRequest"] = HOLD
    await staying.initialize()
    (kept,) = editors.server.connections
    gone, buffers = [], []
    for ending in ("leave", "vanish", "leave", "vanish"):
        editor = await editors()
        editor.answers["window/showMessageRequest"] = HOLD
        await editor.initialize()
        uri = editor.open()
        runs.queued(service, f"run-{ending}-{len(gone)}")
        runs.waiting(service, f"run-{ending}-{len(gone)}")
        await editor.until(lambda editor=editor: "window/showMessageRequest" in dict(editor.asked), "the question")
        place = {"textDocument": {"uri": uri}, "position": {"line": 7, "character": 8}}
        for method in ("documentSymbol", "foldingRange", "codeLens", "semanticTokens/full", "hover", "documentLink"):
            await editor.request(f"textDocument/{method}", place)
        connection = next(each for each in editors.server.connections if each is not kept)
        gone.append(weakref.ref(connection))
        buffers.append(weakref.ref(connection.buffers[uri]))
        del connection
        await getattr(editor, ending)()
        await settle(lambda: len(editors.server.connections) == 1)
        editors.made.remove(editor)
        del editor
    await settle(lambda: _dead(gone) and _dead(buffers))
    live = editors.server.live
    assert live.joined == {kept} and set(live.progress) == {kept}
    assert service.documents.open_plans.of(service.root / ".devloop" / "plan.md") is None


def _dead(references):
    gc.collect()
    return all(reference() is None for reference in references)


# Logs


async def test_logs_at_info_hold_no_text_of_a_document(editors, service, caplog):
    caplog.set_level(logging.INFO)
    editor = await editors()
    await editor.initialize()
    text = f"# Plan: {WORDS}\n\n## Phase 1: {WORDS}\n\n- [ ] Task 1.1: {WORDS} [depends:9.9]\n  - {WORDS}\n"
    uri = editor.open(text=text)
    place = {"textDocument": {"uri": uri}, "position": {"line": 4, "character": 8}}
    await editor.diagnostics(uri, editor.type(uri, 4, 20, WORDS))
    await editor.diagnostics(uri, editor.replace(uri, text + f"- [ ] Task 1.1: {WORDS}\n"))
    for method in ("documentSymbol", "hover", "codeLens", "definition", "semanticTokens/full", "prepareRename"):
        with contextlib.suppress(Failed):
            await editor.request(f"textDocument/{method}", place)
    for wrong in ({"textDocument": WORDS}, [WORDS], WORDS, {"textDocument": {"uri": uri}, "contentChanges": WORDS}):
        editor.notify("textDocument/didChange", wrong)
        with pytest.raises(Failed):
            await editor.request("textDocument/hover", wrong)
    edit = {"uri": uri, "version": 1}
    editor.notify("textDocument/didChange", {"textDocument": edit, "contentChanges": [{"text": WORDS}]})
    with pytest.raises(Failed):
        await editor.request("workspace/executeCommand", {"command": "devloop.run", "arguments": [{WORDS: WORDS}]})
    editor.notify("textDocument/didSave", {"textDocument": {"uri": uri}, "text": text})
    await symbols(editor, uri)[1]
    editor.close_document(uri)
    await editor.leave()
    assert WORDS not in caplog.text
    assert caplog.records, "the test looks at logs that are written"
