"""`devloop review`, from a change in the working tree to findings that are kept, and found again in files that move."""

from __future__ import annotations

import json

import pytest

from support.programs import Place, until

CODE = "def total(items):\n    result = 0\n    for item in items:\n        result += item.price\n    return result\n"
WORSE = CODE.replace("item.price", "eval(item.price)")


def finish(**result):
    return [{"calls": [{"name": "finish", "input": {"summary": "Looked.", "verdict": "APPROVE", **result}}]}]


def finding(line=4, severity="High", problem="eval runs whatever the price says", path="shop.py", **more):
    base = {"kind": "correctness", "confidence": 90, "fix": "Use float."}
    return {"path": path, "line": line, "severity": severity, "problem": problem, **base, **more}


def reviewers(place: Place, **findings) -> None:
    script = {
        f"@review/{name}": finish(findings=findings.get(name, [])) for name in ("correctness", "quality", "conventions")
    }
    risky = {"category": "dangerous code", "severity": "Critical", "path": "./shop.py", "line": 4}
    risky |= {"problem": "eval runs whatever the price says", "fix": "Parse it."}
    weak = [risky] if findings.get("security") else []
    script["@review/security"] = [
        {
            "calls": [
                {
                    "name": "finish",
                    "input": {"summary": "Scanned.", "risk": "CRITICAL" if weak else "CLEAN", "findings": weak},
                }
            ]
        }
    ]
    script["@review/reviewer"] = finish(findings=findings.get("reviewer", []), good=["Short."])
    place.script(script)


@pytest.fixture(scope="module")
def shop(place: Place) -> Place:
    (place.root / "shop.py").write_text(CODE)
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "Begin")
    return place


@pytest.fixture(autouse=True)
def as_it_was(shop: Place):
    yield
    (shop.root / "shop.py").write_text(CODE)
    (shop.root / "notes.py").unlink(missing_ok=True)
    shop.git("reset", "-q")
    for run in shop("runs", "--json").json["runs"]:
        if run["state"] != "ended" and not run["part_of"]:
            shop("cancel", run["id"])
    shop("review", "--clear")


def first_message(place: Place, run: str) -> str:
    return place("transcript", run).out


def test_reviewers_look_together_and_what_is_accepted_is_kept_and_found_again(shop: Place) -> None:
    reviewers(
        shop,
        correctness=[finding()],
        quality=[finding(2, "Nitpick", "result is a vague name", kind="quality")],
        security=True,
    )
    (shop.root / "shop.py").write_text(WORSE)
    (shop.root / "notes.py").write_text("todo = 1\n")
    before = (shop.root / ".git/index").read_bytes(), shop.git("for-each-ref"), shop.git("status", "--porcelain")
    done = shop("review", "--json")
    assert done.code == 1, "changes are requested"
    run, checkpoint = done.json["run"]["id"], done.json["checkpoint"]
    assert checkpoint["decisions"] == ["continue", "discard"]
    data = checkpoint["report"]["data"]
    assert data["verdict"] == "REQUEST_CHANGES"
    assert data["reviewed"] == "uncommitted changes: 2 files, +2 -1 lines"
    assert [(each["severity"], each["line"], each["by"]) for each in data["findings"]] == [
        ("Critical", 4, ["correctness", "security"]),
        ("Nitpick", 2, ["quality"]),
    ]
    told = shop("show", run, "--json").json
    members = [each["id"] for each in shop("runs", "--json").json["runs"] if each["part_of"] == run]
    assert len(members) == 4 and told["given"]["security"].startswith("it adds")
    said = shop("transcript", members[0]).out
    assert "eval(item.price)" in said and "A notes.py +1 -0" in said
    waiting = shop("review", "--list", "--json").json["reviews"]
    assert [review["accepted"] for review in waiting] == [False], "findings are there before anybody accepts them"

    assert shop("decide", run, "continue", "--follow").code == 0
    (review,) = shop("review", "--list", "--json").json["reviews"]
    assert review["accepted"] and [each["now"] for each in review["findings"]] == [4, 2]
    (shop.root / "shop.py").write_text(f'"""Shop."""\n\n\n{WORSE}')
    (review,) = shop("review", "--list", "--json").json["reviews"]
    assert [each["now"] for each in review["findings"]] == [7, 5], "lines moved"
    (shop.root / "shop.py").write_text(CODE)
    (review,) = shop("review", "--list", "--json").json["reviews"]
    assert [each["now"] for each in review["findings"]] == [None, 2], "the line is another one"
    (shop.root / "shop.py").write_text(WORSE)
    index, refs, status = before
    assert (shop.root / ".git/index").read_bytes() == index
    assert shop.git("for-each-ref") == refs and shop.git("status", "--porcelain") == status

    shop("stop")
    (review,) = shop("review", "--list", "--json").json["reviews"]
    assert len(review["findings"]) == 2, "they outlive the daemon"
    identity = review["findings"][0]["id"]
    assert shop("review", "--dismiss", identity, "--json").json == {"dismissed": [identity]}
    shown = shop("review", "--show", review["id"])
    assert "vague name" in shown.out and "eval runs" not in shown.out and "1 dismissed" in shown.out
    assert shop("review", "--dismiss", "nothing", "--json").code == 2
    assert shop("review", "--clear", "--json").json == {"cleared": 1}
    assert shop("review", "--list", "--json").json == {"reviews": []}


def test_a_new_review_of_a_file_replaces_what_was_found_there(shop: Place) -> None:
    (shop.root / "shop.py").write_text(WORSE)
    reviewers(shop, reviewer=[finding()])
    assert shop("review", "--quick", "--accept", "--json").code == 1
    reviewers(shop, reviewer=[])
    (shop.root / "shop.py").write_text(WORSE + "\n")
    done = shop("review", "--quick", "--accept", "--json")
    assert done.code == 0 and done.json["run"]["outcome"] == "accepted"
    (review,) = shop("review", "--list", "--json").json["reviews"]
    assert review["findings"] == [] and review["verdict"] == "APPROVE"


def test_discarding_forgets_what_waited(shop: Place) -> None:
    (shop.root / "shop.py").write_text(WORSE)
    reviewers(shop, reviewer=[finding()])
    run = shop("review", "--quick", "--json").json["run"]["id"]
    until(lambda: shop("review", "--list", "--json").json["reviews"], "what waits is kept")
    assert shop("decide", run, "discard", "--follow").code == 1
    until(lambda: not shop("review", "--list", "--json").json["reviews"], "what was discarded is forgotten")
    assert "asked" not in own_refs(shop) and "base" not in own_refs(shop), "nothing holds the commit any more"


def own_refs(place: Place) -> str:
    import subprocess

    (git,) = (place.tmp / "s").glob("workspaces/*/git")
    return subprocess.run(
        ["git", f"--git-dir={git}", "for-each-ref"], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize(
    ("fail_on", "severity", "code"),
    [("critical", "High", 0), ("high", "High", 1), ("any", "Nitpick", 1), (None, "Low", 0)],
)
def test_scripts_choose_what_fails(shop: Place, fail_on, severity, code) -> None:
    (shop.root / "shop.py").write_text(WORSE)
    reviewers(shop, reviewer=[finding(severity=severity)])
    extra = ["--fail-on", fail_on] if fail_on else []
    assert shop("review", "--quick", "--accept", "--json", *extra).code == code


def test_scopes_are_one_at_a_time_and_say_when_there_is_nothing(shop: Place) -> None:
    assert "only one of them" in shop("review", "--staged", "--branch").err
    assert "Nothing is staged." in shop("review", "--staged").err
    assert "Nothing is uncommitted." in shop("review", "--uncommitted").err
    assert "Nothing is uncommitted or on a branch" in shop("review").err
    assert shop("review", "--commits", "nowhere").code == 2
    assert shop("review", "--files", "nothing.py").code == 2
    assert not own_refs(shop)


def test_staged_commits_files_and_runs_can_be_looked_at(shop: Place) -> None:
    reviewers(shop, reviewer=[finding(1, "Low", "No words say what it is for")])
    for arguments, what in (
        (("--commits", "1"), "the last commit"),
        (("shop.py",), "shop.py: 1 file"),
        (("--files", "."), ".: "),
    ):
        done = shop("review", *arguments, "--quick", "--accept", "--json")
        assert done.code == 0, done
        report = shop("show", done.json["run"]["id"], "--json").json["report"]
        assert report["data"]["reviewed"].startswith(what)
    (shop.root / "shop.py").write_text(WORSE)
    shop.git("add", "shop.py")
    (shop.root / "shop.py").write_text("not staged\n")
    done = shop("review", "--staged", "--quick", "--json")
    member = next(
        each["id"] for each in shop("runs", "--json").json["runs"] if each["part_of"] == done.json["run"]["id"]
    )
    said = shop("transcript", member).out
    assert "eval(item.price)" in said and "not staged" not in said


def test_a_run_can_be_looked_at_before_it_is_decided(shop: Place) -> None:
    shop.play()
    run = shop.waiting()
    reviewers(shop, reviewer=[finding(1, "Low", "Says nothing", path="new.txt")])
    done = shop("review", "--run", run, "--quick", "--accept", "--json")
    report = shop("show", done.json["run"]["id"], "--json").json["report"]
    assert report["data"]["reviewed"] == f"the work of {run}: 1 file, +1 -0 lines"
    assert shop("decide", run, "discard").code == 0


def test_secrets_and_generated_files_are_named_but_not_told(shop: Place) -> None:
    secret = "ghp_" + "a" * 36
    (shop.root / "notes.py").write_text(f'token = "{secret}"\n')
    (shop.root / "yarn.lock").write_text("locked\n" * 50)
    reviewers(shop)
    done = shop("review", "--quick", "--json")
    member = next(
        each["id"] for each in shop("runs", "--json").json["runs"] if each["part_of"] == done.json["run"]["id"]
    )
    said = shop("transcript", member).out
    (shop.root / "yarn.lock").unlink()
    assert secret not in said and "redacted" in said
    assert "yarn.lock is generated" in said and "locked\n" not in said
    assert json.dumps(done.json)
