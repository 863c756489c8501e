"""The public corpus of chaotic systems: every one runs; verdicts and largest exponents as computed elsewhere.

The numbers to compare with come from another program (see the head of the data file), over a finite time each:
they have standard errors of their own.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import dynlab as dl
from dynlab import Status, Verdict

DATA = json.loads(
    (Path(__file__).parent / "chaotic_systems.json").read_text(encoding="utf-8")
)  # fmt: skip
SYSTEMS = {entry["name"]: entry for entry in DATA["systems"]}
COMPARED = [name for name, entry in SYSTEMS.items() if "expected" in entry]

#: For the default run: systems that compile in a moment and need few steps.
QUICK = (
    "AnishchenkoAstakhov", "Arneodo", "ChenLee", "Duffing", "HenonHeiles", "HyperBao", "HyperRossler",
    "HyperWang", "Lorenz", "LuChen", "Qi", "RayleighBenard", "RikitakeDynamo", "Rossler", "ShimizuMorioka",
    "SprottC", "SprottJerk", "SwingingAtwood", "Thomas", "Torus",
    "PiecewiseCircuit", "VossDelay",
    "Baker", "DeJong", "DuffingMap", "Henon", "Tent", "Tinkerbell",
)  # fmt: skip

#: Coullet's orbit moves chaotically at another rate for some thousand units of time before it settles; see below.
TRANSIENTS = {"Coullet": 20_000}

#: In place of a number that is not what it says: Coullet's 0.0221(35) averages over the motion before.  By Runge-Kutta of
#: order 4 and Gram-Schmidt in a program of its own, 400 steps a period, over ten times the time, from the start below.
CORRECTED = {"Coullet": ([0.01321], [0.00013])}


def made(entry):
    define = dl.map_system if entry["kind"] == "map" else dl.system
    start = dict(zip(entry["equations"], entry["start"], strict=True))
    return define(
        entry["equations"], parameters=entry["parameters"], start=start, name=entry["name"]
    )


def spectrum_of(entry, part):
    """Return the spectrum over a part of the time that the comparison took."""
    system = made(entry)
    if entry["kind"] == "map":
        return dl.lyapunov_spectrum(system, duration=int(20_000 * part), transient=100, seed=1)
    if entry["kind"] == "delay":
        # Infinitely many exponents: as many as the comparison has.
        count, time = len(entry["expected"]["spectrum"]), entry["expected"]["time"]
        return dl.lyapunov_spectrum(
            system, count=count, duration=part * time, transient=1000, seed=1
        )
    period = entry["period"]
    transient = TRANSIENTS.get(entry["name"], 200 * period * part)
    duration = part * entry.get("expected", {"time": 1000 * period})["time"]
    return dl.lyapunov_spectrum(system, duration=duration, transient=transient, seed=1)


def distance(found, expected):
    """How far the largest exponent is from the one expected, in combined standard errors or roundings."""
    spectrum, errors = expected["spectrum"], expected["errors"]
    if expected is SYSTEMS["Coullet"].get("expected"):
        spectrum, errors = CORRECTED["Coullet"]
    error = np.hypot(found.standard_errors[0], errors[0])
    gap = abs(found.exponents[0] - spectrum[0])
    return gap / max(error, 1e-9)


def is_chaotic(found):
    return found.verdict is Verdict.CHAOTIC


def test_the_data_say_where_they_are_from():
    assert "Apache-2.0" in DATA["source"]
    assert len(SYSTEMS) == 79
    assert len(COMPARED) == 66


def test_some_of_them_agree():
    """Another processor rounds otherwise, and a chaotic orbit is then another orbit: what is asked must hold for all.

    Over 20 starts, apart by 1e-13, the mean square of the distances was between 0.6 and 1.6, as it is for errors
    that are what they say; 4 is beyond what 20 of these reach in 1e8 cases.  The largest distance was 3.6.
    """
    found = {name: spectrum_of(SYSTEMS[name], 0.2) for name in QUICK if name in SYSTEMS}
    assert len(found) > 20
    compared = [name for name in found if name in COMPARED]
    expected = {name: SYSTEMS[name]["expected"] for name in compared}
    far = {name: distance(found[name], expected[name]) for name in compared}
    assert max(far.values()) < 8, far
    assert np.mean(np.square(list(far.values()))) < 4, far
    # No regular orbit passes for chaotic; in a fifth of the time not every chaotic one is known yet.
    assert not [n for n in compared if is_chaotic(found[n]) > expected[n]["chaotic"]]
    known = [is_chaotic(found[n]) for n in compared if expected[n]["chaotic"]]
    assert np.mean(known) > 0.8
    for name, spectrum in found.items():
        if SYSTEMS[name].get("constant_divergence"):
            assert spectrum.sum == pytest.approx(spectrum.mean_divergence, abs=1e-6), name


@pytest.mark.campaign
def test_all_of_them_agree():
    found = {}
    for name, entry in SYSTEMS.items():
        with dl.stop_after(120):
            found[name] = spectrum_of(entry, 1.0)
    assert all(np.isfinite(s.exponents).all() for s in found.values())
    expected = {name: SYSTEMS[name]["expected"] for name in COMPARED}
    beyond = {n: distance(found[n], expected[n]) for n in COMPARED}
    beyond = {name: z for name, z in beyond.items() if z > 2}
    # Of 66 honest errors 3 lie beyond two of themselves, and more than 9 in one case of 1000; which do is up to rounding.
    # Over twelve starts there were 1 to 4; mostly AnishchenkoAstakhov, whose 0.0375(15) is 0.0394(6) over ten times the
    # time, and SwingingAtwood, which sticks to its islands for longer than batches are.
    assert len(beyond) <= 9, beyond
    wrong = {n for n in COMPARED if is_chaotic(found[n]) != expected[n]["chaotic"]}
    # Bouali2 is expected to be regular with an exponent of 3.4 standard errors above zero; see below.
    assert wrong <= {"Bouali2"}
    for name, entry in SYSTEMS.items():
        if entry.get("constant_divergence"):
            mean = found[name].mean_divergence
            assert found[name].sum == pytest.approx(mean, abs=1e-6, rel=1e-7), name
    # Sakarya's orbit may leave for good; see below.  MacArthur's bends at every change of the scarcest resource and may
    # need more than two minutes; nothing is expected of it.
    early = {name for name, s in found.items() if s.status is not Status.OK}
    assert early <= {"Sakarya", "MacArthur"}


def test_coullet_is_chaotic_twice():
    """0.13 at first, 0.0135 for ever after; 0.0221(35) as expected averages over both."""
    system = made(SYSTEMS["Coullet"])
    first = dl.lyapunov_exponent(system, duration=150, transient=20, seed=2)
    assert first.value > 0.1
    # How long the first lasts differs between orbits 1e-13 apart, 20 000 is not enough for each; this start is where one
    # was after 80 000.
    later = dl.lyapunov_exponent(
        system, start=[-1.007, -0.19, 0.32], duration=40_000, transient=100, seed=2
    )
    assert later.verdict is Verdict.CHAOTIC
    assert abs(later.value - 0.0135) < 5 * later.standard_error
    assert later.standard_error < 0.001


@pytest.mark.campaign
def test_bouali_is_chaotic():
    """Over 10 times as long the exponent is that expected, and beyond doubt; at another tolerance as well."""
    system, expected = made(SYSTEMS["Bouali2"]), SYSTEMS["Bouali2"]["expected"]
    long = dl.lyapunov_exponent(system, duration=300_000, transient=1500, seed=2)
    exact = dl.Explicit8(rtol=1e-11, atol=1e-14, max_steps=10**9)
    other = dl.lyapunov_exponent(system, duration=150_000, transient=1500, seed=2, method=exact)
    for found in (long, other):
        assert found.verdict is Verdict.CHAOTIC
        assert found.value > 4 * found.standard_error
        error = np.hypot(found.standard_error, expected["errors"][0])
        assert abs(found.value - expected["spectrum"][0]) < 2 * error


def test_an_orbit_of_sakarya_that_is_far_out_leaves():
    """Far out x, y and z turn like a free top next to its separatrix: mostly along z, where z' = z.

    So the chaos is a transient: an orbit that comes there grows without bound, ever faster turning, by any method.
    """
    system = made(SYSTEMS["Sakarya"])
    start = [0.0, 0.1, 100.0]
    one = dl.integrate(system, start=start, duration=6, method=dl.Explicit8(rtol=1e-10, atol=1e-10))
    two = dl.integrate(system, start=start, duration=6, method=dl.Taylor(rtol=1e-15))
    sizes = [0.3 * run.end[1] ** 2 + run.end[3] ** 2 for run in (one, two)]
    assert sizes[0] == pytest.approx(sizes[1], rel=1e-5)
    assert sizes[0] > 50 * 100.0**2
