"""What happens around runs: reloads, deaths, several windows and folders, restricted mode, a server that fails."""

from __future__ import annotations

import pytest

GROUP = "windows"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_vscode(play, scenario):
    play(f"{GROUP}/{scenario}")
