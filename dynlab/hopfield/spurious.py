"""Where random states end: patterns, mixtures of patterns, and glassy states that resemble none.

Beside the patterns, the energy of a Hopfield network has other minima.  Symmetric mixtures
sign(+-x1 +- x2 +- x3) of an odd number of patterns are minima at small loads; with more patterns there are
exponentially many states with no large overlap (Amit, Gutfreund and Sompolinsky 1985, Phys. Rev. A 32, 1007, and
Phys. Rev. Lett. 55, 1530).  They are found here by letting random states run until they rest, so that a state is
found in proportion to its basin; none that is found is no proof that there is none.

A state counts as a mixture of n patterns if it agrees to 90 % (an overlap of 0.9) with the sign of the sum of those n
that it overlaps most with, each with its sign; n is the smallest odd number for which it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.hopfield.machine import Course, Machine, field_energy
from dynlab.hopfield.network import Network
from dynlab.hopfield.patterns import Patterns, Spins, whole
from dynlab.kernels.convention import RUNNING
from dynlab.names import require_kind
from dynlab.progress import tick
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed, seed_of
from dynlab.solve.threads import on_threads
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["SpuriousStates", "spurious_states"]

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

#: Agreement from which on a state counts as a mixture.
AGREEMENT = 0.9
MOST_MIXED = 7
MOST_SWEEPS = 1000
#: Trials in a piece of work; does not depend on the number of threads.
PIECE = 16
#: Spins asked between two looks at the wish to stop.
SITES = 20_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SpuriousStates(Result):
    """The states in which random starts came to rest, each once, from the lowest energy up.

    A state and its negative count as one if the network has no threshold.

    Attributes
    ----------
    states
        The states, a row of -1 and 1 for each.
    energies
        E = -s'Ws/2 + theta sum s of each.
    mixed
        Of how many patterns each is a mixture: 1 for a pattern, 3, 5 or 7; 0 for none, a glassy state.
    overlaps
        The largest overlap with a pattern, by size.
    hits
        How many starts ended there.
    unrested
        How many starts did not come to rest.
    status
        `Status.STOPPED` if fewer starts were run than asked for.
    provenance
        Where it came from.
    """

    states: NDArray[np.int8]
    energies: Array
    mixed: Counts
    overlaps: Array
    hits: Counts
    unrested: int
    status: Status
    provenance: Provenance

    def shares(self) -> dict[str, float]:
        """Return the share of starts that ended in each kind of state."""
        total = max(int(self.hits.sum()), 1)
        kinds = self.kinds
        return {kind: int(self.hits[kinds == kind].sum()) / total for kind in _KINDS.values()}

    @property
    def kinds(self) -> NDArray[np.str_]:
        """For each state ``"pattern"``, ``"mixture of 3"``, ... or ``"glassy"``."""
        return np.array([_KINDS[int(n)] for n in self.mixed], dtype=str)

    def __len__(self) -> int:
        return len(self.states)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return kind, energy, overlap and hits of each state as columns."""
        return {
            "kind": self.kinds, "energy": self.energies, "overlap": self.overlaps, "hits": self.hits,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the energy for each spin against the largest overlap, larger where more starts ended."""
        from dynlab import plotting

        size = max(self.states.shape[1], 1)
        places = {
            kind: (self.overlaps[here], self.energies[here] / size, self.hits[here])
            for kind in _KINDS.values()
            if (here := self.kinds == kind).any()
        }
        return plotting.draw_resting_states(ax, places)

    def __repr__(self) -> str:
        found = ", ".join(f"{share:.0%} {kind}" for kind, share in self.shares().items() if share)
        return f"<{len(self)} states in which {int(self.hits.sum())} random starts came to rest: {found}>"


_KINDS = {1: "pattern", **{n: f"mixture of {n}" for n in range(3, MOST_MIXED + 1, 2)}, 0: "glassy"}


def spurious_states(
    network: Network, *, trials: int = 1000, seed: int | np.random.Generator | None = None
) -> SpuriousStates:
    """Return the states in which random starts come to rest, and which of them are no patterns.

    Parameters
    ----------
    network
        A network with patterns.
    trials
        How many random starts; each runs asynchronously.
    seed
        A whole number, a numpy Generator, or None for a fresh seed.  The result does not depend on the number of
        threads.

    Returns
    -------
    SpuriousStates
        Each state once, with energy, kind and how often it was reached.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> memory = hopfield.Network(hopfield.random_patterns(size=400, count=5, seed=1))
    >>> found = hopfield.spurious_states(memory, trials=200, seed=2)
    >>> found.shares()["pattern"] > 0.5
    True

    References
    ----------
    Amit, Gutfreund and Sompolinsky 1985, Phys. Rev. A 32, 1007.
    """
    began, trials, chosen = perf_counter(), whole(trials, "trials"), seed_of(seed)
    require_kind(network, Network, "the network", "a hopfield.Network")
    ends = np.zeros((trials, network.size), np.int8)
    rested = np.full(trials, -1, np.int8)
    pieces = [
        _piece(network, chosen, first, ends[first : first + PIECE], rested[first : first + PIECE])
        for first in range(0, trials, PIECE)
    ]
    done = lambda: float((rested >= 0).sum())  # noqa: E731
    status = on_threads(pieces, done, trials, "random starts")
    states, hits = _distinct(ends[rested == 1], has_mirror=network.threshold == 0)
    energies = np.array(
        [field_energy(network.machine(state), network.threshold) for state in states]
    )
    order = np.argsort(energies, kind="stable")
    states = states[order]
    shown = [network.patterns.overlaps(state) for state in states]
    mixed = [_mixed(network.patterns, s, m) for s, m in zip(states, shown, strict=True)]
    return SpuriousStates(
        states, energies[order], np.array(mixed, np.int64),
        np.array([abs(m).max(initial=0.0) for m in shown]), hits[order], int((rested == 0).sum()), status,
        Provenance.of_chance("spurious_states", network, {"trials": trials}, seed=chosen, began=began),
    )  # fmt: skip


def _piece(
    network: Network, seed: Seed, first: int, ends: Spins, rested: Spins
) -> Callable[[], None]:
    """Return the work of some trials, each with the stream of its own number."""

    def work() -> None:
        for k in range(len(ends)):
            if not tick(0.0, 1.0):
                return
            stream = seed.stream(first + k)
            start = (2 * stream.integers(0, 2, network.size) - 1).astype(np.int8)
            machine = network.machine(start)
            rested[k] = _settle(machine, Course.of(network.size, stream))
            ends[k] = machine.snapshot().spins

    return work


def _settle(machine: Machine, course: Course) -> int:
    """Sweep until nothing turns: 1; 0 if it does not come to rest; -1 if asked to stop."""
    for _ in range(MOST_SWEEPS):
        while machine.sweep(0.0, course, SITES) == RUNNING:
            if not tick(0.0, 1.0):
                return -1
        if course.flips == 0 and machine.is_at_rest():
            return 1
    return 0


def _distinct(ends: Spins, *, has_mirror: bool) -> tuple[Spins, Counts]:
    if has_mirror and len(ends):
        ends = ends * ends[:, :1]
    found: dict[bytes, list[int]] = {}
    for k, end in enumerate(ends):
        found.setdefault(end.tobytes(), []).append(k)
    return ends[[places[0] for places in found.values()]], np.array(
        [len(places) for places in found.values()], np.int64
    )


def _mixed(patterns: Patterns, state: Spins, overlaps: Array) -> int:
    """Return of how many patterns a state is a mixture; 0 for none."""
    nearest = np.argsort(-abs(overlaps), kind="stable")[:MOST_MIXED]
    total = np.zeros(len(state))
    for n, p in enumerate(nearest, 1):
        total += np.sign(overlaps[p]) * patterns[int(p)]
        if n % 2 and abs(np.mean(np.sign(total) * state)) >= AGREEMENT:
            return n
    return 0
