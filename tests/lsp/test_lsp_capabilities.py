"""What the editor's process answers to `initialize` by itself is what the language server computes.

When a feature changes what is announced: `pytest tests/lsp/test_lsp_capabilities.py --update-golden` writes
`lsp/pipe/capabilities.py` anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from devloop.lsp.pipe import initialize
from support.editor import EVERYTHING, PULLS

PREPARES = {"textDocument": {"rename": {"prepareSupport": True}, "synchronization": {"willSave": True}}}
CLIENTS = {
    "nothing": {},
    "everything": EVERYTHING,
    "pulls": PULLS,
    "utf-8": {"general": {"positionEncodings": ["utf-8", "utf-16"]}},
    "prepares": PREPARES,
    "asks for diagnostics, can't be told to": {"textDocument": {"diagnostic": {}}},
    "file operations": {"workspace": {"fileOperations": {"didRename": True, "willDelete": True}}},
    "notebooks": {"notebookDocument": {"synchronization": {}}},
    "dynamic": {"workspace": {"textDocumentContent": {"dynamicRegistration": True}}},
}
HEAD = '''"""What the language server announces to an editor that can everything (test_lsp_capabilities.py)."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` itself costs 3 ms
if TYPE_CHECKING:
    from typing import Any

CAPABILITIES: dict[str, Any] = '''


@pytest.mark.parametrize("name", CLIENTS)
async def test_the_answer_known_before_is_the_answer_computed(editors, name, request):
    editor = await editors()
    computed = await editor.initialize(CLIENTS[name])
    if name == "pulls" and request.config.getoption("--update-golden"):
        write({key: value for key, value in computed["capabilities"].items() if key != "positionEncoding"})
        pytest.skip("written anew")
    assert initialize.answer({"capabilities": CLIENTS[name]}) == computed


def write(capabilities):
    text = json.dumps(capabilities, indent=4, sort_keys=True, ensure_ascii=False)
    for word, name in (("true", "True"), ("false", "False"), ("null", "None")):
        text = text.replace(f": {word}", f": {name}")
    path = Path(initialize.__file__).with_name("capabilities.py")
    path.write_text(HEAD + text + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
