"""Equilibrium: a point where nothing moves, with its eigenvalues and type.

Types follow the eigenvalues of the Jacobian (Strogatz, Nonlinear Dynamics and Chaos, ch. 5;
Kuznetsov, Elements of Applied Bifurcation Theory, ch. 2); for a map they are its multipliers and the
unit circle takes the place of the imaginary axis.
"""

from __future__ import annotations

import abc
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.large import is_large, leading_eigenvalues, sparse_jacobian_of
from dynlab.errors import UnknownNameError
from dynlab.names import Layout
from dynlab.symbolic.entry import base_of
from dynlab.symbolic.system import Domain, System

__all__ = ["Equilibrium", "Point", "jacobian_at"]

Vector = NDArray[np.float64]

#: A real part counts as zero below this part of its own modulus (a centre known to round-off), and a
#: real eigenvalue below `_ROUND_OFF` of the largest.
_ZERO = 1e-9
_ROUND_OFF = 1e-13
#: A state is always 0 if it is smaller than this part of the largest.
_NOTHING = 1e-25


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
        return f"<pre>{html.escape(repr(self))}</pre>"


def growth(eigenvalues: NDArray[np.complex128], *, discrete: bool) -> Vector:
    """Return what decides stability: real parts, or logarithms of moduli for a map."""
    if not discrete:
        return np.asarray(eigenvalues.real, dtype=float)
    with np.errstate(divide="ignore"):
        return np.log(np.abs(eigenvalues))


def count_unstable(eigenvalues: NDArray[np.complex128], *, discrete: bool) -> int:
    """Return the number of unstable directions, not counting those that are zero to round-off."""
    rate = growth(eigenvalues, discrete=discrete)
    return int(np.sum((rate > 0) & ~_is_neutral(eigenvalues, discrete=discrete)))


def _is_neutral(eigenvalues: NDArray[np.complex128], *, discrete: bool) -> NDArray[np.bool_]:
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


def typical_size(system: System, state: Vector | float = 0.0) -> Vector:
    """Return the size of each state, here or at the default start; 1 for one that is always 0."""
    size = np.maximum(np.abs(state), np.abs(np.array(system.start_values)))
    # What Newton's method leaves of a zero, such as 1e-40, is no size.
    return np.where(size > _NOTHING * max(float(np.max(size, initial=0.0)), 1e-5), size, 1.0)


def whole_turns(system: System) -> Vector:
    """Return 2 pi for each state on a circle, 0 for every other."""
    return np.array([2 * np.pi * (d is Domain.CIRCLE) for d in system.domains])


def apart(system: System, a: Vector, b: Vector) -> Vector:
    """Return the difference of two states, without whole turns of those on a circle."""
    turns = whole_turns(system)
    difference = a - b
    return np.asarray(difference - turns * np.round(difference / np.where(turns > 0, turns, 1.0)))


def jacobian_at(system: System, state: Vector, active: tuple[str, ...] = ()) -> Vector:
    """Return the Jacobian by states and active parameters at a state, n x (n + a)."""
    flat = kernels_of(system).jacobian(active)(0.0, state, np.array(system.parameter_values))
    return flat.reshape(len(state), -1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Equilibrium(Point):
    """An equilibrium of a flow, or a fixed point of a map.

    Parameters
    ----------
    system
        The system, with the parameter values for which this is an equilibrium.
    state
        The state vector; ``equilibrium["v"]`` is one component.
    eigenvalues
        Of the Jacobian (per unit of time), the most unstable first; multipliers for a map.
    accuracy
        Size of the last Newton step relative to the state: about the relative error.
    continuum
        0 for an isolated point; else the dimension of the set of equilibria it lies in.
    null_directions
        In how many directions the Jacobian is singular, measured against its typical size.

    Examples
    --------
    >>> import dynlab as dl
    >>> rest = dl.find_equilibria(dl.zoo.van_der_pol, within={"x": (-3, 3), "y": (-3, 3)}).single()
    >>> rest.kind
    'unstable focus'
    """

    system: System
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float = 0.0
    continuum: int = 0
    null_directions: int = 0

    @classmethod
    def at(
        cls, system: System, state: Vector, accuracy: float, continuum: int = 0,
        null_directions: int = 0,
    ) -> Equilibrium:  # fmt: skip
        """Return the equilibrium at a state vector already found, with its eigenvalues."""
        eigenvalues = eigenvalues_at(system, state)
        return cls(system, state, eigenvalues, accuracy, continuum, null_directions)

    @property
    def kind(self) -> str:
        """Type of the equilibrium in words, such as ``"stable node"`` or ``"saddle"``."""
        if self.null_directions and not self.continuum:
            return "degenerate fixed point" if self.system.is_discrete else "degenerate equilibrium"
        return kind_of(self.eigenvalues, self.continuum, discrete=self.system.is_discrete)

    @property
    def is_stable(self) -> bool:
        """Whether every direction leads back (all real parts below zero)."""
        rate = growth(self.eigenvalues, discrete=self.system.is_discrete)
        return bool(np.all(rate < 0)) and "degenerate" not in self.kind

    @property
    def eigenvectors(self) -> NDArray[np.complex128]:
        """Unit right eigenvectors as columns, in the order of the eigenvalues."""
        values, vectors = np.linalg.eig(jacobian_at(self.system, self.state))
        return np.asarray(vectors[:, order_of(values, self.system)], dtype=complex)

    def __repr__(self) -> str:
        state = described(self.start)
        values = ", ".join(short(e) for e in self.eigenvalues[:6])
        more = ", ..." if len(self.eigenvalues) > 6 else ""
        word = "multipliers" if self.system.is_discrete else "eigenvalues"
        return f"<{self.kind} of {self.system.name} at {state};\n {word} {values}{more}>"


def described(start: Mapping[str, Any], digits: int = 9) -> str:
    """Return a state in words: each number, of many nodes the first ones and how many there are."""
    return ", ".join(f"{name} = {_numbers(value, digits)}" for name, value in start.items())


def _numbers(value: Any, digits: int) -> str:
    if np.ndim(value) == 0:
        return f"{value:.{digits}g}"
    listed = ", ".join(f"{v:.{min(digits, 6)}g}" for v in value[:4])
    return f"({listed})" if len(value) <= 4 else f"({listed}, ... {len(value)} in all)"


def short(value: complex) -> str:
    if value.imag == 0:
        return f"{value.real:.6g}"
    return f"{value.real:.6g}{value.imag:+.6g}i"


def order_of(values: NDArray[Any], system: System) -> NDArray[np.intp]:
    rate = growth(np.asarray(values, dtype=complex), discrete=system.is_discrete)
    return np.lexsort((-np.asarray(values).imag, -rate))


def eigenvalues_at(system: System, state: Vector) -> NDArray[np.complex128]:
    """Return the eigenvalues at a state, the most unstable first; of a large network the leading ones."""
    if not is_large(system):
        return sorted_eigenvalues(jacobian_at(system, state), system)
    matrix = sparse_jacobian_of(system)(0.0, state, np.array(system.parameter_values or (0.0,)))
    found = leading_eigenvalues(matrix)
    return found[order_of(found, system)]


def sorted_eigenvalues(matrix: Vector, system: System) -> NDArray[np.complex128]:
    """Return the eigenvalues of a matrix, the most unstable first."""
    values = np.linalg.eigvals(matrix).astype(complex)
    return values[order_of(values, system)]


def kind_of(eigenvalues: NDArray[np.complex128], continuum: int, *, discrete: bool) -> str:
    """Name the type of an equilibrium by its eigenvalues."""
    noun = "fixed point" if discrete else "equilibrium"
    if continuum == 1:
        return f"line of {noun}s" if discrete else "line of equilibria"
    if continuum > 1:
        return f"{continuum}-dimensional set of {noun}s" if discrete else (
            f"{continuum}-dimensional set of equilibria"
        )  # fmt: skip
    rate = growth(eigenvalues, discrete=discrete)
    zero = _is_neutral(eigenvalues, discrete=discrete)
    rotating = eigenvalues.imag != 0
    if np.any(zero & ~rotating):
        return f"degenerate {noun}"
    if np.any(zero):
        return "centre" if np.all(zero) else f"degenerate {noun}"
    unstable = rate > 0
    if np.any(unstable) and not np.all(unstable):
        return "saddle-focus" if np.any(rotating) else "saddle"
    stability = "unstable" if np.any(unstable) else "stable"
    # The leading eigenvalue decides how orbits wind near the point.
    leading = np.argmin(np.abs(rate)) if np.all(np.isfinite(rate)) else int(np.argmax(rate))
    return f"{stability} {'focus' if rotating[leading] else 'node'}"


def columns_of_states(points: Sequence[Point]) -> dict[str, NDArray[Any]]:
    """Return the states of several points of one system as columns by name."""
    names = points[0].system.state_names
    return dict(zip(names, np.array([p.state for p in points]).T, strict=True))


def table_of(points: Mapping[str, Any] | tuple[Point, ...]) -> dict[str, NDArray[Any]]:
    """Return states, kinds and eigenvalues of several points as columns."""
    points = tuple(points)  # type: ignore[arg-type]
    if not points:
        return {}
    first = points[0]
    columns: dict[str, NDArray[Any]] = {}
    columns |= columns_of_states(points)
    columns["kind"] = np.array([getattr(p, "kind", type(p).__name__) for p in points])
    for k in range(len(first.eigenvalues)):
        columns[f"eigenvalue {k + 1}"] = np.array([p.eigenvalues[k] for p in points])
    return columns
