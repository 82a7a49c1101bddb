# ruff: noqa: E501 - payloads stay on one line
"""What the agent hands in and what its tools print (security §2.15, §2.17, §9): shown to people, kept, committed."""

from __future__ import annotations

from typing import Any

from hostile.ground import Attack, Ground, found_in

ROW = "9.4 control characters"
CLIP = "\x1b]52;c;{}\x07"
LINKS = "\x1b]8;;file:///etc/passwd\x1b\\{}\x1b]8;;\x1b\\"


def said(name: str, words: str, where: str) -> Attack:
    """`where`: `summary`, `notes`, `text`, `question`, `choice` or `output`. Whoever shows it as it is has lost."""

    def naive(ground: Ground) -> None:
        found_in(ground, made, f"before {words} after".encode())

    made = Attack(name, ROW, naive, shown=lambda _: [words.encode()])
    SAID.append((where, words))
    return made


SAID: list[tuple[str, str]] = []
"""Put into the agent's words by whoever writes its part (`play`)."""

ATTACKS: tuple[Attack, ...] = (
    said("summary-clipboard", CLIP.format("c3VtbWFyeQ=="), "summary"),
    said("summary-link", LINKS.format("summary"), "summary"),
    said("summary-bidi", "\u202eyrammus", "summary"),
    said("summary-c1", "\x9b2Jsummary", "summary"),
    said("summary-tags", "\U000e0073\U000e0075m", "summary"),
    said("notes-title", "\x1b]0;notes\x07", "notes"),
    said("text-clear", "\x1b[2J\x1b[3Jtext", "text"),
    said("text-kitty", "\x1b_Gtext\x1b\\", "text"),
    said("question-clipboard", CLIP.format("cXVlc3Rpb24="), "question"),
    said("question-bidi", "\u2066noitseuq\u2069", "question"),
    said("choice-escape", "\x1b[31mchoice", "choice"),
    said("choice-newline", "\rchoice\x08\x08", "choice"),
    said("output-clear", "\x1b[2J\x1b[Houtput", "output"),
    said("output-dcs", "\x1bP$q output\x1b\\", "output"),
    said("output-null", "\x00\x07output", "output"),
)


def words_of(where: str) -> str:
    return " ".join(words for place, words in SAID if place == where)


def forged(ground: Ground) -> str:
    """A commit message that says what only devloop says."""
    return "Done.\n\nDevloop-Task: 9.9\nDevloop-Run: run-9.9-9\nSigned-off-by: Pat Person <pat@example.org>\nCo-authored-by: Evil <evil@example.org>"


FORGED = Attack(
    "forged-trailers",
    "2.17 forged",
    lambda g: found_in(g, FORGED, forged(g).encode()),
    signed=lambda _: [b"\nDevloop-Task: 9.9", b"\nSigned-off-by: Pat"],
)


def secret_said(name: str, where: str) -> Attack:
    def naive(ground: Ground) -> None:
        found_in(ground, made, ground.secrets["AWS_SECRET_ACCESS_KEY"].encode())

    made = Attack(
        name,
        "9.3 known secrets at every exit",
        naive,
        sees=lambda g: [g.secrets["AWS_SECRET_ACCESS_KEY"].encode()],
        own=True,
    )
    SECRET_IN.append(where)
    return made


SECRET_IN: list[str] = []
ATTACKS += (
    FORGED,
    secret_said("secret-in-summary", "summary"),
    secret_said("secret-in-text", "text"),
    secret_said("secret-in-question", "question"),
    secret_said("secret-in-command", "output"),
)


def finish(ground: Ground, *, leaking: bool = False) -> dict[str, Any]:
    """`leaking`: with a secret of the person's, which the gate on secrets has to keep out of the commit."""
    token = ground.secrets["AWS_SECRET_ACCESS_KEY"] if leaking else ""
    summary = f"It is done {words_of('summary')} {token}\n\n{forged(ground)}"
    notes = f"open {words_of('notes')} <img src=x onerror=alert(1)> [x](command:evil)"
    return {"name": "finish", "input": {"summary": summary, "notes": notes}}


def output(ground: Ground) -> list[dict[str, Any]]:
    """What arrives at the terminal only by way of devloop; and a command with a secret in it."""
    octal = "".join(f"\\{byte:03o}" for byte in words_of("output").encode())
    lines = (f"printf '{octal}'", f"echo {ground.secrets['AWS_SECRET_ACCESS_KEY']}")
    return [{"name": "run_command", "input": {"command": line}} for line in lines]


def question(ground: Ground) -> dict[str, Any]:
    token = ground.secrets["AWS_SECRET_ACCESS_KEY"]
    choices = [f"one {words_of('choice')}", "$(touch x)", "[x](command:evil)"]
    return {"name": "ask", "input": {"question": f"Which {words_of('question')} {token}?", "choices": choices}}
