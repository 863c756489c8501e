"""Means, correlations and spectra over time: closed forms, and errors that are the scatter over seeds.

The process x' = -x + noise of variance 1/2 has C(s) = exp(-|s|) / 2 and, in values h apart, the spectrum
``h/2 sinh h / (cosh h - cos w h)``, which tends to the Lorentzian 1 / (1 + w^2).
"""

import itertools

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

import dynlab as dl

STEP, SEEDS = 0.2, 60


@dl.flow
def decay(x=0.0):
    return {x: -x}


@dl.flow
def focus(x=0.0, y=0.0):
    return {x: -x - 3 * y, y: 3 * x - y}


OU = decay.with_noise(x=1.0)


def path(seed, duration=1000, system=OU):
    return dl.simulate(system, duration=duration, method=dl.ExactLinear(step=STEP), seed=seed)


@pytest.fixture(scope="module")
def paths():
    return [path(seed) for seed in range(SEEDS)]


def shares(inside):
    """A 95 % interval holds the truth this often; the least share accepted has three standard errors."""
    return np.mean(inside) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / SEEDS)


def test_errors_of_time_means_are_the_scatter_over_seeds(paths):
    """Mean 0, variance 1/2; the correlation time of values h apart is h/2 coth(h/2)."""
    found = [dl.time_mean(run, of="x", after=5) for run in paths]
    tau = STEP / 2 / np.tanh(STEP / 2)
    assert shares([abs(m.value) < 1.96 * m.standard_error for m in found])
    assert shares([abs(m.variance - 0.5) < 1.96 * m.variance_error for m in found])
    assert shares([abs(m.correlation_time - tau) < 1.96 * m.correlation_time_error for m in found])
    # Neither are they too wide: the mean of the errors is the scatter, which 60 seeds know to 9 %.
    for value, error in (
        ("value", "standard_error"), ("variance", "variance_error"), ("correlation_time", "correlation_time_error"),
    ):  # fmt: skip
        scatter = np.std([getattr(m, value) for m in found])
        assert np.mean([getattr(m, error) for m in found]) == pytest.approx(scatter, rel=0.35)
    assert found[0].effective_size == pytest.approx(found[0].duration / (2 * tau), rel=0.5)


def test_errors_that_take_values_for_independent_would_be_three_times_too_small(paths):
    m = dl.time_mean(paths[0], of="x", after=5)
    naive = np.sqrt(m.variance * STEP / m.duration)
    assert m.standard_error > 2.5 * naive


def test_correlations_cover_the_exact_ones(paths):
    inside = []
    for run in paths:
        found = dl.correlation_function(run, of="x", up_to=3, after=5)
        low, high = found.band
        exact = np.exp(-found.lags) / 2
        inside.append((low < exact) & (exact < high))
    assert shares(np.mean(inside, axis=1))
    assert shares(np.array(inside)[:, 0])
    assert np.mean(inside) < 0.995  # a band that always covers is no 95 % band


def test_spectra_cover_the_exact_ones_and_add_up_to_the_variance(paths):
    inside, slow = [], []
    for run in paths:
        found = dl.power_spectrum(run, of="x", after=5, segment=60)
        low, high = found.band
        w = found.frequencies
        exact = STEP / 2 * np.sinh(STEP) / (np.cosh(STEP) - np.cos(w * STEP))
        inside.append((low < exact) & (exact < high))
        lorentz = 1 / (1 + w[w < 2] ** 2)  # aliasing adds h^2 / 12 here, 0.3 %
        slow.append(np.mean((low[w < 2] < lorentz) & (lorentz < high[w < 2])))
    assert shares(np.mean(inside, axis=1))
    assert shares(slow)
    assert np.mean(inside) < 0.975
    # Without what is below the lowest frequency, w1 / pi: 3 % of the variance.
    missing = found.frequencies[0] / (2 * np.pi)
    assert found.variance == pytest.approx(
        dl.time_mean(run, of="x", after=5).variance - missing, rel=0.06
    )


def test_two_quantities_are_correlated_as_the_lyapunov_equation_says():
    """C(s) = exp(A s) S for s >= 0, S exp(A' |s|) below; lags of both signs, within 4.5 errors each."""
    system = focus.with_noise(x=1.0, y=0.3)
    run = path(3, 4000, system)
    found = dl.correlation_function(run, of=("x", "y"), up_to=2, after=5)
    A, Q = np.array([[-1.0, -3.0], [3.0, -1.0]]), np.diag([1.0, 0.09])
    S = solve_continuous_lyapunov(A, -Q)
    exact = [(expm(A * s) @ S)[0, 1] if s >= 0 else (S @ expm(-A * s).T)[0, 1] for s in found.lags]
    assert found.lags[0] == -found.lags[-1] == -2
    assert (np.abs(found.values - exact) < 4.5 * found.errors).all()
    assert np.ptp(exact) > 20 * found.errors.max()


def test_spectra_and_coherence_are_those_of_the_linear_theory():
    system = focus.with_noise(x=1.0, y=0.3)
    fine = dl.simulate(system, duration=3000, method=dl.ExactLinear(step=0.05), seed=4)
    A, Q = np.array([[-1.0, -3.0], [3.0, -1.0]]), np.diag([1.0, 0.09])
    found = dl.coherence(fine, of=("x", "y"), segment=30)
    near = found.frequencies < 8  # aliasing of h = 0.05 stays below 1 % there
    matrices = [
        G @ Q @ G.conj().T
        for G in (np.linalg.inv(1j * w * np.eye(2) - A) for w in found.frequencies)
    ]
    cross = np.array([S[0, 1] for S in matrices])
    exact = np.abs(cross) ** 2 / np.array([(S[0, 0] * S[1, 1]).real for S in matrices])
    assert (np.abs(found.values - exact)[near] < 4.5 * found.errors[near] + 0.02).all()
    firm = near & (exact > 0.3)
    phases = np.angle(np.exp(1j * (found.phases - np.angle(cross))))[firm]
    # The error of a phase is sqrt((1 - C) / (2 C n)) (Carter 1987).
    assert (
        np.abs(phases) < 4.5 * np.sqrt((1 - exact) / (2 * exact * found.averages))[firm] + 0.01
    ).all()
    power = dl.power_spectrum(fine, of="y", segment=30)
    theory = np.array([S[1, 1].real for S in matrices])
    assert (np.abs(power.values / theory - 1)[near] < 4.5 * np.sqrt(2 / power.degrees) + 0.05).all()


def test_without_any_relation_chance_is_what_it_says(paths):
    """Ten pairs of independent paths, 100 frequencies each of which two neighbours tell the same: 0.95 to 0.01."""
    below = []
    for one, two in zip(paths[:10], paths[10:20], strict=True):
        both = dl.coherence(np.column_stack([one["x"], two["x"]]), segment=200)
        below.append(np.mean(both.values < both.chance))
    assert np.mean(below) == pytest.approx(0.95, abs=0.03)


def test_an_ensemble_is_many_records():
    run = dl.ensemble(
        OU, starts={"x": dl.Gaussian(0, 0.5**0.5)}, size=200, duration=40, at=np.arange(0, 40.1, STEP),
        method=dl.ExactLinear(step=STEP), seed=1,
    )  # fmt: skip
    m = dl.time_mean(run, of="x")
    exact = np.sqrt(2 * 0.5 / (200 * 40))
    assert m.standard_error == pytest.approx(exact, rel=0.25)
    assert abs(m.value) < 4 * m.standard_error
    c = dl.correlation_function(run, of="x", up_to=2)
    assert (np.abs(c.values - np.exp(-c.lags) / 2) < 4.5 * c.errors).all()


def test_a_record_that_does_not_forget_has_no_error():
    short = dl.time_mean(path(1, 21), of="x")
    turning = dl.time_mean(np.cos(0.3 * np.arange(2000)))
    for found in (short, turning):
        if found.status is dl.Status.UNDECIDED:
            assert np.isinf(found.standard_error)
    assert turning.status is dl.Status.UNDECIDED
    c = dl.correlation_function(np.cos(0.3 * np.arange(2000)))
    assert c.status is dl.Status.UNDECIDED
    assert np.isinf(c.errors).all()
    assert c.values[0] == pytest.approx(0.5, rel=0.01)


def test_white_and_alternating_values():
    """Independent values: tau = h/2.  Differences of them sum up to nothing: the error never falls below its own error."""
    z = np.random.default_rng(3).standard_normal(20_000)
    white = dl.time_mean(z)
    assert white.correlation_time == pytest.approx(0.5, abs=4 * white.correlation_time_error)
    assert white.standard_error == pytest.approx(1 / np.sqrt(20_000), rel=0.1)
    rough = dl.time_mean(np.diff(z))
    assert 0 < rough.correlation_time < 0.05


def test_what_cannot_be_is_refused_by_name():
    run = path(1, 100)
    with pytest.raises(dl.UnknownNameError, match="'y'"):
        dl.time_mean(run, of="y")
    with pytest.raises(dl.SettingError, match="two quantities"):
        dl.coherence(run, of="x")
    with pytest.raises(dl.SettingError, match="after t = 99"):
        dl.time_mean(run, of="x", after=99)
    with pytest.raises(dl.SettingError, match="half a record"):
        dl.correlation_function(run, of="x", up_to=80)
    with pytest.raises(dl.SettingError, match="segment"):
        dl.power_spectrum(run, of="x", segment=80)
    cloud = dl.ensemble(
        OU, size=5, duration=1, method=dl.ExactLinear(step=0.1), seed=1, keep=dl.Moments()
    )
    with pytest.raises(dl.SettingError, match="Keep its states"):
        dl.time_mean(cloud, of="x")


def test_they_are_stored_and_drawn(tmp_path):
    run = path(2, 500, focus.with_noise(x=1.0))
    made = [
        dl.time_mean(run, of="x"), dl.correlation_function(run, of=("x", "y")), dl.power_spectrum(run, of="x"),
        dl.coherence(run, of=("x", "y")),
    ]  # fmt: skip
    for k, found in enumerate(made):
        again = dl.load(found.save(tmp_path / f"{k}.npz"))
        assert repr(again) == repr(found)
        ax = found.plot()
        assert ax.get_ylabel()
        assert len(found.to_table()) > 1


def test_the_error_of_a_variance_is_its_scatter():
    """1e5 paths from 1 at t = 1: mean 1/e with error 2.1e-3, variance 0.432332 with 1.9e-3; Gaussian, sqrt(2/n) s^2."""
    run = dl.ensemble(
        decay.with_noise(x=1.0), starts={"x": 1.0}, size=100_000, duration=1, seed=1, keep=dl.Moments(),
        method=dl.ExactLinear(step=1),
    )["x"]  # fmt: skip
    variance = (1 - np.exp(-2)) / 2
    assert float(run.standard_error) == pytest.approx(2.1e-3, abs=5e-5)
    assert float(run.variance_error) == pytest.approx(1.9e-3, abs=5e-5)
    assert float(run.variance_error) == pytest.approx(variance * np.sqrt(2 / 1e5), rel=0.02)
    assert abs(run.mean - np.exp(-1)) < 5 * run.standard_error
    assert abs(run.variance - variance) < 5 * run.variance_error


def test_moments_of_pieces_are_those_of_the_whole():
    """Pieces of any sizes, with members missing, against numpy on all values; skew, so that cubes matter."""
    random = np.random.default_rng(1)
    values = random.exponential(size=(57, 3, 2)) ** 2
    values[random.random(values.shape) < 0.1] = np.nan
    values[:5, 1] = np.nan
    keep = dl.Moments()
    cuts = [0, 1, 5, 6, 30, 57]
    pieces = [keep.piece(values[a:b]) for a, b in itertools.pairwise(cuts)]
    found = keep.view(keep.joined(pieces), 1, (57,), (3,))
    column = values[:, :, 1]
    mean = np.nanmean(column, axis=0)
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(np.nanvar(column, axis=0, ddof=1))
    assert found.fourth == pytest.approx(np.nanmean((column - mean) ** 4, axis=0))


def test_the_error_of_a_variance_of_skew_values_is_its_scatter():
    random, keep = np.random.default_rng(2), dl.Moments()
    views = []
    for _ in range(400):
        piece = keep.piece(random.exponential(size=(500, 1, 1)))
        views.append(keep.view(keep.joined([piece]), 0, (500,), (1,)))
    scatter = np.std([v.variance for v in views])
    # sqrt((mu4 - 1) / n) = sqrt(8 / 500); 400 samples know a scatter to 4 %, the fourth moment is biased low a little.
    assert scatter == pytest.approx(np.sqrt(8 / 500), rel=0.12)
    assert np.mean([v.variance_error for v in views]) == pytest.approx(scatter, rel=0.15)
