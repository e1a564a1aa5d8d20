"""``DreamRTMM-Dispatch-v0``: decide every dispatch."""
