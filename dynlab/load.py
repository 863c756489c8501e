"""load: reading back whatever dynlab saved; the one place that knows every result."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from dynlab import store
from dynlab.errors import StoreError

__all__ = ["load"]


def load(path: str | os.PathLike[str]) -> Any:
    """Read a result or system that was written with ``.save(path)``.

    Parameters
    ----------
    path
        The ``.npz`` file.

    Returns
    -------
    Result
        An object equal to the one that was saved.

    Raises
    ------
    StoreError
        If the file is absent, damaged, from a newer version, or no dynlab file.  Nothing in a file
        can make code run.

    Examples
    --------
    >>> import dynlab as dl, tempfile, pathlib
    >>> found = dl.find_equilibria(dl.zoo.lorenz)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     again = dl.load(found.save(pathlib.Path(folder) / "lorenz.npz"))
    >>> len(again) == len(found)
    True
    """
    found = store.read(path, _known())
    if found is None or isinstance(found, bool | int | float | str | tuple | dict):
        raise StoreError(f"{str(path)!r} holds no result of dynlab.")
    return found


def _known() -> dict[str, Callable[..., Any]]:
    from dynlab.attractors.attractor import Attractor
    from dynlab.attractors.basins import Basins
    from dynlab.attractors.edge import EdgeState
    from dynlab.attractors.entropy import BasinEntropy
    from dynlab.attractors.find import Attractors
    from dynlab.attractors.fractions import BasinFractions
    from dynlab.attractors.recurrences import Recurrences
    from dynlab.attractors.resilience import FatalShock
    from dynlab.attractors.tracking import AttractorContinuation
    from dynlab.attractors.uncertainty import UncertaintyExponent
    from dynlab.chaos.deviations import Growth
    from dynlab.chaos.exponents import LyapunovExponent
    from dynlab.chaos.spectrum import LyapunovSpectrum
    from dynlab.continuation.branch import Branch
    from dynlab.continuation.connections.branch import HomoclinicBranch
    from dynlab.continuation.cycles.branch import CycleBranch
    from dynlab.continuation.cycles.curve import CycleBifurcationCurve
    from dynlab.continuation.diagram import Diagram
    from dynlab.continuation.followed import End
    from dynlab.continuation.methods import NaturalParameter, PseudoArclength
    from dynlab.continuation.plane.codimension_two import (
        Bautin,
        BogdanovTakens,
        Cusp,
        DoubleHopf,
        FoldHopf,
        Suspect,
    )
    from dynlab.continuation.plane.curve import BifurcationCurve
    from dynlab.continuation.plane.resonances import (
        Chenciner,
        FoldFlip,
        GeneralizedFlip,
        StrongResonance,
    )
    from dynlab.continuation.points import (
        BranchPoint,
        Fold,
        Hopf,
        PeriodDoubling,
        Torus,
        Unconfirmed,
        UserPoint,
    )
    from dynlab.cycles.collocation import Collocation
    from dynlab.cycles.cycle import Cycle
    from dynlab.cycles.isochrons import Isochrons
    from dynlab.cycles.phase import PhaseResponse
    from dynlab.cycles.pulses import PulseResponse
    from dynlab.equilibria.cobweb import Cobweb
    from dynlab.equilibria.find import Equilibria
    from dynlab.equilibria.manifolds import Manifolds
    from dynlab.equilibria.orbits import PeriodicOrbit, PeriodicOrbits
    from dynlab.equilibria.portrait import PhasePortrait
    from dynlab.equilibria.stability import Equilibrium
    from dynlab.result import Provenance
    from dynlab.solve.clocked import Clocked
    from dynlab.solve.gauss import Gauss6, Gauss8
    from dynlab.solve.keep import Extremes, Histogram, Moments, States
    from dynlab.solve.methods import Automatic, Explicit8, Radau5
    from dynlab.solve.outcomes import Ensemble
    from dynlab.solve.section import Section
    from dynlab.solve.spikes import SpikeTrain
    from dynlab.solve.symplectic import BlanesMoan4, BlanesMoan6, KahanLi8, Verlet, Yoshida4
    from dynlab.solve.taylor import Taylor
    from dynlab.solve.trajectory import NodeEvents, Occurrences, Steps, Trajectory
    from dynlab.symbolic.system import System

    def diagram(branches: tuple[Branch | CycleBranch, ...], provenance: Provenance) -> Diagram:
        return Diagram(*branches, provenance=provenance)

    classes = (
        Attractor, Attractors, BasinFractions, Basins, Recurrences,
        Growth, LyapunovExponent, LyapunovSpectrum,
        Attractor, AttractorContinuation, Attractors, BasinEntropy, BasinFractions, Basins, EdgeState,
        FatalShock, Recurrences, UncertaintyExponent,
        Isochrons, PhaseResponse, PulseResponse,
        Bautin, BifurcationCurve, BogdanovTakens, Chenciner, Cusp, DoubleHopf, FoldFlip, FoldHopf,
        GeneralizedFlip, StrongResonance, Suspect,
        Clocked, NodeEvents, Automatic, BlanesMoan4, BlanesMoan6, Branch, BranchPoint, Cobweb, Collocation, Cycle, CycleBifurcationCurve, CycleBranch, End, Ensemble,
        Equilibria, Equilibrium, Explicit8, Extremes, Fold, Gauss6, Gauss8, Histogram, HomoclinicBranch, Hopf, KahanLi8,
        Manifolds, Moments, NaturalParameter, Occurrences, PeriodDoubling, PeriodicOrbit,
        PeriodicOrbits, PhasePortrait, Provenance, PseudoArclength, Radau5, Section, SpikeTrain,
        States, Steps, System, Taylor, Torus, Trajectory, Unconfirmed, UserPoint, Verlet, Yoshida4,
    )  # fmt: skip
    return {
        made.__name__: made for made in (*classes, *_of_chaos(), *_of_hopfield(), *_of_capacity())
    } | {"Diagram": diagram}


def _of_chaos() -> tuple[type, ...]:
    from dynlab.chaos.alignment import AlignmentIndices
    from dynlab.chaos.attractor_chart import AttractorChart
    from dynlab.chaos.covariant import CovariantVectors
    from dynlab.chaos.deviations import Growth
    from dynlab.chaos.dimension import Dimension
    from dynlab.chaos.embedding import DelayEmbedding, EmbeddingDimension, MutualInformation
    from dynlab.chaos.expansion import ExpansionEntropy
    from dynlab.chaos.exponent_chart import ExponentChart
    from dynlab.chaos.exponents import LyapunovExponent
    from dynlab.chaos.finite_time import FiniteTimeExponents
    from dynlab.chaos.from_data import DivergenceExponent, Kantz, Rosenstein
    from dynlab.chaos.ftle_field import FtleField
    from dynlab.chaos.mean_field import MeanFieldExponent
    from dynlab.chaos.orbit_diagram import OrbitDiagram
    from dynlab.chaos.period_chart import PeriodChart
    from dynlab.chaos.period_search import PeriodSearch
    from dynlab.chaos.recurrence import RecurrenceQuantification
    from dynlab.chaos.return_map import ReturnMap
    from dynlab.chaos.scaling import Estimate, Scaling
    from dynlab.chaos.spectrum import LyapunovSpectrum
    from dynlab.chaos.surrogates import (
        AmplitudeAdjusted,
        IteratedAmplitudeAdjusted,
        PhaseRandomised,
        SurrogateTest,
    )
    from dynlab.chaos.zero_one import ZeroOneTest

    return (
        AlignmentIndices, AttractorChart, CovariantVectors, ExponentChart, FiniteTimeExponents, FtleField, PeriodChart, PeriodSearch, ExpansionEntropy, Growth, LyapunovExponent, LyapunovSpectrum,
        AmplitudeAdjusted, DelayEmbedding, Dimension, DivergenceExponent, EmbeddingDimension, Estimate,
        IteratedAmplitudeAdjusted, Kantz, MeanFieldExponent, MutualInformation, PhaseRandomised, RecurrenceQuantification, Rosenstein, Scaling,
        OrbitDiagram, ReturnMap, SurrogateTest, ZeroOneTest,
    )  # fmt: skip


def _of_capacity() -> tuple[type, ...]:
    from dynlab.hopfield.phases import PhaseDiagram
    from dynlab.hopfield.theory import CriticalLoad, MeanFieldOverlap

    return CriticalLoad, MeanFieldOverlap, PhaseDiagram


def _of_hopfield() -> tuple[type, ...]:
    from dynlab.hopfield.energies import EnergyAlong
    from dynlab.hopfield.learning import Covariance, Given, Hebb, PseudoInverse, Storkey
    from dynlab.hopfield.network import Network
    from dynlab.hopfield.patterns import Patterns
    from dynlab.hopfield.recall import Asynchronous, Glauber, Recall, Synchronous

    return (
        Asynchronous, Covariance, EnergyAlong, Given, Glauber, Hebb, Network, Patterns, PseudoInverse, Recall,
        Storkey, Synchronous,
    )  # fmt: skip
