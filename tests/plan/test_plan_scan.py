"""The scanner against markdown-it-py: the same checkbox items and headings, on documents made to be difficult."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from devloop.plan.blocks import BLANK, CODE, HEADING, TEXT, UNDERLINE, State, step
from devloop.plan.lines import split
from devloop.plan.scan import scan, scan_line
from support.turns import often

ORACLE = MarkdownIt("commonmark", {"maxNesting": 200})
BOX = re.compile(r"\[([^\]\r\n])\]\*?(?=[ \t]|$)")
Found = tuple[set[int], set[int]]


def by_oracle(text: str) -> Found:
    """(lines of items that begin with a box, outside quotes; lines of `#` or underline of headings)."""
    boxes, headings, quotes = set[int](), set[int](), 0
    tokens = ORACLE.parse(text)
    for at, token in enumerate(tokens):
        if token.type == "blockquote_open":
            quotes += 1
        elif token.type == "blockquote_close":
            quotes -= 1
        elif token.type == "list_item_open" and not quotes:
            inner = tokens[at + 1]
            assert token.map is not None
            if inner.type not in ("paragraph_open", "heading_open") or inner.markup.startswith("#"):
                continue
            assert inner.map is not None
            if inner.map[0] == token.map[0] and BOX.match(tokens[at + 2].content.split("\n")[0]):
                boxes.add(token.map[0])
        elif token.type == "heading_open" and token.level == 0:
            assert token.map is not None
            headings.add(token.map[0] if token.markup.startswith("#") else token.map[1] - 1)
    return boxes, headings


def by_scanner(text: str) -> Found:
    steps = scan(split(text))
    return (
        {at for at, found in enumerate(steps) if found.box},
        {at for at, found in enumerate(steps) if found.kind in (HEADING, UNDERLINE) and not found.state.stack},
    )


def oracle_is_unsure(text: str) -> bool:
    """Whether a line of four or more columns drops a container: there markdown-it-py and the specification differ.

    (`> - [ ] q`, then `    - [ ] a`, then `</b>`: the reference implementation sees one lazy paragraph.)
    """
    before: State | None = None
    for line, found in zip(split(text), scan(split(text)), strict=True):
        wide = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip(" ")) >= 4
        if before is not None and found.matched < len(before.stack) and wide and found.kind in (TEXT, CODE):
            return True
        before = found.state
    return False


PREFIXES = ["", "", "", " ", "  ", "   ", "    ", "      ", "\t", "> ", ">", " > ", "- ", "* ", "1. ", "2. ", "10) "]
PREFIXES += ["-\t", "-     ", "+ ", "- - ", ">  "]
BODIES = (
    """- [ ] a|* [x] b|1. [ ] c|2. [ ] c|10. [~] d|+ [!] z|text|more text||| |```|~~~|````|``` py
``` a`b|~~~ a`b|<!-- x|-->|<!-- c -->|<div>|</div>|<details>|<summary>s</summary>|<span>
<b>x</b>|<script>|</script>|<?|?>|<!DOCTYPE x>|<![CDATA[|]]>|# h|## Phase 1: x|####### no|#no|#
---|***|===|=|- ---|_ _ _|--|- |-|1.|*|[ ] n|[x] n|- [x](u)|- [ ]|-\t[ ] t|- [ ]\ttt|- [] e
- [x]text|- [ x] y|-[ ] n|      - [ ] deep|> - [ ] q|**K**: v|`code` x|2024-01|2.1 text|- foo
- - [ ] x|- 1. [ ] x|_ x|* * *|- # h|- ```|-->  - [ ] n|- [✓] x|\\- [ ] esc|&nbsp;|\tcode
    - [ ] code|- [ ]* opt|- \t[ ] x|1) [ ] p|123456789. [ ] n|1234567890. [ ] n|01. [ ] z
0. [ ] z|- [\\]] x|- [ ] <!-- c|<textarea>|<a href="x">|<a|</a >|<x-y z='1'/>|-   [ ] three
-    [ ] four|-      [ ] six""".replace("\n", "|")
    .replace("\\t", "\t")
    .split("|")
)

documents = st.builds(
    lambda lines, end: "\n".join("".join(prefix) + body for prefix, body in lines) + end,
    st.lists(
        st.tuples(st.lists(st.sampled_from(PREFIXES), max_size=3), st.sampled_from(BODIES)), min_size=1, max_size=10
    ),
    st.sampled_from(["", "\n", "\n\n"]),
)


@settings(max_examples=often(700), deadline=None)
@given(documents)
@example("- a\n 1. [ ] b\n  - [ ] c\n   - [ ] d\n    - [ ] e")
@example("- [ ] a\n\n      - [ ] code\n")
@example("> a\n- [ ] b\n")
@example("> a\n2. [ ] b\n")
@example("-\n\n  - [ ] not in the item\n")
def test_same_boxes_and_headings_as_the_oracle(text: str) -> None:
    assume(not oracle_is_unsure(text))
    assert by_scanner(text) == by_oracle(text)


@settings(max_examples=often(120), deadline=None)
@given(st.lists(documents, min_size=1, max_size=4))
def test_same_as_the_oracle_on_longer_documents(parts: list[str]) -> None:
    text = "\n".join(parts)
    assume(not oracle_is_unsure(text))
    assert by_scanner(text) == by_oracle(text)


@settings(max_examples=often(400), deadline=None)
@given(documents)
def test_memoised_steps_equal_steps_from_the_whole_line(text: str) -> None:
    """The shape of a line must decide as the line itself does."""
    before = State((), None, False)
    for line, found in zip(split(text), scan(split(text)), strict=True):
        direct = step(before, line)
        assert (direct.state.key, direct.kind, direct.matched, direct.box, direct.note, direct.suspect) == (
            found.state.key,
            found.kind,
            found.matched,
            found.box,
            found.note,
            found.suspect,
        )
        before = direct.state


@settings(max_examples=often(200), deadline=None)
@given(documents, st.sampled_from(["\r\n", "\r"]))
def test_line_ends_do_not_matter(text: str, end: str) -> None:
    assert by_scanner(text.replace("\n", end)) == by_scanner(text)


# Documents written by hand; each line of the comment above a group names the rule of CommonMark 0.31 they turn on.
TRICKY = [
    # 2.2 tabs
    "-\t[ ] a\n\t- [ ] b\n",
    "- [ ] a\n\t- [ ] b\n\t\t- [ ] c\n",
    "-\t\t[ ] a\n",
    " -\t[ ] a\n",
    ">\t- [ ] a\n",
    "1.\t[ ] a\n\t- [ ] b\n",
    "- [ ] a\n \t- [ ] b\n",
    "\t- [ ] a\n",
    "- a\n\n\t- [ ] b\n",
    "- a\n\n\t\t- [ ] b\n",
    # 4.1 thematic breaks
    "* * *\n- [ ] a\n",
    "- [ ] a\n***\n- [ ] b\n",
    "- * * *\n- [ ] a\n",
    "Foo\n***\n- [ ] a\n",
    "- - - [ ] a\n",
    "__\n- [ ] a\n",
    "- [ ] a\n---\n- [ ] b\n",
    "-  -  -\n  - [ ] a\n",
    # 4.2 ATX headings
    "# a\n- [ ] b\n",
    "    # a\n- [ ] b\n",
    "text\n# h\n2. [ ] a\n",
    "#\n- [ ] a\n",
    "#\ta\n",
    "\\# a\n- [ ] b\n",
    "- # a\n  - [ ] b\n",
    "> # a\n- [ ] b\n",
    "####### a\n2. [ ] b\n",
    # 4.3 setext headings
    "a\n=\n- [ ] b\n",
    "a\n---\n2. [ ] b\n",
    "- a\n---\n- [ ] b\n",
    "- a\n  ---\n- [ ] b\n",
    "> a\n---\n- [ ] b\n",
    "a\nb\n===\n2. [ ] c\n",
    "a\n    ---\n- [ ] b\n",
    "- [ ] a\n===\n2. [ ] c\n",
    "===\n- [ ] a\n",
    "a\n= =\n- [ ] b\n",
    "`a\n---\n`\n- [ ] b\n",
    # 4.4 indented code
    "    - [ ] a\n",
    "a\n    - [ ] b\n",
    "a\n\n    - [ ] b\n",
    "- a\n\n      - [ ] b\n",
    "- [ ] a\n\n    - [ ] b\n",
    "1.  a\n\n        - [ ] b\n",
    "# h\n    - [ ] a\n",
    "    code\n- [ ] a\n",
    # 4.5 fences
    "```\n- [ ] a\n```\n- [ ] b\n",
    "~~~\n- [ ] a\n```\n- [ ] b\n~~~\n- [ ] c\n",
    "````\n- [ ] a\n```\n- [ ] b\n`````\n- [ ] c\n",
    "```\n- [ ] a\n",
    "> ```\n> - [ ] a\n- [ ] b\n",
    "- ```\n  - [ ] a\n- [ ] b\n",
    "- ```\n- [ ] a\n",
    "   ```\n- [ ] a\n  ```\n- [ ] b\n",
    "    ```\n- [ ] a\n    ```\n",
    "```\n- [ ] a\n    ```\n- [ ] b\n```\n",
    "``` a`b\n- [ ] a\n",
    "~~~ a`b ~~~\n- [ ] a\n~~~\n- [ ] b\n",
    "a\n```\n- [ ] b\n```\n2. [ ] c\n",
    "```\n- [ ] a\n``` no\n- [ ] b\n```\n",
    "``\n- [ ] a\n``\n",
    "- [ ] a\n  ~~~\n  - [ ] b\n\n  - [ ] c\n- [ ] d\n",
    # 4.6 HTML blocks
    "<div>\n- [ ] a\n\n- [ ] b\n",
    "<details>\n<summary>x</summary>\n\n- [ ] a\n\n</details>\n- [ ] b\n",
    "<!-- a\n\n- [ ] b\n\n--> - [ ] c\n- [ ] d\n",
    "<!-- a -->\n- [ ] b\n",
    "<!-- a --> - [ ] b\n",
    "<script>\n\n- [ ] a\n</script>\n- [ ] b\n",
    "<pre>\n- [ ] a\n\n- [ ] b\n</pre>\n- [ ] c\n",
    "<?php\n\n- [ ] a\n?>\n- [ ] b\n",
    "<!X\n- [ ] a\n>\n- [ ] b\n",
    "<![CDATA[\n\n- [ ] a\n]]>\n- [ ] b\n",
    "<span>\n- [ ] a\n",
    "a\n<span>\n- [ ] b\n",
    "a\n<div>\n- [ ] b\n",
    "<del>*x*</del>\n- [ ] a\n",
    "</ins>\n- [ ] a\n",
    "<a href='x' y=\"z\" b=c d>\n- [ ] a\n",
    "<a h*#ref>\n- [ ] a\n",
    "    <!-- x\n- [ ] a\n",
    "- <div>\n- [ ] a\n",
    "- <!--\n  - [ ] a\n- [ ] b\n",
    "> <div>\n- [ ] a\n",
    "<DIV>\n- [ ] a\n",
    "<divx>\n- [ ] a\n",
    "<style\n- [ ] a\n</style>\n- [ ] b\n",
    "<search>\n- [ ] a\n",
    # 4.8 paragraphs
    "a\n- [ ] b\n",
    "a\n1. [ ] b\n",
    "a\n2. [ ] b\n",
    "a\n-\n- [ ] b\n",
    "a\n0. [ ] b\n",
    "a\n01. [ ] b\n",
    "a\n- [ ]\n",
    "a\n1.\n",
    # 5.1 quotes
    "> - [ ] a\n- [ ] b\n",
    "> a\n  - [ ] b\n",
    "> a\n      - [ ] b\n",
    ">- [ ] a\n>  - [ ] b\n- [ ] c\n",
    "- > a\n  - [ ] b\n",
    "- > a\n- [ ] b\n",
    "    > a\n- [ ] b\n",
    "> a\n\n- [ ] b\n",
    "- [ ] a\n  > - [ ] b\n  - [ ] c\n",
    "> > > a\n- [ ] b\n",
    # 5.2, 5.3 list items and lists
    "- a\n - [ ] b\n  - [ ] c\n   - [ ] d\n    - [ ] e\n",
    "10. [ ] a\n  - [ ] b\n",
    "10. [ ] a\n    - [ ] b\n",
    "1. [ ] a\n\n   - [ ] b\n",
    "1. [ ] a\n\n  - [ ] b\n",
    "-\n  - [ ] a\n",
    "-\n\n  - [ ] a\n",
    "-   \n    - [ ] a\n",
    "-     [ ] a\n",
    "-    [ ] a\n",
    "- - - [ ] a\n    - [ ] b\n",
    "1. - 2. [ ] a\n",
    "- 1. [ ] a\n  2. [ ] b\n",
    "1) [ ] a\n2. [ ] b\n",
    "123456789. [ ] a\n",
    "1234567890. [ ] a\n",
    "-1. [ ] a\n",
    "- [ ] a\n* [ ] b\n+ [ ] c\n",
    "- [ ] a\n\n\n- [ ] b\n",
    "- [ ] a\nlazy\n- [ ] b\n",
    "- [ ] a\n  text\n  - [ ] b\n",
    "- [ ] a\n\n  text\n  2. [ ] b\n",
    "- [ ] a\n\n  text\n\n  2. [ ] b\n",
    "-[ ] a\n",
    "- a\n      - [ ] b\n",
    "- a\n\n     - [ ] b\n",
    "-\ta\n\n  - [ ] b\n",
    "1.  [ ] a\n    - [ ] b\n  - [ ] c\n",
    "- [ ] a\n  -\n    - [ ] b\n",
    "- [ ] a\n-\n- [ ] b\n",
    "*\n- [ ] a\n",
]


def test_there_are_enough_documents_by_hand() -> None:
    assert len(TRICKY) == len(set(TRICKY)) >= 100


@pytest.mark.parametrize("text", TRICKY)
def test_document_by_hand(text: str) -> None:
    assert by_scanner(text) == by_oracle(text)


# Where markdown-it-py and the specification differ; expected boxes as the reference implementation has them.
BEYOND_THE_ORACLE = [
    ("1.   <b>x</b>\n    ***\n|a|\n10. [~] d", {3}),
    ("   - - - `code` x\n\t1.\n      2. [ ] c", {2}),
    (" > 2. <script>\n\t   > - [ ]\tt\ntext\n2. [ ] c", set[int]()),
]


@pytest.mark.parametrize(("text", "boxes"), BEYOND_THE_ORACLE)
def test_lazy_lines_follow_the_specification(text: str, boxes: set[int]) -> None:
    assert oracle_is_unsure(text)
    assert by_scanner(text)[0] == boxes


@given(st.text(max_size=200), st.text(max_size=40))
def test_any_text_is_some_kind_of_line(text: str, other: str) -> None:
    steps = scan(split(text))
    assert len(steps) == len(split(text))
    after = steps[-1].state if steps else State((), None, False)
    for line in split(other) or [""]:
        assert scan_line(line, after).kind >= BLANK


def test_deep_nesting_is_bounded() -> None:
    for text in ("> " * 50_000, "- " * 30_000, "1. " * 20_000 + "\n" + "  " * 1000 + "- [ ] a"):
        assert all(len(found.state.stack) <= 100 for found in scan(split(text)))


def test_many_states_do_not_pile_up() -> None:
    from devloop.plan import blocks

    for indent in range(9000):
        scan([f"{'`' * (3 + indent % 60)}\n", f"{' ' * (indent % 4)}- {'- ' * (indent % 90)}x\n"])
    assert len(blocks._states) <= blocks._MAX_STATES + 1
    assert all(len(found) <= blocks._MEMO_SIZE for found in blocks._states.values())


def test_kinds_of_lines_are_told_apart() -> None:
    text = "text\n\n    code\n\n- item\n"
    assert [found.kind for found in scan(split(text))][:3] == [TEXT, BLANK, CODE]
