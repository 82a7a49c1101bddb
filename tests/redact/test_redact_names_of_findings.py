"""A name whose secret only betterleaks knows: hidden in the finding, and in every list of changed files of that run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.engines import command, engine, eventually, finish, trust_everything, turn
from support.projects import at_home, commit_all, git, tiny_project

OTHER = "shippo" + "_live_" + "f5da2cec25" * 4
PLAN = "# Plan\n\n- [ ] Task 1.1: Do it\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    pytest.importorskip("betterleaks")
    at_home(tmp_path, monkeypatch)
    root = tiny_project(tmp_path / "project", PLAN)
    (root / "old.txt").write_text("as it was, line by line\n" * 20)
    commit_all(root)
    trust_everything(root)
    return root


async def test_what_a_finding_hides_of_a_name_no_list_of_the_run_tells(project: Path) -> None:
    made = command(f"mkdir {OTHER}; touch {OTHER}/a {OTHER}/b; echo x > plain.txt; mv old.txt new-{OTHER}.txt")
    async with engine(project, tasks={"1.1": [turn(made), *[turn(finish("It stays."))] * 6]}) as held:
        run = await held.run("1.1")
        shown = await held.checkpoint(run)
        assert shown["kind"] == "problem" and {each["line"] for each in shown["secrets"]} == {0}
        places = {each["file"] for each in shown["secrets"]}
        assert [name for name, value in shown.items() if OTHER in json.dumps(value)] == []
        listed = [each["path"] for each in shown["diff"]["list"]]
        assert "plain.txt" in listed
        [folder] = [path.removesuffix("/a") for path in listed if path.endswith("/a")]
        assert places == {folder}, "the folder is told once, and what else has its name in its own"
        await held.again()  # another process, which has found nothing yet
        diff = await held.ask("diff", run=run)
        assert OTHER not in json.dumps(diff), "nor the patch's own lines"
        told = [each["path"] for each in diff["files"]]
        assert sorted(told) == sorted(listed)
        moved = next(each for each in diff["files"] if each["path"].startswith("new-"))
        assert moved["old_path"] == "old.txt"
        found = await held.ask("content", run=run, path=moved["path"], side="work")
        assert found["exists"] is True and found["path"] == moved["path"]
        kept = [path for path in held.state.path.rglob("hidden-names.json") if OTHER in path.read_text()]
        assert kept == [], "devloop's own file does not hold it"
        await held.decide(run, "recheck", not_secret=[each["id"] for each in shown["secrets"]])

        async def second() -> dict[str, Any] | None:
            shown = (await held.ask("show", run=run))["checkpoint"]
            return shown if shown and shown["number"] == 2 else None

        cleared = await eventually(second, "the gates are through again", timeout=40)
        assert cleared["kind"] == "decision", cleared["problem"]
        names = [each["path"] for each in cleared["diff"]["list"]]
        assert f"{OTHER}/a" in names, "a person said that it is none"
        await held.decide(run, "commit", leave_out=[f"{OTHER}/a"])
        assert (await held.ended(run))["outcome"] == "landed"
        assert f"{OTHER}/b" in git(project, "ls-files") and f"{OTHER}/a" not in git(project, "ls-files")
