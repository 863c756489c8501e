"""The density that a periodic drive leaves: all times of a period at once.

[HJ] Jung and Hanggi 1991, Phys. Rev. A 44, 8032; [R] Risken, The Fokker-Planck Equation (1989).
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

import dynlab as dl
from dynlab.stochastic.densities.evolve import driven_generator
from dynlab.stochastic.densities.response import _push, _response, quantity_of
from dynlab.stochastic.generator.periodic_chain import resolved_chain


@dl.flow
def shaken(x=1.0, *, A=0.2, w=0.1, F=0.0):
    return {x: x - x**3 + F + A * dl.cos(w * dl.t)}


def _noisy(D, **values):
    return shaken(**values).with_noise(x=(2 * D) ** 0.5)


def _found(system, cells, reach=2.4):
    return dl.periodic_density(
        system, period=2 * np.pi / system["w"], grid=dl.Grid(x=(-reach, reach, cells))
    )


@settings(max_examples=12, deadline=None)
@given(A=st.floats(0.01, 1), w=st.floats(0.1, 20), D=st.floats(0.08, 1), cells=st.integers(16, 40))
def test_a_period_later_the_cells_hold_the_same(A, w, D, cells):
    """Mass and sign at all times, and the mirror image half a period later, as for the equations."""
    run = _found(_noisy(D, A=A, w=w), cells)
    assert run.values.min() >= 0
    assert np.abs(run.mass - 1).max() < 1e-13
    assert run.error < 1e-9
    half = len(run.times) // 2
    assert np.abs(run.values[half:, ::-1] - run.values[: half + 1]).max() < 1e-8 * run.values.max()


def test_scipy_runs_through_the_same_period():
    """From the density at time 0, with Radau, on the same cells; a drive that empties either well."""
    system = _noisy(0.1, A=0.8, w=2.0)
    run = _found(system, 48)
    _, generator_at = driven_generator(system, run.grid)
    ends = run.times[[8, 32]]
    theirs = solve_ivp(
        lambda t, p: generator_at(t).matrix @ p, (0, ends[-1]), run.values[0], t_eval=ends,
        method="Radau", jac=lambda t, p: generator_at(t).matrix, rtol=1e-8, atol=1e-10,
    ).y  # fmt: skip
    # Radau's own error: some hundred steps of 1e-8.
    assert np.abs(theirs.T - run.values[[8, 32]]).sum(axis=1).max() * run.grid.volume < 2e-6


@pytest.mark.parametrize("w", [0.003, 0.1, 3.0])
def test_a_small_drive_is_answered_linearly(w):
    """chi of the same cells; what is left is of the second order of the drive, here 1e-6 of it at most."""
    system = _noisy(0.1, A=1e-4, w=w, F=0.05)
    run = _found(system, 64)
    at = np.arange(len(run.times) - 1)
    answer = 2e4 * np.mean(run.mean("x")[at] * np.exp(1j * w * run.times[at]))
    frozen = _autonomous(0.05).with_noise(x=0.2**0.5)
    asked = quantity_of(frozen, "x"), _push(frozen, "F")
    exact = _response(frozen, run.grid, asked, np.array([w]))[0]
    assert answer == pytest.approx(exact, rel=1e-5)


def _autonomous(F):
    @dl.flow
    def still(x=1.0, *, F=0.0):
        return {x: x - x**3 + F}

    return still(F=F)


def test_a_drive_slower_than_all_else_moves_the_stationary_density():
    """w / gap is 1e-6: the density is that of the force of the moment, on the same cells."""
    run = _found(_noisy(0.25, A=0.3, w=2e-7), 80)
    for k in (0, 5, 16):
        force = 0.3 * np.cos(2e-7 * run.times[k])
        still = dl.stationary_density(_autonomous(force).with_noise(x=0.5**0.5), grid=run.grid)
        assert np.abs(still.values - run.values[k]).sum() * run.grid.volume < 2e-5


def test_slow_exchange_between_wells_is_kept_beside_fast_relaxation():
    """D = 0.03: the gap is 1e-4, rates between cells 10.  The mean over a period is zero by symmetry alone."""
    run = _found(_noisy(0.03, A=0.05, w=2 * np.pi), 64, 2.0)
    mean = run.mean("x")[:-1]
    assert np.mean(mean) == pytest.approx(0, abs=1e-8)
    assert run.error < 1e-9


def test_a_drive_that_jumps_is_given_up_soon():
    """Its harmonics fall like a power: so many are never tried as a smooth drive may need."""

    @dl.flow
    def switched(x=1.0, *, A=0.2):
        return {x: x - x**3 + A * dl.sign(dl.cos(dl.t))}

    asked = []
    _, generator_at = driven_generator(switched.with_noise(x=0.5), dl.Grid(x=(-2.4, 2.4, 24)))

    def counted(time):
        asked.append(time)
        return generator_at(time)

    assert resolved_chain(counted, 2 * np.pi) is None
    assert len(asked) == 17 + 33 + 65 + 97
