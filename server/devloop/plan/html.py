"""HTML blocks: the seven kinds of CommonMark 0.31.2, section 4.6."""

from __future__ import annotations

import re
from typing import Final

COMMENT: Final = 2

_BLOCKS = [
    "address",
    "article",
    "aside",
    "base",
    "basefont",
    "blockquote",
    "body",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "iframe",
    "legend",
    "li",
    "link",
    "main",
    "menu",
    "menuitem",
    "nav",
    "noframes",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "search",
    "section",
    "summary",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "ul",
]
_ATTRIBUTE = r"""(?:[ \t]+[a-zA-Z_:][a-zA-Z0-9_.:-]*(?:[ \t]*=[ \t]*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?)"""
_START = (
    re.compile(r"<(?:script|pre|style|textarea)(?:[ \t>]|$)", re.I | re.A),
    re.compile(r"<!--"),
    re.compile(r"<\?"),
    re.compile(r"<![A-Za-z]"),
    re.compile(r"<!\[CDATA\["),
    re.compile(rf"</?(?:{'|'.join(_BLOCKS)})(?:[ \t]|/?>|$)", re.I | re.A),
    re.compile(rf"(?:<[A-Za-z][A-Za-z0-9-]*{_ATTRIBUTE}*[ \t]*/?>|</[A-Za-z][A-Za-z0-9-]*[ \t]*>)[ \t]*$"),
)
_END = (
    re.compile(r"</(?:script|pre|style|textarea)>", re.I | re.A),
    re.compile(r"-->"),
    re.compile(r"\?>"),
    re.compile(r">"),
    re.compile(r"\]\]>"),
)


def starts(text: str, *, interrupting: bool) -> int:
    """The kind (1-7) of the block that begins with `text`, 0 for none; kind 7 can't interrupt a paragraph."""
    for kind, pattern in enumerate(_START, 1):
        if pattern.match(text):
            return 0 if kind == 7 and interrupting else kind
    return 0


def ends(kind: int, text: str) -> bool:
    """Whether a block of kind 1-5 ends with this line (kinds 6 and 7 end before a blank line)."""
    return _END[kind - 1].search(text) is not None
