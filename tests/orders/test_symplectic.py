"""Symplectic methods: the compositions, the observed orders, and the compiled loops."""

import math

import numpy as np
import pytest
from scipy import special

import dynlab as dl
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.kernels import dense, symplectic
from dynlab.kernels.convention import OK, RUNNING
from dynlab.solve.symplectic import prepare

METHODS = (dl.Verlet, dl.Yoshida4, dl.BlanesMoan4, dl.BlanesMoan6, dl.KahanLi8)


def composition_of(method):
    return method(step=1.0).composition


def name_of(method):
    return method.__name__


each = pytest.mark.parametrize("method", METHODS, ids=name_of)


@dl.hamiltonian
def relativistic(q=1.0, p=0.3):
    """Neither part is a square, so that no order condition is met for free."""
    return dl.sqrt(1 + p**2) + dl.exp(q) - q


@each
def test_a_step_reads_the_same_from_both_ends_and_is_a_whole_step(method):
    made = composition_of(method)
    assert made.kicks == tuple(reversed(made.kicks))
    assert made.drifts == tuple(reversed(made.drifts))
    assert len(made.kicks) == len(made.drifts) + 1
    # The sums of some twenty numbers of size 1, given to 15 digits.
    assert sum(made.kicks) == pytest.approx(1, abs=4e-15)
    assert sum(made.drifts) == pytest.approx(1, abs=4e-15)


@each
def test_a_step_of_the_oscillator_is_a_rotation_to_the_order(method):
    made, errors = composition_of(method), []
    sizes = np.array([0.4, 0.3, 0.2])
    for h in sizes:
        step = np.eye(2)
        for j, kick in enumerate(made.kicks):
            if j:
                step = np.array([[1.0, made.drifts[j - 1] * h], [0.0, 1.0]]) @ step
            step = np.array([[1.0, 0.0], [-kick * h, 1.0]]) @ step
        turn = np.array([[math.cos(h), math.sin(h)], [-math.sin(h), math.cos(h)]])
        errors.append(np.abs(step - turn).max())
    assert observed(1 / sizes, errors) == pytest.approx(made.order + 1, abs=0.2)


#: Steps per run that leave errors well above rounding.
COUNTS = {2: (40, 60, 80), 4: (30, 40, 60), 6: (24, 32, 40), 8: (26, 34, 44)}
DURATION = 4.0


def observed(counts, errors):
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]


@pytest.fixture(scope="module")
def exact():
    """The end by another method; its steps at this tolerance leave some 1e-14."""
    method = dl.Explicit8(rtol=3e-14, atol=3e-14)
    return dl.integrate(relativistic, duration=DURATION, at=[DURATION], method=method).values[-1]


@each
def test_observed_order_at_the_end(method, exact):
    order = composition_of(method).order
    runs = [
        dl.integrate(relativistic, duration=DURATION, method=method(step=DURATION / count))
        for count in COUNTS[order]
    ]
    assert [len(run.t) for run in runs] == [count + 1 for count in COUNTS[order]]
    errors = [np.abs(run.values[-1] - exact).max() for run in runs]
    assert observed(COUNTS[order], errors) == pytest.approx(order, abs=0.35)


def well(t, start=1.2):
    """q(t) of the double well from rest: q0 dn(q0 t / sqrt 2 | m), m = 2 - 2/q0^2."""
    return start * special.ellipj(start * t / math.sqrt(2), 2 - 2 / start**2)[2]


@each
def test_observed_order_between_the_steps(method):
    order, errors = composition_of(method).order, []
    counts = COUNTS[order]
    for count in counts:
        step = DURATION / count
        run = dl.integrate(dl.zoo.double_well_oscillator, duration=4.0, method=method(step=step))
        inner = run.t[:-1] + 0.37 * np.diff(run.t)
        errors.append(np.abs(run.at(inner)["q"] - well(inner)).max())
    assert observed(counts, errors) > order - 0.35


@each
def test_a_time_dependent_force_keeps_the_order(method):
    @dl.hamiltonian
    def driven(q=1.0, p=0.0):
        return p**2 / 2 + q**2 / 2 - q * dl.cos(2 * dl.t)

    # q'' + q = cos 2t from rest at 1: q = (4/3) cos t - (1/3) cos 2t.
    order, errors = composition_of(method).order, []
    counts = np.array(COUNTS[order])
    for count in counts:
        run = dl.integrate(driven, duration=DURATION, method=method(step=DURATION / count))
        t = run.t
        errors.append(np.abs(run["q"] - (4 * np.cos(t) - np.cos(2 * t)) / 3).max())
    assert observed(counts, errors) == pytest.approx(order, abs=0.4)


def test_verlet_conserves_the_energy_of_its_own_ellipse():
    # With kick, drift, kick: p^2/2 + q^2 (1 - h^2/4)/2 is exactly the same after a step.
    run = dl.integrate(dl.zoo.harmonic_oscillator, duration=1e4, method=dl.Verlet(step=0.1))
    own = run["p"] ** 2 / 2 + run["q"] ** 2 * (1 - 0.1**2 / 4) / 2
    assert len(run.t) == 100_001
    # Compensated sums: a random walk of 1e5 steps of 1e-16 / 2 stays below 1e-13.
    assert np.abs(own - own[0]).max() < 1e-13


@each
def test_the_polynomial_of_a_step_meets_the_derivatives_at_both_ends(method):
    run = dl.integrate(dl.zoo.henon_heiles, duration=2.0, method=method(step=0.25))
    system, rows = run.system, run.steps.coefficients
    rhs = kernels_of(system).rhs
    powers = np.arange(rows.shape[1])
    for j, (h, row) in enumerate(zip(run.steps.sizes, rows, strict=True)):
        assert np.allclose(row.sum(axis=0), run.values[j + 1], rtol=0, atol=1e-14)
        left, right = (
            rhs(0.0, x, np.array(system.parameter_values)) for x in run.values[j : j + 2]
        )
        assert np.allclose(row[1], h * left, rtol=0, atol=1e-15)
        assert np.allclose(powers @ row, h * right, rtol=0, atol=1e-13)
    assert rows.shape[1] == {2: 4, 4: 6, 6: 8, 8: 8}[composition_of(method).order]
    if composition_of(method).order > 2:  # the second derivatives of neighbours meet
        ends = (powers * (powers - 1)) @ rows[:-1]
        assert np.allclose(ends, 2 * rows[1:, 2], rtol=0, atol=1e-13)


def arguments(method, duration):
    system = dl.zoo.henon_heiles
    made = prepare(system, np.array(system.start_values), duration, method)
    return made, (made.rhs.address, made.state, made.tally, made.work, *inputs_of(system))


def test_every_loop_takes_the_same_steps_whatever_the_chunks():
    method, duration, guard = dl.BlanesMoan4(step=0.1), 50.0, kernels_of(dl.zoo.henon_heiles).rhs
    runs = [arguments(method, duration) for _ in range(5)]
    for _, run in runs:
        assert symplectic.begin(*run) == RUNNING
    room = (np.empty(500), np.zeros(500), np.empty((500, 6, 4)))
    sides = (np.zeros(4, np.int64), np.zeros(5, np.int64), np.zeros((dense.SIDE_ROWS, 8)))
    found = (np.empty(600), np.empty(600, np.int64), np.empty((600, 4)))
    times = np.linspace(0, 50, 7)
    assert symplectic.advance(*runs[0][1], 500) == OK
    assert symplectic.sample(*runs[1][1], 500, times, np.empty((7, 4))) == OK
    assert symplectic.record(*runs[2][1], 500, *room) == OK
    assert symplectic.watch(*runs[3][1], 500, *room, guard.address, *sides, *found) == OK
    while symplectic.advance(*runs[4][1], 7) == RUNNING:
        pass
    for made, _ in runs[1:]:
        assert np.array_equal(made.work[symplectic.X], runs[0][0].work[symplectic.X])


def test_rounding_walks_at_random():
    # 2e6 steps: errors of 1e-16 at random are 1.5e-13 together; if all fell to one side, 2e-10.
    method = dl.KahanLi8(step=0.01)
    run = dl.integrate(dl.zoo.harmonic_oscillator, duration=2e4, at=[2e4], method=method)
    assert abs(run["q"][-1] ** 2 + run["p"][-1] ** 2 - 1) < 1.5e-13


def test_a_run_left_anywhere_may_begin_anew():
    method = dl.BlanesMoan4(step=0.1)
    made, run = arguments(method, 3.0)
    assert symplectic.begin(*run) == RUNNING
    assert symplectic.advance(*run, 100) == OK
    assert made.tally[symplectic.ATTEMPTS] == 30
    made.state[symplectic.END] = 3.25  # another leg: three steps that fill 0.25
    assert symplectic.begin(*run) == RUNNING
    assert symplectic.advance(*run, 100) == OK
    assert made.tally[symplectic.ATTEMPTS] == 3
    assert made.state[symplectic.T] == 3.25
    legs = dl.integrate(dl.zoo.henon_heiles, duration=3.0, method=method)
    legs = dl.integrate(legs.system, start=legs.final, duration=0.25, method=method)
    assert np.allclose(made.work[symplectic.X], legs.values[-1], rtol=0, atol=1e-15)
