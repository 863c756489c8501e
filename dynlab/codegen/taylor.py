"""A rule -> recurrences for the Taylor coefficients of its solution, as plain data.

With ``x(t + h) = sum_n x_n h^n`` the equation ``x' = f`` says ``(n + 1) x_{n+1} = f_n``, and the
coefficients ``f_n`` follow from those of the states up to ``x_n``: sums term by term, products and everything
else by convolutions, since each function u of the language solves a differential equation in its
argument a (Moore 1966, Interval Analysis, ch. 11; Griewank and Walther 2008, Evaluating Derivatives, table
13.2).  Multiplied out, with ``[f g]`` for the sum of ``f_i g_{n-i}`` and ``Da`` for the series ``i a_i``:

===================  =====================================================
``a b``              ``u_n = [a b]``
``a / b``            ``u_n = (a_n - [b u]) / b_0``             i from 1
``sqrt a``           ``u_n = (a_n - [u u]) / (2 u_0)``         i from 1 to n - 1
``a^c``              ``v_n = (c [Da u] - [a v]) / a_0``, ``u_n = v_n / n``
``u' = w a'``        ``n u_n = [Da w]``                        exp, sin, tan, tanh, sigmoid, erf, ...
``u' = a' / w``      ``v_n = (n a_n - [w v]) / w_0``, ``u_n = v_n / n``       log, atan, asin, ...
===================  =====================================================

with ``v = Du``.  Quotients with a removable singularity (``exprel``, ...) are composed: their own coefficients
times powers of ``a - a_0``.  What has no derivative somewhere (``floor``, ``abs``, ``where``, ...) is refused, unless
it is a constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dynlab.codegen.lower import lower_rule
from dynlab.errors import UnsupportedSystemError
from dynlab.kernels.power_series import COMPOSED
from dynlab.symbolic.system import System
from dynlab.symbolic.tree import Tree

__all__ = ["Coefficient", "Composition", "Convolution", "Factor", "TaylorProgram", "lower_taylor"]

#: Names that a recurrence may hold beside those of coefficients: n, its inverse, 1 if n is 1 and else 0.
N, INVERSE, IS_FIRST = ("name", "_n"), ("name", "_inverse"), ("name", "_is_first")
_ONE, _TWO, _ZERO = ("integer", 1), ("integer", 2), ("integer", 0)
_MOST_FACTORS = 64
_ROUGH = ("abs", "sign", "heaviside", "min", "max", "floor", "recorded")


@dataclass(frozen=True, slots=True)
class Factor:
    """A series in a convolution; its coefficient i times i if it is `weighted`."""

    series: str
    weighted: bool = False


@dataclass(frozen=True, slots=True)
class Convolution:
    """``name = sum first_i second_{n-i}`` for i from `since` to n, or to n - 1 where `inner`."""

    name: str
    first: Factor
    second: Factor
    since: int
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Coefficient:
    """The coefficients of one series: that of order 0, and that of order n from what is named before.

    What is named as `initial` of a series in `following` is its coefficient of order 0.
    """

    name: str
    start: Tree
    following: Tree


@dataclass(frozen=True, slots=True)
class Composition:
    """A series ``function(a)`` of a function whose own coefficients are known, or its derivative."""

    name: str
    argument: str
    function: str
    order: int


Statement = Convolution | Coefficient | Composition


@dataclass(frozen=True, slots=True)
class TaylorProgram:
    """What the kernel of the Taylor coefficients computes.

    Parameters
    ----------
    states, parameters
        Names in the order in which their values arrive.
    constants
        What depends on parameters alone: names and trees.
    statements
        The series in order.
    rates
        For each state its rate at order 0, and at all others.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    constants: tuple[tuple[str, Tree], ...]
    statements: tuple[Statement, ...]
    rates: tuple[tuple[Tree, Tree], ...]


def initial(series: str) -> Tree:
    """Return the name of the coefficient of order 0."""
    return ("name", f"_0{series}" if series.startswith("_") else f"_0_{series}")


def lower_taylor(system: System) -> TaylorProgram:
    """Return the recurrences of a flow.

    Raises
    ------
    UnsupportedSystemError
        If a function in the rule has no derivatives somewhere, or the system is a network or has
        signals.
    """
    if system.is_indexed or system.signals:
        what = "is a network" if system.is_indexed else "has a recorded signal"
        raise UnsupportedSystemError(
            f"{system.name!r} {what}, for which there are no Taylor coefficients. Use dl.Explicit8(rtol=1e-12)."
        )
    program = lower_rule(system)
    lowering = _Lowering(system.name, program.states)
    for name, tree in program.assignments:
        lowering.known[name] = lowering.series(tree)
    rates = tuple(lowering.both(lowering.series(tree)) for tree in program.outputs)
    return TaylorProgram(
        states=program.states, parameters=program.parameters,
        constants=tuple(lowering.constants), statements=tuple(lowering.made), rates=rates,
    )  # fmt: skip


#: ``u' = w a'`` where w is made of u, and ``u' = a' / w`` where w is made of a; all as trees in a name.
_U, _A = ("name", "u"), ("name", "a")
_SQUARE_OF_U, _SQUARE_OF_A = ("pow", _U, _TWO), ("pow", _A, _TWO)
_MINUS = ("integer", -1)
_TIMES_SLOPE: dict[str, Tree] = {
    "exp": _U,
    "expm1": ("add", _ONE, _U),
    "tan": ("add", _ONE, _SQUARE_OF_U),
    "tanh": ("add", _ONE, ("mul", _MINUS, _SQUARE_OF_U)),
    "sigmoid": ("add", _U, ("mul", _MINUS, _SQUARE_OF_U)),
    "erf": (
        "mul", ("real", 1.1283791670955126),
        ("call", "exp", ("mul", _MINUS, _SQUARE_OF_A)),
    ),
}  # fmt: skip
_OVER_SLOPE: dict[str, Tree] = {
    "log": _A,
    "log1p": ("add", _ONE, _A),
    "atan": ("add", _ONE, _SQUARE_OF_A),
    "asin": ("call", "sqrt", ("add", _ONE, ("mul", _MINUS, _SQUARE_OF_A))),
    "acos": ("mul", _MINUS, ("call", "sqrt", ("add", _ONE, ("mul", _MINUS, _SQUARE_OF_A)))),
}
#: Two functions, each the derivative of the other but for the sign given.
_PAIRS = {"sin": ("sin", "cos", -1), "cos": ("sin", "cos", -1),
          "sinh": ("sinh", "cosh", 1), "cosh": ("sinh", "cosh", 1)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Linear:
    """A sum of series times constants: at order 0, and at all others."""

    start: Tree
    following: Tree


def _moves(value: Any) -> bool:
    return not isinstance(value, tuple)


def _added(terms: list[Tree]) -> Tree:
    return ("add", *terms) if len(terms) > 1 else terms[0]


def _multiplied(factors: list[Tree]) -> Tree:
    return ("mul", *factors) if len(factors) > 1 else factors[0]


def _turned(power: Tree) -> Tree:
    """Return one over a power with a negative whole exponent."""
    exponent = -power[2][1]
    return power[1] if exponent == 1 else ("pow", power[1], ("integer", exponent))


#: A series has a name or is a sum of some; a constant is a tree.
Series = str | _Linear
Value = Series | Tree


class _Lowering:
    """The lowering of one rule."""

    def __init__(self, system: str, states: tuple[str, ...]) -> None:
        self.system = system
        self.known: dict[str, Value] = {name: name for name in states}
        self.made: list[Statement] = []
        self.constants: list[tuple[str, Tree]] = []
        self.memory: dict[Any, Any] = {}
        self.count = 0

    def fresh(self, letter: str) -> str:
        """Return a name that nothing else has."""
        self.count += 1
        return f"_{letter}{self.count}"

    def constant(self, tree: Tree) -> Tree:
        """Return a constant by name, so that it is computed once."""
        if tree[0] in ("name", "integer", "rational", "real", "constant"):
            return tree
        if tree not in self.memory:
            name = self.fresh("k")
            self.constants.append((name, tree))
            self.memory[tree] = ("name", name)
        found: Tree = self.memory[tree]
        return found

    def both(self, value: Value) -> tuple[Tree, Tree]:
        """Return the coefficients of a value at order 0 and at all others."""
        if isinstance(value, _Linear):
            return value.start, value.following
        return (
            (("name", value), ("name", value))
            if isinstance(value, str)
            else (self.constant(value), _ZERO)
        )

    def named(self, value: Value) -> str:
        """Return the name of a series, of a constant too."""
        if isinstance(value, str):
            return value
        key = ("named", value)
        if key not in self.memory:
            self.memory[key] = self.fresh("s")
            self.made.append(Coefficient(self.memory[key], *self.both(value)))
        found: str = self.memory[key]
        return found

    def convolve(self, first: Factor, second: Factor, since: int, inner: bool = False) -> Tree:  # noqa: FBT001, FBT002
        """Return the name of a convolution."""
        key = (first, second, since, inner)
        if key not in self.memory:
            self.memory[key] = self.fresh("q")
            self.made.append(Convolution(self.memory[key], first, second, since, inner))
        return ("name", self.memory[key])

    # -- expressions ---------------------------------------------------------------------------

    def series(self, tree: Tree) -> Value:
        """Return the series of an expression, or the expression itself if it is constant."""
        kind, *rest = tree
        if kind == "mul":
            under = [f for f in rest if f[0] == "pow" and f[2][0] == "integer" and f[2][1] < 0]
            top = [f for f in rest if f not in under]
            if under and top:
                return self._quotient(_multiplied(top), _multiplied([_turned(f) for f in under]))
        if kind == "name":
            return self.known.get(rest[0], tree)
        if kind == "time":
            return _Linear(tree, IS_FIRST)
        if kind in ("integer", "rational", "real", "constant"):
            return tree
        if kind == "where":
            return self._steady(tree)
        parts = [self.series(a) for a in (rest[1:] if kind == "call" else rest)]
        if not any(_moves(part) for part in parts):
            return (kind, *(rest[:1] if kind == "call" else ()), *parts)
        key = (kind, rest[0] if kind == "call" else "", *parts)
        if key not in self.memory:
            self.memory[key] = self._made(kind, rest, parts)
        found: Value = self.memory[key]
        return found

    def _made(self, kind: str, rest: list[Any], parts: list[Value]) -> Value:
        if kind == "add":
            return self._sum(parts)
        if kind == "mul":
            return self._product(parts)
        if kind == "pow":
            return self._power(*parts)
        return self._function(rest[0], parts)

    def _quotient(self, top: Tree, bottom: Tree) -> Value:
        over, under = self.series(top), self.series(bottom)
        if not _moves(under):
            inverse = ("pow", under, _MINUS)
            return self._product([inverse, over]) if _moves(over) else ("mul", over, inverse)
        return self.over(over, self.named(under))

    def _steady(self, tree: Any) -> Any:
        """Return a choice between constants; refuse any other."""
        if not isinstance(tree, tuple):
            return tree
        if tree[:1] in (("time",), ("name",)):
            found = self.series(tree)
            if _moves(found):
                raise self._refusal("where")
            return found
        return tuple(map(self._steady, tree))

    def _refusal(self, name: str) -> UnsupportedSystemError:
        return UnsupportedSystemError(
            f"{self.system!r} has {name!r} in its equations, which is not smooth and has no Taylor series. "
            "Use dl.Explicit8(rtol=1e-12), or write what switches as an event."
        )

    def _sum(self, parts: list[Value]) -> _Linear:
        found = [self.both(part) for part in parts]
        moving = [following for _, following in found if following != _ZERO]
        return _Linear(("add", *(start for start, _ in found)), _added(moving))

    def _product(self, parts: list[Value]) -> Value:
        steady = [p for p in parts if isinstance(p, tuple)]
        moving = [p for p in parts if _moves(p)]
        product: Value = moving[0] if moving else _ONE
        for factor in moving[1:]:
            product = self.times(self.named(product), self.named(factor))
        if not steady:
            return product
        scale = self.constant(("mul", *steady) if len(steady) > 1 else steady[0])
        start, following = self.both(product)
        return _Linear(("mul", scale, start), ("mul", scale, following))

    def times(self, a: str, b: str) -> str:
        """Return the product of two series."""
        a, b = sorted((a, b))
        key = ("times", a, b)
        if key not in self.memory:
            found = self.convolve(Factor(a), Factor(b), 0)
            self.memory[key] = self.fresh("s")
            start = ("mul", ("name", a), ("name", b))
            self.made.append(Coefficient(self.memory[key], start, found))
        name: str = self.memory[key]
        return name

    def over(self, top: Value, b: str) -> str:
        """Return a quotient."""
        key = ("over", top, b)
        if key in self.memory:
            found: str = self.memory[key]
            return found
        name = self.fresh("s")
        start, following = self.both(top)
        past = self.convolve(Factor(b), Factor(name), 1)
        rest = ("mul", _MINUS, past)
        if following != _ZERO:
            rest = ("add", following, rest)
        start = ("mul", start, ("pow", ("name", b), _MINUS))
        self.made.append(Coefficient(name, start, ("mul", rest, ("pow", initial(b), _MINUS))))
        self.memory[key] = name
        return name

    def _power(self, base: Value, exponent: Value) -> Value:
        if not isinstance(exponent, tuple):
            logarithm = self.series_of("log", base)
            return self.series_of("exp", self._product([exponent, logarithm]))
        a = self.named(base)
        if exponent[0] == "integer" and abs(exponent[1]) <= _MOST_FACTORS:
            whole = self._whole_power(a, abs(exponent[1]))
            return whole if exponent[1] > 0 else self.over(_ONE, whole)
        if exponent == ("rational", 1, 2):
            return self._root(a)
        return self._real_power(a, self.constant(exponent))

    def _whole_power(self, base: str, exponent: int) -> str:
        if exponent == 1:
            return base
        half = self._whole_power(base, exponent // 2)
        square = self.times(half, half)
        return square if exponent % 2 == 0 else self.times(square, base)

    def _root(self, a: str) -> str:
        name = self.fresh("s")
        inner = self.convolve(Factor(name), Factor(name), 1, inner=True)
        top = ("add", ("name", a), ("mul", _MINUS, inner))
        scale = ("pow", ("mul", _TWO, initial(name)), _MINUS)
        self.made.append(Coefficient(name, ("call", "sqrt", ("name", a)), ("mul", top, scale)))
        return name

    def _real_power(self, a: str, exponent: Tree) -> str:
        name = self.fresh("s")
        past = self.convolve(Factor(a, weighted=True), Factor(name), 1)
        inner = self.convolve(Factor(a), Factor(name, weighted=True), 1, inner=True)
        top = ("add", ("mul", exponent, past), ("mul", _MINUS, inner))
        following = ("mul", top, INVERSE, ("pow", initial(a), _MINUS))
        self.made.append(Coefficient(name, ("pow", ("name", a), exponent), following))
        return name

    # -- functions -----------------------------------------------------------------------------

    def series_of(self, function: str, *arguments: Value) -> Value:
        """Return the series of a function of series or constants."""
        if not any(_moves(a) for a in arguments):
            return ("call", function, *arguments)
        key = ("call", function, *arguments)
        if key not in self.memory:
            self.memory[key] = self._function(function, list(arguments))
        found: Value = self.memory[key]
        return found

    def _function(self, name: str, arguments: list[Any]) -> str:
        if name in _ROUGH:
            raise self._refusal(name)
        a = self.named(arguments[0])
        if name == "sqrt":
            return self._root(a)
        if name in _PAIRS:
            return self._pair(name, a)
        if name in _TIMES_SLOPE:
            return self._integrated(name, a, _TIMES_SLOPE[name])
        if name in _OVER_SLOPE:
            return self._divided(name, a, _OVER_SLOPE[name])
        if name == "atan2":
            return self._angle(*arguments)
        if name == "bernoulli" and arguments[1] == _ZERO:
            return self.over(_ONE, self.named(self.series_of("exprel", a, _ZERO)))
        if name in COMPOSED:
            made = self.fresh("s")
            self.made.append(Composition(made, a, name, int(arguments[1][1])))
            return made
        raise self._refusal(name)

    def _put(self, tree: Tree, names: dict[str, str]) -> str:
        """Return the series of an expression in the names u and a."""
        before = self.known
        self.known = {**before, **names}
        found = self.named(self.series(tree))
        self.known = before
        return found

    def _integrated(self, function: str, a: str, slope: Tree) -> str:
        """Return u with ``u' = w a'``."""
        is_own = function != "erf"
        name, past, place = self.fresh("s"), self.fresh("q"), len(self.made)
        if not is_own:
            w = self._put(slope, {"a": a})
            place = len(self.made)
        call = ("call", function, ("name", a))
        self.made.append(Coefficient(name, call, ("mul", ("name", past), INVERSE)))
        if is_own:
            w = self._put(slope, {"u": name})
        self.made.insert(place, Convolution(past, Factor(a, weighted=True), Factor(w), 1))
        return name

    def _divided(self, function: str, a: str, slope: Tree) -> str:
        """Return u with ``u' = a' / w``."""
        w = self._put(slope, {"a": a})
        name = self.fresh("s")
        inner = self.convolve(Factor(w), Factor(name, weighted=True), 1, inner=True)
        top = ("add", ("mul", N, ("name", a)), ("mul", _MINUS, inner))
        following = ("mul", top, INVERSE, ("pow", initial(w), _MINUS))
        self.made.append(Coefficient(name, ("call", function, ("name", a)), following))
        return name

    def _pair(self, function: str, a: str) -> str:
        """Return sine or cosine; both are made."""
        sine, cosine, sign = _PAIRS[function]
        s, c = self.fresh("s"), self.fresh("s")
        of_cosine = self.convolve(Factor(a, weighted=True), Factor(c), 1)
        of_sine = self.convolve(Factor(a, weighted=True), Factor(s), 1)
        for name, called, past in ((s, sine, of_cosine), (c, cosine, of_sine)):
            factors = (("integer", sign),) if called == "cos" else ()
            following = ("mul", *factors, past, INVERSE)
            self.made.append(Coefficient(name, ("call", called, ("name", a)), following))
            self.memory[("call", called, a)] = name
        return s if function == sine else c

    def _angle(self, over: Value, along: Value) -> str:
        """Return the angle of (x, y): ``u' = (x y' - y x') / (x^2 + y^2)``."""
        y, x = self.named(over), self.named(along)
        w = self.named(self._sum([self.times(x, x), self.times(y, y)]))
        name = self.fresh("s")
        up = self.convolve(Factor(y, weighted=True), Factor(x), 1)
        across = self.convolve(Factor(x, weighted=True), Factor(y), 1)
        inner = self.convolve(Factor(w), Factor(name, weighted=True), 1, inner=True)
        top = ("add", up, ("mul", _MINUS, across), ("mul", _MINUS, inner))
        following = ("mul", top, INVERSE, ("pow", initial(w), _MINUS))
        self.made.append(Coefficient(name, ("call", "atan2", ("name", y), ("name", x)), following))
        return name
