import pytest

from purse import money


@pytest.mark.parametrize(("text", "cents"), [("12.34", 1234), ("7", 700), ("-0.05", -5), (" 3.50 ", 350)])
def test_an_amount_is_read(text, cents):
    assert money.parse(text) == cents


@pytest.mark.parametrize("text", ["", "abc", "1.234", "1.2.3"])
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError):
        money.parse(text)


def test_an_amount_is_shown():
    assert money.show(1234) == "12.34"


def test_nothing_is_shown_without_a_sign():
    assert money.show(0) == "0.00"


def test_a_debt_is_shown_with_a_sign():
    assert money.show(-5) == "-0.05"
