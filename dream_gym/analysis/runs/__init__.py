"""How much is run: benchmarks, searches and warming up, in processes, kept until all is done."""
