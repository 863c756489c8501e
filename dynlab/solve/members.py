"""The members of an ensemble: a start and parameter values for each, from arrays by name."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.distributions import Distribution, Quantiles, drawn
from dynlab.errors import SettingError
from dynlab.names import Layout, by_name
from dynlab.seeds import Seed
from dynlab.symbolic.system import System

__all__ = ["Members", "members_of"]

Array = NDArray[np.float64]

#: So many members at most; each takes some hundred bytes beside what is kept of it.
MOST_MEMBERS = 10**9


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Starts and parameter values, a row for each member.

    Attributes
    ----------
    shape
        The shape of the arrays that were given, to which the rows belong in C order.
    starts, parameters
        What was given, by name, in that shape.
    start_rows, parameter_rows
        All states, and all parameters, of each member.
    """

    shape: tuple[int, ...]
    starts: dict[str, Array]
    parameters: dict[str, Array]
    start_rows: Array
    parameter_rows: Array

    def __len__(self) -> int:
        return len(self.start_rows)

    def pieces(self, size: int) -> Iterator[slice]:
        """Yield the rows in pieces of a size."""
        for first in range(0, len(self), size):
            yield slice(first, min(first + size, len(self)))


def members_of(
    system: System,
    starts: Mapping[str, Any] | None,
    parameters: Mapping[str, Any] | None,
    size: int | None,
    seed: Seed,
) -> Members:
    """Return the members: arrays broadcast against each other, distributions drawn.

    Raises
    ------
    SettingError
        If shapes do not fit, a value is not a finite number, or nothing says how many members there
        are.
    UnknownNameError
        If a name is not a state, or not a parameter.
    """
    layout = Layout.of(system)
    given_starts = by_name(starts, "starts")
    given_parameters = by_name(parameters, "parameters")
    state_places = {name: _place(system, layout, name) for name in given_starts}
    parameter_places = {name: layout.parameter(name) for name in given_parameters}
    given = {f"starts[{name!r}]": value for name, value in given_starts.items()}
    given |= {f"parameters[{name!r}]": value for name, value in given_parameters.items()}
    inner: dict[str, tuple[int, ...]] = dict.fromkeys(given, ())
    inner |= {f"starts[{name!r}]": _inner(place) for name, place in state_places.items()}
    fixed = {
        what: _for_nodes(_numbers(value, what), what, inner[what])
        for what, value in given.items()
        if not _is_drawn(value)
    }
    outer = {what: values.shape[: values.ndim - len(inner[what])] for what, values in fixed.items()}
    shape = _shape(outer, size)

    def whole(what: str) -> Array:
        full = shape + inner[what]
        if what in fixed:
            return np.ascontiguousarray(np.broadcast_to(fixed[what], full))
        values = drawn(given[what], int(np.prod(full)), _stream(seed, what))
        return _numbers(values, what).reshape(full)

    of_starts = {name: whole(f"starts[{name!r}]") for name in given_starts}
    of_parameters = {name: whole(f"parameters[{name!r}]") for name in given_parameters}
    count = int(np.prod(shape))
    start_rows = np.tile(np.array(system.start_values), (count, 1))
    parameter_rows = np.tile(np.array(system.parameter_values or (0.0,)), (count, 1))
    for name, place in state_places.items():
        start_rows[:, place] = of_starts[name].reshape(count, *inner[f"starts[{name!r}]"])
    for name, column in parameter_places.items():
        parameter_rows[:, column] = of_parameters[name].ravel()
    return Members(shape, of_starts, of_parameters, start_rows, parameter_rows)


def _place(system: System, layout: Layout, name: str) -> int | slice:
    """Return where a state stands; a range if it has one number for each node."""
    place = system.place_of(name)
    return layout.places(name) if place is None else place


def _inner(place: int | slice) -> tuple[int, ...]:
    """Return the shape of one member's value: a number, or one for each node of a network."""
    return (place.stop - place.start,) if isinstance(place, slice) else ()


def _for_nodes(values: Array, what: str, inner: tuple[int, ...]) -> Array:
    """Refuse an array that has not one number for each node; one number is for all nodes."""
    if not inner or values.ndim == 0:
        return np.broadcast_to(values, inner) if inner else values
    if values.shape[-1] != inner[0]:
        raise SettingError(
            f"{what} has the shape {values.shape}, but there are {inner[0]} nodes. Give an array of "
            "members x nodes."
        )
    return values


def _is_drawn(value: Any) -> bool:
    return isinstance(value, Distribution | Quantiles)


def _stream(seed: Seed, what: str) -> np.random.Generator:
    """Return a stream for a name: what is drawn beside it changes nothing."""
    return seed.stream(zlib.crc32(what.encode()))


def _numbers(value: Any, what: str) -> Array:
    """Return an array of finite floats."""
    given = np.asarray(value)
    if given.dtype.kind not in "iuf":
        raise SettingError(
            f"{what} holds {given.dtype} and not real numbers. Give a number, an array of numbers "
            "with one for each member, or a distribution such as dl.Gaussian(0, 1)."
        )
    numbers = given.astype(float)
    if not np.isfinite(numbers).all():
        first = int(np.flatnonzero(~np.isfinite(numbers.ravel()))[0])
        raise SettingError(
            f"{what} is {numbers.ravel()[first]} for member {first}; give finite numbers."
        )
    return numbers


def _shape(shapes: Mapping[str, tuple[int, ...]], size: int | None) -> tuple[int, ...]:
    """Return the shape that all arrays have, or broadcast to."""
    try:
        shape = np.broadcast_shapes(*shapes.values())
    except ValueError:
        listed = ", ".join(f"{what} {of_one}" for what, of_one in shapes.items())
        raise SettingError(
            f"the arrays do not fit together: {listed}. Give arrays of one shape, or such that numpy "
            "broadcasts against each other, as x[:, None] and y[None, :] for a grid."
        ) from None
    if size is not None:
        wanted = _whole(size)
        if shape not in ((), (1,), (wanted,)):
            raise SettingError(
                f"size is {wanted}, but the arrays have the shape {shape}. Leave size out."
            )
        shape = (wanted,)
    if shape == ():
        raise SettingError(
            "nothing says how many members there are. Give an array in starts or parameters, such as "
            "starts={'x': np.linspace(-1, 1, 100)}, or size=100 with a distribution."
        )
    if not 0 < np.prod(shape, dtype=float) <= MOST_MEMBERS:
        raise SettingError(
            f"the arrays have the shape {shape}: give at least one member and at most {MOST_MEMBERS:g}."
        )
    return shape


def _whole(size: Any) -> int:
    if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
        raise SettingError(f"size is {size!r}; give how many members, a positive whole number.")
    return int(size)
