"""return_map: each value of an orbit against the next one.

Of a flow the successive maxima of a state: if they lie on a curve, a map of the line tells all (Lorenz 1963, J.
Atmos. Sci. 20, 130, section 7 and figure 4: the cusp of z).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.orbit_diagram import _count
from dynlab.errors import UnknownNameError
from dynlab.names import by_name
from dynlab.result import Provenance, Result
from dynlab.solve.iterate import iterate
from dynlab.solve.section import maxima_map
from dynlab.status import Status
from dynlab.symbolic.dynamics import require
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ReturnMap", "return_map"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ReturnMap(Result):
    """Successive values of a quantity.

    Attributes
    ----------
    system
        The map that was iterated: the one given, or the map of maxima of a flow.
    of
        The quantity.
    values
        Its values, one after another.
    status
        How the orbit ended.
    provenance
        Where the result came from.
    """

    system: Any
    of: str
    values: Array
    status: Status
    provenance: Provenance

    @property
    def now(self) -> Array:
        """Each value that has a next one."""
        return self.values[:-1]

    @property
    def next(self) -> Array:
        """The value after each."""
        return self.values[1:]

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return each value and the next one."""
        return {self.of: self.now, f"next {self.of}": self.next}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw each value against the next one, with the diagonal."""
        from dynlab.plotting import draw_returns, symbol

        name = symbol(self.of)
        word = ", maximum " if isinstance(self.provenance.system, System) and (
            not self.provenance.system.is_discrete
        ) else ""  # fmt: skip
        labels = (f"${name}_n$" if not word else f"maximum $n$ of ${name}$",
                  f"${name}_{{n+1}}$" if not word else f"maximum $n+1$ of ${name}$")  # fmt: skip
        return draw_returns(ax, self.now, self.next, labels=labels)

    def __repr__(self) -> str:
        return f"<return map of {self.of} of {self.system.name}: {len(self.values)} values;\n {self.status}>"


def return_map(
    system: Any, *, of: str, duration: int = 2000, transient: int = 100,
    start: Mapping[str, float] | None = None,
) -> ReturnMap:  # fmt: skip
    """Return each value of a quantity with the next one: successive maxima along a flow, steps of a map.

    Parameters
    ----------
    system
        A flow, whose maxima of the state are taken; or a map or section.
    of
        The state; of a section also an observable.
    duration, transient
        How many values to keep, and to leave out before.
    start
        Where to start, by name.  For a flow the run starts on the section of maxima, so the state that this
        fixes need not be given.

    Returns
    -------
    ReturnMap
        The values; ``plot()`` draws them against each other.

    Raises
    ------
    UnsupportedSystemError, SettingError
        As `maxima_map`, for a flow.
    UnknownNameError
        If there is no such quantity.

    Examples
    --------
    >>> import dynlab as dl
    >>> cusp = dl.return_map(dl.zoo.lorenz, of="z", duration=500, start={"x": 10, "y": 7})
    >>> len(cusp.now), bool(cusp.next.max() < 48.5)
    (499, True)
    """
    began = time.perf_counter()
    require(system)
    kept, before = _count(duration, "duration", 2), _count(transient, "transient", 0)
    section: Any = system if system.is_discrete else maxima_map(system, of=of)
    known = section.state_names + section.observable_names
    if of not in known:
        raise UnknownNameError(f"quantity of {section.name!r}", of, known)
    fixed = getattr(section, "fixed", None)
    given = {n: v for n, v in by_name(start, "start").items() if n != fixed}
    last = before + kept - 1
    orbit = iterate(section, start=given, duration=last, at=range(before, last + 1))
    settings = {"of": of, "duration": kept, "transient": before}
    return ReturnMap(
        section, of, orbit[of].copy(), orbit.status,
        Provenance("return_map", system, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip
