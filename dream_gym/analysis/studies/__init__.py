"""Studies: questions that take more than a benchmark."""
