"""The program that searches files for a regular expression. It runs by itself, inside the sandbox, from its source.

A hostile expression can keep Python's `re` busy for ever, and nothing in the same process could stop it. So this is a
process of its own, with limits. Reads `{"pattern", "files", "cap"}` as JSON; prints `[path, line, text, start, end]`
for each match, as JSON on a line; ends with 3 when it stopped at `cap` bytes of what is to be shown: of a long line
that is `text[start:end]`, with what stands around it, because devloop knows a secret only as a whole. For the same
reason a private key's first and last line come with any other line of it.
"""

import json
import re
import sys
from pathlib import Path

LINE = 400
AROUND = 2048
KEY_LINE = re.compile(r"[^\w+/=]*[A-Za-z0-9+/=]{16,}[^\w+/=]*")
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
        key, told = None, False
        for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), start=1):
            found = find(line)
            if "PRIVATE KEY" in line:
                edge = json.dumps([name, number, line[:LINE], 0, LINE]).encode() + b"\n"
                if told and found is None:
                    sys.stdout.buffer.write(edge)
                key, told = (edge if "BEGIN" in line else None), found is not None and "BEGIN" in line
            if found is None:
                continue
            if key is not None and "PRIVATE KEY" not in line:
                within = KEY_LINE.fullmatch(line) is not None
                if within and not told:
                    sys.stdout.buffer.write(key)
                told = within
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
