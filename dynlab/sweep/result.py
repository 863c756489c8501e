"""SweepResult: what came of a study, point by point; Failure: why a point has no answer."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import MissingExtraError, SettingError, UnknownNameError
from dynlab.result import Provenance, Result, attributes_of, unit_of
from dynlab.status import Status
from dynlab.sweep.gather import DONE, FAILED, INFERRED, MISSING
from dynlab.sweep.picture import draw

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from dynlab.sweep.study import Sweep

__all__ = ["Failure", "SweepResult"]

Mask = NDArray[np.bool_]

_WORDS = {MISSING: "missing", DONE: "ok", FAILED: "failed", INFERRED: "inferred"}
#: Arrays of at most so many numbers become columns of a table.
_MOST_COLUMNS = 64


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a point of a study has no answer.

    Attributes
    ----------
    exception
        Name of the class of what was raised; ``NotANumber`` if the answer was nan.
    message
        What it said.
    where
        File, line and function where it was raised.
    point
        The parameters, by name.
    seed
        The seed that the function received, if it asked for one.
    """

    exception: str
    message: str
    where: str
    point: Mapping[str, Any]
    seed: int | None = None

    def __str__(self) -> str:
        at = ", ".join(f"{name}={_short(value)}" for name, value in self.point.items())
        return f"{self.exception} at {at}: {self.message}"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SweepResult(Result):
    """What a function gave at every point of a study; made by `Sweep.run`.

    ``chart["rho"]`` are the values of a parameter along its axis, ``chart["chaos_strength"]``, under the name of the function
    or under the keys of the dicts that it returned, the answers over the axes.  Points without an answer are masked.

    Attributes
    ----------
    study
        The points.
    columns
        The answers by name, one after the other: an array whose first axis counts the points, or a tuple of objects.
    masks
        Where the answers are none, by name.
    states
        What became of each point: 0 missing, 1 done, 2 failed, 3 inferred (see `dynlab.AtBoundaries`).
    failures
        Why points failed.
    status
        How it ended.
    provenance
        Where it came from.
    """

    study: Sweep
    columns: Mapping[str, Any]
    masks: Mapping[str, Mask]
    states: NDArray[np.int8]
    failures: tuple[Failure, ...]
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Any:
        """Return the values of a parameter along its axis, or answers over the axes, masked where there are none."""
        for axis in self.study.axes:
            if name in axis.columns:
                return axis.columns[name]
        if name not in self.columns:
            if not self.columns and self.failures:
                raise SettingError(
                    f"{name!r} has no values: no point has an answer, {len(self.failures)} failed. The first: "
                    f"{self.failures[0]}"
                )
            known = self.study.names + tuple(self.columns)
            raise UnknownNameError("quantity of this study", name, known)
        values, mask = self.columns[name], self.masks[name]
        if isinstance(values, tuple):
            objects = np.empty(len(values), dtype=object)
            objects[:] = values
            values = objects
        shape = self.study.shape + values.shape[1:]
        return np.ma.array(values.reshape(shape), mask=mask.reshape(shape))

    def at(self, **point: Any) -> Any:
        """Return the answer at one point: a number, array or object, or a dict of several by name.

        Raises
        ------
        UnknownNameError
            If a name is no parameter of the study.
        SettingError
            If no point, or more than one, has these values, or that point has no answer.
        """
        for name in point:
            if name not in self.study.names:
                raise UnknownNameError("parameter of this study", name, self.study.names)
        fits = self._fitting(point)
        if fits.size != 1:
            raise SettingError(
                f"{fits.size} points of the study have {_written(point)}. Give the values of one: {self._choice(point)}."
            )
        place = int(fits[0])
        if self.states[place] not in (DONE, INFERRED):
            reason = next((str(f) for f in self.failures if f.point == self.study[place]), "")
            raise SettingError(
                f"the point {_written(self.study[place])} {_WORDS[int(self.states[place])]}. {reason}"
            )
        answers = {name: column[place] for name, column in self.columns.items()}
        named = {n: a.item() if isinstance(a, np.generic) else a for n, a in answers.items()}
        return next(iter(named.values())) if len(named) == 1 else named

    def _fitting(self, point: Mapping[str, Any]) -> NDArray[np.int64]:
        """Return the numbers of the points that have these values."""
        open_axes = []
        for axis in self.study.axes:
            fits = np.ones(len(axis), np.bool_)
            for name in axis.columns:
                if name in point:
                    fits &= np.array([axis.value(name, k) == point[name] for k in range(len(axis))])
            open_axes.append(np.flatnonzero(fits))
        mesh = np.meshgrid(*open_axes, indexing="ij")
        return np.ravel_multi_index(tuple(m.ravel() for m in mesh), self.study.shape)

    def _choice(self, point: Mapping[str, Any]) -> str:
        """Say what values there are: near the one given, and of what was not given."""
        words = []
        for axis in self.study.axes:
            for name, column in axis.columns.items():
                values = [axis.value(name, k) for k in range(len(axis))]
                if name in point and point[name] in values:
                    continue
                given = point.get(name)
                if (
                    isinstance(column, np.ndarray)
                    and column.dtype.kind in "if"
                    and isinstance(given, int | float)
                ):
                    values.sort(key=lambda value: abs(value - given))
                words.append(
                    f"{name} in {', '.join(_short(v) for v in values[:4])}{', ...' * (len(values) > 4)}"
                )
        return "; ".join(words)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return a row for each point: parameters, answers, and how it ended.

        Arrays become a column for each of their numbers.  Where there is no answer stands nan, or an empty text; of
        objects stands what they are.
        """
        table: dict[str, NDArray[Any]] = {}
        shape = self.study.shape
        for k, axis in enumerate(self.study.axes):
            for name, column in axis.columns.items():
                values = column if isinstance(column, np.ndarray) else _as_text(column)
                wide = values.reshape([-1 if i == k else 1 for i in range(len(shape))])
                table[name] = np.broadcast_to(wide, shape).ravel()
        for name in self.columns:
            table |= self._table_columns(name)
        table["status"] = np.array([_WORDS[state] for state in (MISSING, DONE, FAILED)])[
            self.states
        ]
        return table

    def _table_columns(self, name: str) -> dict[str, NDArray[Any]]:
        values, mask = self.columns[name], self.masks[name]
        if isinstance(values, tuple):
            return {name: np.where(mask, "", _as_text(values))}
        if values.ndim == 1:
            return {name: _blank(values, mask)}
        flat, hidden = values.reshape(len(values), -1), mask.reshape(len(values), -1)
        if flat.shape[1] > _MOST_COLUMNS:
            return {}
        places = list(np.ndindex(values.shape[1:]))
        return {
            f"{name}[{','.join(map(str, place))}]": _blank(flat[:, k], hidden[:, k])
            for k, place in enumerate(places)
        }

    def to_xarray(self) -> xr.Dataset:
        """Return an xarray Dataset over the axes, with where it came from in its attributes (extra ``tables``)."""
        try:
            import xarray as xr
        except ImportError:
            raise MissingExtraError("xarray", "tables", "to_xarray()") from None
        directions = tuple(axis.name for axis in self.study.axes)
        coordinates: dict[str, Any] = {}
        for axis in self.study.axes:
            for name, column in axis.columns.items():
                values = column if isinstance(column, np.ndarray) else _as_text(column)
                coordinates[name] = (axis.name, values, unit_of(self, name))
        data: dict[str, Any] = {}
        for name, values in self.columns.items():
            if isinstance(values, tuple):
                filled = np.where(self.masks[name], "", _as_text(values))
            else:
                filled = _blank(values, self.masks[name])
            inner = tuple(f"{name}_{k}" for k in range(filled.ndim - 1))
            data[name] = (directions + inner, filled.reshape(self.study.shape + filled.shape[1:]))
        data["status"] = (directions, self.to_table()["status"].reshape(self.study.shape))
        varied = {f"parameter_{name}" for name in self.study.names}
        origin = {k: v for k, v in attributes_of(self).items() if k not in varied}
        return xr.Dataset(data, coordinates, origin)

    def to_netcdf(self, path: str | os.PathLike[str]) -> Path:
        """Write the xarray Dataset to a netCDF file, which is HDF5 inside (extra ``netcdf``).

        Raises
        ------
        MissingExtraError
            If xarray, h5netcdf or h5py is not installed.
        """
        data = self.to_xarray()
        try:
            import h5netcdf  # noqa: F401
            import h5py  # noqa: F401
        except ImportError:
            raise MissingExtraError("h5netcdf with h5py", "netcdf", "to_netcdf()") from None
        flags = {name: {"dtype": "int8"} for name in data.data_vars if data[name].dtype == bool}
        data.to_netcdf(path, engine="h5netcdf", encoding=flags)
        return Path(path)

    def plot(
        self,
        ax: Axes | None = None,
        *,
        show: str | None = None,
        x: str | None = None,
        y: str | None = None,
    ) -> Axes:
        """Draw one quantity over one or two parameters.

        Over two parameters a map: in shades for numbers, in colours for classes (texts, truth values).  Over one a line, and
        a line for each value of another.  Replicates are averaged, with a band of two standard errors.

        Parameters
        ----------
        ax
            Where to draw; a new figure if None.
        show
            Which quantity; the first if None.
        x
            The parameter across; that of the first axis if None.
        y
            The parameter up, for a map.  If only `x` is given, the other axis gives a line for each of its values.

        Raises
        ------
        SettingError
            If the quantity or the study cannot be drawn so.
        UnknownNameError
            If there is no such quantity or parameter.
        """
        return draw(self, ax, show, x, y)

    def __repr__(self) -> str:
        axes = " x ".join(f"{axis.name} ({len(axis)})" for axis in self.study.axes)
        done = int(np.count_nonzero(self.states == DONE))
        parts = [f"{done} of {len(self.study)} points done"]
        inferred = int(np.count_nonzero(self.states == INFERRED))
        parts += [f"{inferred} inferred"] * bool(inferred)
        kinds = Counter(failure.exception for failure in self.failures).most_common(3)
        parts += [f"{count} failed with {kind}" for kind, count in kinds]
        names = ", ".join(self.columns) or "nothing"
        return f"<SweepResult: {names} over {axes}:\n {'; '.join(parts)}; {self.status}>"


def _blank(values: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[Any]:
    """Return values with nan, or an empty text, where there is no answer."""
    if not mask.any():
        return values
    if values.dtype.kind == "U":
        return np.where(mask, "", values)
    wide = np.result_type(values.dtype, np.float64)
    return np.where(mask, np.nan, values.astype(wide))


def _as_text(values: tuple[Any, ...]) -> NDArray[np.str_]:
    return np.array([_short(value) for value in values])


def _short(value: Any) -> str:
    """Return a value in few characters."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool | int | str) or value is None:
        return str(value)
    name = getattr(value, "name", None)
    return name if isinstance(name, str) else type(value).__name__


def _written(point: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={_short(value)}" for name, value in point.items())
