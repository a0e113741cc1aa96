"""The parts of `Tests/Benchmarks/compare`: Portico beside its peers, on one machine, in the same minutes."""
