"""The generator of a Fokker-Planck equation on cells: grids, rates between cells, and its linear algebra."""
