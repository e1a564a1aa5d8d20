"""``DreamRTMM-v0``: tune DREAM's parameters while it schedules."""
