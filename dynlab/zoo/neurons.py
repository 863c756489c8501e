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
