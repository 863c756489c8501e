"""A System as it would be printed in a paper: LaTeX, and HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sympy

from dynlab.symbolic.events import Event
from dynlab.symbolic.indexed import LETTERS, Element
from dynlab.symbolic.noise import Reading
from dynlab.symbolic.tree import symbol

if TYPE_CHECKING:
    from dynlab.symbolic.system import System

__all__ = [
    "aligned",
    "equations",
    "event_row",
    "letter",
    "next_row",
    "rate_row",
    "row",
    "stochastic_equations",
    "stochastic_lines",
    "stochastic_rows",
    "table",
]

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


#: How a product with dW is written, as LaTeX and as text.
_READ = {Reading.ITO: (r"\,", ""), Reading.STRATONOVICH: (r"\circ ", "o "),
         Reading.HANGGI_KLIMONTOVICH: (r"\bullet ", "* ")}  # fmt: skip
_NAMED = {
    Reading.ITO: "Itô",
    Reading.STRATONOVICH: "Stratonovich",
    Reading.HANGGI_KLIMONTOVICH: "Hänggi-Klimontovich",
}


def stochastic_equations(system: System) -> str:
    """Return stochastic equations as LaTeX for a notebook, with how they are read; of a map nothing is to be read."""
    rows = stochastic_rows(system)
    if system.noise and not system.is_discrete:
        rows.append(rf"&\text{{({_NAMED[system.noise.reading]})}}")
    return f"$\\displaystyle{aligned(rows)}$"


def stochastic_rows(system: System) -> list[str]:
    """Return the equations of states with noise as LaTeX: ``dx = f dt + b dW``, of a map ``f + b xi``."""
    assert system.noise is not None
    sign = _READ[system.noise.reading][0]
    rows = []
    for place, (state, rate) in enumerate(zip(system.states, system.rule, strict=True)):
        indices = LETTERS[: len(state.shape)]
        text = (
            next_row(state.name, rate, *indices)
            if system.is_discrete
            else rf"\mathrm{{d}}{letter(state.name, *indices)} &= \left({_latex(rate)}\right)\mathrm{{d}}t"
        )
        for amplitude, source in system.noise.terms(place):
            own = indices if source.isdigit() else ()
            factor = _latex(amplitude)
            factor = rf"\left({factor}\right)" if amplitude.is_Add else factor
            text += rf" + {factor}" + (
                rf"\,{letter('xi', source, *own)}"
                if system.is_discrete
                else rf"{sign}\mathrm{{d}}{letter('W', source, *own)}"
            )
        rows.append(text)
    return rows


def stochastic_lines(system: System) -> list[str]:
    """Return stochastic equations as text, one for each state; ``o dW`` is Stratonovich's product."""
    assert system.noise is not None
    sign = _READ[system.noise.reading][1]
    rows = []
    for place, (name, rate) in enumerate(zip(system.declared, system.rule, strict=True)):
        terms = [(sympy.sstr(a, full_prec=False), s) for a, s in system.noise.terms(place)]
        if system.is_discrete:
            rows.append(
                f"{name}' = " + " + ".join([str(rate), *(f"({a}) xi_{s}" for a, s in terms)])
            )
        else:
            rows.append(
                f"d{name} = "
                + " + ".join([f"({rate}) dt", *(f"({a}) {sign}dW_{s}" for a, s in terms)])
            )
    return rows


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
