"""Each of Izhikevich's twenty patterns is what it is called (2004, IEEE Trans. Neural Netw. 15, 1063)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

PATTERNS = {pattern.letter: pattern for pattern in zoo.firing_patterns()}
# A burst: spikes closer together than this share of the longest interval.
CLOSE = 0.4


@cache
def run(letter):
    pattern = PATTERNS[letter]
    return dl.integrate(pattern.system, duration=pattern.duration)


def spikes(letter):
    return run(letter).events["spike"].times


def bursts(times):
    """Return how many spikes stand in each group."""
    gaps = np.diff(times)
    ends = np.flatnonzero(gaps > CLOSE * gaps.max())
    return np.diff(np.concatenate([[-1], ends, [len(times) - 1]]))


def tonic(letter, onset):
    times = spikes(letter)
    last = np.diff(times)[-2:]
    return times[0] > onset and len(times) >= 5 and np.ptp(last) < 0.02 * last.mean()


def is_silent_before(letter, onset):
    return spikes(letter)[0] > onset


def has_one_burst_then_rest(letter, onset):
    times = spikes(letter)
    rest = PATTERNS[letter].duration - times[-1]
    return times[0] > onset and len(times) >= 3 and rest > 5 * np.diff(times).max()


def cell(constant, linear, shape):
    """Return the cell of a pattern with a constant current."""
    a0, b0, c0, d0 = shape

    @dl.flow(time="ms")
    def membrane(v=-60.0, u=-60.0 * b0, *, I=0.0):
        return {v: 0.04 * v**2 + linear * v + constant - u + I, u: a0 * (b0 * v - u)}

    return membrane.with_event(when=lambda v: v - 30, direction=+1, name="spike")(
        lambda v, u: {v: c0, u: u + d0}
    )


def rate(system, current):
    found = dl.integrate(system(I=current), duration=4000, at=[])
    return dl.spike_train(found, after=1000).rate_in_hertz


def class_1_begins_at_rate_zero():
    system = cell(108, 4.1, (0.02, -0.1, -55, 6))
    onset = 4.2**2 / 0.16 - 108  # where the equilibria meet
    slow = [rate(system, onset + excess) for excess in (0.02, 0.08)]
    return rate(system, onset - 0.02) == 0 and 0 < slow[0] < slow[1] < 20


def class_2_begins_at_a_finite_rate():
    system = cell(140, 5, (0.2, 0.26, -65, 0))
    currents = np.linspace(-0.2, 0.6, 17)
    rates = np.array([rate(system, current) for current in currents])
    return rates[0] == 0 and rates[rates > 0].min() > 30


def rings_after_the_spike():
    late = run("J").at(np.linspace(30, 200, 3000))["v"]
    turns = late[1:-1][(late[1:-1] > late[:-2]) & (late[1:-1] > late[2:])]
    return len(spikes("J")) == 1 and len(turns) >= 3 and np.all(np.diff(turns) < 0)


def has_a_bump_after_the_spike():
    after = run("Q").at(np.linspace(11.5, 20, 500))["v"]
    top = after.argmax()
    return len(spikes("Q")) == 1 and 0 < top < 499 and after[top] > after[0] + 1 > -70


def between(letter, low, high):
    times = spikes(letter)
    return len(times) > 0 and times.min() > low and times.max() < high


CLASSIFIED = {
    "A": lambda: tonic("A", 10) and bursts(spikes("A")[2:]).max() == 1,
    "B": lambda: len(spikes("B")) == 1 and is_silent_before("B", 20),
    "C": lambda: is_silent_before("C", 22) and len(bursts(spikes("C"))) >= 4
    and bursts(spikes("C"))[:4].min() >= 4,
    "D": lambda: has_one_burst_then_rest("D", 20),
    "E": lambda: bursts(spikes("E"))[0] == 3 and np.all(bursts(spikes("E"))[1:] == 1)
    and np.ptp(np.diff(spikes("E"))[-2:]) < 0.1,
    "F": lambda: len(spikes("F")) >= 5 and np.all(np.diff(np.diff(spikes("F"))[:-1]) > 0)
    and np.diff(spikes("F"))[-1] > 10 * np.diff(spikes("F"))[0],
    "G": lambda: np.all(np.diff(np.diff(spikes("G"))) < 0) and class_1_begins_at_rate_zero(),
    "H": lambda: np.all(np.diff(np.diff(spikes("H"))) < 0) and class_2_begins_at_a_finite_rate(),
    "I": lambda: len(spikes("I")) == 1 and spikes("I")[0] > 13 + 3,
    "J": rings_after_the_spike,
    # Only the second pair of pulses, 40 ms apart as is the ringing, makes it fire.
    "K": lambda: len(spikes("K")) == 1 and between("K", 320, 345),
    # Only the pair of pulses close together does.
    "L": lambda: len(spikes("L")) == 1 and between("L", 14, 25),
    "M": lambda: len(spikes("M")) == 1 and is_silent_before("M", 25),
    "N": lambda: has_one_burst_then_rest("N", 25),
    # The same pulse fires only after inhibition.
    "O": lambda: len(spikes("O")) == 1 and between("O", 80, 100),
    # One pulse switches firing on, the next switches it off.
    "P": lambda: len(spikes("P")) >= 4 and between("P", 37.5, 211),
    "Q": has_a_bump_after_the_spike,
    # A slow ramp to 8 does not fire it, a fast one to 4 does.
    "R": lambda: between("R", 300, 315),
    "S": lambda: len(spikes("S")) >= 3 and between("S", 50, 260) and bursts(spikes("S")).max() == 1,
    # The last one is on its way when the inhibition ends at 250.
    "T": lambda: between("T", 50, 290) and len(bursts(spikes("T"))) == 3
    and bursts(spikes("T")).min() >= 5,
}  # fmt: skip


@pytest.mark.parametrize("letter", PATTERNS, ids=lambda k: f"{k}-{PATTERNS[k].name}")
def test_pattern_is_what_it_is_called(letter):
    assert run(letter).status.ok
    assert CLASSIFIED[letter]()


def test_there_are_twenty():
    assert len(PATTERNS) == 20
    assert list(PATTERNS) == list("ABCDEFGHIJKLMNOPQRST") == list(CLASSIFIED)


@pytest.mark.parametrize("letter", ["A", "I", "K", "P"])
def test_spike_times_do_not_depend_on_the_tolerance(letter):
    tight = dl.Explicit8(rtol=1e-12, atol=1e-13)
    pattern = PATTERNS[letter]
    again = dl.integrate(pattern.system, duration=pattern.duration, method=tight)
    # Near threshold errors grow by up to some thousand times.
    assert spikes(letter) == pytest.approx(again.events["spike"].times, abs=1e-4)
