"""Methods for ordinary differential equations: small frozen objects that carry tolerances."""

from __future__ import annotations

import abc
import warnings
from dataclasses import dataclass
from typing import Any

from dynlab.errors import AccuracyWarning, SettingError
from dynlab.names import finite

__all__ = ["AdaptiveMethod", "Automatic", "Explicit8", "OdeMethod", "Radau5"]

#: 100 units of rounding: no method that adds increments to a state can promise more.
SMALLEST_RTOL = 100 * 2.0**-52


class OdeMethod(abc.ABC):
    """What `dynlab.integrate` needs to know of a method."""

    __slots__ = ()

    @property
    @abc.abstractmethod
    def loops(self) -> Any:
        """The kernel module with the compiled loops begin, advance, sample, record and watch."""


class AdaptiveMethod(OdeMethod):
    """A method whose steps follow tolerances."""

    __slots__ = ()

    rtol: float
    atol: float
    max_steps: int
    first_step: float | None

    @property
    def loops(self) -> Any:
        """The loops of `dynlab.kernels.loops`."""
        from dynlab.kernels import loops

        return loops

    @property
    @abc.abstractmethod
    def choice(self) -> int:
        """Which of the loops' methods take the steps, a value of ``tally[CHOICE]``."""

    def _check(self) -> None:
        """Refuse settings that cannot work."""
        rtol, atol = checked_tolerances(self.rtol, self.atol)
        object.__setattr__(self, "rtol", rtol)
        object.__setattr__(self, "atol", atol)
        check_counts(self.max_steps, self.first_step)


@dataclass(frozen=True, slots=True)
class Explicit8(AdaptiveMethod):
    """The explicit Runge-Kutta method of order 8 by Dormand and Prince (DOP853).

    The error of each step is kept below ``atol + rtol |x|``, in the root-mean-square over the states.
    The error at the end is that, times how much the flow magnifies errors on the way.  The method
    is for problems that are not stiff; on stiff ones it takes very many steps.

    Parameters
    ----------
    rtol
        Relative tolerance.  The default 1e-9 costs 1.8 times the steps of 1e-7 and leaves what is
        computed from a trajectory (periods, exponents, events) good to many digits.
    atol
        Absolute tolerance.  The default 1e-12 is far below `rtol`, so that a state of size 1e-3 (a
        gating variable, a concentration) still gets its full relative accuracy, and a state that
        decays to zero does not force tiny steps.  With states of size 1e-9, lower it.
    max_steps
        Steps, accepted and rejected, after which a run ends with `Status.TOO_MANY_STEPS`.
    first_step
        Size of the first step; None lets the method choose.  Give one where the right-hand side
        is flat at the start and something short follows.

    Raises
    ------
    SettingError
        If both tolerances are zero, or one is negative or not finite, or a count or step is not
        positive.

    Warns
    -----
    AccuracyWarning
        If `rtol` is below 100 units of rounding (2.2e-14); it is then raised to that.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.integrate(dl.zoo.lorenz, duration=5, method=dl.Explicit8(rtol=1e-12))
    >>> run.status.ok
    True

    References
    ----------
    1. Hairer, Norsett and Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer 1993,
       section II.10.
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    max_steps: int = 10_000_000
    first_step: float | None = None

    def __post_init__(self) -> None:
        self._check()

    @property
    def choice(self) -> int:
        from dynlab.kernels.run import EXPLICIT

        return EXPLICIT


@dataclass(frozen=True, slots=True)
class Radau5(AdaptiveMethod):
    """The implicit Runge-Kutta method Radau IIA of order 5, for stiff systems.

    Its steps are bound by accuracy alone, however fast some states would return to where the others
    hold them.  The Jacobian is exact, from the equations.  On a system that is not stiff it takes more
    and costlier steps than `Explicit8`.

    Parameters
    ----------
    rtol, atol, max_steps, first_step
        As in `Explicit8`.  For a concentration that falls to 1e-13 set `atol` lower still.

    Raises
    ------
    SettingError
        As `Explicit8`.

    Warns
    -----
    AccuracyWarning
        As `Explicit8`.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.integrate(dl.zoo.robertson, duration=1e11, method=dl.Radau5(rtol=1e-6, atol=1e-20))
    >>> len(run.t) < 500
    True

    References
    ----------
    1. Hairer and Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section
       IV.8.
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    max_steps: int = 10_000_000
    first_step: float | None = None

    def __post_init__(self) -> None:
        self._check()

    @property
    def choice(self) -> int:
        from dynlab.kernels.run import IMPLICIT

        return IMPLICIT


@dataclass(frozen=True, slots=True)
class Automatic(AdaptiveMethod):
    """`Explicit8` as long as the system is not stiff, `Radau5` where it is.

    Stiffness is measured along the way: the explicit steps are bound by stability and not by accuracy.
    The method changes as often as that does.  Where nothing is stiff the result is that of `Explicit8`,
    mostly to the last bit, and no Jacobian is made.  (A motion that is barely resolved can pass for stiff
    for a few steps, mostly at tolerances of 1e-5 and looser; the tolerances are kept all the same.)

    ``trajectory.provenance.settings["steps"]`` says how many steps each method took.

    Parameters
    ----------
    rtol, atol, max_steps, first_step
        As in `Explicit8`.

    Raises
    ------
    SettingError
        As `Explicit8`.

    Warns
    -----
    AccuracyWarning
        As `Explicit8`.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.integrate(dl.zoo.van_der_pol(mu=1000), duration=2000)
    >>> counts = run.provenance.settings["steps"]
    >>> counts["explicit"] > 0, counts["implicit"] > 0
    (True, True)
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    max_steps: int = 10_000_000
    first_step: float | None = None

    def __post_init__(self) -> None:
        self._check()

    @property
    def choice(self) -> int:
        from dynlab.kernels.run import MEASURED

        return MEASURED


def check_counts(max_steps: int, first_step: float | None) -> None:
    """Refuse a number of steps, or a first step, that cannot work."""
    if int(finite(max_steps, "max_steps")) < 1:
        raise SettingError(f"max_steps is {max_steps}; give a positive number of steps.")
    if first_step is not None and finite(first_step, "first_step") <= 0:
        raise SettingError(
            f"first_step is {first_step}; give a positive size, also when the time runs "
            "backwards, or None."
        )


def checked_tolerances(rtol: float, atol: float) -> tuple[float, float]:
    """Return both tolerances as floats; refuse those that cannot work."""
    rtol, atol = finite(rtol, "rtol"), finite(atol, "atol")
    for name, value in (("rtol", rtol), ("atol", atol)):
        if value < 0:
            raise SettingError(
                f"{name} is {value:g}; a tolerance is not negative. Try {name}=1e-9."
            )
    if rtol == 0 and atol == 0:
        raise SettingError("rtol and atol are both 0; no step could meet that. Try rtol=1e-9.")
    if 0 < rtol < SMALLEST_RTOL or (rtol == 0 and atol < SMALLEST_RTOL):
        warnings.warn(
            f"rtol={rtol:g} is below what rounding allows; {SMALLEST_RTOL:.3g} is used instead.",
            AccuracyWarning,
            stacklevel=5,
        )
        rtol = SMALLEST_RTOL
    return rtol, atol
