"""How many functions, and how many fewer a coarse answer has."""

from __future__ import annotations

from typing import Any

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["checked_count", "fewer"]

FEWEST, MOST = 4, 2000
#: A coarse answer has this share of the functions.
SHARE = 0.9


def checked_count(count: Any, what: str) -> int:
    """Return a number of functions, or raise SettingError."""
    number = finite(count, f"the number of {what}")
    if isinstance(count, bool) or number != int(number) or not FEWEST <= number <= MOST:
        raise SettingError(
            f"{count!r} {what} make no basis. Give a whole number from {FEWEST} to {MOST}."
        )
    return int(number)


def fewer(count: int) -> int:
    """Return how many functions the coarse answer has."""
    return min(int(SHARE * count), count - 1)
