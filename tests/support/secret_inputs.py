"""Secrets that are made up anew each time, the ways in which each may be written, and texts cut anywhere."""

from __future__ import annotations

import base64
import html
import json
import random
import string
from collections.abc import Callable
from urllib.parse import quote, quote_plus

CHARACTERS = string.ascii_letters + string.digits + "-_./+=!?*&%$#@:;,<>|~^()[]{} '\"\\é漢"


def made(source: random.Random, low: int = 8, high: int = 120) -> str:
    """A secret of any shape without a line's end; its ends are no white space."""
    length = source.randint(low, high)
    pool = source.choice((CHARACTERS, string.ascii_letters + string.digits, string.hexdigits.lower()))
    text = "".join(source.choice(pool) for _ in range(length)).strip()
    return text if len(text) >= low else made(source, low, high)


def in_base64(value: str, before: int, url: bool = False) -> str:
    """`value` somewhere in a longer encoded text, `before` bytes behind its beginning."""
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return encode(b"q" * before + value.encode() + b"tail!").decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    **{f"base64+{n}": lambda value, n=n: in_base64(value, n) for n in range(4)},
    **{f"base64url+{n}": lambda value, n=n: in_base64(value, n, url=True) for n in range(4)},
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "url": lambda value: quote(value, safe=""),
    "url, lower": lambda value: "".join(
        quote(char, safe="").lower() if len(quote(char, safe="")) > 1 else char for char in value
    ),
    "url, path": quote,
    "form": quote_plus,
    "json": lambda value: json.dumps({"a": value}),
    "json, utf-8": lambda value: json.dumps([value], ensure_ascii=False),
    "json, slashes": lambda value: json.dumps(value).replace("/", "\\/"),
    "html": html.escape,
}


def core(value: str, encoding: str) -> list[str]:
    """What must not be found in an output: the form itself; of base64 what is the value's alone, by its own reckoning:
    the characters whose six bits are all the value's."""
    if not encoding.startswith("base64"):
        inner = ENCODINGS[encoding](value)
        return [inner.strip('{}[]"').removeprefix('a": "') if encoding.startswith("json") else inner]
    before = int(encoding[-1])
    whole = ENCODINGS[encoding](value)
    first, last = before * 8, (before + len(value.encode())) * 8
    return ["".join(char for n, char in enumerate(whole) if n * 6 >= first and n * 6 + 6 <= last)]


def pieces(text: str, source: random.Random) -> list[str]:
    """`text` cut anywhere, into pieces of any length, empty ones too."""
    cuts = sorted(source.randint(0, len(text)) for _ in range(source.randint(0, 8)))
    if source.random() < 0.05:
        return list(text)
    return [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def shapes(source: random.Random) -> str:
    """Something of each pattern's shape, written by what the pattern itself says of it."""

    def some(pool: str, count: int) -> str:
        return "".join(source.choice(pool) for _ in range(count))

    word, hexa = string.ascii_letters + string.digits, "0123456789abcdef"
    return source.choice(
        (
            lambda: "sk-" + "ant-api03-" + some(word + "-_", 90),
            lambda: "gh" + source.choice("pousr") + "_" + some(word, 36),
            lambda: "github" + "_pat_" + some(word + "_", 60),
            lambda: "gl" + "pat-" + some(word, 20),
            lambda: "AK" + "IA" + some(string.ascii_uppercase + string.digits, 16),
            lambda: "AI" + "za" + some(word + "-_", 35),
            lambda: "xox" + "b-" + some(string.digits, 12) + "-" + some(word, 24),
            lambda: "sk" + "_live_" + some(word, 24),
            lambda: "np" + "m_" + some(word, 36),
            lambda: "ey" + "J" + some(word, 30) + "." + some(word, 40) + "." + some(word + "-_", 43),
            lambda: "hf" + "_" + some(word, 34),
            lambda: "Authorization: Bear" + "er " + some(word, 40),
            lambda: "SG" + "." + some(word, 22) + "." + some(word, 43),
            lambda: "dop" + "_v1_" + some(hexa, 64),
            lambda: "postgres://app:" + some(word, 20) + "@db.example/x",
            lambda: "aws_secret_access" + "_key = " + some(word + "+", 40),
        )
    )()
