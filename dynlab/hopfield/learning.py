"""Learning rules: how patterns become weights.  Each is a small frozen object.

Hebb's rule and the covariance rule are sums over patterns of products, so that a field needs no weight
(`dynlab.kernels.spins`).  The projection and Storkey's rule are not; they make a matrix.

`diagonal` says which share of the weights from a spin to itself is kept: 0 takes them out, 1 leaves them as the
formula gives them.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.patterns import Patterns, as_array
from dynlab.names import finite

__all__ = ["Covariance", "Given", "Hebb", "LearningRule", "PseudoInverse", "Storkey"]

Array = NDArray[np.float64]


class LearningRule(abc.ABC):
    """Makes weights of patterns."""

    __slots__ = ()

    @abc.abstractmethod
    def weights(self, patterns: Patterns) -> Array:
        """Return the matrix of weights; ``W[i, j]`` is from spin j to spin i."""

    @abc.abstractmethod
    def capacity(self, size: int) -> float:
        """Return about how many random patterns so many spins hold with few errors."""


@dataclass(frozen=True, slots=True)
class Hebb(LearningRule):
    """What fires together is wired together: W = X X' / N, patterns being the columns of X.

    Hopfield 1982, Proc. Natl. Acad. Sci. 79, 2554, eq 2.

    Parameters
    ----------
    diagonal
        The share of W_ii = P / N that is kept for P patterns: 0 for none, as in the paper; 1 for all.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> hopfield.Hebb().weights(hopfield.Patterns.of([[1, 1], [1, -1]]))
    array([[0., 0.],
           [0., 0.]])
    """

    diagonal: float = 0.0

    def __post_init__(self) -> None:
        _require_share(self.diagonal)

    def weights(self, patterns: Patterns) -> Array:
        return _products(patterns, 0.0, self.diagonal) / patterns.size

    def capacity(self, size: int) -> float:
        return 0.138 * size


@dataclass(frozen=True, slots=True)
class Covariance(LearningRule):
    """Hebb's rule for patterns of mean a: W = (X - a)(X - a)' / (N (1 - a^2)).

    Without taking a away, patterns of many equal entries overlap, and all recall ends in their mean.  For patterns with
    few ones the threshold of the network should be about -a, midway between the two fields.

    Tsodyks and Feigelman 1988, Europhys. Lett. 6, 101 (there for neurons 0 and 1); Amit, Gutfreund and Sompolinsky
    1987, Phys. Rev. A 35, 2293.

    Parameters
    ----------
    activity
        The mean a of an entry; between -1 and 1.
    diagonal
        The share of the weights from a spin to itself that is kept.
    """

    activity: float
    diagonal: float = 0.0

    def __post_init__(self) -> None:
        _require_share(self.diagonal)
        if not -1 < finite(self.activity, "the activity") < 1:
            raise SettingError(
                f"the activity is {self.activity!r}; give the mean of an entry, between -1 and 1 (patterns.activity)."
            )

    def weights(self, patterns: Patterns) -> Array:
        norm = patterns.size * (1 - self.activity**2)
        return _products(patterns, self.activity, self.diagonal) / norm

    def capacity(self, size: int) -> float:
        return 0.138 * size


@dataclass(frozen=True, slots=True)
class PseudoInverse(LearningRule):
    """The projection onto the span of the patterns: each linearly independent one is a fixed point.

    W = X (X'X)^-1 X'.  Personnaz, Guyon and Dreyfus 1985, J. Physique Lett. 46, 359; Kanter and Sompolinsky 1987,
    Phys. Rev. A 35, 380 (without the diagonal).

    Parameters
    ----------
    diagonal
        The share of the weights from a spin to itself that is kept.  All patterns stay fixed points without them,
        and their basins are much wider.
    """

    diagonal: float = 0.0

    def __post_init__(self) -> None:
        _require_share(self.diagonal)

    def weights(self, patterns: Patterns) -> Array:
        states = np.asarray(patterns, float)
        basis, sizes, _ = np.linalg.svd(states.T, full_matrices=False)
        # Patterns that depend on others add nothing: the usual rank of a matrix.
        kept = basis[:, sizes > sizes[0] * max(states.shape) * np.finfo(float).eps]
        return _with_diagonal(kept @ kept.T, self.diagonal)

    def capacity(self, size: int) -> float:
        return float(size)


@dataclass(frozen=True, slots=True)
class Storkey(LearningRule):
    """Each pattern is learnt when it comes, with what the weights so far make of it taken away.

    W <- W + (x x' - x h' - h x') / N with h_ij = sum over k other than i, j of W_ik x_k.  Local like Hebb's rule, and
    holds more.  No spin has a weight to itself.

    Storkey 1997, ICANN, LNCS 1327, 451; Storkey and Valabregue 1999, Neural Networks 12, 869.
    """

    def weights(self, patterns: Patterns) -> Array:
        size = patterns.size
        weights = np.zeros((size, size))
        for pattern in patterns:
            x = pattern.astype(float)
            # The diagonal is zero, so only k = j has to be taken out of the sum.
            toward = ((weights @ x)[:, None] - weights * x) * x
            weights += (np.outer(x, x) - toward - toward.T) / size
            np.fill_diagonal(weights, 0.0)
        return weights

    def capacity(self, size: int) -> float:
        return float(size / np.sqrt(2 * np.log(max(size, 2))))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Given(LearningRule):
    """Weights that were given, whatever the patterns.

    Parameters
    ----------
    matrix
        ``matrix[i, j]`` is the weight from spin j to spin i.
    """

    matrix: Array

    def __post_init__(self) -> None:
        values = as_array(self.matrix, "the weights")
        if (
            values.dtype.kind not in "iuf"
            or values.ndim != 2
            or len(set(values.shape)) != 1
            or not values.size
        ):
            raise SettingError(
                f"the weights are an array of {values.dtype} and shape {values.shape}. Give a square matrix of numbers."
            )
        wrong = np.argwhere(~np.isfinite(values.astype(float)))
        if len(wrong):
            i, j = wrong[0]
            raise SettingError(f"the weight [{i}, {j}] is {values[i, j]}; give finite numbers.")
        object.__setattr__(self, "matrix", np.array(values, float))
        self.matrix.flags.writeable = False

    def weights(self, patterns: Patterns) -> Array:
        return self.matrix

    def capacity(self, size: int) -> float:
        return float(size)

    def __repr__(self) -> str:
        return f"Given(<{len(self.matrix)} x {len(self.matrix)} weights>)"


def _require_share(diagonal: float) -> None:
    if not 0 <= finite(diagonal, "diagonal") <= 1:
        raise SettingError(
            f"diagonal is {diagonal!r}; it is the share of the weights from a spin to itself that is kept: 0 for none, "
            "1 for all."
        )


def _products(patterns: Patterns, level: float, diagonal: float) -> Array:
    """Sum the products over all patterns: whole numbers, exact, if the level is zero."""
    states = np.asarray(patterns, float) - level
    return _with_diagonal(states.T @ states, diagonal)


def _with_diagonal(weights: Array, share: float) -> Array:
    np.fill_diagonal(weights, share * np.diag(weights))
    return weights
