"""Branches of cycles and diagrams with them: misuse, saving, tables, stopping."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

OVER = (1.0, 3.0)


def refused(kind, *words):
    """Expect an error whose message has what, where and what to try."""
    return pytest.raises(kind, match="(?s)" + ".*".join(words))


@cache
def diagram():
    return dl.bifurcation_diagram(zoo.brusselator, vary="B", over=OVER)


def hopf():
    return diagram().points(dl.Hopf).single()


def branch():
    (found,) = diagram().cycles
    return found


def test_only_what_cycles_leave_is_a_start():
    rest = dl.find_equilibria(zoo.brusselator).single()
    with refused(dl.SettingError, "from a Hopf point", "got Equilibrium", "find_cycle"):
        dl.continue_cycles(rest, vary="B", over=OVER)
    with refused(dl.SettingError, "got str"):
        dl.continue_cycles("hopf", vary="B", over=OVER)
    with refused(dl.SettingError, "say which parameter", "A, B"):
        dl.continue_cycles(dl.find_cycle(zoo.brusselator), over=OVER)


def test_wrong_parameters_and_ranges():
    cycle = dl.find_cycle(zoo.brusselator)
    with refused(dl.UnknownNameError, "'C'", "'brusselator'", "A, B"):
        dl.continue_cycles(cycle, vary="C", over=OVER)
    with refused(dl.SettingError, "found varying 'B', not 'A'", "take a cycle of the branch"):
        dl.continue_cycles(hopf(), vary="A", over=OVER)
    with refused(dl.SettingError, "B = 2", "outside over = \\(2.5, 3\\)", "Widen"):
        dl.continue_cycles(hopf(), over=(2.5, 3.0))
    with refused(dl.SettingError, "longest is 1", "period 6.28", "larger"):
        dl.continue_cycles(hopf(), over=OVER, longest=1.0)
    with refused(dl.SettingError, "range of 'B' is empty", "two different"):
        dl.continue_cycles(hopf(), over=(2.0, 2.0))


def test_a_doubling_of_a_map_is_left_by_switch_branch():
    fixed = dl.find_equilibria(zoo.logistic(r=2.5), within={"x": (0.1, 1)}).single()
    doubling = dl.continue_equilibrium(fixed, vary="r", over=(2.4, 3.2)).points(dl.PeriodDoubling)[
        0
    ]
    with refused(dl.SettingError, "one of a map", "dl.switch_branch"):
        dl.continue_cycles(doubling, over=(2.4, 3.2))


def test_at_takes_one_known_quantity():
    with refused(dl.SettingError, "takes one quantity, got 0", "branch.at"):
        branch().at()
    with refused(dl.SettingError, "takes one quantity, got 2"):
        branch().at(B=2.5, period=7.0)
    with refused(dl.UnknownNameError, "'x'", "or its period"):
        branch().at(x=1.0)
    with pytest.raises(dl.SettingError, match="B"):
        branch().at(B=float("nan"))
    assert branch().at(B=17.0) == ()


def test_quantities_by_name():
    assert branch()["B"] is branch().values
    assert branch()["period"] is branch().periods
    assert np.all(branch()["A"] == 1.0)
    with refused(dl.UnknownNameError, "'x'"):
        branch()["x"]
    with refused(dl.UnknownNameError, "'u'", "state or observable of 'brusselator'"):
        branch().extremes("u")
    with refused(dl.SettingError, "takes a class such as dl.Fold"):
        branch().points("fold")
    low, high = branch().extremes("x").T
    assert np.all(low <= high)
    assert (low[0], high[0]) == pytest.approx((1.0, 1.0))  # the Hopf point, at (A, B / A)


def test_observables_have_extremes_too():
    seen = zoo.brusselator.with_observable(total=lambda x, y: x + y)
    found = dl.continue_cycles(
        dl.equilibrium_diagram(seen, vary="B", over=OVER).points(dl.Hopf).single(), over=OVER
    )
    cycle = found.at(B=2.5).single()
    total = cycle["x"] + cycle["y"]
    assert cycle.extremes("total")[1] == pytest.approx(total.max(), rel=1e-4)
    assert set(found.to_table()) >= {"min total", "max total"}


def test_a_picture_of_periods_needs_cycles():
    rest = dl.equilibrium_diagram(zoo.brusselator, vary="B", over=OVER)
    with refused(dl.SettingError, "holds no limit cycles", "dl.continue_cycles"):
        rest.plot_period()


def same(a, b):
    assert repr(a) == repr(b)
    for field in (
        "values",
        "periods",
        "intervals",
        "meshes",
        "profiles",
        "eigenvalues",
        "divergences",
    ):
        assert np.array_equal(getattr(a, field), getattr(b, field), equal_nan=True)
    assert a.ends == b.ends
    for (i, p), (j, q) in zip(a.special, b.special, strict=True):
        assert (i, repr(p), repr(p.orbit)) == (j, repr(q), repr(q.orbit))


def test_saved_branches_come_back(tmp_path):
    whole = dl.bifurcation_diagram(zoo.fitzhugh_nagumo, vary="I", over=(0, 2))
    (cycles,) = whole.cycles
    cycles.save(tmp_path / "branch.npz")
    same(dl.load(tmp_path / "branch.npz"), cycles)
    whole.save(tmp_path / "diagram.npz")
    again = dl.load(tmp_path / "diagram.npz")
    assert repr(again) == repr(whole)
    same(again.cycles[0], cycles)
    # What came back can be asked further.
    assert again.cycles[0].at(I=0.5).single().period == pytest.approx(39.474415, rel=1e-7)


def test_tables_have_a_row_for_each_point():
    table = branch().to_table()
    assert {len(column) for column in table.values()} == {len(branch())}
    assert table["label"][0] == "HB"
    assert set(table) >= {"B", "period", "min x", "max x", "unstable", "multiplier 1", "label"}
    frame = branch().to_dataframe()
    assert list(frame["period"]) == list(branch().periods)
    everything = diagram().to_table()
    assert len(everything["B"]) == sum(map(len, diagram()))
    assert np.all(np.isnan(everything["period"][everything["branch"] == 0]))


def test_a_stopped_continuation_keeps_what_it_has():
    start = hopf()
    with dl.stop_after(1e-6):
        part = dl.continue_cycles(start, over=OVER)
    assert part.status is dl.Status.STOPPED
    assert 1 <= len(part) < len(branch())
    with dl.stop_after(1e-6):
        cut = dl.continue_cycles(branch().at(B=2.5).single(), vary="B", over=OVER)
    assert [end.status for end in cut.ends] == [dl.Status.STOPPED] * 2


def test_few_steps_end_a_branch_with_a_status():
    few = dl.PseudoArclength(first_step=1e-2, step_max=0.1, max_points=4)
    short = dl.continue_cycles(hopf(), over=OVER, method=few)
    assert short.ends[1].status is dl.Status.TOO_MANY_STEPS
    assert short.ends[1].status.advice


def test_pictures_of_a_branch():
    assert "period" in branch().plot_period().get_ylabel()
    assert branch().plot(show="y").get_ylabel().strip("$") == "y"
    assert branch().plot_multipliers().get_xlabel().strip("$") == "B"
    with refused(dl.UnknownNameError, "'banana'"):
        branch().plot(show="banana")


def test_a_doubled_branch_ends_where_the_single_one_doubles_again():
    # The bubble between two period doublings of the squid axon's unstable cycle, from both its ends.
    over = (0.0, 200.0)
    onset = dl.equilibrium_diagram(zoo.hodgkin_huxley, vary="I", over=over).points(dl.Hopf)[0]
    first, last = dl.continue_cycles(onset, over=over).points(dl.PeriodDoubling)
    bubble = dl.continue_cycles(first, over=over)
    assert [end.status for end in bubble.ends] == [dl.Status.SHORTER_CYCLE] * 2
    assert bubble.ends[1].value == pytest.approx(last.value, rel=1e-6)


def test_stability_in_the_plane_is_told_up_to_the_homoclinic_orbit():
    # The multipliers are lost there; the outer cycle is stable all the way (its saddle contracts).
    cell = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=0.23)
    (cycles,) = dl.bifurcation_diagram(cell, vary="I", over=(-20, 300)).cycles
    assert cycles.ends[1].status is dl.Status.HOMOCLINIC
    assert not np.all(cycles.reliable)
    fold = next(k for k, p in cycles.special if isinstance(p, dl.Fold))
    assert np.all(cycles.unstable[:fold] == 1)
    assert np.all(cycles.unstable[fold:] == 0)


@pytest.mark.parametrize("eps", [0.04, 0.015])
def test_fold_of_a_canard_explosion_is_found_where_the_branch_stands_upright(eps):
    membrane = zoo.fitzhugh_nagumo(eps=eps)
    onset = dl.equilibrium_diagram(membrane, vary="I", over=(0, 0.875)).points(dl.Hopf).single()
    cycles = dl.continue_cycles(onset, over=(0, 0.875))
    fold = cycles.points(dl.Fold).single()
    # The branch is known to about 1e-9 on its own mesh, the fold on one twice as fine.
    assert fold.value == pytest.approx(cycles.values.min(), rel=1e-8)
    assert not cycles.unconfirmed


def test_diagram_leaves_a_branch_point_of_cycles_along_the_other_branch():
    # Beside the circle r = 1 a pitchfork: z = +-sqrt(mu) on the branch that crosses at mu = 0.
    @dl.flow
    def circle(x=1.0, y=0.0, z=0.0, *, mu=-0.3):
        r = 1 - x * x - y * y
        return {x: r * x - y, y: r * y + x, z: mu * z - z**3}

    diagram = dl.bifurcation_diagram(circle, vary="mu", over=(-0.5, 0.5))
    trunk, fork = diagram.cycles
    assert diagram.points(dl.BranchPoint)[-1].orbit is not None
    assert len([p for p in diagram.points(dl.BranchPoint) if p.orbit]) == 1
    low, high = fork.extremes("z").T
    assert (low.min(), high.max()) == pytest.approx((-np.sqrt(0.5), np.sqrt(0.5)), rel=1e-6)
    assert np.abs(trunk.extremes("z")).max() < 1e-9


def test_cycles_about_a_centre_are_no_folds():
    # Van der Pol's Hopf point at mu = 0 carries a family at one parameter value; the cycle for mu > 0
    # is found by a run.
    diagram = dl.bifurcation_diagram(zoo.van_der_pol, vary="mu", over=(-1, 5))
    assert not diagram.points(dl.Fold)
    assert any(branch.at(mu=1.0) for branch in diagram.cycles)
    (cycle,) = (c for branch in diagram.cycles for c in branch.at(mu=1.0))
    assert cycle.period == pytest.approx(6.663286859, rel=1e-8)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.15])
def test_a_stopped_diagram_goes_on_where_it_was(seconds, tmp_path):
    system, walk = zoo.roessler(a=0.2, b=0.2), {"vary": "c", "over": (0.5, 5.0)}
    whole = dl.bifurcation_diagram(system, **walk)
    try:
        with dl.stop_after(seconds):
            part = dl.bifurcation_diagram(system, **walk)
    except dl.NotConverged:
        return  # stopped before the first point
    part = dl.load(part.save(tmp_path / "part.npz"))
    again = dl.bifurcation_diagram(system, **walk, resume=part)
    assert again.status is dl.Status.OK
    assert len(again) == len(whole)
    found, wanted = (sorted(p.value for p in d.points()) for d in (again, whole))
    assert found == pytest.approx(wanted, rel=1e-7)
    finished = [b for b in part if all(e.status is not dl.Status.STOPPED for e in b.ends)]
    assert all(any(b is kept for b in again) for kept in finished)


def test_a_diagram_of_something_else_is_not_gone_on_with():
    part = dl.equilibrium_diagram(zoo.brusselator, vary="B", over=(1, 4))
    for other in ({"over": (1, 5)}, {"over": (1, 4), "A": 2.0}):
        system = zoo.brusselator(A=other.pop("A", 1.0))
        with pytest.raises(dl.SettingError, match="resume"):
            dl.bifurcation_diagram(system, vary="B", **other, resume=part)
