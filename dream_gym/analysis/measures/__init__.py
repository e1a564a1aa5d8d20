"""What is measured: rows of runs, causes of misses, statistics."""
