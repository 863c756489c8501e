"""Functions with a removable singularity, and their derivatives of any order.

    exprel(x) = (e^x - 1) / x         sinc(x)   = sin(x) / x        tanhc(x) = tanh(x) / x
    bernoulli(x) = x / (e^x - 1)      logrel(x) = log(1 + x) / x

``f(x, n)`` is the n-th derivative at x.  Differentiating the quotient instead loses n + 1 times the
digits of 1/x near x = 0.  Each function therefore has a sum without harmful cancellation near the
point, and a recurrence or an exponential sum away from it.  Error relative to |f| + |x f'|: below
2e-14 up to n = 5 and 2e-12 up to n = 8 (tanhc near 1.1; the others stay below 3e-14).

References: NIST Digital Library of Mathematical Functions, 8.4.7 and 8.7.1 (exprel and logrel are
incomplete gamma and beta functions), 4.33.3 and 25.6.2 (Taylor series of tanh; Bernoulli numbers
from zeta values); Gautschi 1961, Recursive computation of certain integrals, J. ACM 8, 21 (in which
direction the recurrences are stable).

Cost: 5 to 300 ns.  Fails: orders above 10 lose digits.  Uncompiled (``.py_func``) the functions are
plain Python and raise for no argument, therefore the branches before each ``exp``.
"""

import math

from dynlab.kernels.deferred import njit

# zeta(2), zeta(4), ..., zeta(52); from zeta(54) on the value is 1 in double precision.
_ZETA_EVEN = (
    1.6449340668482264,
    1.0823232337111381,
    1.0173430619844492,
    1.0040773561979444,
    1.000994575127818,
    1.000246086553308,
    1.0000612481350588,
    1.0000152822594086,
    1.000003817293265,
    1.0000009539620338,
    1.0000002384505027,
    1.000000059608189,
    1.0000000149015549,
    1.000000003725334,
    1.0000000009313275,
    1.000000000232831,
    1.0000000000582077,
    1.000000000014552,
    1.000000000003638,
    1.0000000000009095,
    1.0000000000002274,
    1.0000000000000568,
    1.0000000000000142,
    1.0000000000000036,
    1.0000000000000009,
    1.0000000000000002,
)
_MOST_TERMS = 400  # a bound for the loop only: the sums end after 10 to 150 terms
_NEGLIGIBLE = 1e-18

# Below: Taylor series.  Above: exponential sums.  Set where the measured errors meet.
_BERNOULLI_SWITCH = 2.5
_TANHC_SWITCH = 1.1

_HALF_OVERFLOW = 750.0  # e^750 / 750 overflows, e^(750 / 2) does not


def _compiled(signature):
    """All of this file is compiled alike."""
    return njit(signature, cache=True, nogil=True, error_model="numpy", inline="never")


@_compiled("float64(float64, float64, int64, int64, int64, float64)")
def _even_series(weight, ratio, n, first, place, missing):
    """Sum over even m >= first of the n-th derivative of (-1)^(m/2) Z(m) ratio^m.

    ``weight`` is the first term without its Z.  Z = (1 - missing) * _ZETA_EVEN[place]; from term to
    term ``place`` rises by one and ``missing``, the share of the even integers in the zeta sum,
    falls by 4.
    """
    square = ratio * ratio
    total, m = 0.0, first
    for _ in range(_MOST_TERMS):
        zeta = _ZETA_EVEN[place] if place < len(_ZETA_EVEN) else 1.0
        term = weight * (zeta * (1.0 - missing))
        total += term
        if abs(term) <= _NEGLIGIBLE * abs(total):
            break
        weight *= -square * ((m + 2) * (m + 1)) / ((m + 2 - n) * (m + 1 - n))
        m += 2
        place += 1
        missing *= 0.25
    return total


@_compiled("float64(float64, int64)")
def _bernoulli_series(x, n):
    """Taylor series, radius 2 pi.

    The coefficient of x^m, m even, is -2 (-1)^(m/2) zeta(m) / (2 pi)^m.
    """
    first = 2 + 2 * ((n - 1) // 2)
    head = -0.5 + 0.0 * x if n == 1 else 0.0
    weight = 2.0 if first // 2 % 2 == 1 else -2.0
    for k in range(first):
        weight /= 2.0 * math.pi
        if k < n:
            weight *= first - k
    if first > n:
        weight *= x
    place = first // 2 - 1
    return head + _even_series(weight, x / (2.0 * math.pi), n, first, place, 0.0)


@_compiled("float64(float64, int64)")
def _bernoulli_tail(x, n):
    """Termwise derivative of sum x e^(-k x); used for n >= 1 and x above the switch."""
    if x > _HALF_OVERFLOW:
        return 0.0
    decay = math.exp(-x)
    total, factor = 0.0, 1.0
    for k in range(1, 3 + int((42 + 3 * n) / x)):
        factor *= decay
        term = factor * (k * x - n)
        for _ in range(n - 1):
            term *= k
        total += term
    return total if n % 2 == 0 else -total


@_compiled("float64(float64, int64)")
def _tanhc_series(x, n):
    """Taylor series, radius pi/2.

    The coefficient of x^m, m even, is
    2 (-1)^(m/2) (1 - 2^-(m+2)) zeta(m+2) (2/pi)^(m+2).
    """
    first = n + n % 2
    weight = 2.0 if first // 2 % 2 == 0 else -2.0
    for k in range(first + 2):
        weight *= 2.0 / math.pi
        if k < n:
            weight *= first - k
    if first > n:
        weight *= x
    place = first // 2
    missing = 0.25 ** (place + 1)
    return _even_series(weight, x * (2.0 / math.pi), n, first, place, missing)


@_compiled("float64(float64, int64)")
def _tanhc_tail(x, n):
    """Recurrence x T^(n) + n T^(n-1) = tanh^(n), with tanh = 1 + 2 sum (-1)^k e^(-2 k x)."""
    decay = math.exp(-2.0 * x)
    value = math.tanh(x) / x
    count = 3 + int((42 + 3 * n) / (2.0 * x))
    sign = 1.0
    for order in range(1, n + 1):
        sign = -sign
        derivative, factor = 0.0, 2.0 * sign
        for k in range(1, count):
            factor *= -decay
            term = factor
            for _ in range(order):
                term *= 2.0 * k
            derivative += term
        value = (derivative - order * value) / x
    return value


@_compiled("float64(float64, int64)")
def exprel(x, n):
    """n-th derivative of (e^x - 1) / x, the integral of s^n e^(s x) over s from 0 to 1."""
    x = float(x)
    if x != x:
        return x
    if x > _HALF_OVERFLOW:
        return math.inf
    if x > 2 * n + 10:
        # I_n = (e^x - n I_(n-1)) / x, here divided by e^x, which is multiplied on in two halves
        # because e^x overflows before e^x / x does.
        scaled = -math.expm1(-x) / x
        for order in range(1, n + 1):
            scaled = (1.0 - order * scaled) / x
        half = math.exp(0.5 * x)
        return half * (half * scaled)
    if n == 0 and x != 0.0:
        return math.expm1(x) / x
    if x >= 0.0:
        power, total = 1.0, 1.0 / (n + 1)
        for k in range(1, _MOST_TERMS):
            power *= x / k
            term = power / (k + n + 1)
            total += term
            if term <= _NEGLIGIBLE * total:
                break
        return total
    y = -x
    if y > 2 * n + 10:
        value = -math.expm1(-y) / y
        decay = math.exp(-y)
        for order in range(1, n + 1):
            value = (order * value - decay) / y
        return value
    # Kummer's transformation: all terms are positive.
    term = 1.0 / (n + 1)
    total = term
    for k in range(1, _MOST_TERMS):
        term *= y / (n + 1 + k)
        total += term
        if term <= _NEGLIGIBLE * total:
            break
    return math.exp(-y) * total


@_compiled("float64(float64, int64)")
def bernoulli(x, n):
    """n-th derivative of x / (e^x - 1)."""
    x = float(x)
    if x != x:
        return x
    y = abs(x)
    if n == 0:
        if y == 0.0:
            return 1.0
        if x < 0.0:
            return x / math.expm1(x)
        if x > _HALF_OVERFLOW:
            return 0.0
        return x * math.exp(-x) / -math.expm1(-x)
    # B(-x) = B(x) + x carries every derivative from y = |x| to x without cancellation.
    value = _bernoulli_series(y, n) if y < _BERNOULLI_SWITCH else _bernoulli_tail(y, n)
    if x >= 0.0:
        return value
    if n == 1:
        return -value - 1.0
    return value if n % 2 == 0 else -value


@_compiled("float64(float64, int64)")
def sinc(x, n):
    """n-th derivative of sin(x) / x."""
    x = float(x)
    if x != x:
        return x
    if math.isinf(x):
        return 0.0
    if n == 0:
        return math.sin(x) / x if x != 0.0 else 1.0
    if abs(x) < 0.75 * n + 1.0:
        # sum over even m >= n of (-1)^(m/2) x^(m-n) / ((m-n)! (m+1))
        odd = n % 2
        power = x if odd == 1 else 1.0
        if (n + odd) // 2 % 2 == 1:
            power = -power
        total = power / (n + odd + 1)
        for k in range(2 + odd, _MOST_TERMS, 2):
            power *= -x * x / (k * (k - 1))
            term = power / (k + n + 1)
            total += term
            if abs(term) <= _NEGLIGIBLE * abs(total):
                break
        return total
    # x s^(n) + n s^(n-1) = sin(x + n pi / 2)
    sine, cosine = math.sin(x), math.cos(x)
    value = sine / x
    for order in range(1, n + 1):
        sine, cosine = cosine, -sine
        value = (sine - order * value) / x
    return value


@_compiled("float64(float64, int64)")
def logrel(x, n):
    """n-th derivative of log(1 + x) / x; infinite at -1 and not a number below."""
    x = float(x)
    if x != x or x < -1.0:
        return math.nan
    sign = 1.0 if n % 2 == 0 else -1.0
    if x == -1.0:
        return sign * math.inf
    if math.isinf(x):
        return sign * 0.0
    if n == 0:
        return math.log1p(x) / x if x != 0.0 else 1.0
    # M = (-1)^n f^(n) = n! * integral of s^n / (1 + s x)^(n+1) over s from 0 to 1 is positive.
    if -0.5 <= x < 0.0:
        power = 1.0
        for order in range(2, n + 1):
            power *= order
        total = power / (n + 1)
        for k in range(n + 1, _MOST_TERMS):
            power *= -x * k / (k - n)
            term = power / (k + 1)
            total += term
            if term <= _NEGLIGIBLE * total:
                break
        return sign * total
    inverse = 1.0 / (1.0 + x)
    if 0.0 <= x <= 2.0:
        # s = t / (1 + x - x t) turns the integrand into t^n / (1 - y t), y = x / (1 + x).
        y = x * inverse
        power, total = 1.0, 1.0 / (n + 1)
        for k in range(1, _MOST_TERMS):
            power *= y
            term = power / (n + 1 + k)
            total += term
            if term <= _NEGLIGIBLE * total:
                break
        for order in range(1, n + 1):
            total *= order * inverse
        return sign * total * inverse
    # x M_n = n M_(n-1) - (n-1)! / (1+x)^n
    value, pole = math.log1p(x) / x, inverse
    for order in range(1, n + 1):
        value = (order * value - pole) / x
        pole *= order * inverse
    return sign * value


@_compiled("float64(float64, int64)")
def tanhc(x, n):
    """n-th derivative of tanh(x) / x."""
    x = float(x)
    if x != x:
        return x
    if n == 0:
        return math.tanh(x) / x if x != 0.0 else 1.0
    y = abs(x)
    value = _tanhc_series(y, n) if y < _TANHC_SWITCH else _tanhc_tail(y, n)
    return -value if x < 0.0 and n % 2 == 1 else value
