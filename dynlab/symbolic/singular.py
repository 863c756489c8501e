r"""Removable singularities: primitives with exact derivatives, and the search for them.

    exprel(x) = (e^x - 1) / x         sinc(x)   = sin(x) / x        tanhc(x) = tanh(x) / x
    bernoulli(x) = x / (e^x - 1)      logrel(x) = log(1 + x) / x

A second argument is the order of the derivative: d/dx exprel(x, n) = exprel(x, n + 1).  No further
primitive is needed for (1 - cos x) / x^2 = sinc(x/2)^2 / 2.

``remove_singularities`` must run before anything is differentiated: a quotient that is
differentiated first keeps a pole of order n + 1 that only cancels on paper.  The numerical
counterparts are in ``dynlab/kernels/removable.py``.

How a form is found.  Each factor that can be written ``primitive(u) * u^p`` (for instance
1/(a e^u - a) = bernoulli(u)/a * u^-1) looks for a factor of the same product in which ``u^-p`` is
contained.  Both are compared in a normal form: number times powers of atoms and of sums, each sum
without a common factor and with leading coefficient 1.  So 0.1 V + 4.0 = 0.1 (V + 40) meets
-V/10 - 4 = -1/10 (V + 40), and k v - k v0 meets (v0 - v)/s.  Numbers agree if they are equal or,
with floating point, differ by rounding; the ratio then is that of the leading coefficients and the
zero is that of ``u``.  Cost: about a millisecond per product.  Not found: one quotient written as
separate summands, and sums that would need a polynomial factorisation.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, TypeAlias

import mpmath
import sympy
from sympy.codegen.cfunctions import expm1, log1p

__all__ = ["bernoulli", "exprel", "logrel", "remove_singularities", "sinc", "tanhc"]

_Factors: TypeAlias = list[tuple[sympy.Expr, sympy.Expr]]  # bases and whole exponents

_ROUNDING = 8 * 2.0**-52  # two ways to write one shift differ by a few roundings
_SERIES_RADIUS = 0.25  # all Taylor series here have a radius of at least 1
_MOST_DOUBLINGS = 6


class _Primitive(sympy.Function):
    """A quotient with a removable singularity at 0; second argument: order of the derivative."""

    @classmethod
    def eval(cls, x: sympy.Expr, order: sympy.Expr | None = None) -> sympy.Expr | None:
        if order is None:
            return cls(x, sympy.S.Zero)
        if not (order.is_Integer and order.is_nonnegative):
            message = f"{cls.__name__}: order {order} is not a whole number >= 0"
            raise ValueError(message)
        if x is sympy.nan:
            return sympy.nan
        if x.is_zero:
            return sympy.factorial(order) * cls._taylor(int(order))
        if x.is_Float:
            return cls(x, order, evaluate=False)._eval_evalf(x._prec)
        return None

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        """Coefficient of x^k at 0."""
        raise NotImplementedError

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        """n-th derivative at an mpmath number away from 0, in the working precision."""
        raise NotImplementedError

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        if argindex != 1:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return self.func(self.args[0], self.args[1] + 1)

    def _eval_evalf(self, prec: int) -> sympy.Expr | None:
        n = int(self.args[1])
        # Doubling until two precisions agree pays for cancellation, which is worst near a zero.
        working, previous = prec + 20, None
        for _ in range(_MOST_DOUBLINGS + 1):
            try:
                x = mpmath.mpmathify(self.args[0]._to_mpmath(working))
            except ValueError:
                return None
            if not mpmath.isfinite(x):
                return None
            with mpmath.workprec(working):
                value = self._series(x, n) if abs(x) < _SERIES_RADIUS else self._derivative(x, n)
                agree = previous is not None and abs(value - previous) <= mpmath.ldexp(
                    abs(value), -prec - 2
                )
            if agree:
                return sympy.Expr._from_mpmath(value, prec)
            working, previous = 2 * working, value
        return sympy.S.Zero  # below every precision tried, as sin(pi) / pi is

    @classmethod
    def _series(cls, x: Any, n: int) -> Any:
        total, power, k = mpmath.mpf(0), mpmath.mpf(1), n
        falling, negligible = mpmath.factorial(n), 0
        # Every second coefficient of the even functions is zero: two small terms end the sum.
        while negligible < 2:
            coefficient = cls._taylor(k)
            term = power * falling * int(coefficient.p) / int(coefficient.q)
            total += term
            small = abs(term) <= mpmath.eps * abs(total)
            negligible = negligible + 1 if small and total != 0 else 0
            k += 1
            power *= x
            falling = falling * k / (k - n)
        return total

    def _eval_is_extended_real(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_is_finite(self) -> bool | None:
        return True if self.args[0].is_real else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x, order = self.args
        name = rf"\operatorname{{{type(self).__name__}}}"
        argument = rf"\left({printer._print(x)}\right)"
        if order != 0:
            name += rf"^{{({order})}}"
            return rf"\left({name}{argument}\right)^{{{exp}}}" if exp else name + argument
        return rf"{name}^{{{exp}}}{argument}" if exp else name + argument


class exprel(_Primitive):  # noqa: N801  (a function's name)
    """(exp(x) - 1) / x, and its n-th derivative as exprel(x, n)."""

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        return 1 / sympy.factorial(k + 1)

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        exponential = mpmath.exp(x)
        return _quotient([exponential - 1] + n * [exponential], x)


class bernoulli(_Primitive):  # noqa: N801
    """x / (exp(x) - 1), and its n-th derivative as bernoulli(x, n)."""

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        if k == 1:  # sympy has B_1 = +1/2
            return sympy.Rational(-1, 2)
        return sympy.bernoulli(k) / sympy.factorial(k)

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        if n > 0 and mpmath.re(x) < 0:
            # B(-x) = B(x) + x; directly the small derivatives for x -> -inf would cancel to zero.
            mirrored = (-1) ** n * bernoulli._derivative(-x, n)
            return mirrored - 1 if n == 1 else mirrored
        # B = x g with g = 1 / (e^x - 1) and g' = -g - g^2
        g = _chain(1 / mpmath.expm1(x), [0, -1, -1], n)
        return x * g[n] + n * g[n - 1] if n else x * g[0]


class sinc(_Primitive):  # noqa: N801
    """sin(x) / x (unnormalised), and its n-th derivative as sinc(x, n)."""

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        if k % 2:
            return sympy.S.Zero
        return sympy.Integer(-1) ** (k // 2) / sympy.factorial(k + 1)

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        sine, cosine = mpmath.sin(x), mpmath.cos(x)
        turn = [sine, cosine, -sine, -cosine]
        return _quotient([turn[k % 4] for k in range(n + 1)], x)


class logrel(_Primitive):  # noqa: N801
    """log(1 + x) / x, and its n-th derivative as logrel(x, n)."""

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        return sympy.Rational((-1) ** k, k + 1)

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        logarithm = [mpmath.log(1 + x)]
        logarithm += [-mpmath.factorial(k - 1) / (-1 - x) ** k for k in range(1, n + 1)]
        return _quotient(logarithm, x)

    def _eval_is_extended_real(self) -> bool | None:
        return True if (self.args[0] + 1).is_extended_positive else None

    def _eval_is_finite(self) -> bool | None:
        return True if (self.args[0] + 1).is_positive else None


class tanhc(_Primitive):  # noqa: N801
    """tanh(x) / x, and its n-th derivative as tanhc(x, n)."""

    @staticmethod
    def _taylor(k: int) -> sympy.Rational:
        if k % 2:
            return sympy.S.Zero
        power = sympy.Integer(2) ** (k + 2)
        return power * (power - 1) * sympy.bernoulli(k + 2) / sympy.factorial(k + 2)

    @staticmethod
    def _derivative(x: Any, n: int) -> Any:
        return _quotient(_chain(mpmath.tanh(x), [1, 0, -1], n), x)


def _quotient(numerator: list[Any], x: Any) -> Any:
    """Last derivative of f = N / x from those of N: x f^(n) + n f^(n-1) = N^(n)."""
    value = mpmath.mpf(0)
    for order, derivative in enumerate(numerator):
        value = (derivative - order * value) / x
    return value


def _chain(g: Any, slope: list[int], n: int) -> list[Any]:
    """Return g and n derivatives; g' is the polynomial slope(g), lowest coefficient first."""
    polynomial, values = [0, 1], [g]
    for _ in range(n):
        derivative = [k * c for k, c in enumerate(polynomial)][1:]
        polynomial = [0] * (len(derivative) + len(slope) - 1)
        for i, c in enumerate(derivative):
            for j, s in enumerate(slope):
                polynomial[i + j] += c * s
        values.append(mpmath.polyval(polynomial[::-1], g))
    return values


_MARKS = (sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tanh, sympy.sinc, expm1, log1p)


def remove_singularities(expression: sympy.Expr) -> sympy.Expr:
    """Rewrite the removable singularities of an expression into the primitives of this module.

    Found are, in products with anything else and for any u: u / (e^u - 1), (e^u - 1) / u,
    sin(u) / u, tanh(u) / u, log(1 + u) / u, (1 - cos u) / u and (1 - cos u) / u^2, with either
    sign, a common factor a in a e^u - a, and any multiple of u as partner.  An expression without
    them is returned as it is.

    Examples
    --------
    >>> import sympy
    >>> V = sympy.Symbol("V")
    >>> remove_singularities(0.1 * (V + 40) / (1 - sympy.exp(-(V + 40) / 10)))
    bernoulli(-V/10 - 4, 0)
    """
    if not expression.has(*_MARKS):
        return expression
    return _rewrite(expression, {})


def _rewrite(node: sympy.Basic, done: dict[sympy.Basic, sympy.Basic]) -> sympy.Basic:
    if not node.args:
        return node
    if node in done:
        return done[node]
    arguments = [_rewrite(argument, done) for argument in node.args]
    changed = any(new is not old for new, old in zip(arguments, node.args, strict=True))
    result = node.func(*arguments) if changed else node
    if isinstance(result, sympy.sinc):
        result = sinc(result.args[0])
    while result.is_Mul:
        simpler = _rewrite_product(result)
        if simpler is None:
            break
        result = simpler
    done[node] = result
    return result


def _rewrite_product(product: sympy.Expr) -> sympy.Expr | None:
    """Replace one singular pair of factors; None if there is none."""
    factors = [_base_and_exponent(factor) for factor in product.args]
    for i, (base, exponent) in enumerate(factors):
        others = factors[:i] + factors[i + 1 :]
        for form in _forms(base, exponent, others):
            rest = _absorb(form, others)
            if rest is None:
                continue
            left = exponent + 1 if exponent < 0 else exponent - 1
            return _plain_unit(sympy.Mul(rest, form.primitive, base**left))
    return None


@dataclass(frozen=True, slots=True)
class _Form:
    """A factor (or its inverse, for a denominator) equal to primitive * argument**power."""

    argument: sympy.Expr
    power: int
    primitive: sympy.Expr


def _base_and_exponent(factor: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    if factor.is_Pow and factor.exp.is_Integer:
        return factor.base, factor.exp
    return factor, sympy.S.One


def _forms(base: sympy.Expr, exponent: sympy.Expr, others: _Factors) -> Iterator[_Form]:
    if isinstance(base, expm1):
        yield _exponential_form(sympy.S.One, base.args[0], exponent)
    if base.is_Add:
        yield from _forms_of_difference(base, exponent, others)
    if exponent < 0:
        return
    if isinstance(base, sympy.sin):
        yield _Form(base.args[0], 1, sinc(base.args[0]))
    if isinstance(base, sympy.tanh):
        yield _Form(base.args[0], 1, tanhc(base.args[0]))
    if isinstance(base, log1p):
        yield _Form(base.args[0], 1, logrel(base.args[0]))
    if isinstance(base, sympy.log):
        u = _without_float_zero(base.args[0] - 1)
        yield _Form(u, 1, logrel(u))


def _forms_of_difference(
    base: sympy.Expr, exponent: sympy.Expr, others: _Factors
) -> Iterator[_Form]:
    """Recognise a e^u - a, and in a numerator a cos u - a."""
    for term in base.args:
        parts = sympy.Mul.make_args(term)
        for factor in parts:
            if not isinstance(factor, sympy.exp | sympy.cos):
                continue
            # Not term / factor, which sympy leaves as e^-u e^u for some u.
            amplitude = sympy.Mul(*(part for part in parts if part is not factor))
            u, rest = factor.args[0], base - term
            opposite = _opposite(amplitude, rest)
            if isinstance(factor, sympy.cos):
                if opposite and exponent > 0:
                    yield _Form(u, 2, -amplitude * sinc(u / 2) ** 2 / 2)
                continue
            if opposite:
                yield _exponential_form(amplitude, u, exponent)
                continue
            shift = _lost_shift(amplitude, rest, u, others)
            if shift is not None:
                yield _exponential_form(-rest, u + shift, exponent)


def _lost_shift(
    amplitude: sympy.Expr, rest: sympy.Expr, u: sympy.Expr, others: _Factors
) -> sympy.Expr | None:
    """Recover c in e^(u + c), which sympy turned into a number times e^u because c is a float.

    The logarithm of the number gives c with rounding; the partner, say 0.1 V + 4.0, has it exact.
    """
    one, two = _Monomial.of(amplitude), _Monomial.of(-rest)
    ratio = one.number / two.number
    if not (ratio.is_Float and ratio > 0 and one.same_powers(two)):
        return None
    logarithm, moving = math.log(ratio), _Monomial.of(u)
    for base, _ in others:
        if u.free_symbols.isdisjoint(base.free_symbols):
            continue
        for total, _ in _Monomial.of(base).powers:
            constant, variable = total.as_coeff_Add()
            partner = _Monomial.of(variable)
            if constant.is_zero or not moving.same_powers(partner):
                continue
            shift = moving.number / partner.number * constant
            if abs(float(shift) - logarithm) <= _ROUNDING * (1 + abs(logarithm)):
                return shift
    return None


def _exponential_form(amplitude: sympy.Expr, u: sympy.Expr, exponent: sympy.Expr) -> _Form:
    if exponent < 0:
        return _Form(u, -1, bernoulli(u) / amplitude)
    return _Form(u, 1, amplitude * exprel(u))


def _opposite(a: sympy.Expr, b: sympy.Expr) -> bool:
    if a == -b:
        return True
    if a.free_symbols != b.free_symbols:
        return False
    one, two = _Monomial.of(a), _Monomial.of(-b)
    return _close(one.number, two.number) and one.same_powers(two)


def _absorb(form: _Form, others: _Factors) -> sympy.Expr | None:
    """argument**power times the other factors, if one of them cancels a zero of the argument."""
    symbols = form.argument.free_symbols
    candidates = [
        i
        for i, (base, exponent) in enumerate(others)
        if exponent * form.power < 0 and not symbols.isdisjoint(base.free_symbols)
    ]
    if not candidates:
        return None
    argument = _Monomial.of(form.argument)
    for i in candidates:
        base, exponent = others[i]
        partner = _Monomial.of(base).to_the(exponent)
        if not argument.cancels(partner, 1 if form.power > 0 else -1):
            continue
        merged = argument.to_the(sympy.Integer(form.power)).times(partner)
        rest = [b**e for k, (b, e) in enumerate(others) if k != i]
        return sympy.Mul(merged.expression(), *rest)
    return None


@dataclass(frozen=True, slots=True)
class _Monomial:
    """number * product of base**exponent; sums among the bases are primitive and monic."""

    number: sympy.Expr
    powers: tuple[tuple[sympy.Expr, sympy.Expr], ...]

    @classmethod
    def of(cls, expression: sympy.Expr) -> _Monomial:
        if expression.is_Number:
            return cls(expression, ())
        if expression.is_Mul:
            result = cls(sympy.S.One, ())
            for factor in expression.args:
                result = result.times(cls.of(factor))
            return result
        if expression.is_Pow and expression.exp.is_Integer:
            return cls.of(expression.base).to_the(expression.exp)
        if expression.is_Add:
            return _primitive_part(expression)
        return cls(sympy.S.One, ((expression, sympy.S.One),))

    def times(self, other: _Monomial) -> _Monomial:
        powers = list(self.powers)
        for base, exponent in other.powers:
            for k, (known, present) in enumerate(powers):
                if _same_base(known, base):
                    powers[k] = (known, present + exponent)
                    break
            else:
                powers.append((base, exponent))
        kept = tuple((base, exponent) for base, exponent in powers if exponent != 0)
        return _Monomial(self.number * other.number, kept)

    def to_the(self, power: sympy.Expr) -> _Monomial:
        return _Monomial(self.number**power, tuple((b, e * power) for b, e in self.powers))

    def exponent(self, base: sympy.Expr) -> sympy.Expr:
        return next((e for known, e in self.powers if _same_base(known, base)), sympy.S.Zero)

    def same_powers(self, other: _Monomial) -> bool:
        return len(self.powers) == len(other.powers) and all(
            other.exponent(base) == exponent for base, exponent in self.powers
        )

    def cancels(self, partner: _Monomial, sign: int) -> bool:
        """Whether a zero of self, to the power sign, is contained in the partner inversely."""
        return any(e > 0 and -sign * partner.exponent(base) >= e for base, e in self.powers)

    def expression(self) -> sympy.Expr:
        return sympy.Mul(self.number, *(base**exponent for base, exponent in self.powers))


def _primitive_part(total: sympy.Expr) -> _Monomial:
    """Write a sum as number * common powers * (monic sum without common factor)."""
    terms = [_Monomial.of(term) for term in total.args]
    bases = {base: None for term in terms for base, _ in term.powers}
    common = []
    for base in bases:
        least = min(term.exponent(base) for term in terms)
        if least != 0:
            common.append((base, least))
    divisor = _Monomial(sympy.S.One, tuple((base, -least) for base, least in common))
    reduced = [term.times(divisor) for term in terms]
    monomials = [_Monomial(sympy.S.One, term.powers).expression() for term in reduced]
    # The constant term of a shifted argument carries the rounding, so it never leads.
    moving = [k for k, monomial in enumerate(monomials) if not monomial.is_Number]
    lead = min(moving, key=lambda k: _ORDER(monomials[k]))
    number = reduced[lead].number
    monic = sympy.Add(
        monomials[lead],
        *(
            term.number / number * monomial
            for k, (term, monomial) in enumerate(zip(reduced, monomials, strict=True))
            if k != lead
        ),
    )
    return _Monomial(number, (*common, (monic, sympy.S.One)))


_ORDER = cmp_to_key(sympy.Basic.compare)


def _same_base(one: sympy.Expr, two: sympy.Expr) -> bool:
    if one == two:
        return True
    if not (one.is_Add and two.is_Add):
        return False
    mine, theirs = one.as_coefficients_dict(), two.as_coefficients_dict()
    return mine.keys() == theirs.keys() and all(_close(mine[k], theirs[k]) for k in mine)


def _close(one: sympy.Expr, two: sympy.Expr) -> bool:
    if one == two:
        return True
    if one.is_Rational and two.is_Rational:
        return False
    return abs(float(one) - float(two)) <= _ROUNDING * max(abs(float(one)), abs(float(two)))


def _without_float_zero(expression: sympy.Expr) -> sympy.Expr:
    if not expression.is_Add:
        return expression
    return sympy.Add(*(term for term in expression.args if not term.is_zero))


def _plain_unit(product: sympy.Expr) -> sympy.Expr:
    """1.0 * f and -1.0 * f without the floating-point one."""
    number, rest = product.as_coeff_Mul()
    if number.is_Float and float(number) in (1.0, -1.0):
        return sympy.Integer(int(number)) * rest
    return product
