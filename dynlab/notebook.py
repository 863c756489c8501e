"""How an object looks in a notebook: a card of a heading, a text, and tables that open on a click.

Every text on it is escaped: names, units and references may come from a file of others.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["card", "grid", "listed"]

_CARD = "border-left:3px solid #0072b2;padding:.1em .8em;margin:.3em 0"
_PLAIN = "margin:.2em 0;padding:0;background:none;white-space:pre-wrap"
_CELL = "text-align:left;padding:.1em .8em .1em 0"


def card(heading: str, text: str, folded: Mapping[str, str]) -> str:
    """Return a card as HTML.

    Parameters
    ----------
    heading, text
        Plain texts.
    folded
        Parts below a word to click on: HTML, from `grid` or `listed`; empty ones are left out.
    """
    parts = "".join(
        f"<details><summary>{html.escape(word)}</summary>{inner}</details>"
        for word, inner in folded.items()
        if inner
    )
    return (
        f'<div style="{_CARD}"><b>{html.escape(heading)}</b>'
        f'<pre style="{_PLAIN}">{html.escape(text)}</pre>{parts}</div>'
    )


def listed(rows: Mapping[str, object]) -> str:
    """Return names and what they stand for as an HTML table; empty without rows."""
    return grid((), rows.items())


def grid(head: Sequence[object], rows: Iterable[Iterable[object]]) -> str:
    """Return rows below a head as an HTML table; empty without rows."""
    top = "".join(f'<th style="{_CELL}">{html.escape(str(word))}</th>' for word in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="{_CELL}">{html.escape(str(cell))}</td>' for cell in row)
        + "</tr>"
        for row in rows
    )
    if not body:
        return ""
    return f"<table>{f'<tr>{top}</tr>' if top else ''}{body}</table>"
