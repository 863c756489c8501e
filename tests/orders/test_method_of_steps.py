"""The method of steps: order 8 past breaking points, exact where the solution is a polynomial of its degree."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab.solve import lagging


@dl.flow
def fading(x=1.0, *, tau=1.0):
    return {x: -dl.delayed(x, tau)}


def series(t):
    """x' = -x(t - 1) after x = 1: a polynomial between whole times, of one degree more in each."""
    return math.fsum(
        (-1) ** k * (t - (k - 1)) ** k / math.factorial(k) for k in range(math.floor(t) + 2)
    )


def test_polynomials_up_to_the_degree_of_a_step_are_exact():
    run = dl.integrate(fading, duration=7, method=dl.Explicit8(rtol=1e-3, atol=1e-3))
    times = np.linspace(0, 7, 141)
    # The series loses a digit to cancellation; each of some 20 steps rounds once or twice.
    assert np.abs(run.at(times)["x"] - [series(t) for t in times]).max() < 1e-14


def test_beyond_it_the_tolerance_holds():
    run = dl.integrate(fading, duration=20)
    times = np.linspace(7, 20, 131)
    assert np.abs(run.at(times)["x"] - [series(t) for t in times]).max() < 3e-9


@dl.flow
def wave(x=0.0, y=1.0, *, w=4.0, tau=0.8, more=1.3):
    """What sin and cos of w t obey, now and by what they were at two times."""
    on = dl.delayed(y, tau) * dl.cos(w * tau) - dl.delayed(x, tau) * dl.sin(w * tau)
    off = dl.delayed(y, more) * dl.cos(w * more) - dl.delayed(x, more) * dl.sin(w * more)
    return {x: w * y + 0.1 * (on + off - 2 * y), y: -w * x}


def test_the_order_is_8_also_where_the_past_is_read_inside_its_steps(monkeypatch):
    """Steps of the shortest delay, by a tolerance that allows any; the other delay is a third of a step more.

    The history goes on smoothly, so that there are no breaking points to step onto.
    """
    monkeypatch.setattr(lagging, "LEVELS", 0)
    counts, errors = np.array([20, 24, 32, 40]), []
    for count in counts:
        size = 6 / count
        run = dl.integrate(
            wave(tau=size, more=4 / 3 * size),
            duration=6,
            history={"x": lambda t: np.sin(4 * t), "y": lambda t: np.cos(4 * t)},
            method=dl.Explicit8(rtol=10.0, atol=10.0, first_step=size),
        )
        assert len(run.t) == count + 1
        exact = np.column_stack([np.sin(4 * run.t), np.cos(4 * run.t)])
        errors.append(np.abs(run.values - exact).max())
    slopes = np.diff(np.log(errors)) / -np.diff(np.log(counts))
    assert slopes == pytest.approx(8, abs=0.2)


def test_breaking_points_are_the_sums_of_delays():
    points = lagging.breaking_points(np.zeros(1), [1.0, 2.5], 0.0, 6.0)
    sums = {a + 2.5 * b for a in range(10) for b in range(10) if 0 < a + b <= 9}
    assert points.tolist() == sorted(s for s in sums if 0 < s < 6)
    points = lagging.breaking_points(np.zeros(1), [0.1], 0.0, 5.0)
    assert len(points) == 9  # beyond, the solution is as smooth as the method can tell


def test_a_jump_of_the_drive_comes_back_after_the_delay():
    """x' = H(t - 1) - x(t - 1) + 1 with x = 1 before: 1 until 1, then 1 + (t - 1), then minus its delayed ramp."""

    @dl.flow
    def pushed(x=1.0):
        return {x: 1 - dl.delayed(x, 1) + dl.step(1)}

    run = dl.integrate(pushed, duration=3, method=dl.Explicit8(rtol=1e-2, atol=1e-2))
    t = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0])
    exact = [1, 1, 1.5, 2, 2.5 - 0.125, 3 - 0.5]
    assert run.at(t)["x"] == pytest.approx(exact, abs=1e-14)
    assert {1.0, 2.0} <= set(np.round(run.t, 13))


def test_a_start_off_its_history_jumps_a_delay_later():
    """x' = x(t - 1) with x = 0 before and x(0) = 1: still until 1, then a slope of 1."""

    @dl.flow
    def rising(x=0.0):
        return {x: dl.delayed(x, 1)}

    run = dl.integrate(rising, start={"x": 1.0}, history={"x": lambda t: 0.0}, duration=3)
    assert run.at([0.5, 1, 1.5, 2, 3])["x"] == pytest.approx([1, 1, 1.5, 2, 3.5], abs=1e-14)
