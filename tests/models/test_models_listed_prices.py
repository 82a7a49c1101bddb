"""Prices in a server's list of models: the shapes that are documented, and what counts before what."""

from __future__ import annotations

from pathlib import Path

import pytest

from devloop.models import Usage, cost, prices_from, prices_of
from devloop.models.listed_prices import price_in
from devloop.models.listing import limits
from double.catalogue import KnownModel

KNOWN = "claude-sonnet-5-5"


@pytest.mark.parametrize(
    ("entry", "price"),
    [
        ({"pricing": {"prompt": "0.000003", "completion": "0.000015", "image": "0"}}, (3.0, 15.0)),
        ({"pricing": {"input": "0.0000001", "output": "5e-7"}}, (0.1, 0.5)),
        ({"pricing": {"input": 0.88, "output": 3}}, (0.88, 3.0)),
        ({"input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05}, (3.0, 15.0)),
        ({"pricing": {"prompt": "0", "completion": "0"}}, (0.0, 0.0)),
        ({}, None),
        ({"pricing": None}, None),
        ({"pricing": {"prompt": "free", "completion": "0"}}, None),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, None),
        ({"pricing": {"input": 3.0}}, None),
        ({"pricing": {"input": True, "output": True}}, None),
        ({"pricing": {"input": "3.0", "output": "15.0"}}, None),
        ({"pricing": {"input": "nan", "output": "inf"}}, None),
    ],
)
def test_documented_shapes_are_dollars_per_million_and_nothing_else_is_a_price(entry, price):
    assert price_in(entry) == price


async def test_the_servers_price_counts_before_the_table_and_after_the_persons_own(serve, tmp_path: Path, monkeypatch):
    plain = KnownModel.listing

    def priced(self):
        return {**plain(self), **({"pricing": {"input": 7.0, "output": 70.0}} if self.id == KNOWN else {})}

    monkeypatch.setattr(KnownModel, "listing", priced)
    _, model = await serve(turns=[])
    usage = Usage(input=1_000_000, output=1_000_000)
    for _ in range(2):  # from the server, then from the file that keeps it
        listed = prices_of((await limits(model, tmp_path / "models.json")).values())
        assert list(listed) == [KNOWN] and cost(KNOWN, usage, listed) == 77.0
    own = prices_from({KNOWN: {"input": 1, "output": 1}})
    assert cost(KNOWN, usage, {**listed, **own}) == 2.0
    assert cost("claude-haiku-4-5", usage, listed) == 6.0, "what the list does not price is in the table"
