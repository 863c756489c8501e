"""What a kernel is given beside the time and the state."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    """Return a system's parameter values, and empty arrays for the parts that it does not have."""
    return Inputs(
        np.zeros(1),
        np.array(system.parameter_values or (0.0,)),
        np.zeros(1),
        np.zeros(1, np.int64),
        np.zeros(1),
    )
