"""The double: a strict local server that speaks the Messages API, checks every request and plays scripted answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import unquote

from devloop.models.scenario import (
    Place,
    Scenario,
    ScriptedTurn,
    load_scenario,
    parse_scenario,
    turn_at,
)
from double import http, play, rules
from double.catalogue import MODELS
from double.compaction_rules import compact_edit, place_after, sent_back
from double.flat import Part, before_messages, flatten
from double.journal import SECRETS, Cache, Entry
from double.refusal import Refusal
from double.threads import Threads
from double.wire import Wire, wire_of

KEY = "test-key-of-the-double"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]", "::1"})
_PAUSES = frozenset({"pause_turn", "compaction"})


class Double:
    """`scenario`: turns chosen by the conversation (`devloop.models.scenario`); `turns`: played one after the other.

    Use it as `async with Double(...) as double:` in the test's loop, or as `with Double(...) as double:` in a thread of
    its own. `double.url` is the base URL, `double.key` the key it wants, `double.journal` what was asked.
    """

    def __init__(
        self,
        *,
        scenario: Scenario | Mapping[str, Any] | Path | None = None,
        turns: Sequence[ScriptedTurn | Mapping[str, Any]] = (),
        key: str = KEY,
        threads: bool = False,
        max_body: int = rules.MAX_BODY,
        journal_file: Path | None = None,
    ) -> None:
        self.key = key
        self.journal: list[Entry] = []
        self.url = ""
        self._scenario = _scenario(scenario)
        self._turns = [t if isinstance(t, ScriptedTurn) else ScriptedTurn.model_validate(t) for t in turns]
        for turn in self._all_turns():
            wire_of(turn)
        self._next = 0
        self._done: dict[tuple[Any, ...], int] = {}
        self._cache = Cache()
        self._threads = Threads() if threads else None
        self._paused: set[str] = set()
        self._max_body = max_body
        self._journal_file = journal_file
        self._changed: asyncio.Condition | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._thread: _Thread | None = None

    def _all_turns(self) -> Iterator[ScriptedTurn]:
        yield from self._turns
        for script in self._scenario.tasks.values() if self._scenario else ():
            yield from script.turns
            for other in script.conversations.values():
                yield from other.turns
            for attempt in script.attempts.values():
                yield from attempt.turns
                for other in attempt.conversations.values():
                    yield from other.turns

    # Life

    async def start(self, port: int = 0) -> None:
        self._changed = asyncio.Condition()
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", port, limit=1 << 20)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for task in list(self._connections):
                task.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Double:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def __enter__(self) -> Double:
        self._thread = _Thread(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._thread is not None
        self._thread.close()

    async def reached(self, count: int, *, timeout: float = 10.0) -> list[Entry]:
        """Wait until `count` model requests have arrived; answers them."""
        assert self._changed is not None
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: len(self.messages) >= count)
        return self.messages

    async def settled(self, *, timeout: float = 10.0) -> list[Entry]:
        """Wait until no model request is open any more; answers all of them."""
        assert self._changed is not None
        async with asyncio.timeout(timeout), self._changed:
            await self._changed.wait_for(lambda: all(e.outcome != "open" for e in self.messages))
        return self.messages

    @property
    def messages(self) -> list[Entry]:
        """The requests to `/v1/messages`, in order."""
        return [entry for entry in self.journal if entry.path == "/v1/messages" and entry.method == "POST"]

    # Connections

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, http.Broken):
            pass
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            with contextlib.suppress(Exception):
                writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await http.read_request(reader, self._max_body)
        if request is None:
            return False
        entry = Entry(
            number=len(self.journal) + 1,
            method=request.method,
            path=request.path,
            headers={name: "(set)" if name in SECRETS else value for name, value in request.headers.items()},
            size=request.size,
        )
        entry.request_id = f"req_test_{entry.number:06d}"
        self.journal.append(entry)
        await self._tell(entry, arrived=True)
        answer = _Answer(entry, reader, writer)
        try:
            await self._route(request, entry, answer)
        except Refusal as refusal:
            entry.rule, entry.error = refusal.rule, refusal.message
            entry.outcome = "failed" if refusal.rule == 0 else "refused"
            await answer.json(refusal.status, refusal.body(entry.request_id), refusal.headers)
        except (ConnectionError, asyncio.CancelledError):
            entry.outcome = "gone"
            raise
        finally:
            await self._tell(entry)
        return answer.usable

    async def _tell(self, entry: Entry, *, arrived: bool = False) -> None:
        if self._journal_file is not None and not arrived:
            with self._journal_file.open("a") as stream:
                stream.write(json.dumps(entry.to_json()) + "\n")
        if self._changed is not None:
            async with self._changed:
                self._changed.notify_all()

    async def _route(self, request: http.HttpRequest, entry: Entry, answer: _Answer) -> None:
        host = request.headers.get("host", "")
        name = host if host.endswith("]") else host.rsplit(":", 1)[0] if host.count(":") == 1 or "]:" in host else host
        if name not in _LOOPBACK:
            raise Refusal(f"host {host!r} is not this machine", "permission_error", rule=-1)
        route = (request.method, request.path)
        if request.method == "HEAD" and request.path == "/":
            await answer.json(200, None)
        elif route == ("POST", "/v1/messages"):
            await self._messages(request, entry, answer)
        elif route == ("POST", "/v1/messages/count_tokens"):
            version = rules.check_headers(request.headers, self.key, request.size, self._max_body)
            body = rules.parse(request.body)
            checked = rules.check_body(body, version, rules.betas_of(request.headers), counting=True)
            entry.body = body
            await answer.json(200, {"input_tokens": checked.parts[-1].tokens})
        elif request.method == "GET" and request.path.startswith("/v1/models"):
            rules.check_headers(request.headers, self.key, request.size)
            await answer.json(200, _models(request.path))
        else:
            raise Refusal(f"{request.method} {request.path}", "not_found_error", rule=-1)

    # A turn

    async def _messages(self, request: http.HttpRequest, entry: Entry, answer: _Answer) -> None:
        version = rules.check_headers(request.headers, self.key, request.size, self._max_body)
        body = entry.body = rules.parse(request.body)
        thread = body.get("thread")
        betas = rules.betas_of(request.headers)
        if thread is not None and self._threads is not None:
            if not betas & {"message-threads-2026-08-12"}:
                raise Refusal("thread: Extra inputs are not permitted", rule=27)
            body = self._threads.expand(body)
        checked = rules.check_body(
            body, version, betas, threads=self._threads is not None, paused=frozenset(self._paused)
        )
        entry.prefix_hash = before_messages(body)
        if thread is None or self._threads is None:
            await self._play(checked, entry, answer)
            return
        self._threads.begin(thread)
        message = None
        try:
            message = await self._play(checked, entry, answer)
        finally:
            self._threads.end(thread, body, message if entry.outcome == "answered" else None)

    async def _play(self, checked: rules.Checked, entry: Entry, answer: _Answer) -> dict[str, Any]:
        if checked.body["max_tokens"] == 0:
            return await self._warm(checked, entry, answer)
        place, turn = self._choose(checked.body)
        entry.task, entry.index = place.task, place.index
        wire = wire_of(turn)
        if turn.delay_s and not await answer.wait(turn.delay_s):
            raise ConnectionResetError
        failing = self._fails(turn, wire, place)
        refusal = play.refusal_for(turn.fail, wire) if failing and turn.fail is not None else None
        if failing and turn.fail is not None and turn.fail.kind == "connection":
            wire = wire.model_copy(update={"cut_after": wire.cut_after or 0})
        elif failing and turn.fail is not None and turn.fail.kind == "malformed":
            wire = wire.model_copy(update={"raw_body": wire.raw_body or "<html>no such thing</html>"})
        elif failing and refusal is not None and wire.fail_after_events is None:
            raise refusal
        elif not failing:
            wire = wire.model_copy(update={"cut_after": None, "end_after": None, "stall_after": None, "raw_body": None})
        usage, parts, compacted = self._compact(checked, wire, place)
        content = play.blocks(turn, wire, place, parts)
        said = _output([block for block in content if block["type"] != "compaction"])
        message = _message(entry, checked.body["model"], turn, {**usage, "output_tokens": said})
        if compact_edit(checked.body) is not None:  # the real API then lists them in every answer
            message["usage"]["iterations"] = [*compacted, {"type": "message", **message["usage"]}]
        message["usage"].update(wire.usage)
        entry.usage = {key: value for key, value in message["usage"].items() if isinstance(value, int)}
        if wire.raw_body is not None:
            entry.outcome = "failed"
            await answer.raw(wire.raw_status, wire.raw_type, wire.raw_body.encode())
            return message
        await answer.message(message, content, wire, refusal, stream=bool(checked.body.get("stream")))
        whole = play.whole_message(message, content)
        if entry.outcome == "answered":
            if not self._scenario:
                self._next += 1
            if turn.stops in _PAUSES:
                answered = {"role": "assistant", "content": [sent_back(block) for block in whole["content"]]}
                echo = {**checked.body, "messages": [*checked.body["messages"], answered]}
                self._paused.add(flatten(echo)[-1].digest)
        return whole

    def _compact(
        self, checked: rules.Checked, wire: Wire, place: Place
    ) -> tuple[dict[str, Any], list[Part], list[dict[str, Any]]]:
        """Usage of the answer itself, what the model reads before it, and the usage of the compaction, if there is
        one."""
        top = checked.body.get("cache_control")
        usage = self._cache.account(checked.parts, top, checked.model)
        if wire.compaction is None:
            return usage, checked.parts, []
        if compact_edit(checked.body) is None:
            raise Refusal("the turn compacts, but the request has no compact_20260112 edit", rule=-1)
        block = play.summary_block(wire, place)
        spent = {"type": "compaction", **usage, "output_tokens": _output([block])}
        if not wire.compaction:
            return usage, checked.parts, [spent]
        echo = {"messages": [*checked.body["messages"], {"role": "assistant", "content": [sent_back(block)]}]}
        parts = flatten({**checked.body, **echo})
        return self._cache.account(parts, top, checked.model), parts, [spent]

    async def _warm(self, checked: rules.Checked, entry: Entry, answer: _Answer) -> dict[str, Any]:
        usage = self._cache.account(checked.parts, checked.body.get("cache_control"), checked.model)
        turn = ScriptedTurn(stop_reason="max_tokens")
        message = _message(entry, checked.body["model"], turn, {**usage, "output_tokens": 0})
        await answer.message(message, [], Wire(), None, stream=bool(checked.body.get("stream")))
        return message

    def _choose(self, body: dict[str, Any]) -> tuple[Place, ScriptedTurn]:
        place = place_after(body["messages"])
        if self._scenario is not None:
            turn = turn_at(self._scenario, place)
        else:
            place = Place(place.task, place.attempt, place.conversation, self._next)
            turn = self._turns[self._next] if self._next < len(self._turns) else None
        if turn is None:
            raise Refusal(f"the double has no turn {place.index + 1} for task {place.task}", rule=-1)
        return place, turn

    def _fails(self, turn: ScriptedTurn, wire: Wire, place: Place) -> bool:
        """Whether what goes wrong in this turn goes wrong now."""
        if turn.fail is None and not wire.breaks:
            return False
        times = turn.fail.times if turn.fail is not None else wire.times
        done = self._done.get(place.key, 0)
        self._done[place.key] = done + 1
        return times == 0 or done < times


class _Answer:
    """The answer to one request, as bytes on its connection."""

    def __init__(self, entry: Entry, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._entry = entry
        self._reader = reader
        self._writer = writer
        self.usable = True

    async def json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        await self._whole(status, "application/json", data, headers)
        if self._entry.outcome == "open":
            self._entry.outcome = "answered"

    async def raw(self, status: int, kind: str, data: bytes) -> None:
        await self._whole(status, kind, data, None)

    async def _whole(self, status: int, kind: str, data: bytes, headers: dict[str, str] | None) -> None:
        self._entry.status = status
        fields = {**self._fields(kind), "content-length": str(len(data)), **(headers or {})}
        self._writer.write(http.head(status, fields) + data)
        await self._writer.drain()

    def _fields(self, kind: str) -> dict[str, str]:
        return {
            "content-type": kind,
            "request-id": self._entry.request_id,
            "anthropic-organization-id": "00000000-0000-0000-0000-000000000000",
        }

    async def message(
        self,
        message: dict[str, Any],
        content: list[dict[str, Any]],
        wire: Wire,
        refusal: Refusal | None,
        *,
        stream: bool,
    ) -> None:
        self._entry.status = 200
        kind = "text/event-stream; charset=utf-8" if stream else "application/json"
        fields = {**self._fields(kind), "transfer-encoding": "chunked", **wire.headers}
        if wire.gzip:
            fields["content-encoding"] = "gzip"
        self._writer.write(http.head(200, fields))
        body = http.Body(self._writer, compress=wire.gzip, split=wire.split_bytes, cut_after=wire.cut_after)
        if not stream:
            pieces = [json.dumps(play.whole_message(message, content), ensure_ascii=False).encode()]
        else:
            pieces = [play.encode(*event) for event in play.stream(message, content, wire)]
        await self._pieces(pieces, body, wire, refusal)

    async def _pieces(self, pieces: list[bytes], body: http.Body, wire: Wire, refusal: Refusal | None) -> None:
        for count, piece in enumerate(pieces):
            if refusal is not None and count == wire.fail_after_events:
                self._entry.outcome, self._entry.error = "failed", refusal.message
                await body.send(play.encode("error", refusal.body(self._entry.request_id)))
                await body.end()
                return
            if count == wire.stall_after and not await self._stall(body, wire):
                self._entry.outcome = "gone"
                self._abort()
                return
            if count == wire.end_after:
                self._entry.outcome = "cut"
                await body.end()
                return
            if not await body.send(piece):
                self._entry.outcome = "cut"
                self._abort()
                return
        await body.end()
        self._entry.outcome = "answered"

    async def _stall(self, body: http.Body, wire: Wire) -> bool:
        """Be silent; false when the client has gone."""
        await self._writer.drain()
        left = wire.stall_s
        while left > 0:
            span = min(left, wire.stall_ping_s or left)
            if not await self.wait(span):
                return False
            left -= span
            if wire.stall_ping_s is not None:
                await body.send(play.encode("ping", {"type": "ping"}))
        return True

    async def wait(self, seconds: float) -> bool:
        """Let time pass; false as soon as the client has gone."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            if self._reader.at_eof():
                return False
            await asyncio.sleep(min(0.01, max(0.0, end - loop.time())))
        return not self._reader.at_eof()

    def _abort(self) -> None:
        self.usable = False
        self._writer.transport.abort()


class _Thread:
    """Runs a double in a loop and a thread of its own, for tests that have no loop."""

    def __init__(self, double: Double) -> None:
        self._double = double
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(double.start(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._double.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def _scenario(given: Scenario | Mapping[str, Any] | Path | None) -> Scenario | None:
    if given is None or isinstance(given, Scenario):
        return given
    return load_scenario(given) if isinstance(given, Path) else parse_scenario(given)


def _message(entry: Entry, model: str, turn: ScriptedTurn, usage: dict[str, Any]) -> dict[str, Any]:
    given = turn.usage.model_dump()
    names = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_input_tokens"}
    own = {names[key]: value for key, value in given.items() if key in names and value is not None}
    if given["cache_write_5m"] is not None or given["cache_write_1h"] is not None:
        short, long = given["cache_write_5m"] or 0, given["cache_write_1h"] or 0
        own["cache_creation_input_tokens"] = short + long
        own["cache_creation"] = {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long}
    return {
        "id": f"msg_test_{entry.number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": turn.stops,
        "stop_sequence": None,
        "stop_details": turn.stop_details,
        "usage": {**usage, **own},
    }


def _output(content: list[dict[str, Any]]) -> int:
    return max(1, sum(len(json.dumps(block)) for block in content) // 4)


def _models(path: str) -> dict[str, Any]:
    rest = unquote(path.removeprefix("/v1/models").strip("/"))
    if rest:
        if rest not in MODELS:
            raise Refusal(f"model: {rest}", "not_found_error", rule=5)
        return MODELS[rest].listing()
    data = [model.listing() for model in MODELS.values()]
    return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
