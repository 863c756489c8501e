"""Bifurcations of maps against closed forms, and nothing else labelled.

The numbers are in ``dynlab/zoo/facts.toml`` with their sources; the normal forms are those of
Kuznetsov, Elements of Applied Bifurcation Theory, chapters 4 and 9.
"""

from __future__ import annotations

from functools import cache

import mpmath
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

CLASSES = {
    "fold": dl.Fold,
    "cycle fold": dl.Fold,
    "transcritical": dl.BranchPoint,
    "pitchfork": dl.BranchPoint,
    "period doubling": dl.PeriodDoubling,
    "torus": dl.Torus,
}
FACTS = [
    fact
    for name in zoo.names()
    if zoo.get(name).is_discrete
    for fact in zoo.facts(name)
    if fact.what in CLASSES
]


def label(fact):
    return f"{fact.model}-{fact.what}-{fact.vary}-{fact.value:.6g}"


@cache
def diagram_of(name, vary, over, at, periods):
    system = zoo.get(name)(**dict(at))
    return dl.bifurcation_diagram(system, vary=vary, over=over, periods=periods)


def diagram_for(fact):
    periods = (int(fact.period),) if fact.what == "cycle fold" else None
    return diagram_of(fact.model, fact.vary, fact.over, tuple(fact.at.items()), periods)


@pytest.mark.parametrize("fact", FACTS, ids=label)
def test_a_known_bifurcation_is_found_with_its_multipliers(fact):
    diagram = diagram_for(fact)
    period = int(fact.period or 1)
    near = [
        p
        for p in diagram.points(CLASSES[fact.what])
        if p.period == period and abs(p.value - fact.value) <= fact.tolerance * abs(fact.value)
        and all(abs(p[n] - v) < 1e-8 for n, v in fact.state.items())
    ]  # fmt: skip
    # The two mirror images of a point of the cubic map have the same parameter.
    assert len(near) == (2 if "mirror" in fact.note else 1), (near, diagram.points())
    assert near[0].accuracy < 1e-10
    # What the point is named for: a multiplier on the unit circle.
    on_circle = np.min(np.abs(np.abs(near[0].eigenvalues) - 1.0))
    assert on_circle < 1e-7
    if fact.what in ("transcritical", "pitchfork"):
        assert near[0].kind == fact.what
    if fact.eigenvalues:
        found, known = np.poly(near[0].eigenvalues), np.poly(fact.eigenvalues)
        assert found == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize(
    ("system", "vary", "over", "labels"),
    [
        (zoo.logistic, "r", (0.5, 4.0), "BP PD PD PD PD"),
        (zoo.henon, "a", (-0.5, 1.6), "LP PD PD PD PD"),
        (zoo.delayed_logistic, "r", (0.5, 2.5), "BP NS"),
        (zoo.ricker, "r", (0.5, 3.0), "PD PD PD PD"),
        (zoo.cubic, "r", (0.0, 3.0), "BP PD PD PD PD PD PD PD PD"),
        (zoo.generalized_henon(beta=1.2, R=0.5), "alpha", (-3.0, 4.0), "LP NS PD PD PD PD"),
        (zoo.sine_circle, "Omega", (0.0, 2.0), "LP"),
        (zoo.standard_map, "K", (0.5, 5.0), "PD"),
        (zoo.lozi, "a", (0.6, 1.8), ""),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_nothing_else_is_labelled(system, vary, over, labels):
    diagram = dl.bifurcation_diagram(system, vary=vary, over=over)
    assert [p.label for p in diagram.points()] == labels.split()
    assert diagram.unconfirmed == ()


def test_the_cascade_of_the_logistic_map():
    diagram = diagram_of("logistic", "r", (0.5, 4.0), (), None)
    doublings = diagram.points(dl.PeriodDoubling)
    # 3 and 1 + sqrt 6 are exact; the next two are algebraic numbers (OEIS A086181, A091517).
    known = [3.0, 1 + 6**0.5, 3.5440903595519228, 3.5644072660954326]
    assert [p["r"] for p in doublings] == pytest.approx(known, rel=1e-14)
    assert [p.period for p in doublings] == [1, 2, 4, 8]
    assert {p.criticality for p in doublings} == {"supercritical"}
    # b = (f''/2)^2 + f'''/6 = r^2 at the fixed point.
    assert doublings[0].coefficient == pytest.approx(9.0, rel=1e-12)
    assert doublings[0].crossing_speed == pytest.approx(-1.0, rel=1e-12)


def test_the_window_of_period_three():
    cycles = dl.find_periodic_orbits(zoo.logistic(r=3.84), period=3, within={"x": (0, 1)})
    branch = dl.continue_equilibrium(cycles[0], vary="r", over=(3.5, 4.0))
    fold, first = branch.points()
    assert fold["r"] == pytest.approx(1 + 8**0.5, rel=1e-14)
    second = dl.switch_branch(first, over=(3.5, 4.0)).points()[-1]
    third = dl.switch_branch(second, over=(3.5, 4.0)).points()[-1]
    assert [p.label for p in (fold, first, second, third)] == ["LP", "PD", "PD", "PD"]
    assert [p.period for p in (fold, first, second, third)] == [3, 3, 6, 12]

    def steps(x, r, n):
        slope = mpmath.mpf(1)
        for _ in range(n):
            x, slope = r * x * (1 - x), slope * r * (1 - 2 * x)
        return x, slope

    with mpmath.workdps(30):
        for point in (first, second, third):
            guess = round(point["x"], 7), round(point["r"], 7)
            _, r = mpmath.findroot(
                lambda x, r, n=point.period: [steps(x, r, n)[0] - x, steps(x, r, n)[1] + 1], guess
            )
            assert point["r"] == pytest.approx(float(r), rel=1e-13)


def test_the_torus_point_of_the_delayed_logistic_map():
    torus = diagram_of("delayed_logistic", "r", (0.5, 2.5), (), None).points(dl.Torus).single()
    assert torus["r"] == pytest.approx(2.0, rel=1e-14)
    assert torus.angle == pytest.approx(np.pi / 3, rel=1e-14)
    assert np.sort_complex(torus.multipliers) == pytest.approx(
        np.exp([-1j * np.pi / 3, 1j * np.pi / 3])
    )
    # Kuznetsov, example 4.2, has d = -2 for q = (exp(i pi / 3), 1), whose length is sqrt 2.
    assert torus.coefficient == pytest.approx(-1.0, rel=1e-12)
    assert torus.criticality == "supercritical"
    assert torus.resonance == ""


def test_the_closed_curve_beyond_the_torus_point_has_the_predicted_size():
    torus = diagram_of("delayed_logistic", "r", (0.5, 2.5), (), None).points(dl.Torus).single()
    excess = 1e-4
    growth = (torus.crossing_speed * np.exp(-1j * torus.angle)).real
    amplitude = np.sqrt(-growth * excess / torus.coefficient)
    orbit = dl.iterate(
        zoo.delayed_logistic(r=2 + excess), start={"x": 0.52, "y": 0.5}, duration=400_000,
        at=range(399_000, 400_000),
    )  # fmt: skip
    size = float(np.ptp(orbit["x"])) / 2
    # x = 2 Re(z q) with |q_x| = 1 / sqrt 2; the next order is smaller by the amplitude itself.
    assert size == pytest.approx(2 * amplitude * abs(torus.eigenvector[0]), rel=5 * amplitude)


@pytest.mark.parametrize(
    ("angle", "name"), [(2 * np.pi / 3, "1:3"), (np.pi / 2, "1:4"), (1.3, "")], ids=str
)
def test_strong_resonances_are_named(angle, name):
    torus = dl.bifurcation_diagram(
        rotating(c=np.cos(angle), s=np.sin(angle)), vary="mu", over=(-0.5, 0.5)
    ).points()
    assert torus.single().resonance == name
    assert torus.single()["mu"] == pytest.approx(0.0, abs=1e-12)
    assert torus.single().criticality == ("degenerate" if name else "supercritical")
    assert np.isnan(torus.single().coefficient) == (name == "1:3")


@dl.iterated_map
def rotating(x=0.1, y=0.0, *, mu=-0.3, c=1.0, s=0.0):
    gain = 1 + mu - (x**2 + y**2)
    return {x: gain * (c * x - s * y), y: gain * (s * x + c * y)}


@pytest.mark.parametrize(("c", "reason"), [(-1.0, "1:2 resonance|together"), (1.0, "1:1|together")])
def test_pairs_that_meet_on_the_real_axis_are_not_confirmed(c, reason):
    point = dl.find_equilibria(rotating(c=c, mu=-0.4), within={"x": (-0.1, 0.1), "y": (-0.1, 0.1)})
    branch = dl.continue_equilibrium(point.single(), vary="mu", over=(-0.5, 0.5))
    assert branch.points() == ()
    doubt = branch.unconfirmed.single()
    assert doubt.suspected == "torus point"
    assert any(word in doubt.reason for word in reason.split("|"))


def test_a_neutral_saddle_is_no_torus_point():
    @dl.iterated_map
    def saddle(x=0.0, y=0.0, *, mu=1.6):
        return {x: mu * x - x**2, y: y / 2}

    rest = dl.find_equilibria(saddle, within={"x": (-0.2, 0.2), "y": (-1, 1)}).single()
    branch = dl.continue_equilibrium(rest, vary="mu", over=(1.5, 3.0))
    assert abs(branch.at(mu=2.0).single().eigenvalues.prod() - 1) < 1e-12
    assert branch.points() == ()
    assert branch.unconfirmed == ()
