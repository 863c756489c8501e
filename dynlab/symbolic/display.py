"""A System as it would be printed in a paper: LaTeX, and HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

import sympy

from dynlab.symbolic.events import Event
from dynlab.symbolic.indexed import Element
from dynlab.symbolic.tree import symbol

__all__ = ["aligned", "equations", "event_row", "letter", "next_row", "rate_row", "row", "table"]

#: Names that a paper writes as another letter than the one that spells them.
_LETTERS = {"eps": r"\varepsilon", "lam": r"\lambda"}
DOT = r"\dot"
_WRITTEN = {symbol(name): spelled for name, spelled in _LETTERS.items()}


def equations(
    names: Sequence[str],
    rule: Sequence[sympy.Expr],
    events: Sequence[Event] = (),
    *,
    discrete: bool,
) -> str:
    """Return the equations, and the events below them, as LaTeX for a notebook."""
    made = next_row if discrete else rate_row
    rows = [made(n, e) for n, e in zip(names, rule, strict=True)]
    body = aligned([*rows, *map(event_row, events)])
    return f"$\\displaystyle{body}$"


def aligned(rows: Sequence[str]) -> str:
    """Return rows as a LaTeX ``aligned`` block."""
    body = " \\\\\n".join(rows)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def row(name: str, expression: sympy.Expr, *indices: str) -> str:
    """Return ``name = expression`` as LaTeX."""
    return f"{letter(name, *indices)} &= {_latex(expression)}"


def rate_row(name: str, expression: sympy.Expr, *indices: str) -> str:
    """Return the rate of change of a state as LaTeX."""
    return f"{letter(name, *indices, above=DOT)} &= {_latex(expression)}"


def next_row(name: str, expression: sympy.Expr, *indices: str) -> str:
    """Return the next value of a state as LaTeX."""
    return f"{letter(name, *indices)}{'^' if indices else '_'}{{n+1}} &= {_latex(expression)}"


def event_row(event: Event) -> str:
    """Return an event as LaTeX."""
    return event.latex(_WRITTEN)


def letter(name: str, *indices: str, above: str = "") -> str:
    """Return a name as a paper prints it; with indices, as one entry of what it names."""
    plain = _latex(symbol(name.lstrip("_")))
    plain = f"{above}{{{plain}}}" if above else plain
    return f"{{{plain}}}_{{{' '.join(indices)}}}" if indices else plain


def _latex(expression: sympy.Expr) -> str:
    entries = {e: letter(e.base, *e.indices) for e in expression.atoms(Element)}
    return str(sympy.latex(expression, symbol_names=_WRITTEN | entries))


def table(rows: Sequence[tuple[str, float, str]]) -> str:
    """Return names, values and units as an HTML table."""
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{value:g}</td><td>{html.escape(unit)}</td></tr>"
        for name, value, unit in rows
    )
    return f"<table><tr><th>name</th><th>value</th><th>unit</th></tr>{cells}</table>"
