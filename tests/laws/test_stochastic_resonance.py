"""Amplification and signal to noise of a driven well, from the density that is periodic with the drive.

[G] Gammaitoni, Hanggi, Jung and Marchesoni 1998, Rev. Mod. Phys. 70, 223.
"""

import re

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def well(x=1.0, *, A=0.1, w=0.01, phase=0.0):
    return {x: x - x**3 + A * dl.cos(w * dl.t + phase)}


@well.with_noise(dl.Ito)
def driven(x, *, D=0.1):
    return {x: dl.sqrt(2 * D)}


@dl.flow
def still(x=1.0):
    return {x: x - x**3}


CELLS = dl.Grid(x=(-2.6, 2.6, 256))


def _measured(system, **how):
    how = {"of": "x", "drive": "A", "vary": "D", "over": [0.1], "grid": CELLS} | how
    return dl.stochastic_resonance(system, **how)


def test_a_linear_system_answers_by_one_pole_however_strong_the_drive():
    """x' = -x + A cos(w t): |1 / (1 - i w)|^2, and the spectrum 2 D / (1 + w^2) of the fluctuations stays."""

    @dl.flow
    def decay(x=0.0, *, A=0.2, w=1.5):
        return {x: -x + 3 * A * dl.sin(w * dl.t)}

    @decay.with_noise(dl.Ito)
    def noisy(x, *, D=0.1):
        return {x: dl.sqrt(2 * D)}

    found = _measured(noisy, over=[0.7, 1.0], grid=dl.Grid(x=(-7, 7, 128)))
    # The drive is that of the parameter, 3 A sin: the answer is to the force.
    assert found.answers == pytest.approx([1 / (1 - 1.5j)] * 2, rel=1e-5)
    exact = np.pi * 0.6**2 / (2 * found.strengths)
    assert found.signal_to_noise == pytest.approx(exact, rel=1e-5)
    assert np.all(np.abs(found.signal_to_noise - exact) < 20 * found.errors[1] + 1e-9 * exact)


@pytest.mark.parametrize("w", [0.01, 0.5])
def test_a_small_drive_is_answered_with_the_susceptibility(w):
    """And its background is the equilibrium's, 2 D Im chi / w by the fluctuation-dissipation theorem."""
    found = _measured(driven(A=1e-4, w=w), over=[0.08])
    noisy = still.with_noise(x=0.4)
    chi = dl.susceptibility(noisy, of="x", to="x", frequencies=[w], grid=CELLS).values[0]
    assert found.answers[0] == pytest.approx(chi, rel=1e-5)
    assert found.signal_to_noise[0] == pytest.approx(
        np.pi * 1e-8 * abs(chi) ** 2 * w / (2 * 0.08 * chi.imag), rel=1e-5
    )


def test_two_states_in_the_limit_of_weak_noise():
    """pi (A / D)^2 times Kramers' rate [G eq 2.12] for slow rhythms, and what is left is of the first order of D."""
    D = np.array([0.03, 0.06])
    found = _measured(driven(A=1e-4, w=1e-4), over=D)
    rate = 2**0.5 / (2 * np.pi) * np.exp(-1 / (4 * D))
    off = found.signal_to_noise / (np.pi * (1e-4 / D) ** 2 * rate) - 1
    assert abs(off[1]) > 0.1
    assert 2 * off[0] - off[1] == pytest.approx(0, abs=0.01)


def test_simulated_paths_under_a_strong_drive():
    """The mean and the spectrum of what is not periodic, of 1000 paths over 40 periods; 4.5 standard errors.

    Over a finite time T the spectrum is off by the memory over T as well, 0.5 %.
    """
    system = driven(A=0.5, w=1.0, D=0.2)
    found = _measured(system, over=[0.2])
    times = 2 * np.pi * np.arange(5 * 20, 45 * 20) / 20
    run = dl.ensemble(
        system, duration=times[-1], at=times, method=dl.EulerMaruyama(step=np.pi / 200), size=1000,
        seed=1,
    )  # fmt: skip
    wave, span = np.exp(1j * times), 40 * 2 * np.pi
    harmonics = (run["x"] * wave).mean(axis=1)
    spread = np.sqrt((np.abs(harmonics - harmonics.mean()) ** 2).mean() / 1000)
    # Euler's steps shift the mean by some 0.5 % themselves.
    assert abs(2 * harmonics.mean() / 0.5 - found.answers[0]) < 4.5 * spread / 0.25 + 5e-3
    rest = (run["x"] - run["x"].mean(axis=0)) @ wave * (times[1] - times[0])
    power = np.abs(rest) ** 2 / span
    background = 4 * np.pi * abs(found.answers[0] * 0.25) ** 2 / found.signal_to_noise[0]
    assert power.mean() == pytest.approx(
        background, abs=4.5 * power.std() / 1000**0.5 + 0.015 * background
    )


def test_the_phase_of_the_drive_is_no_part_of_the_answer():
    one, other = (_measured(driven(A=0.3, w=0.2, phase=p)) for p in (0.0, 1.1))
    assert one.answers == pytest.approx(other.answers, rel=1e-9)
    assert one.signal_to_noise == pytest.approx(other.signal_to_noise, rel=1e-9)


def test_fewer_cells_err_as_they_say():
    few, many = (
        _measured(driven, grid=dl.Grid(x=(-2.6, 2.6, n)), over=[0.05, 0.1]) for n in (128, 256)
    )
    assert np.all(np.abs(few.amplification - many.amplification) < 3 * few.errors[0])
    assert np.all(np.abs(few.signal_to_noise - many.signal_to_noise) < 3 * few.errors[1])
    assert np.all(few.errors[0] < 1e-4 * few.amplification)


@dl.flow
def two(x=0.0, v=0.0, *, A=1.0):
    return {x: v, v: -x - v + A * dl.cos(dl.t)}


@dl.flow
def stepped(x=0.0, *, A=1.0):
    return {x: -x + A * dl.sign(dl.cos(dl.t))}


@dl.flow
def twice(x=0.0, *, A=1.0):
    return {x: -x + A * dl.cos(dl.t) + dl.cos(3 * dl.t)}


@pytest.mark.parametrize(
    ("system", "how", "error", "words"),
    [
        (driven, {"drive": "B"}, dl.UnknownNameError, "no parameter of 'driven'|'B' is not a parameter"),
        (driven, {"vary": "B"}, dl.UnknownNameError, "'B' is not a parameter"),
        (driven, {"of": "y"}, dl.UnknownNameError, "state or observable"),
        (driven, {"over": [np.nan]}, dl.SettingError, "finite values of 'D'"),
        (driven, {"drive": "D"}, dl.SettingError, "no amplitude|not the amplitude"),
        (driven(A=0), {}, dl.SettingError, "nothing is driven"),
        (stepped.with_noise(x=1), {"vary": "A"}, dl.SettingError, "not the amplitude"),
        (twice.with_noise(x=1), {"vary": "A"}, dl.SettingError, "by more than 'A'"),
        (two.with_noise(v=1), {"vary": "A"}, dl.UnsupportedSystemError, "2 states"),
        (driven, {"grid": CELLS.with_walls(x=dl.Absorbing())}, dl.UnsupportedSystemError, "no row of cells"),
        (driven, {"grid": CELLS.with_walls(x=dl.Periodic())}, dl.UnsupportedSystemError, "no row of cells"),
    ],
)  # fmt: skip
def test_refusals(system, how, error, words):
    with pytest.raises(error, match=re.compile(words)):
        _measured(system, **how)
