"""Equilibrium branches with closed forms: what must be found, and nothing else.

The systems are the textbook normal forms (Kuznetsov, Elements of Applied Bifurcation Theory, ch. 3, 5
and 8; Strogatz, Nonlinear Dynamics and Chaos, ch. 3).
"""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl


@dl.flow
def saddle_node(x=1.0, *, mu=1.0):
    return {x: mu - x**2}


@dl.flow
def transcritical(x=0.5, *, mu=0.5):
    return {x: mu * x - x**2}


@dl.flow
def pitchfork(x=0.5, *, mu=0.5):
    return {x: mu * x - x**3}


@dl.flow
def subcritical_pitchfork(x=0.1, *, mu=-0.5):
    return {x: mu * x + x**3 - x**5}


@dl.flow
def imperfect_pitchfork(x=1.0, *, mu=0.5, h=0.01):
    return {x: h + mu * x - x**3}


@dl.flow
def stuart_landau(x=0.1, y=0.0, *, mu=-0.5, b=-1.0, c=0.0):
    square = x**2 + y**2
    gain = mu + b * square - c * square**2
    return {x: gain * x - y, y: gain * y + x}


@dl.flow
def neutral_saddle(x=0.0, y=0.0, *, mu=0.6):
    return {x: mu * x + x**2, y: -y}


@dl.flow
def circle(x=0.8, *, lam=0.6):
    return {x: x**2 + lam**2 - 1}


def labels(found):
    return [(p.label, p.value) for p in found.points()]


def test_fold_is_passed_in_both_directions():
    branch = dl.continue_equilibrium(
        dl.find_equilibria(saddle_node, within={"x": (0, 2)}).single(), vary="mu", over=(-1, 1)
    )
    fold = branch.points().single()
    assert isinstance(fold, dl.Fold)
    assert abs(fold["mu"]) < 1e-12
    assert abs(fold["x"]) < 1e-10
    assert abs(fold.coefficient) == pytest.approx(1.0, rel=1e-10)
    assert branch["x"][[0, -1]].tolist() == pytest.approx([-1, 1]) or branch["x"][
        [0, -1]
    ].tolist() == pytest.approx([1, -1])
    # Every point of the branch, not only the special one, lies on the parabola.
    assert np.max(np.abs(branch["mu"] - branch["x"] ** 2)) < 1e-12


def test_transcritical_and_its_crossing_branch():
    diagram = dl.bifurcation_diagram(transcritical, vary="mu", over=(-1, 1))
    point = diagram.points().single()
    assert isinstance(point, dl.BranchPoint)
    assert point.kind == "transcritical"
    assert abs(point["mu"]) < 1e-12
    assert abs(point["x"]) < 1e-12
    assert len(diagram) == 2
    b, a, _ = point.coefficients
    assert (b, a) == pytest.approx((1.0, -1.0))
    ends = {round(float(x), 9) for branch in diagram for x in branch["x"][[0, -1]]}
    assert ends == {0.0, -1.0, 1.0}


def test_pitchfork_with_both_half_branches():
    diagram = dl.bifurcation_diagram(pitchfork, vary="mu", over=(-1, 1))
    point = diagram.points().single()
    assert point.kind == "pitchfork"
    assert point.criticality == "supercritical"
    assert abs(point["mu"]) < 1e-12
    b, a, c = point.coefficients
    assert (b, a, c) == pytest.approx((1.0, 0.0, -1.0), abs=1e-9)
    assert len(diagram) == 2
    fork = max(diagram, key=lambda branch: float(np.ptp(branch["x"])))
    assert fork["x"].min() == pytest.approx(-1, abs=1e-9)
    assert fork["x"].max() == pytest.approx(1, abs=1e-9)
    assert np.max(np.abs(fork["mu"] - fork["x"] ** 2)) < 1e-9


def test_subcritical_pitchfork_with_its_folds():
    diagram = dl.bifurcation_diagram(subcritical_pitchfork, vary="mu", over=(-1, 1))
    folds = diagram.points(dl.Fold)
    assert [p["mu"] for p in folds] == pytest.approx([-0.25, -0.25], rel=1e-10)
    assert [p["x"] for p in folds] == pytest.approx([-(0.5**0.5), 0.5**0.5], rel=1e-9)
    point = diagram.points(dl.BranchPoint).single()
    assert point.criticality == "subcritical"
    assert len(diagram.points()) == 3


def test_imperfect_pitchfork_has_one_fold_and_no_branch_point():
    diagram = dl.bifurcation_diagram(imperfect_pitchfork, vary="mu", over=(-0.5, 1))
    fold = diagram.points().single()
    assert isinstance(fold, dl.Fold)
    assert fold["mu"] == pytest.approx(3 * 0.005 ** (2 / 3), rel=1e-10)
    assert fold["x"] == pytest.approx(-(0.005 ** (1 / 3)), rel=1e-9)
    assert len(diagram) == 2


def test_hopf_of_the_stuart_landau_normal_form():
    diagram = dl.bifurcation_diagram(stuart_landau, vary="mu", over=(-1, 1))
    hopf = diagram.points().single()
    assert isinstance(hopf, dl.Hopf)
    assert abs(hopf["mu"]) < 1e-12
    assert hopf.omega == pytest.approx(1, rel=1e-12)
    assert hopf.period == pytest.approx(2 * np.pi, rel=1e-12)
    # Re c1 = -1 for the amplitude x + iy; the unit eigenvector makes it -2.
    assert hopf.lyapunov_coefficient == pytest.approx(-2, rel=1e-10)
    assert hopf.crossing_speed == pytest.approx(1.0)
    # The exact cycle has radius sqrt(mu).
    cycle = hopf.predicted_cycle(0.04)
    assert np.hypot(cycle["x"], cycle["y"]) == pytest.approx(np.full(200, 0.2), rel=1e-9)


def test_hopf_of_the_quintic_normal_form_is_subcritical():
    hopf = dl.bifurcation_diagram(stuart_landau(b=1.0, c=1.0), vary="mu", over=(-1, 1)).points()
    assert hopf.single().criticality == "subcritical"
    assert hopf.single().lyapunov_coefficient == pytest.approx(2, rel=1e-10)
    with pytest.raises(dl.SettingError, match="does not exist above"):
        hopf.single().predicted_amplitude(0.1)


def test_degenerate_hopf_is_said_to_be_degenerate():
    hopf = dl.bifurcation_diagram(stuart_landau(b=0.0, c=1.0), vary="mu", over=(-1, 1)).points()
    assert hopf.single().criticality == "degenerate"


def test_neutral_saddle_is_no_hopf_point():
    diagram = dl.bifurcation_diagram(neutral_saddle, vary="mu", over=(0.5, 2))
    assert labels(diagram) == []
    assert len(diagram.unconfirmed) == 0


def test_circle_is_followed_once():
    start = dl.find_equilibria(circle, within={"x": (0, 2)}).single()
    branch = dl.continue_equilibrium(start, vary="lam", over=(-2, 2))
    assert sorted(p["lam"] for p in branch.points()) == pytest.approx([-1, 1], rel=1e-10)
    assert all(isinstance(p, dl.Fold) for p in branch.points())
    assert {end.status for end in branch.ends} == {dl.Status.CLOSED_LOOP}
    turned = np.unwrap(np.arctan2(branch["x"], branch["lam"]))
    assert abs(turned[-1] - turned[0]) == pytest.approx(2 * np.pi, abs=1e-9)
    assert len(dl.bifurcation_diagram(circle, vary="lam", over=(-2, 2))) == 1
