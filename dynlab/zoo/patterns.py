"""The twenty firing patterns of Izhikevich's cell, each a system with its input current.

Izhikevich 2004, IEEE Trans. Neural Netw. 15, 1063, figure 1; parameters and currents as in the
script published with it.  The script takes fixed steps of 0.1 to 0.5 ms, and three of its patterns
depend on them.  Integrated exactly these need another number, which their `note` gives.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow
from dynlab.symbolic.system import System

__all__ = ["FiringPattern", "patterns"]


@dataclass(frozen=True, slots=True)
class FiringPattern:
    """One of the twenty patterns.

    Parameters
    ----------
    letter
        Its panel in figure 1.
    name
        What it is called there.
    system
        The cell with its input; the current is the observable ``I``.
    duration
        How long it is shown, in ms.
    note
        What differs from the published script; empty if nothing does.
    """

    letter: str
    name: str
    system: System
    duration: float
    note: str = ""


def patterns() -> tuple[FiringPattern, ...]:
    """Return the twenty patterns in the order of the figure."""
    return tuple(
        FiringPattern(letter, name, _cell(name, shape, start, current), duration, note)
        for letter, name, shape, start, current, duration, note in _table()
    )


def _cell(name, shape, start, current):
    """Return the cell with the parameters (a, b, c, d) and a start (v, u)."""
    a0, b0, c0, d0 = shape
    v0, u0 = start
    # Class 1 and integrators have other coefficients than the rest, accommodation another recovery.
    linear, constant = (4.1, 108) if name in _GENTLE else (5, 140)
    about = 65 if name == "accommodation" else 0

    @flow(time="ms", units={"v": "mV"})
    def cell(v=v0, u=u0, *, a=a0, b=b0):
        pull = b * (v + about) - (0 if about else u)
        return {v: 0.04 * v**2 + linear * v + constant - u + current, u: a * pull}

    @cell.with_event(when=lambda v: v - 30, direction=+1, name="spike")
    def spiking(v, u, *, c=c0, d=d0):
        return {v: c, u: u + d}

    named = spiking.with_observable(I=lambda t: current)
    return System(
        name=name.replace(" ", "_").replace("-", "_"),
        states=named.states,
        parameters=named.parameters,
        rule=named.rule,
        time=named.time,
        observables=named.observables,
        events=named.events,
        reference=f"Izhikevich 2004, IEEE Trans. Neural Netw. 15, 1063, figure 1: {name}.",
    )


_GENTLE = frozenset({"class 1 excitable", "integrator"})


def _step(height, begin):
    return dl.where(dl.t > begin, height, 0)


def _pulses(height, length, *begins):
    total = 0
    for begin in begins:
        total += dl.where((dl.t > begin) & (dl.t < begin + length), height, 0)
    return total


def _ramp(slope, begin):
    return dl.where(dl.t > begin, slope * (dl.t - begin), 0)


def _from_rest(v, b):
    return v, b * v


def _table():
    """Return letter, name, (a, b, c, d), start (v, u), current, duration, note."""
    plain, sharp, slow = (0.02, 0.2), (0.02, 0.25), (0.03, 0.25)
    ramps = dl.where(
        dl.t < 200, dl.t / 25, dl.where((dl.t > 300) & (dl.t < 312.5), (dl.t - 300) / 3.125, 0)
    )
    varied = _pulses(1, 5, 10, 80) + _pulses(-6, 5, 70)
    return (
        ("A", "tonic spiking", (*plain, -65, 6), _from_rest(-70, 0.2), _step(14, 10), 100, ""),
        ("B", "phasic spiking", (*sharp, -65, 6), _from_rest(-64, 0.25), _step(0.5, 20), 200, ""),
        ("C", "tonic bursting", (*plain, -50, 2), _from_rest(-70, 0.2), _step(15, 22), 220, ""),
        ("D", "phasic bursting", (*sharp, -55, 0.05), _from_rest(-64, 0.25), _step(0.6, 20), 200,
         ""),
        ("E", "mixed mode", (*plain, -55, 4), _from_rest(-70, 0.2), _step(10, 16), 160, ""),
        ("F", "spike frequency adaptation", (0.01, 0.2, -65, 8), _from_rest(-70, 0.2),
         _step(30, 8.5), 85, ""),
        ("G", "class 1 excitable", (0.02, -0.1, -55, 6), _from_rest(-60, -0.1), _ramp(0.075, 30),
         300, ""),
        ("H", "class 2 excitable", (0.2, 0.26, -65, 0), _from_rest(-64, 0.26),
         _ramp(0.015, 30) - 0.5, 300, ""),
        ("I", "spike latency", (*plain, -65, 6), _from_rest(-70, 0.2), _pulses(7.04, 3, 10), 100,
         ""),
        ("J", "subthreshold oscillations", (0.05, 0.26, -60, 0), _from_rest(-62, 0.26),
         _pulses(2, 5, 20), 200, ""),
        ("K", "resonator", (0.1, 0.26, -60, -1), _from_rest(-62, 0.26),
         _pulses(0.65, 4, 40, 60, 280, 320), 400, ""),
        ("L", "integrator", (0.02, -0.1, -55, 6), _from_rest(-60, -0.1),
         _pulses(9, 2, 100 / 11, 100 / 11 + 5, 70, 80), 100, ""),
        ("M", "rebound spike", (*slow, -60, 4), _from_rest(-64, 0.25), _pulses(-15, 5, 20), 200,
         ""),
        ("N", "rebound burst", (*slow, -52, 0), _from_rest(-64, 0.25), _pulses(-15, 5, 20), 200,
         ""),
        ("O", "threshold variability", (*slow, -60, 4), _from_rest(-64, 0.25), varied, 100, ""),
        ("P", "bistability", (0.1, 0.26, -60, 0), _from_rest(-61, 0.26),
         0.24 + _pulses(1, 5, 37.5, 206), 300,
         "the second pulse comes at 206 ms, not at 216, to meet the cell in the phase that stops it"),
        ("Q", "depolarizing after-potential", (1, 0.2, -60, -19), _from_rest(-70, 0.2),
         _pulses(20, 2, 9), 50, "d is -19, not -21, with which the cell goes on firing"),
        ("R", "accommodation", (0.02, 1, -55, 4), (-65, -16), ramps, 400, ""),
        ("S", "inhibition-induced spiking", (-0.02, -1, -60, 8), _from_rest(-63.8, -1),
         80 + _pulses(-5, 200, 50), 350, ""),
        ("T", "inhibition-induced bursting", (-0.026, -1, -45, 0), _from_rest(-63.8, -1),
         80 + _pulses(-5, 200, 50), 350,
         "d is 0, not -2: steps of 0.5 ms overshoot the peak of the spike and lift u by what d takes"),
    )  # fmt: skip
