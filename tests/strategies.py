"""Random systems for the laws, and the arithmetic that judges what was computed from them.

`systems` draws rules over the whole language of equations.  `Evaluation` evaluates expression
trees with mpmath and carries along, for every number, how far double arithmetic may be from it:
the running error analysis of Wilkinson (Higham 2002, Accuracy and Stability of Numerical
Algorithms, section 3.3).  A tolerance is therefore never chosen by hand: it is what rounding can do to
that very expression at that very point.
"""

import inspect
import itertools
import math
from dataclasses import dataclass

import mpmath
import numpy as np
import sympy
from hypothesis import reject
from hypothesis import strategies as st

import dynlab as dl
from dynlab.codegen import printer
from dynlab.kernels import elementary, removable
from dynlab.symbolic import singular
from dynlab.symbolic.tree import symbol

DIGITS = 50
UNIT = mpmath.mpf(2) ** -53
LIBRARY = 4  # roundings allowed to a function of the math library
PRIMITIVE = mpmath.mpf(2e-14)  # of |f| + |x f'|, what dynlab/kernels/removable.py promises
SAFETY = 2  # for the second-order terms that running error analysis drops
UNDERFLOW = mpmath.mpf(1e-290)
OVERFLOW = mpmath.mpf(1e290)
USELESS = mpmath.mpf(1e-5)  # a bound above this share of the value judges nothing


class Undecided(Exception):
    """The point lies on a jump, outside the domain, or where rounding decides the result."""


@dataclass(frozen=True, slots=True)
class Bounded:
    """A number, and a bound of the error that double arithmetic makes on the way to it."""

    value: mpmath.mpf
    error: mpmath.mpf

    @property
    def range(self):
        if self.error == 0:
            return (self.value,)
        return (self.value, self.value - self.error, self.value + self.error)


class Evaluation:
    """Evaluates trees at one point, in the working precision of mpmath.

    Parameters
    ----------
    values
        The number behind each name; ``"t"`` is the time.
    assignments
        Named trees, evaluated when a tree asks for them.
    margin
        Distance from jumps and corners within which the point counts as undecided.
    """

    def __init__(self, values, assignments=(), margin=0.0):
        self.known = {name: Bounded(mpmath.mpf(v), mpmath.mpf(0)) for name, v in values.items()}
        self.pending = dict(assignments)
        self.margin = mpmath.mpf(margin)

    def __call__(self, tree):
        try:
            found = getattr(self, f"_{tree[0]}")(*tree[1:])
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            raise Undecided(str(error)) from error
        if not mpmath.isfinite(found.value) or abs(found.value) + found.error > OVERFLOW:
            raise Undecided("overflow")
        return Bounded(found.value, found.error + (UNDERFLOW if found.error else 0))

    def _integer(self, value):
        return Bounded(mpmath.mpf(value), mpmath.mpf(0))

    def _rational(self, numerator, denominator):
        value = mpmath.mpf(numerator) / denominator
        return Bounded(value, UNIT * abs(value))

    def _real(self, value):
        return Bounded(mpmath.mpf(value), mpmath.mpf(0))

    def _constant(self, name):
        value = +{"pi": mpmath.pi, "e": mpmath.e}[name]
        return Bounded(value, UNIT * value)

    def _time(self):
        return self.known["t"]

    def _name(self, name):
        if name not in self.known:
            self.known[name] = self(self.pending[name])
        return self.known[name]

    def _add(self, *terms):
        parts = [self(term) for term in terms]
        total = sum(part.value for part in parts)
        size = sum(abs(part.value) + part.error for part in parts)
        return Bounded(total, sum(p.error for p in parts) + (len(parts) - 1) * UNIT * size)

    def _mul(self, *factors):
        parts = [self(factor) for factor in factors]
        value = mpmath.fprod(part.value for part in parts)
        most = mpmath.fprod(abs(part.value) + part.error for part in parts)
        return Bounded(value, most * (1 + UNIT) ** (2 * len(parts)) - abs(value))

    def _pow(self, base, exponent):
        whole = abs(exponent[1]) if exponent[0] == "integer" else 0
        return self._spread(mpmath.power, (self(base), self(exponent)), whole + LIBRARY)

    def _call(self, name, *arguments):
        if name in PRIMITIVES:
            return self._primitive(name, self(arguments[0]), arguments[1][1])
        parts = [self(argument) for argument in arguments]
        if name in ("min", "max"):
            return self._extreme(name, parts)
        if name == "abs":
            self._away_from(parts[0], 0, smooth=True)
            return Bounded(abs(parts[0].value), parts[0].error)
        if name in ("sign", "heaviside"):
            self._away_from(parts[0], 0)
            side = mpmath.sign(parts[0].value)
            value = side if name == "sign" else (1 + side) / 2
            return Bounded(value, mpmath.mpf(0))
        if name == "floor":
            self._away_from(parts[0], mpmath.nint(parts[0].value))
            return Bounded(mpmath.floor(parts[0].value), mpmath.mpf(0))
        return self._spread(FUNCTIONS[name], parts, LIBRARY)

    def _primitive(self, name, at, order):
        value = _primitive_at(name, at.value, order)
        slope = _primitive_at(name, at.value, order + 1)
        own = PRIMITIVE * (abs(value) + abs(at.value * slope))
        return Bounded(value, own + 2 * at.error * abs(slope))

    def _extreme(self, name, parts):
        ordered = sorted((part.value for part in parts), reverse=name == "max")
        if self.margin and ordered[1] - ordered[0] <= self.margin >= ordered[0] - ordered[1]:
            raise Undecided("corner")
        return Bounded(ordered[0], max(part.error for part in parts))

    def _where(self, condition, a, b):
        return self(a) if self._holds(condition) else self(b)

    def _holds(self, condition):
        kind, *rest = condition
        if kind in ("true", "false"):
            return kind == "true"
        if kind == "not":
            return not self._holds(rest[0])
        if kind in ("and", "or"):
            return {"and": all, "or": any}[kind]([self._holds(part) for part in rest])
        if kind == "name":
            return self._holds(self.pending[rest[0]])
        a, b = self(rest[0]), self(rest[1])
        self._away_from(Bounded(a.value - b.value, a.error + b.error), 0)
        return getattr(a.value, f"__{kind}__")(b.value)

    def _away_from(self, at, jump, *, smooth=False):
        distance = abs(at.value - jump)
        if distance <= self.margin and self.margin > 0:
            raise Undecided("jump or corner")
        if not smooth and at.error > 0 and distance <= at.error:
            raise Undecided("jump")

    def _spread(self, function, parts, roundings):
        """Value, and how far it moves while the arguments move within their bounds."""
        values = [function(*corner) for corner in itertools.product(*(p.range for p in parts))]
        if any(isinstance(value, mpmath.mpc) for value in values):
            raise Undecided("outside the domain")
        moved = max(abs(value - values[0]) for value in values)
        return Bounded(values[0], 2 * moved + roundings * UNIT * max(map(abs, values)))


FUNCTIONS = {
    name: getattr(mpmath, name)
    for name in (
        "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp",
        "log", "log1p", "expm1", "sqrt", "erf",
    )
} | {"sigmoid": lambda x: 1 / (1 + mpmath.exp(-x))}  # fmt: skip
PRIMITIVES = {
    "exprel": lambda x: mpmath.expm1(x) / x if x else mpmath.mpf(1),
    "bernoulli": lambda x: x / mpmath.expm1(x) if x else mpmath.mpf(1),
    "sinc": mpmath.sinc,
    "logrel": lambda x: mpmath.log1p(x) / x if x else mpmath.mpf(1),
    "tanhc": lambda x: mpmath.tanh(x) / x if x else mpmath.mpf(1),
}


def _primitive_at(name, x, order):
    if name == "logrel" and x <= -1:
        raise Undecided("outside the domain")
    if order == 0:
        return PRIMITIVES[name](x)
    precision = mpmath.mp.prec
    value = getattr(singular, name)(sympy.Float._new(x._mpf_, precision), order)
    return mpmath.mpf(value._to_mpmath(precision))


def outputs_of(program, values, *, margin=0.0):
    """Return the outputs of a program as bounded numbers; directions are named as printed."""
    evaluation = Evaluation(values, program.assignments, margin)
    return [evaluation(tree) for tree in program.outputs]


def direction_values(*directions):
    """Return direction vectors under the names that programs give them."""
    return {
        f"_{letter}{j}": component
        for letter, direction in zip("uvsr", directions, strict=False)
        for j, component in enumerate(direction)
    }


_NAMESPACE = (
    {name: getattr(np, name) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log", "log1p", "expm1", "sqrt",
        "floor",
    )}
    | {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2}
    | {"erf": math.erf, "abs": abs}
    | {name: getattr(elementary, name).py_func for name in ("heaviside", "sigmoid", "sign")}
    | {name: getattr(removable, name).py_func for name in PRIMITIVES}
)  # fmt: skip


def run_printed(program, t, x, p, *directions):
    """Run the printed source as ordinary Python."""
    space = dict(_NAMESPACE)
    exec(printer.function_source(program), space)
    out = np.full(len(program.outputs), np.nan)
    arrays = [np.asarray(vector, dtype=float) for vector in (x, p, *directions)]
    with np.errstate(all="ignore"):
        x, p, *directions = arrays
        status = space[program.kind](
            np.float64(t), x, None, p, None, None, None, *directions, out
        )  # fmt: skip
    assert status == 0
    return out


def check_numbers(numbers, bounds):
    """Require numbers computed in double precision to be as near as rounding lets them be."""
    assert len(numbers) == len(bounds)
    for number, bound in zip(numbers, bounds, strict=True):
        assert abs(mpmath.mpf(float(number)) - bound.value) <= SAFETY * bound.error + UNDERFLOW


def judged(bounds):
    """Return the bounds; reject the example if rounding may have eaten a result."""
    largest = max((abs(bound.value) for bound in bounds), default=0)
    if any(bound.error > USELESS * (largest + 1) for bound in bounds):
        reject()
    return bounds


# Names that sympy, Python or the alphabet treat in a special way, and some plain ones.
NAMES = ("v", "w", "beta", "gamma", "E", "I", "S", "N", "Q", "O", "lambda_", "β", "x1", "zeta")
CONSTANTS = st.one_of(
    st.integers(-3, 3).map(sympy.Integer),
    st.sampled_from([0.1, -0.7, 2.5, 0.08, -1.3, 54.4]).map(sympy.Float),
    st.sampled_from(["1/3", "-2/7", "5/2", "1/8"]).map(sympy.Rational),
)


def expressions(names, *, time=False, smooth=False):
    """Draw expressions over the whole language in the given names.

    Arguments are shaped so that most points lie in the domain (a logarithm gets a square plus a
    constant) and nothing grows beyond what double precision holds.
    """
    leaves = [symbol(name) for name in names] + ([dl.t] if time else [])
    quantities = st.sampled_from(leaves)
    leaf = st.one_of(quantities, quantities, CONSTANTS)
    return st.recursive(leaf, lambda inner: _grown(inner, quantities, smooth), max_leaves=6)


def _grown(inner, quantities, smooth):
    positive = inner.map(lambda a: a**2 + sympy.Rational(1, 3))
    tame = inner.map(dl.tanh)
    shifted = st.builds(
        lambda a, c, s: (a - c) / s, quantities, CONSTANTS, st.sampled_from([2, 0.5, 10, 18.0])
    )
    choices = [
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, b: a * b, inner, inner),
        st.builds(lambda a, b: a / b, inner, positive),
        st.builds(lambda a, n: a**n, inner, st.sampled_from([2, 3])),
        st.builds(lambda a, n: a**n, positive, st.sampled_from([-1, -2, 0.7, -0.5])),
        st.builds(lambda a, b: a**b, positive, tame),
        st.builds(lambda f, a: f(a), st.sampled_from(ENTIRE), inner),
        st.builds(lambda f, a: f(a), st.sampled_from(STEEP), tame),
        st.builds(lambda f, a: f(a), st.sampled_from([dl.log, dl.sqrt, dl.log1p]), positive),
        st.builds(lambda f, a: f(0.9 * a), st.sampled_from([dl.asin, dl.acos]), tame),
        st.builds(dl.atan2, inner, positive),
        st.builds(lambda f, u, b: b * f(u), st.sampled_from(QUOTIENTS), shifted, inner),
    ]
    if not smooth:
        relations = st.builds(
            lambda make, a, b: make(a, b),
            st.sampled_from([sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge]), inner, inner,
        )  # fmt: skip
        conditions = st.one_of(
            relations,
            st.builds(lambda a, b: sympy.And(a, b), relations, relations),
            st.builds(lambda a, b: sympy.Or(a, sympy.Not(b)), relations, relations),
        )
        choices += [
            st.builds(lambda f, a: f(a), st.sampled_from(KINKED), inner),
            st.builds(lambda f, a, b: f(a, b), st.sampled_from([dl.min, dl.max]), inner, inner),
            st.builds(dl.mod, inner, st.sampled_from([2, 0.7])),
            st.builds(dl.where, conditions, inner, inner),
        ]
    return st.one_of(choices)


ENTIRE = (dl.sin, dl.cos, dl.tanh, dl.sigmoid, dl.atan, dl.erf, dl.sinc)
STEEP = (dl.exp, dl.sinh, dl.cosh, dl.expm1, dl.tan, dl.exprel)
KINKED = (dl.abs, dl.sign, dl.heaviside, dl.floor)
QUOTIENTS = (
    lambda u: u / (1 - dl.exp(-u)),
    lambda u: u / (dl.exp(u) - 1),
    lambda u: dl.tanh(u) / u,
    lambda u: (1 - dl.cos(u)) / u,
    lambda u: dl.sin(u) / u,
)


def define(states, parameters, equations, *, maker=dl.flow, name="drawn"):
    """Define a system through the public door: as if its function had been typed.

    Parameters
    ----------
    states, parameters
        Values by name, in order.
    equations
        One expression per state.
    """

    def body(*args, **kwargs):
        given = dict(zip(states, args, strict=True)) | kwargs
        swap = {symbol(n): quantity for n, quantity in given.items()}
        return {
            given[n]: sympy.sympify(e).xreplace(swap)
            for n, e in zip(states, equations, strict=True)
        }

    kinds = inspect.Parameter
    body.__name__ = name
    body.__doc__ = None
    body.__signature__ = inspect.Signature(
        [kinds(n, kinds.POSITIONAL_OR_KEYWORD, default=v) for n, v in states.items()]
        + [kinds(n, kinds.KEYWORD_ONLY, default=v) for n, v in parameters.items()]
    )
    return maker(body)


NUMBERS = st.one_of(
    st.floats(-3, 3).map(lambda value: round(value, 6)),
    st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0, 0.1]),
)


@st.composite
def systems(draw, *, states=3, parameters=2, time=False, smooth=False, maker=dl.flow):
    """Draw a system with up to that many states and parameters."""
    count = draw(st.integers(1, states))
    names = draw(st.permutations(NAMES))[: count + draw(st.integers(0, parameters))]
    values = {name: draw(NUMBERS) for name in names}
    rule = [draw(expressions(names, time=time, smooth=smooth)) for _ in range(count)]
    return define(
        {n: values[n] for n in names[:count]}, {n: values[n] for n in names[count:]}, rule,
        maker=maker,
    )  # fmt: skip


@st.composite
def points(draw, system, directions=0, *, active=0):
    """Draw time, states, parameters and direction vectors for a system."""
    size = len(system.states) + active
    return (
        draw(NUMBERS),
        [draw(NUMBERS) for _ in system.states],
        [draw(NUMBERS) for _ in system.parameters],
        *([draw(NUMBERS) for _ in range(size)] for _ in range(directions)),
    )


def named(system, t, x, p):
    """Return a point by name, as `Evaluation` takes it."""
    return {
        "t": t,
        **dict(zip(system.state_names, x, strict=True)),
        **dict(zip(system.parameter_names, p, strict=True)),
    }
