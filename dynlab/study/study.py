"""Study: a study that was read from a text, and its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynlab.study.designs import Laid
from dynlab.sweep.study import Sweep
from dynlab.symbolic.system import System

__all__ = ["Executor", "Outputs", "Study", "Swept"]


@dataclass(frozen=True, slots=True)
class Swept:
    """Over what an analysis is repeated.

    Attributes
    ----------
    over
        The values of each parameter of a grid.
    seed
        Seed of the whole sweep, or None for a new one.
    designs
        Points of other kinds, combined with the grid.
    """

    over: Mapping[str, tuple[float, ...]]
    seed: int | None = None
    designs: tuple[Laid, ...] = ()

    @property
    def size(self) -> int:
        """How many points there are."""
        counts = (*(design.count for design in self.designs), *map(len, self.over.values()))
        return math.prod(counts)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are varied."""
        return (*(name for design in self.designs for name in design.names), *self.over)

    def points(self) -> Sweep:
        """Return the points."""
        return Sweep(
            *(laid.design for laid in self.designs), **{n: list(v) for n, v in self.over.items()}
        )


@dataclass(frozen=True, slots=True)
class Executor:
    """Where the tasks of a sweep run.

    Attributes
    ----------
    kind
        ``"automatic"``, ``"serial"``, ``"threads"`` or ``"processes"``.
    workers
        How many; one for each core if None.
    """

    kind: str = "automatic"
    workers: int | None = None


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a study leaves behind.

    Attributes
    ----------
    folder
        Where, inside the folder of the study.
    figure
        Formats of the figure: ``"png"``, ``"svg"``, ``"pdf"``.
    data
        Whether the result is saved for `dynlab.load`.
    table
        Whether its table is written as CSV.
    report
        Whether a page with figure, settings and provenance is written.
    """

    folder: str = "results"
    figure: tuple[str, ...] = ("png", "svg")
    data: bool = True
    table: bool = True
    report: bool = True


@dataclass(frozen=True, slots=True)
class Study:
    """A study as text, read: `dynlab.read_study` makes it, `dynlab.run_study` runs it.

    Attributes
    ----------
    name
        The name of its file, without the ending.
    title
        What it is called.
    system
        The model with its settings.
    function
        The name of the public function that is called.
    settings
        Its keyword arguments.
    sweep
        Over what it is repeated; None if it is called once.
    executor
        Where.
    outputs
        What is written.
    text
        The study as it was written.
    """

    name: str
    title: str
    system: System
    function: str
    settings: Mapping[str, Any]
    sweep: Swept | None = None
    executor: Executor = field(default_factory=Executor)
    outputs: Outputs = field(default_factory=Outputs)
    text: str = field(default="", repr=False)

    def __repr__(self) -> str:
        over = (
            f" at {self.sweep.size} points of {', '.join(self.sweep.names)}" if self.sweep else ""
        )
        return f"<study {self.name}: {self.function} of {self.system.name}{over}>"

    @property
    def folder(self) -> Path:
        """Where it writes, seen from the folder of the study."""
        return Path(self.outputs.folder)
