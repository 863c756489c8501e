"""What a kernel is given beside the time and the state."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.loops import delivering, slots
from dynlab.errors import SettingError, UnsupportedSystemError
from dynlab.kernels.recorded import WIDTH
from dynlab.recording import Recording
from dynlab.symbolic.dynamics import Dynamics
from dynlab.symbolic.signals import Signal
from dynlab.symbolic.system import System

__all__ = ["Inputs", "inputs_of", "signal_place"]


class Inputs(NamedTuple):
    """The arrays z, p, d, k and w of the calling convention, in that order."""

    supplied: NDArray[np.float64]
    parameters: NDArray[np.float64]
    arrays: NDArray[np.float64]
    sizes: NDArray[np.int64]
    workspace: NDArray[np.float64]


@functools.singledispatch
def inputs_of(system: Dynamics) -> Inputs:
    """Return a system's parameter values, and its network where it has one."""
    raise UnsupportedSystemError(f"{type(system).__name__} has no kernels. Give a system.")


@inputs_of.register
def _(system: System) -> Inputs:
    values = np.array(system.parameter_values or (0.0,))
    if not (system.is_indexed or system.signals):
        return Inputs(np.zeros(1), values, np.zeros(1), np.zeros(1, np.int64), np.zeros(1))
    arrays, sizes = _network_arrays(system) if system.is_indexed else _signal_arrays(system)
    return Inputs(np.zeros(1), values, arrays, sizes, np.zeros(1))


@functools.lru_cache(maxsize=64)
def _network_arrays(system: System) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return d, the values per node and link one after another, and k, the integers of `slots`.

    Both are shared by everyone who asks; kernels read them and never write.
    """
    bound = system.bound
    if bound is None:
        raise UnsupportedSystemError(
            f"{system.name!r} is not bound to a network. Bind it with .on."
        )
    found: dict[str, int] = {"n": len(system.state_names)}
    found |= {f"n {name}": size for name, size in bound.sizes.items()}
    found |= {f"x {name}": block.start for name, block in system.blocks.items()}
    arrays: list[NDArray[np.float64]] = []
    place = 0
    for p in system.parameters:
        if p.shape:
            arrays.append(np.asarray(system[p.name], float))
            found[f"d {p.name}"] = place
            place += len(arrays[-1])
    for signal in system.signals:
        data, integers = _piecewise(signal, system.name, place)
        found |= {f"signal {j} {signal.name}": number for j, number in enumerate(integers)}
        arrays.append(data)
        place += len(data)
    by_source = delivering(system)
    names = slots(system)
    tails: list[NDArray[np.int64]] = []
    place = len(names)
    for links in bound.links:
        pair = f"{links.target} {links.source}"
        found[f"count {pair}"] = links.count
        found[f"full {pair}"] = int(links.is_full(bound.sizes[links.source]))
        parts = {"first": links.first, "sources": links.sources, "targets": links.targets}
        if (links.target, links.source) in by_source:
            count = np.bincount(links.sources, minlength=bound.sizes[links.source])
            parts["outgoing"] = np.concatenate([[0], np.cumsum(count)])
            parts["reached"] = np.argsort(links.sources, kind="stable")
        for word, part in parts.items():
            found[f"{word} {pair}"] = place
            tails.append(part)
            place += len(part)
    head = np.array([found[name] for name in names], np.int64)
    return np.concatenate([*arrays, np.zeros(1)]), np.concatenate([head, *tails])


def signal_place(system: System, name: str) -> int:
    """Return where the integers of a signal begin in ``k``; see `dynlab.kernels.recorded`."""
    if system.is_indexed:
        return slots(system).index(f"signal 0 {name}")
    return WIDTH * system.signal_names.index(name)


@functools.lru_cache(maxsize=64)
def _signal_arrays(system: System) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return d and k of a system without indices: its signals one after another."""
    arrays: list[NDArray[np.float64]] = []
    sizes: list[int] = []
    place = 0
    for signal in system.signals:
        data, integers = _piecewise(signal, system.name, place)
        arrays.append(data)
        sizes += integers
        place += len(data)
    return np.concatenate(arrays), np.array(sizes, np.int64)


def _piecewise(
    signal: Signal, system: str, place: int
) -> tuple[NDArray[np.float64], tuple[int, int, int, int]]:
    """Return a signal's numbers and its integers, if the numbers begin at a place in d."""
    recording = signal.recording
    if recording is None and signal.value is None:
        raise SettingError(
            f"the signal {signal.name!r} of {system!r} has no recording. Bind one: "
            f"{system}.with_signal({signal.name}=dl.Recording(times, values))."
        )
    if recording is None:
        recording = Recording(np.array([0.0, 1.0]), np.full(2, signal.value)).held()
    pieces = recording.pieces
    data = np.concatenate([recording.times, pieces.ravel()])
    return data, (place, len(pieces), pieces.shape[1], int(recording.beyond))
