"""Weak noise: fluctuations about rest, warnings ahead of a bifurcation, and the rare ways out."""
