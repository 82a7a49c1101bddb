"""The language server beside two floors, with one client: start, keystroke, whole-file answers, memory, eight editors.

python tests/bench/bench_lsp.py [--quick] [--json]

Floors: `floor_stdlib.py`, the cheapest possible Python server (it reads the whole text again at each keystroke), and
`minimal_pygls.py`, an ordinary pygls server. devloop is what an editor starts: `devloop lsp`, its pipe and its daemon.
Memory and CPU count both processes. Times are wall time in ms unless said; a latency ends with the last byte read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "lsp"))

import lspbench  # noqa: E402

SERVERS = {
    "stdlib": [sys.executable, str(HERE / "lsp" / "floor_stdlib.py")],
    "pygls": [sys.executable, str(HERE / "lsp" / "minimal_pygls.py")],
    "devloop": [sys.executable, "-m", "devloop.cli.entry", "lsp"],
}
EDITORS = 8
PLAN = ".devloop/plan.md"
COLUMNS = ("open", "p50", "p95", "p99", "cpu_edit", "sym", "lens", "comp", "fold", "tok", "hover", "rss")


class Place:
    """A workspace with a plan, and the daemon that serves it."""

    def __init__(self) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="dlb-")).resolve()
        self.root = self.top / "p"
        (self.root / ".devloop").mkdir(parents=True)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
        self.env = {**kept, "DEVLOOP_STATE_DIR": str(self.top / "s"), "DEVLOOP_CONFIG_DIR": str(self.top / "c")}

    def write(self, lines: int) -> str:
        text = lspbench.md_doc(lines)
        (self.root / PLAN).write_text(text)
        return text

    @property
    def uri(self) -> str:
        return (self.root / PLAN).as_uri()

    def daemon(self) -> list[int]:
        for found in (self.top / "s").glob("workspaces/*/daemon.json"):
            with contextlib.suppress(OSError, ValueError):
                return [json.loads(found.read_text())["pid"]]
        return []

    def stop_daemon(self) -> None:
        command = [sys.executable, "-m", "devloop.cli.entry", "stop", "--force"]
        subprocess.run(command, cwd=self.root, env=self.env, check=False, capture_output=True)

    def client(self, server: str) -> lspbench.Client:
        also = self.daemon if server == "devloop" else list
        return lspbench.Client(SERVERS[server], self.root, env=self.env, also=also)

    def end(self) -> None:
        self.stop_daemon()
        shutil.rmtree(self.top, ignore_errors=True)


def starts(place: Place, server: str, count: int, *, cold: bool = False) -> dict[str, float]:
    """Process start → initialize answered, and → the first answer that needs the real server."""
    init, first, memory = [], [], []
    for _ in range(count):
        if cold:
            place.stop_daemon()
        client = place.client(server)
        init.append(client.initialize(None, pull=False))
        first.append((_opened(client, place) - client.started) * 1e3)
        memory.append(client.rss())
        client.stop()
    found = {"init": statistics.median(init), "rss_init": statistics.median(memory)}
    return {**found, "first": statistics.median(first)}


def _opened(client: lspbench.Client, place: Place) -> float:
    """When the diagnostics of a document came that was opened right after the start."""
    text = (place.root / PLAN).read_text()
    document = {"uri": place.uri, "languageId": "markdown", "version": 1, "text": text}
    client.notify("textDocument/didOpen", {"textDocument": document})
    found = client.wait_diagnostics(place.uri, client.started, 1, 30)
    client.notify("textDocument/didClose", {"textDocument": {"uri": place.uri}})
    return found[0] if found else float("nan")


def sizes(place: Place, server: str, lines: int, edits: int, reqs: int) -> dict[str, Any]:
    text = place.write(lines)
    options = argparse.Namespace(no_pull=True, edits=edits, reqs=reqs, budget=20, gap=0.0, timeout=60)
    client = place.client(server)
    client.initialize(None, pull=False)
    if server == "devloop":  # the daemon is there before the first size is measured
        client.request("textDocument/documentSymbol", {"textDocument": {"uri": "file:///none.md"}})
    found = lspbench.measure_size(client, options, place.uri, "markdown", text)
    found |= {"server": server, "lines": lines, "rss": client.rss()}
    if client.messages:
        found["messages"] = client.messages[-3:]
    client.stop()
    return found


def together(place: Place, count: int, edits: int) -> dict[str, float]:
    """`count` editors on one daemon, all typing in a plan of 1,000 lines: edit → diagnostics of that version."""
    text = place.write(1000)
    clients = [place.client("devloop") for _ in range(count)]
    for client in clients:
        client.initialize(None, pull=False)
    times: list[float] = []

    def work(client: lspbench.Client) -> None:
        options = argparse.Namespace(no_pull=True, edits=edits, reqs=0, budget=20, gap=0.02, timeout=30)
        times.extend(lspbench.measure_size(client, options, place.uri, "markdown", text)["times"])

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    memory = sum(_rss(pid) for pid in place.daemon())
    for client in clients:
        client.stop()
    return {
        "p50": lspbench.percentile(times, 0.5),
        "p99": lspbench.percentile(times, 0.99),
        "daemon_rss": memory,
        "edits": len(times),
    }


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def bars(
    rows: dict[tuple[str, int], dict[str, Any]], start: dict[str, dict[str, float]]
) -> list[tuple[str, float, float]]:
    """(what, measured, bar): relative ones, for any machine (language-server §9)."""

    def get(server: str, lines: int, column: str) -> float:
        return rows.get((server, lines), {}).get(column) or float("nan")

    warm, floor = start["devloop, warm"], start["stdlib"]
    return [
        ("initialize, x stdlib floor", warm["init"] / floor["init"], 1.5),
        ("first real request (warm), x pygls", warm["first"] / start["pygls"]["first"], 1.3),
        ("first real request (cold), x pygls", start["devloop, cold"]["first"] / start["pygls"]["first"], 1.3),
        ("keystroke 10k p50, x pygls", get("devloop", 10_000, "p50") / get("pygls", 10_000, "p50"), 0.15),
        ("keystroke 10k p50, ms", get("devloop", 10_000, "p50"), 1.5),
        ("keystroke 10k p99, ms", get("devloop", 10_000, "p99"), 5.0),
        ("keystroke 50k p50, ms", get("devloop", 50_000, "p50"), 2.0),
        ("keystroke 50k / 1k", get("devloop", 50_000, "p50") / get("devloop", 1_000, "p50"), 2.0),
        ("codeLens after an edit 10k, ms", get("devloop", 10_000, "lens"), 25.0),
        ("codeLens after an edit 10k, x pygls", get("devloop", 10_000, "lens") / get("pygls", 10_000, "lens"), 0.5),
        ("memory after initialize, MiB", warm["rss_init"], 60.0),
    ]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer edits, no 50,000 lines")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    wanted = parser.parse_args(argv)
    lines = (100, 1_000, 10_000) if wanted.quick else (100, 1_000, 10_000, 50_000)
    edits, reqs, count = (60, 5, 3) if wanted.quick else (500, 9, 7)
    place = Place()
    try:
        place.write(100)
        start = {name: starts(place, name, count) for name in ("stdlib", "pygls")}
        start["devloop, cold"] = starts(place, "devloop", max(2, count // 2), cold=True)
        start["devloop, warm"] = starts(place, "devloop", count)
        rows = {(name, size): sizes(place, name, size, edits, reqs) for size in lines for name in SERVERS}
        for row in rows.values():
            del row["times"]
        eight = together(place, EDITORS, edits // 5)
        one = together(place, 1, edits // 5)
    finally:
        place.end()
    checked = bars(rows, start)
    if wanted.json:
        result = {"start": start, "rows": list(rows.values()), "eight": eight, "one": one}
        print(json.dumps({**result, "bars": [{"what": w, "value": v, "bar": b} for w, v, b in checked]}))
        return 0
    print(f"{'start':<18}{'init':>9}{'first':>9}{'MiB':>8}")
    for name, found in start.items():
        print(f"{name:<18}{found['init']:>9.1f}{found['first']:>9.1f}{found['rss_init']:>8.0f}")
    print(f"\n{'edit and request':<18}" + "".join(f"{name:>9}" for name in COLUMNS))
    for (name, size), found in rows.items():
        cells = "".join(f"{'-' if found.get(c) is None else format(found[c], '.2f'):>9}" for c in COLUMNS)
        print(f"{name + ' ' + str(size):<18}{cells}")
        for message in found.get("messages", ()):
            print("   ", message)
    print(f"\n{EDITORS} editors typing at once, 1,000 lines: p50 {eight['p50']:.2f}, p99 {eight['p99']:.2f}", end="; ")
    print(f"one: p50 {one['p50']:.2f}, p99 {one['p99']:.2f}; daemon {eight['daemon_rss']:.0f} MiB with {EDITORS}\n")
    for what, value, bar in checked:
        verdict = "met" if value <= bar else f"missed by {value / bar:.2f} x"
        print(f"{what:<40}{value:>9.2f}   bar {bar:<6} {verdict}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
