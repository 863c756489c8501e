"""A System as it would be printed in a paper: LaTeX, and HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence

import sympy

from dynlab.symbolic.tree import symbol

__all__ = ["equations", "table"]

#: Names that a paper writes as another letter than the one that spells them.
_LETTERS = {"eps": r"\varepsilon", "lam": r"\lambda"}


def equations(names: Sequence[str], rule: Sequence[sympy.Expr], *, discrete: bool) -> str:
    """Return the equations as a LaTeX ``aligned`` block."""
    written = {symbol(name): letter for name, letter in _LETTERS.items()}
    rows = []
    for name, expression in zip(names, rule, strict=True):
        left = sympy.latex(symbol(name), symbol_names=written)
        left = f"{left}_{{n+1}}" if discrete else rf"\dot{{{left}}}"
        rows.append(rf"{left} &= {sympy.latex(expression, symbol_names=written)}")
    body = " \\\\\n".join(rows)
    return f"$\\displaystyle\\begin{{aligned}}\n{body}\n\\end{{aligned}}$"


def table(rows: Sequence[tuple[str, float, str]]) -> str:
    """Return names, values and units as an HTML table."""
    cells = "".join(
        f"<tr><td>{html.escape(name)}</td><td>{value:g}</td><td>{html.escape(unit)}</td></tr>"
        for name, value, unit in rows
    )
    return f"<table><tr><th>name</th><th>value</th><th>unit</th></tr>{cells}</table>"
