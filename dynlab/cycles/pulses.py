"""PulseResponse: the phase after a kick of finite size against the phase before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.cycles.cycle import Cycle
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PulseResponse"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PulseResponse(Result):
    """How a kick of finite size resets a cycle: the direct method.

    Parameters
    ----------
    cycle
        The cycle.
    kick
        By how much each state named jumps.
    phases
        Phases of the kick, parts of the period from 0 to 1.
    new_phases
        The asymptotic phases just after it; nan where the state does not come back to the cycle.
    predicted
        What the gradient of the phase predicts for the shift, in the system's time: right for small kicks.
    provenance
        Where it came from.
    """

    cycle: Cycle
    kick: Mapping[str, float]
    phases: Vector
    new_phases: Vector
    predicted: Vector
    provenance: Provenance

    @property
    def shift(self) -> Vector:
        """By how much time the kick advances the cycle (positive) or delays it, up to half a period."""
        turns = np.mod(self.new_phases - self.phases + 0.5, 1.0) - 0.5
        return np.asarray(turns * self.cycle.period)

    @property
    def resetting_type(self) -> int:
        """How often the new phase goes round while the old one goes round once.

        Type 1 (weak resetting) for small kicks; type 0 (strong resetting) once the kicked cycle no longer
        winds round the phaseless set (Winfree 1980, The Geometry of Biological Time).
        """
        steps = np.diff(np.append(self.new_phases, self.new_phases[0]))
        return int(np.round(np.nansum(np.mod(steps + 0.5, 1.0) - 0.5)))

    @property
    def status(self) -> Status:
        """`Status.OK` if every kicked state came back to the cycle."""
        return Status.NOT_CONVERGED if np.any(np.isnan(self.new_phases)) else Status.OK

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return phase, new phase, shift and its prediction as columns."""
        return {
            "phase": self.phases, "new phase": self.new_phases, "shift": self.shift,
            "predicted shift": self.predicted,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the shift against the phase of the kick, and dashed what the gradient predicts."""
        from dynlab import plotting

        unit = self.cycle.system.time.unit
        ax = plotting.new_axes(
            ax, xlabel="phase of the kick", ylabel=plotting.label("advance", unit)
        )
        plotting.draw_resetting(ax, self.phases, self.shift, self.predicted, _kicked(self.kick))
        return ax

    def __repr__(self) -> str:
        shift = self.shift
        return (
            f"<response of the cycle of {self.cycle.system.name} to a kick {_kicked(self.kick)}: "
            f"type {self.resetting_type},\n shift from {np.nanmin(shift):.6g} to "
            f"{np.nanmax(shift):.6g}, {self.status}>"
        )


def _kicked(kick: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+g}" for name, value in kick.items())
