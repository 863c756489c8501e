"""Chart: what the charts over one or two parameters have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import MissingExtraError, UnknownNameError
from dynlab.plotting import label
from dynlab.result import Provenance, Result, attributes_of, unit_of
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Chart"]

Array = NDArray[np.float64]

_GOOD = np.array([int(status) for status in Status if status.ok])


class Chart(Result):
    """Quantities over one or two parameters (or starts), by name.

    ``chart["a"]`` are the values along an axis, ``chart["exponent"]`` and what else the chart holds are arrays
    over the axes in their order.
    """

    __slots__ = ()

    system: System
    over: Mapping[str, Array]
    cells: Mapping[str, NDArray[Any]]
    statuses: NDArray[np.int64]
    ends: Array
    provenance: Provenance

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the values along an axis, or a quantity over the axes."""
        known = {**self.over, **self.cells, "status": self.statuses, "end": self.ends}
        if name not in known:
            raise UnknownNameError(
                f"quantity of this chart of {self.system.name!r}", name, tuple(known)
            )
        return known[name]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many cells there are along each axis."""
        return self.statuses.shape

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which cells did all that was asked."""
        return np.isin(self.statuses, _GOOD)

    @property
    def status(self) -> Status:
        """How it ended: STOPPED if it was, else OK; what became of each cell is in `statuses`."""
        return Status.STOPPED if (self.statuses == Status.STOPPED).any() else Status.OK

    @property
    def failures(self) -> dict[str, NDArray[Any]]:
        """The cells without an answer, as columns: where, when and why."""
        failed = np.flatnonzero(~self.ok.ravel())
        table = {name: column[failed] for name, column in self._columns.items()}
        return table | {
            "end": self.ends.ravel()[failed], "status": _words(self.statuses.ravel()[failed]),
        }  # fmt: skip

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return a row for each cell."""
        cells = {name: np.asarray(values).ravel() for name, values in self.cells.items()}
        return {
            **self._columns, **cells, "end": self.ends.ravel(), "status": _words(self.statuses.ravel()),
        }  # fmt: skip

    def to_xarray(self) -> xr.Dataset:
        """Return an xarray Dataset over the axes, with units and origin (extra ``tables``)."""
        try:
            import xarray as xr
        except ImportError:
            raise MissingExtraError("xarray", "tables", "to_xarray()") from None
        axes = tuple(self.over)
        quantities = {**self.cells, "status": self.statuses, "end": self.ends}
        data = {n: (axes, v) for n, v in quantities.items()}
        over = {name: (name, values, unit_of(self, name)) for name, values in self.over.items()}
        return xr.Dataset(data, over, attributes_of(self))

    @property
    def _columns(self) -> dict[str, Array]:
        mesh = np.meshgrid(*self.over.values(), indexing="ij")
        return {name: values.ravel() for name, values in zip(self.over, mesh, strict=True)}

    @property
    def _labels(self) -> tuple[str, ...]:
        """Labels of the axes, with units."""
        return tuple(label(name, self.system.unit_of(name)) for name in self.over)

    @property
    def _headline(self) -> str:
        """The first line of the repr."""
        axes = " x ".join(
            f"{name} ({v[0]:g} to {v[-1]:g}, {v.size})" for name, v in self.over.items()
        )
        return f"<{type(self).__name__} of {self.system.name} over {axes}"

    @property
    def _failed(self) -> str:
        """How many cells have no answer, and why; empty if all have."""
        failed = Counter(str(Status(s)) for s in self.statuses[~self.ok].tolist())
        return "".join(f"; {count} {why}" for why, count in failed.most_common())


def _words(statuses: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return statuses as words."""
    return np.array([str(Status(int(status))) for status in statuses], dtype=np.str_)
