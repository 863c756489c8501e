"""The ``dynlab`` command: every answer on standard output, everything else on standard error.

::

    dynlab models neuron                                    which models there are
    dynlab show lorenz                                      equations, parameters, known facts
    dynlab diagram hodgkin_huxley --vary I --over 0 200     bifurcation diagram
    dynlab spectrum lorenz --duration 1000                  Lyapunov exponents
    dynlab sweep lorenz lyapunov_exponent --over rho 20 30 11 --with duration=100
    dynlab run study.toml                                   a study written as text
    dynlab cache                                            the directory of compiled code

answer     what a command gives back: text for people, a document for programs
interrupt  Ctrl-C is a wish to stop: what has been computed is kept
model      which system a word on the command line means

Each command is a file with ``add`` and ``run``.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dynlab.cli import cache, diagram, models, run, show, spectrum, sweep
from dynlab.cli.answer import BAD_INPUT, INTERRUPTED, NO_ANSWER, Answer, refusal
from dynlab.cli.interrupt import Stopped
from dynlab.errors import ComputationError, DynlabError

__all__ = ["main"]

_COMMANDS = (models, show, diagram, spectrum, sweep, run, cache)

_EPILOG = """\
exit status:
  0    everything asked for was computed
  1    no answer, or one that ended early: what there is was written
  2    the command, a file or a value in it cannot be used
  130  stopped with Ctrl-C: what had been computed was written, or the message says what is there

With --json standard output is one JSON document. In it nan is null, and infinity is "inf" or "-inf".
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    chosen = _parser().parse_args(arguments)
    os.environ.setdefault("MPLBACKEND", "Agg")  # files only: no window is needed
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            answer: Answer = chosen.run(chosen)
        return _given(answer, chosen)
    except BrokenPipeError:
        # The reader of our output has gone, as in `dynlab models | head`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_ANSWER
    except KeyboardInterrupt as error:
        told = error if isinstance(error, Stopped) else Stopped(())
        return _refused(str(told), "Stopped", INTERRUPTED, chosen, told.files)
    except (ComputationError, MemoryError) as error:
        return _refused(str(error), type(error).__name__, NO_ANSWER, chosen)
    except (DynlabError, OSError) as error:
        return _refused(str(error), type(error).__name__, BAD_INPUT, chosen)


def _given(answer: Answer, chosen: argparse.Namespace) -> int:
    print(answer.document(chosen.command) if chosen.json else answer.text)
    sys.stdout.flush()
    if not answer.status.ok:
        advice = f"; {answer.status.advice}" if answer.status.advice else ""
        print(f"dynlab: {answer.status}: {answer.status.meaning}{advice}", file=sys.stderr)
    return answer.code


def _refused(
    message: str, kind: str, code: int, chosen: argparse.Namespace, files: tuple[Path, ...] = ()
) -> int:
    print(f"dynlab: {message}", file=sys.stderr)
    if chosen.json:
        print(refusal(chosen.command, message, kind, files))
    return code


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"dynlab: warning: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dynlab", description="Dynamical systems: a model in, an answer out.",
        epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    from dynlab import __version__

    parser.add_argument("--version", action="version", version=f"dynlab {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for command in _COMMANDS:
        made = command.add(commands)
        made.formatter_class = argparse.RawDescriptionHelpFormatter
        made.add_argument("--json", action="store_true", help="print one JSON document")
        made.set_defaults(run=command.run)
    return parser
