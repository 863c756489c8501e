"""periodic_density: the density that a periodic drive leaves after a long time, over one period."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import scipy.sparse.linalg as sparse_linalg
from numpy.typing import NDArray

from dynlab.errors import NotConverged, SettingError
from dynlab.names import finite
from dynlab.result import Provenance
from dynlab.status import Status
from dynlab.stochastic.densities.evolve import DensityEvolution, driven_generator
from dynlab.stochastic.generator.commutator_free import (
    driven_factors,
    driven_step,
    evolved,
    product,
)
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.periodic_chain import at_times, resolved_chain
from dynlab.symbolic.system import System

__all__ = ["periodic_density"]

Array = NDArray[np.float64]
GeneratorAt = Callable[[float], Generator]

#: Times over a period; how well the density repeats itself, in L1; periods run through at most.
TIMES, REPEATS, MOST = 33, 1e-9, 400
#: The drift after a period may differ by this, relative to its size.
SAME = 1e-9


def periodic_density(system: System, *, period: float, grid: Grid) -> DensityEvolution:
    r"""Return the density over one period that a periodically driven system comes to, from whatever start.

    .. math:: p(P) = \Phi_P \, p(0) = p(0)

    For one state between walls all times of the period are solved for at once, in as many harmonics of the drive as the
    density has, so neither a slow drive nor a slow relaxation costs more.  In more states and on a ring the fixed
    point of one period is found in a Krylov space of the propagator of `evolve_density`; then one more period is run, which
    keeps the density positive.

    Parameters
    ----------
    system
        A flow with noise whose equations hold `dynlab.t`.
    period
        The period of its drive.
    grid
        The cells and walls.

    Returns
    -------
    DensityEvolution
        The density at 33 times from 0 to the period; `error` is that in time, beside that of the cells.

    Raises
    ------
    SettingError
        If the period is not positive, the equations do not repeat after it, or probability is absorbed.
    NotConverged
        If the density does not repeat itself to 1e-9.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> @dl.flow
    ... def driven(x=0.0, *, A=1.0, w=2.0):
    ...     return {x: -x + A * dl.cos(w * dl.t)}
    >>> cells = dl.Grid(x=(-5, 5, 128))
    >>> found = dl.periodic_density(driven.with_noise(x=1.0), period=np.pi, grid=cells)
    >>> exact = np.cos(2 * found.times - np.arctan(2)) / 5**0.5        # A cos(w t - atan w) / sqrt(1 + w^2)
    >>> bool(np.abs(found.mean("x") - exact).max() < 1e-3)
    True

    References
    ----------
    1. Jung 1993, Phys. Rep. 234, 175: periodically driven stochastic systems.
    2. Risken, The Fokker-Planck Equation, 2nd ed. 1989, chapter 9: matrix continued fractions.
    """
    began = perf_counter()
    length = finite(period, "period")
    if not length > 0:
        raise SettingError(f"the period is {length:g}. Give a positive one.")
    found, generator_at = driven_generator(system, grid)
    first, last = generator_at(0.0), generator_at(length)
    apart = abs(first.matrix - last.matrix).max()
    if apart > SAME * abs(first.matrix).max():
        raise SettingError(
            f"the equations of {system.name!r} do not repeat after {length:g}. Give the period of the drive: "
            "2 pi over its angular frequency."
        )
    if not first.is_closed:
        raise SettingError(
            f"{system.name!r} is absorbed on {found!r}, and nothing is left in the long run. Give other walls."
        )
    times = np.linspace(0.0, length, TIMES)
    rows, error = _in_harmonics(generator_at, times) or _run_through(system, generator_at, times)
    return DensityEvolution(
        system=system,
        grid=found,
        times=times,
        values=rows.reshape(TIMES, *found.cells) / found.volume,
        error=error,
        provenance=Provenance(
            "periodic_density",
            system,
            {"grid": repr(found), "period": length},
            seconds=perf_counter() - began,
        ),
    )


def _in_harmonics(generator_at: GeneratorAt, times: Array) -> tuple[Array, float] | None:
    """Return the probabilities of a chain and their error; None if it is none, or the drive is too sharp."""
    resolved = (
        resolved_chain(generator_at, float(times[-1])) if generator_at(0.0).is_chain else None
    )
    if resolved is None:
        return None
    _, state, error = resolved
    rows = np.maximum(at_times(state, times / times[-1]), 0.0)
    mass = rows.sum(axis=1, keepdims=True)
    return rows / mass, error + float(np.abs(mass - 1).max())


def _run_through(system: System, generator_at: GeneratorAt, times: Array) -> tuple[Array, float]:
    """Return the fixed point of the propagator of a period."""
    step = driven_step(generator_at)
    size = generator_at(0.0).grid.size
    flat = np.full(size, 1.0 / size)
    steps = [h for span in evolved(step, flat, times[[0, -1]]).steps for h in span]
    # The same factors each time, so that a period is a linear map.
    moments = np.concatenate([[0.0], np.cumsum(steps)[:-1]])
    factors = [
        f
        for time, h in zip(moments, steps, strict=True)
        for f in driven_factors(generator_at, float(time), h)
    ]

    def after_a_period(state: Array) -> Array:
        """Return what a state becomes, its positive and its negative part by themselves."""
        moved = np.zeros(state.size)
        for sign in (1.0, -1.0):
            part = np.maximum(sign * state, 0.0)
            if part.any():
                after = product(part, factors)
                assert after is not None
                moved += sign * after
        return moved

    after = after_a_period(flat)
    operator = sparse_linalg.LinearOperator(
        (flat.size, flat.size), matvec=lambda v: v - after_a_period(v), dtype=float
    )
    change, _ = sparse_linalg.gmres(
        operator, after - flat, rtol=1e-11, restart=60, maxiter=MOST // 60
    )
    start = np.maximum(flat + change, 0.0)
    rows, error, _ = evolved(step, start / start.sum(), times)
    apart = float(np.abs(rows[-1] - rows[0]).sum())
    if not apart < REPEATS * 10:
        raise NotConverged(
            f"the density of {system.name!r} does not repeat itself after a period: it is off by {apart:.1g} in L1. Is "
            "there one attractor only? Give a grid around it, or more noise; smooth a drive that jumps.",
            status=Status.NOT_CONVERGED,
        )
    return rows, error + apart
