"""What begins at a point of codimension two, to leading order: a start for other curves.

Bautin point.  On the centre manifold z' = (mu + i omega) z + c1 z |z|^2 + c2 z |z|^4, so two cycles of amplitude
rho meet (a fold of cycles) where Re c1 = -2 Re c2 rho^2 and mu = Re c2 rho^4 (Kuznetsov, Elements, 3rd ed.,
section 8.3).  The first condition is met on the curve of Hopf points itself, the second beside it.

Bogdanov-Takens point.  On the centre manifold w0' = w1, w1' = b1 + b2 w1 + a w0^2 + b w0 w1, with
w0 = e^2 u / a, w1 = e^3 u' / a, b1 = -4 e^4 / a, b2 = 10 b e^2 / (7 a) and e times the time there is
to leading order a homoclinic orbit u = 2 - 6 sech^2 of the saddle u = 2 (Beyn 1994, J. Dyn. Diff. Eq. 6, 177;
Kuznetsov, Meijer, Al Hdaibat and Govaerts 2014, Int. J. Bifurcation Chaos 24, 1450057).  States and parameters
come from the homological equation with parameters: x = w0 q0 + w1 q1 + h b2 + ..., (l, m) = k b2 + k1 b1 +
k2 b2^2 / 2, to the order at which the homoclinic orbit differs from folds and Hopf points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.hopf import HopfCurve, critical_vectors
from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.follow import land
from dynlab.errors import NotConverged, SettingError, UnknownNameError
from dynlab.names import finite
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["PredictedOrbit", "cycle_fold", "homoclinic"]

Vector = NDArray[np.float64]

_SAMPLES = 200
#: Half the time for which a predicted homoclinic orbit is given, in units of 1/e: sech^2 is then 1e-7.
_LONG = 9.0


@dataclass(frozen=True, slots=True)
class PredictedOrbit:
    """An orbit to leading order, and the parameters at which it is expected.

    Parameters
    ----------
    system
        The system at these parameters.
    times
        Times along the orbit.
    states
        A row for each time; ``orbit["v"]`` is a column.
    """

    system: System
    times: Vector
    states: Vector

    @property
    def duration(self) -> float:
        """How long the orbit takes; the period of a cycle."""
        return float(self.times[-1] - self.times[0])

    def __getitem__(self, name: str) -> Any:
        """Return the times ``"t"``, a state over them, or a parameter."""
        if name == "t":
            return self.times
        names = self.system.state_names
        if name in names:
            return self.states[:, names.index(name)]
        if name in self.system.parameter_names:
            return self.system[name]
        known = ("t", *names, *self.system.parameter_names)
        raise UnknownNameError(f"quantity of an orbit of {self.system.name!r}", name, known)


def _checked(amplitude: float) -> float:
    amplitude = finite(amplitude, "amplitude")
    if not amplitude > 0:
        raise SettingError(f"the amplitude is {amplitude:g}; give a small positive number.")
    return amplitude


def cycle_fold(
    system: System, vary: tuple[str, str], state: Vector, omega: float, second: float,
    amplitude: float,
) -> PredictedOrbit:  # fmt: skip
    """Return the fold of cycles with an amplitude |z|, near a Bautin point with Re c2 = second."""
    rho = _checked(amplitude)
    plane = Plane.of(system, vary)
    n = plane.size
    values = np.array([system[name] for name in plane.vary])
    u = _on_hopf_curve(plane, np.concatenate([state, [omega**2], values]), -2.0 * second * rho**2)
    omega = float(np.sqrt(u[n]))
    joint = plane.jacobians(u[None])[0]
    a, by_parameters = joint[:, :n], joint[:, n:]
    q, p = (v[0] for v in critical_vectors(a[None], np.array([1j * omega])))
    drift = -np.linalg.solve(a, by_parameters)
    slope = np.array([
        np.vdot(p, plane.second(u[None], np.append(drift[:, k], np.eye(2)[k])[None], q[None])[0])
        for k in range(2)
    ])  # fmt: skip
    size = np.maximum(np.abs(values), np.max(np.abs(values)) * 1e-3 + 1e-12)
    across = slope.real * size**2
    shift = across * second * rho**4 / float(across @ slope.real)
    h11 = -np.linalg.solve(a, plane.form(u, q, q.conj()))
    h20 = np.linalg.solve(2j * omega * np.eye(n) - a, plane.form(u, q, q))
    cubic = np.vdot(
        p,
        plane.form(u, q, q, q.conj()) + 2.0 * plane.form(u, q, h11) + plane.form(u, q.conj(), h20),
    )
    speed = omega + cubic.imag / 2.0 * rho**2 + float(slope.imag @ shift)
    times = np.linspace(0.0, 2.0 * np.pi / speed, _SAMPLES)
    z = rho * np.exp(1j * speed * times)[:, None]
    states = u[:n] + drift @ shift + (2.0 * z * q + z**2 * h20).real + rho**2 * h11.real
    first, other = plane.vary
    moved = u[-2:] + shift
    return PredictedOrbit(system(**{first: float(moved[0]), other: float(moved[1])}), times, states)


def _on_hopf_curve(plane: Plane, start: Vector, wanted: float) -> Vector:
    """Return the Hopf point near another where Re c1 has a value (secants along the curve)."""
    n = plane.size
    scale = np.maximum(np.abs(start), 1e-3)
    curve = HopfCurve(plane, scale)
    row = np.linalg.svd(curve.equations(start / scale)[1])[2][-1]
    base = float(row @ (start / scale))

    def place(s: float) -> Vector:
        y = land(curve, start / scale + s * row, row, base + s, 1e-12)
        if y is None:
            raise NotConverged(
                "no Hopf point was found at this amplitude. Choose a smaller one.",
                status=Status.NOT_CONVERGED,
            )
        return np.asarray(y * scale)

    def miss(s: float) -> float:
        u = place(s)
        return float(curve.survey(u[None], "Bautin").coefficient[0] * np.sqrt(u[n])) - wanted

    before, s = 0.0, 1e-4
    at_before, here = miss(before), miss(s)
    for _ in range(30):
        if here == at_before:
            break
        before, s, at_before = s, s - here * (s - before) / (here - at_before), here
        here = miss(s)
        if abs(s - before) < 1e-10:
            break
    return place(s)


def homoclinic(
    system: System, vary: tuple[str, str],
    chain: tuple[Vector, Vector, Vector, Vector], coefficients: tuple[float, float],
    state: Vector, amplitude: float,
) -> PredictedOrbit:  # fmt: skip
    """Return the homoclinic orbit of an amplitude near a Bogdanov-Takens point.

    ``chain`` holds q0, q1, p0, p1.
    """
    amplitude = _checked(amplitude)
    plane = Plane.of(system, vary)
    a, b = coefficients
    if a == 0.0 or b == 0.0:
        raise SettingError("the Bogdanov-Takens point is degenerate: a or b is 0.")
    e = float(np.sqrt(abs(a) * amplitude / 6.0))
    u = np.concatenate([state, [system[name] for name in plane.vary]])
    q0, q1, _, _ = chain
    h, k, k1, k2 = _unfolded(plane, u, chain, coefficients)
    beta1, beta2 = -4.0 / a * e**4, 10.0 / 7.0 * b / a * e**2
    moved = u[-2:] + k * beta2 + k1 * beta1 + 0.5 * k2 * beta2**2
    tau = np.linspace(-_LONG, _LONG, 2 * _SAMPLES + 1)
    sech = 1.0 / np.cosh(tau)
    w0 = e**2 / a * (2.0 - 6.0 * sech**2)
    w1 = e**3 / a * 12.0 * sech**2 * np.tanh(tau)
    states = state + h * beta2 + w0[:, None] * q0 + w1[:, None] * q1
    first, other = plane.vary
    return PredictedOrbit(
        system(**{first: float(moved[0]), other: float(moved[1])}), tau / e, states
    )


def _unfolded(
    plane: Plane, u: Vector, chain: tuple[Vector, Vector, Vector, Vector],
    coefficients: tuple[float, float],
) -> tuple[Vector, Vector, Vector, Vector]:  # fmt: skip
    """Return h, k, k1 and k2 of x = ... + h b2 and (l, m) = k b2 + k1 b1 + k2 b2^2 / 2.

    With A h + F k = 0 (F = f_(l,m)) and h = h0(k) + g q0 the terms w0 b2 and w1 b2 ask for

        <p1, D(q0)> = 0        <p1, D(q1)> + <p0, D(q0)> = 1        D(q) = D^2 f [q, (h, k)]

    and <p1, F k> = 0; b1 for <p1, F k1> = 1; b2^2 for <p1, F k2> = -<p1, D^2 f [(h, k), (h, k)]>.
    """
    n = plane.size
    q0, q1, p0, p1 = chain
    a, b = coefficients
    joint = plane.jacobians(u[None])[0]
    matrix, by_parameters = joint[:, :n], joint[:, n:]
    bordered = np.block([[matrix, p1[:, None]], [q0[None, :], np.zeros((1, 1))]])

    def bent(direction: Vector, other: Vector) -> Vector:
        return np.asarray(plane.second(u[None], direction[None], other[None])[0])

    rows = np.zeros((3, 3))  # unknowns: k, g
    rows[0, :2] = p1 @ by_parameters
    rows[1, 2], rows[2, 2] = 2.0 * a, b
    starts = []
    for j in range(2):
        h0 = np.linalg.solve(bordered, np.append(-by_parameters[:, j], 0.0))[:n]
        unit = np.append(h0, np.eye(2)[j])
        starts.append(h0)
        rows[1, j] = p1 @ bent(q0, unit)
        rows[2, j] = p1 @ bent(q1, unit) + p0 @ bent(q0, unit)
    k0, k_other, g = np.linalg.solve(rows, np.array([0.0, 0.0, 1.0]))
    k = np.array([k0, k_other])
    h = k0 * starts[0] + k_other * starts[1] + g * q0
    across = rows[0, :2]
    unit = across / float(across @ across)
    whole = np.append(h, k)
    return h, k, unit, -unit * float(p1 @ bent(whole, whole))
