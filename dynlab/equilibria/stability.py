"""Equilibrium: a point where nothing moves, with its eigenvalues and type.

Types follow the eigenvalues of the Jacobian (Strogatz, Nonlinear Dynamics and Chaos, ch. 5;
Kuznetsov, Elements of Applied Bifurcation Theory, ch. 2); for a map they are its multipliers and the
unit circle takes the place of the imaginary axis.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.equilibria.characteristic_roots import characteristic_roots
from dynlab.equilibria.large import is_large, leading_eigenvalues, sparse_jacobian_of
from dynlab.errors import AccuracyWarning
from dynlab.point import (
    Point,
    apart,
    columns_of_states,
    count_unstable,
    described,
    flip_sign,
    growth,
    is_neutral,
    neutral_to_round_off,
    on_axis,
    short,
    whole_turns,
)
from dynlab.symbolic.delays import lag_values, linear_parts, standing
from dynlab.symbolic.system import System

__all__ = [
    "Equilibrium",
    "Point",
    "apart",
    "columns_of_states",
    "count_unstable",
    "described",
    "flip_sign",
    "growth",
    "is_neutral",
    "jacobian_at",
    "on_axis",
    "short",
    "whole_turns",
]

Vector = NDArray[np.float64]

#: So many characteristic roots are asked for at least, and at most.
FEWEST_ROOTS, MOST_ROOTS = 6, 96
#: A state is always 0 if it is smaller than this part of the largest.
_NOTHING = 1e-25


def typical_size(system: System, state: Vector | float = 0.0) -> Vector:
    """Return the size of each state, here or at the default start; 1 for one that is always 0."""
    size = np.maximum(np.abs(state), np.abs(np.array(system.start_values)))
    # What Newton's method leaves of a zero, such as 1e-40, is no size.
    return np.where(size > _NOTHING * max(float(np.max(size, initial=0.0)), 1e-5), size, 1.0)


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
        Of the Jacobian (per unit of time), the most unstable first; multipliers for a map.  With delays they are the
        rightmost characteristic roots, all unstable ones among them.
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
        if self.system.is_delayed:
            return _null_vectors(self.system, self.state, self.eigenvalues)
        values, vectors = np.linalg.eig(jacobian_at(self.system, self.state))
        return np.asarray(vectors[:, order_of(values, self.system)], dtype=complex)

    def __repr__(self) -> str:
        state = described(self.start)
        values = ", ".join(short(e) for e in self.eigenvalues[:6])
        more = ", ..." if len(self.eigenvalues) > 6 else ""
        word = "multipliers" if self.system.is_discrete else "eigenvalues"
        return f"<{self.kind} of {self.system.name} at {state};\n {word} {values}{more}>"


def _null_vectors(
    system: System, state: Vector, roots: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Return for each characteristic root l the v with ``l v = A_0 v + sum of A exp(-l tau) v``."""
    now, later = linearised(system, state)
    found = []
    for root in roots:
        decayed = sum(matrix * np.exp(-root * tau) for tau, matrix in later.items())
        delta = root * np.eye(len(state)) - now - decayed
        found.append(np.linalg.svd(delta)[2][-1].conj())
    return np.array(found).T


def order_of(values: NDArray[Any], system: System) -> NDArray[np.intp]:
    rate = growth(np.asarray(values, dtype=complex), discrete=system.is_discrete)
    return np.lexsort((-np.asarray(values).imag, -rate))


def eigenvalues_at(system: System, state: Vector) -> NDArray[np.complex128]:
    """Return the eigenvalues at a state, the most unstable first; of a large network the leading ones.

    With delays they are the rightmost characteristic roots.
    """
    if system.is_delayed:
        return roots_at(system, state)
    if not is_large(system):
        return sorted_eigenvalues(jacobian_at(system, state), system)
    matrix = sparse_jacobian_of(system)(0.0, state, np.array(system.parameter_values or (0.0,)))
    found = leading_eigenvalues(matrix)
    return found[order_of(found, system)]


def linearised(system: System, state: Vector) -> tuple[Vector, dict[float, Vector]]:
    """Return the matrices of a system with delays about an equilibrium: of now, and by delay."""
    n, values = len(state), lag_values(system)
    kernel = kernels_of(standing(system)).expressions(linear_parts(system))
    whole = kernel(0.0, state, np.array(system.parameter_values or (0.0,))).reshape(n, -1)
    now, later = whole[:, :n].copy(), dict[float, Vector]()
    for column, (lag, delay) in enumerate(zip(system.delays, values, strict=True)):
        matrix = later.setdefault(delay, np.zeros((n, n))) if delay > 0 else now
        matrix[:, system.state_names.index(lag.state)] += whole[:, n + column]
    return now, later


def roots_at(system: System, state: Vector) -> NDArray[np.complex128]:
    """Return the characteristic roots at an equilibrium from the right: the unstable ones, and some that are not."""
    now, later = linearised(system, state)
    if not later:
        return sorted_eigenvalues(now, system)
    count = max(FEWEST_ROOTS, 2 * len(state))
    while True:
        found = characteristic_roots(now, delayed=later, count=count)
        enough = len(found.roots) < count or found.roots[-1].real < 0
        if enough or count >= MOST_ROOTS:
            break
        count *= 2
    if not (enough and found.status.ok):
        warnings.warn(
            f"the characteristic roots of {system.name!r} at an equilibrium are not certain ({found.status}, {len(found.roots)} "
            "of them): its delays are long against its rates. Rescale the time, or look at dl.characteristic_roots.",
            AccuracyWarning,
            stacklevel=2,
        )
    return np.asarray(found.roots)


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
    zero = neutral_to_round_off(eigenvalues, discrete=discrete)
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


def table_of(points: Mapping[str, Any] | tuple[Point, ...]) -> dict[str, NDArray[Any]]:
    """Return states, kinds and eigenvalues of several points as columns."""
    points = tuple(points)  # type: ignore[arg-type]
    if not points:
        return {}
    columns: dict[str, NDArray[Any]] = {}
    columns |= columns_of_states(points)
    columns["kind"] = np.array([getattr(p, "kind", type(p).__name__) for p in points])
    # With delays each has as many roots as it takes to reach a stable one.
    for k in range(min(len(p.eigenvalues) for p in points)):
        columns[f"eigenvalue {k + 1}"] = np.array([p.eigenvalues[k] for p in points])
    return columns
