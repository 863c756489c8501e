"""TaylorProgram -> Python source of the kernel that writes Taylor coefficients; see `printer`.

::

    status = series(t, x, z, p, d, k, w, out)      k[0] the order, out[n * states + i] the coefficients

The source first computes everything at order 0, then one order after another.  Beside a series ``x`` stand its
first coefficient ``_0_x`` and, where it is in a convolution, the row ``_r_x`` of all so far or ``_w_x`` of ``i x_i``.
"""

from __future__ import annotations

from collections.abc import Iterator

from dynlab.codegen.printer import HEADER, expression_text
from dynlab.codegen.taylor import (
    Coefficient,
    Composition,
    Convolution,
    Factor,
    TaylorProgram,
    initial,
)
from dynlab.kernels.power_series import COMPOSED, NARROWEST, PART, WORK_PER_COMPOSITION
from dynlab.names import checked_name

__all__ = ["factors_of", "initials_of", "row_parts", "series_source", "workspace"]

_BEGINNINGS = ", ".join(f"begin_{name} as _begin_{name}" for name in COMPOSED)
_HEADER = f"""{HEADER}
from dynlab.kernels.power_series import ({_BEGINNINGS})
from dynlab.kernels.power_series import (
    compose as _compose, first as _first, place_{{parts}} as _place, push as _push, put as _put,
    row_{{parts}} as _row, shifted as _shifted,
)

_range, _float = range, float
"""


def workspace(program: TaylorProgram) -> int:
    """Return how many numbers of workspace the kernel needs."""
    return WORK_PER_COMPOSITION * sum(isinstance(s, Composition) for s in program.statements)


def series_source(program: TaylorProgram, order: int) -> str:
    """Return a whole module, for orders up to one, or somewhat higher ones."""
    lines = [
        "def series(_t, _x, _z, _p, _d, _k, _w, _out):",
        *(f"    {line}" for line in _order_0(program)),
        "    for _n in _range(1, _k[0] + 1):",
        *(f"        {line}" for line in _order_n(program)),
        "    return 0",
        "",
    ]
    header = _HEADER.format(parts=row_parts(order))
    return f"{header}\n\n" + "\n".join(lines)


def row_parts(order: int) -> int:
    """Return how many parts the rows have."""
    return max(NARROWEST, order // PART + 1)


def factors_of(program: TaylorProgram) -> list[Factor]:
    """Return the series that need a row, each once."""
    found: dict[Factor, None] = {}
    for s in program.statements:
        if isinstance(s, Convolution):
            found |= {s.first: None, s.second: None}
    return list(found)


def _row_of(factor: Factor) -> str:
    return f"{'_w_' if factor.weighted else '_r_'}{factor.series}"


def _number_of(factor: Factor) -> str:
    return f"_n*{factor.series}" if factor.weighted else factor.series


def _places(program: TaylorProgram) -> dict[str, int]:
    """Return where the workspace of each composition begins."""
    composed = [s.name for s in program.statements if isinstance(s, Composition)]
    return {name: WORK_PER_COMPOSITION * j for j, name in enumerate(composed)}


def _order_0(program: TaylorProgram) -> Iterator[str]:
    places = _places(program)
    for position, name in enumerate(program.parameters):
        yield f"{checked_name(name, 'quantity')} = _p[{position}]"
    for name, tree in program.constants:
        yield f"{name} = {expression_text(tree)}"
    for position, name in enumerate(program.states):
        yield f"{checked_name(name, 'quantity')} = _x[{position}]"
        yield f"_out[{position}] = {name}"
    for s in program.statements:
        if isinstance(s, Coefficient):
            yield f"{s.name} = {expression_text(s.start)}"
        elif isinstance(s, Composition):
            yield f"_begin_{s.function}({s.argument}, {s.order}, _w, {places[s.name]})"
            yield f"{s.name} = _w[{places[s.name]}]"
    needed = initials_of(program)
    for name in (*program.states, *(getattr(s, "name", "") for s in program.statements)):
        if initial(name)[1] in needed:
            yield f"{initial(name)[1]} = {name}"
    for factor in factors_of(program):
        yield f"{_row_of(factor)} = " + (
            "_row(0.0)" if factor.weighted else f"_row({factor.series})"
        )
    for s in program.statements:
        if isinstance(s, Convolution):
            yield f"_sums{s.name} = _row(0.0)"
    for state, (start, _) in zip(program.states, program.rates, strict=True):
        yield f"_d_{state} = {expression_text(start)}"


def initials_of(program: TaylorProgram) -> set[str]:
    """Return the coefficients of order 0 that the recurrences use."""
    found: set[str] = set()
    for s in program.statements:
        if isinstance(s, Convolution) and not s.inner and s.since:
            found.add(initial(s.second.series)[1])
        pending = [s.following] if isinstance(s, Coefficient) else []
        while pending:
            tree = pending.pop()
            if tree[0] == "name":
                found.add(tree[1])
            else:
                pending += [item for item in tree if isinstance(item, tuple)]
    return found


def _order_n(program: TaylorProgram) -> Iterator[str]:
    factors, places, count = factors_of(program), _places(program), len(program.states)
    yield "_inverse = 1.0/_n"
    yield "_is_first = 1.0 if _n == 1 else 0.0"
    yield "_at = _place(_n)"
    for position, name in enumerate(program.states):
        yield f"{name} = _d_{name}*_inverse"
        yield f"_out[{count}*_n + {position}] = {name}"
    for name in program.states:
        yield from _new_rows(name, factors)
    for s in program.statements:
        if isinstance(s, Convolution):
            yield from _sum(s)
            continue
        if isinstance(s, Composition):
            yield f"{s.name} = _compose(_w, {places[s.name]}, _n, {s.argument})"
        else:
            yield f"{s.name} = {expression_text(s.following)}"
        yield from _new_rows(s.name, factors)
    for s in program.statements:
        if isinstance(s, Convolution) and s.since:
            yield f"_sums{s.name} = _shifted({_pushed(s)})"
    for factor in factors:
        yield f"{_row_of(factor)} = _new{_row_of(factor)}"
    for state, (_, rate) in zip(program.states, program.rates, strict=True):
        yield f"_d_{state} = {expression_text(rate)}"


def _new_rows(series: str, factors: list[Factor]) -> Iterator[str]:
    for factor in factors:
        if factor.series == series:
            row = _row_of(factor)
            yield f"_new{row} = _put({row}, _at, {_number_of(factor)})"


def _pushed(s: Convolution) -> str:
    first, second = _row_of(s.first), _row_of(s.second)
    return f"_push(_sums{s.name}, {_number_of(s.first)}, _new{second}, {_number_of(s.second)}, {first})"


def _sum(s: Convolution) -> Iterator[str]:
    """Print a convolution; one that its own result takes part in is pushed at the end of the order."""
    if s.since == 0:
        yield f"_sums{s.name} = {_pushed(s)}"
        yield f"{s.name} = _first(_sums{s.name})"
        yield f"_sums{s.name} = _shifted(_sums{s.name})"
    elif s.inner:
        yield f"{s.name} = _first(_sums{s.name})"
    else:
        start = initial(s.second.series)[1]
        yield f"{s.name} = _first(_sums{s.name}) + {_number_of(s.first)}*{start}"
