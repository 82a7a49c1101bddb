"""`devloop ship`, from the commits of a project to a tagged version."""

from __future__ import annotations

import json

import pytest

from support.programs import Place, until

MANIFEST = '[project]\nname = "x"\nversion = "1.2.3"  # said here\n'
READY = {"summary": "1.3.0 is ready.", "verdict": "READY", "pr_title": "Release", "pr_text": "## Summary\nA thing."}


def script(place: Place, *edits: dict[str, str], **result: str) -> None:
    calls = [{"name": "edit_file", "input": {"path": "CHANGELOG.md", **edit}} for edit in edits]
    turns = [{"calls": calls}] if calls else []
    place.script({"@ship": [*turns, {"calls": [{"name": "finish", "input": READY | result}]}]})


def commit(place: Place, subject: str, path: str = "thing.py", text: str = "x = 1\n") -> None:
    (place.root / path).write_text(text)
    place.git("add", path)
    place.git("commit", "-q", "-m", subject)


@pytest.fixture(scope="module")
def project(place: Place) -> Place:
    commit(place, "Begin", "pyproject.toml", MANIFEST)
    place.git("tag", "v1.2.3")
    commit(place, "feat(api): add a thing - Task 1.1")
    return place


def test_a_dry_run_says_what_would_be_shipped_and_begins_nothing(project: Place) -> None:
    (project.root / "loose.txt").write_text("mine\n")
    found = project("ship", "--dry-run", "--json").json
    assert (found["version"], found["tag"], found["since"], found["commits"]) == ("1.3.0", "v1.3.0", "v1.2.3", 1)
    assert found["changelog"] == "### Added\n\n- api: add a thing"
    assert found["files"] == ["CHANGELOG.md", "pyproject.toml"] and found["found"] == []
    assert found["open_tasks"] == ["1.1 First thing", "1.2 Second thing"]
    assert "loose.txt" in found["notes"][0]
    assert project("runs", "--json").json["runs"] == []
    shown = project("ship", "--dry-run").out
    assert "Version 1.3.0 · 1 commit since v1.2.3" in shown and "### Added\n\n- api: add a thing" in shown
    (project.root / "loose.txt").unlink()


def test_files_that_are_left_behind_are_counted_where_not_all_are_named(project: Place) -> None:
    for number in range(8):
        (project.root / f"left{number}.txt").write_text("x\n")
    notes = " ".join(project("ship", "--dry-run", "--json").json["notes"])
    assert "8 files of yours are not committed" in notes and "left4.txt and 3 more" in notes
    for number in range(1, 8):
        (project.root / f"left{number}.txt").unlink()
    assert "1 file of yours is not committed" in " ".join(project("ship", "--dry-run", "--json").json["notes"])
    (project.root / "left0.txt").unlink()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--version", "1.2.3"), "does not come after v1.2.3"),
        (("--version", "soon"), "is no version"),
        (("--override", " "), "needs the reason why"),
        (("--words", "9.9.9"), "No words are kept"),
        (("--words", "../../etc/passwd"), "No words are kept"),
    ],
)
def test_bad_wishes_are_refused_with_what_to_do(project: Place, arguments: tuple[str, ...], said: str) -> None:
    refused = project("ship", "--dry-run", *arguments, "--json")
    assert refused.code in (2, 4, 1) and said in refused.error["message"] and refused.error["hint"]


def test_what_should_not_go_out_stops_it_unless_a_person_says_why(project: Place) -> None:
    commit(project, "chore: add settings", "settings.py", f"token = 'ghp_{'a' * 36}'\nbreakpoint()\n")
    refused = project("ship", "--json")
    assert refused.code == 4 and "settings.py:1 secret" in refused.error["message"]
    assert "a" * 36 not in refused.text
    shown = project("ship", "--dry-run").out
    assert "blocker secret settings.py:1" in shown and "warning debug settings.py:2" in shown
    script(project)
    begun = project("ship", "--override", "It is a test's.", "--json").json
    told = project("transcript", begun["run"]["id"]).out
    assert "The person lets that go out: It is a test's." in told
    project("decide", begun["run"]["id"], "discard", "--follow")


def test_a_release_is_one_commit_with_a_tag_on_the_persons_branch(project: Place) -> None:
    """Version and changelog are devloop's, the words the agent's, commit and tag the person's."""
    script(project, {"old_string": "add a thing", "new_string": "A thing, at last"})
    head = project.git("rev-parse", "HEAD")
    done = project("ship", "Mind the thing", "--tag", "--override", "A test's.", "--decide", "commit", "--json")
    assert done.code == 0, done
    run = done.json["run"]
    assert (run["errand"], run["mode"], run["outcome"]) == ("ship", "release", "landed")
    assert project.git("rev-parse", "v1.3.0^{commit}") == project.git("rev-parse", "HEAD")
    assert project.git("rev-parse", "HEAD^") == head
    assert project.git("cat-file", "-t", "v1.3.0") == "tag"
    shown = project.git("show", "--format=%an", "--name-only", "HEAD")
    assert shown.split("\n") == ["Pat Person", "", "CHANGELOG.md", "pyproject.toml"]
    assert (project.root / "pyproject.toml").read_text() == MANIFEST.replace("1.2.3", "1.3.0")
    assert "- api: A thing, at last" in (project.root / "CHANGELOG.md").read_text()
    assert "[ ] Task 1.1" in project.plan.read_text(), "the plan is not done, so it does not say so"
    assert project("ship", "--words", "1.3.0", "--json").json["text"] == "# Release\n\n## Summary\nA thing.\n"
    notices = json.dumps(project("show", run["id"], "--json").json["notices"])
    assert "Tagged v1.3.0." in notices and "git push --atomic origin HEAD v1.3.0" in notices
    assert "nothing to ship" in project("ship", "--json").error["message"]


def test_one_release_at_a_time(project: Place) -> None:
    """The same wishes join the open run, whatever lies about meanwhile; others are told what to do."""
    commit(project, "fix: mend the thing", text="x = 2\n")
    script(project)
    wish = ("ship", "Mind the mended thing", "--override", "A test's.", "--detach", "--json")
    first = project(*wish, "--tag").json
    (project.root / "loose.txt").write_text("mine\n")
    again = project(*wish, "--tag")
    assert again.code == 0, again
    again = again.json
    assert (again["run"], again["attached"], first["attached"]) == (first["run"], True, False)
    assert first["run"] in again["message"]
    other = project(*wish, "--bump", "major")
    assert other.code == 4 and "tag yes there, no here" in other.error["message"], other
    assert "bump 'auto' there, 'major' here" in other.error["message"]
    assert f"devloop cancel {first['run']}" in other.error["hint"]
    assert [each["id"] for each in project("runs", "--json").json["runs"] if each["state"] != "ended"] == [first["run"]]
    project("cancel", first["run"])
    until(lambda: project("runs", "--json").json["runs"][0]["state"] == "ended", "its end")
    (project.root / "loose.txt").unlink()
    assert project(*wish).json["attached"] is False, "what has ended is in nobody's way"
    project("cancel", project("runs", "--json").json["runs"][0]["id"])


def test_no_agent_begins_while_a_merge_stands_unfinished(project: Place) -> None:
    """What it made could not land."""
    commit(project, "fix: mend it again", text="x = 3\n")
    place = project.root / ".git" / "MERGE_HEAD"
    place.write_text(project.git("rev-parse", "HEAD") + "\n")
    refused = project("ship", "--override", "A test's.", "--json")
    place.unlink()
    assert refused.code == 4 and "A merge stands unfinished" in refused.error["message"], refused
    assert "Finish or abort the merge" in refused.error["hint"]
    assert all(run["state"] == "ended" for run in project("runs", "--json").json["runs"])


def secret_of(kind: str) -> str:
    """Of a kind that devloop's own patterns know, and of one that betterleaks alone knows."""
    return "gh" + "p_" + "f4Tr9w" * 6 if kind == "own" else "shippo" + "_live_" + "f5da2cec25" * 4


def test_a_secret_in_the_words_of_a_pull_request_holds_the_release_back(project: Place) -> None:
    """Known to betterleaks alone, and one that the text breaks over two lines."""
    pytest.importorskip("betterleaks")
    commit(project, "fix: a leak", "leak.py", "x = 2\n")
    own, other = secret_of("own"), secret_of("other")
    text = f"## Summary\nUse {other} to try it,\nor {own[:14]}\n  {own[14:]} instead."
    project.script({"@ship": [{"calls": [{"name": "finish", "input": READY | {"pr_text": text}}]}] * 3})
    run = project("ship", "--json").json["run"]["id"]
    until(lambda: project("show", run, "--json").json["run"]["state"] == "waiting", "it is at its checkpoint", 60)
    shown = project("show", run, "--json")
    problem = shown.json["checkpoint"]["problem"]
    assert "the pull request's text:2 shippo-api-token" in problem, problem
    assert "the pull request's text:3 github-pat" in problem, problem
    assert [each["kind"] for each in shown.json["checkpoint"]["secrets"]] == ["shippo-api-token", "github-pat"]
    assert other not in json.dumps(shown.json["gates"])
    told = project("show", run).out
    assert f"What is no secret: devloop decide {run} recheck --not-secret ID" in told, told
    ids = [each["id"] for each in shown.json["checkpoint"]["secrets"]]
    assert all(each in told and each not in problem for each in ids), told
    found = [f"--not-secret={each}" for each in ids]
    cleared = project("decide", run, "recheck", *found, "--follow", "--json")
    assert cleared.json["checkpoint"]["kind"] == "decision", cleared
    project("decide", run, "discard", "--follow")
    project.git("reset", "-q", "--hard", "HEAD~1")


def test_a_secret_that_betterleaks_alone_knows_stops_a_release_as_any_other(project: Place) -> None:
    """In a commit's words and in a file; in the name of a new file by devloop's own patterns."""
    pytest.importorskip("betterleaks")
    commit(project, f"fix: use {secret_of('other')}", "use.py", f"token = '{secret_of('other')}'\n")
    commit(project, "fix: more", f"name-{secret_of('own')}.txt")
    refused = project("ship", "--json")
    assert refused.code == 4 and secret_of("other") not in refused.text and secret_of("own") not in refused.text
    told = [(each["kind"], each["path"], each["line"]) for each in project("ship", "--dry-run", "--json").json["found"]]
    assert ("secret", "use.py", 1) in told and len(told) == 3, told
    assert any(path.startswith("commit ") for _, path, _ in told), told
    assert any(path.startswith("name-«redacted:github-pat:") for _, path, _ in told), told
    project.git("reset", "-q", "--hard", "HEAD~2")


def test_a_tag_that_came_in_between_is_asked_about_and_never_moved(project: Place) -> None:
    commit(project, "fix: a hole", "more.py")
    script(project, summary="1.3.1 is ready.")
    begun = project("ship", "--tag", "--json").json["run"]["id"]
    project.git("tag", "v1.3.1", "v1.2.3^{commit}")
    waiting = project("decide", begun, "commit", "--follow", "--json")
    assert waiting.code == 3, waiting
    checkpoint = waiting.json["checkpoint"]
    assert "There is a tag v1.3.1 already" in checkpoint["problem"] and checkpoint["decisions"] == ["recheck", "stop"]
    project.git("tag", "-d", "v1.3.1")
    ended = project("decide", begun, "recheck", "--follow", "--json")
    assert ended.json["run"]["outcome"] == "landed"
    assert project.git("rev-parse", "v1.3.1^{commit}") == project.git("rev-parse", "HEAD")


def test_what_came_in_meanwhile_is_in_it_and_said(project: Place) -> None:
    commit(project, "fix: one", "one.py")
    script(project, summary="1.3.2 is ready.")
    begun = project("ship", "--json").json["run"]["id"]
    commit(project, "feat: late", "late.py")
    landed = project("decide", begun, "commit", "--follow", "--json")
    assert landed.json["run"]["outcome"] == "landed", landed
    notices = " ".join(project("show", begun, "--json").json["notices"])
    assert "1 commit came in meanwhile, of which the changelog does not know: feat: late." in notices
    assert "late" not in (project.root / "CHANGELOG.md").read_text()


def test_a_finished_plan_that_is_shipped_is_complete(project: Place) -> None:
    project.plan.write_text(project.plan.read_text().replace("- [ ]", "- [x]"))
    project.git("commit", "-qam", "feat!: another way")
    script(project)
    assert project("ship", "--decide", "commit", "--json").json["run"]["outcome"] == "landed"
    assert "**Status**: Complete" in project.plan.read_text()
    assert project.git("tag") == "v1.2.3\nv1.3.0\nv1.3.1", "no tag was wanted"
    assert '"2.0.0"' in (project.root / "pyproject.toml").read_text()
