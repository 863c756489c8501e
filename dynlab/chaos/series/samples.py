"""Samples: equally spaced values from a run or an array, converted at this one place.

Every analysis of data in this package begins here.  A column is a coordinate of a point; nothing is
embedded in delays unless `dynlab.delay_embedding` did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import SettingError
from dynlab.names import finite
from dynlab.solve.trajectory import Trajectory
from dynlab.symbolic.quantities import Domain

__all__ = ["Data", "HasSamples", "Samples", "samples_of", "series_of", "whole"]

Array = NDArray[np.float64]

#: Times of a run may differ by this part of their spacing and still count as equally spaced.
_UNEVEN = 1e-6
#: More coordinates than this are taken for a table lying on its side.
_MOST_COORDINATES = 64
#: The fewest samples from which any of these quantities can be estimated with an error.
FEWEST = 100
#: Squares of larger values overflow, those of ranges below its inverse vanish.
LARGEST = 1e150


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Points at equal intervals.

    Parameters
    ----------
    values
        One row per time, one column per coordinate.
    every
        The time between two rows.
    names
        What the columns are.
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

    def __len__(self) -> int:
        return len(self.values)

    @property
    def label(self) -> str:
        """The columns in a few words."""
        return ", ".join(self.names[:4]) + (", ..." if len(self.names) > 4 else "")

    @property
    def standardised(self) -> Array:
        """Each column in units of its standard deviation, so that coordinates of any unit compare."""
        return np.ascontiguousarray(self.values / self.values.std(axis=0))

    @property
    def correlation_time(self) -> int:
        """Samples until the autocorrelation of every column has fallen below 1/e for the first time."""
        length = len(self)
        centred = self.values - self.values.mean(axis=0)
        spectrum = np.abs(np.fft.rfft(centred, 2 * length, axis=0)) ** 2
        correlation = np.fft.irfft(spectrum, axis=0)[:length]
        fallen = correlation < correlation[0] / np.e
        return int(max(np.argmax(column) or length for column in fallen.T))

    def window(self, given: float | None) -> int:
        """Return a Theiler window in samples: that many neighbours in time do not count as neighbours.

        Four correlation times if none is given (Theiler 1986, Phys. Rev. A 34, 2427, asks for more
        than one).
        """
        if given is None:
            return min(4 * self.correlation_time, len(self) // 10)
        length = finite(given, "window") / self.every
        if not 0 <= length <= len(self) / 4:
            raise SettingError(
                f"window is {given!r}; give a time from 0 to a quarter of the series, which is "
                f"{len(self) * self.every / 4:g}."
            )
        return round(length)


@runtime_checkable
class HasSamples(Protocol):
    """A result that is itself data, such as an embedding."""

    def as_samples(self) -> Samples:
        """Return the points."""
        ...


Data = Trajectory | HasSamples | ArrayLike


def samples_of(
    data: Data, *, of: str | Sequence[str] | None = None, every: float | None = None
) -> Samples:
    """Return equally spaced points from a run (all its states, or those named) or from an array.

    Raises
    ------
    SettingError
        If there are too few, one is not finite, a column is constant, or the times are not equally
        spaced and `every` is left out.
    UnknownNameError
        If a name is not in the run.
    """
    if isinstance(data, Trajectory):
        return _checked(_of_run(data, of, every))
    if of is not None:
        raise SettingError(
            f"of={of!r} names a state of a run, but the data is a {type(data).__name__}. Leave it out, "
            "or give the run."
        )
    if isinstance(data, HasSamples):
        if every is not None:
            raise SettingError(
                f"every={every!r}, but this {type(data).__name__} knows its own. Leave it out."
            )
        return data.as_samples()
    return _checked(_of_array(data, every))


def series_of(
    data: Data, *, of: str | None = None, every: float | None = None
) -> tuple[Samples, Array]:
    """Return samples of one quantity, and it as a vector.

    Raises
    ------
    SettingError
        If there are several.
    """
    found = samples_of(data, of=of, every=every)
    if found.values.shape[1] != 1:
        raise SettingError(
            f"this needs one quantity, and the data has {found.values.shape[1]} ({found.label}). Name one "
            "with of=..., of an angle give np.sin(run[...]), and of an array one column."
        )
    return found, np.ascontiguousarray(found.values[:, 0])


def whole(value: Any, what: str, *, least: int, most: float = np.inf) -> int:
    """Return a whole number within bounds, or say what it must be."""
    number = finite(value, what)
    if number != int(number) or not least <= number <= most:
        upper = f" to {most:g}" if np.isfinite(most) else " on"
        raise SettingError(f"{what} is {value!r}; give a whole number from {least}{upper}.")
    return int(number)


def _of_run(run: Trajectory, of: str | Sequence[str] | None, every: float | None) -> Samples:
    system = run.system
    names = system.declared if of is None else (of,) if isinstance(of, str) else tuple(of)
    for name in names:
        run[name]  # a wrong name is answered before anything is computed
    spaced, step = _equally_spaced(run, every)
    columns = [_columns(spaced, name) for name in names]
    labels = [label for _, found in columns for label in found]
    values = np.column_stack([values for values, _ in columns])
    return Samples(values, step, tuple(labels), system.time.unit or "", system)


def _columns(run: Trajectory, name: str) -> tuple[Array, list[str]]:
    """Return a quantity as columns; an angle as its cosine and sine, which know no edge."""
    values = np.asarray(run[name], float)
    values = values[:, None] if values.ndim == 1 else values
    labels = [name] if values.shape[1] == 1 else [f"{name}[{k}]" for k in range(values.shape[1])]
    circle = any(
        s.domain is Domain.CIRCLE and s.name == name.partition("[")[0] for s in run.system.states
    )
    if not circle:
        return values, labels
    return np.hstack([np.cos(values), np.sin(values)]), [
        f"{f} {label}" for f in ("cos", "sin") for label in labels
    ]


def _equally_spaced(run: Trajectory, every: float | None) -> tuple[Trajectory, float]:
    steps = np.diff(run.t)
    step = None if every is None else finite(every, "every")
    if step is not None and step <= 0:
        raise SettingError(f"every is {every!r}; give the time between two samples, above 0.")
    even = bool(len(steps)) and float(np.ptp(steps)) <= _UNEVEN * abs(float(steps[0]))
    if run.system.is_discrete or (even and run.steps is None):
        spacing = abs(float(steps[0])) if even else 1.0
        stride = 1.0 if step is None else step / spacing
        if even and stride >= 1 and abs(stride - round(stride)) < _UNEVEN:
            kept = slice(None, None, round(stride))
            return run.at(run.t[kept]), spacing * round(stride)
    elif step is not None and run.steps is not None and len(run.t):
        begin, end = float(run.t[0]), float(run.end[0])
        count = int(abs(end - begin) / step * (1 + 1e-12)) + 1
        times = begin + np.copysign(step, end - begin) * np.arange(count)
        return run.at(np.clip(times, min(begin, end), max(begin, end))), step
    kept_text = f"has its {len(run.t)} times at unequal intervals" if not even else (
        f"has a time every {abs(float(steps[0])):g}"
    )  # fmt: skip
    raise SettingError(
        f"the run of {run.system.name!r} {kept_text}, and every is {every!r}. Give every=..., the time "
        "between two samples (for a map, or a run with at=, a whole multiple of its own)."
    )


def _of_array(data: ArrayLike, every: float | None) -> Samples:
    step = 1.0 if every is None else finite(every, "every")
    if step <= 0:
        raise SettingError(f"every is {every!r}; give the time between two samples, above 0.")
    try:
        raw = np.asarray(data)
    except ValueError:  # rows of unequal length
        raw = np.array(None)
    if raw.dtype.kind not in "biuf":
        raise SettingError(
            f"the data is no series of real numbers (numpy reads {raw.dtype}). Give a run, or an array "
            "with one row per time."
        )
    values = raw.astype(float)
    values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not 1 <= values.shape[1] <= _MOST_COORDINATES:
        raise SettingError(
            f"the data has the shape {np.shape(data)}; give one row per time and at most "
            f"{_MOST_COORDINATES} columns."
        )
    count = values.shape[1]
    names = ("x",) if count == 1 else tuple(f"x{k + 1}" for k in range(count))
    return Samples(np.ascontiguousarray(values), step, names, "", None)


def _checked(samples: Samples) -> Samples:
    values = samples.values
    if len(values) < FEWEST:
        raise SettingError(
            f"there are {len(values)} samples of {samples.label}; at least {FEWEST} are needed for an "
            "estimate with an error. Take a longer run, or a smaller every=."
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise SettingError(
            f"{samples.names[column]} is {values[row, column]} at sample {row} ({len(bad)} are not "
            "finite). Cut the series before it, or fill the gap."
        )
    still = np.flatnonzero(np.ptp(values, axis=0) == 0)
    if still.size:
        raise SettingError(
            f"{samples.names[still[0]]} is constant ({values[0, still[0]]:g}) in all {len(values)} "
            "samples, so there is nothing to measure. Leave it out with of=..., or take another part."
        )
    far = np.flatnonzero(
        (np.abs(values).max(axis=0) > LARGEST) | (np.ptp(values, axis=0) < 1 / LARGEST)
    )
    if far.size:
        raise SettingError(
            f"{samples.names[far[0]]} goes from {values[:, far[0]].min():g} to {values[:, far[0]].max():g}, whose "
            "squares cannot be represented. Measure it in another unit."
        )
    return samples
