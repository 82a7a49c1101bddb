"""The rules for every file: reading never raises on content, writing is whole, newer versions are left alone."""

from __future__ import annotations

import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devloop.errors import Refused
from devloop.state import schema
from devloop.state.storing import json_lines, json_text, markdown_files, parse_json, read_text, update, write_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def places(value, place=()):
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from places(inner, (*place, at))


@settings(max_examples=60, deadline=None)
@given(VALUES, st.sampled_from([None, 1, 2]))
def test_every_value_of_a_json_text_has_a_line(value, indent):
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    lines = json_lines(text)
    assert set(lines) == set(places(value))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


def test_a_member_is_found_at_the_line_of_its_key():
    text = '{\n  "a": 1,\n  "b": [\n    {"c":\n 2}\n  ]\n}'
    assert json_lines(text) == {(): 1, ("a",): 2, ("b",): 3, ("b", 0): 4, ("b", 0, "c"): 4}


@given(st.text())
def test_any_text_is_read_without_raising(text):
    value, faults = parse_json(text, "x.json")
    assert (value is None) == bool(faults)
    json_lines(text)


def test_deep_nesting_is_a_fault_and_no_crash():
    text = "[" * 200_000
    assert parse_json(text, "x")[1]
    json_lines(text)


def test_no_json_names_its_line():
    _, (fault,) = parse_json('{\n "a": 1,\n}', "x.json")
    assert fault.line == 3 and str(fault).startswith("x.json:3: ")


def test_a_link_out_of_the_repository_is_refused(project, tmp_path):
    (tmp_path / "outside.json").write_text("{}")
    (project / ".devloop/x.json").symlink_to(tmp_path / "outside.json")
    with pytest.raises(Refused):
        read_text(project, ".devloop/x.json")
    with pytest.raises(Refused):
        update(project, ".devloop/x.json", lambda _: "changed")
    assert (tmp_path / "outside.json").read_text() == "{}"


def test_a_link_inside_is_followed_and_stays(project, put):
    put("docs/real.md", "old")
    (project / ".devloop/x.md").symlink_to("../docs/real.md")
    assert update(project, ".devloop/x.md", lambda old: old + "!")
    assert (project / "docs/real.md").read_text() == "old!" and (project / ".devloop/x.md").is_symlink()


def test_a_file_keeps_its_mode_and_equal_text_is_not_written(project, put):
    path = put(".devloop/x.md", "a")
    path.chmod(0o600)
    assert update(project, ".devloop/x.md", lambda _: "b")
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.stat().st_ino
    assert not update(project, ".devloop/x.md", lambda _: "b")
    assert path.stat().st_ino == before


def test_a_change_between_reading_and_writing_is_not_lost(project, put):
    path = put(".devloop/x.md", "a")
    calls = []

    def edit(old):
        if not calls:
            path.write_text(old + "-other")  # a program that knows no lock
        calls.append(old)
        return old + "-ours"

    update(project, ".devloop/x.md", edit)
    assert path.read_text() == "a-other-ours" and calls == ["a", "a-other"]


def test_many_writers_at_a_time_lose_nothing(project, put):
    path = put(".devloop/x.md", "")
    threads = [
        threading.Thread(target=update, args=(project, ".devloop/x.md", lambda old, n=n: f"{old}{n}\n"))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, path.read_text().split())) == list(range(12))


def test_keys_of_a_newer_minor_version_are_kept_and_a_newer_major_is_not_touched(project, put):
    path = put(".devloop/x.json", '{"v": "2.7", "new": [1], "a": 1}')
    assert write_json(project, ".devloop/x.json", {"v": "2.0", "a": 2}, version_key="v", version=2)
    assert json.loads(path.read_text()) == {"v": "2.0", "a": 2, "new": [1]}
    path.write_text('{"v": "3.0", "a": 1}')
    with pytest.raises(Refused):
        write_json(project, ".devloop/x.json", {"v": "2.0", "a": 2}, version_key="v", version=2)
    assert path.read_text() == '{"v": "3.0", "a": 1}'


def test_keys_of_an_older_major_version_are_not_carried_over(project, put):
    path = put(".devloop/x.json", '{"v": "1.0", "old": 1}')
    write_json(project, ".devloop/x.json", {"v": "2.0"}, version_key="v", version=2)
    assert json.loads(path.read_text()) == {"v": "2.0"}


def test_json_is_utf_8_with_two_spaces_and_one_final_newline():
    assert json_text({"ä": "\udcff"}) == '{\n  "ä": "?"\n}\n'


def test_links_among_the_files_of_a_folder_are_passed_over(project, put):
    put(".devloop/issues/BUG-001.md", "x")
    (project / ".devloop/issues/BUG-002.md").symlink_to("BUG-001.md")
    assert list(markdown_files(project, ".devloop/issues")) == [".devloop/issues/BUG-001.md"]
    assert list(markdown_files(project, ".devloop/nothing")) == []


@pytest.mark.parametrize("name", schema.MODELS)
def test_the_shipped_schema_is_that_of_the_model(name):
    shipped = (schema.FOLDER / f"{name}.json").read_text("utf-8")
    assert shipped == schema.text(name), "write it again: python -m devloop.state.schema"
