"""``dynlab spectrum``: the Lyapunov exponents of a model."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynlab.cli.answer import Answer
from dynlab.cli.interrupt import interruptible, telling
from dynlab.cli.model import add_model, add_output, chosen_model, stem_of
from dynlab.errors import SettingError
from dynlab.symbolic.system import System

if TYPE_CHECKING:
    from dynlab.chaos.exponents.spectrum import LyapunovSpectrum

__all__ = ["add", "run"]

#: Unless a duration is given: units of time, or steps of a map.
_DURATION, _STEPS = 1000.0, 100_000.0

_EPILOG = """\
examples:
  dynlab spectrum lorenz
  dynlab spectrum lorenz --set rho=30 --duration 5000 --transient 100 --seed 1
  dynlab spectrum my_model.toml --count 2 --json
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "spectrum", help="Lyapunov exponents of a model", epilog=_EPILOG,
        description="Follow an orbit with its deviations. Print the Lyapunov exponents with their "
        "standard errors and what they say of the orbit; write figure, data and table.",
    )  # fmt: skip
    add_model(made)
    made.add_argument(
        "--duration", type=float, metavar="TIME",
        help=f"over how long to average (default: {_DURATION:g} units of time, {_STEPS:g} steps of a map)",
    )  # fmt: skip
    made.add_argument(
        "--transient", type=float, metavar="TIME", help="how long to run before (default: a tenth)"
    )
    made.add_argument("--count", type=int, metavar="K", help="only the largest K exponents")
    made.add_argument("--seed", type=int, metavar="NUMBER", help="of the first deviations")
    add_output(made)
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Compute the exponents and write them."""
    import dynlab as dl

    system = chosen_model(chosen)
    duration = _default(system) if chosen.duration is None else chosen.duration
    transient = float(duration // 10) if chosen.transient is None else chosen.transient
    with interruptible(), dl.progress_bar():
        found = dl.lyapunov_spectrum(
            system, count=chosen.count, duration=duration, transient=transient, seed=chosen.seed
        )
    files: list[Path] = []
    with telling(lambda: files):
        files.extend(_write(found, chosen.output, stem_of(system.name, "spectrum")))
    return Answer(_text(found, files), _document(found), found.status, tuple(files))


def _write(found: LyapunovSpectrum, folder: Path, stem: str) -> Iterator[Path]:
    from dynlab.plotting import close_figure, save_figure
    from dynlab.study.page import write_table

    folder.mkdir(parents=True, exist_ok=True)
    yield found.save(folder / f"{stem}.npz")
    yield write_table(found.to_table(), folder / f"{stem}.csv")
    if found.growth.times.size:
        axes = found.plot()
        for kind in ("png", "svg"):
            yield save_figure(axes, folder / f"{stem}.{kind}")
        close_figure(axes)


def _default(system: System) -> float:
    return _STEPS if system.is_discrete else _DURATION


def _text(found: LyapunovSpectrum, files: list[Any]) -> str:
    pairs = zip(found.exponents, found.standard_errors, strict=True)
    rows = [
        f"  {number}  {v:+.6g} +- {error:.2g}" for number, (v, error) in enumerate(pairs, start=1)
    ]
    return "\n".join([repr(found), "", *rows, "", *(f"wrote {path}" for path in files)])


def _document(found: LyapunovSpectrum) -> dict[str, Any]:
    return {
        "model": found.system.name,
        "exponents": found.exponents,
        "standard_errors": found.standard_errors,
        "verdict": found.verdict,
        "verdict_error": found.verdict_error,
        "sum": found.sum,
        "mean_divergence": found.mean_divergence,
        "kaplan_yorke_dimension": _dimension(found),
        "unit": f"1/{found.system.unit_of('t')}" if found.system.unit_of("t") else "",
        "settings": found.provenance.settings,
        "seed": found.provenance.seed,
        "versions": found.provenance.versions,
    }


def _dimension(found: LyapunovSpectrum) -> float | None:
    try:
        return found.kaplan_yorke_dimension
    except SettingError:
        return None  # more exponents than were asked for are needed
