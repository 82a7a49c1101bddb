"""Messages that nobody should send, made from a source of randomness: of the shape that a method takes, nearly so, or
of none. What methods there are and how their parameters are called is read from devloop and from the protocol."""

from __future__ import annotations

import enum
import functools
import json
import re
import types as pytypes
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import attrs
from lsprotocol import types as t

import devloop
from devloop.daemon.service import PASSED_ON

SOURCES = Path(devloop.__file__).parent
METHOD = re.compile(r'"(devloop/[a-z/]+)"')
KEY = re.compile(r'(?:params|asked|given|item|data|value)\.get\(\s*"([A-Za-z_]+)"')
TEXTS = (
    *("", "1.1", "1.2", "9.9", "run-1.1-1", "run-9", "plan", "x", "complete", "continue", "discard", "accept", "stop"),
    *(
        "../../../../etc/passwd",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/mem",
        ".devloop/plan.md",
        "~",
        ".",
        "/",
        "a\0b",
    ),
    *(
        "file:///etc/passwd",
        "file:///%00",
        "file://host/x",
        "devloop:/x",
        "\ud800",
        "\u202e",
        "\x1b[31m",
        "a\nb",
        "x" * 5000,
    ),
    *(
        "PLAN",
        "-1",
        "1e400",
        "null",
        "__class__",
        "{0}",
        "%s%n",
        "$(id)",
        "quickfix",
        "full",
        "utf-16",
        "**",
        "[",
        "(a+)+$",
    ),
)
NUMBERS = (0, 1, -1, 2, 5, 7, 1.5, -0.0, 2**31, -(2**31), 2**53, 2**63, 2**64, 10**30, 10**400, 1e308, True, False)
IDS = (1, 0, -1, "a", "", "\ud800", 2**70, 1.0, None, True, [], {}, [1], {"a": 1}, "x" * 3000)
NEVER = frozenset({"devloop/stop", "devloop/hello"})
"""They end what is looked at."""


@functools.cache
def methods() -> tuple[str, ...]:
    """Every method of the daemon's clients."""
    found = METHOD.findall((SOURCES / "daemon" / "service.py").read_text())
    return tuple(sorted({*found, *(f"devloop/{name}" for name in PASSED_ON)} - NEVER))


@functools.cache
def keys() -> tuple[str, ...]:
    """Every name that is looked for in what somebody sent."""
    files = [path for part in ("daemon", "engine", "lsp") for path in (SOURCES / part).rglob("*.py")]
    return tuple(sorted({name for path in files for name in KEY.findall(path.read_text())}))


def value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(10 if depth < 3 else 7)
    if kind < 3:
        return random.choice(TEXTS)
    if kind < 5:
        return random.choice(NUMBERS)
    if kind < 7:
        return random.choice((None, True, False, 1, "1.1"))
    if kind == 7:
        return [value(random, depth + 1) for _ in range(random.randrange(4))]
    return {random.choice(keys()): value(random, depth + 1) for _ in range(random.randrange(5))}


def deep(random: Random) -> Any:
    found: Any = random.choice(NUMBERS[:4])
    for _ in range(random.choice((50, 300, 900, 5000))):
        found = [found] if random.random() < 0.5 else {"a": found}
        if random.random() < 0.001:
            break
    return found


def params(random: Random) -> Any:
    """For one of devloop's own methods."""
    if random.random() < 0.08:
        return value(random)
    return {random.choice(keys()): value(random, 1) for _ in range(random.randrange(7))}


def own(random: Random, number: Any) -> dict[str, Any]:
    """A request to the daemon."""
    return {"jsonrpc": "2.0", "id": number, "method": random.choice(methods()), "params": params(random)}


def odd(random: Random, message: dict[str, Any]) -> Any:
    """A message that is damaged as a message."""
    kind = random.randrange(9)
    if kind == 0:
        return [message, message]
    if kind == 1:
        return {**message, "jsonrpc": random.choice(("1.0", None, 2.0, 2, "", []))}
    if kind == 2:
        return {**message, "id": random.choice(IDS)}
    if kind == 3:
        return {**message, "method": value(random)}
    if kind == 4:
        return {name: each for name, each in message.items() if random.random() < 0.6}
    if kind == 5:
        return {**message, "result": value(random)}
    if kind == 6:
        return {"jsonrpc": "2.0", "id": random.choice(IDS), random.choice(("result", "error")): value(random)}
    if kind == 7:
        return {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": random.choice(IDS)}}
    return value(random)


def body(random: Random, message: Any) -> bytes:
    """A message as bytes, seldom as wrong JSON."""
    kind = random.random()
    try:
        text = json.dumps(message, ensure_ascii=random.random() < 0.5)
    except (ValueError, RecursionError):  # what Python itself can't write
        return b"[" * 100_000
    if kind < 0.02:
        text = text.replace("1", random.choice(("NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "01", "0x1")), 1)
    elif kind < 0.03:
        text = text[: random.randrange(len(text) + 1)]
    elif kind < 0.04:
        text = '{"method": "x", "method": "devloop/status", "id": 1, "id": 2, "jsonrpc": "2.0"}'
    elif kind < 0.05:
        return text.encode(random.choice(("utf-16", "utf-32", "utf-8-sig", "utf-16-le")), "surrogatepass")
    elif kind < 0.055:
        return random.randbytes(random.randrange(60))
    elif kind < 0.06:
        deepness = random.choice((100, 990, 5_000, 200_000))
        return b'{"jsonrpc":"2.0","id":1,"method":"x","params":' + b'{"a":' * deepness + b"1" + b"}" * (deepness + 1)
    return text.encode("utf-8", "surrogatepass")


def framed(random: Random, data: bytes) -> bytes:
    """A body behind a header, seldom behind a wrong one."""
    length = len(data)
    if random.random() < 0.6:
        return b"Content-Length: %d\r\n\r\n%s" % (length, data)
    header = random.choice(
        (
            b"content-length:%d\r\n\r\n" % length,
            b"Content-Length: %d\n\n" % length,
            b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % length,
            b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (length, length),
            b"Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (length, length + random.randrange(3)),
            b"Content-Length: %d\r\n\r\n" % max(0, length + random.choice((-3, -1, 1, 5))),
            b"Content-Length: -%d\r\n\r\n" % length,
            b"Content-Length: +%d\r\n\r\n" % length,
            b"Content-Length: %d.0\r\n\r\n" % length,
            b"Content-Length: 0x%x\r\n\r\n" % length,
            b"Content-Length: %d\r\n\r\n" % random.choice((2**31, 2**32 + length, 2**63, 2**64 + length, 10**30)),
            b"Content-Length: " + b"9" * random.choice((18, 19, 5000)) + b"\r\n\r\n",
            b"Content-Length:\r\n\r\n",
            b"Content-Length: \xd9\xa1\r\n\r\n",
            b"Content-Length\r\n\r\n",
            b"\r\n",
            b"\xef\xbb\xbfContent-Length: %d\r\n\r\n" % length,
            b"X: " + b"y" * random.choice((10, 20_000, 70_000)) + b"\r\nContent-Length: %d\r\n\r\n" % length,
            b"X: y\r\n" * random.choice((3, 5000)) + b"Content-Length: %d\r\n\r\n" % length,
            b"POST /a:b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % length,
            b"GET / HTTP/1.1\r\nOrigin: http://x\r\nContent-Length: %d\r\n\r\n" % length,
            b"Content-Length: %d\r\r\n\r\n" % length,
            random.randbytes(random.randrange(40)),
        )
    )
    return header + data


# The protocol's own shapes


def _camel(name: str) -> str:
    first, *rest = name.strip("_").split("_")
    return first + "".join(part.title() for part in rest)


@functools.cache
def editors_methods() -> tuple[tuple[str, Any], ...]:
    """What an editor may send, with the type of its parameters."""
    found = []
    for method, (message, *_) in sorted(t.METHOD_TO_TYPES.items()):
        if method in ("exit", "shutdown", "initialize") or t.message_direction(method) == "serverToClient":
            continue
        hints = typing.get_type_hints(message)
        found.append((method, hints.get("params", type(None))))
    return tuple(found)


@functools.cache
def _fields(cls: type) -> tuple[tuple[str, Any, bool], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((_camel(each.name), hints[each.name], each.default is not attrs.NOTHING) for each in attrs.fields(cls))


def shaped(random: Random, kind: Any, depth: int = 0) -> Any:
    """A value of a type of the protocol, with something else here and there."""
    if random.random() < 0.04 or depth > 7:
        return value(random, 2)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, pytypes.UnionType):
        return shaped(random, random.choice(arguments), depth)
    if origin is typing.Literal:
        return random.choice(arguments)
    if origin is not None and issubclass(origin, Mapping):
        return {random.choice(TEXTS): shaped(random, arguments[1], depth + 1) for _ in range(random.randrange(3))}
    if origin is not None and issubclass(origin, Sequence):
        return [shaped(random, arguments[0], depth + 1) for _ in range(random.randrange(3))]
    if kind is bool:
        return random.random() < 0.5
    if kind is int:
        return random.choice((0, 1, 2, 3, 5, 8, 20, *NUMBERS[:12]))
    if kind is float:
        return random.choice(NUMBERS)
    if kind is str:
        return random.choice(("PLAN", "PLAN", *TEXTS))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return random.choice(list(kind)).value
    if isinstance(kind, type) and attrs.has(kind):
        return {
            name: shaped(random, inner, depth + 1)
            for name, inner, optional in _fields(kind)
            if random.random() < (0.4 if optional else 0.97)
        }
    return None if kind is type(None) else value(random, 2)


def editors(random: Random, number: Any) -> dict[str, Any]:
    """A request or notification of an editor."""
    if random.random() < 0.2:
        return own(random, number)
    method, kind = random.choice(editors_methods())
    found: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": shaped(random, kind)}
    requests = typing.get_type_hints(t.METHOD_TO_TYPES[method][0])
    if "id" in requests or random.random() < 0.02:
        found["id"] = number
    return found
