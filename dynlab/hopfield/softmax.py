"""Memory of real vectors: one step is a softmax over the patterns, which is what attention computes.

x -> X softmax(beta X'x) lowers E = -lse(beta, X'x) + x'x/2 + ln(K)/beta + M^2/2, with K patterns, the columns of X, M the
largest of their norms, and lse(beta, z) = ln(sum exp(beta z)) / beta; and 0 <= E <= 2 M^2 for |x| <= M (Ramsauer et al.
2021, ICLR, arXiv:2008.02217, eqs 2, 3 and theorem 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from dynlab import zoo
from dynlab.errors import SettingError
from dynlab.hopfield.patterns import as_array, whole
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SoftmaxMemory", "SoftmaxRecall"]

Array = NDArray[np.float64]

#: Entries up to this: sums of a million of their squares are doubles.
LARGEST = 1e150
#: A step that moves the state by less than this times M ends the recall.
REST = 1e-12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SoftmaxMemory:
    """A memory of real vectors, whose update is the softmax of attention.

    Parameters
    ----------
    patterns
        An array with a row for each pattern.
    beta
        The inverse temperature, > 0: large values tell similar patterns apart, small ones end in averages.

    Raises
    ------
    SettingError
        If the patterns are no matrix of finite numbers, or beta is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from dynlab import hopfield
    >>> patterns = np.random.default_rng(1).normal(size=(50, 20))
    >>> run = hopfield.SoftmaxMemory(patterns, beta=2.0).recall(0.7 * patterns[3])
    >>> bool(np.allclose(run.final, patterns[3], atol=1e-3))
    True

    References
    ----------
    Ramsauer et al. 2021, Hopfield networks is all you need, ICLR, arXiv:2008.02217.
    """

    patterns: Array
    beta: float

    def __post_init__(self) -> None:
        values = as_array(self.patterns, "the patterns")
        if values.dtype.kind not in "iuf" or values.ndim != 2 or 0 in values.shape:
            raise SettingError(
                f"the patterns are an array of {values.dtype} and shape {values.shape}. Give real numbers, a row for each "
                "pattern."
            )
        wrong = np.argwhere(~np.isfinite(values.astype(float)))
        if len(wrong):
            p, i = wrong[0]
            raise SettingError(f"pattern {p}, entry {i} is {values[p, i]}; give finite numbers.")
        _require_squares(values, "the patterns")
        if finite(self.beta, "beta") <= 0:
            raise SettingError(f"beta is {self.beta!r}; give a positive number.")
        object.__setattr__(self, "patterns", np.array(values, float))

    @property
    def largest_norm(self) -> float:
        """M, the largest norm of a pattern."""
        return float(np.linalg.norm(self.patterns, axis=1).max())

    @property
    def system(self) -> System:
        """The flow x' = -x + X softmax(beta X'x), which lowers the same energy: ``zoo.softmax_memory``, bound."""
        count, size = self.patterns.shape
        links = {"X": self.patterns, "Y": self.patterns.T}
        return zoo.softmax_memory.on({"feature": size, "pattern": count}, links=links)(
            beta=self.beta
        )

    def update(self, state: Any) -> Array:
        """Return the next state."""
        return np.asarray(self.attention(state) @ self.patterns, float)

    def attention(self, state: Any) -> Array:
        """Return the weight of each pattern; they sum to 1."""
        return np.asarray(softmax(self.beta * (self._checked(state) @ self.patterns.T), axis=-1))

    def energy(self, state: Any) -> Any:
        """Return the energy of a state, or of each of several."""
        x = self._checked(state)
        pull = logsumexp(self.beta * (x @ self.patterns.T), axis=-1) / self.beta
        count, top = len(self.patterns), self.largest_norm
        return -pull + (x * x).sum(axis=-1) / 2 + np.log(count) / self.beta + top**2 / 2

    def recall(self, start: Any, *, steps: int = 1000) -> SoftmaxRecall:
        """Update until the state rests.

        Parameters
        ----------
        start
            An array with as many numbers as a pattern.
        steps
            The largest number of updates.
        """
        began, steps = perf_counter(), whole(steps, "steps")
        states = [self._checked(start)]
        status = Status.SWEEP_LIMIT
        for _ in range(steps):
            states.append(self.update(states[-1]))
            if abs(states[-1] - states[-2]).max() <= REST * self.largest_norm:
                status = Status.OK
                break
        path = np.array(states)
        return SoftmaxRecall(
            path, self.energy(path), self.attention(path), status,
            Provenance("recall", self, {"steps": steps}, seconds=perf_counter() - began),
        )  # fmt: skip

    def _checked(self, state: Any) -> Array:
        values = as_array(state, "a state")
        is_real = values.dtype.kind in "iuf"
        if (
            not is_real
            or values.shape[-1:] != self.patterns.shape[1:]
            or not np.isfinite(values).all()
        ):
            raise SettingError(
                f"a state is an array of {values.dtype} and shape {values.shape}; give {self.patterns.shape[1]} finite "
                "numbers, as many as a pattern has."
            )
        _require_squares(values, "the numbers of a state")
        return np.asarray(values, float)

    def __repr__(self) -> str:
        count, size = self.patterns.shape
        return f"<softmax memory of {count} patterns in {size} dimensions, beta = {self.beta:g}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SoftmaxRecall(Result):
    """How a state of real numbers ran to its rest.

    Attributes
    ----------
    states
        The states, a row at the start and after each update.
    energy, attention
        Energy, and weights of the patterns, at each.
    status
        OK at rest, `Status.SWEEP_LIMIT` if it still moved.
    provenance
        Where it came from.
    """

    states: Array
    energy: Array
    attention: Array
    status: Status
    provenance: Provenance

    @property
    def final(self) -> Array:
        """The last state."""
        return np.asarray(self.states[-1])

    @property
    def nearest(self) -> int:
        """The pattern with the largest weight at the end."""
        return int(np.argmax(self.attention[-1]))

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return step, energy and the weight of each pattern as columns."""
        columns: dict[str, NDArray[Any]] = {
            "step": np.arange(len(self.states)), "energy": self.energy,
        }  # fmt: skip
        return columns | {f"w[{p}]": column for p, column in enumerate(self.attention.T)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the energy against the step."""
        from dynlab import plotting

        return plotting.draw_descent(ax, np.arange(len(self.states)), self.energy, xlabel="step")

    def __repr__(self) -> str:
        return (
            f"<softmax recall: {self.status} after {len(self.states) - 1} steps;\n"
            f" weight {self.attention[-1].max():.4f} on pattern {self.nearest}, energy {self.energy[-1]:.6g}>"
        )


def _require_squares(values: NDArray[Any], what: str) -> None:
    """Refuse entries whose squares leave the range of doubles."""
    largest = float(abs(values).max(initial=0.0))
    if largest > LARGEST:
        raise SettingError(
            f"{what} hold {largest:.3g}; energies are squares of such numbers. Measure in another unit, with entries below {LARGEST:g}."
        )
