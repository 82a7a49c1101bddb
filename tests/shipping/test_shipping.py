"""What devloop works out by itself before a version goes out."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.redact import Redactor
from devloop.shipping import changelog, checks, commits, locks, manifests, versions
from devloop.shipping.versions import Version

TEXT = st.text(max_size=60)


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("feat(auth): add login - Task 1.1", "", ("feat", "auth", "add login", "minor")),
        ("fix!: drop Python 3.10", "", ("fix", "", "drop Python 3.10", "major")),
        ("chore: bump", "BREAKING CHANGE: the file moved", ("chore", "", "bump", "major")),
        ("docs: say more", "", ("docs", "", "say more", None)),
        ("Let a loop stop", "", ("", "", "Let a loop stop", "patch")),
        ("http://x: no convention", "", ("", "", "http://x: no convention", "patch")),
    ],
)
def test_a_commit_says_what_kind_of_change_it_is(subject, body, expected) -> None:
    change = commits.change_of("c", subject, body)
    assert (change.type, change.scope, change.text, change.bump) == expected


@given(st.lists(st.tuples(TEXT, TEXT)))
def test_whatever_commits_say_there_is_a_bump_or_none(found) -> None:
    changes = [commits.change_of(str(n), *each) for n, each in enumerate(found)]
    bump = commits.bump_of(changes)
    assert bump in (None, "patch", "minor", "major")
    assert (bump == "major") == any(change.breaking for change in changes)


@pytest.mark.parametrize(
    ("now", "bump", "then"),
    [
        ("1.2.3", "major", "2.0.0"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "patch", "1.2.4"),
        ("0.4.1", "major", "0.5.0"),
        ("0.4.1", "patch", "0.4.2"),
    ],
)
def test_the_next_version(now, bump, then) -> None:
    version = versions.parse(now)
    assert version is not None and str(version.next(bump)) == then


def test_the_newest_tag_is_the_one_of_the_highest_version() -> None:
    found = versions.newest(["v1.9.0", "v1.10.0", "nightly", "v2.0.0-rc1", "1.2.3"])
    assert found is not None and (found.name, found.version, found.prefix) == ("v1.10.0", Version(1, 10, 0), "v")
    assert versions.newest(["nightly"]) is None


CHANGES = [
    commits.change_of("1", "feat(cli): a flag"),
    commits.change_of("2", "fix: a hole"),
    commits.change_of("3", "ci: x"),
]


def test_a_changelog_gets_a_section_with_what_people_wrote_before() -> None:
    before = (
        "# Changelog\n\n## [Unreleased]\n\nMind the gap.\n\n## [1.0.0] - 2026-01-01\n\n- old\n\n"
        "[unreleased]: https://h/compare/v1.0.0...HEAD\n"
    )
    after = changelog.released(before, "1.1.0", "2026-02-03", changelog.entries(CHANGES), "v1.1.0")
    assert after == (
        "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-02-03\n\nMind the gap.\n\n"
        "### Added\n\n- cli: a flag\n\n### Fixed\n\n- a hole\n\n"
        "## [1.0.0] - 2026-01-01\n\n- old\n\n[unreleased]: https://h/compare/v1.1.0...HEAD\n"
        "[1.1.0]: https://h/compare/v1.0.0...v1.1.0\n"
    )
    assert changelog.of_version(after, "1.1.0").startswith("Mind the gap.")
    assert changelog.released(after, "1.1.0", "2027-01-01", {}, "v1.1.0") == after, "it is there already"


@given(st.one_of(st.none(), TEXT, TEXT.map(lambda text: f"# C\r\n\r\n## [Unreleased]\r\n{text}\r\n## 1.0.0\r\n")))
def test_a_changelog_keeps_all_that_it_had_and_says_a_version_once(text) -> None:
    after = changelog.released(text, "9.8.7", "2026-02-03", changelog.entries(CHANGES), "v9.8.7")
    assert after.count("## [9.8.7]") == 1 and changelog.of_version(after.replace("\r\n", "\n"), "9.8.7")
    assert changelog.released(after, "9.8.7", "2026-02-03", {}, "v9.8.7") == after
    for line in (text or "").replace("\r\n", "\n").split("\n"):
        assert line.strip() in after.replace("\r\n", "\n")


def test_versions_are_found_where_files_declare_them_and_nothing_else_changes() -> None:
    texts = {
        "pyproject.toml": '[build-system]\nversion = "9"\n\n[project] # here\nname = "x"\nversion = \'1.2.3\'  # bare\n'
        '[tool.x]\nversion="1.2.3"\n',
        "package.json": '{\n  "dependencies": {"version": "1.2.3"},\n  "version" : "1.2.3"\n}\n',
        "Cargo.toml": '[package]\nname = "x"\nversion = "1.2.3"\n\n[dependencies]\ny = { version = "1.2.3" }\n',
        "VERSION": "1.2.3\n",
    }
    for path, text in texts.items():
        place = manifests.find(path, text)
        assert place is not None and place.version == "1.2.3", path
        after = manifests.with_version(text, place, "2.0.0")
        assert len(after) == len(text) and after.count("2.0.0") == 1
        again = manifests.find(path, after)
        assert again is not None and again.version == "2.0.0"
        if path.endswith(".toml"):
            data = tomllib.loads(after)
            assert (data.get("project") or data["package"])["version"] == "2.0.0"


@given(TEXT, TEXT)
def test_the_version_of_any_package_json_is_the_outermost_one(inner, value) -> None:
    text = json.dumps({"a": {"version": inner}, "version": value, "b": [{"version": inner}]})
    place = manifests.find("package.json", text)
    if place is not None:
        assert json.loads(manifests.with_version(text, place, "7.7.7"))["version"] == "7.7.7"


@pytest.mark.parametrize("path", manifests.PATHS)
@pytest.mark.parametrize(
    "text", ["", "no", '{"version": 1}', "[project]\ndynamic=['version']\n", "[project]\nversion", "\0"]
)
def test_what_declares_no_version_is_left_alone(path, text) -> None:
    assert path == "VERSION" or manifests.find(path, text) is None


def patch(path: str, *lines: str) -> str:
    body = "\n".join(f"+{line}" for line in lines)
    return f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -0,0 +7,{len(lines)} @@\n{body}\n"


@pytest.mark.parametrize(
    ("path", "line", "kind", "severity"),
    [
        ("a.py", "<<<<<<< ours", "conflict", "blocker"),
        ("a.py", "token = 'ghp_" + "a" * 36 + "'", "secret", "blocker"),
        ("a.py", "    breakpoint()", "debug", "warning"),
        ("a.ts", "  console.log(1)", "debug", "warning"),
        ("a.py", "x = 1  # TODO later", "note", "warning"),
    ],
)
def test_what_should_not_go_out_unseen_is_found_with_its_line(path, line, kind, severity) -> None:
    (found,) = checks.in_patch(patch(path, "fine", line), Redactor())
    assert (found.path, found.line, found.kind, found.severity) == (path, 8, kind, severity)
    assert "ghp_a" not in found.text


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a.md", "TODO: nothing"),
        ("a.py", "print('hello')"),
        ("a.py", "======="),
        ("a.py", "todo = 1"),
        ("a.py", "x = '<<<<<<< '"),
    ],
)
def test_what_may_well_be_meant_is_not_reported(path, line) -> None:
    assert checks.in_patch(patch(path, line), Redactor()) == ()


def test_only_added_lines_count_and_a_line_that_looks_like_a_header_is_a_line() -> None:
    text = (
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n-x  # TODO\n ctx  # TODO\n"
        "+++ b/evil.py\n+# FIXME\n\\ No newline at end of file\n"
    )
    assert [(path, line) for path, line, _ in checks.added(text)] == [("a.py", 2), ("a.py", 3)]
    assert [each.line for each in checks.in_patch(text, Redactor())] == [3]


@pytest.mark.parametrize("line", ["breakpoint()  # {}", "x = 1  # TODO: drop {}", "<<<<<<< {}", "token = '{}'"])
@pytest.mark.parametrize("secret", ["w0rd-" + "of-the-person", "gh" + "p_" + "f4Tr9w" * 6], ids=["known", "of a shape"])
def test_nothing_that_is_found_tells_the_secret_of_its_line(line: str, secret: str) -> None:
    """Whatever the line was found for; and a value that this machine knows is found as one."""
    found = checks.in_patch(patch("a.py", line.format(secret)), Redactor({"A_TOKEN": "w0rd-" + "of-the-person"}))
    assert "secret" in [each.kind for each in found] and secret not in json.dumps([each.to_json() for each in found])


def test_large_files_are_named_by_size() -> None:
    found = checks.large([("a", 10), ("b", checks.LARGE + 1), ("c", checks.HUGE + 1)])
    assert [(each.path, each.severity) for each in found] == [("b", "warning"), ("c", "blocker")]


@pytest.mark.parametrize(
    ("declared", "leads_to"),
    [
        ("1.2.3", "1.2.3"),
        ("v1.2.3", "1.2.3"),
        ("2.0.0rc1", "2.0.0"),
        ("2.0.0.dev3", "2.0.0"),
        ("2.0.0-SNAPSHOT", "2.0.0"),
        ("2.0.0+build.5", "2.0.0"),
        ("2024.1", None),
        ("1.2.3.4", None),
        ("latest", None),
        ("1.2.\N{ARABIC-INDIC DIGIT THREE}", None),
    ],
)
def test_a_pre_release_leads_to_its_version(declared: str, leads_to: str | None) -> None:
    assert str(versions.release_of(declared)) == str(leads_to)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Map<K> and `Map<K>`", "Map\\<K> and `Map<K>`"),
        ("<script>alert(1)</script>", "\\<script>alert(1)\\</script>"),
        ("# a heading", "\\# a heading"),
        ("[x] done", "\\[x] done"),
        ("- a list", "\\- a list"),
        ("```", "\\```"),
        ("---", "\\---"),
        ("a < b, -1 and *this*", "a < b, -1 and *this*"),
    ],
)
def test_a_commits_words_are_no_markup_of_the_changelog(words: str, shown: str) -> None:
    assert changelog.entries([commits.change_of("c", f"fix: {words}")]) == {"Fixed": [shown]}


def test_secrets_in_a_commits_words_are_found_and_not_repeated() -> None:
    (found,) = checks.in_words("commit abc", f"fine\nkey ghp_{'a' * 36}", Redactor())
    assert (found.severity, found.kind, found.path) == ("blocker", "secret", "commit abc") and "aaaa" not in found.text


NPM = json.dumps(
    {
        "name": "x",
        "version": "1.2.3",
        "packages": {"": {"name": "x", "version": "1.2.3"}, "node_modules/y": {"version": "1.2.3"}},
        "dependencies": {"y": {"version": "1.2.3", "packages": {"": {"version": "1.2.3"}}}},
    },
    indent=2,
)
CARGO = """version = 3

[[package]]
name = "x"
version = "1.2.3"
dependencies = [
 "y",
]

[[package]]
name = "y"
version = "1.2.3"
source = "registry+https://example.org"
"""
UV = """version = 1

[[package]]
name = "y"
version = "1.2.3"
source = { registry = "https://example.org" }

[[package]]
name = "x"
version = "1.2.3"
source = { editable = "." }
"""


@pytest.mark.parametrize(
    ("path", "text", "times"), [("package-lock.json", NPM, 2), ("Cargo.lock", CARGO, 1), ("uv.lock", UV, 1)]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_lock_file_says_the_projects_version_and_those_of_others_stay(path, text, times, end) -> None:
    text = text.replace("\n", end)
    after = locks.with_version(path, text, "x", "1.2.3", "1.10.0")
    assert after is not None and after.count("1.10.0") == times
    assert after.count("1.2.3") == text.count("1.2.3") - times
    assert after.replace("1.10.0", "1.2.3") == text
    if path.endswith(".json"):
        found = json.loads(after)
        assert (found["version"], found["packages"][""]["version"]) == ("1.10.0", "1.10.0")
    else:
        assert next(p for p in tomllib.loads(after)["package"] if p["name"] == "x")["version"] == "1.10.0"


@pytest.mark.parametrize("path", ["package-lock.json", "Cargo.lock", "uv.lock"])
@given(text=TEXT)
def test_a_lock_file_that_says_something_else_is_left_alone(path: str, text: str) -> None:
    assert locks.with_version(path, text, "x", "1.2.3", "1.3.0") is None


def test_a_lock_file_that_is_behind_already_is_left_to_its_tool() -> None:
    assert locks.with_version("Cargo.lock", CARGO, "x", "1.2.2", "1.3.0") is None


def test_what_a_manifest_says_of_its_project() -> None:
    poetry = '[tool.poetry]\nname = "x"\n'
    assert manifests.name_in("pyproject.toml", poetry) == "x"
    assert manifests.name_in("package.json", '{"name": "x"}') == "x"
    assert [manifests.name_in(path, "no") for path in manifests.PATHS] == [""] * len(manifests.PATHS)
    assert manifests.computed("pyproject.toml", '[project]\ndynamic = ["version"]\n')
    assert not manifests.computed("pyproject.toml", poetry) and not manifests.computed("package.json", "{}")
