"""integrate: trajectories of flows, their crossings, and how runs end."""

import math
import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import store, zoo
from dynlab.result import Provenance
from dynlab.solve.trajectory import Occurrences, Steps, Trajectory

TIGHT = dl.Explicit8(rtol=1e-13, atol=1e-15)
METHODS = [dl.Explicit8, dl.Radau5, dl.Automatic]
WAYS = [TIGHT, *(method() for method in METHODS)]


@dl.flow
def oscillator(x=1.0, v=0.0, *, omega=1.0):
    return {x: v, v: -(omega**2) * x}


@dl.flow
def parabola(y=2.0):
    """y = 2 - 3 t + t^2, which any step meets exactly; zeros at 1 and 2."""
    return {y: 2 * dl.t - 3}


@dl.flow
def lorenz(x=1.0, y=1.0, z=1.0, *, sigma=10.0, rho=28.0, beta=8 / 3):
    return {x: sigma * (y - x), y: x * (rho - z) - y, z: x * y - beta * z}


def scalar(rule):
    @dl.flow
    def problem(y=0.0):
        return {y: rule(y)}

    return problem


# --- the trajectory ---------------------------------------------------------------------------


def test_states_at_steps_and_between():
    run = dl.integrate(oscillator, duration=20, method=TIGHT)
    assert run["x"] == pytest.approx(np.cos(run.t), abs=1e-12)
    times = np.linspace(0, 20, 1234)
    assert run.at(times)["v"] == pytest.approx(-np.sin(times), abs=1e-11)
    assert run.final["x"] == pytest.approx(math.cos(20), abs=1e-12)
    assert run.status is dl.Status.OK


def test_chosen_times():
    times = [0, 0.25, 0.5, 7.75, 20]
    run = dl.integrate(oscillator, duration=20, at=times)
    whole = dl.integrate(oscillator, duration=20)
    assert np.array_equal(run.t, times)
    assert np.array_equal(run.values, whole.at(times).values)
    assert run.final == whole.final
    watched = dl.integrate(
        oscillator, duration=20, at=times, record=dl.Crossing("zero", lambda x: x)
    )
    assert np.array_equal(watched.values, run.values)
    assert len(watched.events["zero"].times) == 6


def test_backwards_is_forwards_reversed():
    run = dl.integrate(oscillator, duration=-20, method=TIGHT)
    assert run.t[-1] == -20
    assert (np.diff(run.t) < 0).all()
    assert run.at([-3.0, -17.5])["x"] == pytest.approx(np.cos([3.0, 17.5]), abs=1e-11)
    chosen = dl.integrate(oscillator, duration=-20, at=[0, -3, -20], method=TIGHT)
    assert chosen["x"] == pytest.approx(np.cos([0, 3, 20]), abs=1e-11)


def test_no_time_gives_one_point():
    run = dl.integrate(oscillator, duration=0)
    assert np.array_equal(run.t, [0.0])
    assert np.array_equal(run.at([0.0]).values, [[1.0, 0.0]])
    assert run.status is dl.Status.OK
    assert np.array_equal(dl.integrate(oscillator, duration=0, at=[0])["x"], [1.0])
    record = dl.Crossing("zero", lambda x: x)
    assert len(dl.integrate(oscillator, duration=0, at=[0], record=record).events["zero"]) == 0


def test_a_run_continues_from_its_end():
    first = dl.integrate(oscillator, duration=7, method=TIGHT)
    second = dl.integrate(oscillator, start=first.final, duration=5, method=TIGHT)
    assert second.final["x"] == pytest.approx(math.cos(12), abs=1e-12)


def test_the_later_part():
    run = dl.integrate(oscillator, duration=20, record=dl.Crossing("zero", lambda x: x))
    later = run.after(7.3)
    assert later.t[0] == 7.3
    assert later["x"][0] == run.at([7.3])["x"][0]
    times = np.linspace(7.3, 20, 99)
    assert np.array_equal(later.at(times).values, run.at(times).values)
    assert np.array_equal(later.events["zero"].times, run.events["zero"].times[2:])
    assert later.after(19).t[0] == 19
    with pytest.raises(dl.SettingError, match="time 3"):
        later.at([3.0])
    kept = dl.integrate(oscillator, duration=20, at=[1, 5, 9]).after(5)
    assert np.array_equal(kept.t, [5, 9])
    back = dl.integrate(oscillator, duration=-20).after(-5)
    assert back.t[0] == -5 > back.t[1]


def test_times_outside_or_not_kept():
    with pytest.raises(dl.SettingError, match="runs from 0 to 20"):
        dl.integrate(oscillator, duration=20).at([1.0, 20.1])
    with pytest.raises(dl.SettingError, match="kept only the times given with at="):
        dl.integrate(oscillator, duration=20, at=[1, 2, 20]).at([1.5])
    assert dl.integrate(oscillator, duration=20, at=[1, 2, 20]).at([2]).t == 2


def test_names():
    system = oscillator.with_observable(energy=lambda x, v: (x**2 + v**2) / 2)
    run = dl.integrate(system, duration=20, method=TIGHT)
    assert run["energy"] == pytest.approx(0.5, abs=1e-12)
    assert list(run.to_table()) == ["t", "x", "v", "energy"]
    assert np.array_equal(run["t"], run.t)
    assert run.at([1.0, 2.0])["energy"].shape == (2,)
    with pytest.raises(dl.UnknownNameError, match="energy"):
        run["energi"]
    with pytest.raises(dl.UnknownNameError, match="Known"):
        run.events["spike"]


def test_parameters_reach_the_run():
    run = dl.integrate(oscillator(omega=2.0), start={"x": 3}, duration=1, method=TIGHT)
    assert run.final["x"] == pytest.approx(3 * math.cos(2), abs=1e-12)


def test_repr_fits_two_lines():
    text = repr(dl.integrate(oscillator, duration=20, record=dl.Crossing("zero", lambda x: x)))
    assert text.count("\n") == 1
    for part in ("oscillator", "x, v", "ok", "6 of zero"):
        assert part in text


def test_saved_and_read(tmp_path):
    run = dl.integrate(oscillator, duration=5, record=dl.Crossing("zero", lambda x: x))
    kinds = (Trajectory, Steps, Occurrences, Provenance, dl.Automatic, dl.System)
    again = store.read(run.save(tmp_path / "run"), {kind.__name__: kind for kind in kinds})
    assert np.array_equal(again.values, run.values)
    assert np.array_equal(again.at([1.5]).values, run.at([1.5]).values)
    assert np.array_equal(again.events["zero"].times, run.events["zero"].times)
    assert again.system == run.system
    assert again.status is run.status


def test_drawing():
    run = dl.integrate(oscillator, duration=20, record=dl.Crossing("zero", lambda x: x))
    ax = run.plot(show=["x"])
    assert len(ax.lines[0].get_xdata()) >= 2000
    ax = run.portrait(x="x", y="v")
    assert len(ax.lines[0].get_xdata()) >= 2000


def test_angles_are_drawn_within_one_turn():
    @dl.flow
    def turning(theta: dl.Angle = 0.0, *, speed=1.0):
        return {theta: speed}

    run = dl.integrate(turning, duration=20)
    assert run["theta"][-1] == pytest.approx(20)
    drawn = run.plot().lines[0].get_ydata()
    assert np.nanmax(np.abs(drawn)) <= math.pi


# --- crossings --------------------------------------------------------------------------------


def test_crossings_of_an_oscillation():
    zero = dl.Crossing("zero", lambda x: x)
    run = dl.integrate(oscillator, duration=50, record=zero, method=TIGHT)
    expected = math.pi * (np.arange(16) + 0.5)
    assert run.events["zero"].times == pytest.approx(expected, rel=1e-12, abs=0)
    assert np.abs(run.events["zero"]["x"]).max() < 1e-13
    assert np.abs(run.events["zero"]["v"]) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(("direction", "first"), [(+1, 1.5), (-1, 0.5)])
def test_direction(direction, first):
    zero = dl.Crossing("zero", lambda x: x, direction)
    run = dl.integrate(oscillator, duration=30, record=zero, method=TIGHT)
    expected = math.pi * np.arange(first, 30 / math.pi, 2)
    assert run.events["zero"].times == pytest.approx(expected, rel=1e-12)


def test_two_crossings_in_one_step():
    zero = dl.Crossing("zero", lambda y: y)
    run = dl.integrate(parabola, duration=5, record=zero, method=dl.Explicit8(first_step=5.0))
    assert len(run.t) == 2
    assert run.events["zero"].times == pytest.approx([1, 2], abs=1e-12)


def test_crossings_of_several_guards_come_in_order_of_time():
    def level(k):
        return dl.Crossing(f"level{k}", lambda y: y - k / 10)

    crossings = [level(5), level(2), level(8)]
    method = dl.Explicit8(first_step=5.0)
    run = dl.integrate(parabola, duration=1, record=crossings, method=method)
    found = [run.events[name].times[0] for name in ("level8", "level5", "level2")]
    assert found == pytest.approx([1.5 - math.sqrt(0.25 + k / 10) for k in (8, 5, 2)], abs=1e-12)
    # The first of them that ends the run is the first in time, not in the list.
    ended = dl.integrate(parabola, duration=1, until=crossings, method=method)
    assert len(ended.events["level8"]) == 1
    assert len(ended.events["level5"]) == 0
    assert ended.end[0] == found[0]


def test_a_start_on_the_guard_does_not_count():
    zero = dl.Crossing("zero", lambda v: v)
    run = dl.integrate(oscillator, duration=10, record=zero, method=TIGHT)
    assert run.events["zero"].times == pytest.approx(math.pi * np.arange(1, 4), rel=1e-12)


def test_terminal_crossing():
    zero = dl.Crossing("zero", lambda x: x, +1)
    peak = dl.Crossing("peak", lambda v: v)
    run = dl.integrate(oscillator, duration=50, until=zero, record=peak, method=TIGHT)
    assert run.status is dl.Status.EVENT
    assert run.status.ok
    assert run.end[0] == run.t[-1] == run.events["zero"].times[0]
    assert run.t[-1] == pytest.approx(1.5 * math.pi, rel=1e-12)
    assert run.events["peak"].times == pytest.approx([math.pi], rel=1e-12)
    assert run.at([4.7])["x"] == pytest.approx(math.cos(4.7), abs=1e-11)
    # What follows does not meet the same crossing again.
    rest = dl.integrate(oscillator, start=run.final, duration=50, until=zero, method=TIGHT)
    assert rest.t[-1] == pytest.approx(2 * math.pi, rel=1e-12)


def test_terminal_crossing_cuts_the_chosen_times():
    zero = dl.Crossing("zero", lambda x: x)
    run = dl.integrate(oscillator, duration=50, at=[0, 1, 1.5, 2, 50], until=zero)
    assert np.array_equal(run.t, [0, 1, 1.5])
    assert run["x"] == pytest.approx(np.cos(run.t), abs=1e-8)


def test_backward_crossings():
    zero = dl.Crossing("zero", lambda x: x)
    run = dl.integrate(oscillator, duration=-10, record=zero, method=TIGHT)
    assert run.events["zero"].times == pytest.approx(
        -math.pi * np.array([0.5, 1.5, 2.5]), rel=1e-12
    )


def test_crossing_of_time_parameter_and_observable():
    system = oscillator.with_observable(energy=lambda x, v: (x**2 + v**2) / 2)
    crossings = [
        dl.Crossing("clock", lambda t: t - 3),
        dl.Crossing("fast", lambda v, omega: v - omega / 2),
        dl.Crossing("never", lambda energy: energy - 1),
    ]
    run = dl.integrate(system, duration=6.5, record=crossings, method=TIGHT)
    assert run.events["clock"].times == pytest.approx([3], rel=1e-13)
    expected = [7 * math.pi / 6, 11 * math.pi / 6]
    assert run.events["fast"].times == pytest.approx(expected, rel=1e-12)
    assert len(run.events["never"]) == 0


def test_many_crossings_span_several_chunks():
    zero = dl.Crossing("zero", lambda x: x)
    run = dl.integrate(oscillator, duration=10_000, record=zero, at=[10_000])
    times = run.events["zero"].times
    assert len(times) == round(10_000 / math.pi)
    assert np.diff(times) == pytest.approx(math.pi, rel=1e-7)


# --- how runs end (numbers 25 to 30 of the list of bad inputs) -----------------------------------


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ({"x": math.nan}, r"start\['x'\] is nan"),
        ({"v": math.inf}, r"start\['v'\] is inf"),
        ([1.0], "length 1.* 2 states"),
        ({"x": 1 + 2j}, "complex"),
        ({"y": 1.0}, "Known: x, v"),
    ],
)
def test_starts_that_cannot_be(start, message):
    with pytest.raises(dl.DefinitionError, match=message):
        dl.integrate(oscillator, start=start, duration=1)


def test_integers_and_objects_become_floats():
    start = np.array([2, 0], dtype=object)
    run = dl.integrate(oscillator, start=start, duration=1)
    assert run.values.dtype == float
    assert run["x"][0] == 2.0


@pytest.mark.parametrize("duration", [math.nan, math.inf, -math.inf, "long", 1j])
def test_durations_that_cannot_be(duration):
    with pytest.raises(dl.SettingError, match="duration"):
        dl.integrate(oscillator, duration=duration)


@pytest.mark.parametrize("at", [[1, 11], [-1], [3, 2], [math.nan], [[1, 2], [3, 4]]])
def test_times_that_cannot_be(at):
    with pytest.raises(dl.SettingError, match="at"):
        dl.integrate(oscillator, duration=10, at=at)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "settings",
    [{"rtol": 0, "atol": 0}, {"rtol": -1e-6}, {"atol": -1}, {"rtol": math.nan}, {"atol": [1, 2]},
     {"max_steps": 0}, {"first_step": -1.0}],
)  # fmt: skip
def test_settings_that_cannot_be(settings, method):
    with pytest.raises(dl.SettingError):
        method(**settings)


@pytest.mark.parametrize("method", METHODS)
def test_too_small_a_tolerance_is_raised(method):
    with pytest.warns(dl.AccuracyWarning, match="2.22e-14"):
        assert method(rtol=1e-20).rtol == 100 * 2.0**-52
    with pytest.warns(dl.AccuracyWarning):
        assert method(rtol=0, atol=1e-30).rtol == 100 * 2.0**-52
    assert method(rtol=0, atol=1e-9).rtol == 0


def test_crossings_that_cannot_be():
    with pytest.raises(dl.SettingError, match="not a function"):
        dl.Crossing("spike", "v > 0")
    with pytest.raises(dl.SettingError, match="direction"):
        dl.Crossing("spike", lambda v: v, direction=2)
    with pytest.raises(dl.SettingError, match=r"dl\.Crossing"):
        dl.integrate(oscillator, duration=1, record=[lambda x: x])
    twice = [dl.Crossing("a", lambda x: x), dl.Crossing("a", lambda v: v)]
    with pytest.raises(dl.DuplicateNameError, match="'a'"):
        dl.integrate(oscillator, duration=1, record=twice)
    with pytest.raises(dl.UnknownNameError, match="Known"):
        dl.integrate(oscillator, duration=1, record=dl.Crossing("a", lambda w: w))


def test_a_map_is_sent_to_iterate():
    @dl.iterated_map
    def logistic(x=0.25, *, r=4.0):
        return {x: r * x * (1 - x)}

    with pytest.raises(dl.UnsupportedSystemError, match=r"dl\.iterate"):
        dl.integrate(logistic, duration=10)


BLOW_UPS = {
    "square": (lambda y: y**2, 1.0, 2.0, 1.0),
    "square, slow scale": (lambda y: y**2, 1e-6, 2e6, 1e6),
    "square, fast scale": (lambda y: y**2, 1e10, 2.0, 1e-10),
    "square, backwards": (lambda y: -(y**2), 1.0, -2.0, -1.0),
    "tangent": (lambda y: 1 + y**2, 0.0, 3.0, math.pi / 2),
    "power 11": (lambda y: y**11, 1.0, 1.0, 0.1),
    "exponential": (lambda y: dl.exp(y), 0.0, 2.0, 1.0),
    "gaussian": (lambda y: dl.exp(y**2), 0.0, 2.0, math.sqrt(math.pi) / 2),
    "power 1.1": (lambda y: y**1.1, 1.0, 20.0, 10.0),
}


@pytest.mark.parametrize("name", BLOW_UPS)
@pytest.mark.parametrize("method", WAYS)
def test_blow_up(name, method):
    rule, start, duration, expected = BLOW_UPS[name]
    run = dl.integrate(scalar(rule), start={"y": start}, duration=duration, method=method)
    assert run.status is dl.Status.DIVERGED
    assert run.end[0] == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(run.values).all()
    # Order 5 takes twice the steps of order 8 to a state of 1e90.
    assert len(run.t) < (5000 if isinstance(method, dl.Explicit8) else 10_000)


@pytest.mark.parametrize("method", WAYS)
def test_growth_beyond_the_largest_number(method):
    run = dl.integrate(scalar(lambda y: y), start={"y": 1.0}, duration=1000, method=method)
    assert run.status is dl.Status.DIVERGED
    assert 700 < run.end[0] < 710


ENDS = {
    "root of the start": (lambda y: dl.sqrt(y), -1.0, 2.0, 0.0),
    "pole, backwards": (lambda y: 1 / y, 1.0, -2.0, -0.5),
    "pole": (lambda y: -1 / y, 1.0, 2.0, 0.5),
    "pole from below": (lambda y: 1 / (1 - y), 0.0, 2.0, 0.5),
    "double pole": (lambda y: -1 / y**2, 1.0, 2.0, 1 / 3),
    "root": (lambda y: -1 - dl.sqrt(y), 1.0, 2.0, 2 * (1 - math.log(2))),
    "inverse root": (lambda y: 1 / dl.sqrt(1 - y), 0.0, 2.0, 2 / 3),
    "logarithm": (lambda y: dl.log(y), 0.5, 2.0, 0.378671043061087976727),
    "boundary at the start": (lambda y: -1 + dl.sqrt(y - 0.001), 0.001, 2.0, 0.0),
    "boundary at zero": (lambda y: -1 + dl.sqrt(y), 0.0, 2.0, 0.0),
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("method", WAYS)
def test_end_of_the_domain(name, method):
    rule, start, duration, expected = ENDS[name]
    run = dl.integrate(scalar(rule), start={"y": start}, duration=duration, method=method)
    assert run.status is dl.Status.LEFT_DOMAIN
    assert run.end[0] == pytest.approx(expected, abs=1e-6)
    assert np.isfinite(run.values).all()
    assert len(run.t) < 1000


@pytest.mark.parametrize("method", WAYS)
def test_blow_up_among_quiet_states(method):
    @dl.flow
    def mixed(x=1.0, y=1.0, z=0.0):
        return {x: y, y: -x, z: 1 + z**2}

    run = dl.integrate(mixed, duration=10, method=method)
    assert run.status is dl.Status.DIVERGED
    assert run.end[0] == pytest.approx(math.pi / 2, rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_too_many_steps(method):
    run = dl.integrate(lorenz, duration=1000, method=method(max_steps=50))
    assert run.status is dl.Status.TOO_MANY_STEPS
    assert 25 < len(run.t) <= 51


@pytest.mark.parametrize("method", [TIGHT, dl.Radau5(rtol=1e-13, atol=1e-15)])
def test_a_jump_that_no_step_can_meet(method):
    system = scalar(lambda y: 1 + 1e6 * dl.heaviside(y - 1))
    run = dl.integrate(system, duration=2, method=method)
    assert run.status is dl.Status.STEP_TOO_SMALL
    assert run.end[0] == pytest.approx(1, abs=1e-14)


def test_stopping_keeps_what_was_computed():
    with dl.stop_after(0):
        run = dl.integrate(lorenz, duration=1e6)
    assert run.status is dl.Status.STOPPED
    assert len(run.t) > 1
    assert run.end[0] == run.t[-1] < 1e6
    assert run.values[-1] == pytest.approx(list(run.final.values()), rel=0)


@pytest.mark.parametrize("at", [None, [1e8]])
def test_interrupt(at):
    method = dl.Explicit8(max_steps=10**9)
    dl.integrate(lorenz, duration=1, at=at and [0.5], method=method)  # nothing is left to load
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    began = time.perf_counter()
    timer.start()
    with dl.stop_after(5):  # were the interrupt not heard, the steps kept would fill the memory
        run = dl.integrate(lorenz, duration=1e8, at=at, method=method)
    assert time.perf_counter() - began < 1.3
    assert run.status is dl.Status.STOPPED
    assert run.end[0] > 100
    if at is None:
        # No step is lost: each begins where the last ended.
        ends = run.steps.starts + run.steps.sizes
        assert np.array_equal(ends[:-1], run.steps.starts[1:])
        assert ends[-1] == run.end[0]


def stiff(mu=1000.0):
    @dl.flow
    def van_der_pol(x=2.0, y=0.0):
        return {x: y, y: mu * (1 - x**2) * y - x}

    return van_der_pol


def test_method_of_the_steps_is_told():
    run = dl.integrate(stiff(), duration=2000)
    counts = run.provenance.settings["steps"]
    assert sum(counts.values()) == len(run.t) - 1
    implicit = run.steps.degrees == 4
    assert implicit.sum() == counts["implicit"]
    assert set(run.steps.degrees) <= {4, 7}
    assert f"{counts['explicit']} explicit and {counts['implicit']} implicit steps" in repr(run)
    # The creeping is stiff and the jumps, at 807 and 1614, are not.
    changes = np.diff(implicit.astype(int))
    assert (changes == 1).sum() == 3
    assert run.t[1:-1][changes == -1] == pytest.approx([807, 1614], abs=5)
    assert implicit[np.argmax(run.steps.sizes)]


def test_every_way_of_keeping_gives_the_same_run():
    system, zero = stiff(), dl.Crossing("zero", lambda x: x)
    times = np.linspace(0, 2000, 41)
    whole = dl.integrate(system, duration=2000)
    kept = dl.integrate(system, duration=2000, at=times)
    watched = dl.integrate(system, duration=2000, record=zero)
    both = dl.integrate(system, duration=2000, at=times, record=zero)
    assert kept.final == watched.final == both.final == whole.final
    assert np.array_equal(kept.values, whole.at(times).values)
    assert np.array_equal(both.values, kept.values)
    assert len(watched.events["zero"]) == 2
    assert watched.events["zero"]["x"] == pytest.approx([0, 0], abs=1e-9)
    # Period of the relaxation oscillation: Hairer and Wanner II, section IV.10, 0.807 mu each half.
    assert np.diff(watched.events["zero"].times)[0] == pytest.approx(807, abs=1)


@given(
    st.floats(0.0, 0.6), st.floats(0.8, 2.0), st.sampled_from([1e-6, 1e-9, 1e-12]),
)  # fmt: skip
@settings(max_examples=25)
def test_an_orbit_that_came_to_rest_stays_there(I, b, rtol):
    """What is measured of stiffness there is rounding: once it made the step vanish."""
    model = zoo.fitzhugh_nagumo(I=I, b=b)
    for rest in dl.find_equilibria(model):
        if rest.is_stable:
            start = dict(zip(model.state_names, rest.state, strict=True))
            run = dl.integrate(model, start=start, duration=5000, method=dl.Automatic(rtol=rtol))
            assert run.status is dl.Status.OK
            assert abs(run["v"][-1] - rest["v"]) < 10 * rtol


def test_an_orbit_next_to_rest_runs_to_its_end():
    model = zoo.fitzhugh_nagumo(I=0.3750000000000001, b=1.6031250000000001)
    start = {
        "v": float.fromhex("-0x1.1dcc35b370014p+0"),
        "w": float.fromhex("-0x1.16bff313dae28p-2"),
    }
    assert dl.integrate(model, start=start, duration=2500).status is dl.Status.OK


def test_stiff_runs_backwards():
    run = dl.integrate(
        scalar(lambda y: 1e6 * (y - dl.cos(dl.t)) - dl.sin(dl.t)), start={"y": 1}, duration=-20
    )
    assert run.status is dl.Status.OK
    assert len(run.t) < 2000
    assert run["y"] == pytest.approx(np.cos(run.t), abs=1e-7)


def test_stiff_start_of_a_run_that_continues():
    first = dl.integrate(stiff(), duration=700)
    second = dl.integrate(stiff(), start=first.final, duration=1300)
    whole = dl.integrate(stiff(), duration=2000)
    assert second.final["x"] == pytest.approx(whole.final["x"], rel=1e-8)


def test_interrupt_while_sparse_algebra_is_asked(monkeypatch):
    """Ctrl-C that arrives inside the answer to the compiled loop stops the run, with what there is."""
    import scipy.sparse

    from dynlab.solve import integrate
    from dynlab.solve.linear_algebra import Sparse

    asked = []

    def jacobian(t, x):
        asked.append(t)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return scipy.sparse.csc_matrix([[0, 1], [-2000 * x[0] * x[1] - 1, 1000 * (1 - x[0] ** 2)]])

    monkeypatch.setattr(integrate, "linear_algebra_of", lambda *_: Sparse(jacobian))
    run = dl.integrate(stiff(), duration=2000, method=dl.Radau5())
    assert run.status is dl.Status.STOPPED
    assert len(run.t) > 1
    assert run.end[0] < 2000


@pytest.mark.parametrize("place", ["path of 400", "complete graph of 120"])
def test_large_networks_choose_their_linear_algebra(place):
    """Agreement on a graph, x' = -L x: the exact end from the eigenvectors of the Laplacian."""
    import networkx as nx

    graph = nx.path_graph(400) if place.startswith("path") else nx.complete_graph(120)
    system = dl.zoo.consensus.on(graph)(A=1e6)
    start = np.cos(np.arange(len(graph)) * 0.05)
    rates, modes = np.linalg.eigh(1e6 * nx.laplacian_matrix(graph).toarray().astype(float))
    exact = modes @ (np.exp(-rates * 0.1) * (modes.T @ start))
    run = dl.integrate(system, start=start, duration=0.1, method=dl.Automatic(rtol=1e-7, atol=1e-9))
    assert run.provenance.settings["steps"]["implicit"] > 5
    # Stability alone would want 0.1 * 4e6 / 6 steps on the path, and more on the complete graph.
    assert len(run.t) < 6000
    assert np.max(np.abs(run.end[1:] - exact)) < 1e-6
    # The sum is conserved: each step rounds every state once.
    assert run.values.sum(axis=1) == pytest.approx(start.sum(), abs=len(run.t) * len(graph) * 1e-15)


def test_an_error_in_sparse_algebra_is_raised(monkeypatch):
    from dynlab.solve import integrate
    from dynlab.solve.linear_algebra import Sparse

    def jacobian(t, x):
        raise LookupError("no pattern")

    monkeypatch.setattr(integrate, "linear_algebra_of", lambda *_: Sparse(jacobian))
    with pytest.raises(LookupError, match="no pattern"):
        dl.integrate(stiff(), duration=2000)


def test_progress_is_reported():
    seen = []
    with dl.observe(lambda done, total, note: seen.append((done, total, note))):
        dl.integrate(lorenz, duration=100)
    assert seen[-1] == (100, 100, "integrate")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.parametrize("level", [-1.9, -1.0, 0.0, 0.7, 1.9, 2.1])
@pytest.mark.parametrize("kept", [{}, {"at": []}])
def test_steps_far_from_a_guard_hide_no_crossing(level, kept):
    # An affine guard is not looked at where it stays far from zero; the same guard times a positive
    # function is not affine and is looked at in every part of every step.
    affine = dl.Crossing("affine", lambda x: x - level)
    other = dl.Crossing("other", lambda x: (x - level) * (1 + x**2))
    run = dl.integrate(zoo.van_der_pol(mu=5), duration=60, record=[affine, other], **kept)
    alone = dl.integrate(zoo.van_der_pol(mu=5), duration=60, record=affine, **kept)
    assert len(run.events["other"]) == (0 if level > 2.05 else len(alone.events["affine"]))
    assert (len(alone.events["affine"]) > 0) == (level < 2.05)  # the amplitude is 2.02
    assert alone.events["affine"].times == pytest.approx(run.events["other"].times, abs=1e-9)
