"""Normal forms on a centre manifold of any dimension, order by order (the homological equation).

A flow or map restricted to its critical eigenspace reads, in coordinates w_1 ... w_m along the critical
eigenvectors (lambda_j the critical eigenvalues, or multipliers),

    w_j' = lambda_j w_j + sum_a g_{j,a} w^a / a!          x = sum_j w_j q_j + sum_a h_a w^a / a!

with g_{j,a} kept only where w^a is resonant: sum a.lambda = lambda_j, for a map prod lambda^a = lambda_j.
Comparing the coefficients of w^a in H_w w' = F(H), or H(w') = F(H), gives for each multi-index a one
linear system (mu - A) h_a = R_a - sum_j g_{j,a} q_j with mu = a.lambda or lambda^a, and g_{j,a} = <p_j, R_a>
(Coullet and Spiegel 1983, SIAM J. Appl. Math. 43, 776; Kuznetsov 1999, SIAM J. Numer. Anal. 36, 1104; for
maps Kuznetsov and Meijer 2005, SIAM J. Sci. Comput. 26, 1932).  R_a is the chain rule (Faa di Bruno):
a sum over the partitions of a's slots, with the multilinear derivatives of F.

The critical eigenvalues must be simple, or semisimple; double zeros (Bogdanov-Takens, resonances 1:1 and 1:2)
have formulas of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CenterManifold", "jordan_chain"]

Complex = NDArray[np.complex128]
Slots = tuple[int, ...]

#: Resonance is exact up to round-off, relative to the largest critical eigenvalue (at least 1 for maps).
_RESONANT = 1e-7
#: A second singular value below this part of the first: two null vectors, no Jordan chain.
_TWO_NULL = 1e-9


class CenterManifold:
    """Taylor coefficients of a centre manifold and of what happens on it, each made when asked for.

    Parameters
    ----------
    a
        The Jacobian.
    form
        The multilinear derivative along as many directions as are given.
    values
        The critical eigenvalues, exactly critical.
    right, left
        Critical eigenvectors q_j and p_j as rows, <p_i, q_j> = 1 if i = j, else 0.
    discrete
        Whether this is a map.
    """

    __slots__ = ("_a", "_form", "_left", "_made", "_right", "_values", "discrete")

    def __init__(
        self, a: Any, form: Callable[..., Any], values: Any, right: Any, left: Any, *,
        discrete: bool,
    ) -> None:  # fmt: skip
        self._a, self._form = a, form
        self._values = np.asarray(values, complex)
        self._right, self._left = np.asarray(right), np.asarray(left)
        self.discrete = discrete
        self._made: dict[Slots, tuple[Any, dict[int, complex]]] = {}

    def coefficient(self, j: int, *slots: int) -> complex:
        """Return g_{j,a} for the derivative of w_j' by the coordinates at ``slots``, each a number."""
        return self._order(tuple(sorted(slots)))[1].get(j, 0.0)

    def _direction(self, slots: Slots) -> Any:
        """Return q_j or h_a."""
        if len(slots) == 1:
            return self._right[slots[0]]
        return self._order(tuple(sorted(slots)))[0]

    def _order(self, slots: Slots) -> tuple[Any, dict[int, complex]]:
        if slots not in self._made:
            self._made[slots] = self._solve(slots)
        return self._made[slots]

    def _solve(self, slots: Slots) -> tuple[Any, dict[int, complex]]:
        # Equal slots give equal terms: each is evaluated once.
        terms = Counter(
            tuple(sorted(tuple(sorted(block)) for block in blocks))
            for blocks in _partitions(slots)
            if len(blocks) > 1
        )
        right = sum(
            count * self._form(*(self._direction(block) for block in blocks))
            for blocks, count in terms.items()
        ) - (self._carried_by_map(slots) if self.discrete else self._carried_by_flow(slots))
        values = self._values[list(slots)]
        mu = np.prod(values) if self.discrete else np.sum(values)
        size = max(1.0 if self.discrete else 0.0, float(np.max(np.abs(self._values))))
        at = [j for j, value in enumerate(self._values) if abs(mu - value) <= _RESONANT * size]
        g = {j: complex(np.vdot(self._left[j], right)) for j in at}
        n, k = len(self._a), len(at)
        matrix = np.zeros((n + k, n + k), complex)
        matrix[:n, :n] = mu * np.eye(n) - self._a
        for place, j in enumerate(at):
            matrix[:n, n + place] = self._right[j]
            matrix[n + place, :n] = self._left[j].conj()
        h = np.linalg.solve(matrix, np.concatenate([right, np.zeros(k)]))[:n]
        return h, g

    def _carried_by_flow(self, slots: Slots) -> Any:
        """Return what lower orders contribute to H_w w'."""
        total = np.zeros(len(self._a), complex)
        for block, rest in _subsets(slots):
            if 1 < len(block) < len(slots):
                for j, g in self._order(block)[1].items():
                    total = total + g * self._direction((*rest, j))
        return total

    def _carried_by_map(self, slots: Slots) -> Any:
        """Return what lower orders contribute to H(w')."""
        total = np.zeros(len(self._a), complex)
        for blocks in _partitions(slots):
            if 1 < len(blocks) < len(slots):
                for factor, targets in self._targets(blocks):
                    total = total + factor * self._direction(targets)
        return total

    def _targets(self, blocks: tuple[Slots, ...]) -> Iterator[tuple[complex, Slots]]:
        if not blocks:
            yield 1.0, ()
            return
        first, *rest = blocks
        single = {first[0]: complex(self._values[first[0]])}
        made = single if len(first) == 1 else self._order(first)[1]
        for factor, targets in self._targets(tuple(rest)):
            for j, g in made.items():
                yield factor * g, (*targets, j)


def _partitions(slots: Slots) -> Iterator[tuple[Slots, ...]]:
    """Yield every way to part the slots into blocks; equal numbers are different slots."""
    if not slots:
        yield ()
        return
    first, rest = slots[0], slots[1:]
    for blocks in _partitions(rest):
        yield ((first,), *blocks)
        for k in range(len(blocks)):
            yield (*blocks[:k], (first, *blocks[k]), *blocks[k + 1 :])


def _subsets(slots: Slots) -> Iterator[tuple[Slots, Slots]]:
    """Yield every choice of slots with what is left."""
    for mask in range(1 << len(slots)):
        block = tuple(s for k, s in enumerate(slots) if mask >> k & 1)
        yield block, tuple(s for k, s in enumerate(slots) if not mask >> k & 1)


def jordan_chain(m: Any) -> tuple[Any, Any, Any, Any] | None:
    """Return q0, q1, p0, p1 of a double zero: m q0 = 0, m q1 = q0, p1 m = 0, p0 m = p1.

    <p0, q0> = <p1, q1> = 1, <p0, q1> = <q0, q1> = 0, q0 of unit length, its largest component positive.  None
    if there are two null vectors.
    """
    u, s, v = np.linalg.svd(m)
    if len(s) < 2 or s[-2] <= _TWO_NULL * s[0]:
        return None
    q0, p1 = v[-1], u[:, -1]
    q0 = q0 * np.sign(q0[np.argmax(np.abs(q0))])
    bordered = np.block([[m, p1[:, None]], [q0[None, :], np.zeros((1, 1))]])
    q1 = np.linalg.solve(bordered, np.append(q0, 0.0))[:-1]
    p0 = np.linalg.solve(bordered.T, np.append(p1, 0.0))[:-1]
    factor = float(p1 @ q1)
    p0, p1 = p0 / factor, p1 / factor
    return q0, q1, p0 - (p0 @ q1) * p1, p1
