"""Noticing that an agent goes in circles: the same call with the same result three times."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

REPEATS = 3


def fingerprint(name: str, call_input: Mapping[str, Any], result: str) -> str:
    text = json.dumps([name, call_input, result], sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def stalled(turns: Iterable[Mapping[str, Any]]) -> str | None:
    """`turns` are the recorded tool calls, oldest first: `{"name", "kind", "fingerprint", "is_error", "summary"}`.

    A write that succeeded and was never made before is progress and starts the count anew. Answers with the summary of
    the call that was repeated, or None.
    """
    seen: Counter[str] = Counter()
    for call in turns:
        mark = call["fingerprint"]
        if call["kind"] == "write" and not call["is_error"] and mark not in seen:
            seen.clear()
        seen[mark] += 1
        if seen[mark] >= REPEATS:
            return str(call["summary"])
    return None
