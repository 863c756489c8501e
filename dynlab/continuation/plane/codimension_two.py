"""Points of codimension two on curves of bifurcations of flows: what each one carries.

Names and conventions are those of Kuznetsov, Elements of Applied Bifurcation Theory (3rd ed.), chapter 8;
labels those of AUTO and MATCONT.  Critical eigenvectors are of unit length in the system's own units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.cycles.plane import fold_of_cycles
from dynlab.continuation.plane.center_manifold import jordan_chain
from dynlab.continuation.plane.predictors import PredictedOrbit, cycle_fold, homoclinic
from dynlab.continuation.points import Fold, Hopf
from dynlab.equilibria.stability import Point, Vector, described
from dynlab.errors import NotConverged
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = [
    "Bautin",
    "BogdanovTakens",
    "CodimensionTwo",
    "Cusp",
    "DoubleHopf",
    "FoldHopf",
    "Suspect",
]

NAN = float("nan")


class CodimensionTwo(Point):
    """A point of the plane of two parameters that was located by its own defining equations."""

    __slots__ = ()

    vary: tuple[str, str]
    accuracy: float

    #: Label in tables and pictures.
    label: str = ""
    #: The field's word.
    word: str = ""

    @property
    def values(self) -> tuple[float, float]:
        """Values of the two parameters here."""
        first, second = self.vary
        return float(self.system[first]), float(self.system[second])

    def details(self) -> str:
        """What is particular about this point, in one line."""
        return ""

    def __repr__(self) -> str:
        at = ", ".join(f"{n} = {v:.12g}" for n, v in zip(self.vary, self.values, strict=True))
        return f"<{self.word} at {at}; {described(self.start)};\n {self.details()}>"


def jacobian_of(point: CodimensionTwo) -> Vector:
    """Return the Jacobian of f, or of f^n, at a point."""
    n = len(point.state)
    curve = EquilibriumCurve(
        point.system, point.vary[0], np.ones(n + 1), getattr(point, "period", 1)
    )
    u = np.append(point.state, point.values[0])
    return np.asarray(curve.jacobian(u)[:, :n] + curve.shift * np.eye(n))


def fold_at(point: CodimensionTwo, coefficient: float, note: str) -> Fold:
    """Return the fold on which a point of codimension two lies."""
    return Fold(
        point.system, point.vary[0], point.state, point.eigenvalues, point.accuracy, coefficient,
        note, getattr(point, "period", 1),
    )  # fmt: skip


def eigenvector_of(point: CodimensionTwo, value: complex) -> NDArray[np.complex128]:
    """Return the unit eigenvector of the eigenvalue nearest to a value."""
    values, vectors = np.linalg.eig(jacobian_of(point))
    return np.asarray(vectors[:, np.argmin(np.abs(values - value))], dtype=complex)


#: Amplitudes at which a fold of cycles is sought, as parts of the states' size.
_AMPLITUDES = (0.1, 0.03, 0.01, 0.003)


def hopf_at(point: CodimensionTwo, omega: float, lyapunov_coefficient: float) -> Hopf:
    """Return the Hopf point that a point of codimension two is."""
    return Hopf(
        point.system, point.vary[0], point.state, point.eigenvalues, point.accuracy, omega,
        lyapunov_coefficient, complex(NAN, NAN), eigenvector_of(point, 1j * omega),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Cusp(CodimensionTwo):
    """A cusp (CP): on a curve of folds the quadratic coefficient vanishes; two folds meet.

    Parameters
    ----------
    system, vary
        The system with its parameters at the point, and the two that were varied.
    state, eigenvalues
        The equilibrium and its eigenvalues, one of them zero; for a map its multipliers.
    accuracy
        Relative accuracy of the place.
    coefficient
        ``c`` of the normal form x' = b1 + b2 x + c x^3, with q of unit length (Kuznetsov eq. 8.131).
    period
        For a map: how many steps the cycle takes.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficient: float
    period: int = 1

    label = "CP"
    word = "cusp"

    @property
    def fold(self) -> Fold:
        """The fold here, from which the curve of folds can be followed."""
        return fold_at(self, 0.0, "cusp")

    def details(self) -> str:
        return f"c = {self.coefficient:.9g}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BogdanovTakens(CodimensionTwo):
    """A Bogdanov-Takens point (BT): a double zero eigenvalue; folds and Hopf points meet.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    coefficients
        ``(a, b)`` of the normal form x' = y, y' = b1 + b2 x + a x^2 + b x y (Kuznetsov eq. 8.51), with q0
        of unit length, <q0, q1> = 0, and the largest component of q0 positive.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    coefficients: tuple[float, float]

    label = "BT"
    word = "Bogdanov-Takens point"

    @property
    def fold(self) -> Fold:
        """The fold here, from which the curve of folds can be followed."""
        return fold_at(self, NAN, "Bogdanov-Takens: a double zero eigenvalue")

    @property
    def hopf(self) -> Hopf:
        """The Hopf point here, with omega = 0, from which the curve of Hopf points can be followed."""
        return hopf_at(self, 0.0, NAN)

    def homoclinic_predictor(self, amplitude: float) -> PredictedOrbit:
        """Return the homoclinic orbit near the point, and where it is expected, to leading order.

        Parameters
        ----------
        amplitude
            How far the orbit goes from the saddle, along q0 in the system's own units.
        """
        chain = jordan_chain(jacobian_of(self))
        assert chain is not None
        return homoclinic(self.system, self.vary, chain, self.coefficients, self.state, amplitude)

    def details(self) -> str:
        a, b = self.coefficients
        return f"a = {a:.9g}, b = {b:.9g}, relative accuracy {self.accuracy:.1e}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bautin(CodimensionTwo):
    """A Bautin point (generalised Hopf, GH): the first Lyapunov coefficient vanishes.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    omega
        Imaginary part of the critical pair.
    second_lyapunov_coefficient
        ``l2 = Re c2 / omega`` of z' = i omega z + c1 z |z|^2 + c2 z |z|^4 with Re c1 = 0, <q, q> = <p, q> = 1
        in the system's own units; the size that goes with l1 = Re c1 / omega of `Hopf`.  Negative: outside
        the subcritical part of the curve there is a stable cycle.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    omega: float
    second_lyapunov_coefficient: float

    label = "GH"
    word = "Bautin point"

    @property
    def hopf(self) -> Hopf:
        """The Hopf point here, from which the curve of Hopf points can be followed."""
        return hopf_at(self, self.omega, 0.0)

    def cycle_fold_predictor(self, amplitude: float) -> PredictedOrbit:
        """Return the fold of cycles near the point, and where it is expected, to leading order.

        Parameters
        ----------
        amplitude
            The amplitude ``|z|`` of the cycle x + 2 Re(z q exp(i omega t)), as for `Hopf`.
        """
        second = self.second_lyapunov_coefficient * self.omega
        return cycle_fold(self.system, self.vary, self.state, self.omega, second, amplitude)

    @property
    def cycle_fold(self) -> Fold:
        """A fold of limit cycles beside the point, solved for, from which their curve can be followed.

        Raises
        ------
        NotConverged
            If none was found at any of several small amplitudes.
        """
        swing = np.max(np.abs(eigenvector_of(self, 1j * self.omega)))
        size = float(np.max(np.abs(self.state), initial=0.0)) or 1.0
        for share in _AMPLITUDES:
            try:
                predicted = self.cycle_fold_predictor(share * size / swing)
            except NotConverged:
                continue
            found = fold_of_cycles(predicted, self.vary)
            if found is not None:
                return found
        raise NotConverged(
            f"no fold of cycles was found beside the {self.word}. Start from a branch of cycles of a nearby "
            "Hopf point with dl.continue_cycles.",
            status=Status.NOT_CONVERGED,
        )

    def details(self) -> str:
        return (
            f"l2 = {self.second_lyapunov_coefficient:.9g}, omega = {self.omega:.9g}, "
            f"relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FoldHopf(CodimensionTwo):
    """A fold-Hopf point (zero-Hopf, Gavrilov-Guckenheimer, ZH): eigenvalues 0 and +-i omega.

    In the normal form ``u' = b u^2 + c |z|^2, z' = (i omega + d u + e u^2) z`` (Kuznetsov lemma 8.10), both
    critical eigenvectors of unit length.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    omega
        Imaginary part of the critical pair.
    coefficients
        ``(b, c, Re d, e)``; the signs of the first three depend on that of the null vector.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    omega: float
    coefficients: tuple[float, float, float, float]

    label = "ZH"
    word = "fold-Hopf point"

    @property
    def s(self) -> int:
        """Sign of b c."""
        b, c, _, _ = self.coefficients
        return int(np.sign(b * c))

    @property
    def theta(self) -> float:
        """Re d / b."""
        b, _, d, _ = self.coefficients
        return d / b if b else NAN

    @property
    def fold(self) -> Fold:
        """The fold here, from which the curve of folds can be followed."""
        return fold_at(self, self.coefficients[0], "zero-Hopf: a pair crosses the imaginary axis")

    @property
    def hopf(self) -> Hopf:
        """The Hopf point here, from which the curve of Hopf points can be followed."""
        return hopf_at(self, self.omega, NAN)

    def details(self) -> str:
        return (
            f"s = {self.s}, theta = {self.theta:.9g}, e = {self.coefficients[3]:.9g}, "
            f"omega = {self.omega:.9g}, relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class DoubleHopf(CodimensionTwo):
    """A double Hopf point (Hopf-Hopf, HH): two pairs +-i omega1, +-i omega2.

    To third order the amplitudes obey ``r1' = r1 (p11 r1^2 + p12 r2^2), r2' = r2 (p21 r1^2 + p22 r2^2)``
    (Kuznetsov section 8.6), both critical eigenvectors of unit length.

    Parameters
    ----------
    system, vary, state, eigenvalues, accuracy
        As for `Cusp`.
    omegas
        Imaginary parts of the two pairs, the larger first.
    coefficients
        ``p`` as a 2 x 2 matrix.
    """

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    omegas: tuple[float, float]
    coefficients: Vector

    label = "HH"
    word = "double Hopf point"

    @property
    def theta(self) -> float:
        """``p12 / p22``."""
        return float(self.coefficients[0, 1] / self.coefficients[1, 1])

    @property
    def delta(self) -> float:
        """``p21 / p11``."""
        return float(self.coefficients[1, 0] / self.coefficients[0, 0])

    @property
    def hopfs(self) -> tuple[Hopf, Hopf]:
        """The two Hopf points here; a curve can be followed from each."""
        p11, p22 = (float(self.coefficients[k, k]) for k in range(2))
        first, second = self.omegas
        return hopf_at(self, first, p11 / first), hopf_at(self, second, p22 / second)

    def details(self) -> str:
        first, second = self.omegas
        return (
            f"theta = {self.theta:.9g}, delta = {self.delta:.9g}, omega = {first:.9g} and "
            f"{second:.9g}, relative accuracy {self.accuracy:.1e}"
        )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Suspect(CodimensionTwo):
    """A sign change on a curve whose defining equations could not be confirmed; it gets no label."""

    system: System
    vary: tuple[str, str]
    state: Vector
    eigenvalues: NDArray[np.complex128]
    accuracy: float
    suspected: str
    reason: str
    period: int = 1

    label = "?"
    word = "unconfirmed point"

    def details(self) -> str:
        return f"perhaps a {self.suspected}: {self.reason}"
