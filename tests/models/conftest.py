"""Fixtures for the tests of `devloop.models` and of the double."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

TESTS = str(Path(__file__).resolve().parents[1])
if TESTS not in sys.path:
    sys.path.insert(0, TESTS)

from devloop.models import FULL, AnthropicModel  # noqa: E402

from double import Double  # noqa: E402


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No key, profile or proxy of the person who runs the tests may reach them (model-api §16)."""
    for name in list(os.environ):
        if name.startswith("ANTHROPIC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ANTHROPIC_CONFIG_DIR", str(tmp_path_factory.mktemp("no-profiles")))


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[tuple[Double, AnthropicModel]]]]:
    """`await serve(turns=[…])` or `scenario=…`: a double and a real model that talks to it."""
    async with AsyncExitStack() as stack:

        async def start(*, timeout: float = 5.0, **options: Any) -> tuple[Double, AnthropicModel]:
            of_model = {key: options.pop(key) for key in ("api_key", "quiet_timeout", "capabilities") if key in options}
            double = await stack.enter_async_context(Double(**options))
            key = of_model.pop("api_key", double.key)
            model = AnthropicModel(key, double.url, timeout, **{"capabilities": FULL, **of_model})
            stack.push_async_callback(model.close)
            return double, model

        yield start
