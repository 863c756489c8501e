"""Finite-time exponents against closed forms, scipy's matrix exponential, and an independent integration."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import dynlab as dl
from dynlab import zoo


@dl.flow
def saddle(x=0.0, y=0.0, *, a=0.7, b=1.1):
    return {x: a * x, y: -b * y}


@dl.flow
def double_gyre(x=0.0, y=0.0, *, A=0.1, eps=0.25, omega=2 * np.pi / 10):
    """Shadden, Lekien and Marsden 2005, Physica D 212, 271, section 5."""
    a = eps * dl.sin(omega * dl.t)
    f = a * x**2 + (1 - 2 * a) * x
    slope = 2 * a * x + 1 - 2 * a
    return {
        x: -np.pi * A * dl.sin(np.pi * f) * dl.cos(np.pi * y),
        y: np.pi * A * dl.cos(np.pi * f) * dl.sin(np.pi * y) * slope,
    }


def test_linear_saddle_both_ways():
    plane = {"x": (-1, 1, 7), "y": (-1, 1, 5)}
    forwards = dl.ftle_field(saddle, vary=plane, duration=6)
    backwards = dl.ftle_field(saddle, vary=plane, duration=-6)
    # Local errors of 1e-9 in some forty steps, over the time.
    np.testing.assert_allclose(forwards.exponents, 0.7, atol=1e-8)
    np.testing.assert_allclose(backwards.exponents, 1.1, atol=1e-8)


def test_shear():
    @dl.flow
    def shear(x=0.0, y=0.0):
        return {x: y, y: 0 * x}

    # The singular values of [[1, T], [0, 1]] are exp(+-asinh(T / 2)).
    field = dl.ftle_field(shear, vary={"y": [0.0, 1.0]}, duration=3)
    np.testing.assert_allclose(field.exponents, np.arcsinh(1.5) / 3, atol=1e-10)
    one = dl.finite_time_exponents(shear, duration=3)
    np.testing.assert_allclose(one.exponents, np.array([1, -1]) * np.arcsinh(1.5) / 3, atol=1e-9)


def test_a_linear_flow_of_three_states_that_is_not_normal():
    matrix = np.array([[-0.3, 4.0, 0.5], [0.0, -1.2, 3.0], [0.2, 0.0, -2.5]])
    a = matrix

    @dl.flow
    def linear(x=1.0, y=0.0, z=0.0):
        return {
            x: a[0, 0] * x + a[0, 1] * y + a[0, 2] * z,
            y: a[1, 0] * x + a[1, 1] * y + a[1, 2] * z,
            z: a[2, 0] * x + a[2, 1] * y + a[2, 2] * z,
        }

    exact = np.log(np.linalg.svd(expm(2.0 * matrix), compute_uv=False)) / 2.0
    np.testing.assert_allclose(
        dl.finite_time_exponents(linear, duration=2).exponents, exact, atol=1e-8
    )
    field = dl.ftle_field(linear, vary={"x": [0.0, 2.0]}, duration=2)
    np.testing.assert_allclose(field.exponents, exact[0], atol=1e-8)


def test_cat_map():
    @dl.iterated_map
    def cat(x=0.1, y=0.2):
        return {x: 2 * x + y, y: x + y}

    # The matrix is symmetric: its powers have the powers of its eigenvalue.
    golden = np.log((3 + np.sqrt(5)) / 2)
    field = dl.ftle_field(cat, vary={"x": (0, 1, 3)}, duration=9)
    np.testing.assert_allclose(field.exponents, golden, rtol=1e-14)
    # Over 60 steps the singular values are 1e50 apart.
    one = dl.finite_time_exponents(cat, duration=60)
    np.testing.assert_allclose(one.exponents, [golden, -golden], rtol=1e-12)


def test_henon_against_50_digits_and_its_determinant():
    steps = 40
    with mpmath.workdps(60):
        a, b = mpmath.mpf(1.4), mpmath.mpf(0.3)
        x, y, v = mpmath.mpf(0.1), mpmath.mpf(0.1), mpmath.eye(2)
        for _ in range(steps):
            v = mpmath.matrix([[-2 * a * x, 1], [b, 0]]) * v
            x, y = 1 - a * x**2 + y, b * x
        values = mpmath.svd_r(v, compute_uv=False)
        exact = [float(mpmath.log(s)) / steps for s in values]
    one = dl.finite_time_exponents(
        zoo.henon(a=1.4, b=0.3), start={"x": 0.1, "y": 0.1}, duration=steps
    )
    # The orbit itself is off by 1e-16 exp(0.42 * 40) = 2e-9 of its size in the end.
    np.testing.assert_allclose(one.exponents, exact, atol=1e-9)
    assert one.exponents.sum() == pytest.approx(np.log(0.3), abs=1e-13)


def test_lorenz_sum_is_the_divergence_however_far_apart_they_are():
    one = dl.finite_time_exponents(zoo.lorenz, duration=30)
    # exp(-14.57 * 30) is 1e-190 of the largest.
    assert one.exponents.sum() == pytest.approx(-(10 + 1 + 8 / 3), abs=1e-7)
    assert one.exponents[2] < -14


@pytest.mark.parametrize("duration", [15.0, -15.0])
def test_double_gyre_against_another_integrator(duration):
    points = {"x": [0.3, 0.97, 1.62], "y": [0.2, 0.55]}
    field = dl.ftle_field(double_gyre, vary=points, duration=duration)

    def rates(t, state):
        x, y, v = state[0], state[1], state[2:].reshape(2, 2)
        a = 0.25 * np.sin(2 * np.pi / 10 * t)
        f, g, bend = a * x**2 + (1 - 2 * a) * x, 2 * a * x + 1 - 2 * a, 2 * a
        s, c, sy, cy = np.sin(np.pi * f), np.cos(np.pi * f), np.sin(np.pi * y), np.cos(np.pi * y)
        k = np.pi * 0.1
        jacobian = np.array(
            [
                [-k * np.pi * c * g * cy, k * np.pi * s * sy],
                [-k * np.pi * s * g**2 * sy + k * c * sy * bend, k * np.pi * c * cy * g],
            ]
        )
        return np.concatenate([[-k * s * cy, k * c * sy * g], (jacobian @ v).ravel()])

    for i, x in enumerate(points["x"]):
        for j, y in enumerate(points["y"]):
            end = solve_ivp(
                rates,
                (0, duration),
                [x, y, 1, 0, 0, 1],
                method="DOP853",
                rtol=1e-13,
                atol=1e-13,
            ).y[2:, -1]
            exact = np.log(np.linalg.norm(end.reshape(2, 2), 2)) / abs(duration)
            # Stretching of exp(15 * 0.4) magnifies local errors of 1e-9 over some hundred steps.
            assert field.exponents[i, j] == pytest.approx(exact, abs=1e-6)


def test_it_agrees_with_differences_between_neighbours():
    # The field is the exact limit of what is usually computed from a flow map on a grid.
    h = 1e-5
    run = dl.ensemble(
        double_gyre, starts={"x": np.array([0.7 + h, 0.7 - h, 0.7, 0.7]), "y": np.array([0.4, 0.4, 0.4 + h, 0.4 - h])},
        duration=8,
    )  # fmt: skip
    x, y = run["x"], run["y"]
    matrix = np.array([[x[0] - x[1], x[2] - x[3]], [y[0] - y[1], y[2] - y[3]]]) / (2 * h)
    field = dl.ftle_field(double_gyre, vary={"x": [0.7]}, start={"y": 0.4}, duration=8)
    # Differences: h^2 times third derivatives, and errors of 1e-9 over h.
    assert field.exponents[0] == pytest.approx(np.log(np.linalg.norm(matrix, 2)) / 8, abs=1e-3)
