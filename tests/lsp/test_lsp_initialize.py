"""The answer to `initialize` that is given before pygls is loaded is the one that pygls would give."""

from __future__ import annotations

import itertools

import pytest
from lsprotocol import converters
from lsprotocol import types as t
from pygls.capabilities import ServerCapabilitiesBuilder

from devloop import __version__
from devloop.lsp.pipe import initialize

CONVERTER = converters.get_converter()
NOTHING = "nothing"


def builder(client, features=(), options=None):
    capabilities = CONVERTER.structure(client, t.ClientCapabilities)
    encoding = ServerCapabilitiesBuilder.choose_position_encoding(capabilities)
    return ServerCapabilitiesBuilder(
        capabilities, set(features), options or {}, [], t.TextDocumentSyncKind.Incremental, None, encoding
    )


@pytest.mark.parametrize(
    "offered",
    [NOTHING, None, [], ["utf-8"], ["utf-16", "utf-8"], ["utf-8", "utf-16"], ["utf-32"], ["utf-7"], ["utf-7", "utf-8"]],
    ids=repr,
)
def test_the_position_encoding_is_the_clients_first_choice_as_pygls_sees_it(offered):
    client = {} if offered is NOTHING else {"general": {"positionEncodings": offered}}
    theirs = CONVERTER.unstructure(builder(client).build())
    assert initialize.encoding(client) == theirs["positionEncoding"]


@pytest.mark.parametrize(
    "client", [None, 7, {"general": 7}, {"general": {"positionEncodings": "utf-8"}}, {"textDocument": []}], ids=repr
)
def test_malformed_capabilities_count_as_absent(client):
    assert initialize.answer({"capabilities": client}) == initialize.answer({})
    assert initialize.answer({})["capabilities"]["positionEncoding"] == "utf-16"


def test_it_says_who_answers():
    assert initialize.answer({})["serverInfo"] == {"name": "devloop", "version": __version__}


@pytest.mark.parametrize(("will", "until", "prepare"), list(itertools.product((NOTHING, False, True), repeat=3)))
def test_what_depends_on_the_client_is_decided_as_pygls_does(monkeypatch, will, until, prepare):
    """With every such feature: saving, renaming, file operations."""
    filters = {"filters": [{"pattern": {"glob": "**"}}]}
    everything = {
        **initialize.CAPABILITIES,
        "textDocumentSync": {
            **initialize.CAPABILITIES["textDocumentSync"],
            "willSave": True,
            "willSaveWaitUntil": True,
        },
        "renameProvider": {"prepareProvider": True},
        "workspace": {
            "workspaceFolders": {"supported": True, "changeNotifications": True},
            "fileOperations": {"didRename": filters, "willDelete": filters},
        },
    }
    monkeypatch.setattr(initialize, "CAPABILITIES", everything)
    saving = {"willSave": will, "willSaveWaitUntil": until}
    client = {
        "textDocument": {
            "synchronization": {name: value for name, value in saving.items() if value is not NOTHING},
            "rename": {} if prepare is NOTHING else {"prepareSupport": prepare},
        },
        "workspace": {"fileOperations": {"didRename": prepare is True, "willDelete": will is True}},
    }
    features = [
        *(t.TEXT_DOCUMENT_DID_OPEN, t.TEXT_DOCUMENT_DID_CLOSE, t.TEXT_DOCUMENT_DID_SAVE, t.TEXT_DOCUMENT_WILL_SAVE),
        *(t.TEXT_DOCUMENT_WILL_SAVE_WAIT_UNTIL, t.TEXT_DOCUMENT_RENAME, t.TEXT_DOCUMENT_PREPARE_RENAME),
        *(t.WORKSPACE_DID_RENAME_FILES, t.WORKSPACE_WILL_DELETE_FILES),
    ]
    operations = CONVERTER.structure(filters, t.FileOperationRegistrationOptions)
    options = {
        t.TEXT_DOCUMENT_DID_SAVE: t.SaveOptions(include_text=True),
        t.WORKSPACE_DID_RENAME_FILES: operations,
        t.WORKSPACE_WILL_DELETE_FILES: operations,
    }
    theirs = CONVERTER.unstructure(builder(client, features, options).build())
    ours = initialize.answer({"capabilities": client})["capabilities"]
    for name in ("positionEncoding", "textDocumentSync", "renameProvider", "workspace"):
        assert ours[name] == theirs[name], name
