"""What a kernel is given beside the time and the state."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.loops import slots
from dynlab.errors import UnsupportedSystemError
from dynlab.symbolic.system import System

__all__ = ["Inputs", "inputs_of"]


class Inputs(NamedTuple):
    """The arrays z, p, d, k and w of the calling convention, in that order."""

    supplied: NDArray[np.float64]
    parameters: NDArray[np.float64]
    arrays: NDArray[np.float64]
    sizes: NDArray[np.int64]
    workspace: NDArray[np.float64]


def inputs_of(system: System) -> Inputs:
    """Return a system's parameter values, and its network where it has one."""
    values = np.array(system.parameter_values or (0.0,))
    if not system.is_indexed:
        return Inputs(np.zeros(1), values, np.zeros(1), np.zeros(1, np.int64), np.zeros(1))
    arrays, sizes = _network_arrays(system)
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
    names = slots(system)
    tails: list[NDArray[np.int64]] = []
    place = len(names)
    for links in bound.links:
        pair = f"{links.target} {links.source}"
        found[f"count {pair}"] = links.count
        found[f"full {pair}"] = int(links.is_full(bound.sizes[links.source]))
        parts = {"first": links.first, "sources": links.sources, "targets": links.targets}
        for word, part in parts.items():
            found[f"{word} {pair}"] = place
            tails.append(part)
            place += len(part)
    head = np.array([found[name] for name in names], np.int64)
    return np.concatenate([*arrays, np.zeros(1)]), np.concatenate([head, *tails])
