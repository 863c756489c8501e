"""A batch of tasks where it is computed, and what comes of it."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import cloudpickle

from dynlab.cores import threads
from dynlab.progress import tick

__all__ = ["Batch", "Outcome", "Reason", "compute", "reason_of", "travelling"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Points to compute one after the other.

    Attributes
    ----------
    names
        The names of the parameters.
    rows
        Their values at each point.
    """

    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a task has no answer: class and message of the exception, and where it was raised."""

    exception: str
    message: str
    where: str


@dataclass(slots=True)
class Outcome:
    """What came of a batch: an answer or a `Reason` for each point, and the seconds of all."""

    answers: list[Any] = field(default_factory=list)
    seconds: float = 0.0


def compute(function: Callable[..., Any], batch: Batch, cores: int | None) -> Outcome:
    """Call the function at each point; what it raises is an answer, too.

    Parameters
    ----------
    cores
        How many threads a task may use; all if None.

    Returns
    -------
    Outcome
        With fewer answers than points if asked to stop before the end (`dynlab.progress.tick`).
    """
    outcome, began = Outcome(), perf_counter()
    with threads(cores) if cores else contextlib.nullcontext():
        for row in batch.rows:
            answer = _answer(function, dict(zip(batch.names, row, strict=True)))
            if not tick(0.0, 1.0):
                break  # the answer may be what there was when it was asked to stop
            outcome.answers.append(answer)
    outcome.seconds = perf_counter() - began
    return outcome


def _answer(function: Callable[..., Any], point: Mapping[str, Any]) -> Any:
    try:
        return function(**point)
    except (Exception, SystemExit) as error:  # whatever it raises concerns this point alone
        return reason_of(error)


def reason_of(error: BaseException) -> Reason:
    """Return class, message and place of an exception, in words."""
    try:
        message = str(error)
    except Exception as own:  # the exception of a user may be broken itself
        message = f"(its message cannot be had: {type(own).__name__})"
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{last.filename}, line {last.lineno}, in {last.name}" if last else ""
    return Reason(type(error).__name__, message, where)


def travelling(outcome: Outcome) -> bytes:
    """Return what came of a batch as bytes; an answer that cannot travel becomes a `Reason`."""
    try:
        content: bytes = cloudpickle.dumps(outcome)
    except Exception:  # one of the answers cannot travel: each by itself
        outcome.answers = [_travelling(answer) for answer in outcome.answers]
        content = cloudpickle.dumps(outcome)
    return content


def _travelling(answer: Any) -> Any:
    try:
        cloudpickle.dumps(answer)
    except Exception as error:  # pickling raises what it likes
        return Reason(
            type(error).__name__,
            f"the answer, a {type(answer).__name__}, cannot travel between processes ({error}). "
            "Return numbers, arrays or results.",
            "",
        )
    return answer
