"""Why a turn failed, whether it is worth repeating, and how long to wait (model-api §11, §12).

An error is classified by its `error_code`, then its type, then its status. The wording is never relied upon, with one
exception that changes only what a person is told, never whether we retry: two refusals come as a bare 400 without a
code, the account's own spend limit and a prompt that is too long.
"""

from __future__ import annotations

import random as _random
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, Literal

from devloop.redact import one_line

FailureKind = Literal[
    "rate_limited",
    "overloaded",
    "server",
    "connection",
    "timeout",
    "auth",
    "billing",
    "permission",
    "not_found",
    "too_large",
    "invalid_request",
    "context_window",
    "malformed",
]

_RETRYABLE: frozenset[str] = frozenset({"rate_limited", "overloaded", "server", "connection", "timeout"})

_HINTS: dict[str, str] = {
    "rate_limited": "devloop waits and tries again.",
    "overloaded": "devloop waits and tries again.",
    "server": "devloop waits and tries again.",
    "connection": "Check the network and the base URL; devloop tries again.",
    "timeout": "devloop tries again.",
    "auth": "`devloop login --status` says where the key comes from; `devloop login` stores another.",
    "billing": "Raise the spend limit or add credit in the account's console, then continue the run.",
    "permission": "The account may not use this model or feature; choose another model or ask the account's owner.",
    "not_found": "Check the model's name and the base URL.",
    "too_large": "Start the task afresh, or split it into smaller tasks.",
    "context_window": "Start the task afresh, or split it into smaller tasks.",
    "invalid_request": "The request was refused as malformed; trying again would not help.",
    "malformed": "Check that the base URL belongs to a server that speaks the Messages API.",
}


class ModelFailure(Exception):
    """A turn that gave no answer. `message` is one sentence for people and holds no secret."""

    def __init__(
        self,
        kind: FailureKind,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool | None = None,
        status: int | None = None,
        error_code: str | None = None,
        retry_after_s: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: FailureKind = kind
        self.message = message
        self.hint = _HINTS[kind] if hint is None else hint
        self.retryable = kind in _RETRYABLE if retryable is None else retryable
        self.status = status
        self.error_code = error_code
        self.retry_after_s = retry_after_s
        self.request_id = request_id

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "status": self.status,
            "error_code": self.error_code,
            "retry_after_s": self.retry_after_s,
            "request_id": self.request_id,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelFailure:
        return cls(**data)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.to_json(),)


def _rebuild(data: dict[str, Any]) -> ModelFailure:
    return ModelFailure.from_json(data)


_BY_CODE: dict[str, FailureKind] = {
    "enforced_spend_limit_reached": "billing",
    "contract_spend_limit_reached": "billing",
    "linked_organization_spend_limit_reached": "billing",
    "linked_organization_billing_unavailable": "billing",
    "user_profile_billing_not_authorized": "billing",
    "user_profile_not_billable": "billing",
    "ramp_limit_exceeded": "rate_limited",
    "organization_on_hold": "permission",
    "cmek_key_disabled": "permission",
    "cmek_key_network_blocked": "permission",
    "cmek_key_unreachable": "server",
    "cmek_context_unavailable": "server",
    "sandbox_egress_restricted": "permission",
    "request_body_too_large_after_decoding": "too_large",
}

_BY_TYPE: dict[str, FailureKind] = {
    "authentication_error": "auth",
    "billing_error": "billing",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "conflict_error": "server",
    "request_too_large": "too_large",
    "rate_limit_error": "rate_limited",
    "api_error": "server",
    "timeout_error": "timeout",
    "overloaded_error": "overloaded",
    "invalid_request_error": "invalid_request",
}

_BY_STATUS: dict[int, FailureKind] = {
    401: "auth",
    402: "billing",
    403: "permission",
    404: "not_found",
    408: "timeout",
    409: "server",
    413: "too_large",
    429: "rate_limited",
    500: "server",
    502: "server",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}

_RETRYABLE_STATUS = frozenset({None, 408, 409, 429, 500, 502, 503, 504, 529})
"""None: an error event inside a stream that began with 200."""

SAID = 4_000
"""Characters of the server's own words. Who tells them cuts them to what is shown, once they are clean: half a secret
would not be known for one."""

_SENTENCES: dict[str, str] = {
    "rate_limited": "The model's rate limit is reached",
    "overloaded": "The model's server is overloaded",
    "server": "The model's server failed",
    "timeout": "The model's server took too long",
    "auth": "The model's server did not accept the key",
    "billing": "The account has no money left for this request or has reached its own spend limit",
    "permission": "The account may not make this request",
    "not_found": "The model's server knows no such model or address",
    "too_large": "The request is too large for the model's server",
    "context_window": "The conversation no longer fits into the model's context",
    "invalid_request": "The model's server refused the request",
    "malformed": "The model's server gave an answer that is no Messages API answer",
    "connection": "The model's server can't be reached",
}


def from_error(
    *,
    status: int | None,
    body: Any,
    headers: Mapping[str, str] | None = None,
    prompt_over_window: bool = False,
) -> ModelFailure:
    """The failure that an error answer means. `status` is None for an error event inside a stream; `body` is the
    parsed JSON, or text when it was none; `prompt_over_window` says that our own estimate exceeds the context."""
    headers = headers or {}
    error = body.get("error") if isinstance(body, Mapping) else None
    error = error if isinstance(error, Mapping) else {}
    details = error.get("details")
    code = details.get("error_code") if isinstance(details, Mapping) else None
    code = code if isinstance(code, str) else None
    type_ = error.get("type") if isinstance(error.get("type"), str) else None
    said = one_line(str(error["message"] if error.get("message") else (body if isinstance(body, str) else "")), SAID)
    kind = _kind(code, type_, status)
    if kind == "invalid_request" and code is None and status in (400, None):
        kind = _uncoded(said, prompt_over_window)
    never = headers.get("x-should-retry", "").lower() == "false" or status not in _RETRYABLE_STATUS
    sent_id = body.get("request_id") if isinstance(body, Mapping) else None
    number = f" ({status})" if status is not None else ""
    return ModelFailure(
        kind,
        f"{_SENTENCES[kind]}{number}{': ' + said if said else ''}{'' if said.endswith('.') else '.'}",
        retryable=False if never else None,
        status=status,
        error_code=code,
        retry_after_s=retry_after(headers),
        request_id=headers.get("request-id") or (sent_id if isinstance(sent_id, str) else None),
    )


def _kind(code: str | None, type_: str | None, status: int | None) -> FailureKind:
    if code in _BY_CODE:
        return _BY_CODE[code]
    if type_ in _BY_TYPE:
        return _BY_TYPE[type_]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status is not None and status < 400:
        return "malformed"
    return "invalid_request" if status is not None and status < 500 else "server"


def _uncoded(said: str, prompt_over_window: bool) -> FailureKind:
    text = said.lower()
    if "usage limits" in text or "credit balance" in text:
        return "billing"
    if prompt_over_window or text.startswith("prompt is too long"):
        return "context_window"
    return "invalid_request"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The server's wish in seconds, from `retry-after-ms`, or `retry-after` as seconds or an HTTP date; else None."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * scale
        except ValueError:
            seconds = _until(value) if name == "retry-after" else float("nan")
        if isfinite(seconds):
            return max(0.0, seconds)
    return None


def _until(date: str) -> float:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return float("nan")
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return (when - datetime.now(UTC)).total_seconds()


def wait_before_retry(failure: ModelFailure, attempt: int, *, random: Callable[[], float] = _random.random) -> float:
    """Seconds to wait before attempt `attempt + 1` (`attempt` counts from 1).

    The larger of the server's wish and our own backoff (1 to 2 s at first, doubling to 30 to 60 s). The wish is
    not capped: more than a quarter of an hour is the caller's reason to ask a person.
    """
    base = min(30.0, 2.0 ** max(0, min(attempt, 10) - 1))
    own = base * (1.0 + min(1.0, max(0.0, random())))
    return max(failure.retry_after_s or 0.0, own)
