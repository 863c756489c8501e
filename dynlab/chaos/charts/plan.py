"""Plan: what a chart is made of, checked once for all charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.charts.cells import Cells, cells_of
from dynlab.chaos.charts.chart import Chart
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.result import Provenance
from dynlab.solve.methods import Automatic, Explicit8, OdeMethod
from dynlab.symbolic.dynamics import require
from dynlab.symbolic.system import System

__all__ = ["Ended", "Plan"]

Array = NDArray[np.float64]
Made = TypeVar("Made", bound=Chart)
Start = Mapping[str, Any] | Sequence[float] | None


class Ended(Protocol):
    """How cells ended, and when."""

    @property
    def statuses(self) -> NDArray[np.int64]:
        """Numbers of `Status`."""

    @property
    def ends(self) -> Array:
        """Times."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a chart is made of: a system, its cells, and how each is run.

    Attributes
    ----------
    name
        The function that makes the chart.
    system, cells
        The system, and the start and parameters of each cell.
    method
        Method of a flow; None for maps.
    began
        When the work on it began.
    """

    name: str
    system: System
    cells: Cells
    method: OdeMethod | None
    began: float

    @classmethod
    def checked(
        cls, name: str, system: System, vary: Mapping[str, Any], start: Start, method: Any
    ) -> Self:
        """Return the plan.

        Raises
        ------
        SettingError
            If the method carries no deviations, or as `cells_of`.
        UnknownNameError
            If a name is neither a parameter nor a state.
        UnsupportedSystemError
            If this is no system, or one with noise or delays.
        """
        began = perf_counter()
        chosen = _checked_method(system, method)
        return cls(name, system, cells_of(system, vary, start), chosen, began)

    def span(self, value: Any, what: str, *, least: float = 0.0) -> float:
        """Return a duration that is at least so long, and whole for maps."""
        number = finite(value, what)
        if number < least:
            raise SettingError(f"{what} is {number:g}; give at least {least:g}.")
        if self.system.is_discrete and number != int(number):
            raise SettingError(f"{what} is {number:g}; a map takes a whole number of steps.")
        return number

    def average(self, value: Any, batches: int) -> float:
        """Return a duration over which a mean is taken in so many batches."""
        least = float(batches) if self.system.is_discrete else np.finfo(float).tiny
        return self.span(value, "duration", least=least)

    def chart(
        self,
        kind: Callable[..., Made],
        arrays: Mapping[str, NDArray[Any]],
        ended: Ended,
        settings: Mapping[str, Any],
        **more: Any,
    ) -> Made:
        """Return the chart of these arrays, a row for each cell."""
        shape = self.cells.shape
        start = dict(zip(self.system.state_names, self.cells.starts[0], strict=True))
        how = {**settings, "start": start} | ({"method": self.method} if self.method else {})
        return kind(
            system=self.system,
            over=self.cells.over,
            cells={what: values.reshape(shape) for what, values in arrays.items()},
            statuses=ended.statuses.reshape(shape),
            ends=ended.ends.reshape(shape),
            provenance=Provenance(self.name, self.system, how, seconds=perf_counter() - self.began),
            **more,
        )


def _checked_method(system: System, method: OdeMethod | None) -> OdeMethod | None:
    """Return the method; none for maps."""
    require(system)
    if system.is_discrete:
        if method is not None:
            raise SettingError(
                f"{system.name!r} is a map, which needs no method. Leave method out."
            )
        return None
    if not isinstance(method, Explicit8 | Automatic | None):
        raise SettingError(
            f"method is {method!r}, which does not carry deviations. Give dl.Explicit8() or dl.Automatic(), or "
            "leave method= out."
        )
    return Explicit8() if method is None else method
