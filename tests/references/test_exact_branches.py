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
    diagram = dl.equilibrium_diagram(transcritical, vary="mu", over=(-1, 1))
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
    diagram = dl.equilibrium_diagram(pitchfork, vary="mu", over=(-1, 1))
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
    diagram = dl.equilibrium_diagram(subcritical_pitchfork, vary="mu", over=(-1, 1))
    folds = diagram.points(dl.Fold)
    assert [p["mu"] for p in folds] == pytest.approx([-0.25, -0.25], rel=1e-10)
    assert [p["x"] for p in folds] == pytest.approx([-(0.5**0.5), 0.5**0.5], rel=1e-9)
    point = diagram.points(dl.BranchPoint).single()
    assert point.criticality == "subcritical"
    assert len(diagram.points()) == 3


def test_imperfect_pitchfork_has_one_fold_and_no_branch_point():
    diagram = dl.equilibrium_diagram(imperfect_pitchfork, vary="mu", over=(-0.5, 1))
    fold = diagram.points().single()
    assert isinstance(fold, dl.Fold)
    assert fold["mu"] == pytest.approx(3 * 0.005 ** (2 / 3), rel=1e-10)
    assert fold["x"] == pytest.approx(-(0.005 ** (1 / 3)), rel=1e-9)
    assert len(diagram) == 2


def test_hopf_of_the_stuart_landau_normal_form():
    diagram = dl.equilibrium_diagram(stuart_landau, vary="mu", over=(-1, 1))
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
    hopf = dl.equilibrium_diagram(stuart_landau(b=1.0, c=1.0), vary="mu", over=(-1, 1)).points()
    assert hopf.single().criticality == "subcritical"
    assert hopf.single().lyapunov_coefficient == pytest.approx(2, rel=1e-10)
    with pytest.raises(dl.SettingError, match="does not exist above"):
        hopf.single().predicted_amplitude(0.1)


def test_degenerate_hopf_is_said_to_be_degenerate():
    hopf = dl.equilibrium_diagram(stuart_landau(b=0.0, c=1.0), vary="mu", over=(-1, 1)).points()
    assert hopf.single().criticality == "degenerate"


def test_neutral_saddle_is_no_hopf_point():
    diagram = dl.equilibrium_diagram(neutral_saddle, vary="mu", over=(0.5, 2))
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
    assert len(dl.equilibrium_diagram(circle, vary="lam", over=(-2, 2))) == 1


@dl.flow
def ignition(T=300.1, *, mu=0.0, rise=0.05):
    u = (T - 300) / rise
    return {T: mu + u - u**3 / 3}


@pytest.mark.parametrize("rise", [5.0, 0.05, 0.01])
def test_a_small_structure_far_from_the_origin(rise):
    # Three sheets within a few parts in ten thousand of the state: no loop may be seen in them.
    system = ignition(rise=rise).with_start(T=300 + 1.8 * rise)
    diagram = dl.equilibrium_diagram(system, vary="mu", over=(-2, 2), within={"T": (280, 320)})
    assert [p["mu"] for p in diagram.points(dl.Fold)] == pytest.approx([-2 / 3, 2 / 3], rel=1e-9)
    assert {e.status for b in diagram for e in b.ends} == {dl.Status.PARAMETER_BOUND}


@dl.flow
def tiny_pitchfork(x=0.0, *, mu=-1.0, s=1.0):
    return {x: mu * x - x * (x / s) ** 2}


@pytest.mark.parametrize("s", [1e-12, 1e-6, 1.0, 1e6])
def test_a_pitchfork_of_any_size(s):
    system = tiny_pitchfork(s=s)
    trunk = dl.continue_equilibrium(
        dl.Equilibrium.at(system, np.zeros(1), 0.0), vary="mu", over=(-1, 1)
    )
    point = trunk.points().single()
    assert point.kind == "pitchfork"
    fork = dl.switch_branch(point, over=(-1, 1))
    assert fork["mu"] == pytest.approx((fork["x"] / s) ** 2, abs=1e-8)
    assert np.max(np.abs(fork["x"])) == pytest.approx(s, rel=1e-9)


@dl.flow
def beside_a_slow_pair(x=0.0, y=0.0, a=0.0, b=0.0, *, mu=-0.5, slow=-1e-7):
    gain = mu - x**2 - y**2
    return {x: gain * x - y, y: gain * y + x, a: slow * a - 5 * b, b: 5 * a + slow * b}


@pytest.mark.parametrize("slow", [-1e-7, 1e-7])
def test_the_pair_that_crosses_is_found_beside_one_that_only_lies_near(slow):
    start = dl.Equilibrium.at(beside_a_slow_pair(slow=slow), np.zeros(4), 0.0)
    hopf = dl.continue_equilibrium(start, vary="mu", over=(-1, 1)).points().single()
    assert hopf.omega == pytest.approx(1, rel=1e-12)
    assert abs(hopf["mu"]) < 1e-12


@dl.flow
def stiff_fold(x=1.0, y=0.0, *, mu=1.0, k=1e8):
    return {x: mu - x**2, y: -k * y}


@pytest.mark.parametrize("k", [1.0, 1e4, 1e8])
def test_a_fold_beside_a_fast_direction(k):
    diagram = dl.equilibrium_diagram(stiff_fold(k=k), vary="mu", over=(-1, 1))
    fold = diagram.points().single()
    assert isinstance(fold, dl.Fold)
    assert fold.note == ""
    assert len(diagram.unconfirmed) == 0


@dl.flow
def bogdanov_takens(x=1.0, y=0.0, *, b1=-1.0, b2=0.0):
    return {x: y, y: b1 + b2 * x + x**2 - x * y}


def test_a_double_zero_is_noted_at_the_fold():
    # Kuznetsov 8.4: at b2 = 0 the fold of equilibria is the Bogdanov-Takens point itself.
    diagram = dl.equilibrium_diagram(bogdanov_takens, vary="b1", over=(-1, 1))
    fold = diagram.points().single()
    assert isinstance(fold, dl.Fold)
    assert fold.note.startswith("Bogdanov-Takens")
    other = dl.equilibrium_diagram(bogdanov_takens(b2=-1.0), vary="b1", over=(-1, 1))
    assert [(p.label, round(p["b1"], 9)) for p in other.points()] == [("HB", 0.0), ("LP", 0.25)]
    assert other.points(dl.Fold).single().note == ""


def test_the_imperfect_pitchfork_is_not_jumped_across():
    # The two pieces pass within 0.002 of each other; a jump would join them.
    diagram = dl.equilibrium_diagram(imperfect_pitchfork(h=1e-6), vary="mu", over=(-0.5, 1))
    assert len(diagram) == 2
    for branch in diagram:
        x, mu = branch["x"], branch["mu"]
        assert np.max(np.abs(1e-6 + mu * x - x**3)) < 1e-12
        assert np.max(np.abs(np.diff(x))) < 0.1
    assert diagram.points().single()["mu"] == pytest.approx(3 * (5e-7) ** (2 / 3), rel=1e-9)


@dl.flow
def brusselator_at_onset(x=1.0, y=1.0, *, a=1.0, b=2.0):
    return {x: a - (b + 1) * x + x**2 * y, y: b * x - x**2 * y}


@pytest.mark.parametrize("over", [(1, 3), (0.5, 4)])
def test_a_hopf_point_exactly_where_the_search_begins(over):
    hopf = dl.equilibrium_diagram(brusselator_at_onset, vary="b", over=over).points().single()
    assert hopf["b"] == pytest.approx(2, rel=1e-13)
    start = dl.find_equilibria(saddle_node(mu=0.0), within={"x": (-1, 1)}).single()
    fold = dl.continue_equilibrium(start, vary="mu", over=(-1, 1)).points().single()
    assert isinstance(fold, dl.Fold)


@dl.flow
def lotka_volterra(x=1.0, y=0.5, *, a=1.0, b=1.0, c=1.0, d=1.0):
    return {x: a * x - b * x * y, y: c * x * y - d * y}


@pytest.mark.parametrize("vary", ["a", "b", "c", "d"])
def test_a_family_of_centres_holds_no_hopf_point(vary):
    # The eigenvalues +-i sqrt(a d) stay on the axis: nothing crosses.
    diagram = dl.equilibrium_diagram(lotka_volterra, vary=vary, over=(0.5, 3))
    assert labels(diagram) == []
    assert len(diagram.unconfirmed) == 0


@dl.flow
def driven_pendulum(theta: dl.Angle = 0.1, v=0.0, *, torque=0.2, friction=0.3):
    return {theta: v, v: -dl.sin(theta) - friction * v + torque}


def test_a_branch_around_the_circle_closes():
    diagram = dl.equilibrium_diagram(driven_pendulum, vary="torque", over=(-1.5, 1.5))
    assert [p["torque"] for p in diagram.points()] == pytest.approx([-1, 1], rel=1e-12)
    (branch,) = diagram
    assert {end.status for end in branch.ends} == {dl.Status.CLOSED_LOOP}
    assert abs(branch["theta"][-1] - branch["theta"][0]) == pytest.approx(2 * np.pi, rel=1e-12)


@dl.flow
def rosenzweig_macarthur(x=0.5, y=0.2, *, K=2.0, m=0.4):
    return {x: x * (1 - x / K) - x * y / (1 + x), y: x * y / (1 + x) - m * y}


def test_a_range_that_begins_at_an_absent_population():
    # Closed forms: y = 0 loses stability at K = m / (1 - m) = 2/3; Hopf at K = (1 + m) / (1 - m).
    diagram = dl.equilibrium_diagram(
        rosenzweig_macarthur, vary="K", over=(0.2, 5), within={"x": (0, 6), "y": (0, 6)}
    )
    found = [(p.label, p["K"]) for p in diagram.points()]
    assert [label for label, _ in found] == ["BP", "HB"]
    assert [value for _, value in found] == pytest.approx([2 / 3, 7 / 3], rel=1e-10)
    absent = [b for b in diagram if np.max(np.abs(b["y"])) < 1e-9 and np.max(b["x"]) > 1]
    assert len(absent) == 1


@dl.flow
def many_sheets(x=0.0, *, h=0.0):
    return {x: h - x + 2 * dl.sin(3 * x)}


def test_branches_that_only_reach_in_from_the_ends_of_the_range():
    # Folds where 1 = 6 cos(3 x): h = x - 2 sin(3 x).
    first = np.arccos(1 / 6) / 3
    xs = [s * first + 2 * np.pi * k / 3 for s in (-1, 1) for k in range(-2, 3)]
    exact = sorted(h for h in (x - 2 * np.sin(3 * x) for x in xs) if abs(h) < 3)
    folds = dl.equilibrium_diagram(many_sheets, vary="h", over=(-3, 3)).points()
    assert [p["h"] for p in folds] == pytest.approx(exact, rel=1e-10)


@dl.flow
def epidemic(I=0.3, *, b=0.5, g=0.2):
    return {I: b * I * (1 - I) - g * I}


def test_a_branch_that_runs_off_says_so():
    diagram = dl.equilibrium_diagram(epidemic, vary="b", over=(0, 1))
    assert [p["b"] for p in diagram.points()] == pytest.approx([0.2], rel=1e-12)
    assert len(diagram) == 2
    assert dl.Status.DIVERGED in {end.status for b in diagram for end in b.ends}
    low, high = diagram.plot().get_ylim()
    assert high - low < 30


def test_a_crossing_with_a_line_of_equilibria_is_degenerate():
    @dl.flow
    def growth(n=0.5, *, r=0.5):
        return {n: r * n * (1 - n)}

    kinds = {p.kind for p in dl.equilibrium_diagram(growth, vary="r", over=(-1, 1)).points()}
    assert kinds == {"degenerate"}
