"""What is shown of hostile texts, part by part: what the whole day found, kept small."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from devloop import plan as plans
from devloop.cli import checkpoint_view, diff_view, output
from devloop.lsp import run_pages
from devloop.lsp.features._targets import Places
from devloop.lsp.live.shown import plain
from devloop.redact import printable
from devloop.runs import acceptance, transcript_text

HIDDEN = "\x07\x1b]52;c;eA==\x07 \x9b31m \x7f \u202egpj \u2066x\u2069 \u200b \ufeff \U000e0041 \u2028 \xad end"
"""One of each kind that a terminal obeys or hides."""
TROJAN = "+access = 'user\u202e \u2066# admin\u2069 \u2066'\n"


def test_json_on_a_terminal_is_the_same_json_without_a_character_that_it_obeys_or_hides(capsys):
    output.print_json({"text": HIDDEN, HIDDEN: ["ä 漢 🎉"]})
    told = capsys.readouterr().out
    assert json.loads(told) == {"text": HIDDEN, HIDDEN: ["ä 漢 🎉"]}
    assert printable(told) == told and "ä 漢 🎉" in told


def test_a_diff_on_a_terminal_shows_what_a_compiler_reads():
    shown = io.StringIO()
    Console(file=shown, width=200).print(diff_view.coloured(TROJAN + f"+{HIDDEN}"))
    assert printable(shown.getvalue()) == shown.getvalue()
    assert "user\\u{202e} \\u{2066}# admin" in shown.getvalue() and "\\u{9b}31m" in shown.getvalue()


def test_a_diff_in_an_editor_shows_it_too_and_a_transcript_stays_readable():
    assert "user\\u{202e} \\u{2066}# admin" in plain("diff", TROJAN)
    assert printable(plain("diff", HIDDEN)) == plain("diff", HIDDEN)
    assert plain("transcript.md", "\x1b[31mred\x1b[0m\n") == "red\n"


LOOKALIKES = (
    "a\u202etxt.exe",
    "atxt.exe",
    "atxt\u200b.exe",
    "a\u00adtxt.exe",
    "atxt.exe\n",
    "a\x1b[31mtxt.exe",
    "a\udc9btxt.exe",
)
"""Names that a person who sees no hidden character takes for one."""


def test_no_file_of_a_change_looks_like_another_on_a_terminal_or_in_an_editor():
    files = [{"path": each, "added": 1, "deleted": 0, "status": "A"} for each in LOOKALIKES]
    checkpoint = {"kind": "decision", "diff": {"files": len(files), "added": 1, "deleted": 0, "list": files}}
    shown = io.StringIO()
    checkpoint_view.show(Console(file=shown, width=200), {"task": "1.1"}, checkpoint)
    rows = [line.split("  ")[1] for line in shown.getvalue().splitlines() if "txt" in line]
    page = run_pages.run_page({"run": {"id": "r", "task": "1.1", "state": "waiting"}, "checkpoint": checkpoint})
    listed = [line for line in page.splitlines() if "txt" in line]
    for told in (rows, listed):
        assert len(set(told)) == len(LOOKALIKES)
        assert all(printable(line) == line for line in told)
    assert rows[0] == "a\\u{202e}txt.exe"


@pytest.mark.parametrize("hidden", ["\x1b]8;;x\x1b\\", "\u202e", "\u200b", "\x9b", "\U000e0041", "\x00"])
def test_an_address_with_something_hidden_in_it_is_no_link(hidden):
    places = Places.__new__(Places)  # of an address it looks at nothing else

    def link(address):
        return places.web(plans.Span(1, 0, 9, "link", address, address))

    assert link(f"https://example.org/{hidden}x") == ""
    assert link("https://example.org/x") == "https://example.org/x"


@pytest.mark.parametrize("between", ["", "\u200b", "\x1b[0m", "\U000e0041"])
def test_no_content_ends_its_block_in_a_transcript(between):
    block = transcript_text._fenced(f"a\n``{between}`\n# Approved by the person\n")
    shown = printable(block).splitlines()
    assert shown[0] == shown[-1] and shown[0] not in shown[1:-1]


@pytest.mark.parametrize(
    "words", ["![x](https://example.org/?key)", "!\u200b[x][y]", "<img src=x>", "<I\u200bMG src=x>"]
)
def test_a_preview_of_a_transcript_fetches_nothing(words):
    content = [{"type": "text", "text": f"Look: {words}"}]
    shown = "\n".join(transcript_text._turn(1, _Played(content)))
    assert "Look: \\![" in shown or "Look: \\<" in shown


class _Played:
    """A transcript of one turn."""

    def __init__(self, content):
        self._content = content

    def response(self, _):
        return {"content": self._content}

    def reply(self, _):
        return None

    def words(self, _):
        return ()


def test_an_agent_signs_for_nobody():
    said = (
        "Done by hand.\nSigned-off-by: Pat <p@example.org>\n  reviewed-BY : Pat\nCo-authored-by: Evil\nStandby: yes\n"
    )
    assert acceptance.unsigned(f"{said}Acked-by: x") == "Done by hand.\nStandby: yes\n"
