"""The floor in plain Python: a hand-written JSON-RPC loop, no framework, no asyncio.

Answers the same things as minimal_pygls.py and rescans the whole file on every change, so the difference
between the two is what the framework costs.
"""

import json
import re
import sys

TASK = re.compile(r"^(\s*)[-*+] \[(.)\] (?:(?:Sub)?[Tt]ask )?([\d.]+)?:? ?(.*)$")
CAPABILITIES = {
    "textDocumentSync": {"openClose": True, "change": 2},
    "documentSymbolProvider": True,
    "codeLensProvider": {"resolveProvider": True},
    "completionProvider": {},
    "hoverProvider": True,
}
stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
documents: dict[str, list[str]] = {}


def send(message):
    body = json.dumps(message, separators=(",", ":")).encode()
    stdout.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    stdout.flush()


def receive():
    length = 0
    while (header := stdin.readline()) != b"\r\n":
        if not header:
            raise SystemExit(0)
        if header.startswith(b"Content-Length:"):
            length = int(header[15:])
    return json.loads(stdin.read(length))


def tasks(lines):
    found, fenced = [], False
    for n, line in enumerate(lines):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        elif not fenced and (m := TASK.match(line)):
            found.append((n, m[2], m[3], m[4], len(line)))
    return found


def whole_line(n, length):
    return {"start": {"line": n, "character": 0}, "end": {"line": n, "character": length}}


def publish(uri, version):
    problems = [
        {"range": whole_line(n, size), "message": f"unknown mark {mark!r}", "severity": 2, "source": "devloop"}
        for n, mark, _, _, size in tasks(documents[uri])
        if mark == "!"
    ][:100]
    send(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/publishDiagnostics",
            "params": {"uri": uri, "version": version, "diagnostics": problems},
        }
    )


def change(lines, edit):
    start, end = edit["range"]["start"], edit["range"]["end"]
    joined = lines[start["line"]][: start["character"]] + edit["text"] + lines[end["line"]][end["character"] :]
    lines[start["line"] : end["line"] + 1] = joined.split("\n")


def handle(method, params):
    document = params.get("textDocument", {})
    uri = document.get("uri")
    if method == "initialize":
        return {"capabilities": CAPABILITIES}
    if method == "textDocument/didOpen":
        documents[uri] = document["text"].split("\n")
        publish(uri, document["version"])
    elif method == "textDocument/didChange":
        for edit in params["contentChanges"]:
            change(documents[uri], edit)
        publish(uri, document["version"])
    elif method == "textDocument/documentSymbol":
        return [
            {
                "name": f"{key or ''} {title}"[:60],
                "kind": 24,
                "range": whole_line(n, size),
                "selectionRange": whole_line(n, size),
            }
            for n, _, key, title, size in tasks(documents[uri])
        ]
    elif method == "textDocument/codeLens":
        return [
            {"range": whole_line(n, size), "data": {"id": key}}
            for n, mark, key, _, size in tasks(documents[uri])
            if mark == " "
        ]
    elif method == "textDocument/completion":
        return [{"label": x} for x in ("continue", "commit", "fresh", "stop")]
    elif method == "textDocument/hover":
        return {"contents": "task"}
    return None


while True:
    message = receive()
    if message.get("method") == "exit":
        break
    result = handle(message.get("method"), message.get("params") or {})
    if "id" in message and "method" in message:
        send({"jsonrpc": "2.0", "id": message["id"], "result": result})
