"""Every model's bifurcation diagram against the literature: all that is known, and nothing else.

The numbers are in ``dynlab/zoo/facts.toml`` with their sources and tolerances.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

_CLASSES = {
    "fold": dl.Fold,
    "hopf": dl.Hopf,
    "branch point": dl.BranchPoint,
    "transcritical": dl.BranchPoint,
    "pitchfork": dl.BranchPoint,
}
FACTS = [(name, fact) for name in zoo.names() for fact in zoo.facts(name)]
DIAGRAMS = [(n, f) for n, f in FACTS if f.what == "diagram"]
POINTS = [(n, f) for n, f in FACTS if f.what in _CLASSES and f.over is not None]


def name_of(case):
    name, fact = case
    where = "" if fact.value is None else f"-{fact.value:.6g}"
    return f"{name}-{fact.what}-{fact.vary}{where}"


@cache
def diagram_of(name, vary, over, at, start):
    system = zoo.get(name)(**dict(at))
    if start:
        system = system.with_start(**dict(start))
    return dl.equilibrium_diagram(system, vary=vary, over=over)


def diagram_for(name, fact):
    return diagram_of(
        name, fact.vary, tuple(fact.over), tuple(fact.at.items()), tuple((fact.start or {}).items())
    )


@pytest.mark.parametrize("case", DIAGRAMS, ids=name_of)
def test_diagram_finds_these_points_and_no_others(case):
    name, fact = case
    diagram = diagram_for(name, fact)
    for kind, count in fact.finds.items():
        found = diagram.points(_CLASSES[kind])
        # A second, disconnected branch in the range may add points that other facts list.
        listed = {
            round(f.value, 6)
            for n, f in POINTS
            if n == name and f.what == kind and f.vary == fact.vary
        }
        extra = [p for p in found if round(p.value, 6) not in listed]
        assert len(found) == count or (len(found) > count and not extra), (kind, found)
    assert sum(map(len, (diagram.points(c) for c in set(_CLASSES.values())))) == len(
        diagram.points()
    )
    assert len(diagram.unconfirmed) == 0


@pytest.mark.parametrize("case", POINTS, ids=name_of)
def test_special_point_and_its_normal_form(case):
    name, fact = case
    found = diagram_for(name, fact).points(_CLASSES[fact.what])
    assert len(found) > 0
    point = min(found, key=lambda p: (round(abs(p.value - fact.value), 6), _off(p, fact)))
    tolerance = max(fact.tolerance, 1e-12)
    assert point.value == pytest.approx(fact.value, rel=tolerance, abs=tolerance)
    assert point.accuracy < 1e-10
    for state, value in (fact.state or {}).items():
        # A state at a fold is known to the digits printed.
        assert point[state] == pytest.approx(value, rel=1e-8, abs=1e-8), state
    if fact.omega is not None:
        assert point.omega == pytest.approx(fact.omega, rel=1e-8)
    if fact.period is not None:
        assert point.period == pytest.approx(fact.period, rel=1e-8)
    if fact.l1 is not None:
        assert point.lyapunov_coefficient == pytest.approx(fact.l1, rel=1e-6, abs=1e-9)
    if fact.coefficient is not None:
        assert abs(point.coefficient) == pytest.approx(abs(fact.coefficient), rel=1e-6)


def _off(point, fact):
    return sum(abs(point[k] - v) for k, v in (fact.state or {}).items())


def test_fitzhugh_nagumo_critical_currents_sum_to_two_a_over_b():
    first, second = diagram_of("fitzhugh_nagumo", "I", (0.0, 2.0), (), ()).points(dl.Hopf)
    assert first["I"] + second["I"] == pytest.approx(1.75, rel=1e-12)


def test_hodgkin_huxley_currents_shift_with_the_leak_reversal():
    rows = [
        [p["I"] for p in diagram_of("hodgkin_huxley", "I", (0.0, 200.0), at, ()).points(dl.Hopf)]
        for at in ((), (("EL", -54.387),))
    ]
    # EL + d shifts every bifurcation current by -gL d.
    assert np.subtract(rows[1], rows[0]) == pytest.approx([-0.3 * 0.013] * 2, rel=1e-8)


def test_lorenz_hopf_points_are_mirror_images():
    left, right = diagram_of("lorenz", "rho", (0.0, 30.0), (), ()).points(dl.Hopf)
    assert left["rho"] == pytest.approx(470 / 19, rel=1e-12)
    assert [left["x"], left["y"], left["z"]] == pytest.approx(
        [-right["x"], -right["y"], right["z"]], rel=1e-10
    )


def test_roessler_fold_is_noted_as_zero_hopf():
    fold = diagram_of("roessler", "c", (0.1, 6.0), (), ()).points().single()
    assert fold.note.startswith("zero-Hopf")


@pytest.mark.parametrize("A", [0.5, 1.0, 1.7, 2.5])
def test_brusselator_hopf_for_any_feed(A):
    diagram = dl.equilibrium_diagram(zoo.brusselator(A=A), vary="B", over=(0.2, 9.0))
    hopf = diagram.points().single()
    assert hopf["B"] == pytest.approx(1 + A**2, rel=1e-11)
    assert hopf.omega == pytest.approx(A, rel=1e-11)


def test_morris_lecar_neutral_saddle_has_no_label():
    diagram = diagram_of(
        "morris_lecar", "I", (-20.0, 150.0),
        (("gCa", 4.0), ("V3", 12.0), ("V4", 17.4), ("phi", 1 / 15)), (),
    )  # fmt: skip
    assert all(abs(p["I"] - 36.67) > 0.1 for p in diagram.points())
