"""Runs of networks with located events: what they keep, record, draw, and refuse."""

import math

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.solve import located

i, j = dl.nodes("i j")


@dl.flow(time="ms")
def ramps(
    x: dl.PerNode = 0.0, g: dl.PerNode = 0.0, total=0.0,
    *, w: dl.PerLink = 1.0, rate: dl.PerNode = 1.0, top=1.0,
):  # fmt: skip
    return {x[i]: rate[i], g[i]: -g[i], total: 1}


@ramps.with_event(
    when=lambda x, top: x[i] - top, direction=+1, name="fire",
    deliver=lambda x, g, w: {g[i]: g[i] + w[i, j], x[i]: x[i] + 0.1 * w[i, j] * g[i]},
)  # fmt: skip
def firing(x):
    """Ramps that fire and begin anew; a firing kicks g at the targets, and x by what g was."""
    return {x[i]: 0.0}


NET = firing.on(nx.DiGraph([(0, 1), (1, 2)]))(rate=[1.0, 0.7, 0.1])


def test_what_is_delivered_is_computed_from_what_was_before():
    run = dl.integrate(NET, start={"g": 0.5}, duration=1.2, method=dl.Explicit8(rtol=1e-12))
    # At 1 node 0 fires: g of node 1 was 0.5 / e, and x is kicked by a tenth of that.
    before = 0.5 * math.exp(-1)
    assert run.at([1.1])["x[1]"][0] == pytest.approx(0.77 + 0.1 * before, rel=1e-10)
    assert run.at([1.1])["g[1]"][0] == pytest.approx((before + 1) * math.exp(-0.1), rel=1e-10)
    assert run["total"][-1] == pytest.approx(1.2)


def test_a_run_has_both_sides_of_every_jump():
    run = dl.integrate(NET, duration=2.5)
    times = run.events["fire"].times
    assert len(times) == 3
    for time, node in zip(times, run.events["fire"].nodes, strict=True):
        rows = np.flatnonzero(run.t == time)
        assert len(rows) == 2
        assert run["x"][rows[0], node] == pytest.approx(1)
        assert run["x"][rows[1], node] == 0
    late = run.after(1.5)
    assert late.t[0] == 1.5
    assert late.events["fire"].times.tolist() == times[times >= 1.5].tolist()


def test_times_to_keep_have_the_state_after_the_jump():
    run = dl.integrate(
        firing.on({"node": 2}, links={"w": np.zeros((2, 2))}), duration=3, at=[0, 0.5, 1, 2.5]
    )
    np.testing.assert_allclose(run["x"][:, 0], [0, 0.5, 0, 0.5], atol=1e-9)
    assert len(run.t) == 4
    assert dl.integrate(NET, duration=0).t.tolist() == [0.0]
    assert dl.integrate(NET, duration=0, at=[0])["x"].shape == (1, 3)


def test_trains_by_node(tmp_path):
    run = dl.integrate(NET, duration=9.5)
    fire = run.events["fire"]
    assert list(fire.trains) == ["0", "1", "2"]
    for node in range(3):
        np.testing.assert_array_equal(fire.trains[str(node)], fire.of(node))
        np.testing.assert_array_equal(run.events[f"fire[{node}]"].times, fire.of(node))
    assert dl.spike_train(run, event="fire[0]").rate == pytest.approx(1, rel=1e-9)
    assert dl.spike_train(run).rate > 1
    short = dl.spike_train(dl.integrate(NET, duration=9.5, at=[9.5]), event="fire[0]", after=2.5)
    np.testing.assert_allclose(short.times, np.arange(3, 10), atol=1e-8)
    again = dl.load(run.save(tmp_path / "run"))
    np.testing.assert_array_equal(again.events["fire"].nodes, fire.nodes)
    assert again.events["fire"].count == 3
    for name in ("fire[3]", "fires", "fire[x]"):
        with pytest.raises(dl.UnknownNameError):
            run.events[name]
    run.plot()
    run.plot(show=("x[0]", "total"))
    dl.draw_raster(None, fire.trains, time_label="t (ms)")
    plt.close("all")


def test_crossings_are_recorded_between_events_and_end_the_run():
    """The sum of x falls by 1 when node 0 fires; half is reached on the way up, every time."""
    half = dl.Crossing("half", lambda x: dl.Sum(x[i], i) - 0.9, +1)
    late = dl.Crossing("late", lambda total: total - 3.3)
    run = dl.integrate(NET(rate=[1.0, 0.0, 0.0], w=0.0), duration=9, record=half, until=late)
    assert run.status is dl.Status.EVENT
    assert run.end[0] == pytest.approx(3.3, abs=1e-10)
    np.testing.assert_allclose(run.events["half"].times, [0.9, 1.9, 2.9], atol=1e-9)
    np.testing.assert_allclose(run.events["half"]["x[0]"], 0.9, atol=1e-9)
    np.testing.assert_allclose(run.events["fire"].times, [1, 2, 3], atol=1e-9)
    assert run.events["late"].times.tolist() == [run.end[0]]
    # One that comes with an event is met first, and ends the run before the reset.
    same = dl.integrate(NET, duration=9, until=dl.Crossing("same", lambda total: total - 1))
    assert len(same.events["fire"]) == 0
    assert same.final["x"][0] == pytest.approx(1)


def test_a_long_run_in_many_chunks_is_the_same(monkeypatch):
    whole = dl.integrate(NET, duration=29.9)  # not at the end: a node fires at 30
    monkeypatch.setattr(located, "EVENTS", 1)
    monkeypatch.setattr(located, "CROSSINGS", 1)
    every = dl.Crossing("third", lambda total: dl.sin(5 * total))
    parts = dl.integrate(NET, duration=29.9, record=every)
    np.testing.assert_allclose(parts.events["fire"].times, whole.events["fire"].times, atol=1e-8)
    np.testing.assert_allclose(parts.events["third"].times, np.pi / 5 * np.arange(1, 48), atol=1e-9)
    assert (np.diff(parts.t) >= 0).all()


def test_steps_run_out_and_are_stopped():
    run = dl.integrate(NET, duration=100, method=dl.Explicit8(max_steps=20))
    assert run.status is dl.Status.TOO_MANY_STEPS
    assert 0 < run.end[0] < 100
    with dl.stop_after(seconds=0.05):
        run = dl.integrate(NET, duration=1e9, at=[1e9])
    assert run.status is dl.Status.STOPPED
    assert len(run.events["fire"]) > 0


def test_a_tie_reaches_what_is_delivered():
    @dl.flow
    def kicked(x: dl.PerNode = 0.0, *, w: dl.PerLink = 1.0, a=1.0):
        return {x[i]: 1}

    @kicked.with_event(when=lambda x: x[i] - 1, direction=+1, name="fire",
                       deliver=lambda x, w, a: {x[i]: x[i] - a * w[i, j]})  # fmt: skip
    def kicking(x):
        return {x[i]: 0.0}

    tied = kicking.tie(a="b").on(nx.DiGraph([(0, 1)]))
    assert "a" not in tied.parameter_names
    run = dl.integrate(tied(b=0.1), start={"x": [0.0, -0.5]}, duration=1.1)
    assert run["x"][-1, 1] == pytest.approx(1.1 - 0.5 - 0.1)


REFUSED = {
    "backwards": (lambda: dl.integrate(NET, duration=-1), ("backwards", "firing")),
    "no tolerances": (
        lambda: dl.integrate(NET, duration=1, method=dl.Verlet(step=0.1)), ("tolerances", "dl.Clocked")),
    "not bound": (lambda: dl.integrate(firing, duration=1), (".on(",)),
    "a crossing of the event's name": (
        lambda: dl.integrate(NET, duration=1, record=dl.Crossing("fire", lambda total: total)),
        ("both named 'fire'",)),
    "negative refractory time": (
        lambda: dl.integrate(zoo_cells()(tref=-1.0), duration=1), ("refractory", "-1")),
}  # fmt: skip


def zoo_cells():
    @ramps.with_event(when=lambda x: x[i] - 1, direction=+1, refractory=lambda tref: tref)
    def cells(x, *, tref=1.0):
        return {x[i]: 0.0}

    return cells.on(nx.path_graph(3))


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_cannot_be_run_is_refused(case):
    act, parts = REFUSED[case]
    with pytest.raises(dl.DynlabError) as caught:
        act()
    for part in parts:
        assert part in str(caught.value)


def test_a_run_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(located, "MOST_NUMBERS", 1000)
    monkeypatch.setattr(located, "EVENTS", 1)
    with pytest.raises(dl.SettingError, match="at="):
        dl.integrate(NET, duration=1000)


def test_the_zoo_runs_located_as_well():
    (fact,) = zoo.facts("izhikevich_network")
    net = zoo.izhikevich_network.on(dl.AllToAll(2))(I=10.0, w=0.0)
    run = dl.integrate(net, start={"v": -70.0, "u": -14.0}, duration=1000, at=[1000])
    assert [len(run.events["spike"].of(k)) for k in range(2)] == [fact.value] * 2
    # RS, neuron references: first spikes and last interval.
    times = run.events["spike"].of(0)
    assert times[:2] == pytest.approx([3.4516, 20.5561], abs=5e-5)
    assert times[-1] - times[-2] == pytest.approx(44.81241, abs=5e-6)
