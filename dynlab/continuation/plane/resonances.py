"""Points of codimension two on curves of bifurcations of maps: what each one carries.

Names and conventions are those of Kuznetsov, Elements of Applied Bifurcation Theory (3rd ed.), chapter 9, and
of Kuznetsov and Meijer 2005, SIAM J. Sci. Comput. 26, 1932; labels those of MATCONT for maps.  The forms
are those of f^n for a cycle of n steps, with critical eigenvectors of unit length in the system's own units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.plane.codimension_two import (
    NAN,
    CodimensionTwo,
    eigenvector_of,
    fold_at,
)
from dynlab.continuation.points import Fold, PeriodDoubling, Torus
from dynlab.equilibria.stability import Vector
from dynlab.errors import SettingError
from dynlab.symbolic.system import System

__all__ = ["Chenciner", "FoldFlip", "GeneralizedFlip", "StrongResonance"]

_ANGLES = {1: 0.0, 2: np.pi, 3: 2.0 * np.pi / 3.0, 4: np.pi / 2.0}


def flip_at(point: CodimensionTwo, coefficient: float) -> PeriodDoubling:
    """Return the period doubling that a point of codimension two is."""
    return PeriodDoubling(
        point.system, point.vary[0], point.state, point.eigenvalues, point.accuracy, coefficient,
        NAN, np.asarray(eigenvector_of(point, -1.0).real), getattr(point, "period", 1),
    )  # fmt: skip


def torus_at(point: CodimensionTwo, angle: float, coefficient: float) -> Torus:
    """Return the torus point that a point of codimension two is."""
    return Torus(
        point.system, point.vary[0], point.state, point.eigenvalues, point.accuracy, angle,
        coefficient, complex(NAN, NAN), eigenvector_of(point, np.exp(1j * angle)),
        getattr(point, "period", 1),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class GeneralizedFlip(CodimensionTwo):
    """A generalised flip (degenerate period doubling, GPD): its cubic coefficient vanishes.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    coefficient
        ``c`` of x -> -x + c x^5 (Kuznetsov section 9.3); nan for cycles of more than one step.
    period
        How many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficient: float
    period: int = 1

    label = "GPD"
    word = "generalised flip"

    @property
    def period_doubling(self) -> PeriodDoubling:
        """The period doubling here, from which its curve can be followed."""
        return flip_at(self, 0.0)

    def details(self) -> str:
        return f"c = {self.coefficient:.9g}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Chenciner(CodimensionTwo):
    """A Chenciner point (CH): on a curve of torus points the cubic coefficient vanishes.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    angle
        Argument of the critical multipliers.
    coefficient
        ``L2 = Re c2 + (Im c1)^2 / 2`` of z -> exp(i angle) z (1 + c1 |z|^2 + c2 |z|^4): the modulus obeys
        r -> r + L2 r^5 (Kuznetsov section 9.4); nan for cycles of more than one step.
    period
        How many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    angle: float
    coefficient: float
    period: int = 1

    label = "CH"
    word = "Chenciner point"

    @property
    def torus(self) -> Torus:
        """The torus point here, from which its curve can be followed."""
        return torus_at(self, self.angle, 0.0)

    def details(self) -> str:
        return (
            f"L2 = {self.coefficient:.9g}, angle = {self.angle:.9g}, "
            f"relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StrongResonance(CodimensionTwo):
    """A strong resonance 1:q, q = 1 to 4 (R1 ... R4): a pair of multipliers with angle 2 pi / q.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    order
        q.
    coefficients
        Of the normal form of f^n (Kuznetsov section 9.5; Kuznetsov and Meijer 2005):

        1. ``(a, b)`` of (x, y) -> (x + y, y + a x^2 + b x y)
        2. ``(c, d)`` of (x, y) -> (-x + y, -y + c x^3 + d x^2 y)
        3. ``(b, c)`` of z -> exp(2 pi i / 3) z + b conj(z)^2 + c z |z|^2
        4. ``(c, d)`` of z -> i z + c z |z|^2 + d conj(z)^3
    period
        How many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    order: int
    coefficients: tuple[complex, complex]
    period: int = 1

    word = "strong resonance"

    @property
    def label(self) -> str:  # type: ignore[override]
        """``"R1"`` to ``"R4"``."""
        return f"R{self.order}"

    @property
    def fold(self) -> Fold:
        """At 1:1 the fold here, from which the curve of folds can be followed."""
        self._require("fold", 1)
        return fold_at(self, NAN, "1:1 resonance: a double multiplier 1")

    @property
    def period_doubling(self) -> PeriodDoubling:
        """At 1:2 the period doubling here, from which its curve can be followed."""
        self._require("period_doubling", 2)
        return flip_at(self, NAN)

    @property
    def torus(self) -> Torus:
        """The torus point here, from which the curve of torus points can be followed."""
        return torus_at(self, _ANGLES[self.order], NAN)

    def _require(self, name: str, order: int) -> None:
        if self.order != order:
            raise SettingError(
                f"a 1:{self.order} resonance has no {name}; at 1:{order} there is one. Use .torus."
            )

    def details(self) -> str:
        first, second = self.coefficients
        return (
            f"1:{self.order}, coefficients {first:.6g} and {second:.6g}, "
            f"relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FoldFlip(CodimensionTwo):
    """A fold-flip point (LPPD): multipliers 1 and -1.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    coefficients
        ``(a, b, e)`` of u -> u + a u^2 + b v^2, v -> -v + e u v, both critical eigenvectors of unit length
        (to second order; Kuznetsov section 9.6).  Their signs depend on that of the first eigenvector.
    period
        How many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficients: tuple[float, float, float]
    period: int = 1

    label = "LPPD"
    word = "fold-flip point"

    @property
    def fold(self) -> Fold:
        """The fold here, from which the curve of folds can be followed."""
        return fold_at(self, self.coefficients[0], "another multiplier is -1")

    @property
    def period_doubling(self) -> PeriodDoubling:
        """The period doubling here, from which its curve can be followed."""
        return flip_at(self, NAN)

    def details(self) -> str:
        a, b, e = self.coefficients
        return f"a = {a:.9g}, b = {b:.9g}, e = {e:.9g}, relative accuracy {self.accuracy:.1e}"
