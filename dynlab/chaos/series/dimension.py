"""Dimensions of a set of points: correlation, information and box dimension, each with its error.

    D_q = lim_{r -> 0}  1/(q - 1)  ln sum_i p_i(r)^q / ln r

q = 2 from the share of pairs nearer than r (Grassberger and Procaccia 1983, Physica D 9, 189), without
pairs near in time (Theiler 1986, Phys. Rev. A 34, 2427); q = 1 from the entropy of the boxes of side r;
q = 0 from their number.  Each is a slope over a range chosen by the rule of `dynlab.chaos.scaling`; a range
spans at least a factor of `SPAN` in size.

What each curve is trusted for:

* correlation sum: where at least `FEWEST_PAIRS` pairs were counted, of which at most one in `SAME` are in the very same
  place (as rounded data are), and C(r) is below `LARGEST_SUM`, above which the edge of the set is felt;
* boxes: where at most `MOST_UNSEEN` of them are estimated to hold no sample by chance (Chao 1984, Scand. J.
  Stat. 11, 265, from those with one and with two points); the estimate is added to the number.  Entropies
  are corrected for small counts (Grassberger 1988, Phys. Lett. A 128, 369).  Boxes that already tell all values apart
  are not made smaller.

Cost: M N distances for M reference points, at most `MOST_DISTANCES` by default; boxes N log N.  Memory: a few
arrays of length N.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from dynlab.chaos.scaling import Estimate, Scaling, jackknife_error, longest_scaling
from dynlab.chaos.series.samples import Data, Samples, samples_of, whole
from dynlab.errors import SettingError
from dynlab.kernels import boxes, correlation
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.solve.threads import on_threads
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Dimension", "box_dimension", "correlation_dimension", "information_dimension"]

Array = NDArray[np.float64]

SPAN = 4.0
FEWEST_PAIRS = 1000
LARGEST_SUM = 0.005
SAME = 4
BOX_SPAN = 16.0
MOST_UNSEEN = 0.1
MOST_DISTANCES = 2e8
#: Errors come from leaving out each of so many stretches of the series.
BLOCKS = 20
#: Reference points between two looks at the clock.
_AT_A_TIME = 16
#: Octaves of distance that are told apart, below the largest.
_OCTAVES = 48


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dimension(Result):
    """A dimension with its error and the curve whose slope it is.

    Attributes
    ----------
    order
        q: 2 for the correlation dimension, 1 for the information dimension, 0 for the box dimension.
    sizes
        r: distances, or sides of boxes.
    curve
        For q = 2 ln C(r); for q = 1 minus the entropy; for q = 0 minus the logarithm of the number of boxes.
    scaling
        The straight range of the curve against ln r; None if there is none.
    takens
        Takens' estimate from all distances below the upper end of the range, as a check; None for
        boxes.
    samples
        How many points there were.
    window
        Theiler window in time.
    status
        `Status.NO_SCALING_RANGE` if no range was found.
    provenance
        Where it came from.
    """

    order: int
    sizes: Array
    curve: Array
    scaling: Scaling | None
    takens: Estimate | None
    samples: int
    window: float
    status: Status
    provenance: Provenance

    @property
    def value(self) -> float:
        """The dimension; nan if there is no scaling range."""
        return self.scaling.slope if self.scaling else np.nan

    @property
    def standard_error(self) -> float:
        """Statistical and systematic error, added in squares; nan if there is no scaling range."""
        return self.scaling.standard_error if self.scaling else np.nan

    @property
    def scaling_range(self) -> tuple[float, float]:
        """Smallest and largest r of the range; nan if there is none."""
        if not self.scaling:
            return np.nan, np.nan
        return float(np.exp(self.scaling.low)), float(np.exp(self.scaling.high))

    @property
    def slopes(self) -> Array:
        """Local slopes of the curve at `sizes`."""
        return np.gradient(self.curve, np.log(self.sizes)) if len(self.sizes) > 1 else self.curve

    def to_table(self) -> dict[str, Array]:
        """Return sizes, curve and local slopes as columns."""
        return {"size": self.sizes, "curve": self.curve, "slope": self.slopes}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the local slopes against the size, with the scaling range and the dimension in it."""
        from dynlab import plotting

        name = _SYMBOLS[self.order]
        label = f"${name}$ = {self.value:.3f} $\\pm$ {self.standard_error:.3f}"
        return plotting.draw_scaling(
            ax, self.sizes, self.slopes,
            (*self.scaling_range, self.value, self.standard_error) if self.scaling else None,
            labels=("size $r$", f"local slope, ${name}$", label),
        )  # fmt: skip

    def __repr__(self) -> str:
        kind = _KINDS[self.order]
        if not self.scaling:
            return f"<{kind} of {self.samples} points: none;\n {self.status}>"
        low, high = self.scaling_range
        check = f"; Takens {self.takens}" if self.takens else ""
        return (
            f"<{kind} {self.value:.4f} +- {self.standard_error:.4f} of {self.samples} points;\n"
            f" range {low:.3g} ... {high:.3g}{check}>"
        )


_KINDS = {0: "box dimension", 1: "information dimension", 2: "correlation dimension"}
_SYMBOLS = {0: "D_0", 1: "D_1", 2: "D_2"}


def correlation_dimension(
    data: Data,
    *,
    of: str | Sequence[str] | None = None,
    every: float | None = None,
    window: float | None = None,
    references: int | None = None,
) -> Dimension:
    """Return the correlation dimension D2 of the points of a run, an embedding or an array.

    The slope of ``ln C(r)`` against ``ln r``, where C(r) is the share of pairs of points nearer than r in the
    largest coordinate difference.

    Parameters
    ----------
    data
        A run, an embedding, or an array with one row per time and one column per coordinate.
    of
        States of a run, by name; all if left out.  Several states are each taken in units of their
        standard deviation; an angle counts as its cosine and sine.
    every
        The time between two samples.
    window
        Pairs nearer in time than this are left out; four correlation times if left out.  Give 0 for points
        that are in no order.
    references
        Distances are taken from so many points, evenly spread in time, to all others; as many as
        give 2e8 distances if left out.

    Returns
    -------
    Dimension
        With its scaling range and error; Takens' estimator (1985, Lect. Notes Math. 1125, 99) as a check.

    Raises
    ------
    SettingError
        If the data or the window cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> run = dl.iterate(dl.zoo.henon, duration=8000)
    >>> found = dl.correlation_dimension(run)
    >>> abs(found.value - 1.22) < 2 * (found.standard_error + 0.036)     # Sprott: 1.220(36)
    True
    """
    began = time.perf_counter()
    samples = samples_of(data, of=of, every=every)
    gap = samples.window(window)
    most = max(int(MOST_DISTANCES / len(samples)), 2 * BLOCKS)
    number = most if references is None else whole(references, "references", least=2 * BLOCKS)
    stride = max(1, -(-len(samples) // number))
    columns = np.ascontiguousarray(_points(samples).T)
    radii, counts, taken, status = _count_pairs(columns, gap, stride)
    settings = {"of": of, "every": samples.every, "window": gap * samples.every, "stride": stride}
    inflation = float(np.sqrt(1 + 3 * taken.sum() / len(samples)))
    total = _pairs(len(samples), gap, stride)
    sums = np.cumsum(counts, axis=1)
    kept = (sums.sum(0) >= FEWEST_PAIRS) & (sums.sum(0) <= LARGEST_SUM * total.sum())
    kept &= np.all(sums.sum(0) - sums > 0, axis=0) & (sums.sum(0) >= SAME * sums.sum(0)[0])
    kept &= status.ok  # what was counted before it was stopped is no share of all pairs
    x, whole_sum = np.log(radii[kept]), sums.sum(0)[kept] / total.sum()
    left_out = (sums.sum(0) - sums)[:, kept] / (total.sum() - total)[:, None]
    scaling = takens = None
    if status.ok:
        scaling = longest_scaling(
            x, np.log(whole_sum), np.log(left_out), least=np.log(SPAN), inflation=inflation
        )
        status = Status.OK if scaling else Status.NO_SCALING_RANGE
    if scaling:
        low = int(np.searchsorted(np.log(radii), scaling.high - 1e-9))
        takens = _takens(radii, sums, low, inflation)
    return Dimension(
        2, radii[kept], np.log(whole_sum), scaling, takens, len(samples), gap * samples.every, status,
        Provenance("correlation_dimension", samples.system, settings,
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _points(samples: Samples) -> Array:
    """Return states of different meaning in units of their standard deviations, others as they are."""
    return samples.standardised if samples.system is not None else samples.values


def _count_pairs(
    columns: Array, window: int, stride: int
) -> tuple[Array, NDArray[np.int64], NDArray[np.int64], Status]:
    """Return radii, and the pairs in each bin by block of reference points, with their number."""
    n = columns.shape[1]
    largest = float(np.ptp(columns, axis=1).max())
    top = int(np.float64(largest).view(np.int64) >> correlation.SHIFT)
    lowest = top - 4 * _OCTAVES
    edges = ((np.arange(lowest, top + 1) + 1) << correlation.SHIFT).view(np.float64)
    counts = np.zeros((BLOCKS, len(edges), 4), np.int64)
    taken = np.zeros(BLOCKS, np.int64)
    starts = np.linspace(0, -(-n // stride), BLOCKS + 1).round().astype(int) * stride

    def count(block: int) -> None:
        distances = np.empty(n)
        for first in range(starts[block], min(starts[block + 1], n), _AT_A_TIME * stride):
            last = min(first + _AT_A_TIME * stride, starts[block + 1], n)
            taken[block] += correlation.count_distances(
                columns, first, last, stride, window, lowest, distances, counts[block]
            )
            if not tick(0.0, 1.0):
                return

    pieces = [partial(count, block) for block in range(BLOCKS)]
    status = on_threads(pieces, lambda: float(taken.sum()), n / stride, "correlation sum")
    return edges, counts.sum(axis=2), taken, status


def _pairs(n: int, window: int, stride: int) -> Array:
    """Return how many pairs each block of reference points takes part in."""
    here = np.arange(0, n, stride)
    pairs = n - (np.minimum(here + window + 1, n) - np.maximum(here - window, 0))
    starts = np.linspace(0, len(here), BLOCKS + 1).round().astype(int)
    return np.add.reduceat(pairs, starts[:-1]).astype(float)


def _takens(radii: Array, sums: NDArray[np.int64], top: int, inflation: float) -> Estimate:
    """Return ``C(r0) / integral_0^r0 C(r)/r dr``, the maximum-likelihood exponent below r0.

    C is a power law between the edges of bins (Theiler 1988, Phys. Lett. A 133, 195), which makes the
    integral exact; below the first pair there is nothing.
    """

    def estimate(counted: Array) -> float:
        c = counted[: top + 1].astype(float)
        kept = np.flatnonzero(c)
        r, c = np.log(radii[kept]), c[kept]
        step, rise = np.diff(r), np.diff(np.log(c))
        flat = np.abs(rise) < 1e-9
        pieces = np.where(flat, c[:-1] * step, np.diff(c) * step / np.where(flat, 1.0, rise))
        slope = 1.0 if len(rise) == 0 else (rise.sum() / step.sum())
        return float(c[-1] / (pieces.sum() + c[0] / max(slope, 0.1)))

    total = sums.sum(0)
    left_out = np.array([[estimate(total - one)] for one in sums])
    return Estimate(estimate(total), float(jackknife_error(left_out, inflation)[0]))


def box_dimension(
    data: Data, *, of: str | Sequence[str] | None = None, every: float | None = None
) -> Dimension:
    """Return the box-counting dimension D0: how the number of occupied boxes grows as they shrink.

    Boxes have sides 1/2, 1/4, ... of the range of each coordinate.

    Parameters
    ----------
    data, of, every
        As for `correlation_dimension`.

    Returns
    -------
    Dimension
        Its sizes are parts of the range.  Without a scaling range its status says so.

    Raises
    ------
    SettingError
        If the data cannot be used, or has more than 12 coordinates.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> square = np.random.default_rng(1).random((20_000, 2))
    >>> found = dl.box_dimension(square)
    >>> abs(found.value - 2) < 3 * found.standard_error
    True
    """
    return _boxed(samples_of(data, of=of, every=every), 0, "box_dimension")


def information_dimension(
    data: Data, *, of: str | Sequence[str] | None = None, every: float | None = None
) -> Dimension:
    """Return the information dimension D1: how the entropy of the boxes grows as they shrink.

    By the conjecture of Kaplan and Yorke it equals the Lyapunov dimension of typical attractors.

    Parameters
    ----------
    data, of, every
        As for `box_dimension`.

    Returns
    -------
    Dimension
        Its sizes are parts of the range.  Without a scaling range its status says so.

    Raises
    ------
    SettingError
        If the data cannot be used, or has more than 12 coordinates.

    Examples
    --------
    >>> import dynlab as dl, numpy as np
    >>> line = np.random.default_rng(1).random(5000)
    >>> found = dl.information_dimension(line)
    >>> abs(found.value - 1) < 3 * found.standard_error
    True
    """
    return _boxed(samples_of(data, of=of, every=every), 1, "information_dimension")


#: Boxes are told apart down to a side of 2^-_FINEST, if the bits of all coordinates fit one number.
_FINEST = 30
_MOST_BOXED = 12


def _boxed(samples: Samples, order: int, function: str) -> Dimension:
    began = time.perf_counter()
    n, coordinates = samples.values.shape
    if coordinates > _MOST_BOXED:
        raise SettingError(
            f"the data has {coordinates} coordinates; boxes are counted in at most {_MOST_BOXED}. Use "
            "correlation_dimension, or fewer coordinates with of=..."
        )
    bits = min(_FINEST, 62 // coordinates)
    counted = _count_boxes(samples.values, bits)
    number, single, double = counted[..., 0], counted[..., 1], counted[..., 2]
    unseen = single * (single - 1) / (2 * (double + 1))
    kept = unseen[:, 0] <= MOST_UNSEEN * (number + unseen)[:, 0]
    # The first size at which as many boxes are told apart as at the smallest is the last of use.
    kept &= np.append(True, number[:-1, 0] < number[-1, 0])
    kept = np.logical_and.accumulate(kept)
    sizes = 0.5 ** np.arange(1, bits + 1)[kept]
    block = np.arange(n) * BLOCKS // n
    left = np.append(n, n - np.bincount(block, minlength=BLOCKS))
    curve = -np.log(number + unseen) if order == 0 else counted[..., 3] / left - np.log(left)
    x, y = np.log(sizes[::-1]), curve[kept][::-1]
    scaling = longest_scaling(x, y[:, 0], y[:, 1:].T, least=np.log(BOX_SPAN))
    return Dimension(
        order, sizes[::-1], y[:, 0], scaling, None, n, 0.0,
        Status.OK if scaling else Status.NO_SCALING_RANGE,
        Provenance(function, samples.system, {"every": samples.every, "of": samples.names},
                   seconds=time.perf_counter() - began),
    )  # fmt: skip


def _count_boxes(values: Array, bits: int) -> Array:
    """Return what the kernel counts at each size, largest first: with all points, then without each block."""
    n = len(values)
    low, extent = values.min(axis=0), np.ptp(values, axis=0)
    digits = np.floor((values - low) / extent * 2.0**bits).astype(np.int64)
    codes = np.empty(n, np.int64)
    boxes.interleave(np.ascontiguousarray(np.clip(digits, 0, (1 << bits) - 1).T), bits, codes)
    order = np.argsort(codes, kind="stable")
    codes, block = codes[order], (np.arange(n) * BLOCKS // n)[order]
    weights = _entropy_weights(n)
    out = np.zeros((bits, BLOCKS + 1, 4))
    inside = np.zeros(BLOCKS, np.int64)
    for level in range(bits):
        shift = (bits - 1 - level) * values.shape[1]
        boxes.count_boxes(codes, block, shift, weights, inside, out[level])
    return out


def _entropy_weights(most: int) -> Array:
    """Return G(n), which replaces ln n so that entropies of few points have almost no bias.

    Grassberger 1988, eq 14: psi(n) + (-1)^n/2 (psi((n+1)/2) - psi(n/2)).
    """
    n = np.arange(1, most + 1, dtype=float)
    sign = np.where(n % 2 == 0, 1.0, -1.0)
    correction = 0.5 * sign * (digamma((n + 1) / 2) - digamma(n / 2))
    return np.concatenate([[0.0], digamma(n) + correction])
