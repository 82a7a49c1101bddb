"""All benchmarks in one run, each figure beside its bar and a named floor measured in the same run.

python tests/bench/run.py [plan] [state] [agents] [sandbox] [files] [engine] [daemon] [lsp] [ping] [skills] [redact]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PARTS = ("plan", "state", "agents", "sandbox", "files", "engine", "daemon", "lsp", "ping", "skills", "redact")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"some of {', '.join(PARTS)}; all when none is named")
    chosen = parser.parse_args(argv).parts or list(PARTS)
    unknown = sorted(set(chosen) - set(PARTS))
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}")
    load = os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {load:.2f} before the run")
    failed = 0
    for part in chosen:
        print(f"\n== {part} ==", flush=True)
        failed |= subprocess.run([sys.executable, str(HERE / f"bench_{part}.py")], check=False).returncode
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
