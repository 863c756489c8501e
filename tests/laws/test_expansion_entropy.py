"""Expansion entropy against maps whose topological entropy is known."""

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

UNIT = {"x": (0, 1)}


@dl.iterated_map
def open_tent(x=0.3):
    """Threefold growth on the two thirds that stay: E(T) = (2/3)^T 3^T."""
    return {x: 3 * dl.min(x, 1 - x)}


@dl.flow
def saddle(x=0.1, y=0.1):
    """The share exp(-T) stays in a square, and what stays grows by exp(T)."""
    return {x: x, y: -2 * y}


def test_constant_slope_is_exact():
    """Every point grows alike: ln mu for the tent, ln((3 + sqrt 5)/2) for the cat map."""
    tent = dl.expansion_entropy(zoo.tent(mu=1.9), within=UNIT, duration=12, samples=400, seed=1)
    assert tent.value == pytest.approx(np.log(1.9), rel=1e-12)
    cat = dl.expansion_entropy(zoo.arnold_cat, within={}, duration=15, samples=400, seed=1)
    assert cat.value == pytest.approx(np.log((3 + np.sqrt(5)) / 2), rel=1e-10)
    assert (tent.staying == 1).all()


def test_a_chaotic_repeller():
    """Almost all points leave; on those that stay there is chaos, with entropy ln 2 (Hunt and Ott 2015)."""
    found = dl.expansion_entropy(open_tent, within=UNIT, duration=9, samples=20_000, seed=2)
    assert abs(found.value - np.log(2)) < 3 * found.standard_error
    assert found.standard_error < 0.03
    assert found.staying[-1] == pytest.approx((2 / 3) ** 9, rel=0.15)


def test_the_window_of_period_three():
    """The attractor is a cycle, but chaos goes on beside it: the golden mean, as for any map that
    permutes three points so (Block, Guckenheimer, Misiurewicz and Young 1980)."""
    found = dl.expansion_entropy(
        zoo.logistic(r=3.83), within=UNIT, duration=25, samples=10_000, seed=1
    )
    assert abs(found.value - np.log((1 + np.sqrt(5)) / 2)) < 3 * found.standard_error
    assert found.standard_error < 0.05


@pytest.mark.parametrize(("r", "entropy"), [(3.2, 0.0), (4.0, np.log(2))])
def test_logistic_map(r, entropy):
    found = dl.expansion_entropy(
        zoo.logistic(r=r), within=UNIT, duration=14, samples=10_000, seed=1
    )
    assert abs(found.value - entropy) < 3 * found.standard_error
    assert found.standard_error < 0.1


def test_henon():
    """Its topological entropy is 0.465 (Newhouse, Berz, Grote and Makino 2008: above 0.46469)."""
    found = dl.expansion_entropy(
        zoo.henon, within={"x": (-1.6, 1.6), "y": (-0.5, 0.5)}, duration=20, samples=20_000, seed=1
    )
    assert abs(found.value - 0.465) < 3 * found.standard_error
    assert found.standard_error < 0.05


def test_growth_that_only_leads_outwards_is_no_chaos():
    found = dl.expansion_entropy(
        saddle, within={"x": (-1, 1), "y": (-1, 1)}, duration=2.0, samples=400, seed=1
    )
    assert abs(found.value) < 3 * found.standard_error
    share = np.exp(-found.times)
    z = (found.staying - share) / np.sqrt(share * (1 - share) / 400)
    assert np.abs(z).max() < 3.5


def test_the_error_is_what_other_points_change():
    """Over 24 draws; their scatter is known to 15 per cent."""
    found = [
        dl.expansion_entropy(open_tent, within=UNIT, duration=8, samples=3000, seed=seed)
        for seed in range(24)
    ]
    scatter = np.std([each.value for each in found])
    stated = np.mean([each.scaling.statistical_error for each in found])
    assert 0.6 < stated / scatter < 1.7


def test_what_cannot_be_used_is_named():
    with pytest.raises(dl.SettingError, match="no range for y of 'henon'"):
        dl.expansion_entropy(zoo.henon, within={"x": (-1, 1)}, duration=10)
    with pytest.raises(dl.SettingError, match="range of 'x' is empty"):
        dl.expansion_entropy(zoo.logistic, within={"x": (1, 0)}, duration=10)
    with pytest.raises(dl.UnknownNameError, match="Did you mean 'x'"):
        dl.expansion_entropy(zoo.logistic, within={"X": (0, 1)}, duration=10)
    with pytest.raises(dl.UnsupportedSystemError, match="has events"):
        dl.expansion_entropy(zoo.izhikevich, within={"v": (-80, 30), "u": (-20, 20)}, duration=100)
    with pytest.raises(dl.SettingError, match="samples is 10"):
        dl.expansion_entropy(zoo.logistic, within=UNIT, duration=10, samples=10)


def test_where_nothing_stays_there_is_no_number(tmp_path):
    found = dl.expansion_entropy(
        zoo.henon, within={"x": (5, 6), "y": (5, 6)}, duration=10, samples=400, seed=1
    )
    assert found.status is dl.Status.NO_SCALING_RANGE
    assert np.isnan(found.value)
    again = dl.load(found.save(tmp_path / "none.npz"))
    assert repr(again) == repr(found)


def test_result_is_kept_and_drawn(tmp_path):
    found = dl.expansion_entropy(zoo.logistic(r=4), within=UNIT, duration=10, samples=400, seed=1)
    again = dl.load(found.save(tmp_path / "found.npz"))
    assert repr(again) == repr(found)
    assert list(found.to_table()) == ["T", "log_E", "staying"]
    assert found.plot().get_xlabel()
