"""Bogdanov-Takens points as places where curves of homoclinic orbits begin and end."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from dynlab.codegen.kernels import kernels_of
from dynlab.continuation.curves.connection import Connection
from dynlab.continuation.curves.fold import FoldCurve
from dynlab.continuation.curves.plane import Plane
from dynlab.continuation.plane.codimension_two import BogdanovTakens
from dynlab.continuation.plane.predictors import PredictedOrbit
from dynlab.continuation.plane.unfoldings import point_of
from dynlab.cycles.problem import Orbit
from dynlab.symbolic.system import System

__all__ = ["bogdanov_takens_at", "double_zero_near", "guess_from"]

Vector = NDArray[np.float64]

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


def bogdanov_takens_at(
    system: System, vary: tuple[str, str], x: Vector, values: Vector
) -> BogdanovTakens | None:
    """Return the point, with its normal form, where there is a double zero; None if it is degenerate."""
    plane = Plane.of(system, vary)
    given = dict(zip(vary, values, strict=True))
    u = np.concatenate([x, [given[name] for name in plane.vary]])
    curve = FoldCurve(plane, np.maximum(np.abs(u), 1e-3))
    made = point_of(curve, "Bogdanov-Takens", u, 0.0)
    if not isinstance(made, BogdanovTakens) or 0.0 in made.coefficients:
        return None
    return made


def guess_from(predicted: PredictedOrbit, vary: tuple[str, str]) -> Connection:
    """Return a predicted homoclinic orbit, given at even times, as a first guess."""
    rows = (len(predicted.times) - 1) // _DEGREE * _DEGREE + 1
    mesh = np.linspace(0.0, 1.0, (rows - 1) // _DEGREE + 1)
    states = np.ascontiguousarray(predicted.states[:rows])
    orbit = Orbit(states, mesh, float(predicted.times[rows - 1] - predicted.times[0]), np.nan)
    values = np.array([float(predicted.system[name]) for name in vary])
    return Connection(orbit, values, states[0].copy(), states[0].copy())
