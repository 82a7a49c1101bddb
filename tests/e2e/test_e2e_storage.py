"""Full disks and read-only places: said in one sentence, nothing lost, and the work goes on when there is room."""

from __future__ import annotations

import pytest

from support.projects import git


def test_records_that_find_no_room_leave_the_run_waiting(place, disk):
    small = disk("8m", "s")
    place.project()
    place.waiting()
    small.fill()
    refused = place("decide", "commit", "--json")
    assert refused.code == 1 and refused.error["kind"] == "storage"
    assert "No space left" in refused.error["message"] and "free some space" in refused.error["hint"]
    assert place("status", "--json").json["runs"][0]["state"] == "waiting"
    small.empty()
    assert place("decide", "commit", "--follow").code == 0
    assert (place.root / "new.txt").read_text() == "new\n"


def test_no_daemon_comes_up_on_a_full_disk_and_it_says_why(place, disk):
    small = disk("4m", "s")
    place.project()
    small.fill()
    refused = place("status", "--json")
    assert refused.code == 1 and "No space left" in refused.error["message"]
    assert "free some space" in refused.error["hint"]
    small.empty()
    assert place("status").code == 0


@pytest.mark.slow
def test_an_agent_that_fills_the_disk_goes_on_when_there_is_room(place, disk, until):
    small = disk("8m", "s")
    place.project()
    command = {"name": "run_command", "input": {"command": "head -c 30000000 /dev/urandom > big.bin"}}
    place.play([{"calls": [command]}, {"calls": [{"name": "finish", "input": {"summary": "Done."}}]}])
    following = place.start("run", "1.1")
    until(lambda: "room on the disk" in place("status").out, "the status says what the run waits for")
    small.resize("100m")
    out, err = following.communicate(timeout=60)
    assert "The disk is full: free some space" in out and "Traceback" not in err
    assert following.returncode == 3 and "waits for a decision" in out


@pytest.mark.parametrize("kind", ["full", "read-only"])
def test_work_that_finds_no_room_in_the_project_waits_until_it_does(place, disk, kind):
    home = disk("4m", "q")
    place.root = home.path / "p"
    place.project()
    place.waiting()
    before = place.plan.read_bytes()
    home.fill() if kind == "full" else home.writable(False)
    refused = place("decide", "commit", "--follow", "--json")
    assert refused.code == 3
    problem = refused.json["checkpoint"]["problem"]
    assert ("free some space" if kind == "full" else "writable") in problem
    assert place.plan.read_bytes() == before
    home.empty() if kind == "full" else home.writable(True)
    decision = "recheck" if "recheck" in refused.json["checkpoint"]["decisions"] else "commit"
    assert place("decide", decision, "--follow").code == 0
    assert (place.root / "new.txt").read_text() == "new\n"
    assert "- [x] Task 1.1" in place.git("show", "HEAD:.devloop/plan.md")


def test_no_run_begins_in_a_read_only_project(place, disk):
    home = disk("4m", "q")
    place.root = home.path / "p"
    place.project()
    home.writable(False)
    refused = place("run", "1.1", "--json")
    assert refused.code == 4
    assert "can't be written" in refused.error["message"] and "writable" in refused.error["hint"]
    doctor = place("doctor")
    assert doctor.code == 1 and "can't be written" in doctor.out
    assert place("runs", "--json").json["runs"] == []
    assert place("plan", "show").code == 0
    assert git(place.root, "--no-optional-locks", "status", "--short") == ""


def test_a_state_directory_that_can_not_be_used_is_named(place, disk):
    place.project(trusted=False)
    shut = disk("1m", "ro")
    shut.writable(False)
    occupied = place.tmp / "file"
    occupied.touch()
    for folder in (shut.path / "s", occupied, occupied / "deeper"):
        place.environment["DEVLOOP_STATE_DIR"] = str(folder)
        refused = place("status", "--json")
        assert refused.code == 1 and refused.error["kind"] == "storage"
        assert str(folder) in refused.error["message"] and "DEVLOOP_STATE_DIR" in refused.error["hint"]
        assert place("plan", "show").code == 0
    place.environment["DEVLOOP_STATE_DIR"] = str(place.tmp / "s")
