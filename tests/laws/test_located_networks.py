"""Laws of networks whose nodes have events, located inside the steps.

The main witness is `by_hand`: leaky cells with pulses have a closed form between spikes, so a few lines of
plain Python that go from spike to spike know every time to rounding.
"""

import math

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

TIGHT = dl.Explicit8(rtol=1e-13, atol=1e-15)
i, j = dl.nodes("i j")


@dl.flow
def leaky(v: dl.PerNode = 0.0, *, w: dl.PerLink = 0.0, I: dl.PerNode = 1.5, tau=1.0):
    return {v[i]: (I[i] - v[i]) / tau}


@leaky.with_event(
    when=lambda v: v[i] - 1, direction=+1, name="spike", deliver=lambda v, w: {v[i]: v[i] + w[i, j]}
)
def pulsed(v):
    """Leaky cells that kick each other."""
    return {v[i]: 0.0}


@leaky.with_event(
    when=lambda v: v[i] - 1, direction=+1, name="spike", refractory=lambda tref: tref,
    deliver=lambda v, w: {v[i]: v[i] + w[i, j]},
)  # fmt: skip
def resting(v, *, tref=0.3):
    """Leaky cells that stand still after a spike."""
    return {v[i]: 0.0}


def by_hand(drive, weights, duration, start, tref=0.0):
    """Return all spikes as (time, node), going from one to the next by the closed form.

    Order at one instant: the first cell that is over its threshold fires, is reset and kicks its targets; then
    all are looked at again.  A refractory cell keeps what it is kicked to and hears no threshold.
    """
    v, drive = np.array(start, float), np.array(drive, float)
    n, now, spikes = len(v), 0.0, []
    free_from = np.zeros(n)

    def relaxed(v, begin, end):
        passed = np.maximum(0.0, end - np.maximum(begin, free_from))
        return drive + (v - drive) * np.exp(-passed)

    while True:
        begins = np.maximum(now, free_from)
        with np.errstate(divide="ignore", invalid="ignore"):
            waits = np.where((drive > 1) & (v < 1), np.log((drive - v) / (drive - 1)), np.inf)
        times = begins + waits
        first = times.min()
        if not first <= duration:
            return spikes
        v = relaxed(v, now, first)
        due = times <= first * (1 + 1e-12)
        now = first
        while due.any():
            k = int(np.flatnonzero(due)[0])
            spikes.append((now, k))
            was_below = v < 1
            v = v + weights[:, k]
            v[k] = 0.0
            due |= was_below & (v >= 1) & (free_from <= now)
            due &= (v >= 1) | was_below & (weights[:, k] == 0)
            due[k] = False
            free_from[k] = now + tref


def spikes_of(run, name="spike"):
    found = run.events[name]
    return list(zip(found.times.tolist(), found.nodes.tolist(), strict=True))


def assert_same_spikes(found, expected, tolerance):
    assert [k for _, k in found] == [k for _, k in expected]
    np.testing.assert_allclose(
        [t for t, _ in found], [t for t, _ in expected], atol=tolerance, rtol=0
    )


# --- cells without links ----------------------------------------------------------------------


def test_cells_without_links_are_cells_alone():
    drive = np.array([1.1, 1.3, 1.5, 2.0, 5.0, 0.9])
    run = dl.integrate(pulsed.on(np.zeros((6, 6)))(I=drive), duration=12, method=TIGHT)
    for node, I in enumerate(drive):
        train = run.events["spike"].of(node)
        alone = dl.integrate(
            zoo.leaky_integrate_and_fire(I=I, tau=1.0, tref=0.0), duration=12, method=TIGHT
        )
        np.testing.assert_allclose(train, alone.events["spike"].times, atol=1e-10)
        if I > 1:
            period = math.log(I / (I - 1))
            assert len(train) == int(12 / period)
            np.testing.assert_allclose(train, period * np.arange(1, len(train) + 1), atol=1e-10)


def test_refractory_cells_fire_at_the_rate_of_the_closed_form():
    """T = tref + ln(I / (I - 1)); all cells have started from rest (neuron facts: LIF)."""
    drive = np.array([1.05, 1.2, 2.0, 4.0])
    net = resting.on(np.zeros((4, 4)))(I=drive, tref=0.2)
    run = dl.integrate(net, duration=30, method=TIGHT)
    for node, I in enumerate(drive):
        train = run.events["spike"].of(node)
        np.testing.assert_allclose(np.diff(train), 0.2 + math.log(I / (I - 1)), atol=1e-10)
    held = train[0] + np.array([0.01, 0.1, 0.19])
    np.testing.assert_array_equal(run.at(held)["v[3]"], 0.0)
    assert (run.at(held)["v[0]"] > 0).all()


# --- pulses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "start"), [(0.05, 0.3), (0.2, 0.5), (0.4, 0.6), (-0.1, 0.3), (0.3, 0.0)]
)
def test_two_pulse_coupled_cells(weight, start):
    """Mirollo and Strogatz 1990 (SIAM J. Appl. Math. 50, 1645) with their cells, 100 and more spikes.

    Started together they fire together; strong kicks make the other fire at the same instant.
    """
    weights = weight * (1 - np.eye(2))
    expected = by_hand([1.4, 1.4], weights, 80.0, [0.0, start])
    run = dl.integrate(
        pulsed.on(weights)(I=1.4), start={"v": [0.0, start]}, duration=80, method=TIGHT
    )
    assert len(expected) > 100
    assert_same_spikes(spikes_of(run), expected, 1e-9)
    together = np.diff([t for t, _ in expected]) == 0
    assert together.any() == (weight > 0)


@pytest.mark.parametrize("tref", [0.0, 0.25])
def test_a_random_network_goes_from_spike_to_spike(tref):
    rng = np.random.default_rng(3)
    weights = nx.to_numpy_array(nx.gnp_random_graph(12, 0.4, seed=1, directed=True)).T
    weights *= rng.uniform(-0.15, 0.3, weights.shape)
    drive, start = rng.uniform(1.1, 2.0, 12), rng.uniform(0, 0.9, 12)
    expected = by_hand(drive, weights, 25.0, start, tref)
    net = (pulsed if tref == 0 else resting).on(weights)(
        I=drive, **({"tref": tref} if tref else {})
    )
    run = dl.integrate(net, start={"v": start}, duration=25, method=TIGHT)
    assert len(expected) > 150
    assert_same_spikes(spikes_of(run), expected, 1e-9)


def test_the_default_method_on_a_graph():
    graph = nx.gnp_random_graph(100, 0.1, seed=4, directed=True)
    rng = np.random.default_rng(0)
    drive, start = rng.uniform(1.05, 1.5, 100), rng.uniform(0, 1, 100)
    net = pulsed.on(graph)(I=drive, w=-0.02)
    run = dl.integrate(net, start={"v": start}, duration=10, at=[10])
    expected = by_hand(drive, -0.02 * nx.to_numpy_array(graph).T, 10.0, start)
    assert len(expected) > 300
    # Default tolerances 1e-9 a step; a time is as wrong as v over v' at threshold, 0.05 at least.
    assert_same_spikes(spikes_of(run), expected, 1e-6)


def test_many_cells_that_fire_in_every_step():
    """So often that steps are short and of lower order; the closed form knows all the same."""
    graph = nx.gnp_random_graph(400, 0.05, seed=1, directed=True)
    rng = np.random.default_rng(0)
    drive, start = rng.uniform(1.05, 1.5, 400), rng.uniform(0, 1, 400)
    expected = by_hand(drive, -0.01 * nx.to_numpy_array(graph).T, 3.0, start)
    net = pulsed.on(graph)(I=drive, w=-0.01)
    assert len(expected) > 500
    for method, tolerance in ((dl.Automatic(), 1e-7), (dl.Explicit8(rtol=1e-12), 1e-10)):
        run = dl.integrate(net, start={"v": start}, duration=3, at=[1, 3], method=method)
        assert_same_spikes(spikes_of(run), expected, tolerance)


def test_cells_started_together_fire_in_the_order_of_their_numbers():
    """Ten equal cells: one instant, every cell once, and cell k is kicked by those after it."""
    run = dl.integrate(pulsed.on(dl.AllToAll(10))(w=0.01), duration=1.2, method=TIGHT)
    found = run.events["spike"]
    assert found.nodes.tolist() == list(range(10))
    assert np.ptp(found.times) == 0
    assert found.times[0] == pytest.approx(math.log(3), abs=1e-12)
    left = math.exp(-(1.2 - math.log(3)))
    expected = 0.01 * np.arange(9, -1, -1) * left + 1.5 * (1 - left)
    np.testing.assert_allclose(run["v"][-1], expected, atol=1e-11)


def test_cells_that_differ_by_rounding_fire_at_one_instant():
    start = 1e-14 * np.random.default_rng(0).uniform(0, 1, 50)
    run = dl.integrate(pulsed.on(dl.AllToAll(50))(w=0.001), start={"v": start}, duration=6, at=[6])
    found = run.events["spike"]
    assert len(found) == 50 * len(np.unique(found.times)) > 200
    for k in range(len(found) // 50):
        assert found.nodes[50 * k : 50 * k + 50].tolist() == list(range(50))


def test_inhibition_calls_off_the_spikes_of_the_same_instant():
    run = dl.integrate(pulsed.on(dl.AllToAll(10))(w=-0.01), duration=1.2, method=TIGHT)
    found = run.events["spike"]
    times = [math.log(3)]
    # Each cell in turn comes back from 0.99 to 1 and kicks those that follow: 0.01 below again.
    times += (math.log(3) + np.arange(1, 10) * math.log(0.51 / 0.5)).tolist()
    inside = [t for t in times if t < 1.2]
    assert found.nodes.tolist() == list(range(len(inside)))
    np.testing.assert_allclose(found.times, inside, atol=1e-11)


def test_a_cascade_runs_through_a_chain_at_one_instant():
    weights = np.zeros((5, 5))
    for k in range(4):
        weights[k + 1, k] = 0.5
    start = [0.6, 0.55, 0.55, 0.55, 0.1]
    run = dl.integrate(pulsed.on(weights)(I=[1.5, 0.9, 0.9, 0.9, 0.9]), start={"v": start},
                       duration=0.9, method=TIGHT)  # fmt: skip
    found = run.events["spike"]
    assert found.nodes.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(found.times, math.log(0.9 / 0.5), atol=1e-12)


def test_relabelling_the_nodes_permutes_the_trains():
    """Of what happens at one instant the numbers decide; inhibition alone makes no cascades."""
    rng = np.random.default_rng(7)
    weights = rng.uniform(-0.2, 0, (8, 8)) * (1 - np.eye(8))
    drive, start, order = rng.uniform(1.1, 2, 8), rng.uniform(0, 1, 8), rng.permutation(8)
    plain = dl.integrate(
        resting.on(weights)(I=drive), start={"v": start}, duration=20, method=TIGHT
    )
    moved = dl.integrate(
        resting.on(weights[np.ix_(order, order)])(I=drive[order]), start={"v": start[order]}, duration=20,
        method=TIGHT,
    )  # fmt: skip
    assert len(plain.events["spike"]) > 40
    for new, old in enumerate(order):
        np.testing.assert_allclose(
            moved.events["spike"].of(new), plain.events["spike"].of(old), atol=1e-10
        )


# --- the same system written out --------------------------------------------------------------


@dl.flow
def coupled(
    x: dl.PerNode = 0.0, y: dl.PerNode = 0.1, *, w: dl.PerLink = 0.0, I: dl.PerNode = 1.0, gap=0.2
):
    """Ramps with a slow brake, and currents through links that flow all the time."""
    return {
        x[i]: I[i]
        - y[i] * x[i]
        + gap * dl.Sum(w[i, j] * (x[j] - x[i]), j)
        + 0.1 * dl.sin(3 * dl.t),
        y[i]: -y[i] / 2,
    }


@coupled.with_event(
    when=lambda x, y: x[i] - 1 - 0.1 * y[i], direction=+1, name="fire", refractory=lambda rest: rest,
    deliver=lambda x, y, w: {y[i]: y[i] + 0.2 * w[i, j], x[i]: x[i] + 0.3 * w[i, j] * (1 - y[i])},
)  # fmt: skip
def firing(x, y, *, rest=0.15):
    return {x[i]: -0.1 * y[i], y[i]: y[i] + 0.5}


@firing.with_event(when=lambda x: x[i] - 0.5 + 0.1 * dl.cos(dl.t), name="middle")
def both(x):
    return {}


@dl.flow
def written(
    x0=0.0, x1=0.2, x2=0.4, y0=0.1, y1=0.1, y2=0.1,
    *, w01=0.5, w12=-0.3, w20=0.8, I0=1.0, I1=1.3, I2=0.7, gap=0.2,
):  # fmt: skip
    swing = 0.1 * dl.sin(3 * dl.t)
    return {
        x0: I0 - y0 * x0 + gap * w01 * (x1 - x0) + swing,
        x1: I1 - y1 * x1 + gap * w12 * (x2 - x1) + swing,
        x2: I2 - y2 * x2 + gap * w20 * (x0 - x2) + swing,
        y0: -y0 / 2,
        y1: -y1 / 2,
        y2: -y2 / 2,
    }


@written.with_event(when=lambda x0, y0: x0 - 1 - 0.1 * y0, direction=+1, name="fire0",
                    refractory=lambda rest: rest, held=("x0", "y0"))  # fmt: skip
def written_0(x0, y0, x2, y2, *, w20, rest=0.15):
    return {x0: -0.1 * y0, y0: y0 + 0.5, y2: y2 + 0.2 * w20, x2: x2 + 0.3 * w20 * (1 - y2)}


@written_0.with_event(when=lambda x1, y1: x1 - 1 - 0.1 * y1, direction=+1, name="fire1",
                      refractory=lambda rest: rest, held=("x1", "y1"))  # fmt: skip
def written_1(x1, y1, x0, y0, *, w01):
    return {x1: -0.1 * y1, y1: y1 + 0.5, y0: y0 + 0.2 * w01, x0: x0 + 0.3 * w01 * (1 - y0)}


@written_1.with_event(when=lambda x2, y2: x2 - 1 - 0.1 * y2, direction=+1, name="fire2",
                      refractory=lambda rest: rest, held=("x2", "y2"))  # fmt: skip
def written_2(x2, y2, x1, y1, *, w12):
    return {x2: -0.1 * y2, y2: y2 + 0.5, y1: y1 + 0.2 * w12, x1: x1 + 0.3 * w12 * (1 - y1)}


def test_a_network_is_the_system_written_out():
    """Coupling in the rule, two events, refractory times, guards that move, deliveries to two states."""
    weights = np.zeros((3, 3))
    weights[0, 1], weights[1, 2], weights[2, 0] = 0.5, -0.3, 0.8
    net = both.on(weights)(I=[1.0, 1.3, 0.7])
    start = {"x": [0.0, 0.2, 0.4], "y": 0.1}
    run = dl.integrate(net, start=start, duration=20, method=TIGHT)
    scalars = written_2.with_switch(
        middle0=lambda x0: x0 - 0.5 + 0.1 * dl.cos(dl.t), middle1=lambda x1: x1 - 0.5 + 0.1 * dl.cos(dl.t),
        middle2=lambda x2: x2 - 0.5 + 0.1 * dl.cos(dl.t),
    )  # fmt: skip
    plain = dl.integrate(scalars, duration=20, method=TIGHT)
    assert len(run.events["fire"]) > 30
    for name in ("fire", "middle"):
        for node in range(3):
            np.testing.assert_allclose(
                run.events[name].of(node), plain.events[f"{name}{node}"].times, atol=1e-9
            )
    times = np.linspace(0.013, 19.9, 57)
    np.testing.assert_allclose(run.at(times).values, plain.at(times).values, atol=1e-8)
    kept = dl.integrate(net, start=start, duration=20, at=times, method=TIGHT)
    np.testing.assert_allclose(kept.values, run.at(times).values, atol=1e-12)
    assert kept.events["fire"].times.tolist() == run.events["fire"].times.tolist()


# --- one node may graze, jump in time, or never end --------------------------------------------


@dl.flow
def swings(x: dl.PerNode = 1.0, v: dl.PerNode = 0.0, *, top: dl.PerNode = 0.5):
    return {x[i]: v[i], v[i]: -x[i]}


@swings.with_event(when=lambda x, top: x[i] - top[i], direction=+1, name="top")
def topped(x):
    return {}


def test_no_passage_is_missed_inside_a_step():
    """x = a cos t rises through 1 shortly before 2 pi, for the tenth of a step or not at all."""
    tops = 1 - np.array([1e-2, 1e-4, 1e-6, 1e-9, -1e-9, -1e-3])
    net = topped.on({"node": 6})(top=tops)
    run = dl.integrate(net, duration=20, method=TIGHT)
    for node, top in enumerate(tops):
        expected = [] if top > 1 else (2 * np.pi * np.arange(1, 4) - math.acos(top)).tolist()
        # The passage is as sharp as its angle: an error of 1e-13 in x over sin(angle).
        assert run.events["top"].of(node) == pytest.approx(
            expected, abs=2e-12 / math.sqrt(abs(1 - top))
        )


@dl.flow
def steps(x: dl.PerNode = 0.0, *, I: dl.PerNode = 1.0):
    return {x[i]: dl.where(dl.t > 2, I[i], 0.0)}


@steps.with_event(when=lambda x: x[i] - 1, direction=+1, name="fire")
def ramps(x):
    return {x[i]: 0.0}


def test_a_jump_in_time_is_met_exactly():
    run = dl.integrate(ramps.on({"node": 2})(I=[1.0, 2.0]), duration=4.2, method=TIGHT)
    assert run.events["fire"].of(0) == pytest.approx([3, 4], abs=1e-12)
    assert run.events["fire"].of(1) == pytest.approx([2.5, 3, 3.5, 4], abs=1e-12)
    assert run["x"][-1] == pytest.approx([0.2, 0.4], abs=1e-12)
    assert run["t"][-1] == 4.2


@dl.flow
def falling(x: dl.PerNode = 1.0, v: dl.PerNode = 0.0, *, e: dl.PerNode = 0.5, g=1.0):
    return {x[i]: v[i], v[i]: -g}


@falling.with_event(when=lambda x: x[i], direction=-1, name="bounce")
def balls(v, *, e):
    return {v[i]: -e[i] * v[i]}


def test_events_that_accumulate_end_the_run():
    """A ball dropped from x comes to rest at sqrt(2 x / g) (1 + e) / (1 - e); the lowest one first."""
    run = dl.integrate(
        balls.on({"node": 3})(e=[0.5, 0.6, 0.5]), start={"x": [1.0, 2.0, 4.0]}, duration=20
    )
    assert run.status is dl.Status.ACCUMULATION
    assert run.end[0] == pytest.approx(math.sqrt(2) * 3, rel=1e-7)
    assert len(run.events["bounce"].of(0)) > 20


def test_kicks_that_never_end_are_said_to():
    run = dl.integrate(pulsed.on(dl.AllToAll(2))(w=1.5), duration=10)
    assert run.status is dl.Status.ACCUMULATION
    assert run.end[0] == pytest.approx(math.log(3), rel=1e-9)


@dl.flow
def dry(x: dl.PerNode = 1.0, *, push: dl.PerNode = 0.5):
    return {x[i]: push[i] - dl.sign(x[i])}


@dry.with_event(when=lambda x: x[i], name="through")
def sliding(x):
    return {}


def test_a_surface_that_holds_the_flow_ends_the_run():
    run = dl.integrate(
        sliding.on({"node": 2})(push=[0.5, -1.5]), start={"x": [0.6, 1.0]}, duration=5
    )
    assert run.status is dl.Status.SLIDING
    assert run.events["through"].nodes.tolist()[-1] == 0
    # Node 1 passes at 1 / 2.5 and goes on with -0.5; node 0 arrives at 0.6 / 0.5 and stays.
    assert run.events["through"].of(1) == pytest.approx([0.4], abs=1e-6)
    assert run.end[0] == pytest.approx(1.2, abs=1e-6)


# --- methods ----------------------------------------------------------------------------------


@dl.flow
def currents(v: dl.PerNode = 0.0, g: dl.PerNode = 0.0, *, w: dl.PerLink = 0.1, I: dl.PerNode = 1.5):
    return {v[i]: I[i] - v[i] + g[i], g[i]: -2 * g[i]}


@currents.with_event(
    when=lambda v: v[i] - 1, direction=+1, name="spike", refractory=lambda tref: tref,
    deliver=lambda g, w: {g[i]: g[i] + w[i, j]},
)  # fmt: skip
def synaptic(v, *, tref=0.3):
    """Leaky cells whose spikes are currents that decay: times depend smoothly on everything."""
    return {v[i]: 0.0}


@pytest.mark.parametrize("tref", [0.0, 0.3])
def test_equal_steps_converge_to_the_located_answer_at_first_order(tref):
    weights = np.random.default_rng(5).uniform(0, 0.4, (4, 4)) * (1 - np.eye(4))
    net = synaptic.on(weights)(I=[1.3, 1.5, 1.7, 2.1], tref=tref)
    exact = dl.integrate(net, duration=4, at=[4], method=TIGHT).events["spike"]
    sizes, errors = [0.02, 0.01, 0.005, 0.0025, 0.00125], []
    for step in sizes:
        found = dl.integrate(net, duration=4, at=[4], method=dl.Clocked(step=step)).events["spike"]
        assert [len(found.of(k)) for k in range(4)] == [len(exact.of(k)) for k in range(4)]
        errors.append(max(np.abs(found.of(k) - exact.of(k)).max() for k in range(4)))
    slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
    assert 0.8 < slope < 1.25, errors


def test_equal_steps_pass_on_what_is_pushed_over_the_threshold():
    """A chain in which each cell is kicked over: all fire at the same instant, in equal steps too."""
    weights = np.diag(np.full(4, 0.5), -1)
    run = dl.integrate(
        pulsed.on(weights)(I=[1.5, 0.9, 0.9, 0.9, 0.9]), start={"v": [0.6, 0.55, 0.55, 0.55, 0.1]},
        duration=0.9, at=[0.9], method=dl.Clocked(step=0.01),
    )  # fmt: skip
    assert run.events["spike"].nodes.tolist() == [0, 1, 2, 3]
    assert np.ptp(run.events["spike"].times) <= 0.01
    endless = dl.integrate(
        pulsed.on(dl.AllToAll(2))(w=1.5), duration=3, method=dl.Clocked(step=0.01)
    )
    assert endless.status is dl.Status.ACCUMULATION


@dl.flow
def stiff(v: dl.PerNode = 0.0, u: dl.PerNode = 0.0, *, I: dl.PerNode = 2.0, rate=1e5):
    return {v[i]: I[i] - u[i], u[i]: rate * (v[i] - u[i])}


@stiff.with_event(when=lambda v: v[i] - 1, direction=+1, name="spike", refractory=lambda tref: tref)
def stiff_cells(v, *, tref=0.25):
    return {v[i]: 0.0}


@pytest.mark.parametrize("count", [3, 60])
def test_implicit_steps_locate_too(count):
    """u follows v, so v' = I - v but for 1 / rate: v(t) = I - I exp(-t) up to 1e-5, also beyond a hold."""
    drive = np.full(count, 0.5)
    drive[[0, count // 2, count - 1]] = 1.5, 1.9, 2.5
    net = stiff_cells.on({"node": count})(I=drive)
    method = dl.Automatic(rtol=1e-8)
    run = dl.integrate(net, duration=2, at=[2], method=method)
    assert run.provenance.settings["steps"].get("implicit", 0) > 0
    for node in (0, count // 2, count - 1):
        period = math.log(drive[node] / (drive[node] - 1))
        train = run.events["spike"].of(node)
        expected = period + (period + 0.25) * np.arange(len(train))
        np.testing.assert_allclose(train, expected, atol=1e-3)
        assert len(train) == 1 + int((2 - period) / (period + 0.25))
    tight = dl.integrate(net, duration=2, at=[2], method=dl.Radau5(rtol=1e-10))
    assert_same_spikes(sorted(spikes_of(run)), sorted(spikes_of(tight)), 1e-7)


# --- several sets of nodes --------------------------------------------------------------------


@dl.flow
def two_sets(
    x: dl.PerNode("exc") = 0.0, y: dl.PerNode("inh") = 0.0,
    *, a: dl.PerLink("inh", "exc") = 0.1, b: dl.PerLink("exc", "inh") = 0.1, I: dl.PerNode("exc") = 1.0,
    J: dl.PerNode("inh") = 0.7,
):  # fmt: skip
    k, m = dl.nodes("k m")
    return {x[k]: I[k], y[m]: J[m]}


@two_sets.with_event(
    when=lambda x: x[i] - 1,
    direction=+1,
    name="excite",
    deliver=lambda y, a: {y[i]: y[i] + a[i, j]},
)
def excited(x):
    return {x[i]: 0.0}


@excited.with_event(
    when=lambda y: y[i] - 1,
    direction=+1,
    name="inhibit",
    deliver=lambda x, b: {x[i]: x[i] - b[i, j]},
)
def balanced(y):
    return {y[i]: 0.0}


def test_populations_deliver_to_each_other():
    """Ramps: two exciting cells of rates 1 and 0.8, one inhibiting of rate 0.7, in rational numbers."""
    net = balanced.on(
        {"exc": 2, "inh": 1}, links={"a": np.array([[0.1, 0.2]]), "b": np.array([[0.3], [0.05]])}
    )
    run = dl.integrate(net(I=[1.0, 0.8]), duration=2.1, method=TIGHT)
    # x0 fires at 1 (y: 0.8); y = 1 at 1 + 0.2 / 0.7 unless x1 fires before, at 1.25 (y: 0.975 + 0.2 > 1).
    assert run.events["excite"].of(0) == pytest.approx([1.0], abs=1e-12)
    assert run.events["excite"].of(1) == pytest.approx([1.25], abs=1e-12)
    assert run.events["inhibit"].of(0) == pytest.approx([1.25], abs=1e-12)
    # x0 was 0.25 and is kicked to -0.05; x1 to -0.05 after its reset.
    assert run["x"][-1] == pytest.approx([-0.05 + 0.85, -0.05 + 0.8 * 0.85], abs=1e-12)
    assert run["y"][-1] == pytest.approx([0.7 * 0.85], abs=1e-12)
