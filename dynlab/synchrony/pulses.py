"""simulate_pulses: oscillators whose phases are shifted at once, all of them, by short stimuli.

A pulse of strength a draws every phase towards the phase p, by the most where it acts across it:

    theta -> theta - 2 arg(1 + a exp(i (theta - p))),    0 < a < 1

For weak pulses that is ``-2 a sin(theta - p)``, the phase response of an oscillator next to its Hopf point; for a near 1 all phases
are reset to p.  On the circle it is a Moebius map [1], so that the order of infinitely many oscillators on the manifold of
Ott and Antonsen, ``Z = r exp(i psi)``, moves in closed form:

    Z -> (Z + a exp(i p)) / (1 + a exp(-i p) Z)

A pulse of the strength r at the phase opposite to psi leaves no order at all: the singular stimulus of Winfree, and the
idea of desynchronising stimulation [2].  A coupled population comes back from there, which is why it is given again and again.

References
----------
1. Marvel, Mirollo and Strogatz 2009, Chaos 19, 043104 (phases and Moebius maps).
2. Tass 1999, Phase Resetting in Medicine and Biology (Springer), chapters 2 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.solve.integrate import integrate
from dynlab.status import Status
from dynlab.symbolic.system import System
from dynlab.synchrony.curve import DEFAULT_METHOD, phases_of
from dynlab.synchrony.order import moment_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["PhasePulses", "PulseRun", "simulate_pulses"]

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: Times in all at which order is kept, besides those of the pulses.
TIMES = 400


@dataclass(frozen=True, slots=True)
class PhasePulses:
    """Short stimuli that draw all phases towards one.

    Parameters
    ----------
    times
        When, rising.
    strength
        Of each, above 0 and below 1, where all phases would be reset to one.
    phase
        Towards which, in radians.

    Raises
    ------
    SettingError
        If the times do not rise from 0 or more, or the strength lies elsewhere.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> pulse = dl.PhasePulses(times=[5.0], strength=0.3)
    >>> pulse.shifted(np.array([0.0, np.pi])).round(12)  # neither is drawn to either side
    array([0.        , 3.14159265])
    >>> abs(pulse.field_after(-0.3))  # the pulse that leaves no order
    0.0
    """

    times: Sequence[float]
    strength: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        when = tuple(finite(time, "a time") for time in self.times)
        if not when or when[0] < 0 or (np.diff(when) <= 0).any():
            raise SettingError(f"times are {self.times!r}; give one or more that rise, from 0 on.")
        size = finite(self.strength, "strength")
        if not 0 < size < 1:
            raise SettingError(
                f"strength is {size:g}; give more than 0 and less than 1, which would reset all phases to one."
            )
        for name, value in (("times", when), ("strength", size)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "phase", finite(self.phase, "phase"))

    def shifted(self, phases: ArrayLike) -> Array:
        """Return where a pulse brings phases, without jumps of whole turns."""
        theta = np.asarray(phases, float)
        apart = theta - self.phase
        a = self.strength
        return np.asarray(theta - 2 * np.arctan2(a * np.sin(apart), 1 + a * np.cos(apart)))

    def field_after(self, field: complex) -> complex:
        """Return ``Z`` after a pulse, of infinitely many oscillators on the manifold of Ott and Antonsen."""
        pull = self.strength * np.exp(1j * self.phase)
        return complex((field + pull) / (1 + np.conj(pull) * field))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PulseRun(Result):
    """How synchronous oscillators were while pulses shifted them; made by `simulate_pulses`.

    Attributes
    ----------
    pulses
        The stimuli.
    t
        Times, 0 the first; that of a pulse stands twice, before and after it.
    field
        The mean of exp(i theta) at each: its modulus is the order parameter.
    end
        The phases at the end.
    status
        How it ended.
    provenance
        Where it came from.
    """

    pulses: PhasePulses
    t: Array
    field: Complex
    end: Array
    status: Status
    provenance: Provenance

    @property
    def order(self) -> Array:
        """The order parameter r at each time, between 0 and 1."""
        return np.asarray(np.abs(self.field))

    def to_table(self) -> dict[str, Array]:
        """Return time, order parameter and mean phase as columns."""
        return {"time": self.t, "order": self.order, "phase": np.angle(self.field)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order parameter against time, and the pulses."""
        from dynlab.plotting import draw_pulsed_series

        return draw_pulsed_series(ax, self.t, self.order, self.pulses.times, labels=("time", "$r$"))

    def __repr__(self) -> str:
        return (
            f"<{len(self.end)} oscillators with {len(self.pulses.times)} pulses of strength "
            f"{self.pulses.strength:g}:\n r from {self.order[0]:.4g} to {self.order[-1]:.4g}, {self.status}>"
        )


def simulate_pulses(
    system: System, *, pulses: PhasePulses, start: dict[str, ArrayLike], duration: float
) -> PulseRun:
    """Return how synchronous a network of phases is while pulses shift all of them.

    Parameters
    ----------
    system
        A network with one state per node, a `dynlab.Angle`, bound; such as ``zoo.kuramoto`` or ``zoo.kuramoto_on_graph``.
    pulses
        The stimuli.  Those after the end are left out.
    start
        The phases at t = 0, by the name of the state.
    duration
        How long, in the system's unit of time.

    Returns
    -------
    PulseRun
        Time and mean field, to the end or until stopped.

    Raises
    ------
    SettingError
        If the system is no network of phases, or the duration not above zero.

    Examples
    --------
    A population in order is taken apart by one pulse of just that strength, opposite to its phase:

    >>> import dynlab as dl
    >>> import numpy as np
    >>> share = (np.arange(50) + 0.5) / 50 - 0.5
    >>> start = {"theta": 2 * np.arctan(0.25 * np.tan(np.pi * share))}  # r = 0.6 about the phase 0
    >>> still = dl.zoo.kuramoto.on(dl.AllToAll(50))(K=0.0)
    >>> pulse = dl.PhasePulses(times=[1.0], strength=0.6, phase=np.pi)
    >>> run = dl.simulate_pulses(still, pulses=pulse, start=start, duration=2)
    >>> run.order[[0, -1]].round(9)
    array([0.6, 0. ])
    """
    began = perf_counter()
    name, span = phases_of(system), finite(duration, "duration")
    if span <= 0:
        raise SettingError(f"duration is {span:g}; give a time above zero.")
    if set(start) != {name}:
        raise SettingError(
            f"start names {', '.join(start)}; give the phases alone: start={{{name!r}: ...}}."
        )
    theta: Any = np.asarray(start[name], float)
    edges = [0.0, *(time for time in pulses.times if time < span), span]
    times, field, status = [np.zeros(1)], [moment_of(np.atleast_2d(theta))], Status.OK
    for k, (first, last) in enumerate(pairwise(edges)):
        if not tick(first, span, "simulate_pulses"):
            status = Status.STOPPED
            break
        if k:
            theta = pulses.shifted(theta)
        if last > first:
            at = np.linspace(0.0, last - first, 2 + int(TIMES * (last - first) / span))[k == 0 :]
            run = integrate(
                system,
                start={name: theta},
                duration=last - first,
                at=at.tolist(),
                method=DEFAULT_METHOD,
            )
            theta, status = run[name][-1], run.status
            times.append(first + run.t)
            field.append(moment_of(run[name]))
        if not status.ok:
            break
    settings = {"duration": span, "method": DEFAULT_METHOD}
    return PulseRun(
        pulses,
        np.concatenate(times),
        np.concatenate(field),
        np.asarray(theta, float),
        status,
        Provenance("simulate_pulses", system, settings, seconds=perf_counter() - began),
    )
