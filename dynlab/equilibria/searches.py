"""How cycles of a map are searched: methods for `dynlab.find_periodic_orbits`."""

from __future__ import annotations

from dataclasses import dataclass

from dynlab.errors import SettingError
from dynlab.names import finite

__all__ = ["DavidchackLai", "DeflatedNewton", "OrbitSearch"]


@dataclass(frozen=True, slots=True)
class DeflatedNewton:
    """Newton's method from many starts, then from the same with the cycles found divided out.

    For maps with few cycles in the box.  Newton's method jumps; among many unstable cycles it finds
    some of them again and again, and misses others.

    References
    ----------
    Farrell, Birkisson, Funke 2015, SIAM J. Sci. Comput. 37, A2026.
    """


@dataclass(frozen=True, slots=True)
class DavidchackLai:
    """The unstable cycles of a chaotic set, by stabilising transformations.

    An iteration that is drawn to the cycle near its start, whatever its stability, started from the points of the
    cycles with one and two steps fewer, which cover the set, and from points of an orbit.  Periods
    are climbed from one on.  A second search, from the points that the first one found, measures what it
    missed.

    Parameters
    ----------
    beta
        How cautious a step is, at period one; it grows by 1.3 with each step of the period.  A larger value is
        slower and misses less.
    starts
        How many points of an orbit serve as starts.
    steps
        How many steps an iteration may take.

    Raises
    ------
    SettingError
        If one of them is not positive.

    References
    ----------
    Davidchack and Lai 1999, Phys. Rev. E 60, 6172.
    Schmelcher and Diakonos 1997, Phys. Rev. Lett. 78, 4733.
    """

    beta: float = 10.0
    starts: int = 200
    steps: int = 60

    def __post_init__(self) -> None:
        for name in ("beta", "starts", "steps"):
            value = finite(getattr(self, name), name)
            if value <= 0 or (name != "beta" and value != int(value)):
                raise SettingError(f"{name} of DavidchackLai is {value:g}; give a positive number.")


#: A way to search the cycles of a map.
OrbitSearch = DeflatedNewton | DavidchackLai
