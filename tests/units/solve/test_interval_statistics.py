"""Statistics of intervals between spikes with their errors: renewal processes, serial correlations, counts."""

import numpy as np
import pytest

import dynlab as dl
from dynlab.result import Provenance
from dynlab.solve.spikes import SpikeTrain

SEEDS = 300


@dl.flow
def leaky(v=0.0, a=0.0, *, mu=1.5):
    return {v: mu - v - a, a: -a / 3}


@leaky.with_event(name="spike", when=lambda v: v - 1, direction=+1)
def adapting(v, a, *, kick=0.0):
    return {v: 0, a: a + kick}


def train(intervals):
    times = np.cumsum(intervals)
    where = Provenance("spike_train", leaky, {})
    return SpikeTrain("spike", times, 0.0, float(times[-1]), "", dl.Status.OK, where)


def test_errors_of_cv_and_fano_factor_are_the_scatter_over_seeds():
    """Gamma renewal processes of shape 4: CV 1/2, Fano factor of long windows 1/4, no serial correlation."""
    random = np.random.default_rng(1)
    found = [train(random.gamma(4, 1 / 4, size=600)) for _ in range(SEEDS)]
    # A window of 20 intervals has the Fano factor 1/4 + (1 - 1/16) / 6 / 20 (Cox 1962, section 4.5).
    for answers, exact, bias in (
        ([(t.cv, t.cv_error) for t in found], 0.5, 0.004),
        ([t.fano_factor(20.0) for t in found], 0.25 + (1 - 1 / 16) / 120, 0.01),
        ([t.serial_correlation() for t in found], 0.0, 0.005),
    ):
        values, errors = zip(*answers, strict=True)
        assert np.mean(values) == pytest.approx(
            exact, abs=bias + 4 * np.std(values) / np.sqrt(SEEDS)
        )
        assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)


def test_errors_count_the_memory_of_intervals():
    """Intervals 1 + AR(1) / 5 of coefficient 0.8: serial correlations 0.8^k; the CV's error is 2.1 times the naive one."""
    random, found = np.random.default_rng(2), []
    for _ in range(SEEDS):
        z = np.zeros(2000)
        for k in range(1, 2000):
            z[k] = 0.8 * z[k - 1] + 0.6 * random.standard_normal()
        found.append(train(1 + z / 5))
    values, errors = ([getattr(t, name) for t in found] for name in ("cv", "cv_error"))
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.2)
    assert np.mean(errors) > 1.8 * np.mean(values) / np.sqrt(2 * 2000)
    third = [t.serial_correlation(3) for t in found]
    assert np.mean([v for v, _ in third]) == pytest.approx(0.512, abs=0.01)
    assert np.mean([e for _, e in third]) == pytest.approx(np.std([v for v, _ in third]), rel=0.2)


def test_adaptation_correlates_neighbouring_intervals_negatively_and_a_reset_of_everything_does_not():
    settings = {"duration": 6000, "at": [6000], "method": dl.SRA1(step=0.02), "seed": 2}
    plain = dl.spike_train(dl.simulate(adapting.with_noise(v=0.3), **settings))
    adapted = dl.spike_train(dl.simulate(adapting(kick=0.3).with_noise(v=0.3), **settings))
    value, error = plain.serial_correlation()
    assert abs(value) < 4 * error < 0.1
    value, error = adapted.serial_correlation()
    assert value < -5 * error


def test_a_clock_has_no_errors_and_short_trains_no_statistics():
    clock = train(np.ones(50))
    assert clock.cv == clock.cv_error == 0
    assert clock.fano_factor(2.5)[0] < 0.2
    with pytest.raises(dl.SettingError, match="must differ"):
        clock.serial_correlation()
    assert np.isnan(train(np.ones(5)).cv_error)
    for lag in (0, 1.5, 60):
        with pytest.raises(dl.SettingError, match="lag"):
            train(np.arange(1.0, 50.0)).serial_correlation(lag)
    with pytest.raises(dl.SettingError, match="window"):
        clock.fano_factor(20)
