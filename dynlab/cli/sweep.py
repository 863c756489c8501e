"""``dynlab sweep``: one analysis at every combination of parameters."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path
from typing import Any

from dynlab.cli.answer import Answer
from dynlab.cli.model import add_model, add_output, chosen_model, number_of, stem_of
from dynlab.cli.run import answer_of
from dynlab.errors import SettingError

__all__ = ["add", "run"]

_EPILOG = """\
examples:
  dynlab sweep lorenz lyapunov_exponent --over rho 20 30 11 --with duration=100
  dynlab sweep henon lyapunov_spectrum --over a 1 1.4 9 --over b 0.1 0.3 5 --with duration=2000
  dynlab sweep fitzhugh_nagumo find_cycle --over I 0.4 1.3 10 --workers 2 --json

ANALYSIS is the name of a function, and --with gives its settings as in a study (dynlab run). A sweep that was
stopped goes on where it was when the same command is given again.
"""


def add(commands: Any) -> argparse.ArgumentParser:
    """Add the command."""
    made: argparse.ArgumentParser = commands.add_parser(
        "sweep", help="one analysis at every combination of parameters", epilog=_EPILOG,
        description="Repeat an analysis over a grid of parameters, on all cores; write figure, data, table and a "
        "page.",
    )  # fmt: skip
    add_model(made)
    made.add_argument("analysis", help="the function, such as lyapunov_exponent")
    made.add_argument(
        "--over", action="append", nargs=4, required=True, metavar=("NAME", "FROM", "TO", "COUNT"),
        help="a parameter and its values; once for each axis",
    )  # fmt: skip
    made.add_argument(
        "--with", action="append", default=[], metavar="SETTING=VALUE", dest="settings",
        help="a setting of the analysis",
    )  # fmt: skip
    made.add_argument("--seed", type=int, metavar="NUMBER", help="of the whole sweep")
    made.add_argument("--workers", type=int, metavar="N", help="processes (default: as it pays)")
    add_output(made)
    return made


def run(chosen: argparse.Namespace) -> Answer:
    """Make a study of the command and run it."""
    from dynlab.study.read import assembled
    from dynlab.study.values import Place

    system = chosen_model(chosen)
    settings = dict(map(_setting, chosen.settings))
    over = {
        name: {
            "from": number_of(low, name),
            "to": number_of(high, name),
            "count": _count(count, name),
        }
        for name, low, high, count in chosen.over
    }
    data: dict[str, Any] = {
        "analysis": {**settings, "function": chosen.analysis},
        "sweep": {"over": over} | ({} if chosen.seed is None else {"seed": chosen.seed}),
    }
    if chosen.workers is not None:
        data["executor"] = {"kind": "processes", "workers": chosen.workers}
    name = stem_of(system.name, chosen.analysis, *over)
    data["title"] = f"{chosen.analysis} of {system.name}"
    study = assembled(system, data, Place(name, {}), Path(), "")
    return answer_of(study, chosen.output)


def _setting(text: str) -> tuple[str, Any]:
    """Return a setting; what is no value of TOML is a text."""
    name, sign, value = text.partition("=")
    if not sign:
        raise SettingError(f"--with {text!r} is not of the form SETTING=VALUE.")
    try:
        return name.strip(), tomllib.loads(f"x = {value}")["x"]
    except (tomllib.TOMLDecodeError, ValueError):
        return name.strip(), value.strip()


def _count(text: str, name: str) -> int:
    number = number_of(text, name)
    if number != int(number):
        raise SettingError(f"the number of values of {name!r} is {text}; give a whole number.")
    return int(number)
