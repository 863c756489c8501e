"""What a study leaves behind: figure, data, table, and a page that tells others how to repeat it."""

from __future__ import annotations

import csv
import html
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from dynlab.errors import DynlabError, SettingError, StoreError
from dynlab.plotting import close_figure, save_figure
from dynlab.result import Provenance, Result
from dynlab.status import Status
from dynlab.store import digest, write
from dynlab.study.study import Outputs, Study
from dynlab.sweep.identity import design_hash
from dynlab.symbolic import display
from dynlab.symbolic.system import System
from dynlab.text.latex import to_latex

__all__ = ["checkpoint_of", "publish", "write_study", "write_table"]

_Page = tuple[str, Study | None]


def publish(
    result: Result, *, folder: str | os.PathLike[str], name: str, title: str = ""
) -> tuple[Path, ...]:
    """Write a result as figures (PNG, SVG), table (CSV), data (.npz) and a page (.md, .html) that tells where it came from.

    Parameters
    ----------
    result
        Any result.
    folder
        Where to write; made if it is not there.
    name
        Name of the files, without ending.
    title
        Heading of the page; the name if left out.

    Returns
    -------
    tuple of Path
        The files.

    Raises
    ------
    SettingError
        If the name leads to another folder.
    StoreError
        If a file cannot be written.

    Examples
    --------
    >>> import dynlab as dl, tempfile
    >>> found = dl.find_equilibria(dl.zoo.lorenz)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.suffix for path in dl.publish(found, folder=folder, name="lorenz")]
    ['.npz', '.csv', '.png', '.svg', '.md', '.html']
    """
    if name in ("", ".", "..") or Path(name).name != name:
        raise SettingError(
            f"the name of the files is {name!r}; give a plain name, and the folder as folder=."
        )
    stem = Path(folder) / name
    save = partial(_save, stem.with_name(f"{name}.npz"), result)
    return tuple(_written(result, stem, Outputs(), save, (title or name, None)))


def _save(path: Path, result: Result) -> list[Path]:
    return [write(path, result)]


def write_study(study: Study, result: Result, folder: Path) -> Iterator[Path]:
    """Write what a study asks for and yield each file when it is there; the data of a sweep are in its checkpoint."""

    def save() -> list[Path]:
        if study.sweep is None:
            return [write(folder / f"{study.name}.npz", result)]
        path = checkpoint_of(study, folder)
        return [path] if path.exists() else []

    yield from _written(result, folder / study.name, study.outputs, save, (study.title, study))


def checkpoint_of(study: Study, folder: Path) -> Path:
    """Return the file of a sweep's data; each study has its own, so that none goes on with another's."""
    over = (design_hash(study.sweep.points().axes), study.sweep.seed) if study.sweep else ()
    known = (study.system, study.function, dict(study.settings), *over)
    return folder / f"{study.name}_{digest(known)[:8]}.npz"


def _written(
    result: Result, stem: Path, outputs: Outputs, save: Callable[[], list[Path]], page: _Page
) -> Iterator[Path]:
    """Write the data first: they took the time."""
    folder, name = stem.parent, stem.name
    files: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in save() if outputs.data else []:
            files.append(path)
            yield path
        if outputs.table:
            files.append(write_table(result.to_table(), folder / f"{name}.csv"))
            yield files[-1]
        for path in _figures(result, folder, name, outputs.figure):
            files.append(path)
            yield path
        if outputs.report:
            yield from _pages(result, stem, page, files)
    except OSError as error:
        raise StoreError(
            f"cannot write to {str(folder)!r}: {error}. Choose another folder."
        ) from error


def _figures(result: Result, folder: Path, name: str, kinds: tuple[str, ...]) -> Iterator[Path]:
    if not kinds:
        return
    try:
        axes = result.plot()
    except DynlabError:
        if getattr(result, "status", Status.OK).ok:
            raise
        return  # it ended before there was anything to draw
    try:
        for kind in kinds:
            yield save_figure(axes, folder / f"{name}.{kind}")
    finally:
        close_figure(axes)


def write_table(table: Mapping[str, Any], path: Path) -> Path:
    """Write named columns of equal length as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        columns = (np.asarray(column).tolist() for column in table.values())
        writer.writerows(zip(*columns, strict=True))
    return path


# The page


def _pages(result: Result, stem: Path, page: _Page, files: list[Path]) -> list[Path]:
    title, study = page
    text = study.text if study else ""
    source: Provenance | None = getattr(result, "provenance", None)
    system = source.system if source and isinstance(source.system, System) else None
    system = study.system if system is None and study else system
    figure = next((f.name for f in files if f.suffix == ".png"), None)
    tables = {"Where it came from": _origin(result, source, system)}
    if system is not None:
        tables["Parameters"] = {p.called: _value(p.value, p.unit) for p in system.parameters}
    if study is not None and study.sweep is not None:
        tables["At every point"] = {"function": f"dl.{study.function}"} | {
            k: _value(v) for k, v in study.settings.items()
        }
        tables["Over"] = {
            ", ".join(laid.names)
            or laid.kind: f"{laid.count} points, {laid.kind.replace('_', ' ')}"
            for laid in study.sweep.designs
        } | {
            name: f"{len(v)} values from {v[0]:.10g} to {v[-1]:.10g}"
            for name, v in study.sweep.over.items()
        }
    if source is not None:
        tables["Settings"] = {k: _value(v) for k, v in source.settings.items()}
        tables["Versions"] = dict(source.versions)
    tables["Files"] = {f.name: _CONTENT[f.suffix] for f in files}
    paths = [stem.with_name(stem.name + ending) for ending in (".md", ".html")]
    found = repr(result)
    paths[0].write_text(_markdown(title, figure, found, (system, tables, text)), encoding="utf-8")
    paths[1].write_text(_html(title, figure, found, (system, tables, text)), encoding="utf-8")
    return paths


_CONTENT = {
    ".png": "the figure", ".svg": "the figure, for print", ".pdf": "the figure, for print",
    ".npz": "the result: dl.load(path)", ".csv": "its table",
}  # fmt: skip


def _origin(result: Result, source: Provenance | None, system: System | None) -> dict[str, str]:
    status = getattr(result, "status", None)
    rows = {"status": f"{status}: {status.meaning}"} if status is not None else {}
    if system is not None:
        rows |= {"model": system.name, "reference": " ".join(system.reference.split())}
    if source is None:
        return rows
    rows |= {"function": f"dl.{source.function}"}
    if source.seed is not None:
        rows |= {"seed": str(source.seed)}
    return rows | {"computed in": f"{source.seconds:.3g} s"}


def _value(value: Any, unit: str = "") -> str:
    if isinstance(value, float):
        return f"{value:.10g} {unit}".strip()
    text = " ".join(repr(value).split()) if not isinstance(value, str) else value
    return (text if len(text) <= 200 else text[:197] + "...") + (f" {unit}" if unit else "")


_Rest = tuple[System | None, dict[str, dict[str, str]], str]

_REPEAT = "Keep this as a file such as study.toml and run `dynlab run study.toml`."


def _markdown(title: str, figure: str | None, found: str, rest: _Rest) -> str:
    system, tables, text = rest
    parts = [f"# {_plain(title)}"]
    parts += [f"![{_plain(title)}]({figure})"] if figure else []
    parts += [_fenced(found)]
    parts += [f"## Equations\n\n$$\n{to_latex(system)}\n$$"] if system is not None else []
    for name, rows in tables.items():
        if rows:
            cells = "\n".join(f"| {_plain(k)} | {_plain(v)} |" for k, v in rows.items())
            parts.append(f"## {name}\n\n| | |\n|---|---|\n{cells}")
    parts += [f"## Repeat it\n\n{_REPEAT}\n\n{_fenced(text.strip(), 'toml')}"] if text else []
    return "\n\n".join(parts) + "\n"


def _plain(text: str) -> str:
    """Return a text that Markdown and the HTML in it leave alone."""
    kept = " ".join(text.split())
    for mark in "\\`*_[]|$#":
        kept = kept.replace(mark, f"\\{mark}")
    return html.escape(kept, quote=False)


def _fenced(text: str, language: str = "text") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "img{max-width:100%}pre{background:#f6f6f4;padding:.8rem;overflow-x:auto}"
    "table{border-collapse:collapse}td{padding:.15rem 1rem .15rem 0;vertical-align:top}"
    "td:first-child{color:#666;white-space:nowrap}h2{font-size:1.1rem;margin-top:2rem}"
)


def _html(title: str, figure: str | None, found: str, rest: _Rest) -> str:
    system, tables, text = rest
    safe = html.escape
    parts = [f"<h1>{safe(title)}</h1>"]
    parts += [f'<p><img src="{safe(figure)}" alt="{safe(title)}"></p>'] if figure else []
    parts += [f"<pre>{safe(found)}</pre>"]
    if system is not None:
        rows = zip(system.declared, system.rule, strict=True)
        equations = (
            "\n".join(display.stochastic_lines(system))
            if system.noise
            else "\n".join(f"{n}' = {e}" for n, e in rows)
        )
        parts.append(f"<h2>Equations</h2><pre>{safe(equations)}</pre>")
    for name, table in tables.items():
        if table:
            cells = "".join(
                f"<tr><td>{safe(k)}</td><td>{safe(v)}</td></tr>" for k, v in table.items()
            )
            parts.append(f"<h2>{safe(name)}</h2><table>{cells}</table>")
    if text:
        parts.append(f"<h2>Repeat it</h2><p>{safe(_REPEAT)}</p><pre>{safe(text.strip())}</pre>")
    body = "\n".join(parts)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title>'
        f"<style>{_STYLE}</style></head><body>\n{body}\n</body></html>\n"
    )
