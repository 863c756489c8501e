"""A state and small deviations from it, carried along a flow together.

The variational equation is integrated beside the state by the explicit method of order 8, with the exact
Jacobian and one step size for both (`dynlab.kernels.variational`).  Cost: n + n^2 numbers per step.  On stiff
systems it takes very many steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab.codegen.inputs import Inputs, inputs_of
from dynlab.codegen.kernels import Kernel, kernels_of
from dynlab.kernels.convention import RUNNING
from dynlab.solve.chunks import in_chunks
from dynlab.solve.methods import Explicit8
from dynlab.status import Status
from dynlab.symbolic.system import System

__all__ = ["Carried", "VariationalFlow"]

Array = NDArray[np.float64]
_FIRST_STEPS = 200


class Carried(NamedTuple):
    """Where a state is after some time, what became of deviations in units of the states, and of volume.

    The deviations are in factors, the first of which acts first; `divergence` is the logarithm of the
    determinant of their product.
    """

    status: Status
    state: Array
    factors: list[Array]
    divergence: float


@dataclass(frozen=True, slots=True)
class VariationalFlow:
    """A flow and its variational equation.

    Parameters
    ----------
    system
        The flow.
    units
        The unit of each state, in which deviations are measured.
    method
        The explicit method, with its tolerances.
    """

    system: System
    units: Array
    method: Explicit8
    _alive: tuple[Kernel, ...] = field(init=False, repr=False)
    _inputs: Inputs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        kernels, own = kernels_of(self.system), inputs_of(self.system)
        alive = kernels.rhs, kernels.jacobian()
        n = len(self.units)
        head = np.array([n, *(kernel.address for kernel in alive)], np.int64)
        space = np.concatenate([self.units, np.zeros(n * n), own.workspace])
        object.__setattr__(self, "_alive", alive)
        object.__setattr__(self, "_inputs", own._replace(
            sizes=np.concatenate([head, own.sizes]), workspace=space))  # fmt: skip

    def slope(self, state: Array) -> Array:
        """Return the rate of change of the states."""
        return self._alive[0](0.0, state, self._inputs.parameters).copy()

    def carry(self, state: Array, duration: float, *, pieces: int = 1) -> Carried:
        """Carry a state and its deviations over some time, in pieces that make a factor each."""
        now, factors, total, step = state, [], 0.0, 0.0
        for _ in range(pieces if duration else 0):
            status, end, step = self._run(now, duration / pieces, step)
            n = len(now)
            now = end[:n]
            factors.append(end[n:-1].reshape(n, n))
            total += float(end[-1])
            if status is not Status.OK:
                return Carried(status, now, factors, total)
        return Carried(Status.OK, now, factors, total)

    def _run(self, state: Array, span: float, step: float) -> tuple[Status, Array, float]:
        """Integrate over a time; return how it ended, the end, and the step that would come next."""
        from dynlab.kernels import variational

        loops, n = self.method.loops, len(state)
        place = np.zeros(loops.STATE_SIZE)
        tally = np.zeros(loops.TALLY_SIZE, np.int64)
        work = np.zeros((loops.WORK_ROWS, n + n * n + 1))
        place[loops.END], place[loops.STEP] = span, min(abs(step), abs(span))
        place[loops.RTOL], place[loops.ATOL] = self.method.rtol, max(self.method.atol, loops.TINY)
        tally[loops.MOST_ATTEMPTS], tally[loops.CHOICE] = self.method.max_steps, self.method.choice
        work[loops.X] = np.concatenate([state, np.eye(n).ravel(), [0.0]])
        arguments = (variational.rule.address, place, tally, work, *self._inputs)
        status = Status(loops.begin(*arguments))
        if status == RUNNING:
            status = in_chunks(
                lambda steps: int(loops.advance(*arguments, steps)),
                lambda: abs(float(place[loops.T])), abs(span), "variational equation", _FIRST_STEPS,
            )  # fmt: skip
        return status, work[loops.X].copy(), float(place[loops.STEP])
