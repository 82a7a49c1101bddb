"""Foreign text made harmless: what a source says in a title or a note must not become structure of the plan.

Text is escaped as CommonMark escapes it (`\\[`), only where it would be read as something, and checked with the reader
itself: a title is right when `items.box` finds it, and nothing else, in the line.
"""

from __future__ import annotations

import re
from typing import Final

from devloop.plan import headings, ids, items
from devloop.plan.lines import clean

MAX_TITLE: Final = 300
MAX_LINE: Final = 4000
MAX_LINES: Final = 400
UNTITLED: Final = "Untitled"

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,4}$")
_STEP = re.compile(r"step-([0-9]{1,9})$")
_REQUEST = re.compile(r"PR-[0-9]+-[0-9]+$")
_ANCHOR = re.compile(r"[\w][\w.-]{0,60}$")
_PHASE_ID = re.compile(r"(?:[0-9]{1,6}\.[0-9]{1,6}|[0-9]{1,6}[A-Za-z]?|[A-Za-z])$")
_BLOCK = re.compile(
    r"[-+*](?=[ \t]|$)|#{1,6}(?=[ \t]|$)|>|`{3}|~{3}|<[A-Za-z/!?]|\[[^\]]{0,2}\]|\||=+$|([-_*])[ \t]*(?:\1[ \t]*)+$"
)
_ORDERED = re.compile(r"([0-9]{1,9})([.)])(?=[ \t]|$)")
_BULLET = re.compile(r"[-*+•][ \t]+(?=\S)")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")


def title(raw: str) -> str:
    """A title as it may stand behind an id; never empty."""
    flat = clean(raw, MAX_TITLE)
    bold = re.fullmatch(r"\*\*([^*]+)\*\*", flat)
    flat = bold[1].strip() if bold else flat
    escaped = re.sub(r"(?<!\\)([\[(])", r"\\\1", flat)
    plain = " ".join(re.sub(r"[^\w\s.,;:!?'\"/+-]", " ", flat).split())
    return next((text for text in (flat, escaped, plain) if text and _is_title(text)), UNTITLED)


def _is_title(text: str) -> bool:
    return reads(f"Task 1: {text}", "1", text)


def reads(body: str, name: str, text: str) -> bool:
    """Whether a task's line with this body has this id, this title, and nothing else."""
    box = items.box(f"- [ ] {body}")
    known = any(tag.known for tag in box.tags)
    return (box.id, box.title) == (name, text) and not (known or box.marked or box.optional)


def lead(name: str, text: str) -> str:
    """The body of a line for a task with this id and this title (made by `title`); empty when that is no id."""
    step = _STEP.match(name)
    candidates: tuple[str, ...]
    if _NUMBER.match(name):
        candidates = (f"Task {name}: {text}",)
    elif step:
        candidates = (f"**Step {step[1]}: {text}**",)
    elif _REQUEST.match(name):
        candidates = (f"[{name}] {text}",)
    elif _ANCHOR.match(name):
        anchor = f"{text} {{#{name}}}"
        candidates = (f"{name} {text}", f"{name}: {text}", anchor)
    else:
        return ""
    return next((body for body in candidates if ids.TID.match(name) and reads(body, name, text)), "")


def without_id(text: str) -> str:
    """The body of a line for a task without an id; empty when its title would be read as one."""
    return text if reads(text, "", text) else ""


def line(raw: str) -> str:
    """One line of text that begins no block of Markdown."""
    text = clean(raw, MAX_LINE)
    if _BLOCK.match(text):
        return f"\\{text}"
    return _ORDERED.sub(r"\1\\\2", text, count=1) if _ORDERED.match(text) else text


def value(raw: str) -> str:
    """The value of a header field or of metadata: never the beginning of a line."""
    return re.sub(r"[ \t]\|[ \t]+(?=\*\*)", " \\| ", clean(raw, MAX_LINE))


def detail(raw: str) -> str:
    """The text of a bullet that is no metadata."""
    text = line(raw)
    return text.replace(":", "\\:", 1) if items.meta(text) is not None else text


def lines(raw: str) -> list[str]:
    """A longer text as single lines: bullets lose their mark, lines of code become code, empty lines go."""
    found: list[str] = []
    fence = ""
    for each in re.split(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", raw):
        mark = _FENCE.match(each)
        if mark and (not fence or mark[1].startswith(fence)):
            fence = "" if fence else mark[1]
            continue
        bare = "".join(char if char.isprintable() or char == "\t" else " " for char in each).expandtabs(4).rstrip()
        if fence and bare and "`" not in bare and len(bare) < MAX_LINE:
            found.append(f"`{bare}`")
            continue
        text = bare.strip()
        while len(text) > MAX_LINE:
            at = text.rfind(" ", 1, MAX_LINE) + 1 or MAX_LINE
            found.append(line(text[:at]))
            text = text[at:].strip()
        bullet = _BULLET.match(text)
        text = line(text[bullet.end() :] if bullet else text)
        if text:
            found.append(text)
    return found


def phase_id(name: str) -> bool:
    return _PHASE_ID.match(name) is not None


def phase_name(name: str, raw: str) -> str:
    """The name of a phase as its heading would be read."""
    flat = clean(raw, MAX_TITLE)
    plain = " ".join(re.sub(r"[^\w\s.,;:!?'()/+-]", " ", flat).split())
    for text in (flat, plain, f"“{plain}”"):
        head = headings.heading(2, f"Phase {name}: {text}").phase
        if head is not None and (head.id, head.name, head.tag, head.written) == (name, text, "", "") and text:
            return text
    return "Tasks"


def heading(raw: str) -> str:
    """A title for a heading that means nothing: no phase, no log, no criteria, no closing run of `#`."""
    text = re.sub(r"(?<!\\)(?<!(?<!\\)#)#++$", lambda found: f"\\{found[0]}", clean(raw, MAX_TITLE))
    return text or UNTITLED
