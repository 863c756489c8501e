"""From a study to its result: one call of a public function, or the same call at every point of a sweep."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from dynlab.errors import SettingError
from dynlab.result import Result
from dynlab.study.analyses import ANALYSES, function_of
from dynlab.study.study import Executor, Study
from dynlab.symbolic.system import System

__all__ = ["run_study"]


def run_study(study: Study, *, checkpoint: Path | None = None) -> Result:
    """Run a study and return its result; nothing is written.

    Parameters
    ----------
    study
        From `read_study`.
    checkpoint
        For a sweep: the file of `dynlab.Sweep.run`, from which a study that was stopped goes on.

    Returns
    -------
    Result
        What the function of the study returns; of a sweep a `dynlab.SweepResult` with the numbers that say in short
        what was found at each point.

    Raises
    ------
    DynlabError
        What the function raises.

    Examples
    --------
    >>> import dynlab as dl, pathlib
    >>> from dynlab.study.read import from_study_text
    >>> text = '''
    ... [model]
    ... zoo = "van_der_pol"
    ... set = { mu = 2 }
    ... [analysis]
    ... function = "find_cycle"
    ... '''
    >>> study = from_study_text(text, name="relaxation.toml", folder=pathlib.Path())
    >>> round(dl.run_study(study).period, 4)
    7.6299
    """
    if study.sweep is None:
        found: Result = function_of(study.function)(study.system, **study.settings)
        return found
    if checkpoint is not None and not isinstance(checkpoint, Path):
        raise SettingError(f"the checkpoint is {checkpoint!r}; give a pathlib.Path.")
    takes_seed = "seed" in ANALYSES[study.function].settings and "seed" not in study.settings
    task = functools.partial(
        summary_with_seed if takes_seed else summary,
        study.system,
        study.function,
        dict(study.settings),
    )
    swept: Result = study.sweep.points().run(
        task, executor=_opened(study.executor), seed=study.sweep.seed, checkpoint=checkpoint
    )
    return swept


def summary(
    system: System,
    function: str,
    settings: dict[str, Any],
    /,
    *,
    replicate: int = 0,
    **point: float,
) -> dict[str, Any]:
    """Return in short what is found at a point of a sweep; a replicate differs by its seed alone."""
    found = function_of(function)(system(**point), **settings)
    return dict(ANALYSES[function].summary(found))


def summary_with_seed(
    system: System, function: str, settings: dict[str, Any], /, *, seed: int, **point: Any
) -> dict[str, Any]:
    """The same, with a seed that depends on the point."""
    return summary(system, function, {**settings, "seed": seed}, **point)


def _opened(executor: Executor) -> Any:
    import dynlab as dl

    if executor.kind == "automatic":
        return None
    if executor.kind == "serial":
        return dl.Serial()
    return (dl.Threads if executor.kind == "threads" else dl.Processes)(executor.workers)
