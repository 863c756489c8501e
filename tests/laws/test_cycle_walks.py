"""A branch of cycles depends on the problem alone: not on the clock, and its folds not on the mesh."""

import time

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo
from dynlab.continuation.curves import cycle


@pytest.fixture(scope="module")
def onset():
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    return dl.continue_equilibrium(rest, vary="I", over=(0, 2)).points(dl.Hopf)[0]


def test_a_busy_machine_changes_nothing(onset, monkeypatch):
    first = dl.continue_cycles(onset, over=(0, 2))
    chunk = cycle._chunk

    def late(*arguments):
        time.sleep(0.04)
        return chunk(*arguments)

    monkeypatch.setattr(cycle, "_chunk", late)
    second = dl.continue_cycles(onset, over=(0, 2))
    assert np.array_equal(first.values, second.values)
    assert np.array_equal(first.profiles, second.profiles)


@pytest.mark.parametrize("intervals", [40, 60, 100])
def test_both_folds_of_a_canard_on_any_mesh(onset, intervals):
    """Between the folds the branch stands upright to round-off; v, w, I -> -v, 2a/b - w, 2a/b - I."""
    held = dl.Collocation(intervals=intervals, most_intervals=intervals)
    folds = dl.continue_cycles(onset, over=(0, 2), collocation=held).points(dl.Fold)
    assert len(folds) == 2
    first, second = (fold["I"] for fold in folds)
    # AUTO-07p, two meshes: 0.3241785225 to 2e-9; ours on the coarsest mesh is as good as its mesh.
    assert abs(first - 0.3241785225) < 1e-8
    assert abs(first + second - 1.75) < 1e-8
