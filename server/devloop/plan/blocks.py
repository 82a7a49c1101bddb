"""What a line is, given the blocks that are open: CommonMark 0.31 without its inline part (plan-format §3).

`step(state, line)` is the only place that knows the rules. A `State` is what has to be remembered between two lines:
the open containers and the open leaf. States are interned, so that equal states are (nearly always) one object, and
each is at the same time the memo of its own transitions, see `scan`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from devloop.plan import html

# What a line is.
BLANK: Final = 0
TEXT: Final = 1  # starts or continues a paragraph
HEADING: Final = 2  # ATX
UNDERLINE: Final = 3  # the second line of a setext heading
RULE: Final = 4  # thematic break
CODE: Final = 5  # indented code
FENCE: Final = 6  # opens a fence
FENCED: Final = 7  # inside or closing a fence
HTML: Final = 8
COMMENT: Final = 9
FRONT: Final = 10  # front matter
ITEM: Final = 11  # opens a list item; what the item starts with does not matter here

QUOTE: Final = 0  # width of a quote in `State.stack`; a list item has the width of its content column (>= 2)
MAX_DEPTH: Final = 100  # containers; what is nested deeper is text

_FENCE_OPEN = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_ATX = re.compile(r"(#{1,6})(?:[ \t]|$)")
_RULE = re.compile(r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_UNDERLINE = re.compile(r"(?:=+|-+)[ \t]*$")
_MARKER = re.compile(r"(?:[-+*]|(\d{1,9})[.)])(?= |$)")
BOX = re.compile(r"\[([^\]\r\n])\](\*?)(?=[ \t\r\n]|$)")
_LOOKS_LIKE_BOX = re.compile(r"\s*(?:[-+*]|\d{1,9}[.)])\s*\[[^\]\r\n]{0,3}\]\*?(?=\s|$)")


class Fence(NamedTuple):
    char: str
    length: int


class State(dict[str, "Step | None"]):
    """Open containers and leaf after a line; as a dictionary the memo shape → step (see `scan`).

    `stack` holds the width of every open container relative to the one around it. `leaf` is None, "p" (paragraph),
    a `Fence` or the kind (1-7) of an HTML block. `empty`: the innermost item has no content yet.
    """

    __slots__ = ("empty", "key", "leaf", "quoted", "stack")

    def __init__(self, stack: tuple[int, ...], leaf: str | Fence | int | None, empty: bool) -> None:
        super().__init__()
        self.stack = stack
        self.leaf = leaf
        self.empty = empty
        self.quoted = QUOTE in stack
        self.key = (stack, leaf, empty)

    def __missing__(self, shape: str) -> Step | None:
        if isinstance(self.leaf, int) and self.leaf < 6:
            return None  # the end of such a block may stand anywhere in the line: the shape does not tell
        found = step(self, shape)
        if len(shape) <= _MEMO_LENGTH and len(self) < _MEMO_SIZE:
            self[shape] = found
        return found

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, State) and self.key == other.key)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __reduce__(self) -> tuple[object, ...]:
        return (state, (self.stack, self.leaf, self.empty))

    def __repr__(self) -> str:
        return f"State({self.stack}, {self.leaf!r}{', empty' if self.empty else ''})"


_MEMO_LENGTH: Final = 24  # longer shapes are whole lines that will hardly come again
_MEMO_SIZE: Final = 4000
_MAX_STATES: Final = 4000
_states: dict[tuple[object, ...], State] = {}


def state(stack: tuple[int, ...], leaf: str | Fence | int | None = None, empty: bool = False) -> State:
    """The state with these values; one object for equal values as long as the table is not full."""
    key = (stack, leaf, empty)
    found = _states.get(key)
    if found is None:
        if len(_states) >= _MAX_STATES:  # only a hostile document has so many; forgetting costs time, not correctness
            _states.clear()
            _states[ROOT.key] = ROOT
            ROOT.clear()
        found = _states.setdefault(key, State(stack, leaf, empty))
    return found


class Step:
    """What one line did. Shared between all lines that look alike: holds nothing of the line's own text.

    `state` after the line; `kind`; `matched`: containers that were open before and hold this line as well;
    `opened`: containers that begin on it; `box`: the innermost item starts with a checkbox; `note`: the semantic layer
    wants to see this line; `suspect`: looks like a checkbox item but is none.
    """

    __slots__ = ("box", "kind", "matched", "note", "opened", "quoted", "state", "suspect")

    def __init__(
        self,
        after: State,
        kind: int,
        matched: int,
        opened: int = 0,
        *,
        box: bool = False,
        note: bool = False,
        suspect: bool = False,
    ) -> None:
        self.state = after
        self.kind = kind
        self.matched = matched
        self.opened = opened
        self.quoted = after.quoted
        self.box = box and not after.quoted
        self.suspect = suspect and not after.quoted
        # An item that holds only a quote is still somebody's parent or the end of somebody's children.
        holder = opened > 0 and after.stack[matched] != QUOTE and QUOTE not in after.stack[:matched]
        self.note = holder or ((note or suspect) and not after.quoted)

    def __repr__(self) -> str:
        return f"Step({self.state!r}, kind={self.kind}, matched={self.matched}, box={self.box})"


ROOT: Final = State((), None, False)
_states[ROOT.key] = ROOT
FRONT_STEP: Final = Step(ROOT, FRONT, 0)


def step(before: State, line: str) -> Step:
    """What `line` is and what is open after it. Total: any text is some kind of line."""
    text = line.rstrip("\r\n")
    if "\t" in text:
        text = text.expandtabs(4)  # columns count from the line's start, so this is what CommonMark's tabs mean
    stack = before.stack
    pos, matched = _match(before, text)
    all_matched = matched == len(stack)
    leaf = before.leaf
    if all_matched and leaf is not None and leaf != "p":
        return _inside(before, leaf, text[pos:], matched)
    kept = stack[:matched]
    paragraph = leaf == "p"
    return _starts(before, kept, text, pos, paragraph, all_matched)


def _match(before: State, text: str) -> tuple[int, int]:
    """(offset behind the containers of `before` that hold this line, how many those are)."""
    stack = before.stack
    pos, size, matched = 0, len(text), 0
    for width in stack:
        at = pos
        while at < size and text[at] == " ":
            at += 1
        if width == QUOTE:
            if at == size or at - pos > 3 or text[at] != ">":
                break
            pos = at + 1
            if pos < size and text[pos] == " ":
                pos += 1
        elif at == size:
            if before.empty and matched == len(stack) - 1:
                break  # an item can begin with at most one blank line
            pos = size
        elif at - pos >= width:
            pos += width
        else:
            break
        matched += 1
    return pos, matched


def _inside(before: State, leaf: str | Fence | int, rest: str, matched: int) -> Step:
    """A line whose containers all go on and whose leaf takes lines as they are: fence, HTML."""
    if isinstance(leaf, Fence):
        bare = rest.strip(" ")
        closing = len(bare) >= leaf.length and not bare.strip(leaf.char) and len(rest) - len(rest.lstrip(" ")) <= 3
        return Step(state(before.stack) if closing else before, FENCED, matched)
    assert isinstance(leaf, int)
    kind = COMMENT if leaf == html.COMMENT else HTML
    if leaf >= 6:
        if not rest.strip(" "):
            return Step(state(before.stack), BLANK, matched)
        return Step(before, kind, matched, suspect=_LOOKS_LIKE_BOX.match(rest) is not None)
    return Step(state(before.stack) if html.ends(leaf, rest) else before, kind, matched)


def _starts(before: State, kept: tuple[int, ...], text: str, pos: int, paragraph: bool, all_matched: bool) -> Step:
    """Open the containers and the leaf that start on this line."""
    size, matched, item = len(text), len(kept), False
    new = kept
    while True:
        at = pos
        while at < size and text[at] == " ":
            at += 1
        if at == size:
            return _begin(BLANK, state(new, None, item), matched, item)
        indent = at - pos
        # A paragraph may still go on here: in its own containers, or lazily without them.
        tip = paragraph and len(new) == matched
        if indent >= 4:
            if tip:
                break
            return _begin(CODE, state(new), matched, item, suspect=_LOOKS_LIKE_BOX.match(text, at) is not None)
        char = text[at]
        if char == ">" and len(new) < MAX_DEPTH:
            new = (*new, QUOTE)
            pos = at + 2 if text.startswith(" ", at + 1) else at + 1
            item = False
            continue
        leaf = _leaf(new, matched, text, at, tip, tip and all_matched, item)
        if leaf is not None:
            return leaf
        width = _item_width(text, at, tip and all_matched) if len(new) < MAX_DEPTH else 0
        if not width:
            break
        new = (*new, indent + width)
        pos = min(size, at + width)
        item = True
    if len(new) > matched:
        box = item and text[at] == "[" and BOX.match(text, at) is not None
        return _begin(TEXT, state(new, "p"), matched, item, box=box)
    return _text(before, new, text, at, matched, paragraph)


def _leaf(new: tuple[int, ...], matched: int, text: str, at: int, tip: bool, setext: bool, item: bool) -> Step | None:
    """The leaf other than a paragraph that begins at `at`."""
    char = text[at]
    if char == "#" and _ATX.match(text, at):
        return _begin(HEADING, state(new), matched, item, note=not new)
    if char in "`~" and (fence := _FENCE_OPEN.match(text, at)):
        return _begin(FENCE, state(new, Fence(char, len(fence[1] or fence[2]))), matched, item)
    if char == "<" and (kind := html.starts(text[at:], interrupting=tip)):
        after = state(new) if kind < 6 and html.ends(kind, text[at:]) else state(new, kind)
        return _begin(COMMENT if kind == html.COMMENT else HTML, after, matched, item)
    if setext and char in "=-" and _UNDERLINE.match(text, at):
        return _begin(UNDERLINE, state(new), matched, item, note=not new)
    if char in "*-_" and _RULE.match(text, at):
        return _begin(RULE, state(new), matched, item)
    return None


def _begin(
    kind: int, after: State, matched: int, item: bool, *, box: bool = False, note: bool = False, suspect: bool = False
) -> Step:
    """The step of a line that begins something; on the line of a list item the item is what counts."""
    opened = len(after.stack) - matched
    if item:
        return Step(after, ITEM, matched, opened, box=box, note=True)
    return Step(after, kind, matched, opened, note=note, suspect=suspect)


def _text(before: State, new: tuple[int, ...], text: str, at: int, matched: int, paragraph: bool) -> Step:
    after = before if paragraph else state(new, "p")  # a lazy line keeps the containers it does not repeat
    suspect = text[at] in "-+*0123456789" and _LOOKS_LIKE_BOX.match(text, at) is not None
    note = bool(after.stack) or text[at] == "|" or text.startswith("**", at)
    return Step(after, TEXT, matched, note=note, suspect=suspect)


def _item_width(text: str, at: int, interrupting: bool) -> int:
    """Columns from an item's marker to its content, 0 when there is no marker at `at`."""
    marker = _MARKER.match(text, at)
    if marker is None:
        return 0
    end = marker.end()
    content = end
    while content < len(text) and text[content] == " ":
        content += 1
    blank = content == len(text)
    if interrupting and (blank or (marker[1] is not None and int(marker[1]) != 1)):
        return 0
    spaces = content - end
    if blank or spaces > 4:
        spaces = 1
    return end - at + spaces
