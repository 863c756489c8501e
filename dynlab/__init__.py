"""dynlab: write a system once, as mathematics; ask every question of it.

>>> import dynlab as dl
>>> @dl.flow
... def fitzhugh_nagumo(v=-1.2, w=-0.6, *, I=0.0, a=0.7, b=0.8, eps=0.08):
...     return {v: v - v**3 / 3 - w + I, w: eps * (v + a - b * w)}
>>> diagram = dl.bifurcation_diagram(fitzhugh_nagumo, vary="I", over=(0, 2))
>>> [round(point["I"], 5) for point in diagram.points(dl.Hopf)]
[0.33128, 1.41872]

Public names load on first use; importing dynlab loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PLACES: dict[str, tuple[str, ...]] = {
    # define a system
    "dynlab.symbolic.define": ("PerLink", "PerNode", "Signal", "flow", "iterated_map"),
    "dynlab.links": ("AllToAll",),
    "dynlab.recording": ("Linear", "Monotone", "Previous", "Recording", "Spline"),
    "dynlab.symbolic.hamiltonian": ("hamiltonian",),
    "dynlab.symbolic.system": ("System",),
    "dynlab.symbolic.events": ("Event",),
    "dynlab.symbolic.noise": ("HanggiKlimontovich", "Ito", "Noise", "Stratonovich", "sources"),
    "dynlab.symbolic.transforms": ("euler_map",),
    "dynlab.symbolic.language": (
        "Angle", "Mean", "Positive", "Sum", "abs", "acos", "asin", "atan", "atan2", "cos", "cosh", "delayed", "each", "erf", "exp",
        "expm1", "exprel", "floor", "heaviside", "log", "log1p", "max", "min", "mod", "nodes", "pulse", "pulse_train", "ramp", "sigmoid",
        "sign", "sin", "sinc", "sinh", "sqrt", "step", "t", "tan", "tanh", "where",
    ),
    "dynlab.distributions": (
        "Constant", "Gaussian", "LogNormal", "Lorentzian", "Mixture", "Quantiles", "Uniform",
    ),
    # models as text
    "dynlab.text.model": ("map_system", "system"),
    "dynlab.text.files": ("read_model", "write_model"),
    "dynlab.text.toml": ("from_toml", "to_toml"),
    "dynlab.text.ode_file": ("from_ode", "to_ode"),
    "dynlab.text.sbml": ("from_sbml",),
    "dynlab.text.latex": ("to_latex",),
    # run it
    "dynlab.solve.integrate": ("integrate",),
    "dynlab.solve.iterate": ("iterate",),
    "dynlab.solve.methods": ("Automatic", "Explicit8", "Radau5"),
    "dynlab.solve.symplectic": (
        "BlanesMoan4", "BlanesMoan6", "KahanLi8", "Verlet", "Yoshida4",
    ),
    "dynlab.solve.gauss": ("Gauss6", "Gauss8"),
    "dynlab.solve.taylor": ("Taylor",),
    "dynlab.solve.clocked": ("Clocked",),
    "dynlab.solve.simulate": ("simulate",),
    "dynlab.solve.stochastic_methods": (
        "BAOAB", "EulerMaruyama", "ExactLinear", "Milstein", "PlatenWeak2", "SRA1", "SRIW1",
        "StochasticHeun",
    ),
    "dynlab.solve.crossing": ("Crossing",),
    "dynlab.solve.section": ("Section", "maxima_map", "poincare_map", "stroboscopic_map"),
    "dynlab.solve.trajectory": ("Trajectory",),
    "dynlab.solve.spikes": ("SpikeTrain", "spike_train"),
    "dynlab.solve.saltation": ("saltation_matrix",),
    "dynlab.solve.ensemble": ("ensemble",),
    "dynlab.solve.keep": ("Extremes", "Histogram", "Keep", "Moments", "States"),
    "dynlab.solve.outcomes": ("Ensemble",),
    "dynlab.cores": ("threads",),
    # equilibria
    "dynlab.equilibria.find": ("Equilibria", "find_equilibria"),
    "dynlab.equilibria.stability": ("Equilibrium",),
    "dynlab.equilibria.orbits": ("PeriodicOrbit", "PeriodicOrbits", "find_periodic_orbits"),
    "dynlab.equilibria.searches": ("DavidchackLai", "DeflatedNewton"),
    "dynlab.equilibria.manifolds": ("saddle_manifolds",),
    "dynlab.equilibria.portrait": ("phase_portrait",),
    "dynlab.equilibria.cobweb": ("Cobweb", "cobweb"),
    "dynlab.equilibria.characteristic_roots": ("CharacteristicRoots", "characteristic_roots"),
    # limit cycles
    "dynlab.cycles.find": ("find_cycle",),
    "dynlab.cycles.cycle": ("Cycle",),
    "dynlab.cycles.collocation": ("Collocation",),
    "dynlab.cycles.shooting": ("Shooting",),
    "dynlab.cycles.phase": ("PhaseResponse", "phase_response"),
    "dynlab.cycles.pulses": ("PulseResponse",),
    "dynlab.cycles.isochrons": ("Isochrons", "isochrons"),
    # chaos
    "dynlab.chaos.exponents.exponent": ("LyapunovExponent", "lyapunov_exponent"),
    "dynlab.chaos.exponents.covariant": ("CovariantVectors", "covariant_vectors"),
    "dynlab.chaos.exponents.mean_field": ("MeanFieldExponent", "mean_field_exponent"),
    "dynlab.chaos.exponents.spectrum": ("LyapunovSpectrum", "lyapunov_spectrum"),
    "dynlab.chaos.exponents.verdict": ("Verdict",),
    "dynlab.chaos.charts.exponent_chart": ("ExponentChart", "exponent_chart"),
    "dynlab.chaos.exponents.finite_time": ("FiniteTimeExponents", "finite_time_exponents"),
    "dynlab.chaos.charts.ftle_field": ("FtleField", "ftle_field"),
    "dynlab.chaos.charts.period_chart": ("PeriodChart", "period_chart"),
    "dynlab.chaos.charts.period_search": ("PeriodSearch",),
    "dynlab.chaos.charts.attractor_chart": ("AttractorChart", "attractor_chart"),
    # where orbits go
    "dynlab.chaos.charts.orbit_diagram": ("OrbitDiagram", "orbit_diagram"),
    "dynlab.chaos.charts.return_map": ("ReturnMap", "return_map"),
    # follow them
    "dynlab.continuation.curves.equilibrium": ("EquilibriumCurve",),
    "dynlab.continuation.follow": ("Walk", "follow"),
    "dynlab.continuation.methods": ("NaturalParameter", "PseudoArclength"),
    "dynlab.continuation.branch": ("Branch",),
    "dynlab.continuation.equilibrium": ("continue_equilibrium",),
    "dynlab.continuation.cycles.follow": ("continue_cycles",),
    "dynlab.continuation.cycles.branch": ("CycleBranch",),
    "dynlab.continuation.switch": ("switch_branch",),
    "dynlab.continuation.plane.bifurcation": ("continue_bifurcation",),
    "dynlab.continuation.plane.curve": ("BifurcationCurve",),
    "dynlab.continuation.cycles.curve": ("CycleBifurcationCurve",),
    "dynlab.continuation.plane.codimension_two": (
        "Bautin", "BogdanovTakens", "Cusp", "DoubleHopf", "FoldHopf",
    ),
    "dynlab.continuation.plane.predictors": ("PredictedOrbit",),
    "dynlab.continuation.plane.resonances": (
        "Chenciner", "FoldFlip", "GeneralizedFlip", "StrongResonance",
    ),
    "dynlab.continuation.connections.orbit": ("ConnectingOrbit",),
    "dynlab.continuation.connections.find": ("find_heteroclinic", "find_homoclinic"),
    "dynlab.continuation.connections.homoclinic": ("continue_homoclinic",),
    "dynlab.continuation.connections.branch": ("HomoclinicBranch",),
    "dynlab.continuation.diagram": ("Diagram", "bifurcation_diagram", "equilibrium_diagram"),
    "dynlab.continuation.points": (
        "BranchPoint", "Fold", "Hopf", "PeriodDoubling", "Torus", "UserPoint",
    ),
    # attractors and their basins
    "dynlab.attractors.find": ("Attractors", "find_attractors"),
    "dynlab.attractors.attractor": ("Attractor",),
    "dynlab.attractors.recurrences": ("Recurrences",),
    "dynlab.attractors.basins": ("Basins", "basins"),
    "dynlab.attractors.fractions": ("BasinFractions", "basin_fractions"),
    "dynlab.attractors.entropy": ("BasinEntropy", "basin_entropy"),
    "dynlab.attractors.uncertainty": ("UncertaintyExponent", "uncertainty_exponent"),
    "dynlab.attractors.tracking": ("AttractorContinuation", "continue_attractors"),
    "dynlab.attractors.edge": ("EdgeState", "edge_state"),
    "dynlab.attractors.resilience": ("FatalShock", "minimal_fatal_shock"),
    "dynlab.chaos.indicators.alignment": ("AlignmentIndices", "alignment_indices"),
    "dynlab.chaos.indicators.expansion": ("ExpansionEntropy", "expansion_entropy"),
    # chaos from data
    "dynlab.chaos.series.zero_one": ("ZeroOneTest", "zero_one_test"),
    "dynlab.chaos.series.recurrence": ("RecurrenceQuantification", "recurrence_quantification"),
    "dynlab.chaos.series.dimension": (
        "Dimension", "box_dimension", "correlation_dimension", "information_dimension",
    ),
    "dynlab.chaos.series.embedding": (
        "DelayEmbedding", "EmbeddingDimension", "MutualInformation", "delay_embedding",
        "embedding_dimension", "mutual_information",
    ),
    "dynlab.chaos.series.from_data": ("DivergenceExponent", "Kantz", "Rosenstein", "exponent_from_data"),
    "dynlab.chaos.series.surrogates": (
        "AmplitudeAdjusted", "IteratedAmplitudeAdjusted", "PhaseRandomised", "SurrogateTest",
        "prediction_error", "surrogate_test", "time_asymmetry",
    ),
    # synchrony
    "dynlab.synchrony.order": (
        "EffectiveFrequencies", "OrderParameter", "effective_frequencies", "local_order", "order_parameter",
    ),
    "dynlab.synchrony.theory": (
        "MeanFieldSynchrony", "SynchronyOnset", "mean_field_synchrony", "synchrony_onset",
    ),
    "dynlab.synchrony.curve": ("SynchronyCurve", "synchrony_curve"),
    "dynlab.synchrony.critical": ("CriticalCoupling", "critical_coupling"),
    "dynlab.synchrony.locking": ("LockingThreshold", "locking_threshold"),
    # synchrony on networks
    "dynlab.synchrony.chimera": (
        "RingChimera", "RingSnapshot", "ring_chimera", "ring_snapshot",
    ),
    "dynlab.synchrony.master": ("MasterStability", "master_stability"),
    "dynlab.synchrony.laplacian": ("LaplacianSpectrum", "laplacian_spectrum"),
    "dynlab.synchrony.synchronous": ("SynchronousCouplings", "synchronous_couplings"),
    "dynlab.synchrony.network_onset": ("NetworkOnset", "network_onset"),
    "dynlab.synchrony.twisted": ("TwistedState", "twisted_state"),
    "dynlab.synchrony.feedback": (
        "FeedbackChart", "FeedbackWindow", "LorentzianOscillators", "feedback_chart",
        "feedback_window",
    ),
    "dynlab.synchrony.feedback_run": ("DelayedFeedback", "FeedbackRun", "simulate_feedback"),
    "dynlab.synchrony.pulses": ("PhasePulses", "PulseRun", "simulate_pulses"),
    # densities of noisy systems
    "dynlab.stochastic.generator.grid": ("Absorbing", "Grid", "Periodic", "Reflecting", "Reinjected"),
    "dynlab.stochastic.bases.basis": ("Basis",),
    "dynlab.stochastic.bases.fourier": ("Fourier",),
    "dynlab.stochastic.bases.hermite": ("Hermite",),
    "dynlab.stochastic.bases.sinc": ("Sinc",),
    "dynlab.stochastic.bases.density": ("SpectralDensity",),
    "dynlab.stochastic.bases.evolution": ("SpectralEvolution",),
    "dynlab.stochastic.densities.density": ("Density", "stationary_density"),
    "dynlab.stochastic.densities.evolve": ("DensityEvolution", "evolve_density"),
    "dynlab.stochastic.densities.periodic": ("periodic_density",),
    "dynlab.stochastic.densities.mean_field": ("MeanFieldStates", "mean_field_states"),
    "dynlab.stochastic.densities.which_first": ("SplittingProbabilities", "splitting_probabilities"),
    "dynlab.stochastic.densities.response": ("Susceptibility", "susceptibility"),
    "dynlab.stochastic.densities.resonance": ("StochasticResonance", "stochastic_resonance"),
    "dynlab.stochastic.densities.spectra": ("GeneratorSpectrum", "generator_spectrum"),
    "dynlab.stochastic.records.averages": ("TimeMean", "time_mean"),
    "dynlab.stochastic.records.correlations": ("CorrelationFunction", "correlation_function"),
    "dynlab.stochastic.records.periodograms": ("Coherence", "PowerSpectrum", "coherence", "power_spectrum"),
    "dynlab.stochastic.records.passages": ("FirstPassageTimes", "first_passage_times"),
    "dynlab.stochastic.records.survival": ("Survival",),
    "dynlab.stochastic.densities.escape": ("Committor", "EscapeTime", "committor", "escape_time"),
    "dynlab.stochastic.densities.current": (
        "RingTransport", "StationaryCurrent", "ring_transport", "stationary_current",
    ),
    # around an equilibrium with noise
    "dynlab.stochastic.weak_noise.fluctuations": ("LinearNoise", "linear_noise"),
    "dynlab.stochastic.weak_noise.map_noise": ("LinearMapNoise", "linear_map_noise"),
    "dynlab.stochastic.weak_noise.warning": ("Approach", "EarlyWarning", "early_warning"),
    "dynlab.stochastic.weak_noise.signs": ("WarningSigns", "warning_signs"),
    "dynlab.symbolic.cumulants": ("moment_equations",),
    "dynlab.stochastic.weak_noise.action": (
        "LeastActionPath", "Quasipotential", "least_action_path", "quasipotential",
    ),
    "dynlab.stochastic.weak_noise.kramers": ("KramersRate", "kramers_rate"),
    "dynlab.stochastic.weak_noise.multiplicative": (
        "StochasticStability", "mean_square_exponent", "stochastic_stability",
    ),
    # studies of any function
    "dynlab.sweep.study": ("Sweep",),
    "dynlab.sweep.axis": ("Replicates", "Zipped"),
    "dynlab.sweep.designs": ("Halton", "LatinHypercube", "RandomPoints", "Sobol"),
    "dynlab.sweep.refine": ("AtBoundaries",),
    "dynlab.sweep.executors": ("Processes", "Serial", "Threads"),
    "dynlab.sweep.result": ("Failure", "SweepResult"),
    # studies as text
    "dynlab.study.read": ("read_study",),
    "dynlab.study.run": ("run_study",),
    "dynlab.study.study": ("Study",),
    "dynlab.study.page": ("publish",),
    "dynlab.explorer": ("Explorer", "explore"),
    # pictures
    "dynlab.plotting": ("draw_legend", "draw_raster", "save_figure"),
    # how it went
    "dynlab.status": ("Status",),
    "dynlab.progress": ("observe", "progress_bar", "progress_log", "stop_after"),
    "dynlab.load": ("load",),
    "dynlab.errors": (
        "AccuracyWarning", "CheckpointError", "CompileError", "ComputationError", "DefinitionError",
        "DegenerateWarning", "DuplicateNameError", "DynlabError", "DynlabWarning", "LeftDomain",
        "MissingExtraError", "NotConverged", "SettingError", "SingularProblem", "StepTooSmall",
        "StoreError", "TextError", "UnitError", "UnknownNameError", "UnsupportedSystemError",
    ),
}  # fmt: skip

_HOME = {name: module for module, names in _PLACES.items() for name in names}
_PACKAGES = ("hopfield", "zoo")

__all__ = sorted([*_HOME, *_PACKAGES], key=str)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(_HOME[name]), name)
    elif name in _PACKAGES:
        value = importlib.import_module(f"dynlab.{name}")
    else:
        from dynlab.errors import UnknownNameError

        raise UnknownNameError("public name of dynlab", name, __all__)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
