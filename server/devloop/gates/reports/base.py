"""What every reader of a report gives back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devloop.gates.model import Counts, Finding
from devloop.redact import cut

MAX_REPORT = 32 * 1024 * 1024
MAX_FINDINGS = 20_000
MAX_TESTS = 500_000
MAX_TEXT = 2_000


class Unreadable(Exception):
    """The report can't be read; the text is one sentence without a capital, to stand after a colon."""


@dataclass(frozen=True)
class Report:
    """`checked` is how many things (tests, files, lines) the tool looked at; None when the format does not tell.
    `problem` says why nothing can be concluded although the report could be read; `totals` that the sums it states
    are not what it lists (sub-tests do that honestly, so a second witness may overrule it)."""

    findings: tuple[Finding, ...] = ()
    tests: Mapping[str, str] | None = None
    checked: int | None = None
    problem: str = ""
    totals: str = ""

    @property
    def counts(self) -> Counts | None:
        return None if self.tests is None else Counts.of(self.tests.values())


def load_json(data: bytes) -> Any:
    """JSON from untrusted bytes: a byte order mark is fine, NaN and wrong encodings are not."""
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_refuse)
    except UnicodeDecodeError as problem:
        raise Unreadable(f"the report is not UTF-8 (byte {problem.start})") from problem
    except RecursionError as problem:
        raise Unreadable("the report is nested too deeply") from problem
    except ValueError as problem:
        raise Unreadable(f"the report is not JSON: {problem}") from problem


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def text(value: Any, limit: int = MAX_TEXT) -> str:
    """`value` as text of at most `limit` characters; None becomes ""."""
    result = "" if value is None else str(value)
    return cut(result, limit)


def number(value: Any) -> int:
    """A count or position; raises `Unreadable` when it is none. Booleans are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**31:
        raise Unreadable(f"{text(value, 40)!r} stands where a number belongs")
    return value


def capped(findings: list[Finding]) -> tuple[Finding, ...]:
    if len(findings) > MAX_FINDINGS:
        raise Unreadable(f"the report holds more than {MAX_FINDINGS} findings")
    return tuple(findings)
