"""End values of conservative systems, from extended-precision Taylor series and closed forms."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

FACTS = [f for n in zoo.names() for f in zoo.facts(n) if f.what == "orbit period"]


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.model)
def test_the_orbit_closes_after_its_period(fact):
    system = zoo.get(fact.model)(**fact.at)
    method = dl.KahanLi8(step=fact.period / 200)
    run = dl.integrate(system, duration=fact.period, at=[fact.period], method=method)
    assert np.abs(run.values[-1] - system.start_values).max() < 1e-9
    half = dl.integrate(system, duration=fact.period / 2, at=[fact.period / 2], method=method)
    assert np.abs(half.values[-1] - system.start_values).max() > 0.1


def test_henon_heiles_at_100():
    # Adaptive Taylor series in 113-bit arithmetic, tolerance 1e-31, for the state (x, y, x', y').
    expected = [
        2.251469891854319e-1, 3.920106535852881e-1, 1.881879739924356e-1, -1.413256709617278e-1,
    ]  # fmt: skip
    method = dl.KahanLi8(step=0.05)
    run = dl.integrate(zoo.henon_heiles, duration=100, method=method)
    assert np.abs(run.values[-1] - expected).max() < 1e-9
    assert run.energy_error < 1e-12


@pytest.mark.parametrize(
    ("eccentricity", "step", "expected"),
    [  # DETEST classes D1, D3, D5 (Hull et al. 1972) at t = 20, recomputed as above
        (0.1, 0.1, (2.198835352008397e-1, 9.427076846341813e-1, -9.787659841058177e-1, 3.287977990962036e-1)),
        (0.5, 0.02, (-5.780432953035361e-1, 8.633840009194193e-1, -9.595083730380727e-1, -6.504915126712090e-2)),
        (0.9, 5e-4, (-1.295266250987574e0, 4.003938963792322e-1, -6.775390924707566e-1, -1.270838154278686e-1)),
    ],
)  # fmt: skip
def test_kepler_orbits_at_20(eccentricity, step, expected):
    e = eccentricity
    start = {"x": 1 - e, "py": math.sqrt((1 + e) / (1 - e))}
    run = dl.integrate(zoo.kepler, start=start, duration=20, at=[20], method=dl.KahanLi8(step=step))
    assert np.abs(run.values[-1] - expected).max() < 1e-10


def test_kepler_keeps_the_angular_momentum_to_rounding():
    orbit = zoo.kepler.with_observable(spin=lambda x, y, px, py: x * py - y * px)
    run = dl.integrate(orbit, duration=200.0, method=dl.Verlet(step=0.01))
    assert np.ptp(run["spin"]) < 1e-13  # every kick and drift keeps it exactly
    assert run.energy_error > 1e-5
