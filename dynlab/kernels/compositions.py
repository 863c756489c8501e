"""Symplectic compositions as plain numbers, each with its source.

For ``H = T(p) + V(q)`` the flows of both parts are known: a *kick* ``p -= b h V'(q)`` and a *drift*
``q += a h T'(p)``.  A step is the product ``K(b_0) D(a_1) K(b_1) ... D(a_s) K(b_s)``; the lists read the
same from both ends, so a step forward and a step back undo each other.  The last kick of a step and the
first of the next are at the same place, so a step costs s forces.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BLANES_MOAN_4", "BLANES_MOAN_6", "KAHAN_LI_8", "VERLET", "YOSHIDA_4", "Composition"]

Row = tuple[float, ...]


class Composition(NamedTuple):
    """A symmetric product of kicks and drifts."""

    order: int
    #: b_0 ... b_s
    kicks: Row
    #: a_1 ... a_s
    drifts: Row


def _mirrored(half: Row, middle: Row) -> Row:
    return (*half, *middle, *reversed(half))


def _of_verlet(order: int, half: Row) -> Composition:
    """Return the product of Verlet steps of sizes w_1 ... w_m, 1 - 2 sum w, w_m ... w_1."""
    drifts = _mirrored(half, (1.0 - 2.0 * sum(half),))
    ends = (0.0, *drifts, 0.0)
    kicks = tuple(0.5 * (ends[j] + ends[j + 1]) for j in range(len(drifts) + 1))
    return Composition(order, kicks, drifts)


#: Stoermer 1907; Verlet 1967, Phys. Rev. 159, 98; in the form of velocities, Swope et al. 1982.
VERLET = Composition(order=2, kicks=(0.5, 0.5), drifts=(1.0,))

#: Three Verlet steps of sizes w, 1 - 2 w, w with w = 1 / (2 - 2^(1/3)): Forest and Ruth 1990, Physica D 43,
#: 105; Yoshida 1990, Phys. Lett. A 150, 262, eq 4.
YOSHIDA_4 = _of_verlet(4, (1.0 / (2.0 - 2.0 ** (1.0 / 3.0)),))

# Blanes and Moan 2002, J. Comput. Appl. Math. 142, 313, table 2.  Their last coefficients follow from
# consistency: the kicks sum to 1, and so do the drifts.  What they call a are the kicks here; for H = T + V
# the two may change places.
_S6_A = (0.0792036964311957, 0.353172906049774, -0.0420650803577195)
_S6_B = (0.209515106613362, -0.143851773179818)
_S10_A = (
    0.0502627644003922, 0.413514300428344, 0.0450798897943977, -0.188054853819569,
    0.541960678450780,
)  # fmt: skip
_S10_B = (0.148816447901042, -0.132385865767784, 0.067307604692185, 0.432666402578175)

#: S6, order 4: six stages that leave an error 1e2 to 1e3 times smaller than three.
BLANES_MOAN_4 = Composition(
    order=4,
    kicks=_mirrored(_S6_A, (1.0 - 2.0 * sum(_S6_A),)),
    drifts=_mirrored((*_S6_B, 0.5 - sum(_S6_B)), ()),
)

#: S10, order 6.
BLANES_MOAN_6 = Composition(
    order=6,
    kicks=_mirrored(_S10_A, (1.0 - 2.0 * sum(_S10_A),)),
    drifts=_mirrored((*_S10_B, 0.5 - sum(_S10_B)), ()),
)

#: s17odr8a, order 8: Kahan and Li 1997, Math. Comp. 66, 1089; digits as in Hairer, Lubich and Wanner,
#: Geometric Numerical Integration, 2nd ed. (Springer 2006), eq V.3.13.
KAHAN_LI_8 = _of_verlet(
    8,
    (
        0.13020248308889008087881763, 0.56116298177510838456196441, -0.38947496264484728640807860,
        0.15884190655515560089621075, -0.39590389413323757733623154, 0.18453964097831570709183254,
        0.25837438768632204729397911, 0.29501172360931029887096624,
    ),
)  # fmt: skip
