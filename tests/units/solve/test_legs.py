"""Runs through events: both sides of a jump, order, restarts, and what would never end."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

TIGHT = dl.Explicit8(rtol=1e-12, atol=1e-14)


@dl.flow
def clock(x=0.0, n=0.0, *, period=1.0):
    """x' = 1: everything about it is known."""
    return {x: 1, n: 0}


@clock.with_event(when=lambda x, period: x - period, direction=+1, name="tick")
def ticking(x, n):
    return {x: 0, n: n + 1}


# --- the trajectory ---------------------------------------------------------------------------


def test_both_sides_of_a_jump():
    run = dl.integrate(ticking, duration=3.5)
    ticks = run.events["tick"]
    assert ticks.times == pytest.approx([1, 2, 3], abs=1e-13)
    assert ticks["x"] == pytest.approx(1, abs=1e-13)
    assert np.array_equal(ticks["n"], [0, 1, 2])
    assert np.array_equal(ticks.before.values, ticks.values)
    assert np.array_equal(ticks.after["x"], [0, 0, 0])
    assert np.array_equal(ticks.after["n"], [1, 2, 3])
    twice = np.flatnonzero(np.diff(run.t) == 0)
    assert run.t[twice] == pytest.approx([1, 2, 3])
    assert run["x"][twice] == pytest.approx(1)
    assert np.array_equal(run["x"][twice + 1], [0, 0, 0])
    assert run.final == {"x": pytest.approx(0.5), "n": 3.0}
    assert run.status is dl.Status.OK


def test_states_between_are_right_continuous():
    run = dl.integrate(ticking, duration=3.5)
    first = run.events["tick"].times[0]
    just_before = np.nextafter(first, 0)
    assert run.at([first])["x"] == 0.0
    assert run.at([just_before])["x"] == pytest.approx(1)
    times = np.linspace(0.03, 3.47, 69)
    assert run.at(times)["x"] == pytest.approx(times % 1, abs=1e-12)
    assert run.at(times)["n"] == pytest.approx(np.floor(times))
    later = run.after(1.5)
    assert later.at(times[times > 1.5])["x"] == pytest.approx(times[times > 1.5] % 1, abs=1e-12)
    assert len(later.events["tick"]) == 2
    assert np.array_equal(later.events["tick"].after["n"], [2, 3])


def test_chosen_times_across_legs():
    times = np.linspace(0, 40, 401)
    chosen = dl.integrate(zoo.izhikevich, duration=40, at=times)
    whole = dl.integrate(zoo.izhikevich, duration=40)
    assert len(whole.events["spike"]) == 2
    assert np.array_equal(chosen.t, times)
    assert np.array_equal(chosen.values, whole.at(times).values)
    assert chosen.final == whole.final
    assert np.array_equal(chosen.events["spike"].times, whole.events["spike"].times)


def test_an_event_at_the_very_end_leaves_one_of_its_sides():
    run = dl.integrate(ticking, duration=1.0, at=[1.0])
    assert run.final["x"] + run.final["n"] == pytest.approx(1.0)
    assert len(run.events["tick"]) == run.final["n"]
    assert np.array_equal(run.values[-1], [run.final["x"], run.final["n"]])


def test_a_run_with_events_is_saved(tmp_path):
    run = dl.integrate(ticking, duration=3.5)
    again = dl.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.events["tick"].after.values, run.events["tick"].after.values)
    assert again.system == ticking


def test_no_line_is_drawn_across_a_jump():
    run = dl.integrate(ticking, duration=3.5)
    _, y = run.plot(show=["x"]).lines[0].get_data()
    drawn = np.diff(y)
    assert np.nanmin(drawn) > 0  # it only rises: where it falls the pen is lifted
    assert np.isnan(y).sum() == 3
    assert np.nanmax(y) == pytest.approx(1)
    assert np.isnan(run.portrait(x="x", y="n").lines[0].get_xdata()).sum() == 3


# --- with the crossings of a user -------------------------------------------------------------


def test_crossings_beside_events():
    half = dl.Crossing("half", lambda x: x - 0.5)
    run = dl.integrate(ticking, duration=3.7, record=half)
    assert run.events["half"].times == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=1e-13)
    assert run.events["tick"].times == pytest.approx([1, 2, 3], abs=1e-13)
    assert list(run.events) == ["half", "tick"]


def test_a_crossing_together_with_an_event_is_met_before_the_reset():
    same = dl.Crossing("same", lambda x: 2 * x - 2, +1)
    run = dl.integrate(ticking, duration=3.5, record=same)
    assert run.events["same"].times == pytest.approx([1, 2, 3], abs=1e-13)
    assert run.events["same"]["x"] == pytest.approx(1)
    ended = dl.integrate(ticking, duration=3.5, until=same)
    assert ended.status is dl.Status.EVENT
    assert ended.final["x"] == pytest.approx(1)
    assert len(ended.events["same"]) == 1
    assert len(ended.events["tick"]) == 0


def test_a_run_ends_at_a_crossing_in_a_later_leg():
    run = dl.integrate(ticking, duration=9, until=dl.Crossing("now", lambda x, n: x + n - 2.25))
    assert run.end[0] == pytest.approx(2.25, abs=1e-13)
    assert run.status is dl.Status.EVENT
    assert len(run.events["tick"]) == 2


def test_names_of_crossings_and_events_differ():
    with pytest.raises(dl.DuplicateNameError, match="'tick'"):
        dl.integrate(ticking, duration=1, record=dl.Crossing("tick", lambda x: x))


# --- two crossings inside a step --------------------------------------------------------------


@pytest.mark.parametrize("depth", [1e-2, 1e-5, 1e-9])
def test_a_guard_that_dips_below_zero_between_two_looks_is_seen(depth):
    # One step of 5 is looked at in eight parts; the dip is narrower than a part.
    @dl.flow
    def parabola(y=0.0):
        return {y: 2 * dl.t - 3}

    start = {"y": 2.25 - depth}
    run = dl.integrate(parabola, start=start, duration=5, record=dl.Crossing("zero", lambda y: y),
                       method=dl.Explicit8(first_step=5.0))  # fmt: skip
    assert len(run.t) == 2
    expected = [1.5 - math.sqrt(depth), 1.5 + math.sqrt(depth)]
    # A few units of rounding of y = 2.25, over the slope there.
    few = 8 * math.ulp(2.25) / (2 * math.sqrt(depth))
    assert run.events["zero"].times == pytest.approx(expected, abs=few + 1e-14)


def test_a_guard_that_stays_above_zero_does_not_fire():
    @dl.flow
    def parabola(y=2.25 + 1e-9):
        return {y: 2 * dl.t - 3}

    run = dl.integrate(parabola, duration=5, record=dl.Crossing("zero", lambda y: y),
                       method=dl.Explicit8(first_step=5.0))  # fmt: skip
    assert len(run.events["zero"]) == 0


# --- restarts ---------------------------------------------------------------------------------


def test_a_reset_onto_the_guard_fires_at_the_next_passage_only():
    @dl.flow
    def turning(x=1.0, v=0.0):
        return {x: v, v: -x}

    # The guard is zero after the reset as before; the flow carries it on.
    kicked = turning.with_event(when=lambda x: x, direction=0, name="kick")(lambda v: {v: 0.9 * v})
    run = dl.integrate(kicked, duration=10, method=TIGHT)
    assert run.events["kick"].times == pytest.approx(math.pi * np.array([0.5, 1.5, 2.5]), rel=1e-11)
    # A reset that sends the guard back the way it came.
    wall = turning.with_event(when=lambda x: x, direction=0, name="hit")(lambda v: {v: -v})
    run = dl.integrate(wall, duration=10, method=TIGHT)
    assert run.events["hit"].times == pytest.approx(math.pi * np.array([0.5, 1.5, 2.5]), rel=1e-11)
    assert run["x"].min() > -1e-11


def test_a_reset_beyond_the_guard_must_come_back_first():
    @dl.flow
    def wave(x=0.0, v=1.0):
        return {x: v, v: -x}

    up = wave.with_event(when=lambda x: x - 0.5, direction=+1)(lambda x, v: {x: 0.7, v: v})
    run = dl.integrate(up, duration=4)
    assert len(run.events["event"]) == 1


# --- what would never end ---------------------------------------------------------------------


@pytest.mark.parametrize("e", [0.3, 0.8, 0.97])
def test_bounces_accumulate(e):
    run = dl.integrate(zoo.bouncing_ball(e=e), duration=1000)
    rest = math.sqrt(2 / 9.81) * (1 + e) / (1 - e)
    assert run.status is dl.Status.ACCUMULATION
    assert not run.status.ok
    assert run.end[0] == pytest.approx(rest, rel=2e-9)
    # A geometric series is summed exactly; late intervals are differences of close times.
    assert run.events["bounce"].accumulation == pytest.approx(rest, rel=1e-12)
    assert "accumulation" in run.status.advice


def test_the_accumulation_is_nan_where_there_is_none():
    assert math.isnan(dl.integrate(ticking, duration=5.5).events["tick"].accumulation)
    assert math.isnan(dl.integrate(ticking, duration=1.5).events["tick"].accumulation)


def test_events_that_cause_each_other_for_ever_end_the_run():
    there = ticking.with_event(when=lambda n: n - 0.5, direction=+1)(lambda x, n: {x: 2, n: 0})
    # tick lifts n over its guard, whose reset lifts x over that of tick, at the same instant.
    run = dl.integrate(there, duration=5)
    assert run.status is dl.Status.ACCUMULATION
    assert run.end[0] == pytest.approx(1)


@pytest.mark.parametrize("speed", [1.0, 1e-3])
def test_sliding_is_seen_at_the_first_passage(speed):
    @dl.flow
    def relay(x=1.0, y=0.0, *, s=speed):
        return {x: -s * dl.sign(x), y: 1}

    run = dl.integrate(relay.with_switch(surface=lambda x: x), duration=2000)
    assert run.status is dl.Status.SLIDING
    assert run.end[0] == pytest.approx(1 / speed)
    assert len(run.events["surface"]) == 1
    assert "smooth" in run.status.advice


def test_a_surface_without_a_jump_is_passed():
    run = dl.integrate(zoo.van_der_pol.with_switch(axis=lambda x: x), duration=20)
    plain = dl.integrate(zoo.van_der_pol, duration=20, record=dl.Crossing("axis", lambda x: x))
    assert run.status.ok
    assert run.events["axis"].times == pytest.approx(plain.events["axis"].times, rel=1e-7)


def test_many_legs_count_their_steps_together():
    run = dl.integrate(ticking, duration=1e6, method=dl.Explicit8(max_steps=200))
    assert run.status is dl.Status.TOO_MANY_STEPS
    assert 10 < len(run.events["tick"]) < 200


def test_stopping_keeps_what_was_computed():
    with dl.stop_after(0.0):
        run = dl.integrate(ticking, duration=1e6)
    assert run.status is dl.Status.STOPPED
    assert run.final["x"] + run.final["n"] == pytest.approx(run.end[0])
    assert run.t[-1] == run.end[0]


# --- refused ----------------------------------------------------------------------------------


def test_resets_cannot_be_run_backwards():
    with pytest.raises(dl.UnsupportedSystemError, match=r"'tick'.*positive duration"):
        dl.integrate(ticking, duration=-1)
    run = dl.integrate(clock.with_switch(back=lambda x: x + 0.5), duration=-1)
    assert run.events["back"].times == pytest.approx([-0.5])


def test_a_refractory_time_must_be_a_time():
    slow = clock.with_event(when=lambda x: x - 1, refractory=lambda period: -period)(
        lambda x: {x: 0}
    )
    with pytest.raises(dl.SettingError, match=r"refractory time.*-1"):
        dl.integrate(slow, duration=3)


# --- with other parts of the house --------------------------------------------------------------


def test_members_of_an_ensemble_have_events_as_well():
    drives = np.array([1.2, 2.0, 3.0])
    cell = zoo.leaky_integrate_and_fire(tref=1.0)
    many = dl.ensemble(cell, parameters={"I": drives}, duration=50)
    alone = [dl.integrate(cell(I=drive), duration=50).final["V"] for drive in drives]
    assert np.array_equal(many["V"], alone)


def test_events_keep_up_with_tied_parameters():
    cell = zoo.izhikevich.tie(c="rest", b="a * 10")
    assert cell.events[0].reset[0][1].name == "rest"
    run = dl.integrate(cell(rest=-50.0), duration=100)
    assert run.events["spike"].after["v"] == pytest.approx(-50)


def test_events_are_printed_in_latex_and_refused_where_a_format_has_none():
    assert r"\uparrow 0:\quad v \mapsto c" in dl.to_latex(zoo.izhikevich)
    with pytest.raises(dl.UnsupportedSystemError, match="events"):
        dl.to_toml(zoo.izhikevich)


def test_equal_steps_pass_events():
    @dl.hamiltonian
    def spring(q=1.0, p=0.0):
        return (p**2 + q**2) / 2

    wall = spring.with_event(when=lambda q: q, direction=-1, name="hit")(lambda p: {p: -p})
    run = dl.integrate(wall, duration=10, method=dl.KahanLi8(step=0.1))
    assert run.events["hit"].times == pytest.approx(math.pi * np.array([0.5, 1.5, 2.5]), rel=1e-9)
