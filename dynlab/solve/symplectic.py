"""Symplectic methods for energies ``H = T(p) + V(q, t)``: small frozen objects that carry the step.

Which one: `Verlet` for rough forces and pictures, `BlanesMoan4` for an energy error of 1e-4 to 1e-8,
`BlanesMoan6` below that, `KahanLi8` down to rounding.
"""

from __future__ import annotations

import abc
import functools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.errors import SettingError
from dynlab.kernels import compositions
from dynlab.names import finite
from dynlab.solve.methods import OdeMethod
from dynlab.symbolic.hamiltonian import Parts, parts_of
from dynlab.symbolic.system import System

__all__ = ["BlanesMoan4", "BlanesMoan6", "KahanLi8", "SymplecticMethod", "Verlet", "Yoshida4"]

#: Derivatives of the states that the polynomial of a step meets at both ends, by the order of the method.
SLOPES = {2: 1, 4: 2, 6: 3, 8: 3}
#: With more states the third derivative takes too long to compile (28 of seven bodies: half a minute
#: against 5 s), and two have to do.
MOST_STATES_OF_THREE = 12


@dataclass(frozen=True, slots=True)
class SymplecticMethod(OdeMethod):
    """What the symplectic methods share: equal steps.

    Parameters
    ----------
    step
        Largest size of a step.  A run takes equal steps that fill its duration, so the size used is the
        duration divided by a whole number.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Raises
    ------
    SettingError
        If the step or the count is not positive.
    """

    step: float
    max_steps: int = 1_000_000_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "step", checked_step(self.step, self.max_steps))

    @property
    @abc.abstractmethod
    def composition(self) -> compositions.Composition:
        """The kicks and drifts of a step."""

    @property
    def loops(self) -> Any:
        """The loops of `dynlab.kernels.symplectic`, with as many powers as the order needs."""
        return loops_of(SLOPES[self.composition.order])


@dataclass(frozen=True, slots=True)
class Verlet(SymplecticMethod):
    """The method of Stoermer and Verlet: order 2, one force per step (kick, drift, kick).

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.Verlet(step=0.02))
    >>> swing.energy_error < 1e-3
    True

    References
    ----------
    1. Hairer, Lubich and Wanner 2003, Acta Numerica 12, 399.
    """

    @property
    def composition(self) -> compositions.Composition:
        return compositions.VERLET


@dataclass(frozen=True, slots=True)
class Yoshida4(SymplecticMethod):
    """Three Verlet steps, one of them back: order 4, three forces per step.

    The classic, for comparison; `BlanesMoan4` is far more accurate for the same work.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.Yoshida4(step=0.1))
    >>> swing.energy_error < 1e-4
    True

    References
    ----------
    1. Forest and Ruth 1990, Physica D 43, 105; Yoshida 1990, Phys. Lett. A 150, 262.
    """

    @property
    def composition(self) -> compositions.Composition:
        return compositions.YOSHIDA_4


@dataclass(frozen=True, slots=True)
class BlanesMoan4(SymplecticMethod):
    """Order 4 with a very small error, six forces per step: the method S6 of Blanes and Moan.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.BlanesMoan4(step=0.2))
    >>> swing.energy_error < 1e-6
    True

    References
    ----------
    1. Blanes and Moan 2002, J. Comput. Appl. Math. 142, 313, table 2.
    """

    @property
    def composition(self) -> compositions.Composition:
        return compositions.BLANES_MOAN_4


@dataclass(frozen=True, slots=True)
class BlanesMoan6(SymplecticMethod):
    """Order 6 with a very small error, ten forces per step: the method S10 of Blanes and Moan.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.BlanesMoan6(step=0.2))
    >>> swing.energy_error < 1e-8
    True

    References
    ----------
    1. Blanes and Moan 2002, J. Comput. Appl. Math. 142, 313, table 2.
    """

    @property
    def composition(self) -> compositions.Composition:
        return compositions.BLANES_MOAN_6


@dataclass(frozen=True, slots=True)
class KahanLi8(SymplecticMethod):
    """Order 8 from seventeen Verlet steps: for orbits kept to rounding over very long times.

    Parameters
    ----------
    step
        Largest size of a step; a run takes equal steps that fill its duration.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.

    Examples
    --------
    >>> import dynlab as dl
    >>> swing = dl.integrate(dl.zoo.pendulum, duration=1000, method=dl.KahanLi8(step=0.2))
    >>> swing.energy_error < 1e-9
    True

    References
    ----------
    1. Kahan and Li 1997, Math. Comp. 66, 1089.
    """

    @property
    def composition(self) -> compositions.Composition:
        return compositions.KAHAN_LI_8


def checked_step(step: float, max_steps: int) -> float:
    """Return the size of equal steps; refuse one, or a count, that cannot work."""
    size = finite(step, "step")
    if size <= 0:
        raise SettingError(
            f"step is {size:g}; give a positive size, also when the time runs backwards. "
            "A twentieth of the fastest period is a beginning."
        )
    if int(finite(max_steps, "max_steps")) < 1:
        raise SettingError(f"max_steps is {max_steps}; give a positive number of steps.")
    return size


@functools.cache
def loops_of(slopes: int) -> Any:
    """Return the loops whose polynomials meet so many derivatives at both ends."""
    from dynlab.kernels import symplectic

    return SimpleNamespace(**{**vars(symplectic), "POWERS": 2 * slopes + 2})


class Prepared(NamedTuple):
    """What the loops of `dynlab.kernels.symplectic` share, and the kernels that it points to."""

    rhs: Kernel
    state: NDArray[np.float64]
    tally: NDArray[np.int64]
    work: NDArray[np.float64]
    keeps_alive: tuple[Kernel, ...]


def prepare(
    system: System, start: NDArray[np.float64], span: float, method: SymplecticMethod
) -> Prepared:
    """Return the arrays of a run.

    Raises
    ------
    UnsupportedSystemError
        If the system has no energy, or one that is not ``T(p) + V(q, t)``.
    """
    loops, parts, composition = method.loops, parts_of(system), method.composition
    slopes = SLOPES[composition.order]
    if len(start) > MOST_STATES_OF_THREE:
        slopes = min(slopes, 2)
    kernels = kernels_of(system)
    inner = (
        kernels.expressions(parts.velocities),
        kernels.expressions(parts.forces),
        kernels.along(slopes),
    )
    coefficients = np.zeros(2 * len(composition.drifts) + 1)
    coefficients[::2], coefficients[1::2] = composition.kicks, composition.drifts
    state = np.append(np.zeros(loops.COEFFICIENTS), coefficients)
    state[loops.END], state[loops.LARGEST] = span, method.step
    tally = np.append(np.zeros(loops.PAIRS, np.int64), _places(system, parts))
    tally[loops.MOST_ATTEMPTS] = method.max_steps
    tally[loops.STAGES] = len(composition.drifts)
    tally[[loops.VELOCITY, loops.FORCE, loops.ALONG]] = [kernel.address for kernel in inner]
    tally[loops.SLOPES] = slopes
    work = np.zeros((loops.WORK_ROWS, len(start)))
    work[loops.X] = start
    return Prepared(kernels.rhs, state, tally, work, inner)


def _places(system: System, parts: Parts) -> NDArray[np.int64]:
    """Return where the coordinates and then the momenta stand among the states."""
    names = system.state_names
    return np.array([names.index(n) for n in parts.coordinates + parts.momenta], np.int64)
