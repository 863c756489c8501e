"""Noise as a subject: densities, their evolution, escape, currents and spectra of the generator."""
