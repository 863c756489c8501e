"""Manifolds of planar saddles against a case with a closed form, and phase portraits."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def duffing(x=0.1, y=0.0, *, damping=0.0):
    return {x: y, y: x - x**3 - damping * y}


def saddle_of(system):
    found = dl.find_equilibria(system, within={"x": (-2, 2), "y": (-2, 2)})
    return next(p for p in found if p.kind == "saddle")


def test_undamped_manifolds_lie_on_the_energy_level_of_the_saddle():
    manifolds = dl.saddle_manifolds(saddle_of(duffing), duration=20)
    for run in (*manifolds.stable, *manifolds.unstable):
        energy = run["y"] ** 2 / 2 - run["x"] ** 2 / 2 + run["x"] ** 4 / 4
        # On the homoclinic loop the energy is 0; a start d = 1e-6 off the saddle errs by d^2.
        assert np.max(np.abs(energy)) < 1e-9
        assert np.max(np.abs(run["x"])) == pytest.approx(np.sqrt(2), rel=1e-3)


def test_stable_ones_run_into_the_saddle_and_unstable_ones_leave_it():
    manifolds = dl.saddle_manifolds(saddle_of(duffing(damping=0.3)), duration=60)
    for run in manifolds.stable:
        assert run.t[-1] < 0
        assert np.hypot(run["x"][0], run["y"][0]) < 1e-5
    ends = sorted(run.final["x"] for run in manifolds.unstable)
    assert ends == pytest.approx([-1, 1], abs=1e-2)
    assert set(manifolds.to_table()["manifold"]) == {"stable", "unstable"}


def test_misuse_is_named():
    node = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    with pytest.raises(dl.SettingError, match="stable focus, not a saddle"):
        dl.saddle_manifolds(node)
    origin = next(p for p in dl.find_equilibria(zoo.lorenz) if p.kind == "saddle")
    with pytest.raises(dl.UnsupportedSystemError, match="3 states"):
        dl.saddle_manifolds(origin)
    with pytest.raises(dl.SettingError, match="must be positive"):
        dl.saddle_manifolds(saddle_of(duffing), duration=-1)


def test_phase_portrait_holds_what_it_draws():
    portrait = dl.phase_portrait(
        duffing(damping=0.3), within={"x": (-2, 2), "y": (-1.5, 1.5)}, duration=40
    )
    assert portrait.field.shape[0] == 2
    assert len(portrait.manifolds) == 1
    assert sorted(p.kind for p in portrait.equilibria) == ["saddle", "stable focus", "stable focus"]
    ax = portrait.plot()
    assert ax.get_xlim() == (-2, 2)
    assert ax.get_ylim() == (-1.5, 1.5)
    table = portrait.to_table()
    assert table["y'"] == pytest.approx(table["x"] - table["x"] ** 3 - 0.3 * table["y"], abs=1e-14)
    with pytest.raises(dl.SettingError, match="no range for 'y'"):
        dl.phase_portrait(duffing, within={"x": (-1, 1)})
    with pytest.raises(dl.UnsupportedSystemError, match="needs two"):
        dl.phase_portrait(zoo.lorenz, within={"x": (-1, 1)})
