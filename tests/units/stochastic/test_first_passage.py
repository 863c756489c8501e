"""First-passage times: exact means, Fokker-Planck, survival with its band, what is censored, refusals.

Statistical errors are tested at four standard errors, with fixed seeds.
"""

import numpy as np
import pytest
from scipy import integrate, stats

import dynlab as dl
from dynlab.stochastic.records.survival import restricted_mean, survival_of

FOUR = 4


@dl.flow
def decay(x=0.0):
    return {x: -x}


@dl.flow
def double_well(x=-1.0):
    return {x: x - x**3}


@dl.flow
def drifting(x=0.0):
    return {x: 1 + 0 * x}


OU = decay.with_noise(x=1.0)
RAMP = drifting.with_noise(x=1.0)
EXACT = dl.ExactLinear(step=0.05)


def noisy_well(D):
    return double_well.with_noise(x=float(np.sqrt(2 * D)))


def test_the_exit_of_an_ornstein_uhlenbeck_process():
    """Theta = 1, D = 0.5 out of [-1, 1] from 0: 1.44524561338835 (mpmath); either side is as likely."""
    found = dl.first_passage_times(
        OU, beyond={"x": (-1, 1)}, duration=100, method=EXACT, size=40_000, seed=1
    )
    assert found.status is dl.Status.OK
    assert abs(found.mean - 1.44524561338835) < FOUR * found.standard_error
    share, error = found.share("x = 1")
    assert abs(share - 0.5) < FOUR * error
    assert found.rate == pytest.approx(1 / found.mean)
    assert found.rate_error == pytest.approx(found.standard_error / found.mean**2, rel=1e-3)


@pytest.mark.parametrize(
    ("border", "exact"), [(0, 2.5217042149276), (1, 6.6977579071112)], ids=["barrier", "other well"]
)
def test_a_double_well_is_left_as_the_backward_equation_says(border, exact):
    """D = 0.5 from -1, by quadrature (Gardiner, eq 5.2.157); SRA1's own weak error is of order h^2."""
    system = noisy_well(0.5)
    found = dl.first_passage_times(
        system, beyond={"x": border}, duration=200, method=dl.SRA1(step=0.05), size=15_000, seed=3
    )
    solved = dl.escape_time(system, start={"x": -1}, beyond={"x": border})
    assert solved.value == pytest.approx(exact, abs=1e-6)
    assert abs(found.mean - exact) < FOUR * found.standard_error


def test_which_border_comes_first_is_the_committor():
    found = dl.first_passage_times(
        noisy_well(0.2), start={"x": 0.1}, beyond={"x": (-0.5, 0.7)}, duration=100, size=15_000,
        method=dl.SRA1(step=0.02), seed=5,
    )  # fmt: skip
    exact = dl.committor(noisy_well(0.2), source={"x": -0.5}, target={"x": 0.7}).at(x=0.1)
    share, error = found.share("x = 0.7")
    assert abs(share - exact) < FOUR * error
    assert set(found.to_table()["border"]) == {"x = -0.5", "x = 0.7"}


def test_borders_of_observables():
    """Two Wiener processes leave the disc of radius 1 after (1 - 0) / 2 on average; the guard is quadratic."""

    @dl.flow
    def plane(x=0.0, y=0.0):
        return {x: 0 * x, y: 0 * y}

    disc = plane.with_noise(x=1.0, y=1.0).with_observable(
        r=lambda x, y: dl.sqrt(x**2 + y**2 + 1e-30)
    )
    found = dl.first_passage_times(
        disc, start={"x": 0.1}, beyond={"r": 1}, duration=50, size=20_000, seed=1,
        method=dl.EulerMaruyama(step=0.002),
    )  # fmt: skip
    # The border is taken straight within a step: an error of the order of the step.
    assert abs(found.mean - (1 - 0.01) / 2) < FOUR * found.standard_error + 0.002
    assert np.hypot(found["x"], found["y"]) == pytest.approx(1, abs=1e-3)


def test_events_happen_on_the_way():
    """A Wiener process with drift 1 that is put back to 0 when it falls to -0.2, first beyond 1.

    Mean from 0 with absorbing ends a = -0.2, b = 1 by theory of the line, and as many tries as it takes:
    T = m / q, m the mean time to either end and q the probability of the upper one first.
    """

    @drifting.with_event(name="bottom", when=lambda x: x + 0.2, direction=-1)
    def put_back(x):
        return {x: 0}

    found = dl.first_passage_times(
        put_back.with_noise(x=1.0), beyond={"x": 1}, duration=100, size=20_000, seed=1,
        method=dl.EulerMaruyama(step=0.02),
    )  # fmt: skip
    e = np.exp
    q = (1 - e(2 * -0.2 * -1)) / (e(-2) - e(0.4))
    m = q * 1 + (1 - q) * -0.2  # E[x at the end] = drift times mean time
    assert abs(found.mean - m / q) < FOUR * found.standard_error + 2e-3


def test_a_mean_of_paths_that_did_not_all_pass_is_refused_and_bounded():
    """Inverse Gaussian times of mean 1, cut off at 1: survival, the mean of the cut times, and the rate."""
    found = dl.first_passage_times(
        RAMP, beyond={"x": 1}, duration=1, method=EXACT, size=20_000, seed=1
    )
    exact = stats.invgauss(mu=1)
    assert found.status is dl.Status.CENSORED
    assert 0 < found.censored < len(found)
    assert "censored" in repr(found)
    with pytest.raises(dl.NotConverged, match=r"at least 0\.\d+.*restricted_mean") as caught:
        _ = found.mean
    assert caught.value.partial is found
    with pytest.raises(dl.NotConverged):
        _ = found.standard_error
    cut = integrate.quad(exact.sf, 0, 1)[0]
    assert abs(found.restricted_mean - cut) < FOUR * found.restricted_error
    assert abs(found.rate - exact.cdf(1) / cut) < FOUR * found.rate_error
    assert np.isnan(found.survival.at(1.5))
    assert abs(found.survival.at(0.5) - exact.sf(0.5)) < FOUR * np.sqrt(0.25 / len(found))


def test_the_band_of_survival_covers_and_the_errors_are_the_scatter():
    """Over 300 samples of 50: exact binomial bands cover at least 95 %; errors match the scatter to its accuracy."""
    random, covered, means, errors = np.random.default_rng(1), 0, [], []
    for _ in range(300):
        times = random.exponential(size=50)
        passed = times < 2
        cut = np.minimum(times, 2.0)
        found = survival_of(cut, passed)
        place = np.searchsorted(found.t, 0.7, side="right") - 1
        covered += found.low[place] <= np.exp(-0.7) <= found.high[place]
        mean, error = restricted_mean(cut, passed, 2.0)
        assert mean == pytest.approx(cut.mean())
        assert error == pytest.approx(cut.std() / np.sqrt(50))
        means.append(mean)
        errors.append(error)
    assert covered >= 300 * 0.95 - 3 * np.sqrt(300 * 0.05 * 0.95)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=FOUR / np.sqrt(600))


def test_survival_of_paths_watched_for_different_times_is_unbiased():
    """Half of the sample is watched up to 0.5 alone: shares beyond still estimate exp(-t), with wider bands."""
    random = np.random.default_rng(2)
    times, limits = random.exponential(size=40_000), np.tile([0.5, 3.0], 20_000)
    found = survival_of(np.minimum(times, limits), times < limits)
    for t in (0.3, 1.0, 2.5):
        place = np.searchsorted(found.t, t, side="right") - 1
        width = (found.high[place] - found.low[place]) / 3.92
        assert abs(found.share[place] - np.exp(-t)) < FOUR * width
    scipy_says = stats.ecdf(
        stats.CensoredData.right_censored(np.minimum(times, limits), times >= limits)
    ).sf
    assert found.at([0.3, 1.0, 2.5]) == pytest.approx(
        scipy_says.evaluate(np.array([0.3, 1.0, 2.5]))
    )


def test_the_same_bits_for_any_number_of_threads_and_from_a_stored_generator():
    settings = {"beyond": {"x": 1}, "duration": 10, "method": EXACT, "size": 500}
    found = []
    for count in (1, 2):
        with dl.threads(count):
            found.append(dl.first_passage_times(RAMP, seed=3, **settings))
    assert (found[0].times == found[1].times).all()
    assert found[0].provenance.seed == 3
    first, second = (
        dl.first_passage_times(RAMP, seed=np.random.default_rng(4), **settings) for _ in range(2)
    )
    assert (first.times == second.times).all()
    assert "PCG64" in first.provenance.settings["generator"]
    with pytest.raises(dl.SettingError, match="seed"):
        dl.first_passage_times(RAMP, seed=-1, **settings)


def test_a_run_is_stopped_at_once_with_what_it_has():
    with dl.stop_after(0.3):
        found = dl.first_passage_times(
            OU, beyond={"x": 50}, duration=1e5, method=EXACT, size=2000, seed=1
        )
    assert found.status is dl.Status.STOPPED
    assert found.provenance.seconds < 1.3
    assert 0 < len(found) < 2000
    with pytest.raises(dl.NotConverged):
        _ = found.mean


def test_what_cannot_be_is_refused_by_name():
    settings = {"duration": 10, "method": EXACT, "size": 5}
    with pytest.raises(dl.SettingError, match="'x' starts at 0, on the border 0"):
        dl.first_passage_times(OU, beyond={"x": 0}, **settings)
    with pytest.raises(dl.SettingError, match="not between 1 and 2"):
        dl.first_passage_times(OU, beyond={"x": (1, 2)}, **settings)
    with pytest.raises(dl.UnknownNameError, match="'y'"):
        dl.first_passage_times(OU, beyond={"y": 1}, **settings)
    with pytest.raises(dl.SettingError, match="beyond is empty"):
        dl.first_passage_times(OU, beyond={}, **settings)
    with pytest.raises(dl.SettingError, match="size"):
        dl.first_passage_times(OU, beyond={"x": 1}, **{**settings, "size": 0})
    with pytest.raises(dl.UnsupportedSystemError):
        dl.first_passage_times(decay, beyond={"x": 1}, **settings)
    with pytest.raises(dl.UnsupportedSystemError, match="network"):
        dl.first_passage_times(
            dl.zoo.kuramoto.with_noise(theta=1.0).on(dl.AllToAll(3)),
            beyond={"theta": 1},
            **settings,
        )


def test_it_is_stored_and_drawn(tmp_path):
    found = dl.first_passage_times(RAMP, beyond={"x": 1}, duration=1, method=EXACT, size=50, seed=1)
    again = dl.load(found.save(tmp_path / "passages.npz"))
    assert (again.times == found.times).all()
    assert repr(again) == repr(found)
    ax = found.plot()
    assert ax.get_yscale() == "log"
