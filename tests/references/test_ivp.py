"""Non-stiff initial-value problems against end values computed in extended precision.

Problems A to E: the non-stiff DETEST set (Hull, Enright, Fellen and Sedgwick 1972, SIAM J. Numer.
Anal. 9, 603).  The printed solutions of that set are good in absolute terms only (exp(-20) has 6.9
digits), so the end values here were computed afresh, by Taylor series in 113-bit arithmetic.
BRUSS2, AREN and PLEI: Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I.
"""

import numpy as np
import pytest

import dynlab as dl
from dynlab.symbolic.system import State, System
from dynlab.symbolic.tree import symbol


def end_of(system, duration, rtol, **start):
    # The smallest components decay to 2e-9 and are asked for to full relative accuracy.
    method = dl.Explicit8(rtol=rtol, atol=1e-12 * rtol)
    run = dl.integrate(system, start=start or None, duration=duration, at=[duration], method=method)
    assert run.status is dl.Status.OK
    return run.end[1:]


def condition(system, duration):
    """How much relative errors on the way are magnified at the end, per component; at least 1.

    kappa = max over times s of max_i sum_j |dx_i(T) / dx_j(s)| |x_j(s)| / |x_i(T)|, with the derivatives
    of the flow from central differences of runs at rtol = 1e-12 (good to some 1e-6: an estimate
    needs one digit).  Forced systems are perturbed at s = 0 alone, for runs start at t = 0.
    """
    tight = dl.Explicit8(rtol=1e-12, atol=1e-24)
    times = np.linspace(0, duration, 6)[:-1] if system.is_autonomous else np.array([0.0])
    path = dl.integrate(system, duration=duration, at=times, method=tight).values
    final = end_of(system, duration, 1e-12)
    worst = 1.0
    for s, x in zip(times, path, strict=True):
        total = np.zeros(len(x))
        for j in np.flatnonzero(x):
            step = np.zeros(len(x))
            step[j] = 1e-5 * x[j]
            ends = [
                dl.integrate(
                    system, start=x + sign * step, duration=duration - s, at=[duration - s],
                    method=tight,
                ).end[1:]
                for sign in (1, -1)
            ]  # fmt: skip
            total += np.abs(ends[0] - ends[1]) / 2e-5
        worst = max(worst, float(np.max(total / np.abs(final))))
    return worst


# On the scalar problem A3 both error estimates can nearly vanish in one step; at rtol = 1e-9 its error
# is 14 rtol (scipy's DOP853: 11), on C2 at rtol = 1e-5 it is 17 rtol. At the
# tolerances below no row exceeds 10 rtol kappa.
@pytest.mark.parametrize("rtol", [1e-6, 1e-7, 1e-8, 1e-10, 1e-12])
@pytest.mark.parametrize("row", DETEST)
def test_error_at_the_end_is_the_tolerance_times_the_condition(row, rtol):
    system, reference = DETEST[row]
    error = np.max(np.abs(end_of(system, 20.0, rtol) / reference - 1))
    assert error < 10 * rtol * condition(system, 20.0)


@pytest.mark.parametrize("row", ["B5", "D5"])
def test_error_is_proportional_to_the_tolerance(row):
    system, reference = DETEST[row]
    rtols = np.logspace(-4, -12, 9)
    errors = [np.max(np.abs(end_of(system, 20.0, r) / reference - 1)) for r in rtols]
    slope = np.polyfit(np.log10(rtols), np.log10(errors), 1)[0]
    assert 0.8 < slope < 1.2


def test_linear_invariant_is_kept_to_rounding():
    run = dl.integrate(DETEST["B3"][0], duration=20, method=dl.Explicit8(rtol=1e-6))
    # A sum of stages keeps it exactly; each step then rounds three numbers below 1.
    assert np.max(np.abs(run.values.sum(axis=1) - 1)) < 1.5 * len(run.t) * 2.0**-53


@pytest.mark.parametrize("row", ["B5", "E2", "D1"])
def test_dense_output_is_as_good_as_the_steps(row):
    system, _ = DETEST[row]
    coarse = dl.integrate(system, duration=20, method=dl.Explicit8(rtol=1e-8))
    fine = dl.integrate(system, duration=20, method=dl.Explicit8(rtol=1e-13, atol=1e-15))
    middles = (coarse.t[1:] + coarse.t[:-1]) / 2
    at_steps = np.max(np.abs(coarse.values - fine.at(coarse.t).values))
    between = np.max(np.abs(coarse.at(middles).values - fine.at(middles).values))
    assert between < 10 * at_steps


@pytest.mark.parametrize("row", ["B5", "D1"])
def test_backward_integration_returns(row):
    system, _ = DETEST[row]
    method = dl.Explicit8(rtol=1e-12, atol=1e-14)
    there = dl.integrate(system, duration=20, method=method)
    back = dl.integrate(system, start=there.final, duration=-20, method=method)
    # Forth and back each multiply the tolerance by kappa at most; kappa is 79 and 600.
    assert np.max(np.abs(back.end[1:] - there.values[0])) < 100 * 1e-12 * condition(system, 20.0)


@pytest.mark.parametrize("row", EXTENDED)
def test_end_value_in_extended_precision(row):
    """The accuracy asked for is what rounding in double leaves: constants, and chaos times 1e-16."""
    system, duration, asked, reference = EXTENDED[row]
    error = np.max(np.abs(end_of(system, duration, 2.3e-14) / reference - 1))
    assert error < asked


def test_arenstorf_orbit_closes():
    system = arenstorf()
    end = end_of(system, 17.0652165601579625588917206249, 1e-13)
    assert np.max(np.abs(end - system.start_values)) < 1e-8


def test_henon_heiles_keeps_its_energy():
    run = dl.integrate(HENON_HEILES, duration=100, method=dl.Explicit8(rtol=1e-13, atol=1e-15))
    x, y, u, v = run.values.T
    energy = (u**2 + v**2 + x**2 + y**2) / 2 + x**2 * y - y**3 / 3
    assert np.ptp(energy) < 1e-12
