"""Normal-form coefficients at folds, branch points, period doublings and torus points of cycles.

Periodic normalisation (Kuznetsov, Govaerts, Doedel and Dhooge 2005, SIAM J. Numer. Anal. 43, 1407, after Iooss
1988): with tau along the cycle u(tau) and xi across it, to third order

    x = u + xi v + mu w + xi^2 h + ...,    tau' = 1 - (rates of period) ...,    xi' = (normal form)

every term solves a linear boundary-value problem about the cycle, and the coefficients are what makes these
solvable.  The terms are found on the mesh of the cycle (`dynlab.cycles.linearised`): A, B, C are the
derivatives of f, <a, b> the mean over the period, (h, g) solves h' = A h + g f + (right) with <f, h> = 0.

Unlike there, v has mean square 1, at folds too, where v' = A v + gamma f: gamma is 0 where the period is the
same for all cycles of the branch.  Coefficients are those of the map once round the cycle, so that
multipliers, their speeds and the classes of maps go together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.continuation.normal_forms import BranchPointForm, FlipForm, TorusForm
from dynlab.continuation.points import resonance
from dynlab.cycles.cycle import nontrivial
from dynlab.cycles.linearised import Linearised, Row, Variation
from dynlab.cycles.problem import CycleProblem, Solved, range_of

__all__ = [
    "CycleBranchForm",
    "FoldForm",
    "branch_form",
    "branch_test",
    "flip_form",
    "fold_form",
    "torus_form",
]

Vector = NDArray[np.float64]
Field = NDArray[Any]

#: A quadratic coefficient that is this part of its terms has cancelled: the branches are symmetric.
_SYMMETRIC = 1e-4
#: So near to 1 a multiplier's function cannot be told from that of the trivial one, and is sought across it.
_DOUBLE = 0.05


@dataclass(frozen=True, slots=True)
class FoldForm:
    """a, and the critical function at the rows of the profile."""

    coefficient: float
    eigenvector: Vector


@dataclass(frozen=True, slots=True)
class CycleBranchForm:
    """Coefficients at a branch point, and the two directions: states at the rows, period, parameter."""

    form: BranchPointForm
    tangents: Vector


def fold_form(problem: CycleProblem, solved: Solved) -> FoldForm:
    """Return a of xi -> xi + a xi^2, and v at the rows of the profile, its largest component positive.

    a = T <p, B(v,v) / 2 + gamma v'>.
    """
    point = _Critical.of(problem, solved)
    return FoldForm(point.quadratic * solved.orbit.period, point.v.profile)


def flip_form(problem: CycleProblem, solved: Solved) -> FlipForm:
    """Return b of xi -> -xi + b xi^3, d multiplier / d parameter, and v at the rows of the profile.

    b = -T <p, C(v,v,v) / 6 + B(v,h) + g v'>,  h' = A h + g f + B(v,v) / 2.
    """
    linear = _linear(problem, solved)
    found, left = linear.null_pair(turn=-1.0)
    v, p = _largest_positive(found.variation), left.variation.gauss
    p = p * np.sign(linear.mean(p, v.gauss))
    rate = linear.rate_of(v)
    h, g = _periodic(linear, 0.5 * linear.multilinear(v.gauss, v.gauss))
    cubic = linear.mean(
        p,
        linear.multilinear(v.gauss, v.gauss, v.gauss) / 6.0
        + linear.multilinear(v.gauss, h)
        + g * rate,
    )
    speed = _speed(problem, linear, v, p, rate)[0].real
    period = solved.orbit.period
    return FlipForm(-period * float(cubic), -period * float(speed), v.profile)


def torus_form(problem: CycleProblem, solved: Solved, angle: float) -> TorusForm:
    """Return d of z -> exp(i theta) z (1 + (d + i e) |z|^2), d multiplier / d parameter, and v at the rows.

    d = T Re <p, C(v,v,v*) / 2 + B(v,h11) + B(v*,h20) / 2 + g v'>,
    h11' = A h11 + g f + B(v,v*),  h20' = (A - 2 i omega) h20 + B(v,v);  v' = (A - i omega) v.
    """
    linear = _linear(problem, solved)
    period = solved.orbit.period
    omega = angle / period
    found, left = linear.null_pair(shift=1j * omega)
    v = found.variation
    largest = v.profile.ravel()[np.argmax(np.abs(v.profile))]
    turn = np.conj(largest) / abs(largest)
    v, p = v.times(turn), left.variation.gauss * turn
    rate, bar = linear.rate_of(v), np.conj(v.gauss)
    speed, drift = _speed(problem, linear, v, p, rate)
    multiplier = np.exp(1j * angle)
    speed = multiplier * period * (speed + 1j * omega * drift)
    if resonance(angle) == 3:
        return TorusForm(float("nan"), complex(speed), v.profile)
    h11, g = _periodic(linear, np.real(linear.multilinear(v.gauss, bar)))
    h20 = linear.solve(linear.multilinear(v.gauss, v.gauss), shift=2j * omega).variation.gauss
    cubic = linear.mean(
        p,
        0.5 * linear.multilinear(v.gauss, v.gauss, bar)
        + linear.multilinear(v.gauss, h11)
        + 0.5 * linear.multilinear(bar, h20)
        + g * rate,
    )
    return TorusForm(period * float(cubic.real), complex(speed), v.profile)


def branch_form(problem: CycleProblem, solved: Solved) -> CycleBranchForm:
    """Return (b, a, c) of xi -> xi + b mu xi + a xi^2 + c xi^3, the kind of point, and both directions.

    The branch that was followed is moved to xi = 0.
    """
    point = _Critical.of(problem, solved)
    return point.branches(problem, solved)


def branch_test(problem: CycleProblem) -> Callable[[Solved], float]:
    """Return a smooth function of the cycle that is 0 where a second multiplier is 1.

    It is T g with  v' = A v + gamma f + g r,  <f, v> = 0,  <l, v> = 1:  the linear problem bordered by r and l,
    which are the functions of the multiplier nearest to 1 where the mesh was first met (Govaerts 2000, Numerical
    Methods for Bifurcations of Dynamical Equilibria, section 3.3).  Next to a double multiplier the
    multipliers themselves are known only to the root of their error.
    """
    borders: dict[bytes, tuple[Field, Field]] = {}

    def test(solved: Solved) -> float:
        linear = _linear(problem, solved)
        mesh = solved.orbit.mesh.tobytes()
        if mesh not in borders:
            borders[mesh] = _border(linear, solved)
        right, left = borders[mesh]
        found = linear.solve(columns=(right, linear.rates), rows=(Row(left, 1.0), _phase(linear)))
        return float(np.real(found.factors[0])) * solved.orbit.period

    return test


def _border(linear: Linearised, solved: Solved) -> tuple[Field, Field]:
    """Return right and left functions of the real multiplier nearest to 1 after the trivial one."""
    others = nontrivial(solved.multipliers)
    real = others[(np.abs(others.imag) <= 1e-7 * np.abs(others)) & (others.real > 0)].real
    if not len(real):
        return linear.rates * 0.0 + linear.units, linear.rates * 0.0 + 1.0 / linear.units
    exponent = float(np.log(real)[np.argmin(np.abs(np.log(real)))])
    if abs(exponent) < _DOUBLE:
        v, w = linear.null_pair(columns=(linear.rates,), rows=(_phase(linear),))
    else:
        v, w = linear.null_pair(shift=exponent / solved.orbit.period)
    squared = linear.units**2
    right, left = w.variation.gauss * squared, v.variation.gauss / squared
    return right / linear.mean(w.variation.gauss, right), left / linear.mean(
        left, v.variation.gauss
    )


@dataclass(frozen=True, slots=True)
class _Critical:
    """A cycle with a second multiplier 1: v' = A v + gamma f, and p with <p, f> = 0, <p, v> = 1."""

    linear: Linearised
    v: Variation
    gamma: float
    p: Field

    @classmethod
    def of(cls, problem: CycleProblem, solved: Solved) -> _Critical:
        """Return the critical functions; the largest component of v is positive."""
        linear = _linear(problem, solved)
        found, left = linear.null_pair(columns=(linear.rates,), rows=(_phase(linear),))
        v = _largest_positive(found.variation)
        sign = float(np.sign(np.sum(v.profile * found.variation.profile)))
        return cls(linear, v, sign * float(found.factors[0]), sign * left.variation.gauss)

    def along(self, *terms: Field) -> float:
        """Return <p, sum of terms>."""
        return float(sum(self.linear.mean(self.p, term) for term in terms))

    def size(self, *terms: Field) -> float:
        """Return how large <p, terms> could be without cancellation."""
        return float(sum(self.linear.mean(abs(self.p), abs(term)) for term in terms))

    @property
    def _second(self) -> tuple[Field, Field]:
        v = self.v.gauss
        return 0.5 * self.linear.multilinear(v, v), self.gamma * self.linear.rate_of(self.v)

    @property
    def quadratic(self) -> float:
        """<p, B(v,v) / 2 + gamma v'>, per time."""
        return self.along(*self._second)

    def solve(self, right: Field) -> tuple[Variation, float, float]:
        """Return (h, g) and the factor r of v with h' = A h + g f + r v + right."""
        linear = self.linear
        border = Row(self.v.gauss / linear.units**2)
        found = linear.solve(
            right, columns=(linear.rates, self.v.gauss), rows=(_phase(linear), border)
        )
        return found.variation, float(found.factors[0]), float(found.factors[1])

    def branches(self, problem: CycleProblem, solved: Solved) -> CycleBranchForm:
        linear, v, period = self.linear, self.v.gauss, solved.orbit.period
        rate = linear.rate_of(self.v)
        w, drift, _ = self.solve(linear.by_parameter)
        moved, pushed = _joint(w.gauss, 1.0), _joint(v, 0.0)
        bend = (
            0.5 * linear.multilinear(moved, moved, vary=problem.vary),
            drift * linear.rate_of(w),
        )
        mixed = (
            linear.multilinear(moved, pushed, vary=problem.vary),
            self.gamma * linear.rate_of(w),
            drift * rate,
        )
        alpha, b = self.along(*bend), self.along(*mixed)
        a = self.quadratic
        square, turned = self._second
        h, g, _ = self.solve(square + turned)
        c = self.along(
            linear.multilinear(v, h.gauss), linear.multilinear(v, v, v) / 6.0,
            self.gamma * linear.rate_of(h), g * rate,
        )  # fmt: skip
        reach = np.sqrt(abs(b) * problem.span / abs(c)) if c else 0.0
        symmetric = abs(a) <= _SYMMETRIC * max(self.size(*self._second), abs(c) * float(reach))
        # The slopes d xi / d mu of the branches: alpha + b k + a k^2 = 0.
        flat = Variation(w.gauss, w.profile), drift
        if symmetric:
            steep = self._direction(problem, solved, (self.v, self.gamma), 0.0)
            even = self._sloping(problem, solved, flat, -alpha / b if b else 0.0)
            pair = (
                (even, steep)
                if _like(problem, solved, even) >= _like(problem, solved, steep)
                else (steep, even)
            )
            kind = "pitchfork" if c and b else "degenerate"
            form = BranchPointForm(kind, (float(period * b), 0.0, float(period * c)))
            return CycleBranchForm(form, np.array(pair))
        root = np.sqrt(max(b * b - 4.0 * a * alpha, 0.0))
        slopes = [(-b + root) / (2.0 * a), (-b - root) / (2.0 * a)]
        ways = [self._sloping(problem, solved, flat, k) for k in slopes]
        if _like(problem, solved, ways[1]) > _like(problem, solved, ways[0]):
            ways, slopes = ways[::-1], slopes[::-1]
        form = BranchPointForm(
            "transcritical",
            (float(period * (b + 2.0 * a * slopes[0])), float(period * a), float("nan")),
        )
        return CycleBranchForm(form, np.array(ways))

    def _sloping(
        self, problem: CycleProblem, solved: Solved, flat: tuple[Variation, float], slope: float
    ) -> Vector:
        (w, drift) = flat
        states = Variation(w.gauss, w.profile + slope * self.v.profile)
        return self._direction(problem, solved, (states, drift + slope * self.gamma), 1.0)

    def _direction(
        self, problem: CycleProblem, solved: Solved, change: tuple[Variation, float], along: float
    ) -> Vector:
        """Return a direction of unit length in units of the branch: states at the rows, period, parameter."""
        variation, growth = change
        states = np.real(variation.profile)
        size = np.sqrt(
            np.mean((states / self.linear.units) ** 2) * states.shape[1]
            + growth**2
            + (along / problem.span) ** 2
        )
        whole = np.concatenate([states.ravel(), [growth * solved.orbit.period, along]])
        return np.asarray(whole / size)


def _linear(problem: CycleProblem, solved: Solved) -> Linearised:
    orbit = solved.orbit
    return Linearised.about(problem.at(orbit.value), orbit, problem.vary)


def _phase(linear: Linearised) -> Row:
    """Return the row <f, h> = 0, in units of the states."""
    return Row(linear.rates / linear.units**2)


def _periodic(linear: Linearised, right: Field) -> tuple[Field, float]:
    """Return (h, g) with h' = A h + g f + right."""
    found = linear.solve(right, columns=(linear.rates,), rows=(_phase(linear),))
    return found.variation.gauss, float(np.real(found.factors[0]))


def _speed(
    problem: CycleProblem, linear: Linearised, v: Variation, p: Field, rate: Field
) -> tuple[complex, float]:
    """Return how fast the exponent of v changes with the parameter, and how fast log T does.

    <p, B(v,w) + f_xl v + kappa v'>,  w' = A w + kappa f + f_l.
    """
    found = linear.solve(linear.by_parameter, columns=(linear.rates,), rows=(_phase(linear),))
    drift = float(np.real(found.factors[0]))
    mixed = linear.multilinear(
        _joint(found.variation.gauss, 1.0), _joint(v.gauss, 0.0), vary=problem.vary
    )
    return linear.mean(p, mixed + drift * rate), drift


def _joint(field: Field, parameter: float) -> Field:
    """Append the parameter's component to vectors of states."""
    return np.concatenate([field, np.full((*field.shape[:-1], 1), parameter)], axis=-1)


def _largest_positive(variation: Variation) -> Variation:
    flat = variation.profile.ravel()
    return variation.times(float(np.sign(flat[np.argmax(np.abs(flat))])))


def _like(problem: CycleProblem, solved: Solved, way: Vector) -> float:
    """Return how nearly a direction is that in which the branch was followed."""
    units = range_of(problem.system, solved.orbit.profile)
    states = way[:-2].reshape(solved.direction.shape) / units
    here = np.append(solved.direction.ravel(), solved.direction_q[1])
    there = np.append(states.ravel(), way[-1] / problem.span)
    return float(abs(here @ there) / (np.linalg.norm(here) * np.linalg.norm(there)))
