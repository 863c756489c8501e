"""Taylor: the method of power series, for what has to be known to rounding."""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel
from dynlab.codegen.series import series_of
from dynlab.errors import AccuracyWarning, SettingError
from dynlab.kernels.power_series import MOST_ORDER
from dynlab.names import finite
from dynlab.solve.methods import OdeMethod, check_counts
from dynlab.symbolic.system import System

__all__ = ["Prepared", "Taylor", "prepare"]

#: A quarter of a unit of rounding: what is left out of a step is then lost in its sums.
SMALLEST_RTOL = 2.0**-54
#: Order by tolerance cannot be lower.
LEAST_ORDER = 4


@dataclass(frozen=True, slots=True)
class Taylor(OdeMethod):
    """Steps by the Taylor series of the solution, of order 20 at full precision.

    The recurrences of the coefficients are generated from the equations and compiled once; parameters are data.
    At tolerances of 1e-9 and below it is faster than `Explicit8` on equations of few terms, and it goes on to
    where rounding alone is left: 1e-13 of the Lorenz system after ten units of time, where `Explicit8` has no
    tolerance left to ask for.  Between the ends of a step stands the same polynomial.

    The equations must be smooth: everything in the language but ``abs``, ``floor``, ``where`` and their kin, and no
    network.  Events, also those that set the state, are located as in every other method.

    Parameters
    ----------
    rtol
        Relative tolerance of a step, in each state.  At 1e-16 rounding is all that is left.
    atol
        Absolute tolerance.  A state that passes zero is measured by its change over a step, so this matters only for
        states that stay near zero.
    max_steps
        Steps after which a run ends with `Status.TOO_MANY_STEPS`.
    first_step
        The first step is no larger than this; None lets the series say.
    order
        Of the series, up to 31; None is ``1 - ln(rtol) / 2``, the cheapest: 12 at 1e-9, 20 at 1e-16.

    Raises
    ------
    SettingError
        If a tolerance is negative or both are zero, or a count, step or order cannot be used.

    Warns
    -----
    AccuracyWarning
        If `rtol` is below a quarter of a unit of rounding (5.6e-17); it is then raised to that.

    Notes
    -----
    A power whose exponent is a parameter has no series where its base is exactly zero, even if the parameter
    happens to be a whole number: write the number, or begin beside zero.  A step is checked against the
    equations where it grows to more than twice the last; a solution that can be continued beyond where the
    equations hold (``y' = -sqrt(y)`` reaching 0) can be followed there by steps that do not grow.

    Examples
    --------
    >>> import dynlab as dl
    >>> start = {"x": 1, "y": 1, "z": 1}
    >>> run = dl.integrate(dl.zoo.lorenz, start=start, duration=10, method=dl.Taylor())
    >>> run["z"][-1].round(9)
    np.float64(24.690858103)

    References
    ----------
    1. Jorba and Zou 2005, A software package for the numerical integration of ODEs by means of high-order
       Taylor methods, Exp. Math. 14, 99.
    """

    rtol: float = 1e-16
    atol: float = 1e-16
    max_steps: int = 10_000_000
    first_step: float | None = None
    order: int | None = None

    def __post_init__(self) -> None:
        rtol, atol = finite(self.rtol, "rtol"), finite(self.atol, "atol")
        check_counts(self.max_steps, self.first_step)
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value < 0:
                raise SettingError(
                    f"{name} is {value:g}; a tolerance is not negative. Try {name}=1e-16."
                )
        if max(rtol, atol) == 0 or max(rtol, atol) >= 1:
            raise SettingError(
                f"rtol is {rtol:g} and atol {atol:g}; no step could follow that. Try rtol=1e-16."
            )
        if 0 < rtol < SMALLEST_RTOL or (rtol == 0 and atol < SMALLEST_RTOL):
            warnings.warn(
                f"rtol={rtol:g} is below what rounding allows; {SMALLEST_RTOL:.3g} is used instead.",
                AccuracyWarning,
                stacklevel=3,
            )
            rtol = SMALLEST_RTOL
        object.__setattr__(self, "rtol", rtol)
        object.__setattr__(self, "atol", atol)
        if self.order is not None and (
            isinstance(self.order, bool) or self.order not in range(2, MOST_ORDER + 1)
        ):
            raise SettingError(
                f"order is {self.order!r}; give a whole number from 2 to {MOST_ORDER}, or None."
            )

    @property
    def order_used(self) -> int:
        """The order of the series."""
        if self.order is not None:
            return self.order
        wanted = math.ceil(1.0 - 0.5 * math.log(max(self.rtol, self.atol)))
        return min(max(wanted, LEAST_ORDER), MOST_ORDER)

    @property
    def loops(self) -> Any:
        """The loops of `dynlab.kernels.taylor`, with as many powers as the order needs."""
        return _loops(self.order_used + 1)


@functools.cache
def _loops(powers: int) -> Any:
    from dynlab.kernels import taylor

    return SimpleNamespace(**{**vars(taylor), "POWERS": powers})


class Prepared(NamedTuple):
    """What the loops of `dynlab.kernels.taylor` share, and the kernel that they call."""

    series: Kernel
    state: NDArray[np.float64]
    tally: NDArray[np.int64]
    work: NDArray[np.float64]
    inputs: Inputs


def prepare(system: System, start: NDArray[np.float64], span: float, method: Taylor) -> Prepared:
    """Return the arrays of a run.

    Raises
    ------
    UnsupportedSystemError
        If the equations have no Taylor series.
    """
    loops, series = method.loops, series_of(system, method.order_used)
    inputs = inputs_of(system)._replace(
        sizes=np.array([method.order_used]), workspace=np.zeros(max(1, series.workspace))
    )
    state = np.zeros(loops.STATE_SIZE)
    tally = np.zeros(loops.TALLY_SIZE, np.int64)
    work = np.zeros((loops.WORK_ROWS, len(start)))
    state[loops.END], state[loops.STEP] = span, method.first_step or 0.0
    state[loops.RTOL], state[loops.ATOL] = method.rtol, max(method.atol, loops.TINY)
    tally[loops.MOST_ATTEMPTS] = method.max_steps
    work[loops.X] = start
    return Prepared(series.kernel, state, tally, work, inputs)
