"""What is asked of a generator: densities at rest and in motion, rates, escapes, currents, responses."""
