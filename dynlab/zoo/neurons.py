"""Single nerve cells, from the leaky unit to the squid axon."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow


@flow
def linear_unit(x=0.0, *, I=0.0, tau=1.0):
    """Leaky linear unit: it relaxes to its input.

    Lapicque 1907, J. Physiol. Pathol. Gen. 9, 620 (the membrane below threshold).

    The building block of rate networks. One equilibrium x = I with eigenvalue -1/tau.
    """
    return {x: (-x + I) / tau}


@flow
def fitzhugh_nagumo(v=-1.2, w=-0.6, *, I=0.0, a=0.7, b=0.8, eps=0.08):
    """Excitable membrane in two variables.

    FitzHugh 1961, Biophys. J. 1, 445, eqs 1-2.

    Famous for excitability without a threshold and for its canard explosion: between I = 0.3313
    and I = 1.4187 it fires for ever, and both ends are subcritical Hopf points.
    """
    return {v: v - v**3 / 3 - w + I, w: eps * (v + a - b * w)}


@flow(
    time="ms",
    units={
        "V": "mV", "I": "uA/cm^2", "C": "uF/cm^2",
        "gNa": "mS/cm^2", "gK": "mS/cm^2", "gL": "mS/cm^2",
        "ENa": "mV", "EK": "mV", "EL": "mV",
    },
)  # fmt: skip
def hodgkin_huxley(
    V=-65.0, m=0.053, h=0.596, n=0.318,
    *, I=0.0, C=1.0, gNa=120.0, gK=36.0, gL=0.3, ENa=50.0, EK=-77.0, EL=-54.4,
):  # fmt: skip
    """Squid giant axon: the action potential from three gates.

    Hodgkin and Huxley 1952, J. Physiol. 117, 500, eqs 12-13, 20-21, 23-24, 26.

    Famous as the founding model of neuroscience. V is absolute, with rest near -65 mV. Repetitive
    firing starts at a cycle fold below a subcritical Hopf point. EL = -54.4 and EL = -54.387 are
    both in use; a change of EL by d shifts every bifurcation current by -gL d.
    """
    alpha_m = 0.1 * (V + 40) / (1 - dl.exp(-(V + 40) / 10))
    beta_m = 4 * dl.exp(-(V + 65) / 18)
    alpha_h = 0.07 * dl.exp(-(V + 65) / 20)
    beta_h = 1 / (1 + dl.exp(-(V + 35) / 10))
    alpha_n = 0.01 * (V + 55) / (1 - dl.exp(-(V + 55) / 10))
    beta_n = 0.125 * dl.exp(-(V + 65) / 80)
    ionic = gNa * m**3 * h * (V - ENa) + gK * n**4 * (V - EK) + gL * (V - EL)
    return {
        V: (I - ionic) / C,
        m: alpha_m * (1 - m) - beta_m * m,
        h: alpha_h * (1 - h) - beta_h * h,
        n: alpha_n * (1 - n) - beta_n * n,
    }


@flow(
    time="ms",
    units={
        "V": "mV", "I": "uA/cm^2", "C": "uF/cm^2",
        "gCa": "mS/cm^2", "gK": "mS/cm^2", "gL": "mS/cm^2",
        "VCa": "mV", "VK": "mV", "VL": "mV", "V1": "mV", "V2": "mV", "V3": "mV", "V4": "mV",
        "phi": "1/ms",
    },
)  # fmt: skip
def morris_lecar(
    V=-60.0, w=0.015,
    *, I=0.0, C=20.0, gCa=4.4, gK=8.0, gL=2.0, VCa=120.0, VK=-84.0, VL=-60.0,
    V1=-1.2, V2=18.0, V3=2.0, V4=30.0, phi=0.04,
):  # fmt: skip
    """Barnacle muscle fibre: calcium and potassium in two variables.

    Morris and Lecar 1981, Biophys. J. 35, 193, eq 9.

    Famous for showing three ways into firing with one set of equations (Rinzel and Ermentrout
    1989, in Koch and Segev, Methods in Neuronal Modeling). The defaults are the Hopf set. The
    saddle-node-on-a-circle set is ``morris_lecar(gCa=4, V3=12, V4=17.4, phi=1/15)``, the
    homoclinic set ``morris_lecar(gCa=4, V3=12, V4=17.4, phi=0.23)``.
    """
    m_inf = (1 + dl.tanh((V - V1) / V2)) / 2
    w_inf = (1 + dl.tanh((V - V3) / V4)) / 2
    ionic = gCa * m_inf * (V - VCa) + gK * w * (V - VK) + gL * (V - VL)
    return {
        V: (I - ionic) / C,
        w: phi * (w_inf - w) * dl.cosh((V - V3) / (2 * V4)),
    }


@flow(time="ms")
def leaky_membrane(V=0.0, *, I=1.2, R=1.0, E=0.0, tau=10.0):
    """Membrane without a threshold."""
    return {V: (E - V + R * I) / tau}


@leaky_membrane.with_event(
    when=lambda V, theta: V - theta,
    direction=+1,
    name="spike",
    refractory=lambda tref: tref,
)
def leaky_integrate_and_fire(V, *, theta=1.0, Vr=0.0, tref=0.0):
    """Leaky integrate-and-fire: a membrane with a reset in place of the spike.

    Lapicque 1907, J. Physiol. Pathol. Gen. 9, 620; Stein 1967, Proc. R. Soc. B 167, 64.

    Famous as the cell whose rate is known: it fires every tref + tau ln((RI - Vr) / (RI - theta)) for
    E = 0. V is in units of the threshold. During the refractory time tref the membrane is held at Vr.
    """
    return {V: Vr}


@flow(time="ms", units={"V": "mV", "E": "mV", "RI": "mV", "VT": "mV", "D": "mV"})
def exponential_membrane(V=-65.0, *, RI=20.0, E=-65.0, tau=10.0, VT=-50.0, D=2.0):
    """Membrane with an upstroke and no end to it."""
    return {V: (E - V + D * dl.exp((V - VT) / D) + RI) / tau}


@exponential_membrane.with_event(
    when=lambda V, Vp: V - Vp, direction=+1, name="spike", refractory=lambda tref: tref
)
def exponential_integrate_and_fire(V, *, Vp=0.0, Vr=-65.0, tref=2.0):
    """Exponential integrate-and-fire: the upstroke of the spike as one exponential.

    Fourcaud-Trocme, Hansel, van Vreeswijk and Brunel 2003, J. Neurosci. 23, 11628, eq 9.

    Famous for following fast inputs as conductance-based cells do. Firing starts at a fold at
    V = VT, RI = VT - E - D. Vp is where the spike is cut; beyond it less than 1e-9 ms would pass.
    """
    return {V: Vr}


@flow
def quadratic_membrane(v=-100.0, *, I=1.0):
    """Quadratic upstroke without a reset."""
    return {v: v**2 + I}


@quadratic_membrane.with_event(when=lambda v, vp: v - vp, direction=+1, name="spike")
def quadratic_integrate_and_fire(v, *, vp=100.0, vr=-100.0):
    """Quadratic integrate-and-fire: what every cell is near a saddle-node on a circle.

    Ermentrout and Kopell 1986, SIAM J. Appl. Math. 46, 233.

    Famous for its rate sqrt(I) / pi, from minus to plus infinity. Cut at vp and vr it fires every
    (atan(vp / sqrt(I)) - atan(vr / sqrt(I))) / sqrt(I), shorter by about 1 / vp - 1 / vr.
    """
    return {v: vr}


@flow(time="ms", units={"v": "mV"})
def izhikevich_membrane(v=-70.0, u=-14.0, *, I=10.0, a=0.02, b=0.2):
    """Izhikevich's membrane without its reset."""
    return {v: 0.04 * v**2 + 5 * v + 140 - u + I, u: a * (b * v - u)}


@izhikevich_membrane.with_event(when=lambda v: v - 30, direction=+1, name="spike")
def izhikevich(v, u, *, c=-65.0, d=8.0):
    """Quadratic cell with a recovery variable: many firing patterns from four parameters.

    Izhikevich 2003, IEEE Trans. Neural Netw. 14, 1569, eqs 1-3.

    Famous for the cortical cell types it imitates; the defaults are regular spiking, chattering is
    ``izhikevich(c=-50, d=2)``. Rest loses stability at a Hopf point just before its fold. Its spikes
    depend on the step size where steps are fixed; here they are located. See
    `dynlab.zoo.firing_patterns` for the twenty patterns of 2004.
    """
    return {v: c, u: u + d}


@flow(
    time="ms",
    units={"V": "mV", "w": "pA", "I": "pA", "C": "pF", "gL": "nS", "EL": "mV", "VT": "mV",
           "D": "mV", "a": "nS"},
)  # fmt: skip
def adaptive_membrane(
    V=-70.6, w=0.0,
    *, I=1000.0, C=281.0, gL=30.0, EL=-70.6, VT=-50.4, D=2.0, tauw=144.0, a=4.0,
):  # fmt: skip
    """Adaptive exponential membrane without its reset."""
    ionic = gL * (V - EL) - gL * D * dl.exp((V - VT) / D)
    return {V: (I - ionic - w) / C, w: (a * (V - EL) - w) / tauw}


@adaptive_membrane.with_event(when=lambda V, Vp: V - Vp, direction=+1, name="spike")
def adaptive_exponential(V, w, *, b=80.5, Vr=-70.6, Vp=0.0):
    """Exponential integrate-and-fire with adaptation below and at the spike.

    Brette and Gerstner 2005, J. Neurophysiol. 94, 3637, eqs 1-3.

    Famous for predicting the spike times of pyramidal cells. The defaults are those of the paper,
    but for the cut Vp: from 0 mV to the 20 mV there takes 1e-10 ms, and at 20 mV the upstroke is too
    steep for times to be told apart.
    """
    return {V: Vr, w: w + b}


@flow
def hindmarsh_rose(
    x=-1.0, y=0.0, z=3.0, *, I=3.25, a=1.0, b=3.0, c=1.0, d=5.0, r=0.006, s=4.0, x_r=-1.6
):  # fmt: skip
    """Bursts of spikes, switched on and off by a slow current.

    Hindmarsh and Rose 1984, Proc. R. Soc. B 221, 87.

    Famous for bursts that are periodic or chaotic as I changes, with chaos near 3.25. The potential x
    is scaled, and so is time.
    """
    return {
        x: y - a * x**3 + b * x**2 - z + I,
        y: c - d * x**2 - y,
        z: r * (s * (x - x_r) - z),
    }
