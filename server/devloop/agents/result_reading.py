"""Which contract a mode names or describes, what a model is shown of it, and what does not fit in what came back."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Mapping
from functools import cache
from types import GenericAlias
from typing import Annotated, Any, Literal, cast

from pydantic import Field, ValidationError, create_model

from devloop.agents.result_parts import MAX_LIST, Part, Result, Text
from devloop.agents.result_plans import (
    DoneCheck,
    Estimate,
    HandOffSummary,
    Issues,
    PlanDraft,
    Readiness,
    Requirements,
    SpikeReport,
)
from devloop.agents.result_shapes import (
    Analysis,
    Architecture,
    Exploration,
    GitText,
    Refactoring,
    Release,
    Review,
    SecurityReport,
    TestRun,
    TestsWritten,
    Triage,
)
from devloop.redact import one_line

CONTRACTS: Mapping[str, type[Result]] = {
    "exploration": Exploration,
    "architecture": Architecture,
    "refactoring": Refactoring,
    "analysis": Analysis,
    "git": GitText,
    "release": Release,
    "tests": TestsWritten,
    "test-run": TestRun,
    "issues": Issues,
    "readiness": Readiness,
    "done-check": DoneCheck,
    "plan": PlanDraft,
    "spike": SpikeReport,
    "requirements": Requirements,
    "review": Review,
    "security": SecurityReport,
    "triage": Triage,
    "estimate": Estimate,
    "summary": HandOffSummary,
}

Shape = str | Mapping[str, Any]
"""The name of a contract, or a result described as data."""


def model_of(shape: Shape) -> type[Result]:
    """Raises ValueError that names what is wrong.

    As data: `text`, `number`, `yes/no`, a list of two or more words (one of them), a list of one shape (many of it),
    or a mapping of these. `summary` is always there.
    """
    if isinstance(shape, str):
        if shape not in CONTRACTS:
            raise ValueError(f"there is no result {shape!r}; there are {', '.join(CONTRACTS)}")
        return CONTRACTS[shape]
    return _described(json.dumps(shape, sort_keys=False))


@cache
def _described(text: str) -> type[Result]:
    shape = json.loads(text)
    fields = {name: (_type(name, part), ...) for name, part in shape.items() if name != "summary"}
    return create_model("Described", __base__=Result, __doc__="Hand in the result.", **cast(Any, fields))


def _type(name: str, part: Any) -> Any:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name) or hasattr(Result, name):
        raise ValueError(f"{one_line(name, 40)!r} is no name for a part of a result")
    match part:
        case "text":
            return Text
        case "number":
            return float
        case "yes/no":
            return bool
        case [one]:
            many = GenericAlias(list, (_type(name, one),))
            return operator.getitem(Annotated, (many, Field(max_length=MAX_LIST)))
        case [_, _, *_] if all(isinstance(each, str) for each in part):
            return Literal[tuple(part)]
        case dict() if part:
            fields = {key: (_type(str(key), value), ...) for key, value in part.items()}
            return create_model(f"Part_{name}", __base__=Part, **cast(Any, fields))
        case _:
            raise ValueError(f"{name}: {one_line(str(part), 40)!r} is no part of a result")


def schema_of(model: type[Result]) -> dict[str, Any]:
    """The JSON Schema that a model is shown: without references, titles and limits, since every byte is sent with each
    conversation and the limits are checked when the result comes."""
    whole = model.model_json_schema()
    return _plain(whole, whole.get("$defs", {}))


_KEPT = ("type", "enum", "description", "required")


def _plain(node: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        inner = _plain(known[node["$ref"].rpartition("/")[2]], known)
        return {**inner, **({"description": node["description"]} if "description" in node else {})}
    if "allOf" in node:
        return _plain({**node["allOf"][0], **{k: v for k, v in node.items() if k != "allOf"}}, known)
    kept = {key: node[key] for key in _KEPT if key in node}
    if "const" in node:
        kept["enum"] = [node["const"]]
    if "properties" in node:
        kept.pop("description", None)  # the class's own words: they are the tool's description
        kept["properties"] = {name: _plain(part, known) for name, part in node["properties"].items()}
    if "items" in node:
        kept["items"] = _plain(node["items"], known)
    if "enum" in kept:
        kept.pop("type", None)
    return kept


def mistakes(model: type[Result], value: Any) -> list[str]:
    """What does not fit, in words; [] when all does."""
    try:
        model.model_validate(value)
    except ValidationError as problem:
        return [_mistake(error) for error in problem.errors()[:8]]
    return []


def _mistake(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the result"
    return one_line(f"{place}: {error['msg']}", 200)


_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)\n```", re.S)


def in_text(text: str) -> dict[str, Any] | None:
    """The JSON object that an answer in words holds, whole or in a fence; None where there is none."""
    for part in (text, *_FENCED.findall(text)):
        try:
            found = json.loads(part)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None
