"""The daemon ends, by accident or on purpose, and the editor goes on."""

from __future__ import annotations

import json
import os
import signal

import pytest

from devloop import __version__
from devloop.files import held_lock
from devloop.lsp.pipe import replay
from devloop.lsp.pipe.pending import RESTARTED
from devloop.paths import StateDir
from support.pipes import shut_down

URI = "file:///p/.devloop/plan.md"


def opened(uri, text, version=1):
    return {"textDocument": {"uri": uri, "languageId": "markdown", "version": version, "text": text}}


def changed(uri, version, text):
    return {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"text": text}]}


def saved(uri, text):
    return {"textDocument": {"uri": uri}, "text": text}


def restart(editor, daemons, how=signal.SIGKILL):
    """Kill the daemon and wait until its successor has answered; the successor's pid."""
    before = daemons.announced.pid
    if how is None:
        editor.notify("die")
    else:
        os.kill(before, how)
    daemons.until(lambda: any(m["pid"] != before and m["method"] == "initialize" for m in daemons.record()))
    while "error" in editor.request("echo", {"again": True}):
        pass  # sent into the dying one's socket
    after = daemons.announced.pid
    assert after != before
    return after


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "stopped"])
def test_a_new_daemon_is_told_everything(how, editor, daemons):
    other = "file:///p/other.md"
    editor.notify("workspace/didChangeConfiguration", {"settings": {"n": 1}})
    editor.notify("workspace/didChangeConfiguration", {"settings": {"n": 2}})
    editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": []}})
    editor.notify("textDocument/didOpen", opened(URI, "one"))
    editor.notify("textDocument/didChange", changed(URI, 2, "two"))
    editor.notify("textDocument/didOpen", opened(other, "gone"))
    editor.notify("textDocument/didChange", changed(URI, 3, "three"))
    editor.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    editor.request("echo")
    first = daemons.announced.pid
    second = restart(editor, daemons, how)
    before, after = daemons.told(first), [m for m in daemons.told(second) if m["method"] != "echo"]
    assert [m["method"] for m in after] == [
        *("initialize", "initialized", "workspace/didChangeWorkspaceFolders", "workspace/didChangeConfiguration"),
        *("textDocument/didOpen", "textDocument/didChange", "textDocument/didChange"),
    ]
    assert after[0]["params"] == before[0]["params"]
    assert after[3]["params"] == {"settings": {"n": 2}}
    assert [m["params"] for m in after[4:]] == [opened(URI, "one"), changed(URI, 2, "two"), changed(URI, 3, "three")]


def test_a_save_with_the_text_shortens_what_has_to_be_told(editor, daemons):
    editor.notify("textDocument/didOpen", opened(URI, "one"))
    for version in range(2, 50):
        editor.notify("textDocument/didChange", changed(URI, version, f"text {version}"))
    editor.notify("textDocument/didSave", saved(URI, "text 49\n"))
    editor.notify("textDocument/didChange", changed(URI, 50, "text 50"))
    editor.request("echo")
    told = [m for m in daemons.told(restart(editor, daemons)) if m["method"].startswith("textDocument/")]
    assert [m["params"] for m in told] == [opened(URI, "text 49\n", 49), changed(URI, 50, "text 50")]


def test_messages_of_the_time_without_a_daemon_come_after_in_order_and_once(editor, daemons, project):
    editor.notify("textDocument/didOpen", opened(URI, "one"))
    open_one = editor.ask("hang")
    editor.request("echo")
    first = daemons.announced.pid
    os.kill(first, signal.SIGKILL)
    with held_lock(StateDir.of(project).daemon_lock, wait=True):  # no other daemon can come up
        assert "error" in editor.answer(open_one)
        for version in range(2, 30):
            editor.notify("textDocument/didChange", changed(URI, version, f"text {version}"))
            editor.notify("note", {"version": version})
        waiting = editor.ask("echo", {"last": True})
    assert editor.answer(waiting)["result"] == {"last": True}
    second = daemons.announced.pid
    told = [m for m in daemons.told(second) if m["method"] not in ("initialize", "initialized", "echo")]
    assert [m["method"] for m in told] == ["textDocument/didOpen", *["textDocument/didChange", "note"] * 28]
    versions = [m["params"]["textDocument"]["version"] for m in told if m["method"] == "textDocument/didChange"]
    assert versions == list(range(2, 30))


def test_open_requests_get_an_error_that_says_what_happened(editor, daemons):
    waiting = [editor.ask("hang"), editor.ask("hang")]
    editor.send(id="text", method="hang", params={})
    editor.request("echo")
    restart(editor, daemons)
    for number in (*waiting, "text"):
        assert editor.answer(number)["error"] == {"code": -32803, "message": RESTARTED}


def test_progress_ends_and_questions_are_withdrawn(editor, daemons):
    editor.notify("begin", {"token": "a"})
    editor.notify("begin", {"token": 7})
    editor.notify("begin", {"token": "b", "end": True})
    editor.notify("ask", {"method": "window/showMessageRequest", "params": {}})
    registration = {"id": "r", "method": "workspace/didChangeWatchedFiles"}
    editor.notify("ask", {"method": "client/registerCapability", "params": {"registrations": [registration]}})
    question = editor.notified("window/showMessageRequest")["id"]
    registered = editor.notified("client/registerCapability")
    editor.send(id=registered["id"], result=None)
    editor.request("echo")
    editor.got.clear()
    second = restart(editor, daemons)
    ended = [m["params"]["token"] for m in editor.got if m.get("method") == "$/progress"]
    assert ended == ["a", 7]
    assert editor.notified("$/cancelRequest")["params"] == {"id": question}
    withdrawn = editor.notified("client/unregisterCapability")
    assert withdrawn["params"] == {"unregisterations": [registration]}
    for number in (question, withdrawn["id"]):  # late answers: nobody asks for them any more
        editor.send(id=number, result=None)
    editor.request("echo")
    assert [m for m in daemons.told(second) if "result" in m] == []


def test_answers_to_the_daemons_questions_reach_it_once(editor, daemons):
    editor.notify("ask", {"method": "window/showMessageRequest", "params": {}})
    number = editor.notified("window/showMessageRequest")["id"]
    for title in ("yes", "twice"):
        editor.send(id=number, result={"title": title})
    editor.send(id="never asked", result=None)
    editor.request("echo")
    answers = [m["result"] for m in daemons.record() if "result" in m]
    assert answers == [{"title": "yes"}]


def test_what_was_refused_is_asked_for_again_where_the_editor_can(start, daemons):
    editor = start()
    editor.initialize(capabilities={"workspace": {"codeLens": {"refreshSupport": True}, "inlayHint": {}}})
    editor.notify("initialized")
    editor.request("echo")
    restart(editor, daemons)
    asked = [m["method"] for m in editor.got if "id" in m and "method" in m]
    assert asked == ["workspace/codeLens/refresh"]


def test_half_a_message_of_a_dying_daemon_never_reaches_the_editor(editor, daemons):
    editor.notify("half")
    daemons.until(lambda: sum(m["method"] == "initialize" for m in daemons.record()) == 2)
    assert editor.request("echo", {"n": 1}).get("result") == {"n": 1}


def test_after_shutdown_nobody_starts_a_daemon_again(editor, daemons):
    assert editor.request("shutdown")["result"] is None
    daemons.end(signal.SIGKILL)
    editor.notify("exit")
    assert editor.exit_code() == 0
    assert len({m["pid"] for m in daemons.record()}) == 1


def test_a_daemon_that_dies_again_and_again_is_given_up(start, daemons):
    editor = start(FAKE_DIE="always")
    editor.initialize()
    waiting = editor.ask("echo")
    shown = editor.notified("window/showMessage")["params"]
    assert (shown["type"], "5 times" in shown["message"]) == (1, True)
    assert "5 times" in editor.answer(waiting)["error"]["message"]
    assert editor.request("echo")["error"]["code"] == -32803
    assert sum(m["method"] == "initialize" for m in daemons.record()) == 5
    assert shut_down(editor) == 0


def test_a_busy_daemon_of_another_version_is_told_and_everything_is_answered(start, daemons, project, monkeypatch):
    editor = start(FAKE_VERSION="0.0.1", FAKE_WORKING="1")
    editor.initialize()
    editor.notify("initialized")
    waiting = editor.ask("echo")
    editor.notify("textDocument/didOpen", opened(URI, "one"))
    shown = editor.notified("window/showMessage")["params"]
    assert shown["type"] == 1
    assert "0.0.1" in shown["message"] and __version__ in shown["message"] and "devloop stop" in shown["message"]
    refused = editor.answer(waiting)["error"]
    assert (refused["code"], refused["message"], refused["data"]["kind"]) == (-32803, shown["message"], "refused")
    assert editor.request("echo")["error"]["code"] == -32803
    assert shut_down(editor) == 0


def test_it_comes_back_by_itself_when_the_obstacle_is_gone(start, daemons):
    """The announcement leads to a busy daemon of another version; then to one of this version."""
    before = start(FAKE_VERSION="0.0.1", FAKE_WORKING="1", FAKE_RECORD=os.devnull)
    before.initialize()
    before.notified("window/showMessage")
    editor = start()
    editor.initialize()
    editor.notify("initialized")
    editor.notify("textDocument/didOpen", opened(URI, "one"))
    editor.notified("window/showMessage")
    editor.notify("textDocument/didChange", changed(URI, 2, "two"))
    assert "error" in editor.request("echo")
    shut_down(before)
    daemons.end(signal.SIGKILL)
    assert "back" in editor.notified("window/showMessage")["params"]["message"]
    assert editor.request("echo", {"n": 1})["result"] == {"n": 1}
    told = [m["params"] for m in daemons.told(daemons.announced.pid) if m["method"].startswith("textDocument/")]
    assert told == [opened(URI, "one"), changed(URI, 2, "two")]


def test_a_document_with_too_many_unsaved_changes_is_left_out_until_its_next_save(monkeypatch):
    monkeypatch.setattr(replay, "MAX_LOG", 500)
    kept = replay.Replay(b"{}")

    def note(method, params):
        message = {"jsonrpc": "2.0", "method": f"textDocument/{method}", "params": params}
        body = json.dumps(message).encode()
        kept.note(message["method"], message, body)
        return [json.loads(each)["params"] for each in kept.for_daemon(message["method"], message, body)]

    other = "file:///p/other.md"
    note("didOpen", opened(URI, "one"))
    note("didOpen", opened(other, "other"))
    for version in range(2, 20):
        assert note("didChange", changed(URI, version, "two")) == [changed(URI, version, "two")]
    first, unknown = kept.begin()
    assert [json.loads(each)["params"] for each in first] == [opened(other, "other")]
    assert unknown == [URI]
    assert note("didChange", changed(URI, 20, "three")) == []
    assert note("didChange", changed(other, 2, "x")) == [changed(other, 2, "x")]
    assert note("didSave", saved(URI, "saved")) == [opened(URI, "saved", 20)]
    assert note("didChange", changed(URI, 21, "four")) == [changed(URI, 21, "four")]
    assert kept.begin()[1] == []
    assert [json.loads(each)["params"] for each in kept.begin()[0]][:2] == [
        opened(URI, "saved", 20),
        changed(URI, 21, "four"),
    ]
