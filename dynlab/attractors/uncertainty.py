"""uncertainty_exponent: how fast the outcome becomes certain as the start is known better.

A start is uncertain to a distance e if another one, e away along a state, leads elsewhere.  The share of
uncertain starts falls as ``e^a``; the boundary of the basins has the dimension ``D - a`` in D states.  A smooth
boundary has a = 1; for a near 0 better knowledge hardly helps.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.basins import Basins
from dynlab.attractors.entropy import finished
from dynlab.attractors.find import whole
from dynlab.errors import NotConverged, SettingError
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["UncertaintyExponent", "uncertainty_exponent"]

Array = NDArray[np.float64]

#: The largest distance is this part of the shortest side of the image.
REACH = 16


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UncertaintyExponent(Result):
    """How the share of uncertain starts falls with the distance.

    Attributes
    ----------
    system
        The system.
    distances
        In cells of the image.
    fractions
        The share of starts that are uncertain to each distance.
    value
        The exponent: the slope of their logarithms.
    standard_error
        Its error, from the scatter about the line.
    states
        Over how many states the basins are.
    status
        How it ended.
    provenance
        Where it came from.
    """

    system: System
    distances: NDArray[np.int64]
    fractions: Array
    value: float
    standard_error: float
    states: int
    status: Status
    provenance: Provenance

    @property
    def boundary_dimension(self) -> float:
        """The dimension of the boundary between the basins."""
        return self.states - self.value

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return distances and shares as columns."""
        return {"distance": self.distances, "fraction": self.fractions}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shares against the distance, and the line through them."""
        from dynlab import plotting

        e = self.distances.astype(float)
        middle = np.exp(np.mean(np.log(self.fractions)) - self.value * np.mean(np.log(e)))
        return plotting.draw_power_law(
            ax, e, self.fractions, middle * e**self.value,
            labels=("distance (cells)", "fraction of uncertain starts"),
            name=f"exponent {self.value:.3f} $\\pm$ {self.standard_error:.3f}",
        )  # fmt: skip

    def __repr__(self) -> str:
        return (
            f"<uncertainty exponent of {self.system.name}: {self.value:.4g} +- {self.standard_error:.2g};\n "
            f"boundary of dimension {self.boundary_dimension:.4g} in {self.states} states>"
        )


def uncertainty_exponent(
    basins: Basins, *, distances: Sequence[int] | None = None
) -> UncertaintyExponent:
    """Return the uncertainty exponent of the outcome, and the dimension of the basin boundary.

    Parameters
    ----------
    basins
        The basins, on a grid fine enough for several distances.
    distances
        In cells; 1, 2, 4, ... up to a sixteenth of the shortest side if left out.

    Returns
    -------
    UncertaintyExponent
        The exponent with its error, and the shares it comes from.

    Raises
    ------
    SettingError
        If there are fewer than two distances, or one does not fit, or cells are not done.
    NotConverged
        If no start is uncertain: there is only one outcome.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5):
    ...     return {x: x - x**3}
    >>> image = dl.basins(double_well, over={"x": (-2, 2)}, cells=512, seed=1)
    >>> round(dl.uncertainty_exponent(image).value, 6)  # the boundary is a point
    1.0

    References
    ----------
    1. Grebogi, McDonald, Ott and Yorke 1983, Phys. Lett. A 99, 415.
    2. McDonald, Grebogi, Ott and Yorke 1985, Physica D 17, 125.
    """
    began = time.perf_counter()
    labels = finished(basins, "uncertainty_exponent")
    steps = _checked(distances, min(labels.shape))
    fractions = np.array([_share(labels, step, int(steps[-1])) for step in steps])
    if not np.all(fractions > 0):
        raise NotConverged(
            f"no start of {basins.system.name!r} is uncertain to {int(steps[np.argmin(fractions)])} cells: all of "
            f"these {labels.size} lead to the same. Take basins over a wider range.",
            status=Status.NOT_CONVERGED,
        )
    x, y = np.log(steps), np.log(fractions)
    slope, level = np.polyfit(x, y, 1)
    scatter = np.sum((y - level - slope * x) ** 2) / max(len(x) - 2, 1)
    error = float(np.sqrt(scatter / np.sum((x - x.mean()) ** 2))) if len(x) > 2 else np.nan
    return UncertaintyExponent(
        basins.system, steps, fractions, float(slope), error, labels.ndim, basins.status,
        Provenance(
            "uncertainty_exponent", basins.system, {"distances": tuple(steps.tolist())},
            seed=basins.provenance.seed, seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def _checked(distances: Sequence[int] | None, side: int) -> NDArray[np.int64]:
    if distances is None:
        powers = 2 ** np.arange(32)
        found = powers[powers <= side // REACH]
        if len(found) < 3:
            raise SettingError(
                f"the basins have {side} cells along their shortest side; an exponent needs at least "
                f"{4 * REACH}. Give more cells."
            )
        return np.asarray(found, np.int64)
    steps = np.array(sorted({whole(d, "a distance") for d in distances}), np.int64)
    if len(steps) < 2 or 2 * steps[-1] >= side:
        raise SettingError(
            f"distances is {distances!r}; give at least two different numbers of cells, below half of the "
            f"shortest side ({side})."
        )
    return steps


def _share(labels: NDArray[np.int16], step: int, most: int) -> float:
    """Return the share of cells with another label so many cells away, before or after, along a state.

    Counted are the cells at least `most` away from the ends, the same ones for every distance.
    """
    uncertain = total = 0
    for axis in range(labels.ndim):
        rows = np.moveaxis(labels, axis, 0)
        here, last = rows[most:-most], len(rows) - most
        differs = (here != rows[most - step : last - step]) | (
            here != rows[most + step : last + step]
        )
        uncertain, total = uncertain + int(differs.sum()), total + differs.size
    return uncertain / total
