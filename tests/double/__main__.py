"""`python -m double --port 0 --scenario FILE [--key KEY] [--journal FILE]`: the double as a process of its own.

Prints one JSON line with `url` and `key` when it listens, and ends on a signal or when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
from pathlib import Path

from double.server import KEY, Double


async def _serve(arguments: argparse.Namespace) -> None:
    double = Double(scenario=arguments.scenario, key=arguments.key, journal_file=arguments.journal)
    await double.start(arguments.port)
    print(json.dumps({"url": double.url, "key": double.key}), flush=True)
    loop, closed = asyncio.get_running_loop(), asyncio.Event()

    def watch() -> None:
        while sys.stdin.buffer.read(4096):
            pass
        loop.call_soon_threadsafe(closed.set)

    threading.Thread(target=watch, daemon=True).start()
    try:
        await closed.wait()
    finally:
        await double.stop()


def main() -> None:
    parser = argparse.ArgumentParser(prog="double")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--scenario", type=Path, required=True)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--journal", type=Path, default=None, help="one JSON line for each answered request")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
