"""Whatever is a secret, however it is written and wherever it is cut: it does not come out."""

from __future__ import annotations

import base64
import json
import random
import textwrap
from collections.abc import Callable

import pytest

from devloop.redact import Redactor, Stream, patterns, printable
from support.fuzz import Part, examples, parts
from support.secret_inputs import ENCODINGS, core, made, pieces, shapes

examples(1, 1)  # this file belongs to the long mode

NAMES = ("A_TOKEN", "DB_PASSWORD", "SIGNING_KEY", "X_SECRET")


def streamed(redactor: Redactor, cut: list[str]) -> str:
    stream = Stream(redactor)
    return "".join([*map(stream.feed, cut), stream.close()])


def noise(source: random.Random) -> str:
    return source.choice(
        (
            "",
            "\n",
            "a log line\n",
            "key = ",
            "\t",
            "x" * source.randint(0, 60),
            "é漢\n",
            '{"a": 1}\n',
            "\r\n",
            "-----BEGIN ",
        )
    )


REDACTORS: list[tuple[Redactor, list[str]]] = []


def redactor_of(source: random.Random) -> tuple[Redactor, list[str]]:
    """One with a few values; made anew now and then, because making one takes longer than using it."""
    if len(REDACTORS) < 300:
        values = [made(source) for _ in range(source.randint(1, 4))]
        REDACTORS.append((Redactor(dict(zip(NAMES, values, strict=False))), values))
        return REDACTORS[-1]
    return source.choice(REDACTORS)


@pytest.mark.parametrize("part", parts(4))
def test_any_known_value_in_any_encoding_and_any_chunking_is_hidden_and_pieces_are_as_the_whole(
    part: Part, record_property
) -> None:
    def check(source: random.Random) -> None:
        redactor, values = redactor_of(source)
        said, forbidden = [], []
        for _ in range(source.randint(1, 3)):
            encoding, value = source.choice(list(ENCODINGS)), source.choice(values)
            said += [noise(source), " ", ENCODINGS[encoding](value), " ", noise(source)]
            forbidden += core(value, encoding)
        text = "".join(said)
        whole = redactor.text(text)
        assert streamed(redactor, pieces(text, source)) == whole
        for each in forbidden:
            assert len(each) < 8 or each not in whole, (text, each)

    part.inputs("chunked secrets", 1000, 100_000, record_property, check)


@pytest.mark.parametrize("part", parts(4))
def test_what_has_the_shape_of_a_secret_is_hidden_wherever_it_is_cut(part: Part, record_property) -> None:
    redactor = Redactor()

    def check(source: random.Random) -> None:
        secret = shapes(source)
        around = source.choice(
            ("{}", "x = '{}'", '"\\n{}"', "\x1b[31m{}\x1b[0m", "a\n{}\r\nb\n", "?k=%3D{}&b=1", "({})")
        )
        text = f"{noise(source)}\n{around.format(secret)}\n{noise(source)}"
        whole = redactor.text(text)
        value = secret.rpartition(" ")[2] if " " in secret else secret
        value = value.split("app:")[-1].split("@")[0]
        assert value not in whole, text
        assert streamed(redactor, pieces(text, source)) == whole

    part.inputs("chunked shapes", 500, 100_000, record_property, check)


def test_every_pattern_says_a_literal_that_its_matches_have() -> None:
    """What looks for the literal first must miss nothing that the expression finds."""
    source = random.Random(7)
    for _ in range(2000):
        text = shapes(source)
        found = [p for p in (*patterns.IN_RUNS, *patterns.ANYWHERE) if p.expression.search(text)]
        assert found, text
        assert all(any(literal in text for literal in p.literals) for p in found)


# what stays


@pytest.mark.parametrize(
    "text",
    [
        "postgres://postgres:postgres@localhost/test",
        "https://user:${PASSWORD}@example.org",
        "the risk-assessment-of-everything-that-was-said-before",
        "class BearerTokenAuthentication(Base): pass",
        "a monkey-patch of test_keys_and_tokens_are_kept_where_they_belong",
        "sha256:" + "0123456789abcdef" * 4,
        "if '-----BEGIN " + "PRIVATE KEY-----' in text:\n    return True\nraise ValueError\n",
        "commit 5ca1303b90c20e9a5ca1303b90c20e9a5ca1303b",
        "git switch sk-1234-implement-the-new-login-page-flow",
        "<div class='sk-estimator-container-of-what-is-fitted'>",
        "aws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_names_that_only_sound_so_and_places_are_not_hidden() -> None:
    redactor = Redactor.of_environment(
        {"GIT_AUTHOR_NAME": "Pat Person", "SSH_AUTH_SOCK": "/tmp/agent/socket.12", "DB_PASSWORD": "password"}
    )
    assert redactor.text("Pat Person has a password in /tmp/agent/socket.12") == (
        "Pat Person has a password in /tmp/agent/socket.12"
    )


def test_what_every_set_up_for_development_says_spoils_no_code() -> None:
    environment = {"POSTGRES_PASSWORD": "postgres", "PASSENGER_APP_ENV": "development"}
    redactor = Redactor.of_environment({**environment, "KEYCLOAK_URL": "http://localhost:8080"})
    code = 'MODE, AT = "development", "http://localhost:8080"; URL = "postgresql://localhost/postgres"'
    assert redactor.text(code) == code


def test_a_url_that_was_taken_for_a_path_keeps_its_password_hidden() -> None:
    """A path is told as it is normalised: of two slashes one is left."""
    said = Redactor().text("no/such:postgres:/app:k8Tr-v3ry@db.example/x, nor https://app:0wn-V3ry@db")
    assert "k8Tr-v3ry" not in said and "0wn-V3ry" not in said and said.startswith("no/such:postgres:/«")


def test_what_is_hidden_already_stays_as_it_is_told() -> None:
    """Texts pass several exits, in more than one process."""
    engine, daemon = (Redactor.of_environment({"HARBOR_MASTER_SECRET": "harbor-master"}) for _ in range(2))
    once = engine.text("https://app:v3ry-own@db/x is what harbor-master says, and " + "gh" + "p_" + "f4Tr9w" * 6)
    assert once.count("«redacted:") == 3 and engine.text(once) == once == daemon.text(once)
    pretended = daemon.text("«redacted:harbor-master:12ab»")
    assert "«redacted:harbor-master:" not in pretended  # a name that only the text says


def test_a_secret_that_only_shows_once_a_terminal_drops_what_is_between_is_hidden() -> None:
    value = "w0rd-" + "of-many-parts"
    redactor = Redactor({"TOKEN": value})
    for between in ("\x1b[01;31m", "\u200b", "\u00ad", "\x1b]0;x\x07", "\u2060"):
        text = f"a {value[:7]}{between}{value[7:]} b\nnext\n"
        assert value not in printable(redactor.text(text)), repr(between)
        assert value not in printable(streamed(redactor, [text[:9], text[9:]]))


# private keys


def key(lines: int = 6, kind: str = "RSA ", seed: int = 1) -> list[str]:
    body = base64.b64encode(random.Random(seed).randbytes(48 * lines + 20)).decode()
    return [
        f"-----BEGIN {kind}PRIVATE " + "KEY-----",
        *textwrap.wrap(body, 64),
        f"-----END {kind}PRIVATE " + "KEY-----",
    ]


WRITTEN: dict[str, Callable[[list[str]], str]] = {
    "plain": "\n".join,
    "DOS": "\r\n".join,
    "indented": lambda lines: "\n".join(f"    {line}" for line in lines),
    "numbered": lambda lines: "\n".join(f"{n}\t{line}" for n, line in enumerate(lines, 9)),
    "added": lambda lines: "\n".join(f"+{line}" for line in lines),
    "removed": lambda lines: "\n".join(f"-{line}" for line in lines),
    "found": lambda lines: "\n".join(f"conf/key.pem:{n}:{line}" for n, line in enumerate(lines, 1)),
    "quoted": lambda lines: "\n".join(f'    "{line}\\n"' for line in lines),
    "json": lambda lines: json.dumps({"key": "\n".join(lines), "b": 1}),
    "json, DOS": lambda lines: json.dumps({"key": "\r\n".join(lines)}),
    "cut": lambda lines: "\n".join(lines[:-1]),
    "cut json": lambda lines: json.dumps("\n".join(lines))[:-60],
    "coloured": lambda lines: "\n".join(f"\x1b[32m{line}\x1b[m" for line in lines),
    "encrypted": lambda lines: "\n".join([lines[0], "Proc-Type: 4,ENCRYPTED", "DEK-Info: AES,00", "", *lines[1:]]),
    "yaml": lambda lines: "key: |\n" + "\n".join(f"  {line}" for line in lines),
}


@pytest.mark.parametrize("kind", ["RSA ", "", "OPENSSH ", "EC ", "ENCRYPTED "])
@pytest.mark.parametrize("way", WRITTEN)
def test_a_private_key_is_hidden_however_it_is_written_and_cut(way: str, kind: str) -> None:
    source, redactor = random.Random(f"{way}{kind}"), Redactor()
    lines = key(kind=kind)
    text = f"before\n{WRITTEN[way](lines)}\nafter all of it\n"
    whole = redactor.text(text)
    assert "before" in whole and "after all of it" in whole and whole.count("«redacted:private-key:") == 1
    for line in lines[1:-1]:
        assert line[:12] not in whole, whole
    for _ in range(20):
        assert streamed(redactor, pieces(text, source)) == whole


def test_the_same_key_is_told_alike_and_what_never_ends_hides_no_more_than_a_key_has() -> None:
    redactor = Redactor()
    told = [redactor.text(WRITTEN[way](key())).strip() for way in ("plain", "DOS")]
    assert told[0] == told[1]
    begin = "-----BEGIN " + "PRIVATE KEY-----\n"
    flood = begin + ("QUJD" * 16 + "\n") * 3000 + "the end\n"
    assert redactor.text(flood).count("QUJD") > 10_000


# long lines


def test_a_line_longer_than_the_carry_is_told_in_time_and_hides_what_is_cut_there() -> None:
    value = "long-lines" + "-hide-nothing-0"
    redactor, source = Redactor({"TOKEN": value}), random.Random(3)
    for _ in range(3):
        stream, held, fed, told = Stream(redactor), 0, 0, ""
        while fed < 200_000:
            piece = " ".join(source.choice(("word", value, "x" * 30, shapes(source))) for _ in range(200))
            for cut in pieces(piece, source):
                told += stream.feed(cut)
                fed += len(cut)
                held = max(held, stream._size)
        told += stream.close()
        assert value not in told and held < 80_000
        assert told.count("word") > 100


def test_a_word_longer_than_the_carry_is_hidden_to_its_end() -> None:
    stream = Stream(Redactor())
    begin = "sk-" + "ant-"
    told = "".join(stream.feed("S3cr" * 5000) if n else stream.feed(begin) for n in range(12)) + stream.feed(" done\n")
    assert "S3cr" not in told and told.endswith(" done\n")


def test_a_line_that_is_being_written_shows_its_finished_words_and_no_part_of_a_secret() -> None:
    phrase = "correct horse" + " battery staple"
    stream = Stream(Redactor({"PASSPHRASE": phrase}))
    for n in range(1, len(phrase)):
        fresh = Stream(stream._redactor)
        fresh.feed(f"it is {phrase[:n]}")
        assert "corr" not in fresh.preview(), phrase[:n]
    stream.feed(f"it is {phrase} and s")
    assert stream.preview().startswith("it is «redacted:passphrase:") and stream.preview().endswith(" and ")
