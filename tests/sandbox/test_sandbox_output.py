"""Head and tail of what came, whatever the pieces; never more memory than asked for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from devloop.sandbox import environment
from devloop.sandbox.output import Sink


def fed(pieces, keep=100, **options):
    sink = Sink(keep, **options)
    for piece in pieces:
        sink.write(piece)
        assert len(sink._head) + len(sink._tail) <= 2 * keep + len(piece)
    sink.close()
    return sink


@given(st.lists(st.binary(max_size=300), max_size=20), st.integers(0, 200))
def test_little_output_is_kept_whole_and_much_is_cut(pieces, keep):
    whole = b"".join(pieces)
    sink = fed(pieces, keep)
    assert sink.total == len(whole)
    if len(whole) <= keep:
        assert sink.text() == whole.decode("utf-8", "replace")
    else:
        assert sink.truncated
        assert "bytes left out …" in sink.text()


@given(st.lists(st.integers(0, 10**6).map(lambda n: f"line {n}\n".encode()), min_size=50), st.integers(1, 70))
def test_lines_are_never_cut_in_half(lines, size):
    whole = b"".join(lines)
    shown = fed([whole[at : at + size] for at in range(0, len(whole), size)], 200).text().splitlines()
    gap = next(number for number, line in enumerate(shown) if "left out" in line)
    originals = [line.decode().rstrip() for line in lines]
    assert shown[:gap] == originals[:gap]
    assert shown[gap + 1 :] == originals[len(originals) - len(shown[gap + 1 :]) :]
    left_out = sum(len(line) for line in lines[gap : len(lines) - len(shown[gap + 1 :])])
    assert abs(int(shown[gap].split()[1]) - left_out) <= 1


def test_characters_that_are_cut_leave_no_rubbish():
    text = fed(["é".encode() * 500], 101).text()
    assert "\ufffd" not in text


def test_the_file_gets_all_of_it_and_only_its_owner_may_read(tmp_path):
    pieces = [b"a" * 1000] * 30
    fed(pieces, 100, file=tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b"".join(pieces)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600


def test_the_environment_is_an_allowlist(tmp_path):
    source = {"PATH": "/usr/bin:relative:/bin", "API_KEY": "secret", "CHOSEN": "1", "LANG": "de_DE.UTF-8"}
    made = environment(tmp_path, names=["CHOSEN", "ABSENT"], extra={"DEVLOOP_RUN": "7"}, path=[tmp_path], source=source)
    assert made == {
        "PATH": f"{tmp_path}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "LANG": "de_DE.UTF-8",
        "TERM": "dumb",
        "CHOSEN": "1",
        "DEVLOOP_RUN": "7",
    }
