"""What must not leave a process: secrets in any text, control characters in what a person will see.

Rules and figures: secrets are hidden by exact value first (whatever this process knows to be secret, in plain, base64,
URL-encoded and JSON-escaped form) and by well-known prefixes second. A secret becomes `«redacted:NAME:tag»`; the tag
is a keyed hash, so equal secrets stay recognisable and can't be guessed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL|AUTH", re.IGNORECASE)
MIN_LENGTH = 8

# name, literal that must be present, pattern
_PREFIXES: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (name, literal, re.compile(pattern))
    for name, literal, pattern in (
        ("anthropic-key", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
        ("openai-key", "sk-", r"\bsk-(?:proj-)?[A-Za-z0-9_-]{32,}"),
        ("github-pat", "gh", r"\bgh[pousr]_[A-Za-z0-9]{30,}"),
        ("github-pat", "github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{30,}"),
        ("gitlab-pat", "glpat-", r"\bglpat-[A-Za-z0-9_-]{18,}"),
        ("aws-key-id", "AKIA", r"\bAKIA[0-9A-Z]{16}\b"),
        ("google-key", "AIza", r"\bAIza[0-9A-Za-z_-]{35}"),
        ("slack-token", "xox", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
        ("stripe-key", "_live_", r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
        ("npm-token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
        ("pypi-token", "pypi-", r"\bpypi-[A-Za-z0-9_-]{50,}"),
        ("jwt", "eyJ", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
        ("bearer", "earer ", r"(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{16,}"),
        ("url-password", "://", r"(?<=://)[^\s/@:]{1,64}:[^\s/@]{3,256}(?=@)"),
        (
            "private-key",
            "PRIVATE KEY",
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
        ),
    )
)

# C0 without \n and \t, DEL, C1; whole escape sequences; bidi controls; zero-width and tag characters.
_ESCAPES = re.compile(
    r"\x1b\][\s\S]*?(?:\x07|\x1b\\|$)|\x1b[P^_X][\s\S]*?(?:\x1b\\|$)|\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    """`text` without escape sequences, control, bidi and invisible characters; `\\r\\n` becomes `\\n`."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text.replace("\r\n", "\n")))


def one_line(text: str, limit: int = 200) -> str:
    """`printable` text on one line, cut to `limit` characters."""
    flat = " ".join(printable(text).split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def visible(text: str) -> str:
    """For the model's eyes: hidden characters as `\\u{…}`, so that an invisible instruction is seen as one."""
    return _CONTROLS.sub(lambda m: "" if m[0] == "\r" else f"\\u{{{ord(m[0]):x}}}", _ESCAPES.sub("", text))


class Redactor:
    """Hides known values and known shapes of secrets. Make one per process and add values as they become known."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._key = secrets.token_bytes(16)
        self._known: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        for name, value in (values or {}).items():
            self.add(name, value)

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Redactor:
        source = os.environ if environment is None else environment
        return cls({name: value for name, value in source.items() if SECRET_NAME.search(name)})

    def add(self, name: str, value: str) -> None:
        """Hide `value` and its base64, URL-encoded and JSON-escaped forms from now on. Short values are left alone."""
        if len(value) < MIN_LENGTH:
            return
        label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        replacement = f"«redacted:{label}:{self._tag(value)}»"
        raw = value.encode("utf-8", "surrogateescape")
        forms = {
            value,
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            quote(raw, safe=""),
            json.dumps(value)[1:-1],
        }
        for form in forms:
            self._known[form] = replacement
        longest_first = sorted(self._known, key=len, reverse=True)
        self._pattern = re.compile("|".join(re.escape(form) for form in longest_first))

    def _tag(self, value: str) -> str:
        return hmac.new(self._key, value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:4]

    def text(self, text: str) -> str:
        if self._pattern is not None:
            text = self._pattern.sub(lambda m: self._known[m[0]], text)
        for name, literal, pattern in _PREFIXES:
            if literal in text:
                text = pattern.sub(lambda m, name=name: f"«redacted:{name}:{self._tag(m[0])}»", text)  # type: ignore[misc]
        return text

    def data(self, value: Any) -> Any:
        """The same value with every string in it redacted; shapes are kept."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.data(item) for key, item in value.items()}
        if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
            return [self.data(item) for item in value]
        return value
