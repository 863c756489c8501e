"""Sweep: a study of any function over a product of axes."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dynlab.errors import DuplicateNameError, SettingError
from dynlab.sweep.axis import Axis, Design, grid_axis
from dynlab.sweep.refine import AtBoundaries
from dynlab.sweep.run import run

if TYPE_CHECKING:
    from dynlab.sweep.result import SweepResult

__all__ = ["Sweep"]


class Sweep:
    """Points at which a function is to be computed: all combinations of its axes.

    A keyword gives one parameter of a grid.  Before the keywords may stand axes of other kinds: `dynlab.Zipped` for
    parameters that vary together, `dynlab.Sobol`, `dynlab.Halton`, `dynlab.LatinHypercube` and
    `dynlab.RandomPoints` for points in a box, `dynlab.Replicates` for repetitions.  The last axis varies fastest.

    Parameters
    ----------
    *designs
        Axes of other kinds.
    **grid
        Values of one parameter each: numbers, texts, or objects such as systems and methods.

    Raises
    ------
    SettingError
        If there is no axis, or a list is empty, holds what is not finite, or holds a value twice.
    DuplicateNameError
        If two axes have a parameter in common.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> def chaos_strength(rho, sigma):
    ...     return dl.lyapunov_exponent(dl.zoo.lorenz(rho=rho, sigma=sigma), duration=20, seed=1).value
    >>> study = dl.Sweep(rho=np.linspace(20, 30, 3), sigma=[8, 10])
    >>> study.shape, study[5]
    ((3, 2), {'rho': 30.0, 'sigma': 10})
    >>> chart = study.run(chaos_strength)
    >>> chart["chaos_strength"].shape, len(chart.failures)
    ((3, 2), 0)
    """

    __slots__ = ("_axes", "_count", "_shape")

    def __init__(self, *designs: Design, **grid: Any) -> None:
        for design in designs:
            if not isinstance(design, Design):
                raise SettingError(
                    f"{design!r} is no axis of a study. Give parameters by name, as in a=[1, 2], or designs such as "
                    "dl.Zipped(a=[1, 2], b=[3, 4])."
                )
        laid = [design.lay_out() for design in designs]
        self._hold((*laid, *(grid_axis(name, values) for name, values in grid.items())))
        if not self._axes:
            raise SettingError("a study needs an axis. Give values by name, as in a=[1, 2, 3].")
        names = [name for axis in self._axes for name in axis.columns]
        for name in names:
            if names.count(name) > 1:
                raise DuplicateNameError(f"two axes give {name!r}. Take it out of one of them.")

    def _hold(self, axes: tuple[Axis, ...]) -> None:
        self._axes = axes
        self._shape = tuple(len(axis) for axis in axes)
        self._count = math.prod(self._shape)

    @classmethod
    def of_axes(cls, axes: Iterable[Axis]) -> Sweep:
        """Return the study over axes that were laid out before."""
        study = cls.__new__(cls)
        study._hold(tuple(axes))
        return study

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The axes, in order."""
        return self._axes

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all parameters, in the order of the axes."""
        return tuple(name for axis in self._axes for name in axis.columns)

    @property
    def shape(self) -> tuple[int, ...]:
        """How many points there are along each axis."""
        return self._shape

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> dict[str, Any]:
        """Return a point by its number, the last axis varying fastest."""
        if not -self._count <= number < self._count:
            raise IndexError(f"point {number} of {self._count}")
        number %= self._count
        places = []
        for size in reversed(self._shape):
            number, place = divmod(number, size)
            places.append(place)
        return {
            name: axis.value(name, place)
            for axis, place in zip(self._axes, reversed(places), strict=True)
            for name in axis.columns
        }

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[number] for number in range(len(self)))

    def run(
        self,
        function: Callable[..., Any],
        *,
        executor: Any = None,
        seed: Any = None,
        checkpoint: str | os.PathLike[str] | None = None,
        refine: AtBoundaries | None = None,
    ) -> SweepResult:
        """Compute the function at every point and return what came of it, point by point.

        What a point gives depends on the function, the point and the seed alone: not on the executor, on how many
        workers there are, on the order, or on which other points there are.  A function that raises fails at that
        point alone (see `SweepResult.failures`).

        Parameters
        ----------
        function
            Called with the parameters of a point by name.  It returns a number, text, array, result, or several of
            these in a dict by name.  If it has a parameter ``seed`` that no axis gives, it receives a whole number
            of its own at each point.
        executor
            Where: `dynlab.Serial`, `dynlab.Threads`, `dynlab.Processes`, or any executor with the ``submit`` of
            `concurrent.futures`, or a ``dask.distributed.Client``.  If None, one task after the other, and on processes
            as soon as what is left takes longer than starting them.
        seed
            Seed of the whole study: a whole number >= 0, a numpy generator, or None for a new one.
        checkpoint
            A ``.npz`` file for the result.  Finished tasks go to a journal beside it at once; running the same study
            with the same function again computes only what is missing.
        refine
            `dynlab.AtBoundaries` for a finer grid where the class of the answer changes.

        Returns
        -------
        SweepResult
            If stopped, by Ctrl-C or `dynlab.stop_after`, with what was done and `Status.STOPPED`.

        Raises
        ------
        SettingError
            If the function cannot be called with these names, or the executor is none.
        CheckpointError
            If the checkpoint cannot be written, or is of another study; ``error.partial`` holds what was computed.
        ComputationError
            If no worker can be started, or the executor given broke; ``error.partial`` holds what was computed.

        Examples
        --------
        >>> import dynlab as dl
        >>> def area(width, height):
        ...     return width * height
        >>> dl.Sweep(width=[1, 2, 3], height=[5.0, 7.0]).run(area)["area"].tolist()
        [[5.0, 7.0], [10.0, 14.0], [15.0, 21.0]]
        """
        return run(
            self, function, executor=executor, seed=seed, checkpoint=checkpoint, refine=refine
        )

    def __repr__(self) -> str:
        axes = " x ".join(f"{axis.name} ({len(axis)})" for axis in self._axes)
        return f"<Sweep over {axes}: {len(self)} points>"

    def __stored__(self) -> list[str]:
        return list(self.names)

    def __stored_arrays__(self) -> dict[str, Any]:
        return {str(k): dict(axis.columns) for k, axis in enumerate(self._axes)}

    @classmethod
    def __restored__(cls, _names: Any, columns: Any) -> Sweep:
        return cls.of_axes(Axis(columns[str(k)]) for k in range(len(columns)))
