"""iterate: orbits of maps."""

import math

import numpy as np
import pytest

import dynlab as dl


@dl.iterated_map
def logistic(x=0.25, *, r=4.0):
    return {x: r * x * (1 - x)}


@dl.iterated_map
def rotation(x=1.0, y=0.0, *, angle=0.1):
    return {x: dl.cos(angle) * x - dl.sin(angle) * y, y: dl.sin(angle) * x + dl.cos(angle) * y}


@dl.iterated_map
def counter(x=0.0):
    return {x: x + dl.t}


def test_orbit_is_the_rule_again_and_again():
    run = dl.iterate(logistic(r=3.7), start={"x": 0.3}, duration=50)
    x = run["x"]
    # Products may be joined with sums in one rounding; near x = 1/2 chaos doubles that per step.
    assert x[1:] == pytest.approx(3.7 * x[:-1] * (1 - x[:-1]), rel=1e-14)
    assert np.array_equal(run.t, np.arange(51))
    assert run.status is dl.Status.OK
    assert run.final == {"x": x[-1]}


def test_rotation_turns_by_the_angle():
    run = dl.iterate(rotation, duration=5000)
    assert run["x"] == pytest.approx(np.cos(0.1 * run.t), abs=5000 * 3e-16)


def test_time_is_counted():
    assert np.array_equal(dl.iterate(counter, duration=5)["x"], [0, 0, 1, 3, 6, 10])


@pytest.mark.parametrize("duration", [7, 3001])
def test_chosen_times_are_those_of_the_whole_orbit(duration):
    times = [0, 1, 5, duration]
    whole = dl.iterate(logistic, start={"x": 0.3}, duration=duration)
    some = dl.iterate(logistic, start={"x": 0.3}, duration=duration, at=times)
    assert np.array_equal(some["x"], whole["x"][times])
    assert np.array_equal(whole.at(times).values, some.values)
    assert some.final == whole.final


def test_no_steps_give_one_point():
    run = dl.iterate(logistic, duration=0)
    assert np.array_equal(run["x"], [0.25])
    assert run.status.ok


def test_escape_is_divergence():
    run = dl.iterate(logistic(r=5.0), start={"x": 1.5}, duration=100)
    assert run.status is dl.Status.DIVERGED
    assert np.isfinite(run["x"]).all()
    assert run.end[0] == run.t[-1] < 20


def test_end_of_the_domain():
    @dl.iterated_map
    def logarithm(x=3.0):
        return {x: dl.log(x)}

    @dl.iterated_map
    def reciprocal(x=1.0):
        return {x: 1 / (x - 1)}

    run = dl.iterate(logarithm, duration=100)
    assert run.status is dl.Status.LEFT_DOMAIN
    assert run["x"] == pytest.approx([3, math.log(3), math.log(math.log(3)), run.final["x"]])
    assert dl.iterate(reciprocal, duration=100).status is dl.Status.LEFT_DOMAIN


@pytest.mark.parametrize("duration", [-1, 2.5, math.nan, math.inf])
def test_durations_that_cannot_be(duration):
    with pytest.raises(dl.SettingError, match="duration is"):
        dl.iterate(logistic, duration=duration)


@pytest.mark.parametrize("at", [[0.5], [3, 1], [-1], [11], [math.nan]])
def test_times_that_cannot_be(at):
    with pytest.raises(dl.SettingError, match="at "):
        dl.iterate(logistic, duration=10, at=at)


def test_a_flow_is_sent_to_integrate():
    @dl.flow
    def decay(x=1.0):
        return {x: -x}

    with pytest.raises(dl.UnsupportedSystemError, match=r"dl\.integrate"):
        dl.iterate(decay, duration=10)


def test_between_steps_there_is_nothing():
    with pytest.raises(dl.SettingError, match="whole steps"):
        dl.iterate(logistic, duration=10).at([2.5])


def test_stopping_keeps_what_was_computed():
    with dl.stop_after(0):
        run = dl.iterate(logistic, start={"x": 0.3}, duration=10**9)
    assert run.status is dl.Status.STOPPED
    assert len(run.t) == run.end[0] + 1 > 100


def test_drawing_a_map_draws_points():
    run = dl.iterate(logistic, start={"x": 0.3}, duration=100)
    ax = run.portrait(x="t", y="x")
    assert len(ax.lines[0].get_xdata()) == 101
    assert ax.lines[0].get_linestyle() == "None"


def test_leap_to_infinity_is_divergence():
    @dl.iterated_map
    def exponential(x=1.0):
        return {x: dl.exp(x)}

    assert dl.iterate(exponential, duration=10).status is dl.Status.DIVERGED


def test_an_orbit_that_would_fill_the_memory_is_refused():
    with pytest.raises(dl.SettingError, match="Keep some of them with at="):
        dl.iterate(logistic, duration=10**12)
