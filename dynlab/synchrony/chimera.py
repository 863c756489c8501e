"""Chimeras on a ring: one stretch of identical oscillators in step, the other not.

    theta' = -mean over y of (1 + A cos(x - y)) cos(theta(x) - theta(y) - b)

In a frame that turns with frequency W the field ``R exp(i T) = c + a cos x`` of infinitely many oscillators does not
move.  Those with R above ``d = -W`` lock to it, the others drift, and the field is made by both [1, 2]:

    R exp(i T) = exp(i b) mean over y of (1 + A cos(x - y)) exp(i T(y)) h(y),   h = (d - sqrt(d^2 - R^2)) / R

with i sqrt(R^2 - d^2) where R > d.  By rotation c is real, so there are four equations for c, Re a, Im a and d.
|h| is the order of the oscillators about a place: 1 where they are locked, less where they drift.

References
----------
1. Kuramoto and Battogtokh 2002, Nonlinear Phenom. Complex Syst. 5, 380.
2. Abrams and Strogatz 2004, Phys. Rev. Lett. 93, 174102, eqs 5-9 (the cosine kernel).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import NotConverged, SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.solve.trajectory import Trajectory
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["RingChimera", "RingSnapshot", "ring_chimera", "ring_snapshot"]

Array = NDArray[np.float64]
#: Places on the ring.  R crosses d, where h has a corner, so the mean is known to about 1 / NODES^1.5.
NODES = 4096
SOLVED = 1e-10
#: The chimera of the papers, A = 0.995 and b = 0.18, about: c, Re a, Im a, d.  All others are followed from it.
PAPER, FIRST = (0.995, 0.18), (0.629, 0.170, -0.116, 0.732)
#: The first step of the way there, and how far the field may change in one: further is another solution.
STRIDE, NEAR = 0.02, 0.1
#: Nearer to the fold than this nothing is found.
LEAST = 1e-5


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RingChimera(Result):
    """The chimera of infinitely many oscillators on a ring; made by `ring_chimera`.

    Attributes
    ----------
    x
        Places, from -pi to pi; the stretch in step is about 0.
    field
        The field at each place, in the frame in which it rests.
    order
        The order of the oscillators there: 1 where they are in step.
    frequency
        How fast the stretch in step turns.
    residual
        What is left of the equations.
    provenance
        Where it came from.
    """

    x: Array
    field: NDArray[np.complex128]
    order: Array
    frequency: float
    residual: float
    provenance: Provenance

    @property
    def drifting(self) -> float:
        """The share of oscillators that are not in step."""
        return float(np.mean(np.abs(self.field) < -self.frequency))

    @property
    def frequencies(self) -> Array:
        """The mean frequency of an oscillator at each place: that of the stretch in step, or faster where it drifts."""
        squared = self.frequency**2 - np.abs(self.field) ** 2
        return np.asarray(self.frequency + np.sqrt(np.maximum(squared, 0.0)))

    def to_table(self) -> dict[str, Array]:
        """Return place, modulus of the field and order as columns."""
        return {"x": self.x, "field": np.abs(self.field), "order": self.order}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order along the ring."""
        from dynlab.plotting import draw_series

        return draw_series(
            ax, self.x, {"local order": self.order}, time_label="place on the ring $x$"
        )

    def __repr__(self) -> str:
        return (
            f"<Chimera on a ring: {self.drifting:.4g} of it drifts, the rest turns at {self.frequency:.6g};\n "
            f"residual {self.residual:.1g}>"
        )


def ring_chimera(*, A: float, b: float) -> RingChimera:
    r"""Return the chimera of ``zoo.ring_of_oscillators`` with infinitely many oscillators.

    .. math:: R e^{i\Theta} = e^{ib} \Bigl\langle (1 + A\cos(x - y))\, e^{i\Theta(y)}\,
              \frac{\Delta - \sqrt{\Delta^2 - R^2(y)}}{R(y)} \Bigr\rangle_y

    Parameters
    ----------
    A
        How much nearer oscillators are heard more, above 0, at most 1.
    b
        How far the lag is from a right angle, between 0 and pi / 2.  Chimeras are at small b: up to 0.263 at A = 0.995,
        less at smaller A.

    Returns
    -------
    RingChimera
        Field and order along the ring.  Two chimeras meet in a fold at the largest b; this is the one that runs settle
        on, in which less and less is in step as b goes to 0.

    Raises
    ------
    SettingError
        If A or b lies elsewhere.
    NotConverged
        If there is no chimera: the one of the papers, followed in b and then in A, ends before in its fold.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.ring_chimera(A=0.995, b=0.18)
    >>> round(found.drifting, 3), round(found.frequency, 3)
    (0.701, -0.732)

    References
    ----------
    1. Abrams and Strogatz 2004, Phys. Rev. Lett. 93, 174102.
    """
    began = perf_counter()
    kernel, lag = finite(A, "A"), finite(b, "b")
    if not (0 < kernel <= 1 and 0 < lag < np.pi / 2):
        raise SettingError(
            f"A is {kernel:g} and b is {lag:g}; give 0 < A <= 1 and 0 < b < pi / 2, such as A=0.995, b=0.18."
        )
    x = (np.arange(NODES) + 0.5) * 2 * np.pi / NODES - np.pi
    corner = max(kernel, PAPER[0]), lag
    try:
        found = _followed(x, _followed(x, np.array(FIRST), PAPER, corner), corner, (kernel, lag))
    except _Ended as end:
        raise NotConverged(
            f"there is no chimera at A = {kernel:g} and b = {lag:g}: the one at A = {PAPER[0]} and b = {PAPER[1]} ends "
            f"on the way there, at about A = {end.args[0]:.4g}, b = {end.args[1]:.4g}. Take b smaller, or A nearer to 1.",
            status=Status.NOT_CONVERGED,
        ) from None
    left = float(np.abs(_missing(found, x, kernel, lag)).max())
    field, d = _field(found, x), float(found[3])
    if np.abs(field[0]) > np.abs(field[NODES // 2]):
        field = np.roll(field, NODES // 2)
    settings = {"A": kernel, "b": lag}
    return RingChimera(
        x=x,
        field=field,
        order=np.abs(_answer(field, d)),
        frequency=-d,
        residual=left,
        provenance=Provenance("ring_chimera", None, settings, seconds=perf_counter() - began),
    )


class _Ended(Exception):
    """The solution that was followed ended before its aim, at this A and b."""


def _followed(
    x: Array, start: Array, here: tuple[float, float], there: tuple[float, float]
) -> Array:
    """Return the solution at another A and b, on the straight way there by steps that shrink where it turns."""
    from scipy.optimize import root

    away = float(np.hypot(there[0] - here[0], there[1] - here[1]))
    q, slope, done, step = start, np.zeros(4), 0.0, 0.0  # the first step only improves the start
    while done < 1.0 or step == 0.0:
        share = min(done + step, 1.0)
        A, b = (one + share * (other - one) for one, other in zip(here, there, strict=True))
        found = root(
            lambda y, A=A, b=b: _missing(y, x, A, b), q + slope * (share - done), tol=1e-12
        )
        is_near = float(np.abs(found.x - q).max()) < NEAR
        if (
            is_near
            and float(np.abs(_missing(found.x, x, A, b)).max()) < SOLVED
            and _is_mixed(found.x, x)
        ):
            slope = (found.x - q) / (share - done) if share > done else slope
            q, done = found.x, share
            step = 1.5 * step if step else min(STRIDE / max(away, STRIDE), 1.0)
            continue
        step /= 2
        if step * away < LEAST:
            raise _Ended(A, b)
    return np.asarray(q)


def _is_mixed(q: Array, x: Array) -> bool:
    size = np.abs(_field(q, x))
    return bool(size.min() < q[3] < size.max())


def _field(q: Array, x: Array) -> NDArray[np.complex128]:
    return np.asarray(q[0] + (q[1] + 1j * q[2]) * np.cos(x))


def _answer(field: NDArray[np.complex128], d: float) -> NDArray[np.complex128]:
    """Return the mean of exp(i theta) of the oscillators in a field, but for exp(i b)."""
    squared = np.abs(field) ** 2
    return np.asarray(field * (d - np.sqrt((d**2 - squared).astype(complex))) / squared)


def _missing(q: Array, x: Array, A: float, b: float) -> Array:
    made = np.exp(1j * b) * _answer(_field(q, x), float(q[3]))
    c, a = made.mean(), A * (made * np.cos(x)).mean()
    return np.array([c.real - q[0], c.imag, a.real - q[1], a.imag - q[2]])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RingSnapshot(Result):
    """The phases along a ring at one time, and how far neighbours agree; made by `ring_snapshot`.

    Attributes
    ----------
    t
        The time.
    phases
        The phases, in the order of the nodes.
    order
        ``|mean of exp(i theta)|`` over each node and its neighbours, between 0 and 1.
    reach
        How many neighbours on each side.
    provenance
        Where it came from.
    """

    t: float
    phases: Array
    order: Array
    reach: int
    provenance: Provenance

    @property
    def mean_order(self) -> float:
        """The order over the whole ring."""
        return float(np.abs(np.exp(1j * self.phases).mean()))

    def coherent(self, *, above: float = 0.9) -> float:
        """Return the share of nodes whose local order is above a value."""
        return float(np.mean(self.order > finite(above, "above")))

    def to_table(self) -> dict[str, Array]:
        """Return node, phase and local order as columns."""
        return {
            "node": np.arange(float(len(self.phases))),
            "phase": self.phases,
            "order": self.order,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the phases along the ring, coloured by the local order."""
        from dynlab.plotting import draw_snapshot

        nodes = np.arange(len(self.phases))
        return draw_snapshot(ax, nodes, self.phases, self.order, xlabel="node")

    def __repr__(self) -> str:
        return (
            f"<Snapshot of {len(self.phases)} nodes at t = {self.t:g}: order {self.mean_order:.4g},\n "
            f"{self.coherent():.0%} in step with their neighbours>"
        )


def ring_snapshot(trajectory: Trajectory, name: str, *, at: float, reach: int) -> RingSnapshot:
    """Return the phases along a ring at a time, and how far each node agrees with those beside it.

    Parameters
    ----------
    trajectory
        A run of oscillators whose nodes stand in the order of the ring.
    name
        The state that holds the phases.
    at
        The time; the kept one nearest to it is taken.
    reach
        How many neighbours on each side count.

    Returns
    -------
    RingSnapshot
        Phases and local order.

    Raises
    ------
    SettingError
        If the state has no nodes, or the reach is not from 1 to less than half of the ring.

    Examples
    --------
    >>> import dynlab as dl
    >>> wave = dl.twisted_state(20, turns=1)
    >>> ring = dl.zoo.ring_of_oscillators.on(dl.AllToAll(20))
    >>> run = dl.integrate(ring, start={"theta": wave.phases}, duration=1, at=[0, 1])
    >>> seen = dl.ring_snapshot(run, "theta", at=0, reach=1)
    >>> seen.order[:2].round(6), round(seen.mean_order, 6)
    (array([0.967371, 0.967371]), 0.0)
    """
    began = perf_counter()
    values: Any = np.asarray(trajectory[name], float)
    if values.ndim != 2:
        raise SettingError(f"{name!r} is one number, not one for each node. Give a state per node.")
    far = int(finite(reach, "reach"))
    count = values.shape[1]
    if not 1 <= far < count / 2:
        raise SettingError(
            f"reach is {reach!r}; give a whole number from 1 to less than {count / 2:g}."
        )
    row = int(np.argmin(np.abs(trajectory.t - finite(at, "at"))))
    z = np.exp(1j * values[row])
    total = sum(np.roll(z, shift) for shift in range(-far, far + 1))
    return RingSnapshot(
        t=float(trajectory.t[row]),
        phases=values[row].copy(),
        order=np.asarray(np.abs(total) / (2 * far + 1)),
        reach=far,
        provenance=Provenance(
            "ring_snapshot",
            trajectory.system,
            {"at": float(at), "reach": far},
            seconds=perf_counter() - began,
        ),
    )
