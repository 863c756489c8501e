"""When noise first gets somewhere: exit from an interval, and the rate of a neuron.

Left of the figure: the error of the mean time at which an Ornstein-Uhlenbeck process leaves [-1, 1].  Looking at
the ends of steps misses passages, an error of order 1/2 (Gobet 2000, Stoch. Proc. Appl. 87, 167).  Right: rates of
a leaky integrate-and-fire neuron, and Siegert's integral (Brunel 2000, J. Comput. Neurosci. 8, 183, eq 21).
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy import integrate, special

import dynlab as dl

BLUE, RED = "#0072B2", "#D55E00"


@dl.flow
def relaxing(x=0.0, *, drive=0.0):
    return {x: drive - x}


fires = relaxing.with_event(name="spike", when=lambda x: x - 1, direction=+1)(lambda x: {x: 0})


def exit_errors(step: float, size: int) -> list[float]:
    noisy, how = relaxing.with_noise(x=1.0), {"method": dl.ExactLinear(step=step), "seed": 1}
    ends = dl.ensemble(noisy, size=size // 10, duration=40, at=np.arange(0, 40, step), **how)
    seen = step * np.argmax(np.abs(ends["x"]) >= 1, axis=1).mean() - 1.44524561338835
    found = dl.first_passage_times(noisy, beyond={"x": (-1, 1)}, duration=99, size=size, **how)
    return [seen, abs(found.mean - 1.44524561338835), found.standard_error]


def rates(drive: float, sigma: float, duration: float) -> list[float]:
    how = {"duration": duration, "at": [duration], "method": dl.ExactLinear(step=0.05), "seed": 3}
    spikes = dl.spike_train(dl.simulate(fires(drive=float(drive)).with_noise(x=sigma), **how))
    integral = integrate.quad(lambda u: special.erfcx(-u), -drive / sigma, (1 - drive) / sigma)
    return [spikes.rate, 2 * spikes.rate_error, 1 / (np.sqrt(np.pi) * integral[0])]


def study(size: int = 4000, duration: float = 300, points: int = 5) -> plt.Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    steps, drives = 2.0 ** -np.arange(1, points + 1), np.linspace(0, 2, 4 * points + 1)
    seen, drawn, bars = np.array([exit_errors(float(h), size) for h in steps]).T
    left.semilogy(np.log2(steps), seen, "o-", color=RED, label="at ends of steps")
    left.semilogy(np.log2(steps), seen[0] * np.sqrt(2 * steps), "k:", label="order 1/2")
    left.errorbar(np.log2(steps), drawn, bars, fmt="s", color=BLUE, label="by the bridge")
    left.set(xlabel="$\\log_2$ of the step", ylabel="error of the mean exit time")
    weak, strong = (np.array([rates(mu, s, duration) for mu in drives]).T for s in (0.2, 0.5))
    right.plot(drives, weak[2], color=BLUE)
    right.plot(drives, strong[2], color=RED)
    right.errorbar(drives, *weak[:2], fmt=".", color=BLUE, label=r"$\sigma = 0.2$")
    right.errorbar(drives, *strong[:2], fmt=".", color=RED, label=r"$\sigma = 0.5$")
    right.set(xlabel="drive", ylabel="rate of the neuron; lines: Siegert")
    _ = [ax.legend(frameon=False, fontsize=9) for ax in (left, right)]
    return figure


if __name__ == "__main__":
    study(size=200_000, duration=20_000, points=7).savefig("first_passages.png", dpi=200)
