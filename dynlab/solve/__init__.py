"""Running a system: trajectories of flows and orbits of maps."""
