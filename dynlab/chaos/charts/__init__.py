"""One compiled call over many parameters or starts: charts, fields, orbit diagrams, return maps."""
