"""What the language server can do, one module per LSP method.

A module for a request has `METHOD`, perhaps `OPTIONS`, and `async def handle(connection, params)`. A module for a
notification has `METHOD` and a plain `def handle(connection, params)`: notifications take effect in the order in which
they come; what takes longer goes to `connection.spawn`.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from devloop.lsp import commands, requests
from devloop.lsp.features import (
    code_action,
    code_action_resolve,
    code_lens,
    code_lens_resolve,
    completion,
    completion_resolve,
    definition,
    did_change,
    did_change_configuration,
    did_change_watched_files,
    did_change_workspace_folders,
    did_close,
    did_open,
    did_save,
    document_highlight,
    document_link,
    document_link_resolve,
    document_symbol,
    execute_command,
    folding_range,
    formatting,
    hover,
    initialized,
    inlay_hint,
    inlay_hint_resolve,
    on_type_formatting,
    prepare_rename,
    pull_diagnostics,
    range_formatting,
    references,
    rename,
    selection_range,
    semantic_tokens_delta,
    semantic_tokens_full,
    semantic_tokens_range,
    text_document_content,
    work_done_progress_cancel,
)

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from devloop.lsp.connection import Connection

MODULES: Final[Sequence[ModuleType]] = (
    code_action,
    code_action_resolve,
    code_lens,
    code_lens_resolve,
    completion,
    completion_resolve,
    definition,
    did_change,
    did_change_configuration,
    did_change_watched_files,
    did_change_workspace_folders,
    did_close,
    did_open,
    did_save,
    document_highlight,
    document_link,
    document_link_resolve,
    document_symbol,
    execute_command,
    folding_range,
    formatting,
    hover,
    initialized,
    inlay_hint,
    inlay_hint_resolve,
    on_type_formatting,
    prepare_rename,
    pull_diagnostics,
    range_formatting,
    references,
    rename,
    selection_range,
    semantic_tokens_delta,
    semantic_tokens_full,
    semantic_tokens_range,
    text_document_content,
    work_done_progress_cancel,
)
COMMANDS: Sequence[str] = commands.NAMES
custom = requests.handler
"""What answers a request that is no LSP but ours."""
execute = commands.execute


def register(connection: Connection, server: LanguageServer) -> None:
    """Make the features known for one editor."""
    for module in MODULES:
        server.feature(module.METHOD, getattr(module, "OPTIONS", None))(_bound(module.handle, connection))


def _bound(handle: Any, connection: Connection) -> Any:
    if inspect.iscoroutinefunction(handle):

        async def request(params: Any) -> Any:
            return await handle(connection, params)

        return request

    def notification(params: Any) -> None:
        handle(connection, params)

    return notification
