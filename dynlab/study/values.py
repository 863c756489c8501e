"""What a key of a study may hold: each kind is a function from a value and its place to what an analysis takes.

true is no number, a text is no list, nan and infinity are nothing: a wrong value is refused with its line and key.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, NoReturn

from dynlab.errors import DynlabError, TextError, UnknownNameError
from dynlab.names import finite
from dynlab.study.lines import Path, line_of

__all__ = [
    "Kind",
    "Place",
    "axes",
    "axis",
    "choice",
    "choices",
    "count",
    "counts",
    "flag",
    "inner_path",
    "named_counts",
    "named_numbers",
    "named_object",
    "number",
    "pair",
    "ranges",
    "seed",
    "table",
    "word",
]

#: Values along one axis.
MOST_VALUES = 100_000
_MOST_COUNT = 10**12


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in the text of a study."""

    file: str
    lines: dict[Path, int] = field(repr=False)
    path: Path = ()

    def __truediv__(self, key: str | int) -> Place:
        return Place(self.file, self.lines, (*self.path, key))

    def __str__(self) -> str:
        line = line_of(self.lines, self.path)
        return self.file if line is None else f"{self.file}, line {line}"

    @property
    def key(self) -> str:
        """The key as one writes it, with dots."""
        text = ""
        for part in self.path:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text

    def refuse(self, value: Any, wanted: str) -> NoReturn:
        """Raise for a value that cannot stand here."""
        raise TextError(f"{self}: {self.key} is {value!r:.60} ({_kind(value)}); write {wanted}.")

    def unknown(self, what: str, name: Any, known: Iterable[str]) -> NoReturn:
        """Raise for a name that does not exist."""
        raise UnknownNameError(f"{what} ({self})", str(name), known)


Kind = Callable[[Any, Place], Any]


def _kind(value: Any) -> str:
    names = {
        bool: "a truth value",
        str: "a text",
        list: "a list",
        dict: "a table",
        int: "a whole number",
    }
    names[float] = "a number"
    return names.get(type(value), f"a {type(value).__name__}")


def table(value: Any, place: Place, known: Iterable[str] | None = None) -> Mapping[str, Any]:
    """Return a table, whose keys are known if they are given."""
    if not isinstance(value, dict):
        place.refuse(value, f"[{place.key}] and its keys below it")
    if known is not None:
        for key in value:
            if key not in known:
                (place / key).unknown(
                    f"key of [{place.key}]" if place.path else "table of a study", key, known
                )
    return value


def number(value: Any, place: Place) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        place.refuse(value, "a number")
    try:
        return finite(value, f"{place}: {place.key}")
    except ValueError as error:
        raise TextError(str(error)) from None


def count(value: Any, place: Place) -> int:
    """Return a whole number from 1 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_COUNT:
        place.refuse(value, "a positive whole number")
    return value


def seed(value: Any, place: Place) -> int:
    """Return a seed: a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 128:
        place.refuse(value, "a whole number from 0 on")
    return value


def flag(value: Any, place: Place) -> bool:
    """Return a truth value; 1 is none."""
    if not isinstance(value, bool):
        place.refuse(value, "true or false")
    return value


def word(value: Any, place: Place) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        place.refuse(value, "a text in quotes")
    return value


def choice(*known: str) -> Kind:
    """Return what takes one of several words."""

    def read(value: Any, place: Place) -> str:
        found = word(value, place)
        if found not in known:
            place.unknown(f"word for {place.key}", found, known)
        return found

    return read


def choices(*known: str) -> Kind:
    """Return what takes a list of words."""
    one = choice(*known)

    def read(value: Any, place: Place) -> tuple[str, ...]:
        if not isinstance(value, list):
            place.refuse(value, f"a list such as {list(known[:2])}")
        return tuple(one(item, place / k) for k, item in enumerate(value))

    return read


def counts(value: Any, place: Place) -> tuple[int, ...]:
    """Return a list of positive whole numbers."""
    if not isinstance(value, list) or not value:
        place.refuse(value, "a list of whole numbers")
    return tuple(count(item, place / k) for k, item in enumerate(value))


def pair(value: Any, place: Place) -> tuple[float, float]:
    """Return a range."""
    if not isinstance(value, list) or len(value) != 2:
        place.refuse(value, "two numbers: [low, high]")
    low, high = (number(item, place / k) for k, item in enumerate(value))
    if not low < high:
        place.refuse(value, "the lower end first")
    return low, high


def ranges(value: Any, place: Place) -> dict[str, tuple[float, float]]:
    """Return ranges by name."""
    return {name: pair(item, place / name) for name, item in table(value, place).items()}


def named_numbers(value: Any, place: Place) -> dict[str, float]:
    """Return numbers by name."""
    return {name: number(item, place / name) for name, item in table(value, place).items()}


def named_counts(value: Any, place: Place) -> int | dict[str, int]:
    """Return a whole number, or one for each name."""
    if isinstance(value, dict):
        return {name: count(item, place / name) for name, item in value.items()}
    return count(value, place)


def axis(value: Any, place: Place) -> tuple[float, ...]:
    """Return the values along an axis: a list, or ``{ from = 0, to = 1, count = 11 }``."""
    if isinstance(value, list):
        if not 1 <= len(value) <= MOST_VALUES:
            place.refuse(value, f"1 to {MOST_VALUES} numbers")
        return tuple(number(item, place / k) for k, item in enumerate(value))
    if not isinstance(value, dict):
        place.refuse(value, "a list of numbers, or { from = 0, to = 1, count = 11 }")
    table(value, place, ("from", "to", "count"))
    for key in ("from", "to", "count"):
        if key not in value:
            raise TextError(
                f"{place}: {place.key} has no {key!r}; write {{ from = 0, to = 1, count = 11 }}."
            )
    low, high = number(value["from"], place / "from"), number(value["to"], place / "to")
    steps = count(value["count"], place / "count")
    if not 2 <= steps <= MOST_VALUES or low == high:
        place.refuse(value, f"two different ends, and a count from 2 to {MOST_VALUES}")
    return (*(low + (high - low) * k / (steps - 1) for k in range(steps - 1)), high)


def axes(value: Any, place: Place) -> dict[str, tuple[float, ...]]:
    """Return one axis or more, by name."""
    found = {name: axis(item, place / name) for name, item in table(value, place).items()}
    if not found:
        place.refuse(value, "a name and its values")
    return found


def named_object(
    value: Any, place: Place, known: tuple[str, ...], settings: tuple[str, ...]
) -> Any:
    """Return a method or a distribution: ``{ name = "Explicit8", rtol = 1e-9 }``."""
    import dynlab as dl

    keys = table(value, place, ("name", *settings))
    if "name" not in keys:
        place.refuse(value, f'{{ name = "{known[0]}" }}')
    make = getattr(dl, choice(*known)(keys["name"], place / "name"))
    numbers = {k: number(v, place / k) for k, v in keys.items() if k != "name"}
    taken = inspect.signature(make).parameters
    for key in numbers:
        if key not in taken:
            (place / key).unknown(
                f"setting of {keys['name']}", key, [k for k in settings if k in taken]
            )
    for key, parameter in taken.items():
        if parameter.default is inspect.Parameter.empty and key not in numbers:
            place.refuse(value, f'{{ name = "{keys["name"]}", {key} = 0.01 }}')
    try:
        return make(**numbers)
    except DynlabError as error:
        raise TextError(f"{place}: {place.key}: {error}") from None


def inner_path(value: Any, place: Place) -> str:
    """Return a path that stays in the folder of the study, whatever the operating system."""
    text = word(value, place)
    parts = {*PurePosixPath(text).parts, *PureWindowsPath(text).parts}
    is_free = (
        PurePosixPath(text).is_absolute()
        or PureWindowsPath(text).drive
        or PureWindowsPath(text).root
    )
    if is_free or ".." in parts or "\0" in text or text.startswith("~"):
        place.refuse(value, "a path inside the folder of the study, without '..'")
    return text
