"""PeriodSearch: what counts as coming again when the period of an orbit is looked for."""

from __future__ import annotations

from dataclasses import dataclass

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["PeriodSearch"]

MOST_ALLOWED = 1 << 16


@dataclass(frozen=True, slots=True)
class PeriodSearch:
    """What counts as coming again: how near, after how many steps or maxima at most, and maxima of what.

    Parameters
    ----------
    most
        The longest period looked for, in steps of a map or maxima of a flow.
    tolerance
        How near counts as the same, relative to the largest size of each state along the orbit.  None is 1e-9 for
        maps and 1e-7 for flows and their sections, whose states between steps are known less well.
    maxima
        For flows, the state whose maxima are counted.  None counts events where a flow has some, else the maxima of
        the first state.

    Raises
    ------
    SettingError
        If `most` is not a whole number from 1 to 65536, or the tolerance not between 0 and 1e-3.

    Examples
    --------
    >>> import dynlab as dl
    >>> chart = dl.period_chart(dl.zoo.logistic, vary={"r": [3.55, 3.566]}, transient=10_000,
    ...                         search=dl.PeriodSearch(most=8))
    >>> chart["period"]
    array([ 8, -1])
    """

    most: int = 64
    tolerance: float | None = None
    maxima: str | None = None

    def __post_init__(self) -> None:
        most = finite(self.most, "most")
        if most != int(most) or not 1 <= most <= MOST_ALLOWED:
            raise SettingError(
                f"most is {self.most!r}; give the longest period, a whole number from 1 to {MOST_ALLOWED}."
            )
        if self.tolerance is not None and not 0 < finite(self.tolerance, "tolerance") <= 1e-3:
            raise SettingError(
                f"tolerance is {self.tolerance!r}; give a number above 0 and up to 1e-3, or None."
            )
