"""What an editor is told when a request fails: one sentence for people, no traceback, no path of the installation."""

from __future__ import annotations

import logging
from typing import Final

from lsprotocol import types as t
from pygls.exceptions import JsonRpcException

from devloop.errors import DevloopError, StaleEdit, UsageError
from devloop.redact import one_line

log = logging.getLogger(__name__)

INVALID_REQUEST: Final = int(t.ErrorCodes.InvalidRequest)
INVALID_PARAMS: Final = int(t.ErrorCodes.InvalidParams)
METHOD_NOT_FOUND: Final = int(t.ErrorCodes.MethodNotFound)
INTERNAL: Final = int(t.ErrorCodes.InternalError)
NOT_INITIALIZED: Final = int(t.ErrorCodes.ServerNotInitialized)
PARSE: Final = int(t.ErrorCodes.ParseError)
FAILED: Final = int(t.LSPErrorCodes.RequestFailed)
MODIFIED: Final = int(t.LSPErrorCodes.ContentModified)
CANCELLED: Final = int(t.LSPErrorCodes.RequestCancelled)
LENGTH: Final = 400


def failure(problem: BaseException, method: str) -> t.ResponseError:
    """The error object for an exception of a handler. What nobody expected is logged here, with its traceback."""
    if isinstance(problem, DevloopError):
        data = {"kind": problem.kind, "hint": problem.hint}
        return t.ResponseError(_code(problem), one_line(problem.sentences, LENGTH), data)
    if isinstance(problem, JsonRpcException):
        return t.ResponseError(problem.code, _of_library(problem, method))
    log.error("%s failed", method, exc_info=problem)
    return t.ResponseError(INTERNAL, f"{method} failed inside devloop; its log says more.")


def _code(problem: DevloopError) -> int:
    if isinstance(problem, UsageError):
        return INVALID_PARAMS
    return MODIFIED if isinstance(problem, StaleEdit) else FAILED


def _of_library(problem: JsonRpcException, method: str) -> str:
    if problem.code == INVALID_PARAMS:
        return f"The parameters of {method} are not what the protocol says."
    return f"{method} could not be done."
