"""Whatever a process was started with, or calls a private step in: the same sums, and nothing of it changed."""
