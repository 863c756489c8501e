"""From a recorded series of numbers: dimensions, exponents, recurrence, surrogates."""
