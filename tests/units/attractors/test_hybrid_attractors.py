"""Attractors and basins of flows with events, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


@dl.flow
def membrane(v=-1.0, *, I=-1.0):
    return {v: v**2 + I}


@membrane.with_event(when=lambda v: v - 10, direction=+1, name="spike")
def spiking(v, *, reset=1.5):
    """With I = -1 rest (v = -1) attracts what starts below v = 1, spiking all else."""
    return {v: reset}


@dl.flow
def driven(x=-0.1, v=0.0, phi: dl.Angle = 0.0, *, zeta=0.1, omega=2.0):
    return {x: v, v: -x - 2 * zeta * v + dl.cos(phi), phi: omega}


@driven.with_event(when=lambda x: x, direction=+1, name="impact")
def impact_oscillator(x, v, *, r=0.5):
    return {v: -r * v}


@pytest.fixture(scope="module")
def rest_and_spiking():
    return dl.find_attractors(spiking, within={"v": (-3, 9)}, samples=40, seed=1)


def test_rest_and_spiking_both_attract(rest_and_spiking):
    """The period is the integral of dv / (v^2 - 1) from the reset to the threshold."""
    kinds = {a.kind: a.verified for a in rest_and_spiking}
    assert set(kinds) == {"stable node", "stable cycle"}
    assert kinds["stable node"].state[0] == pytest.approx(-1, abs=1e-10)
    period = 0.5 * np.log((9 / 11) / (0.5 / 2.5))
    assert kinds["stable cycle"].period == pytest.approx(period, rel=1e-8)


def test_their_basins_meet_at_the_unstable_rest(rest_and_spiking):
    image = dl.basins(spiking, over={"v": (-3, 9)}, cells=24, attractors=rest_and_spiking)
    rest = rest_and_spiking[1 if rest_and_spiking[0].kind == "stable cycle" else 0].label
    assert ((image["v"] < 1) == (image.labels == rest)).all()
    edge = dl.edge_state(rest_and_spiking)
    assert edge.verified.state[0] == pytest.approx(1, abs=1e-8)


def test_areas_shrink_at_impacts_and_between_them():
    """The multipliers of a cycle with one impact have the product r^2 exp(-2 zeta T)."""
    found = dl.find_attractors(
        impact_oscillator, within={"x": (-2, 0), "v": (-2, 2)}, samples=10, seed=1
    )
    cycle = found.single().verified
    hits = len(
        dl.integrate(
            impact_oscillator, start=found.single().start, duration=100 * cycle.period
        ).events["impact"].times
    )  # fmt: skip
    expected = 0.5 ** (2 * hits / 100) * np.exp(-0.2 * cycle.period)
    assert hits % 100 == 0
    assert abs(np.prod(cycle.multipliers)) == pytest.approx(expected, rel=1e-6)
    assert cycle.period == pytest.approx(np.pi * round(cycle.period / np.pi), rel=1e-9)


def test_what_never_settles_is_undecided():
    """Bounces without end in a finite time: the run ends there, and the ball has not come back to anything."""
    found = dl.find_attractors(
        zoo.bouncing_ball, within={"x": (-0.1, 2), "v": (-7, 7)}, samples=4, seed=1
    )
    assert len(found) == 0
    assert (found.outcomes == -2).all()


def test_events_after_which_more_than_the_state_counts_are_refused():
    neuron = zoo.leaky_integrate_and_fire
    with pytest.raises(dl.UnsupportedSystemError, match="counts it down"):
        dl.find_attractors(neuron, within={neuron.state_names[0]: (-80, 0)})

    @driven.with_event(when=lambda phi: phi - 3.0, direction=+1)
    def kicked(v):
        return {v: v + 0.1}

    with pytest.raises(dl.UnsupportedSystemError, match="sin and cos of 'phi'"):
        dl.basins(kicked, over={"x": (-1, 1)})

    @membrane.with_event(when=lambda v: v - 10 + dl.sin(dl.t), direction=+1, name="moving")
    def timed(v):
        return {v: 1.5}

    with pytest.raises(dl.UnsupportedSystemError, match="'moving' depends on the time"):
        dl.find_attractors(timed, within={"v": (-3, 9)})
