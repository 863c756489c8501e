"""Networks of spiking units in equal steps, against closed forms and the located events of one cell."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

i, j = dl.nodes("i j")


@dl.flow
def ramps(x: dl.PerNode = 0.0, g: dl.PerNode = 0.0, *, w: dl.PerLink = 1.0, rate: dl.PerNode = 1.0):
    return {x[i]: rate[i], g[i]: -g[i]}


@ramps.with_event(
    when=lambda x: x[i] - 1, direction=+1, name="fire", refractory=lambda pause: pause,
    deliver=lambda g, w: {g[i]: g[i] + w[i, j]},
)  # fmt: skip
def firing(x, *, pause=0.0):
    """Ramps that fire at 1 and begin anew; each firing kicks g at the targets."""
    return {x[i]: x[i] - 1}


WEIGHTS = np.array([[0.0, 0.0, 0.25], [2.0, 0.0, 0.0], [0.0, 3.0, 0.0]])


def test_times_and_deliveries_in_closed_form():
    """Node k fires every 1 / rate; g is a sum of decaying kicks, one for each firing of the source."""
    net = firing.on(WEIGHTS)(rate=[1.0, 0.5, 0.7])
    run = dl.integrate(net, duration=5, at=[4.999], method=dl.Clocked(step=0.001))
    fire = run.events["fire"]
    for node, rate in enumerate((1.0, 0.5, 0.7)):
        expected = np.arange(1, 6) / rate
        np.testing.assert_allclose(fire.of(node), expected[expected <= 5 + 1e-9][: len(fire.of(node))],
                                   atol=1e-9)  # fmt: skip
    assert [len(fire.of(k)) for k in range(3)] in ([5, 2, 3], [4, 2, 3])
    kicks = {1: (2.0, fire.of(0)), 2: (3.0, fire.of(1)), 0: (0.25, fire.of(2))}
    for target, (weight, times) in kicks.items():
        expected = (weight * np.exp(-(4.999 - times[times < 4.999]))).sum()
        # A kick takes effect at the end of a step, up to a step late.
        assert run["g"][-1, target] == pytest.approx(expected, rel=2e-3)


@ramps.with_event(
    when=lambda x: x[i] - 1, direction=+1, name="fire", refractory=lambda pause: pause, held=()
)
def deaf(x, *, pause=1.5):
    return {x[i]: x[i] - 1}


@pytest.mark.parametrize("method", [dl.Clocked(step=0.01), dl.Automatic()], ids=str)
def test_a_refractory_time_makes_the_guard_deaf_and_holds_the_states(method):
    run = dl.integrate(deaf.on(np.ones((1, 1))), duration=6, at=[6], method=method)
    # Fires at 1; at 2 the guard is deaf, and the ramp runs on without passing 1 again.
    np.testing.assert_allclose(run.events["fire"].times, [1.0], atol=1e-9)
    net = firing.on(np.ones((1, 1)))(pause=1.5, rate=[1.0])
    run = dl.integrate(net, duration=6.2, at=[6.2], method=method)
    # x stands still at 0 for 1.5 and needs 1 to the next: at 1, 3.5 and 6; g goes on.
    slack = 0.0 if method != dl.Clocked(step=0.01) else 0.03
    np.testing.assert_allclose(run.events["fire"].times, [1.0, 3.5, 6.0], atol=1e-9 + slack)
    kicks = np.exp(-(6.2 - np.array([1.0, 3.5, 6.0]))).sum()
    assert run["g"][-1, 0] == pytest.approx(kicks, rel=1e-7 + slack)


def test_cells_without_links_are_one_cell_to_first_order():
    one = dl.integrate(
        zoo.izhikevich(I=10.0), start={"v": -70.0, "u": -14.0}, duration=200,
        method=dl.Explicit8(rtol=1e-12),
    )  # fmt: skip
    exact = one.events["spike"].times
    net = zoo.izhikevich_network.on(dl.AllToAll(3))(I=10.0, w=0.0)
    errors = []
    for step in (0.1, 0.05, 0.025, 0.0125, 0.00625):
        run = dl.integrate(net, start={"v": -70.0, "u": -14.0}, duration=200, at=[200],
                           method=dl.Clocked(step=step))  # fmt: skip
        spikes = run.events["spike"]
        np.testing.assert_array_equal(spikes.of(0), spikes.of(2))
        errors.append(np.abs(spikes.of(1)[:4] - exact[:4]).max())
    slope = np.polyfit(np.log([0.1, 0.05, 0.025, 0.0125, 0.00625]), np.log(errors), 1)[0]
    assert 0.7 < slope < 1.4, errors
    (fact,) = zoo.facts("izhikevich_network")
    run = dl.integrate(net, start={"v": -70.0, "u": -14.0}, duration=1000, at=[1000],
                       method=dl.Clocked(step=0.05))  # fmt: skip
    assert [len(run.events["spike"].of(k)) for k in range(3)] == [fact.value] * 3


def test_relabelling_the_cells_permutes_the_spikes():
    graph = nx.gnp_random_graph(12, 0.3, seed=2, directed=True)
    weights = nx.to_numpy_array(graph).T
    drive = np.linspace(4, 12, 12)
    order = np.random.default_rng(1).permutation(12)
    method = dl.Clocked(step=0.1)
    plain = dl.integrate(zoo.izhikevich_network.on(3 * weights)(I=drive), duration=100, at=[100],
                         method=method)  # fmt: skip
    moved = dl.integrate(
        zoo.izhikevich_network.on(3 * weights[np.ix_(order, order)])(I=drive[order]), duration=100,
        at=[100], method=method,
    )  # fmt: skip
    assert len(plain.events["spike"]) > 20
    for new, old in enumerate(order):
        np.testing.assert_allclose(
            moved.events["spike"].of(new), plain.events["spike"].of(old), rtol=1e-9
        )


def test_a_run_is_kept_and_saved(tmp_path):
    net = firing.on(WEIGHTS)
    run = dl.integrate(net, duration=2, method=dl.Clocked(step=0.1))
    assert run["x"].shape == (21, 3)
    again = dl.load(run.save(tmp_path / "net"))
    np.testing.assert_array_equal(again.events["fire"].times, run.events["fire"].times)
    assert again.system == net
    assert dl.integrate(net, duration=0, method=dl.Clocked(step=0.1)).status.ok


def of_two_sets(x: dl.PerNode("a") = 0.0, y: dl.PerNode("b") = 0.0):
    return {x[i]: 1, y[i]: 1}


REFUSED = {
    "another method": (
        lambda: dl.integrate(firing.on(WEIGHTS), duration=1, method=dl.Verlet(step=0.1)),
        ("tolerances", "dl.Clocked")),
    "no events": (
        lambda: dl.integrate(zoo.lorenz, duration=1, method=dl.Clocked(step=0.1)), ("equal steps",)),
    "backwards": (
        lambda: dl.integrate(firing.on(WEIGHTS), duration=-1, method=dl.Clocked(step=0.1)),
        ("backwards",)),
    "no step": (lambda: dl.Clocked(step=0.0), ("step", "positive")),
    "too much": (
        lambda: dl.integrate(firing.on(WEIGHTS), duration=1e6, method=dl.Clocked(step=0.01)),
        ("memory", "at=")),
    "crossing": (
        lambda: dl.integrate(
            firing.on(WEIGHTS), duration=1, method=dl.Clocked(step=0.1),
            record=dl.Crossing("c", lambda x: dl.Sum(x[i], i) - 1)),
        ("events",)),
    "guard of no node": (
        lambda: ramps.with_event(when=lambda rate: dl.Sum(rate[i], i) - 1)(lambda x: {x[i]: 0}),
        ("0 indices", "v[i]")),
    "reset of no state": (
        lambda: ramps.with_event(when=lambda x: x[i] - 1)(lambda x: {"x": 0}), ("x[i]",)),
    "held for no time": (
        lambda: ramps.with_event(when=lambda x: x[i] - 1, held=("x",))(lambda x: {x[i]: 0}),
        ("for no time", "refractory=")),
    "held states that do not exist": (
        lambda: ramps.with_event(when=lambda x: x[i] - 1, refractory=lambda p: p, held=("y",))(
            lambda x, *, p=1.0: {x[i]: 0}),
        ("'y'", "x")),
    "held states of other nodes": (
        lambda: dl.flow(of_two_sets).with_event(
            when=lambda x: x[i] - 1, refractory=lambda p: p, held=("y",))(lambda x, *, p=1.0: {x[i]: 0}),
        ("holds 'y'", "per node of 'a'")),
    "delivery without links": (
        lambda: ramps.with_event(when=lambda x: x[i] - 1, deliver=lambda g: {g[i]: g[i] + 1})(
            lambda x: {x[i]: 0}),
        ("links", "w[i, j]")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_run_is_refused(case):
    act, parts = REFUSED[case]
    with pytest.raises(dl.DynlabError) as caught:
        act()
    for part in parts:
        assert part in str(caught.value)
