"""Invented patients through all stages of a disease, as a page to learn from."""
