"""What every curve of bifurcations in two parameters is: equations to follow, and what to watch."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs
from dynlab.continuation.curves.plane import Plane

__all__ = [
    "PlaneCurve",
    "Survey",
    "null_pair",
    "others",
    "projected",
    "solved",
    "sum_product",
    "turned_product",
]

Vector = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Terms cancel to round-off if their sum is below this part of their sizes.
_ROUND_OFF = 2e-11


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known at points of a curve, one row each.

    Parameters
    ----------
    eigenvalues
        Of the Jacobian; multipliers for a map.
    coefficient
        The normal-form coefficient that the curve is known for; nan where there is none.
    tests
        Functions that change sign at points of codimension two, by the name of the point; nan where there
        can be none.
    """

    eigenvalues: Complex
    coefficient: Vector
    tests: Mapping[str, Vector]


@dataclass(frozen=True, slots=True)
class PlaneCurve(abc.ABC):
    """A curve in (states, what it adds, two parameters).

    Parameters
    ----------
    plane
        The system and its two parameters.
    scale
        Typical size of each unknown.
    """

    plane: Plane
    scale: Vector

    #: The kind of point that the curve consists of, in the field's words.
    word = ""
    #: How many unknowns are added to the states and parameters.
    added = 0
    #: Kernels say themselves what stands for staying in place.
    shift = 0.0
    is_large = False

    @property
    def size(self) -> int:
        """Number of unknowns but the last."""
        return self.plane.size + self.added + 1

    @property
    def vary(self) -> str:
        """The parameter that is the last unknown."""
        return self.plane.vary[1]

    @property
    def position(self) -> int:
        """Position of that parameter."""
        return int(self.plane.places[1])

    @property
    def turns(self) -> Vector:
        """A whole turn for each state on a circle, 0 for every other unknown."""
        return np.append(self.plane.turns, np.zeros(self.added + 2))

    def scaled(self, scale: Vector | float) -> Self:
        """Return the same curve in other units."""
        return replace(
            self, scale=np.broadcast_to(np.asarray(scale, float), self.scale.shape).copy()
        )

    @property
    @abc.abstractmethod
    def rhs(self) -> Any:
        """Kernel of the equations."""

    @property
    @abc.abstractmethod
    def jacobian_kernel(self) -> Any:
        """Kernel of their derivatives."""

    @abc.abstractmethod
    def borders(self, u: Vector) -> Vector:
        """Return the eigenvalue in question and the borders, as the workspace begins."""

    @abc.abstractmethod
    def survey(self, u: Vector, only: str = "") -> Survey:
        """Return what is known at consecutive points of the curve.

        Where one test alone is wanted, what costs much and is not part of it may be nan.
        """

    def inputs(self, u: Vector) -> tuple[Any, ...]:
        """Return what the kernels are given beside the unknowns, with borders made for a place."""
        from dynlab.kernels import bordered

        plane = self.plane
        own = plane.inputs(plane.vary, 2)
        kernels = plane.kernels
        head = np.zeros(bordered.HEADER, np.int64)
        head[bordered.STATES], head[bordered.FIRST] = plane.size, plane.places[0]
        head[bordered.RULE] = kernels.rhs.address
        head[bordered.JACOBIAN] = kernels.jacobian(plane.vary).address
        head[bordered.SECOND] = kernels.derivative(2, plane.vary).address
        head[bordered.MAP] = int(plane.shift)
        head[bordered.OF] = getattr(self, "of", 0)
        space = np.zeros(bordered.workspace(plane.size))
        borders = self.borders(u)
        space[: len(borders)] = borders
        values = np.array(plane.system.parameter_values)
        values[plane.places] = u[-2:]
        return tuple(
            Inputs(own.supplied, values, own.arrays, np.concatenate([head, own.sizes]),
                   np.concatenate([space, own.workspace]))
        )  # fmt: skip

    def equations(self, y: Vector) -> tuple[Vector, Vector]:
        """Return the equations and their derivatives at one place, in scaled unknowns.

        Each equation is divided by the largest of its derivatives.
        """
        u = y * self.scale
        p = self.inputs(u)
        p[1][self.position] = u[-1]
        value, flat = np.empty(self.size), np.empty(self.size * (self.size + 1))
        from dynlab.kernels import batch

        batch.evaluate(self.jacobian_kernel.address, 0.0, u[None, :-1].copy(), p, flat[None])
        batch.evaluate(self.rhs.address, 0.0, u[None, :-1].copy(), p, value[None])
        matrix = flat.reshape(self.size, self.size + 1) * self.scale
        size = np.max(np.abs(matrix), axis=1)
        size[~(size > 0)] = 1.0
        return value / size, matrix / size[:, None]


def null_pair(matrices: Any, reference: Vector) -> tuple[Any, Any]:
    """Return unit right and left null vectors of consecutive matrices, their signs continuous.

    The right vectors keep their direction from one to the next, measured in units of the reference; the
    left ones are turned so that the bordered determinant is positive.
    """
    left, _, right = np.linalg.svd(matrices)
    q, p = right[:, -1].conj(), left[:, :, -1]
    steps = np.sum((q[1:] / reference) * (q[:-1] / reference), axis=1)
    q = q * np.cumprod(np.concatenate([[1.0], np.where(steps < 0, -1.0, 1.0)]))[:, None]
    bordered = np.zeros((len(q), q.shape[1] + 1, q.shape[1] + 1))
    bordered[:, :-1, :-1] = (
        matrices / np.max(np.abs(matrices), axis=(1, 2), initial=1e-300)[:, None, None]
    )
    bordered[:, :-1, -1], bordered[:, -1, :-1] = p, q
    return q, p * np.linalg.slogdet(bordered)[0][:, None]


def others(eigenvalues: Complex, *taken: Any) -> Complex:
    """Return the eigenvalues of each row without those nearest to some values, one for each value."""
    left = eigenvalues
    for value in taken:
        value = np.broadcast_to(value, len(left))
        nearest = np.argmin(np.abs(left - value[:, None]), axis=1)
        keep = np.arange(left.shape[1]) != nearest[:, None]
        left = left[keep].reshape(len(left), -1)
    return left


def _signed(factors: Complex) -> Vector:
    """Return the product of each row of factors, which is real, each divided by 1 + its size."""
    return np.asarray(np.prod(factors / (1.0 + np.abs(factors)), axis=1).real, dtype=float)


def turned_product(eigenvalues: Complex, value: float, size: Any = 1.0) -> Vector:
    """Return a product that changes sign where a real eigenvalue passes a value."""
    return _signed((eigenvalues - value) / size)


def sum_product(eigenvalues: Complex, *, discrete: bool, size: Any = 1.0) -> Vector:
    """Return a product that changes sign where a pair becomes neutral.

    Over pairs of eigenvalues: of their sums (the bialternate product), for a map of their products less 1.
    """
    i, j = np.triu_indices(eigenvalues.shape[1], 1)
    a, b = eigenvalues[:, i], eigenvalues[:, j]
    return _signed(a * b - 1.0 if discrete else (a + b) / size)


def solved(matrices: Any, right: Any) -> Any:
    """Solve one system per row; a row whose matrix is singular becomes nan."""
    try:
        return np.linalg.solve(matrices, right[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full(right.shape, np.nan, dtype=np.result_type(matrices, right))
        return np.concatenate([
            solved(matrices[k : k + 1], right[k : k + 1]) for k in range(len(matrices))
        ])  # fmt: skip


def projected(p: Any, only: str, *terms: Any) -> Vector:
    """Return Re <p, sum of terms> at each row.

    When a whole curve is looked at, exactly 0 where the terms cancel to round-off: so they do all along a
    curve where a symmetry, or an area that is kept, leaves nothing.  Not when one test alone is wanted: the
    place where it vanishes is known better than that.
    """
    total = np.sum(np.conj(p) * sum(terms), axis=1).real
    if only:
        return np.asarray(total, dtype=float)
    size = sum(np.linalg.norm(t, axis=1) for t in terms) * np.linalg.norm(p, axis=1)
    return np.asarray(np.where(np.abs(total) <= _ROUND_OFF * size, 0.0, total), dtype=float)
