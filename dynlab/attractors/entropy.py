"""basin_entropy: how uncertain the outcome is, from an image of basins.

The image is cut into boxes.  In each box the labels occur with shares p, and its entropy is
``-sum p log p``.  The mean over all boxes is the basin entropy, that over boxes with more than one label
the boundary basin entropy.  A smooth boundary between two basins cannot have more than ``log 2``; a boundary
entropy above it tells that the boundary is fractal (or that three basins meet nearly everywhere on it).
The converse does not hold.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.attractors.basins import Basins
from dynlab.attractors.find import whole
from dynlab.attractors.search import NOT_DONE
from dynlab.errors import SettingError
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["BasinEntropy", "basin_entropy", "finished"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BasinEntropy(Result):
    """How uncertain the outcome is in the boxes of an image of basins.

    Attributes
    ----------
    system
        The system.
    entropies
        The entropy of each box (natural logarithms), one axis for each state.
    box
        Cells along the side of a box.
    over
        The ranges that the boxes cover, by state.
    status
        How it ended.
    provenance
        Where it came from.
    """

    system: System
    entropies: Array
    box: int
    over: dict[str, tuple[float, float]]
    status: Status
    provenance: Provenance

    @property
    def entropy(self) -> float:
        """The basin entropy: the mean over all boxes."""
        return float(np.mean(self.entropies))

    @property
    def boundary_boxes(self) -> int:
        """How many boxes hold more than one label."""
        return int(np.count_nonzero(self.entropies))

    @property
    def boundary_entropy(self) -> float:
        """The boundary basin entropy: the mean over boxes with more than one label; 0 if there are none."""
        mixed = self.entropies[self.entropies > 0]
        return float(np.mean(mixed)) if mixed.size else 0.0

    @property
    def standard_error(self) -> float:
        """That of the boundary entropy, from the scatter over its boxes."""
        mixed = self.entropies[self.entropies > 0]
        return float(np.std(mixed, ddof=1) / math.sqrt(mixed.size)) if mixed.size > 1 else math.nan

    @property
    def exceeds_log_two(self) -> bool:
        """Whether the boundary entropy is above log 2 by 2 standard errors: the boundary is fractal."""
        return self.boundary_entropy - 2 * self.standard_error > math.log(2)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the middle of each box and its entropy."""
        axes = [
            low + (high - low) * (np.arange(count) + 0.5) / count
            for (low, high), count in zip(self.over.values(), self.entropies.shape, strict=True)
        ]
        grid = np.meshgrid(*axes, indexing="ij")
        columns = {name: axis.ravel() for name, axis in zip(self.over, grid, strict=True)}
        return columns | {"entropy": self.entropies.ravel()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the entropies, dark where the outcome is uncertain."""
        from dynlab import plotting

        if self.entropies.ndim > 2:
            raise SettingError(
                "a picture has two states; take the entropy of a slice of the basins."
            )
        texts = [plotting.label(n, self.system.unit_of(n)) for n in self.over]
        image = self.entropies if self.entropies.ndim == 2 else self.entropies[:, None]
        ends = [*self.over.values(), (0.0, 1.0)]
        return plotting.draw_heat(
            ax, ends[0], ends[1], image.T, labels=(texts[0], texts[1] if len(texts) > 1 else ""),
            scale="entropy of a box",
        )  # fmt: skip

    def __repr__(self) -> str:
        verdict = "above" if self.exceeds_log_two else "not above"
        return (
            f"<basin entropy of {self.system.name}: {self.entropy:.4g}, on the boundary "
            f"{self.boundary_entropy:.4g} +- {self.standard_error:.1g} ({verdict} log 2);\n "
            f"{self.boundary_boxes} of {self.entropies.size} boxes of side {self.box} on the boundary>"
        )


def basin_entropy(basins: Basins, *, box: int = 5) -> BasinEntropy:
    """Return the basin entropy of an image of basins, and that of its boundary.

    What escaped, and what was not decided, count as outcomes of their own.  Cells that fill no whole box
    at the upper ends are left out.

    Parameters
    ----------
    basins
        The basins.
    box
        Cells along the side of a box.

    Returns
    -------
    BasinEntropy
        The entropy of each box and the means.

    Raises
    ------
    SettingError
        If the box does not fit, or cells are not done.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def double_well(x=0.5):
    ...     return {x: x - x**3}
    >>> image = dl.basins(double_well, over={"x": (-2, 2.2)}, cells=105, seed=1)
    >>> found = dl.basin_entropy(image)
    >>> found.boundary_boxes, found.exceeds_log_two
    (0, False)

    References
    ----------
    Daza, Wagemakers, Georgeot, Guery-Odelin and Sanjuan 2016, Sci. Rep. 6, 31416.
    """
    began = time.perf_counter()
    labels = finished(basins, "basin_entropy")
    side = whole(box, "box")
    if side > min(labels.shape):
        raise SettingError(
            f"a box of {side} cells does not fit into basins of {' x '.join(map(str, labels.shape))}. "
            "Give a smaller box, or more cells."
        )
    boxes = tuple(size // side for size in labels.shape)
    cut = labels[tuple(slice(0, side * count) for count in boxes)]
    inner = tuple(range(1, 2 * labels.ndim, 2))
    folded = cut.reshape([n for count in boxes for n in (count, side)])
    entropies = np.zeros(boxes)
    for label in np.unique(cut):
        share = np.mean(folded == label, axis=inner)
        entropies -= share * np.log(np.where(share > 0, share, 1.0))
    over = {
        name: (low, low + (high - low) * side * count / size)
        for (name, (low, high)), count, size in zip(
            basins.over.items(), boxes, labels.shape, strict=True
        )
    }
    return BasinEntropy(
        basins.system, np.maximum(entropies, 0.0), side, over, basins.status,
        Provenance(
            "basin_entropy", basins.system, {"box": side}, seed=basins.provenance.seed,
            seconds=time.perf_counter() - began,
        ),
    )  # fmt: skip


def finished(basins: Any, what: str) -> NDArray[np.int16]:
    """Return the labels of basins that are all done."""
    if not isinstance(basins, Basins):
        raise SettingError(f"{what} takes what dl.basins returned, not {type(basins).__name__}.")
    left = int(np.sum(basins.labels == NOT_DONE))
    if left:
        raise SettingError(
            f"{left} of {basins.labels.size} cells of the basins of {basins.system.name!r} are not done. "
            "Do the rest with basins.resume()."
        )
    return basins.labels
