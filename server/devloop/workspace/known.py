"""What was read of objects and is kept: a commit never changes, so git need not be asked for it again."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Known(Generic[V]):
    """The `limit` values that were used last. A key consists of full object ids and of what else decides the value:
    never of a ref, which moves, nor of anything that a person's files or configuration have a say in."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: dict[Hashable, V] = {}

    def get(self, key: Hashable) -> V | None:
        value = self._values.pop(key, None)
        if value is not None:
            self._values[key] = value
        return value

    def keep(self, key: Hashable, value: V) -> V:
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > self._limit:
            del self._values[next(iter(self._values))]
        return value
