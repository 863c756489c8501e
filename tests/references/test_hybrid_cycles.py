"""Cycles of systems with events: closed forms, and multipliers against the return map."""

import numpy as np
import pytest

import dynlab as dl

STRICT = dl.Explicit8(rtol=1e-13, atol=1e-15)


def others(cycle):
    """Return the multipliers without the trivial one."""
    return np.delete(cycle.eigenvalues, np.argmin(np.abs(cycle.eigenvalues - 1)))


@pytest.mark.parametrize("tref", [0.0, 2.0])
def test_integrate_and_fire(tref):
    cycle = dl.find_cycle(dl.zoo.leaky_integrate_and_fire(I=1.2, tref=tref))
    # tref + tau ln((I - Vr) / (I - theta)); one state has the trivial multiplier alone.
    assert cycle.period == pytest.approx(tref + 10 * np.log(1.2 / 0.2), rel=1e-12)
    assert cycle.eigenvalues == pytest.approx([1.0], abs=1e-12)
    assert cycle.extremes("V") == pytest.approx((0.0, 1.0), abs=1e-11)


def test_both_sides_of_a_jump_are_in_the_profile():
    cycle = dl.find_cycle(dl.zoo.leaky_integrate_and_fire(tref=2.0))
    (jump,) = np.flatnonzero(np.diff(cycle.mesh) == 0)
    t, V, row = cycle.t, cycle["V"], jump * cycle.degree
    assert np.ptp(t[row : row + cycle.degree + 1]) == 0.0
    assert V[row : row + cycle.degree] == pytest.approx(1.0, abs=1e-12)
    assert V[row + cycle.degree] == pytest.approx(0.0, abs=1e-12)
    assert V[-1] == pytest.approx(V[0], abs=1e-12)
    assert cycle.at(t[row], "V") == pytest.approx(0.0, abs=1e-9)
    after = t[row] + np.array([1.0, 2.0, 7.0])
    expected = np.where(after - t[row] < 2, 0.0, 1.2 * (1 - np.exp(-(after - t[row] - 2) / 10)))
    assert cycle.at(after, "V") == pytest.approx(expected, abs=1e-9)


@dl.flow
def adapting(V=0.0, w=0.5, *, I=2.0, tw=3.0):
    return {V: I - w, w: -w / tw}


@adapting.with_event(
    when=lambda V: V - 1, direction=+1, name="spike", refractory=lambda tref: tref, held=["V"]
)
def adapting_cell(V, w, *, b=0.4, tref=0.7):
    return {V: 0, w: w + b}


@pytest.mark.parametrize("tref", [0.0, 0.7])
@pytest.mark.parametrize("segments", [1, 4])
def test_a_cell_with_adaptation_and_a_refractory_time(tref, segments):
    # After a spike w decays from w0, first with V held; V reaches 1 when I s - w1 tw (1 - q) = 1 with
    # w1 = w0 exp(-tref / tw), q = exp(-s / tw).  The return map is w0 -> w1 q + b.
    I, tw, b = 2.0, 3.0, 0.4
    cycle = dl.find_cycle(adapting_cell(tref=tref), method=dl.Shooting(segments=segments))
    s = cycle.period - tref
    p, q = np.exp(-tref / tw), np.exp(-s / tw)
    w0 = b / (1 - p * q)
    w1 = w0 * p
    assert I * s - w1 * tw * (1 - q) == pytest.approx(1.0, abs=1e-10)
    assert cycle.extremes("w")[1] == pytest.approx(w0, rel=1e-10)
    # ds/dw1 = tw (1 - q) / (I - w1 q), so the map's slope is p (q - w1 q / tw ds/dw1).
    slope = p * q * (1 - w1 * (1 - q) / (I - w1 * q))
    assert others(cycle) == pytest.approx([slope], rel=1e-9)
    assert np.exp(cycle.divergence) == pytest.approx(slope, rel=1e-9)


FIRING = {
    "fast spiking": {"a": 0.1, "d": 2.0, "I": 30.0},
    "regular spiking": {"d": 2.0, "I": 30.0},
    "regular spiking, strong current": {"I": 60.0},
    "low threshold": {"b": 0.25, "c": -55.0, "d": 0.05, "I": 2.0},
}


@pytest.mark.parametrize("pattern", FIRING)
def test_izhikevichs_multiplier_is_the_slope_of_the_return_map(pattern):
    system = dl.zoo.izhikevich(**FIRING[pattern])
    cycle = dl.find_cycle(system)

    def next_u(u):
        start = {"v": system["c"], "u": u}
        run = dl.integrate(system, start=start, duration=1.5 * cycle.period, method=STRICT)
        return run.events["spike"].after["u"][0]

    (jump,) = np.flatnonzero(np.diff(cycle.mesh) == 0)
    u = cycle["u"][(jump + 1) * cycle.degree]
    h = 1e-3
    sides = [next_u(u + k * h) for k in (-2, -1, 1, 2)]
    assert next_u(u) == pytest.approx(u, rel=1e-10)
    # Central differences of order 4 with values good to some 1e-11 / h.
    slope = np.dot([1, -8, 8, -1], sides) / (12 * h)
    assert others(cycle).real == pytest.approx([slope], abs=1e-7)
    assert abs(slope) == pytest.approx(np.exp(cycle.divergence), abs=1e-7)


def test_a_guess_of_two_turns_gives_the_cycle_that_goes_round_once():
    cell = dl.zoo.leaky_integrate_and_fire(I=1.2, tref=2.0)
    once = dl.find_cycle(cell)
    twice = dl.find_cycle(cell, start={"V": 0.5}, period=2 * once.period)
    assert twice.period == pytest.approx(once.period, rel=1e-12)


def test_a_cycle_of_several_spikes():
    # Two spikes in a turn: the product of both saltations and both flights.
    system = dl.zoo.izhikevich(c=-50.0, d=2.0, I=10.0)
    one = dl.find_cycle(system)
    three = dl.find_cycle(system, orbit=one, method=dl.Shooting(segments=3))
    assert np.sum(np.diff(one.mesh) == 0) >= 2
    assert three.period == pytest.approx(one.period, rel=1e-9)
    assert np.exp(one.divergence) == pytest.approx(np.prod(one.eigenvalues).real, rel=1e-6)


@dl.flow
def flight(x=1.3, v=0.0, *, g=1.0, A=0.1, omega=2.0):
    return {x: v, v: -g}


@flight.with_event(when=lambda x, A, omega: x - A * dl.sin(omega * dl.t), direction=-1, name="hit")
def ball_on_table(x, v, *, e=0.8, A=0.1, omega=2.0):
    """Ball on a table that goes up and down: Guckenheimer and Holmes 1983, section 2.4."""
    return {v: -e * v + (1 + e) * A * omega * dl.cos(omega * dl.t)}


@pytest.mark.parametrize("rises", [True, False])
@pytest.mark.parametrize("turns", [1, 2])
def test_a_ball_on_a_vibrating_table(turns, rises):
    # One hit in n turns at the phase with A omega cos(phi) = (1-e)/(1+e) g T/2.  The map of hit to hit has
    # determinant e^2 and trace 1 + e^2 - (1+e)^2 A omega^2 sin(phi) / g.
    g, e, omega = 1.0, 0.8, 2.0
    T = 2 * np.pi * turns / omega
    speed = (1 - e) / (1 + e) * g * T / 2
    A = 1.2 * speed / omega
    phase = np.arccos(speed / (A * omega)) * (1 if rises else -1)
    trace = 1 + e**2 - (1 + e) ** 2 * A * omega**2 * np.sin(phase) / g
    top = {"x": A * np.sin(phase) + g * T**2 / 8 + 0.01, "theta": phase + omega * T / 2 + 0.01}
    system = ball_on_table.with_phase(theta="omega")(A=A)
    for segments in (1, 3):
        cycle = dl.find_cycle(
            system, start=top, period=1.001 * T, method=dl.Shooting(segments=segments)
        )
        assert cycle.period == pytest.approx(T, rel=1e-12)
        found = np.sort_complex(others(cycle))
        assert found == pytest.approx(np.sort_complex(np.roots([1, -trace, e**2])), abs=1e-10)
        assert cycle.is_stable == rises
        assert cycle.divergence == pytest.approx(np.log(e**2), abs=1e-10)


def test_friction_that_pushes_switches_without_a_reset():
    # x'' + d x' + x = c sign(x'): half a turn takes the amplitude X to c + (X + c) q with
    # q = exp(-d T / 4), so X = c (1+q)/(1-q), and the multiplier of a whole turn is q^2.
    @dl.flow
    def pushed(x=1.0, v=0.0, *, d=0.3, c=0.5):
        return {x: v, v: -x - d * v + c * dl.sign(v)}

    cycle = dl.find_cycle(pushed.with_switch(turn=lambda v: v))
    T = 2 * np.pi / np.sqrt(1 - 0.15**2)
    q = np.exp(-0.3 * T / 4)
    assert cycle.period == pytest.approx(T, rel=1e-11)
    assert cycle.extremes("x")[1] == pytest.approx(0.5 * (1 + q) / (1 - q), rel=1e-10)
    assert others(cycle) == pytest.approx([q**2], rel=1e-10)
    assert not np.any(np.diff(cycle.mesh) == 0)  # it bends and does not jump


def test_stick_and_slip():
    cycle = dl.find_cycle(dl.zoo.stick_slip)
    u, D, w = 0.25, 0.5, 1.0
    expected = 2 * D / u + 2 * (np.pi - np.arctan(D * w / u)) / w
    assert cycle.period == pytest.approx(expected, rel=1e-11)
    # While it sticks the block forgets how it came there: everything is lost but the time.
    assert np.abs(others(cycle)).max() < 1e-12
    assert cycle.divergence == -np.inf


def test_a_driven_cell_is_locked_to_its_drive():
    @dl.flow
    def membrane(V=0.0, *, I=1.05, F=0.4, omega=1.0):
        return {V: I - V + F * dl.cos(omega * dl.t)}

    @membrane.with_event(when=lambda V: V - 1, direction=+1, name="spike")
    def cell(V):
        return {V: 0}

    system = cell.with_phase(theta="omega")
    cycle = dl.find_cycle(system)
    # A spike that comes later by dt begins the next flight lower by V'(after) dt; that decays as exp(-t)
    # and delays the next spike by 1 / V'(before) of what is left.
    theta = cycle["theta"][np.flatnonzero(np.diff(cycle.mesh) == 0) * cycle.degree]
    after = 1.05 + 0.4 * np.cos(theta)
    assert cycle.period == pytest.approx(2 * np.pi, rel=1e-11)
    slope = np.prod(after / (after - 1)) * np.exp(-cycle.period)
    assert others(cycle).real == pytest.approx([slope], rel=1e-8)


def test_a_branch_of_smooth_cycles_ends_where_they_meet_an_event():
    @dl.flow
    def turning(x=0.5, y=0.0, *, mu=-0.1):
        square = x**2 + y**2
        return {x: mu * x - y - x * square, y: x + mu * y - y * square}

    @turning.with_event(when=lambda x: x - 0.6, direction=+1, name="wall")
    def walled(x, y):
        return {x: 0.1}

    rest = dl.find_equilibria(walled, within={"x": (-1, 1), "y": (-1, 1)}).single()
    onset = dl.continue_equilibrium(rest, vary="mu", over=(-0.5, 1)).points(dl.Hopf).single()
    branch = dl.continue_cycles(onset, over=(-0.5, 1))
    # The radius is sqrt(mu): 0.6 at mu = 0.36.
    assert branch.ends[1].status is dl.Status.EVENT
    assert "meets event 'wall' between mu = " in branch.ends[1].reason
    low, high = (float(word) for word in branch.ends[1].reason.split("mu = ")[1].split(" and "))
    assert low < 0.36 < high
    assert branch["mu"][-1] == pytest.approx(low, rel=1e-8)
