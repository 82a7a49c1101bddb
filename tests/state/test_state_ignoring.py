"""The block in .gitignore: written once, completed where an older devloop wrote it, never against the person."""

from __future__ import annotations

import pytest

from devloop import beginning
from devloop.beginning import BEGIN, END, IGNORED

BLOCK = "\n".join([BEGIN, *IGNORED, END, ""])


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", BLOCK),
        ("a\n", f"a\n\n{BLOCK}"),
        ("a", f"a\n\n{BLOCK}"),
        (
            f"a\n{BEGIN}\n{IGNORED[0]}\nmine\n{END}\nb\n",
            f"a\n{BEGIN}\n{IGNORED[0]}\nmine\n" + "\n".join(IGNORED[1:]) + f"\n{END}\nb\n",
        ),
        (f"{BEGIN}\n{IGNORED[0]}\nb\n", f"{BEGIN}\n" + "\n".join(IGNORED) + "\nb\n"),
    ],
)
def test_the_block_is_complete_and_everything_else_stays(project, put, before, after, newline):
    if newline == "\r\n" and "\n" not in before:
        pytest.skip("nothing says which line ends")
    path = put(".gitignore", before.replace("\n", newline))
    assert beginning.ignore(project)
    assert path.read_bytes().decode() == after.replace("\n", newline)
    assert not beginning.ignore(project), "a second time changes nothing"


def test_a_name_that_a_person_took_out_by_a_comment_stays_out(project, put):
    text = BLOCK.replace(IGNORED[-1], f"# {IGNORED[-1]}")
    path = put(".gitignore", text)
    assert not beginning.ignore(project) and path.read_text() == text
