"""Bogdanov-Takens points as places where homoclinic orbits begin.

At a double zero eigenvalue, with A q0 = 0, A q1 = q0, p1 A = 0, p0 A = p1, <p0, q0> = <p1, q1> = 1 and
<p0, q1> = <p1, q0> = 0, the flow on the centre manifold is

    w0' = w1,   w1' = b1 + b2 w1 + a w0^2 + b w0 w1,
    x = x_BT + b2 h + q0 w0 + q1 w1 + ...,   l = l_BT + b1 k1 + b2 k2 + b2^2 k3 + ...

(Beyn, Champneys, Doedel, Govaerts, Kuznetsov and Sandstede 2002, Handbook of Dynamical Systems 2, ch. 4).  To
leading order in e = sqrt of the amplitude a homoclinic orbit is

    w0 = e^2 (2 - 6 sech^2(e t)) / a,   w1 = 12 e^3 sech^2(e t) tanh(e t) / a,
    b1 = -4 e^4 / a,   b2 = 10 b e^2 / (7 a)

(Al-Hdaibat, Govaerts, Kuznetsov and Meijer 2016, SIAM J. Appl. Dyn. Syst. 15, 952, whose higher orders are
left to Newton's method here).  b1 is of the order of b2^2, hence k3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.connection import Connection
from dynlab.cycles.problem import Orbit
from dynlab.symbolic.system import System

__all__ = ["BogdanovTakensStart", "double_zero_near"]

Vector = NDArray[np.float64]

#: How far the first orbit reaches, in units of its own time 1/e: sech^2 is then 1e-5.
_REACH = 6.5
_INTERVALS = 60
_DEGREE = 4


def double_zero_near(
    system: System, vary: tuple[str, ...], x: Vector, values: Vector
) -> tuple[Vector, Vector] | None:
    """Return state and parameters of the Bogdanov-Takens point near a place, or None.

    It is where the bordered system (A, b; c, 0)(v1, g1) = (0, 1), (A, b; c, 0)(v2, g2) = (v1, 0) has
    g1 = g2 = 0 (Beyn et al. 2002, section 5).
    """
    n = len(x)
    scale = np.concatenate([np.maximum(np.abs(x), 1e-3), np.maximum(np.abs(values), 1e-3)])
    kernels = kernels_of(system)

    def parameters(u: Vector) -> Vector:
        p = np.array(system.parameter_values)
        for name, value in zip(vary, u[n:], strict=True):
            p[system.parameter_names.index(name)] = value
        return p

    first = kernels.jacobian()(0.0, x, parameters(np.append(x, values))).reshape(n, n)
    left, _, right = np.linalg.svd(first)

    def defining(y: Vector) -> Vector:
        u = y * scale
        p = parameters(u)
        f = kernels.rhs(0.0, u[:n], p)
        matrix = kernels.jacobian()(0.0, u[:n], p).reshape(n, n)
        whole = np.block([[matrix, left[:, -1:]], [right[-1:], np.zeros((1, 1))]])
        v1 = np.linalg.solve(whole, np.eye(n + 1)[-1])
        v2 = np.linalg.solve(whole, np.append(v1[:-1], 0.0))
        return np.concatenate([f, [v1[-1], v2[-1]]])

    try:
        found = root(defining, np.append(x, values) / scale, tol=1e-14)
    except np.linalg.LinAlgError:
        return None
    u = found.x * scale
    good = np.max(np.abs(defining(found.x))) < 1e-9 * max(1.0, float(np.max(np.abs(first))))
    return (u[:n], u[n:]) if good else None


@dataclass(frozen=True, slots=True)
class BogdanovTakensStart:
    """A Bogdanov-Takens point with what the homoclinic orbits near it look like.

    Parameters
    ----------
    state, values
        Where it is: states, and the two parameters.
    a, b
        Coefficients of the normal form.
    q0, q1
        The chain of eigenvectors.
    shift
        How the centre of the orbit moves with b2.
    slopes
        k1, k2 and k3: how the parameters move.
    """

    state: Vector
    values: Vector
    a: float
    b: float
    q0: Vector
    q1: Vector
    shift: Vector
    slopes: Vector

    @classmethod
    def at(
        cls, system: System, vary: tuple[str, ...], x: Vector, values: Vector
    ) -> BogdanovTakensStart | None:
        """Return the point at a place that is one; None if the normal form is degenerate."""
        n, kernels = len(x), kernels_of(system)
        p = np.array(system.parameter_values)
        for name, value in zip(vary, values, strict=True):
            p[system.parameter_names.index(name)] = value
        flat = kernels.jacobian(vary)(0.0, x, p).reshape(n, n + 2)
        matrix, by_values = flat[:, :n], flat[:, n:]
        second = kernels.derivative(2, vary)

        def form(u: Vector, v: Vector) -> Vector:
            wide = [np.append(w, np.zeros(n + 2 - len(w))) for w in (u, v)]
            return np.asarray(second(0.0, x, p, *wide))

        left, sizes, right = np.linalg.svd(matrix)
        if n < 2 or sizes[-2] <= 1e-9 * sizes[0]:
            return None
        q0, p1 = right[-1], left[:, -1]
        whole = np.block([[matrix, p1[:, None]], [q0[None, :], np.zeros((1, 1))]])
        q1 = np.linalg.solve(whole, np.append(q0, 0.0))[:-1]
        p0 = np.linalg.solve(whole.T, np.append(p1, 0.0))[:-1]
        factor = float(p1 @ q1)
        if factor == 0.0:
            return None
        p0, p1 = p0 / factor, p1 / factor
        p0 = p0 - (p0 @ q1) * p1
        a = 0.5 * float(p1 @ form(q0, q0))
        b = float(p0 @ form(q0, q0) + p1 @ form(q0, q1))
        moved = by_values.T @ p1
        if a == 0.0 or b == 0.0 or not np.any(moved):
            return None
        k1 = moved / float(moved @ moved)
        along = np.array([-moved[1], moved[0]]) / np.linalg.norm(moved)
        # A h = -f_l along: bordered, for A is singular.
        h = np.linalg.solve(whole, np.append(-by_values @ along, 0.0))[:-1]
        way = np.append(h, along)
        rows = np.array([
            [p1 @ form(q0, way), 2.0 * a],
            [p1 @ form(q1, way) + p0 @ form(q0, way), b],
        ])  # fmt: skip
        try:
            size, extra = np.linalg.solve(rows, np.array([0.0, 1.0]))
        except np.linalg.LinAlgError:
            return None
        shift = size * h + extra * q0
        k2 = size * along
        both = np.append(shift, k2)
        k3 = -0.5 * float(p1 @ form(both, both)) * k1
        return cls(x, values, a, b, q0, q1, shift, np.array([k1, k2, k3]))

    def b2(self, e: float) -> float:
        """Return the second parameter of the normal form where the amplitude is e^2."""
        return 10.0 * self.b * e * e / (7.0 * self.a)

    def predicted(self, e: float) -> Connection:
        """Return the homoclinic orbit of amplitude of the order of e^2, to leading order."""
        b1, b2 = -4.0 * e**4 / self.a, self.b2(e)
        orbit = Orbit(
            np.empty((_INTERVALS * _DEGREE + 1, len(self.state))),
            np.linspace(0.0, 1.0, _INTERVALS + 1), 2.0 * _REACH / e, np.nan,
        )  # fmt: skip
        s = _REACH * (2.0 * orbit.places - 1.0)
        bump = 1.0 / np.cosh(s) ** 2
        w0 = e**2 * (2.0 - 6.0 * bump) / self.a
        w1 = 12.0 * e**3 * bump * np.tanh(s) / self.a
        middle = self.state + b2 * self.shift
        profile = middle + w0[:, None] * self.q0 + w1[:, None] * self.q1
        k1, k2, k3 = self.slopes
        saddle = middle + 2.0 * e**2 / self.a * self.q0
        values = self.values + b1 * k1 + b2 * k2 + b2**2 * k3
        return Connection(orbit._replace(profile=profile), values, saddle, saddle.copy())
