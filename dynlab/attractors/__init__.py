"""Attractors: which there are, what leads to each, and how they change with a parameter."""
