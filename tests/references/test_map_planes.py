"""Curves of bifurcations of maps in two parameters against closed forms.

Henon's map x -> 1 - a x^2 + y, y -> b x has fixed points a x^2 + (1 - b) x = 1, trace -2 a x and determinant
-b.  The generalised map x -> y, y -> alpha - beta x - y^2 + R x y has fixed points x = y with
alpha = (1 + beta) x + (1 - R) x^2, trace (R - 2) x and determinant beta - R x (Gonchenko, Kuznetsov and Meijer
2005, SIAM J. Appl. Dyn. Syst. 4, 407).  Normal forms: Kuznetsov, Elements, 3rd ed., ch. 9.
"""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import dynlab as dl
from dynlab import zoo

PLANE = {"a": (-1.5, 3.5), "b": (-1.5, 0.8)}


def followed(point, over):
    return dl.continue_bifurcation(point, vary=tuple(over), over=over)


def fixed_point(system, **state):
    x = np.array([state[name] for name in system.state_names])
    return dl.Equilibrium.at(system, x, 1e-15)


@pytest.fixture(scope="module")
def henon():
    """The fixed point with x > 0 at a = 0.2, b = 0.3."""
    a, b = 0.2, 0.3
    x = (b - 1 + np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    return fixed_point(zoo.henon(a=a, b=b), x=x, y=b * x)


def found(start, kind, vary, over):
    branch = dl.continue_equilibrium(start, vary=vary, over=over)
    return next(p for p in branch.points(kind) if p.period == 1)


def test_folds_of_henon(henon):
    curve = followed(found(henon, dl.Fold, "a", (-0.5, 1)), PLANE)
    assert curve["a"] == pytest.approx(-((1 - curve["b"]) ** 2) / 4, rel=1e-12)
    point = curve.points().single()
    assert (point.label, point.values) == ("R1", pytest.approx((-1.0, -1.0), rel=1e-12))


def test_period_doublings_of_henon(henon):
    curve = followed(found(henon, dl.PeriodDoubling, "a", (-0.5, 1)), PLANE)
    assert curve["a"] == pytest.approx(3 * (1 - curve["b"]) ** 2 / 4, rel=1e-12)
    point = curve.points().single()
    assert (point.label, point.values) == ("R2", pytest.approx((3.0, -1.0), rel=1e-12))


def test_period_doublings_of_the_cycle_of_two(henon):
    diagram = dl.bifurcation_diagram(henon.system, vary="a", over=(-0.5, 1.0))
    second = next(p for p in diagram.points(dl.PeriodDoubling) if p.period == 2)
    curve = followed(second, {"a": (-1.5, 3.5), "b": (-0.9, 0.8)})
    a, b = curve["a"], curve["b"]
    assert a == pytest.approx((1 - b) ** 2 + (1 + b) ** 2 / 4, rel=1e-11)
    assert curve.period == 2
    assert not curve.points()


def test_torus_points_of_henon(henon):
    """Where the map keeps areas; beyond 1:2 two real multipliers have the product 1."""
    curve = followed(found(henon, dl.Torus, "b", (-1.4, 1.0)), {"a": (0.1, 3.5), "b": (-1.5, 0.8)})
    assert np.max(np.abs(curve["b"] + 1)) < 1e-12
    a = curve["a"]
    x = (-1 + np.sqrt(1 + a)) / a
    angle = np.arccos(np.clip(-a * x, -1, 1))
    real = -a * x < -1
    assert np.array_equal(curve.neutral_saddle, real)
    assert curve.angle[~real] == pytest.approx(angle[~real], abs=1e-7)
    third, second = sorted(curve.points(), key=lambda p: p["a"])
    assert (third.label, third.values) == ("R3", pytest.approx((1.25, -1.0), rel=1e-12))
    assert (second.label, second.values) == ("R2", pytest.approx((3.0, -1.0), rel=1e-12))


def test_resonances_of_the_generalised_map():
    """Torus points: x = (beta - 1)/R, trace (R - 2) x = 2 cos(angle)."""
    r = 0.5
    system = zoo.generalized_henon(alpha=3.0, beta=1.4, R=r, S=0.0)
    x = (-2.4 + np.sqrt(2.4**2 + 4 * 0.5 * 3.0)) / (2 * 0.5)
    point = found(fixed_point(system, x=x, y=x), dl.Torus, "alpha", (-3, 5))
    plane = {"alpha": (-2.0, 5.0), "beta": (0.0, 2.0)}
    curve = followed(point, plane)
    names = {p.label: p for p in curve.points()}
    for q, trace in ((1, 2.0), (2, -2.0), (3, -1.0), (4, 0.0)):
        at = trace / (r - 2)
        beta = 1 + r * at
        alpha = (1 + beta) * at + (1 - r) * at**2
        assert names[f"R{q}"].values == pytest.approx((alpha, beta), rel=1e-11, abs=1e-13)
    assert sorted(names) == ["R1", "R2", "R3", "R4"]
    # Both other curves pass through the resonances on the real axis.
    fold, flip = followed(names["R1"].fold, plane), followed(names["R2"].period_doubling, plane)
    for other, name in ((fold, "R1"), (flip, "R2")):
        again = other.points(dl.StrongResonance).single()
        assert again.values == pytest.approx(names[name].values, rel=1e-11)
        assert again.coefficients == pytest.approx(names[name].coefficients, rel=1e-9)
    assert flip["alpha"] == pytest.approx(
        (1 + flip["beta"]) ** 2 / 2 + (1 - r) * (1 + flip["beta"]) ** 2 / 4, rel=1e-11
    )


@dl.iterated_map
def cubic_family(x=0.0, y=0.0, *, m=-0.1, n=0.5, e=0.7, q=0.4):
    """Flip with cubic coefficient n and quintic e, in coordinates bent by q."""
    return {x: -(1 + m) * x + n * x**3 + e * x**5,
            y: 0.3 * (y - q * x**2) + q * (-(1 + m) * x + n * x**3 + e * x**5) ** 2}  # fmt: skip


def test_a_generalised_flip_by_its_normal_form():
    start = fixed_point(cubic_family, x=0.0, y=0.0)
    curve = followed(
        found(start, dl.PeriodDoubling, "m", (-0.5, 0.5)), {"m": (-1, 1), "n": (-1, 1)}
    )
    point = curve.points().single()
    assert isinstance(point, dl.GeneralizedFlip)
    assert np.max(np.abs(point.values)) < 1e-13
    assert point.coefficient == pytest.approx(0.7, rel=1e-9)
    assert curve.coefficient == pytest.approx(curve["n"], abs=1e-12)


def to_fifth_order(expression, *variables):
    terms = sympy.Poly(sympy.expand(expression), *variables).terms()
    return sum(
        c * sympy.prod([v**k for v, k in zip(variables, powers, strict=True)])
        for powers, c in terms
        if sum(powers) <= 5
    )


@dl.iterated_map
def bent_turn(x=0.0, y=0.0, *, m=-0.1, d=0.5):
    """z -> exp(i) z (1 + m + (d + 0.6 i) |z|^2 - 0.8 |z|^4), in coordinates bent, to the fifth order."""
    u = y - x**2 / 2
    r = x**2 + u**2
    p, s = 1 + m + d * r - 0.8 * r**2, 0.6 * r
    c, sine = np.cos(1.0), np.sin(1.0)
    X = c * (p * x - s * u) - sine * (s * x + p * u)
    U = sine * (p * x - s * u) + c * (s * x + p * u)
    return {x: to_fifth_order(X, x, y), y: to_fifth_order(U + X**2 / 2, x, y)}


def test_a_chenciner_point_by_its_normal_form():
    start = fixed_point(bent_turn, x=0.0, y=0.0)
    curve = followed(found(start, dl.Torus, "m", (-0.5, 0.5)), {"m": (-1, 1), "d": (-1, 1)})
    point = curve.points().single()
    assert isinstance(point, dl.Chenciner)
    assert np.max(np.abs(point.values)) < 1e-13
    # With q of unit length z = sqrt(2) w: c1 = 2 i k, c2 = 4 e, L2 = 4 e + (2 k)^2 / 2.
    assert point.coefficient == pytest.approx(4 * -0.8 + 2 * 0.6**2, rel=1e-9)
    assert curve.coefficient == pytest.approx(2 * curve["d"], abs=1e-12)


@dl.iterated_map
def fold_flip_form(u=0.0, v=0.0, *, m=-0.1, n=-0.1, q=0.3):
    """u -> m + u + 0.8 u^2 - 0.5 v^2, v -> -(1 + n) v + 0.6 u v, in coordinates bent by q."""
    w = u - q * v * v
    V = -(1 + n) * v + 0.6 * w * v
    return {u: m + w + 0.8 * w**2 - 0.5 * v**2 + q * V * V, v: V}


def test_a_fold_flip_by_its_normal_form():
    start = fixed_point(fold_flip_form, u=-np.sqrt(0.1 / 0.8), v=0.0)
    fold = found(start, dl.Fold, "m", (-0.5, 0.5))
    curve = followed(fold, {"m": (-0.5, 0.5), "n": (-0.5, 0.5)})
    point = curve.points(dl.FoldFlip).single()
    assert np.max(np.abs(point.values)) < 1e-13
    assert point.coefficients == pytest.approx((0.8, -0.5, 0.6), rel=1e-9)
    flips = followed(point.period_doubling, {"m": (-0.5, 0.5), "n": (-0.5, 0.5)})
    assert flips.points(dl.FoldFlip).single().values == pytest.approx((0.0, 0.0), abs=1e-13)
