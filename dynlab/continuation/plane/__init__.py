"""Curves of bifurcations in the plane of two parameters, and the points of codimension two on them."""
