"""The identifier at the beginning of a task's text (plan-format §6)."""

from __future__ import annotations

import re
from typing import NamedTuple

_NUMBER = r"[0-9]+(?:\.[0-9]+){0,4}"
LEAD = re.compile(
    rf"""
    (?P<bold>\*\*)?
    (?: (?i:task)[ \t]+\#?(?P<task>{_NUMBER})
      | (?i:step)[ \t]+(?P<step>[0-9]+)
      | (?P<number>{_NUMBER})
      | (?P<spec>T-?[0-9]+)
      | (?P<key>[A-Z][A-Z0-9]{{0,15}}(?:-[A-Z0-9]+)*-[0-9]+)
      | \[(?P<request>PR-[0-9]+-[0-9]+)\]
    )
    (?P<closed>\*\*)?
    (?P<mark>[ \t]*:|[.)]|[ \t]+[-–—](?=[ \t]|$))?
    (?P<closed_late>\*\*)?
    (?P<rest>[ \t]|$)?
    """,
    re.VERBOSE,
)
ANCHOR = re.compile(r"\{#([\w.:-]+)\}$")
_WHOLLY_BOLD = re.compile(r"\*\*([^*]+)\*\*$")
# Words of everyday use that look like `ABC-12`.
_NO_KEYS = frozenset(
    ("AES", "CRC", "GPT", "HTTP", "IEC", "IEEE", "ISO", "MD", "MPEG", "PEP", "RFC", "RSA", "SHA", "SSE", "TLS", "UTF")
)

TID = re.compile(r"[\w][\w./#-]*$")


class Lead(NamedTuple):
    """An id, the form it was found in (empty: none) and the title without it."""

    id: str
    form: str
    title: str


def lead(text: str) -> Lead:
    """The id of a task's text, tags already cut. Rules in the order of §6; the first that matches wins."""
    found = LEAD.match(text)
    if found is not None:
        form, name = _form(found)
        if form:
            return Lead(name, form, _title(text[found.end() :], found))
    anchor = ANCHOR.search(text.rstrip())
    if anchor is not None:
        return Lead(anchor[1], "anchor", plain(text[: anchor.start()]))
    return Lead("", "", plain(text))


def _form(found: re.Match[str]) -> tuple[str, str]:
    """(form, id) of a match, ("", "") when what follows says that it is no id."""
    mark = (found["mark"] or "").strip()
    apart = found["rest"] is not None
    if found["task"]:
        ends = apart or bool(mark) or bool(found["closed"])
        return ("task", found["task"]) if ends else ("", "")
    if found["step"]:
        ends = bool(found["bold"]) and (apart or bool(mark))
        return ("step", f"step-{found['step']}") if ends else ("", "")
    if not apart:
        return "", ""
    if found["number"]:
        if "." in found["number"] or mark in (":", ".", ")"):
            return "number", found["number"]
        return "", ""
    if found["spec"]:
        return "spec", found["spec"]
    if found["key"]:
        return ("", "") if found["key"].split("-")[0] in _NO_KEYS else ("key", found["key"])
    return "request", found["request"]


def _title(rest: str, found: re.Match[str]) -> str:
    title = rest.strip()
    if found["bold"] and not (found["closed"] or found["closed_late"]):
        return title.replace("**", "", 1).strip()  # **Task 1.1: title**
    return plain(title)


def plain(title: str) -> str:
    """A title without emphasis around all of it."""
    title = title.strip()
    whole = _WHOLLY_BOLD.match(title) if title.startswith("**") else None
    return whole[1].strip() if whole else title
