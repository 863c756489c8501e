"""Spike trains: what is counted and how regular it is."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.result import Provenance
from dynlab.solve.spikes import SpikeTrain

CELL = zoo.leaky_integrate_and_fire(I=2.0, tref=2.0)


def made(times, end=100.0):
    origin = Provenance("spike_train", CELL)
    return SpikeTrain("spike", np.array(times), 0.0, end, "ms", dl.Status.OK, origin)


def test_rate_of_a_regular_cell_in_both_units():
    spikes = dl.spike_train(dl.integrate(CELL, duration=500), after=20)
    assert spikes.times[0] > 20
    assert spikes.rate == pytest.approx(1 / (2 + 10 * math.log(2)), rel=1e-9)
    assert spikes.rate_in_hertz == pytest.approx(111.9636295, rel=1e-9)
    assert spikes.cv < 1e-9
    assert spikes.local_variation < 1e-18
    assert spikes.rate_error < 1e-9
    assert (spikes.begin, spikes.end, spikes.unit) == (20, 500, "ms")


def test_measures_of_a_poisson_process():
    gaps = np.random.default_rng(4).exponential(2.0, 20_000)
    spikes = made(np.cumsum(gaps), end=float(gaps.sum()))
    # Three standard errors: 1 / sqrt(n) for the rate; CV and LV have variances near 1/n and 1/n.
    assert spikes.rate == pytest.approx(0.5, abs=3 * spikes.rate_error)
    assert spikes.rate_error == pytest.approx(0.5 / math.sqrt(20_000), rel=0.03)
    assert spikes.cv == pytest.approx(1, abs=0.03)
    assert spikes.local_variation == pytest.approx(1, abs=0.03)


def test_measures_of_alternating_intervals():
    # Intervals 1, 3, 1, 3, ...: mean 2, standard deviation 1; (1 - 3) / (1 + 3) squared is 1/4.
    spikes = made(np.cumsum([1.0, 3.0] * 50))
    assert spikes.cv == pytest.approx(0.5, rel=0.02)
    assert spikes.local_variation == pytest.approx(0.75)


def test_few_spikes():
    assert made([]).rate == 0
    assert made([3.0]).rate == 0.01
    assert made([3.0, 7.0]).rate == 0.25
    for times in ([], [3.0], [3.0, 7.0]):
        assert math.isnan(made(times).cv)
        assert math.isnan(made(times).local_variation)
        assert made(times).rate_error == 0.01
        assert len(made(times).to_table()["interval"]) == len(times)


def test_a_crossing_counts_as_well():
    spike = dl.Crossing("up", lambda V: V, direction=+1)
    run = dl.integrate(zoo.hodgkin_huxley(I=10, EL=-54.387), duration=300, record=spike)
    spikes = dl.spike_train(run, after=200)
    assert spikes.rate_in_hertz == pytest.approx(1000 / 14.63621, rel=1e-6)


def test_what_is_asked_for_must_be_there():
    run = dl.integrate(CELL, duration=100, record=dl.Crossing("half", lambda V: V - 0.5))
    with pytest.raises(dl.SettingError, match=r"2 events and crossings \(half, spike\)"):
        dl.spike_train(run)
    with pytest.raises(dl.UnknownNameError, match="spike"):
        dl.spike_train(run, event="spikes")
    with pytest.raises(dl.SettingError, match="from 0 to 100"):
        dl.spike_train(run, event="spike", after=100)
    silent = dl.integrate(zoo.quadratic_integrate_and_fire, duration=10)
    with pytest.raises(dl.UnitError, match="time="):
        dl.spike_train(silent).rate_in_hertz
    assert len(dl.spike_train(run, event="spike")) == 11


def test_repr_and_table_and_file(tmp_path):
    spikes = dl.spike_train(dl.integrate(CELL, duration=100))
    assert "per ms = 111.96" in repr(spikes)
    assert repr(spikes).count("\n") == 1
    assert list(spikes.to_table()) == ["t", "interval"]
    again = dl.load(spikes.save(tmp_path / "spikes"))
    assert np.array_equal(again.times, spikes.times)
    assert again.rate == spikes.rate


def test_raster():
    spikes = dl.spike_train(dl.integrate(CELL, duration=100))
    ax = spikes.plot()
    assert ax.get_xlim() == (0, 100)
    rows = {f"{I:g}": np.arange(I) for I in (3, 5, 7)}
    ax = dl.draw_raster(None, rows, time_label="t (ms)")
    assert [len(c.get_segments()) for c in ax.collections] == [3, 5, 7]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["3", "5", "7"]
    low, high = ax.get_ylim()
    assert low > high  # the first train on top
