"""Finite-time exponents: how much small deviations were stretched over a given time, in all directions.

The deviations follow the variational equation V' = J V, V(0) = 1, with the exact Jacobian.  The exponents over a time T
are log(s_i) / |T| with the singular values s of V(T); the largest belongs to the start direction that is
stretched most.  Over a field of starts it is the finite-time Lyapunov exponent field, whose ridges part
what will separate (forwards) or has come from apart (backwards): Shadden, Lekien and Marsden 2005, Physica D 212, 271.

One orbit is carried in pieces V = Q R_k ... R_1, and the product of the triangular factors kept as D T, a graded
diagonal times a unit triangular matrix; its singular values come from rotations of the columns of T' D, which keep the
digits of the small ones (Demmel and Veselic 1992, SIAM J. Matrix Anal. Appl. 13, 1204).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.settled import checked_system
from dynlab.chaos.exponents.deviations import DEFAULT_METHOD, deviations_of
from dynlab.errors import SettingError
from dynlab.names import Layout, finite
from dynlab.plotting import draw_finite_time_exponents
from dynlab.result import Provenance, Result
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import OdeMethod
from dynlab.status import Status
from dynlab.symbolic.signals import require_recorded
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FiniteTimeExponents", "finite_time_exponents"]

Array = NDArray[np.float64]

#: Factors of the product; in each the deviations may part by some 1e12.
PIECES = 128
#: Rotations stop when no two columns are nearer to each other than this to a right angle.
RIGHT_ANGLE = 1e-14
MOST_SWEEPS = 60


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FiniteTimeExponents(Result):
    """The finite-time exponents of one orbit, the largest first; made by `finite_time_exponents`.

    Attributes
    ----------
    system
        The system.
    exponents
        The logarithms of the singular values of the tangent map, over the time.
    start
        The state at the beginning, by name.
    end
        The state at the end, by name.
    duration
        The time between them.
    status
        How it ended; exponents are nan if it did not get to the end.
    provenance
        Where it came from.
    """

    system: System
    exponents: Array
    start: Mapping[str, float]
    end: Mapping[str, float]
    duration: float
    status: Status
    provenance: Provenance

    @property
    def stretching(self) -> Array:
        """The singular values: by how much lengths are multiplied."""
        return np.asarray(np.exp(self.exponents * self.duration))

    def to_table(self) -> dict[str, Array]:
        """Return number and exponent as columns."""
        return {"number": np.arange(1.0, len(self.exponents) + 1), "exponent": self.exponents}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the exponents in order."""
        unit = self.system.unit_of("t")
        return draw_finite_time_exponents(
            ax, self.exponents, ylabel="finite-time exponent" + (f" (1/{unit})" if unit else "")
        )

    def __repr__(self) -> str:
        values = ", ".join(f"{value:.6g}" for value in self.exponents[:6])
        more = ", ..." if len(self.exponents) > 6 else ""
        return f"<FiniteTimeExponents of {self.system.name} over {self.duration:g}:\n {values}{more}; {self.status}>"


def finite_time_exponents(
    system: System,
    *,
    start: Mapping[str, Any] | Sequence[float] | None = None,
    duration: float,
    method: OdeMethod = DEFAULT_METHOD,
) -> FiniteTimeExponents:
    r"""Return how much small deviations from a start are stretched over a time, in all directions.

    .. math:: \lambda_i = \frac{1}{T} \log \sigma_i(V(T)), \qquad V' = J V, \quad V(0) = 1

    Parameters
    ----------
    system
        The flow or map.
    start
        Where the orbit starts, by name; the system's default for what is not given.
    duration
        The time T, above zero, in the system's unit of time or steps of a map.
    method
        Method and tolerances for a flow.

    Returns
    -------
    FiniteTimeExponents
        Their sum is the mean divergence over the time.  Small ones keep their digits, however far apart they are.

    Raises
    ------
    SettingError
        If the duration is not above zero, or not whole for a map.

    Examples
    --------
    >>> import dynlab as dl
    >>> found = dl.finite_time_exponents(dl.zoo.lorenz, duration=2)
    >>> round(float(found.exponents.sum()), 6)
    -13.666667

    References
    ----------
    1. Shadden, Lekien and Marsden 2005, Physica D 212, 271.
    """
    began = perf_counter()
    checked_system(system)
    span = checked_time(system, duration)
    if span < 0:
        raise SettingError(
            f"duration is {span:g}; give a time above zero, or start at the other end and change the signs."
        )
    require_recorded(system.signals, 0.0, span)
    layout = Layout.of(system)
    x = layout.pack(start, default=system.start_values)
    n = len(x)
    run = deviations_of(system, x, np.eye(n), method=method)
    logs, shape = np.zeros(n), np.eye(n)
    pieces = min(PIECES, int(span)) if system.is_discrete else PIECES
    edges = np.linspace(0.0, span, pieces + 1)
    edges = np.round(edges) if system.is_discrete else edges
    for step in np.diff(edges):
        if run.carry(float(step), "finite-time exponents") is not Status.OK:
            break
        logs, shape = _with_factor(run.orthonormalise(), logs, shape)
    good, status, end = run.status is Status.OK, run.status, run.state
    if not good and status is not Status.STOPPED and not system.is_discrete:
        # Why is seen by a run that did not begin anew shortly before.
        whole = integrate(system, start=x.tolist(), duration=span, method=method)
        status, end = whole.status if not whole.status.ok else status, whole.end[1:]
    return FiniteTimeExponents(
        system=system,
        exponents=_log_singular_values(logs, shape) / span if good else np.full(n, np.nan),
        start=layout.unpack(x),
        end=layout.unpack(end),
        duration=span,
        status=status,
        provenance=Provenance(
            "finite_time_exponents", system, {"duration": span, "method": method},
            seconds=perf_counter() - began,
        ),
    )  # fmt: skip


def checked_time(system: System, duration: Any) -> float:
    """Return a time that is not zero, and whole for maps."""
    span = finite(duration, "duration")
    if span == 0:
        raise SettingError("duration is 0, over which nothing is stretched. Give another time.")
    if system.is_discrete and (span != int(span) or span < 0):
        raise SettingError(f"duration is {span:g}; a map takes a whole number of steps, forwards.")
    return span


def _with_factor(r: Array, logs: Array, shape: Array) -> tuple[Array, Array]:
    """Return R D T as D T again; D by its logarithms, which fall, T with ones on its diagonal."""
    diagonal = np.abs(np.diag(r))
    with np.errstate(divide="ignore", invalid="ignore"):
        new_logs = logs + np.log(diagonal)
        ratio = np.exp(np.minimum(logs[None, :] - logs[:, None], 700.0))
        factor = np.where(r != 0, r / diagonal[:, None] * ratio, 0.0)
    return new_logs, factor @ shape


def _log_singular_values(logs: Array, shape: Array) -> Array:
    """Return the logarithms of the singular values of D T, falling.

    The columns of T' D, each as its direction and the logarithm of its length, are turned until they are at
    right angles.
    """
    if not np.isfinite(logs).all():
        return np.asarray(np.sort(logs)[::-1])
    lengths = np.linalg.norm(shape, axis=1)
    logs, directions = logs + np.log(lengths), (shape / lengths[:, None])
    for _ in range(MOST_SWEEPS):
        worst = 0.0
        for i in range(len(logs) - 1):
            for j in range(i + 1, len(logs)):
                worst = max(worst, _rotate(logs, directions, i, j))
        if worst < RIGHT_ANGLE:
            break
    return np.asarray(np.sort(logs)[::-1])


def _rotate(logs: Array, directions: Array, i: int, j: int) -> float:
    """Turn two vectors until they are at a right angle; return the cosine between them before.

    With lengths p >= q, e = q / p and cosine c the rotation has the tangent t of zeta = (e - 1/e) / (2 c); what
    the shorter one is given of the longer one, t / e, stays finite where e vanishes: it tends to -c.
    """
    i, j = (i, j) if logs[i] >= logs[j] else (j, i)
    c = float(directions[i] @ directions[j])
    if abs(c) < RIGHT_ANGLE:
        return abs(c)
    e = float(np.exp(logs[j] - logs[i]))
    # t / e = 1 / (e zeta + sign sqrt(e^2 + (e zeta)^2)), and e zeta = (e^2 - 1) / (2 c).
    scaled = (e * e - 1.0) / (2.0 * c)
    share = 1.0 / (scaled + np.copysign(np.hypot(e, scaled), scaled if scaled else 1.0))
    cosine = 1.0 / np.hypot(1.0, share * e)
    longer, shorter = directions[i].copy(), directions[j].copy()
    for place, vector in (
        (i, cosine * (longer - share * e * e * shorter)),
        (j, cosine * (share * longer + shorter)),
    ):
        length = float(np.linalg.norm(vector))
        logs[place] += np.log(length)
        directions[place] = vector / length
    return abs(c)
