"""Finite-time exponents and fields: names, failures, threads, storing, pictures."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.status import Status

PLANE = {"x": (-1.0, 1.0, 5), "y": (0.0, 1.0, 3)}


@dl.flow
def explosion(x=0.5, y=0.0):
    return {x: x**2, y: -y}


@pytest.fixture(autouse=True)
def _no_window():
    plt.switch_backend("Agg")
    yield
    plt.close("all")


def test_a_start_that_blows_up_leaves_the_others():
    field = dl.ftle_field(explosion, vary={"x": [-1.0, 0.5, 2.0]}, duration=1)
    alone = dl.ftle_field(explosion, vary={"x": [-1.0, 0.5]}, duration=1)
    np.testing.assert_array_equal(field.exponents[:2], alone.exponents)
    # x = x0 / (1 - x0 t): the deviation in x grows by 1 / (1 - x0)^2, that in y by 1 / e.
    assert field.exponents[1] == pytest.approx(np.log(4), abs=1e-8)
    assert np.isnan(field.exponents[2])
    assert field["status"][2] == Status.DIVERGED
    assert field["end"][2] == pytest.approx(0.5, rel=1e-6)


def test_the_number_of_threads_changes_nothing():
    def field():
        return dl.ftle_field(
            zoo.lorenz, vary={"x": (-5, 5, 12), "y": (-5, 5, 8)}, duration=1
        ).exponents

    with dl.threads(1):
        alone = field()
    np.testing.assert_array_equal(alone, field())


def test_the_field_is_the_first_exponent_of_each_start():
    field = dl.ftle_field(zoo.lorenz, vary={"x": [1.0, 3.0]}, start={"z": 20.0}, duration=2)
    for x, exponent in zip(field["x"], field.exponents, strict=True):
        one = dl.finite_time_exponents(zoo.lorenz, start={"x": x, "z": 20.0}, duration=2)
        assert exponent == pytest.approx(one.exponents[0], abs=1e-7)
        assert one.stretching[0] == pytest.approx(np.exp(2 * exponent), rel=1e-6)


def test_a_network_has_finite_time_exponents():
    @dl.flow
    def decays(x: dl.PerNode = 1.0, *, rate=0.5):
        i = dl.nodes("i")
        return {x[i]: -rate * x[i]}

    network = decays.on(dl.AllToAll(3))
    np.testing.assert_allclose(
        dl.finite_time_exponents(network, duration=4).exponents, -0.5, atol=1e-8
    )
    with pytest.raises(dl.UnknownNameError, match=r"x\[0\]"):
        dl.ftle_field(network, vary={"x": [1.0]}, duration=1)


def test_one_that_does_not_arrive():
    found = dl.finite_time_exponents(explosion, start={"x": 2.0}, duration=1)
    assert found.status is Status.DIVERGED
    assert np.isnan(found.exponents).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"duration": 0}, "duration is 0"),
        ({"duration": np.nan}, "finite"),
        ({"vary": {"rho": (0, 1, 3)}}, "parameter"),
        ({"vary": {}}, "one or two"),
    ],
)
def test_what_cannot_work_is_refused(change, message):
    with pytest.raises(dl.SettingError, match=message):
        dl.ftle_field(zoo.lorenz, **({"vary": PLANE, "duration": 1} | change))
    if "duration" in change:
        with pytest.raises(dl.SettingError, match=message):
            dl.finite_time_exponents(zoo.lorenz, **change)


def test_maps_run_forwards_by_whole_steps():
    for duration in (-3, 2.5):
        with pytest.raises(dl.SettingError, match="whole number"):
            dl.ftle_field(zoo.henon, vary={"x": [0.0]}, duration=duration)


def test_saved_and_loaded(tmp_path):
    results = (
        dl.ftle_field(explosion, vary=PLANE, duration=0.5),
        dl.finite_time_exponents(zoo.henon, duration=20),
    )
    for result in results:
        again = dl.load(result.save(tmp_path / "result.npz"))
        assert repr(again) == repr(result)
        np.testing.assert_array_equal(again.exponents, result.exponents)


def test_pictures_carry_names():
    for duration in (0.5, -0.5):
        ax = dl.ftle_field(explosion, vary=PLANE, duration=duration).plot()
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    assert dl.finite_time_exponents(zoo.henon, duration=20).plot().get_ylabel()
