"""Charts of what has no code for lanes: networks, sections, flows with events, stiff flows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

import dynlab as dl
from dynlab import zoo


@dl.flow
def driven(x=-0.5, v=0.0, phi: dl.Angle = 0.0, *, zeta=0.05, omega=2.8):
    return {x: v, v: -x - 2 * zeta * v + dl.cos(phi), phi: omega}


@driven.with_event(when=lambda x: x, direction=+1, name="impact")
def impact_oscillator(x, v, *, r=0.3):
    return {v: -r * v}


@dl.flow
def membrane(v=1.2, *, I=-1.0):
    return {v: v**2 + I}


@membrane.with_event(when=lambda v: v - 10, direction=+1, name="spike")
def spiking(v, *, reset=1.5):
    return {v: reset}


@dl.flow
def ring(x: dl.PerNode = 0.3, y: dl.PerNode = 0.1, *, mu=1.0, omega=2.0, K=0.5):
    """Equal limit cycles r^2 = mu with one frequency, coupled by their mean."""
    i, j = dl.nodes("i j")
    r2 = x[i] ** 2 + y[i] ** 2
    return {
        x[i]: mu * x[i] - r2 * x[i] - omega * y[i] + K * dl.Mean(x[j] - x[i], j),
        y[i]: mu * y[i] - r2 * y[i] + omega * x[i] + K * dl.Mean(y[j] - y[i], j),
    }


@dl.flow
def linear(x: dl.PerNode, *, g=1.0, A: dl.PerLink = 1.0):
    i, j = dl.nodes("i j")
    return {x[i]: g * dl.Sum(A[i, j] * x[j], j)}


def test_impacts_are_counted_and_come_with_the_drive():
    """Beyond r = 0.5 impacts double their period, then follow chaos; periods are whole turns of the drive."""
    chart = dl.attractor_chart(
        impact_oscillator, vary={"r": [0.3, 0.7]}, duration=150, transient=200
    )
    assert chart["verdict"].tolist() == ["periodic", "chaotic"]
    turns = chart["length"][0] * 2.8 / (2 * np.pi)
    assert turns == pytest.approx(round(turns), abs=1e-7)
    assert chart["period"].tolist() == [2, -1]


def test_spikes_have_their_period_and_rest_has_none():
    """A spike comes after the integral of dv / (v^2 - 1) from reset to threshold."""
    chart = dl.period_chart(spiking, vary={"v": [0.5, 1.2]}, transient=20)
    assert chart["period"].tolist() == [0, 1]
    assert chart["length"][1] == pytest.approx(0.5 * np.log((9 / 11) / (0.5 / 2.5)), rel=1e-9)


def test_a_network_in_step_has_the_period_of_its_nodes():
    start = {"x": [0.3, -0.2, 0.5], "y": [0.1, 0.4, 0.3]}
    network = ring.on(dl.AllToAll(3))
    chart = dl.attractor_chart(
        network, vary={"mu": [-1.0, 1.0]}, start=start, duration=60, transient=60
    )
    assert chart["verdict"].tolist() == ["fixed point", "periodic"]
    assert chart["period"].tolist() == [0, 1]
    assert chart["length"][1] == pytest.approx(np.pi, rel=1e-8)
    # In step the sum of growth along the cycle is that of r: -2 mu; the others 0 and below.
    assert abs(chart["exponent"][1]) < 0.05
    assert chart["exponent"][0] == pytest.approx(-1, abs=0.02)


def test_a_section_and_its_flow_have_one_period():
    """Crossings of y = 0 and maxima of y come once a turn, in lanes and one by one."""
    section = dl.poincare_map(zoo.roessler, when=lambda y: y, direction=+1)
    values = {"c": [2.5, 3.5, 4.0]}
    search = dl.PeriodSearch(maxima="y", most=16)
    lanes = dl.period_chart(zoo.roessler, vary=values, transient=600, search=search)
    alone = dl.period_chart(
        zoo.roessler, vary=values, transient=600, search=search, method=dl.Automatic()
    )
    crossings = dl.period_chart(
        section, vary=values, transient=100, search=dl.PeriodSearch(most=16)
    )
    for chart in (lanes, alone, crossings):
        assert chart["period"].tolist() == [1, 2, 4]
    assert alone["length"] == pytest.approx(lanes["length"], rel=1e-7)


def test_a_linear_network_stretches_by_its_matrix():
    rng = np.random.default_rng(5)
    matrix = rng.normal(size=(4, 4))
    field = dl.ftle_field(linear.on(matrix), vary={"x[0]": [0.0, 1.0]}, duration=1.5)
    stretching = np.linalg.norm(expm(1.5 * matrix), 2)
    assert field.exponents == pytest.approx(np.log(stretching) / 1.5, rel=1e-7)
    assert field.status is dl.Status.OK


def test_tolerances_given_reach_cells_that_run_by_themselves():
    """The frequency of a network run to 1e-3 is off by more than to 1e-9; both differ."""
    network = ring.on(dl.AllToAll(2))
    rough, fine = (
        dl.exponent_chart(
            network, vary={"mu": [1.0]}, duration=20, method=dl.Explicit8(rtol=rtol, atol=rtol)
        )["exponent"][0]
        for rtol in (1e-3, 1e-10)
    )
    usual = dl.exponent_chart(network, vary={"mu": [1.0]}, duration=20)["exponent"][0]
    assert abs(fine - usual) < 1e-6 < abs(rough - usual)


def test_what_the_state_does_not_decide_is_refused():
    @dl.flow
    def forced(x: dl.PerNode = 0.1, *, a=1.0):
        i = dl.nodes("i")
        return {x[i]: -a * x[i] + dl.cos(dl.t)}

    with pytest.raises(dl.UnsupportedSystemError, match="with_phase"):
        dl.period_chart(forced.on(2), vary={"a": [1.0]}, transient=10)
    neuron = zoo.leaky_integrate_and_fire
    with pytest.raises(dl.UnsupportedSystemError, match="refractory"):
        dl.period_chart(neuron, vary={neuron.parameter_names[0]: [1.0]}, transient=10)
    with pytest.raises(dl.UnsupportedSystemError, match="nodes have events"):
        dl.attractor_chart(
            zoo.izhikevich_network.on(dl.AllToAll(2)), vary={"a": [0.02]}, duration=10, transient=10
        )
    with pytest.raises(dl.UnsupportedSystemError, match="tangent maps jump"):
        dl.ftle_field(impact_oscillator, vary={"x": [-0.5]}, duration=1)
