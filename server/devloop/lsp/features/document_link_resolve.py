"""documentLink/resolve: where the link of an issue's file leads, and the issue's title."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import attrs
from lsprotocol import types as t

from devloop import beneath
from devloop.lsp.features._targets import LOCAL_ISSUE, File, Places
from devloop.lsp.features.document_link import said
from devloop.redact import one_line

if TYPE_CHECKING:
    from devloop.lsp.connection import Connection

METHOD: Final = t.DOCUMENT_LINK_RESOLVE

HEAD: Final = 4096
"""Bytes of an issue in which its title is looked for."""
_TITLE: Final = re.compile(r"^(?:title:[ \t]*|#[ \t]+)(?P<title>\S[^\r\n]*)", re.MULTILINE)


async def handle(connection: Connection, link: t.DocumentLink) -> t.DocumentLink:
    """The link as it came when it isn't one of ours or the issue is gone."""
    data = link.data if isinstance(link.data, Mapping) else {}
    name = data.get("issue")
    if link.target is not None or not isinstance(name, str) or LOCAL_ISSUE.fullmatch(name) is None:
        return link
    found = await asyncio.to_thread(_issue, Places(connection.root, connection.root), name)
    if found is None:
        return link
    file, title = found
    tooltip = f"{name}: {title}" if title else said(file)
    if not connection.client.can("textDocument.documentLink.tooltipSupport"):
        return attrs.evolve(link, target=file.uri)
    return attrs.evolve(link, target=file.uri, tooltip=tooltip)


def _issue(places: Places, name: str) -> tuple[File, str] | None:
    file = places.issue(name)
    if file is None:
        return None
    try:
        head = beneath.head(places.root, file.relative, HEAD).decode("utf-8", "replace")
    except OSError:
        return None
    found = _TITLE.search(head)
    title = one_line(found["title"], 120).strip("\"'") if found else ""
    return file, title.removeprefix(f"{name}:").strip()
