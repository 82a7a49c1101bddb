"""One file of a commit, for people: its bytes as text, or why not; and paths that reach nothing else."""

from __future__ import annotations

import os

import pytest

from devloop.errors import UsageError
from devloop.workspace import Content


async def test_text_is_what_the_blob_holds_to_the_last_character(repo, workspace):
    text = "\ufeffone\r\ntwo\x1b[31m\u202e\n\nno end"
    commit = repo.commit({"src/odd name é.py": text.encode(), "empty": b""})
    assert await workspace.content(commit, "src/odd name é.py") == Content(text, False, len(text.encode()))
    assert await workspace.content(commit, "empty") == Content("", False, 0)


async def test_many_texts_at_once_are_those_that_each_is(repo, workspace):
    (repo.path / "link").symlink_to("/etc/passwd")
    (repo.path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"bytes\n")
    held = {"a b.txt": "one\r\n\ntwo", "copy.txt": "one\r\n\ntwo", "empty": b"", "a.bin": b"x\0", "big": "x" * 100}
    commit = repo.commit(held)
    asked = [*held, "link", "caf\\xe9.txt", "src", "none.txt", "", "../a", "a\0b", ".git/config", "\ud800", ":(glob)**"]
    told = await workspace.texts(commit, asked, limit=99)
    assert told.pop("big") is None and told.pop("caf\\xe9.txt") == "bytes\n"
    assert told == {path: (await workspace.content(commit, path)).text for path in (*held, "link") if path != "big"}
    assert await workspace.texts(commit, ()) == {}


async def test_what_is_not_there_is_none(repo, workspace):
    before, after = repo.head, repo.commit({"new.txt": "new\n"})
    assert await workspace.content(before, "new.txt") is None
    assert (await workspace.content(after, "new.txt")).text == "new\n"
    for path in ("src", "SRC/a.py", "src/a.py/x", "*.md", ":(glob)**", "src/a.p?"):
        assert await workspace.content(after, path) is None, path


async def test_binary_and_large_files_are_named_instead_of_shown(repo, workspace):
    commit = repo.commit({"a.bin": b"\x89PNG\0\0", "big.txt": "x" * 100, "big.bin": b"\0" * 100, "latin": b"caf\xe9\n"})
    assert await workspace.content(commit, "a.bin") == Content(None, True, 6)
    assert await workspace.content(commit, "big.txt", limit=99) == Content(None, False, 100, too_large=True)
    assert await workspace.content(commit, "big.bin", limit=99) == Content(None, True, 100, too_large=True)
    assert (await workspace.content(commit, "big.txt", limit=100)).text == "x" * 100
    assert (await workspace.content(commit, "latin")).text == "caf\ufffd\n"


async def test_a_link_is_its_target_and_a_submodule_its_commit(repo, workspace):
    (repo.path / "link").symlink_to("/etc/passwd")
    linked = repo.commit({})
    assert (await workspace.content(linked, "link")).text == "/etc/passwd"
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{linked},sub")
    repo.git("commit", "-q", "-m", "submodule")
    assert (await workspace.content(repo.head, "sub")).text == f"Subproject commit {linked}\n"


async def test_a_name_that_is_no_utf_8_is_found_as_the_diff_spells_it(repo, workspace):
    base = repo.head
    (repo.path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"bytes\n")
    commit = repo.commit({})
    (file,) = (await workspace.diff(base, commit)).files
    assert file.path == "caf\\xe9.txt"
    assert (await workspace.content(commit, file.path)).text == "bytes\n"


@pytest.mark.parametrize(
    "path",
    [
        *("", "/etc/passwd", "../a", "src/../a", "src//a.py", "./a", ".", "src/", ".git/config", "a/.GIT/x"),
        *("git~1/config", "a\0b", "\ud800", "x" * 5000),
    ],
)
async def test_paths_that_no_file_can_have_are_refused(repo, workspace, path):
    with pytest.raises(UsageError, match="can't be the path of a file"):
        await workspace.content(repo.head, path)
