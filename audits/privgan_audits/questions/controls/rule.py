"""T0 judged: what must have been seen, and what must have stayed silent."""

RESPLIT_LEVEL = 0.05  # of the p-values that are counted in splits of members among themselves
