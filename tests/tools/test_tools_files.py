"""read_file, write_file, edit_file, list_files, search: what a model gets back, and what happens to files."""

from __future__ import annotations

import time
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop import globs
from devloop.tools.text import Text, changed_lines, replace


async def test_a_file_is_shown_with_numbers(desk):
    desk.put("a.py", "one\r\n\r\n  three")
    result = await desk.do("read_file", path="a.py")
    assert result.content == "1\tone\n2\t\n3\t  three"
    assert (result.is_error, result.kind, result.summary) == (False, "read", "read a.py")


async def test_an_absolute_path_below_the_view_is_the_worktrees(desk):
    desk.put("src/a.py", "x\n")
    assert (await desk.do("read_file", path="/home/somebody/project/src/a.py")).content == "1\tx"
    assert (await desk.do("read_file", path=str(desk.worktree / "src/a.py"))).is_error


async def test_part_of_a_file(desk):
    desk.put("a.txt", "".join(f"line {n}\n" for n in range(1, 101)))
    result = await desk.do("read_file", path="a.txt", offset=10, limit=2)
    assert result.content == "10\tline 10\n11\tline 11\n… 89 more lines; go on with offset 12"
    assert result.summary == "read a.txt:10-11"
    assert (await desk.do("read_file", path="a.txt", offset=100)).content == "100\tline 100"
    beyond = await desk.do("read_file", path="a.txt", offset=101)
    assert (beyond.is_error, beyond.content) == (True, "a.txt has only 100 lines.")


async def test_a_large_file_is_cut(desk):
    desk.put("a.txt", "0123456789abcdef" * 8 + "\n")
    desk.put("b.txt", ("0123456789abcdef" * 8 + "\n") * 10_000)
    result = await desk.do("read_file", path="b.txt", limit=100_000)
    assert 256 * 1024 < len(result.content) < 300 * 1024
    assert "more than 256 KiB" in result.content
    assert "more lines; go on with offset" in result.content


async def test_one_endless_line_is_cut(desk):
    desk.put("a.json", "x" * 3_000_000)
    result = await desk.do("read_file", path="a.json")
    assert len(result.content) < 4_300
    assert result.content.startswith("1\txxx") and "more characters" in result.content
    assert result.content.endswith("cut: more than 256 KiB in line 1; search finds what stands behind")


async def test_a_file_of_one_line_is_read_part_by_part(desk):
    """Each part says how to get the next; short lines beside it are whole."""
    text = "".join(f"{n:05}," for n in range(1_700))
    desk.put("a.json", f"short\n{text}\nlast\n")
    first = (await desk.do("read_file", path="a.json")).content.split("\n")
    assert first[0] == "1\tshort" and first[2] == "3\tlast"
    assert first[1] == f"2\t{text[:4_000]} … 6200 more characters; go on with offset 2, limit 1, column 4001"
    second = (await desk.do("read_file", path="a.json", offset=2, limit=1, column=4001)).content
    assert second.startswith(
        f"2\t{text[4_000:8_000]} … 2200 more characters; go on with offset 2, limit 1, column 8001"
    )
    third = (await desk.do("read_file", path="a.json", offset=2, limit=1, column=8001)).content
    assert third == f"2\t{text[8_000:]}\n… 1 more lines; go on with offset 3"
    assert "(it has 4 characters)" in (await desk.do("read_file", path="a.json", offset=3, column=9)).content


async def test_no_part_of_a_line_begins_or_ends_within_a_secret(make):
    """The line is cut when its secrets are gone."""
    secret = "not-a-real-" + "secret-value"
    desk = make()
    desk.put("a.txt", f"{'x' * 3_990}{secret}{'y' * 4_000}")
    for column in (1, 3_995, 4_001):
        found = (await desk.do("read_file", path="a.txt", column=column)).content
        assert not any(secret[at : at + 6] in found for at in range(len(secret) - 6)), column


async def test_empty_binary_and_foreign_files(desk):
    desk.put("empty", "")
    desk.put("binary", b"\x7fELF\0\0")
    desk.put("latin", "näh\n".encode("latin-1"))
    desk.put("bom", "\ufefftext\n")
    assert (await desk.do("read_file", path="empty")).content == "(empty file)"
    assert "binary file of 6 bytes" in (await desk.do("read_file", path="binary")).content
    assert (await desk.do("read_file", path="latin")).content.endswith("1\tn�h")
    assert "not UTF-8" in (await desk.do("read_file", path="latin")).content
    assert (await desk.do("read_file", path="bom")).content == "1\ttext"
    refused = await desk.do("edit_file", path="latin", old_string="n", new_string="m")
    assert refused.is_error
    assert "not UTF-8" in refused.content


async def test_secrets_and_hidden_characters_do_not_reach_the_model(make):
    secret = "not-a-real-" + "secret-value"
    desk = make()
    desk.put("a.txt", f"token = {secret}\nsplit = {secret[:6]}\x1b[0m{secret[6:]}\nhid\u200bden \U000e0041\n")
    result = await desk.do("read_file", path="a.txt")
    assert secret not in result.content
    assert result.content.count("«redacted:my-token") == 2
    assert "hid\\u{200b}den \\u{e0041}" in result.content
    assert secret not in (await desk.do("read_file", path=f"{secret}.txt")).content
    assert secret not in (await desk.do("read_file", path=f"{secret}.txt")).summary


async def test_a_new_file_and_its_folders_are_made(desk):
    result = await desk.do("write_file", path="a/b/c.txt", content="x\ny\n")
    assert (result.is_error, result.kind, result.summary) == (False, "write", "write a/b/c.txt +2")
    assert (desk.worktree / "a/b/c.txt").read_bytes() == b"x\ny\n"
    assert [p.name for p in (desk.worktree / "a/b").iterdir()] == ["c.txt"]


async def test_replacing_a_file_keeps_line_ends_bom_and_mode(desk):
    path = desk.put("a.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    path.chmod(0o755)
    result = await desk.do("write_file", path="a.txt", content="one\nTWO\nthree\n")
    assert path.read_bytes() == b"\xef\xbb\xbfone\r\nTWO\r\nthree\r\n"
    assert path.stat().st_mode & 0o777 == 0o755
    assert result.summary == "write a.txt +2 −1"


async def test_a_binary_file_is_replaced_as_a_whole(desk):
    path = desk.put("a.bin", b"\0\r\n")
    assert not (await desk.do("write_file", path="a.bin", content="x\n")).is_error
    assert path.read_bytes() == b"x\n"


async def test_text_that_is_no_unicode_is_refused(desk):
    assert "valid Unicode" in (await desk.do("write_file", path="a", content="\ud800")).content
    assert not (desk.worktree / "a").exists()


async def test_an_edit_replaces_exactly_one_place(desk):
    path = desk.put("src/a.py", "def a():\n    return 1\n")
    result = await desk.do(
        "edit_file", path="src/a.py", old_string="    return 1", new_string="    x = 2\n\n    return x"
    )
    assert path.read_text() == "def a():\n    x = 2\n\n    return x\n"
    assert result.summary == "edit src/a.py +3 −1"
    assert result.content == "Edited src/a.py at line 2 (+3 −1)."


async def test_an_edit_that_fits_twice_is_refused_or_done_everywhere(desk):
    path = desk.put("a", "x = 1\ny\nx = 1\n")
    refused = await desk.do("edit_file", path="a", old_string="x = 1", new_string="x = 2")
    assert "occurs 2 times in a (lines 1, 3)" in refused.content
    assert path.read_text() == "x = 1\ny\nx = 1\n"
    done = await desk.do("edit_file", path="a", old_string="x = 1", new_string="x = 2", replace_all=True)
    assert "2 times" in done.content
    assert path.read_text() == "x = 2\ny\nx = 2\n"


@pytest.mark.parametrize(
    ("old", "hint"),
    [("return  1", "at line 2"), ("    retrun 1", "at line 2:\n2\t    return 1"), ("class Nothing:", "")],
)
async def test_an_edit_that_does_not_fit_shows_what_is_there(desk, old, hint):
    desk.put("a.py", "def a():\n    return 1\n")
    result = await desk.do("edit_file", path="a.py", old_string=old, new_string="x")
    assert result.is_error
    assert result.content.startswith("old_string was not found in a.py.")
    assert hint in result.content
    assert hint or result.content.endswith("a.py.")


async def test_an_edit_keeps_crlf_and_bom(desk):
    path = desk.put("a.txt", b"\xef\xbb\xbfone\r\ntwo\r\nthree\r\n")
    await desk.do("edit_file", path="a.txt", old_string="one\ntwo", new_string="1\n2\n2b")
    assert path.read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n2b\r\nthree\r\n"
    await desk.do("edit_file", path="a.txt", old_string="three", new_string="3\n4")
    assert path.read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n2b\r\n3\r\n4\r\n"


async def test_an_edit_keeps_mixed_line_ends_around_it(desk):
    path = desk.put("a.txt", b"one\ntwo\r\nthree\nfour\n")
    await desk.do("edit_file", path="a.txt", old_string="two\nthree", new_string="2\n3")
    assert path.read_bytes() == b"one\n2\r\n3\nfour\n"


async def test_an_edit_needs_a_difference_and_a_file(desk):
    desk.put("a", "x")
    assert "the same" in (await desk.do("edit_file", path="a", old_string="x", new_string="x")).content
    assert "does not exist" in (await desk.do("edit_file", path="b", old_string="x", new_string="y")).content


async def test_backslashes_in_the_new_text_are_taken_literally(desk):
    path = desk.put("a", "x")
    await desk.do("edit_file", path="a", old_string="x", new_string=r"\1\g<0>\n")
    assert path.read_text() == r"\1\g<0>\n"


@given(st.text(max_size=30), st.text(min_size=1, max_size=4), st.text(max_size=6), st.text(max_size=30))
def test_an_edit_of_plain_text_is_what_str_replace_does(before, old, new, after):
    text = (before + old + after).replace("\r", "")
    old, new = old.replace("\r", "") or "x", new.replace("\r", "")
    if old not in text:
        return
    result, lines = replace(Text(text, False, "\n"), old, new, every=True, name="a")
    assert result == text.replace(old, new)
    assert len(lines) == text.count(old)


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_counts_of_changed_lines_add_up(before, after):
    added, removed = changed_lines("\n".join(before), "\n".join(after))
    assert len(before) - removed + added == len(after) or not before or not after
    assert (added, removed) == (0, 0) or before != after


async def test_files_are_listed_by_pattern(desk):
    for name in (
        "src/a.py",
        "src/b/c.py",
        "src/b/d.ts",
        "README.md",
        "node_modules/x/y.py",
        ".git/config",
        ".venv/z.py",
    ):
        desk.put(name, "x")
    (desk.worktree / "link").symlink_to("src")
    assert (await desk.do("list_files", pattern="**/*.py")).content == "src/a.py\nsrc/b/c.py"
    assert (await desk.do("list_files", pattern="*")).content == "README.md\nlink@\nsrc/"
    assert (await desk.do("list_files", pattern="**/*.{py,ts}", path="src/b")).content == "src/b/c.py\nsrc/b/d.ts"
    assert (await desk.do("list_files", pattern="node_modules/**")).content.endswith("node_modules/x/y.py")
    assert (await desk.do("list_files", pattern="/home/somebody/project/src/*.py")).content == "src/a.py"
    assert (await desk.do("list_files", pattern="*.rs")).content == "(nothing matches)"
    assert (await desk.do("list_files", pattern="../*")).is_error
    assert (await desk.do("list_files", pattern="*", path="missing")).is_error
    assert (await desk.do("list_files", pattern="*", path="link")).is_error


async def test_long_lists_are_cut(desk):
    for number in range(250):
        desk.put(f"f{number:03}", "")
    result = await desk.do("list_files", pattern="*")
    assert result.content.count("\n") == 200
    assert result.content.endswith("… 50 more; use a narrower pattern")


async def test_text_is_found_with_file_and_line(desk):
    desk.put("src/a.py", "import os\ndef find_me():\n")
    desk.put("b.md", "find_me too\r\n")
    desk.put("bin", b"\0find_me")
    desk.put(".git/x", "find_me")
    desk.put("node_modules/x.js", "find_me")
    (desk.worktree / "link").symlink_to("/etc")
    result = await desk.do("search", pattern=r"find_\w+")
    assert result.content == "b.md:1: find_me too\nsrc/a.py:2: def find_me():"
    assert result.summary == "search 'find_\\\\w+' (2)"
    assert (await desk.do("search", pattern="find_me", glob="*.py")).content == "src/a.py:2: def find_me():"
    assert (await desk.do("search", pattern="find_me", glob="src/**")).content == "src/a.py:2: def find_me():"
    assert (await desk.do("search", pattern="find_me", path="b.md")).content == "b.md:1: find_me too"
    assert (await desk.do("search", pattern="find_me", path="src")).content == "src/a.py:2: def find_me():"
    assert (await desk.do("search", pattern="nothing")).content == "(no matches)"
    assert "no regular expression" in (await desk.do("search", pattern="(")).content
    assert (await desk.do("search", pattern="x", path="link")).is_error


async def test_a_search_inside_the_sandbox_finds_the_same(boxed):
    boxed.put("src/a.py", "find_me\n")
    assert (await boxed.do("search", pattern="find_me")).content == "src/a.py:1: find_me"


async def test_many_matches_are_cut(desk):
    desk.put("a", "match this line\n" * 20_000)
    result = await desk.do("search", pattern="match")
    assert len(result.content) < 101 * 1024
    assert "stopped at 100 KiB" in result.content


async def test_long_lines_are_shown_around_the_match(desk):
    desk.put("a", "x" * 5000 + "needle" + "x" * 5000)
    result = await desk.do("search", pattern="needle")
    assert "needle" in result.content
    assert len(result.content) < 500


async def test_an_expression_that_never_ends_is_stopped(desk, monkeypatch):
    monkeypatch.setattr("devloop.tools.searching.WALL_S", 0.5)
    desk.put("a", "a" * 60 + "b\n")
    begin = time.monotonic()
    result = await desk.do("search", pattern="(a+)+$")
    assert time.monotonic() - begin < 3
    assert result.is_error
    assert "use a simpler pattern" in result.content


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("**", "a/b", True),
        ("**/b", "b", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/*/b", "a/x/y/b", False),
        ("*.py", "a/b.py", False),
        ("[ab].py", "a.py", True),
        ("a?c", "abc", True),
        ("{a,b{c,d}}", "bd", True),
        ("./a", "a", True),
        ("*" * 30 + "b", "a" * 200, False),
    ],
)
def test_patterns(pattern, path, fits):
    assert globs.matches(pattern, path.split("/")) is fits


def naive(segments, parts):
    """The definition, word by word."""
    if not segments:
        return not parts
    if segments[0] == "**":
        return naive(segments[1:], parts) or (bool(parts) and naive(segments, parts[1:]))
    return bool(parts) and fnmatchcase(parts[0], segments[0]) and naive(segments[1:], parts[1:])


@given(
    st.lists(st.sampled_from(("**", "*", "a", "b", "a*")), max_size=6),
    st.lists(st.sampled_from(("a", "b", "ab")), max_size=6),
)
def test_a_pattern_means_what_its_definition_says(segments, parts):
    assert globs.matches("/".join(segments), parts) is naive(segments, parts)


def test_a_deep_folder_and_a_long_pattern_are_compared_in_time():
    """A million comparisons each, when every segment was compared with every folder."""
    begin = time.monotonic()
    for depth in range(900, 1000):
        assert not globs.matches("a/" * 450 + "b", ["a"] * depth)
        globs.matches("**/a/" * 20, ["a"] * depth)
    assert time.monotonic() - begin < 10


@given(st.text("*?[]{},/.ab", max_size=40), st.lists(st.text("ab.", min_size=1, max_size=8), max_size=5))
def test_any_pattern_is_decided_quickly(pattern, parts):
    begin = time.monotonic()
    globs.matches(pattern, parts)
    globs.covers(pattern, parts)
    assert time.monotonic() - begin < 1
