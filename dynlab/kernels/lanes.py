"""Lanes: several numbers that go through the same arithmetic in one processor instruction.

A `Lanes` value is to numba what a float is, but holds `WIDTH` floats, one per member of an ensemble;
a `Mask` holds as many truth values.  Code written for floats, without branches on them, compiles for
lanes as it stands: ``a * x + b``, ``abs``, ``max``, ``math.sqrt``, powers with whole exponents.  Where a float would be compared in
an ``if``, lanes `select`.

Because every lane is computed by the same instruction, what a lane holds never depends on what
its neighbours hold.  LLVM splits the vectors to what the processor has (AVX-512: 8 doubles in a
register, AVX2: 4, NEON: 2).
"""

from __future__ import annotations

import math
import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typeconv import Conversion
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import (
    intrinsic,
    lower_builtin,
    lower_cast,
    models,
    overload,
    register_model,
)

__all__ = [
    "WIDTH",
    "as_lanes",
    "bits",
    "floor_of",
    "lane",
    "lane_array",
    "lane_vector",
    "lanes",
    "lanes_at",
    "mask",
    "put_lanes",
    "select",
    "spread",
    "sum_of",
    "times_power_of_two",
    "with_lane",
]

#: Lanes in a value: two registers of AVX-512, so that one works while the other waits for its last
#: result.  A trial step of Lorenz costs each lane 32 ns with 8 lanes, 22 with 16, 21 with 32 (one
#: member by itself: 165).
WIDTH = 16

_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_INTEGERS = ir.VectorType(ir.IntType(64), WIDTH)
_TRUTHS = ir.VectorType(ir.IntType(1), WIDTH)
_BITS = ir.IntType(WIDTH)
#: As in `dynlab.kernels.dense.OPTIONS`: a product and a sum may become one instruction.
_FLAGS = ("contract",)


class LanesType(types.Type):
    """`WIDTH` doubles; a double converts to the same number in every lane."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes({WIDTH})")

    def can_convert_from(self, typingctx, other):  # type: ignore[no-untyped-def]
        """Let numba take a float, or a whole number, where lanes are wanted."""
        return Conversion.safe if isinstance(other, types.Float | types.Integer) else None


class MaskType(types.Type):
    """`WIDTH` truth values; a truth value converts to the same in every lane."""

    def __init__(self) -> None:
        super().__init__(name=f"Mask({WIDTH})")

    def can_convert_from(self, typingctx, other):  # type: ignore[no-untyped-def]
        """Let numba take a truth value where a mask is wanted."""
        return Conversion.safe if isinstance(other, types.Boolean) else None


lanes, mask = LanesType(), MaskType()
lane_array = types.Array(lanes, 2, "C", aligned=False)
lane_vector = types.Array(lanes, 1, "C", aligned=False)


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):  # type: ignore[no-untyped-def]
        super().__init__(dmm, fe_type, _DOUBLES)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):  # type: ignore[no-untyped-def]
        super().__init__(dmm, fe_type, _TRUTHS)


def _splat(builder, value, kind=_DOUBLES):  # type: ignore[no-untyped-def]
    """Return the value in every lane."""
    zero = ir.Constant(ir.IntType(32), 0)
    nothing = ir.Constant(kind, ir.Undefined)
    first = builder.insert_element(nothing, value, zero)
    places = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, nothing, places)


@lower_cast(types.Float, lanes)
@lower_cast(types.Integer, lanes)
def _from_number(context, builder, fromty, toty, value):  # type: ignore[no-untyped-def]
    return _splat(builder, context.cast(builder, value, fromty, types.float64))


@lower_cast(types.Boolean, mask)
def _from_truth(context, builder, fromty, toty, value):  # type: ignore[no-untyped-def]
    return _splat(builder, value, _TRUTHS)


def _operator(op, result, operands, code):  # type: ignore[no-untyped-def]
    """Teach numba an operator on lanes or masks."""

    @infer_global(op)
    class _Template(ConcreteTemplate):
        cases = (signature(result, *operands),)

    @lower_builtin(op, *operands)
    def _lower(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return code(builder, *args)


for _op, _name in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"),
                   (operator.truediv, "fdiv")):  # fmt: skip
    for _variant in (_op, getattr(operator, f"i{_op.__name__}")):
        _operator(
            _variant, lanes, (lanes, lanes),
            lambda b, x, y, name=_name: getattr(b, name)(x, y, flags=_FLAGS),
        )  # fmt: skip
for _op, _sign in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"),
                   (operator.ge, ">="), (operator.eq, "==")):  # fmt: skip
    _operator(_op, mask, (lanes, lanes), lambda b, x, y, s=_sign: b.fcmp_ordered(s, x, y))
_operator(operator.ne, mask, (lanes, lanes), lambda b, x, y: b.fcmp_unordered("!=", x, y))
_operator(operator.and_, mask, (mask, mask), lambda b, x, y: b.and_(x, y))
_operator(operator.or_, mask, (mask, mask), lambda b, x, y: b.or_(x, y))
_operator(operator.invert, mask, (mask,), lambda b, x: b.not_(x))
_operator(operator.neg, lanes, (lanes,), lambda b, x: b.fneg(x))
_operator(operator.pos, lanes, (lanes,), lambda b, x: x)


def _llvm(name):  # type: ignore[no-untyped-def]
    """Return the LLVM function of that name as one on lanes."""

    @intrinsic
    def function(typingctx, x):  # type: ignore[no-untyped-def]
        def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
            kind = ir.FunctionType(_DOUBLES, [_DOUBLES])
            declared = cgutils.get_or_insert_function(builder.module, kind, f"{name}.v{WIDTH}f64")
            return builder.call(declared, args)

        return lanes(lanes), codegen

    return function


_absolute, _root, floor_of = _llvm("llvm.fabs"), _llvm("llvm.sqrt"), _llvm("llvm.floor")


@intrinsic
def select(typingctx, condition, yes, no):  # type: ignore[no-untyped-def]
    """Return `yes` where the condition holds and `no` elsewhere; both are computed."""
    kind = lanes if condition == mask or lanes in (yes, no) else types.float64

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.select(*args)

    return kind(condition, kind, kind), codegen


@overload(abs)
def _abs_lanes(x):  # type: ignore[no-untyped-def]
    return (lambda x: _absolute(x)) if x == lanes else None


@overload(math.sqrt)
def _sqrt_lanes(x):  # type: ignore[no-untyped-def]
    return (lambda x: _root(x)) if x == lanes else None


@overload(max)
def _max_lanes(x, y):  # type: ignore[no-untyped-def]
    if lanes not in (x, y):
        return None
    return lambda x, y: select(x >= y, x, y)


@overload(min)
def _min_lanes(x, y):  # type: ignore[no-untyped-def]
    if lanes not in (x, y):
        return None
    return lambda x, y: select(x <= y, x, y)


@intrinsic(prefer_literal=True)
def _whole_power(typingctx, x, exponent):  # type: ignore[no-untyped-def]
    """Return x to a whole power that is known when compiling, by squaring."""
    if not isinstance(exponent, types.IntegerLiteral):
        return None
    left = abs(exponent.literal_value)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        one = ir.Constant(_DOUBLES, [1.0] * WIDTH)
        power, square, remaining = None, args[0], left
        while remaining:
            if remaining & 1:
                power = square if power is None else builder.fmul(power, square, flags=_FLAGS)
            remaining >>= 1
            if remaining:
                square = builder.fmul(square, square, flags=_FLAGS)
        power = one if power is None else power
        return power if exponent.literal_value >= 0 else builder.fdiv(one, power)

    return lanes(lanes, exponent), codegen


@overload(operator.pow, prefer_literal=True)
def _power_lanes(x, exponent):  # type: ignore[no-untyped-def]
    if x != lanes or not isinstance(exponent, types.IntegerLiteral):
        return None
    number = exponent.literal_value
    return lambda x, exponent: _whole_power(x, number)


@intrinsic
def bits(typingctx, condition):  # type: ignore[no-untyped-def]
    """Return a mask as the bits of an integer, lane 0 lowest."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.zext(builder.bitcast(args[0], _BITS), ir.IntType(64))

    return types.int64(mask), codegen


@intrinsic
def spread(typingctx, x):  # type: ignore[no-untyped-def]
    """Return a float in every lane."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return _splat(builder, args[0])

    return lanes(types.float64), codegen


@intrinsic
def lane(typingctx, x, place):  # type: ignore[no-untyped-def]
    """Return the float in one lane."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.extract_element(args[0], args[1])

    return types.float64(lanes, types.int64), codegen


@intrinsic
def with_lane(typingctx, x, place, value):  # type: ignore[no-untyped-def]
    """Return lanes of which one holds another float."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.insert_element(args[0], args[2], args[1])

    return lanes(lanes, types.int64, types.float64), codegen


def _place(builder, array, place):  # type: ignore[no-untyped-def]
    """Return the address of a run of floats as one of lanes."""
    return builder.bitcast(builder.gep(array, [place]), _DOUBLES.as_pointer())


@intrinsic
def lanes_at(typingctx, array, place):  # type: ignore[no-untyped-def]
    """Return the `WIDTH` neighbouring floats that begin at a place."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        return builder.load(_place(builder, *args), align=8)

    return lanes(types.CPointer(types.float64), types.int64), codegen


@intrinsic
def put_lanes(typingctx, array, place, value):  # type: ignore[no-untyped-def]
    """Write lanes as `WIDTH` neighbouring floats that begin at a place."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        builder.store(args[2], _place(builder, args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(types.CPointer(types.float64), types.int64, lanes), codegen


@intrinsic
def sum_of(typingctx, x):  # type: ignore[no-untyped-def]
    """Return the sum over the lanes, in order."""

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        total = builder.extract_element(args[0], ir.Constant(ir.IntType(32), 0))
        for k in range(1, WIDTH):
            part = builder.extract_element(args[0], ir.Constant(ir.IntType(32), k))
            total = builder.fadd(total, part)
        return total

    return types.float64(lanes), codegen


@intrinsic
def times_power_of_two(typingctx, x, power):  # type: ignore[no-untyped-def]
    """Return x 2^power for whole powers, as long as result and x are normal numbers.

    The power is added to the bits of the exponent.  Adding 1.5 2^52 first leaves it as an integer in
    the lowest bits of a double.
    """

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        shifted = builder.fadd(args[1], ir.Constant(_DOUBLES, [1.5 * 2.0**52] * WIDTH))
        fields = builder.shl(
            builder.bitcast(shifted, _INTEGERS), ir.Constant(_INTEGERS, [52] * WIDTH)
        )
        return builder.bitcast(builder.add(builder.bitcast(args[0], _INTEGERS), fields), _DOUBLES)

    return lanes(lanes, lanes), codegen


@intrinsic
def fraction_and_exponent(typingctx, x):  # type: ignore[no-untyped-def]
    """Return f in [1, 2) and whole e, as floats, with x = f 2^e, for normal positive x."""
    both = types.UniTuple(lanes, 2)

    def constant(number: int) -> ir.Constant:
        return ir.Constant(_INTEGERS, [number] * WIDTH)

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        raw = builder.bitcast(args[0], _INTEGERS)
        fraction = builder.or_(builder.and_(raw, constant((1 << 52) - 1)), constant(1023 << 52))
        # The exponent in the lowest bits of 2^52, less 2^52 and the bias 1023.
        exponent = builder.or_(builder.lshr(raw, constant(52)), constant(1075 << 52))
        offset = ir.Constant(_DOUBLES, [-(2.0**52) - 1023.0] * WIDTH)
        parts = (
            builder.bitcast(fraction, _DOUBLES),
            builder.fadd(builder.bitcast(exponent, _DOUBLES), offset),
        )
        return context.make_tuple(builder, both, parts)

    return both(lanes), codegen


@intrinsic
def as_lanes(typingctx, numbers):  # type: ignore[no-untyped-def]
    """Return floats of shape rows x n x WIDTH as an array rows x n of lanes, on the same memory."""
    source = types.Array(types.float64, 3, "C")

    def codegen(context, builder, sig, args):  # type: ignore[no-untyped-def]
        given = context.make_array(source)(context, builder, args[0])
        made = context.make_array(lane_array)(context, builder)
        shape = ir.ArrayType(given.shape.type.element, 2)
        sizes, steps = ir.Constant(shape, ir.Undefined), ir.Constant(shape, ir.Undefined)
        for axis in range(2):
            sizes = builder.insert_value(sizes, builder.extract_value(given.shape, axis), axis)
            steps = builder.insert_value(steps, builder.extract_value(given.strides, axis), axis)
        made.data = builder.bitcast(given.data, made.data.type)
        made.shape, made.strides = sizes, steps
        made.itemsize = ir.Constant(given.itemsize.type, 8 * WIDTH)
        made.nitems = builder.mul(
            builder.extract_value(given.shape, 0), builder.extract_value(given.shape, 1)
        )
        made.meminfo, made.parent = given.meminfo, given.parent
        return made._getvalue()

    return lane_array(source), codegen
