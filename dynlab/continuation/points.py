"""The special points of a branch: what each one carries.

The names are those of Kuznetsov, Elements of Applied Bifurcation Theory (3rd ed.), with the
two-letter labels of AUTO and MATCONT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.cycle import Cycle
from dynlab.equilibria.stability import (
    Point,
    Vector,
    described,
)
from dynlab.errors import DefinitionError, NotConverged, SettingError
from dynlab.symbolic.system import System

__all__ = [
    "BranchPoint",
    "Fold",
    "Hopf",
    "PeriodDoubling",
    "Points",
    "SpecialPoint",
    "Torus",
    "Unconfirmed",
    "UserPoint",
]

P = TypeVar("P", bound=Point)

#: A torus point is a strong resonance to this accuracy of its angle (radians).
_RESONANT = 1e-6


class Points(tuple[P, ...]):
    """Several points, in order."""

    __slots__ = ()

    def single(self) -> P:
        """Return the only point; raise if there is none or more than one."""
        if len(self) == 1:
            return self[0]
        if not self:
            raise NotConverged("there is no such point here. Widen the range that was followed.")
        raise DefinitionError(
            f"there are {len(self)} such points; take one by position, or unpack them: "
            "first, second = ..."
        )


class SpecialPoint(Point):
    """A point of a branch that was located by its own defining equations.

    On a branch of limit cycles of a flow it carries the cycle, `orbit` (where events happen on its way, the
    coefficients of normal forms are not computed: they are nan): `eigenvalues` are then its Floquet
    multipliers, and a state's name gives its values over one period.  Normal forms are those of the map
    once round the cycle; an eigenvector is then a function q along the cycle, with a row for each row of
    ``orbit.profile``, and its mean square over the period is 1 (Kuznetsov, Govaerts, Doedel and Dhooge 2005,
    SIAM J. Numer. Anal. 43, 1407).
    """

    __slots__ = ()

    vary: str
    accuracy: float
    orbit: Cycle | None = None

    #: Label in tables and pictures.
    label: str = ""
    #: The field's word, lower case.
    word: str = ""

    def __getitem__(self, name: str) -> Any:
        """Return a state, parameter or observable here, of a cycle over one period."""
        return super().__getitem__(name) if self.orbit is None else self.orbit[name]

    def greatest(self, name: str) -> Any:
        """Return a state or observable here, of a cycle its greatest value."""
        return self[name] if self.orbit is None else self.orbit.extremes(name)[1]

    @property
    def unstable_directions(self) -> int:
        """How many directions lead away from the equilibrium or cycle."""
        own = super().unstable_directions
        return own if self.orbit is None else self.orbit.unstable_directions

    @property
    def value(self) -> float:
        """Value of the varied parameter here."""
        return float(self.system[self.vary])

    def details(self) -> str:
        """What is particular about this point, in one line."""
        return ""

    def __repr__(self) -> str:
        state = described(self.start)
        if self.orbit is not None:
            state = f"cycle of period {self.orbit.period:.9g}"
        return f"<{self.word} at {self.vary} = {self.value:.12g}; {state};\n {self.details()}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fold(SpecialPoint):
    """A fold (limit point, saddle-node, LP): the branch turns back in the parameter.

    Parameters
    ----------
    system, vary
        The system with its parameters at the fold, and which one was varied.
    state, eigenvalues
        The equilibrium and its eigenvalues, one of them zero.
    accuracy
        Relative size of the last Newton step on the defining system.
    coefficient
        ``a = <p, B(q, q)> / 2`` with q of unit length, <p, q> = 1 (Kuznetsov eq. 5.43).  Its sign
        depends on that of q; here the largest component of q is positive.  Nan at a double zero.
    note
        A higher singularity nearby, such as ``"zero-Hopf"``; empty if there is none.
    period
        For a map: how many steps the cycle takes; `eigenvalues` are then its multipliers, and it is one
        of them that is 1.
    eigenvector
        Of a cycle of a flow: q along it.
    """

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficient: float
    note: str = ""
    period: float = 1
    orbit: Cycle | None = None
    eigenvector: Vector = field(default_factory=lambda: np.empty(0))

    @property
    def label(self) -> str:  # type: ignore[override]
        """``"LP"``, on a branch of cycles ``"LPC"``."""
        return "LP" if self.orbit is None else "LPC"

    word = "fold"

    def details(self) -> str:
        note = f", {self.note}" if self.note else ""
        return f"a = {self.coefficient:.9g}{note}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Hopf(SpecialPoint):
    """A Hopf (Andronov-Hopf, HB) point: a pair of eigenvalues crosses the imaginary axis.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Fold`.
    omega
        Imaginary part of the crossing pair: angular frequency, per unit of the system's time.
    lyapunov_coefficient
        First Lyapunov coefficient l1 = Re c1 / omega in Kuznetsov's normalisation (eq. 5.62), with
        <q, q> = <p, q> = 1 in the system's own units.  MATCONT prints omega * l1.  Exactly 0 where its
        terms cancel to round-off.
    crossing_speed
        d(eigenvalue)/d(parameter) of the pair: its real part tells how fast stability changes.
    eigenvector
        The unit eigenvector q of +i omega.
    """

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    omega: float
    lyapunov_coefficient: float
    crossing_speed: complex
    eigenvector: NDArray[np.complex128]

    label = "HB"
    word = "Hopf point"

    @property
    def period(self) -> float:
        """Period of the cycle that is born here, 2 pi / omega, in the system's time."""
        return 2.0 * np.pi / self.omega if self.omega else float("inf")

    @property
    def criticality(self) -> str:
        """``"supercritical"`` (l1 < 0), ``"subcritical"`` (l1 > 0), else ``"degenerate"``."""
        if self.lyapunov_coefficient == 0 or np.isnan(self.lyapunov_coefficient):
            return "degenerate"
        return "supercritical" if self.lyapunov_coefficient < 0 else "subcritical"

    def predicted_amplitude(self, value: float) -> float:
        """Return the amplitude |z| of the cycle at a parameter value, to leading order.

        ``|z|^2 = -Re(crossing_speed) (value - value_H) / Re c1`` and the cycle is
        ``x + 2 Re(z q exp(i omega t))`` (Kuznetsov section 5.4).

        Raises
        ------
        SettingError
            If there is no cycle on that side of the Hopf point.
        """
        first = self.lyapunov_coefficient * self.omega
        square = -self.crossing_speed.real * (value - self.value) / first if first else -1.0
        if square < 0:
            side = "above" if value > self.value else "below"
            raise SettingError(
                f"the cycle born at {self.vary} = {self.value:.6g} does not exist {side} it "
                f"(to leading order); asked for {value:.6g}. Take a value on the other side."
            )
        return float(np.sqrt(square))

    def predicted_cycle(self, value: float, samples: int = 200) -> dict[str, Vector]:
        """Return the cycle near the Hopf point at a parameter value, to leading order.

        Columns are the time ``"t"`` over one period and each state by name.
        """
        amplitude = self.predicted_amplitude(value)
        times = np.linspace(0.0, self.period, samples)
        turn = np.exp(1j * self.omega * times)[:, None]
        states = self.state + 2.0 * amplitude * (turn * self.eigenvector).real
        return {"t": times} | dict(zip(self.system.state_names, states.T, strict=True))

    def details(self) -> str:
        unit = f" {self.system.time.unit}" if self.system.time.unit else ""
        return (
            f"{self.criticality}, l1 = {self.lyapunov_coefficient:.9g}, omega = {self.omega:.9g}, "
            f"period {self.period:.9g}{unit}, relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BranchPoint(SpecialPoint):
    """A branch point (BP): two branches of equilibria cross.

    On the centre manifold ``x' = b mu x + a x^2 + c x^3`` with mu the change of the parameter, after
    the first branch has been moved to x = 0; q of unit length and <p, q> = 1.  For a map the same is
    the change of x from turn to turn.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Fold`.
    tangents
        Unit directions of the two branches in (states, parameter), the one followed first; for cycles of a
        flow in (states at each row of ``orbit.profile``, period, parameter), and with events in (states where
        the stretches between them begin, their durations, parameter).
    kind
        ``"transcritical"`` (a is not 0), ``"pitchfork"`` (a = 0) or ``"degenerate"`` (a = c = 0).
    coefficients
        ``(b, a, c)``: c is nan for a transcritical point, where it says nothing.  All are nan at a
        double eigenvalue (of an area-preserving map), where the kind follows from the tangents.
    period
        For a map: how many steps the cycle takes.
    """

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    tangents: Vector
    kind: str
    coefficients: tuple[float, float, float]
    period: float = 1
    orbit: Cycle | None = None

    @property
    def label(self) -> str:  # type: ignore[override]
        """``"BP"``, on a branch of cycles ``"BPC"``."""
        return "BP" if self.orbit is None else "BPC"

    word = "branch point"

    @property
    def criticality(self) -> str:
        """For a pitchfork ``"supercritical"`` (c < 0) or ``"subcritical"``; else empty."""
        if self.kind != "pitchfork" or np.isnan(self.coefficients[2]):
            return ""
        return "supercritical" if self.coefficients[2] < 0 else "subcritical"

    def details(self) -> str:
        b, a, c = self.coefficients
        if _unknown(self, b):
            text = f"{self.kind}, coefficients not computed"
        elif np.isnan(b):
            text = f"{self.kind}, another eigenvalue meets the one that crosses"
        elif self.kind == "pitchfork":
            text = f"{self.criticality} pitchfork, b = {b:.9g}, c = {c:.9g}"
        else:
            text = f"{self.kind}, b = {b:.9g}, a = {a:.9g}"
        return f"{text}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PeriodDoubling(SpecialPoint):
    """A period doubling (flip, PD) of a map: a multiplier passes -1, and a cycle of twice the period is born.

    Parameters
    ----------
    system, vary, state, accuracy
        As for `Fold`.
    eigenvalues
        The multipliers of the cycle, one of them -1.
    coefficient
        ``b`` of the normal form x -> -x + b x^3 (of the map taken `period` times), with q of unit length
        and <p, q> = 1 (Kuznetsov, section 5.4).  Exactly 0 where its terms cancel to round-off; nan
        where both multipliers of a pair are -1, as in an area-preserving map.
    crossing_speed
        d(multiplier)/d(parameter).
    eigenvector
        The unit eigenvector q of -1: where the points of the doubled cycle part.
    period
        How many steps the cycle takes that loses or gains stability; the new one takes twice as many.
    """

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficient: float
    crossing_speed: float
    eigenvector: Vector
    period: float = 1
    orbit: Cycle | None = None

    label = "PD"
    word = "period doubling"

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """Multipliers of the cycle; the same as `eigenvalues`."""
        return self.eigenvalues

    @property
    def criticality(self) -> str:
        """``"supercritical"`` (b > 0: a stable doubled cycle), ``"subcritical"`` or ``"degenerate"``.

        ``"unknown"`` of a cycle with events.
        """
        if _unknown(self, self.coefficient):
            return "unknown"
        if self.coefficient == 0 or np.isnan(self.coefficient):
            return "degenerate"
        return "supercritical" if self.coefficient > 0 else "subcritical"

    def details(self) -> str:
        return (
            f"period {self.period:.9g} to {2 * self.period:.9g}, {_told(self.criticality)}, "
            f"b = {self.coefficient:.9g}, relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Torus(SpecialPoint):
    """A torus (Neimark-Sacker, NS) point of a map: a pair of multipliers crosses the unit circle.

    Parameters
    ----------
    system, vary, state, accuracy
        As for `Fold`.
    eigenvalues
        The multipliers of the cycle, two of them ``exp(+-i angle)``.
    angle
        Argument of the crossing pair, in radians per turn of the cycle, between 0 and pi.
    coefficient
        ``d`` of the normal form z -> exp(i angle) z (1 + (d + i e) |z|^2), with q of unit length and
        <p, q> = 1 (Kuznetsov, section 5.4).  Nan at the 1:3 resonance.
    crossing_speed
        d(multiplier)/d(parameter) of the pair.
    eigenvector
        The unit eigenvector q of exp(i angle).
    period
        How many steps the cycle takes.
    """

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    angle: float
    coefficient: float
    crossing_speed: complex
    eigenvector: NDArray[np.complex128]
    period: float = 1
    orbit: Cycle | None = None

    label = "NS"
    word = "torus point"

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """Multipliers of the cycle; the same as `eigenvalues`."""
        return self.eigenvalues

    @property
    def resonance(self) -> str:
        """``"1:3"`` or ``"1:4"`` where the angle is that of a strong resonance, else empty.

        The coefficient alone then does not decide what happens (Kuznetsov, section 9.5).
        """
        q = resonance(self.angle)
        return f"1:{q}" if q else ""

    @property
    def criticality(self) -> str:
        """``"supercritical"`` (d < 0: a stable closed curve), ``"subcritical"`` or ``"degenerate"``.

        ``"unknown"`` of a cycle with events.
        """
        if _unknown(self, self.coefficient):
            return "unknown"
        if self.coefficient == 0 or np.isnan(self.coefficient) or self.resonance:
            return "degenerate"
        return "supercritical" if self.coefficient < 0 else "subcritical"

    def details(self) -> str:
        strong = f" ({self.resonance} resonance)" if self.resonance else ""
        return (
            f"{_told(self.criticality)}, d = {self.coefficient:.9g}, angle = {self.angle:.9g}{strong}, "
            f"relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UserPoint(SpecialPoint):
    """A point where a quantity takes a value that was asked for with ``mark=``."""

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    quantity: str
    target: float
    period: float = 1
    orbit: Cycle | None = None

    label = "UZ"
    word = "user point"

    def details(self) -> str:
        return f"{self.quantity} = {self.target:.9g}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Unconfirmed(SpecialPoint):
    """A change of stability whose defining equations could not be solved; it gets no label."""

    system: System
    vary: str
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    suspected: str
    reason: str
    period: float = 1
    orbit: Cycle | None = None

    label = "?"
    word = "unconfirmed point"

    def details(self) -> str:
        return f"perhaps a {self.suspected}: {self.reason}"


def _unknown(point: SpecialPoint, coefficient: float) -> bool:
    """Whether a coefficient was not computed: it is not across events."""
    return bool(np.isnan(coefficient) and point.orbit is not None and point.orbit.jumps)


def _told(criticality: str) -> str:
    return "criticality unknown" if criticality == "unknown" else criticality


def resonance(angle: float) -> int:
    """Return q where an angle is that of a strong 1:q resonance away from the real axis, else 0."""
    return next((q for q in (3, 4) if abs(angle - 2.0 * np.pi / q) < _RESONANT), 0)


def table_of_points(points: Sequence[SpecialPoint]) -> dict[str, NDArray[Any]]:
    """Return special points as columns: label, parameter, states, eigenvalues, what is special.

    Of a cycle the greatest values of the states, its period, and the Floquet multipliers.
    """
    columns: dict[str, NDArray[Any]] = {"label": np.array([p.label for p in points], dtype=str)}
    if not points:
        return columns
    first = points[0]
    columns[first.vary] = np.array([p.value for p in points])
    names = first.system.state_names
    columns |= {name: np.array([p.greatest(name) for p in points]) for name in names}
    if any(p.orbit is not None for p in points):
        columns["period"] = np.array([p.orbit.period if p.orbit else np.nan for p in points])
    columns["unstable"] = np.array([p.unstable_directions for p in points])
    for k in range(len(first.eigenvalues)):
        columns[f"eigenvalue {k + 1}"] = np.array([p.eigenvalues[k] for p in points])
    columns["details"] = np.array([p.details() for p in points], dtype=str)
    return columns
