"""Cycles of driven systems: closed forms, harmonic balance, subharmonics."""

import numpy as np
import pytest
from scipy.optimize import root

import dynlab as dl

METHODS = [dl.Collocation(), dl.Shooting(), dl.Shooting(segments=3)]
IDS = ["collocation", "shooting", "multiple shooting"]


@dl.flow
def oscillator(x=0.0, v=0.0, *, g=0.1, w0=1.3, w=0.9, F=0.7):
    return {x: v, v: F * dl.cos(w * dl.t) - 2 * g * v - w0**2 * x}


@dl.flow
def duffing(x=0.1, v=0.0, *, d=0.1, a=1.0, b=0.3, F=0.35, w=0.5):
    return {x: v, v: F * dl.cos(w * dl.t) - d * v - a * x - b * x**3}


LINEAR = oscillator.with_phase(theta="w")
DUFFING = duffing.with_phase(theta="w")


def response(w, g=0.1, w0=1.3, F=0.7):
    return F / (w0**2 - w**2 + 2j * g * w)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_a_driven_linear_oscillator(method):
    cycle = dl.find_cycle(LINEAR, method=method)
    assert cycle.period == pytest.approx(2 * np.pi / 0.9, rel=1e-10)
    expected = response(0.9) * np.exp(1j * cycle["theta"])
    assert np.abs(cycle["x"] - expected.real).max() < 1e-9
    assert np.abs(cycle["v"] - (0.9j * expected).real).max() < 1e-9
    # exp(eigenvalue T) of the oscillator without drive, and 1 for the drive's phase.
    rates = -0.1 + np.array([1j, -1j]) * np.sqrt(1.3**2 - 0.1**2)
    expected = [1.0, *np.sort_complex(np.exp(rates * cycle.period))]
    assert np.abs(np.sort_complex(cycle.eigenvalues)[[2, 0, 1]] - expected).max() < 1e-9


def test_the_angle_of_a_drive_begins_within_one_turn_and_goes_on():
    cycle = dl.find_cycle(LINEAR)
    assert 0 <= cycle["theta"][0] < 2 * np.pi
    t = np.linspace(0, 3 * cycle.period, 50)
    assert np.abs(cycle.at(t, "theta") - cycle["theta"][0] - 0.9 * t).max() < 1e-9
    assert np.abs(cycle.at(t, "x") - cycle.at(t + cycle.period, "x")).max() < 1e-12


def test_the_resonance_curve_of_a_linear_oscillator():
    branch = dl.continue_cycles(dl.find_cycle(LINEAR), vary="w", over=(0.3, 3))
    assert not branch.points()
    assert {end.status for end in branch.ends} == {dl.Status.PARAMETER_BOUND}
    assert np.abs(branch["period"] * branch["w"] / (2 * np.pi) - 1).max() < 1e-9
    # Extremes are looked for at 512 places or more: 1 - cos(pi / 512) = 1.9e-5.
    height = branch.extremes("x")[:, 1]
    assert np.abs(height / np.abs(response(branch["w"])) - 1).max() < 4e-5
    for w in (0.5, 1.3, 2.7):
        cycle = branch.at(w=w).single()
        expected = response(w) * np.exp(1j * cycle["theta"])
        # At the ends of the intervals, where collocation is of order 8.
        assert np.abs(cycle["x"] - expected.real)[:: cycle.degree].max() < 1e-9


HARMONICS = np.arange(
    1, 26, 2
)  # a symmetric oscillation has odd ones only; the 25th is below 1e-13
ANGLES = 2 * np.pi * np.arange(256) / 256
WAVES = np.exp(1j * np.outer(ANGLES, HARMONICS))
#: From the real numbers (cosines, then sines) to values at the angles, and from values to coefficients.
VALUES = np.hstack([WAVES.real, -WAVES.imag])
COEFFICIENTS = WAVES.conj().T * 2 / len(ANGLES)


def balance(coefficients, w, d=0.1, a=1.0, b=0.3, F=0.35):
    """Return the Fourier coefficients of what Duffing's equation leaves: zero for a cycle."""
    c = coefficients[: len(HARMONICS)] + 1j * coefficients[len(HARMONICS) :]
    left = (a - (HARMONICS * w) ** 2 + 1j * d * HARMONICS * w) * c
    left += COEFFICIENTS @ (b * (VALUES @ coefficients) ** 3)
    left[0] -= F
    return np.concatenate([left.real, left.imag])


def slopes(coefficients, w, d=0.1, a=1.0, b=0.3):
    """Return the derivatives of the balance."""
    linear = np.diag(a - (HARMONICS * w) ** 2 + 1j * d * HARMONICS * w)
    x = VALUES @ coefficients
    rows = np.hstack([linear, 1j * linear]) + COEFFICIENTS @ (3 * b * x[:, None] ** 2 * VALUES)
    return np.vstack([rows.real, rows.imag])


def coefficients_of(cycle):
    """Return the Fourier coefficients of a cycle in the angle of the drive."""
    w = cycle["w"]
    t = np.mod(ANGLES - cycle["theta"][0], 2 * np.pi) / w
    c = COEFFICIENTS @ cycle.at(t, "x")
    return np.concatenate([c.real, c.imag])


@pytest.fixture(scope="module")
def curve():
    return dl.continue_cycles(dl.find_cycle(DUFFING), vary="w", over=(0.3, 3))


def test_duffings_three_cycles_are_those_of_harmonic_balance(curve):
    cycles = curve.at(w=1.4)
    assert [cycle.kind for cycle in cycles] == ["stable cycle", "saddle cycle", "stable cycle"]
    for cycle in cycles:
        given = coefficients_of(cycle)
        exact = root(balance, given, args=(1.4,), jac=slopes, tol=1e-14).x
        assert np.abs(given - exact).max() < 1e-9
        # Damping alone shrinks volumes: the product of the multipliers.
        assert np.prod(cycle.eigenvalues).real == pytest.approx(np.exp(-0.1 * cycle.period))


def test_duffings_folds_are_those_of_harmonic_balance(curve):
    folds = curve.points(dl.Fold)
    assert len(folds) == len(curve.points()) == 2
    for fold in folds:
        c = coefficients_of(fold.orbit)
        _, _, directions = np.linalg.svd(slopes(c, fold["w"]))
        null = directions[-1]

        def equations(u, null=null):
            c, v, w = np.split(u, [len(null), 2 * len(null)])
            return np.concatenate([balance(c, w[0]), slopes(c, w[0]) @ v, [null @ v - 1]])

        exact = root(equations, np.concatenate([c, null, [fold["w"]]]), tol=1e-13).x[-1]
        assert fold["w"] == pytest.approx(exact, rel=1e-8)


@dl.flow
def double_well(x=1.0, v=0.0, *, d=0.3, F=0.35, w=1.2):
    return {x: v, v: F * dl.cos(w * dl.t) - d * v + x - x**3}


@pytest.mark.parametrize(("F", "turns"), [(0.2, 1), (0.28, 2), (0.29, 4), (0.37, 5), (0.65, 2)])
def test_subharmonics_take_whole_turns_of_the_drive(F, turns):
    # Jordan and Smith 2007, Nonlinear Ordinary Differential Equations, section 13.3: the periods.
    system = double_well.with_phase(theta="w")(F=F)
    cycle = dl.find_cycle(system)
    assert cycle.period == pytest.approx(turns * 2 * np.pi / 1.2, rel=1e-10)
    assert cycle["theta"][-1] - cycle["theta"][0] == pytest.approx(turns * 2 * np.pi, rel=1e-12)
    shot = dl.find_cycle(system, orbit=cycle, method=dl.Shooting(segments=turns))
    assert np.abs(shot.eigenvalues - cycle.eigenvalues).max() < 1e-8
    assert cycle.divergence == pytest.approx(-0.3 * cycle.period, rel=1e-10)


def test_the_doubled_cycle_of_a_drive_is_reached_from_its_period_doubling():
    system = double_well.with_phase(theta="w")
    single = dl.continue_cycles(dl.find_cycle(system(F=0.2)), vary="F", over=(0.1, 0.4))
    doubling = single.points(dl.PeriodDoubling).single()
    doubled = dl.continue_cycles(doubling, over=(0.1, 0.4)).at(F=0.28).single()
    settled = dl.find_cycle(system(F=0.28))
    assert doubled.period == pytest.approx(settled.period, rel=1e-10)
    assert np.abs(doubled.eigenvalues - settled.eigenvalues).max() < 1e-8


def test_a_rotor_under_a_torque_needs_no_drive():
    # An overdamped pendulum: theta' = torque - sin(theta) has the period 2 pi / sqrt(torque^2 - 1).
    @dl.flow
    def rotor(theta: dl.Angle = 0.0, *, torque=1.25):
        return {theta: torque - dl.sin(theta)}

    for method in METHODS:
        cycle = dl.find_cycle(rotor, period=8.0, method=method)
        assert cycle.period == pytest.approx(2 * np.pi / 0.75, rel=1e-9)
        assert cycle.eigenvalues == pytest.approx([1.0], abs=1e-9)


def test_an_angle_that_is_none_is_refused():
    @dl.flow
    def made(x=0.0, *, w=1.0):
        return {x: -x + dl.exp(-dl.t) * dl.cos(w * dl.t)}

    with pytest.raises(dl.UnsupportedSystemError, match="changes when 'theta' makes a whole turn"):
        dl.find_cycle(made.with_phase(theta="w"))
