"""Results over networks of any size: pictures, tables and short descriptions."""

from __future__ import annotations

import matplotlib as mpl
import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.points import table_of_points
from dynlab.equilibria.stability import Equilibrium

mpl.use("Agg")

SIZES = (3, 50, 500)


@dl.flow
def patches(x: dl.PerNode = 0.0, *, A: dl.PerLink = 1.0, I: dl.PerNode = 0.0, a=0.3, D=0.0):
    i, j = dl.nodes("i j")
    return {x[i]: x[i] * (1 - x[i]) * (x[i] - a) + I[i] + D * dl.Sum(A[i, j] * (x[j] - x[i]), j)}


@dl.flow
def learning(x: dl.PerNode = 0.1, W: dl.PerLink = 0.2):
    i, j = dl.nodes("i j")
    return {x[i]: -x[i] + dl.Sum(W[i, j] * dl.tanh(x[j]), j), W[i, j]: x[i] * x[j] - W[i, j]}


@pytest.fixture(autouse=True)
def _closed():
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def panels(ax):
    return [panel for panel in ax.figure.axes if panel.get_subplotspec() is not None]


def short(result):
    text = repr(result)
    return len(text) < 400 and text.count("\n") <= 1


@pytest.mark.parametrize("size", SIZES)
def test_a_run_of_a_network(size):
    swarm = zoo.kuramoto.on(size).draw(omega=dl.Gaussian(0, 1), seed=1)
    run = dl.integrate(swarm, duration=10)
    assert short(run)
    assert f"theta ({size} nodes)" in repr(run)
    assert len(run.to_table()) == size + 1
    ax = run.plot()
    assert len(panels(ax)) == 1
    assert (len(ax.lines), len(ax.images)) == ((size, 0) if size <= 12 else (0, 1))
    one = run.plot(show=("theta[2]",))
    assert np.nanmax(np.abs(one.lines[0].get_ydata())) <= np.pi
    assert run.portrait(x="theta[0]", y="theta[1]").get_xlabel() == r"$\theta_{0}$"
    with pytest.raises(dl.SettingError, match=rf"each of {size} nodes.*'theta\[0\]'"):
        run.portrait(x="theta", y="theta[1]")


def test_each_state_and_observable_has_its_panel():
    j = dl.nodes("j")
    graph = nx.random_regular_graph(4, 20, seed=1)
    seen = learning.on(graph).with_observable(mean=lambda x: dl.Mean(x[j], j))
    run = dl.integrate(seen, duration=2)
    states = panels(run.plot())
    assert [panel.get_ylabel() for panel in states] == ["node", "link"]
    assert states[1].images[0].get_array().shape[0] == 80
    mixed = panels(run.plot(show=("mean", "x[3]", "W")))
    assert [bool(panel.images) for panel in mixed][-1]
    assert "W (80 links)" in repr(run)


def test_a_name_that_is_not_there_is_not_answered_with_a_thousand():
    run = dl.integrate(patches.on(nx.cycle_graph(1000)), duration=0.1)
    with pytest.raises(dl.UnknownNameError, match=r"1001 in all") as caught:
        run["q"]
    assert len(str(caught.value)) < 600


@pytest.fixture(scope="module")
def branches():
    found = {}
    for size in SIZES:
        ring = patches.on(nx.cycle_graph(size))
        state = (np.arange(size) == 0).astype(float)
        start = Equilibrium.at(ring, state, 0.0)
        found[size] = dl.continue_equilibrium(start, vary="I[0]", over=(-0.1, 0.2))
    return found


@pytest.mark.parametrize("size", SIZES)
def test_a_branch_of_a_network(branches, size):
    branch = branches[size]
    assert short(branch)
    assert branch.status.ok
    folds = branch.points(dl.Fold)
    assert len(folds) == 2
    assert all(short(point) for point in folds)
    assert "I[0] = " in repr(folds[0])
    ax = branch.plot(show="x[0]")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$I_{0}$", "$x_{0}$")
    table = branch.to_table()
    np.testing.assert_array_equal(table["x[0]"], branch["x[0]"])
    assert {"I[0]", f"x[{size - 1}]", "label"} <= set(table)
    assert len(table_of_points(folds)["x[1]"]) == 2
    here = branch.at(**{"I[0]": 0.1})[0]
    assert short(here)
    assert here["I"][0] == 0.1
    assert here["I[0]"] == 0.1
    assert here["I[1]"] == 0.0


@pytest.mark.parametrize("size", SIZES)
def test_all_nodes_are_drawn_as_their_root_mean_square(branches, size):
    branch = branches[size]
    for ax in (branch.plot(), branch.plot(show="x"), dl.Diagram(branch).plot()):
        drawn = np.concatenate([line.get_ydata() for line in ax.lines if len(line.get_xdata()) > 5])
        expected = np.sqrt(np.mean(branch.states**2, axis=1))
        assert set(np.round(expected, 9)) <= set(np.round(np.asarray(drawn, float), 9))
        assert ax.get_ylabel() == r"$\sqrt{\langle x^2 \rangle}$"


def test_images_of_a_point_under_a_symmetry_are_marked_once():
    ring = patches.on(nx.cycle_graph(3))
    starts = [Equilibrium.at(ring, np.eye(3)[k], 0.0) for k in range(3)]
    found = [dl.continue_equilibrium(s, vary="D", over=(0, 0.1)) for s in starts]
    diagram = dl.Diagram(*found)
    assert len(diagram.points(dl.Fold)) == 3
    assert [text.get_text() for text in diagram.plot().texts].count("LP") == 1
