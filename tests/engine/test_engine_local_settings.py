"""`.devloop/local.md` in real runs: it narrows, and never widens."""

from __future__ import annotations

import pytest

from support.engines import Engine, finish, turn, write

pytestmark = pytest.mark.asyncio(loop_scope="module")
TURNS = [turn(write("a.txt")), turn(write("b.txt")), turn(finish())]


@pytest.fixture
def local(one: Engine):
    path = one.root / ".devloop" / "local.md"
    yield lambda turns: path.write_text(f"---\nbudget:\n  turns: {turns}\n---\n")
    path.unlink()


async def test_a_limit_of_the_local_file_ends_a_run(one: Engine, local) -> None:
    local(2)
    await one.play({"a": TURNS})
    ended = await one.ended(await one.run("a"))
    assert ended["outcome"] == "exhausted" and "cap of 2 turns is used up" in ended["reason"]


async def test_a_wider_limit_of_the_local_file_changes_nothing(one: Engine, local) -> None:
    one.config.write_text("[budget]\nturns = 2\n")
    local(1000)
    await one.play({"b": TURNS})
    ended = await one.ended(await one.run("b"))
    assert ended["outcome"] == "exhausted" and "cap of 2 turns is used up" in ended["reason"]
