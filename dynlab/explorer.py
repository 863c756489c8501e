"""explore: a system under one's hands in a notebook, with a slider for each parameter."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dynlab.equilibria.find import find_near
from dynlab.equilibria.stability import Equilibrium
from dynlab.errors import DynlabError, MissingExtraError, SettingError, UnknownNameError
from dynlab.names import Layout, by_name, finite
from dynlab.solve.integrate import integrate
from dynlab.solve.iterate import iterate
from dynlab.solve.trajectory import Trajectory
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Explorer", "Sight", "explore"]

_DURATION, _STEPS = 100.0, 200
#: What is laid out for the eye.
_MOST_STATES = 50


def explore(
    system: System,
    *,
    over: Mapping[str, tuple[float, float]] | None = None,
    start: Mapping[str, float] | None = None,
    duration: float | None = None,
    show: Sequence[str] | None = None,
) -> Explorer:
    """Show a system in a notebook with a slider for each parameter: orbit, time series and eigenvalues, live.

    A slider moves data, so nothing is compiled when it moves.

    Parameters
    ----------
    system
        A flow or a map with numbers for parameters.
    over
        Range of the slider of a parameter; those left out get twice their value, or -1 to 1 about zero.
    start
        States at t = 0, by name; those not given start from the system's defaults.
    duration
        How long to run, 100 units of time or 200 steps if left out.
    show
        The two states of the plane; the first two if left out.

    Returns
    -------
    Explorer
        What a notebook shows; ``explorer.system`` is the system as the sliders stand.

    Raises
    ------
    MissingExtraError
        If ipywidgets is not installed (extra ``notebook``).
    SettingError, UnknownNameError
        If a range, start or name cannot be used.

    Examples
    --------
    >>> import dynlab as dl
    >>> explorer = dl.explore(dl.zoo.fitzhugh_nagumo, over={"I": (0, 2)})  # doctest: +SKIP
    """
    return Explorer(system, (by_name(over, "over"), start, duration, show))


@dataclass(frozen=True, slots=True)
class Sight:
    """A system at one setting of its sliders.

    Attributes
    ----------
    run
        The orbit from the start.
    rest
        An equilibrium near by, or None.
    """

    run: Trajectory
    rest: Equilibrium | None

    @classmethod
    def of(cls, system: System, start: Mapping[str, float] | None, duration: float) -> Sight:
        """Run a system and look for the equilibrium that it goes to or goes round."""
        if system.is_discrete:
            run = iterate(system, start=start, duration=int(duration))
        else:
            run = integrate(system, start=start, duration=duration)
        if not system.is_autonomous:
            return cls(run, None)  # nothing rests
        second = run.values[len(run.values) // 2 :]
        guesses = (run.values[-1], np.mean(second, axis=0), np.array(system.start_values))
        found = (find_near(system, guess) for guess in guesses if np.all(np.isfinite(guess)))
        return cls(run, next((point for point in found if point is not None), None))

    def draw(self, x: str, y: str) -> Axes:
        """Draw the plane of two states, the time series and the eigenvalues."""
        from dynlab import plotting
        from dynlab.plotting.explorer import explorer_axes, without_legends

        system = self.run.system
        plane, series, spectrum = explorer_axes(
            (plotting.label(x, system.unit_of(x)), plotting.label(y, system.unit_of(y)))
        )
        self.run.portrait(plane, x=x, y=y)
        self.run.plot(series, show=[x] if x == y else [x, y])
        if self.rest is not None:
            plotting.draw_equilibria(plane, [self.rest[x]], [self.rest[y]], [self.rest.kind])
            draw = (
                plotting.draw_multiplier_plane
                if system.is_discrete
                else plotting.draw_eigenvalue_plane
            )
            draw(spectrum, self.rest.eigenvalues)
        without_legends(plane, spectrum)
        return plane


class Explorer:
    """Sliders and the picture they move; a notebook shows it. Not frozen: it is moved by hand.

    Attributes
    ----------
    system
        The system as the sliders stand.
    sliders
        The slider of each parameter, by name.
    picture
        The image.
    note
        What there is to say of it.
    """

    def __init__(self, system: System, asked: tuple[Any, ...]) -> None:
        widgets = _widgets()
        over, start, duration, show = asked
        self.system = system
        self._start = start
        self._plane = _plane(system, show)
        Layout.of(system).pack(start, system.start_values)  # a wrong start is said here
        span = _STEPS if system.is_discrete else _DURATION
        span = span if duration is None else finite(duration, "duration")
        if span <= 0:
            raise SettingError(f"duration is {span:g}; give a positive time.")
        for name in over:
            if name not in system.parameter_names:
                raise UnknownNameError(
                    f"parameter of {system.name!r}", name, system.parameter_names
                )
        self.sliders = {
            name: _slider(widgets, name, float(system[name]), over.get(name))
            for name in system.parameter_names
        }
        self.duration = widgets.FloatLogSlider(
            value=span, min=np.log10(span) - 2, max=np.log10(span) + 2, description="duration"
        )
        self.picture = widgets.Image(format="png")
        self.note = widgets.HTML()
        controls = widgets.VBox([*self.sliders.values(), self.duration, self.note])
        self.box = widgets.HBox([self.picture, controls])
        for slider in (*self.sliders.values(), self.duration):
            slider.observe(self._moved, names="value")
        self._moved(None)

    def _moved(self, _: Any) -> None:
        from dynlab import plotting
        from dynlab.plotting.explorer import png_of

        self.system = self.system(**{name: s.value for name, s in self.sliders.items()})
        try:
            sight = Sight.of(self.system, self._start, self.duration.value)
            axes = sight.draw(*self._plane)
        except DynlabError as error:
            self.note.value = _said(str(error))
            return
        self.picture.value = png_of(axes)
        plotting.close_figure(axes)
        rest = "no equilibrium near by" if sight.rest is None else repr(sight.rest)
        self.note.value = _said(f"{sight.run.status}; {rest}")

    def _repr_mimebundle_(self, **settings: Any) -> Any:
        return self.box._repr_mimebundle_(**settings)

    def __repr__(self) -> str:
        return f"<explorer of {self.system.name}: {', '.join(self.sliders)}>"


def _widgets() -> Any:
    try:
        import ipywidgets
    except ImportError:
        raise MissingExtraError("ipywidgets", "notebook", "explore()") from None
    return ipywidgets


def _slider(widgets: Any, name: str, value: float, given: Any) -> Any:
    low, high = _range(name, value, given)
    return widgets.FloatSlider(
        value=value,
        min=low,
        max=high,
        step=(high - low) / 200,
        description=name,
        readout_format=".4g",
    )


def _range(name: str, value: float, given: Any) -> tuple[float, float]:
    if given is None:
        return (-1.0, 1.0) if value == 0 else (min(0.0, 2 * value), max(0.0, 2 * value))
    try:
        low, high = (finite(end, f"over[{name!r}]") for end in given)
    except (TypeError, ValueError) as error:
        raise SettingError(f"over[{name!r}] is {given!r}; give a range (low, high).") from error
    if not low <= value <= high or low == high:
        raise SettingError(
            f"over[{name!r}] is ({low:g}, {high:g}), and {name!r} is {value:g}. Give a range that holds it."
        )
    return low, high


def _plane(system: System, show: Sequence[str] | None) -> tuple[str, str]:
    """Return the states of the plane; one state is drawn against itself in time alone."""
    names = system.state_names
    if len(names) > _MOST_STATES or system.is_indexed:
        raise SettingError(
            f"{system.name!r} has {len(names)} states; the explorer shows systems of up to {_MOST_STATES}, without nodes."
        )
    if show is None:
        return names[0], names[min(1, len(names) - 1)]
    if isinstance(show, str) or len(show) != 2:
        raise SettingError(f"show is {show!r}; give two states, such as {names[:2]}.")
    for name in show:
        Layout.of(system).state(name)
    return show[0], show[1]


def _said(text: str) -> str:
    return f'<pre style="white-space:pre-wrap">{html.escape(text)}</pre>'
