"""Gauss6 and Gauss8: collocation with equal steps, symplectic for any energy."""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import kernels_of
from dynlab.errors import UnsupportedSystemError
from dynlab.solve.methods import OdeMethod
from dynlab.solve.symplectic import MOST_STATES_OF_THREE, Prepared, checked_step, loops_of
from dynlab.symbolic.system import System

__all__ = ["Gauss6", "Gauss8", "GaussMethod", "prepare"]

#: Derivatives of the states that the polynomial of a step meets at both ends.
SLOPES = 3


@dataclass(frozen=True, slots=True)
class GaussMethod(OdeMethod):
    """What the methods of Gauss share: equal steps.

    Parameters
    ----------
    step, max_steps
        As in `Gauss8`.
    """

    step: float
    max_steps: int = 1_000_000_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", checked_step(self.step, self.max_steps))

    @property
    @abc.abstractmethod
    def stages(self) -> int:
        """How many stages a step has; the order is twice that."""

    @property
    def loops(self) -> Any:
        """The loops of `dynlab.kernels.symplectic`."""
        return loops_of(SLOPES)


@dataclass(frozen=True, slots=True)
class Gauss6(GaussMethod):
    """Gauss collocation with three stages, of order 6: symplectic for any energy.

    As `Gauss8`, for larger energy errors.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.Gauss6(step=0.1))
    >>> swing.energy_error < 1e-9
    True

    References
    ----------
    1. Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., Springer 2006, section II.1.3.
    """

    @property
    def stages(self) -> int:
        return 3


@dataclass(frozen=True, slots=True)
class Gauss8(GaussMethod):
    """Gauss collocation with four stages, of order 8: symplectic for any energy.

    For energies in which momenta and coordinates stand in one term, such as ``(1 + q^2) p^2``, a particle in a
    magnetic field, or motion on a curved surface.  (For ``T(p) + V(q)`` the methods without iterations
    cost less.)  It runs every flow: quadratic invariants are kept to rounding, and a run there and
    back returns.

    The equations of a step are solved by iteration to rounding, which needs a step well below the time of the
    fastest motion.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Raises
    ------
    SettingError
        If the step or the count is not positive.

    Notes
    -----
    A run whose iteration does not converge ends with `Status.NOT_CONVERGED`: the step is too long.  Between the ends of the
    steps stands a polynomial of degree 7, whose error can be larger than that of the steps.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.hamiltonian
    ... def bead(q=1.0, p=0.5):
    ...     return (1 + q**2) * p**2 / 2 + q**2 / 2
    >>> run = dl.integrate(bead, duration=1000, method=dl.Gauss8(step=0.1))
    >>> run.energy_error < 1e-9
    True

    References
    ----------
    1. Hairer, Lubich and Wanner, Geometric Numerical Integration, 2nd ed., Springer 2006, section II.1.3.
    2. Hairer, McLachlan and Razakarivony 2008, Achieving Brouwer's law with implicit Runge-Kutta
       methods, BIT 48, 231.
    """

    @property
    def stages(self) -> int:
        return 4


def prepare(
    system: System, start: NDArray[np.float64], span: float, method: GaussMethod
) -> Prepared:
    """Return the arrays of a run.

    Raises
    ------
    UnsupportedSystemError
        If the system is a network: its steps have no polynomials here.
    """
    if system.is_indexed:
        raise UnsupportedSystemError(
            f"{system.name!r} is a network, which Gauss collocation does not run yet. Use dl.Automatic()."
        )
    loops, kernels, s = method.loops, kernels_of(system), method.stages
    slopes = SLOPES if len(start) <= MOST_STATES_OF_THREE else SLOPES - 1
    along = kernels.along(slopes)
    state = np.append(np.zeros(loops.COEFFICIENTS), coefficients_of(s))
    state[loops.END], state[loops.LARGEST] = span, method.step
    tally = np.zeros(loops.PAIRS, np.int64)
    tally[loops.MOST_ATTEMPTS], tally[loops.STAGES] = method.max_steps, s
    tally[loops.ALONG], tally[loops.SLOPES] = along.address, slopes
    work = np.zeros((loops.WORK_ROWS + 2 * s, len(start)))
    work[loops.X] = start
    return Prepared(kernels.rhs, state, tally, work, (along,))


@functools.cache
def coefficients_of(stages: int) -> NDArray[np.float64]:
    """Return the nodes, rows of a and of b with what they lack, and the matrix that continues the rates."""
    with mpmath.workdps(50):
        legendre = mpmath.taylor(lambda x: mpmath.legendre(stages, x), 0, stages)
        nodes = sorted((1 + x) / 2 for x in mpmath.polyroots(legendre[::-1], maxsteps=200))
        basis = [_basis(nodes, j) for j in range(stages)]
        integrals = [[c / (power + 1) for power, c in enumerate(b)] + [0] for b in basis]
        rows = [[_value([0, *i[:-1]], node) for i in integrals] for node in [*nodes, mpmath.mpf(1)]]
        continued = [[_value(b, 1 + node) for b in basis] for node in nodes]
        parts = [float(node) for node in nodes]
        for row in rows:
            parts += [float(a) for a in row] + [float(a - mpmath.mpf(float(a))) for a in row]
        parts += [float(c) for row in continued for c in row]
    return np.array(parts)


def _basis(nodes: list[Any], j: int) -> list[Any]:
    """Return the coefficients, lowest first, of the polynomial that is 1 at one node and 0 at the others."""
    made = [mpmath.mpf(1)]
    for m, node in enumerate(nodes):
        if m != j:
            scale = 1 / (nodes[j] - node)
            raised, lowered = [mpmath.mpf(0), *made], [*made, mpmath.mpf(0)]
            made = [scale * (up - node * low) for up, low in zip(raised, lowered, strict=True)]
    return made


def _value(polynomial: list[Any], x: Any) -> Any:
    return mpmath.polyval(polynomial[::-1], x)
