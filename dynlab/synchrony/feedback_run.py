"""simulate_feedback: oscillators that hear their own mean field a delay later, one by one.

The equations are those of `dynlab.synchrony.feedback`, for finitely many oscillators; how they are stepped stands in
`dynlab.kernels.delayed_mean_field`.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab.distributions import Lorentzian, Quantiles, drawn
from dynlab.errors import SettingError
from dynlab.kernels import delayed_mean_field as kernel
from dynlab.names import finite, require_kind
from dynlab.result import Provenance, Result
from dynlab.seeds import seed_of
from dynlab.solve.chunks import in_chunks
from dynlab.status import Status
from dynlab.synchrony.feedback import LorentzianOscillators

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["DelayedFeedback", "FeedbackRun", "simulate_feedback"]

Array = NDArray[np.float64]
FIRST_CHUNK = 16


@dataclass(frozen=True, slots=True)
class DelayedFeedback:
    """A stimulator that plays the mean field back after a delay.

    Parameters
    ----------
    gain
        Its strength, in the units of the coupling.
    delay
        In units of time, 0 or more.
    onset
        When it is switched on.

    Raises
    ------
    SettingError
        If a value is not finite, or delay or onset below zero.

    Examples
    --------
    >>> import dynlab as dl
    >>> dl.DelayedFeedback(gain=2.0, delay=0.5).onset
    0.0
    """

    gain: float
    delay: float
    onset: float = 0.0

    def __post_init__(self) -> None:
        for name in ("gain", "delay", "onset"):
            object.__setattr__(self, name, finite(getattr(self, name), name))
        if min(self.delay, self.onset) < 0:
            raise SettingError(
                f"delay is {self.delay:g} and onset {self.onset:g}; both must be 0 or more."
            )


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FeedbackRun(Result):
    """How synchronous oscillators were under a delayed feedback; made by `simulate_feedback`.

    Attributes
    ----------
    oscillators, feedback
        The population and the stimulator.
    t
        Times.
    field
        The mean of exp(i theta) at each: its modulus is the order parameter.
    end
        The phases at the end.
    status
        How it ended.
    provenance
        Where it came from.
    """

    oscillators: LorentzianOscillators
    feedback: DelayedFeedback
    t: Array
    field: NDArray[np.complex128]
    end: Array
    status: Status
    provenance: Provenance

    @property
    def order(self) -> Array:
        """The order parameter r at each time, between 0 and 1."""
        return np.asarray(np.abs(self.field))

    def to_table(self) -> dict[str, Array]:
        """Return time, order parameter and mean phase as columns."""
        return {"time": self.t, "order": self.order, "phase": np.angle(self.field)}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the order parameter against time, and when the feedback begins."""
        from dynlab.plotting import draw_switched_series

        return draw_switched_series(
            ax, self.t, self.order, self.feedback.onset, labels=("time", "$r$", "feedback on")
        )

    def __repr__(self) -> str:
        late = self.order[self.t >= 0.75 * self.t[-1]]
        return (
            f"<{len(self.end)} oscillators with feedback {self.feedback.gain:g} after "
            f"{self.feedback.delay:g}:\n r = {late.mean():.4g} in the last quarter, {self.status}>"
        )


def simulate_feedback(
    oscillators: LorentzianOscillators,
    *,
    feedback: DelayedFeedback,
    size: int,
    duration: float,
    step: float = 0.01,
    seed: Any = None,
) -> FeedbackRun:
    r"""Return how synchronous many oscillators are while their mean field is played back to them.

    .. math:: \dot\theta_i = \omega_i + \mathrm{Im}\bigl[(K Z(t) + G Z(t - \tau))\, e^{-i\theta_i}\bigr]

    The frequencies are quantiles of the Lorentzian, the phases start at random; before t = 0 the field was 0.

    Parameters
    ----------
    oscillators
        The population that they stand for.
    feedback
        The stimulator.
    size
        How many oscillators.
    duration
        How long, in units of time.
    step
        The longest time step; the one taken divides the delay.  The error of Z is of fourth order in it.
    seed
        Of the phases at the start.

    Returns
    -------
    FeedbackRun
        Time and mean field, to the end or until stopped.

    Raises
    ------
    SettingError
        If there is no oscillator, or a time is not above zero.

    Examples
    --------
    >>> import dynlab as dl
    >>> import numpy as np
    >>> rhythm = dl.LorentzianOscillators(K=1.5, width=0.5, frequency=2 * np.pi)
    >>> quiet = dl.DelayedFeedback(gain=2.0, delay=0.5, onset=20.0)
    >>> run = dl.simulate_feedback(rhythm, feedback=quiet, size=400, duration=40, step=0.05, seed=1)
    >>> bool(run.order[380:400].mean() > 0.4), bool(run.order[-50:].mean() < 0.15)
    (True, True)

    References
    ----------
    1. Rosenblum and Pikovsky 2004, Phys. Rev. E 70, 041904.
    """
    began = perf_counter()
    require_kind(
        oscillators,
        LorentzianOscillators,
        "oscillators",
        "the population, dl.LorentzianOscillators(...)",
    )
    require_kind(
        feedback,
        DelayedFeedback,
        "feedback",
        "a stimulator, dl.DelayedFeedback(gain=2.0, delay=0.5)",
    )
    count, span, finest = finite(size, "size"), finite(duration, "duration"), finite(step, "step")
    if count < 1 or count != int(count):
        raise SettingError(f"size is {size!r}; give a whole number of oscillators, 1 or more.")
    if min(span, finest) <= 0:
        raise SettingError(f"duration is {span:g} and step {finest:g}; both must be above zero.")
    chosen = seed_of(seed)
    frequencies = Quantiles(Lorentzian(oscillators.frequency, oscillators.width))
    omega = drawn(frequencies, int(count), chosen.stream(0))
    theta = chosen.stream(1).uniform(-np.pi, np.pi, int(count))
    t, field, end, status = stepped(omega, theta, oscillators.K, feedback, (span, finest))
    settings = {"size": int(count), "duration": span, "step": finest}
    number = int(chosen.text) if chosen.text.isdigit() else None
    return FeedbackRun(
        oscillators, feedback, t, field, end, status,
        Provenance("simulate_feedback", None, settings, number, perf_counter() - began),
    )  # fmt: skip


def stepped(
    omega: Array, theta: Array, K: float, feedback: DelayedFeedback, times: tuple[float, float]
) -> tuple[Array, NDArray[np.complex128], Array, Status]:
    """Return times, mean field, last phases and status; times are the duration and the longest step."""
    span, finest = times
    lag = int(np.ceil(feedback.delay / finest - 1e-9)) if feedback.delay else 0
    step = feedback.delay / lag if lag else finest
    steps = int(np.ceil(span / step - 1e-9))
    onset = round(feedback.onset / step)
    record = np.zeros((kernel.RECORD_ROWS, steps + 1))
    phases, rates = np.array(theta, np.float64), np.ascontiguousarray(omega, np.float64)
    work, field = np.zeros((kernel.WORK_ROWS, phases.size)), np.zeros(4)
    place = np.zeros(1, np.int64)
    numbers = (K, feedback.gain, lag, onset, step)

    def take(count: int) -> int:
        return int(kernel.run(phases, rates, *numbers, record, work, field, place, count))

    status = in_chunks(take, lambda: float(place[0]), float(steps), "feedback", FIRST_CHUNK)
    # A step that was begun has its node; the node after the last whole step may not.
    known = steps + 1 if status is Status.OK else int(place[0])
    z = record[kernel.REAL, :known] + 1j * record[kernel.IMAGINARY, :known]
    return step * np.arange(known, dtype=float), np.asarray(z, complex), phases, status
