"""Point: something found at one place of state and parameter space; and what its eigenvalues decide.

Eigenvalues of a Jacobian with the imaginary axis as the border of stability, or multipliers of a map or a
cycle with the unit circle.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.errors import UnknownNameError
from dynlab.names import Layout
from dynlab.notebook import card, grid, listed
from dynlab.symbolic.entry import base_of
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = [
    "Point",
    "apart",
    "columns_of_states",
    "count_unstable",
    "described",
    "flip_sign",
    "growth",
    "is_neutral",
    "neutral_to_round_off",
    "on_axis",
    "short",
    "whole_turns",
]

Vector = NDArray[np.float64]

#: A real part counts as zero below this part of its own modulus (a centre known to round-off), and a
#: real eigenvalue below `_ROUND_OFF` of the largest.
_ZERO = 1e-9
_ROUND_OFF = 1e-13
#: In a notebook.
_MOST_ROWS = 12


class Point(abc.ABC):
    """Something found at one place of state and parameter space; it answers to names."""

    __slots__ = ()

    system: System
    state: Vector
    eigenvalues: NDArray[np.complex128]

    def __getitem__(self, name: str) -> Any:
        """Return a state, parameter or observable here, by name.

        On a network a name such as ``x`` gives all nodes, ``x[3]`` one.
        """
        system = self.system
        place = system.place_of(name)
        if place is not None:
            return float(self.state[place]) if isinstance(place, int) else self.state[place]
        if (
            name in system.parameter_names
            or base_of(name) in system.shapes
            or name in system.shapes
        ):
            return system[name]
        if name in system.observable_names:
            values = kernels_of(system).observables(
                0.0, self.state, np.array(system.parameter_values)
            )
            return float(values[system.observable_names.index(name)])
        known = system.state_names + system.parameter_names + system.observable_names
        raise UnknownNameError(f"quantity of {system.name!r}", name, known)

    @property
    def start(self) -> dict[str, Any]:
        """The state by name, as ``start=`` takes it."""
        return Layout.of(self.system).unpack(self.state)

    @property
    def unstable_directions(self) -> int:
        """How many directions lead away from the point."""
        return count_unstable(self.eigenvalues, discrete=self.system.is_discrete)

    def _repr_html_(self) -> str:
        system = self.system
        given = zip(system.parameter_names, system.parameter_values, strict=True)
        folded = {
            "state": listed(
                {
                    n: f"{v:.9g}"
                    for n, v in islice(
                        zip(system.state_names, self.state, strict=False), _MOST_ROWS
                    )
                }
            ),
            "parameters": listed({n: f"{v:.9g}" for n, v in islice(given, _MOST_ROWS)}),
            "multipliers" if system.is_discrete else "eigenvalues": grid(
                (), [[short(complex(e))] for e in self.eigenvalues[:_MOST_ROWS]]
            ),
        }
        return card(f"{type(self).__name__} of {system.name}", repr(self), folded)


def growth(eigenvalues: NDArray[np.complex128], *, discrete: bool) -> Vector:
    """Return what decides stability: real parts, or logarithms of moduli for a map."""
    if not discrete:
        return np.asarray(eigenvalues.real, dtype=float)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(eigenvalues))


def count_unstable(eigenvalues: NDArray[np.complex128], *, discrete: bool) -> int:
    """Return the number of unstable directions, not counting those that are zero to round-off."""
    rate = growth(eigenvalues, discrete=discrete)
    return int(np.sum((rate > 0) & ~neutral_to_round_off(eigenvalues, discrete=discrete)))


def neutral_to_round_off(
    eigenvalues: NDArray[np.complex128], *, discrete: bool
) -> NDArray[np.bool_]:
    """Return which eigenvalues lie on the imaginary axis (multipliers: unit circle) to round-off."""
    if discrete:
        return np.abs(growth(eigenvalues, discrete=True)) <= _ZERO
    return on_axis(eigenvalues, pair=_ZERO, real=_ROUND_OFF)


def is_neutral(
    eigenvalues: NDArray[np.complex128], *, discrete: bool, pair: float, real: float
) -> NDArray[np.bool_]:
    """Return which eigenvalues lie on the imaginary axis, or multipliers on the unit circle.

    For a map, too, ``pair`` is relative to the modulus and ``real`` to the largest one (at least 1).
    """
    if not discrete:
        return on_axis(eigenvalues, pair=pair, real=real)
    size = np.abs(eigenvalues)
    largest = np.max(size, axis=-1, keepdims=True, initial=1.0)
    own = np.where(eigenvalues.imag != 0, pair, 0.0)
    return np.asarray(np.abs(size - 1.0) <= np.maximum(own, real * largest))


def flip_sign(multipliers: NDArray[np.complex128]) -> Vector:
    """Return the sign of the product of (multiplier + 1): it changes at a period doubling.

    A product of unit factors, so it neither overflows nor minds the small imaginary parts that
    round-off gives to real multipliers.
    """
    turned = multipliers + 1.0
    size = np.abs(turned)
    unit = np.where(size > 0, turned, 0.0) / np.where(size > 0, size, 1.0)
    return np.asarray(np.sign(np.prod(unit, axis=-1).real))


def on_axis(eigenvalues: NDArray[np.complex128], *, pair: float, real: float) -> NDArray[np.bool_]:
    """Return which eigenvalues (last axis: of one matrix) lie on the imaginary axis.

    A complex one does if its real part is below ``pair`` of its own modulus, any one if its real part is
    below ``real`` of the largest modulus.
    """
    size = np.abs(eigenvalues)
    largest = np.max(size, axis=-1, keepdims=True, initial=0.0)
    own = np.where(eigenvalues.imag != 0, pair * size, 0.0)
    return np.asarray(np.abs(eigenvalues.real) <= np.maximum(own, real * largest))


def described(start: Mapping[str, Any], digits: int = 9) -> str:
    """Return a state in words: each number, of many nodes the first ones and how many there are."""
    return ", ".join(f"{name} = {_numbers(value, digits)}" for name, value in start.items())


def _numbers(value: Any, digits: int) -> str:
    if np.ndim(value) == 0:
        return f"{value:.{digits}g}"
    listed = ", ".join(f"{v:.{min(digits, 6)}g}" for v in value[:4])
    return f"({listed})" if len(value) <= 4 else f"({listed}, ... {len(value)} in all)"


def short(value: complex) -> str:
    """Return an eigenvalue in few digits."""
    if value.imag == 0:
        return f"{value.real:.6g}"
    return f"{value.real:.6g}{value.imag:+.6g}i"


def columns_of_states(points: Sequence[Point]) -> dict[str, NDArray[Any]]:
    """Return the states of several points of one system as columns by name."""
    names = points[0].system.state_names
    return dict(zip(names, np.array([p.state for p in points]).T, strict=True))


def whole_turns(system: System) -> Vector:
    """Return 2 pi for each state on a circle, 0 for every other."""
    return np.array([2 * np.pi * (d is Domain.CIRCLE) for d in system.domains])


def apart(system: System, a: Vector, b: Vector) -> Vector:
    """Return the difference of two states, without whole turns of those on a circle."""
    turns = whole_turns(system)
    difference = a - b
    return np.asarray(difference - turns * np.round(difference / np.where(turns > 0, turns, 1.0)))
