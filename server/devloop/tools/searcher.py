"""The program that searches files for a regular expression. It runs by itself, inside the sandbox, from its source.

A hostile expression can keep Python's `re` busy for ever, and nothing in the same process could stop it. So this is a
process of its own, with limits. Reads `{"pattern", "files", "cap"}` as JSON; prints `[path, line, text, start, end]`
for each match, as JSON on a line; ends with 3 when it stopped at `cap` bytes of what is to be shown: of a long line
that is `text[start:end]`, with what stands around it, because devloop knows a secret only as a whole.
"""

import json
import re
import sys
from pathlib import Path

LINE = 400
AROUND = 2048
FILE_CAP = 16 * 1024 * 1024


def main() -> int:
    job = json.load(sys.stdin)
    find = re.compile(job["pattern"]).search
    left = job["cap"]
    for name in job["files"]:
        try:
            with Path(name).open("rb") as stream:
                data = stream.read(FILE_CAP)
        except OSError:
            continue
        if b"\0" in data[:8192]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), start=1):
            found = find(line)
            if found is None:
                continue
            start = max(0, found.start() - LINE // 2) if len(line) > LINE else 0
            shown = line[start : start + LINE]
            left -= len(f"{name}:{number}: {shown}\n".encode("utf-8", "replace"))
            if left < 0:
                return 3
            before = max(0, start - AROUND)
            row = [name, number, line[before : start + LINE + AROUND], start - before, start - before + len(shown)]
            sys.stdout.buffer.write(json.dumps(row).encode() + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
