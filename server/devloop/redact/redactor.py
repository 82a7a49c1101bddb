"""Hiding secrets in whole texts: known values first, then shapes. `streams` does the same to what comes in pieces."""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import re
import secrets
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

from devloop.redact import patterns, runs
from devloop.redact.characters import conceals, printable
from devloop.redact.forms import MIN_LENGTH, forms
from devloop.redact.patterns import PLACEHOLDER
from devloop.redact.pem import Pem
from devloop.secret_names import SECRET_NAME, URL_PASSWORD

_LINE: Final = re.compile(r"[^\n]+")
_PLACE: Final = re.compile(r"~?/[\w./@+-]*(?:/[\w.@+-]+)|[a-z][a-z0-9+.-]*://[\w.-]+(?::\d+)?/?")


class Redactor:
    """Hides known values and known shapes of secrets. Make one per process and add values as they become known."""

    _living: ClassVar[tuple[weakref.ReferenceType[Redactor], ...]] = ()
    _joining: ClassVar = threading.Lock()

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._key = secrets.token_bytes(16)
        self._known: dict[str, str] = {}
        self._labels: tuple[str, ...] = ()
        self._in_runs: tuple[str, ...] = ()
        self._anywhere: tuple[str, ...] = ()
        for name, value in (values or {}).items():
            self.add(name, value)
        with Redactor._joining:  # as a whole: other threads are reading
            Redactor._living = (*(each for each in Redactor._living if each() is not None), weakref.ref(self))

    @classmethod
    def living(cls) -> list[Redactor]:
        """Every one of this process that somebody still uses."""
        return [redactor for each in cls._living if (redactor := each()) is not None]

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] | None = None) -> Redactor:
        made = cls()
        made.add_environment(os.environ if environment is None else environment)
        return made

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Hide from now on what variables hold that are named as secrets are, and passwords in URLs."""
        for name, value in environment.items():
            if SECRET_NAME.search(name) and not _is_place(value):
                self.add(name, value)
            elif (found := URL_PASSWORD.search(value)) is not None:
                self.add(name, found[1])

    def add(self, name: str, value: str) -> None:
        """Hide `value` and its encoded forms from now on. Values of less than 8 characters are left alone."""
        found = forms(value)
        if found <= self._known.keys():
            return
        label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100]
        replacement = f"«redacted:{label}:{self._tag(value.strip())}»"
        known = {**self._known, **{form: self._known.get(form, replacement) for form in found}}
        longest_first = sorted(known, key=len, reverse=True)
        self._known = known  # as a whole: other threads are reading
        self._labels = tuple(sorted({*self._labels, label}))
        self._in_runs = tuple(form for form in longest_first if runs.has_run(form))
        self._anywhere = tuple(form for form in longest_first if not runs.has_run(form))

    @property
    def known(self) -> Iterable[str]:
        """Everything that is hidden by its exact text. No form has a line's end in it."""
        return self._known

    def _tag(self, value: str) -> str:
        return hmac.new(self._key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:4]

    def told(self, name: str, value: str) -> str:
        """What stands for a secret of this name."""
        return f"«redacted:{name}:{self._tag(value)}»"

    def pem(self) -> Pem:
        return Pem(lambda block: self.told("private-key", "".join(block.split())))

    def text(self, text: str) -> str:
        pem = self.pem()
        return pem.lines(self.in_lines(text)) + pem.end()

    def values(self, text: str) -> str:
        """Without known values alone: for what must stay as it is where it only looks like a secret."""
        if not self._known:
            return text
        text = runs.on_lines_with_runs(text, lambda lines: self._without(self._in_runs, lines))
        return self._without(self._anywhere, text)

    def _without(self, forms: tuple[str, ...], text: str) -> str:
        """Placeholders stay as they are: what a variable is called may hold what it is set to."""
        there = tuple(form for form in forms if form in text)
        if not there:
            return text
        labels = self._labels if "«redacted:" in text else ()
        return _one_of(there, labels).sub(lambda m: self._known.get(m[0], m[0]), text)

    def in_lines(self, text: str) -> str:
        """All but private keys, which go over lines. A secret that only shows once control characters are dropped, as a
        person's terminal does, counts: then its line loses them."""
        text = self._hidden(text)
        return _LINE.sub(self._bare, text) if conceals(text) else text

    def _hidden(self, text: str) -> str:
        text = patterns.hidden(self.values(text), patterns.ANYWHERE, self.told)
        return runs.on_lines_with_runs(text, lambda lines: patterns.hidden(lines, patterns.IN_RUNS, self.told))

    def _bare(self, found: re.Match[str]) -> str:
        line = found[0]
        if not conceals(line):
            return line
        bare = printable(line)
        hidden = self._hidden(bare)
        return line if hidden == bare else hidden

    def data(self, value: Any) -> Any:
        """The same value with every string in it redacted, keys too; shapes are kept."""
        return _in_data(value, self.text)

    def values_in_data(self, value: Any) -> Any:
        """`data`, of known values alone."""
        return _in_data(value, self.values)


@functools.lru_cache(maxsize=64)
def _one_of(forms: tuple[str, ...], labels: tuple[str, ...]) -> re.Pattern[str]:
    """One of `forms`, or a placeholder by one of `labels` or of a shape: no other text may pass for one, whoever
    writes it."""
    names = "|".join(map(re.escape, (*labels, *patterns.NAMES))) if labels else ""
    kept = [f"«redacted:(?:{names}):[0-9a-f]{{4}}»"] if labels else []
    return re.compile("|".join((*kept, *map(re.escape, forms))))


def _in_data(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(key) if isinstance(key, str) else key: _in_data(item, clean) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (bytes, bytearray)):
        return [_in_data(item, clean) for item in value]
    return value


def _is_place(value: str) -> bool:
    """A path, as of a socket of an agent, or a server: a place to look at, not the secret."""
    return _PLACE.fullmatch(value) is not None and value.count("/") > 1


__all__ = ["MIN_LENGTH", "PLACEHOLDER", "Redactor"]
