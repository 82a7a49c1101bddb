"""The ways in which a known value may be written (layer 1; security §9.3)."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus

MIN_LENGTH: Final = 8
_TOKEN: Final = re.compile(r"[^\s\"',;{}\[\]]{16,}")
_HEX: Final = re.compile(r"%[0-9A-F]{2}")
_COMMON: Final = frozenset(
    (
        *("password", "password1", "passw0rd", "changeme", "change-me", "insecure", "testtest", "12345678"),
        *("disabled", "required", "optional", "supported", "localhost", "development", "production"),
        *("postgres", "postgresql", "rabbitmq", "keycloak", "minioadmin"),
    )
)
"""What says that something is a secret, or that there is none, and what every set-up for development has: hidden, they
would only spoil the texts and the code that they are words of."""


def forms(value: str) -> set[str]:
    """`value` and its usual encodings, none of which has a line's end in it: base64 (both alphabets, wherever in a
    longer text it begins), hex, URL- and HTML-encoded, JSON-escaped. Of a value of several lines, what stands in each,
    because it is printed with numbers, indented, or line by line. Short values have none."""
    found: set[str] = set()
    for each in _whole(value):
        found |= _encoded(each)
    return {form for form in found if len(form) >= MIN_LENGTH and "\n" not in form}


def _whole(value: str) -> Iterator[str]:
    stripped = value.strip()
    if len(stripped) < MIN_LENGTH or stripped.lower() in _COMMON:
        return
    yield value
    if stripped != value:
        yield stripped
    if "\n" in stripped:
        for line in stripped.splitlines():
            bare = line.strip()
            if len(bare) >= MIN_LENGTH and len(bare.split()) == 1 and bare.lower() not in _COMMON:
                yield bare
            yield from _TOKEN.findall(bare)


def _encoded(value: str) -> set[str]:
    raw = value.encode("utf-8", "surrogateescape")
    quoted = {quote(raw, safe=""), quote(raw, safe="/"), quote_plus(raw)}
    escaped = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return {
        value,
        *_base64(raw),
        raw.hex(),
        raw.hex().upper(),
        *quoted,
        *(_HEX.sub(lambda m: m[0].lower(), each) for each in quoted),
        *escaped,
        *(each.replace("/", "\\/") for each in escaped),
        html.escape(value),
        html.escape(value, quote=False),
    }


def _base64(raw: bytes) -> Iterator[str]:
    """What of the encoded value is the same whatever stands before and behind it, for each of the three alignments."""
    for before in range(3):
        bits = 8 * (before + len(raw))
        first = (8 * before + 5) // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + raw).decode()[first : bits // 6]
