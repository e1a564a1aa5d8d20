"""Running benchmarks and searches in worker processes; results are kept until all is done."""
