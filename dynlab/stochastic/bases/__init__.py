"""Densities in functions instead of cells: the same generator in Hermite, Fourier and sinc bases."""
