"""How far answers are from the truth: each check computes one number whose true value is known.

``python docs/accuracy_checks.py`` runs them all and writes ``docs/measured/accuracy.json``, from which the page is
made.  A reference is a closed form where there is one, else a number in print with its digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import dynlab as dl
from dynlab import hopfield, zoo


@dataclass(frozen=True)
class Check:
    """What is computed, what is true and who says so, and the error that dynlab itself states, if it does."""

    what: str
    compute: Callable[[], tuple[float, float | None]]
    truth: float
    source: str


def checks() -> Iterator[Check]:
    """Yield every check, subject by subject."""
    yield Check(
        "Kepler's orbit of eccentricity 0.6 after 100 rounds: x, to rtol = atol = 1e-12",
        kepler,
        0.4,
        "closed form: perihelion, 1 - e",
    )
    yield Check(
        "Hopf point of FitzHugh's membrane: I",
        hopf_of_fitzhugh,
        (0.7 - math.sqrt(0.936)) / 0.8 + math.sqrt(0.936) - math.sqrt(0.936) ** 3 / 3,
        "closed form: v = -sqrt(1 - eps b)",
    )
    yield Check(
        "its Bogdanov-Takens point in (I, b): b", takens, 12.5**0.5, "closed form: 1 / sqrt(eps)"
    )
    yield Check("Hopf point of Lorenz' flow: rho", hopf_of_lorenz, 470 / 19, "closed form: 470/19")
    yield Check(
        "second period doubling of the logistic map: r",
        doubling,
        1 + math.sqrt(6),
        "closed form: 1 + sqrt(6)",
    )
    yield Check(
        "period of van der Pol's cycle, mu = 1",
        period_of_van_der_pol,
        6.663286859,
        "ten digits, as in the reference tests",
    )
    yield Check(
        "exponents of Lorenz' flow over 2000: their sum",
        sum_of_exponents,
        -(10 + 1 + 8 / 3),
        "closed form: the divergence",
    )
    yield Check(
        "exponent of the logistic map at r = 4 over 100 000 steps",
        exponent_of_logistic,
        math.log(2),
        "closed form: log 2",
    )
    yield Check(
        "largest exponent of Henon's map over 200 000 steps",
        exponent_of_henon,
        0.41922,
        "Sprott 1998: five digits",
    )
    yield Check(
        "variance of an Ornstein-Uhlenbeck process, from its density on cells",
        variance,
        0.5,
        "closed form: s^2 / 2",
    )
    yield Check(
        "gap of a double well, D = 0.1, on cells",
        gap,
        0.0335452873080006,
        "two independent methods, as in the reference tests",
    )
    yield Check(
        "mean time of an Ornstein-Uhlenbeck process out of (-1, 1)",
        exit_time,
        mean_exit(),
        "closed form: a double integral, by quadrature",
    )
    yield Check(
        "onset of synchrony, normal frequencies of width 1: K",
        onset,
        math.sqrt(8 / math.pi),
        "closed form: 2 / (pi g(0)), Kuramoto 1975",
    )
    yield Check(
        "capacity of Hopfield's network at T = 0: load",
        capacity,
        0.13790556649,
        "equations of Amit, Gutfreund and Sompolinsky 1987, solved apart in the reference tests",
    )


def kepler() -> tuple[float, None]:
    orbit = zoo.kepler.with_start(x=0.4, y=0.0, px=0.0, py=2.0)
    run = dl.integrate(
        orbit,
        duration=200 * math.pi,
        at=[200 * math.pi],
        method=dl.Explicit8(rtol=1e-12, atol=1e-12),
    )
    return run["x"][-1], None


def hopf_of_fitzhugh() -> tuple[float, float]:
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    point = dl.continue_equilibrium(rest, vary="I", over=(0, 1)).points(dl.Hopf)[0]
    return point["I"], point.accuracy * point["I"]


def takens() -> tuple[float, float]:
    rest = dl.find_equilibria(zoo.fitzhugh_nagumo).single()
    onset = dl.continue_equilibrium(rest, vary="I", over=(0, 1)).points(dl.Hopf)[0]
    plane = {"I": (-1, 2), "b": (0.2, 4.5)}
    curve = dl.continue_bifurcation(onset, vary=("I", "b"), over=plane)
    point = curve.points(dl.BogdanovTakens).single()
    return point["b"], point.accuracy * point["b"]


def hopf_of_lorenz() -> tuple[float, float]:
    box = {"x": (1, 30), "y": (1, 30), "z": (0, 60)}
    rest = dl.find_equilibria(zoo.lorenz(rho=15), within=box).single()
    point = dl.continue_equilibrium(rest, vary="rho", over=(10, 30)).points(dl.Hopf).single()
    return point["rho"], point.accuracy * point["rho"]


def doubling() -> tuple[float, float]:
    rest = dl.find_equilibria(zoo.logistic(r=2.5), within={"x": (0.1, 0.9)}).single()
    first = dl.continue_equilibrium(rest, vary="r", over=(2, 3.4)).points(dl.PeriodDoubling)[0]
    second = dl.switch_branch(first, over=(2.9, 3.5)).points(dl.PeriodDoubling)[-1]
    return second["r"], second.accuracy * second["r"]


def period_of_van_der_pol() -> tuple[float, float]:
    cycle = dl.find_cycle(zoo.van_der_pol(mu=1))
    return cycle.period, cycle.accuracy * cycle.period


def sum_of_exponents() -> tuple[float, None]:
    found = dl.lyapunov_spectrum(zoo.lorenz, duration=2000, seed=1)
    return float(found.exponents.sum()), None


def exponent_of_logistic() -> tuple[float, float]:
    found = dl.lyapunov_exponent(zoo.logistic(r=4), duration=100_000, seed=1)
    return found.value, found.standard_error


def exponent_of_henon() -> tuple[float, float]:
    found = dl.lyapunov_exponent(zoo.henon, duration=200_000, seed=1)
    return found.value, found.standard_error


@dl.flow
def relaxing(x=0.0):
    """Return to zero at unit rate."""
    return {x: -x}


@dl.flow
def well(x=-1.0):
    """A double well."""
    return {x: x - x**3}


def variance() -> tuple[float, None]:
    density = dl.stationary_density(relaxing.with_noise(x=1.0), grid=dl.Grid(x=(-6, 6, 512)))
    return density.variance("x"), None


def gap() -> tuple[float, None]:
    noisy, grid = well.with_noise(x=math.sqrt(0.2)), dl.Grid(x=(-2.9, 2.9, 512))
    return dl.generator_spectrum(noisy, count=2, grid=grid).gap, None


def exit_time() -> tuple[float, float]:
    noisy = relaxing.with_noise(x=1.0)
    found = dl.escape_time(noisy, start={"x": 0}, beyond={"x": (-1, 1)})
    return found.value, found.error


def mean_exit() -> float:
    """Return the integral of 2 exp(x^2) times that of exp(-y^2) from 0 to x, over x from 0 to 1."""
    x, w = np.polynomial.legendre.leggauss(40)
    x, w = (x + 1) / 2, w / 2
    inner = np.array([math.sqrt(math.pi) / 2 * math.erf(at) for at in x])
    return float(w @ (2 * np.exp(x**2) * inner))


def onset() -> tuple[float, None]:
    return dl.synchrony_onset(dl.Gaussian(0, 1)).value, None


def capacity() -> tuple[float, None]:
    return hopfield.critical_load().value, None


if __name__ == "__main__":
    from measured import record_accuracy

    record_accuracy(checks())
