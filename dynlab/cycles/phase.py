"""phase_response: how much a small push at each phase advances a cycle.

The phase response Z(t) is the gradient of the asymptotic phase on the cycle, in time.  It is the periodic
solution of the adjoint variational equation

    Z' = -f_x(u(t))' Z,      Z . f(u) = 1

(Malkin 1949; Kuramoto 1984; Ermentrout 1996, Neural Comput. 8, 979).  It is solved as a boundary-value
problem on the mesh of the cycle (`dynlab.cycles.linearised`), not by integrating backwards, so it exists for
unstable cycles too.  Z . f = 1 at every phase is the check that the result states.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.cycles.clock import Clock
from dynlab.cycles.collocation import Collocation, Refined, cycle_of
from dynlab.cycles.cycle import Cycle
from dynlab.cycles.linearised import Linearised, Row
from dynlab.cycles.problem import CycleProblem, Orbit, Solved
from dynlab.cycles.pulses import PulseResponse
from dynlab.errors import (
    AccuracyWarning,
    NotConverged,
    SettingError,
    UnknownNameError,
    UnsupportedSystemError,
)
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PhaseResponse", "phase_response"]

Vector = NDArray[np.float64]

#: Z . f may differ from 1 by this much before a result is doubted.
_DOUBTED = 1e-4
#: Inside an interval Z . f is looked at so many places.
_LOOKED = 16
#: Two finer meshes that each improve Z . f by less than this factor have met round-off.
_STALLED = 0.5
_DRAWN = 800


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhaseResponse(Result):
    """The infinitesimal phase response curve of a limit cycle.

    Parameters
    ----------
    cycle
        The cycle, solved anew on the mesh of the response.
    gradient
        Z, a row for each row of the cycle's profile: time per unit of each state.
    accuracy
        The largest ``|Z . f - 1|`` over all phases.
    provenance
        Where it came from.

    Examples
    --------
    >>> import dynlab as dl
    >>> cycle = dl.find_cycle(dl.zoo.hodgkin_huxley(I=10))
    >>> response = dl.phase_response(cycle)
    >>> response.accuracy < 1e-8
    True
    >>> bool(response["V"].min() < 0 < response["V"].max())     # delays, too: type II
    True
    """

    cycle: Cycle
    gradient: Vector
    accuracy: float
    provenance: Provenance

    @property
    def system(self) -> System:
        """The system."""
        return self.cycle.system

    @property
    def period(self) -> float:
        """Period of the cycle."""
        return self.cycle.period

    @property
    def phases(self) -> Vector:
        """Phases of the rows, parts of the period from 0 to 1; phase 0 is where the profile begins."""
        return self._curve.places

    @property
    def t(self) -> Vector:
        """Times of the rows."""
        return self.phases * self.period

    @property
    def status(self) -> Status:
        """`Status.OK`, or `Status.NOT_CONVERGED` if Z . f is not 1 to a ten-thousandth."""
        return Status.OK if self.accuracy <= _DOUBTED else Status.NOT_CONVERGED

    @property
    def _curve(self) -> Orbit:
        return Orbit(self.gradient, self.cycle.mesh, self.cycle.period, np.nan)

    def __getitem__(self, name: str) -> Vector:
        """Return the response at `phases` to a push of a state, in time per unit of the state.

        For a parameter: the time gained, per time, while the parameter is one unit larger, ``Z . df/dp``.
        """
        return self._component(name, self.phases)

    def at(self, phases: ArrayLike, name: str | None = None) -> Any:
        """Return the response at any phases (parts of a period): to one push, or to each state by name.

        Raises
        ------
        SettingError
            If a phase is not a finite number.
        """
        places = np.atleast_1d(np.asarray(phases, float)).ravel()
        if not np.all(np.isfinite(places)):
            raise SettingError(
                f"the phases of a response of {self.system.name!r} must be finite; give parts of a "
                "period, from 0 to 1."
            )
        if name is not None:
            return self._component(name, places)
        return {each: self._component(each, places) for each in self.system.declared}

    def in_turns(self, name: str) -> Vector:
        """Return the response at `phases` as a part of the period, per unit of the state."""
        return np.asarray(self[name] / self.period)

    def _component(self, name: str, places: Vector) -> Vector:
        system = self.system
        inside = np.where((places >= 0) & (places <= 1), places, np.mod(places, 1.0))
        gradient = self._curve.at(inside)
        place = system.place_of(name)
        if place is not None:
            return np.asarray(gradient[:, place])
        if name in system.parameter_names:
            rates = _by_parameter(system, name, self.cycle.orbit.at(inside))
            return np.asarray(np.einsum("ij,ij->i", gradient, rates))
        known = (*system.state_names, *system.parameter_names)
        raise UnknownNameError(f"state or parameter of {system.name!r}", name, known)

    def peak(self, name: str) -> float:
        """Return the phase at which a state or observable is greatest: that of the spike, say.

        ``response.at(phases + response.peak("V"), "V")`` counts phases from there.
        """
        place, width = 0.0, 1.0
        while width > 1e-12:
            places = place + width * np.linspace(-0.5, 0.5, 401)
            place = float(places[np.argmax(self.cycle.at(places * self.period, name))])
            width *= 0.01
        return place % 1.0

    def delayed_share(self, name: str) -> float:
        """Return which part of the response to pushes of a state or parameter is delay.

        The integral of the negative part over that of the absolute value: 0 for type I cells, whose
        spikes excitation can only advance, clearly positive for type II (Hansel, Mato and Meunier 1995,
        Neural Comput. 7, 307).
        """
        values = self.at((np.arange(4 * _DRAWN) + 0.5) / (4 * _DRAWN), name)
        return float(np.sum(np.clip(-values, 0.0, None)) / np.sum(np.abs(values)))

    def to_pulse(self, kick: Mapping[str, float], *, phases: int = 64) -> PulseResponse:
        """Kick the cycle at many phases and integrate until it is back: the direct method.

        Parameters
        ----------
        kick
            By how much states jump, by name.
        phases
            At how many phases, evenly spaced from 0.

        Returns
        -------
        PulseResponse
            New phases, shifts and the type of resetting.

        Raises
        ------
        UnsupportedSystemError
            If the cycle does not attract.
        SettingError, UnknownNameError
            If the kick or the number of phases makes no sense.

        Examples
        --------
        >>> import dynlab as dl
        >>> response = dl.phase_response(dl.find_cycle(dl.zoo.van_der_pol(mu=0.5)))
        >>> [response.to_pulse({"x": size}).resetting_type for size in (0.5, 5.0)]
        [1, 0]
        """
        began = time.perf_counter()
        system = self.system
        count = int(finite(phases, "phases"))
        if count < 1 or count != phases:
            raise SettingError(f"phases is {phases!r}; give a whole number, at least 1.")
        if not kick:
            raise SettingError('the kick is empty; name a state, such as {"V": 1.0}.')
        clock = self.clock("be kicked")
        jump = np.zeros(self.gradient.shape[1])
        for name, size in kick.items():
            place = system.place_of(name)
            if place is None:
                raise UnknownNameError(f"state of {system.name!r}", name, system.state_names)
            jump[place] = finite(size, f"the kick of {name}")
        places = np.arange(count) / count
        kicked = self.cycle.orbit.at(places) + jump
        return PulseResponse(
            self.cycle, {k: float(v) for k, v in kick.items()}, places, clock.phases(kicked),
            self._curve.at(places) @ jump,
            Provenance("to_pulse", system, {"kick": dict(kick), "phases": count},
                       seconds=time.perf_counter() - began),
        )  # fmt: skip

    def clock(self, purpose: str = "have a phase off the cycle") -> Clock:
        """Return what reads the asymptotic phase of states.

        Raises
        ------
        UnsupportedSystemError
            If the cycle does not attract.
        """
        if not self.cycle.is_stable:
            raise UnsupportedSystemError(
                f"the {self.cycle.kind} of {self.system.name!r} with period {self.period:.6g} cannot "
                f"{purpose}: states near it do not come back. Take a stable cycle."
            )
        return Clock(self.system, self.cycle.orbit, self._curve)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return phase, time and the response to each state as columns."""
        columns: dict[str, NDArray[Any]] = {"phase": self.phases, "t": self.t}
        names = (f"Z {name}" for name in self.system.state_names)
        return columns | dict(zip(names, self.gradient.T, strict=True))

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw the response to pushes of a state or parameter against the phase.

        Parameters
        ----------
        ax
            Axes to draw into; a new figure if left out.
        show
            State or parameter; the first state if left out.
        """
        from dynlab import plotting

        name = show or self.system.state_names[0]
        places = np.linspace(0.0, 1.0, _DRAWN)
        unit, time_unit = self.system.unit_of(name), self.system.time.unit or ""
        per = f"{time_unit}/{unit}" if unit and time_unit else time_unit
        if name in self.system.parameter_names:
            per = f"per {unit}" if unit else ""
        label = plotting.label(f"Z_{name}", per)
        return plotting.draw_response(ax, places, self.at(places, name), label=label)

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name} {np.min(z):.3g} to {np.max(z):.3g}"
            for name, z in list(zip(self.system.state_names, self.gradient.T, strict=True))[:4]
        )
        return (
            f"<phase response of the cycle of {self.system.name}, period {self.period:.9g}: {sizes};\n"
            f" Z . f = 1 to {self.accuracy:.1e}>"
        )


def phase_response(cycle: Cycle, *, method: Collocation | None = None) -> PhaseResponse:
    """Return the infinitesimal phase response curve of a limit cycle.

    ``Z(t)`` says how much time a small push of each state at phase t gains: a push dx advances the
    cycle by ``Z . dx``.  It is normalised so that ``Z . f = 1``.

    Parameters
    ----------
    cycle
        A cycle, stable or not.
    method
        The mesh is made finer until ``Z . f = 1`` holds to its tolerance at every phase;
        ``Collocation(degree=7, tolerance=1e-10)`` if left out.

    Returns
    -------
    PhaseResponse
        The response to each state and parameter, with its accuracy.

    Raises
    ------
    SettingError
        If no cycle is given.
    NotConverged, SingularProblem
        If the cycle cannot be solved on the mesh of the response, as at a fold, where the response is
        infinite.

    Warns
    -----
    AccuracyWarning
        If ``Z . f`` differs from 1 by more than 1e-4 on the finest mesh.

    Examples
    --------
    >>> import dynlab as dl
    >>> response = dl.phase_response(dl.find_cycle(dl.zoo.van_der_pol(mu=0.1)))
    >>> round(float(response["y"].max()), 3)        # 1 / 2 on a circle of radius 2
    0.501
    """
    began = time.perf_counter()
    if not isinstance(cycle, Cycle):
        raise SettingError(
            f"phase_response takes a cycle, got {type(cycle).__name__}. Take dl.find_cycle(...), or "
            "branch.at(...) of a branch of cycles."
        )
    method = method or Collocation(degree=7, tolerance=1e-10)
    problem = CycleProblem(cycle.system, "", 1.0)
    guess = _of_degree(cycle.orbit, method.degree)
    best: tuple[Solved, Vector, float] | None = None
    stalled = 0
    while True:
        solved = problem.solve(guess, tolerance=1e-12)
        if solved is None:
            break
        gradient = _adjoint(cycle.system, solved.orbit)
        error = _deviation(cycle.system, solved.orbit, gradient)
        stalled = stalled + 1 if best is not None and error > _STALLED * best[2] else 0
        if best is None or error < best[2]:
            best = solved, gradient, error
        count = len(guess.mesh) - 1
        if error <= method.tolerance or stalled == 2 or 2 * count > method.most_intervals:
            break
        guess = solved.orbit.spread(2 * count, problem.units(solved.orbit)[:-2])
    if best is None:
        raise NotConverged(
            f"the cycle of {cycle.system.name!r} with period {cycle.period:.6g} could not be solved "
            f"again with {method}. At a fold of cycles the phase response is infinite: move the "
            "parameter. Else find the cycle with a smaller tolerance first.",
            status=Status.NOT_CONVERGED,
        )
    solved, gradient, error = best
    result = PhaseResponse(
        cycle_of(problem, Refined(solved, cycle.accuracy)), gradient, error,
        Provenance("phase_response", cycle.system, {"method": method},
                   seconds=time.perf_counter() - began),
    )  # fmt: skip
    if not result.status.ok:
        warnings.warn(
            f"the phase response of the cycle of {cycle.system.name!r} has Z . f = 1 only to "
            f"{error:.1e}. Give a finer method=dl.Collocation(degree=7, most_intervals=...).",
            AccuracyWarning,
            stacklevel=2,
        )
    return result


def _of_degree(orbit: Orbit, degree: int) -> Orbit:
    """Return the same curve by polynomials of a degree, on intervals that hold as many numbers."""
    count = max(20, (len(orbit.profile) - 1) // (4 * degree))
    mesh = orbit.spread(count, np.maximum(np.ptp(orbit.profile, axis=0), 1e-12)).mesh
    fresh = Orbit(np.empty((count * degree + 1, 1)), mesh, orbit.period, 0.0)
    return fresh._replace(profile=np.ascontiguousarray(orbit.at(fresh.places)))


def _adjoint(system: System, orbit: Orbit) -> Vector:
    """Return the periodic solution of the adjoint equation with mean Z . f = 1, at the rows."""
    linear = Linearised.about(system, orbit)
    border = linear.rates / linear.units**2
    found = linear.adjoint.solve(columns=(border,), rows=(Row(linear.rates, 1.0),))
    return np.asarray(found.variation.profile)


def _deviation(system: System, orbit: Orbit, gradient: Vector) -> float:
    """Return the largest |Z . f - 1| along the cycle."""
    from dynlab.kernels.batch import evaluate

    h = np.diff(orbit.mesh)[:, None]
    places = (orbit.mesh[:-1, None] + h * (np.arange(_LOOKED) / _LOOKED)).ravel()
    states = np.ascontiguousarray(orbit.at(places))
    rates = np.empty_like(states)
    evaluate(kernels_of(system).rhs.address, 0.0, states, tuple(inputs_of(system)), rates)
    along = np.einsum("ij,ij->i", orbit._replace(profile=gradient).at(places), rates)
    return float(np.max(np.abs(along - 1.0)))


def _by_parameter(system: System, name: str, states: Vector) -> Vector:
    """Return df/dp at states, a row each."""
    from dynlab.kernels.batch import evaluate

    points = np.ascontiguousarray(states)
    n = points.shape[1]
    flat = np.empty((len(points), n * (n + 1)))
    kernel = kernels_of(system).jacobian((name,))
    evaluate(kernel.address, 0.0, points, tuple(inputs_of(system)), flat)
    return np.asarray(flat.reshape(len(points), n, n + 1)[..., n])
