"""A chimera on a ring: the theory of infinitely many oscillators, and a run of some."""

import networkx as nx
import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

A, B = 0.995, 0.18


@pytest.mark.parametrize(
    ("kernel", "lag"), [(A, B), (A, 0.05), (A, 0.26), (0.5, 0.1), (1.0, 0.001)]
)
def test_the_field_makes_itself(kernel, lag):
    """The integral of Abrams and Strogatz by another rule: as a convolution over the ring, place by place."""
    found = dl.ring_chimera(A=kernel, b=lag)
    d, size = -found.frequency, np.abs(found.field)
    assert size.min() < d < size.max()
    locked = size > d
    root = np.sqrt(np.abs(d**2 - size**2)) * np.where(locked, 1j, 1.0)
    made = found.field / size * (d - root) / size
    spread = 1 + kernel * np.cos(found.x - found.x[0])
    field = np.exp(1j * lag) * np.fft.ifft(np.fft.fft(spread) * np.fft.fft(made)) / found.x.size
    np.testing.assert_allclose(field, found.field, atol=1e-9)
    np.testing.assert_allclose(found.order[locked], 1.0, atol=1e-12)
    assert found.order.min() < 0.7


def test_the_fold_is_that_of_weakly_uneven_coupling():
    """Two chimeras meet at b = 0.2205 A + O(A^2) (Abrams and Strogatz 2004); the term that is left out is about 0.02 A^2."""
    weak = 0.05
    assert 0.5 > dl.ring_chimera(A=weak, b=0.219 * weak).drifting > 0.3
    with pytest.raises(dl.NotConverged, match=r"at about A = 0\.05"):
        dl.ring_chimera(A=weak, b=0.223 * weak)


@pytest.mark.parametrize(("B", "count", "duration"), [(0.05, 512, 600.0), (B, 256, 300.0)])
def test_a_run_settles_on_it(B, count, duration):
    """The share that drifts is known to a few oscillators, and frequencies to a hundredth."""
    x = 2 * np.pi * np.arange(count) / count - np.pi
    # Even, and without a seed: of spreads at random one in six falls in step (16 even ones did not).
    spread = np.modf(0.6180339887 * np.arange(count))[0] - 0.5
    ring = zoo.ring_of_oscillators.on(dl.AllToAll(count))(x=x, A=A, b=B)
    run = dl.integrate(
        ring, start={"theta": 6 * np.exp(-0.76 * x**2) * spread}, duration=duration, at=[0, duration / 2, duration],
        method=dl.Explicit8(rtol=1e-6, atol=1e-8),
    )  # fmt: skip
    theory = dl.ring_chimera(A=A, b=B)
    frequency = (run["theta"][2] - run["theta"][1]) / (duration / 2)
    locked = np.abs(frequency - frequency.min()) < 0.02
    assert frequency[locked].mean() == pytest.approx(theory.frequency, abs=0.01)
    assert 1 - locked.mean() == pytest.approx(theory.drifting, abs=0.04)
    assert np.sort(frequency)[-10:].mean() == pytest.approx(theory.frequencies.max(), abs=0.04)
    seen = dl.ring_snapshot(run, "theta", at=duration, reach=4)
    assert seen.order[locked].mean() > 0.97
    assert seen.order[~locked].mean() < 0.8
    assert theory.order.mean() - 0.15 < np.mean(seen.order) < theory.order.mean() + 0.15


def test_local_order_of_waves_is_that_of_dirichlets_kernel():
    for turns, reach in ((1, 2), (3, 1)):
        wave = dl.twisted_state(24, turns=turns)
        ring = zoo.kuramoto_on_graph.on(nx.cycle_graph(24))
        run = dl.integrate(ring, start={"theta": wave.phases}, duration=1, at=[0, 1])
        seen = dl.ring_snapshot(run, "theta", at=0.0, reach=reach)
        step, terms = 2 * np.pi * turns / 24, 2 * reach + 1
        exact = abs(np.sin(terms * step / 2) / (terms * np.sin(step / 2)))
        np.testing.assert_allclose(seen.order, exact, rtol=1e-12)
        assert seen.mean_order < 1e-12


def test_bad_questions_are_named():
    with pytest.raises(dl.SettingError, match="pi / 2"):
        dl.ring_chimera(A=0.9, b=2.0)
    with pytest.raises(dl.NotConverged, match=r"no chimera at A = 0\.2.* at about A = 0\.995"):
        dl.ring_chimera(A=0.2, b=1.4)
    run = dl.integrate(zoo.van_der_pol, duration=1)
    with pytest.raises(dl.SettingError, match="one number"):
        dl.ring_snapshot(run, "x", at=0.0, reach=1)
    swarm = dl.integrate(zoo.kuramoto.on(dl.AllToAll(4)), duration=1)
    with pytest.raises(dl.SettingError, match="less than 2"):
        dl.ring_snapshot(swarm, "theta", at=0.0, reach=2)


def test_results_draw_tabulate_and_come_back(tmp_path):
    swarm = dl.integrate(zoo.kuramoto.on(dl.AllToAll(8)), duration=1)
    for number, found in enumerate(
        (dl.ring_chimera(A=A, b=B), dl.ring_snapshot(swarm, "theta", at=1, reach=2))
    ):
        again = dl.load(found.save(tmp_path / str(number)))
        assert repr(again) == repr(found)
        assert all(len(v) for v in again.to_table().values())
        assert found.plot().get_xlabel()
