"""Coherence resonance (Pikovsky and Kurths 1997, Phys. Rev. Lett. 78, 775): spikes are most regular at a middle noise.

x' = (x - x^3/3 - y) / 0.01, y' = x + 1.05 + D xi.  CV of the intervals of 4000 spikes in Euler steps of 5e-4: the table below, each to 0.01.
Run the whole table by name: ``pytest -m campaign tests/references/test_coherence_resonance.py``.
"""

import numpy as np
import pytest

import dynlab as dl

TABLE = {0.02: 0.49, 0.03: 0.30, 0.05: 0.204, 0.07: 0.196, 0.1: 0.198, 0.15: 0.217, 0.2: 0.241}
SPIKE = dl.Crossing("spike", lambda x: x - 1, direction=+1)


@dl.flow
def excitable(x=-1.05, y=-0.66, *, eps=0.01, a=1.05):
    return {x: (x - x**3 / 3 - y) / eps, y: x + a}


def intervals(D, spikes, seed):
    run = dl.simulate(
        excitable.with_noise(y=D), duration=4.0 * spikes if D > 0.04 else 9.0 * spikes, at=[4.0 * spikes], seed=seed,
        method=dl.EulerMaruyama(step=5e-4), record=SPIKE,
    )  # fmt: skip
    return dl.spike_train(run, event="spike")


@pytest.mark.parametrize("D", [0.05, 0.2])
def test_two_of_the_table(D):
    found = intervals(D, 500, 1)
    assert len(found) > 400
    assert abs(found.cv - TABLE[D]) < 4 * found.cv_error + 0.01
    assert found.cv_error < 0.02


@pytest.mark.campaign
def test_the_whole_table_and_its_minimum():
    found = {D: intervals(D, 4000, 1) for D in TABLE}
    for D, train in found.items():
        print(
            f"D = {D:4g}: CV {train.cv:.3f} ({train.cv_error:.3f}), {TABLE[D]} in print, {len(train)} spikes"
        )
    for D, train in found.items():
        assert abs(train.cv - TABLE[D]) < 4 * np.hypot(train.cv_error, 0.01)
    best = min(found, key=lambda D: found[D].cv)
    assert best in (0.05, 0.07, 0.1)
    assert found[0.02].cv > 2 * found[0.07].cv
    assert found[0.2].cv > found[0.07].cv + 5 * found[0.2].cv_error
