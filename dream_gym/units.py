"""Units: what a second, a millisecond and a millijoule are in the engine's integers."""

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
PJ_PER_MJ = 1_000_000_000
MS_PER_S = 1000
