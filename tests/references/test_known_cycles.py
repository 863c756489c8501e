"""Limit cycles of the zoo against AUTO-07p's numbers and closed forms: values, periods, ends, labels.

The numbers are in ``dynlab/zoo/facts.toml`` with their sources and tolerances; those of AUTO are kept to the
digits on which two of its meshes agree.  Everything runs with default settings.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

CLASSES = {"cycle fold": dl.Fold, "period doubling": dl.PeriodDoubling}
ENDS = {
    "homoclinic": dl.Status.HOMOCLINIC,
    "heteroclinic": dl.Status.HETEROCLINIC,
    "snic": dl.Status.SADDLE_NODE_CIRCLE,
}
RANGES = {
    "fitzhugh_nagumo": (0, 2), "hodgkin_huxley": (0, 200), "morris_lecar": (-20, 300),
    "lorenz": (0, 30), "brusselator": (1, 6.5), "wilson_cowan": (0, 3), "jansen_rit": (-50, 400),
    "pp2": (0, 1), "roessler": (0.5, 6),
}  # fmt: skip
FACTS = [(n, f) for n in RANGES for f in zoo.facts(n)]


def chosen(*words):
    return [
        (n, f) for n, f in FACTS
        if f.what in words and not (n == "lorenz" and f.what == "period doubling")
    ]  # fmt: skip


def name_of(case):
    name, fact = case
    set_of = "-".join(f"{k}={v:.4g}" for k, v in (fact.at or {}).items())
    return f"{name}-{set_of}-{fact.what}-{fact.value:.6g}"


@cache
def branches_of(name, at):
    """Follow the cycles from every Hopf point, and for Roessler's system the cascade."""
    system, over = zoo.get(name)(**dict(at)), RANGES[name]
    vary = next(f.vary for n, f in FACTS if n == name and f.vary)
    if name == "roessler":
        return cascade(system, over)
    longest = {"morris_lecar": 2000.0}.get(name)
    hopfs = dl.equilibrium_diagram(system, vary=vary, over=over).points(dl.Hopf)
    return [dl.continue_cycles(h, over=over, longest=longest) for h in hopfs]


def cascade(system, over):
    branch = dl.continue_cycles(dl.find_cycle(system(c=2.5)), vary="c", over=over)
    found, start = [branch], None
    for _ in range(3):
        start = next(p for p in branch.points(dl.PeriodDoubling) if p is not start)
        branch = dl.continue_cycles(start, over=over)
        found.append(branch)
    return found


def branches_for(name, fact):
    return branches_of(name, tuple((fact.at or {}).items()))


@pytest.mark.parametrize("case", chosen("cycle fold", "period doubling"), ids=name_of)
def test_point_on_a_branch_of_cycles(case):
    name, fact = case
    branches = branches_for(name, fact)
    found = [p for b in branches for p in b.points(CLASSES[fact.what]) if p.orbit is not None]
    point = min(found, key=lambda p: abs(p.value - fact.value))
    assert point.value == pytest.approx(fact.value, rel=fact.tolerance)
    assert point.accuracy < 1e-8
    if fact.period is not None:
        # The period at a fold is known to 1e-4 only: its derivative is infinite there.
        near = 1e-4 if fact.what == "cycle fold" else fact.tolerance
        assert point.orbit.period == pytest.approx(fact.period, rel=near)


@pytest.mark.parametrize("case", chosen("cycle period"), ids=name_of)
def test_period_at_a_value(case):
    name, fact = case
    cycles = [c for b in branches_for(name, fact) for c in b.at(**{fact.vary: fact.value})]
    cycle = min(cycles, key=lambda c: abs(c.period - fact.period))
    assert cycle.period == pytest.approx(fact.period, rel=fact.tolerance)
    assert cycle.is_stable is fact.stable
    assert cycle.accuracy < 1e-7
    assert cycle.trivial_error < 1e-6


@pytest.mark.parametrize("case", chosen("value at period"), ids=name_of)
def test_value_at_a_period(case):
    name, fact = case
    cycles = [c for b in branches_for(name, fact) for c in b.at(period=fact.period)]
    values = [c[fact.vary] for c in cycles]
    assert values
    for value in values:
        assert value == pytest.approx(fact.value, rel=1e-8)


@pytest.mark.parametrize("case", chosen(*ENDS), ids=name_of)
def test_why_a_branch_ends(case):
    name, fact = case
    ends = [e for b in branches_for(name, fact) for e in b.ends if e.status is ENDS[fact.what]]
    assert ends
    for end in ends:
        assert end.value == pytest.approx(fact.value, rel=fact.tolerance)


@pytest.mark.parametrize("case", chosen("period"), ids=name_of)
def test_cycle_that_a_run_settles_on(case):
    name, fact = case
    cycle = dl.find_cycle(zoo.get(name)(**{fact.vary: fact.value}, **(fact.at or {})))
    assert cycle.period == pytest.approx(fact.period, rel=fact.tolerance)
    for word, k in (("minimum", 0), ("maximum", 1)):
        for state, value in (getattr(fact, word) or {}).items():
            assert cycle.extremes(state)[k] == pytest.approx(value, abs=1e-6)


EVERY = sorted({(n, tuple((f.at or {}).items())) for n, f in chosen("cycle period", *ENDS)})
FOLDS = {
    "fitzhugh_nagumo": 2, "hodgkin_huxley": 3, "lorenz": 0, "brusselator": 0, "wilson_cowan": 0,
    "roessler": 0, "pp2": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    "case", EVERY, ids=lambda c: "-".join([c[0], *map(str, dict(c[1]).values())])
)
def test_nothing_else_is_labelled(case):
    name, at = case
    known = [
        f.value for n, f in chosen(*CLASSES) if n == name and tuple((f.at or {}).items()) == at
    ]
    for branch in branches_of(*case):
        assert not branch.unconfirmed
        assert all(end.status.ok for end in branch.ends)
        points = [p for p in branch.points() if p.orbit is not None]
        assert not [p for p in points if isinstance(p, dl.Torus | dl.BranchPoint)]
        if name == "roessler":
            points = [
                p for p in points if p.value < 4.19
            ]  # the cascade goes on beyond what is known
        for point in points:
            assert np.min(np.abs(np.array(known) / point.value - 1)) < 1e-6, point
        if name in FOLDS and len(branch) > 3:
            assert len([p for p in points if isinstance(p, dl.Fold)]) == FOLDS[name]


def test_fitzhugh_nagumo_ends_at_the_other_hopf_point_and_is_not_retraced():
    # AUTO labels the end LP or BP and runs back and forth along the same family.
    (there, back) = branches_of("fitzhugh_nagumo", ())
    for branch, other in ((there, 1.4187186625453), (back, 0.33128133745475)):
        assert branch.ends[1].status is dl.Status.AT_HOPF_POINT
        assert branch.ends[1].value == pytest.approx(other, rel=1e-9)
        assert len(branch) < 400
    folds = [p.value for p in there.points(dl.Fold)]
    assert sum(folds) == pytest.approx(1.75, rel=1e-9)  # (v, w, I) -> (-v, 2a/b - w, 2a/b - I)


def test_leak_potential_shifts_every_current_alike():
    # EL + d shifts all currents by -gL d = -0.3 d, and changes nothing else.
    one, other = (branches_of("hodgkin_huxley", at)[0] for at in ((), (("EL", -54.387),)))
    for a, b in zip(one.points(dl.Fold), other.points(dl.Fold), strict=True):
        assert a.value - b.value == pytest.approx(0.3 * 0.013, rel=1e-6)
        assert a.orbit.period == pytest.approx(b.orbit.period, rel=1e-6)


def test_mirror_images_have_the_same_period():
    one, other = branches_of("lorenz", ())
    for rho in (15.0, 20.0):
        a, b = one.at(rho=rho).single(), other.at(rho=rho).single()
        assert a.period == pytest.approx(b.period, rel=1e-9)
        assert a.extremes("x")[0] == pytest.approx(-b.extremes("x")[1], rel=1e-6)


def test_period_near_a_saddle_node_on_a_circle_grows_like_an_inverse_square_root():
    (branch, *_) = branches_of(
        "morris_lecar", (("gCa", 4.0), ("V3", 12.0), ("V4", 17.4), ("phi", 1 / 15))
    )
    away = branch.values - 39.963153092745
    near = (branch.periods > 1000) & (away > 0)  # where the time on the way round is a small part
    assert np.sum(near) > 3
    slope = np.polyfit(np.log(away[near]), np.log(branch.periods[near]), 1)[0]
    assert slope == pytest.approx(-0.5, rel=0.02)


def test_lorenz_at_large_rho_breaks_its_symmetry_and_doubles():
    # AUTO's demo lor: 229.407, 218.210, 215.966 (printed to five or six digits).
    known = [f.value for f in zoo.facts("lorenz") if f.what == "period doubling"]
    cycle = dl.find_cycle(zoo.lorenz(rho=260.0), start={"x": 10.0, "y": 10.0, "z": 200.0})
    branch = dl.continue_cycles(cycle, vary="rho", over=(205, 340))
    assert not branch.points(dl.Fold)
    pitchfork = branch.points(dl.BranchPoint).single()
    # At a pitchfork of cycles both halves are each other's mirror image.
    low, high = pitchfork.orbit.extremes("x")
    assert low == pytest.approx(-high, rel=1e-4)
    found, start = [], branch.points(dl.PeriodDoubling)[0]
    while len(found) < 3:
        found.append(start.value)
        doubled = dl.continue_cycles(start, over=(205, 340))
        start = next((p for p in doubled.points(dl.PeriodDoubling) if p is not start), start)
    assert sorted(found) == pytest.approx(sorted(known), rel=1e-5)


def test_gaps_of_the_cascade_shrink_by_feigenbaums_ratio():
    points = [
        b.points(dl.PeriodDoubling)[0 if k == 0 else 1].value
        for k, b in enumerate(branches_of("roessler", ()))
    ]
    gaps = np.diff(points)
    assert gaps[:-1] / gaps[1:] == pytest.approx([3.50, 4.57], abs=0.01)


def radial(b):
    @dl.flow
    def clock(x=0.0, y=0.0, *, mu=-0.5, b=b):
        s = x * x + y * y
        return {x: mu * x - y + b * x * s - x * s * s, y: x + mu * y + b * y * s - y * s * s}

    return clock


def test_stuart_landau_in_closed_form():
    @dl.flow
    def clock(x=0.0, y=0.0, *, mu=-0.5):
        s = x * x + y * y
        return {x: mu * x - y - x * s, y: x + mu * y - y * s}

    hopf = dl.equilibrium_diagram(clock, vary="mu", over=(-0.5, 2)).points(dl.Hopf).single()
    branch = dl.continue_cycles(hopf, over=(-0.5, 2))
    assert branch.periods == pytest.approx(2 * np.pi, rel=1e-8)
    assert branch.extremes("x")[:, 1] == pytest.approx(np.sqrt(branch.values), abs=1e-6)
    for mu in (0.1, 1.0):
        cycle = branch.at(mu=mu).single()
        assert cycle.multipliers[1].real == pytest.approx(np.exp(-4 * np.pi * mu), rel=1e-6)
        assert np.hypot(cycle["x"], cycle["y"]) == pytest.approx(np.sqrt(mu), rel=1e-8)


def test_fold_of_cycles_in_closed_form():
    # r' = mu r + b r^3 - r^5 with b = 1: fold at mu = -1/4, r^2 = 1/2, T = 2 pi.
    hopf = dl.equilibrium_diagram(radial(1.0), vary="mu", over=(-0.5, 1)).points(dl.Hopf).single()
    branch = dl.continue_cycles(hopf, over=(-0.5, 1))
    fold = branch.points(dl.Fold).single()
    assert fold.value == pytest.approx(-0.25, rel=1e-9)
    assert np.hypot(fold["x"], fold["y"]) == pytest.approx(np.sqrt(0.5), rel=1e-5)
    assert fold.orbit.period == pytest.approx(2 * np.pi, rel=1e-9)


def test_torus_point_in_closed_form():
    # A circle r = 1 and an oscillator w' = (mu + i nu) w - |w|^2 w: multipliers exp(2 pi (mu +- i nu)).
    @dl.flow
    def two(x=1.0, y=0.0, u=0.0, v=0.0, *, mu=-0.3, nu=0.37):
        r, s = 1 - x * x - y * y, mu - u * u - v * v
        return {x: r * x - y, y: r * y + x, u: s * u - nu * v, v: s * v + nu * u}

    branch = dl.continue_cycles(dl.find_cycle(two), vary="mu", over=(-0.3, 0.4))
    point = branch.points().single()
    assert isinstance(point, dl.Torus)
    assert point.value == pytest.approx(0, abs=1e-9)
    assert point.angle == pytest.approx(2 * np.pi * 0.37, rel=1e-8)


def test_branch_point_in_closed_form():
    # Beside the circle r = 1 a third state with a pitchfork: multiplier exp(2 pi mu).
    @dl.flow
    def circle(x=1.0, y=0.0, z=0.0, *, mu=-0.3):
        r = 1 - x * x - y * y
        return {x: r * x - y, y: r * y + x, z: mu * z - z**3}

    branch = dl.continue_cycles(dl.find_cycle(circle), vary="mu", over=(-0.3, 0.4))
    point = branch.points().single()
    assert isinstance(point, dl.BranchPoint)
    assert point.value == pytest.approx(0, abs=1e-8)
