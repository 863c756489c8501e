"""stub"""
def from_sbml(text): raise NotImplementedError
