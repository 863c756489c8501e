"""The run of a study: tasks go out in batches, answers come in, in any order; nothing is lost on the way.

A batch is so large that it takes about a tenth of a second, and few are on their way at a time, so that neither their
number nor the memory grows with that of the tasks.  A batch that is lost, because its worker died, goes out again task
by task; a task that is lost alone three times is a `Failure`.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dynlab import store
from dynlab.errors import CheckpointError, ComputationError, SettingError, UnknownNameError
from dynlab.progress import observe_in_turn, tick
from dynlab.result import Provenance
from dynlab.seeds import Seed, seed_of
from dynlab.status import Status
from dynlab.sweep.axis import REPLICATE, token
from dynlab.sweep.executors import Pool, opened
from dynlab.sweep.gather import MISSING, Gathered, is_nothing, plain, thickened, thinned
from dynlab.sweep.identity import (
    Model,
    design_hash,
    function_hash,
    function_name,
    object_token,
    systems_of,
    told_systems,
)  # fmt: skip
from dynlab.sweep.journal import Identity, Journal, journal_of, known_classes, open_journal, seed_in
from dynlab.sweep.parcels import Packing
from dynlab.sweep.refine import AtBoundaries, Lattice, finer
from dynlab.sweep.result import Failure, SweepResult
from dynlab.sweep.task import Batch, Outcome, Reason, reason_of
from dynlab.sweep.workers import CannotStart

if TYPE_CHECKING:
    from dynlab.sweep.study import Sweep

__all__ = ["run"]

#: How often a task that is lost by itself goes out.
ATTEMPTS = 3
#: How often the main thread looks up, in seconds.
LOOK = 0.05
#: So often, in seconds, the pool looks after its workers.
ROUND = 5.0
#: A batch holds at most this many times as many tasks as the one before, and never more than this.
GROWTH, MOST = 4.0, 20_000
#: So many batches are on their way for each worker: one in hand, one that waits.
AHEAD = 2


def run(
    study: Sweep,
    function: Callable[..., Any],
    *,
    executor: Any,
    seed: Any,
    checkpoint: str | os.PathLike[str] | None,
    refine: AtBoundaries | None,
) -> SweepResult:
    """Compute the function at every point; see `Sweep.run`."""
    began = perf_counter()
    asked = _asked(function, study.names)
    path = _checkpoint_path(checkpoint)
    chosen = _seed(seed, path)
    plan: Plan = _all_at_once
    how = ""
    if refine is not None:
        axes, refined = finer(study.axes, refine)
        study = type(study).of_axes(axes)
        plan = _refining(Lattice(study.shape, refined, refine))
        how = f" halved {refine.levels} times by {function_hash(refine.by) if refine.by else 'itself'}"
    systems = systems_of(function, study.axes)
    identity = _identity(study, function, how, chosen, systems)
    finished = _finished(path, identity)
    if finished is not None:
        return finished
    work = Work(study, identity, chosen, wants_seed="seed" in asked and "seed" not in study.names,
                passed=tuple(n for n in study.names if n != REPLICATE or REPLICATE in asked),
                systems=tuple(systems.values()))  # fmt: skip
    with contextlib.ExitStack() as stack:
        if path is not None:
            try:
                work.journal, records = open_journal(journal_of(path), identity)
            except CheckpointError as error:
                error.partial = work.result(executor, perf_counter() - began)
                raise
            stack.callback(work.journal.close)
            for record in records:
                work.restore(record)
        interrupted = stack.enter_context(_interrupts())
        try:
            stack.enter_context(observe_in_turn())
            packing = Packing(function)
            pool = None
            for tasks in plan(work):
                if pool is None:
                    pool = opened(executor, packing, function)
                    stack.callback(pool.close)
                work.status = _loop(work, pool, interrupted, tasks)
                if not work.status.ok:
                    break
        except KeyboardInterrupt:
            work.status = Status.STOPPED
        except (CheckpointError, ComputationError) as error:
            work.status = Status.STOPPED
            error.partial = work.result(executor, perf_counter() - began)
            raise
    result = work.result(executor, perf_counter() - began)
    if path is not None and work.journal is not None and work.status.ok:
        _save(result, path)
        work.journal.remove()
    return result


def _save(result: SweepResult, path: Path) -> None:
    try:
        result.save(path)
    except Exception as error:
        raise CheckpointError(
            f"the result cannot be written to {str(path)!r}: {error} It is in .partial of this error, and the tasks "
            "are kept in the journal beside it.",
            partial=result,
        ) from error


@dataclass(slots=True)
class Work:
    """What is done and what is left of a study.  Not frozen: it is the state of a run."""

    study: Sweep
    identity: Identity
    seed: Seed
    wants_seed: bool
    passed: tuple[str, ...]
    systems: tuple[Model, ...] = ()
    journal: Journal | None = None
    status: Status = Status.OK
    failures: dict[int, Failure] = field(default_factory=dict)
    gathered: Gathered = field(init=False)

    def __post_init__(self) -> None:
        self.gathered = Gathered(len(self.study), _value_name(self.identity.name))

    def missing(self, tasks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of the tasks that are not done."""
        return np.asarray(tasks[self.gathered.states[tasks] == MISSING])

    def batch(self, tasks: list[int]) -> Batch:
        """Return tasks with their points, and seeds if the function asks for them."""
        points = [self.study[task] for task in tasks]
        names = self.passed + (("seed",) if self.wants_seed else ())
        rows = [tuple(point[name] for name in self.passed) for point in points]
        if self.wants_seed:
            rows = [(*row, self.seed_at(point)) for row, point in zip(rows, points, strict=True)]
        return Batch(names, rows)

    def seed_at(self, point: dict[str, Any]) -> int:
        """Return the seed of a point: it depends on the values there, not on where in the study they stand."""
        words = [f"{name}={_token(point[name])}" for name in sorted(point)]
        place = blake2b("\n".join(words).encode(), digest_size=16).digest()
        return self.seed.number(*np.frombuffer(place, "<u4").tolist())

    def take(self, tasks: list[int], outcome: Outcome) -> None:
        """Keep what came of a batch, in memory and on the disk."""
        kept = tasks[: len(outcome.answers)]
        self._keep({task: plain(a) for task, a in zip(kept, outcome.answers, strict=True)})

    def give_up(self, task: int, reason: Reason) -> None:
        """Keep a task as failed."""
        self._keep({task: reason})

    def _keep(self, answers: dict[int, Any]) -> None:
        good: dict[int, Any] = {}
        bad: dict[int, Failure] = {}
        for task, answer in answers.items():
            if not isinstance(answer, Reason) and is_nothing(answer):
                answer = Reason("NotANumber", "the function returned nan", "")
            if isinstance(answer, Reason):
                bad[task] = self._failure(task, answer)
            else:
                good[task] = answer
        self._note(good, bad)
        if self.journal is not None and answers:
            self.journal.append(
                {
                    "tasks": np.array(list(good), np.int64),
                    "answers": thinned(list(good.values())),
                    "failures": tuple(bad.items()),
                }
            )

    def _note(self, good: dict[int, Any], bad: dict[int, Failure]) -> None:
        for task, answer in good.items():
            self.gathered.put(task, answer)
        for task, failure in bad.items():
            self.gathered.fail(task)
            self.failures[task] = failure

    def _failure(self, task: int, reason: Reason) -> Failure:
        point = self.study[task]
        return Failure(
            exception=reason.exception, message=reason.message, where=reason.where, point=point,
            seed=self.seed_at(point) if self.wants_seed else None,
        )  # fmt: skip

    def restore(self, record: dict[str, Any]) -> None:
        """Take in a record of the journal."""
        tasks = record["tasks"].tolist()
        self._note(
            dict(zip(tasks, thickened(record["answers"]), strict=True)), dict(record["failures"])
        )

    def result(self, executor: Any, seconds: float) -> SweepResult:
        """Return what is done so far."""
        settings = {
            "function": self.identity.name, "function_hash": self.identity.function,
            "design_hash": self.identity.design, "systems": self.identity.systems, "seed": self.identity.seed,
            "executor": _words(executor),
        }  # fmt: skip
        system = self.systems[0] if len(self.systems) == 1 else None
        number = int(self.seed.text) if self.seed.text.isdigit() else None
        return SweepResult(
            study=self.study,
            columns=self.gathered.columns,
            masks=self.gathered.masks,
            states=self.gathered.states.copy(),
            failures=tuple(self.failures[task] for task in sorted(self.failures)),
            status=self.status,
            provenance=Provenance("Sweep.run", system, settings, seed=number, seconds=seconds),
        )


#: Yields tasks to be done one set after the other; what comes of one may decide on the next.
Plan = Callable[[Work], Iterable[NDArray[np.int64]]]


def _all_at_once(work: Work) -> Iterator[NDArray[np.int64]]:
    tasks = work.missing(np.arange(len(work.study)))
    if tasks.size:
        yield tasks


def _refining(lattice: Lattice) -> Plan:
    """Return the plan of a grid that is halved at boundaries until no new point disagrees with its box."""

    def plan(work: Work) -> Iterator[NDArray[np.int64]]:
        for level in range(lattice.refine.levels + 1):
            while (tasks := work.missing(lattice.points(level, work.gathered))).size:
                yield tasks
        lattice.fill(work.gathered)

    return plan


def _loop(
    work: Work, pool: Pool, interrupted: Callable[[], bool], tasks_now: NDArray[np.int64]
) -> Status:
    """Hand out batches and take in answers until these tasks are done or it is asked to stop."""
    left, base = tasks_now.size, int(np.count_nonzero(work.gathered.states))
    total, done, told = base + left, base, base
    todo = map(int, tasks_now)
    again: deque[int] = deque()
    lost: dict[int, int] = {}
    pending: dict[Future[Any], list[int]] = {}
    pace, size, handed = 0.0, 1, 0
    looked = perf_counter()
    tick(done, total, work.identity.name)  # before the first task tells of its own progress
    while done < total:
        while (handed < left or again) and len(pending) < AHEAD * pool.workers:
            if again:
                tasks = [again.popleft()]
            else:
                room = max(1, (left - handed) // (AHEAD * pool.workers))
                tasks = list(islice(todo, min(size, room)))
                handed += len(tasks)
            pending[pool.submit(work.batch(tasks))] = tasks
        ended, _ = wait(pending, LOOK, FIRST_COMPLETED)
        if perf_counter() - looked > ROUND:
            looked = perf_counter()
            pool.mend()
        for future in ended:
            tasks = pending.pop(future)
            outcome = _outcome(pool, future)
            if isinstance(outcome, Future):  # it goes out again, with what its worker lacked
                pending[outcome] = tasks
                continue
            if isinstance(outcome, Reason):
                done += _lose(work, tasks, outcome, again, lost)
                continue
            work.take(tasks, outcome)
            done += len(outcome.answers)
            if len(outcome.answers) < len(tasks):
                return Status.STOPPED
            each = outcome.seconds / len(tasks)
            pace = each if not pace else 0.5 * (pace + each)
            size = int(
                min(max(1.0, pool.seconds / max(pace, 1e-9)), GROWTH * max(size, len(tasks)), MOST)
            )
            pool.expect(pace * (total - done))
        # A tick without a note leaves what is shown of the progress inside a task alone.
        goes_on = tick(done, total, work.identity.name) if done != told else tick(0.0, 1.0)
        told = done
        if interrupted() or not goes_on:
            return Status.OK if done == total else Status.STOPPED
    return Status.OK


def _outcome(pool: Pool, future: Future[Any]) -> Outcome | Reason | Future[Any]:
    """Return what came of a batch, or why it is lost; what the function raised is no loss."""
    try:
        return pool.outcome(future)
    except CannotStart:
        raise
    except BrokenExecutor as error:
        raise ComputationError(
            f"the executor is broken ({error}). What was computed is in .partial of this error. dl.Processes() replaces "
            "processes that die."
        ) from error
    except (
        BaseException
    ) as error:  # a worker that died, a connection that closed, a cancelled future
        if isinstance(error, KeyboardInterrupt):
            raise
        return reason_of(error)


def _lose(
    work: Work, tasks: list[int], reason: Reason, again: deque[int], lost: dict[int, int]
) -> int:
    """Send the tasks of a lost batch again, one by one; return how many are given up."""
    if len(tasks) > 1:
        again.extend(tasks)
        return 0
    (task,) = tasks
    lost[task] = lost.get(task, 0) + 1
    if lost[task] < ATTEMPTS:
        again.append(task)
        return 0
    message = f"{reason.message}; so it was {ATTEMPTS} times"
    work.give_up(task, Reason(reason.exception, message, reason.where))
    return 1


@contextlib.contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Note Ctrl-C instead of raising it, so that it never comes in the middle of a record; a second one raises."""
    heard = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield heard.is_set
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):  # ignored, or not Python's
        yield heard.is_set
        return

    def hear(number: int, frame: Any) -> None:
        if heard.is_set():
            before(number, frame)
        heard.set()

    signal.signal(signal.SIGINT, hear)
    try:
        yield heard.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _identity(
    study: Sweep, function: Any, how: str, seed: Seed, systems: dict[str, Model]
) -> Identity:
    """Return which study it is."""
    return Identity(
        design=design_hash(study.axes) + how, function=function_hash(function), name=function_name(function),
        seed=seed.text, tasks=len(study), systems=told_systems(systems, study.names),
    )  # fmt: skip


def _asked(function: Any, names: tuple[str, ...]) -> frozenset[str]:
    """Return the names that a function takes, having checked that it takes those of the study."""
    if not callable(function):
        raise SettingError(f"{function!r} cannot be called. Give a function of {', '.join(names)}.")
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C, without a signature
        return frozenset(names)
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    takes = {p.name: p for p in parameters.values() if p.kind in by_name}
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    given = {*names, "seed"}
    for name in names:
        if name not in takes and name != REPLICATE and not takes_all:
            raise UnknownNameError(
                f"parameter of the function {function_name(function)!r}", name, takes
            )
    for parameter in parameters.values():
        needed = parameter.default is inspect.Parameter.empty and parameter.kind not in (
            inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL,
        )  # fmt: skip
        if needed and (parameter.name not in given or parameter.kind not in by_name):
            raise SettingError(
                f"the function {function_name(function)!r} needs {parameter.name!r}, which no axis gives. Add it to "
                f"the study, or bind it: functools.partial(function, {parameter.name}=...)."
            )
    return frozenset(takes) | (frozenset({REPLICATE}) if takes_all else frozenset())


def _checkpoint_path(checkpoint: str | os.PathLike[str] | None) -> Path | None:
    if checkpoint is None:
        return None
    path = Path(checkpoint)
    if not path.name:
        raise SettingError(f"the checkpoint {str(checkpoint)!r} names no file. Give a path.")
    return path if path.suffix == ".npz" else path.with_name(path.name + ".npz")


def _seed(given: Any, path: Path | None) -> Seed:
    """Return the seed; None means that of the checkpoint, if there is one."""
    if given is None and path is not None:
        kept = seed_in(journal_of(path))
        if kept is None and path.exists():
            kept = store.read(path, known_classes()).provenance.settings.get("seed")
        if kept is not None:
            return Seed(kept)
    return seed_of(given)


def _finished(path: Path | None, identity: Identity) -> SweepResult | None:
    """Return the result in a checkpoint; refuse one of another study."""
    if path is None or not path.exists():
        return None
    found = store.read(path, known_classes())
    settings = found.provenance.settings if isinstance(found, SweepResult) else {}
    mine = {
        "the points": ("design_hash", identity.design), "the function": ("function_hash", identity.function),
        "the system": ("systems", identity.systems), "the seed": ("seed", identity.seed),
    }  # fmt: skip
    other = [word for word, (key, value) in mine.items() if settings.get(key) != value]
    if other:
        raise CheckpointError(
            f"{str(path)!r} holds another study: not the same {', '.join(w.removeprefix('the ') for w in other)}. Choose another "
            "path, or delete the file."
        )
    journal_of(path).unlink(missing_ok=True)
    return found  # type: ignore[no-any-return]


def _value_name(name: str) -> str:
    return name if name.isidentifier() else "value"


def _token(value: Any) -> str:
    return token(value) if isinstance(value, bool | int | float | str) else object_token(value)


def _words(executor: Any) -> str:
    kind = type(executor)
    if executor is None or kind.__module__.startswith("dynlab."):
        return repr(executor)
    return f"{kind.__module__}.{kind.__qualname__}"
