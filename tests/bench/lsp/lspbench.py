#!/usr/bin/env python3
"""Measure any language server over stdio with one raw JSON-RPC client. Standard library only, Linux (/proc).

    python lspbench.py --name NAME [options] -- SERVER COMMAND ...

Prints one Markdown table row per document size and, with --json FILE, appends one JSON object per row.

  init      process start -> initialize response, wall ms (median of --starts fresh processes); in brackets CPU ms
  open      didOpen -> first diagnostics (pushed, or the pull response when the server offers pull)
  edit ...  one-character incremental didChange in the middle of the file -> diagnostics of that version
  cpu/edit  CPU ms of the server's process tree per edit
  sym lens comp fold tok hover   p50 of: didChange, the request at once -> response (so parsing is included)
  rss       resident MiB of the process tree after initialize / at the end of the size's run

A latency ends when the last byte of the message was read, before the client decodes the JSON.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# --------------------------------------------------------------------------- documents


def md_doc(lines: int) -> str:
    """A plan: phases, tasks with four marks, nested sub-tasks, acceptance notes, fences with look-alike tasks."""
    out = ["# Devloop Plan: bench", "", "**Status**: In Progress", "", "## Tasks", ""]
    n = phase = 0
    while len(out) < lines:
        if n % 40 == 0:
            phase += 1
            out += ["", f"### Phase {phase}: part {phase}  [parallel:partial]", ""]
        n += 1
        mark = " x~!"[n % 4]
        out.append(
            f"- [{mark}] Task {phase}.{n}: Implement widget number {n} with tests  [depends:{phase}.{max(1, n - 1)}]"
        )
        if n % 5 == 0:
            out.append(f"  - [ ] Subtask {phase}.{n}.1: write the documentation for `widget_{n}`")
            out.append(f"    - Acceptance: `pytest -k widget_{n}` passes")
        if n % 60 == 0:
            out += ["", "```python", "- [ ] not a task", f"x = {n}", "```", ""]
    return "\n".join(out[:lines]) + "\n"


def py_doc(lines: int) -> str:
    out = ["import os", "import sys", ""]
    n = 0
    while len(out) < lines:
        n += 1
        end = f"    return x{n} + undefined_{n}" if n % 20 == 0 else f"    return x{n}"
        out += [f"def func_{n}(a, b):", f'    """Return number {n}."""', f"    x{n} = a + b * {n}", end, "", ""]
    return "\n".join(out[:lines]) + "\n"


def rst_doc(lines: int) -> str:
    out: list[str] = []
    n = 0
    while len(out) < lines:
        n += 1
        out += [
            f"Section {n}",
            "-" * 20,
            "",
            f"Some text about :ref:`sec{n}` and ``literal``.",
            "",
            f"- item {n}",
            f"- item {n}b",
            "",
        ]
    return "\n".join(out[:lines]) + "\n"


KINDS = {"md": (md_doc, "markdown"), "py": (py_doc, "python"), "rst": (rst_doc, "restructuredtext")}

TEXT_DOCUMENT_CAPABILITIES = {
    "synchronization": {"willSave": True, "didSave": True},
    "publishDiagnostics": {"versionSupport": True},
    "completion": {"completionItem": {"snippetSupport": True, "resolveSupport": {"properties": ["documentation"]}}},
    "hover": {"contentFormat": ["markdown", "plaintext"]},
    "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
    "codeLens": {},
    "codeAction": {
        "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor", "source"]}},
        "dataSupport": True,
        "resolveSupport": {"properties": ["edit"]},
    },
    "foldingRange": {},
    "formatting": {},
    "rename": {"prepareSupport": True},
    "references": {},
    "definition": {},
    "semanticTokens": {
        "requests": {"full": {"delta": True}},
        "tokenTypes": ["keyword", "string", "class", "function", "variable", "comment", "namespace", "property"],
        "tokenModifiers": ["definition", "declaration"],
        "formats": ["relative"],
    },
}

REQUESTS = [  # column, server capability, method, needs a position
    ("sym", "documentSymbolProvider", "textDocument/documentSymbol", False),
    ("lens", "codeLensProvider", "textDocument/codeLens", False),
    ("comp", "completionProvider", "textDocument/completion", True),
    ("fold", "foldingRangeProvider", "textDocument/foldingRange", False),
    ("tok", "semanticTokensProvider", "textDocument/semanticTokens/full", False),
    ("hover", "hoverProvider", "textDocument/hover", True),
]

# --------------------------------------------------------------------------- process tree


def process_tree(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                parent = int(Path(f"/proc/{name}/stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


# --------------------------------------------------------------------------- client


class Client:
    def __init__(self, command, root: Path, *, env=None, settings=None, assist=None, stderr=os.devnull, also=list):
        self.root, self.settings, self.assist, self.also = root, settings, assist, also
        self.next_id = 0
        self.responses: dict[int, tuple] = {}  # id -> (time, result, error)
        self.diagnostics: dict[str, tuple] = {}  # uri -> (time, version, count)
        self.messages: list[str] = []
        self.dead = False
        self.changed = threading.Condition()
        self.stderr = open(stderr, "ab")  # noqa: SIM115
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.stderr, cwd=root, env=env
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self.process.stdout
        while True:
            length = None
            while True:
                line = stream.readline()
                if not line:
                    with self.changed:
                        self.dead = True
                        self.changed.notify_all()
                    return
                if line in (b"\r\n", b"\n"):
                    break
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if length is None:
                continue
            body = stream.read(length)
            now = time.perf_counter()
            message = json.loads(body)
            if "method" not in message:
                with self.changed:
                    self.responses[message["id"]] = (now, message.get("result"), message.get("error"))
                    self.changed.notify_all()
            elif "id" in message:
                self._answer(message)
            elif message["method"] == "textDocument/publishDiagnostics":
                p = message["params"]
                with self.changed:
                    self.diagnostics[p["uri"]] = (now, p.get("version"), len(p["diagnostics"]))
                    self.changed.notify_all()
            elif message["method"] in ("window/logMessage", "window/showMessage"):
                self.messages.append(message["params"].get("message", ""))

    def _answer(self, message) -> None:
        method, params = message["method"], message.get("params") or {}
        result = None
        if method == "workspace/configuration":
            result = [self.settings for _ in params["items"]]
        elif method == "workspace/workspaceFolders":
            result = [{"uri": self.root.as_uri(), "name": "w"}]
        elif method == "workspace/applyEdit":
            result = {"applied": True}
        elif self.assist:
            result = self.assist(method, params)
        self.send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    def send(self, message) -> None:
        body = json.dumps(message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method, params) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def start_request(self, method, params) -> int:
        self.next_id += 1
        self.send({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params})
        return self.next_id

    def _wait(self, ready, timeout):
        end = time.perf_counter() + timeout
        with self.changed:
            while (value := ready()) is None and not self.dead:
                left = end - time.perf_counter()
                if left <= 0:
                    return None
                self.changed.wait(left)
            return value

    def wait_response(self, request_id, timeout):
        return self._wait(lambda: self.responses.pop(request_id, None), timeout)

    def request(self, method, params, timeout=30.0):
        return self.wait_response(self.start_request(method, params), timeout)

    def wait_diagnostics(self, uri, after, version, timeout):
        def ready():
            d = self.diagnostics.get(uri)
            return d if d and d[0] > after and (d[1] is None or d[1] >= version) else None

        return self._wait(ready, timeout)

    def processes(self) -> list[int]:
        """The server's process tree, and those of the processes that serve it elsewhere (`also`)."""
        return sorted({pid for top in (self.process.pid, *self.also()) for pid in process_tree(top)})

    def rss(self) -> float:
        total = 0
        for pid in self.processes():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
        return total / 1024

    def cpu(self) -> float:
        """CPU ms used so far by the live process tree (schedstat, nanosecond resolution)."""
        total = 0
        for pid in self.processes():
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
            except OSError:
                pass
        return total / 1e6

    def initialize(self, options=None, pull=True, timeout=60.0) -> float:
        text_document = dict(TEXT_DOCUMENT_CAPABILITIES)
        if pull:
            text_document["diagnostic"] = {"dynamicRegistration": False}
        answer = self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": self.root.as_uri(),
                "rootPath": str(self.root),
                "workspaceFolders": [{"uri": self.root.as_uri(), "name": "w"}],
                "initializationOptions": options or {},
                "capabilities": {
                    "textDocument": text_document,
                    "general": {"positionEncodings": ["utf-16"]},
                    "window": {"workDoneProgress": True},
                    "workspace": {
                        "configuration": True,
                        "workspaceFolders": True,
                        "applyEdit": True,
                        "diagnostics": {"refreshSupport": True},
                        "didChangeWatchedFiles": {"dynamicRegistration": True},
                    },
                },
            },
            timeout,
        )
        if answer is None or answer[1] is None:
            raise SystemExit(f"initialize failed: {answer}")
        self.capabilities = answer[1]["capabilities"]
        self.notify("initialized", {})
        return (answer[0] - self.started) * 1e3

    def stop(self) -> None:
        try:
            self.request("shutdown", None, 5)
            self.notify("exit", None)
            self.process.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            pass
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.stderr.close()


# --------------------------------------------------------------------------- measuring


def percentile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, round(q * (len(values) - 1)))] if values else None


def show(value, digits=1):
    return "-" if value is None else f"{value:.{digits}f}" if value < 100 else f"{value:.0f}"


def measure_size(client: Client, a, uri: str, language: str, text: str) -> dict:
    caps = client.capabilities
    pull = bool(caps.get("diagnosticProvider")) and not a.no_pull
    sync = caps.get("textDocumentSync")
    whole_file = (sync.get("change", 2) if isinstance(sync, dict) else sync) == 1
    lines = text.split("\n")
    row = len(lines) // 2
    column = len(lines[row])
    document = {"textDocument": {"uri": uri}}
    version = 1
    inserted = False

    def edit():
        """Insert one character at the end of the middle line, or take it away again."""
        nonlocal version, inserted
        version += 1
        inserted = not inserted
        if whole_file:
            change = {"text": "\n".join([*lines[:row], lines[row] + "z" * inserted, *lines[row + 1 :]])}
        else:
            change = {
                "range": {
                    "start": {"line": row, "character": column},
                    "end": {"line": row, "character": column + (not inserted)},
                },
                "text": "z" * inserted,
            }
        client.notify(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]}
        )

    def until_diagnostics(action):
        begin = time.perf_counter()
        action()
        if pull:
            answer = client.request("textDocument/diagnostic", document, a.timeout)
            return answer and ((answer[0] - begin) * 1e3, -1 if answer[2] else len((answer[1] or {}).get("items", [])))
        pushed = client.wait_diagnostics(uri, begin, version, a.timeout)
        return pushed and ((pushed[0] - begin) * 1e3, pushed[2])

    end = time.perf_counter() + a.budget
    opened = until_diagnostics(
        lambda: client.notify(
            "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": language, "version": 1, "text": text}}
        )
    )
    times, cpu0 = [], client.cpu()
    while opened and len(times) < a.edits and time.perf_counter() < end:
        result = until_diagnostics(edit)
        if result is None:
            break
        times.append(result[0])
        time.sleep(a.gap)
    row_data = {
        "times": times,
        "pull": pull,
        "open": opened and opened[0],
        "ndiag": opened and opened[1],
        "n": len(times),
        "p50": percentile(times, 0.5),
        "p95": percentile(times, 0.95),
        "p99": percentile(times, 0.99),
        "min": min(times, default=None),
        "cpu_edit": (client.cpu() - cpu0) / len(times) if times else None,
    }
    for name, capability, method, positioned in REQUESTS:
        row_data[name] = None
        if caps.get(capability) in (None, False):
            continue
        params = {**document, "position": {"line": row, "character": 3}} if positioned else document
        samples, end = [], time.perf_counter() + max(5, a.budget / 4)
        while len(samples) < a.reqs and time.perf_counter() < end:
            begin = time.perf_counter()
            edit()
            answer = client.request(method, params, a.timeout)
            if answer is None or answer[2]:
                client.messages.append(f"{method}: {answer and answer[2]}")
                samples = []
                break
            samples.append((answer[0] - begin) * 1e3)
        row_data[name] = percentile(samples, 0.5)
    return row_data


COLUMNS = [
    "server",
    "lines",
    "init (cpu)",
    "open",
    "edit p50",
    "p95",
    "p99",
    "min",
    "cpu/edit",
    "sym",
    "lens",
    "comp",
    "fold",
    "tok",
    "hover",
    "rss init",
    "rss",
    "n",
    "diags",
]


def main() -> None:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--name", required=True)
    ap.add_argument("--kind", choices=KINDS, default="md", help="generated document")
    ap.add_argument("--path", default=".devloop/plan.md", help="document path inside the temporary workspace")
    ap.add_argument("--lines", default="100,1000,10000,50000")
    ap.add_argument("--starts", type=int, default=7)
    ap.add_argument("--edits", type=int, default=60)
    ap.add_argument("--reqs", type=int, default=15)
    ap.add_argument("--gap", type=float, default=0.0, help="seconds between edits")
    ap.add_argument("--budget", type=float, default=25, help="most seconds spent on the edits of one size")
    ap.add_argument("--timeout", type=float, default=30, help="seconds to wait for one answer")
    ap.add_argument("--no-pull", action="store_true", help="do not offer pull diagnostics")
    ap.add_argument("--init-opts", type=json.loads, help="initializationOptions, JSON")
    ap.add_argument("--settings", type=json.loads, help="answer to every workspace/configuration item, JSON")
    ap.add_argument(
        "--file", action="append", default=[], metavar="NAME=TEXT", help="extra workspace file (\\n = newline)"
    )
    ap.add_argument("--assist", help="Python file with assist(method, params) that answers other server requests")
    ap.add_argument("--stderr", default=os.devnull, help="append the server's stderr to this file")
    ap.add_argument("--json", help="append one JSON object per row to this file")
    ap.add_argument("--head", action="store_true", help="print the table head first")
    ap.add_argument("cmd", nargs=argparse.REMAINDER)
    a = ap.parse_args()
    command = a.cmd[1:] if a.cmd[:1] == ["--"] else a.cmd
    if not command:
        ap.error("no server command")
    # The server runs in a fresh folder, so resolve what was given relative to this one.
    command = [os.path.abspath(c) if os.sep in c and os.path.exists(c) else c for c in command]
    assist = None
    if a.assist:
        spec = importlib.util.spec_from_file_location("assist", a.assist)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        assist = module.assist
    generate, language = KINDS[a.kind]
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "HOME", "NODE_PATH", "PYTHONPATH")}
    root = Path(tempfile.mkdtemp(prefix="lspbench-")).resolve()
    try:
        for extra in a.file:
            name, text = extra.split("=", 1)
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text.replace("\\n", "\n"))
        path = root / a.path
        path.parent.mkdir(parents=True, exist_ok=True)

        def client():
            return Client(command, root, env=env, settings=a.settings, assist=assist, stderr=os.path.abspath(a.stderr))

        path.write_text(generate(100))
        starts = []
        for _ in range(a.starts):
            c = client()
            starts.append((c.initialize(a.init_opts, not a.no_pull), c.cpu(), c.rss()))
            c.stop()
        init = {
            "init": statistics.median(s[0] for s in starts),
            "init_min": min(s[0] for s in starts),
            "init_cpu": statistics.median(s[1] for s in starts),
            "rss_init": statistics.median(s[2] for s in starts),
        }
        if a.head:
            print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|")
        for size in map(int, a.lines.split(",")):
            text = generate(size)
            path.write_text(text)
            c = client()
            c.initialize(a.init_opts, not a.no_pull)
            time.sleep(0.3)  # let lazy start-up work settle
            r = {
                "server": a.name,
                "lines": size,
                "bytes": len(text),
                **init,
                **measure_size(c, a, path.as_uri(), language, text),
                "rss": c.rss(),
            }
            r["dead"], r["log"] = c.dead, c.messages[-3:]
            c.stop()
            cells = [
                a.name + (" (pull)" if r["pull"] else ""),
                str(size),
                f"{r['init']:.0f} ({r['init_cpu']:.0f})",
                show(r["open"]),
            ]
            cells += [
                show(r[k], 2)
                for k in ("p50", "p95", "p99", "min", "cpu_edit", "sym", "lens", "comp", "fold", "tok", "hover")
            ]
            cells += [show(r["rss_init"], 0), show(r["rss"], 0), str(r["n"]), str(r["ndiag"])]
            print("| " + " | ".join(cells) + " |" + (" SERVER DIED" if r["dead"] else ""), flush=True)
            if a.json:
                with open(a.json, "a") as f:
                    f.write(json.dumps(r) + "\n")
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
