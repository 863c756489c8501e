"""Homoclinic and heteroclinic orbits."""
