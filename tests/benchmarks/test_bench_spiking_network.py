"""A network of spiking cells against Brian2 in one process: the same equations, method, links and step.

10 000 cells of Izhikevich's simple model, each fed by 100 others drawn at random, for one second of model
time.  Both advance by the classical method of order 4 and see spikes at the ends of steps.  Brian2 keeps
spike times and indices as we do.  Its code is generated for numpy, and for Cython where a compiler works;
"cold" includes building the network and generating code, "warm" is a second run of the same network.

Without Brian2 only our side is timed.  Run by name: ``pytest -m benchmark tests/benchmarks``.
"""

import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

pytestmark = pytest.mark.benchmark

N, INPUTS, DURATION, STRENGTH = 10_000, 100, 1000.0, 0.05
RNG = np.random.default_rng(1)
SOURCES = np.array([RNG.choice(N, INPUTS, replace=False) for _ in range(N)])
CURRENT = RNG.uniform(3.0, 6.0, N)
STEPS = [0.5, 0.1]


def seconds(run):
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def ours(step):
    """Return a function that runs once and returns how many spikes there were."""
    from scipy.sparse import csr_array

    starts = np.arange(N + 1) * INPUTS
    links = csr_array((np.full(N * INPUTS, STRENGTH), np.sort(SOURCES).ravel(), starts), (N, N))
    net = zoo.izhikevich_network.on(links)(I=CURRENT)
    method = dl.Clocked(step=step)
    return lambda: len(
        dl.integrate(net, duration=DURATION, at=[DURATION], method=method).events["spike"]
    )


def theirs(brian, target, step):
    """Return the same for Brian2."""
    brian.prefs.codegen.target = target
    brian.defaultclock.dt = step * brian.ms
    cells = brian.NeuronGroup(
        N,
        """
        dv/dt = (0.04*v**2 + 5*v + 140 - u + I + g)/ms : 1
        du/dt = 0.02*(0.2*v - u)/ms : 1
        dg/dt = -g/(5*ms) : 1
        I : 1 (constant)
        """,
        threshold="v > 30", reset="v = -65; u += 8", method="rk4",
    )  # fmt: skip
    cells.v, cells.u, cells.I = -65.0, -13.0, CURRENT
    links = brian.Synapses(cells, cells, on_pre=f"g_post += {STRENGTH}")
    links.connect(i=SOURCES.ravel(), j=np.repeat(np.arange(N), INPUTS))
    spikes = brian.SpikeMonitor(cells)
    net = brian.Network(cells, links, spikes)
    net.store()

    def run():
        net.restore()
        net.run(DURATION * brian.ms)
        return spikes.num_spikes

    return run


@pytest.mark.parametrize("step", STEPS)
def test_our_network(step):
    cold, spikes = seconds(lambda: ours(step)())
    run = ours(step)
    warm = min(seconds(run)[0] for _ in range(3))
    print(f"\ndynlab, step {step}: cold {cold:.2f} s, warm {warm:.2f} s, {spikes} spikes")


@pytest.mark.parametrize("target", ["numpy", "cython"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.filterwarnings("ignore")
def test_brian_network(target, step):
    # With a numpy that it does not know Brian2 fails with an AttributeError.
    brian = pytest.importorskip("brian2", exc_type=Exception, reason="needs Brian2")
    cold, (peer, spikes) = seconds(lambda: (run := theirs(brian, target, step), run()))
    mine = ours(step)
    own_spikes = mine()
    # In turn, so that what else runs on the machine disturbs both.
    pairs = [(seconds(peer)[0], seconds(mine)[0]) for _ in range(3)]
    warm, own = (min(times) for times in zip(*pairs, strict=True))
    print(
        f"\nBrian2 with {target}, step {step}: cold {cold:.2f} s, warm {warm:.2f} s, {spikes} spikes; "
        f"dynlab warm {own:.2f} s, {own_spikes} spikes: {warm / own:.1f} times"
    )
    # What the order within a step changes is small in their number.
    assert spikes == pytest.approx(own_spikes, rel=0.01)
