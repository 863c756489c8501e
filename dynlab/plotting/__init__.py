"""Drawing primitives on plain arrays and strings.

Every function takes the axes to draw into (None makes a new figure in the house look) and returns
them; none shows a figure or changes a global setting.  matplotlib is loaded by the first call.

style       colours, markers and short names      axes      new axes, labels, legend, files
stability   branches, solid where stable          markers   special points and their labels
portrait    phase portraits                       series    quantities against time
spectrum    eigenvalues and multipliers   ensemble  fans, clouds, densities of many runs
cobweb      orbits of maps of the line    bifurcation_line  curves in a plane of two parameters
connection  curves of homoclinic orbits in two parameters
phase       phase response, kicks, isochrons   basins      attractors, basins and shares of them
estimates   slopes, null distributions, recurrences
chart       exponents and classes over parameters
returns     orbits of maps in bulk       capacity  overlap against load, phases of a memory
memory      recall in Hopfield networks
order       synchrony: order against coupling and time, frequencies
coherence   synchrony on networks
study       answers of a study over its parameters
"""

from __future__ import annotations

from dynlab.plotting.axes import (
    close_figure,
    draw_legend,
    label,
    new_axes,
    save_figure,
    stacked_axes,
    symbol,
)
from dynlab.plotting.basins import (
    attractor_color,
    draw_attractor,
    draw_basin_line,
    draw_basins,
    draw_extent,
    draw_heat,
    draw_power_law,
    draw_shares,
    draw_shock,
    draw_stacked,
    draw_track,
    shade_of,
)
from dynlab.plotting.bifurcation_line import draw_bifurcation_line, draw_points_once
from dynlab.plotting.capacity import (
    draw_basin_sizes,
    draw_capacities,
    draw_recall_phases,
    draw_recall_theory,
    draw_recall_trials,
)
from dynlab.plotting.chart import (
    draw_class_line,
    draw_class_map,
    draw_exponent_line,
    draw_exponent_map,
    draw_finite_time_exponents,
    draw_stretching,
)
from dynlab.plotting.cobweb import draw_cobweb
from dynlab.plotting.coherence import (
    draw_growth_chart,
    draw_laplacian,
    draw_mode_rates,
    draw_node_shares,
    draw_pulsed_series,
    draw_snapshot,
    draw_stable_intervals,
    draw_switched_series,
)
from dynlab.plotting.connection import draw_connection_line
from dynlab.plotting.distribution import (
    draw_distribution,
    draw_distribution_map,
    draw_distributions,
)
from dynlab.plotting.ensemble import (
    draw_cloud,
    draw_density,
    draw_fan,
    draw_ranges,
    draw_survival,
    draw_with_band,
)
from dynlab.plotting.estimates import (
    draw_estimates,
    draw_null,
    draw_recurrences,
    draw_scaling,
    draw_straight_part,
    draw_zero_one,
)
from dynlab.plotting.exponents import draw_alignment, draw_angles, draw_convergence, draw_ladder
from dynlab.plotting.markers import arrange_labels, draw_points
from dynlab.plotting.memory import draw_descent, draw_recall, draw_resting_states
from dynlab.plotting.order import (
    draw_locked,
    draw_onset,
    draw_order,
    draw_order_in_time,
    draw_order_points,
    draw_plateaus,
)
from dynlab.plotting.phase import draw_isochrons, draw_resetting, draw_response
from dynlab.plotting.portrait import (
    draw_direction,
    draw_equilibria,
    draw_field,
    draw_iterates,
    draw_manifold,
    draw_nullclines,
    draw_orbit,
)
from dynlab.plotting.returns import draw_orbit_density, draw_returns
from dynlab.plotting.series import (
    draw_events,
    draw_raster,
    draw_series,
    lift_pen,
    wrap_for_drawing,
)
from dynlab.plotting.spectrum import (
    draw_eigenvalue_plane,
    draw_eigenvalues,
    draw_multiplier_plane,
    draw_multipliers,
)
from dynlab.plotting.stability import draw_stability_line, name_colors
from dynlab.plotting.study import draw_lines, draw_places, draw_shades

__all__ = [
    "arrange_labels",
    "attractor_color",
    "close_figure",
    "draw_alignment",
    "draw_angles",
    "draw_attractor",
    "draw_basin_line",
    "draw_basin_sizes",
    "draw_basins",
    "draw_bifurcation_line",
    "draw_capacities",
    "draw_class_line",
    "draw_class_map",
    "draw_cloud",
    "draw_cobweb",
    "draw_connection_line",
    "draw_convergence",
    "draw_density",
    "draw_descent",
    "draw_direction",
    "draw_distribution",
    "draw_distribution_map",
    "draw_distributions",
    "draw_eigenvalue_plane",
    "draw_eigenvalues",
    "draw_equilibria",
    "draw_estimates",
    "draw_events",
    "draw_exponent_line",
    "draw_exponent_map",
    "draw_extent",
    "draw_fan",
    "draw_field",
    "draw_finite_time_exponents",
    "draw_growth_chart",
    "draw_heat",
    "draw_isochrons",
    "draw_iterates",
    "draw_ladder",
    "draw_laplacian",
    "draw_legend",
    "draw_lines",
    "draw_locked",
    "draw_manifold",
    "draw_mode_rates",
    "draw_multiplier_plane",
    "draw_multipliers",
    "draw_node_shares",
    "draw_null",
    "draw_nullclines",
    "draw_onset",
    "draw_orbit",
    "draw_orbit_density",
    "draw_order",
    "draw_order_in_time",
    "draw_order_points",
    "draw_places",
    "draw_plateaus",
    "draw_points",
    "draw_points_once",
    "draw_power_law",
    "draw_pulsed_series",
    "draw_ranges",
    "draw_raster",
    "draw_recall",
    "draw_recall_phases",
    "draw_recall_theory",
    "draw_recall_trials",
    "draw_recurrences",
    "draw_resetting",
    "draw_response",
    "draw_resting_states",
    "draw_returns",
    "draw_scaling",
    "draw_series",
    "draw_shades",
    "draw_shares",
    "draw_shock",
    "draw_snapshot",
    "draw_stability_line",
    "draw_stable_intervals",
    "draw_stacked",
    "draw_straight_part",
    "draw_stretching",
    "draw_survival",
    "draw_switched_series",
    "draw_track",
    "draw_with_band",
    "draw_zero_one",
    "label",
    "lift_pen",
    "name_colors",
    "new_axes",
    "save_figure",
    "shade_of",
    "stacked_axes",
    "symbol",
    "wrap_for_drawing",
]
