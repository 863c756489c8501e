"""A System as it would be printed in a paper: LaTeX, and HTML for notebooks."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import sympy

from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = ["as_html", "latex"]


def latex(system: System) -> str:
    """Return the equations as a LaTeX ``aligned`` block."""
    rows = []
    for name, expression in zip(system.state_names, system.rule, strict=True):
        left = sympy.latex(symbol(name))
        left = f"{left}_{{n+1}}" if system.is_discrete else rf"\dot{{{left}}}"
        rows.append(rf"{left} &= {sympy.latex(expression)}")
    body = " \\\\\n".join(rows)
    return f"$\\displaystyle\\begin{{aligned}}\n{body}\n\\end{{aligned}}$"


def as_html(system: System) -> str:
    """Return the equations with a table of parameters and default starts."""
    kind = "map" if system.is_discrete else "flow"
    cells = [(p.name, f"{p.value:g}", p.unit) for p in system.parameters]
    cells += [(f"{s.name} (start)", f"{s.start:g}", s.unit) for s in system.states]
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(item)}</td>' for item in row)}</tr>" for row in cells
    )
    caption = html.escape(system.reference.split("\n")[0])
    return (
        f"<b>{html.escape(system.name)}</b> ({kind}) <i>{caption}</i>{latex(system)}"
        f"<table><tr><th>name</th><th>value</th><th>unit</th></tr>{rows}</table>"
    )
