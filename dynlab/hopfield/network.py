"""Binary associative memories: patterns of -1 and 1, a learning rule, and recall."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import AccuracyWarning, SettingError
from dynlab.hopfield.learning import Given, Hebb, LearningRule
from dynlab.hopfield.machine import DenseMachine, Machine, PackedMachine, packed_rule
from dynlab.hopfield.patterns import Patterns, checked_spins
from dynlab.hopfield.recall import Asynchronous, Recall, Update, run_recall
from dynlab.names import finite, require_kind
from dynlab.seeds import seed_of

__all__ = ["Network"]

Array = NDArray[np.float64]

HEBB, ASYNCHRONOUS = Hebb(), Asynchronous()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Network:
    """A network of spins -1 and 1 that stores patterns.

    A spin takes the sign of its local field, sum_j W_ij s_j - theta.  With Hebb's rule and the covariance rule no
    matrix is formed: 13 800 patterns in 100 000 spins take 173 MB.

    Parameters
    ----------
    patterns
        An array with a row of -1 and 1 for each pattern, or `Patterns`.
    rule
        `Hebb`, `Covariance`, `PseudoInverse` or `Storkey`.
    threshold
        theta, the same for all spins.

    Raises
    ------
    SettingError
        If there is no pattern, an entry is neither -1 nor 1, or the weights do not fit.

    Warns
    -----
    AccuracyWarning
        If there are more patterns than spins.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> patterns = hopfield.random_patterns(size=500, count=20, seed=1)
    >>> memory = hopfield.Network(patterns)
    >>> memory
    <Hopfield network of 500 spins: 20 patterns, Hebb(diagonal=0.0)>
    >>> run = memory.recall(hopfield.flipped(patterns[3], share=0.2, seed=2), seed=3)
    >>> run.nearest, run.overlap, run.is_fixed_point
    (3, 1.0, True)

    References
    ----------
    Hopfield 1982, Proc. Natl. Acad. Sci. 79, 2554.
    """

    patterns: Patterns
    rule: LearningRule = HEBB
    threshold: float = 0.0
    _columns: Array | None = field(init=False)

    def __post_init__(self) -> None:
        patterns = Patterns.of(self.patterns)
        size, count = patterns.size, patterns.count
        require_kind(self.rule, LearningRule, "the rule", "one such as hopfield.Hebb()")
        if not count and not isinstance(self.rule, Given):
            raise SettingError(
                "there are no patterns. Give at least one, or weights by hopfield.Network.from_weights."
            )
        if isinstance(self.rule, Given) and len(self.rule.matrix) != size:
            raise SettingError(
                f"the weights are for {len(self.rule.matrix)} spins, but the patterns have {size}. Give both the same size."
            )
        if count > size:
            warnings.warn(
                f"{count} patterns in {size} spins are beyond the capacity of {self.rule!r}, about "
                f"{self.rule.capacity(size):.0f}: none will be recalled. Store fewer, or take more spins.",
                AccuracyWarning, stacklevel=3,
            )  # fmt: skip
        object.__setattr__(self, "patterns", patterns)
        object.__setattr__(self, "threshold", finite(self.threshold, "the threshold"))
        needs_matrix = packed_rule(self.rule, size, 0.0) is None
        columns = np.array(self.weights.T, order="C") if needs_matrix else None
        object.__setattr__(self, "_columns", columns)

    @classmethod
    def from_weights(cls, weights: Any, *, threshold: float = 0.0) -> Network:
        """Return a network of given weights, without patterns; ``weights[i, j]`` is from j to i.

        Raises
        ------
        SettingError
            If the weights are not a square matrix of finite numbers.

        Examples
        --------
        >>> from dynlab import hopfield
        >>> pair = hopfield.Network.from_weights([[0, 1], [1, 0]])
        >>> print(pair.recall([1, -1], method=hopfield.Synchronous()).status)
        cycle of two
        """
        rule = Given(weights)
        return cls(Patterns(np.zeros((len(rule.matrix), 1), np.uint64), 0), rule, threshold)

    @property
    def size(self) -> int:
        """How many spins there are."""
        return self.patterns.size

    @property
    def load(self) -> float:
        """Patterns for each spin, alpha."""
        return self.patterns.count / self.size

    @property
    def weights(self) -> Array:
        """The matrix of weights; ``W[i, j]`` is from j to i.  Made when asked for: N x N numbers."""
        return self.rule.weights(self.patterns)

    def fields(self, state: Any) -> Array:
        """Return the local field W s of each spin, without the threshold."""
        return self.machine(state).fields()

    def is_fixed_point(self, state: Any) -> bool:
        """Whether no spin would turn."""
        spins = checked_spins(state, "state, spin {}", (self.size,))
        return bool((spins * (self.fields(spins) - self.threshold) >= 0).all())

    def recall(
        self, start: Any, *, method: Update = ASYNCHRONOUS, sweeps: int = 100,
        seed: int | np.random.Generator | None = None,
    ) -> Recall:  # fmt: skip
        """Let a state run until it rests.

        Parameters
        ----------
        start
            An array of -1 and 1.
        method
            `Asynchronous`, `Synchronous` or `Glauber`.
        sweeps
            The largest number of sweeps; in each, every spin is asked once.
        seed
            For the order and the temperature: a whole number, a numpy Generator, or None for a fresh seed.

        Returns
        -------
        Recall
            The last state, overlaps and energy after each sweep, and how it ended.

        Raises
        ------
        SettingError
            If the start does not fit or holds something else than -1 and 1.
        """
        require_kind(method, Update, "the method", "one such as hopfield.Asynchronous()")
        return run_recall(self.machine(start), self, method, sweeps, seed_of(seed))

    def machine(self, state: Any) -> Machine:
        """Return a state that the kernels can run, for loops of one's own; see `dynlab.hopfield.machine`."""
        spins = checked_spins(state, "state, spin {}", (self.size,)).copy()
        rule = packed_rule(self.rule, self.size, self.threshold)
        if rule is not None:
            return PackedMachine(self.patterns, rule, spins)
        assert self._columns is not None
        return DenseMachine(self._columns, self.threshold, self.patterns, spins)

    def __repr__(self) -> str:
        return f"<Hopfield network of {self.size} spins: {self.patterns.count} patterns, {self.rule!r}>"
