"""Forced linear systems have closed forms."""

import numpy as np
import pytest

import dynlab as dl

STRICT = dl.Explicit8(rtol=1e-12, atol=1e-13)


@dl.flow
def circuit(v=0.5, *, tau=0.5, u: dl.Signal):
    """A resistor and a capacitor: the first-order low-pass filter."""
    return {v: (u - v) / tau}


@dl.flow
def switched(v=0.5, *, tau=0.5, a=1.0, b=2.5):
    return {v: (dl.step(a) - v) / tau}


def settled(t, level, start, tau=0.5):
    return level + (start - level) * np.exp(-t / tau)


def test_an_oscillator_under_a_periodic_force():
    @dl.flow
    def oscillator(x=0.0, v=0.0, *, g=0.1, w0=1.3, w=0.9, F=0.7):
        return {x: v, v: F * dl.cos(w * dl.t) - 2 * g * v - w0**2 * x}

    g, w0, w, F = 0.1, 1.3, 0.9, 0.7
    run = dl.integrate(oscillator, duration=60, method=STRICT)
    t = run.t
    response = F / (w0**2 - w**2 + 2j * g * w)
    steady = lambda t: np.real(response * np.exp(1j * w * t))  # noqa: E731
    free = np.sqrt(w0**2 - g**2)
    x0, v0 = -response.real, -np.real(1j * w * response)
    decay = np.exp(-g * t) * (x0 * np.cos(free * t) + (v0 + g * x0) / free * np.sin(free * t))
    assert np.abs(run["x"] - steady(t) - decay).max() < 1e-10


def test_a_circuit_behind_a_step():
    run = dl.integrate(switched, duration=4, method=STRICT)
    t = run.t
    before = settled(t, 0.0, 0.5)
    after = settled(t - 1, 1.0, settled(1.0, 0.0, 0.5))
    assert np.abs(run["v"] - np.where(t < 1, before, after)).max() < 1e-10


def test_a_circuit_behind_a_pulse():
    @dl.flow
    def made(v=0.5, *, tau=0.5, a=1.0, w=1.5):
        return {v: (dl.pulse(a, w) - v) / tau}

    run = dl.integrate(made, duration=4, method=STRICT)
    at_on = settled(1.0, 0.0, 0.5)
    at_off = settled(1.5, 1.0, at_on)
    t = run.t
    expected = np.select(
        [t < 1, t < 2.5],
        [settled(t, 0.0, 0.5), settled(t - 1, 1.0, at_on)],
        settled(t - 2.5, 0.0, at_off),
    )
    assert np.abs(run["v"] - expected).max() < 1e-10


def test_a_circuit_behind_a_ramp():
    @dl.flow
    def made(v=0.0, *, tau=0.5, a=1.0, b=3.0):
        return {v: (dl.ramp(a, b) - v) / tau}

    run = dl.integrate(made, duration=5, method=STRICT)
    t, tau = run.t, 0.5
    s = t - 1
    rising = (s - tau * (1 - np.exp(-s / tau))) / 2
    top = (2 - tau * (1 - np.exp(-2 / tau))) / 2
    expected = np.select([t < 1, t < 3], [0 * t, rising], settled(t - 3, 1.0, top))
    assert np.abs(run["v"] - expected).max() < 1e-10


def filtered_sine(t, w=3.0, tau=0.5, start=0.5):
    steady = lambda t: (np.sin(w * t) - w * tau * np.cos(w * t)) / (1 + (w * tau) ** 2)  # noqa: E731
    return steady(t) + (start - steady(0.0)) * np.exp(-t / tau)


@pytest.mark.parametrize(
    ("interpolation", "order"),
    [(dl.Previous, 1), (dl.Linear, 2), (dl.Monotone, 2), (dl.Spline, 4)],
    ids=lambda v: getattr(v, "value", v),
)
def test_a_sampled_sine_converges_with_the_order_of_its_interpolation(interpolation, order):
    counts, errors = np.array([120, 160, 240]), []
    for count in counts:
        times = np.linspace(0, 6, count + 1)
        recording = dl.Recording(times, np.sin(3 * times), interpolation)
        run = dl.integrate(circuit.with_signal(u=recording), duration=6, method=STRICT)
        errors.append(np.abs(run["v"] - filtered_sine(run.t)).max())
    slope = -np.polyfit(np.log(counts), np.log(errors), 1)[0]
    if interpolation is dl.Monotone:  # 2 at the turning points, 4 elsewhere
        assert 2 < slope < 4.3
    else:
        assert slope == pytest.approx(order, abs=0.4)


def test_straight_lines_are_met_exactly():
    triangle = dl.Recording([0, 1, 2, 3], [0, 1, 0, 0])
    run = dl.integrate(circuit.with_signal(u=triangle), start={"v": 0.0}, duration=3, method=STRICT)

    def ramp(s, tau=0.5):  # the answer to a slope of 1 that begins at s = 0
        return np.where(s > 0, s - tau * (1 - np.exp(-np.maximum(s, 0) / tau)), 0.0)

    t = run.t
    assert np.abs(run["v"] - ramp(t) + 2 * ramp(t - 1) - ramp(t - 2)).max() < 1e-10


def test_a_repeated_recording_drives_for_ever():
    period = 2 * np.pi / 3
    times = np.linspace(0, period, 201)
    values = np.sin(3 * times)
    values[-1] = values[0]
    wave = dl.Recording(times, values, dl.Spline).repeated()
    run = dl.integrate(circuit.with_signal(u=wave), duration=20)
    assert np.abs(run["v"] - filtered_sine(run.t)).max() < 1e-7
    back = dl.integrate(circuit.with_signal(u=wave), duration=-2)
    assert np.abs(back["v"] - filtered_sine(back.t)).max() < 1e-5
