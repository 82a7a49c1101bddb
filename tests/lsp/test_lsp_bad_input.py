"""What bad input gets, through the real pipe and the real daemon, beside an editor that has to go on undisturbed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import struct

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import devloop
from devloop import plan as plans
from devloop.lsp.features import MODULES
from devloop.lsp.pipe import frames
from support.workspaces import Workspace

PLAN = """# Plan: Demo

## Phase 1: Begin

- [ ] Task 1.1: First thing
- [ ] Task 1.2: Second thing [depends:1.1]
"""
VERSIONS = {"textDocument": {"publishDiagnostics": {"versionSupport": True}}}
OTHER = ".devloop/archive/other.md"
"""A plan that is not the workspace's: what is done to it reaches nobody else."""


@pytest.fixture(scope="module")
def workspace():
    found = Workspace(PLAN)
    yield found
    found.end()


@pytest.fixture(scope="module")
def healthy(workspace):
    """An editor that opened the plan, typed into it and did not save."""
    editor = workspace.begin(workspace.start(), VERSIONS)
    document = {"uri": workspace.uri(), "languageId": "markdown", "version": 1, "text": PLAN}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    editor.versions = itertools.count(2)
    editor.lines = 0
    told_of(editor, workspace.uri(), 1)
    return editor


@pytest.fixture(autouse=True)
def undisturbed(workspace, healthy):
    """After each test: the same daemon, the same buffers, answers as before, and no exception in the daemon's log."""
    daemon, before = workspace.daemon, len(workspace.log)
    yield
    version = next(healthy.versions)
    healthy.lines += 1
    end = {"line": 6, "character": 0}
    change = {"range": {"start": end, "end": end}, "text": f"- [ ] Task 1.{version + 1}: One more\n"}
    document = {"uri": workspace.uri(), "version": version}
    healthy.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    assert told_of(healthy, workspace.uri(), version) == []
    symbols = healthy.request("textDocument/foldingRange", {"textDocument": {"uri": workspace.uri()}})
    assert symbols["result"]
    hover = {"textDocument": {"uri": workspace.uri()}, "position": {"line": 6, "character": 8}}
    assert f"1.{version + 1}" in json.dumps(healthy.request("textDocument/hover", hover)["result"])
    assert [message for message in healthy.got if "error" in message] == []
    assert workspace.daemon == daemon
    assert workspace.plan.read_text() == PLAN
    assert "Traceback" not in workspace.log[before:], workspace.log[before:]


def told_of(editor, uri, version, seconds=30):
    """The diagnostics of one version."""
    wanted = {"uri": uri, "version": version}
    return editor.take(lambda m: wanted.items() <= (m.get("params") or {}).items(), seconds)["params"]["diagnostics"]


def opened(workspace, editor, text=PLAN, name=OTHER, version=1):
    document = {"uri": workspace.uri(name), "languageId": "markdown", "version": version, "text": text}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    return document["uri"]


def titles(editor, uri):
    """The tasks as the server has them, by their hovers' text."""
    symbols = editor.request("textDocument/documentSymbol", {"textDocument": {"uri": uri}})["result"]
    return [each["name"] for each in symbols]


def refusal(editor, number=None):
    found = editor.take(lambda message: message.get("id") == number and "error" in message)["error"]
    assert "Traceback" not in json.dumps(found) and devloop.__path__[0] not in json.dumps(found)
    return found["code"]


@pytest.fixture(params=["pipe", "socket"])
def editor(request, workspace, healthy):
    """Another editor, initialized: through its pipe, or on the daemon's socket without the pipe's checks."""
    found = workspace.start() if request.param == "pipe" else workspace.connect()
    yield workspace.begin(found, VERSIONS)
    found.close()


# Bytes


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 50_000, b'{"jsonrpc":"2.0","id":' + b"9" * 9000 + b',"method":"x"}']
)
def test_a_body_that_is_no_json_is_refused_and_the_next_message_is_served(editor, workspace, body):
    editor.raw(frames.framed(body))
    assert refusal(editor) == -32700
    assert told_of(editor, opened(workspace, editor), 1) is not None


@pytest.mark.parametrize("body", [b"[]", b"7", b'"x"', b"null", b"{}", b'{"jsonrpc":"1.0","id":1,"method":"x"}'])
def test_json_that_is_no_message_is_refused_and_the_next_message_is_served(editor, workspace, body):
    editor.raw(frames.framed(body))
    assert refusal(editor) in (-32600, -32700)
    assert told_of(editor, opened(workspace, editor), 1) is not None


STREAMS = [
    b"Content-Length: seven\r\n\r\n{}",
    b"Content-Length: -7\r\n\r\n{}",
    b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{}",
    b"Content-Type: text\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
    b"x" * 200_000,
]


@pytest.mark.parametrize("data", STREAMS, ids=lambda value: repr(value)[:30])
def test_bytes_that_can_not_be_understood_end_that_connection_alone(editor, data):
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may be closed before the last byte
        editor.raw(data)
    editor.wait_end()


def test_a_content_length_that_is_too_small_ends_that_connection_alone(editor):
    body = b'{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{}}'
    editor.raw(b"Content-Length: %d\r\n\r\n" % (len(body) - 5) + body + b"\r\n\r\n")  # what is left over is no header
    editor.wait_end()


def test_a_message_that_is_cut_off_ends_that_connection_alone(workspace, healthy):
    through_pipe, direct = workspace.begin(workspace.start()), workspace.begin(workspace.connect())
    for each in (through_pipe, direct):
        each.raw(b'Content-Length: 1000\r\n\r\n{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"te')
    through_pipe.hang_up()
    assert through_pipe.exit_code() == 1
    direct.socket.shutdown(socket.SHUT_WR)
    direct.wait_end()


def test_an_oversized_message_is_skipped_by_the_pipe(workspace, healthy):
    editor = workspace.begin(workspace.start(), VERSIONS)
    size = frames.MAX_MESSAGE + 1
    editor.raw(b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(64):
        editor.raw(b"x" * (1024 * 1024))
    editor.raw(b"x")
    assert refusal(editor) == -32700
    assert told_of(editor, opened(workspace, editor), 1) is not None


def test_an_oversized_message_ends_a_connection_without_pipe(workspace, healthy):
    editor = workspace.begin(workspace.connect())
    editor.raw(b"Content-Length: 999999999999\r\n\r\n")
    editor.wait_end()
    assert "oversized" in workspace.log


# Messages in the wrong place


def test_before_initialize_requests_are_refused_and_notifications_ignored(workspace, healthy):
    for editor in (workspace.start(), workspace.connect()):
        opened(workspace, editor)
        assert editor.request("textDocument/hover")["error"]["code"] == -32002
        assert editor.request("shutdown")["error"]["code"] == -32002
        workspace.begin(editor, VERSIONS)
        assert editor.request("textDocument/documentSymbol", document(workspace))["result"] in (None, [])


def test_after_shutdown_requests_are_refused_until_exit(workspace, healthy):
    for editor in (workspace.start(), workspace.connect()):
        workspace.begin(editor)
        assert editor.request("shutdown")["result"] is None
        opened(workspace, editor)
        for method in ("textDocument/hover", "shutdown", "initialize", "no/such"):
            assert editor.request(method, {"capabilities": {}})["error"]["code"] == -32600
        editor.notify("exit")
        editor.wait_end()


def test_unknown_methods_get_the_protocols_error_and_unknown_notifications_nothing(editor, workspace):
    for method in (
        "no/such",
        "$/custom",
        "textDocument/",
        "",
        "x" * 10_000,
        "\ud800",
        "devloop/hello",
        "devloop/subscribe",
    ):
        answer = editor.request(method)
        assert answer["error"]["code"] == -32601, method
        assert len(answer["error"]["message"]) < 200
        editor.notify(method)
    assert told_of(editor, opened(workspace, editor), 1) is not None
    assert [message for message in editor.got if "error" in message] == []


def document(workspace, name=OTHER):
    return {"textDocument": {"uri": workspace.uri(name)}}


# Edits


def edit(editor, uri, version, start, end, text):
    (l1, c1), (l2, c2) = start, end
    place = {"start": {"line": l1, "character": c1}, "end": {"line": l2, "character": c2}}
    change = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"range": place, "text": text}]}
    editor.notify("textDocument/didChange", change)


def test_edits_out_of_range_are_clamped_and_senseless_ones_dropped(editor, workspace):
    uri = opened(workspace, editor, "- [ ] Task 1.1: A")
    edit(editor, uri, 2, (99, 99), (2**31 - 1, 2**31 - 1), "B")
    edit(editor, uri, 3, (0, 2**31 - 1), (0, 2**31 - 1), "C")
    assert titles(editor, uri) == ["1.1 ABC"]
    edit(editor, uri, 4, (-7, 3), (-1, 99), "")
    edit(editor, uri, 4, (0, -9), (0, -1), "")
    assert titles(editor, uri) == ["1.1 ABC"]
    for start in ((None, 0), ("x", 0), ([], 0), ({}, 0)):
        edit(editor, uri, 4, start, (0, 1), "Z")
    editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 5}, "contentChanges": [{}]})
    editor.notify("textDocument/didChange", {"textDocument": {"uri": uri, "version": 6}, "contentChanges": None})
    editor.notify("textDocument/didChange", {"textDocument": {"uri": uri}})
    assert titles(editor, uri) == ["1.1 ABC"]


def test_an_edit_whose_range_runs_backwards_keeps_the_server_alive_and_a_whole_text_mends_it(editor, workspace):
    uri = opened(workspace, editor, "- [ ] Task 1.1: A\n- [ ] Task 1.2: B\n")
    edit(editor, uri, 2, (1, 5), (0, 2), "x")
    assert titles(editor, uri) is not None
    text = {"textDocument": {"uri": uri, "version": 3}, "contentChanges": [{"text": "- [ ] Task 1.1: whole\n"}]}
    editor.notify("textDocument/didChange", text)
    assert titles(editor, uri) == ["1.1 whole"]


def test_versions_that_go_back_change_nothing_and_are_logged(editor, workspace):
    uri = opened(workspace, editor, "- [ ] Task 1.1: A\n", version=5)
    edit(editor, uri, 7, (0, 17), (0, 17), "B")
    edit(editor, uri, 6, (0, 0), (1, 0), "")
    edit(editor, uri, -1, (0, 0), (1, 0), "")
    assert titles(editor, uri) == ["1.1 AB"]
    assert "version 6 came after version 7" in workspace.log


def test_documents_that_are_not_open_or_open_twice_are_no_obstacle(editor, workspace):
    uri = workspace.uri(OTHER)
    edit(editor, uri, 2, (0, 0), (0, 0), "x")
    editor.notify("textDocument/didClose", document(workspace))
    editor.notify("textDocument/didSave", {**document(workspace), "text": "x"})
    assert editor.request("textDocument/documentSymbol", document(workspace))["result"] in (None, [])
    opened(workspace, editor, "- [ ] Task 1.1: A\n")
    opened(workspace, editor, "- [ ] Task 1.1: B\n", version=1)
    assert titles(editor, uri) == ["1.1 B"]
    for _ in range(2):
        editor.notify("textDocument/didClose", document(workspace))
    for strange in (
        "",
        "x",
        "file:",
        "file:///%00",
        "untitled:Untitled-1",
        "devloop://run/../../x",
        "http://[",
        "\ud800",
    ):
        opened_at = {"uri": strange, "languageId": "devloop-plan", "version": 1, "text": PLAN}
        editor.notify("textDocument/didOpen", {"textDocument": opened_at})
        answer = editor.request("textDocument/documentSymbol", {"textDocument": {"uri": strange}})
        assert "result" in answer or answer["error"]["code"] in (-32602, -32803), answer


# Files


def test_a_file_that_is_not_utf_8_is_not_written_over(workspace, healthy):
    path = workspace.root / OTHER
    path.parent.mkdir(exist_ok=True)
    data = b"# Plan: Caf\xe9\n\n- [ ] Task 1.1: na\xefve\n  - **Acceptance**: \xff\xfe\n"
    path.write_bytes(data)
    editor = workspace.begin(workspace.start(), VERSIONS)
    uri = opened(workspace, editor, data.decode("utf-8", "replace"))
    told_of(editor, uri, 1)
    assert titles(editor, uri)
    edit(editor, uri, 2, (2, 19), (2, 19), "!")
    editor.notify("textDocument/didSave", document(workspace))
    editor.request("textDocument/codeAction", {**document(workspace), "range": WHOLE, "context": {"diagnostics": []}})
    editor.notify("textDocument/didClose", document(workspace))
    assert editor.request("shutdown")["result"] is None
    assert path.read_bytes() == data
    path.unlink()


WHOLE = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}


async def test_what_devloop_changes_in_such_a_file_leaves_every_other_byte(editors, service, project):
    """The plan is open with replacement characters, devloop ticks a task there, and the editor goes without saving."""
    path = project / ".devloop" / "plan.md"
    data = b"# Plan: Caf\xe9\n\n- [ ] Task 1.1: na\xefve\n- [ ] Task 1.2: Other \xff\n"
    path.write_bytes(data)
    editor = await editors()
    editor.answers["workspace/applyEdit"] = editor.apply
    await editor.initialize()
    await editor.diagnostics(editor.open(text=data.decode("utf-8", "replace")), 1)  # the buffer counts from here on

    def tick(plan):
        task = next(each for each in plan.tasks if each.id == "1.2")
        line = plan.document.line(task.line - 1)
        at = line.find("[ ]")
        return (plans.Edit(task.line, at, task.line, at + 3, "[x]", "[ ]"),) if at >= 0 else ()

    await service.documents.record(tick, "devloop: done")
    assert path.read_bytes() == data
    await editor.vanish()
    wanted = data.replace(b"- [ ] Task 1.2", b"- [x] Task 1.2")
    async with asyncio.timeout(20):
        while path.read_bytes() == data:
            await asyncio.sleep(0.01)
    assert path.read_bytes() == wanted


def test_a_plan_of_50000_lines_is_served_and_others_do_not_wait_for_it(workspace, healthy):
    text = "# Plan: Big\n" + "".join(
        f"\n## Phase {p}: P\n\n" + "".join(f"- [ ] Task {p}.{n}: t [depends:{p}.{n - 1}]\n" for n in range(1, 98))
        for p in range(1, 501)
    )
    assert text.count("\n") >= 50_000
    editor = workspace.begin(workspace.start(), VERSIONS)
    uri = opened(workspace, editor, text)
    asked = editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    for _ in range(5):
        assert healthy.request("textDocument/foldingRange", document(workspace, ".devloop/plan.md"), 10)["result"]
    assert len(editor.answer(asked, 60)["result"]) > 48_000
    edit(editor, uri, 2, (25_000, 0), (25_000, 0), "x")
    told_of(editor, uri, 2)
    for method in ("foldingRange", "semanticTokens/full", "codeLens", "documentLink"):
        assert "result" in editor.request(f"textDocument/{method}", {"textDocument": {"uri": uri}}, 60)


# Clients that die


def test_an_editor_killed_in_the_middle_of_a_request_is_forgotten(workspace, healthy):
    text = "".join(f"- [ ] Task 1.{n}: t\n" for n in range(20_000))
    for half in (b"", b"Content-Length: 500\r\n\r\n{"):
        editor = workspace.begin(workspace.start())
        uri = opened(workspace, editor, text)
        for _ in range(5):
            editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
        editor.raw(half)
        editor.process.kill()
        editor.wait_end()


def test_a_connection_that_is_reset_in_the_middle_of_an_answer_is_forgotten(workspace, healthy):
    editor = workspace.begin(workspace.connect())
    uri = opened(workspace, editor, "".join(f"- [ ] Task 1.{n}: t\n" for n in range(5_000)))
    for _ in range(5):
        editor.ask("textDocument/documentSymbol", {"textDocument": {"uri": uri}})
    editor.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    editor.socket.close()


# Nonsense

KEYS = ["textDocument", "uri", "version", "text", "position", "line", "character", "range", "start", "end", "context"]
KEYS += ["diagnostics", "contentChanges", "id", "token", "value", "command", "arguments", "settings", "data", "event"]
KEYS += ["jsonrpc", "previousResultId", "newName", "changes", "options", "ch", "positions", "items", "result", "error"]
METHODS = sorted({module.METHOD for module in MODULES} - {"initialized"})
METHODS += ["$/cancelRequest", "$/setTrace", "$/progress", "initialize", "textDocument/nothing", "", "devloop/decide"]
URIS = st.sampled_from([".devloop/plan.md", OTHER, "../x", "a\0b"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["file:///none.md", "devloop.showRun", "devloop.decide", "2.0", "plan", "quickfix", "devloop.run"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=12,
)
POINTS = st.fixed_dictionaries({"line": st.integers(-3, 30) | SCALARS, "character": st.integers(-3, 60) | SCALARS})
ALMOST = st.fixed_dictionaries(
    {},
    optional={
        "textDocument": st.fixed_dictionaries({"uri": st.just("PLAN") | SCALARS}, optional={"version": SCALARS})
        | VALUES,
        "position": POINTS | VALUES,
        "range": st.fixed_dictionaries({"start": POINTS, "end": POINTS}) | VALUES,
        "context": st.fixed_dictionaries({"diagnostics": st.lists(VALUES, max_size=2)}) | VALUES,
        "options": VALUES,
        "newName": SCALARS,
        "ch": SCALARS,
        "positions": st.lists(POINTS, max_size=3) | VALUES,
        "contentChanges": st.lists(VALUES, max_size=2) | VALUES,
        "command": st.sampled_from(["devloop.run", "devloop.decide", "devloop.showRun", "devloop.cancel", "x"])
        | VALUES,
        "arguments": st.lists(VALUES, max_size=2) | VALUES,
        "previousResultId": SCALARS,
        "settings": VALUES,
        "event": VALUES,
        "data": VALUES,
        "changes": VALUES,
        "token": SCALARS,
        "id": VALUES,
    },
)
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | SCALARS},
    optional={
        "method": st.sampled_from(METHODS) | SCALARS,
        "id": st.integers(0, 5) | st.text(max_size=3) | VALUES,
        "params": ALMOST | VALUES,
        "result": VALUES,
        "error": VALUES,
    },
)


@pytest.mark.parametrize("way", ["pipe", "socket"])
def test_two_hundred_messages_of_nonsense_hurt_nobody(workspace, healthy, way, request):
    numbers = itertools.count()

    def begin():
        editor = workspace.begin(workspace.start() if way == "pipe" else workspace.connect(), VERSIONS)
        return editor, opened(workspace, editor)

    made = [begin()]

    @settings(
        max_examples=10 * (20 if request.config.getoption("--long") else 1),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.explicit, Phase.generate],  # each example is twenty messages to a process: too slow to shrink
    )
    @given(st.lists(MESSAGES.filter(lambda m: m.get("method") != "shutdown"), min_size=20, max_size=20))
    def nothing_happens(messages):
        before = len(workspace.log)
        if made[-1][0].ended:  # an example that failed; the next one begins anew
            made.append(begin())
        editor, uri = made[-1]
        for message in messages:
            body = json.dumps(message).replace('"PLAN"', json.dumps(uri))
            editor.raw(frames.framed(body.encode()))
        number = f"ping-{next(numbers)}"
        editor.send(id=number, method="textDocument/foldingRange", params={"textDocument": {"uri": uri}})
        assert "result" in editor.answer(number)
        log = workspace.log[before:]
        assert "Traceback" not in log, log
        for message in [each for each in editor.got if "error" in each]:
            assert message["error"]["code"] in (-32600, -32601, -32602, -32700, -32800, -32801, -32803), message
            editor.got.remove(message)

    nothing_happens()
