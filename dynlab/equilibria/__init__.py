"""Equilibria of flows and fixed points of maps: where they are, what type, what leads to them."""
