"""The floor with the framework: an ordinary, naive pygls 2.x server. Same scan and answers as floor_stdlib.py."""

import re

from lsprotocol import types as t
from pygls.lsp.server import LanguageServer

TASK = re.compile(r"^(\s*)[-*+] \[(.)\] (?:(?:Sub)?[Tt]ask )?([\d.]+)?:? ?(.*)$")
server = LanguageServer("minimal", "0", text_document_sync_kind=t.TextDocumentSyncKind.Incremental)


def tasks(source):
    found, fenced = [], False
    for n, line in enumerate(source.split("\n")):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (m := TASK.match(line)):
            found.append((n, m[2], m[3], m[4], len(line)))
    return found


def whole_line(n, length):
    return t.Range(t.Position(n, 0), t.Position(n, length))


def publish(ls, document):
    source = ls.workspace.get_text_document(document.uri).source
    problems = [
        t.Diagnostic(
            range=whole_line(n, size),
            message=f"unknown mark {mark!r}",
            severity=t.DiagnosticSeverity.Warning,
            source="devloop",
        )
        for n, mark, _, _, size in tasks(source)
        if mark == "!"
    ][:100]
    ls.text_document_publish_diagnostics(
        t.PublishDiagnosticsParams(uri=document.uri, version=document.version, diagnostics=problems)
    )


@server.feature(t.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls, params: t.DidOpenTextDocumentParams):
    publish(ls, params.text_document)


@server.feature(t.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls, params: t.DidChangeTextDocumentParams):
    publish(ls, params.text_document)


@server.feature(t.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def document_symbol(ls, params: t.DocumentSymbolParams):
    source = ls.workspace.get_text_document(params.text_document.uri).source
    return [
        t.DocumentSymbol(
            name=f"{key or ''} {title}"[:60],
            kind=t.SymbolKind.Event,
            range=whole_line(n, size),
            selection_range=whole_line(n, size),
        )
        for n, _, key, title, size in tasks(source)
    ]


@server.feature(t.TEXT_DOCUMENT_CODE_LENS, t.CodeLensOptions(resolve_provider=True))
def code_lens(ls, params: t.CodeLensParams):
    source = ls.workspace.get_text_document(params.text_document.uri).source
    return [
        t.CodeLens(range=whole_line(n, size), data={"id": key})
        for n, mark, key, _, size in tasks(source)
        if mark == " "
    ]


@server.feature(t.TEXT_DOCUMENT_COMPLETION, t.CompletionOptions(trigger_characters=["["]))
def completion(ls, params: t.CompletionParams):
    return [t.CompletionItem(label=x) for x in ("continue", "commit", "fresh", "stop")]


@server.feature(t.TEXT_DOCUMENT_HOVER)
def hover(ls, params: t.HoverParams):
    return t.Hover(contents="task")


if __name__ == "__main__":
    server.start_io()
