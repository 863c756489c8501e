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
    | {mark + name: getattr(elementary, name).py_func for name in elementary.__all__
       for mark in ("", "_")}
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
EXACT = [sympy.Rational(c) for c in ("-3", "-2", "-1", "0", "1", "2", "3", "1/3", "-2/7", "5/2")]
DOUBLE = [*EXACT, *map(sympy.Float, (0.1, -0.7, 2.5, 0.08, -1.3, 54.4))]


ENTIRE = (dl.sin, dl.cos, dl.tanh, dl.sigmoid, dl.atan, dl.erf, dl.sinc)
STEEP = (dl.exp, dl.sinh, dl.cosh, dl.expm1, dl.tan, dl.exprel)
ROOTED = (dl.log, dl.sqrt, dl.log1p)
KINKED = (dl.abs, dl.sign, dl.heaviside, dl.floor)
POWERS = (-1, -2, sympy.Rational(7, 10), sympy.Rational(-1, 2))
QUOTIENTS = (
    lambda u: u / (1 - dl.exp(-u)),
    lambda u: u / (dl.exp(u) - 1),
    lambda u: dl.tanh(u) / u,
    lambda u: (1 - dl.cos(u)) / u,
    lambda u: dl.sin(u) / u,
)
SIDES = (sympy.Lt, sympy.Le, sympy.Gt, sympy.Ge)
CHOICE = {n: st.integers(0, n - 1) for n in range(1, 40)}


@dataclass(frozen=True, slots=True)
class Grammar:
    """Draws expressions over the whole language, of limited size.

    Arguments are shaped so that most points lie in the domain (a logarithm gets a square plus a
    constant) and nothing grows beyond what double precision holds.
    """

    draw: object
    leaves: list
    quantities: list
    constants: list

    def one_of(self, options):
        return options[self.draw(CHOICE[len(options)])]

    def rule(self, size):
        try:
            return self.expression(size)
        except RecursionError:  # sympy 1.14 asks for ever about Abs of some signs and quotients
            reject()

    def expression(self, size):
        if size <= 1:
            return self.one_of(self.leaves if self.draw(CHOICE[5]) else self.constants)
        return self.one_of(FORMS)(self, size - 1)

    def two(self, size):
        left = 1 + self.draw(CHOICE[max(size - 1, 1)])
        return self.expression(left), self.expression(size - left)

    def positive(self, size):
        return self.expression(size) ** 2 + sympy.Rational(1, 3)

    def tame(self, size):
        return dl.tanh(self.expression(size))

    def scale(self):
        return self.one_of([c for c in self.constants if c != 0])

    def condition(self, size):
        # Often one threshold, so that the same condition stands in several places.
        if self.draw(CHOICE[2]):
            return self.one_of(self.quantities) > 0
        first = self.one_of(SIDES)(self.expression(size), self.one_of(self.quantities))
        second = self.one_of(self.quantities) > self.one_of(self.constants)
        join = (lambda a, _: a, sympy.And, sympy.Or, lambda a, b: sympy.And(a, sympy.Not(b)))
        return self.one_of(join)(first, second)

    def sum(self, size):
        a, b = self.two(size)
        return a + b if self.draw(CHOICE[2]) else a - b

    def product(self, size):
        a, b = self.two(size)
        return a * b

    def quotient(self, size):
        a, b = self.two(size)
        return a / (b**2 + sympy.Rational(1, 3))

    def power(self, size):
        if self.draw(CHOICE[2]):
            return self.expression(size) ** (2 + self.draw(CHOICE[2]))
        return self.positive(size) ** self.one_of(POWERS)

    def general_power(self, size):
        a, b = self.two(size)
        return (a**2 + sympy.Rational(1, 3)) ** dl.tanh(b)

    def function(self, size):
        kind = self.draw(CHOICE[4])
        if kind == 0:
            return self.one_of(STEEP)(self.tame(size))
        if kind == 1:
            return self.one_of(ROOTED)(self.positive(size))
        if kind == 2:
            return self.one_of((dl.asin, dl.acos))(9 * self.tame(size) / 10)
        return self.one_of(ENTIRE)(self.expression(size))

    def angle(self, size):
        a, b = self.two(size)
        return dl.atan2(a, b**2 + sympy.Rational(1, 3))

    def singular_quotient(self, size):
        u = (self.one_of(self.quantities) - self.one_of(self.constants)) / self.scale()
        return self.one_of(QUOTIENTS)(u) * self.expression(size)

    def kinked(self, size):
        return self.one_of(KINKED)(self.expression(size))

    def extreme(self, size):
        return self.one_of((dl.min, dl.max))(*self.two(size))

    def modulus(self, size):
        return dl.mod(self.expression(size), self.scale())

    def choice(self, size):
        a, b = self.two(size)
        return dl.where(self.condition(1), a, b)


FORMS = (
    Grammar.sum, Grammar.product, Grammar.quotient, Grammar.power, Grammar.function,
    Grammar.function, Grammar.general_power, Grammar.angle, Grammar.singular_quotient,
    Grammar.kinked, Grammar.extreme, Grammar.modulus, Grammar.choice,
)  # fmt: skip


@st.composite
def expressions(draw, names, *, constants=DOUBLE):
    """Draw one expression in the given names and the time.

    With ``constants=EXACT`` the laws hold to every digit; with others sympy folds constants with
    the rounding of doubles.
    """
    quantities = [*map(symbol, names), dl.t]
    return Grammar(draw, quantities, quantities, constants).rule(6)


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
def systems(draw, *, states=3, parameters=2, time=False, constants=DOUBLE, size=5):
    """Draw a flow with up to that many states and parameters."""
    count = 1 + draw(CHOICE[states])
    names = draw(st.permutations(NAMES))[: count + draw(CHOICE[parameters + 1])]
    values = {name: draw(NUMBERS) for name in names}
    quantities = [symbol(name) for name in names] + ([dl.t] if time else [])
    # A part that several equations share, as currents and rates do in models.
    part = Grammar(draw, quantities, quantities, constants).rule(3)
    grammar = Grammar(draw, [*quantities, part], quantities, constants)
    return define(
        {n: values[n] for n in names[:count]},
        {n: values[n] for n in names[count:]},
        [grammar.rule(1 + draw(CHOICE[size])) for _ in range(count)],
    )


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
