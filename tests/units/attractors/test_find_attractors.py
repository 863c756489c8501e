"""Attractors against closed forms, other methods of the house, and the literature."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def double_well(x=0.5, *, tilt=0.0):
    return {x: x - x**3 + tilt}


@dl.flow
def spiral(x=1.0, y=0.5, *, friction=1.0):
    return {x: -friction * x + 3 * y, y: -3 * x - friction * y}


@dl.flow
def lorenz84(x=0.5, y=0.0, z=0.0, *, F=6.886, G=1.347, a=0.255, b=4.0):
    return {
        x: -(y**2) - z**2 - a * x + a * F,
        y: x * y - y - b * x * z + G,
        z: b * x * y + x * z - z,
    }


@dl.flow
def rest_and_cycle(x=0.1, y=0.0, *, mu=-0.2):
    """r' = mu r + r^3 - r^5, theta' = 1: rest and the cycle r^2 = (1 + sqrt(1 + 4 mu)) / 2 both attract."""
    r2 = x**2 + y**2
    return {x: x * (mu + r2 - r2**2) - y, y: y * (mu + r2 - r2**2) + x}


@dl.flow
def driven_duffing(x=1.0, v=0.0, phi: dl.Angle = 0.0, *, friction=0.15, F=0.2):
    return {x: v, v: x - x**3 - friction * v + F * dl.cos(phi), phi: 1.0}


@dl.flow
def pendulum_with_torque(theta: dl.Angle = 0.1, v=0.0, *, torque=0.5, friction=0.2):
    """Rest (sin theta = torque) and rotation attract, for weak friction."""
    return {theta: v, v: torque - dl.sin(theta) - friction * v}


def test_the_bottoms_of_a_double_well():
    found = dl.find_attractors(double_well, within={"x": (-2, 2)}, seed=1)
    assert sorted(a.verified.state[0] for a in found) == pytest.approx([-1, 1], abs=1e-12)
    assert {a.kind for a in found} == {"stable node"}
    assert found.status is dl.Status.OK


@pytest.mark.parametrize("friction", [1.0, 4e-3])
def test_a_linear_focus_is_one_attractor_however_slowly_it_winds(friction):
    found = dl.find_attractors(
        spiral(friction=friction), within={"x": (-2, 2), "y": (-2, 2)}, seed=2, samples=20
    )
    focus = found.single()
    assert focus.kind == "stable focus"
    assert np.max(np.abs(focus.verified.state)) < 1e-9
    assert np.all(found.outcomes == 0)


def test_rest_and_cycle_both_attract():
    """The unstable cycle between them has r^2 = (1 - sqrt(1 + 4 mu)) / 2."""
    found = dl.find_attractors(rest_and_cycle, within={"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, seed=3)
    kinds = {a.kind: a for a in found}
    assert set(kinds) == {"stable focus", "stable cycle"}
    radius = np.sqrt((1 + np.sqrt(0.2)) / 2)
    cycle = kinds["stable cycle"]
    assert cycle.verified.period == pytest.approx(2 * np.pi, rel=1e-8)
    assert np.hypot(cycle["x"], cycle["y"]) == pytest.approx(radius, rel=1e-6)
    inside = np.pi * (1 - np.sqrt(0.2)) / 2 / 9
    share = np.mean(found.outcomes == kinds["stable focus"].label)
    assert abs(share - inside) < 4 * np.sqrt(inside * (1 - inside) / len(found.outcomes))


def test_the_cycle_found_is_that_of_find_cycle():
    cell = zoo.fitzhugh_nagumo(I=0.5)
    cycle = dl.find_attractors(
        cell, within={"v": (-2.5, 2.5), "w": (-1, 2)}, seed=1, samples=50
    ).single()
    assert cycle.verified.period == pytest.approx(dl.find_cycle(cell).period, rel=1e-8)


def test_bistable_fitzhugh_nagumo_rests_or_fires():
    """I = 0.328 lies below the subcritical Hopf point at I = 0.33128: rest and firing."""
    found = dl.find_attractors(
        zoo.fitzhugh_nagumo(I=0.328), within={"v": (-1.1, -0.8), "w": (-0.45, -0.2)},
        recurrences=dl.Recurrences(patience=400), seed=1,
    )  # fmt: skip
    assert "stable focus" in {a.kind for a in found}
    wide = dl.find_attractors(
        zoo.fitzhugh_nagumo(I=0.328), within={"v": (-2.5, 2.5), "w": (-1, 2)}, seed=1
    )
    assert "stable cycle" in {a.kind for a in wide}


def test_maps_fixed_points_and_orbits_of_period_two():
    one = dl.find_attractors(zoo.cubic(r=1.5), within={"x": (-1.2, 1.2)}, seed=1)
    assert sorted(a.verified.state[0] for a in one) == pytest.approx(
        [-np.sqrt(0.5), np.sqrt(0.5)], abs=1e-10
    )
    two = dl.find_attractors(zoo.cubic(r=2.2), within={"x": (-1.7, 1.7)}, seed=1)
    assert [a.kind for a in two] == ["stable orbit of period 2"] * 2
    known = dl.find_periodic_orbits(zoo.cubic(r=2.2), period=2, within={"x": (-2, 2)})
    stable = sorted(min(o.states["x"]) for o in known if o.is_stable)
    assert sorted(min(a["x"]) for a in two) == pytest.approx(stable, abs=1e-9)


def test_what_is_neither_point_nor_cycle_is_told_by_its_exponent():
    found = dl.find_attractors(zoo.henon, within={"x": (-2, 2), "y": (-2, 2)}, seed=1, samples=100)
    chaos = found.single()
    assert chaos.kind == "chaotic"
    assert chaos.verified is None
    # The trapping region of Henon 1976 (Commun. Math. Phys. 50, 69, section 4) is met by |x| < 1.34.
    assert 1.2 < np.max(np.abs(chaos["x"])) < 1.34
    assert -1 in found.outcomes


def test_lorenz_84_has_a_point_a_cycle_and_chaos():
    """Freire, Bonatto, DaCamara, Gallas 2008, Chaos 18, 033121: F = 6.886, G = 1.347."""
    found = dl.find_attractors(
        lorenz84, within={"x": (-1, 3), "y": (-2, 3), "z": (-2, 2.5)}, seed=1, samples=200
    )
    assert sorted(a.kind for a in found) == ["chaotic", "stable cycle", "stable focus"]


def test_a_drive_is_seen_once_a_turn():
    found = dl.find_attractors(
        driven_duffing, within={"x": (-2, 2), "v": (-2, 2)}, seed=1, samples=60
    )
    assert found.step == pytest.approx(2 * np.pi)
    assert [a.kind for a in found] == ["stable cycle"] * 2
    assert all(len(a.states) == 1 for a in found)


def test_an_angle_wraps():
    ranges = ({"theta": (-np.pi, np.pi), "v": (-3, 4)}, {"theta": (0, 2 * np.pi), "v": (-3, 4)})
    for within in ranges:
        found = dl.find_attractors(pendulum_with_torque, within=within, seed=1)
        kinds = {a.kind: a for a in found}
        assert set(kinds) == {"stable focus", "stable cycle"}
        rest = kinds["stable focus"].verified
        assert np.sin(rest["theta"]) == pytest.approx(0.5, abs=1e-10)
        turning = kinds["stable cycle"].verified
        # Work of the torque over a turn is lost to friction: 2 pi torque = friction * integral of v^2 dt.
        t, v = turning.t, turning["v"]
        assert np.trapezoid(v**2, t) * 0.2 == pytest.approx(np.pi, rel=1e-3)
        assert -1 not in found.outcomes
        assert -2 not in found.outcomes


def test_maps_on_a_circle():
    locked = dl.find_attractors(
        zoo.sine_circle, within={"theta": (0, 2 * np.pi)}, seed=1, samples=20
    )
    assert np.sin(locked.single().verified.state[0]) == pytest.approx(0.3 / 0.9, abs=1e-10)


def test_projected_states_are_told_apart_by_the_grid_and_their_own_range():
    """The grid covers the position; velocities are left free, and orbits pass the wells before they rest."""

    @dl.flow
    def damped(x=1.5, v=0.0):
        return {x: v, v: x - x**3 - 0.2 * v}

    found = dl.find_attractors(damped, within={"x": (-2, 2)}, seed=1)
    assert sorted(a.verified.state[0] for a in found) == pytest.approx([-1, 1], abs=1e-10)
    starts = np.linspace(-1.9, 1.9, 41)
    labels = dl.basins(
        damped, over={"x": (-1.9 - 0.0475, 1.9 + 0.0475)}, cells=41, attractors=found
    ).labels
    for x, label in zip(starts, labels.tolist(), strict=True):
        if abs(x) < 1e-9:
            continue
        end = dl.integrate(damped, start={"x": x}, duration=300).final["x"]
        assert np.sign(end) == np.sign(found[label]["x"][0])


def test_the_same_seed_finds_the_same_and_a_file_holds_it(tmp_path):
    first, second = (
        dl.find_attractors(
            zoo.lorenz(rho=20),
            within={"x": (-20, 20), "y": (-25, 25), "z": (0, 40)},
            seed=5,
            samples=50,
        )
        for _ in range(2)
    )
    assert np.array_equal(first.outcomes, second.outcomes)
    again = dl.load(first.save(tmp_path / "found.npz"))
    assert np.array_equal(again.cells, first.cells)
    assert [a.kind for a in again] == [a.kind for a in first]
    assert again.search().outcomes(np.array([[1.0, 1.0, 1.0]]), "").tolist() in ([0], [1])


def test_what_is_stopped_is_partial():
    with dl.stop_after(0):
        found = dl.find_attractors(zoo.henon, within={"x": (-2, 2), "y": (-2, 2)}, seed=1)
    assert found.status is dl.Status.STOPPED
    assert np.all(found.outcomes == -3)


def test_outside_of_the_box_there_is_only_escape():
    found = dl.find_attractors(double_well, within={"x": (-0.5, 0.5)}, seed=1, samples=30)
    assert len(found) == 0
    assert np.all(found.outcomes == -1)
    with pytest.raises(dl.NotConverged, match=r"30 escaped.*Widen the box"):
        found.single()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: dl.find_attractors(double_well, within={}), dl.SettingError, "within is empty.*Give a range"),
        (lambda: dl.find_attractors(double_well, within={"x": (2, -2)}), dl.SettingError, "'x' in within is .2, -2.*lower"),
        (lambda: dl.find_attractors(double_well, within={"x": 1}), dl.SettingError, "give two numbers"),
        (lambda: dl.find_attractors(double_well, within={"x": (0, np.inf)}), dl.SettingError, "upper end of 'x' is inf"),
        (lambda: dl.find_attractors(double_well, within={"z": (0, 1)}), dl.UnknownNameError, "'z' is not a state"),
        (lambda: dl.find_attractors(double_well, within={"x": (0, 1)}, samples=0), dl.SettingError, "samples is 0"),
        (lambda: dl.Recurrences(cells=0), dl.SettingError, "cells is 0; give a positive whole"),
        (lambda: dl.Recurrences(hits=0.5), dl.SettingError, "hits is 0.5"),
        (lambda: dl.Recurrences(step=-1), dl.SettingError, "step is -1"),
        (lambda: dl.find_attractors(double_well, within={"x": (0, 1)}, recurrences=dl.Recurrences(cells={"y": 3})),
         dl.SettingError, "'y', which has no range"),
        (lambda: dl.find_attractors(double_well, within={"x": (0, 1)}, recurrences=dl.Recurrences(cells=10**9)),
         dl.SettingError, "more than"),
        (lambda: dl.find_attractors(zoo.sine_circle, within={"theta": (0, 7)}), dl.SettingError, "longer than the circle"),
        (lambda: dl.find_attractors(zoo.standard_map, within={"p": (0, 1)}), dl.UnsupportedSystemError,
         "preserves areas.*no attractors"),
        (lambda: dl.find_attractors(zoo.pendulum, within={"p": (0, 1)}), dl.UnsupportedSystemError, "div f = 0"),
        (lambda: dl.find_attractors(zoo.henon, within={"x": (0, 1)}, method=dl.Explicit8()), dl.SettingError,
         "needs no method"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_with_names_and_a_way_out(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_time_is_refused():
    @dl.flow
    def forced(x=1.0, *, omega=1.2):
        return {x: -x + dl.cos(omega * dl.t)}

    with pytest.raises(dl.UnsupportedSystemError, match="with_phase"):
        dl.find_attractors(forced, within={"x": (-2, 2)})
    found = dl.find_attractors(
        forced.with_phase(phi="omega"), within={"x": (-2, 2)}, samples=20, seed=1
    )
    # x = (cos wt + w sin wt) / (1 + w^2) at the turn of the drive.
    assert found.single()["x"][0] == pytest.approx(1 / (1 + 1.2**2), abs=1e-5)


def test_pictures_name_what_they_show():
    found = dl.find_attractors(rest_and_cycle, within={"x": (-1.5, 1.5), "y": (-1.5, 1.5)}, seed=3)
    ax = found.plot()
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert sorted(t.split(": ")[1] for t in texts) == ["stable cycle", "stable focus"]
    assert ax.get_xlabel() == "$x$"
    from dynlab.plotting import close_figure

    close_figure(ax)


def test_an_unstable_fixed_point_is_no_attractor_even_for_those_who_start_on_it():
    exact = dl.find_attractors(
        double_well.with_start(x=0.0), within={"x": (-1.5, 1.5)}, seed=1, samples=20
    )
    assert len(exact) == 2
    assert exact.search().outcomes(np.array([[0.0], [0.3], [-0.3]]), "").tolist()[0] == -2


def test_a_closed_curve_of_a_map_is_quasi_periodic():
    """Born at r = 2 in a Neimark-Sacker bifurcation (Aronson et al. 1982)."""
    found = dl.find_attractors(
        zoo.delayed_logistic(r=2.1), within={"x": (0.01, 1), "y": (0.01, 1)}, seed=1, samples=50
    )
    assert found.single().kind == "quasi-periodic"


def test_what_only_drifts_between_samples_is_no_attractor():
    """x' = x^2 takes no orbit above 0 anywhere; samples as short as the stiff part hardly see it move."""

    @dl.flow
    def stiff(x=1.0, y=1.0, *, K=1e6):
        return {x: x**2, y: -K * (y - x)}

    found = dl.find_attractors(stiff, within={"x": (0.1, 2), "y": (0.1, 2)}, samples=3, seed=1)
    assert len(found) == 0
