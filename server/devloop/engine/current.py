"""What counts now: the variables that clients brought, the settings, the key, the model that follows from them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from devloop import keys, models
from devloop.engine.context import Context
from devloop.errors import DevloopError, NoModel
from devloop.redact import Redactor
from devloop.settings import Settings, load

log = logging.getLogger(__name__)

NO_KEY = "Store one with `devloop login`, or set ANTHROPIC_API_KEY; `devloop demo` works without one."


class Current:
    """Everything that can be secret in it is made known to the redactor as soon as it is read."""

    def __init__(self, root: Path, redactor: Redactor) -> None:
        self._root, self._redactor = root, redactor
        self._variables: dict[str, str] = {}
        self._no_key = NO_KEY
        self._key_is_set = False
        """Whether a setting has the key, so that it does not matter what is stored."""
        self._models: dict[tuple[str | None, ...], models.Model] = {}

    def take(self, variables: Mapping[str, str]) -> None:
        self._variables.update(variables)
        for name, value in variables.items():
            if name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
                self._redactor.add(name, value)

    async def settings(self) -> Settings:
        """Read anew. Where no setting has a key, the one that `devloop login` stored does."""
        settings = load(self._root, self._variables)
        self._no_key, self._key_is_set = NO_KEY, bool(settings.model.api_key)
        try:
            stored = await asyncio.to_thread(keys.find, settings.model.base_url)
        except DevloopError as problem:
            stored, self._no_key = None, problem.sentences
        for key in (settings.model.api_key, stored.key if stored else None):
            if key:
                self._redactor.add("api-key", key)
        if stored is not None and not settings.model.api_key:
            model = settings.model.model_copy(update={"api_key": stored.key})
            settings = settings.model_copy(update={"model": model})
        for warning in settings.warnings:
            log.warning("%s", warning)
        return settings

    @property
    def virtual_env(self) -> Path | None:
        value = self._variables.get("VIRTUAL_ENV")
        return Path(value) if value else None

    async def has_key(self, base_url: str | None) -> bool:
        """What is stored is looked at anew: `devloop login` tells nobody."""
        return self._key_is_set or await asyncio.to_thread(keys.stored, base_url)

    def model(self, settings: Settings) -> models.Model:
        """The scripted player where a scenario is set, else the real service. Raises `NoModel` without a key."""
        wanted = settings.model
        key = (str(wanted.scenario) if wanted.scenario else None, wanted.api_key, wanted.base_url)
        if key not in self._models:
            if wanted.scenario is not None:
                self._models[key] = models.ScriptedModel(wanted.scenario)
            elif wanted.api_key or wanted.base_url:
                self._models[key] = models.AnthropicModel(wanted.api_key, wanted.base_url)
            else:
                raise NoModel("There is no key for the model.", hint=self._no_key)
        return self._models[key]

    def use(self, ctx: Context, settings: Settings) -> None:
        """What runs and requests from now on go by."""
        services = ctx.services
        services.prices = {**models.prices_of(services.listed.values()), **models.prices_from(settings.prices)}
        services.settings = settings
        services.virtual_env = self.virtual_env
        ctx.slots.resize(settings.loop.max_parallel)
