"""The functions of the equation language on lanes.

`exp`, `expm1`, `log`, `sin`, `cos`, `tan`, `tanh`, `sinh`, `cosh`, `sigmoid` and what is made of
them take no branch: all lanes go through the same polynomial, after the argument is reduced.  A
group of 16 takes 25 to 75 ns when one waits for the other, where the C library takes 5 to 60 ns for each
number.  Errors, in units of the last place, measured against 40 digits
(tests/units/kernels/test_lane_functions.py): below 1 for exp and log, 1.5 for sin and cos, 2 for expm1
and sigmoid, 2.5 for the others.  Where an argument is out of the ordinary (a logarithm of zero, an
angle above 400 000) that lane alone is sent to the C library; cosh and sinh overflow 0.7 early.

The rest (`atan`, `erf`, powers with real exponents, ...) is computed lane by lane by the functions for
floats.

References: Cody and Waite 1980, Software Manual for the Elementary Functions (reductions); Muller et
al. 2018, Handbook of Floating-Point Arithmetic, 2nd ed., section 10 (log through (f - 1) / (f + 1)).
"""

from __future__ import annotations

import math

from dynlab.kernels import removable
from dynlab.kernels.deferred import njit
from dynlab.kernels.dense import OPTIONS
from dynlab.kernels.lanes import (
    WIDTH,
    bits,
    floor_of,
    fraction_and_exponent,
    lane,
    select,
    spread,
    times_power_of_two,
    with_lane,
)

__all__ = [
    "acos",
    "asin",
    "atan",
    "atan2",
    "bernoulli",
    "cos",
    "cosh",
    "erf",
    "exp",
    "expm1",
    "exprel",
    "floor",
    "heaviside",
    "log",
    "log1p",
    "logrel",
    "maximum",
    "minimum",
    "power",
    "sigmoid",
    "sign",
    "sin",
    "sinc",
    "sinh",
    "tan",
    "tanh",
    "tanhc",
]

# Compiled as part of the kernel that calls them, for whatever types it has.
_inside = njit(**{**OPTIONS, "cache": False})

_LOG2_E = 1.4426950408889634
#: ln 2 in two parts, the first with 21 zero bits at its end: whole multiples of it are exact.
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_TWO_OVER_PI = 0.6366197723675814
#: pi / 2 in parts of 33 bits (fdlibm's e_rem_pio2.c).
_HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
#: Multiples of the parts are exact up to here.
_LARGE_ANGLE = 4e5
_SQRT2 = 1.4142135623730951
_SMALLEST_NORMAL, _LARGEST = 2.2250738585072014e-308, 1.7976931348623157e308


@_inside
def _reduced(x):
    """Return expm1(r) and whole k with x = r + k ln 2 and abs(r) at most ln(2) / 2.

    The Taylor series of degree 13, its even and odd terms apart; its next term is below 1e-17.
    """
    k = floor_of(x * _LOG2_E + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    q = r * r
    even = 1 / 479001600.0
    even = even * q + 1 / 3628800.0
    even = even * q + 1 / 40320.0
    even = even * q + 1 / 720.0
    even = even * q + 1 / 24.0
    even = even * q + 0.5
    odd = 1 / 6227020800.0
    odd = odd * q + 1 / 39916800.0
    odd = odd * q + 1 / 362880.0
    odd = odd * q + 1 / 5040.0
    odd = odd * q + 1 / 120.0
    odd = odd * q + 1 / 6.0
    return r + q * (even + r * odd), k


@_inside
def exp(x):
    """Return e to the x; 0 and infinity where it is too small and too large."""
    x = select(x > 1000.0, 1000.0, select(x < -1000.0, -1000.0, x))
    less_one, k = _reduced(x)
    # In two halves, of which neither overflows.
    half = floor_of(0.5 * k)
    one = spread(1.0)
    return (1.0 + less_one) * times_power_of_two(one, half) * times_power_of_two(one, k - half)


@_inside
def expm1(x):
    """Return e to the x, less 1, to full relative accuracy near 0."""
    near = select(x > 40.0, 40.0, select(x < -1000.0, -1000.0, x))
    near = select(near < -50.0, -50.0, near)
    less_one, k = _reduced(near)
    power = times_power_of_two(spread(1.0), k)
    return select(x > 40.0, exp(x), power * less_one + (power - 1.0))


@_inside
def tanh(x):
    """Return the hyperbolic tangent."""
    e = expm1(-2.0 * abs(x))
    size = -e / (e + 2.0)
    return select(x < 0.0, -size, size)


@_inside
def sinh(x):
    """Return the hyperbolic sine."""
    e = expm1(abs(x))
    size = 0.5 * (e + e / (e + 1.0))
    return select(x < 0.0, -size, size)


@_inside
def cosh(x):
    """Return the hyperbolic cosine."""
    e = exp(abs(x))
    return 0.5 * (e + 1.0 / e)


@_inside
def sigmoid(x):
    """Return 1 / (1 + exp(-x)) to full relative accuracy on both sides."""
    e = exp(-abs(x))
    return select(x < 0.0, e, 1.0) / (1.0 + e)


@_inside
def log(x):
    """Return the natural logarithm."""
    f, e = fraction_and_exponent(x)
    f, e = select(f > _SQRT2, 0.5 * f, f), select(f > _SQRT2, e + 1.0, e)
    s = (f - 1.0) / (f + 1.0)
    q = s * s
    series = 1 / 23.0
    series = series * q + 1 / 21.0
    series = series * q + 1 / 19.0
    series = series * q + 1 / 17.0
    series = series * q + 1 / 15.0
    series = series * q + 1 / 13.0
    series = series * q + 1 / 11.0
    series = series * q + 1 / 9.0
    series = series * q + 1 / 7.0
    series = series * q + 1 / 5.0
    series = series * q + 1 / 3.0
    # log f = 2 s + 2 s q series, and 2 s = (f - 1) - s (f - 1), whose first part is exact.
    g = f - 1.0
    value = e * _LN2_HIGH + (g + (e * _LN2_LOW - s * (g - 2.0 * q * series)))
    usual = bits((x >= _SMALLEST_NORMAL) & (x <= _LARGEST))
    if usual != (1 << WIDTH) - 1:
        for place in range(WIDTH):
            if not usual & (1 << place):
                value = with_lane(value, place, math.log(lane(x, place)))
    return value


@_inside
def _turned(x):
    """Return sin(r), cos(r) and k modulo 4, where x = r + k pi / 2 and abs(r) is at most pi / 4."""
    k = floor_of(x * _TWO_OVER_PI + 0.5)
    r = ((x - k * _HALF_PI[0]) - k * _HALF_PI[1]) - k * _HALF_PI[2]
    r = r - k * _HALF_PI[3]
    q = r * r
    sine = 1 / 355687428096000.0
    sine = sine * q - 1 / 1307674368000.0
    sine = sine * q + 1 / 6227020800.0
    sine = sine * q - 1 / 39916800.0
    sine = sine * q + 1 / 362880.0
    sine = sine * q - 1 / 5040.0
    sine = sine * q + 1 / 120.0
    sine = sine * q - 1 / 6.0
    cosine = 1 / 20922789888000.0
    cosine = cosine * q - 1 / 87178291200.0
    cosine = cosine * q + 1 / 479001600.0
    cosine = cosine * q - 1 / 3628800.0
    cosine = cosine * q + 1 / 40320.0
    cosine = cosine * q - 1 / 720.0
    cosine = cosine * q + 1 / 24.0
    quarter = k - 4.0 * floor_of(0.25 * k)
    return r + r * (q * sine), 1.0 - q * (0.5 - q * cosine), quarter


@_inside
def _far_sine(x, value):
    usual = bits(abs(x) <= _LARGE_ANGLE)
    if usual != (1 << WIDTH) - 1:
        for place in range(WIDTH):
            if not usual & (1 << place):
                value = with_lane(value, place, math.sin(lane(x, place)))
    return value


@_inside
def _far_cosine(x, value):
    usual = bits(abs(x) <= _LARGE_ANGLE)
    if usual != (1 << WIDTH) - 1:
        for place in range(WIDTH):
            if not usual & (1 << place):
                value = with_lane(value, place, math.cos(lane(x, place)))
    return value


@_inside
def _sine(sine, cosine, quarter):
    value = select((quarter == 1.0) | (quarter == 3.0), cosine, sine)
    return select(quarter >= 2.0, -value, value)


@_inside
def _cosine(sine, cosine, quarter):
    value = select((quarter == 1.0) | (quarter == 3.0), sine, cosine)
    return select((quarter == 1.0) | (quarter == 2.0), -value, value)


@_inside
def sin(x):
    """Return the sine."""
    sine, cosine, quarter = _turned(x)
    return _far_sine(x, _sine(sine, cosine, quarter))


@_inside
def cos(x):
    """Return the cosine."""
    sine, cosine, quarter = _turned(x)
    return _far_cosine(x, _cosine(sine, cosine, quarter))


@_inside
def sin_and_cos(x):
    """Return both; it takes 0.6 times as long as one after the other."""
    sine, cosine, quarter = _turned(x)
    return (
        _far_sine(x, _sine(sine, cosine, quarter)),
        _far_cosine(x, _cosine(sine, cosine, quarter)),
    )


@_inside
def tan(x):
    """Return the tangent."""
    return sin(x) / cos(x)


@_inside
def floor(x):
    """Return the largest whole number not above x."""
    return floor_of(x)


@_inside
def minimum(x, y):
    """Return the smaller number; nan if either is."""
    return select((x < y) | (x != x), x, y)


@_inside
def maximum(x, y):
    """Return the larger number; nan if either is."""
    return select((x > y) | (x != x), x, y)


@_inside
def sign(x):
    """Return -1, 0 or 1; nan stays nan."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x * 0.0))


@_inside
def heaviside(x):
    """Return the unit step, 1/2 at zero; nan stays nan."""
    return select(x > 0.0, 1.0, select(x < 0.0, 0.0, 0.5 + x))


@_inside
def bernoulli(x):
    """Return x / (exp(x) - 1)."""
    return select(x == 0.0, 1.0, x / expm1(x))


@_inside
def exprel(x):
    """Return (exp(x) - 1) / x."""
    return select(x == 0.0, 1.0, expm1(x) / x)


@_inside
def tanhc(x):
    """Return tanh(x) / x."""
    return select(x == 0.0, 1.0, tanh(x) / x)


@_inside
def sinc(x):
    """Return sin(x) / x."""
    return select(x == 0.0, 1.0, sin(x) / x)


def _one_by_one(function):
    """Return a function of a float as one of lanes that calls it for each."""

    @_inside
    def each(x):
        x = x + spread(0.0)
        value = x
        for place in range(WIDTH):
            value = with_lane(value, place, function(lane(x, place)))
        return value

    return each


def _two_by_two(function):
    """Return a function of two floats as one of lanes that calls it for each pair."""

    @_inside
    def each(x, y):
        x, y = x + spread(0.0), y + spread(0.0)
        value = x
        for place in range(WIDTH):
            value = with_lane(value, place, function(lane(x, place), lane(y, place)))
        return value

    return each


@njit(**{**OPTIONS, "cache": False})
def _real_power(x, y):
    return x**y


@njit(**{**OPTIONS, "cache": False})
def _logrel(x):
    return removable.logrel(x, 0)


acos, asin, atan, erf = map(_one_by_one, (math.acos, math.asin, math.atan, math.erf))
log1p, logrel = map(_one_by_one, (math.log1p, _logrel))
atan2, power = map(_two_by_two, (math.atan2, _real_power))
