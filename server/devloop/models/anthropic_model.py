"""A turn with a server that speaks the Messages API, over the official SDK.

The SDK is imported when the first model is made (about one second of CPU): `preload()` does it ahead of time. Only its
transport is used: requests, errors, server-sent events. No retries of its own (it would obey a `retry-after` of an hour
in silence), no threads, no sampling parameters. A stream that breaks is a failure as a whole; nothing partial is used.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from devloop.errors import NoModel, UsageError
from devloop.models.assembly import Assembly
from devloop.models.capabilities import ANTHROPIC_URL, Capabilities, capabilities_of, is_loopback
from devloop.models.catalog import ModelLimits, from_listing, limits_of
from devloop.models.compaction import BETA, compaction_edit
from devloop.models.failures import ModelFailure, from_error
from devloop.models.turn import OnProgress, Request, Response
from devloop.redact import Redactor, one_line

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

READ_TIMEOUT_S = 180.0
"""Silence between two pieces of a stream. The server sends pings, so this is long."""
CONNECT_TIMEOUT_S = 10.0
QUIET_TIMEOUT_S = 900.0
"""Nothing but pings for this long is a stall, too."""

_CACHE = {"type": "ephemeral"}


def preload() -> None:
    """Import the SDK now, so that the first request of a warm engine goes out without delay."""
    import anthropic.resources.messages
    import anthropic.resources.models  # noqa: F401


class AnthropicModel:
    """Implements `Model`. `base_url` None is Anthropic's own API; `capabilities` None: what the host is known for."""

    scripted = False

    def __init__(
        self,
        api_key: str | None,
        base_url: str | None = None,
        timeout: float = READ_TIMEOUT_S,
        *,
        capabilities: Capabilities | None = None,
        quiet_timeout: float = QUIET_TIMEOUT_S,
        connect_timeout: float = CONNECT_TIMEOUT_S,
    ) -> None:
        """Raises `NoModel` without a usable key, `UsageError` for a base URL that is none."""
        self.base_url = (base_url or ANTHROPIC_URL).strip().rstrip("/")
        self.host = _host(self.base_url)
        self.capabilities = capabilities_of(self.base_url) if capabilities is None else capabilities
        self.label = f"Messages API at {self.host}"
        self.listed: dict[str, ModelLimits] = {}
        self._edits: dict[str, dict[str, Any] | None] = {}
        key = _checked_key(api_key, self.capabilities)
        self._redactor = Redactor({"api-key": key})
        self._timeout = timeout
        self._quiet_timeout = quiet_timeout
        self._client = _client(key, self.base_url, timeout, connect_timeout)

    async def turn(self, request: Request, on_progress: OnProgress | None = None) -> Response:
        assembly = Assembly(on_progress)
        try:
            async with asyncio.timeout(self._quiet_timeout) as alarm:
                return await self._stream(request, assembly, alarm)
        except TimeoutError:
            raise ModelFailure("timeout", f"{self.host} sent nothing of use for {self._quiet_timeout:.0f} s.") from None
        except ModelFailure as failure:
            raise self._clean(failure) from None
        except Exception as problem:
            # The cause is dropped on purpose: the SDK's and the transport's errors may quote headers, and so the key.
            raise self._clean(self._failure(problem, request)) from None

    async def _stream(self, request: Request, assembly: Assembly, alarm: asyncio.Timeout) -> Response:
        from anthropic import AsyncStream

        opening = self._client.messages.with_streaming_response.create(**self._parameters(request), stream=True)
        async with opening as answer:
            request_id = answer.headers.get("request-id")
            kind = answer.headers.get("content-type", "")
            if "text/event-stream" not in kind:
                raise ModelFailure(
                    "malformed",
                    f"{self.host} answered with {one_line(kind, 60) or 'no content type'}, not with a stream.",
                )
            async for event in AsyncStream.raw_events(answer.http_response):
                assembly.add(event.event, event.data)
                if event.event != "ping":
                    alarm.reschedule(asyncio.get_running_loop().time() + self._quiet_timeout)
                if assembly.done:
                    return assembly.response(request_id)
        raise ModelFailure("connection", f"The answer of {self.host} broke off in the middle.", request_id=request_id)

    def _parameters(self, request: Request) -> dict[str, Any]:
        """Keyword arguments of `messages.create`: automatic caching plus one breakpoint at the end of `system`."""
        parameters: dict[str, Any] = {
            "model": request.model,
            "max_tokens": request.max_tokens,
            "messages": list(request.messages),
        }
        if request.tools:
            parameters["tools"] = list(request.tools)
        if request.system.strip():
            block: dict[str, Any] = {"type": "text", "text": request.system}
            parameters["system"] = [{**block, "cache_control": _CACHE}] if self.capabilities.caching else request.system
        if self.capabilities.caching:
            parameters["cache_control"] = _CACHE
        if request.effort and self.capabilities.effort and self._takes_effort(request):
            parameters["output_config"] = {"effort": request.effort}
        if (edit := self._compaction(request.model)) is not None:
            parameters["extra_headers"] = {"anthropic-beta": BETA}
            parameters["extra_body"] = {"context_management": {"edits": [edit]}}
        return parameters

    def _compaction(self, model: str) -> dict[str, Any] | None:
        """Decided once for each model: a list of models that is read later must not change a conversation."""
        if not self.capabilities.compaction:
            return None
        if model not in self._edits:
            self._edits[model] = compaction_edit(limits_of(model, self.listed))
        return self._edits[model]

    def _takes_effort(self, request: Request) -> bool:
        """Nothing is sent that the server's own list denies; without a list the person's setting is trusted."""
        values = limits_of(request.model, self.listed).effort
        return values is None or request.effort in values

    async def read_limits(self) -> dict[str, ModelLimits]:
        """Limits from the server's own list; {} where the host is not known to have one.

        Kept in `listed`. Raises `ModelFailure`.
        """
        if not self.capabilities.listing:
            return {}
        try:
            found = [entry.to_dict() async for entry in self._client.models.list(limit=1000)]
        except Exception as problem:
            raise self._clean(self._failure(problem, None)) from None
        self.listed = from_listing(found)
        return self.listed

    async def close(self) -> None:
        await self._client.close()

    def _failure(self, problem: Exception, request: Request | None) -> ModelFailure:
        import anthropic
        import httpx2

        if isinstance(problem, anthropic.APIStatusError):
            over = request is not None and request.size // 4 > limits_of(request.model, self.listed).context
            return from_error(
                status=problem.status_code,
                body=problem.body if isinstance(problem.body, Mapping) else problem.response.text,
                headers=problem.response.headers,
                prompt_over_window=over,
            )
        if isinstance(problem, (anthropic.APITimeoutError, httpx2.TimeoutException)):
            if isinstance(problem.__cause__ or problem, httpx2.ConnectTimeout):
                return ModelFailure("connection", f"{self.host} could not be reached in time.")
            return ModelFailure("timeout", f"{self.host} sent nothing for {self._timeout:.0f} s.")
        if isinstance(problem, anthropic.APIConnectionError):
            return ModelFailure("connection", f"{self.host} can't be reached{_why(problem.__cause__)}.")
        if isinstance(problem, httpx2.TransportError):
            return ModelFailure("connection", f"The connection to {self.host} was lost{_why(problem)}.")
        if isinstance(problem, (httpx2.DecodingError, UnicodeDecodeError)):
            return ModelFailure("malformed", f"The answer of {self.host} can't be decoded.", retryable=True)
        if isinstance(problem, anthropic.AnthropicError):
            return ModelFailure("invalid_request", f"The request was not sent{_why(problem)}.")
        return ModelFailure(
            "invalid_request", f"The request to {self.host} failed: {type(problem).__name__}{_why(problem)}."
        )

    def _clean(self, failure: ModelFailure) -> ModelFailure:
        data = failure.to_json()
        return ModelFailure.from_json({**data, "message": self._redactor.text(failure.message)})


def _why(problem: BaseException | None) -> str:
    said = one_line(str(problem), 200).rstrip(".") if problem is not None else ""
    return f": {said}" if said else ""


def _host(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("The base URL of the model must begin with http:// or https:// and name a host.")
    if parts.username or parts.password:
        raise UsageError("The base URL of the model must not hold a user name or password.")
    try:
        return parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    except ValueError:
        raise UsageError("The base URL of the model has a port that is no port.") from None


def _checked_key(api_key: str | None, capabilities: Capabilities) -> str:
    """Never an empty key: the SDK would look for one in the environment and in profiles on disk."""
    key = (api_key or "").strip()
    if not key:
        if capabilities.key_required:
            raise NoModel(
                "There is no API key for the model.",
                hint="Store it with `devloop login`, or set ANTHROPIC_API_KEY.",
            )
        return "no-key-needed"
    if not key.isascii() or not key.isprintable() or " " in key:
        raise NoModel("The API key holds characters that no key has.", hint="Copy the key again, without spaces.")
    return key


def _client(key: str, base_url: str, timeout: float, connect_timeout: float) -> AsyncAnthropic:
    import httpx2
    from anthropic import AsyncAnthropic, DefaultAsyncHttpxClient

    limits = httpx2.Timeout(timeout, connect=connect_timeout)
    transport: httpx2.AsyncClient
    if is_loopback(base_url):
        # A proxy named in the environment must not see what goes to this machine itself. Not the SDK's own client
        # class: that one mounts the environment's proxies even with `trust_env=False`.
        transport = httpx2.AsyncClient(timeout=limits, trust_env=False)
    else:
        # A redirect would send the conversation to a host that the person did not name.
        transport = DefaultAsyncHttpxClient(timeout=limits, follow_redirects=False)
    return AsyncAnthropic(api_key=key, base_url=base_url, timeout=limits, max_retries=0, http_client=transport)
