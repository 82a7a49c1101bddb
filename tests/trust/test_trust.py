"""Trust by content: what is asked, what is remembered, and how one changed byte asks again."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop import trust
from devloop.errors import Untrusted

HOOKS = '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "sh .devloop/hooks/after/commit.sh"}]}]}}'
CONFIG = """
[gates.unit]
command = ["make", "unit"]
timeout = "5m"

[gates."odd name"]
command = ["sh", "-c", "echo \\u202e"]

[setup]
command = ["make", "setup"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        ".devloop/config.toml": CONFIG,
        ".devloop/agents/engineer.md": "You write code.\n",
        ".devloop/agents/notes.txt": "no agent",
        ".claude/agents/reviewer.md": "You review.\n",
        ".devloop/hooks.json": HOOKS,
        ".devloop/hooks/after/commit.sh": "#!/bin/sh\necho done\n",
        ".devloop/skills/sql/SKILL.md": "# SQL\n",
        ".devloop/skills/sql/scripts/lib/check.py": "print(1)\n",
        "src/main.py": "pass\n",
    }
    for name, text in files.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "project"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "state" / "trust.json"


def shown(root: Path) -> list[tuple[str, str]]:
    return [(item.key, item.sha256) for item in trust.items(root)]


def statuses(root: Path, store: Path) -> dict[str, str]:
    return {state.item.key: state.status for state in trust.state(root, store)}


KEYS = [
    ".claude/agents/reviewer.md",
    ".devloop/agents/engineer.md",
    ".devloop/hooks.json",
    ".devloop/skills/sql",
    'gate:"odd name"',
    "gate:unit",
    "setup",
]


def test_everything_executable_is_an_item_and_nothing_else(root: Path) -> None:
    assert [item.key for item in trust.items(root)] == KEYS


def test_what_brings_private_files_into_worktrees_asks_for_trust(root: Path, store: Path) -> None:
    (root / ".worktreeinclude").write_text(".env\n")
    found = next(each for each in trust.state(root, store) if each.item.kind == "include")
    assert (found.item.key, found.item.text, found.item.data) == (".worktreeinclude", ".env\n", b".env\n")
    assert found.status == "new"
    trust.accept(root, store, [(found.item.key, found.item.sha256)])
    assert statuses(root, store)[".worktreeinclude"] == "trusted"
    (root / ".worktreeinclude").write_text("*\n")
    assert statuses(root, store)[".worktreeinclude"] == "changed"
    (root / ".worktreeinclude").unlink()
    (root / ".worktreeinclude").symlink_to("src/main.py")
    assert statuses(root, store)[".worktreeinclude"] == "refused"


def test_a_repository_that_declares_nothing_needs_no_trust(tmp_path: Path, store: Path) -> None:
    assert trust.items(tmp_path) == () and trust.require(tmp_path, store, {"gate", "setup", "hook"}) == ()


def test_the_text_is_what_will_run_with_nothing_hidden(root: Path) -> None:
    texts = {item.key: item.text for item in trust.items(root)}
    assert texts["gate:unit"] == '[gates.unit]\ncommand = ["make", "unit"]\ntimeout = "5m"\n'
    assert "\\u202e" in texts['gate:"odd name"'] and "\u202e" not in texts['gate:"odd name"']
    (root / ".devloop/agents/engineer.md").write_bytes(b"be\xe2\x80\x8b good\x1b[2K\xff\n")
    texts = {item.key: item.text for item in trust.items(root)}
    assert texts[".devloop/agents/engineer.md"] == "be\\u{200b} good\\u{1b}[2K\\xff\n"


def test_nothing_is_trusted_at_first_and_require_names_what_is_missing(root: Path, store: Path) -> None:
    assert set(statuses(root, store).values()) == {"new"}
    with pytest.raises(Untrusted, match="gate:unit: not trusted yet") as caught:
        trust.require(root, store, {"gate"})
    assert "devloop trust" in caught.value.hint
    assert caught.value.details["items"] == ['gate:"odd name"', "gate:unit"]


def test_what_was_accepted_is_trusted_and_comes_back_with_its_bytes(root: Path, store: Path) -> None:
    states = trust.accept(root, store, shown(root))
    assert {state.status for state in states} == {"trusted"}
    (hook,) = trust.require(root, store, {"hook"})
    assert dict(hook.files) == {".devloop/hooks/after/commit.sh": b"#!/bin/sh\necho done\n"}
    gates = {item.name: item.value for item in trust.require(root, store, {"gate"})}
    assert gates["unit"] == {"command": ["make", "unit"], "timeout": "5m"} and "odd name" in gates


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (".devloop/hooks/after/commit.sh", ".devloop/hooks.json"),
        (".devloop/skills/sql/scripts/lib/check.py", ".devloop/skills/sql"),
        (".devloop/skills/sql/SKILL.md", ".devloop/skills/sql"),
        (".claude/agents/reviewer.md", ".claude/agents/reviewer.md"),
    ],
)
def test_one_changed_byte_asks_again_and_only_for_that_item(path: str, key: str, root: Path, store: Path) -> None:
    trust.accept(root, store, shown(root))
    data = bytearray((root / path).read_bytes())
    data[-2] ^= 1
    (root / path).write_bytes(bytes(data))
    after = statuses(root, store)
    assert after.pop(key) == "changed" and set(after.values()) == {"trusted"}
    changed = next(state for state in trust.state(root, store) if state.item.key == key)
    assert changed.diff().startswith("--- trusted\n+++ now\n") and "\n-" in changed.diff()
    with pytest.raises(Untrusted, match="changed since it was trusted"):
        trust.require(root, store, {changed.item.kind})


def test_a_changed_command_asks_again_and_a_changed_comment_does_not(root: Path, store: Path) -> None:
    trust.accept(root, store, shown(root))
    config = root / trust.CONFIG
    config.write_text("# a comment\n" + CONFIG)
    assert set(statuses(root, store).values()) == {"trusted"}
    config.write_text(CONFIG.replace('"unit"', '"Unit"'))
    assert statuses(root, store)["gate:unit"] == "changed"
    assert statuses(root, store)["setup"] == "trusted"


def test_an_old_hash_is_refused_and_nothing_of_the_list_is_taken(root: Path, store: Path) -> None:
    listed = shown(root)
    (root / ".devloop/hooks/after/commit.sh").write_text("#!/bin/sh\ncurl evil\n")
    with pytest.raises(Untrusted, match="has changed since it was shown"):
        trust.accept(root, store, listed)
    assert set(statuses(root, store).values()) == {"new"} and not store.exists()


def test_a_key_that_is_gone_is_refused(root: Path, store: Path) -> None:
    with pytest.raises(Untrusted, match="no longer there"):
        trust.accept(root, store, [("gate:absent", "0" * 64)])


def test_revoking_forgets_one_or_all(root: Path, store: Path) -> None:
    trust.accept(root, store, shown(root))
    trust.revoke(store, ["setup", "no such key"])
    assert [key for key, status in statuses(root, store).items() if status == "new"] == ["setup"]
    trust.revoke(store)
    assert set(statuses(root, store).values()) == {"new"}


def test_the_bundle_hash_stands_for_all_contents(root: Path) -> None:
    before = trust.bundle_hash(trust.items(root))
    assert trust.bundle_hash(reversed(trust.items(root))) == before
    (root / ".devloop/agents/engineer.md").write_text("You write code!\n")
    assert trust.bundle_hash(trust.items(root)) != before


@pytest.mark.parametrize(
    ("link", "target", "key"),
    [
        (".devloop/hooks/evil", "outside", ".devloop/hooks.json"),
        (".devloop/agents/evil.md", "outside", ".devloop/agents/evil.md"),
        (".devloop/skills/sql/scripts/evil", "outside", ".devloop/skills/sql"),
        (".devloop/skills/linked", "folder", ".devloop/skills/linked"),
        (".devloop/hooks/inner", "project/src/main.py", ".devloop/hooks.json"),
    ],
)
def test_a_symbolic_link_is_refused_with_a_reason(
    link: str, target: str, key: str, root: Path, store: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("outside")
    (tmp_path / "folder" / "scripts").mkdir(parents=True)
    (root / link).symlink_to(tmp_path / target)
    (item,) = [item for item in trust.items(root) if item.refused]
    assert item.key == key and "symbolic link" in item.refused and item.data == b""
    with pytest.raises(Untrusted, match="can't be trusted"):
        trust.accept(root, store, [(item.key, item.sha256)])
    with pytest.raises(Untrusted, match="symbolic link"):
        trust.require(root, store, {item.kind}, {item.key})


@pytest.mark.parametrize("folder", [".devloop", ".devloop/hooks", ".devloop/agents"])
def test_a_whole_folder_behind_a_link_is_refused(folder: str, root: Path, tmp_path: Path) -> None:
    (root / folder).rename(tmp_path / "moved")
    (root / folder).symlink_to(tmp_path / "moved")
    refused = [item for item in trust.items(root) if item.refused]
    assert refused and all("symbolic link" in item.refused for item in refused)
    assert not [item for item in trust.items(root) if item.path.startswith(f"{folder}/") and not item.refused]


def test_a_fifo_is_refused_and_nobody_waits_for_it(root: Path) -> None:
    os.mkfifo(root / ".devloop/hooks/pipe")
    (item,) = [item for item in trust.items(root) if item.refused]
    assert "no regular file" in item.refused


def test_something_too_large_to_look_at_is_refused(root: Path) -> None:
    (root / ".devloop/hooks/big").write_bytes(b"x" * (trust.MAX_ITEM + 1))
    (item,) = [item for item in trust.items(root) if item.refused]
    assert "larger than" in item.refused


@pytest.mark.parametrize("text", ["not toml [", "gates = 3\nsetup = []\n", "[gates]\nunit = 'x'\n", "\0"])
def test_configuration_that_declares_nothing_usable_gives_no_items(text: str, root: Path) -> None:
    (root / trust.CONFIG).write_text(text)
    assert not [item for item in trust.items(root) if item.kind in ("gate", "setup")]


def test_the_store_is_private_and_a_damaged_one_trusts_nothing(root: Path, store: Path) -> None:
    trust.accept(root, store, shown(root))
    assert stat.S_IMODE(store.stat().st_mode) == 0o600 and stat.S_IMODE(store.parent.stat().st_mode) == 0o700
    assert json.loads(store.read_text())["items"]["setup"]["text"].startswith("[setup]")
    for damage in ("", "{", "[]", '{"items": {"setup": {"sha256": 1}}}', '{"items": 3}'):
        store.write_text(damage)
        assert set(statuses(root, store).values()) == {"new"}
    trust.accept(root, store, shown(root))
    assert set(statuses(root, store).values()) == {"trusted"}


def test_invisible_changes_are_told_as_such(root: Path, store: Path) -> None:
    agent = root / ".devloop/agents/engineer.md"
    trust.accept(root, store, shown(root))
    agent.write_bytes(b"You write code.\r\n")
    changed = next(s for s in trust.state(root, store) if s.status == "changed")
    assert changed.diff() == "(only bytes that can't be shown differ)"
    assert changed.to_json()["status"] == "changed" and changed.to_json()["diff"]


_values = st.one_of(
    st.booleans(),
    st.integers(0, 3),
    st.sampled_from([1.0, 0.0]),
    st.text(max_size=4),
    st.lists(st.text(max_size=3), max_size=3),
)
_tables = st.dictionaries(st.sampled_from(["command", "kind", "timeout", 'a"b', "x\ny"]), _values, max_size=4)


@given(first=_tables, second=_tables)
def test_two_tables_have_one_text_only_when_they_say_the_same(
    first: dict[str, object], second: dict[str, object]
) -> None:
    def exact(table: dict[str, object]) -> list[str]:
        return sorted(f"{key!r}{type(value)}{value!r}" for key, value in table.items())

    same = trust.render_command("g", first) == trust.render_command("g", second)
    assert same == (exact(first) == exact(second))
    assert trust.render_command("g", first).isascii()
