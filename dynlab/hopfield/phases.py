"""phase_diagram: what a Hopfield network does at each load and temperature.

Four lines (Amit, Gutfreund and Sompolinsky 1987, section 4 and figure 2), all of the replica symmetric theory:

T_g = 1 + sqrt(alpha)  paramagnet above, spin glass below;
T_M                    the patterns are recalled below, as local minima of the free energy;
T_c                    below, recall has a lower free energy than the spin glass: global minima;
T_R                    below, replica symmetry of the recalled states is unstable (de Almeida and Thouless); close to 0.

The last three are given as loads at each temperature: T_M is reentrant, so it has two temperatures at loads
between 0.1379 and 0.1382, but one load at each temperature (Naef and Canning 1992, J. Physique I 2, 247; with
broken symmetry the line does not turn back).
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from dynlab.errors import SettingError
from dynlab.hopfield.saddle_point import State, glass, on_branch
from dynlab.hopfield.theory import (
    HOTTEST,
    checked_loads,
    checked_temperature,
    critical_load,
    critical_state,
)
from dynlab.result import Provenance, Result
from dynlab.status import Status

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PhaseDiagram", "phase_diagram"]

Array = NDArray[np.float64]

#: Temperatures of the lines: close together at 0, where the line of broken symmetry lives.
_TEMPERATURES = np.concatenate(
    [[0.0], np.geomspace(1e-3, 0.08, 24), np.linspace(0.1, 0.98, 45), [0.99, 0.995, 0.999]]
)
#: Shares of the noise at the fold between which the free energies cross.
_CROSSING = (0.05, 1.0)
_XTOL = 1e-15


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class PhaseDiagram(Result):
    """The lines between the phases of the Hopfield model.

    Attributes
    ----------
    temperatures
        Temperatures, the first may be 0; all below 1.
    recall
        The largest load with recall, the line T_M.
    ground
        The largest load at which recall is the global minimum, the line T_c.
    symmetric
        The largest load at which recalled states keep replica symmetry: the line T_R up to about 0.024, equal to
        `recall` above.
    status
        How the computation ended.
    provenance
        Where the result came from.
    """

    temperatures: Array
    recall: Array
    ground: Array
    symmetric: Array
    status: Status
    provenance: Provenance

    def glass_temperature(self, loads: ArrayLike) -> Array:
        """Return T_g = 1 + sqrt(alpha), below which the paramagnet becomes a spin glass."""
        return np.asarray(1.0 + np.sqrt(checked_loads(loads)))

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return the loads of the lines at each temperature."""
        return {
            "temperature": self.temperatures, "recall": self.recall, "ground": self.ground,
            "symmetric": self.symmetric,
        }  # fmt: skip

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the phases in the plane of load and temperature."""
        from dynlab import plotting

        return plotting.draw_recall_phases(
            ax, self.temperatures, (self.recall, self.ground, self.symmetric)
        )

    def __repr__(self) -> str:
        return (
            f"<phase diagram of the Hopfield model: {len(self.temperatures)} temperatures from "
            f"{self.temperatures.min():.4g} to {self.temperatures.max():.4g};\n at the lowest recall ends at load "
            f"{self.recall[0]:.6g}, as global minimum at {self.ground[0]:.6g}>"
        )


def phase_diagram(*, temperatures: ArrayLike | None = None) -> PhaseDiagram:
    """Return the lines between recall, spin glass and paramagnet in the plane of load and temperature.

    Parameters
    ----------
    temperatures
        Temperatures below 1; a grid of 73 if None.

    Returns
    -------
    PhaseDiagram
        The loads of each line, exact to about 1e-10.

    Raises
    ------
    SettingError
        If a temperature is negative, not finite, or not below 0.9999.

    Examples
    --------
    >>> from dynlab import hopfield
    >>> lines = hopfield.phase_diagram(temperatures=[0.0, 0.5])
    >>> lines.recall.round(4), lines.ground.round(4)
    (array([0.1379, 0.0588]), array([0.0519, 0.0281]))
    >>> lines.glass_temperature(0.04)
    array([1.2])

    References
    ----------
    Amit, Gutfreund and Sompolinsky 1987, Annals of Physics 173, 30.
    """
    began = time.perf_counter()
    given = (
        _TEMPERATURES if temperatures is None else np.atleast_1d(np.asarray(temperatures, float))
    )
    values = np.array([checked_temperature(float(t)) for t in given])
    if not values.size or values.max() > HOTTEST:
        raise SettingError(
            f"the temperatures are {temperatures!r}; give numbers from 0 to {HOTTEST}, below which there is recall."
        )
    lines = np.array(
        [(critical_load(t).value, _ground(float(t)), _symmetric(float(t))) for t in values]
    )
    settings = {"temperatures": (float(values.min()), float(values.max()))}
    return PhaseDiagram(
        values, lines[:, 0], lines[:, 1], lines[:, 2], Status.OK,
        Provenance("phase_diagram", None, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip


def _ground(temperature: float) -> float:
    """Return the load at which recall and spin glass have the same free energy."""
    fold = critical_state(temperature)

    def difference(share: float) -> float:
        here = on_branch(share * fold.noise, temperature)
        other = glass(here.load, temperature)
        return here.free_energy - (other.free_energy if other is not None else 0.0)

    share = float(brentq(difference, *_CROSSING, xtol=_XTOL))
    return on_branch(share * fold.noise, temperature).load


def _symmetric(temperature: float) -> float:
    """Return the load up to which recalled states keep replica symmetry."""
    fold = critical_state(temperature)
    if temperature == 0.0:
        return 0.0
    if fold.symmetric >= 0.0:
        return fold.load

    def margin(share: float) -> float:
        return on_branch(share * fold.noise, temperature).symmetric

    share = float(brentq(margin, 1e-3, 1.0, xtol=_XTOL))
    state: State = on_branch(share * fold.noise, temperature)
    return state.load
