"""Axis: values that run together along one direction of a study."""

from __future__ import annotations

import keyword
import math
import numbers
from collections.abc import Iterable, Mapping, Sized
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import DuplicateNameError, SettingError

__all__ = ["REPLICATE", "Axis", "Design", "Replicates", "Zipped", "grid_axis"]

Column = NDArray[Any] | tuple[Any, ...]

#: The name under which a function receives the number of its replicate, if it asks for it.
REPLICATE = "replicate"


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Values that run together along one direction of a study; `dynlab.Sweep` makes them.

    Attributes
    ----------
    columns
        The values by name, all of one length: an array of numbers or texts, or a tuple of objects.
    """

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    @property
    def name(self) -> str:
        """The name of the direction; several names that run together are joined."""
        return "_".join(self.columns)

    def value(self, name: str, position: int) -> Any:
        """Return one value as Python's own number or text."""
        column = self.columns[name]
        return column[position].item() if isinstance(column, np.ndarray) else column[position]


@runtime_checkable
class Design(Protocol):
    """What lays out an axis of a study: `Zipped`, `Replicates`, `Sobol`, ..."""

    def lay_out(self) -> Axis:
        """Return the axis."""


class Zipped:
    """Parameters that vary together: the first values of all, then the second, ...

    Any list of points is one of these, also one in which the range of a parameter depends on another.

    Parameters
    ----------
    **columns
        The values by name, all of one length.

    Raises
    ------
    SettingError
        If the lengths differ, or a list holds nothing or what is no value.

    Examples
    --------
    >>> import dynlab as dl
    >>> study = dl.Sweep(dl.Zipped(size=[10, 100], step=[0.1, 0.01]), noise=[0.0, 0.5])
    >>> study.shape, study[3]
    ((2, 2), {'size': 100, 'step': 0.01, 'noise': 0.5})
    """

    __slots__ = ("_axis",)

    def __init__(self, **columns: Iterable[Any]) -> None:
        if not columns:
            raise SettingError("nothing was given to zip. Give lists by name, as in a=[1, 2].")
        laid = {checked_axis_name(name): column_of(name, v) for name, v in columns.items()}
        lengths = {name: len(column) for name, column in laid.items()}
        if len(set(lengths.values())) > 1:
            raise SettingError(
                f"lists that vary together have different lengths: {lengths}. Give as many values of "
                "each, or give them to dl.Sweep one by one for all combinations."
            )
        self._axis = Axis(laid)

    def lay_out(self) -> Axis:
        """Return the axis."""
        return self._axis

    def __repr__(self) -> str:
        return f"Zipped({', '.join(self._axis.columns)}: {len(self._axis)} points)"


@dataclass(frozen=True, slots=True)
class Replicates:
    """The same point several times, each with random numbers of its own.

    A function that takes ``replicate`` receives the number, from 0; one that takes ``seed`` receives a
    different seed each time.

    Parameters
    ----------
    count
        How many times.

    Raises
    ------
    SettingError
        If the count is no positive whole number.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.Sweep(dl.Replicates(3), rate=[1.0, 2.0]).shape
    (3, 2)
    """

    count: int

    def __post_init__(self) -> None:
        checked_count(self.count, "the number of replicates")

    def lay_out(self) -> Axis:
        """Return the axis."""
        return Axis({REPLICATE: np.arange(self.count)})


def grid_axis(name: str, values: Iterable[Any]) -> Axis:
    """Return the axis of one parameter of a grid; each value may stand there once."""
    column = column_of(name, values)
    if isinstance(column, np.ndarray) and np.unique(column).size < column.size:
        kinds, counts = np.unique(column, return_counts=True)
        raise SettingError(
            f"the value {kinds[counts > 1][0]!s} stands more than once on the axis {name!r}. Leave it out, or "
            "give dl.Replicates(n) to repeat every point."
        )
    return Axis({checked_axis_name(name): column})


def checked_axis_name(name: str) -> str:
    """Return the name if a function can have a parameter of that name."""
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise SettingError(f"{name!r} cannot be the name of a parameter. Give a Python name.")
    if name == REPLICATE:
        raise DuplicateNameError(f"{name!r} is the name of repetitions. Give dl.Replicates(n).")
    return name


def checked_count(count: Any, what: str) -> int:
    """Return a positive whole number, or say what is none."""
    whole = isinstance(count, numbers.Integral) and not isinstance(count, bool)
    if not whole or count < 1:
        raise SettingError(f"{what} is {count!r}. Give a positive whole number.")
    return int(count)


def column_of(name: str, values: Any) -> Column:
    """Return the values of one parameter: an array of one kind, or a tuple of whatever they are."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise SettingError(
            f"the values of {name!r} are {values!r}. Give a list or an array of values, such as "
            f"{name}=[1.0, 2.0] or {name}=np.linspace(0, 1, 11)."
        )
    if not isinstance(values, Sized):
        values = list(values)
    if np.ndim(values) > 1 and isinstance(values, np.ndarray):
        raise SettingError(
            f"the values of {name!r} are an array of shape {values.shape}. Give one value after the "
            f"other: {name}=list(array) hands over whole rows."
        )
    if len(values) == 0:
        raise SettingError(f"the list of values of {name!r} is empty. Give at least one.")
    array = _array(values)
    if array is None:
        return tuple(values)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array))[0])
        raise SettingError(
            f"value {at} of {name!r} is {array[at]}. Give finite numbers; leave out what is none."
        )
    return array


def _array(values: Any) -> NDArray[Any] | None:
    """Return values of one kind as an array; None where they are objects or of several kinds."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "biufU":
        widened = {"u": np.int64, "i": np.int64, "f": np.float64}.get(values.dtype.kind)
        return values.astype(widened) if widened else values.copy()
    kinds: tuple[tuple[Any, Any], ...] = (
        (bool | np.bool_, np.bool_),
        (str, np.str_),
        (numbers.Integral, np.int64),
        (numbers.Real, np.float64),
    )
    is_bool = [isinstance(v, bool | np.bool_) for v in values]
    for kind, dtype in kinds:
        if all(isinstance(v, kind) for v in values):
            if dtype in (np.int64, np.float64) and any(is_bool):
                return None
            if dtype is np.int64 and any(abs(int(v)) >= 1 << 63 for v in values):
                return None
            return np.array(list(values), dtype=dtype)
    return None


def token(value: Any) -> str:
    """Return a text that is the same for the same plain value, everywhere and ever."""
    if isinstance(value, float):
        return "f" + (value + 0.0).hex() if math.isfinite(value) else "f" + repr(value)
    return f"{type(value).__name__[0]}{value!r}"
