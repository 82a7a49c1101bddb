"""What an agent is not shown, and what it is shown in another way, does no harm to a file when it edits it."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.redact import Redactor
from devloop.sandbox import Limits
from devloop.sandbox.plain import Plain
from devloop.tools import ToolCall, ToolContext, ToolResult, run_batch

SECRET = "s3cret" + "-of-this-machine"


class Desk:
    def __init__(self, place: Path) -> None:
        self.root = place / "worktree"
        self.root.mkdir()
        (place / "out").mkdir()
        self.context = ToolContext(
            worktree=self.root,
            view=self.root,
            backend=Plain(),
            mounts=(),
            masks=(),
            env={"PATH": "/usr/bin:/bin"},
            limits=Limits(wall_s=10),
            output_dir=place / "out",
            redact=Redactor({"MY_TOKEN": SECRET}).text,
        )

    async def do(self, tool: str, **given: object) -> ToolResult:
        (result,) = await run_batch([ToolCall("c1", tool, given)], self.context)
        return result


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def placeholder(desk: Desk) -> str:
    """What the agent sees of the file `settings.py` in the secret's place."""
    (desk.root / "settings.py").write_text(f"A = 1\nTOKEN = '{SECRET}'\nB = 2\n")
    read = await desk.do("read_file", path="settings.py")
    assert SECRET not in read.content and "«redacted:my-token:" in read.content
    return "«" + read.content.partition("«")[2].partition("»")[0] + "»"


@pytest.mark.parametrize("tool", ["write_file", "edit_file", "edit_new", "run_command"])
async def test_a_placeholder_is_never_written_in_a_secrets_place(desk: Desk, tool: str) -> None:
    hidden = await placeholder(desk)
    before = (desk.root / "settings.py").read_bytes()
    calls = {
        "write_file": {"path": "settings.py", "content": f"A = 3\nTOKEN = '{hidden}'\nB = 2\n"},
        "edit_file": {"path": "settings.py", "old_string": f"TOKEN = '{hidden}'\nB = 2", "new_string": "B = 3"},
        "edit_new": {"path": "settings.py", "old_string": "B = 2", "new_string": f"B = '{hidden}'"},
        "run_command": {"command": f"printf \"TOKEN = '{hidden}'\" > settings.py"},
    }
    result = await desk.do("edit_file" if tool == "edit_new" else tool, **calls[tool])
    assert result.is_error and "secret" in result.content
    assert (desk.root / "settings.py").read_bytes() == before


async def test_the_lines_around_a_secret_can_be_edited_and_it_stays(desk: Desk) -> None:
    await placeholder(desk)
    result = await desk.do("edit_file", path="settings.py", old_string="B = 2", new_string="B = 3")
    assert not result.is_error
    assert (desk.root / "settings.py").read_text() == f"A = 1\nTOKEN = '{SECRET}'\nB = 3\n"


async def test_a_file_that_speaks_of_placeholders_can_be_edited(desk: Desk) -> None:
    (desk.root / "notes.md").write_text("It becomes «redacted:name:1a2b».\n")
    given = {"path": "notes.md", "content": "Then it becomes «redacted:name:1a2b».\n"}
    assert not (await desk.do("write_file", **given)).is_error


@pytest.mark.parametrize("char", ["\u200b", "\u202e", "\x1b", "\ufeff", "\u00ad", "\U000e0041", "\r"])
async def test_an_edit_that_copies_a_hidden_character_as_it_was_shown_finds_and_keeps_it(desk: Desk, char: str) -> None:
    (desk.root / "a.py").write_text(f"x = 'one{char}two'\ny = 1\n", newline="")
    shown = (await desk.do("read_file", path="a.py")).content
    mark = f"\\u{{{ord(char):x}}}"
    assert f"one{mark}two" in shown
    result = await desk.do(
        "edit_file", path="a.py", old_string=f"x = 'one{mark}two'", new_string=f"x = 'three{mark}two'"
    )
    assert not result.is_error, result.content
    assert (desk.root / "a.py").read_bytes().decode() == f"x = 'three{char}two'\ny = 1\n"


async def test_a_mark_that_a_language_has_itself_is_taken_as_it_stands(desk: Desk) -> None:
    (desk.root / "a.rs").write_text("let x = '\\u{200b}';\n")
    given = {"path": "a.rs", "old_string": "'\\u{200b}'", "new_string": "'\\u{200c}'"}
    assert not (await desk.do("edit_file", **given)).is_error
    assert (desk.root / "a.rs").read_text() == "let x = '\\u{200c}';\n"


async def test_a_whole_file_written_with_marks_for_hidden_characters_is_refused_with_the_way_out(
    desk: Desk,
) -> None:
    (desk.root / "a.md").write_text("one\u200btwo\n")
    result = await desk.do("write_file", path="a.md", content="one\\u{200b}two three\n")
    assert result.is_error and "edit_file" in result.content
    assert (desk.root / "a.md").read_text() == "one\u200btwo\n"


async def test_what_a_terminal_would_swallow_of_a_file_is_shown(desk: Desk) -> None:
    """A compiler reads what lies inside an escape sequence, and behind a lone carriage return."""
    (desk.root / "a.py").write_text("# \x1b]0;\nimport os\n# \x07\n# harmless\rimport sys\n", newline="")
    shown = (await desk.do("read_file", path="a.py")).content
    assert "import os" in shown and "\\u{1b}]0;" in shown and "harmless\\u{d}import sys" in shown
