"""One machine for a module: errands leave nothing behind that the next one minds, or say what they begin with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.programs import Place


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """A project whose gate is trusted, with a daemon and an engine of its own."""
    with tempfile.TemporaryDirectory(prefix="dl-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEVLOOP_STATE_DIR", f"{folder}/s")
        made = Place(Path(folder).resolve())
        made.project()
        yield made
        made.end()
