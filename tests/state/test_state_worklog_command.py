"""`devloop worklog` on a real repository: what is added, what a rebase changes, what is moved away."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from devloop.cli.entry import main
from devloop.state import worklog


@pytest.fixture
def git(project):
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    for who in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{who}_NAME": "t", f"GIT_{who}_EMAIL": "t@localhost"}

    def run(*arguments, at=None):
        date = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
        done = subprocess.run(["git", *arguments], cwd=project, env={**env, **date}, check=True, capture_output=True)
        return done.stdout.decode().strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def commit(git, project):
    def make(name, subject, at):
        (project / name).write_text(subject)
        git("add", name)
        git("commit", "-qm", subject, at=at)
        return git("rev-parse", "HEAD")

    return make


@pytest.fixture
def devloop(project, monkeypatch, capfd):
    monkeypatch.chdir(project)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments):
        capfd.readouterr()
        code = main(["worklog", *arguments])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        assert "Traceback" not in err, err
        return code, out, err

    return call


def hashes(devloop):
    return [row["hash"] for row in json.loads(devloop("--json")[1])["rows"]]


def test_commits_since_the_plan_are_added_once_and_older_ones_when_asked_for(project, put, commit, devloop):
    put(".devloop/plan.md", "# Plan: P\n\n**Created**: 2026-01-02\n\n- [ ] Task 1.1: a\n")
    old = commit("a", "feat: before the plan", "2025-12-01T00:00:00Z")
    one = commit("b", "feat: login - Task 1.1", "2026-01-03T00:00:00Z")
    two = commit("c", "words | and more", "2026-01-04T00:00:00Z")
    found = json.loads(devloop("sync", "--json")[1])
    assert [(row["hash"], row["tasks"]) for row in found["rows"]] == [(two[:7], ""), (one[:7], "1.1")]
    assert found["added"] == 2 and found["rows"][0]["message"] == "words | and more"
    before = (project / worklog.PATH).read_bytes()
    assert "Nothing was missing" in devloop("sync")[1] and (project / worklog.PATH).read_bytes() == before
    assert json.loads(devloop("reconstruct", "--json")[1])["added"] == 1
    assert "## Historical Work" in (project / worklog.PATH).read_text() and old[:7] in hashes(devloop)
    three = commit("d", "third", "2026-01-05T00:00:00Z")
    assert "1 commit added" in devloop("sync")[1] and hashes(devloop)[0] == three[:7]
    assert worklog.check((project / worklog.PATH).read_text()) == ()
    assert "login" in devloop()[1]


def test_a_secret_in_a_commits_words_is_not_copied(project, commit, devloop):
    """By devloop's own patterns, and by betterleaks where it is installed."""
    own, other = "gh" + "p_" + "f4Tr9w" * 6, "shippo" + "_live_" + "f5da2cec25" * 4
    commit("a", f"fix: use {own}", "2026-01-01T00:00:00Z")
    commit("b", f"fix: use {other} - Task 1.1", "2026-01-02T00:00:00Z")
    code, out, err = devloop("sync", "--json")
    text = (project / worklog.PATH).read_text()
    assert code == 0 and own not in text + out + err and "«redacted:github-pat:" in text
    if importlib.util.find_spec("betterleaks") is not None:
        assert other not in text + out + err and "«redacted:shippo-api-token:" in text
    assert json.loads(out)["rows"][0]["tasks"] == "1.1"


def test_a_rewritten_commit_keeps_one_row(git, commit, devloop):
    commit("a", "first", "2026-01-01T00:00:00Z")
    before = commit("b", "second", "2026-01-02T00:00:00Z")
    devloop("sync")
    git("commit", "--amend", "-qm", "second, better said", at="2026-01-03T00:00:00Z")
    after = git("rev-parse", "HEAD")
    devloop("sync")
    found = hashes(devloop)
    assert after[:7] in found and before[:7] not in found and len(found) == 2


def test_a_worklog_of_the_legacy_place_is_taken_over_and_stays(project, put, commit, devloop):
    old = put(worklog.LEGACY_PATH, worklog.new("p", "Old plan", worklog.datetime.now().astimezone()))
    before = old.read_bytes()
    commit("a", "first", "2026-01-01T00:00:00Z")
    devloop("sync")
    assert "## Old plan" in (project / worklog.PATH).read_text() and old.read_bytes() == before


def test_a_long_worklog_is_moved_to_the_archive(project, put, commit, devloop):
    first = commit("a", "first", "2026-01-01T00:00:00Z")
    rows = "".join(f"| {n:07x} | 2025-01-01 00:00 | m{n} | 1.1 |\n" for n in range(0x1000, 0x1000 + 600))
    row = f"| {first[:7]} | 2026-01-01 00:00 | first | |\n"
    table = "| Hash | Date | Message | Tasks |\n|------|------|---------|-------|\n"
    put(worklog.PATH, f"# Devloop Worklog\n\n## New\n\n{table}{row}\n## Old\n\n{table}{rows}")
    found = json.loads(devloop("sync", "--json")[1])
    moved = (project / found["archived"]).read_text()
    assert len(worklog.rows(moved)) == 600 and [each["hash"] for each in found["rows"]] == [first[:7]]


def test_what_can_not_be_done_is_told(project, devloop):
    assert devloop("sync")[0] == 4 and devloop("sync", "--since", "2026-01-01")[0] == 2
    assert "No commit is recorded" in devloop()[1]
    assert not (project / worklog.PATH).exists()
