"""Systems with an energy."""

from dynlab.symbolic.define import flow
