"""The one calling convention: how compiled models are called by compiled algorithms.

``status = kernel(t, x, z, p, d, k, w, [u, v, ...,] out)``

======  ==========================================================================
``t``   time
``x``   states, flat
``z``   values supplied from outside (lagged states, inputs, global averages)
``p``   scalar parameters
``d``   arrays: per-node and per-link parameters
``k``   sizes, links, addresses of inner kernels
``w``   workspace owned by the calling thread
``u``   direction vectors, where the kernel takes any
``out`` the answer
======  ==========================================================================

A model kernel travels as the integer address of a C function; an algorithm turns it back into a
call (`call0`, for kernels without direction vectors).  So an algorithm is compiled once for all
models.  Whoever hands out an address keeps the compiled function alive.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

CONVENTION_VERSION = 1

# Status codes that kernels return; the same numbers as dynlab.status.Status.
OK = 0
RUNNING = 1
EVENT = 3
DIVERGED = 10
LEFT_DOMAIN = 11
STEP_TOO_SMALL = 12
NOT_CONVERGED = 13
SINGULAR = 14
TOO_MANY_STEPS = 15
ACCUMULATION = 16
SLIDING = 17
PARAMETER_BOUND = 20
STATE_BOUND = 21
CLOSED_LOOP = 22
FOLD_IN_PARAMETER = 23
AT_HOPF_POINT = 25
PERIOD_BOUND = 26

#: What a kernel is given beside time and state, as one argument of an algorithm: z, p, d, k, w.
MODEL_INPUTS = types.Tuple(
    (types.float64[::1], types.float64[::1], types.float64[::1], types.int64[::1],
     types.float64[::1])
)  # fmt: skip

_F = types.CPointer(types.float64)
_K = types.CPointer(types.int64)


def kernel_signature(directions: int) -> Any:
    """Return the numba signature of a model kernel with that many direction vectors."""
    vectors = [_F] * (directions + 1)
    return types.int64(types.float64, _F, _F, _F, _F, _K, _F, *vectors)


def _call_at_address(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Emit the call of a C function whose address is the first argument."""
    arguments = [context.get_value_type(a) for a in signature.args[1:]]
    kind = ir.FunctionType(ir.IntType(64), arguments).as_pointer()
    return builder.call(builder.inttoptr(args[0], kind), args[1:])


@intrinsic
def call0(typingctx, address, t, x, z, p, d, k, w, out):  # type: ignore[no-untyped-def]
    """Call the kernel without direction vectors that stands at an address.

    Time, state, parameters and answer are floats, or lanes for a kernel of lanes.
    """
    time = types.float64 if isinstance(t, types.Number) else t
    signature = types.int64(types.int64, time, x, _F, p, _F, _K, _F, out)
    return signature, _call_at_address


@intrinsic
def call1(typingctx, address, t, x, z, p, d, k, w, u, out):  # type: ignore[no-untyped-def]
    """Call the kernel with one direction vector that stands at an address."""
    signature = types.int64(types.int64, types.float64, _F, _F, _F, _F, _K, _F, _F, _F)
    return signature, _call_at_address


@intrinsic
def call2(typingctx, address, t, x, z, p, d, k, w, u, v, out):  # type: ignore[no-untyped-def]
    """Call the kernel with two direction vectors that stands at an address."""
    signature = types.int64(types.int64, types.float64, _F, _F, _F, _F, _K, _F, _F, _F, out)
    return signature, _call_at_address


@intrinsic
def call3(typingctx, address, t, x, z, p, d, k, w, u, v, s, out):  # type: ignore[no-untyped-def]
    """Call the kernel with three direction vectors that stands at an address."""
    signature = types.int64(types.int64, types.float64, _F, _F, _F, _F, _K, _F, _F, _F, _F, out)
    return signature, _call_at_address


@intrinsic
def pointer(typingctx, array):  # type: ignore[no-untyped-def]
    """Return the address of an array's first element as a typed pointer."""
    signature = types.CPointer(array.dtype)(array)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return context.make_array(signature.args[0])(context, builder, args[0]).data

    return signature, codegen


@intrinsic
def call_linear(typingctx, address, request, numbers, a, b):  # type: ignore[no-untyped-def]
    """Ask whoever stands at an address for linear algebra; the requests are in `implicit`."""
    signature = types.int64(types.int64, types.int64, _F, _F, _F)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arguments = [context.get_value_type(a) for a in signature.args[1:]]
        kind = ir.FunctionType(ir.IntType(64), arguments).as_pointer()
        return builder.call(builder.inttoptr(args[0], kind), args[1:])

    return signature, codegen


@intrinsic
def matrix_at(typingctx, address, rows, columns):  # type: ignore[no-untyped-def]
    """Return the matrix that stands at an address, row by row."""
    array = types.float64[:, ::1]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _array_at(context, builder, array, args[0], args[1:])

    return array(types.int64, types.int64, types.int64), codegen


@intrinsic
def integers_at(typingctx, address, count):  # type: ignore[no-untyped-def]
    """Return the integers that stand at an address."""
    array = types.int64[::1]

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _array_at(context, builder, array, args[0], args[1:])

    return array(types.int64, types.int64), codegen


def _array_at(context: Any, builder: Any, kind: Any, address: Any, shape: Any) -> Any:
    """Return an array over memory that somebody else owns (carray needs numba's runtime)."""
    made = context.make_array(kind)(context, builder)
    size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
    step = ir.Constant(ir.IntType(64), size)
    steps = [step]
    for length in reversed(shape[1:]):
        steps.insert(0, builder.mul(steps[0], length))
    populate_array(
        made,
        data=builder.inttoptr(address, made.data.type),
        shape=list(shape),
        strides=steps,
        itemsize=step,
        meminfo=None,
    )
    return made._getvalue()
