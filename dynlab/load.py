"""load: reading back whatever dynlab saved; the one place that knows every result."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dynlab import store
from dynlab.errors import StoreError

if TYPE_CHECKING:
    from dynlab.continuation.branch import Branch
    from dynlab.continuation.cycles.branch import CycleBranch
    from dynlab.continuation.diagram import Diagram
    from dynlab.result import Provenance

__all__ = ["known_classes", "load"]

#: What a file may hold, and where each class is: one on a line, in order.  Nothing else is ever made.
_CLASSES = (
    "attractors.attractor.Attractor",
    "attractors.basins.Basins",
    "attractors.edge.EdgeState",
    "attractors.entropy.BasinEntropy",
    "attractors.find.Attractors",
    "attractors.fractions.BasinFractions",
    "attractors.recurrences.Recurrences",
    "attractors.resilience.FatalShock",
    "attractors.tracking.AttractorContinuation",
    "attractors.uncertainty.UncertaintyExponent",
    "chaos.charts.attractor_chart.AttractorChart",
    "chaos.charts.exponent_chart.ExponentChart",
    "chaos.charts.ftle_field.FtleField",
    "chaos.charts.orbit_diagram.OrbitDiagram",
    "chaos.charts.period_chart.PeriodChart",
    "chaos.charts.period_search.PeriodSearch",
    "chaos.charts.return_map.ReturnMap",
    "chaos.exponents.covariant.CovariantVectors",
    "chaos.exponents.deviations.Growth",
    "chaos.exponents.exponent.LyapunovExponent",
    "chaos.exponents.finite_time.FiniteTimeExponents",
    "chaos.exponents.mean_field.MeanFieldExponent",
    "chaos.exponents.spectrum.LyapunovSpectrum",
    "chaos.indicators.alignment.AlignmentIndices",
    "chaos.indicators.expansion.ExpansionEntropy",
    "chaos.scaling.Estimate",
    "chaos.scaling.Scaling",
    "chaos.series.dimension.Dimension",
    "chaos.series.embedding.DelayEmbedding",
    "chaos.series.embedding.EmbeddingDimension",
    "chaos.series.embedding.MutualInformation",
    "chaos.series.from_data.DivergenceExponent",
    "chaos.series.from_data.Kantz",
    "chaos.series.from_data.Rosenstein",
    "chaos.series.recurrence.RecurrenceQuantification",
    "chaos.series.surrogates.AmplitudeAdjusted",
    "chaos.series.surrogates.IteratedAmplitudeAdjusted",
    "chaos.series.surrogates.PhaseRandomised",
    "chaos.series.surrogates.SurrogateTest",
    "chaos.series.zero_one.ZeroOneTest",
    "continuation.branch.Branch",
    "continuation.connections.branch.HomoclinicBranch",
    "continuation.cycles.branch.CycleBranch",
    "continuation.cycles.curve.CycleBifurcationCurve",
    "continuation.followed.End",
    "continuation.methods.NaturalParameter",
    "continuation.methods.PseudoArclength",
    "continuation.plane.codimension_two.Bautin",
    "continuation.plane.codimension_two.BogdanovTakens",
    "continuation.plane.codimension_two.Cusp",
    "continuation.plane.codimension_two.DoubleHopf",
    "continuation.plane.codimension_two.FoldHopf",
    "continuation.plane.codimension_two.Suspect",
    "continuation.plane.curve.BifurcationCurve",
    "continuation.plane.resonances.Chenciner",
    "continuation.plane.resonances.FoldFlip",
    "continuation.plane.resonances.GeneralizedFlip",
    "continuation.plane.resonances.StrongResonance",
    "continuation.points.BranchPoint",
    "continuation.points.Fold",
    "continuation.points.Hopf",
    "continuation.points.PeriodDoubling",
    "continuation.points.Torus",
    "continuation.points.Unconfirmed",
    "continuation.points.UserPoint",
    "cycles.collocation.Collocation",
    "cycles.cycle.Cycle",
    "cycles.isochrons.Isochrons",
    "cycles.phase.PhaseResponse",
    "cycles.pulses.PulseResponse",
    "equilibria.characteristic_roots.CharacteristicRoots",
    "equilibria.cobweb.Cobweb",
    "equilibria.find.Equilibria",
    "equilibria.manifolds.Manifolds",
    "equilibria.orbits.PeriodicOrbit",
    "equilibria.orbits.PeriodicOrbits",
    "equilibria.portrait.PhasePortrait",
    "equilibria.stability.Equilibrium",
    "hopfield.basin_sizes.BasinSize",
    "hopfield.capacities.Capacity",
    "hopfield.curves.RecallCurve",
    "hopfield.dense.DenseNetwork",
    "hopfield.dense.Exponential",
    "hopfield.dense.Power",
    "hopfield.dense_errors.WrongBits",
    "hopfield.energies.EnergyAlong",
    "hopfield.learning.Covariance",
    "hopfield.learning.Given",
    "hopfield.learning.Hebb",
    "hopfield.learning.PseudoInverse",
    "hopfield.learning.Storkey",
    "hopfield.network.Network",
    "hopfield.patterns.Patterns",
    "hopfield.phases.PhaseDiagram",
    "hopfield.recall.Asynchronous",
    "hopfield.recall.Glauber",
    "hopfield.recall.Recall",
    "hopfield.recall.Synchronous",
    "hopfield.softmax.SoftmaxMemory",
    "hopfield.softmax.SoftmaxRecall",
    "hopfield.spurious.SpuriousStates",
    "hopfield.theory.CriticalLoad",
    "hopfield.theory.MeanFieldOverlap",
    "hopfield.thermal.ThermalRecall",
    "result.Provenance",
    "solve.clocked.Clocked",
    "solve.gauss.Gauss6",
    "solve.gauss.Gauss8",
    "solve.keep.Extremes",
    "solve.keep.Histogram",
    "solve.keep.Moments",
    "solve.keep.States",
    "solve.methods.Automatic",
    "solve.methods.Explicit8",
    "solve.methods.Radau5",
    "solve.outcomes.Ensemble",
    "solve.section.Section",
    "solve.spikes.SpikeTrain",
    "solve.stochastic_methods.BAOAB",
    "solve.stochastic_methods.EulerMaruyama",
    "solve.stochastic_methods.ExactLinear",
    "solve.stochastic_methods.Milstein",
    "solve.stochastic_methods.PlatenWeak2",
    "solve.stochastic_methods.SRA1",
    "solve.stochastic_methods.SRIW1",
    "solve.stochastic_methods.StochasticHeun",
    "solve.symplectic.BlanesMoan4",
    "solve.symplectic.BlanesMoan6",
    "solve.symplectic.KahanLi8",
    "solve.symplectic.Verlet",
    "solve.symplectic.Yoshida4",
    "solve.taylor.Taylor",
    "solve.trajectory.NodeEvents",
    "solve.trajectory.Occurrences",
    "solve.trajectory.Steps",
    "solve.trajectory.Trajectory",
    "stochastic.bases.basis.Basis",
    "stochastic.bases.density.SpectralDensity",
    "stochastic.bases.evolution.SpectralEvolution",
    "stochastic.densities.current.RingTransport",
    "stochastic.densities.current.StationaryCurrent",
    "stochastic.densities.density.Density",
    "stochastic.densities.escape.Committor",
    "stochastic.densities.escape.EscapeTime",
    "stochastic.densities.evolve.DensityEvolution",
    "stochastic.densities.mean_field.MeanFieldStates",
    "stochastic.densities.resonance.StochasticResonance",
    "stochastic.densities.response.Susceptibility",
    "stochastic.densities.spectra.GeneratorSpectrum",
    "stochastic.densities.which_first.SplittingProbabilities",
    "stochastic.generator.grid.Grid",
    "stochastic.records.averages.TimeMean",
    "stochastic.records.correlations.CorrelationFunction",
    "stochastic.records.passages.FirstPassageTimes",
    "stochastic.records.periodograms.Coherence",
    "stochastic.records.periodograms.PowerSpectrum",
    "stochastic.weak_noise.action.LeastActionPath",
    "stochastic.weak_noise.action.Quasipotential",
    "stochastic.weak_noise.fluctuations.LinearNoise",
    "stochastic.weak_noise.kramers.KramersRate",
    "stochastic.weak_noise.map_noise.LinearMapNoise",
    "stochastic.weak_noise.multiplicative.StochasticStability",
    "stochastic.weak_noise.signs.WarningSigns",
    "stochastic.weak_noise.warning.Approach",
    "stochastic.weak_noise.warning.EarlyWarning",
    "sweep.result.Failure",
    "sweep.result.SweepResult",
    "sweep.study.Sweep",
    "symbolic.system.System",
    "synchrony.chimera.RingChimera",
    "synchrony.chimera.RingSnapshot",
    "synchrony.critical.CriticalCoupling",
    "synchrony.curve.SynchronyCurve",
    "synchrony.feedback.FeedbackChart",
    "synchrony.feedback.FeedbackWindow",
    "synchrony.feedback.LorentzianOscillators",
    "synchrony.feedback_run.DelayedFeedback",
    "synchrony.feedback_run.FeedbackRun",
    "synchrony.laplacian.LaplacianSpectrum",
    "synchrony.locking.LockingThreshold",
    "synchrony.master.MasterStability",
    "synchrony.network_onset.NetworkOnset",
    "synchrony.order.EffectiveFrequencies",
    "synchrony.order.OrderParameter",
    "synchrony.pulses.PhasePulses",
    "synchrony.pulses.PulseRun",
    "synchrony.synchronous.SynchronousCouplings",
    "synchrony.theory.MeanFieldSynchrony",
    "synchrony.theory.SynchronyOnset",
    "synchrony.twisted.TwistedState",
)


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
    found = store.read(path, known_classes())
    if found is None or isinstance(found, bool | int | float | str | tuple | dict):
        raise StoreError(f"{str(path)!r} holds no result of dynlab.")
    return found


def known_classes() -> Mapping[str, Callable[..., Any]]:
    """Return what makes each class, by the name that stands in files; its module is loaded when asked for."""
    return _Known({place.rpartition(".")[2]: place for place in _CLASSES})


class _Known(Mapping[str, Callable[..., Any]]):
    """Classes by name; a file of numbers loads none of them."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = {"Diagram": "", **places}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        module = self._places[name].rpartition(".")[0]
        if not module:
            return _diagram
        made: Callable[..., Any] = getattr(import_module(f"dynlab.{module}"), name)
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def _diagram(branches: tuple[Branch | CycleBranch, ...], provenance: Provenance) -> Diagram:
    from dynlab.continuation.diagram import Diagram

    return Diagram(*branches, provenance=provenance)
