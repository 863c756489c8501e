"""The ``dynlab`` command: a model in, its bifurcation diagram out.

::

    dynlab diagram hodgkin_huxley --vary I --over 0 200
    dynlab diagram my_model.toml --vary a --over 0 1
    dynlab diagram my_model.py:my_flow --vary a --over 0 1 --set b=2 --show y
    dynlab spectrum lorenz --duration 1000 --transient 50
    dynlab models
    dynlab cache
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dynlab.errors import DefinitionError, DynlabError, SettingError

__all__ = ["main"]

#: States and eigenvalues of a network beyond these are left to the files.
_MOST_COLUMNS = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except DynlabError as error:
        print(f"dynlab: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dynlab: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dynlab", description="Dynamical systems: a model in, its bifurcation diagram out."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    diagram = commands.add_parser(
        "diagram", help="follow all equilibria of a model over a parameter range",
        description="Follow all equilibria of a model over a parameter range; write figure, data "
        "and a table of special points.",
    )  # fmt: skip
    diagram.add_argument(
        "model", help="a name from 'dynlab models', a model file (.toml, .ode, .xml), or "
        "file.py:name",
    )  # fmt: skip
    diagram.add_argument("--vary", required=True, metavar="NAME", help="the parameter to vary")
    diagram.add_argument(
        "--over", required=True, nargs=2, type=float, metavar=("LOW", "HIGH"), help="its range"
    )
    diagram.add_argument("--show", metavar="NAME", help="state or observable to draw")
    diagram.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="set a parameter"
    )
    diagram.add_argument(
        "--within", action="append", default=[], nargs=3, metavar=("NAME", "LOW", "HIGH"),
        help="keep a state in a range",
    )  # fmt: skip
    diagram.add_argument(
        "--output", type=Path, default=Path("dynlab-results"), metavar="FOLDER",
        help="where to write (default: %(default)s)",
    )  # fmt: skip
    diagram.set_defaults(run=_diagram)
    spectrum = commands.add_parser(
        "spectrum", help="Lyapunov exponents of a model",
        description="Follow an orbit with its deviations; print the exponents, write figure and data.",
    )  # fmt: skip
    spectrum.add_argument("model", help="as for 'dynlab diagram'")
    spectrum.add_argument(
        "--duration", required=True, type=float, metavar="TIME", help="over how long to average"
    )
    spectrum.add_argument(
        "--transient", default=0.0, type=float, metavar="TIME", help="how long to run before"
    )
    spectrum.add_argument("--count", type=int, metavar="K", help="only the largest K exponents")
    spectrum.add_argument("--seed", type=int, metavar="NUMBER", help="of the first deviations")
    spectrum.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="set a parameter"
    )
    spectrum.add_argument(
        "--output", type=Path, default=Path("dynlab-results"), metavar="FOLDER",
        help="where to write (default: %(default)s)",
    )  # fmt: skip
    spectrum.set_defaults(run=_spectrum)
    models = commands.add_parser("models", help="list the models of the zoo")
    models.set_defaults(run=_models)
    cache = commands.add_parser("cache", help="show, or clear, the directory of compiled code")
    cache.add_argument("--clear", action="store_true", help="remove it; it is made again on use")
    cache.set_defaults(run=_cache)
    return parser


def _diagram(chosen: argparse.Namespace) -> int:
    import dynlab as dl

    system = _model(chosen.model)(**_settings(chosen.set))
    within = {name: (_number(a, name), _number(b, name)) for name, a, b in chosen.within}
    with dl.progress_bar():
        diagram = dl.bifurcation_diagram(
            system, vary=chosen.vary, over=tuple(chosen.over), within=within or None
        )
    stem = re.sub(r"\W+", "_", f"{system.name}_{chosen.vary}")
    written = _write(diagram, chosen.output, stem, chosen.show)
    print(diagram)
    print()
    print(_table(diagram.points()))
    for point in diagram.unconfirmed:
        print(f"  unconfirmed: {point}")
    print()
    for k, branch in enumerate(diagram):
        ends = "; ".join(str(end) for end in branch.ends)
        print(f"branch {k}: {len(branch)} points. Ends: {ends}")
    print()
    for path in written:
        print(f"wrote {path}")
    return 0


def _spectrum(chosen: argparse.Namespace) -> int:
    os.environ.setdefault("MPLBACKEND", "Agg")  # files only: no window is needed
    import dynlab as dl
    from dynlab.plotting import close_figure, save_figure

    system = _model(chosen.model)(**_settings(chosen.set))
    with dl.progress_bar():
        found = dl.lyapunov_spectrum(
            system, count=chosen.count, duration=chosen.duration, transient=chosen.transient,
            seed=chosen.seed,
        )  # fmt: skip
    print(found)
    print()
    for number, (value, error) in enumerate(
        zip(found.exponents, found.standard_errors, strict=True), start=1
    ):
        print(f"  {number}  {value:+.6g} +- {error:.2g}")
    print()
    chosen.output.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"\W+", "_", f"{system.name}_spectrum")
    axes = found.plot()
    paths = [save_figure(axes, chosen.output / f"{stem}.{kind}") for kind in ("png", "svg")]
    close_figure(axes)
    for path in [*paths, found.save(chosen.output / f"{stem}.npz")]:
        print(f"wrote {path}")
    return 0


def _write(diagram: Any, folder: Path, stem: str, show: str | None) -> list[Path]:
    """Write the figure twice, the data for programs and for people, and the table of points."""
    os.environ.setdefault("MPLBACKEND", "Agg")  # files only: no window is needed
    from dynlab.plotting import close_figure, save_figure

    folder.mkdir(parents=True, exist_ok=True)
    axes = diagram.plot(show=show)
    paths = [folder / f"{stem}.{kind}" for kind in ("png", "svg")]
    for path in paths:
        save_figure(axes, path)
    close_figure(axes)
    paths.append(diagram.save(folder / f"{stem}.npz"))
    for name, table in (("branches", diagram.to_table()), ("points", diagram.point_table())):
        path = folder / f"{stem}_{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(table)
            writer.writerows(zip(*(column.tolist() for column in table.values()), strict=True))
        paths.append(path)
    return paths


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


def _model(text: str) -> Any:
    """Return a zoo model, one from a model file, or the system of that name in a Python file."""
    from dynlab import zoo
    from dynlab.symbolic.system import System
    from dynlab.text.files import ENDINGS, read_model

    if text.lower().endswith(ENDINGS):
        return read_model(text)
    if ":" not in text:
        if text.endswith(".py"):
            raise SettingError(f"{text!r} names no system in the file; write {text}:name.")
        return zoo.get(text)
    file, _, name = text.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise SettingError(
            f"there is no file {file!r}. Give the path of a Python file: file.py:name."
        )
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SettingError(f"{file!r} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, name, None)
    if not isinstance(found, System):
        systems = [k for k, v in vars(module).items() if isinstance(v, System)]
        raise DefinitionError(
            f"{file!r} defines no system {name!r}. It defines: {', '.join(systems) or 'none'}."
        )
    return found


def _settings(texts: Sequence[str]) -> dict[str, float]:
    values = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            raise SettingError(f"--set {text!r} is not of the form NAME=VALUE.")
        values[name.strip()] = _number(value, name)
    return values


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(f"{name!r} is set to {text!r}, which is not a number.") from None


def _models(_: argparse.Namespace) -> int:
    from dynlab import zoo

    print(zoo.catalogue())
    return 0


def _cache(chosen: argparse.Namespace) -> int:
    from dynlab.kernels import caching

    place = caching.root()
    files = [p for folder in caching.folders() for p in folder.rglob("*") if p.is_file()]
    size = np.sum([p.stat().st_size for p in files]) / 1e6
    if chosen.clear:
        for folder in caching.folders():
            shutil.rmtree(folder)
            print(f"removed {folder}")
        return 0
    print(f"{place}: {len(files)} files, {size:.1f} MB (this version: {caching.key()})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
