"""The JSON Schemas of the state files, made from their models and shipped as files (`state/schemas/NAME.json`).

`python -m devloop.state.schema` writes them; a test compares. Schemas of Markdown files are those of their front
matter, or of what they are read as.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from devloop.settings.personal_shape import Local
from devloop.state import context, issues, next_action, plan_state, sessions, spikes

FOLDER: Final = Path(__file__).parent / "schemas"
MODELS: Final[dict[str, type[BaseModel]]] = {
    "plan-state": plan_state.PlanState,
    "next-action": next_action.NextAction,
    "sessions": sessions.SessionsFile,
    "context": context.Context,
    "issue": issues.Issue,
    "spike": spikes.Spike,
    "local": Local,
}
"""`plan-state-v1` is written by hand: it is not ours."""


def generated(name: str) -> dict[str, Any]:
    schema = MODELS[name].model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.json",
        **schema,
    }


def text(name: str) -> str:
    return json.dumps(generated(name), indent=2, ensure_ascii=False) + "\n"


def load(name: str) -> dict[str, Any]:
    """A shipped schema. Raises `OSError` for a name that does not exist."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return found


if __name__ == "__main__":
    for each in MODELS:
        (FOLDER / f"{each}.json").write_text(text(each), "utf-8")
