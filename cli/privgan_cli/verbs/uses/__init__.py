"""Verbs that put a released set to use."""
