"""How far a density reaches along each state, for functions that are not told.

On a line the density of finite volumes says it.  In more states, where noise may be missing along some, a few hundred
walkers are let go until the quantiles of all their places stand still.  Their seed is fixed: they set the scale of
functions, and no number in an answer; how well the scale fits is seen in the answer's own error.

    density ~ exp(-(|x - c| / s)^q)   =>   d(10^-n) = d(10^-3) (n / 3)^{1/q},   2^{1/q} = d(10^-3) / d(10^-1.5)

with d(p) how far from the middle the places are that a share p of the mass lies beyond.  To how many digits functions
should reach depends on how many there are: too far, and they are too coarse for the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SingularProblem
from dynlab.status import Status
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Coefficients, coefficients_of
from dynlab.stochastic.generator.stationary import stationary_state
from dynlab.symbolic.quantities import Domain
from dynlab.symbolic.system import System

__all__ = ["Reach", "reach_of"]

Array = NDArray[np.float64]
#: From a number of digits to the ends of where the density is more than that below its peak.
Reach = Callable[[float], tuple[float, float]]

WALKERS, FIRST, WINDOWS = 512, 512, 6
#: Steps of equal length; places of all walkers kept from each window at most; growth that is given up after three.
BLOCK, KEPT, GROWTH = 16, 256, 1.2
#: A step over the time in which neighbours part; a step is at most this share of how far walkers stand apart.
STEP, LARGEST = 0.1, 0.25
#: Shares of walkers beyond the places that are compared; the slowest fall taken for one of a density with moments.
FAR, FARTHER, SLOWEST = 10**-1.5, 1e-3, 2.6
#: The exponent 2 of a Gaussian is not yet seen between these shares: without this it would be reached too far.
GAUSSIAN = 0.9
#: Centres are multiples of this share of the distance reached: a symmetric density gets symmetric functions.
ROUND = 1 / 4
#: Quantiles that move by less than this share of their distance stand still.
STILL = 0.1


@lru_cache(maxsize=64)
def reach_of(system: System) -> tuple[Reach, ...]:
    """Return for each state how far its density reaches; angles reach round the circle.

    Raises
    ------
    SingularProblem
        If there is no stationary density, or none is found.
    """
    coefficients = coefficients_of(system)
    if len(system.state_names) == 1:
        return (_on_a_line(system, coefficients),)
    is_free = np.array([d is not Domain.CIRCLE for d in system.domains])
    random = np.random.default_rng(0)
    start = np.asarray(system.start_values, float)
    places = start + (1 + np.abs(start)) * random.standard_normal((WALKERS, start.size))
    before: Array | None = None
    growing = 0
    for window in range(WINDOWS):
        with np.errstate(over="ignore", invalid="ignore"):
            places, seen = _walked(coefficients, places, FIRST << window, random)
        if not np.all(np.isfinite(seen)):
            break
        marks = np.quantile(seen, [FARTHER, FAR, 0.5, 1 - FAR, 1 - FARTHER], axis=0)
        if growing == 3:
            break
        moved = np.abs(marks if before is None else marks - before)[[1, 3]]
        if before is not None and np.all((moved < STILL * (marks[3] - marks[1]))[:, is_free]):
            return tuple(partial(_extrapolated, tuple(m)) for m in marks.T)
        wide, was = ((m[3] - m[1])[is_free] for m in (marks, marks if before is None else before))
        growing = growing + 1 if np.any(wide > GROWTH * was) else 0
        before = marks
    raise SingularProblem(
        f"no scale was found for the functions of {system.name!r}: walkers did not come to rest. Either nothing keeps "
        "the state together, or it settles too slowly: give centre= and width= yourself, or cells: dl.Grid(...).",
        status=Status.NOT_CONVERGED,
    )


def _on_a_line(system: System, coefficients: Coefficients) -> Reach:
    state = stationary_state(coefficients, suitable_grid(system, coefficients))
    places, height = state.generator.grid.centres(system.state_names[0]), state.density

    def reach(digits: float) -> tuple[float, float]:
        above = places[height > 10.0**-digits * height.max()]
        return _rounded(above[0], above[-1])

    return reach


def _extrapolated(mark: tuple[float, ...], digits: float) -> tuple[float, float]:
    ends = []
    for far, farther in ((mark[1], mark[0]), (mark[3], mark[4])):
        ratio = np.clip((farther - mark[2]) / (far - mark[2]), 1.05, SLOWEST)
        ends.append(
            float(mark[2] + (farther - mark[2]) * ratio ** (GAUSSIAN * np.log2(digits / 3)))
        )
    return _rounded(*ends)


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Return an interval about a round centre that holds another."""
    unit = ROUND * 0.5 * (high - low)
    centre = unit * round(0.5 * (low + high) / unit)
    reach = max(high - centre, centre - low)
    return centre - reach, centre + reach


def _walked(
    coefficients: Coefficients, places: Array, steps: int, random: np.random.Generator
) -> tuple[Array, Array]:
    """Return where walkers are after so many steps of Euler and Maruyama, and where they were meanwhile."""
    seen = []
    for block in range(steps // BLOCK):
        spread = np.std(places, axis=0) + 1e-12
        step = STEP / _parting(coefficients, places, spread)
        limit = LARGEST * spread
        kicks = random.standard_normal((BLOCK, *places.shape))
        constant = _constant_root(coefficients, places)
        if constant is not None:
            kicks = kicks @ constant.T
        for kick in kicks:
            moved = kick
            if constant is None:
                roots = _roots(np.asarray(coefficients.diffusion(places)))
                moved = np.einsum("nij,nj->ni", roots, kick)
            push = step * coefficients.drift(places)
            np.minimum(np.maximum(push, -limit, out=push), limit, out=push)
            places = places + push + np.sqrt(2 * step) * moved
        if block % max(1, steps // BLOCK // KEPT) == 0:
            seen.append(places)
    return places, np.concatenate(seen)


def _constant_root(coefficients: Coefficients, places: Array) -> Array | None:
    """Return the root of a diffusion matrix that is everywhere the same."""
    found = np.asarray(coefficients.diffusion(places[:2]))
    return _roots(found[:1])[0] if found.strides[0] == 0 else None


def _parting(coefficients: Coefficients, places: Array, spread: Array) -> float:
    """Return the rate at which neighbours part or meet, in nine of ten places, states in units of their spread."""
    at = coefficients.drift(places)
    squares = np.zeros(len(places))
    for k, width in enumerate(spread):
        moved = places.copy()
        moved[:, k] += 1e-4 * width
        squares += (((coefficients.drift(moved) - at) / 1e-4 / spread) ** 2).sum(axis=1)
    return float(np.sqrt(np.quantile(squares, 0.9))) + 1e-12


def _roots(matrices: Array) -> Array:
    """Return roots of symmetric matrices, which may be singular."""
    values, vectors = np.linalg.eigh(matrices)
    roots: Array = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    return roots
