"""What must not leave a process: secrets in any text, control characters in what a person will see (security §9).

Secrets are hidden by exact value first (`forms`: whatever this process knows to be secret, and its encodings) and by
their shape second (`patterns`, `pem`). A secret becomes `«redacted:NAME:tag»`; the tag is a keyed hash, so equal
secrets stay recognisable and can't be guessed. What comes in pieces goes through a `Stream`. `artefacts` looks at what
is about to be committed or sent. What is shown in part is cleaned before it is cut (`cutting`).

Where text leaves, and what holds it there:

| exit | held by |
|---|---|
| events, live and stored (`turn.progress` too) | `engine/ports.py`, `runs/progress.py` |
| records: gates, baselines, checkpoints, notices | `runs/checks.py`, `runs/checkpoint.py`, `engine/ports.py` |
| what the model reads, transcripts | `tools/batch.py`, `runs/transcript.py`; what it said: `runs/turn.py` |
| kept output of commands and gates | files of the owner's alone; told by `tools/batch.py`, `gates/run.py` |
| run pages, transcript, diff, conversation | `engine/answers.py` |
| logs, crashes | `logs.py`, `streams.RedactedOutput`, `cli/crash.py` |
| commit messages, notes in the plan | `runs/acceptance.py` |
| plan text and files that a report makes | `runs/reporting.py`, the daemon's `plan_port.py` |
| stdin and words of hooks | `hooks/running.py` |
| changelog, tag, what goes out with a release | `daemon/errands/ship.py`, `shipping/checks.py`, `runs/leaks.py` |
| the worklog | `daemon/plan_port.py`, `cli/worklog_command.py` |
| lists of changed files | `runs/paths_told.py` |
| terminal, notifications, hovers, lenses | `one_line`, `printable` behind the above; names of files: `file_name` |
| files of a change, their names, its message | `runs/leaks.py`, `runs/scanning.py`: a secret holds it back |

Not here: what a hostile command encodes in another way. It has no secret to encode, because none is in the sandbox.
"""

from __future__ import annotations

from devloop.redact.characters import conceals, printable, unescaped, visible
from devloop.redact.cutting import cut, file_name, one_line, part, tail
from devloop.redact.redactor import PLACEHOLDER, Redactor
from devloop.redact.streams import RedactedOutput, Stream
from devloop.secret_names import SECRET_NAME

__all__ = [
    "PLACEHOLDER",
    "SECRET_NAME",
    "RedactedOutput",
    "Redactor",
    "Stream",
    "conceals",
    "cut",
    "file_name",
    "one_line",
    "part",
    "printable",
    "tail",
    "unescaped",
    "visible",
]
