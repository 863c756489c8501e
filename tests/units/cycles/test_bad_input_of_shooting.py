"""What cannot be shot at is refused by name, and what is not found is said."""

import numpy as np
import pytest

import dynlab as dl

FHN = dl.zoo.fitzhugh_nagumo(I=0.5)


@pytest.mark.parametrize("segments", [0, -1, 1.5, np.nan, "two"])
def test_segments(segments):
    with pytest.raises(dl.SettingError, match="segments of Shooting"):
        dl.Shooting(segments=segments)


@pytest.mark.parametrize("rtol", [0.0, -1e-9, 1e-16, 0.5, np.inf])
def test_tolerance(rtol):
    with pytest.raises(dl.SettingError, match="rtol of Shooting"):
        dl.Shooting(rtol=rtol)


def test_a_method_is_an_object():
    with pytest.raises(dl.SettingError, match=r"dl\.Collocation\(\) or a dl\.Shooting\(\)"):
        dl.find_cycle(FHN, method="shooting")


@pytest.mark.parametrize("method", [dl.Collocation(), dl.Shooting()])
def test_a_guess_that_is_an_equilibrium(method):
    system = dl.zoo.fitzhugh_nagumo(I=0.0)
    rest = dl.find_equilibria(system).single()
    with pytest.raises(dl.NotConverged, match=r"is an equilibrium, v = -1\.19941"):
        dl.find_cycle(system, start=rest.start, period=30.0, method=method)
    run = dl.integrate(system, start=rest.start, duration=30.0)
    with pytest.raises(dl.NotConverged, match="is an equilibrium"):
        dl.find_cycle(system, orbit=run, method=method)


@pytest.mark.parametrize("method", [dl.Collocation(), dl.Shooting()])
def test_a_guess_that_tends_to_an_equilibrium(method):
    with pytest.raises(dl.NotConverged, match="no cycle of 'fitzhugh_nagumo' near the guess"):
        dl.find_cycle(
            dl.zoo.fitzhugh_nagumo(I=0.2), start={"v": 0, "w": 0}, period=30, method=method
        )


@pytest.mark.parametrize("period", [-3.0, 0.0, np.nan])
def test_a_period_that_is_none(period):
    with pytest.raises(dl.SettingError, match="period"):
        dl.find_cycle(FHN, period=period, method=dl.Shooting())


def test_the_orbit_of_another_system():
    other = dl.find_cycle(dl.zoo.van_der_pol)
    with pytest.raises(dl.SettingError, match=r"one of 'van_der_pol', not of 'fitzhugh_nagumo'"):
        dl.find_cycle(FHN, orbit=other, method=dl.Shooting())
    with pytest.raises(dl.SettingError, match="orbit is Equilibrium"):
        dl.find_cycle(FHN, orbit=dl.find_equilibria(FHN).single(), method=dl.Shooting())


def test_a_map():
    with pytest.raises(dl.UnsupportedSystemError, match="is a map"):
        dl.find_cycle(dl.zoo.logistic, method=dl.Shooting())


def test_a_drive_that_is_no_state():
    @dl.flow
    def driven(x=0.0, *, w=1.0):
        return {x: -x + dl.cos(w * dl.t)}

    with pytest.raises(dl.UnsupportedSystemError, match=r"\.with_phase"):
        dl.find_cycle(driven, method=dl.Shooting())


@dl.flow
def falling(x=1.0, v=0.0, *, g=1.0):
    return {x: v, v: -g}


def test_events_that_depend_on_the_time():
    @falling.with_event(when=lambda x: x - 0.1 * dl.sin(dl.t), direction=-1, name="hit")
    def ball(x, v):
        return {v: -0.8 * v + 0.18 * dl.cos(dl.t)}

    with pytest.raises(
        dl.UnsupportedSystemError, match=r"events of 'ball' depend on the time dl\.t"
    ):
        dl.find_cycle(ball, period=2.0)


def test_events_without_end():
    with pytest.raises(dl.NotConverged, match="accumulate in a finite time"):
        dl.find_cycle(dl.zoo.bouncing_ball)


def test_a_cell_below_its_threshold():
    with pytest.raises(dl.NotConverged, match=r"settles on the equilibrium V = 0\.5"):
        dl.find_cycle(dl.zoo.leaky_integrate_and_fire(I=0.5))


def test_a_guard_that_is_only_grazed():
    # A ball thrown up whose height reaches the ceiling with speed zero.
    @falling.with_event(when=lambda x: x, direction=-1, name="hit")
    def ball(x, v):
        return {v: -v}

    @ball.with_event(when=lambda x: x - 1, direction=0, name="ceiling")
    def touching(x, v):
        return {v: -v}

    system = touching(g=1.0)
    assert dl.integrate(system, start={"x": 0.9999}, duration=5).status.ok
    with pytest.raises(dl.ComputationError):
        dl.find_cycle(system, start={"x": 1.0 - 1e-13, "v": 0.0}, period=2 * np.sqrt(2.0))


def test_collocation_refuses_events():
    cell = dl.zoo.leaky_integrate_and_fire
    with pytest.raises(dl.UnsupportedSystemError, match=r"Use method=dl\.Shooting\(\)"):
        dl.find_cycle(cell, method=dl.Collocation())
    cycle, over = dl.find_cycle(cell), {"vary": "I", "over": (1.1, 2)}
    with pytest.raises(dl.SettingError, match="Leave collocation= out"):
        dl.continue_cycles(cycle, **over, collocation=dl.Collocation())
    with pytest.raises(dl.SettingError, match="longest is 3, but the first cycle"):
        dl.continue_cycles(cycle, **over, longest=3)
