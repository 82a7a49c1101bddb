"""The models the double knows and what each takes (model-api §7, §8, §12, §14 rules 5, 6, 10, 21, 22, 23)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class KnownModel:
    id: str
    context: int = 1_000_000
    max_output: int = 128_000
    thinking: frozenset[str] = frozenset({"adaptive", "between_tools", "disabled"})
    prefill: bool = False
    forced_tools: bool = True
    bound_thinking: bool = False
    cache_floor: int = 1024
    lifecycle: str = "active"
    retires: str | None = None
    compacts: bool = True

    def listing(self) -> dict[str, Any]:
        """An entry of `GET /v1/models`."""

        def says(value: bool) -> dict[str, bool]:
            return {"supported": value}

        levels = ("low", "medium", "high", "xhigh", "max")
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.id.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
            "lifecycle": self.lifecycle,
            "deprecated_at": "2026-06-01T00:00:00Z" if self.lifecycle != "active" else None,
            "retires_at": self.retires,
            "line": self.id.split("-")[1],
            "max_input_tokens": self.context,
            "max_tokens": self.max_output,
            "capabilities": {
                "batch": says(True),
                "citations": says(True),
                "code_execution": says(True),
                "context_management": {
                    **says(True),
                    "clear_thinking_20251015": says(True),
                    "clear_tool_uses_20250919": says(True),
                    "compact_20260112": says(self.compacts),
                },
                "effort": {**says(True), **{level: says(True) for level in levels}},
                "image_input": says(True),
                "pdf_input": says(True),
                "server_tools": {**says(True), "code_execution": says(True), "web_search": says(True)},
                "structured_outputs": says(True),
                "thinking": {
                    **says(True),
                    "types": {
                        kind: says(kind in self.thinking)
                        for kind in ("adaptive", "between_tools", "disabled", "enabled")
                    },
                },
            },
        }


_ALWAYS = frozenset({"adaptive", "between_tools"})
_OLD = frozenset({"enabled", "disabled"})
_MIDDLE = frozenset({"enabled", "adaptive", "disabled"})
_SMALL = {"context": 200_000, "max_output": 64_000, "compacts": False}

MODELS = {
    model.id: model
    for model in (
        KnownModel("claude-fable-5-2", thinking=_ALWAYS, bound_thinking=True),
        KnownModel("claude-fable-5-1", thinking=_ALWAYS, bound_thinking=True),
        KnownModel("claude-mythos-5-2", bound_thinking=True),
        KnownModel("claude-mythos-5-1", bound_thinking=True),
        KnownModel("claude-opus-5-5", thinking=_ALWAYS, bound_thinking=True),
        KnownModel("claude-sonnet-5-5", forced_tools=False, bound_thinking=True),
        KnownModel("claude-haiku-5-5", bound_thinking=True),
        KnownModel("claude-fable-5", thinking=_ALWAYS, cache_floor=512),
        KnownModel("claude-mythos-5", cache_floor=512),
        KnownModel("claude-opus-5", cache_floor=512),
        KnownModel("claude-sonnet-5"),
        KnownModel("claude-opus-4-8", thinking=frozenset({"adaptive", "disabled"})),
        KnownModel("claude-opus-4-7", thinking=frozenset({"adaptive", "disabled"}), cache_floor=2048),
        KnownModel("claude-opus-4-6", thinking=_MIDDLE, cache_floor=4096),
        KnownModel("claude-sonnet-4-6", thinking=_MIDDLE),
        KnownModel("claude-haiku-4-5", thinking=_OLD, prefill=True, cache_floor=4096, **_SMALL),
        KnownModel("claude-haiku-4-5-20251001", thinking=_OLD, prefill=True, cache_floor=4096, **_SMALL),
        KnownModel("claude-opus-4-5", thinking=_OLD, prefill=True, cache_floor=4096, **_SMALL),
        KnownModel("claude-opus-4-5-20251101", thinking=_OLD, prefill=True, cache_floor=4096, **_SMALL),
        KnownModel(
            "claude-sonnet-4-5",
            thinking=_OLD,
            prefill=True,
            lifecycle="deprecated",
            retires="2026-11-30T00:00:00Z",
            **_SMALL,
        ),
    )
}
