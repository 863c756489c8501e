"""Recall: letting a state run until it rests, and what it overlaps with on the way.

A spin takes the sign of its local field; where the field is zero it keeps its value.  Asynchronous updates ask
one spin after the other, in a new random order in each sweep; with symmetric weights of diagonal >= 0 each turn
lowers E = -s'Ws/2 + theta sum s, so that the state comes to rest (Hopfield 1982, Proc. Natl. Acad. Sci. 79, 2554).
Synchronous updates ask all spins of the same state; with symmetric weights -s(t)'W s(t-1) falls and the period
is 1 or 2 (Goles-Chacc, Fogelman-Soulie and Pellegrin 1985, Discrete Appl. Math. 12, 261).  At a temperature T a
spin is +1 with probability 1 / (1 + exp(-2 h / T)) (Glauber 1963; all at once: Little 1974).
"""

from __future__ import annotations

import abc
import zlib
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.errors import SettingError
from dynlab.hopfield.machine import Course, Machine, Snapshot
from dynlab.hopfield.patterns import Spins, whole
from dynlab.kernels.convention import OK, RUNNING
from dynlab.names import finite
from dynlab.result import Provenance, Result
from dynlab.seeds import Seed
from dynlab.solve.chunks import in_chunks
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dynlab.hopfield.network import Network

__all__ = ["Asynchronous", "Glauber", "Recall", "Synchronous", "Update", "run_recall"]

Array = NDArray[np.float64]

FIRST_CHUNK = 64


class Update(abc.ABC):
    """How spins are asked."""

    __slots__ = ()

    temperature: float

    @abc.abstractmethod
    def take(self, machine: Machine, course: Course, sites: int) -> int:
        """Ask so many spins; OK at the end of a sweep."""

    @abc.abstractmethod
    def energy(self, machine: Machine, now: Snapshot, before: Snapshot, threshold: float) -> float:
        """Return what these updates lower at temperature zero."""

    @abc.abstractmethod
    def ending(self, machine: Machine, now: Snapshot, course: Course, second: Spins | None) -> int:
        """Return how a sweep ends the run, or RUNNING; `second` is the state before the last."""


def _field_energy(machine: Machine, now: Snapshot, threshold: float) -> float:
    return -machine.product(now, now) / 2 + threshold * int(now.spins.sum(dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Asynchronous(Update):
    """One spin after the other, each once in a sweep, in a new random order each time."""

    @property
    def temperature(self) -> float:  # type: ignore[override]
        """Zero: a spin takes the sign of its field."""
        return 0.0

    def take(self, machine: Machine, course: Course, sites: int) -> int:
        return machine.sweep(0.0, course, sites)

    def energy(self, machine: Machine, now: Snapshot, before: Snapshot, threshold: float) -> float:
        return _field_energy(machine, now, threshold)

    def ending(self, machine: Machine, now: Snapshot, course: Course, second: Spins | None) -> int:
        return OK if course.flips == 0 and machine.is_at_rest() else RUNNING


@dataclass(frozen=True, slots=True)
class Glauber(Update):
    """One spin after the other at a temperature: heat-bath updates, which never come to rest.

    Parameters
    ----------
    temperature
        T > 0, in units of the field: Hebb's rule with few patterns recalls below T = 1.
    """

    temperature: float

    def __post_init__(self) -> None:
        if finite(self.temperature, "the temperature") <= 0:
            raise SettingError(
                f"the temperature is {self.temperature!r}; give a number above 0, or use hopfield.Asynchronous()."
            )

    def take(self, machine: Machine, course: Course, sites: int) -> int:
        return machine.sweep(self.temperature, course, sites)

    def energy(self, machine: Machine, now: Snapshot, before: Snapshot, threshold: float) -> float:
        return _field_energy(machine, now, threshold)

    def ending(self, machine: Machine, now: Snapshot, course: Course, second: Spins | None) -> int:
        return RUNNING


@dataclass(frozen=True, slots=True)
class Synchronous(Update):
    """All spins at once, of the same state.

    Parameters
    ----------
    temperature
        0 for signs; above that by chance, and never at rest.
    """

    temperature: float = 0.0

    def __post_init__(self) -> None:
        if finite(self.temperature, "the temperature") < 0:
            raise SettingError(f"the temperature is {self.temperature!r}; give 0 or more.")

    def take(self, machine: Machine, course: Course, sites: int) -> int:
        return machine.step(self.temperature, course, sites)

    def energy(self, machine: Machine, now: Snapshot, before: Snapshot, threshold: float) -> float:
        both = int(now.spins.sum(dtype=np.int64)) + int(before.spins.sum(dtype=np.int64))
        return -machine.product(now, before) + threshold * both

    def ending(self, machine: Machine, now: Snapshot, course: Course, second: Spins | None) -> int:
        if self.temperature > 0:
            return RUNNING
        if course.flips == 0:
            return OK if machine.is_at_rest() else RUNNING
        if second is not None and np.array_equal(now.spins, second):
            return Status.CYCLE_OF_TWO
        return RUNNING


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Recall(Result):
    """How a state ran, sweep by sweep.

    Attributes
    ----------
    final
        The last state.
    overlaps
        Overlaps m with all patterns, one row at the start and after each sweep.
    energy
        At the start and after each sweep: E = -s'Ws/2 + theta sum s; for synchronous updates
        -s(t)'W s(t-1) + theta sum (s(t) + s(t-1)), at the start with s(0) twice.  With weights that are not
        symmetric it may rise.
    flips
        How many spins turned in each sweep; 0 at the start.
    status
        OK at a fixed point (or after all sweeps at a temperature), `Status.CYCLE_OF_TWO`,
        `Status.SWEEP_LIMIT` or `Status.STOPPED`.
    provenance
        Where it came from.
    """

    final: Spins
    overlaps: Array
    energy: Array
    flips: NDArray[np.int64]
    status: Status
    provenance: Provenance

    @property
    def sweeps(self) -> int:
        """How many sweeps were run."""
        return len(self.energy) - 1

    @property
    def is_fixed_point(self) -> bool:
        """Whether no spin turned in the last sweep, without temperature."""
        return self.status == Status.OK and self.provenance.settings["method"].temperature == 0

    @property
    def nearest(self) -> int | None:
        """Which pattern the last state is nearest to; None if the network has none."""
        last = self.overlaps[-1]
        return int(np.argmax(last)) if last.size else None

    @property
    def overlap(self) -> float:
        """The overlap of the last state with the nearest pattern; 0 if the network has none."""
        return float(self.overlaps[-1].max(initial=-1.0)) if self.overlaps.shape[1] else 0.0

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return sweep, energy, flips and the overlaps as columns."""
        columns: dict[str, NDArray[Any]] = {
            "sweep": np.arange(self.sweeps + 1), "energy": self.energy, "flips": self.flips,
        }  # fmt: skip
        return columns | {f"m[{p}]": column for p, column in enumerate(self.overlaps.T)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the overlaps with all patterns against the sweep."""
        from dynlab import plotting

        return plotting.draw_recall(ax, self.overlaps, self.nearest)

    def plot_energy(self, ax: Axes | None = None) -> Axes:
        """Draw the energy against the sweep."""
        from dynlab import plotting

        return plotting.draw_descent(ax, np.arange(self.sweeps + 1), self.energy)

    def __repr__(self) -> str:
        near = "" if self.nearest is None else f"m = {self.overlap:.4f} with pattern {self.nearest}"
        return (
            f"<recall of {len(self.final)} spins: {self.status} after {self.sweeps} sweeps;\n"
            f" {near}, energy {self.energy[-1]:.6g}>"
        )


@dataclass(slots=True, eq=False)
class _Record:
    """What is kept of a run at the end of each sweep."""

    states: list[Snapshot]
    overlaps: list[Array]
    energy: list[float]
    flips: list[int]

    def add(self, now: Snapshot, energy: float, flips: int) -> None:
        self.states = [*self.states[-1:], now]
        self.overlaps.append(now.overlaps / len(now.spins))
        self.energy.append(energy)
        self.flips.append(flips)


def run_recall(
    machine: Machine, network: Network, method: Update, sweeps: int, seed: Seed
) -> Recall:
    """Let a machine that holds the start run; see `dynlab.hopfield.Network.recall`."""
    began, threshold, sweeps = perf_counter(), network.threshold, whole(sweeps, "sweeps")
    start = machine.snapshot()
    course = Course.of(len(start.spins), seed.stream(zlib.crc32(b"recall")))
    record = _Record([], [], [], [])
    record.add(start, method.energy(machine, start, start, threshold), 0)

    def take(sites: int) -> int:
        if method.take(machine, course, sites) == RUNNING:
            return RUNNING
        now, before = machine.snapshot(), record.states[-1]
        second = record.states[-2].spins if len(record.states) > 1 else None
        record.add(now, method.energy(machine, now, before, threshold), course.flips)
        ended = method.ending(machine, now, course, second)
        if ended != RUNNING or len(record.flips) <= sweeps:
            return ended
        return Status.SWEEP_LIMIT if method.temperature == 0 else OK

    status = in_chunks(take, lambda: len(record.flips) - 1.0, sweeps, "recall", FIRST_CHUNK)
    settings = {"method": method, "sweeps": sweeps}
    return Recall(
        machine.snapshot().spins, np.array(record.overlaps), np.array(record.energy),
        np.array(record.flips), status,
        Provenance.of_chance("recall", network, settings, seed=seed, began=began),
    )  # fmt: skip
