"""What a classifier is worth on real patients whom nothing that it learned from has seen."""
