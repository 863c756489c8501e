"""orbit_diagram: where orbits go, for many values of a parameter.

For each value an orbit of a map is followed from the same start; what it visits after a transient is kept
(May 1976, Nature 261, 459, figure 4).  A flow is looked at through a section.  Columns are independent, so they
run on all cores and depend on nothing but their own value.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dynlab import progress
from dynlab.codegen.inputs import inputs_of
from dynlab.codegen.kernels import kernels_of
from dynlab.errors import SettingError, UnknownNameError
from dynlab.kernels.convention import OK
from dynlab.names import Layout, finite
from dynlab.result import Provenance, Result
from dynlab.solve.threads import on_threads
from dynlab.status import Status
from dynlab.symbolic.dynamics import Discrete, Dynamics, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["OrbitDiagram", "orbit_diagram"]

Array = NDArray[np.float64]

#: So many steps stand between two looks at the stop flag: some milliseconds of a map, half a second of a section.
STEPS = 10_000
#: Values over a range.
SIZE = 1000
MOST_NUMBERS = 10**9


class Found(NamedTuple):
    """The states kept by value, step and position, and how each orbit ended."""

    states: Array
    ended: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class OrbitDiagram(Result):
    """What orbits visit, for many values of a parameter.

    Attributes
    ----------
    system
        The map; its own value of the parameter is not used.
    vary
        The parameter.
    values
        Its values.
    states
        States by value, step and position; ``diagram["x"]`` is one state, a row of steps for each value.
        nan where the orbit had ended.
    ended
        How each orbit ended, as numbers of `Status`.
    status
        How the computation ended.
    provenance
        Where the result came from.
    """

    system: Any
    vary: str
    values: Array
    states: Array
    ended: NDArray[np.int64]
    status: Status
    provenance: Provenance

    def __getitem__(self, name: str) -> Array:
        """Return a state, a row of steps for each value; of a section also the state that it fixes."""
        system = self.system
        place = system.place_of(name)
        if isinstance(place, int):
            return self.states[:, :, place]
        fixed = getattr(system, "fixed", None)
        if name == fixed and name in system.observable_names:
            return _fixed_state(system, self.vary, self.values, self.states)
        known = (*system.state_names, *([fixed] if fixed in system.observable_names else []))
        raise UnknownNameError(f"state of this diagram of {system.name!r}", name, known)

    def to_table(self) -> dict[str, NDArray[Any]]:
        """Return one row for each value and step."""
        steps = self.states.shape[1]
        columns = {self.vary: np.repeat(self.values, steps)}
        return columns | {name: self[name].ravel() for name in self.system.state_names}

    def plot(self, ax: Axes | None = None, *, show: str | None = None) -> Axes:
        """Draw how often each place is visited, darker where an orbit comes often.

        Parameters
        ----------
        ax
            Axes to draw into; None makes a figure.
        show
            The state; the first one if left out.
        """
        from dynlab.plotting import draw_orbit_density, label

        name = self.system.state_names[0] if show is None else show
        labels = tuple(label(n, self.system.unit_of(n)) for n in (self.vary, name))
        return draw_orbit_density(ax, self.values, self[name], labels=(labels[0], labels[1]))

    def __repr__(self) -> str:
        lost = int(np.sum(self.ended != OK))
        words = f", {lost} orbits ended early" if lost else ""
        return (
            f"<orbit diagram of {self.system.name} in {self.vary} from {self.values[0]:.6g} to "
            f"{self.values[-1]:.6g}: {len(self.values)} values, {self.states.shape[1]} steps each{words};\n"
            f" {self.status}>"
        )


def orbit_diagram(
    system: Dynamics, *, vary: str, over: Sequence[float],
    start: Mapping[str, float] | None = None, transient: int = 500, duration: int = 200,
) -> OrbitDiagram:  # fmt: skip
    """Follow an orbit for each of many values of a parameter, and keep where it goes in the end.

    Parameters
    ----------
    system
        A map, or a section of a flow: `poincare_map`, `stroboscopic_map`, `maxima_map`.
    vary
        The parameter.
    over
        Its range, two numbers, for 1000 values evenly over it; or the values themselves, more than two.
    start
        Where every orbit starts, by name; what is left out from the default start.
    transient, duration
        Steps to leave out, and to keep.

    Returns
    -------
    OrbitDiagram
        The states kept; ``plot()`` draws them.  An orbit that diverges or does not return has nan from there
        on, and ``ended`` says why.

    Raises
    ------
    UnsupportedSystemError
        If the system is a flow.
    SettingError
        If the range is empty, or a count cannot be used.
    UnknownNameError
        If the parameter or a state does not exist.

    Examples
    --------
    >>> import dynlab as dl
    >>> diagram = dl.orbit_diagram(dl.zoo.logistic, vary="r", over=(2.8, 4.0), duration=100)
    >>> diagram["x"].shape
    (1000, 100)

    References
    ----------
    May 1976, Nature 261, 459.
    """
    require(system, Discrete)
    began = time.perf_counter()
    layout = Layout.of(system)
    place = layout.parameter(vary)
    values = _values(vary, over)
    before, kept = _count(transient, "transient", 0), _count(duration, "duration", 1)
    begin = layout.pack(start, system.start_values)
    if len(values) * kept * len(begin) > MOST_NUMBERS:
        raise SettingError(
            f"{len(values)} values with {kept} steps of {len(begin)} states would fill the memory. Take "
            "fewer values or a shorter duration."
        )
    out, ended = np.full((len(values), kept, len(begin)), np.nan), np.full(len(values), -1)
    status = _fill(system, place, values, begin, before, Found(out, ended))
    ended[ended < 0] = Status.STOPPED
    settings = {
        "vary": vary, "over": (float(values[0]), float(values[-1])), "size": len(values),
        "transient": before, "duration": kept,
    }  # fmt: skip
    return OrbitDiagram(
        system, vary, values, out, ended, status,
        Provenance("orbit_diagram", system, settings, seconds=time.perf_counter() - began),
    )  # fmt: skip


def _fill(
    system: Dynamics, place: int, values: Array, begin: Array, transient: int, found: Found
) -> Status:
    """Fill the columns on all cores."""
    from dynlab.kernels.maps import WORK_ROWS
    from dynlab.kernels.orbit_columns import columns

    out, ended = found
    rule = kernels_of(system).rhs.address
    each = max(1, STEPS // (transient + out.shape[1]))
    blocks = [slice(k, k + each) for k in range(0, len(values), each)]

    def piece(block: slice) -> None:
        if not progress.tick(block.start, len(values), "orbit diagram"):
            return
        work = np.zeros((WORK_ROWS, len(begin)))
        columns(rule, place, values[block], begin, transient, work, *inputs_of(system), out[block],
                ended[block])  # fmt: skip

    return on_threads(
        [functools.partial(piece, block) for block in blocks],
        lambda: float(np.sum(ended >= 0)), len(values), "orbit diagram",
    )  # fmt: skip


def _values(vary: str, over: Any) -> Array:
    """Return the values of the parameter."""
    try:
        given = np.array([finite(v, f"a value of {vary!r}") for v in over])
    except TypeError:
        raise SettingError(
            f"the range of {vary!r} is {over!r}; give two numbers, such as (0, 2)."
        ) from None
    if len(given) > 2:
        return given
    if len(given) < 2 or given[0] == given[1]:
        raise SettingError(f"the range of {vary!r} is {over!r}; give two different ends.")
    low, high = sorted(float(v) for v in given)
    return np.linspace(low, high, SIZE)


def _count(value: Any, what: str, least: int) -> int:
    number = finite(value, what)
    if number < least or number != int(number):
        raise SettingError(f"{what} is {value!r}; give a whole number, at least {least}.")
    return int(number)


def _fixed_state(section: Any, vary: str, values: Array, states: Array) -> Array:
    """Return the state that a section fixes, at points for each value of a parameter."""
    from dynlab.kernels.dense import call_each

    kernel, out = kernels_of(section).fixed_state, np.empty(states.shape[:2])  # type: ignore[attr-defined]
    times = np.zeros(states.shape[1])
    for row, value in enumerate(values):
        column = np.empty((states.shape[1], 1))
        call_each(kernel.address, times, np.ascontiguousarray(states[row]),
                  *inputs_of(section(**{vary: float(value)})), column)  # fmt: skip
        out[row] = column[:, 0]
    return out
