"""A refusal by the double: status, type, message, and the envelope it is sent in (model-api §12)."""

from __future__ import annotations

from typing import Any

STATUS_OF_TYPE = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class Refusal(Exception):
    """`rule` is the number of the rule in model-api §14; 0 for what is played on purpose."""

    def __init__(
        self,
        message: str,
        type_: str = "invalid_request_error",
        *,
        rule: int = 0,
        status: int | None = None,
        error_code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type_
        self.rule = rule
        self.status = STATUS_OF_TYPE[type_] if status is None else status
        self.error_code = error_code
        self.headers = headers or {}

    def body(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.type, "message": self.message}
        if self.error_code:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}
