"""What bad bytes from an editor get."""

from __future__ import annotations

import json

import pytest

from devloop.lsp.pipe import frames
from devloop.rpc import MAX_MESSAGE


def refused(editor, code):
    answer = editor.take(lambda message: "error" in message)
    assert (answer["id"], answer["error"]["code"]) == (None, code)
    return answer["error"]["message"]


NO_MESSAGES = [
    (b"{", -32700),
    (b'{"jsonrpc":"2.0","method":"\xff"}', -32700),
    (b"\xef\xbb\xbf{}", -32700),
    (b"[" * 100_000, -32700),
    (b'{"jsonrpc":"2.0","id":' + b"9" * 10_000 + b',"method":"x"}', -32700),
    (b"", -32700),
    (b"[]", -32600),
    (b"7", -32600),
    (b"{}", -32600),
    (b'{"jsonrpc":"2.0","method":7}', -32600),
    (b'{"jsonrpc":"2.0","id":null,"method":"x"}', -32600),
    (b'{"jsonrpc":"2.0","id":true,"method":"x"}', -32600),
    (b'{"jsonrpc":"2.0","id":1.5,"method":"x"}', -32600),
    (b'{"jsonrpc":"1.0","id":1,"method":"x"}', -32600),
    (b'{"jsonrpc":"2.0","id":1}', -32600),
    (b'{"jsonrpc":"2.0","id":[1],"result":null}', -32600),
    (b'{"jsonrpc":"2.0","id":{},"error":{}}', -32600),
]


def test_a_message_that_is_none_is_refused_and_the_next_one_is_served(start):
    editor = start()
    for body, code in NO_MESSAGES:
        editor.raw(frames.framed(body))
        assert refused(editor, code)
    editor.initialize()
    for body, code in NO_MESSAGES:
        editor.raw(frames.framed(body))
        assert refused(editor, code)
        assert editor.request("echo", {"n": 1})["result"] == {"n": 1}


BROKEN = [
    b"hello\n",
    b"Content-Length: seven\r\n\r\n",
    b"Content-Length: -7\r\n\r\n",
    b"Content-Length: " + b"9" * 18 + b"\r\n\r\n",
    b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"Content-Type: text\r\n\r\n{}",
    b"\r\n",
    b"x" * 20_000,
    b"A: b\r\n" * 10_000,
    frames.framed(b"{}    ")[:-3] + frames.framed(b"{}") + b"\n",
]
CUT = [b"Content-Length: 100\r\n\r\n{", b"Content-Le", b"Content-Length: 5\r\n"]


@pytest.mark.parametrize("data", [*BROKEN, *CUT], ids=lambda value: repr(value)[:30])
def test_a_stream_that_can_not_be_understood_ends_it_with_1_and_one_sentence(start, data):
    ends_with_1(start(), data)


@pytest.mark.parametrize("data", [BROKEN[0], CUT[0]], ids=lambda value: repr(value)[:30])
def test_so_it_does_after_initialize(editor, data):
    ends_with_1(editor, data)


def ends_with_1(editor, data):
    editor.raw(data)
    if data in CUT:
        editor.hang_up()
    assert refused(editor, -32700)
    assert editor.exit_code() == 1
    errors = editor.errors
    assert errors.startswith("devloop lsp: ")
    assert len(errors.splitlines()) == 1


def test_an_oversized_message_is_skipped(editor):
    size = frames.MAX_MESSAGE + 1
    editor.raw(b"Content-Length: %d\r\n\r\n" % size)
    for _ in range(64):
        editor.raw(b"x" * (1024 * 1024))
    editor.raw(b"x")
    assert str(frames.MAX_MESSAGE) in refused(editor, -32700)
    assert editor.request("echo", {"n": 1})["result"] == {"n": 1}


def test_headers_may_be_written_in_other_ways(start):
    editor = start()
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}).encode()
    kind = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
    editor.raw(b"content-length:%d\r\n" % len(body) + kind + b"\r\n" + body)
    assert editor.answer(1)["result"]
    editor.raw(b"Content-Length: 53\n\n" + b'{"jsonrpc":"2.0","id":2,"method":"echo","params":{} }')
    assert editor.answer(2)["result"] == {}


def test_one_message_in_many_pieces_and_many_in_one():
    bodies = [b"{}", b"", b"x" * 100_000, "ü".encode()] * 3
    stream = b"".join(map(frames.framed, bodies))
    for size in (1, 7, 4096, len(stream)):
        left = memoryview(stream)

        def read(limit, size=size):
            nonlocal left
            taken, left = left[: min(size, limit)], left[min(size, limit) :]
            return bytes(taken)

        source = frames.Frames(read)
        found = []
        while (body := source.next()) is not None:
            found.append(body)
        assert found == bodies


def test_both_ends_bound_messages_alike():
    assert frames.MAX_MESSAGE == MAX_MESSAGE
