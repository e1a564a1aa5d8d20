"""Many random workloads, engine against reference: ``make soak``."""
