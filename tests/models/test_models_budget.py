"""Prices, limits of models, and caps: examples and properties."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devloop.errors import UsageError
from devloop.models import (
    Limits,
    Request,
    Reservation,
    Spent,
    Usage,
    check,
    cost,
    limits_of,
    needs_fresh_conversation,
    prices_from,
    reservation,
)
from devloop.models.catalog import from_listing

MILLION = 1_000_000


def request(model: str = "claude-sonnet-5-5", size: int = 400, max_tokens: int = 1000) -> Request:
    return Request(model, "s" * size, [], [{"role": "user", "content": "Hello."}], max_tokens)


@pytest.mark.parametrize(
    ("model", "usage", "dollars"),
    [
        ("claude-sonnet-5-5", Usage(input=MILLION), 2.0),
        ("claude-sonnet-5-5", Usage(output=MILLION), 10.0),
        ("claude-sonnet-5-5", Usage(cache_read=MILLION), 0.2),
        ("claude-sonnet-5-5", Usage(cache_write_5m=MILLION), 2.5),
        ("claude-sonnet-5-5", Usage(cache_write_1h=MILLION), 4.0),
        ("claude-haiku-5-5", Usage(input=100_000, output=MILLION), 0.51),
        ("claude-haiku-5-5", Usage(input=100_001, output=MILLION), 2.5500005),
        ("claude-haiku-5-5", Usage(input=1, cache_read=100_000), 0.0050005),
        ("claude-haiku-4-5-20251001", Usage(input=MILLION), 1.0),
        ("claude-opus-5-5", Usage(input=MILLION, output=MILLION), 24.0),
        ("claude-fable-5-1", Usage(input=MILLION, output=MILLION), 60.0),
    ],
)
def test_cost_follows_the_table(model: str, usage: Usage, dollars: float) -> None:
    assert cost(model, usage) == pytest.approx(dollars)


def test_an_unknown_model_has_no_price_unless_the_person_gives_one() -> None:
    assert cost("my-model", Usage(input=1)) is None
    own = prices_from({"my-model": {"input": 3, "output": 6}, "claude-sonnet-5-5": {"input": 0, "output": 0}})
    assert cost("my-model", Usage(input=MILLION), own) == 3.0
    assert cost("claude-sonnet-5-5", Usage(input=MILLION), own) == 0.0


def test_overrides_can_have_steps_in_any_order() -> None:
    own = prices_from({"m": [{"input": 9, "output": 9}, {"up_to": 10, "input": 1, "output": 1}]})
    assert cost("m", Usage(input=10), own) == pytest.approx(10 / MILLION)
    assert cost("m", Usage(input=11), own) == pytest.approx(99 / MILLION)


@pytest.mark.parametrize(
    "price",
    [
        5,
        {"input": 1},
        {"input": -1, "output": 1},
        {"input": "1", "output": 1},
        {"input": 1, "output": 1, "zzz": 1},
        {"input": 1, "output": 1, "up_to": 0},
        [],
        [{"input": 1, "output": 1, "up_to": 5}],
        [{"input": 1, "output": 1}, {"input": 2, "output": 2}],
    ],
)
def test_a_price_that_makes_no_sense_is_named(price: Any) -> None:
    with pytest.raises(UsageError, match="my-model"):
        prices_from({"my-model": price})


def test_limits_come_from_the_servers_list_then_the_table_then_care() -> None:
    assert limits_of("claude-sonnet-5-5").context == MILLION
    assert limits_of("claude-haiku-4-5-20251001").max_output == 64_000
    assert not limits_of("my-model").known
    entries = [{"id": "my-model", "max_input_tokens": 8192, "max_tokens": 2048}, {"id": "half"}, {"id": 5}]
    listed = from_listing(entries)
    assert set(listed) == {"my-model"}
    assert (limits_of("my-model", listed).context, limits_of("my-model", listed).known) == (8192, True)
    assert needs_fresh_conversation(Usage(input=4000, output=96), "my-model", listed=listed)
    assert not needs_fresh_conversation(Usage(input=4000, output=95), "my-model", listed=listed)
    assert needs_fresh_conversation(Usage(cache_read=400_000), "claude-sonnet-5-5", fraction=0.4)


def test_usage_of_the_api_with_a_split_by_lifetime() -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 12}
    got = Usage.from_api({"input_tokens": 1, "cache_creation_input_tokens": 42, "cache_creation": split})
    assert (got.cache_write_5m, got.cache_write_1h) == (30, 12)
    assert Usage.from_api({"cache_creation": split}).cache_write == 42
    assert Usage.from_api({"input_tokens": None, "output_tokens": True, "cache_creation": None}) == Usage()


MONEY = "The run's cap of $1.00 would be passed: $0.99 is used and the next turn may cost $0.50."
CASES: list[tuple[Limits, Spent, str]] = [
    (Limits(turns=3), Spent(turns=3), "The run's cap of 3 turns is used up (3 made)."),
    (Limits(wall_s=3600), Spent(wall_s=3601), "The run's cap of 60 min is used up (60 min have passed)."),
    (
        Limits(tokens=10_000),
        Spent(tokens=9_001),
        "The run's cap of 10,000 tokens would be passed: 9,001 are used and the next turn may need 1,000.",
    ),
    (Limits(usd=1), Spent(usd=0.99), MONEY),
    (
        Limits(usd=1),
        Spent(usd=0.1, unpriced=True),
        "The run's cap of $1.00 can't be kept: the price of a model used before is unknown "
        "($0.10 used with known prices).",
    ),
]


@pytest.mark.parametrize(("limits", "spent", "sentence"), CASES)
def test_a_cap_is_named_in_one_sentence(limits: Limits, spent: Spent, sentence: str) -> None:
    found = check({"run": limits}, {"run": spent}, Reservation(1000, 0.5, "m"))
    assert found is not None and found.message == sentence and found.scope == "run" and found.hint
    assert check({"run": limits}, {"run": Spent()}, Reservation(1000, 0.5, "m")) is None


def test_a_cap_in_money_refuses_an_unpriced_model_and_points_to_tokens() -> None:
    needed = reservation(request("my-model"))
    assert needed.usd is None
    found = check({"day": Limits(usd=5)}, {}, needed)
    assert found is not None and "my-model" in found.message and "tokens" in found.hint
    assert check({"day": Limits(tokens=100_000)}, {}, needed) is None


def test_the_narrowest_scope_speaks_first() -> None:
    caps = {"day": Limits(turns=1), "run": Limits(turns=1), "plan": Limits(turns=1)}
    spent = {"day": Spent(turns=1), "plan": Spent(turns=1), "run": Spent()}
    found = check(caps, spent, Reservation(1, 0.0))  # type: ignore[arg-type]
    assert found is not None and found.scope == "plan"


counts = st.integers(0, 2_000_000)
amounts = st.floats(0, 1000, allow_nan=False)
spents = st.builds(Spent, amounts, counts, st.integers(0, 100), amounts, st.booleans())
limits = st.builds(
    Limits, st.none() | amounts, st.none() | counts, st.none() | st.integers(0, 100), st.none() | amounts
)


@given(limits, spents, st.integers(0, 100_000), st.none() | amounts, st.data())
def test_what_was_let_through_never_passes_a_cap(
    cap: Limits, spent: Spent, tokens: int, usd: float | None, data: st.DataObject
) -> None:
    needed = Reservation(tokens, usd, "m")
    if check({"run": cap}, {"run": spent}, needed) is not None:
        return
    used = data.draw(st.integers(0, tokens))
    price = None if usd is None else data.draw(st.floats(0, usd))
    after = spent.after(Usage(input=used), price)
    assert cap.turns is None or after.turns <= cap.turns
    assert cap.tokens is None or after.tokens <= cap.tokens
    assert cap.usd is None or (after.usd <= cap.usd and not after.unpriced)


@given(limits, spents, st.integers(0, 100_000), st.none() | amounts)
def test_the_verdict_is_one_sentence_with_numbers_or_nothing(
    cap: Limits, spent: Spent, tokens: int, usd: float | None
) -> None:
    found = check({"plan": cap}, {"plan": spent}, Reservation(tokens, usd, "m"))
    if cap == Limits():
        assert found is None
    if found is not None:
        assert found.message.startswith("The plan's cap of ") and found.message.endswith(".")
        assert found.limit == {"usd": cap.usd, "tokens": cap.tokens, "turns": cap.turns, "wall": cap.wall_s}[found.cap]


@given(
    st.sampled_from(["claude-sonnet-5-5", "claude-haiku-5-5", "claude-haiku-4-5"]),
    st.text(max_size=2000),
    st.integers(1, 128_000),
    st.data(),
)
def test_a_reservation_covers_every_turn_that_the_request_can_become(
    model: str, system: str, max_tokens: int, data: st.DataObject
) -> None:
    asked = Request(model, system, [], [{"role": "user", "content": "Hello."}], max_tokens)
    needed = reservation(asked)
    prompt = data.draw(st.integers(0, asked.size // 3))
    written = data.draw(st.integers(0, prompt))
    read = data.draw(st.integers(0, prompt - written))
    used = Usage(prompt - written - read, data.draw(st.integers(0, max_tokens)), read, written)
    paid = cost(model, used)
    assert used.total <= needed.tokens
    assert paid is not None and needed.usd is not None and paid <= needed.usd


def test_a_reservation_takes_the_dearest_step_that_its_prompt_can_reach() -> None:
    near = reservation(request("claude-haiku-5-5", size=298_000, max_tokens=0))
    far = reservation(request("claude-haiku-5-5", size=301_000, max_tokens=0))
    assert near.usd is not None and far.usd is not None and far.usd > 4 * near.usd


@given(spents, spents, spents)
def test_spending_adds_up_in_any_order(a: Spent, b: Spent, c: Spent) -> None:
    left, right = (a + b) + c, a + (b + c)
    assert (left.tokens, left.turns, left.unpriced) == (right.tokens, right.turns, right.unpriced)
    assert left.usd == pytest.approx(right.usd)
