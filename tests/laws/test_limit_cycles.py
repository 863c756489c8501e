"""What holds for limit cycles of every system, whatever their units, names and order of states."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynlab as dl
from dynlab import zoo

SYSTEMS = {
    "fitzhugh_nagumo": ("I", (0.0, 2.0)),
    "brusselator": ("B", (1.0, 4.0)),
    "hodgkin_huxley": ("I", (0.0, 200.0)),
    "jansen_rit": ("p", (-50.0, 400.0)),
    "wilson_cowan": ("P", (0.0, 3.0)),
}


def hopfs(system, vary, over):
    return dl.equilibrium_diagram(system, vary=vary, over=over).points(dl.Hopf)


@cache
def branches(name):
    vary, over = SYSTEMS[name]
    return [dl.continue_cycles(h, over=over) for h in hopfs(zoo.get(name), vary, over)]


@cache
def some_cycles(name):
    """Return refined cycles at three values on each branch."""
    found = []
    for branch in branches(name):
        inner = np.linspace(branch.values.min(), branch.values.max(), 5)[1:-1]
        found += [c for value in inner for c in branch.at(**{branch.vary: value})]
        found += branch.at(**{branch.vary: np.mean(branch.values[:2])})[:1]  # near the Hopf point
    return found


@pytest.mark.parametrize("name", SYSTEMS)
def test_product_of_multipliers_is_the_exponential_of_the_divergence(name):
    # Liouville.  A product below 1e-12 may lie under the smallest multiplier that is resolved.
    cycles = [c for c in some_cycles(name) if c.divergence > np.log(1e-12)]
    # The gates of the axon and the filters of the column contract by 1e-19 and more in a period.
    assert cycles or name in ("hodgkin_huxley", "jansen_rit")
    for cycle in cycles:
        assert np.prod(cycle.multipliers) == pytest.approx(np.exp(cycle.divergence), rel=1e-6)


@pytest.mark.parametrize("name", SYSTEMS)
def test_trivial_multiplier_is_one_on_refined_cycles(name):
    for cycle in some_cycles(name):
        # Beside a multiplier of size M the others are known to M round-offs at best.
        assert cycle.trivial_error < max(1e-6, 1e-13 * np.max(np.abs(cycle.multipliers)))


def slow_and_large(stretch, names=("v", "w"), swap=False):
    """Return FitzHugh's membrane in other units of v and w, under other names, in another order."""
    (v, w), (sv, sw) = names, stretch
    first, second = names[::-1] if swap else names
    start = {v: -1.2 * sv, w: -0.6 * sw}
    at_v, at_w = f"({v}/{sv!r})", f"({w}/{sw!r})"
    rates = {
        v: f"{sv!r}*({at_v} - {at_v}**3/3 - {at_w} + I)",
        w: f"{sw!r}*0.08*({at_v} + 0.7 - 0.8*{at_w})",
    }
    return dl.system({n: rates[n] for n in (first, second)}, parameters={"I": 0.0}, start=start)


@pytest.mark.parametrize(
    ("stretch", "names", "swap"),
    [((1e3, 1.0), ("v", "w"), False), ((1.0, 1e-4), ("zeta", "a"), False), ((1.0, 1.0), ("v", "w"), True)],
)  # fmt: skip
def test_units_names_and_order_change_nothing(stretch, names, swap):
    plain = branches("fitzhugh_nagumo")[0]
    system = slow_and_large(stretch, names, swap)
    other = dl.continue_cycles(hopfs(system, "I", (0, 2))[0], over=(0, 2))
    for a, b in zip(plain.points(), other.points(), strict=True):
        assert type(a) is type(b)
        assert a.value == pytest.approx(b.value, rel=1e-9)
    assert [e.status for e in plain.ends] == [e.status for e in other.ends]
    a, b = plain.at(I=0.5).single(), other.at(I=0.5).single()
    assert a.period == pytest.approx(b.period, rel=1e-9)
    for old, new, size in zip(("v", "w"), names, stretch, strict=True):
        # Extremes are looked for at sixteen places of each interval.
        assert np.multiply(a.extremes(old), size) == pytest.approx(b.extremes(new), rel=1e-5)
    assert b.multipliers[1].real == pytest.approx(a.multipliers[1].real, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", ["brusselator", "hodgkin_huxley"])
def test_continuing_back_returns_to_the_start(name):
    vary, over = SYSTEMS[name]
    start = branches(name)[0].at(**{vary: 0.5 * sum(over)})[-1]
    away = dl.continue_cycles(start, vary=vary, over=over)
    far = away.at(**{vary: 0.6 * over[1] + 0.4 * over[0]})[-1]
    back = dl.continue_cycles(far, vary=vary, over=over).at(**{vary: start[vary]})
    assert any(
        c.period == pytest.approx(start.period, rel=1e-9)
        and c.extremes(c.system.state_names[0])
        == pytest.approx(start.extremes(start.system.state_names[0]), rel=1e-5)
        for c in back
    )


def slope_of_square(hopf, over):
    """Return d(amplitude^2)/d(parameter) at the Hopf point: of the cycles, and as l1 predicts.

    The amplitude is that of the first harmonic of each state, so that higher ones do not matter; two
    distances are extrapolated to none.
    """
    branch = dl.continue_cycles(hopf, over=over)
    way = 1.0 if hopf.crossing_speed.real * hopf.lyapunov_coefficient < 0 else -1.0
    slopes = []
    # Near: the harmonic has a hundredth of the range over which the branch was followed.
    for distance in (2e-3, 1e-3):
        value = hopf.value + way * distance * (over[1] - over[0]) * 0.1
        cycle = min(branch.at(**{hopf.vary: value}), key=lambda c: abs(c.period - hopf.period))
        t = np.linspace(0.0, cycle.period, 256, endpoint=False)
        states = np.column_stack([cycle.at(t, n) for n in cycle.system.state_names])
        harmonic = np.exp(-2j * np.pi * t / cycle.period) @ states / len(t)
        slopes.append(np.sum(np.abs(harmonic) ** 2) / (value - hopf.value))
    predicted = hopf.predicted_amplitude(value) ** 2 / (value - hopf.value)
    return 2 * slopes[1] - slopes[0], predicted


SUPERCRITICAL = [
    (name, k) for name, k in (("brusselator", 0), ("jansen_rit", 1), ("jansen_rit", 2), ("hodgkin_huxley", 1))
]  # fmt: skip


@pytest.mark.parametrize(("name", "which"), SUPERCRITICAL)
def test_square_of_the_amplitude_grows_as_the_lyapunov_coefficient_says(name, which):
    vary, over = SYSTEMS[name]
    hopf = hopfs(zoo.get(name), vary, over)[which]
    assert hopf.criticality == "supercritical"
    found, predicted = slope_of_square(hopf, over)
    assert found == pytest.approx(predicted, rel=0.01)


@settings(max_examples=5)
@given(
    a=st.floats(-1.0, 1.0), b=st.floats(-1.0, 1.0), c=st.floats(-1.0, 1.0),
    omega=st.floats(0.5, 3.0), cubic=st.floats(-3.0, -1.5),
)  # fmt: skip
def test_square_of_the_amplitude_in_random_planes(a, b, c, omega, cubic):
    @dl.flow
    def plane(x=0.0, y=0.0, *, mu=0.0, a=1.0, b=1.0, c=1.0, omega=1.0, cubic=-1.0):
        s = cubic * (x * x + y * y)
        return {
            x: mu * x - omega * y + s * x + a * x * y + b * y * y,
            y: omega * x + mu * y + s * y + c * x * x,
        }

    system = plane(a=a, b=b, c=c, omega=omega, cubic=cubic)
    rest = dl.find_equilibria(system(mu=-0.5), within={"x": (-0.1, 0.1), "y": (-0.1, 0.1)}).single()
    (hopf,) = dl.continue_equilibrium(rest, vary="mu", over=(-0.5, 1.0)).points(dl.Hopf)
    if hopf.lyapunov_coefficient * omega > -1.0:
        return  # the quadratic terms weigh against the cubic ones: the slope holds nearby only
    found, predicted = slope_of_square(hopf, (-0.5, 1.0))
    assert found == pytest.approx(predicted, rel=0.01)
