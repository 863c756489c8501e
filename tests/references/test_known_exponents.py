"""Lyapunov exponents of the zoo against closed forms, print and a program of its own: facts.toml."""

import math

import numpy as np
import pytest

import dynlab as dl
from dynlab import zoo

#: How long: some hundred times the slowest time in each, so that the batches forget each other.
DURATIONS = {
    "chen": 200, "lu": 200, "shimizu_morioka": 2000, "rucklidge": 1000, "rikitake": 1000,
    "rabinovich_fabrikant": 2000, "chua": 1000, "halvorsen": 500, "genesio_tesi": 1000,
    "sprott_jerk": 2000, "sprott_b": 1000, "sprott_g": 6000, "sprott_s": 1000,
    "roessler_hyperchaos": 2000, "duffing": 8000, "ueda": 8000, "forced_van_der_pol": 3000,
    "driven_pendulum": 4000, "hastings_powell": 60000, "lorenz84": 4000,
    "gauss_map": 20000, "ikeda": 20000, "tinkerbell": 20000, "duffing_map": 20000,
    "zaslavskii": 20000, "coupled_logistic": 20000, "continued_fraction": 20000,
    "bakers_map": 30, "kaplan_yorke_map": 30,
}  # fmt: skip


@pytest.mark.parametrize("name", DURATIONS)
def test_the_exponents_are_those_known(name):
    (fact,) = [f for f in zoo.facts(name) if f.what == "exponents"]
    duration = DURATIONS[name]
    transient = 0 if duration < 100 else duration // 20
    found = dl.lyapunov_spectrum(zoo.get(name), duration=duration, transient=transient, seed=1)
    first = found.exponents[: len(fact.exponents)]
    # A run errs by its own scatter, an odd one by more; the fact by its tolerance.
    slack = fact.tolerance + 4 * np.nan_to_num(found.standard_errors[: len(first)])
    assert np.all(np.abs(first - fact.exponents) < slack)
    assert slack[0] < 0.5 * first[0]  # else it would show nothing
    for other in zoo.facts(name):
        if other.what == "determinant":
            assert found.sum == pytest.approx(math.log(abs(other.value)), abs=1e-6)
        if other.what == "divergence":
            assert found.sum == pytest.approx(other.value, abs=1e-5)
