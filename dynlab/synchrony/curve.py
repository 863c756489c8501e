"""Order of a network along its coupling, up and down: r(K) with standard errors, and hysteresis.

At each coupling the network runs from where it was at the last one; after a transient the mean of r over time is
taken, with the scatter of batches as its error.  Memory is bounded: of a large network few states are kept at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError, UnknownNameError
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.solve.integrate import integrate
from dynlab.solve.methods import Explicit8, OdeMethod
from dynlab.status import Status
from dynlab.symbolic.dynamics import Continuous, require
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System
from dynlab.synchrony.order import moment_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "DEFAULT_METHOD",
    "SynchronyCurve",
    "checked_times",
    "phases_of",
    "settled",
    "synchrony_curve",
]

Array = NDArray[np.float64]

#: A mean over phases needs no more: its statistical error is larger by far.
DEFAULT_METHOD = Explicit8(rtol=1e-6, atol=1e-6)
#: Times at which r is taken at each coupling, in so many batches.
TIMES, BATCHES = 160, 16
#: So many numbers are kept at once.
ROOM = 1 << 24


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SynchronyCurve(Result):
    """Order against coupling, first up, then down.

    Attributes
    ----------
    vary
        The parameter.
    values
        Its values, rising.
    up, down
        The mean order, as the parameter rises and as it falls again; nan where not reached.
    up_errors, down_errors
        Standard errors of these means, from the scatter of sixteen batches in time.  Where r oscillates, batches differ by
        what the whole averages away, and errors are up to three times too large; slow drifts are not seen.
    status
        How it ended.
    provenance
        Where it came from.
    """

    vary: str
    values: Array
    up: Array
    up_errors: Array
    down: Array
    down_errors: Array
    status: Status
    provenance: Provenance

    @property
    def hysteresis(self) -> float:
        """The largest difference between down and up."""
        return float(np.nanmax(np.abs(self.down - self.up)))

    def to_table(self) -> dict[str, Array]:
        """Return parameter, both means and both errors as columns."""
        return {
            self.vary: self.values, "up": self.up, "up_error": self.up_errors, "down": self.down,
            "down_error": self.down_errors,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order up and down."""
        from dynlab.plotting import draw_order_points

        ax = draw_order_points(
            ax, self.values, self.up, self.up_errors, name="up", quantity=self.vary
        )
        return draw_order_points(
            ax, self.values, self.down, self.down_errors, name="down", quantity=self.vary
        )

    def __repr__(self) -> str:
        return (
            f"<Synchrony along {self.vary} = {self.values[0]:g} ... {self.values[-1]:g}, "
            f"{len(self.values)} values: r up to {np.nanmax(self.up):.4g};\n"
            f" hysteresis {self.hysteresis:.2g}, {self.status}>"
        )


def synchrony_curve(  # noqa: PLR0913  (what, along what, how long, how, and the start)
    system: System,
    *,
    vary: str,
    over: ArrayLike,
    duration: float,
    transient: float = 0.0,
    method: OdeMethod = DEFAULT_METHOD,
    seed: int | None = None,
) -> SynchronyCurve:
    """Return the mean order r of a network of phases along a parameter, up and down.

    Parameters
    ----------
    system
        A network with one state per node, a `dynlab.Angle`, bound.
    vary
        The parameter, such as a coupling.
    over
        Its values, rising.
    duration
        How long the network runs at each value, in its unit of time; r is averaged over what is left after the transient.
    transient
        How much of the duration is left out.
    method
        Method and tolerances.
    seed
        Of the phases at the start, spread over the circle at random.

    Returns
    -------
    SynchronyCurve
        If stopped it holds what was reached.

    Raises
    ------
    SettingError
        If the values do not rise, or no time is left.
    UnsupportedSystemError
        If the system is a map.
    UnknownNameError
        If there is no such parameter.

    Examples
    --------
    >>> import dynlab as dl
    >>> swarm = dl.zoo.kuramoto.on(dl.AllToAll(100)).draw(omega=dl.Quantiles(dl.Lorentzian(0, 0.5)))
    >>> curve = dl.synchrony_curve(swarm, vary="K", over=[0.5, 2.0], duration=60, transient=30, seed=1)
    >>> bool(curve.up[0] < 0.3 < 0.6 < curve.up[1])  # the theory has 0 and sqrt(1/2)
    True
    """
    began = perf_counter()
    name = phases_of(system)
    values = _rising(over)
    times = checked_times(duration, transient)
    if vary not in system.parameter_names:
        raise UnknownNameError(f"parameter of {system.name!r}", vary, system.parameter_names)
    chosen = seed_of(seed)
    count = len(system.state_names)
    theta = chosen.stream(0).uniform(0.0, 2.0 * np.pi, count)
    everything = [*values, *values[::-1]]
    found = np.full((len(everything), 2), np.nan)
    status = Status.OK
    for k, value in enumerate(everything):
        if not tick(k, len(everything), "synchrony_curve"):
            status = Status.STOPPED
            break
        run = settled(system(**{vary: float(value)}), name, theta, times, method)
        found[k], theta = (run.mean, run.error), run.end
        if not run.status.ok:
            status = run.status
            break
    up, down = found[: len(values)], found[len(values) :][::-1]
    settings = {"vary": vary, "duration": times[1], "transient": times[0], "method": method}
    return SynchronyCurve(
        vary, values, up[:, 0], up[:, 1], down[:, 0], down[:, 1], status,
        Provenance.of_chance("synchrony_curve", system, settings, seed=chosen, began=began),
    )  # fmt: skip


class Settled(NamedTuple):
    """The mean of r over time, its standard error, and where the network is then."""

    mean: float
    error: float
    end: Array
    status: Status


def settled(
    system: System, name: str, theta: Array, times: tuple[float, float], method: OdeMethod
) -> Settled:
    """Run a network and return the mean of r after the transient."""
    transient, duration = times
    at_once = max(1, min(TIMES, ROOM // len(theta)))
    r = np.empty(0)
    step, done = (duration - transient) / TIMES, 0.0
    first = transient
    while len(r) < TIMES:
        count = min(at_once, TIMES - len(r))
        at = first + step * np.arange(1, count + 1)
        begin: dict[str, Any] = {name: theta}
        run = integrate(system, start=begin, duration=float(at[-1]), at=at.tolist(), method=method)
        r = np.append(r, np.abs(moment_of(run[name])))
        theta, first, done = run.end[1:], 0.0, done + at[-1]
        if not run.status.ok:
            return Settled(float("nan"), float("nan"), theta, run.status)
    means = r.reshape(BATCHES, -1).mean(axis=1)
    error = float(means.std(ddof=1) / np.sqrt(BATCHES))
    return Settled(float(r.mean()), error, theta, Status.OK)


def phases_of(system: System) -> str:
    """Return the name of the phases of a network that has nothing else."""
    require(system, Continuous)
    if not system.is_indexed or len(system.declared) != 1:
        raise SettingError(
            f"{system.name!r} has the states {', '.join(system.declared[:6])}; this analysis takes a network "
            "with one state per node, its phase. Write theta: dl.PerNode[dl.Angle]."
        )
    if not system.is_autonomous:
        raise SettingError(
            f"{system.name!r} depends on the time, so it has no lasting order. Freeze it with "
            ".frozen(at=...), or integrate it and use dl.order_parameter."
        )
    if system.domains[0] is not Domain.CIRCLE:
        raise SettingError(
            f"{system.declared[0]!r} of {system.name!r} is no angle. Declare it as dl.PerNode[dl.Angle]."
        )
    if system.bound is None:
        raise SettingError(f"{system.name!r} is not bound. Bind it: .on(dl.AllToAll(500)).")
    return system.declared[0]


def checked_times(duration: float, transient: float) -> tuple[float, float]:
    """Return transient and duration."""
    span, skip = finite(duration, "duration"), finite(transient, "transient")
    if not 0 <= skip < span:
        raise SettingError(
            f"transient is {skip:g} of a duration of {span:g}. Give 0 or more, and less than the duration."
        )
    return skip, span


def _rising(over: Any) -> Array:
    values = np.atleast_1d(np.asarray(over, float)).ravel()
    if not values.size or not np.isfinite(values).all() or (np.diff(values) <= 0).any():
        raise SettingError(
            f"over is {over!r}; give numbers that rise, such as np.linspace(0, 3, 31)."
        )
    return values
