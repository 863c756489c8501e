"""Collocation and shooting share no code but the eigenvalues of a product; they must give one answer.

Tolerances: runs at rtol 1e-12 leave some 1e-11 of error after a period, collocation is refined until half
as many intervals change it by less than 1e-8, which puts its period (of order 2m = 8) below 1e-10.  So 1e-8
is demanded of both, as the issue of a code against another asks.
"""

import numpy as np
import pytest

import dynlab as dl

SHOOTING = dl.Shooting(rtol=1e-12)
SMALL = 1e-8


@dl.flow
def stuart_landau(x=0.5, y=0.0, *, mu=0.25):
    return {x: mu * x - y - x * (x**2 + y**2), y: x + mu * y - y * (x**2 + y**2)}


def agrees(by_collocation, by_shooting):
    assert by_shooting.period == pytest.approx(by_collocation.period, rel=SMALL)
    ours, theirs = by_shooting.eigenvalues, by_collocation.eigenvalues
    assert np.all(np.abs(ours - theirs) <= SMALL * np.maximum(np.abs(theirs), 1.0))
    large = np.abs(theirs) > SMALL
    assert np.all(np.abs(ours - theirs)[large] <= SMALL * np.abs(theirs[large]))
    assert by_shooting.kind == by_collocation.kind
    # The same curve: each point of one lies on the other, at a time that need not be the same.
    unit = np.ptp(by_collocation.profile, axis=0)
    dense = by_collocation.orbit.at(np.linspace(0, 1, 20_001)) / unit
    for k in range(0, len(by_shooting.profile), 37):
        nearest = np.min(np.linalg.norm(dense - by_shooting.profile[k] / unit, axis=1))
        assert nearest < 5e-3  # half the distance between places, at the greatest speed


ZOO = {
    "FitzHugh-Nagumo": dl.zoo.fitzhugh_nagumo(I=0.5),
    "Brusselator": dl.zoo.brusselator(B=3.0),
    "Hodgkin-Huxley at 10": dl.zoo.hodgkin_huxley(I=10.0),
    "Hodgkin-Huxley at 50": dl.zoo.hodgkin_huxley(I=50.0),
    "Jansen-Rit": dl.zoo.jansen_rit(p=120.0),
    "van der Pol": dl.zoo.van_der_pol(mu=5.0),
}


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("segments", [1, 4])
def test_shooting_and_collocation_agree(name, segments):
    by_collocation = dl.find_cycle(ZOO[name])
    method = dl.Shooting(segments=segments, rtol=1e-12)
    agrees(by_collocation, dl.find_cycle(ZOO[name], orbit=by_collocation, method=method))


def test_they_agree_on_both_cycles_of_roessler():
    roessler = dl.zoo.roessler(c=3.0)
    doubled = dl.find_cycle(roessler)
    single = dl.find_cycle(roessler, orbit=dl.find_cycle(roessler(c=2.7)), method=SHOOTING)
    # AUTO-07p, two meshes agreeing: T = 5.7792383 at c = 3, past its period doubling.
    assert single.period == pytest.approx(5.7792383, rel=1e-7)
    assert doubled.period == pytest.approx(2 * single.period, rel=1e-2)
    assert (doubled.kind, single.kind) == ("stable cycle", "saddle cycle")
    agrees(doubled, dl.find_cycle(roessler, orbit=doubled, method=SHOOTING))
    agrees(dl.find_cycle(roessler, orbit=single), single)


def test_they_agree_on_an_unstable_cycle_of_a_branch():
    system = dl.zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=0.23, I=50.0)
    rest = dl.find_equilibria(system).single()
    onset = dl.continue_equilibrium(rest, vary="I", over=(30, 60)).points(dl.Hopf).single()
    inner, outer = dl.continue_cycles(onset, over=(30, 60)).at(I=40)
    # AUTO-07p, two meshes agreeing.
    assert inner.period == pytest.approx(19.059857182, rel=1e-9)
    assert outer.period == pytest.approx(24.037759027, rel=1e-9)
    assert (inner.kind, outer.kind) == ("unstable cycle", "stable cycle")
    for cycle in (inner, outer):
        agrees(cycle, dl.find_cycle(system(I=40), orbit=cycle, method=SHOOTING))
        agrees(cycle, dl.find_cycle(system(I=40), orbit=cycle, method=dl.Shooting(segments=4)))


def test_they_agree_on_a_network():
    @dl.flow
    def coupled(
        v: dl.PerNode = -1.2, w: dl.PerNode = -0.6, *, I=0.5, K=0.1, a=0.7, b=0.8, eps=0.08,
        A: dl.PerLink = 1.0,
    ):  # fmt: skip
        i, j = dl.nodes("i j")
        pull = K * dl.Sum(A[i, j] * (v[j] - v[i]), j)
        return {v[i]: v[i] - v[i] ** 3 / 3 - w[i] + I + pull, w[i]: eps * (v[i] + a - b * w[i])}

    ring = coupled.on(np.ones((4, 4)) - np.eye(4))
    together = dl.find_cycle(ring)
    shot = dl.find_cycle(ring, orbit=together, method=SHOOTING)
    agrees(together, shot)
    # All in step are a single cell; the three differences between cells have the same multipliers.
    single = dl.find_cycle(ZOO["FitzHugh-Nagumo"])
    assert shot.period == pytest.approx(single.period, rel=SMALL)
    assert np.ptp(shot.eigenvalues[1:4].real) < 1e-10


@pytest.mark.parametrize("mu", [0.01, 0.25, 1.0])
@pytest.mark.parametrize("rtol", [1e-8, 1e-12])
def test_stuart_landau_is_exact(mu, rtol):
    system, start = stuart_landau(mu=mu), {"x": 1.1 * np.sqrt(mu)}
    cycle = dl.find_cycle(system, start=start, period=6.0, method=dl.Shooting(rtol=rtol))
    radius = np.hypot(cycle["x"], cycle["y"]) / np.sqrt(mu)
    errors = [cycle.period / (2 * np.pi) - 1, *(0.5 * (radius - 1))]  # ranges are 2 sqrt(mu)
    # Honest: what is stated covers what is wrong, but does not overstate it without bound.
    assert np.max(np.abs(errors)) <= cycle.accuracy <= 1e4 * rtol
    assert np.abs(cycle.eigenvalues - [1.0, np.exp(-4 * np.pi * mu)]).max() < 100 * rtol
    assert cycle.divergence == pytest.approx(-4 * np.pi * mu, abs=1e3 * rtol)


def test_multipliers_far_below_round_off_are_those_of_liouville():
    cycle = dl.find_cycle(ZOO["van der Pol"], method=SHOOTING)
    # The second one is exp(integral of the divergence): 1e-37, from a product of sixteen matrices.
    assert abs(cycle.eigenvalues[1]) < 1e-36
    assert np.log(cycle.eigenvalues[1].real) == pytest.approx(cycle.divergence, rel=1e-4)


def test_the_error_is_proportional_to_the_tolerance():
    rtols = 10.0 ** np.arange(-12, -5)
    cycles = [
        dl.find_cycle(stuart_landau, period=6.0, method=dl.Shooting(rtol=rtol)) for rtol in rtols
    ]
    errors = [np.max(np.abs(np.hypot(cycle["x"], cycle["y"]) - 0.5)) for cycle in cycles]
    slope = np.polyfit(np.log(rtols), np.log(errors), 1)[0]
    assert 0.8 < slope < 1.25  # an error per step proportional to the tolerance


def test_segments_do_not_change_the_answer():
    system = ZOO["Brusselator"]
    cycles = [dl.find_cycle(system, method=dl.Shooting(segments=n)) for n in (1, 2, 7)]
    assert np.ptp([cycle.period for cycle in cycles]) < 1e-10
    assert np.ptp([cycle.eigenvalues[1].real for cycle in cycles]) < 1e-12


def test_an_unstable_cycle_in_chaos():
    lorenz = dl.zoo.lorenz
    one = dl.find_cycle(
        lorenz, start={"x": -13.76, "y": -19.58, "z": 27.0}, period=1.56,
        method=dl.Shooting(segments=6),
    )  # fmt: skip
    # The orbit LR of Viswanath 2003, Nonlinearity 16, 1035: period 1.558652210716.
    assert one.period == pytest.approx(1.558652210716, rel=1e-10)
    assert one.kind == "saddle cycle"


@pytest.mark.parametrize("method", [dl.Collocation(), SHOOTING])
def test_a_run_that_swings_gives_the_cycle_that_goes_round_once(method):
    # Shortly before its period doubling the slowest disturbance changes sign every turn.
    cycle = dl.find_cycle(dl.zoo.roessler(c=2.7), method=method)
    assert min(cycle.eigenvalues.real) < -0.7
    assert cycle.period < 5.8
    twice = dl.find_cycle(
        dl.zoo.roessler(c=2.7), start=cycle.start, period=2 * cycle.period, method=method
    )
    assert twice.period == pytest.approx(cycle.period, rel=1e-9)


def test_a_cycle_that_rests_for_nearly_all_of_its_period_still_goes_round_once():
    # Near a saddle-node on an invariant circle: T = 1000 with a spike of some 20.  AUTO-07p has it there.
    system = dl.zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15, I=39.995868789)
    cycle = dl.find_cycle(system)
    assert cycle.period == pytest.approx(1000.0, rel=1e-5)


def test_a_cycle_by_shooting_starts_a_branch():
    cycle = dl.find_cycle(ZOO["Brusselator"], method=SHOOTING)
    branch = dl.continue_cycles(cycle, vary="B", over=(2.9, 4))
    # AUTO-07p: T(4) = 9.043693955.
    assert branch.at(B=4).single().period == pytest.approx(9.043693955, rel=1e-9)
