"""Densities of three states in time, one axis after the other: too many cells for a factorisation.

    e^{hL} ~ X(h/2) Y(h/2) Z(h) Y(h/2) X(h/2)

with implicit steps along lines of cells (`dynlab.kernels.sweeps`): second order (Strang 1968, SIAM J. Numer. Anal. 5, 506),
mass exact.  The step is chosen by comparison with two of half its length, and shortened where a density would turn
negative.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import NotConverged
from dynlab.kernels import sweeps
from dynlab.status import Status
from dynlab.stochastic.generator.generator import Generator

__all__ = ["Split", "can_be_split", "split_states"]

Array = NDArray[np.float64]

#: The steps of a run differ from the limit by so much in L1, all together; what is negative beyond this is not rounding.
TOLERANCE, NEGATIVE = 1e-6, 1e-13
GROWTH, SHRINKAGE, SMALLEST = 2.0, 0.2, 1e-9


def can_be_split(generator: Generator) -> bool:
    """Return whether cells exchange along the axes alone, between walls that keep or take."""
    axes = len(generator.grid.cells)
    return (
        len(generator.edges) == axes
        and not any(generator.grid.is_periodic(k) for k in range(axes))
        and not any(e.targets for e in generator.exits)
    )


@dataclass(frozen=True)
class Split:
    """The rates along each axis, at the cells."""

    cells: tuple[int, ...]
    up: tuple[Array, ...]
    down: tuple[Array, ...]
    out: tuple[Array, ...]

    @classmethod
    def of(cls, generator: Generator) -> Split:
        """Return the rates of a generator whose cells exchange along the axes alone."""
        size, names = generator.grid.size, generator.grid.names
        up, down = [], []
        out = [np.zeros(size) for _ in names]
        for e in generator.edges:
            both = np.zeros((2, size))
            both[0, e.source], both[1, e.source] = e.forward, e.backward
            up.append(both[0])
            down.append(both[1])
        for x in generator.exits:
            np.add.at(out[names.index(x.name)], x.source, x.rates)
        return cls(generator.grid.cells, tuple(up), tuple(down), tuple(out))

    def step(self, h: float) -> Step:
        """Return what moves a density by a time h, factors and all."""
        last = len(self.cells) - 1
        return Step(self.cells, tuple(self._factors(k, h if k == last else 0.5 * h)
                                      for k in range(last + 1)))  # fmt: skip

    def _factors(self, axis: int, h: float) -> tuple[Array, Array, Array]:
        low, mid, inv = (np.empty(self.up[axis].size) for _ in range(3))
        n, stride = self.cells[axis], prod(self.cells[axis + 1 :])
        sweeps.factors(
            self.up[axis],
            self.down[axis],
            self.out[axis],
            n,
            stride,
            sweeps.POLE * h,
            low,
            mid,
            inv,
        )
        return low, mid, inv


@dataclass(frozen=True)
class Step:
    """A step of one length."""

    cells: tuple[int, ...]
    factors: tuple[tuple[Array, Array, Array], ...]

    def __call__(self, state: Array, out: Array) -> Array:
        """Write the density a step later, and return it; the state itself may be overwritten."""
        if out is not state:
            out[:] = state
        last = len(self.cells) - 1
        work = np.empty((2, max(self.cells), sweeps.BLOCK))
        for axis in (*range(last + 1), *range(last - 1, -1, -1)):
            n, stride = self.cells[axis], prod(self.cells[axis + 1 :])
            sweeps.sweep(out, *self.factors[axis], n, stride, work[0], work[1])
        return out


def split_states(generator: Generator, start: Array, times: Array) -> tuple[Array, float]:
    """Return the probabilities of the cells at ascending times, one row each, and the estimated error of the steps.

    Raises
    ------
    NotConverged
        If the steps become too small.
    """
    split = Split.of(generator)
    known: dict[str, Step] = {}
    rows, now, state, error = np.empty((times.size, start.size)), 0.0, start.copy(), 0.0
    coarse, fine = np.empty((2, start.size))
    whole = float(times[-1]) or 1.0
    length = whole / 16

    def step(h: float) -> Step:
        key = f"{h:.12e}"
        if key not in known:
            if len(known) > 3:
                known.clear()
            known[key] = split.step(h)
        return known[key]

    for row, time in enumerate(times):
        while now < time:
            left = float(time) - now
            count = int(np.ceil(left / length - 1e-9))
            h = left / count
            half = step(0.5 * h)
            half(half(state, fine), fine)
            step(h)(state, coarse)
            off = float(np.abs(np.subtract(fine, coarse, out=coarse), out=coarse).sum()) / 3
            allowed = TOLERANCE * h / whole
            if off > allowed or fine.min() < -NEGATIVE * fine.max():
                length = h * max(0.9 * (allowed / max(off, allowed)) ** 0.5, SHRINKAGE)
                length = min(length, 0.5 * h)
                if length < SMALLEST * whole:
                    raise NotConverged(
                        f"the density did not converge at t = {now:g}: steps became {length:.1g}. Start from something "
                        "wider than a cell, or give finer cells.",
                        status=Status.NOT_CONVERGED,
                    )
                continue
            np.maximum(fine, 0.0, out=state)
            error += off
            now = float(time) if count == 1 else now + h
            # New factors cost as much as a step: a length is kept unless a longer one pays.
            if off < 0.1 * allowed:
                length = GROWTH * h
        rows[row] = state
    return rows, error
