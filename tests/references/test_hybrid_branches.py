"""Branches of cycles with events: closed forms along whole branches, and maps from event to event."""

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.optimize import brentq, fsolve

import dynlab as dl

STRICT = dl.Explicit8(rtol=1e-13, atol=1e-15)


def others(multipliers):
    """Return the multipliers without the trivial one."""
    return np.delete(multipliers, np.argmin(np.abs(multipliers - 1)))


def jumps(cycle):
    """Return the states before and after each jump, in order."""
    places = np.flatnonzero(np.diff(cycle.mesh) == 0)
    rows = places * cycle.degree
    return cycle.profile[rows], cycle.profile[rows + cycle.degree]


def interspike(I, tref, tau=10.0):
    return tref + tau * np.log(I / (I - 1.0))


@pytest.fixture(scope="module")
def firing():
    cell = dl.zoo.leaky_integrate_and_fire(I=1.2, tref=2.0)
    return dl.continue_cycles(dl.find_cycle(cell), vary="I", over=(0.5, 3))


def test_integrate_and_fire_along_its_branch(firing):
    # T = tref + tau ln(I / (I - theta)) has the condition 1 / (I - theta) by I.
    values = firing.values
    error = 1e-11 + 1e-15 / (values - 1)
    assert np.all(np.abs(firing.periods / interspike(values, 2.0) - 1) < error)
    assert np.abs(firing.eigenvalues - 1).max() < 1e-6
    # The profiles along a branch follow the runs to 1e-7.
    assert firing.extremes("V") == pytest.approx(np.tile([0.0, 1.0], (len(firing), 1)), abs=1e-7)
    assert len(firing) < 80
    last, first = firing.ends[1], firing.ends[0]
    assert (last.status, last.value) == (dl.Status.PARAMETER_BOUND, 3.0)
    # Below I = 1 the cell rests below the threshold.
    assert first.status is dl.Status.EVENTS_CHANGE
    assert "an equilibrium reaches the guard of event 'spike'" in first.reason
    assert first.value == pytest.approx(1.0, abs=1e-12)
    assert firing.status is dl.Status.OK


def test_landing_on_a_current_and_on_a_period(firing):
    (cycle,) = firing.at(I=2.0)
    assert cycle.period == pytest.approx(interspike(2.0, 2.0), rel=1e-12)
    assert cycle.accuracy < 1e-10
    (slow,) = firing.at(period=30.0)
    assert slow["I"] == pytest.approx(1 / (1 - np.exp(-28 / 10)), rel=1e-11)
    assert firing.at(I=4.0) == ()


def test_a_diagram_finds_the_firing_that_a_run_settles_on():
    # The equilibrium of the flow, V = I, stands beyond the threshold, where the cell never is.
    diagram = dl.bifurcation_diagram(
        dl.zoo.leaky_integrate_and_fire(tref=2.0), vary="I", over=(0.5, 3)
    )
    (branch,) = diagram.cycles
    assert np.max(branch.values) == 3.0
    assert np.min(branch.values) == pytest.approx(1.0, abs=1e-6)
    assert branch.at(I=2.0).single().period == pytest.approx(interspike(2.0, 2.0), rel=1e-12)


def test_a_refractory_time_that_varies():
    cell = dl.zoo.leaky_integrate_and_fire(I=1.2, tref=2.0)
    branch = dl.continue_cycles(dl.find_cycle(cell), vary="tref", over=(0.5, 5))
    assert branch.periods == pytest.approx(interspike(1.2, branch.values), rel=1e-12)
    assert [end.status for end in branch.ends] == [dl.Status.PARAMETER_BOUND] * 2


def test_stick_slip_along_two_parameters():
    # T = 2 D / u + 2 (pi - atan(D / u)), D = Fs - Fk, k = m = 1 (Galvanetto and Bishop 1999).
    cycle = dl.find_cycle(dl.zoo.stick_slip)
    for vary, over in (("u", (0.05, 1.5)), ("Fs", (1.2, 2.5))):
        branch = dl.continue_cycles(cycle, vary=vary, over=over)
        ratio = (branch["Fs"] - 1.0) / branch["u"]
        assert branch.periods == pytest.approx(
            2 * ratio + 2 * (np.pi - np.arctan(ratio)), rel=1e-11
        )
        assert [end.status for end in branch.ends] == [dl.Status.PARAMETER_BOUND] * 2
        # Sticking takes away all that was before.
        assert np.sort(np.abs(branch.eigenvalues), axis=1)[:, :2].max() < 1e-9


@dl.flow
def adapting(V=0.0, w=0.5, *, I=2.0, tw=3.0):
    return {V: I - w, w: -w / tw}


@adapting.with_event(
    when=lambda V: V - 1, direction=+1, name="spike", refractory=lambda tref: tref, held=["V"]
)
def adapting_cell(V, w, *, b=0.4, tref=0.7):
    return {V: 0, w: w + b}


@pytest.mark.parametrize(("vary", "over"), [("tref", (0.2, 3)), ("I", (1.0, 6)), ("b", (0.1, 2))])
def test_adaptation_along_a_branch(vary, over):
    # w decays from w0 after a spike to w1 = w0 p when V is let go, and to w1 q at the next spike.
    branch = dl.continue_cycles(dl.find_cycle(adapting_cell), vary=vary, over=over)
    I, b, tref, tw = branch["I"], branch["b"], branch["tref"], 3.0
    s = branch.periods - tref
    p, q = np.exp(-tref / tw), np.exp(-s / tw)
    w1 = b / (1 - p * q) * p
    assert I * s - w1 * tw * (1 - q) == pytest.approx(np.ones(len(branch)), abs=1e-9)
    slope = p * q * (1 - w1 * (1 - q) / (I - w1 * q))
    found = np.array([others(row)[0] for row in branch.eigenvalues])
    # Newton's method ends with a step of 1e-9.
    assert found == pytest.approx(slope, abs=1e-8)


@dl.flow
def flight(x=1.3, v=0.0, *, g=1.0, A=0.1, omega=2.0):
    return {x: v, v: -g}


@flight.with_event(when=lambda x, A, omega: x - A * dl.sin(omega * dl.t), direction=-1, name="hit")
def bouncing(x, v, *, e=0.8, A=0.1, omega=2.0):
    """Ball on a vibrating table: Guckenheimer and Holmes 1983, section 2.4."""
    return {v: -e * v + (1 + e) * A * omega * dl.cos(omega * dl.t)}


G, E, OMEGA = 1.0, 0.8, 2.0
T = 2 * np.pi / OMEGA
#: A hit a turn needs A omega cos(phase) to be this; the map of hit to hit has determinant e^2.
SPEED = (1 - E) / (1 + E) * G * T / 2


@pytest.fixture(scope="module")
def hops():
    A = 1.2 * SPEED / OMEGA
    phase = np.arccos(SPEED / (A * OMEGA))
    top = {"x": A * np.sin(phase) + G * T**2 / 8, "theta": phase + OMEGA * T / 2}
    system = bouncing.with_phase(theta="omega")(A=A)
    cycle = dl.find_cycle(system, start=top, period=T)
    return dl.continue_cycles(cycle, vary="A", over=(0, 0.9))


def test_a_ball_on_a_table_folds_and_doubles(hops):
    fold, flip = hops.points(dl.Fold).single(), hops.points(dl.PeriodDoubling).single()
    assert fold.value == pytest.approx(SPEED / OMEGA, rel=1e-12)
    # The trace 1 + e^2 - (1 + e)^2 A omega^2 sin(phase) / g is -(1 + e^2).
    rise = 2 * (1 + E**2) * G / ((1 + E) * OMEGA) ** 2
    assert flip.value == pytest.approx(np.hypot(rise, SPEED / OMEGA), rel=1e-11)
    assert (flip.label, fold.label) == ("PD", "LPC")
    assert max(flip.accuracy, fold.accuracy) < 1e-10
    assert np.min(np.abs(flip.eigenvalues + 1)) < 1e-8
    for k in range(len(hops)):
        (_,), (after,) = jumps(hops.cycle(k))
        trace = 1 + E**2 - (1 + E) ** 2 * hops.values[k] * OMEGA**2 * np.sin(after[2]) / G
        expected = np.sort_complex(np.roots([1, -trace, E**2]).astype(complex))
        # Where both are e, at double roots, the error is the square root of round-off.
        error = 1e-7 if abs(trace**2 - 4 * E**2) < 1e-3 else 1e-9
        found = np.sort_complex(others(hops.eigenvalues[k]))
        assert found == pytest.approx(expected, abs=error * max(1, abs(trace)))
    assert np.all(hops.periods == pytest.approx(T, rel=1e-11))


def test_the_ball_touches_the_table_on_its_way(hops):
    # After a hit at the phase p, of the cycle hit while the table is low, the ball flies x(t) = A sin p + v t - g t^2 / 2, v = g T / 2.
    def gap(t, A):
        p = -np.arccos(SPEED / (A * OMEGA))
        return A * np.sin(p) + G * T / 2 * t - G * t**2 / 2 - A * np.sin(p + OMEGA * t)

    def least(A):
        t = np.linspace(0, T, 4001)
        h = gap(t, A)
        k = 1 + np.flatnonzero((h[1:-1] < h[:-2]) & (h[1:-1] < h[2:]))
        if not len(k):
            return 1.0
        k = k[np.argmin(h[k])]
        t = np.linspace(t[k - 1], t[k + 1], 2001)
        return gap(t, A).min()

    grazing = brentq(least, 0.3, 0.89, xtol=1e-12)
    end = hops.ends[0]
    assert end.status is dl.Status.GRAZING
    assert "event 'hit' is touched on the way" in end.reason
    # The least of a grid of step h is too high by less than the curvature times h^2 / 8.
    assert end.value == pytest.approx(grazing, abs=1e-7)


def test_the_doubled_hops(hops):
    flip = hops.points(dl.PeriodDoubling).single()
    doubled = dl.continue_cycles(flip, over=(0, 0.4))
    assert doubled.ends[0].status is dl.Status.SHORTER_CYCLE
    assert doubled.periods == pytest.approx(2 * T, rel=1e-10)
    assert np.sum(np.diff(doubled.cycle(-1).mesh) == 0) == 2
    # The amplitude of what differs grows like a root from the point on.
    speeds = []
    for k in range(1, len(doubled)):
        _, after = jumps(doubled.cycle(k))
        speeds.append(np.ptp(after[:, 1]))
    away = doubled.values[1:] - flip.value
    near = (away > 0) & (away < 0.01)
    assert np.sum(near) >= 2
    slope = np.polyfit(np.log(away[near]), np.log(np.array(speeds)[near]), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.05)

    # The second doubling from the map of hit to hit, with differences of order 4.
    def hit(x, A):
        phase, v = x
        height = A * np.sin(phase)

        def gap(t):
            return height + v * t - G * t**2 / 2 - A * np.sin(phase + OMEGA * t)

        t = brentq(gap, 1.0, 6.0, xtol=1e-15)
        new = phase + OMEGA * t
        return np.array([new, -E * (v - G * t) + (1 + E) * A * OMEGA * np.cos(new)])

    def twice(x, A):
        return hit(hit(x, A), A)

    def equations(u):
        x, A, h = u[:2], u[2], 1e-3
        columns = [
            sum(
                c * twice(x + k * h * d, A) for c, k in ((1, -2), (-8, -1), (8, 1), (-1, 2))
            ) / (12 * h)
            for d in np.eye(2)
        ]  # fmt: skip
        gone = twice(x, A) - x - [4 * np.pi, 0]
        return [*gone, np.linalg.det(np.array(columns).T + np.eye(2))]

    second = doubled.points(dl.PeriodDoubling)[1]
    _, after = jumps(second.orbit)
    found = fsolve(equations, [after[0, 2], after[0, 1], second.value], xtol=1e-13)
    assert second.value == pytest.approx(found[2], rel=1e-8)


@dl.flow
def driven(x=0.0, v=0.0, *, zeta=0.05, w=1.8):
    return {x: v, v: -2 * zeta * v - x + dl.cos(w * dl.t)}


@driven.with_event(when=lambda x, gap: x - gap, direction=+1, name="impact")
def impacting(x, v, *, r=0.8, gap=0.0):
    return {v: -r * v}


def test_an_oscillator_that_hits_a_wall():
    # Between impacts the oscillator is linear: with y its distance from the forced motion and E the flow over
    # a turn y(T) = E y(0), so the forced motion (p, q) at an impact is linear in the speed v, and its
    # amplitude is known.  Shaw and Holmes 1983, J. Sound Vib. 90, 129; Nordmark 1991, J. Sound Vib. 145, 279.
    zeta, w, r = 0.05, 1.8, 0.8
    amplitude = 1 / np.hypot(1 - w**2, 2 * zeta * w)
    matrix = np.array([[0, 1], [-1, -2 * zeta]])
    flow = expm(matrix * 2 * np.pi / w)
    cycle = dl.find_cycle(impacting.with_phase(theta="w"))
    branch = dl.continue_cycles(cycle, vary="gap", over=(-1, 3))
    assert branch.periods == pytest.approx(2 * np.pi / w, rel=1e-11)
    for k in range(len(branch)):
        gap = branch.values[k]
        (before,), (after,) = jumps(branch.cycle(k))
        v, phase = before[1], after[2]
        p, q = np.array([gap, 0]) - np.linalg.solve(np.eye(2) - flow, flow @ [0, -r * v] - [0, v])
        assert np.hypot(p, q / w) == pytest.approx(amplitude, rel=1e-8)
        pull = np.cos(phase) - gap
        arriving = np.array([v, pull - 2 * zeta * v])
        leaving = np.array([-r * v, pull + 2 * zeta * r * v])
        reset = np.diag([1.0, -r])
        jump = reset + np.outer(leaving - reset @ arriving, [1 / v, 0])
        expected = np.sort_complex(np.linalg.eigvals(flow @ jump).astype(complex))
        found = np.sort_complex(others(branch.eigenvalues[k]))
        assert found == pytest.approx(expected, abs=1e-6 * max(1, np.abs(expected).max()))
    # Where the wall is as far as the forced motion reaches the impact is only a touch.
    touch = branch.ends[1]
    assert touch.status is dl.Status.GRAZING
    assert "event 'impact' is only touched (grazing)" in touch.reason
    assert touch.value == pytest.approx(amplitude, rel=1e-10)
    assert branch.ends[0].status is dl.Status.GRAZING
    assert branch.points(dl.Fold).single().value == pytest.approx(np.max(branch.values))


def test_two_events_that_come_to_happen_together():
    @dl.flow
    def clock(V=0.0, *, level=0.5):
        return {V: 1.0}

    @clock.with_event(when=lambda V: V - 1, direction=+1, name="spike")
    def ticking(V):
        return {V: 0}

    marked = ticking.with_event(when=lambda V, level: V - level, direction=+1, name="mark")(
        lambda V: {}
    )
    branch = dl.continue_cycles(dl.find_cycle(marked), vary="level", over=(-1, 2))
    low, high = branch.ends
    assert (low.status, high.status) == (dl.Status.EVENTS_CHANGE, dl.Status.EVENTS_CHANGE)
    assert high.value == pytest.approx(1.0, abs=1e-9)
    assert low.value == pytest.approx(0.0, abs=1e-9)
    # Where the cycle is begun at its mark, rounding decides whether that is called the mark or the start.
    assert "happen together" in high.reason
    assert "'spike'" in high.reason


@dl.flow
def clock(V=0.0, y=0.0, z=0.0, *, a=-0.5):
    return {V: 1.0, y: 0.0, z: 0.0}


def ticking(reset, **start):
    """Return the clock that applies a map to y and z each time it ticks: its multipliers are the map's."""
    system = clock.with_event(when=lambda V: V - 1, direction=+1, name="tick")(reset)
    return system.with_start(V=0.5, **start)


def followed(system, over, **values):
    return dl.continue_cycles(
        dl.find_cycle(system(**values), start={"V": 0.5}, period=1.0), vary="a", over=over
    )


def test_a_fold_of_a_map():
    # y -> y + a - y^2
    def reset(V, y, z, *, a=-0.5):
        return {V: 0, y: y + a - y**2, z: z / 2}

    system = ticking(reset)(a=0.25)
    cycle = dl.find_cycle(system, start={"V": 0.5, "y": 0.5}, period=1.0)
    wide = dl.PseudoArclength(first_step=0.1, step_max=1.0, angle=0.3)
    branch = dl.continue_cycles(cycle, vary="a", over=(-0.5, 1.1), method=wide)
    fold, flip = branch.points(dl.Fold).single(), branch.points(dl.PeriodDoubling).single()
    assert fold.value == pytest.approx(0.0, abs=1e-12)
    assert flip.value == pytest.approx(1.0, abs=1e-11)
    assert np.abs(branch.extremes("y")[:, 0] ** 2 - branch.values).max() < 1e-10
    y = branch.extremes("y")[:, 0]
    for slope, row in zip(1 - 2 * y, branch.eigenvalues, strict=True):
        assert np.min(np.abs(row - slope)) < 1e-9
        assert np.min(np.abs(row - 0.5)) < 1e-9
    assert [end.value for end in branch.ends] == [1.1, 1.1]
    expected = 1 + (y < 0) + (y > 1) - 1
    sure = np.abs(np.abs(1 - 2 * y) - 1) > 1e-6
    assert np.array_equal(branch.unstable[sure], expected[sure])


@pytest.mark.parametrize(("power", "kind"), [(3, "pitchfork"), (2, "transcritical")])
def test_branch_points_of_maps(power, kind):
    # y -> (1 + a) y - y^power crosses y = 0 at a = 0.
    def reset(V, y, z, *, a=-0.5):
        return {V: 0, y: (1 + a) * y - y**power, z: z / 2}

    rest = dl.find_cycle(ticking(reset), start={"V": 0.5}, period=1.0)
    branch = dl.continue_cycles(rest, vary="a", over=(-0.5, 0.5))
    point = branch.points(dl.BranchPoint).single()
    assert point.value == pytest.approx(0.0, abs=1e-9)
    assert point.kind == kind
    other = dl.continue_cycles(point, over=(-0.5, 0.5))
    y = other.extremes("y")[:, 0]
    assert np.ptp(y) > 0.5
    assert y ** (power - 1) == pytest.approx(other.values, abs=1e-8)
    assert other.points(dl.BranchPoint).single() is point


def test_a_torus_point_of_a_map():
    # (y, z) -> (1 + a) R (y, z) (1 - y^2 - z^2), R a turn by one radian.
    def reset(V, y, z, *, a=-0.5):
        size = (1 + a) * (1 - y**2 - z**2)
        c, s = np.cos(1.0), np.sin(1.0)
        return {V: 0, y: size * (c * y - s * z), z: size * (s * y + c * z)}

    rest = dl.find_cycle(ticking(reset), start={"V": 0.5}, period=1.0)
    branch = dl.continue_cycles(rest, vary="a", over=(-0.5, 0.5))
    torus = branch.points(dl.Torus).single()
    assert torus.value == pytest.approx(0.0, abs=1e-12)
    assert torus.angle == pytest.approx(1.0, abs=1e-9)
    assert torus.label == "NS"


def test_a_burst_doubles_where_its_return_map_does():
    # The slope of the map from reset to reset of u, a difference of order 4 at each of the spikes.  The last of
    # them bends within 1e-4 of u (a canard), where runs are good to some 1e-10.
    system = dl.zoo.izhikevich(c=-50.0, d=1.75, I=10.0)
    branch = dl.continue_cycles(dl.find_cycle(system), vary="d", over=(1.65, 1.8))
    flip = branch.points(dl.PeriodDoubling).single()
    there, h = flip.system, 1e-6

    def next_u(u):
        run = dl.integrate(there, start={"v": -50.0, "u": u}, duration=60.0, method=STRICT)
        return run.events["spike"].after["u"][0]

    _, after = jumps(flip.orbit)
    assert len(after) > 2
    slope = 1.0
    for k, u in enumerate(after[:, 1]):
        sides = [next_u(u + j * h) for j in (-2, -1, 1, 2)]
        slope *= np.dot([1, -8, 8, -1], sides) / (12 * h)
        assert next_u(u) == pytest.approx(after[(k + 1) % len(after), 1], abs=1e-8)
    assert slope == pytest.approx(-1.0, abs=1e-3)


def test_spikes_end_at_the_same_homoclinic_orbit_as_small_oscillations():
    # On one side of the saddle's stable manifold the cell spikes, on the other it oscillates below threshold:
    # both cycles grow into the orbit that leaves the saddle and comes back.  The small ones by collocation.
    cell = dl.zoo.izhikevich(I=4.5)
    wide = dl.PseudoArclength(first_step=0.05, step_max=0.5, angle=0.3)
    spikes = dl.continue_cycles(
        dl.find_cycle(cell), vary="I", over=(3, 4.5), method=wide, longest=300
    )
    rest = dl.continue_equilibrium(dl.find_equilibria(
        cell(I=3.0), within={"v": (-80, -60), "u": (-20, 0)}).single(), vary="I", over=(3, 4))  # fmt: skip
    small = dl.continue_cycles(rest.points(dl.Hopf).single(), over=(3, 4), longest=400)
    assert spikes.ends[0].status is small.ends[1].status is dl.Status.PERIOD_BOUND
    # What is left of the way to the orbit shrinks like exp(-T / 100), 0.01 being the weak rate of the saddle.
    assert np.min(spikes.values) == pytest.approx(np.min(small.values), abs=5e-5)


def test_a_branch_is_kept(tmp_path, hops):
    hops.save(tmp_path / "hops.npz")
    again = dl.load(tmp_path / "hops.npz")
    assert np.array_equal(again.profiles, hops.profiles)
    assert again.ends == hops.ends
    flip = again.points(dl.PeriodDoubling).single()
    assert len(dl.continue_cycles(flip, over=(0, 0.3))) > 3
    (low, high) = again.at(A=0.15)
    assert sorted([low.is_stable, high.is_stable]) == [False, True]
    table = again.to_table()
    assert set(table["label"]) == {"", "LPC", "PD"}
    again.plot(show="x")
    again.plot_period()
    again.plot_multipliers()
