"""Curves of bifurcations: what is refused and how, ends, access by name, pictures, restarts."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

PLANE = {"I": (-100.0, 300.0), "V3": (-10.0, 30.0)}


@dl.flow
def imperfect(x=0.0, *, mu=-1.0, h=0.0):
    return {x: h + mu * x - x**3}


@pytest.fixture(scope="module")
def branch():
    cell = zoo.morris_lecar(gCa=4.0, V3=12.0, V4=17.4, phi=1 / 15, I=0.0)
    rest = dl.find_equilibria(cell, within={"V": (-80, 60), "w": (0, 1)})[0]
    return dl.continue_equilibrium(rest, vary="I", over=(-50, 150))


@pytest.fixture(scope="module")
def folds(branch):
    return dl.continue_bifurcation(branch.points(dl.Fold)[0], vary=("I", "V3"), over=PLANE)


@pytest.fixture(scope="module")
def hopfs(branch):
    return dl.continue_bifurcation(branch.points(dl.Hopf)[0], vary=("I", "V3"), over=PLANE)


def trunk_point():
    rest = dl.find_equilibria(imperfect, within={"x": (-2, 2)}).single()
    return dl.continue_equilibrium(rest, vary="mu", over=(-1, 1)).points(dl.BranchPoint).single()


@pytest.mark.parametrize(("change", "error", "says"), [
    ({"vary": ("I", "V33")}, dl.UnknownNameError, "'V33'.*Did you mean 'V3'"),
    ({"vary": ("I", "I")}, dl.SettingError, "both parameters are 'I'.*two different ones"),
    ({"vary": "I"}, dl.SettingError, "vary is 'I'; give the two parameters"),
    ({"vary": ("I", "V")}, dl.UnknownNameError, "'V' is not a parameter"),
    ({"vary": ("I", "phi")}, dl.SettingError, r"over gives ranges of \['I', 'V3'\] and vary"),
    ({"over": {"I": (-100, 300)}}, dl.SettingError, "give one range for each"),
    ({"over": {"I": (50, 300), "V3": (0, 20)}}, dl.SettingError, "I = 39.96.* outside its range"),
    ({"over": {"I": (3, 3), "V3": (0, 20)}}, dl.SettingError, "range of 'I' is empty"),
    ({"over": {**PLANE, "V4": (0, 1)}}, dl.SettingError, "over gives ranges of"),
    ({"within": {"V": (0, 10)}}, dl.SettingError, r"start has V = -29.*outside \(0, 10\)"),
    ({"within": {"U": (0, 10)}}, dl.UnknownNameError, "'U' is not a state or observable"),
])  # fmt: skip
def test_misuse_names_what_is_wrong(branch, change, error, says):
    with pytest.raises(error, match=says):
        dl.continue_bifurcation(
            branch.points(dl.Fold)[0], **({"vary": ("I", "V3"), "over": PLANE} | change)
        )


def test_a_point_that_is_no_bifurcation_is_refused(branch):
    for start in (branch.at(I=0.0)[0], branch, "fold"):
        with pytest.raises(dl.SettingError, match=r"expected a bifurcation, got .*branch.points"):
            dl.continue_bifurcation(start, vary=("I", "V3"), over=PLANE)


def test_a_point_of_another_system_is_refused(branch):
    fold = branch.points(dl.Fold)[0]
    moved = replace(fold, system=fold.system(gL=2.1))
    with pytest.raises(dl.NotConverged, match=r"no fold of 'morris_lecar' at the start, I = 39.96"):
        dl.continue_bifurcation(moved, vary=("I", "V3"), over=PLANE)
    other = replace(branch.points(dl.Hopf)[0], system=zoo.morris_lecar)
    with pytest.raises(dl.NotConverged, match="no Hopf point of 'morris_lecar' at the start"):
        dl.continue_bifurcation(other, vary=("I", "V3"), over=PLANE)


def test_where_several_curves_meet_one_must_be_chosen(folds):
    point = folds.points(dl.BogdanovTakens)[0]
    with pytest.raises(dl.SettingError, match=r"which one.*point\.fold or point\.hopf"):
        dl.continue_bifurcation(point, vary=("I", "V3"), over=PLANE)


def test_a_cusp_leads_to_its_only_curve(folds):
    again = dl.continue_bifurcation(folds.points(dl.Cusp)[0], vary=("I", "V3"), over=PLANE)
    assert sorted(p.label for p in again.points()) == sorted(p.label for p in folds.points())


def test_large_networks_are_refused(branch):
    ring = dl.zoo.kuramoto_on_graph.on(nx.cycle_graph(400))
    fold = replace(branch.points(dl.Fold)[0], system=ring, state=np.zeros(400), vary="K")
    with pytest.raises(dl.UnsupportedSystemError, match=r"400 states.*dense matrices"):
        dl.continue_bifurcation(
            fold, vary=("K", "omega[0]"), over={"K": (0, 2), "omega[0]": (-9, 9)}
        )


def test_branches_that_cross_by_symmetry_cross_in_the_whole_plane():
    rest = dl.Equilibrium.at(zoo.lorenz(rho=0.5), np.zeros(3), 0.0)
    point = dl.continue_equilibrium(rest, vary="rho", over=(0, 3)).points(dl.BranchPoint)[0]
    over = {"rho": (0.0, 3.0), "sigma": (1.0, 20.0)}
    curve = dl.continue_bifurcation(point, vary=("sigma", "rho"), over=over)
    assert np.max(np.abs(curve["rho"] - 1.0)) < 1e-12
    assert curve["sigma"][[0, -1]].tolist() == [1.0, 20.0]
    crossing = curve.at(sigma=5.0).single()
    assert (crossing.kind, crossing["rho"]) == ("pitchfork", pytest.approx(1.0, abs=1e-12))
    with pytest.raises(dl.SettingError, match="branches cross in 'rho'"):
        dl.continue_bifurcation(
            point, vary=("sigma", "beta"), over={"sigma": (1, 20), "beta": (1, 3)}
        )


def test_branches_that_an_imperfection_parts_have_no_curve():
    curve = dl.continue_bifurcation(
        trunk_point(), vary=("mu", "h"), over={"mu": (-1, 1), "h": (-1, 1)}
    )
    assert curve.status is dl.Status.NOT_CONVERGED
    assert curve.ends[0].reason == "the two branches part"
    assert len(curve) == 1


def test_ends_lie_on_the_bounds_and_say_which(folds):
    low, high = PLANE["V3"]
    assert folds.status is dl.Status.OK
    for k, end in zip((0, -1), folds.ends, strict=True):
        assert folds["V3"][k] in (low, high) or folds["I"][k] in PLANE["I"]
        assert end.value == folds["I"][k]
        assert "reached the end of its range" in end.reason


def test_a_range_of_a_state_ends_the_curve(branch):
    short = dl.continue_bifurcation(
        branch.points(dl.Fold)[0], vary=("I", "V3"), over=PLANE, within={"V": (-30.0, -25.0)}
    )
    assert short["V"][[0, -1]] == pytest.approx([-30.0, -25.0]) or (
        short["V"][[-1, 0]] == pytest.approx([-30.0, -25.0])
    )
    assert [end.status for end in short.ends] == [dl.Status.STATE_BOUND] * 2
    assert short.ends[0].reason == "V left the range given in within"


def test_at_a_value_of_a_parameter_or_state(folds, hopfs):
    found = folds.at(V3=12.0)
    assert sorted(p["I"] for p in found) == pytest.approx(
        [-9.9490393226231, 39.963153092745], rel=1e-10
    )
    assert all(isinstance(p, dl.Fold) and p.vary == "I" for p in found)
    hopf = hopfs.at(V3=12.0).single()
    assert hopf["I"] == pytest.approx(97.787888964024, rel=1e-11)
    assert hopf.lyapunov_coefficient == pytest.approx(0.002109001622, rel=1e-8)
    assert folds.at(V=-29.0).single()["V"] == -29.0
    with pytest.raises(dl.UnknownNameError, match="'gCa' is not a varied parameter or state"):
        folds.at(gCa=1.0)
    with pytest.raises(dl.SettingError, match="takes one quantity"):
        folds.at(I=1.0, V3=2.0)


def test_access_by_name(folds, hopfs):
    assert np.all(folds["gCa"] == 4.0)
    assert len(folds["w"]) == len(folds)
    with pytest.raises(dl.UnknownNameError, match=r"'Vm'.*Did you mean 'V'"):
        folds["Vm"]
    table = hopfs.to_table()
    assert list(table)[:4] == ["I", "V3", "V", "w"]
    assert set(table["label"]) == {"", "GH"}
    assert len({len(column) for column in table.values()}) == 1
    assert np.max(np.abs(table["eigenvalue 1"] - 1j * table["critical omega"])) < 1e-9


def test_the_coefficient_along_the_curve_is_that_of_the_points_on_it(folds, hopfs):
    """The compiled survey of a curve against the normal forms of single points."""
    for curve, name in ((folds, "coefficient"), (hopfs, "lyapunov_coefficient")):
        for k in range(5, len(curve) - 5, len(curve) // 9):
            at = curve.at(V=float(curve["V"][k]))
            nearest = min(at, key=lambda p, k=k, c=curve: abs(p["I"] - c["I"][k]))
            assert abs(nearest["I"] - curve["I"][k]) < 1e-6
            assert getattr(nearest, name) == pytest.approx(curve.coefficient[k], rel=1e-6)


def test_it_can_be_stopped(branch):
    with dl.stop_after(0.0):
        curve = dl.continue_bifurcation(branch.points(dl.Fold)[0], vary=("I", "V3"), over=PLANE)
    assert curve.status is dl.Status.STOPPED


def test_a_chart_labels_each_point_once(folds, hopfs):
    import matplotlib.pyplot as plt

    from dynlab.plotting.markers import POINT_LABEL

    point = max(folds.points(dl.BogdanovTakens), key=lambda p: p["I"])
    other = dl.continue_bifurcation(point.hopf, vary=("I", "V3"), over=PLANE)
    ax = other.plot(hopfs.plot(folds.plot()))
    labels = sorted(n.get_text() for n in ax.texts if n.get_gid() == POINT_LABEL)
    shared = [p.label for p in folds.points()]
    assert labels == sorted([*shared, "GH"])
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "$I$ (\N{MICRO SIGN}A/cm$^{2}$)", "$V_{3}$ (mV)",
    )  # fmt: skip
    named = [text.get_text() for text in ax.figure.legends[0].get_texts()] if ax.figure.legends \
        else [text.get_text() for text in ax.get_legend().get_texts()]  # fmt: skip
    assert {"fold", "Hopf, subcritical", "Hopf, supercritical", "neutral saddle"} <= set(named)
    plt.close(ax.figure)


def test_repr_fits_two_lines(folds, hopfs):
    for curve in (folds, hopfs):
        assert len(repr(curve).splitlines()) == 2
    assert "part of it neutral saddles" not in repr(folds)
    assert repr(folds.points(dl.Cusp)[0]).startswith("<cusp at I = 47.868601")


def test_a_chart_of_a_map_shows_no_side_that_is_not_there():
    """At 1:1 and 1:2 the coefficient of torus points is infinite; all that is between is subcritical."""
    import matplotlib.pyplot as plt

    system = zoo.generalized_henon(alpha=3.0, beta=1.4, R=0.5, S=0.0)
    x = (-2.4 + np.sqrt(2.4**2 + 6.0)) / 1.0
    rest = dl.Equilibrium.at(system, np.array([x, x]), 1e-15)
    point = dl.continue_equilibrium(rest, vary="alpha", over=(-3, 5)).points(dl.Torus)[0]
    over = {"alpha": (-2.0, 5.0), "beta": (0.0, 2.0)}
    ax = dl.continue_bifurcation(point, vary=("beta", "alpha"), over=over).plot()
    named = ax.get_legend_handles_labels()[1]
    assert {"torus, subcritical", "neutral saddle"} <= set(named)
    assert "torus, supercritical" not in named
    plt.close(ax.figure)
