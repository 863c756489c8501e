r"""stochastic_resonance: how much of a weak rhythm noise of each strength lets through, from the driven density.

With p the periodic density of frequency W and M_1 the first harmonic of <g>, the power at W relative to that of the drive is
``|2 M_1 / A|^2`` (Jung and Hanggi 1991, Phys. Rev. A 44, 8032), and the background beside it is the spectrum of what is
not periodic, averaged over the phase of the start,

    S(w) = 2 Re int_0^inf e^{i w s} < (g(t + s) - <g>) (g(t) - <g>) > ds

By the regression of fluctuations S(W) is one more solution with the operator of the density itself: with
``v' - L v = e^{-i W t} (g - <g>) p`` it is twice the real part of the mean of ``e^{i W t} g v``.  The ratio is that of Gammaitoni,
Hanggi, Jung and Marchesoni 1998 (Rev. Mod. Phys. 70, 223, eq 2.12): ``4 pi |M_1|^2 / S(W)``, in units of a rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray

from dynlab.errors import NotConverged, SettingError, UnknownNameError, UnsupportedSystemError
from dynlab.plotting import label, new_axes, style
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.stochastic.densities.density import checked_grid
from dynlab.stochastic.densities.response import quantity_of
from dynlab.stochastic.generator.box import suitable_grid
from dynlab.stochastic.generator.coefficients import Family, family_of, functions_of
from dynlab.stochastic.generator.edges import points_of
from dynlab.stochastic.generator.generator import Generator
from dynlab.stochastic.generator.grid import Grid
from dynlab.stochastic.generator.periodic_chain import harmonics, resolved_chain
from dynlab.stochastic.generator.romberg import extrapolated, levels
from dynlab.symbolic.derivatives import derivative
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import TIME, symbol

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["StochasticResonance", "stochastic_resonance"]

Array = NDArray[np.float64]

#: Phases of the drive at which a box must hold the density.
PHASES = 4


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StochasticResonance(Result):
    """The answer to a rhythm over the strength of the noise; made by `stochastic_resonance`.

    Attributes
    ----------
    system
        The system.
    of
        The state or observable that answers.
    drive
        The parameter that is the amplitude of the drive.
    vary
        The parameter of the noise.
    strengths
        Its values.
    answers
        The complex answer to each: of a drive ``A exp(-i w t)`` the mean follows with ``answer * A exp(-i w t)``; for a
        small drive the susceptibility.
    signal_to_noise
        The power at the frequency of the drive over the density of the background there, a rate.
    errors
        How uncertain the amplification is (first row) and the ratio (second), from the width of the cells
        and the number of harmonics.
    provenance
        Where it came from.
    """

    system: System
    of: str
    drive: str
    vary: str
    strengths: Array
    answers: NDArray[np.complex128]
    signal_to_noise: Array
    errors: Array
    provenance: Provenance

    @property
    def status(self) -> Status:
        """How it ended."""
        return Status.OK

    @property
    def amplification(self) -> Array:
        """The power of the mean at the frequency of the drive, over that of the drive."""
        return np.asarray(np.abs(self.answers) ** 2)

    @property
    def lags(self) -> Array:
        """How far the mean is behind the drive, an angle."""
        return np.asarray(np.angle(self.answers))

    def to_table(self) -> dict[str, Array]:
        """Return one row for each strength."""
        return {
            self.vary: self.strengths,
            "amplification": self.amplification,
            "amplification_error": self.errors[0],
            "signal_to_noise": self.signal_to_noise,
            "signal_to_noise_error": self.errors[1],
            "lag": self.lags,
        }

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw both measures over the strength of the noise, each relative to its largest value."""
        ax = new_axes(
            ax,
            xlabel=label(self.vary, self.system.unit_of(self.vary)),
            ylabel="relative to the largest",
        )
        rows = (
            ("amplification", self.amplification, style.BLUE, "-"),
            ("signal to noise", self.signal_to_noise, style.VERMILLION, "--"),
        )
        for name, values, color, line in rows:
            top = float(values.max())
            ax.plot(self.strengths, values / top, line, color=color, linewidth=1.8,
                    label=f"{name}, at most {top:.3g}")  # fmt: skip
        ax.set_ylim(bottom=0.0)
        ax.legend(frameon=False)
        return ax

    def __repr__(self) -> str:
        k, j = int(np.argmax(self.amplification)), int(np.argmax(self.signal_to_noise))
        return (
            f"<stochastic resonance of {self.of} of {self.system.name} over {len(self.strengths)} values of {self.vary}:\n "
            f"amplification at most {self.amplification[k]:.5g} at {self.strengths[k]:.4g}, signal to noise "
            f"{self.signal_to_noise[j]:.4g} at {self.strengths[j]:.4g}>"
        )


def stochastic_resonance(
    system: System, *, of: str, drive: str, vary: str, over: ArrayLike, grid: Grid | None = None
) -> StochasticResonance:
    r"""Return how the mean of a quantity answers a rhythmic drive, and how far that stands out, over the noise.

    .. math:: \eta = \Bigl|\frac{2 M_1}{A}\Bigr|^2, \qquad \mathrm{SNR} = \frac{4\pi |M_1|^2}{S(\Omega)}

    M_1 is the first harmonic of the mean, A the amplitude of the drive and S the spectrum of the fluctuations about the
    mean.  The drive may be of any strength: both come from the density that is periodic with it (`periodic_density`).  A
    small one is answered with `susceptibility`.

    Parameters
    ----------
    system
        A flow of one state with noise, driven by one sine or cosine of the time.
    of
        A state or an observable.
    drive
        The parameter that is the amplitude A of the drive, as in ``A * dl.cos(w * dl.t)``.
    vary
        A parameter of the noise.
    over
        Its values.
    grid
        The cells, between reflecting walls; if None, for each value those that suit the densities under the force
        at its largest and its smallest.

    Returns
    -------
    StochasticResonance
        Answers, ratios and their errors, extrapolated to cells of no width.

    Raises
    ------
    UnknownNameError
        If there is no such state, observable or parameter.
    SettingError
        If the drive is nothing or no sine or cosine of the time, or the values are not finite numbers.
    UnsupportedSystemError
        If there are several states, the state is an angle, or probability passes an end.
    NotConverged
        If the density has more harmonics than can be solved for.

    Examples
    --------
    >>> import dynlab as dl
    >>> @dl.flow
    ... def well(x=1.0, *, A=0.1, w=0.01):
    ...     return {x: x - x**3 + A * dl.cos(w * dl.t)}
    >>> @well.with_noise(dl.Ito)
    ... def driven(x, *, D=0.1):
    ...     return {x: dl.sqrt(2 * D)}
    >>> found = dl.stochastic_resonance(driven, of="x", drive="A", vary="D", over=[0.04, 0.06, 0.08, 0.12, 0.2])
    >>> int(found.amplification.argmax()), int(found.signal_to_noise.argmax())
    (2, 3)

    References
    ----------
    1. Gammaitoni, Hanggi, Jung and Marchesoni 1998, Rev. Mod. Phys. 70, 223.
    2. Jung and Hanggi 1991, Phys. Rev. A 44, 8032.
    """
    began = perf_counter()
    if len(system.state_names) != 1:
        raise UnsupportedSystemError(
            f"{system.name!r} has {len(system.state_names)} states, and the periodic density is solved for in harmonics for one. "
            "Use dl.susceptibility for a small drive, or dl.power_spectrum of simulated paths."
        )
    strengths = np.atleast_1d(np.asarray(over, float)).ravel()
    if not strengths.size or not np.all(np.isfinite(strengths)):
        raise SettingError(f"over is {over!r}; give finite values of {vary!r}, at least one.")
    if vary not in system.parameter_names:
        raise UnknownNameError(f"parameter of {system.name!r}", vary, system.parameter_names)
    rhythm = _rhythm(system, drive)
    quantity = functions_of(system, [quantity_of(system, of)])
    family = family_of(system, (vary,))
    found = [_at(system, family, float(s), quantity, rhythm, grid) for s in strengths]
    answers, ratios, errors = zip(*found, strict=True)
    return StochasticResonance(
        system=system,
        of=of,
        drive=drive,
        vary=vary,
        strengths=strengths,
        answers=np.array(answers),
        signal_to_noise=np.array(ratios),
        errors=np.array(errors).T,
        provenance=Provenance(
            "stochastic_resonance",
            system,
            {"of": of, "drive": drive, "vary": vary, "grid": repr(grid)},
            seconds=perf_counter() - began,
        ),
    )


class _Rhythm(NamedTuple):
    """A drive ``Re(amplitude exp(i frequency t))``."""

    amplitude: complex
    frequency: float


def _rhythm(system: System, drive: str) -> _Rhythm:
    """Return the drive that a parameter is the amplitude of."""
    if drive not in system.parameter_names:
        raise UnknownNameError(f"parameter of {system.name!r}", drive, system.parameter_names)
    own, fixed = (
        symbol(drive),
        dict(zip(map(symbol, system.parameter_names), system.parameter_values, strict=True)),
    )
    shape = derivative(system.rule[0], own)
    waves = [a for a in shape.atoms(sympy.sin, sympy.cos) if a.has(TIME)]
    wave = waves[0] if len(waves) == 1 else None
    factor = sympy.simplify(shape / wave).subs(fixed) if wave is not None else TIME
    phase = sympy.expand(wave.args[0].subs(fixed)) if wave is not None else TIME**2
    rate = phase.coeff(TIME)
    size = system.parameter_values[system.parameter_names.index(drive)]
    if not (factor.is_number and rate.is_number and rate != 0 and (phase - rate * TIME).is_number):
        raise SettingError(
            f"{drive!r} is not the amplitude of a rhythm of {system.name!r}: the drift changes with it as {shape}. Write the "
            f"drive as {drive} * dl.cos(w * dl.t) or with dl.sin, added to the drift."
        )
    if (system.rule[0] - own * shape).has(TIME):
        raise SettingError(
            f"the drift of {system.name!r} depends on the time by more than {drive!r} times {shape}. Drive it with one "
            "sine or cosine."
        )
    if size == 0 or factor == 0:
        raise SettingError(
            f"{drive!r} is {size:g}: nothing is driven. Give an amplitude, or use dl.susceptibility for the limit of "
            "small ones."
        )
    frequency, turn = float(rate), np.exp(1j * float(phase - rate * TIME))
    turn = turn if isinstance(wave, sympy.cos) else -1j * turn
    amplitude = size * float(factor) * turn
    return (
        _Rhythm(amplitude, frequency)
        if frequency > 0
        else _Rhythm(amplitude.conjugate(), -frequency)
    )


Measured = tuple[complex, float, tuple[float, float]]


def _at(
    system: System, family: Family, strength: float, quantity: Callable[[Array], Array],
    rhythm: _Rhythm, grid: Grid | None,
) -> Measured:  # fmt: skip
    """Return the answer, the ratio and the errors of amplification and ratio for one strength of the noise."""
    period = 2 * np.pi / rhythm.frequency

    def measured(cells: Grid) -> tuple[complex, float, float]:
        values = quantity(points_of(cells, np.arange(cells.size)))[:, 0]

        def generator_at(time: float) -> Generator:
            return Generator.of(family((strength,), time), cells)

        if not (first := generator_at(0.0)).is_chain or first.exits:
            raise UnsupportedSystemError(
                f"{system.name!r} on {cells!r} is no row of cells between reflecting walls with noise throughout. Use "
                "dl.periodic_density, or dl.susceptibility for a small drive."
            )
        resolved = resolved_chain(generator_at, period)
        if resolved is None:
            raise NotConverged(
                f"the density of {system.name!r} over a period has too many harmonics. Give fewer cells, a weaker drive, or "
                "more noise.",
                status=Status.NOT_CONVERGED,
            )
        chain, state, uncertain = resolved
        means = state @ values
        turned = np.exp(2j * np.pi * np.arange(len(state)) / len(state))[:, None]
        source = (values - means[:, None]) * state / turned
        fluctuation = chain.answer(source, state) * turned
        background = 2.0 * float((fluctuation @ values).mean().real)
        first_harmonic = complex(harmonics(means)[1])
        answer = np.conj(2.0 * first_harmonic / rhythm.amplitude)
        return answer, 4.0 * np.pi * abs(first_harmonic) ** 2 / background, uncertain

    cells = _box(system, family, strength, period) if grid is None else checked_grid(system, grid)
    rows = [measured(g) for g in levels(cells)]
    parts = [np.array([r[0].real, r[0].imag, r[1]]) for r in rows]
    best, error = extrapolated(parts)
    answer, ratio, in_time = complex(best[0], best[1]), float(best[2]), rows[-1][2]
    of_answer = float(np.hypot(*error[:2])) + in_time * abs(answer)
    return answer, ratio, (2.0 * abs(answer) * of_answer, float(error[2]) + in_time * ratio)


def _box(system: System, family: Family, strength: float, period: float) -> Grid:
    """Return cells that suit the densities under the force of each phase."""
    found = [suitable_grid(system, family((strength,), period * k / PHASES)) for k in range(PHASES)]
    low, high = min(g.low[0] for g in found), max(g.high[0] for g in found)
    width = min(g.widths[0] for g in found)
    # Divisible by 8, so that three coarser grids share the ends.
    cells = 8 * int(np.ceil((high - low) / width / 8))
    return Grid(**{found[0].names[0]: (low, high, cells)})
