"""Attacks on the mechanism, judged from what it released."""
