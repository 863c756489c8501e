"""Records: equally spaced values of a stationary process, from a run, an ensemble or an array."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.chaos.series.samples import FEWEST, Data, samples_of
from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.solve.keep import States
from dynlab.solve.outcomes import Ensemble

__all__ = ["Records", "Source", "records_of"]

Array = NDArray[np.float64]
Source = Data | Ensemble

#: Times may differ by this part of their spacing and still count as equally spaced.
_UNEVEN = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Values of some quantities, quantities x records x times.

    Parameters
    ----------
    values
        The numbers.
    every
        The time between two values.
    names
        What the quantities are.
    unit
        Unit label of the time; empty if there is none.
    system
        The system that they come from, or None.
    """

    values: Array
    every: float
    names: tuple[str, ...]
    unit: str
    system: Any

    @property
    def duration(self) -> float:
        """The time that all records together span."""
        return float(self.values.shape[1] * self.values.shape[2] * self.every)


def records_of(data: Source, of: Any, after: float, count: int) -> Records:
    """Return records of so many quantities, without what happened before a time.

    Raises
    ------
    SettingError
        If there are not so many quantities, too few values, or they are not equally spaced.
    """
    names = (of,) if isinstance(of, str) else None if of is None else tuple(of)
    begin = finite(after, "after")
    found = (
        _of_members(data, names, begin)
        if isinstance(data, Ensemble)
        else _of_one(data, names, begin)
    )
    if len(found.names) != count:
        wanted = "one quantity, of='x'" if count == 1 else "two quantities, of=('x', 'y')"
        raise SettingError(
            f"this is about {wanted}, and of={of!r} gives {len(found.names)} ({', '.join(found.names[:4])})."
        )
    if found.values.shape[2] < FEWEST:
        raise SettingError(
            f"after t = {begin:g} there are {found.values.shape[2]} values; at least {FEWEST} are needed. Choose an "
            "earlier time, or a longer run."
        )
    return found


def _of_one(data: Data, names: tuple[str, ...] | None, begin: float) -> Records:
    samples = samples_of(data, of=names)
    first = int(np.ceil(max(begin, 0.0) / samples.every * (1 - 1e-12)))
    values = np.ascontiguousarray(samples.values[first:].T[:, None, :])
    return Records(values, samples.every, samples.names, samples.unit, samples.system)


def _of_members(run: Ensemble, names: tuple[str, ...] | None, begin: float) -> Records:
    t = np.atleast_1d(run.t)
    steps = np.diff(t)
    if not isinstance(run.keep, States) or t.size < 2 or np.ptp(steps) > _UNEVEN * steps[0]:
        raise SettingError(
            f"this ensemble of {run.system.name!r} kept {run.keep} at {t.size} times. Keep its states at equally "
            "spaced times, at=np.linspace(...)."
        )
    if not run.status.ok:
        raise SettingError(
            f"{int((~run.ok).sum())} members of this ensemble of {run.system.name!r} did not reach its end ({run.status}). "
            "Leave them out, or run it again."
        )
    chosen = run.system.state_names if names is None else names
    late = t >= begin
    values = np.stack([np.asarray(run[name]).reshape(len(run), t.size)[:, late] for name in chosen])
    return Records(values, float(steps[0]), tuple(chosen), run.system.time.unit or "", run.system)
