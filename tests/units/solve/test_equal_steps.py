"""Runs with equal steps: what they keep, how they end."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

SPRING = zoo.harmonic_oscillator


def test_equal_steps_fill_the_duration():
    run = dl.integrate(SPRING, duration=1.0, method=dl.Verlet(step=0.3))
    assert np.allclose(np.diff(run.t), 0.25, rtol=0, atol=1e-15)
    assert run.t[-1] == 1.0
    # A multiple but for rounding: 0.1 * 3 is more than 0.3.
    assert len(dl.integrate(SPRING, duration=0.1 * 3, method=dl.Verlet(step=0.1)).t) == 4
    assert len(dl.integrate(SPRING, duration=0.01, method=dl.Verlet(step=0.1)).t) == 2
    still = dl.integrate(SPRING, duration=0.0, method=dl.Verlet(step=0.1))
    assert still.t.tolist() == [0.0]
    assert still.energy_error == 0.0


@pytest.mark.parametrize("duration", [7.0, -7.0])
def test_crossings_are_found_and_end_the_run(duration):
    sign = math.copysign(1, duration)
    top = dl.Crossing("top", lambda p: p)
    method = dl.KahanLi8(step=0.1)
    run = dl.integrate(SPRING, duration=duration, record=top, method=method)
    assert np.allclose(run.events["top"].times, sign * math.pi * np.arange(1, 3), rtol=0, atol=1e-9)
    low = dl.Crossing("low", lambda q: q)
    run = dl.integrate(SPRING, duration=duration, until=low, method=method)
    assert run.status is dl.Status.EVENT
    assert run.end[0] == pytest.approx(sign * math.pi / 2, abs=1e-9)
    assert abs(run.final["q"]) < 1e-14


@pytest.mark.parametrize("watched", [False, True])
def test_given_times_alone_are_kept(watched):
    times = [0.0, 0.5, 0.7321, 3.0]
    record = dl.Crossing("top", lambda p: p) if watched else ()
    run = dl.integrate(SPRING, duration=3.0, at=times, record=record, method=dl.KahanLi8(step=0.05))
    assert run.t.tolist() == times
    assert np.abs(run["q"] - np.cos(times)).max() < 1e-12


def test_the_largest_number_of_steps_ends_a_run():
    run = dl.integrate(SPRING, duration=10.0, method=dl.Verlet(step=0.1, max_steps=30))
    assert run.status is dl.Status.TOO_MANY_STEPS
    assert run.end[0] == pytest.approx(3.0)
    assert len(run.t) == 31


def test_a_runaway_and_the_end_of_the_domain_are_told_apart():
    falling = dl.hamiltonian(lambda q=1.0, p=0.0: p**2 / 2 - q**6)
    run = dl.integrate(falling, duration=10.0, method=dl.Verlet(step=0.01))
    assert run.status is dl.Status.DIVERGED
    assert np.isfinite(run.values).all()
    root = dl.hamiltonian(lambda q=1.0, p=-1.0: p**2 / 2 + q * dl.sqrt(q))
    run = dl.integrate(root, duration=10.0, method=dl.Verlet(step=0.01))
    assert run.status is dl.Status.LEFT_DOMAIN
    assert np.isfinite(run.values).all()


def test_a_run_says_how_well_it_kept_the_energy(tmp_path):
    run = dl.integrate(zoo.henon_heiles, duration=50.0, method=dl.BlanesMoan4(step=0.1))
    assert "energy error" in repr(run)
    assert f"{run.energy_error:.2g}" in repr(run)
    energy = run["energy"]
    assert run.energy_error == np.abs(energy - energy[0]).max() / abs(energy[0])
    again = dl.load(run.save(tmp_path / "run.npz"))
    assert again.energy_error == run.energy_error
    assert again.provenance.settings["method"] == dl.BlanesMoan4(step=0.1)
    # At rest H is 0: there is no relative error.
    still = dl.integrate(SPRING, start={"q": 0.0}, duration=1.0, method=dl.Verlet(step=0.1))
    assert still.energy_error == 0.0


def test_a_long_run_can_be_stopped():
    with dl.stop_after(0.05):
        run = dl.integrate(SPRING, duration=1e8, at=[1e8], method=dl.Verlet(step=0.1))
    assert run.status is dl.Status.STOPPED
    assert 0 < run.end[0] < 1e8


def test_many_states_get_a_shorter_polynomial():
    names = [f"q{i}" for i in range(7)] + [f"p{i}" for i in range(7)]

    def energy(*states):
        return sum(s**2 for s in states) / 2

    scope = {"energy": energy}
    arguments = ", ".join(f"{n}={float(n[0] == 'q')}" for n in names)
    exec(f"def springs({arguments}):\n    return energy({', '.join(names)})", scope)
    run = dl.integrate(dl.hamiltonian(scope["springs"]), duration=2.0, method=dl.KahanLi8(step=0.1))
    inner = np.linspace(0, 2, 77)
    assert np.abs(run["q3"] - np.cos(run.t)).max() < 1e-12
    # Degree 5: h^6 / 46080 times the sixth derivative, 2e-11.
    assert 1e-13 < np.abs(run.at(inner)["q3"] - np.cos(inner)).max() < 4e-11
    low = dl.Crossing("low", lambda q0: q0)
    ended = dl.integrate(run.system, duration=2.0, until=low, method=dl.KahanLi8(step=0.1))
    assert ended.end[0] == pytest.approx(np.pi / 2, abs=1e-10)
