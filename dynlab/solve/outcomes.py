"""Ensemble: what many runs leave behind, by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import UnknownNameError
from dynlab.kernels import dense
from dynlab.result import Provenance, Result
from dynlab.solve.keep import Average, Counts, Keep, Range, States
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Ensemble", "observed"]

Array = NDArray[np.float64]

_GOOD = np.array([int(status) for status in Status if status.ok])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Ensemble(Result):
    """Many runs of one system, by name.

    ``run["x"]`` is what was kept of x: by default an array over members and times; see `States`,
    `Moments`, `Extremes` and `Histogram`; on a network ``theta`` has all its nodes along the last axis,
    ``theta[3]`` is one.  A parameter or start that was given is ``run.parameters["rho"]`` or
    ``run.starts["x"]``, an array over members.

    Attributes
    ----------
    system
        The system that ran.
    starts, parameters
        What was given or drawn, by name, an array over members each.
    t
        The times kept; a single number if only the end was.
    keep, kept
        What was kept, and the arrays.
    statuses
        How each member ended, as numbers of `Status`.
    ends
        When each member ended.
    provenance
        Where it came from; ``provenance.seed`` draws the same members again.
    """

    system: System
    starts: Mapping[str, Array]
    parameters: Mapping[str, Array]
    t: Array
    keep: Keep
    kept: dict[str, Array]
    statuses: NDArray[np.int64]
    ends: Array
    provenance: Provenance

    def __getitem__(self, name: str) -> Any:
        """Return what was kept of a state or an observable; ``"t"`` is the times."""
        if name == "t":
            return self.t
        names = self._names
        if name in names:
            column = names.index(name)
            return self.keep.view(self.kept, column, self.shape, self.t.shape)
        observables = self.system.observable_names
        place = self.system.place_of(name)
        if isinstance(self.keep, States) and isinstance(place, slice):
            values = self.kept["values"][:, :, place]
            return values.reshape(self.shape + self.t.shape + values.shape[2:])
        if isinstance(self.keep, States) and name in observables:
            found = observed(
                self.system, self._parameter_rows, np.atleast_1d(self.t), self.kept["values"]
            )
            return found[:, :, observables.index(name)].reshape(self.shape + self.t.shape)
        known = ("t", *names, *(observables if isinstance(self.keep, States) else ()))
        raise UnknownNameError(
            f"quantity kept of this ensemble of {self.system.name!r}", name, known
        )

    def __len__(self) -> int:
        return self.statuses.size

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the arrays over members."""
        return self.statuses.shape

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which members did all that was asked, an array over members."""
        return np.isin(self.statuses, _GOOD)

    @property
    def status(self) -> Status:
        """How it ended: OK if all members did, STOPPED if it was, else as most of those that failed."""
        failed = self.statuses[~self.ok]
        if not failed.size:
            return Status.OK
        if (failed == Status.STOPPED).any():
            return Status.STOPPED
        return Status(Counter(failed.tolist()).most_common(1)[0][0])

    @property
    def failures(self) -> dict[str, NDArray[Any]]:
        """The members that did not reach the end, as columns: which, when, why, and what was given."""
        failed = np.flatnonzero(~self.ok.ravel())
        table: dict[str, NDArray[Any]] = {
            "member": failed,
            "t": self.ends.ravel()[failed],
            "status": _words(self.statuses.ravel()[failed]),
        }
        return table | {name: values[failed] for name, values in self._given.items()}

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return columns: a row for each member and time of what was kept.

        Starts stand under the name of the state with ``start_`` before it.
        """
        times = np.atleast_1d(self.t)
        views = {name: self[name] for name in self._names}
        first = next(iter(views.values()))
        if isinstance(first, Average):
            return {"t": times} | {
                f"{name}_{part}": np.atleast_1d(getattr(view, part))
                for name, view in views.items()
                for part in ("mean", "standard_error", "variance", "variance_error", "count")
            }
        if isinstance(first, Counts):
            bins = first.edges.size - 1
            return {
                "t": np.repeat(times, bins),
                "low": np.tile(first.edges[:-1], times.size),
                "high": np.tile(first.edges[1:], times.size),
                "count": first.counts.ravel(),
            }
        table: dict[str, NDArray[Any]] = {"member": np.arange(len(self)), **self._given}
        table["status"] = _words(self.statuses.ravel())
        if isinstance(first, Range):
            return table | {
                f"{name}_{part}": getattr(view, part).ravel()
                for name, view in views.items()
                for part in ("low", "high")
            }
        table = {name: np.repeat(column, times.size) for name, column in table.items()}
        table["t"] = np.tile(times, len(self))
        return table | {name: view.ravel() for name, view in views.items()}

    def plot(self, ax: Axes | None = None, *, show: Sequence[str] | None = None) -> Axes:
        """Draw what was kept.

        States at several times become a fan of quantiles; at one time a cloud in the plane of two
        quantities, which may be parameters, or over the parameter that was varied.

        Parameters
        ----------
        ax
            Axes to draw into; None makes a figure, for a fan with a panel for each quantity.
        show
            Names of what to show; all that was kept if None, for a cloud two.
        """
        from dynlab.solve.outcome_picture import draw

        return draw(self, ax, show)

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        times = f"{self.t.size} times to" if self.t.ndim else "at"
        last = float(np.atleast_1d(self.t)[-1])
        failed = Counter(str(Status(s)) for s in self.statuses[~self.ok].tolist())
        how = ", ".join(f"{count} {why}" for why, count in failed.most_common()) or "all ok"
        method = self.provenance.settings.get("method", "iterated")
        return (
            f"<Ensemble of {self.system.name}: {shape} members, {self.keep} {times} t = {last:g}\n"
            f" {how}; {method}>"
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return self.keep.of or self.system.state_names

    @property
    def _given(self) -> dict[str, Array]:
        """What was given for each member as one number, as columns."""
        starts = {
            f"start_{name}": values.ravel()
            for name, values in self.starts.items()
            if values.shape == self.shape
        }
        return starts | {name: values.ravel() for name, values in self.parameters.items()}

    @property
    def _parameter_rows(self) -> Array:
        rows = np.tile(np.array(self.system.parameter_values or (0.0,)), (len(self), 1))
        for name, values in self.parameters.items():
            rows[:, self.system.parameter_names.index(name)] = values.ravel()
        return rows


def _words(statuses: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return statuses as words."""
    return np.array([str(Status(int(status))) for status in statuses], dtype=np.str_)


def observed(system: System, parameters: Array, times: Array, values: Array) -> Array:
    """Return the observables, members x times x observables, nan where there are no states."""
    kernel, inputs = kernels_of(system).observables, inputs_of(system)
    out = np.empty((*values.shape[:2], len(system.observable_names)))
    states = np.ascontiguousarray(values)
    for member in range(len(values)):
        own = inputs._replace(parameters=np.ascontiguousarray(parameters[member]))
        dense.call_each(kernel.address, times, states[member], *own, out[member])
    out[np.isnan(states).any(axis=2)] = np.nan
    return out
