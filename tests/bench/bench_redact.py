"""How fast secrets are hidden, beside what reading the same text takes at least.

    python tests/bench/bench_redact.py [--rounds N] [--json]

MB/s of UTF-8, the best of some rounds, all works in turn so that load hits all alike. Floors: one search for a literal
(`in`), and a copy (`str.replace` of what is there). betterleaks is measured where it is installed.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import string
import time
from collections.abc import Callable
from typing import Any

from devloop.redact import Redactor, Stream, printable, visible

SIZE = 1_000_000
PIECE = 4096


def texts() -> tuple[Redactor, dict[str, str]]:
    source = random.Random(5)
    word = string.ascii_letters + string.digits
    values = {f"SERVICE_{n}_TOKEN": "".join(source.choice(word) for _ in range(40)) for n in range(8)}
    line = "2026-11-21 22:00:00,123 INFO engine: run run-1.2-1 turn 3 read_file src/module/file.py took 12 ms\n"
    shape = "gh" + "p_" + "a1B2c3" * 6
    written = [
        f"curl -H 'token: {value}' {shape}\n{base64.b64encode(value.encode()).decode()}\n" for value in values.values()
    ]
    plain = line * (SIZE // len(line))
    mixed = "".join(line * 20 + source.choice(written) for _ in range(SIZE // (len(line) * 20 + 140)))
    code = "def some_function_with_a_long_name(first_argument, second_argument):\n    return first_argument\n"
    return Redactor(values), {"log": plain, "log with secrets": mixed, "code": code * (SIZE // len(code))}


def streamed(redactor: Redactor, text: str) -> None:
    stream = Stream(redactor)
    for begin in range(0, len(text), PIECE):
        stream.feed(text[begin : begin + PIECE])
    stream.close()


def works(redactor: Redactor, texts: dict[str, str]) -> dict[str, tuple[int, Callable[[], Any]]]:
    found: dict[str, tuple[int, Callable[[], Any]]] = {}
    for name, text in texts.items():
        size = len(text.encode())
        found[f"floor: one literal, {name}"] = size, lambda text=text: "not-in-there-at-all" in text
        found[f"floor: copy, {name}"] = size, lambda text=text: text.replace("\n", "\r")
        found[f"hide, {name}"] = size, lambda text=text: redactor.text(text)
        found[f"hide in pieces of {PIECE // 1024} KiB, {name}"] = size, lambda text=text: streamed(redactor, text)
        found[f"visible, {name}"] = size, lambda text=text: visible(text)
        found[f"printable, {name}"] = size, lambda text=text: printable(text)
    try:
        import betterleaks
    except ImportError:
        return found
    for name, text in texts.items():
        found[f"betterleaks, {name}"] = len(text.encode()), lambda text=text: betterleaks.scan_string(text)
    return found


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(argv)
    redactor, given = texts()
    todo = works(redactor, given)
    best = dict.fromkeys(todo, float("inf"))
    for _ in range(chosen.rounds):
        for name, (_, work) in todo.items():
            begin = time.perf_counter()
            work()
            best[name] = min(best[name], time.perf_counter() - begin)
    figures = {name: round(todo[name][0] / best[name] / 1e6, 1) for name in todo}
    if chosen.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, figure in figures.items():
            print(f"{name:48} {figure:10,.1f} MB/s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
