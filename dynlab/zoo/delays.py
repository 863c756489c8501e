"""Flows whose past acts on their present."""

from dynlab.symbolic import language as dl
from dynlab.symbolic.define import flow


@flow
def mackey_glass(x=0.5, *, beta=0.2, gamma=0.1, n=10.0, tau=17.0):
    """Number of blood cells, whose making answers to it a delay later.

    Mackey and Glass 1977, Science 197, 287.

    Famous for dynamical diseases: periodic at tau = 16, chaotic at 17, of dimension above 3 at 30. The
    equilibrium x = 1 oscillates from tau = 4.7082 on.
    """
    past = dl.delayed(x, tau)
    return {x: beta * past / (1 + past**n) - gamma * x}


@flow
def hutchinson(N=0.5, *, r=1.0, K=1.0, tau=2.0):
    """Growth of a population that uses up its food a delay before it notices.

    Hutchinson 1948, Ann. N.Y. Acad. Sci. 50, 221.

    Famous as the first delayed feedback of ecology: the full population oscillates from r tau = pi / 2 on.
    """
    return {N: r * N * (1 - dl.delayed(N, tau) / K)}


@flow
def ikeda_delay(x=0.5, *, mu=6.0, x0=0.0, tau=3.0):
    """Phase of the light that goes round a ring with a medium that answers to it.

    Ikeda and Matsumoto 1987, Physica D 29, 223.

    Famous for the dimension of its chaos, which grows with the delay.
    """
    return {x: -x + mu * dl.sin(dl.delayed(x, tau) - x0)}


@flow
def sprott_delay(x=1.0, *, tau=5.1):
    """Simplest chaotic flow with a delay.

    Sprott 2007, Phys. Lett. A 366, 397.

    Famous for its brevity. The equilibria pi, 3 pi, ... oscillate from tau = pi / 2 on; at the default delay the
    orbit wanders between them without bound.
    """
    return {x: dl.sin(dl.delayed(x, tau))}


@flow
def el_nino(T=0.1, *, alpha=0.75, delta=6.0):
    """Temperature of the eastern Pacific, which a wave that crossed the ocean cools again.

    Suarez and Schopf 1988, J. Atmos. Sci. 45, 3283.

    Famous as the delayed oscillator: the time of the wave sets the years between two El Ninos.
    """
    return {T: T - T**3 - alpha * dl.delayed(T, delta)}
