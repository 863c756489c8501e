"""Continuation of large sparse networks: the same steps as the compiled loop, with a sparse LU.

One factorisation costs milliseconds, so nothing is gained by compiled loops; Python drives.  The step

    predict, correct, tangent        as in `dynlab.kernels.follow`, on the bordered matrix [J f_l; t']

is taken with SuperLU, which also gives the sign of the determinant.  Only the leading eigenvalues are
known (`dynlab.equilibria.large`): changes of stability further to the left than a dozen eigenvalues are not
seen.  Steps are not shortened at branch points, of which a symmetric network has as many as nodes, and
these are not located.  Folds and Hopf points are located by a bracketed root of their condition along the curve
(Brent 1973, Algorithms for Minimization without Derivatives, ch. 4), each evaluation being a point
of the curve.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.equilibrium import EquilibriumCurve
from dynlab.continuation.locate import LOCATED, Located, Rejected
from dynlab.continuation.points import Fold, Hopf, SpecialPoint
from dynlab.equilibria.large import LEADING, factorised, leading_eigenvalues, sparse_jacobian_of
from dynlab.status import Status

__all__ = [
    "Reached",
    "Taken",
    "corrected",
    "eigenvalues_at",
    "locate_fold",
    "locate_hopf",
    "sparse_steps",
    "special_point",
    "tangent_at",
]

Vector = NDArray[np.float64]

_NEWTON = 8
_ANGLE_MAX, _DRIFT = 0.35, 0.3


def joint_jacobian(curve: EquilibriumCurve, y: Vector) -> Any:
    """Return [J | f_l] in scaled form, sparse."""
    from scipy.sparse import diags

    u = y * curve.scale
    plain = sparse_jacobian_of(curve.system, (curve.vary,))(0.0, u[:-1], curve.values(u[-1]))
    return (diags(1.0 / curve.scale[:-1]) @ plain @ diags(curve.scale)).tocsc()


def _bordered(curve: EquilibriumCurve, y: Vector, row: Vector) -> Any:
    from scipy.sparse import csc_matrix, vstack

    return vstack([joint_jacobian(curve, y), csc_matrix(row[None, :])]).tocsc()


def corrected(
    curve: EquilibriumCurve, guess: Vector, row: Vector, value: float, tolerance: float
) -> Vector | None:
    """Return the point of the curve with row . y = value near a guess (all scaled), or None."""
    y, last = np.array(guess, dtype=float), np.inf
    for _ in range(_NEWTON):
        residual = np.append(curve.residual(y), row @ y - value)
        if not np.isfinite(residual).all():
            return None
        try:
            step = factorised(_bordered(curve, y, row)).solve(-residual)
        except RuntimeError:  # exactly singular
            return None
        size = float(np.max(np.abs(step)))
        if not np.isfinite(size):
            return None
        y = y + step
        if size < tolerance:
            return np.asarray(y)
        if size > 4.0 * last:
            return None
        last = size
    return None


def tangent_at(curve: EquilibriumCurve, y: Vector, border: Vector) -> tuple[Vector, float]:
    """Return the unit tangent with border . tangent > 0, and the sign of the determinant."""
    try:
        lu = factorised(_bordered(curve, y, border))
    except RuntimeError:
        return border, 0.0
    unit = np.zeros(len(y))
    unit[-1] = 1.0
    tangent = lu.solve(unit)
    return tangent / np.linalg.norm(tangent), _sign(lu)


def _sign(lu: Any) -> float:
    """Return the sign of the determinant of what was factorised."""
    negative = int(np.sum(lu.U.diagonal() < 0)) + int(np.sum(lu.L.diagonal() < 0))
    return -1.0 if (negative + _parity(lu.perm_r) + _parity(lu.perm_c)) % 2 else 1.0


def _parity(permutation: NDArray[Any]) -> int:
    """Return whether a permutation is odd: by the number of its cycles."""
    seen = np.zeros(len(permutation), dtype=bool)
    cycles = 0
    for k in range(len(permutation)):
        if not seen[k]:
            cycles += 1
            while not seen[k]:
                seen[k] = True
                k = permutation[k]
    return (len(permutation) - cycles) % 2


def eigenvalues_at(curve: EquilibriumCurve, y: Vector) -> NDArray[np.complex128]:
    """Return the leading eigenvalues, always the same number."""
    found = leading_eigenvalues(joint_jacobian(curve, y)[:, :-1].tocsc()) + curve.shift
    return np.pad(found[:LEADING], (0, max(0, LEADING - len(found))), mode="edge")


class Reached(NamedTuple):
    """Where a walk stands: unknowns and unit direction, scaled, and step with the determinant's sign."""

    unknowns: Vector
    direction: Vector
    step: Vector


class Taken(NamedTuple):
    """The steps of a chunk, scaled, and why it ended."""

    points: Vector
    tangents: Vector
    eigenvalues: NDArray[np.complex128]
    signs: Vector
    status: Status


def sparse_steps(  # noqa: PLR0913  (curve, bounds, how, where it stands, and room)
    curve: EquilibriumCurve, walk: Any, method: Any, reached: Reached,
    counters: NDArray[np.int64], capacity: int, pin: int,
) -> Taken:  # fmt: skip
    """Take steps until a buffer is full or something ends the branch; see `kernels.follow.follow`."""
    step = reached.step
    scale = curve.scale
    y, tangent = reached.unknowns, reached.direction
    lower, upper = walk.lower / scale, walk.upper / scale
    rows: list[tuple[Vector, Vector, NDArray[np.complex128], float]] = []
    status = Status.RUNNING
    while len(rows) < capacity and status is Status.RUNNING:
        taken = _step(curve, method, y, tangent, step, pin)
        if isinstance(taken, Status):
            status = taken
            break
        new, turned, sign, grow = taken
        hit = _first_bound(y, new, lower, upper)
        if hit is not None:
            place, bound, share = hit
            row = np.zeros(len(y))
            row[place] = 1.0
            landed = corrected(curve, y + share * (new - y), row, bound, method.tolerance)
            if landed is None:
                status = Status.NOT_CONVERGED
                break
            new = landed
            new[place] = bound
            turned, sign = tangent_at(curve, new, tangent)
            status = Status.PARAMETER_BOUND if place == len(y) - 1 else Status.STATE_BOUND
        rows.append((new, turned, eigenvalues_at(curve, new), sign))
        y, tangent = new, turned
        step[0] = min(method.step_max, max(method.step_min, step[0] * grow))
        step[1] = sign
    counters[0] = len(rows)
    n = len(y)
    return Taken(
        np.array([r[0] for r in rows]).reshape(-1, n),
        np.array([r[1] for r in rows]).reshape(-1, n),
        np.array([r[2] for r in rows]).reshape(-1, LEADING),
        np.array([r[3] for r in rows]),
        status,
    )


def _step(
    curve: EquilibriumCurve, method: Any, y: Vector, tangent: Vector, step: Vector, pin: int
) -> tuple[Vector, Vector, float, float] | Status:
    """Return the next point, its tangent, the determinant's sign and how the step may grow."""
    while True:
        h = float(step[0])
        row, guess = tangent, y + h * tangent
        value = float(row @ y) + h
        if pin >= 0:
            direction = 1.0 if tangent[pin] > 0 else -1.0
            row = np.zeros(len(y))
            row[pin] = 1.0
            guess = y + h * direction / tangent[pin] * tangent
            value = y[pin] + h * direction
        smallest = h <= method.step_min * 1.0001
        new = corrected(curve, guess, row, value, method.tolerance)
        if new is not None:
            turned, sign = tangent_at(curve, new, tangent)
            angle = float(np.arccos(min(1.0, float(turned @ tangent))))
            drift = float(np.linalg.norm(new - guess))
            jumped = angle > _ANGLE_MAX or drift > _DRIFT * h
            if pin >= 0 and turned[pin] * tangent[pin] <= 0:
                return Status.FOLD_IN_PARAMETER
            if smallest or not jumped:
                return new, turned, sign, min(2.0, max(0.5, method.angle / max(angle, 1e-12)))
        elif smallest:
            return Status.FOLD_IN_PARAMETER if pin >= 0 else Status.NOT_CONVERGED
        step[0] = max(method.step_min, 0.5 * h)


def _first_bound(
    y: Vector, new: Vector, lower: Vector, upper: Vector
) -> tuple[int, float, float] | None:
    """Return the bound that a step passes first: its place, its value and the share of the step."""
    best: tuple[int, float, float] | None = None
    for bounds, beyond in ((lower, new < lower), (upper, new > upper)):
        for place in np.flatnonzero(beyond & (new != y)):
            share = float((bounds[place] - y[place]) / (new[place] - y[place]))
            if best is None or share < best[2]:
                best = int(place), float(bounds[place]), max(share, 0.0)
    return best


Place = Callable[[float], "Vector | None"]


def locate_fold(curve: EquilibriumCurve, point: Place, along: Vector) -> Located | Rejected:
    """Return where the parameter's part of the tangent vanishes on a span."""
    border = along / curve.scale / np.linalg.norm(along / curve.scale)
    return _root_between(curve, point, lambda y: float(tangent_at(curve, y, border)[0][-1]))


def locate_hopf(curve: EquilibriumCurve, point: Place, pair: complex) -> Located | Rejected:
    """Return where the real part of the pair near a value vanishes on a span."""
    last = pair

    def growth(y: Vector) -> float:
        nonlocal last
        last, _, _ = _eigenvector_near(joint_jacobian(curve, y)[:, :-1].tocsc(), last)
        return last.real

    found = _root_between(curve, point, growth)
    if isinstance(found, Rejected):
        return found
    omega = abs(last.imag)
    if omega < 1e-6 * abs(pair):
        return Rejected("the pair meets zero: a double zero eigenvalue, not a Hopf point")
    return Located(found.u, found.accuracy, omega)


def _root_between(
    curve: EquilibriumCurve, point: Place, test: Callable[[Vector], float]
) -> Located | Rejected:
    """Return where a test function vanishes on a span, `point` giving the curve over 0 to 1."""
    from scipy.optimize import brentq

    last: list[Vector] = []

    def value(s: float) -> float:
        y = point(s)
        if y is None:
            raise ArithmeticError
        last.append(y)
        return test(y)

    try:
        place = brentq(value, 0.0, 1.0, xtol=1e-14, rtol=1e-13)
    except (ArithmeticError, ValueError):  # the curve is lost, or the sign does not change
        return Rejected("the condition has no single zero between the points")
    found = point(place)
    if found is None:
        return Rejected("the curve is lost near the point")
    test(found)
    steps = [float(np.max(np.abs(found - y))) for y in last if (y != found).any()]
    accuracy = min(steps, default=0.0)
    if accuracy > LOCATED * max(1.0, float(np.max(np.abs(found)))):
        return Rejected(f"the root of the condition is known to {accuracy:.1e} only")
    return Located(found * curve.scale, accuracy)


def special_point(
    curve: EquilibriumCurve, found: Located, kind: str, head: tuple[Any, Any, Any, Any, Any]
) -> SpecialPoint:
    """Return the point of a kind with its normal form (Kuznetsov, as in `normal_forms`)."""
    plain, u = curve.scaled(1.0), found.u
    joint = joint_jacobian(plain, u)
    matrix = joint[:, :-1].tocsc()
    if kind == "fold":
        null, left = _null_vectors(matrix)
        bend = plain.second(u, np.append(null, 0.0), np.append(null, 0.0))
        return Fold(*head, float(left @ bend / 2.0))
    from scipy.sparse import identity
    from scipy.sparse.linalg import splu

    n, omega = matrix.shape[0], found.angle
    _, q, p = _eigenvector_near(matrix, 1j * omega)
    conjugate = q.conj()

    def second(v: Any, w: Any) -> Any:
        return plain.second(u, np.append(v, 0.0), np.append(w, 0.0))

    lu = factorised(matrix)
    both = second(q, conjugate)
    h11 = lu.solve(both.real)  # B(q, q*) is real
    twice = (2j * omega * identity(n, format="csc") - matrix).tocsc()
    h20 = splu(twice).solve(second(q, q).astype(complex))
    terms = plain.third(u, q, q, conjugate) - 2.0 * second(q, h11) + second(conjugate, h20)
    drift = -lu.solve(joint[:, -1].toarray().ravel())
    speed = complex(np.vdot(p, plain.second(u, np.append(drift, 1.0), np.append(q, 0.0))))
    first = float(np.vdot(p, terms).real) / (2.0 * omega)
    return Hopf(*head, omega, first, speed, q)


def _null_vectors(matrix: Any) -> tuple[Vector, Vector]:
    """Return the right and left null vectors of a matrix that is singular, q of unit length, p.q = 1.

    By inverse iteration: of a nearly singular matrix it converges in two or three steps.
    """
    from scipy.sparse import identity

    n = matrix.shape[0]
    tiny = 1e-10 * float(abs(matrix).max())
    lu = factorised(matrix + tiny * identity(n, format="csc"))
    q = p = np.random.default_rng(0).standard_normal(n)
    for _ in range(6):
        q, p = lu.solve(q), lu.solve(p, trans="T")
        q, p = q / np.linalg.norm(q), p / np.linalg.norm(p)
    q = q * np.sign(q[np.argmax(np.abs(q))])
    return q, p / (p @ q)


def _eigenvector_near(
    matrix: Any, value: complex
) -> tuple[complex, NDArray[np.complex128], NDArray[np.complex128]]:
    """Return the eigenvalue nearest to a value, and its right and left vectors, <p, q> = 1."""
    from scipy.sparse import identity
    from scipy.sparse.linalg import splu

    n = matrix.shape[0]
    moved = (matrix - value * (1 + 1e-9) * identity(n, format="csc")).astype(complex).tocsc()
    lu = splu(moved)
    begin = np.random.default_rng(0).standard_normal((2, n))
    q = p = begin[0] + 1j * begin[1]
    for _ in range(8):
        q, p = lu.solve(q), lu.solve(p, trans="H")
        q, p = q / np.linalg.norm(q), p / np.linalg.norm(p)
    found = complex(np.vdot(p, matrix @ q) / np.vdot(p, q))
    turn = q[np.argmax(np.abs(q))]
    q = q * np.conj(turn) / abs(turn)
    return found, q, p / np.conj(np.vdot(p, q))
