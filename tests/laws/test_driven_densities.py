"""Densities under a force that depends on the time, and how means answer a small one.

[R] Risken, The Fokker-Planck Equation (1989); [S] Strogatz and Mirollo 1991, J. Stat. Phys. 63, 613.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import dynlab as dl
from dynlab.stochastic.densities.evolve import driven_generator
from dynlab.stochastic.generator.coefficients import coefficients_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.stationary import stationary_state


@dl.flow
def pushed(x=0.0, *, A=1.0, w=2.0, theta=1.0):
    return {x: -theta * x + A * dl.cos(w * dl.t)}


@dl.flow
def well(x=0.5, *, F=0.0):
    return {x: x - x**3 + F}


@dl.flow
def swung(x=0.5, *, A=2.0, w=3.0):
    return {x: x - x**3 + A * dl.cos(w * dl.t)}


@dl.flow
def turning(x=0.0, y=0.0):
    return {x: -(x + 2 * y), y: x - 1.5 * y}


BOX = dl.Grid(x=(-5, 5, 64))


def test_a_driven_gaussian_keeps_its_variance():
    """Mean A cos(w t - atan w) / sqrt(1 + w^2) in the end, variance D: of second order in the width of the cells."""
    errors = []
    for cells in (64, 128):
        run = dl.evolve_density(
            pushed.with_noise(x=1.0), start={"x": 0.0}, at=[12, 13], grid=dl.Grid(x=(-5, 5, cells))
        )
        exact = np.cos(2 * run.times - np.arctan(2)) / 5**0.5
        errors.append([
            *np.abs(run.mean("x") - exact), np.abs(run.variance("x") - 0.5).max()
        ])  # fmt: skip
        assert run.values.min() >= 0
        assert np.abs(run.mass - 1).max() < 1e-12
        assert run.error < 1e-8
    assert np.log2(np.divide(*errors)) == pytest.approx(2, abs=0.2)


def test_the_error_of_the_steps_is_the_error_of_the_steps():
    """Against scipy's Radau on the same cells; a drive so strong that implicit stages would turn negative."""
    grid = dl.Grid(x=(-3.5, 3.5, 48))
    system = swung.with_noise(x=0.5)
    run = dl.evolve_density(system, start={"x": dl.Gaussian(0.4, 0.1)}, at=[0, 0.6], grid=grid)
    _, generator_at = driven_generator(system, grid)
    theirs = solve_ivp(
        lambda t, p: generator_at(t).matrix @ p, (0, 0.6), run.values[0].ravel() * grid.volume,
        method="Radau", jac=lambda t, p: generator_at(t).matrix, rtol=1e-10, atol=1e-13,
    ).y[:, -1]  # fmt: skip
    apart = np.abs(run.values[1] * grid.volume - theirs).sum()
    assert apart < 2e-8
    assert run.error < 1e-8
    assert run.values.min() >= 0


def test_a_plane_is_driven_as_well():
    @dl.flow
    def both(x=0.0, y=0.0):
        return {x: -x + y, y: -x - y + dl.sin(dl.t)}

    run = dl.evolve_density(
        both.with_noise(x=0.8, y=0.8), start={"x": dl.Gaussian(0, 0.4), "y": dl.Gaussian(0, 0.4)},
        at=[0.5], grid=dl.Grid(x=(-3, 3, 32), y=(-3, 3, 32)),
    )  # fmt: skip
    means = solve_ivp(
        lambda t, m: [-m[0] + m[1], -m[0] - m[1] + np.sin(t)], (0, 0.5), [0, 0], rtol=1e-10
    ).y[:, -1]
    assert [run.mean("x")[0], run.mean("y")[0]] == pytest.approx(list(means), abs=3e-3)
    assert run.mass[0] == pytest.approx(1, abs=1e-12)


def test_noise_may_depend_on_the_time():
    """x' = -x + s(t) xi, s^2 = 2 (1 + cos(t) / 2): var' = -2 var + 2 D(t), of second order in the cells."""

    @dl.flow
    def decay(x=0.0):
        return {x: -x}

    @decay.with_noise(dl.Ito)
    def breathing(x):
        return {x: dl.sqrt(2 * (1 + dl.cos(dl.t) / 2))}

    exact = solve_ivp(
        lambda t, v: -2 * v + 2 * (1 + np.cos(t) / 2), (0, 3), [0.25], rtol=1e-11, atol=1e-13
    ).y[0, -1]
    errors = [
        dl.evolve_density(breathing, start={"x": dl.Gaussian(0, 0.5)}, at=[3],
                          grid=dl.Grid(x=(-8, 8, n))).variance("x")[0] - exact
        for n in (80, 160)
    ]  # fmt: skip
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.1)


def test_what_is_left_after_many_periods():
    found = dl.periodic_density(pushed.with_noise(x=1.0), period=np.pi, grid=BOX)
    exact = np.cos(2 * found.times - np.arctan(2)) / 5**0.5
    assert found.mean("x") == pytest.approx(exact, abs=4e-3)  # 64 cells
    assert np.abs(found.values[-1] - found.values[0]).sum() * BOX.volume < 1e-8
    assert found.values.min() >= 0
    late = dl.evolve_density(pushed.with_noise(x=1.0), start={"x": 1.0}, at=[8 * np.pi], grid=BOX)
    assert np.abs(late.values[0] - found.values[0]).sum() * BOX.volume < 3e-8


def test_slow_wells_are_found_in_few_periods():
    """The gap of the wells is 1e-4 per period: running on would take 1e5 of them."""

    @dl.flow
    def shaken(x=1.0, *, A=0.05):
        return {x: x - x**3 + A * dl.sin(2 * np.pi * dl.t)}

    found = dl.periodic_density(
        shaken.with_noise(x=(2 * 0.03) ** 0.5), period=1.0, grid=dl.Grid(x=(-2, 2, 64))
    )
    # The drive and its opposite half a period later: the wells are filled alike, on average.
    assert np.trapezoid(found.mean("x"), found.times) == pytest.approx(0, abs=1e-5)


def test_a_steady_drive_leaves_the_stationary_density():
    still, grid = dl.stationary_density(well(F=0.1).with_noise(x=0.5), grid=BOX), BOX
    found = dl.periodic_density(well(F=0.1).with_noise(x=0.5), period=1.0, grid=grid)
    assert np.abs(found.values - still.values).max() < 1e-9


# Answers to a small force


@settings(max_examples=20, deadline=None)
@given(theta=st.floats(0.2, 5), sigma=st.floats(0.3, 3), w=st.floats(-20, 20))
def test_ornstein_uhlenbeck_answers_by_one_pole(theta, sigma, w):
    """1 / (theta - i w), whatever the noise [R 7]."""

    @dl.flow
    def decay(x=0.0, *, theta=1.0):
        return {x: -theta * x}

    found = dl.susceptibility(
        decay(theta=theta).with_noise(x=sigma), of="x", to="x", frequencies=[w]
    )
    assert found.values[0] == pytest.approx(1 / (theta - 1j * w), rel=1e-8)
    # The estimate is a change of rounding size here.
    assert abs(found.values[0] - 1 / (theta - 1j * w)) < 20 * found.errors[0] + 1e-11


def test_a_turning_plane_answers_by_its_resolvent():
    found = dl.susceptibility(
        turning.with_noise(x=1.0, y=1.0), of="y", to="x", frequencies=[0, 1.4],
        grid=dl.Grid(x=(-4, 4, 64), y=(-4, 4, 64)),
    )  # fmt: skip
    A = np.array([[1, 2], [-1, 1.5]])
    exact = [np.linalg.inv(A - 1j * w * np.eye(2))[1, 0] for w in found.frequencies]
    assert found.values == pytest.approx(exact, rel=5e-3)


def test_the_static_answer_of_a_double_well():
    """<x^2> / D at F = 0, by detailed balance; D = 0.25 [R 7], with <x^2> from mpmath."""
    found = dl.susceptibility(well.with_noise(x=0.5**0.5), of="x", to="F", frequencies=[0])
    assert found.values[0] == pytest.approx(0.83274548712838 / 0.25, rel=1e-10)


@settings(max_examples=15, deadline=None)
@given(
    D=st.floats(0.05, 1), F=st.floats(-0.3, 0.3), w=st.floats(0.05, 30), cells=st.integers(8, 80)
)
def test_fluctuations_and_dissipation_agree_on_any_cells(D, F, w, cells):
    """Im chi = w S / (2 D), S from the dense resolvent of the same cells: exact in detailed balance."""
    system, grid = well(F=F).with_noise(x=(2 * D) ** 0.5), dl.Grid(x=(-2.5, 2.3, cells))
    state = stationary_state(coefficients_of(system), grid)
    p, L = state.probability, state.generator.matrix.toarray()
    x = grid.centres("x") - grid.centres("x") @ p
    spectrum = 2 * (x @ np.linalg.solve(-1j * w * np.eye(cells) - L, x * p)).real
    from dynlab.stochastic.densities.response import _push, _response, quantity_of

    asked = quantity_of(system, "x"), _push(system, "F")
    chi = _response(system, grid, asked, np.array([w]))[0]
    assert chi.imag == pytest.approx(w * spectrum / (2 * D), rel=1e-9)


def test_the_answer_to_a_parameter_is_the_derivative_of_the_mean():
    """Out of balance, with shared noise: the static response against a difference of means on the same cells."""

    @dl.flow
    def pair(x=0.0, y=0.0, *, a=0.3):
        return {x: x - x**3 - y + a * y**2, y: x - y + a}

    @pair.with_noise(dl.Ito)
    def noisy(x, y):
        first, second = dl.sources("first second")
        return {x: 0.8 * first, y: 0.5 * first + 0.6 * second}

    grid = dl.Grid(x=(-3, 3, 30), y=(-3.5, 3.5, 34))
    found = dl.susceptibility(noisy, of="x", to="a", frequencies=[0], grid=grid)
    up, down = (dl.stationary_density(noisy(a=0.3 + e), grid=grid).mean("x") for e in (1e-4, -1e-4))
    assert found.values[0].real == pytest.approx((up - down) / 2e-4, rel=1e-6)


def test_a_parameter_of_the_noise_is_no_force():
    @well.with_noise(dl.Ito)
    def noisy(x, *, s=0.5):
        return {x: s}

    with pytest.raises(dl.UnsupportedSystemError, match="noise of 'noisy' depends on 's'"):
        dl.susceptibility(noisy, of="x", to="s", frequencies=[1])


def test_generators_of_closed_boxes_keep_their_columns_under_a_push():
    from dynlab.stochastic.generator.coefficients import functions_of
    from dynlab.stochastic.generator.perturbation import perturbation

    system, grid = well.with_noise(x=0.7), dl.Grid(x=(-2, 2, 50))
    coefficients = coefficients_of(system)
    slope = functions_of(system, [1 + 0 * system.rule[0]])
    moved = perturbation(Generator.of(coefficients, grid), coefficients, slope)
    assert np.abs(moved.sum(axis=0)).max() < 1e-12 * abs(moved).max()
    up, down = (
        Generator.of(coefficients_of(well(F=e).with_noise(x=0.7)), grid).matrix
        for e in (1e-5, -1e-5)
    )
    assert abs(moved - (up - down) / 2e-5).max() < 1e-7 * abs(moved).max()
