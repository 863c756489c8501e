"""Loops over nodes whose nodes do not depend on each other, printed for lanes of neighbouring nodes.

A loop that evaluates functions of one node at a time is printed twice: in steps of `lanes.WIDTH` nodes
in processor lanes (`kernels.lane_functions`: a sine of 16 nodes takes about as long as one of the C
library), and once more, node by node, for the nodes that are left over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dynlab.codegen.lane_printer import Names, lane_text
from dynlab.codegen.loops import Add, Let, Loop, Put
from dynlab.errors import CompileError
from dynlab.kernels import lane_functions
from dynlab.kernels.lanes import WIDTH
from dynlab.symbolic.tree import Tree

__all__ = ["HEADER", "wide_loop"]

_FUNCTIONS = ",\n    ".join(f"{name} as _wide_{name}" for name in lane_functions.__all__)
HEADER = f"""
from dynlab.kernels.lane_functions import (
    {_FUNCTIONS},
    sin_and_cos as _wide_sin_and_cos,
)
from dynlab.kernels.lanes import (
    lanes_at as _lanes_at, put_lanes as _put_lanes, select, spread as _spread, sum_of as _sum_of,
)
"""


class _AnyName(Names):
    prefix = "_wide_"

    def __contains__(self, name: object) -> bool:
        return True


def wide_loop(
    loop: Loop, count: str, place: Callable[[str, str], str], scalar: list[str]
) -> list[str] | None:
    """Return the lines of a loop in lanes with its rest, or None if it has no such form.

    Parameters
    ----------
    loop
        A loop over the nodes of a set.
    count
        The number of nodes, as it stands in the source.
    place
        Prints base and index of a place.
    scalar
        The printed body for one node.
    """
    if loop.over[0] != "nodes" or not any(_has_call(s) for s in loop.body):
        return None
    try:
        body, totals = _body(loop, place)
    except CompileError:
        return None
    whole = f"{count} - {count} % {WIDTH}"
    return [
        *(f"_wide{name} = _spread(0.0)" for name in totals),
        f"for {loop.index} in _range(0, {whole}, {WIDTH}):",
        *(f"    {line}" for line in body),
        *(f"{name} += _sum_of(_wide{name})" for name in totals),
        f"for {loop.index} in _range({whole}, {count}):",
        *(f"    {line}" for line in scalar),
    ]


def _has_call(statement: Any) -> bool:
    return any(tree[0] in ("call", "where") for tree in _parts(getattr(statement, "value", ())))


def _parts(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and all trees in it."""
    if tree:
        yield tree
    for item in tree:
        if isinstance(item, tuple):
            yield from _parts(item)


@dataclass(frozen=True, slots=True)
class _SineAndCosine:
    """Both of one angle, computed together."""

    names: tuple[str, str]
    angle: Tree


def _paired(body: tuple[Any, ...]) -> list[Any]:
    """Return statements that have sine and cosine of one angle computed together, before the first."""
    called = {tree for s in body for tree in _parts(getattr(s, "value", ())) if tree[0] == "call"}
    table: dict[Tree, Tree] = {}
    out: list[Any] = []
    for s in body:
        for call in _parts(getattr(s, "value", ())):
            if call[:2] not in (("call", "sin"), ("call", "cos")) or call in table:
                continue
            both = ("call", "sin", call[2]), ("call", "cos", call[2])
            if called.issuperset(both):
                names = (f"_sine{len(table)}", f"_cosine{len(table)}")
                table |= {c: ("name", n) for c, n in zip(both, names, strict=True)}
                out.append(_SineAndCosine(names, call[2]))
        changed = isinstance(s, (Let, Add, Put))
        out.append(replace(s, value=_replaced(s.value, table)) if changed else s)
    return out


def _replaced(tree: Tree, table: Mapping[Tree, Tree]) -> Tree:
    if tree in table:
        return table[tree]
    return tuple(_replaced(item, table) if isinstance(item, tuple) else item for item in tree)


def _body(loop: Loop, place: Callable[[str, str], str]) -> tuple[list[str], list[str]]:
    names: dict[str, str] = {}
    lines: list[str] = []
    totals: list[str] = []
    for s in _paired(loop.body):
        if isinstance(s, _SineAndCosine):
            angle = _value(s.angle, loop.index, place, names)
            lines.append(f"{s.names[0]}, {s.names[1]} = _wide_sin_and_cos({angle})")
            names |= {name: name for name in s.names}
            continue
        if isinstance(s, Let):
            lines.append(f"_wide{s.name} = {_value(s.value, loop.index, place, names)}")
            names[s.name] = f"_wide{s.name}"
        elif isinstance(s, Add):
            lines.append(f"_wide{s.name} += {_value(s.value, loop.index, place, names)}")
            totals.append(s.name)
        elif isinstance(s, Put) and s.place[0] == "at" and not s.add and s.place[3] == loop.index:
            _, array, base, index = s.place
            value = _value(s.value, loop.index, place, names)
            if not _differs(s.value, loop.index, names):
                raise CompileError("what is the same for all nodes has no form for lanes.")
            lines.append(f"_put_lanes({_pointer(array)}, {place(base, index)}, {value})")
        else:
            raise CompileError(f"a loop with {type(s).__name__} has no form for lanes.")
    return lines, totals


def _differs(tree: Tree, index: str, names: Mapping[str, str]) -> bool:
    """Whether a value is another one for each node of a loop."""
    return any(
        (part[0] == "read" and part[3] == index) or (part[0] == "name" and part[1] in names)
        for part in _parts(tree)
    )


def _value(
    tree: Tree, index: str, place: Callable[[str, str], str], names: Mapping[str, str]
) -> str:
    if tree[0] == "read":
        _, array, base, at = tree
        if at == index:
            return f"_lanes_at({_pointer(array)}, {place(base, at)})"
        return f"{array}[{place(base, at)}]"
    if tree[0] == "share":
        raise CompileError("a mean over links has no form for lanes.")
    return f"{lane_text(_renamed(tree, names), _AnyName())}"


def _pointer(array: str) -> str:
    """Return an array of the calling convention as it is, a local one by its address."""
    return array if len(array) == 2 or array == "_out" else f"_pointer({array})"


def _renamed(tree: Any, names: Mapping[str, str]) -> Any:
    if tree[0] == "name":
        return ("name", names.get(tree[1], tree[1]))
    return tuple(_renamed(item, names) if isinstance(item, tuple) else item for item in tree)
