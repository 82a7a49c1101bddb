"""write_file and edit_file."""

from __future__ import annotations

import os

from devloop.tools.confine import Confined, Parts
from devloop.tools.inputs import EditFile, WriteFile
from devloop.tools.model import Answer, Problem
from devloop.tools.text import (
    changed_lines,
    decode,
    encoded,
    replace,
    with_eol,
    without_marks,
    without_placeholders,
)

EDIT_CAP = 8 * 1024 * 1024


def write_file(call: WriteFile, files: Confined) -> Answer:
    """The whole file. Where one exists, its line ends and BOM stay: a model never sees them, so it can't mean them."""
    parts = files.split(call.path)
    files.check_writable(parts)
    name = "/".join(parts)
    data = encoded(call.content)
    if len(data) > EDIT_CAP:
        raise Problem(f"That is more than {EDIT_CAP // 1024 // 1024} MiB; write it with a command.")
    before = _existing(parts, files)
    if before is not None:
        try:
            source = decode(before, name)
        except Problem:
            pass  # binary or another encoding: it is replaced as a whole
        else:
            without_placeholders(call.content, source.text, name)
            without_marks(call.content, source.text, name)
            text = call.content if "\r\n" in call.content else with_eol(call.content, source.eol)
            data = source.encode(text)
            added, removed = changed_lines(source.text, text)
            files.replace(parts, data)
            return Answer(f"Replaced {name} (+{added} −{removed}).", f"write {name} +{added} −{removed}")
    if before is None:
        without_placeholders(call.content, "", name)
    files.replace(parts, data)
    lines = len(call.content.splitlines())
    return Answer(f"{'Created' if before is None else 'Replaced'} {name} ({lines} lines).", f"write {name} +{lines}")


def edit_file(call: EditFile, files: Confined) -> Answer:
    parts = files.split(call.path)
    files.check_writable(parts)
    name = "/".join(parts)
    if call.old_string == call.new_string:
        raise Problem("old_string and new_string are the same.")
    with os.fdopen(files.open_file(parts), "rb") as stream:
        data = stream.read(EDIT_CAP + 1)
    if len(data) > EDIT_CAP:
        raise Problem(f"{name} is larger than {EDIT_CAP // 1024 // 1024} MiB; change it with a command.")
    source = decode(data, name)
    text, lines = replace(source, call.old_string, call.new_string, every=call.replace_all, name=name)
    added, removed = changed_lines(source.text, text)
    files.replace(parts, source.encode(text))
    times = "" if len(lines) == 1 else f" {len(lines)} times"
    return Answer(f"Edited {name}{times} at line {lines[0]} (+{added} −{removed}).", f"edit {name} +{added} −{removed}")


def _existing(parts: Parts, files: Confined) -> bytes | None:
    """The file's content, cut where nobody will compare it any more; None when there is none."""
    if not files.exists(parts):
        return None
    with os.fdopen(files.open_file(parts), "rb") as stream:
        data = stream.read(EDIT_CAP + 1)
    return data if len(data) <= EDIT_CAP else b"\0"
