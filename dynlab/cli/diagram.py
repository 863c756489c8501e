"""``dynlab diagram``: a model in, its bifurcation diagram out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynlab.cli.answer import Answer
from dynlab.cli.interrupt import interruptible, telling
from dynlab.cli.model import add_model, add_output, chosen_model, number_of, stem_of

if TYPE_CHECKING:
    from dynlab.continuation.diagram import Diagram

__all__ = ["add", "run"]

#: States and eigenvalues of a network beyond these are left to the files.
_MOST_COLUMNS = 12

_EPILOG = """\
examples:
  dynlab diagram fitzhugh_nagumo --vary I --over 0 2
  dynlab diagram my_model.toml --vary a --over 0 1 --set b=2 --show y
  dynlab diagram my_model.py:my_flow --vary a --over 0 1 --within x -2 2
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "diagram", help="follow all equilibria and cycles of a model over a parameter range",
        description="Follow all equilibria of a model, and the limit cycles that arise from them, over a "
        "parameter range; write figure, data and a table of special points.", epilog=_EPILOG,
    )  # fmt: skip
    add_model(made)
    made.add_argument("--vary", required=True, metavar="NAME", help="the parameter to vary")
    made.add_argument(
        "--over", required=True, nargs=2, type=float, metavar=("LOW", "HIGH"), help="its range"
    )
    made.add_argument("--show", metavar="NAME", help="state or observable to draw")
    made.add_argument(
        "--within", action="append", default=[], nargs=3, metavar=("NAME", "LOW", "HIGH"),
        help="keep a state in a range",
    )  # fmt: skip
    add_output(made)
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Compute the diagram and write it."""
    import dynlab as dl

    system = chosen_model(chosen)
    within = {name: (number_of(a, name), number_of(b, name)) for name, a, b in chosen.within}
    with interruptible(), dl.progress_bar():
        diagram = dl.bifurcation_diagram(
            system, vary=chosen.vary, over=tuple(chosen.over), within=within or None
        )
    stem = stem_of(system.name, chosen.vary)
    written: list[Path] = []
    with telling(lambda: written):
        written.extend(_write(diagram, chosen.output, stem, chosen.show))
    return Answer(_text(diagram, written), _document(diagram), diagram.status, tuple(written))


def _write(diagram: Diagram, folder: Path, stem: str, show: str | None) -> Iterator[Path]:
    """Write the data for programs and for people, the table of points, and the figure twice."""
    from dynlab.plotting import close_figure, save_figure
    from dynlab.study.page import write_table

    folder.mkdir(parents=True, exist_ok=True)
    yield diagram.save(folder / f"{stem}.npz")
    for name, table in (("branches", diagram.to_table()), ("points", diagram.point_table())):
        yield write_table(table, folder / f"{stem}_{name}.csv")
    axes = diagram.plot(show=show)
    for kind in ("png", "svg"):
        yield save_figure(axes, folder / f"{stem}.{kind}")
    close_figure(axes)


def _text(diagram: Diagram, written: list[Path]) -> str:
    ends = [
        f"branch {k}: {len(branch)} points. Ends: {'; '.join(str(end) for end in branch.ends)}"
        for k, branch in enumerate(diagram)
    ]
    parts = [
        repr(diagram), "", _table(diagram.points()),
        *(f"  unconfirmed: {point}" for point in diagram.unconfirmed), "",
        *ends, "", *(f"wrote {path}" for path in written),
    ]  # fmt: skip
    return "\n".join(parts)


def _document(diagram: Diagram) -> dict[str, Any]:
    return {
        "model": diagram.system.name,
        "vary": diagram.vary,
        "points": [
            {
                "label": p.label, "kind": type(p).__name__, diagram.vary: p.value,
                "details": p.details(), "eigenvalues": p.eigenvalues[:_MOST_COLUMNS],
                "greatest": {n: p.greatest(n) for n in p.system.state_names[:_MOST_COLUMNS]},
            }
            for p in diagram.points()
        ],
        "unconfirmed": [str(point) for point in diagram.unconfirmed],
        "branches": [
            {"points": len(branch), "ends": [str(end) for end in branch.ends]} for branch in diagram
        ],
        "settings": diagram.provenance.settings,
        "versions": diagram.provenance.versions,
    }  # fmt: skip


def _table(points: Sequence[Any]) -> str:
    """Return the special points with their eigenvalues as an aligned table."""
    if not points:
        return "no special points"
    first = points[0]
    names = first.system.state_names[:_MOST_COLUMNS]
    header = ["", first.vary, *names, "eigenvalues", ""]
    rows = [
        [
            p.label, f"{p.value:.10g}", *(f"{p.greatest(name):.6g}" for name in names),
            ", ".join(_complex(e) for e in p.eigenvalues[:_MOST_COLUMNS]), p.details(),
        ]
        for p in points
    ]  # fmt: skip
    widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)) for r in [header, *rows]]
    return "\n".join(line.rstrip() for line in lines)


def _complex(value: complex) -> str:
    tiny = 1e-9 * max(abs(value), 1e-300)
    real = 0.0 if abs(value.real) < max(tiny, 1e-12) else value.real
    return f"{real:.4g}" if abs(value.imag) <= tiny else f"{real:.4g}{value.imag:+.4g}i"
