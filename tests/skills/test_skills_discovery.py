"""Where skills come from, which of two counts and why, and how one of a repository stays inert until it is trusted."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from devloop import trust
from devloop.errors import NotFound
from devloop.paths import StateDir
from devloop.skills import clashes, discover, load

PLACES = [".agents/skills", ".claude/skills", ".devloop/skills"]


def trust_file(root: Path) -> Path:
    return StateDir.of(root).make().trust_file


def look(root: Path):
    return discover(root, trust_file(root))


def accept(root: Path, *keys: str) -> None:
    chosen = [(item.key, item.sha256) for item in trust.items(root) if not keys or item.key in keys]
    trust.accept(root, trust_file(root), chosen)


def states(root: Path, name: str) -> list[tuple[str, str]]:
    return [(each.where, each.state) for each in look(root).found if each.name == name]


def test_what_ships_is_there_without_any_workspace(home):
    found = discover(None, None)
    assert "api-design" in found.active and found.problems == ()
    assert {each.where for each in found.found} == {"shipped"}


@pytest.mark.parametrize("place", PLACES)
def test_a_repositorys_skill_is_named_but_inert_until_trusted(place, root, write):
    write(root / place, "own-way")
    (found,) = [each for each in look(root).found if each.name == "own-way"]
    assert (found.where, found.state) == (place, "untrusted")
    assert "not trusted yet" in found.note and "devloop trust" in found.note
    with pytest.raises(NotFound):
        load(look(root).active, "own-way")
    accept(root)
    assert "Do it well." in load(look(root).active, "own-way").text


def test_later_places_override_earlier_ones_and_say_so(home, root, write):
    for folder in (home / "skills", *(root / place for place in PLACES)):
        write(folder, "api-design", body=f"from {folder.name} {folder.parent.name}")
    assert states(root, "api-design") == [
        ("user", "active"),
        ("shipped", "overridden"),
        *((place, "untrusted") for place in PLACES),
    ]
    (active,) = [each for each in look(root).found if each.name == "api-design" and each.state == "active"]
    assert "instead of the one in shipped" in active.note
    assert ".devloop/skills would override it once trusted" in active.note

    accept(root, ".claude/skills/api-design")
    assert look(root).active["api-design"].where == ".claude/skills"
    accept(root)
    library = look(root)
    assert library.active["api-design"].where == ".devloop/skills"
    assert [(each.where, each.note) for each in library.found if each.name == "api-design"][1:] == [
        (where, ".devloop/skills has one of this name and comes later")
        for where in ("shipped", "user", ".agents/skills", ".claude/skills")
    ]
    told = [problem for problem in clashes(library.found) if problem.message.startswith("api-design")]
    assert len(told) == 4 and all(problem.severity == "warning" and problem.path for problem in told)


@pytest.mark.parametrize("changed", ["SKILL.md", "references/deep.md", "scripts/run.py"])
def test_one_changed_byte_anywhere_in_the_folder_asks_again(changed, root, write):
    files = {"references/deep.md": "deep\n", "scripts/run.py": "print(1)\n"}
    write(root / ".devloop/skills", "own-way", files=files)
    write(root / ".devloop/skills", "other-way")
    accept(root)
    path = root / ".devloop/skills/own-way" / changed
    path.write_bytes(path.read_bytes() + b"!")
    (found,) = [each for each in look(root).found if each.name == "own-way"]
    assert found.state == "untrusted" and "changed since it was trusted" in found.note
    assert "other-way" in look(root).active
    state = next(each for each in trust.state(root, trust_file(root)) if each.item.key.endswith("own-way"))
    assert state.status == "changed" and "+" in state.diff()


def test_a_new_file_in_a_trusted_folder_asks_again(root, write):
    path = write(root / ".devloop/skills", "own-way")
    accept(root)
    (path.parent / "scripts").mkdir()
    (path.parent / "scripts/evil.sh").write_text("true\n")
    assert states(root, "own-way") == [(".devloop/skills", "untrusted")]


def test_what_was_hashed_is_what_is_used(root, write):
    path = write(root / ".devloop/skills", "own-way", body="the trusted text")
    accept(root)
    library = look(root)
    path.write_text(path.read_text().replace("trusted", "swapped"))
    assert "the trusted text" in load(library.active, "own-way").text


@pytest.mark.parametrize("link", ["SKILL.md", "references/out.md", "references"])
def test_a_link_out_of_the_folder_refuses_the_whole_skill(link, root, write, tmp_path):
    path = write(root / ".devloop/skills", "own-way", files={"references/in.md": "in\n"})
    (tmp_path / "secret.md").write_text("---\nname: own-way\ndescription: d\n---\nsecret\n")
    target = path.parent / link
    if target.is_dir():
        target.rename(tmp_path / "moved")
        target.symlink_to(tmp_path / "moved")
    else:
        target.unlink(missing_ok=True)
        target.symlink_to(tmp_path / "secret.md")
    library = look(root)
    assert not [each for each in library.found if each.name == "own-way"]
    (problem,) = [each for each in library.problems if "own-way" in each.path]
    assert "symbolic link" in problem.message and problem.severity == "error"
    (item,) = [item for item in trust.items(root) if item.kind == "skill"]
    assert item.refused and item.files == {}


def test_a_linked_skill_folder_and_a_linked_place_are_refused(root, write, tmp_path):
    write(tmp_path / "elsewhere", "own-way")
    (root / ".devloop/skills").mkdir(parents=True)
    (root / ".devloop/skills/own-way").symlink_to(tmp_path / "elsewhere/own-way")
    (root / ".claude").symlink_to(tmp_path / "elsewhere")
    assert not [each for each in look(root).found if each.source == "repository"]
    assert {item.key for item in trust.items(root) if item.refused} >= {".devloop/skills/own-way", ".claude"}


def test_too_many_files_too_large_files_and_pipes_are_refused(root, write):
    many = write(root / ".devloop/skills", "many", files={f"references/{n}.md": "x" for n in range(200)})
    large = write(root / ".devloop/skills", "large")
    (large.parent / "data.bin").write_bytes(b"x" * (trust.MAX_ITEM + 1))
    write(root / ".devloop/skills", "pipe")
    os.mkfifo(root / ".devloop/skills/pipe/pipe")
    told = {item.name or item.key: item.refused for item in trust.items(root)}
    assert many.exists() and "more than 200 files" in told[".devloop/skills/many"]
    assert "larger than" in told[".devloop/skills/large"]
    assert "no regular file" in told[".devloop/skills/pipe"]


def test_a_broken_skill_does_not_stop_the_others(root, write):
    write(root / ".devloop/skills", "good")
    (root / ".devloop/skills/bad").mkdir()
    (root / ".devloop/skills/bad/SKILL.md").write_bytes(b"\xff\xfe")
    (root / ".devloop/skills/notes.txt").write_text("no skill")
    (root / ".devloop/skills/empty").mkdir()
    accept(root)
    library = look(root)
    assert "good" in library.active and "bad" not in library.active
    (problem,) = library.problems
    assert problem.path == ".devloop/skills/bad/SKILL.md" and problem.line == 1


def test_a_bad_name_is_not_used_to_take_anothers_place(root, write):
    path = write(root / ".devloop/skills", "api-design")
    path.write_text(path.read_text().replace("name: api-design", "name: ../api-design"))
    accept(root)
    assert look(root).active["api-design"].where == "shipped"


def test_two_sets_of_files_never_share_a_hash(root, write):
    write(root / ".devloop/skills", "one", files={"a": "bc", "d": ""})
    first = {item.key: item.sha256 for item in trust.items(root)}
    (root / ".devloop/skills/one/a").write_text("b")
    (root / ".devloop/skills/one/d").write_text("c")
    assert {item.key: item.sha256 for item in trust.items(root)} != first


def test_references_are_read_by_name_and_only_inside(root, write):
    files = {"references/deep.md": "deep", "logo.png": "\0png"}
    path = write(root / ".devloop/skills", "own-way", files=files)
    (path.parent / "logo.png").write_bytes(b"\0png")
    accept(root)
    active = look(root).active
    assert "references/deep.md" in load(active, "own-way").text and "logo.png" not in load(active, "own-way").text
    assert load(active, "own-way", "references/deep.md").text == "deep"
    assert load(active, "own-way", "./references/deep.md").text == "deep"
    for wrong in ("../other/SKILL.md", "/etc/passwd", "references/none.md"):
        with pytest.raises(NotFound, match="has no file") as found:
            load(active, "own-way", wrong)
        assert "references/deep.md" in found.value.hint
    with pytest.raises(NotFound, match="no text"):
        load(active, "own-way", "logo.png")
    with pytest.raises(NotFound) as found:
        load(active, "own-wya")
    assert "own-way" in found.value.hint


def test_a_huge_body_is_cut_and_says_so(root, write):
    write(root / ".devloop/skills", "own-way", body="x" * 100_000)
    accept(root)
    text = load(look(root).active, "own-way").text
    assert len(text) < 50_000 and "more characters" in text
