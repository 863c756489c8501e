"""Arithmetic on power series: the convolutions of a Taylor series that grows by one order at a time.

A `Row` holds the coefficients of a series so far, in processor registers.  A convolution ``u_n = sum f_i g_{n-i}``
is not summed up when it is asked for: as soon as ``f_n`` and ``g_n`` are known, all products with them are
added to where they belong (`push`), in one multiplication of a number and a row each.  The sum for the next order is then
complete but for what the next two coefficients contribute, and stands first.  Twenty orders of the
three states of Lorenz take 0.2 microseconds so, and 0.4 with one loop per sum.
"""

from __future__ import annotations

import math

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, models, register_model

from dynlab.kernels.dense import OPTIONS

__all__ = [
    "COMPOSED", "MOST_ORDER", "NARROW", "WORK_PER_COMPOSITION", "begin_exprel", "begin_logrel", "begin_sinc",
    "begin_tanhc", "compose", "first", "narrow_place", "narrow_row", "push", "put", "shifted", "wide_place", "wide_row",
]  # fmt: skip

#: Functions of one number with a removable singularity.
COMPOSED = ("exprel", "logrel", "sinc", "tanhc")
#: Coefficients in a row, for low and for high orders (14 orders of Lorenz: 0.12 and 0.15 microseconds).
NARROW, WIDTH = 16, 32
MOST_ORDER = WIDTH - 1

_ZERO = ir.Constant(ir.IntType(32), 0)
#: As in `dynlab.kernels.dense.OPTIONS`: a product and a sum may become one instruction.
_FLAGS = ("contract",)


def _vector(width, kind=None):  # type: ignore[no-untyped-def]
    return ir.VectorType(kind or ir.DoubleType(), width)


class RowType(types.Type):
    """Coefficients of a series, those not known yet 0."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Row({width})")


class PlaceType(types.Type):
    """A place in a row, as truth values."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Place({width})")


@register_model(RowType)
class _RowModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):  # type: ignore[no-untyped-def]
        super().__init__(dmm, fe_type, _vector(fe_type.width))


@register_model(PlaceType)
class _PlaceModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):  # type: ignore[no-untyped-def]
        super().__init__(dmm, fe_type, _vector(fe_type.width, ir.IntType(1)))


def _splat(builder, value, width):  # type: ignore[no-untyped-def]
    """Return the value in every place."""
    nothing = ir.Constant(_vector(width, value.type), ir.Undefined)
    one = builder.insert_element(nothing, value, _ZERO)
    return builder.shuffle_vector(
        one, nothing, ir.Constant(_vector(width, ir.IntType(32)), [0] * width)
    )


def _empty(width):  # type: ignore[no-untyped-def]
    return ir.Constant(_vector(width), [0.0] * width)


def _makers(width):  # type: ignore[no-untyped-def]
    """Return `row` and `place` for rows of a width."""

    @intrinsic
    def row(typingctx, x):  # type: ignore[no-untyped-def]
        """Return a row whose first coefficient is known."""

        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            return builder.insert_element(_empty(width), args[0], _ZERO)

        return RowType(width)(types.float64), codegen

    @intrinsic
    def place(typingctx, n):  # type: ignore[no-untyped-def]
        """Return the place of the coefficient of order n."""

        def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
            orders = ir.Constant(_vector(width, ir.IntType(64)), list(range(width)))
            return builder.icmp_signed("==", _splat(builder, args[0], width), orders)

        return PlaceType(width)(types.int64), codegen

    return row, place


narrow_row, narrow_place = _makers(NARROW)
wide_row, wide_place = _makers(WIDTH)


@intrinsic
def put(typingctx, series, at, x):  # type: ignore[no-untyped-def]
    """Return the row with a coefficient at a place."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.select(args[1], _splat(builder, args[2], series.width), args[0])

    return series(series, at, types.float64), codegen


@intrinsic
def push(typingctx, sums, f, g_row, g, f_row):  # type: ignore[no-untyped-def]
    """Return ``sums + f g_row + g f_row``: what two new coefficients add to all orders to come.

    ``g_row`` already holds g, ``f_row`` does not yet hold f.
    """

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        total = args[0]
        for number, series in ((args[1], args[2]), (args[3], args[4])):
            part = builder.fmul(_splat(builder, number, sums.width), series, flags=_FLAGS)
            total = builder.fadd(total, part, flags=_FLAGS)
        return total

    return sums(sums, types.float64, sums, types.float64, sums), codegen


@intrinsic
def first(typingctx, sums):  # type: ignore[no-untyped-def]
    """Return the sum of the next order."""

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        return builder.extract_element(args[0], _ZERO)

    return types.float64(sums), codegen


@intrinsic
def shifted(typingctx, sums):  # type: ignore[no-untyped-def]
    """Return the row without its first place: the order after the next one is then first."""
    width = sums.width

    def codegen(context, builder, signature, args):  # type: ignore[no-untyped-def]
        moved = ir.Constant(_vector(width, ir.IntType(32)), list(range(1, width + 1)))
        return builder.shuffle_vector(args[0], _empty(width), moved)

    return sums(sums), codegen


# -- composition -----------------------------------------------------------------------------

#: Orders from which the recurrence of a quotient runs downwards.
_FAR = 64
#: Numbers that a composition needs: the function's coefficients, and those of ``(a - a_0)^m`` for each m.
WORK_PER_COMPOSITION = WIDTH + WIDTH * WIDTH
_BEGIN = "void(f8, i8, CPointer(f8), i8)"


@njit("void(f8, f8, i8, CPointer(f8), i8)", **OPTIONS)
def _by_argument(a, near, derivative, work, at):
    """Write the coefficients of ``u = N(x) / x`` at a, or of its derivative, from those of N at ``work[at + WIDTH]``.

    ``N = x u`` says ``N_m = a u_m + u_{m-1}``.  Away from 0 that is solved upwards, near it downwards, from an order
    so high that what is not known of it has died out.
    """
    top, value = at + WIDTH, 0.0
    if abs(a) < near:
        for m in range(_FAR - 1, 0, -1):
            value, work[top + m] = work[top + m] - a * value, value
        work[top] = value
    else:
        for m in range(_FAR):
            value = (work[top + m] - value) / a
            work[top + m] = value
    for m in range(WIDTH):
        scale = 1.0
        for j in range(1, min(derivative, _FAR - WIDTH) + 1):
            scale *= m + j
        work[at + m] = scale * work[top + m + min(derivative, _FAR - WIDTH)]


@njit(_BEGIN, **OPTIONS)
def begin_exprel(a, derivative, work, at):
    """Write the coefficients of ``(e^x - 1) / x`` at a, or of its derivative."""
    term = math.exp(a)
    work[at + WIDTH] = math.expm1(a)
    for m in range(1, _FAR):
        term /= m
        work[at + WIDTH + m] = term
    _by_argument(a, 3.0, derivative, work, at)


@njit(_BEGIN, **OPTIONS)
def begin_sinc(a, derivative, work, at):
    """Write the coefficients of ``sin(x) / x``."""
    sine, cosine = math.sin(a), math.cos(a)
    for m in range(_FAR):
        work[at + WIDTH + m] = sine
        sine, cosine = cosine / (m + 1), -sine / (m + 1)
    _by_argument(a, 3.0, derivative, work, at)


@njit(_BEGIN, **OPTIONS)
def begin_logrel(a, derivative, work, at):
    """Write the coefficients of ``log(1 + x) / x``."""
    power = -1.0
    work[at + WIDTH] = math.log1p(a)
    for m in range(1, _FAR):
        power *= -1.0 / (1.0 + a)
        work[at + WIDTH + m] = power / m
    _by_argument(a, 0.3, derivative, work, at)


@njit(_BEGIN, **OPTIONS)
def begin_tanhc(a, derivative, work, at):
    """Write the coefficients of ``tanh(x) / x``; ``tanh' = 1 - tanh^2``."""
    top = at + WIDTH
    work[top] = math.tanh(a)
    for m in range(1, _FAR):
        total = 1.0 if m == 1 else 0.0
        for j in range(m):
            total -= work[top + j] * work[top + m - 1 - j]
        work[top + m] = total / m
    _by_argument(a, 0.7, derivative, work, at)


@njit("f8(CPointer(f8), i8, i8, f8)", **OPTIONS)
def compose(work, at, n, a):
    """Return the coefficient of order n of a function of a series, given that of the series.

    With ``d = a(t) - a_0`` it is the sum of ``u_m (d^m)_n``; each power is the last one times d.
    """
    powers, total = at + WIDTH, work[at + 1] * a
    work[powers + WIDTH + n] = a
    for m in range(2, n + 1):
        term = 0.0
        for j in range(1, n - m + 2):
            term += work[powers + WIDTH + j] * work[powers + (m - 1) * WIDTH + n - j]
        work[powers + m * WIDTH + n] = term
        total += work[at + m] * term
    return total
