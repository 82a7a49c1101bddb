"""The settings for editors in the README: complete, well-formed, and of commands that exist."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
EDITORS = README[README.index("**Neovim 0.11**") : README.index("## How it is built")]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", EDITORS, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_helix_starts_the_server_for_every_language_in_projects_of_devloop() -> None:
    (text,) = blocks("toml")
    settings = tomllib.loads(text)
    (name, server), *others = settings["language-server"].items()
    assert not others
    assert [server["command"], *server["args"]] == ["devloop", "lsp"]
    assert server["required-root-patterns"] == [".devloop"]
    languages = {each["name"]: each["language-servers"] for each in settings["language"]}
    assert set(languages) == {"markdown", "toml", "json"}
    assert all(name in servers for servers in languages.values())


def test_zed_starts_the_server_under_the_name_that_it_prefers_for_markdown() -> None:
    (text,) = blocks("json")
    settings = json.loads(text)
    ((name, server),) = settings["lsp"].items()
    assert [server["binary"]["path"].rpartition("/")[2], *server["binary"]["arguments"]] == ["devloop", "lsp"]
    assert settings["languages"]["Markdown"]["language_servers"][0] == name


@pytest.mark.parametrize(("language", "pairs"), [("lua", ["()", "{}", "[]"]), ("elisp", ["()", "[]"])])
def test_other_settings_close_what_they_open_and_start_the_same(language: str, pairs: list[str]) -> None:
    for text in blocks(language):
        assert all(text.count(opening) == text.count(closing) for opening, closing in pairs)
        assert re.search(r'"devloop",? "lsp"', text)


def test_what_was_not_tried_says_so() -> None:
    said = {name: EDITORS[EDITORS.index(f"**{name}**") :][:200] for name in ("Helix", "Zed")}
    assert all("checked against its documentation, not run" in text for text in said.values())
