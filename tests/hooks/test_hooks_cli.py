"""`devloop hooks` in a terminal: list, check, try out; doctor and trust."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devloop.cli.entry import main
from support.engines import trust_everything

SETTINGS = """{
  "hooks": {
    "PreToolUse": [
      {"matcher": "Bash", "hooks": [{"type": "command", "command": "sh .claude/hooks/guard.sh", "timeout": 5}]}
    ],
    "Stop": [{"hooks": [{"type": "prompt", "prompt": "Is it done?"}]}]
  }
}
"""
GUARD = "grep -q 'echo hello' && { echo 'no greetings' >&2; exit 2; }; exit 0\n"


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)


@pytest.fixture
def root(home: Path, tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for path, text in (
        (".devloop/plan.md", "## Phase 1: A\n\n- [ ] Task 1.1: Do it\n"),
        (".claude/settings.json", SETTINGS),
        (".claude/hooks/guard.sh", GUARD),
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


@pytest.fixture
def devloop(root: Path, capfd: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    monkeypatch.setenv("COLUMNS", "240")

    def call(*arguments: str) -> Result:
        code = main(["--root", str(root), *arguments])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    yield call
    main(["--root", str(root), "stop", "--force"])
    capfd.readouterr()


def test_hooks_are_listed_tried_and_trusted(devloop: Callable[..., Result], root: Path) -> None:
    """One daemon for all of it."""
    found = devloop("hooks", "--json").json
    (hook,) = found["hooks"]
    assert (hook["event"], hook["matcher"], hook["command"]) == ("PreToolUse", "Bash", "sh .claude/hooks/guard.sh")
    assert (hook["path"], hook["line"], hook["source"]) == (".claude/settings.json", 4, "repository")
    assert (hook["state"], hook["timeout_s"], hook["last"]) == ("untrusted", 5.0, None)
    assert hook["scripts"] == [".claude/hooks/guard.sh"]
    assert found["unsupported"] == [{"event": "Stop", "type": "prompt", "path": ".claude/settings.json", "line": 6}]
    assert [(each["line"], each["code"]) for each in found["problems"]] == [(6, "hook-unsupported")]
    assert next(iter(found["events"])) == "SessionStart"

    tried = devloop("hooks", "run", "PreToolUse", "--json")
    assert tried.code == 0 and tried.json == {
        "event": "PreToolUse",
        "results": [],
        "inert": [".claude/settings.json"],
    }
    checks = {
        each["message"]: each["state"] for each in devloop("doctor", "--json").json["checks"] if each["name"] == "hooks"
    }
    assert checks["The hooks of .claude/settings.json do not run: nobody has trusted them as they are."] == "warning"
    assert any("settings.json:6: hooks of the type `prompt`" in message for message in checks)
    (item,) = [each for each in devloop("trust", "--json").json["items"] if each["kind"] == "hook"]
    assert item["key"] == ".claude/settings.json" and "no greetings" in item["text"]

    trust_everything(root)
    shown = devloop("hooks")
    assert "active" in shown.out and "never" in shown.out and "Stop by prompt: not run" in shown.out
    (result,) = devloop("hooks", "run", "pre-tool-use", "--tool", "Bash", "--json").json["results"]
    assert (result["result"], result["exit_code"], result["reason"]) == ("block", 2, "no greetings")
    assert result["input"]["tool_name"] == "Bash" and result["input"]["tool_input"] == {"command": "echo hello"}
    text = devloop("hooks", "run", "PreToolUse")
    assert text.code == 0 and '"tool_name": "Bash"' in text.out and "reason: no greetings" in text.out
    assert "No hook runs at PreToolUse" in devloop("hooks", "run", "PreToolUse", "--tool", "Read").out
    assert (
        devloop("hooks", "run", "Nothing").code == 2 and devloop("hooks", "run", "PreToolUse", "--tool", "x").code == 2
    )

    (root / ".claude" / "hooks" / "guard.sh").write_text("touch here; exit 7\n")
    trust_everything(root)
    failed = devloop("hooks", "run", "PreToolUse", "--json")
    assert failed.code == 1 and failed.json["results"][0]["result"] == "error"
    assert "Read-only file system" in failed.json["results"][0]["stderr"] and not (root / "here").exists()


def test_what_is_wrong_is_told_with_file_and_line(devloop: Callable[..., Result], root: Path) -> None:
    (root / ".devloop" / "hooks.json").write_text(
        '{"hooks": {\n"Stop": [{"command": "sh tools/gone.sh"}],\n"Stopp": []\n}}'
    )
    (root / "hooks").mkdir()
    (root / "hooks" / "hooks.json").write_text('{"hooks": [\n{"event": "Stop"}]}')
    found = devloop("hooks", "check", "--json")
    assert found.code == 1
    assert [(each["path"], each["line"], each["severity"]) for each in found.json["problems"]] == [
        (".devloop/hooks.json", 2, "warning"),
        (".devloop/hooks.json", 3, "warning"),
        (".claude/settings.json", 6, "warning"),
        ("hooks/hooks.json", 2, "error"),
    ]
    one = devloop("hooks", "check", str(root / ".devloop" / "hooks.json"))
    assert one.code == 0 and "hooks.json:2: warning there is no script tools/gone.sh that can be read" in one.out
    assert "0 errors, 2 warnings." in one.out
    assert devloop("hooks", "check", str(root / "absent")).code == 2


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["hooks", "--help"], ["hooks", "check", "--help"], ["hooks", "run", "--help"]):
        main(arguments)
        assert "Examples" in capsys.readouterr().out
