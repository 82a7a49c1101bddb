"""The program and the real daemon with its language server."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from support.pipes import Program, shut_down

PLAN = "# Plan: Demo\n\n## Phase 1: Begin\n\n- [ ] Task 1.1: First [depends:9.9]\n"


@pytest.mark.slow
def test_a_killed_daemon_is_replaced_and_the_editors_text_is_still_the_truth(project, daemons):
    path = project / ".devloop" / "plan.md"
    path.write_text("# Plan: Another text\n")
    uri = path.as_uri()
    editor = Program([sys.executable, "-m", "devloop.cli.entry", "lsp"], cwd=project)
    try:
        synchronization = {"publishDiagnostics": {"versionSupport": True}}
        editor.initialize(rootUri=project.as_uri(), capabilities={"textDocument": synchronization})
        editor.notify("initialized")
        document = {"uri": uri, "languageId": "markdown", "version": 1, "text": PLAN}
        editor.notify("textDocument/didOpen", {"textDocument": document})
        first = told_of(editor, uri, 1)
        assert first
        end = {"line": 4, "character": 38}
        change = {"range": {"start": end, "end": end}, "text": "\n- [ ] Task 1.2: Next [depends:8.8]"}
        editor.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [change]}
        )
        both = told_of(editor, uri, 2)
        assert len(both) == 2 * len(first)
        os.kill(daemons.announced.pid, signal.SIGKILL)
        assert told_of(editor, uri, 2) == both
        assert editor.request("nonsense")["error"]["code"] == -32601
        assert shut_down(editor) == 0
    finally:
        editor.close()


def told_of(editor, uri, version):
    """The diagnostics of one version."""
    wanted = {"uri": uri, "version": version}
    found = editor.take(lambda m: wanted.items() <= m.get("params", {}).items(), 60)
    return found["params"]["diagnostics"]
