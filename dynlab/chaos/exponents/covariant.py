"""covariant_vectors: the directions that belong to the Lyapunov exponents, and the angles between them.

Along an orbit there is for each exponent a direction that the flow carries into itself, and that grows at that
rate forward and backward in time (Oseledets 1968, Trans. Moscow Math. Soc. 19, 197).  The orthonormal
vectors of a Lyapunov spectrum are not these: only the first is, the others are bent to be orthogonal.

The algorithm of [1]: run forward with orthonormal deviations Q and keep the triangular R of each
stretch; at the end begin with any upper triangular C and go back with ``C -> R^-1 C``, which tends to the
coefficients of the covariant vectors in Q as fast as exponents differ.  So both ends of the run are given away:
the transient before, for Q, and as much after, for C.

Cost: that of all the Lyapunov exponents asked for, and room for n m + m^2 numbers for each stretch.  What makes it
fail: exponents that are equal, or nearly so over the transient, share a plane in which the vectors are any;
maps that are not invertible lose directions, and there is no way back.

References
----------
1. Ginelli, Poggi, Turchi, Chate, Livi and Politi 2007, Phys. Rev. Lett. 99, 130601.
2. Ginelli, Chate, Livi and Politi 2013, J. Phys. A 46, 254005.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.exponents.averages import standard_error
from dynlab.chaos.exponents.deviations import (
    DEFAULT_METHOD,
    Deviations,
    deviations_of,
    random_vectors,
)
from dynlab.chaos.exponents.orbit import Wanted
from dynlab.errors import SettingError, SingularProblem
from dynlab.kernels import covariant
from dynlab.names import Layout
from dynlab.result import Provenance, Result
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CovariantVectors", "covariant_vectors"]

Array = NDArray[np.float64]
#: Vectors of a flow are given at so many times.
SAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CovariantVectors(Result):
    """Covariant Lyapunov vectors along an orbit, numbered as the exponents are: 1 grows fastest.

    Attributes
    ----------
    system
        What moved.
    times
        The times at which the vectors are given.
    states
        The states then, a row each.
    vectors
        The vectors then, of unit length: time x number of the vector x state.
    growth
        The logarithm of the growth of each until the next time; a row less.
    status
        How the run ended.
    provenance
        Where it came from.
    """

    system: System
    times: Array
    states: Array
    vectors: Array
    growth: Array
    status: Status
    provenance: Provenance

    @property
    def count(self) -> int:
        """How many vectors there are at each time."""
        return int(self.vectors.shape[1])

    @property
    def exponents(self) -> Array:
        """The mean rates at which the vectors grow: the Lyapunov exponents of this stretch of the orbit."""
        if not self.growth.size:
            return np.full(self.count, np.nan)
        return np.asarray(self.growth.sum(axis=0) / (self.times[-1] - self.times[0]))

    @property
    def standard_errors(self) -> Array:
        """Their standard errors, from the scatter over 32 parts of the run."""
        return standard_error(np.diff(self.times), self.growth)

    def vector(self, number: int) -> dict[str, Array]:
        """Return the components of a vector over time, by the names of the states.

        Raises
        ------
        SettingError
            If there is no vector of that number.
        """
        rows = self.vectors[:, self._place(number)]
        return dict(zip(self.system.state_names, rows.T, strict=True))

    def angle(self, first: int, second: int) -> Array:
        """Return the angle between the lines of two vectors over time, from 0 to pi/2.

        Raises
        ------
        SettingError
            If there is no vector of that number.
        """
        v, w = (self.vectors[:, self._place(number)] for number in (first, second))
        # From the chord, which keeps its digits where the arc cosine loses them.
        sign = np.where(np.einsum("ti,ti->t", v, w) < 0, -1.0, 1.0)[:, None]
        return np.asarray(2 * np.arcsin(np.minimum(np.linalg.norm(v - sign * w, axis=1) / 2, 1.0)))

    def angle_between(self, first: Sequence[int], second: Sequence[int]) -> Array:
        """Return the smallest angle between the spaces of two sets of vectors over time.

        Between the expanding and the contracting ones it stays away from 0 if the attractor is hyperbolic.

        Raises
        ------
        SettingError
            If there is no vector of some number.
        """
        one, two = (
            np.linalg.qr(np.swapaxes(self.vectors[:, [self._place(k) for k in numbers]], 1, 2))[0]
            for numbers in (first, second)
        )
        # The sine of the smallest angle is how far the nearest of one space lies from the other.
        away = two - one @ (np.swapaxes(one, 1, 2) @ two)
        return np.asarray(np.arcsin(np.minimum(np.linalg.norm(away, ord=-2, axis=(1, 2)), 1.0)))

    def _place(self, number: int) -> int:
        if number != int(number) or not 1 <= number <= self.count:
            raise SettingError(
                f"number is {number!r}, but {self.system.name!r} has here the vectors 1 to {self.count}, 1 "
                "being that of the largest exponent. Give one of these, or ask for more with count=."
            )
        return int(number) - 1

    def to_table(self) -> dict[str, Array]:
        """Return the time and the angles between neighbours as columns."""
        pairs = range(1, self.count)
        return {"time": self.times} | {f"angle_{k}_{k + 1}": self.angle(k, k + 1) for k in pairs}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw how often vectors meet at what angle: every pair, or neighbours where there are many."""
        from dynlab.plotting import draw_angles

        numbers = range(1, self.count + 1)
        pairs = [(j, k) for j in numbers for k in numbers if j < k]
        if len(pairs) > _MOST_PAIRS:
            pairs = [(k, k + 1) for k in numbers[: min(_MOST_PAIRS, self.count - 1)]]
        return draw_angles(ax, {f"{j} and {k}": self.angle(j, k) for j, k in pairs})

    def __repr__(self) -> str:
        rates = ", ".join(f"{e:.4g}" for e in self.exponents[:4])
        more = ", ..." if self.count > 4 else ""
        return (
            f"<covariant vectors of {self.system.name}: {len(self.times)} times {self.count}, growing at "
            f"{rates}{more};\n {self.status}>"
        )


_MOST_PAIRS = 6


def covariant_vectors(  # noqa: PLR0913  (how many, from where, how long, how)
    system: System,
    *,
    count: int | None = None,
    start: Mapping[str, float] | Sequence[float] | None = None,
    duration: float,
    transient: float,
    method: OdeMethod = DEFAULT_METHOD,
    seed: Any = None,
) -> CovariantVectors:
    """Return the covariant Lyapunov vectors along the orbit from a start.

    The directions v_i that the linearised flow carries into themselves and that grow at the rates of the
    exponents.  They are tangent to the unstable and stable manifolds; where the orbit moves, the vector of
    the exponent 0 of a flow is its direction.

    Parameters
    ----------
    system
        A flow or an invertible map.
    count
        How many, from the fastest; all if left out.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        Over how long vectors are given: of a flow at 1001 times, of a map at each step.
    transient
        How long the orbit runs before, and again after: vectors come as near to their directions as
        ``exp(-(l_i - l_j) transient)``.
    method
        Method and tolerances, for flows; deviations keep to them as well.
    seed
        Of the first and last directions.

    Returns
    -------
    CovariantVectors
        Of a run that escapes or is stopped nothing is known, as the way back begins at its end: its result
        is empty, and its status says why.

    Raises
    ------
    SettingError
        If duration, transient, count or method cannot be used.
    UnknownNameError
        If a state in `start` does not exist.
    UnsupportedSystemError
        If the system has events.
    SingularProblem
        If a direction is lost on the way, as by a map that is not invertible.

    Examples
    --------
    The cat map stretches and shrinks along the eigenvectors of its matrix, at right angles:

    >>> import dynlab as dl
    >>> import numpy as np
    >>> found = dl.covariant_vectors(dl.zoo.arnold_cat, duration=100, transient=30, seed=1)
    >>> bool(np.allclose(found.angle(1, 2), np.pi / 2))
    True

    References
    ----------
    1. Ginelli, Poggi, Turchi, Chate, Livi and Politi 2007, Phys. Rev. Lett. 99, 130601.
    """
    began = perf_counter()
    wanted = Wanted.checked(system, count, duration, transient, method, seed)
    if wanted.transient <= 0:
        raise SettingError(
            "transient is 0, but the vectors turn into place in that time. Give some ten times the "
            "inverse of the smallest difference of exponents."
        )
    # The way back begins a second transient later.
    require_recorded(system.signals, 0.0, wanted.duration + 2 * wanted.transient)
    begin = Layout.of(system).pack(start, system.start_values)
    vectors = random_vectors(wanted.count, len(begin), wanted.seed.stream(0))
    carried = deviations_of(system, begin, vectors, method=wanted.method)
    carried.measure(wanted.transient, 1, "transient")
    way = _forward(carried, wanted, is_map=system.is_discrete)
    coefficients, growth = _backward(way, system, wanted)
    kept = way.samples
    sums = np.add.reduceat(growth[: kept[-1]], kept[:-1]) if len(kept) > 1 else growth[:0]
    directions = np.einsum("kij,kin->kjn", coefficients[kept], way.bases[kept])
    return CovariantVectors(
        system, way.times[kept], way.states[kept], directions, sums, carried.status,
        wanted.provenance("covariant_vectors", system, perf_counter() - began),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Way:
    """What was met at the beginning of each stretch, what each did to the columns, and which begin a sample."""

    times: Array
    states: Array
    bases: Array
    triangles: Array
    samples: NDArray[np.int64]


def _forward(carried: Deviations, wanted: Wanted, *, is_map: bool) -> _Way:
    """Run over the duration and the transient after it, and keep everything."""
    number = int(wanted.duration) if is_map else SAMPLES
    step = 1.0 if is_map else wanted.duration / number
    rows = number + max(round(wanted.transient / step), 1) + 1
    carried.orthonormalise()
    begin, state, basis = carried.t, carried.state, carried.vectors
    note = "covariant vectors"
    if is_map:
        parts = [carried.stretches(rows, rows, note)]
    else:
        # Samples are at equal distances in time, and steps end there.
        parts = []
        for row in range(rows):
            if carried.status.ok:
                parts.append(carried.stretches(begin + step * (row + 1) - carried.t, 1, note))
    times, states, bases, triangles, ends = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("times", "states", "bases", "triangles", "ends_row")
    )
    if not carried.status.ok:
        return _Way(times[:0], states[:0], bases[:0], triangles[:0], np.zeros(0, np.int64))
    first = np.concatenate([[0], 1 + np.flatnonzero(ends)[:number]])
    return _Way(
        np.append(begin, times[:-1]), np.vstack([state, states[:-1]]),
        np.concatenate([basis[None], bases[:-1]]), triangles, first,
    )  # fmt: skip


def _backward(way: _Way, system: System, wanted: Wanted) -> tuple[Array, Array]:
    """Return the coefficients at the beginning of each stretch, and the growth along it."""
    m = wanted.count
    c = np.triu(wanted.seed.stream(1).standard_normal((m, m)))
    c /= np.linalg.norm(c, axis=0)
    coefficients, growth = np.zeros((len(way.times), m, m)), np.zeros((len(way.times), m))
    lost = covariant.back(way.triangles, c, coefficients, growth)
    if lost >= 0:
        raise SingularProblem(
            f"a direction of {system.name!r} vanishes at t = {way.times[lost]:g}, so there is no way back. "
            "Covariant vectors need a map that is invertible along its orbit; give a smaller count=."
        )
    return coefficients, growth
