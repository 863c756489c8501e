"""What records of a noisy process say: means, memory, spectra and passages, each with its error."""
