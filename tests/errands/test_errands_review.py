"""`devloop review`, from a change in the working tree to findings that are kept, and found again in files that move."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from devloop.daemon.findings import records
from devloop.daemon.findings.findings import Findings
from devloop.paths import StateDir
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


def test_reviewers_look_together_and_what_is_accepted_is_kept_and_found_again(shop: Place) -> None:
    vague = finding(2, "Nitpick", "result is a vague name", kind="quality")
    reviewers(shop, correctness=[finding()], quality=[vague], security=True)
    (shop.root / "shop.py").write_text(WORSE)
    (shop.root / "notes.py").write_text("todo = 1\n")
    before = (shop.root / ".git/index").read_bytes(), shop.git("for-each-ref"), shop.git("status", "--porcelain")
    done = shop("review", "--json")
    assert done.code == 1, "changes are requested"
    run, checkpoint = done.json["run"]["id"], done.json["checkpoint"]
    assert checkpoint["decisions"] == ["continue", "discard"]
    data = checkpoint["report"]["data"]
    assert (data["verdict"], data["reviewed"]) == ("REQUEST_CHANGES", "uncommitted changes: 2 files, +2 -1 lines")
    assert [(each["severity"], each["line"], each["by"]) for each in data["findings"]] == [
        ("Critical", 4, ["correctness", "security"]),
        ("Nitpick", 2, ["quality"]),
    ]
    said = shop("transcript", run.replace("review-", "review-quality-")).out
    assert "eval(item.price)" in said and "A notes.py +1 -0" in said
    until(lambda: kept(shop, run) is not None, "findings are there before anybody accepts them")
    assert not kept(shop, run).accepted

    assert shop("decide", run, "continue", "--follow").code == 0
    assert kept(shop, run).accepted
    for text, lines in (
        (WORSE, [4, 2]),
        (f'"""Shop."""\n\n\n{WORSE}', [7, 5]),
        (CODE, [None, 2]),
        (WORSE.replace("    ", "\t"), [4, 2]),
    ):
        (shop.root / "shop.py").write_text(text)
        assert places(shop, run) == lines
    (shop.root / "shop.py").write_text(WORSE)
    index, refs, status = before
    assert (shop.root / ".git/index").read_bytes() == index
    assert shop.git("for-each-ref") == refs and shop.git("status", "--porcelain") == status
    assert run not in own_refs(shop), "nothing holds the commit any more"

    identity = kept(shop, run).findings[0].id
    assert shop("review", "--dismiss", identity, "--json").json == {"dismissed": [identity]}
    shown = shop("review", "--show", run)
    assert "vague name" in shown.out and "eval runs" not in shown.out and "1 dismissed" in shown.out


def test_a_new_review_of_a_file_replaces_what_was_found_there_unless_it_is_discarded(shop: Place) -> None:
    (shop.root / "shop.py").write_text(WORSE)
    reviewers(shop, reviewer=[finding()])
    done = shop("review", "--quick", "--accept", "--json")
    assert done.code == 1 and done.json["run"]["outcome"] == "accepted"
    earlier = done.json["run"]["id"]
    (shop.root / "shop.py").write_text(WORSE + "\n")
    reviewers(shop, reviewer=[finding(1, "Nitpick", "No words say what it is for")])
    waiting = shop("review", "--quick", "--json").json["run"]["id"]
    until(lambda: places(shop, waiting) == [1], "what waits is kept")
    assert places(shop, earlier) == [None], "and hides what was said of the file before"
    assert shop("decide", waiting, "discard", "--follow").code == 1
    until(lambda: kept(shop, waiting) is None, "what was discarded is forgotten")
    assert places(shop, earlier) == [4], "what was there before is there again"
    reviewers(shop, reviewer=[])
    assert shop("review", "--quick", "--accept", "--json").code == 0
    assert kept(shop, earlier) is None, "what was accepted takes the place of what was there"
    assert shop("review", "--clear", "--json").json == {"cleared": 0}


def kept(place: Place, run: str):
    """The review as whoever starts anew finds it on disk."""
    return next((each for each in records.read_all(state_of(place)).values() if each.run == run), None)


def state_of(place: Place) -> StateDir:
    (found,) = (place.tmp / "s").glob("workspaces/*")
    return StateDir(found)


def places(place: Place, run: str) -> list[int | None]:
    review = kept(place, run)
    placed = asyncio.run(Findings(state_of(place), place.root).placed("shop.py"))
    lines = {each.finding.id: each.line for each in placed}
    return [lines.get(finding.id) for finding in review.findings] if review is not None else []


def own_refs(place: Place) -> str:
    (git,) = (place.tmp / "s").glob("workspaces/*/git")
    return subprocess.run(
        ["git", f"--git-dir={git}", "for-each-ref"], capture_output=True, text=True, check=True
    ).stdout


def test_a_run_can_be_looked_at_before_it_is_decided(shop: Place) -> None:
    shop.play()
    run = shop.waiting()
    reviewers(shop, reviewer=[finding(1, "Low", "Says nothing", path="new.txt")])
    done = shop("review", "--run", run, "--quick", "--json", "--fail-on", "any")
    assert done.code == 1
    assert done.json["checkpoint"]["report"]["data"]["reviewed"] == f"the work of {run}: 1 file, +1 -0 lines"
