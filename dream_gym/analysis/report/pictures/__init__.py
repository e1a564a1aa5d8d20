"""What is drawn: benchmarks, suites and timelines."""
