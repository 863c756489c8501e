"""The Euler map of a flow: its declarations, its time, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo


def test_it_is_a_map_with_one_more_parameter():
    layers = dl.euler_map(zoo.morris_lecar, step=0.1)
    assert layers.is_discrete
    assert layers.parameter_names == (*zoo.morris_lecar.parameter_names, "step_size")
    assert layers.state_names == zoo.morris_lecar.state_names
    assert layers.start_values == zoo.morris_lecar.start_values
    assert layers["step_size"] == 0.1
    assert layers.unit_of("step_size") == zoo.morris_lecar.time.unit == "ms"
    assert layers.reference == zoo.morris_lecar.reference
    assert dl.euler_map(zoo.morris_lecar, step=0.2) == layers(step_size=0.2)


def test_time_runs_in_steps():
    @dl.flow
    def clock(x=0.0, *, a=2.0):
        return {x: a * dl.t}

    with_square = clock.with_observable(square=lambda x, t: x**2 + t)
    orbit = dl.iterate(dl.euler_map(with_square, step=0.5), duration=3)
    # x(n + 1) = x(n) + h a n h
    assert orbit["x"].tolist() == [0.0, 0.0, 0.5, 1.5]
    assert orbit["square"].tolist() == [0.0, 0.5, 1.25, 3.75]


def test_networks_keep_their_rule():
    @dl.flow
    def diffusion(x: dl.PerNode = 1.0, *, K=1.0):
        i, j = dl.nodes("i j")
        return {x[i]: K * dl.Mean(x[j] - x[i], j)}

    loose = dl.euler_map(diffusion, step=0.25)
    start = [0.0, 1.0, 5.0]
    for layers in (loose.on(3), dl.euler_map(diffusion.on(3), step=0.25)):
        after = dl.iterate(layers, start=start, duration=1).values[-1]
        assert after == pytest.approx(0.75 * np.array(start) + 0.25 * 2.0)


def test_misuse_is_named():
    with pytest.raises(dl.UnsupportedSystemError, match="it is a map"):
        dl.euler_map(zoo.henon, step=0.1)
    with pytest.raises(dl.UnsupportedSystemError, match="expected a system"):
        dl.euler_map(3, step=0.1)
    spiking = stepping.with_event(when=lambda x: x - 1, direction=+1)(lambda x: {x: 0})
    with pytest.raises(dl.UnsupportedSystemError, match="has events"):
        dl.euler_map(spiking, step=0.1)
    for step in (0, -0.1):
        with pytest.raises(dl.SettingError, match="Give a positive step"):
            dl.euler_map(zoo.lorenz, step=step)
    with pytest.raises(dl.SettingError, match="finite"):
        dl.euler_map(zoo.lorenz, step=float("inf"))
    with pytest.raises(dl.DuplicateNameError, match="has a quantity 'step_size'"):
        dl.euler_map(stepping, step=0.1)


@dl.flow
def stepping(x=0.0, *, step_size=1.0):
    return {x: step_size * x}
