"""Loop program -> Python source that a person can read; see `printer` for single equations."""

from __future__ import annotations

from typing import Any

from dynlab.codegen import wide_loops
from dynlab.codegen.loops import Add, Array, Dot, Let, Loop, LoopProgram, Put
from dynlab.codegen.printer import HEADER, expression_text
from dynlab.codegen.wide_loops import wide_loop
from dynlab.names import checked_name
from dynlab.symbolic.derivatives import DIRECTION_LETTERS
from dynlab.symbolic.tree import Tree

__all__ = ["loop_source"]

_MORE = """
from numpy import empty as _empty, zeros as _zeros

from dynlab.kernels.convention import pointer as _pointer
from dynlab.kernels.sums import (
    full_product as _full_product, link_product as _link_product,
    link_products as _link_products, share as _share,
)

_range = range
"""


def loop_source(program: LoopProgram) -> str:
    """Return a whole module: imports and the kernel function."""
    text = _function(program)
    wide = wide_loops.HEADER if "_wide" in text else ""
    return f"{HEADER}{_MORE}{wide}\n\n{text}"


def _function(program: LoopProgram) -> str:
    vectors = [f"_{DIRECTION_LETTERS[k]}" for k in range(program.directions)]
    arguments = ", ".join(["_t", "_x", "_z", "_p", "_d", "_k", "_w", *vectors, "_out"])
    lines = [f"def {program.kind}({arguments}):"]
    body = [*_prepared(program), *_block(program.body, program)]
    if program.kind == "count":
        body.append("_out[0] = _m")
    used = _names(program.body)
    loads = [
        f"{checked_name(name, 'state')} = _x[{_word(f'x {name}')}]"
        for name in program.states
        if name in used
    ]
    loads += [
        f"{checked_name(name, 'parameter')} = _p[{k}]"
        for k, name in enumerate(program.parameters)
        if name in used
    ]
    text = "\n".join([*loads, *body])
    places = [
        f"{_word(slot)} = _k[{k}]" for k, slot in enumerate(program.slots) if _word(slot) in text
    ]
    body = [*places, *loads, *body]
    return "\n".join([*lines, *(f"    {line}" for line in body), "    return 0", ""])


def _prepared(program: LoopProgram) -> list[str]:
    """Return what must stand before the body of some kinds."""
    width = f"(_n + {program.active})"
    if program.kind == "jacobian":
        return [f"for _m in _range(_n*{width}):", "    _out[_m] = 0.0"]
    if program.kind == "vjp":
        return [f"for _m in _range{width}:", "    _out[_m] = 0.0"]
    return ["_m = 0"] if program.kind in ("count", "pattern", "entries") else []


def _block(statements: tuple[Any, ...], program: LoopProgram) -> list[str]:
    return [line for s in statements for line in _lines(s, program)]


def _lines(s: Any, program: LoopProgram) -> list[str]:
    if isinstance(s, Let):
        return [f"{s.name} = {_value(s.value)}"]
    if isinstance(s, Add):
        return [f"{s.name} += {_value(s.value)}"]
    if isinstance(s, Array):
        return [f"{s.name} = {'_zeros' if s.zero else '_empty'}({_word(f'n {s.over}')})"]
    if isinstance(s, Put):
        return _put(s, program)
    if isinstance(s, Dot):
        return _dot(s)
    if isinstance(s, Loop):
        head = _loop_head(s)
        if program.kind == "rhs" or program.kind.startswith("derivative"):
            scalar = _block(s.body, program)
            wide = wide_loop(s, _word(f"n {s.over[1]}"), _place, scalar)
            if wide is not None:
                return wide
        return [head[0], *(f"    {line}" for line in [*head[1:], *_block(s.body, program)])]
    raise TypeError(s)


def _loop_head(s: Loop) -> list[str]:
    kind, *sets = s.over
    if kind == "nodes":
        return [f"for {s.index} in _range({_word(f'n {sets[0]}')}):"]
    pair = " ".join(sets[:2])
    first, sources = _word(f"first {pair}"), _word(f"sources {pair}")
    if kind == "links":
        link = sets[2]
        return [
            f"for {link} in _range(_k[{first} + {s.own}], _k[{first} + {s.own} + 1]):",
            f"{s.index} = _k[{sources} + {link}]",
        ]
    if kind == "out":
        link = sets[2]
        outgoing, reached = _word(f"outgoing {pair}"), _word(f"reached {pair}")
        return [
            f"for _m in _range(_k[{outgoing} + {s.own}], _k[{outgoing} + {s.own} + 1]):",
            f"{link} = _k[{reached} + _m]",
            f"{s.index} = _k[{_word(f'targets {pair}')} + {link}]",
        ]
    return [
        f"for _l in _range({_word(f'count {pair}')}):",
        f"_i = _k[{_word(f'targets {pair}')} + _l]",
        f"_j = _k[{sources} + _l]",
    ]


def _put(s: Put, program: LoopProgram) -> list[str]:
    value = _value(s.value)
    if s.place[0] == "at":
        _, array, base, index = s.place
        return [f"{array}[{_place(base, index)}] {'+=' if s.add else '='} {value}"]
    _, kind, row, column = s.place
    row_text, column_text = _place(*row), _place(*column)
    if kind == "jacobian":
        return [f"_out[({row_text})*(_n + {program.active}) + {column_text}] += {value}"]
    if kind == "entries":
        return [f"_out[_m] = {value}", "_m += 1"]
    if kind == "pattern":
        return [f"_out[2*_m] = {row_text}", f"_out[2*_m + 1] = {column_text}", "_m += 1"]
    return ["_m += 1"]


def _dot(s: Dot) -> list[str]:
    pair = " ".join(s.link)
    first, count = _word(f"first {pair}"), _word(f"n {s.link[1]}")
    array, at = s.weight[0], _place(s.weight[1], "")
    values = [f"{_pointer(v)}, {_place(base, '')}" for v, base in s.values]
    links = (
        f"_k, {_word(f'sources {pair}')}, _k[{first} + {s.own}], _k[{first} + {s.own} + 1]"
    )  # fmt: skip
    many = "_link_products" if len(values) == 2 else "_link_product"
    full = f"{array}, {at} + {s.own}*{count}"
    return [
        f"if {_word(f'full {pair}')}:",
        *(
            f"    {name} = _full_product({full}, {v}, {count})"
            for name, v in zip(s.names, values, strict=True)
        ),
        "else:",
        f"    {', '.join(s.names)} = {many}({array}, {at}, {', '.join(values)}, {links})",
    ]


def _pointer(array: str) -> str:
    """Return an array of the calling convention as it is, a local one by its address."""
    return array if len(array) == 2 else f"_pointer({array})"


def _place(base: str, index: str) -> str:
    words = base.split(" + ") if base else []
    parts = [word if word.isdigit() else _word(word) for word in words]
    parts += [index] if index else []
    return " + ".join(parts) or "0"


def _value(tree: Tree) -> str:
    if tree[0] == "whole":
        return f"int({tree[1]}[0])"
    if tree[0] == "read":
        _, array, base, index = tree
        return f"{array}[{_place(base, index)}]"
    if tree[0] == "share":
        _, weight, (kind, *where) = tree
        if kind == "nodes":
            return f"{_value(weight)}/{_word(f'n {where[0]}')}"
        target, source, own = where
        first = _word(f"first {target} {source}")
        return f"_share({_value(weight)}, _k[{first} + {own} + 1] - _k[{first} + {own}])"
    return expression_text(tree)


def _word(slot: str) -> str:
    """Return the name of a slot in the source; no user's name begins with an underscore."""
    return "_" + "__".join(slot.split(" "))


def _names(statements: tuple[Any, ...]) -> set[str]:
    """Return every plain name that stands in the statements."""
    found: set[str] = set()
    for s in statements:
        if isinstance(s, Loop):
            found |= _names(s.body)
        pending = [getattr(s, "value", ())]
        while pending:
            tree = pending.pop()
            if tree and tree[0] == "name":
                found.add(tree[1])
            else:
                pending += [item for item in tree if isinstance(item, tuple)]
    return found
