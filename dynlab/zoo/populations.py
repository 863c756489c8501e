"""Populations of nerve cells: rates instead of spikes."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow


def _response(x, a, theta):
    """Logistic response shifted through the origin, eq 15 of Wilson and Cowan."""
    return 1 / (1 + dl.exp(-a * (x - theta))) - 1 / (1 + dl.exp(a * theta))


def _largest_response(a, theta):
    """Limit of the shifted response for strong input."""
    return 1 - 1 / (1 + dl.exp(a * theta))


@flow
def wilson_cowan(
    E=0.1, I=0.05,
    *, P=1.25, Q=0.0, c1=16.0, c2=12.0, c3=15.0, c4=3.0,
    a_e=1.3, theta_e=4.0, a_i=2.0, theta_i=3.7, r=1.0, tau=1.0,
):  # fmt: skip
    """Excitatory and inhibitory populations that drive each other.

    Wilson and Cowan 1972, Biophys. J. 12, 1, eqs 11-12.

    Famous as the first account of brain rhythms from two populations. The defaults are the
    parameters of its limit cycle. The response is shifted so that S(0) = 0; k is its largest value.
    """
    k_e = _largest_response(a_e, theta_e)
    k_i = _largest_response(a_i, theta_i)
    s_e = _response(c1 * E - c2 * I + P, a_e, theta_e)
    s_i = _response(c3 * E - c4 * I + Q, a_i, theta_i)
    return {
        E: (-E + (k_e - r * E) * s_e) / tau,
        I: (-I + (k_i - r * I) * s_i) / tau,
    }


@flow(
    time="s",
    units={
        "y0": "mV", "y1": "mV", "y2": "mV", "y3": "mV/s", "y4": "mV/s", "y5": "mV/s",
        "p": "1/s", "A": "mV", "B": "mV", "a": "1/s", "b": "1/s", "e0": "1/s", "v0": "mV",
        "r": "1/mV",
    },
)  # fmt: skip
def jansen_rit(
    y0=0.1, y1=20.0, y2=15.0, y3=0.0, y4=0.0, y5=0.0,
    *, p=220.0, A=3.25, B=22.0, a=100.0, b=50.0, C=135.0, e0=2.5, v0=6.0, r=0.56,
):  # fmt: skip
    """Cortical column of pyramidal cells with two interneuron loops.

    Jansen and Rit 1995, Biol. Cybern. 73, 357, eq 6.

    Famous for alpha rhythm and epileptic spikes in one mass (Grimbert and Faugeras 2006, Neural
    Comput. 18, 3052, for the bifurcations in p). The default p is the mean of the
    original input, which was noise between 120 and 320 pulses per second. The signal is y1 - y2.
    """

    def rate(v):
        return 2 * e0 / (1 + dl.exp(r * (v0 - v)))

    return {
        y0: y3,
        y1: y4,
        y2: y5,
        y3: A * a * rate(y1 - y2) - 2 * a * y3 - a**2 * y0,
        y4: A * a * (p + 0.8 * C * rate(C * y0)) - 2 * a * y4 - a**2 * y1,
        y5: B * b * 0.25 * C * rate(0.25 * C * y0) - 2 * b * y5 - b**2 * y2,
    }
