"""The hospital's own label, or a column of its records, learned from released images alone."""
