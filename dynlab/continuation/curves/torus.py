"""The curve of torus (Neimark-Sacker) points of a map: a pair of multipliers on the unit circle.

The unknown 2 cos(angle) passes 2 at a 1:1 resonance and -2 at a 1:2 resonance; beyond, two real
multipliers have the product 1: a neutral saddle, which is no bifurcation.

Watched on it: the angle, for the strong resonances; the normal-form coefficient, which vanishes at a
Chenciner point; further multipliers that become neutral (Kuznetsov, Elements of Applied Bifurcation
Theory, 3rd ed., section 9.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.curves.hopf import critical_vectors, pair_borders
from dynlab.continuation.curves.plane_curve import (
    PlaneCurve,
    Survey,
    others,
    projected,
    solved,
    sum_product,
    turned_product,
)

__all__ = ["TorusCurve", "multiplier"]

Vector = NDArray[np.float64]

#: A pair nearer than this to 1 or -1 (as 2 cos) is double as far as normal forms can tell.
_DOUBLE = 1e-10
#: At 1:3 the form has a quadratic term of its own, and the cubic one cannot be told so near.
_THIRD = 1e-8


@dataclass(frozen=True, slots=True)
class TorusCurve(PlaneCurve):
    """Torus points of fixed points or cycles of a map, and the neutral saddles that they turn into."""

    word = "torus point"
    added = 1

    @property
    def rhs(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.pair_residual

    @property
    def jacobian_kernel(self) -> Any:
        from dynlab.kernels import bordered

        return bordered.pair_jacobian

    def borders(self, u: Vector) -> Vector:
        n = self.plane.size
        return pair_borders(self.plane.jacobians(u[None])[0, :, :n], multiplier(float(u[n])))

    def survey(self, u: Vector, only: str = "") -> Survey:
        plane, n = self.plane, self.plane.size
        trace = u[:, n]
        is_pair = np.abs(trace) < 2 - _DOUBLE
        has_form = is_pair & (np.abs(trace + 1) > _THIRD)
        a = plane.jacobians(u)[:, :, :n]
        eigenvalues = np.linalg.eigvals(a).astype(complex)
        turn = np.array([multiplier(float(t)) for t in trace])
        rest = others(eigenvalues, turn, 1.0 / turn)
        cubic = np.full(len(u), np.nan)
        if only in ("", "Chenciner"):
            cubic[has_form] = _cubic(plane, u[has_form], a[has_form], turn[has_form], only)
        folds, flips, pairs = (
            np.where(is_pair, product, np.nan)
            for product in (
                turned_product(rest, 1.0), turned_product(rest, -1.0), sum_product(rest, discrete=True)
            )
        )  # fmt: skip
        tests = {
            "1:1 resonance": trace - 2.0,
            "1:2 resonance": trace + 2.0,
            "1:3 resonance": trace + 1.0,
            "1:4 resonance": trace,
            "Chenciner": cubic * folds,
            "torus-fold": folds,
            "torus-flip": flips,
            "double torus": pairs,
        }
        return Survey(eigenvalues, cubic, tests)


def multiplier(trace: float) -> complex:
    """Return a root of e^2 - trace e + 1 = 0: on the upper unit circle, or real."""
    return complex(0.5 * trace + np.sqrt(complex(0.25 * trace * trace - 1.0)))


def _cubic(plane: Any, u: Vector, a: Vector, turn: Any, only: str) -> Vector:
    """Return d of z -> exp(i angle) z (1 + (d + i e) |z|^2) at each row."""
    identity = np.eye(a.shape[1])
    q, p = critical_vectors(a, turn)
    h11 = solved(identity - a, plane.second(u, q, q.conj()))
    h20 = solved(turn[:, None, None] ** 2 * identity - a, plane.second(u, q, q))
    terms = (
        plane.third(u, q, q, q.conj()), 2.0 * plane.second(u, q, h11),
        plane.second(u, q.conj(), h20),
    )  # fmt: skip
    # conj(p turn) = conj(turn) conj(p).
    return projected(p * turn[:, None], only, *terms) / 2.0
