"""find_cycle and its method: what they refuse, and how they say it."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


def refused(kind, *words):
    """Expect an error whose message has what, where and what to try."""
    return pytest.raises(kind, match="(?s)" + ".*".join(words))


@dl.flow
def forced(x=0.1, v=0.0, *, F=0.3):
    return {x: v, v: -x - 0.1 * v + F * dl.cos(dl.t)}


@dl.flow
def sink(x=1.0, y=0.5, *, a=1.0):
    return {x: -a * x, y: -y}


@dl.flow
def runaway(x=1.0, *, a=1.0):
    return {x: a * x * x}


@dl.flow
def away(x=0.0, y=1.0, *, a=1.0):
    return {x: a, y: -y}


def test_a_run_that_rests_names_the_equilibrium():
    with refused(
        dl.NotConverged, "fitzhugh_nagumo", "equilibrium v = -1.19", "continue_cycles"
    ) as e:
        dl.find_cycle(zoo.fitzhugh_nagumo(I=0.0))
    assert e.value.status is dl.Status.NOT_CONVERGED
    assert isinstance(e.value.partial, dl.Trajectory)


def test_a_run_that_blows_up_says_so():
    with refused(dl.NotConverged, "runaway", "Start elsewhere") as error:
        dl.find_cycle(runaway)
    assert error.value.status is dl.Status.DIVERGED


def test_a_run_that_never_returns_says_so():
    with refused(dl.NotConverged, "away", "does not come back", "period="):
        dl.find_cycle(away)


def test_a_guess_at_an_equilibrium_is_no_cycle():
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo(I=0.0)).single()
    with refused(
        dl.NotConverged, "'fitzhugh_nagumo' is an equilibrium", "v = -1.199", "Start elsewhere"
    ):
        dl.find_cycle(zoo.fitzhugh_nagumo(I=0.0), start=rest.start, period=20.0)


def test_what_is_no_smooth_autonomous_flow_is_refused():
    with refused(dl.UnsupportedSystemError, "forced", "with_phase"):
        dl.find_cycle(forced)
    with refused(dl.UnsupportedSystemError, "logistic"):
        dl.find_cycle(zoo.logistic)
    with refused(dl.UnsupportedSystemError, "events"):
        dl.find_cycle(zoo.izhikevich, method=dl.Collocation())


def test_arguments_that_make_no_sense():
    system = zoo.van_der_pol
    with refused(dl.SettingError, "period is -3", "positive"):
        dl.find_cycle(system, period=-3.0)
    with refused(dl.SettingError, "period"):
        dl.find_cycle(system, period=float("nan"))
    cycle = dl.find_cycle(system)
    with refused(dl.SettingError, "either orbit= or start="):
        dl.find_cycle(system, orbit=cycle, period=6.0)
    with refused(dl.SettingError, "'van_der_pol'", "'fitzhugh_nagumo'", "same equations"):
        dl.find_cycle(zoo.fitzhugh_nagumo, orbit=cycle)
    with refused(dl.SettingError, "orbit is str", "trajectory or a cycle"):
        dl.find_cycle(system, orbit="yes")
    with refused(dl.SettingError, "method is", r"dl.Collocation\(\)"):
        dl.find_cycle(system, method=dl.Radau5())
    with refused(dl.UnknownNameError, "'z'"):
        dl.find_cycle(system, start={"z": 1.0})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"intervals": 2}, ("2 intervals", "at least 3")),
        ({"intervals": 30, "most_intervals": 20}, ("30 intervals and at most 20", "no fewer")),
        ({"intervals": 10.5}, ("intervals", "10.5", "whole number")),
        ({"degree": 1}, ("degree of Collocation is 1", "2 to 7")),
        ({"degree": 8}, ("degree of Collocation is 8", "2 to 7")),
        ({"tolerance": 0.0}, ("tolerance", "positive")),
        ({"tolerance": float("nan")}, ("tolerance",)),
    ],
)
def test_collocation_says_which_setting_is_wrong(settings, words):
    with refused(dl.SettingError, *words):
        dl.Collocation(**settings)


def test_cycle_answers_to_names_and_refuses_others():
    cycle = dl.find_cycle(zoo.van_der_pol)
    assert cycle["mu"] == zoo.van_der_pol["mu"]
    state = zoo.van_der_pol.state_names[0]
    assert cycle.at(0.25 * cycle.period, state) == pytest.approx(
        cycle.at(1.25 * cycle.period, state)
    )
    with refused(dl.UnknownNameError, "'banana'", "cycle of 'van_der_pol'"):
        cycle["banana"]
    with refused(dl.SettingError, "finite"):
        cycle.at([0.0, np.inf])
    table = cycle.to_table()
    assert set(table) == {"t", *zoo.van_der_pol.state_names}
    assert table["t"][-1] == pytest.approx(cycle.period)


def test_too_few_intervals_show_in_the_accuracy():
    coarse = dl.Collocation(intervals=10, most_intervals=20)
    rough = dl.find_cycle(zoo.van_der_pol(mu=2.0), method=coarse)
    fine = dl.find_cycle(zoo.van_der_pol(mu=2.0))
    assert fine.accuracy < 1e-8 < rough.accuracy
    assert len(rough.mesh) - 1 <= 20
    # What is stated is what was reached.
    assert rough.accuracy >= abs(rough.period / fine.period - 1.0) - 1e-12


def test_far_too_few_intervals_are_an_error():
    with pytest.raises(dl.NotConverged, match="finer"):
        dl.find_cycle(zoo.van_der_pol(mu=5.0), method=dl.Collocation(5, most_intervals=10))
