"""Laws of hybrid systems: exact solutions, the order of events, derivatives across them, jumps in time."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.solve.breaks import break_times

TIGHT = dl.Explicit8(rtol=1e-13, atol=1e-15)


# --- exact solutions --------------------------------------------------------------------------


@given(
    ratio=st.floats(1.02, 20), tau=st.floats(0.1, 50), reset=st.floats(-3, 0.5),
    tref=st.just(0.0) | st.floats(0.01, 5),
)  # fmt: skip
def test_spike_times_of_the_leaky_cell(ratio, tau, reset, tref):
    """From V = 0, then from the reset; the error of V is magnified by 1 / V' at threshold."""
    cell = zoo.leaky_integrate_and_fire(I=ratio, tau=tau, Vr=reset, tref=tref)
    first = tau * math.log(ratio / (ratio - 1))
    period = tref + tau * math.log((ratio - reset) / (ratio - 1))
    method = dl.Explicit8(rtol=1e-12, atol=1e-14)
    times = dl.integrate(cell, duration=first + 6.5 * period, method=method).events["spike"].times
    expected = first + period * np.arange(7)
    assert times == pytest.approx(expected, rel=1e-10 / min(1, ratio - 1))


def test_an_oscillator_with_impacts_is_a_product_of_matrices():
    """x'' = -x - 0.2 x' with impacts at x = 0: rotation by half a turn, then v -> -e v."""

    @dl.flow
    def damped(x=0.0, v=1.0, *, c=0.2):
        return {x: v, v: -x - c * v}

    @damped.with_event(when=lambda x: x, direction=-1, name="impact")
    def impacting(x, v, *, e=0.7):
        return {v: -e * v}

    run = dl.integrate(impacting, duration=40, method=TIGHT)
    omega = math.sqrt(1 - 0.1**2)
    count = len(run.events["impact"])
    assert count == 12
    assert run.events["impact"].times == pytest.approx(
        np.arange(1, count + 1) * math.pi / omega, rel=1e-12
    )
    factor = 0.7 * math.exp(-0.1 * math.pi / omega)
    assert run.events["impact"].after["v"] == pytest.approx(
        factor ** np.arange(1, count + 1), rel=1e-11
    )


def test_a_relay_switches_when_it_should_at_any_tolerance():
    """x'' = -sign(x) is made of parabolas; only the switching could be wrong."""

    @dl.flow
    def bang_bang(x=1.0, v=0.0):
        return {x: v, v: -dl.sign(x)}

    exact = bang_bang.with_switch(middle=lambda x: x)
    expected = math.sqrt(2) * (1 + 2 * np.arange(21))
    for rtol in (1e-4, 1e-9):
        run = dl.integrate(exact, duration=60, method=dl.Explicit8(rtol=rtol))
        assert run.events["middle"].times == pytest.approx(expected, rel=1e-13)
    # Without the switch every passage costs the tolerance.
    plain = dl.integrate(bang_bang, duration=60, record=dl.Crossing("middle", lambda x: x))
    assert np.abs(plain.events["middle"].times - expected).max() > 1e-9


def test_a_surface_that_is_met_to_the_last_bit_is_passed():
    """Rounding makes this guard exactly 0 within 1e-10 of the surface, so that every passage ends there."""

    def guard(x):
        return dl.sqrt(1e6 + x) - 1e3

    @dl.flow
    def relay(x=0.5, v=0.0):
        return {x: v, v: -dl.sign(guard(x))}

    run = dl.integrate(relay.with_switch(middle=guard), duration=60)
    assert run.status is dl.Status.OK
    found = run.events["middle"]
    assert (np.sqrt(1e6 + found.values[:, 0]) == 1e3).any()
    np.testing.assert_allclose(found.times, 1 + 2 * np.arange(30), atol=1e-8)


def test_stick_slip_repeats_after_its_period():
    (fact,) = [f for f in zoo.facts("stick_slip") if f.what == "period"]
    run = dl.integrate(zoo.stick_slip, duration=60, method=TIGHT)
    for name in ("stick", "slip"):
        assert np.diff(run.events[name].times)[1:] == pytest.approx(fact.period, rel=1e-12)
    riding = run.at(run.events["stick"].times + 1e-3)
    assert riding["v"] == pytest.approx(zoo.stick_slip["u"], rel=1e-15)


# --- order ------------------------------------------------------------------------------------


@dl.flow
def two(x=0.0, y=0.0):
    return {x: 1, y: 1}


def test_events_at_one_instant_happen_in_the_order_they_are_declared():
    doubled = two.with_event(when=lambda x: x - 1, direction=+1, name="double")(
        lambda y: {y: 2 * y}
    )
    both = doubled.with_event(when=lambda y: y - 1, direction=+1, name="lift")(lambda x: {x: x + 3})
    run = dl.integrate(both, duration=1.5)
    assert run.events["double"].times == run.events["lift"].times == pytest.approx(1)
    assert run.events["lift"]["y"] == pytest.approx(2)  # it sees what the first has left
    lifted = two.with_event(when=lambda y: y - 1, direction=+1, name="lift")(lambda x: {x: x + 3})
    both = lifted.with_event(when=lambda x: x - 1, direction=+1, name="double")(
        lambda y: {y: 2 * y}
    )
    run = dl.integrate(both, duration=1.5)
    assert run.events["double"]["x"] == pytest.approx(4)
    assert run.events["lift"]["y"] == pytest.approx(1)


def test_a_reset_can_call_off_an_event_of_the_same_instant():
    first = two.with_event(when=lambda x: x - 1, direction=+1, name="first")(
        lambda x, y: {x: 0, y: 0}
    )
    both = first.with_event(when=lambda y: y - 1, direction=+1, name="second")(lambda y: {y: 0})
    run = dl.integrate(both, duration=3.5)
    assert len(run.events["first"]) == 3
    assert len(run.events["second"]) == 0


@pytest.mark.parametrize(("push", "together"), [(0.1, False), (0.3, True)])
def test_a_push_over_the_threshold_fires_at_once(push, together):
    """Absorption of Mirollo and Strogatz 1990, SIAM J. Appl. Math. 50, 1645: a cascade."""
    one = two.with_event(when=lambda x: x - 1, direction=+1, name="one")(
        lambda x, y: {x: 0, y: y + push}
    )
    both = one.with_event(when=lambda y: y - 1, direction=+1, name="other")(
        lambda x, y: {y: 0, x: dl.where(x > 0, x + push, 0)}
    )
    run = dl.integrate(both, start={"x": 0.8, "y": 0.0 + 0.55}, duration=0.3)
    assert run.events["one"].times == pytest.approx([0.2])
    assert len(run.events["other"]) == int(together)
    if together:
        assert run.events["other"].times == run.events["one"].times
        assert run.events["other"]["y"] == pytest.approx(1.05)
        assert run.final == {"x": pytest.approx(0.1), "y": pytest.approx(0.1)}


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_events_apart_in_time_does_not_matter(order):
    thresholds = {"a": 0.31, "b": 0.52, "c": 0.73}
    guards = {"a": lambda x: x - 0.31, "b": lambda x: x - 0.52, "c": lambda x: x - 0.73}
    system = two
    for name in order:
        fires = system.with_event(when=guards[name], direction=+1, name=name)
        system = fires(lambda y: {y: 0.9 * y})
    run = dl.integrate(system, duration=1)
    for name, threshold in thresholds.items():
        assert run.events[name].times == pytest.approx(threshold, rel=1e-12)
    first, second, third = 0.31, 0.21, 0.21
    expected = (((first * 0.9) + second) * 0.9 + third) * 0.9 + 0.27
    assert run.final["y"] == pytest.approx(expected, rel=1e-12)


# --- refractory times -------------------------------------------------------------------------


def test_held_states_stand_still_and_the_others_go_on():
    @dl.flow
    def adapting(V=0.0, w=0.0):
        return {V: 2, w: -w}

    @adapting.with_event(
        when=lambda V: V - 1, direction=+1, refractory=lambda pause: pause, held=["V"], name="spike"
    )
    def cell(V, w, *, pause=0.25):
        return {V: 0, w: w + 1}

    run = dl.integrate(cell, duration=3, method=TIGHT)
    assert run.events["spike"].times == pytest.approx([0.5, 1.25, 2.0, 2.75], rel=1e-13)
    w = 0.0
    for k, gap in enumerate([0.5, 0.75, 0.75, 0.75]):
        w *= math.exp(-gap)
        assert run.events["spike"]["w"][k] == pytest.approx(w, rel=1e-12)
        w += 1
    spike = run.events["spike"].times[0]
    assert np.array_equal(run.at([spike, 0.6, 0.74])["V"], [0, 0, 0])
    assert run.at([1.0])["V"] == pytest.approx(0.5)


def test_a_guard_is_deaf_during_its_refractory_time():
    @dl.flow
    def wave(x=0.0, v=1.0):
        return {x: v, v: -x}

    @wave.with_event(when=lambda x: x, direction=0, refractory=lambda: 4.0, held=[], name="zero")
    def sleepy(x):
        return {}

    # Zeros stand pi apart: from the first at pi, the next within 4 is not heard.
    run = dl.integrate(sleepy, duration=20, method=TIGHT)
    assert run.events["zero"].times == pytest.approx(math.pi * np.array([1, 3, 5]), rel=1e-12)


# --- derivatives ------------------------------------------------------------------------------


def flow_map(system, start, duration):
    run = dl.integrate(system, start=start, duration=duration, at=[duration], method=TIGHT)
    return run.values[-1]


def test_the_saltation_matrix_of_a_ball_is_the_derivative_of_its_closed_form():
    """From above to the next height: x(T), v(T) in closed form through one bounce."""
    g, e, T = 1.5, 0.8, 2.0

    def exact(x, v):
        hit = (v + mpmath.sqrt(v * v + 2 * g * x)) / g
        up = -e * (v - g * hit)
        rest = T - hit
        return [up * rest - g * rest**2 / 2, up - g * rest]

    x, v = 1.2, 0.3
    expected = [
        [float(mpmath.diff(lambda a, b, k=k: exact(a, b)[k], (x, v), order)) for order in ((1, 0), (0, 1))]
        for k in range(2)
    ]  # fmt: skip
    hit = (v + math.sqrt(v * v + 2 * g * x)) / g
    before = {"x": 0.0, "v": v - g * hit}
    jump = dl.saltation_matrix(zoo.bouncing_ball(g=g, e=e), event="bounce", at=before)
    free = [np.array([[1, time], [0, 1]]) for time in (hit, T - hit)]
    assert free[1] @ jump @ free[0] == pytest.approx(np.array(expected), rel=1e-12)
    assert flow_map(zoo.bouncing_ball(g=g, e=e), {"x": x, "v": v}, T) == pytest.approx(
        [float(value) for value in exact(x, v)], rel=1e-12
    )


def test_the_saltation_matrix_of_a_cell_with_a_parameter():
    """The leaky cell from V over one spike to V(T), and its derivative by the threshold."""
    tau, drive, T = 10.0, 1.5, 14.0

    def exact(V, theta):
        spike = tau * mpmath.log((drive - V) / (drive - theta))
        return drive - drive * mpmath.exp(-(T - spike) / tau)

    expected = [float(mpmath.diff(exact, (0.2, 1.0), order)) for order in ((1, 0), (0, 1))]
    cell = zoo.leaky_integrate_and_fire(I=drive, tau=tau)
    bare = cell.with_event(when=lambda V: V - 99)(lambda V: {})  # a second event changes nothing
    plain = dl.flow(time="ms")(leaky).with_event(
        when=lambda V, theta: V - theta, direction=+1, name="spike"
    )(lambda V, *, theta=1.0: {V: 0})
    with pytest.raises(dl.UnsupportedSystemError, match="refractory"):
        dl.saltation_matrix(bare, event="spike", at={"V": 1.0})
    jump = dl.saltation_matrix(plain, event="spike", at={"V": 1.0}, active=("theta",))
    spike = tau * math.log((drive - 0.2) / (drive - 1))
    before, after = (np.diag([math.exp(-time / tau), 1]) for time in (spike, T - spike))
    assert (after @ jump @ before)[0] == pytest.approx(expected, rel=1e-12)


def leaky(V=0.0, *, I=1.5, tau=10.0):
    return {V: (I - V) / tau}


def test_the_saltation_matrix_of_a_switch_and_of_a_guard_that_moves():
    """x' = 1 below the moving surface x = 1 + 0.5 t, x' = 3 above: x(T) by the start is in closed form."""

    @dl.flow
    def faster(x=0.5):
        return {x: dl.where(x - 1 - 0.25 * dl.t > 0, 3, 1)}

    system = faster.with_switch(surface=lambda x, t: x - 1 - 0.25 * t)
    # It meets the surface at s = (1 - x0) / 0.75; x(T) = x0 + s + 3 (T - s).
    matrix = dl.saltation_matrix(system, event="surface", at={"x": 1 + 1 / 6}, t=2 / 3)
    assert matrix == pytest.approx(np.array([[1 + 2 / 0.75]]), rel=1e-12)
    run = dl.integrate(system, duration=3, method=TIGHT)
    assert run.final["x"] == pytest.approx(0.5 + 2 / 3 + 3 * (3 - 2 / 3), rel=1e-13)
    with pytest.raises(dl.UnknownNameError, match="surface"):
        dl.saltation_matrix(system, event="surfaces", at={"x": 1.0})


def test_a_grazed_guard_has_no_saltation_matrix():
    with pytest.raises(dl.SingularProblem, match="grazed"):
        dl.saltation_matrix(zoo.bouncing_ball, event="bounce", at={"x": 0.0, "v": 0.0})


@pytest.mark.parametrize("name", ["izhikevich", "stick_slip", "adaptive_exponential"])
def test_kernels_of_events_are_the_mathematics(name):
    system = zoo.get(name)
    kernels, x = kernels_of(system), np.array(system.start_values) + 0.3
    p = inputs_of(system).parameters
    active = system.parameter_names[-1:]
    h = 1e-6
    guards = kernels.guard([event.guard for event in system.events])
    gradient = kernels.guard_gradient(active)(0.0, x, p).reshape(len(system.events), -1)
    nudges = [*np.eye(len(x)) * h]
    for k, nudge in enumerate(nudges):
        difference = (guards(0.0, x + nudge, p) - guards(0.0, x - nudge, p)) / (2 * h)
        assert gradient[:, k] == pytest.approx(difference, abs=1e-7)
    for event in system.event_names:
        reset = kernels.reset(event)
        jacobian = kernels.reset_jacobian(event, active)(0.0, x, p).reshape(len(x), -1)
        for k, nudge in enumerate(nudges):
            difference = (reset(0.0, x + nudge, p) - reset(0.0, x - nudge, p)) / (2 * h)
            assert jacobian[:, k] == pytest.approx(difference, abs=1e-7)
        q = p.copy()
        q[len(system.parameters) - 1] += h
        difference = (reset(0.0, x, q) - reset(0.0, x, p)) / h
        assert jacobian[:, len(x)] == pytest.approx(difference, abs=1e-5)


# --- jumps in time ----------------------------------------------------------------------------


def detest_f2(k):
    """Return the rate constants of DETEST F2: 1.5 while floor(t) is even, 0.5 while it is odd."""
    return [
        lambda: dl.where(dl.mod(dl.t, 2) < 1, 1.5, 0.5),
        lambda: dl.where(dl.mod(dl.floor(dl.t), 2) < 0.5, 1.5, 0.5),
        lambda: 1 + 0.5 * (1 - 2 * dl.mod(dl.floor(dl.t), 2)),
        lambda: 1 + dl.sign(0.5 - dl.mod(dl.floor(dl.t), 2)) / 2,
    ][k]()


@pytest.mark.parametrize("form", range(4))
def test_jumps_in_time_are_met_exactly(form):
    """DETEST F2 (Hull et al. 1972): y' = 55 - k y; exact by pieces, printed 70.03731057008606."""

    @dl.flow
    def problem(y=110.0):
        return {y: 55 - detest_f2(form) * y}

    assert break_times(problem, 0, 20) == pytest.approx(np.arange(21), abs=1e-14)
    run = dl.integrate(problem, duration=20, method=TIGHT)
    assert run.final["y"] == pytest.approx(exact_f2(), rel=1e-13)
    sampled = dl.integrate(problem, duration=20, at=[0, 7, 7.5, 20], method=TIGHT)
    assert np.array_equal(sampled.values, run.at([0, 7, 7.5, 20]).values)
    back = dl.integrate(problem, start=run.final, duration=-1, method=TIGHT)
    assert back.status.ok


def exact_f2():
    with mpmath.workdps(30):
        y = mpmath.mpf(110)
        for k in range(20):
            rate = mpmath.mpf(3 if k % 2 == 0 else 1) / 2
            y = 55 / rate + (y - 55 / rate) * mpmath.exp(-rate)
        return float(y)


@given(begin=st.floats(0.1, 50), length=st.floats(0.1, 20), height=st.floats(-5, 5))
def test_the_integral_of_a_pulse(begin, length, height):
    @dl.flow
    def filled(y=0.0, *, on=begin, off=begin + length, I=height):
        return {y: dl.where((dl.t >= on) & (dl.t < off), I, 0)}

    run = dl.integrate(filled, duration=100, at=[100])
    assert run.final["y"] == pytest.approx(height * length, rel=1e-12, abs=1e-12)


def test_break_times_of_what_can_be_solved():
    @dl.flow
    def mixed(x=1.0, *, T=3.0):
        return {x: dl.where(dl.mod(dl.t - 1, T) < 0.5, 1, 0) + dl.abs(dl.t - 2.25)
                + dl.max(dl.t, 8) + dl.where(x > dl.t, 1, 0) + dl.heaviside(x)}  # fmt: skip

    assert break_times(mixed, 0, 10) == pytest.approx([1, 1.5, 2.25, 4, 4.5, 7, 7.5, 8, 10])
    assert break_times(mixed, 10, 0) == pytest.approx([10, 8, 7.5, 7, 4.5, 4, 2.25, 1.5, 1])
    assert break_times(mixed(T=40.0), 0, 10) == pytest.approx([1, 1.5, 2.25, 8])
    assert break_times(zoo.lorenz, 0, 1e9).size == 0
