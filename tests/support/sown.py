"""Secrets put into texts, so that whatever comes out tells which of them got there and which came through.

Each place where text enters (`source`) has secrets of its own. One that the process knows is a variable called by its
source, so its placeholder says that a text of the source came here; each is written in every encoding of §9.3.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Iterable

from support.secret_inputs import ENCODINGS, core, made, shapes

WHOLE = 20
"""Characters of a secret's beginning or end that are a leak, too: a text that is cut before it is clean tells those."""
BLOCK = 6
"""A text is looked through by blocks of so many bytes: what has nearly twice as many holds one of them whole."""
_PLACEHOLDER = re.compile(r"«redacted:([a-z-]+?)-\d-(?:token|url):[0-9a-f]{4}»")
_SPACE = re.compile(rb"\s+")


class Sown:
    """`environment`: what a process has to know. `seed` makes the same secrets again."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.environment: dict[str, str] = {}
        self._looked_for: dict[bytes, str] = {}
        self._own: set[str] = set()

    def known(self, source: str) -> list[str]:
        """The secrets of a source that every process knows: letters, anything, several lines, a password in a URL."""
        names = [f"{source.upper()}_{n}_TOKEN" for n in range(3)] + [f"{source.upper()}_3_URL"]
        if names[0] not in self.environment:
            lines = [self._word(40) for _ in range(3)]
            values = [self._word(32), made(self.random, 24, 60), "\n".join(lines), self._word(24)]
            for name, value in zip(names, values, strict=True):
                self.environment[name] = f"postgres://app:{value}@db.example/x" if name.endswith("URL") else value
                for encoding in ENCODINGS:
                    for each in core(value, encoding):
                        self._forbid(each, f"{source}: {name}, {encoding}")
                for line in value.split("\n"):
                    self._forbid(line, f"{source}: {name}, a line")
        return names

    def rows(self, source: str, count: int | None = None, *, shaped: bool = True) -> list[str]:
        """Lines with the secrets of a source: each known one in each encoding, and some that only have a shape. With
        `count` so many of them, others each time."""
        rows = []
        for name in self.known(source):
            value = self.environment[name].removeprefix("postgres://app:").removesuffix("@db.example/x")
            rows += [f"{n} {encoding}: {encode(value)}" for n, (encoding, encode) in enumerate(ENCODINGS.items())]
            if "\n" in value:
                rows += [f"{n}\t{line}" for n, line in enumerate(value.split("\n"))]
        for n in range(8 if shaped else 0):
            text = shapes(self.random)
            value = (text.rpartition(" ")[2] if " " in text else text).split("app:")[-1].split("@")[0]
            self._forbid(value, f"{source}: shape {n}", own=True)
            rows.append(f"shape {n}: {text} .")
        if shaped:
            rows.append(self._private_key(source))
        rows = [row for row in rows if "\n" not in row or row.startswith("-----")]
        self.random.shuffle(rows)
        if count is None:
            return rows
        return [self.environment[self.known(source)[0]], *[row for row in rows if "\n" not in row][: count - 1]]

    def text(self, source: str, count: int | None = None, *, shaped: bool = True) -> str:
        return "\n".join(self.rows(source, count, shaped=shaped)) + "\n"

    def leaks(self, data: Iterable[bytes], *, own: bool = False) -> list[str]:
        """What of all secrets stands in any of it, as bytes or as text in JSON, also where lines were broken. `own`:
        but what has a shape alone may stand there."""
        found = []
        short = [form for form in self._looked_for if len(form) < 2 * BLOCK - 1]
        blocks: dict[bytes, list[bytes]] = {}
        for form in self._looked_for:
            for at in range(len(form) - BLOCK + 1):
                blocks.setdefault(form[at : at + BLOCK], []).append(form)
        for each in data:
            squeezed = _SPACE.sub(b"", each)
            there = {squeezed[at : at + BLOCK] for at in range(0, len(squeezed), BLOCK)} & blocks.keys()
            for form in dict.fromkeys([*short, *(form for block in there for form in blocks[block])]):
                name = self._looked_for[form]
                if (at := squeezed.find(form)) >= 0 and not (own and name in self._own):
                    found.append(f"{name}: {squeezed[max(0, at - 120) : at + 80]!r}")
        return found

    @staticmethod
    def reached(data: Iterable[bytes]) -> set[str]:
        """The sources whose texts came here, by what stands for their secrets."""
        return {name for each in data for name in _PLACEHOLDER.findall(each.decode("utf-8", "replace"))}

    def _word(self, length: int) -> str:
        return "".join(self.random.choice(string.ascii_letters + string.digits) for _ in range(length))

    def _private_key(self, source: str) -> str:
        body = base64.b64encode(self.random.randbytes(160)).decode()
        lines = [body[at : at + 64] for at in range(0, len(body), 64)]
        for line in lines[:-1]:
            self._forbid(line, f"{source}: private key", own=True)
        kind = self.random.choice(("RSA ", "OPENSSH ", ""))
        return "\n".join((f"-----BEGIN {kind}PRIVATE " + "KEY-----", *lines, f"-----END {kind}PRIVATE " + "KEY-----"))

    def _forbid(self, form: str, name: str, *, own: bool = False) -> None:
        """A whole form is known by its beginning or its end."""
        parts = {form[:WHOLE], form[-WHOLE:]} if len(form) >= WHOLE + 4 else {form}
        for part in parts:
            if len(part) >= 12:
                self._looked_for.setdefault(_SPACE.sub(b"", part.encode("utf-8", "surrogatepass")), name)
                if own:
                    self._own.add(name)


def told_in(data: bytes) -> list[bytes]:
    """Bytes as they are and, where lines or messages of them are JSON, every string in it."""
    found = [data]
    for line in data.replace(b"\r\n\r\n", b"\n").splitlines():
        body = line.partition(b"Content-Length:")[0]
        try:
            value = json.loads(body)
        except ValueError:
            continue
        found.append("\n".join(strings(value)).encode("utf-8", "surrogatepass"))
    return found


def strings(value: object) -> list[str]:
    """Every string in an answer, keys too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for each in pair for text in strings(each)]
    return [text for each in value for text in strings(each)] if isinstance(value, list) else []
