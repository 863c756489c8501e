"""Chaotic flows with as few terms as possible: one or two squares or products and little else.

The cases B to S of Sprott 1994, Phys. Rev. E 50, R647, table I, came out of a search over some
hundred million quadratic flows; case A is `nose_hoover`.  Coefficients that are not 1 are
parameters here, in the order in which they are printed.
"""

from dynlab.symbolic.define import flow


@flow
def sprott_jerk(x=0.02, y=0.0, z=0.0, *, A=2.017):
    """The simplest chaotic flow: one square in an equation of third order.

    Sprott 1997, Phys. Lett. A 228, 271.

    Famous because no quadratic flow with fewer terms is known to be chaotic. In one variable it is
    x_ttt + A x_tt - x_t^2 + x = 0.
    """
    return {x: y, y: z, z: y**2 - A * z - x}


@flow
def sprott_b(x=0.05, y=0.05, z=0.05):
    """Five terms, two of them products.

    Sprott 1994, Phys. Rev. E 50, R647, case B.

    Two wings like those of Lorenz. Symmetric under (x, y) -> (-x, -y).
    """
    return {x: y * z, y: x - y, z: 1 - x * y}


@flow
def sprott_c(x=0.05, y=0.05, z=0.05):
    """Case B with the square of x where x y stood.

    Sprott 1994, Phys. Rev. E 50, R647, case C.

    Two wings like those of Lorenz. Symmetric under (x, y) -> (-x, -y).
    """
    return {x: y * z, y: x - y, z: 1 - x**2}


@flow
def sprott_d(x=0.05, y=0.05, z=0.05, *, a=3.0):
    """Five terms and a divergence that is a state.

    Sprott 1994, Phys. Rev. E 50, R647, case D.

    A single equilibrium with the eigenvalues 0 and +-i. Reversible: (x, z, t) -> (-x, -z, -t).
    """
    return {x: -y, y: x + z, z: x * z + a * y**2}


@flow
def sprott_e(x=0.05, y=0.05, z=0.05, *, a=4.0):
    """Five terms and a single equilibrium.

    Sprott 1994, Phys. Rev. E 50, R647, case E.

    The equilibrium attracts by one eigenvalue, the other two are imaginary.
    """
    return {x: y * z, y: x**2 - y, z: 1 - a * x}


@flow
def sprott_f(x=0.05, y=0.05, z=0.05, *, a=0.5):
    """Spiral chaos with one square.

    Sprott 1994, Phys. Rev. E 50, R647, case F.

    A folded band like that of Roessler, which has one term more.
    """
    return {x: y + z, y: a * y - x, z: x**2 - z}


@flow
def sprott_g(x=0.05, y=0.05, z=0.05, *, a=0.4):
    """Spiral chaos with one product.

    Sprott 1994, Phys. Rev. E 50, R647, case G.

    A folded band about the origin, whose exponent is small.
    """
    return {x: a * x + z, y: x * z - y, z: y - x}


@flow
def sprott_h(x=0.05, y=0.05, z=0.05, *, a=0.5):
    """Case F in other variables.

    Sprott 1994, Phys. Rev. E 50, R647, case H.

    Its z obeys the equation of third order that the x of case F obeys.
    """
    return {x: z**2 - y, y: x + a * y, z: x - z}


@flow
def sprott_i(x=0.05, y=0.05, z=0.05, *, a=0.2):
    """Chaos that is hard to see.

    Sprott 1994, Phys. Rev. E 50, R647, case I.

    The smallest exponent of all cases, 0.012.
    """
    return {x: -a * y, y: x + z, z: x + y**2 - z}


@flow
def sprott_j(x=0.05, y=0.05, z=0.05, *, a=2.0, b=2.0):
    """One square and one equilibrium.

    Sprott 1994, Phys. Rev. E 50, R647, case J.

    The origin is the only equilibrium, and has a pair of growing spirals.
    """
    return {x: a * z, y: z - b * y, z: y - x + y**2}


@flow
def sprott_k(x=0.05, y=0.05, z=0.05, *, a=0.3):
    """One product and a divergence that is a state.

    Sprott 1994, Phys. Rev. E 50, R647, case K.

    Contracts on average only, since y - 0.7 may be positive.
    """
    return {x: x * y - z, y: x - y, z: x + a * z}


@flow
def sprott_l(x=0.05, y=0.05, z=0.05, *, a=3.9, b=0.9):
    """A square that drives a linear loop.

    Sprott 1994, Phys. Rev. E 50, R647, case L.

    One equilibrium, at x = 1.
    """
    return {x: y + a * z, y: b * x**2 - y, z: 1 - x}


@flow
def sprott_m(x=0.05, y=0.05, z=0.05, *, a=1.7):
    """A parabola and a line that cross twice.

    Sprott 1994, Phys. Rev. E 50, R647, case M.

    Two equilibria on the plane z = 0.
    """
    return {x: -z, y: -(x**2) - y, z: a + a * x + y}


@flow
def sprott_n(x=0.05, y=0.05, z=0.05, *, a=2.0, b=2.0):
    """One square in a loop of three.

    Sprott 1994, Phys. Rev. E 50, R647, case N.

    One equilibrium, (-1/4, 0, 1/2).
    """
    return {x: -a * y, y: x + z**2, z: 1 + y - b * z}


@flow
def sprott_o(x=0.05, y=0.05, z=0.05, *, a=2.7):
    """One product and a divergence that is a state.

    Sprott 1994, Phys. Rev. E 50, R647, case O.

    Contracts on average only, at the rate of the mean of x.
    """
    return {x: y, y: x - z, z: x + x * z + a * y}


@flow
def sprott_p(x=0.05, y=0.05, z=0.05, *, a=2.7):
    """One square and a divergence that is a state.

    Sprott 1994, Phys. Rev. E 50, R647, case P.

    Contracts on average only, at the rate of twice the mean of y.
    """
    return {x: a * y + z, y: y**2 - x, z: x + y}


@flow
def sprott_q(x=0.05, y=0.05, z=0.05, *, a=3.1, b=0.5):
    """Spiral chaos about one of two equilibria.

    Sprott 1994, Phys. Rev. E 50, R647, case Q.

    The other equilibrium is at x = -a.
    """
    return {x: -z, y: x - y, z: a * x + y**2 + b * z}


@flow
def sprott_r(x=0.05, y=0.05, z=0.05, *, a=0.9, b=0.4):
    """One product and two constants.

    Sprott 1994, Phys. Rev. E 50, R647, case R.

    One equilibrium, (-b/a, a, -b).
    """
    return {x: a - y, y: b + z, z: x * y - z}


@flow
def sprott_s(x=0.05, y=0.05, z=0.05, *, a=4.0):
    """One square; two equilibria on a line.

    Sprott 1994, Phys. Rev. E 50, R647, case S.

    The largest exponent of the cases with one nonlinear term.
    """
    return {x: -x - a * y, y: x + z**2, z: 1 + x}
