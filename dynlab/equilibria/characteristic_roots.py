"""characteristic_roots: at what rates deviations of a linear system with delays grow.

    x' = A_0 x + sum_k A_k x(t - tau_k),    det D(l) = 0,   D(l) = l - A_0 - sum_k A_k exp(-l tau_k)

A system with delays has infinitely many roots, of which finitely many lie to the right of any line.  They are the
eigenvalues of the operator that carries a piece of history of length max tau forward; a polynomial through
Chebyshev points makes it a matrix [1], whose eigenvalues near 0 converge faster than any power of
the number of points.  Each is then improved by itself, by successive linear problems in D (Ruhe 1973, SIAM J. Numer. Anal. 10, 674),
which ends in rounding.  Points are added until two numbers of them give the same roots.

Cost: (n points)^3, seconds from some hundred points times states on.  What makes it slow: long delays against fast
rates, as the points must resolve waves as fast as these.

References
----------
1. Breda, Maset and Vermiglio 2005, SIAM J. Sci. Comput. 27, 482.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import NotConverged, SettingError
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CharacteristicRoots", "characteristic_roots"]

Complex = NDArray[np.complex128]
Array = NDArray[np.float64]

#: Points of the history to begin with, and the largest size of a matrix.  Ten points carry a wave of ``|l| tau = 5`` to 2e-5 (the
#: error is about ``(e |l| tau / 4 N)^N``), and a guess is improved from a hundredth on.
FEWEST, LARGEST = 8, 1000
#: With fewer roots than asked for after so many points there may be no more.
MANY = 80
#: Eigenvalue of the matrix and root of D are the same if they differ by less than this, on the scale of
#: their modulus (for small ones: of the rates of the system).
SAME, AGREE = 1e-2, 1e-9
ROUNDS = 30
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CharacteristicRoots(Result):
    """The rightmost characteristic roots of a linear system with delays; made by `characteristic_roots`.

    Attributes
    ----------
    roots
        The roots, the rightmost first, per unit of time.
    errors
        How far each may be from a root: the smallest singular value of D there, or rounding, times the
        condition of the root.
    points
        With how many points of the history they were found.
    status
        `Status.NOT_CONVERGED` if the largest number of points was not enough for all of them.
    provenance
        Where it came from.
    """

    roots: Complex
    errors: Array
    points: int
    status: Status
    provenance: Provenance

    @property
    def rightmost(self) -> complex:
        """The root with the largest real part."""
        return complex(self.roots[0])

    @property
    def is_stable(self) -> bool:
        """Whether every deviation decays."""
        return bool(self.roots[0].real < 0)

    def to_table(self) -> dict[str, Array]:
        """Return real part, imaginary part and error as columns."""
        return {
            "real part": self.roots.real,
            "imaginary part": self.roots.imag,
            "error": self.errors,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the roots in the complex plane."""
        from dynlab.plotting import draw_eigenvalue_plane

        return draw_eigenvalue_plane(ax, self.roots)

    def __repr__(self) -> str:
        return (
            f"<{len(self.roots)} characteristic roots: rightmost {self.rightmost:.8g} +- "
            f"{self.errors[0]:.1g};\n {'stable' if self.is_stable else 'unstable'}, {self.status}>"
        )


def characteristic_roots(
    A0: ArrayLike, *, delayed: Mapping[float, ArrayLike], count: int = 6
) -> CharacteristicRoots:
    r"""Return the rightmost characteristic roots of ``x' = A0 x + sum of A x(t - tau)``, with their errors.

    .. math:: \det\Bigl(\lambda - A_0 - \sum_k A_k e^{-\lambda \tau_k}\Bigr) = 0

    Parameters
    ----------
    A0
        The matrix of what acts at once, real or complex; a number for one state.
    delayed
        The matrix of what acts after each delay, by the delay in units of time, which is above zero.
    count
        How many roots.

    Returns
    -------
    CharacteristicRoots
        Roots from the right with their errors.  Two numbers of points of the history gave the same
        ones; that none is missing between them rests on the convergence of the method.  They are fewer than asked for where
        no more were found (a system may have finitely many, as one whose delayed parts lead nowhere).

    Raises
    ------
    SettingError
        If matrices are not square, of one size and finite, or a delay is not above zero.
    NotConverged
        If no root at all was found; where only some were, they are returned with their status.

    Examples
    --------
    Hutchinson's equation about its equilibrium, ``x' = -r x(t - 1)``, oscillates from r = pi / 2 on:

    >>> import dynlab as dl
    >>> import numpy as np
    >>> found = dl.characteristic_roots(0.0, delayed={1.0: -np.pi / 2})
    >>> abs(found.rightmost.real) < 1e-12, round(abs(found.rightmost.imag), 6)
    (True, 1.570796)

    References
    ----------
    1. Breda, Maset and Vermiglio 2005, SIAM J. Sci. Comput. 27, 482.
    """
    began = perf_counter()
    problem = _Problem.checked(A0, delayed)
    wanted = int(finite(count, "count"))
    if wanted < 1:
        raise SettingError(f"count is {count!r}; ask for one root or more.")
    # A wave exp(l s) over the history is resolved from |l| tau / 2 points on, and |l| <= rate to the right of 0.
    points = FEWEST + 2 * (wanted // problem.size) + int(problem.rate * problem.delays[-1] / 2)
    most = max(LARGEST // problem.size, FEWEST)
    points = min(points, most)
    roots, agreed = problem.roots(points, wanted), False
    while not agreed and points < most:
        points = min(points + points // 2, most)
        before, roots = roots, problem.roots(points, wanted)
        enough = len(roots) == wanted or points > MANY
        agreed = 0 < len(before) == len(roots) and enough and problem.are_equal(before, roots)
    if not roots.size:
        raise NotConverged(
            f"no characteristic root was found with {points} points of a history of length {problem.delays[-1]:g}: "
            f"rates up to {problem.rate:.3g} turn or decay too much within it. Give a shorter unit of time or delay, or leave "
            "out the delay if what it carries is next to nothing.",
            status=Status.NOT_CONVERGED,
        )
    return CharacteristicRoots(
        roots=roots,
        errors=np.array([problem.error_of(root) for root in roots]),
        points=points,
        status=Status.OK if agreed else Status.NOT_CONVERGED,
        provenance=Provenance(
            "characteristic_roots", None,
            {"A0": problem.now, "delayed": dict(zip(problem.delays.tolist(), problem.later, strict=True)),
             "count": wanted},
            seconds=perf_counter() - began,
        ),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Problem:
    """The matrices, checked, and what is computed from them."""

    now: Complex
    later: tuple[Complex, ...]
    delays: Array

    @classmethod
    def checked(cls, A0: ArrayLike, delayed: Mapping[float, ArrayLike]) -> _Problem:
        if not isinstance(delayed, Mapping) or not delayed:
            raise SettingError(
                "delayed= is the matrix of each delay, by the delay: delayed={0.5: A1}. Give one or more; "
                "without delays numpy.linalg.eigvals(A0) are the roots."
            )
        now = _matrix(A0, "A0")
        delays = sorted(delayed, key=lambda tau: finite(tau, "a delay"))
        if float(delays[0]) <= 0:
            raise SettingError(
                f"a delay is {delays[0]:g}; give delays above zero. What acts at once is A0."
            )
        later = tuple(_matrix(delayed[tau], f"the matrix of the delay {tau:g}") for tau in delays)
        for matrix, tau in zip(later, delays, strict=True):
            if matrix.shape != now.shape:
                raise SettingError(
                    f"A0 has shape {now.shape} and the matrix of the delay {tau:g} has {matrix.shape}. "
                    "Give matrices of one size."
                )
        return cls(now, later, np.array(delays, float))

    @property
    def size(self) -> int:
        return len(self.now)

    @property
    def rate(self) -> float:
        """A bound for the roots to the right of the imaginary axis."""
        return float(sum(np.linalg.norm(matrix, 2) for matrix in (self.now, *self.later)))

    def scale_of(self, roots: Any) -> Any:
        return np.maximum(np.abs(roots), max(self.rate, 1.0 / self.delays[-1]))

    def are_equal(self, before: Complex, now: Complex) -> bool:
        """Whether two sets are one up to rounding, which at roots of order two is its square root."""
        errors = np.array([self.error_of(root) for root in now])
        allowed = np.maximum(AGREE * self.scale_of(now), 8 * errors)
        return bool((np.abs(before - now) <= allowed).all())

    def delta(self, root: complex) -> Complex:
        """Return D at a place of the plane."""
        decayed = sum(
            matrix * np.exp(-root * tau)
            for matrix, tau in zip(self.later, self.delays, strict=True)
        )
        return np.asarray(root * np.eye(self.size) - self.now - decayed)

    def slope(self, root: complex) -> Complex:
        """Return the derivative of D."""
        decayed = sum(
            tau * matrix * np.exp(-root * tau)
            for matrix, tau in zip(self.later, self.delays, strict=True)
        )
        return np.asarray(np.eye(self.size) + decayed)

    def roots(self, points: int, count: int) -> Complex:
        """Return the rightmost roots that a number of points finds."""
        guesses = np.linalg.eigvals(self._operator(points))
        guesses = guesses[np.argsort(-guesses.real)]
        found: list[complex] = []
        for guess in guesses[: 4 * count + 8]:
            # Those that follow lie to the left, and improving moves them by less than that.
            far = SAME * float(self.scale_of(guess))
            if (
                len(found) >= count
                and guess.real + far < np.partition(np.real(found), -count)[-count]
            ):
                break
            root = self._improved(complex(guess))
            if root is not None:
                found.append(root)
        values = np.array(found, complex)
        # Of two with one real part the one above comes first; rounding must not part them.
        keys = np.round(values.real / (AGREE * self.scale_of(0.0)))
        return values[np.lexsort((-values.imag, -keys))][:count]

    def _operator(self, points: int) -> Complex | Array:
        """Return the operator on histories: d/ds inside, and the equation at s = 0."""
        n, longest = self.size, self.delays[-1]
        nodes, differentiate = _chebyshev(points)
        whole = np.kron(differentiate * (2 / longest), np.eye(n)).astype(complex)
        top = np.zeros((n, whole.shape[1]), complex)
        top[:, :n] = self.now
        for matrix, tau in zip(self.later, self.delays, strict=True):
            top += np.kron(_weights(nodes, 1 - 2 * tau / longest), matrix)
        whole[:n] = top
        # Real matrices take a quarter of the time.
        return np.asarray(whole) if whole.imag.any() else np.asarray(whole.real)

    def _improved(self, guess: complex) -> complex | None:
        """Return the root next to a guess; None if there is none, so that the guess is of the points alone."""
        from scipy.linalg import eigvals

        root, scale = guess, float(self.scale_of(guess))
        if abs(root.real) * self.delays[-1] > 300:
            return None
        for _ in range(ROUNDS):
            steps = eigvals(self.delta(root), self.slope(root))
            steps = steps[np.isfinite(steps)]
            if not steps.size:
                return None
            step = complex(steps[np.argmin(np.abs(steps))])
            root -= step
            if abs(root - guess) > SAME * scale:
                return None
            if abs(step) <= 4 * EPSILON * scale:
                break
        return root

    def error_of(self, root: complex) -> float:
        """Return the backward error of a root times its condition (Tisseur 2000, Linear Algebra Appl. 309, 339)."""
        left, singular, right = np.linalg.svd(self.delta(root))
        tilt = abs(left[:, -1].conj() @ self.slope(root) @ right[-1].conj())
        weight = abs(root) + sum(
            float(np.linalg.norm(matrix, 2)) * float(np.exp(-root.real * tau))
            for matrix, tau in zip((self.now, *self.later), (0.0, *self.delays), strict=True)
        )
        missing = float(singular[-1]) + EPSILON * weight
        # At a root of order two the error is the square root of what is missing.
        return float(min(missing / max(tilt, 1e-300), np.sqrt(missing * self.scale_of(root))))


def _matrix(value: ArrayLike, what: str) -> Complex:
    matrix = np.atleast_2d(np.asarray(value))
    if matrix.dtype.kind not in "biufc" or matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise SettingError(
            f"{what} is not a square matrix of numbers. Give one, or a number for one state."
        )
    if not np.isfinite(matrix).all():
        raise SettingError(f"{what} holds a value that is not finite. Give finite numbers.")
    return matrix.astype(complex)


def _chebyshev(points: int) -> tuple[Array, Array]:
    """Return the extrema of a Chebyshev polynomial, from 1 to -1, and the matrix that differentiates there.

    Trefethen 2000, Spectral Methods in MATLAB, chapter 6.
    """
    nodes = np.cos(np.pi * np.arange(points + 1) / points)
    weights = np.ones(points + 1)
    weights[[0, -1]] = 2.0
    weights *= (-1.0) ** np.arange(points + 1)
    apart = nodes[:, None] - nodes[None, :] + np.eye(points + 1)
    matrix = np.outer(weights, 1 / weights) / apart
    return nodes, np.asarray(matrix - np.diag(matrix.sum(axis=1)))


def _weights(nodes: Array, place: float) -> Array:
    """Return the row that evaluates at a place the polynomial through the nodes (barycentric formula)."""
    apart = place - nodes
    hit = np.flatnonzero(np.abs(apart) < 4 * EPSILON)
    row = np.zeros((1, len(nodes)))
    if hit.size:
        row[0, hit[0]] = 1.0
        return row
    weights = (-1.0) ** np.arange(len(nodes))
    weights[[0, -1]] *= 0.5
    row[0] = weights / apart
    return np.asarray(row / row.sum())
