"""The list of models: read from the server, kept for a day, and never in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.models import PLAIN, ModelFailure, limits_of, model_id
from devloop.models.listing import FRESH_S, limits

KNOWN = "claude-sonnet-5-5"


def asked(double) -> int:
    return sum(each.path.startswith("/v1/models") for each in double.journal)


async def test_the_list_is_asked_for_once_a_day_and_is_kept(serve, tmp_path: Path) -> None:
    double, model = await serve(turns=[])
    path = tmp_path / "models.json"
    found = await limits(model, path, now=1_000_000.0)
    assert found and found == model.listed
    assert await limits(model, path, now=1_000_000.0 + FRESH_S - 1) == found
    once = asked(double)
    assert await limits(model, path, now=1_000_000.0 + FRESH_S + 1) == found
    assert asked(double) == once + 1
    assert limits_of(KNOWN, found).known


async def test_the_list_of_another_server_does_not_count(serve, tmp_path: Path) -> None:
    _, one = await serve(turns=[])
    double, other = await serve(turns=[])
    path = tmp_path / "models.json"
    await limits(one, path)
    await limits(other, path)
    assert asked(double) == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"at": 1, "server": "x", "models": [{"id": 3}]}', "\x00"])
async def test_a_damaged_file_is_made_anew(serve, tmp_path: Path, text: str) -> None:
    double, model = await serve(turns=[])
    path = tmp_path / "models.json"
    path.write_text(text.replace('"x"', f'"{model.base_url}"'))
    assert await limits(model, path)
    assert asked(double) == 1


async def test_an_old_list_counts_while_the_server_is_away(serve, tmp_path: Path) -> None:
    double, model = await serve(turns=[])
    path = tmp_path / "models.json"
    found = await limits(model, path, now=1_000_000.0)
    await double.__aexit__(None, None, None)
    assert await limits(model, path, now=1_000_000.0 + 2 * FRESH_S) == found
    with pytest.raises(ModelFailure):
        await limits(model, tmp_path / "none.json")


async def test_a_server_without_a_list_is_not_asked(serve, tmp_path: Path) -> None:
    double, model = await serve(turns=[], capabilities=PLAIN)
    assert await limits(model, tmp_path / "models.json") == {}
    assert asked(double) == 0 and not (tmp_path / "models.json").exists()


@pytest.mark.parametrize(
    ("named", "own", "only", "found"),
    [
        ("fast", {}, None, "claude-haiku-5-5"),
        ("balanced", {}, None, "claude-sonnet-5-5"),
        ("deep", {}, None, "claude-opus-5-5"),
        ("Opus", {}, None, "claude-opus-5-5"),
        ("claude-fable-5-1", {"deep": "x"}, "y", "claude-fable-5-1"),
        ("deep", {"deep": "x"}, "y", "x"),
        ("fast", {"deep": "x"}, "y", "y"),
        ("haiku", {"fast": "x"}, None, "x"),
    ],
)
def test_a_tier_is_a_models_id(named: str, own: dict[str, str], only: str | None, found: str) -> None:
    assert model_id(named, own, only) == found
