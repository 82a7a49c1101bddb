"""Fixtures for the tests of `devloop.models` and of the double."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from devloop.models import FULL, AnthropicModel
from double import Double


@pytest.fixture(autouse=True)
def no_profiles(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The SDK must find no profile of the person who runs the tests (model-api §16)."""
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
