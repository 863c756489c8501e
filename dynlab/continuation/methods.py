"""Ways to walk along a curve: small frozen objects that carry their settings."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["ContinuationMethod", "NaturalParameter", "PseudoArclength"]


class ContinuationMethod(abc.ABC):
    """A way to walk along a curve; lengths are fractions of the scaled range of the unknowns."""

    __slots__ = ()

    first_step: float
    step_min: float
    step_max: float
    angle: float
    tolerance: float
    max_points: int

    @property
    @abc.abstractmethod
    def holds_parameter(self) -> bool:
        """Whether each step is taken in the parameter itself."""


def _check(method: ContinuationMethod) -> None:
    name = type(method).__name__
    for field in ("first_step", "step_min", "step_max", "angle", "tolerance"):
        value = finite(getattr(method, field), f"{field} of {name}")
        if value <= 0:
            raise SettingError(f"{field} of {name} is {value:g}; it must be positive.")
    if method.step_min > method.step_max:
        raise SettingError(
            f"{name}: step_min = {method.step_min:g} is larger than step_max = "
            f"{method.step_max:g}. Exchange them."
        )
    if not method.step_min <= method.first_step <= method.step_max:
        raise SettingError(
            f"{name}: first_step = {method.first_step:g} does not lie between step_min = "
            f"{method.step_min:g} and step_max = {method.step_max:g}."
        )
    if method.max_points < 2:
        raise SettingError(f"{name}: max_points is {method.max_points}; give at least 2.")


@dataclass(frozen=True, slots=True)
class PseudoArclength(ContinuationMethod):
    """Steps along the curve itself, so that it may turn back in the parameter (the default).

    Parameters
    ----------
    first_step, step_min, step_max
        Step lengths, where 1 is the whole parameter range or the range of a state.
    angle
        The angle (radians) that successive tangents should make; the step follows it.
    tolerance
        Size of the last Newton step, in the same scaled units.
    max_points
        Where a branch ends at the latest, in each direction.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.PseudoArclength(step_max=0.005)
    PseudoArclength(first_step=0.002, step_min=1e-08, step_max=0.005, angle=0.06, ...

    References
    ----------
    Keller 1977, in Applications of Bifurcation Theory, p. 359.
    """

    first_step: float = 2e-3
    step_min: float = 1e-8
    step_max: float = 1e-2
    angle: float = 0.06
    tolerance: float = 1e-9
    max_points: int = 20_000

    def __post_init__(self) -> None:
        _check(self)

    @property
    def holds_parameter(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class NaturalParameter(ContinuationMethod):
    """Steps in the parameter alone; stops at a fold and says so.  For comparison.

    Parameters
    ----------
    first_step, step_min, step_max
        Step lengths as fractions of the parameter range.
    angle, tolerance, max_points
        As for `PseudoArclength`.
    """

    first_step: float = 2e-3
    step_min: float = 1e-8
    step_max: float = 1e-2
    angle: float = 0.06
    tolerance: float = 1e-9
    max_points: int = 20_000

    def __post_init__(self) -> None:
        _check(self)

    @property
    def holds_parameter(self) -> bool:
        return True
