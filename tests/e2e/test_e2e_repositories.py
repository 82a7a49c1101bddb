"""Every state a repository can be in: one clear message that says what to do, and nothing lost."""

from __future__ import annotations

import subprocess

import pytest

from support.engines import trust_everything
from support.programs import WORK, until
from support.projects import PERSON, commit_all, git, make_repository


def unborn(place):
    make_repository(place.root)


def bare(place):
    place.root.mkdir()
    git(place.root, "init", "-q", "--bare")


def none(place):
    place.root.mkdir()


@pytest.mark.parametrize(
    ("make", "message", "hint"),
    [
        (none, "is not inside a git repository", "git init && git add -A && git commit"),
        (unborn, "has no commit yet", "git commit --allow-empty"),
        (bare, "is a bare repository", "git clone, or git worktree add"),
    ],
)
def test_what_is_no_checkout_with_a_commit_is_refused(place, make, message, hint):
    make(place)
    place.plan.parent.mkdir()
    place.plan.write_text("- [ ] Task 1.1: one\n")
    refused = place("continue", "--json")
    assert refused.code == 4
    assert refused.error["kind"] == "repository_unfit"
    assert message in refused.error["message"] and hint in refused.error["hint"]
    told = place("run", "1.1")
    assert told.code == 4 and message in told.err and hint in told.err and told.out == ""
    doctor = place("doctor")
    assert doctor.code == 1 and message in doctor.out
    assert place.plan.read_text() == "- [ ] Task 1.1: one\n"


def test_init_puts_no_plan_into_a_bare_repository(place):
    bare(place)
    refused = place("init", "--json")
    assert refused.code == 4 and "bare repository" in refused.error["message"]
    assert not place.plan.exists()


def test_without_a_branch_accepted_work_waits_until_there_is_one(place):
    place.project()
    place.git("checkout", "-q", "--detach")
    waits = place("run", "1.1", "--decide", "commit")
    assert waits.code == 3 and "HEAD is detached" in waits.out and "git switch -c NAME" in waits.out
    place.git("switch", "-q", "-c", "new-branch")
    landed = place("decide", "commit", "--follow")
    assert landed.code == 0 and "landed on new-branch" in landed.out
    assert place.git("log", "-1", "--format=%s") == "First thing"
    assert (place.root / "new.txt").read_text() == "new\n"


def test_files_that_are_not_committed_are_named_and_never_overwritten(place):
    place.project()
    (place.root / "new.txt").write_text("mine\n")
    (place.root / "notes.txt").write_text("changed by me\n")
    waits = place("run", "1.1", "--json")
    assert waits.code == 3
    notices = " ".join(waits.json["checkpoint"]["notices"])
    assert "new.txt" in notices and "notes.txt" in notices
    refused = place("decide", "commit", "--follow", "--json")
    assert refused.code == 3 and "new.txt" in refused.json["checkpoint"]["problem"]
    assert (place.root / "new.txt").read_text() == "mine\n"
    (place.root / "new.txt").unlink()
    assert place("decide", "commit", "--follow").code == 0
    assert (place.root / "new.txt").read_text() == "new\n"
    assert (place.root / "notes.txt").read_text() == "changed by me\n"


def test_a_locked_index_is_named_and_the_landing_repeated(place):
    place.project()
    place.waiting()
    lock = place.root / ".git" / "index.lock"
    lock.touch()
    refused = place("decide", "commit", "--follow", "--json")
    assert refused.code == 3
    assert f"remove {lock} and try again" in refused.json["checkpoint"]["problem"]
    lock.unlink()
    assert place("decide", "commit", "--follow").code == 0
    assert (place.root / "new.txt").exists()


def test_a_submodule_is_left_alone_and_is_a_project_of_its_own(place):
    outer = place.project()
    place.root = place.tmp / "inner"
    place.project(trusted=False)
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(place.root), "sub")
    commit_all(outer, "add a submodule")
    pinned = git(outer, "rev-parse", "HEAD:sub")
    place.root = outer
    done = place("run", "1.1", "--decide", "commit")
    assert done.code == 0 and "Submodules are not filled" in done.out
    assert place.git("rev-parse", "HEAD:sub") == pinned
    assert (outer / "sub" / "notes.txt").exists()
    place.root = outer / "sub"
    place.git("config", "user.name", PERSON[0])
    place.git("config", "user.email", PERSON[1])
    trust_everything(place.root)
    assert place("run", "1.1", "--decide", "commit").code == 0
    assert place.git("log", "-1", "--format=%s") == "First thing"
    assert git(outer, "rev-parse", "HEAD:sub") == pinned


def test_a_linked_worktree_lands_on_its_own_branch(place):
    main = place.project(trusted=False)
    place.git("worktree", "add", "-q", "-b", "side", str(place.tmp / "linked"))
    place.root = place.tmp / "linked"
    trust_everything(place.root)
    assert place("run", "1.1", "--decide", "commit").code == 0
    assert place.git("log", "-1", "--format=%s", "side") == "First thing"
    assert git(main, "log", "-1", "--format=%s", "main") == "start"
    assert git(main, "status", "--short") == ""


def test_a_path_with_every_awkward_character_works(place):
    place.root = place.tmp / "sp ace ü $(x) '\"\nnewline"
    place.project()
    assert place("run", "1.1", "--decide", "commit").code == 0
    assert place.git("log", "-1", "--format=%s") == "First thing"


def test_a_repository_with_sha256_works(place):
    place.root.mkdir()
    git(place.root, "init", "-q", "-b", "main", "--object-format=sha256")
    place.project()
    assert place("run", "1.1", "--decide", "commit").code == 0
    assert len(place.git("rev-parse", "HEAD")) == 64


def test_work_without_a_change_says_so(place):
    place.project()
    place.play([{"calls": [{"name": "finish", "input": {"summary": "Nothing to do."}}]}])
    waits = place("run", "1.1", "--decide", "commit")
    assert waits.code == 3 and "No file was changed." in waits.out


def test_work_that_was_only_accepted_is_said_to_wait_and_brought_home(place):
    place.project("# Plan: P\n\n- [ ] Task 1.1: First thing\n")
    place.waiting()
    stopped = place("decide", "stop", "--follow")
    assert stopped.code == 0 and "1 accepted commit is on the plan branch and not on yours yet" in stopped.out
    until(lambda: "not on your branch yet" in place().out, "what is shown without the daemon is written")
    assert "devloop land" in place("continue").out
    head = place.git("rev-parse", "HEAD")
    (place.root / "new.txt").write_text("mine\n")
    refused = place("land", "--json")
    assert refused.code == 4 and refused.error["files"] == ["new.txt"]
    assert place.git("rev-parse", "HEAD") == head and (place.root / "new.txt").read_text() == "mine\n"
    (place.root / "new.txt").unlink()
    landed = place("land")
    assert landed.code == 0 and "landed 1 commit on main" in landed.out
    assert place.git("log", "-1", "--format=%s") == "First thing" and (place.root / "new.txt").read_text() == "new\n"
    assert place("runs", "--json").json["runs"][0]["outcome"] == "landed"
    assert "everything." in place().out and "on your branch already" in place("land").out


def test_accepted_work_lands_on_a_branch_that_went_on_once_the_gates_have_seen_both(place):
    place.project("# Plan: P\n\n- [ ] Task 1.1: First thing\n- [ ] Task 1.2: Second thing\n")
    place.waiting()
    assert place("decide", "stop", "--follow").code == 0
    (place.root / "mine.txt").write_text("mine\n")
    place.git("add", "mine.txt")
    place.git("commit", "-q", "-m", "mine", "--", "mine.txt")
    landed = place("land")
    assert landed.code == 0 and "the gates run on both" in landed.out and "landed (run-land-1" in landed.out
    assert place.git("log", "-2", "--format=%s").split("\n") == ["First thing", "mine"]
    assert place("runs", "--json").json["runs"][1]["outcome"] == "landed"
    _what_does_not_fit_is_merged_by_hand(place)


def _what_does_not_fit_is_merged_by_hand(place):
    """By the very commands that the refusal names."""
    place.play(
        [{"calls": [{"name": "write_file", "input": {"path": "other.txt", "content": "an agent's\n"}}]}, WORK[1]]
    )
    place.waiting("1.2")
    assert place("decide", "stop", "--follow").code == 0
    (place.root / "other.txt").write_text("the person's\n")
    place.git("add", "other.txt")
    place.git("commit", "-q", "-m", "mine too", "--", "other.txt")
    refused = place("land")
    assert refused.code == 4 and "'Second thing'" in refused.err and "discard" not in refused.err
    assert "git merge devloop/plan" in refused.err and place.git("log", "-1", "--format=%s") == "mine too"
    place.git("commit", "-q", "-a", "--allow-empty", "-m", "the plan as it stands")
    with pytest.raises(subprocess.CalledProcessError):
        place.git("merge", "devloop/plan")
    assert place.git("diff", "--name-only", "--diff-filter=U") == "other.txt"
    (place.root / "other.txt").write_text("both\n")
    place.git("commit", "-q", "-a", "-m", "by hand")
    assert "on your branch already" in place("land").out
    assert [each["outcome"] for each in place("runs", "--json").json["runs"]].count("landed") == 3
    assert (place.root / "other.txt").read_text() == "both\n" and "[x] Task 1.2" in place.plan.read_text()
