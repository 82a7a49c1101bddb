"""From a plan in the editor to the landed commit: what a person does with runs."""

from __future__ import annotations

import pytest

GROUP = "runs"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_in_vscode(play, scenario):
    play(f"{GROUP}/{scenario}")
