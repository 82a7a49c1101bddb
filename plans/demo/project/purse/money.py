"""Amounts of money, as whole cents."""


def parse(text: str) -> int:
    """`"12.34"` gives 1234. Raises ValueError for what is no amount."""
    raise NotImplementedError


def show(cents: int) -> str:
    """1234 gives `"12.34"`."""
    return f"{cents // 100}.{cents % 100:02}"


def split(cents: int, people: int) -> list[int]:
    """Shares that add up to `cents` and differ by one cent at most."""
    share, rest = divmod(cents, people)
    return [share + 1] * rest + [share] * (people - rest)
