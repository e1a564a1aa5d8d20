"""An independent, slow, obvious simulator, to hold the compiled engine to.

It was written from the design's semantics in plain Python objects on SimPy, and shares nothing
with the engine but what reads scenarios and platforms and what costs layers.
"""

from tests.reference.outcome import Outcome
from tests.reference.simulator import simulate

__all__ = ["Outcome", "simulate"]
