"""What tells chaos from order without waiting for exponents to settle."""
