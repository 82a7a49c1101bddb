"""What is cut before a model reads it is cut beside a secret, never through one (security §9.3)."""

from __future__ import annotations

import random

import pytest

from devloop.redact import Redactor, part
from devloop.sandbox.output import LINE_REACH, Sink
from devloop.tools.reading import READ_CAP
from support.secret_inputs import made, pieces, shapes

SECRET = "not-a-real-" + "secret-value"
"""What the context of these tests knows."""
HALF = 10


def halves(text: str, secret: str) -> list[str]:
    return [each for each in (secret[:HALF], secret[-HALF:]) if each in text]


@pytest.mark.parametrize("place", range(0, 20, 4))
async def test_a_search_shows_no_half_of_a_secret_at_the_ends_of_a_long_line(make, place: int) -> None:
    """The line's shown part ends (or begins) somewhere within the secret."""
    desk = make()
    fill = " ".join(["word"] * 300)
    desk.put("behind.txt", f"FIND {fill[: 374 + place]}{SECRET} {fill}\n")
    desk.put("before.txt", f"{fill} {SECRET}{fill[: 180 + place]} FIND {fill}\n")
    found = (await desk.do("search", pattern="FIND")).content
    assert found.count("FIND") == 2 and len(found) < 1200
    assert halves(found, SECRET) == []


async def test_neither_a_search_nor_a_part_of_a_file_shows_a_line_of_a_private_key(make) -> None:
    """It is known by its first line, and each is found by itself."""
    desk = make()
    body = [f"{n}{'Qz7vB2' * 10}" for n in range(4)]
    marks = ["-----" + f"{word} RSA PRIVATE " + "KEY-----" for word in ("BEGIN", "END")]
    desk.put("key.txt", "\n".join(("above", marks[0], *body, marks[1], "below")))
    for pattern in (".", "above|below|[13]Qz", "[13]Qz|above|below|END"):
        found = (await desk.do("search", pattern=pattern)).content
        assert "above" in found and "below" in found and "Qz7vB2" not in found
    assert "key.txt:2: «redacted:private-key:" in (await desk.do("search", pattern="2Qz")).content
    for offset in range(2, 8):
        told = (await desk.do("read_file", path="key.txt", offset=offset)).content
        assert told.startswith("2\t«redacted:private-key:") and told.endswith("\n8\tbelow"), "no part of it is read"
        assert "Qz7vB2" not in (await desk.do("read_file", path="key.txt", offset=offset, limit=1)).content
    assert (await desk.do("read_file", path="key.txt", offset=8)).content == "8\tbelow"


async def test_a_line_that_is_too_long_to_be_read_does_not_end_within_a_secret(make) -> None:
    desk = make()
    for place in range(0, len(SECRET), 4):
        before = "x " * ((READ_CAP - place) // 2)
        desk.put("long.txt", f"{before}{SECRET} {'more ' * 20_000}")
        told = (await desk.do("read_file", path="long.txt", column=len(before) - 30)).content
        assert "x x x" in told and halves(told, SECRET) == [], told
    desk.put("word.txt", "x" * (READ_CAP - 20) + SECRET + "x" * 100_000)
    told = (await desk.do("read_file", path="word.txt", column=READ_CAP - 8_000)).content
    assert "xxx" in told and "not-" not in told


async def test_a_hint_at_a_similar_line_shows_no_part_of_a_long_one(make) -> None:
    desk = make()
    line = f"value = '{'x' * 279}{SECRET}'"
    desk.put("a.py", f"{line}\nend = 1\n")
    told = await desk.do("edit_file", path="a.py", old_string=f"  {line}", new_string="value = 1")
    assert told.is_error and "not found" in told.content and halves(told.content, SECRET) == []


def test_a_part_of_a_text_has_no_half_of_any_secret() -> None:
    source = random.Random(11)
    for _ in range(300):
        secret = made(source, 20, 60)
        shape = next(each for each in iter(lambda: shapes(source), "") if " " not in each and "://" not in each)
        text = " ".join(source.choice(("word", secret, "x" * 9, shape, f"a={secret};")) for _ in range(40))
        start = source.randint(0, len(text))
        end = start + source.randint(0, 400)
        redactor = Redactor({"A_TOKEN": secret})
        shown = part(text, start, end, redactor.text)
        assert secret[:HALF] not in shown and secret[-HALF:] not in shown, (text, start, end)
        assert len(shape) < 20 or (shape[:18] not in shown and shape[-12:] not in shown), (text, start, end)


def test_a_part_without_secrets_is_exactly_what_was_asked_for() -> None:
    text = "one two three four"
    assert part(text, 4, 9, Redactor({"T": SECRET}).text) == "two t"
    assert part(f"{SECRET} {text}", len(SECRET) + 1, 900, Redactor({"T": SECRET}).text) == text


@pytest.mark.parametrize("line", [LINE_REACH // 2, 3 * LINE_REACH])
def test_an_output_of_long_lines_is_cut_through_no_word(line: int) -> None:
    """Beginning and end are kept; a line that is longer than a cut looks back ends with a whole word."""
    source = random.Random(line)
    word = "Qz7" * 12
    for _ in range(20):
        text = ("\n".join(f"{word} " * (line // len(word)) for _ in range(40))).encode()
        sink = Sink(20_000 + source.randint(0, 200))
        for piece in pieces(text.decode(), source):
            sink.write(piece.encode())
        head, _, tail = sink.text().partition("left out")
        words = {*head.split()[:-3], *tail.split()[1:]}
        assert words == {word}, words


def test_of_one_long_word_no_end_is_kept_that_may_be_half_a_secret() -> None:
    secret = "Zy" * 20
    for at in range(9_980, 10_020):
        sink = Sink(20_000)
        sink.write(b"x" * (at - 20) + secret.encode() + b"y" * 50_000)
        sink.close()
        assert "ZyZy" not in sink.text()
