"""Ways to walk along a curve: small frozen objects that carry their settings."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["ContinuationMethod", "NaturalParameter", "PseudoArclength"]


@dataclass(frozen=True, slots=True)
class ContinuationMethod(abc.ABC):
    """A way to walk along a curve.

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
    """

    first_step: float = 2e-3
    step_min: float = 1e-8
    step_max: float = 1e-2
    angle: float = 0.06
    tolerance: float = 1e-9
    max_points: int = 20_000

    def __post_init__(self) -> None:
        name = type(self).__name__
        for field in ("first_step", "step_min", "step_max", "angle", "tolerance"):
            value = finite(getattr(self, field), f"{field} of {name}")
            if value <= 0:
                raise SettingError(f"{field} of {name} is {value:g}; it must be positive.")
        if self.step_min > self.step_max:
            raise SettingError(
                f"{name}: step_min = {self.step_min:g} is larger than step_max = "
                f"{self.step_max:g}. Exchange them."
            )
        if not self.step_min <= self.first_step <= self.step_max:
            raise SettingError(
                f"{name}: first_step = {self.first_step:g} does not lie between step_min = "
                f"{self.step_min:g} and step_max = {self.step_max:g}."
            )
        if self.max_points < 2:
            raise SettingError(f"{name}: max_points is {self.max_points}; give at least 2.")

    @property
    @abc.abstractmethod
    def holds_parameter(self) -> bool:
        """Whether each step is taken in the parameter itself."""


@dataclass(frozen=True, slots=True)
class PseudoArclength(ContinuationMethod):
    """Steps along the curve itself, so that it may turn back in the parameter (the default).

    Parameters are those of every continuation method: first_step, step_min, step_max (1 is the
    whole range), angle, tolerance, max_points.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.PseudoArclength(step_max=0.005)
    PseudoArclength(first_step=0.002, step_min=1e-08, step_max=0.005, angle=0.06, ...

    References
    ----------
    Keller 1977, in Applications of Bifurcation Theory, p. 359.
    """

    @property
    def holds_parameter(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class NaturalParameter(ContinuationMethod):
    """Steps in the parameter alone; stops at a fold and says so.  For comparison.

    Parameters are those of `PseudoArclength`.
    """

    @property
    def holds_parameter(self) -> bool:
        return True
